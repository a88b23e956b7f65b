#include "test/kernels/reference.h"

#include <math.h>
#include <string.h>

#define REAL float
#define FMA fmaf
#define GET get_f32
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
#define PUT put_f64
#define FINISH finish_f64
#define SUM sum_f64
#define TILES tiles_f64
#define UPDATE update_f64
#define SCALE scale_f64
#define GEMM gemm_f64
#include "test/kernels/reference_type.h"

static void pack(const struct tsr_step *st, int64_t size, int64_t rsa, int64_t csa, const char *a, char *c) {
  int64_t panels = (st->m + st->n - 1) / st->n;
  for (int64_t t = 0; t < panels; t++)
    for (int64_t p = 0; p < st->k; p++)
      for (int64_t i = 0; i < st->n; i++) {
        int64_t row = t * st->n + i < st->m ? t * st->n + i : st->m - 1;
        memcpy(c + t * st->dc + (p * st->n + i) * size, a + row * rsa + p * csa, (size_t)size);
      }
}

void reference_step(enum tsr_op op, tsr_type type, const struct tsr_step *st, int64_t mr, int64_t nr, const void *a,
                    const void *b, void *c) {
  int64_t size = type == TSR_F64 ? 8 : 4;
  bool wide = type == TSR_F64;
  switch (op) {
    case TSR_OP_GEMM: (wide ? tiles_f64 : tiles_f32)(st, mr, nr, size, st->csa, a, b, c); break;
    case TSR_OP_GEMM_AT: (wide ? tiles_f64 : tiles_f32)(st, mr, nr, st->rsa, size, a, b, c); break;
    case TSR_OP_PACK_N: pack(st, size, size, st->csa, a, c); break;
    case TSR_OP_PACK_T: pack(st, size, st->rsa, size, a, c); break;
    case TSR_OP_UPDATE: (wide ? update_f64 : update_f32)(st, false, a, c); break;
    case TSR_OP_UPDATE_T: (wide ? update_f64 : update_f32)(st, true, a, c); break;
    case TSR_OP_SCALE: (wide ? scale_f64 : scale_f32)(st, c); break;
    default: break;
  }
}

void reference_gemm(tsr_type type, int64_t m, int64_t n, int64_t k, int64_t kb, double alpha, const void *a,
                    const void *b, double beta, void *c) {
  if (type == TSR_F64)
    gemm_f64(m, n, k, kb, alpha, a, b, beta, c);
  else
    gemm_f32(m, n, k, kb, (float)alpha, a, b, (float)beta, c);
}
