/* Vectors of f32 and f64 in plain C, and what every chip's simd.h has: kernels written once in C (kernels/level1.h and so
 * on) are compiled by each chip with its own. Only files of this folder include it. For T f32 and f64:
 *
 *   TSR_F32_LANES, TSR_F64_LANES  elements of a vector: a power of 2, the one twice the other
 *   T_v                    a vector
 *   T_zero() T_set1(x)     every lane +0, every lane x
 *   T_load(p) T_store(p, v)            at any address that suits an element
 *   T_load_n(p, n) T_store_n(p, v, n)  the first n lanes, 0 <= n <= LANES: others become +0, and nothing beyond is touched
 *   T_stream(p, v)         a store past the caches; p is a multiple of the vector's bytes. T_stream_end() after the last
 *   T_add(a, b) T_sub(a, b) T_mul(a, b) T_abs(a)
 *   T_fma(a, b, c)         a * b + c, rounded once;  T_fnma(a, b, c)  c - a * b, rounded once
 *   T_max(a, b)            of lanes that are not negative (the sign bit is 0): a NaN if one of them is NaN, else the larger
 *   T_swap(a)              neighbours change places: lanes 1, 0, 3, 2, ...
 *   T_negate_even(a) T_negate_odd(a)   the sign of lanes 0, 2, ... (1, 3, ...) is flipped
 *   T_even(a) T_odd(a)     lanes 0, 0, 2, 2, ... (1, 1, 3, 3, ...)
 *   T_sum(a)               halves are added to halves: t with t + LANES / 2, ..., last 0 with 1
 *   T_sum_pair(a, out)     the same down to lanes 0 and 1, which out[0] and out[1] become
 *   T_greatest(a)          by halves with T_max, of lanes that are not negative
 *   T_equal(a, b) T_nan(a) bit i is set where lanes i are equal (a NaN equals nothing; where lane i is NaN)
 *   f64_widen(p) f64_widen_n(p, n)     LANES (the first n) f32 as f64
 *
 * simd_copy_long(to, from, bytes): copies more than TSR_SIMD_COPY_LONG bytes, which no longer fit the first cache twice;
 * to and from may be the same. */
#ifndef TSR_SIMD_GENERIC_H
#define TSR_SIMD_GENERIC_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define SIMD static inline __attribute__((always_inline, unused))

enum { TSR_F32_LANES = 4, TSR_F64_LANES = 2 };

enum { TSR_SIMD_COPY_LONG = 16384 };

SIMD void simd_copy_long(void *to, const void *from, size_t bytes) { memmove(to, from, bytes); }

typedef struct {
  float lane[TSR_F32_LANES];
} f32_v;

SIMD f32_v f32_zero(void) { return (f32_v){{0}}; }
SIMD f32_v f32_set1(float x) {
  f32_v v;
  for (int i = 0; i < TSR_F32_LANES; i++) v.lane[i] = x;
  return v;
}
SIMD f32_v f32_load(const float *p) {
  f32_v v;
  memcpy(&v, p, sizeof v);
  return v;
}
SIMD f32_v f32_load_n(const float *p, int64_t n) {
  f32_v v = {{0}};
  for (int i = 0; i < n; i++) v.lane[i] = p[i];
  return v;
}
SIMD void f32_store(float *p, f32_v v) { memcpy(p, &v, sizeof v); }
SIMD void f32_store_n(float *p, f32_v v, int64_t n) {
  for (int i = 0; i < n; i++) p[i] = v.lane[i];
}
SIMD void f32_stream(float *p, f32_v v) { f32_store(p, v); }
SIMD void f32_stream_end(void) {}

SIMD f32_v f32_add(f32_v a, f32_v b) {
  for (int i = 0; i < TSR_F32_LANES; i++) a.lane[i] += b.lane[i];
  return a;
}
SIMD f32_v f32_sub(f32_v a, f32_v b) {
  for (int i = 0; i < TSR_F32_LANES; i++) a.lane[i] -= b.lane[i];
  return a;
}
SIMD f32_v f32_mul(f32_v a, f32_v b) {
  for (int i = 0; i < TSR_F32_LANES; i++) a.lane[i] *= b.lane[i];
  return a;
}
SIMD f32_v f32_fma(f32_v a, f32_v b, f32_v c) {
  for (int i = 0; i < TSR_F32_LANES; i++) c.lane[i] = fmaf(a.lane[i], b.lane[i], c.lane[i]);
  return c;
}
SIMD f32_v f32_fnma(f32_v a, f32_v b, f32_v c) {
  for (int i = 0; i < TSR_F32_LANES; i++) c.lane[i] = fmaf(-a.lane[i], b.lane[i], c.lane[i]);
  return c;
}
SIMD f32_v f32_abs(f32_v a) {
  for (int i = 0; i < TSR_F32_LANES; i++) a.lane[i] = fabsf(a.lane[i]);
  return a;
}
SIMD f32_v f32_max(f32_v a, f32_v b) {
  for (int i = 0; i < TSR_F32_LANES; i++) a.lane[i] = isnan(b.lane[i]) || isgreater(b.lane[i], a.lane[i]) ? b.lane[i] : a.lane[i];
  return a;
}
SIMD f32_v f32_swap(f32_v a) {
  f32_v v;
  for (int i = 0; i < TSR_F32_LANES; i++) v.lane[i] = a.lane[i ^ 1];
  return v;
}
SIMD f32_v f32_negate_even(f32_v a) {
  for (int i = 0; i < TSR_F32_LANES; i += 2) a.lane[i] = -a.lane[i];
  return a;
}
SIMD f32_v f32_negate_odd(f32_v a) {
  for (int i = 1; i < TSR_F32_LANES; i += 2) a.lane[i] = -a.lane[i];
  return a;
}
SIMD f32_v f32_even(f32_v a) {
  for (int i = 0; i < TSR_F32_LANES; i += 2) a.lane[i + 1] = a.lane[i];
  return a;
}
SIMD f32_v f32_odd(f32_v a) {
  for (int i = 0; i < TSR_F32_LANES; i += 2) a.lane[i] = a.lane[i + 1];
  return a;
}
SIMD void f32_sum_pair(f32_v a, float out[2]) {
  for (int half = TSR_F32_LANES / 2; half > 1; half /= 2)
    for (int i = 0; i < half; i++) a.lane[i] += a.lane[i + half];
  out[0] = a.lane[0];
  out[1] = a.lane[1];
}
SIMD float f32_sum(f32_v a) {
  float pair[2];
  f32_sum_pair(a, pair);
  return pair[0] + pair[1];
}
SIMD float f32_greatest(f32_v a) {
  float most = a.lane[0];
  for (int i = 1; i < TSR_F32_LANES; i++) most = isnan(a.lane[i]) || isgreater(a.lane[i], most) ? a.lane[i] : most;
  return most;
}
SIMD unsigned f32_equal(f32_v a, f32_v b) {
  unsigned bits = 0;
  for (int i = 0; i < TSR_F32_LANES; i++) bits |= (unsigned)(a.lane[i] == b.lane[i]) << i;
  return bits;
}
SIMD unsigned f32_nan(f32_v a) {
  unsigned bits = 0;
  for (int i = 0; i < TSR_F32_LANES; i++) bits |= (unsigned)(isnan(a.lane[i]) != 0) << i;
  return bits;
}

typedef struct {
  double lane[TSR_F64_LANES];
} f64_v;

SIMD f64_v f64_zero(void) { return (f64_v){{0}}; }
SIMD f64_v f64_set1(double x) {
  f64_v v;
  for (int i = 0; i < TSR_F64_LANES; i++) v.lane[i] = x;
  return v;
}
SIMD f64_v f64_load(const double *p) {
  f64_v v;
  memcpy(&v, p, sizeof v);
  return v;
}
SIMD f64_v f64_load_n(const double *p, int64_t n) {
  f64_v v = {{0}};
  for (int i = 0; i < n; i++) v.lane[i] = p[i];
  return v;
}
SIMD void f64_store(double *p, f64_v v) { memcpy(p, &v, sizeof v); }
SIMD void f64_store_n(double *p, f64_v v, int64_t n) {
  for (int i = 0; i < n; i++) p[i] = v.lane[i];
}
SIMD void f64_stream(double *p, f64_v v) { f64_store(p, v); }
SIMD void f64_stream_end(void) {}

SIMD f64_v f64_add(f64_v a, f64_v b) {
  for (int i = 0; i < TSR_F64_LANES; i++) a.lane[i] += b.lane[i];
  return a;
}
SIMD f64_v f64_sub(f64_v a, f64_v b) {
  for (int i = 0; i < TSR_F64_LANES; i++) a.lane[i] -= b.lane[i];
  return a;
}
SIMD f64_v f64_mul(f64_v a, f64_v b) {
  for (int i = 0; i < TSR_F64_LANES; i++) a.lane[i] *= b.lane[i];
  return a;
}
SIMD f64_v f64_fma(f64_v a, f64_v b, f64_v c) {
  for (int i = 0; i < TSR_F64_LANES; i++) c.lane[i] = fma(a.lane[i], b.lane[i], c.lane[i]);
  return c;
}
SIMD f64_v f64_fnma(f64_v a, f64_v b, f64_v c) {
  for (int i = 0; i < TSR_F64_LANES; i++) c.lane[i] = fma(-a.lane[i], b.lane[i], c.lane[i]);
  return c;
}
SIMD f64_v f64_abs(f64_v a) {
  for (int i = 0; i < TSR_F64_LANES; i++) a.lane[i] = fabs(a.lane[i]);
  return a;
}
SIMD f64_v f64_max(f64_v a, f64_v b) {
  for (int i = 0; i < TSR_F64_LANES; i++) a.lane[i] = isnan(b.lane[i]) || isgreater(b.lane[i], a.lane[i]) ? b.lane[i] : a.lane[i];
  return a;
}
SIMD f64_v f64_swap(f64_v a) {
  f64_v v;
  for (int i = 0; i < TSR_F64_LANES; i++) v.lane[i] = a.lane[i ^ 1];
  return v;
}
SIMD f64_v f64_negate_even(f64_v a) {
  for (int i = 0; i < TSR_F64_LANES; i += 2) a.lane[i] = -a.lane[i];
  return a;
}
SIMD f64_v f64_negate_odd(f64_v a) {
  for (int i = 1; i < TSR_F64_LANES; i += 2) a.lane[i] = -a.lane[i];
  return a;
}
SIMD f64_v f64_even(f64_v a) {
  for (int i = 0; i < TSR_F64_LANES; i += 2) a.lane[i + 1] = a.lane[i];
  return a;
}
SIMD f64_v f64_odd(f64_v a) {
  for (int i = 0; i < TSR_F64_LANES; i += 2) a.lane[i] = a.lane[i + 1];
  return a;
}
SIMD void f64_sum_pair(f64_v a, double out[2]) {
  for (int half = TSR_F64_LANES / 2; half > 1; half /= 2)
    for (int i = 0; i < half; i++) a.lane[i] += a.lane[i + half];
  out[0] = a.lane[0];
  out[1] = a.lane[1];
}
SIMD double f64_sum(f64_v a) {
  double pair[2];
  f64_sum_pair(a, pair);
  return pair[0] + pair[1];
}
SIMD double f64_greatest(f64_v a) {
  double most = a.lane[0];
  for (int i = 1; i < TSR_F64_LANES; i++) most = isnan(a.lane[i]) || isgreater(a.lane[i], most) ? a.lane[i] : most;
  return most;
}
SIMD unsigned f64_equal(f64_v a, f64_v b) {
  unsigned bits = 0;
  for (int i = 0; i < TSR_F64_LANES; i++) bits |= (unsigned)(a.lane[i] == b.lane[i]) << i;
  return bits;
}
SIMD unsigned f64_nan(f64_v a) {
  unsigned bits = 0;
  for (int i = 0; i < TSR_F64_LANES; i++) bits |= (unsigned)(isnan(a.lane[i]) != 0) << i;
  return bits;
}

SIMD f64_v f64_widen_n(const float *p, int64_t n) {
  f64_v v = {{0}};
  for (int i = 0; i < n; i++) v.lane[i] = p[i];
  return v;
}
SIMD f64_v f64_widen(const float *p) { return f64_widen_n(p, TSR_F64_LANES); }

#endif
