#include "test/kernels/reference.h"

#include <math.h>
#include <string.h>

#include "src/core/core.h"
#include "test/kernels/values.h"

/* f16 and bf16 in f32, a NaN of the same kind, without a flag. */
static float get_half(tsr_type type, const char *from) {
  uint64_t bits = get_bits(from, type);
  if (!bits_are_nan(type, bits)) return (float)value_of_bits(type, bits);
  uint32_t wide = 0x7f800000 | (uint32_t)(bits << (type == TSR_F16 ? 13 : 16) & 0x7fffff);
  float value;
  memcpy(&value, &wide, sizeof value);
  return value;
}

/* Element i of a row, in f32. */
static float get_narrow(tsr_type type, const char *row, int64_t i) {
  if (block_of(type) == 1) return get_half(type, row + bytes_of(type, i));
  static uint64_t last; /* the next element is mostly of the same block */
  static float value;
  uint64_t scale = scale_of_element((const unsigned char *)row, type, i);
  if (scale != last) value = get_half(TSR_F16, (const char *)&scale), last = scale;
  return value * (float)integer_of_element((const unsigned char *)row, type, i);
}

#define REAL float
#define FMA fmaf
#define GET get_f32
#define GET_A get_a_f32
#define PUT put_f32
#define FINISH finish_f32
#define SUM sum_f32
#define TILES tiles_f32
#define UPDATE update_f32
#define SCALE scale_f32
#define GEMM gemm_f32
#include "test/kernels/reference_type.h"
#undef REAL
#undef FMA
#undef GET
#undef GET_A
#undef PUT
#undef FINISH
#undef SUM
#undef TILES
#undef UPDATE
#undef SCALE
#undef GEMM

#define REAL double
#define FMA fma
#define GET get_f64
#define GET_A get_a_f64
#define PUT put_f64
#define FINISH finish_f64
#define SUM sum_f64
#define TILES tiles_f64
#define UPDATE update_f64
#define SCALE scale_f64
#define GEMM gemm_f64
#include "test/kernels/reference_type.h"
#undef REAL
#undef FMA
#undef GET
#undef GET_A
#undef PUT
#undef FINISH
#undef SUM
#undef TILES
#undef UPDATE
#undef SCALE
#undef GEMM

#define REAL float
#define FMA fmaf
#define GET get_f32
#define PUT put_f32
#define SCALED scaled_c32
#define FINISH finish_c32
#define SUM sum_c32
#define TILES tiles_c32
#define UPDATE update_c32
#define SCALE scale_c32
#define GEMM gemm_c32
#include "test/kernels/reference_complex.h"
#undef REAL
#undef FMA
#undef GET
#undef PUT
#undef SCALED
#undef FINISH
#undef SUM
#undef TILES
#undef UPDATE
#undef SCALE
#undef GEMM

#define REAL double
#define FMA fma
#define GET get_f64
#define PUT put_f64
#define SCALED scaled_c64
#define FINISH finish_c64
#define SUM sum_c64
#define TILES tiles_c64
#define UPDATE update_c64
#define SCALE scale_c64
#define GEMM gemm_c64
#include "test/kernels/reference_complex.h"

/* Copies element i of a row; from a smaller type to f32 it is converted, and a NaN becomes any NaN. */
static void copy(tsr_type ta, tsr_type tc, const char *row, int64_t i, char *to) {
  if (ta == tc)
    memcpy(to, row + bytes_of(ta, i), (size_t)tsr_size_of(tc));
  else
    put_f32(to, get_narrow(ta, row, i));
}

static void pack(const struct tsr_step *st, tsr_type ta, tsr_type tc, bool along_k, const char *a, char *c) {
  int64_t size = tsr_size_of(tc), panels = (st->m + st->n - 1) / st->n;
  for (int64_t t = 0; t < panels; t++)
    for (int64_t p = 0; p < st->k; p++)
      for (int64_t i = 0; i < st->n; i++) {
        int64_t row = t * st->n + i < st->m ? t * st->n + i : st->m - 1;
        copy(ta, tc, a + (along_k ? row * st->rsa : p * st->csa), along_k ? p : row,
             c + t * st->dc + (p * st->n + i) * size);
      }
}

static void convert(const struct tsr_step *st, tsr_type ta, tsr_type tc, const char *a, char *c) {
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < st->m; i++) {
      float x = (float)st->alpha * get_a_f32(ta, a + j * st->csa, i);
      put_bits(c + j * st->csc + i * tsr_size_of(tc), tc, bits_of_float(tc, x));
    }
}

static void complex_step(enum tsr_op op, bool wide, const struct tsr_step *st, int64_t mr, int64_t nr, const void *a,
                         const void *b, void *c) {
  switch (op) {
    case TSR_OP_GEMM: (wide ? tiles_c64 : tiles_c32)(st, mr, nr, a, b, c); break;
    case TSR_OP_UPDATE: (wide ? update_c64 : update_c32)(st, false, a, c); break;
    case TSR_OP_UPDATE_T: (wide ? update_c64 : update_c32)(st, true, a, c); break;
    case TSR_OP_SCALE: (wide ? scale_c64 : scale_c32)(st, c); break;
    default: break;
  }
}

void reference_step(enum tsr_op op, tsr_type ta, tsr_type tc, const struct tsr_step *st, int64_t mr, int64_t nr,
                    const void *a, const void *b, void *c) {
  bool wide = part_of(tc) == TSR_F64;
  if (part_of(tc) != tc && op != TSR_OP_PACK_N && op != TSR_OP_PACK_T) {
    complex_step(op, wide, st, mr, nr, a, b, c);
    return;
  }
  switch (op) {
    case TSR_OP_GEMM: (wide ? tiles_f64 : tiles_f32)(st, ta, mr, nr, false, a, b, c); break;
    case TSR_OP_GEMM_AT: (wide ? tiles_f64 : tiles_f32)(st, ta, mr, nr, true, a, b, c); break;
    case TSR_OP_PACK_N: pack(st, ta, tc, false, a, c); break;
    case TSR_OP_PACK_T: pack(st, ta, tc, true, a, c); break;
    case TSR_OP_UPDATE: (wide ? update_f64 : update_f32)(st, false, a, c); break;
    case TSR_OP_UPDATE_T: (wide ? update_f64 : update_f32)(st, true, a, c); break;
    case TSR_OP_SCALE: (wide ? scale_f64 : scale_f32)(st, c); break;
    case TSR_OP_CONVERT: convert(st, ta, tc, a, c); break;
    default: break;
  }
}

void reference_gemm(tsr_type type, int64_t m, int64_t n, int64_t k, int64_t kb, double alpha, const void *a,
                    const void *b, double beta, void *c) {
  if (type == TSR_F64)
    gemm_f64(type, m, n, k, kb, alpha, a, b, beta, c);
  else
    gemm_f32(type, m, n, k, kb, (float)alpha, a, b, (float)beta, c);
}

void reference_gemm_complex(tsr_type type, int64_t m, int64_t n, int64_t k, int64_t kb, uint64_t flags,
                            const double alpha[2], const void *a, const void *b, const double beta[2], void *c) {
  struct tsr_step step = {.m = m, .n = n, .flags = flags, .alpha = alpha[0], .alpha_im = alpha[1],
                          .beta = beta[0], .beta_im = beta[1]};
  (type == TSR_C64 ? gemm_c64 : gemm_c32)(&step, k, kb, a, b, c);
}
