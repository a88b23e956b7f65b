/* The vector unit. It takes 256 bytes of elements at a time: reads all of a repeat before it writes any, so d may be a
 * or b. f16 is computed in f32 and rounded once. What the ISA leaves open is settled here:
 *   max, min, gmax, rmax   NaN if any operand is NaN; +0 is greater than -0
 *   gadd, radd             one chain of additions in f32, in order, from the first element on
 *   s32                    wraps
 *   exp                    the f32 nearest to e^x, see exp_f32; f16: that, rounded again
 *   from_f32.s32           nearest even, saturates, NaN becomes 0 */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/accel_sim/sim/convert.h"
#include "kernels/accel_sim/sim/move.h"

enum { REPEAT_BYTES = 256, GROUP_BYTES = 32, MOST = REPEAT_BYTES / 2 /* elements */ };

static const float nan_f32 = __builtin_nanf("");

static inline float max_f32(float a, float b) {
  float equal = accel_float_of(accel_bits_of(a) & accel_bits_of(b)), order = a > b ? a : a < b ? b : nan_f32;
  return a == b ? equal : order;
}

static inline float min_f32(float a, float b) {
  float equal = accel_float_of(accel_bits_of(a) | accel_bits_of(b)), order = a < b ? a : a > b ? b : nan_f32;
  return a == b ? equal : order;
}

/* e^x = 2^n e^r with |r| <= ln 2 / 2, in f64 and rounded once, without fma or the host's libm: the same on any host.
 * What the series leaves out after r^13 / 13! is below 2^-57. All 2^32 results have been compared with those of an exp
 * in 64-bit significands: each is the f32 nearest to e^x. */
static inline float exp_f32(float x) {
  const double log2_e = 0x1.71547652b82fep+0, ln2_high = 0x1.62e42fefa38p-1, ln2_low = 0x1.ef35793c7673p-45;
  const double magic = 0x1.8p52; /* adding it rounds to an integer, in the low bits */
  double y = x < -110 ? -110 : x > 100 ? 100 : x, shifted = y * log2_e + magic, n = shifted - magic;
  double r = (y - n * ln2_high) - n * ln2_low, p = 1.0 / 6227020800, scale;
  const double inverse[12] = {1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
                              1.0 / 720,       1.0 / 120,      1.0 / 24,      1.0 / 6,      1.0 / 2,     1};
  for (int i = 0; i < 12; i++) p = p * r + inverse[i];
  uint64_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 1023) << 52;
  memcpy(&scale, &bits, sizeof scale);
  return (float)((p * r + 1) * scale);
}

static inline int32_t round_s32(float x) {
  if (!(x >= -0x1p31f)) return x < 0 ? INT32_MIN : 0;
  return x >= 0x1p31f ? INT32_MAX : (int32_t)lrintf(x);
}

static inline __attribute__((always_inline)) void fma_loop(float *d, const float *a, const float *b, int n) {
  for (int i = 0; i < n; i++) d[i] = __builtin_fmaf(a[i], b[i], d[i]);
}
#ifdef __x86_64__
__attribute__((target("avx2,fma"))) static void fma_avx2(float *d, const float *a, const float *b, int n) {
  fma_loop(d, a, b, n);
}
static void fma_f32(float *d, const float *a, const float *b, int n) {
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    fma_avx2(d, a, b, n);
  else
    fma_loop(d, a, b, n);
}
#else
static void fma_f32(float *d, const float *a, const float *b, int n) { fma_loop(d, a, b, n); }
#endif

/* d = d op b, or of d alone. */
static void apply_f32(enum accel_opcode op, float *d, const float *b, int n) {
  switch (op) {
    case ACCEL_V_ADD:
    case ACCEL_V_ADDS:
      for (int i = 0; i < n; i++) d[i] += b[i];
      break;
    case ACCEL_V_SUB:
      for (int i = 0; i < n; i++) d[i] -= b[i];
      break;
    case ACCEL_V_MUL:
    case ACCEL_V_MULS:
      for (int i = 0; i < n; i++) d[i] *= b[i];
      break;
    case ACCEL_V_DIV:
      for (int i = 0; i < n; i++) d[i] /= b[i];
      break;
    case ACCEL_V_MAX:
      for (int i = 0; i < n; i++) d[i] = max_f32(d[i], b[i]);
      break;
    case ACCEL_V_MIN:
      for (int i = 0; i < n; i++) d[i] = min_f32(d[i], b[i]);
      break;
    case ACCEL_V_EXP:
      for (int i = 0; i < n; i++) d[i] = exp_f32(d[i]);
      break;
    case ACCEL_V_SQRT:
      for (int i = 0; i < n; i++) d[i] = sqrtf(d[i]);
      break;
    default: break;
  }
}

static void apply_s32(enum accel_opcode op, uint32_t *d, const uint32_t *b, int n) {
  switch (op) {
    case ACCEL_V_ADD:
    case ACCEL_V_ADDS:
      for (int i = 0; i < n; i++) d[i] += b[i];
      break;
    case ACCEL_V_SUB:
      for (int i = 0; i < n; i++) d[i] -= b[i];
      break;
    case ACCEL_V_MUL:
    case ACCEL_V_MULS:
      for (int i = 0; i < n; i++) d[i] *= b[i];
      break;
    case ACCEL_V_MAX:
      for (int i = 0; i < n; i++) d[i] = (int32_t)d[i] > (int32_t)b[i] ? d[i] : b[i];
      break;
    case ACCEL_V_MIN:
      for (int i = 0; i < n; i++) d[i] = (int32_t)d[i] < (int32_t)b[i] ? d[i] : b[i];
      break;
    default: break;
  }
}

static int size_of(unsigned type) { return type == ACCEL_F16 || type == ACCEL_BF16 ? 2 : 4; }

static void load_f32(float *x, const unsigned char *from, unsigned type, int n) {
  uint16_t half[MOST];
  memcpy(size_of(type) == 2 ? (void *)half : (void *)x, from, (size_t)(n * size_of(type)));
  if (type == ACCEL_F16)
    for (int i = 0; i < n; i++) x[i] = accel_widen_f16(half[i]);
  else if (type == ACCEL_BF16)
    for (int i = 0; i < n; i++) x[i] = accel_widen_bf16(half[i]);
}

static void store_f32(unsigned char *to, const float *x, unsigned type, int n) {
  uint16_t half[MOST];
  if (type == ACCEL_F16)
    for (int i = 0; i < n; i++) half[i] = accel_narrow_f16(x[i]);
  else if (type == ACCEL_BF16)
    for (int i = 0; i < n; i++) half[i] = accel_narrow_bf16(x[i]);
  memcpy(to, size_of(type) == 2 ? (const void *)half : (const void *)x, (size_t)(n * size_of(type)));
}

static float scalar_f32(uint64_t scalar, unsigned type) {
  return type == ACCEL_F16 ? accel_widen_f16((uint16_t)scalar) : accel_float_of((uint32_t)scalar);
}

/* One repeat. second: b's elements, or so many copies of the scalar. */
static void repeat_f32(enum accel_opcode op, unsigned type, unsigned char *d, const unsigned char *a,
                       const float *second, int n) {
  float x[MOST], sum[MOST];
  load_f32(x, a, type, n);
  if (op == ACCEL_V_FMA || op == ACCEL_V_FMAS) {
    load_f32(sum, d, type, n);
    fma_f32(sum, x, second, n);
    store_f32(d, sum, type, n);
  } else {
    apply_f32(op, x, second, n);
    store_f32(d, x, type, n);
  }
}

static int least(int64_t left, int most) { return left < most ? (int)left : most; }

static void elementwise_f32(enum accel_opcode op, unsigned type, unsigned char *d, const unsigned char *a,
                            const unsigned char *b, uint64_t scalar, int64_t n) {
  const int size = size_of(type), most = REPEAT_BYTES / size;
  float second[MOST];
  for (int i = 0; i < most; i++) second[i] = scalar_f32(scalar, type);
  for (int64_t at = 0; at < n; at += most) {
    int count = least(n - at, most);
    if (b) load_f32(second, b + at * size, type, count);
    repeat_f32(op, type, d + at * size, a + at * size, second, count);
  }
}

static void elementwise_s32(enum accel_opcode op, unsigned char *d, const unsigned char *a, const unsigned char *b,
                            uint64_t scalar, int64_t n) {
  enum { COUNT = REPEAT_BYTES / 4 };
  uint32_t x[COUNT], second[COUNT];
  for (int i = 0; i < COUNT; i++) second[i] = (uint32_t)scalar;
  for (int64_t at = 0; at < n; at += COUNT) {
    int count = least(n - at, COUNT);
    size_t bytes = (size_t)count * 4;
    memcpy(x, a + at * 4, bytes);
    if (b) memcpy(second, b + at * 4, bytes);
    apply_s32(op, x, second, count);
    memcpy(d + at * 4, x, bytes);
  }
}

static void duplicate(unsigned char *d, unsigned type, uint64_t scalar, int64_t n) {
  const size_t size = (size_t)size_of(type);
  for (int64_t i = 0; i < n; i++) memcpy(d + (size_t)i * size, &scalar, size);
}

static void broadcast(unsigned char *d, unsigned type, const unsigned char *a, int64_t n) {
  const size_t size = (size_t)size_of(type);
  for (int64_t i = 0; i < n * (int64_t)(GROUP_BYTES / size); i++)
    memcpy(d + (size_t)i * size, a + (size_t)i * size / GROUP_BYTES * size, size);
}

static float reduce_f32(bool sum, const float *x, int n) {
  float result = x[0];
  for (int i = 1; i < n; i++) result = sum ? result + x[i] : max_f32(result, x[i]);
  return result;
}

static void reduce_groups(bool sum, unsigned type, unsigned char *d, const unsigned char *a, int64_t n) {
  const int size = size_of(type), group = GROUP_BYTES / size, most = REPEAT_BYTES / size;
  float x[MOST], result[REPEAT_BYTES / GROUP_BYTES];
  for (int64_t at = 0; at < n; at += most) {
    int count = least(n - at, most), groups = 0;
    load_f32(x, a + at * size, type, count);
    for (int i = 0; i < count; i += group) result[groups++] = reduce_f32(sum, x + i, least(count - i, group));
    store_f32(d + at / group * size, result, type, groups);
  }
}

static void reduce_all(bool sum, unsigned type, unsigned char *d, const unsigned char *a, int64_t n) {
  const int size = size_of(type), most = REPEAT_BYTES / size;
  float x[MOST + 1];
  for (int64_t at = 0; at < n; at += most) {
    int count = least(n - at, most);
    load_f32(x + 1, a + at * size, type, count);
    x[0] = at ? reduce_f32(sum, x, count + 1) : reduce_f32(sum, x + 1, count);
  }
  if (n > 0) store_f32(d, x, type, 1);
}

static void to_f32(unsigned type, unsigned char *d, const unsigned char *a, int64_t n) {
  enum { COUNT = REPEAT_BYTES / 4 };
  float x[COUNT];
  int32_t integer[COUNT];
  for (int64_t at = 0; at < n; at += COUNT) {
    int count = least(n - at, COUNT);
    if (type == ACCEL_S32) {
      memcpy(integer, a + at * 4, (size_t)count * 4);
      for (int i = 0; i < count; i++) x[i] = (float)integer[i];
    } else {
      load_f32(x, a + at * size_of(type), type, count);
    }
    memcpy(d + at * 4, x, (size_t)count * 4);
  }
}

static void from_f32(unsigned type, unsigned char *d, const unsigned char *a, int64_t n) {
  enum { COUNT = REPEAT_BYTES / 4 };
  float x[COUNT];
  int32_t integer[COUNT];
  for (int64_t at = 0; at < n; at += COUNT) {
    int count = least(n - at, COUNT);
    memcpy(x, a + at * 4, (size_t)count * 4);
    if (type == ACCEL_S32) {
      for (int i = 0; i < count; i++) integer[i] = round_s32(x[i]);
      memcpy(d + at * 4, integer, (size_t)count * 4);
    } else {
      store_f32(d + at * size_of(type), x, type, count);
    }
  }
}

void accel_vector(enum accel_opcode op, unsigned type, unsigned char *d, const unsigned char *a, const unsigned char *b,
                  uint64_t scalar, int64_t n) {
  switch (op) {
    case ACCEL_V_DUP: duplicate(d, type, scalar, n); break;
    case ACCEL_V_BCAST: broadcast(d, type, a, n); break;
    case ACCEL_V_GMAX: reduce_groups(false, type, d, a, n); break;
    case ACCEL_V_GADD: reduce_groups(true, type, d, a, n); break;
    case ACCEL_V_RMAX: reduce_all(false, type, d, a, n); break;
    case ACCEL_V_RADD: reduce_all(true, type, d, a, n); break;
    case ACCEL_V_TO_F32: to_f32(type, d, a, n); break;
    case ACCEL_V_FROM_F32: from_f32(type, d, a, n); break;
    default:
      if (type == ACCEL_S32)
        elementwise_s32(op, d, a, b, scalar, n);
      else
        elementwise_f32(op, type, d, a, b, scalar, n);
  }
}
