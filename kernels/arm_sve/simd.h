/* Vectors of f32 and f64 in 128-bit registers, which every 64-bit Arm CPU has: see kernels/generic/simd.h for what each
 * function does. */
#ifndef TSR_SIMD_ARM_SVE_H
#define TSR_SIMD_ARM_SVE_H

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#define SIMD static inline __attribute__((always_inline, unused))

enum { TSR_F32_LANES = 4, TSR_F64_LANES = 2 };

enum { TSR_SIMD_COPY_LONG = 32768 };

SIMD void simd_copy_long(void *to, const void *from, size_t bytes) { memmove(to, from, bytes); }

typedef float32x4_t f32_v;

SIMD f32_v f32_zero(void) { return vdupq_n_f32(0); }
SIMD f32_v f32_set1(float x) { return vdupq_n_f32(x); }
SIMD f32_v f32_load(const float *p) { return vld1q_f32(p); }
SIMD f32_v f32_load_n(const float *p, int64_t n) {
  if (n >= 4) return vld1q_f32(p);
  float32x2_t zero = vdup_n_f32(0);
  if (n >= 2) {
    float32x2_t low = vld1_f32(p);
    return vcombine_f32(low, n == 3 ? vld1_lane_f32(p + 2, zero, 0) : zero);
  }
  return vcombine_f32(n == 1 ? vld1_lane_f32(p, zero, 0) : zero, zero);
}
SIMD void f32_store(float *p, f32_v v) { vst1q_f32(p, v); }
SIMD void f32_store_n(float *p, f32_v v, int64_t n) {
  if (n & 4) {
    vst1q_f32(p, v);
    return;
  }
  float32x2_t low = vget_low_f32(v);
  if (n & 2) {
    vst1_f32(p, low);
    low = vget_high_f32(v);
    p += 2;
  }
  if (n & 1) vst1_lane_f32(p, low, 0);
}
/* There is no intrinsic of a store that goes past the caches; CPUs see for themselves that lines are written whole. */
SIMD void f32_stream(float *p, f32_v v) { vst1q_f32(p, v); }
SIMD void f32_stream_end(void) {}

SIMD f32_v f32_add(f32_v a, f32_v b) { return vaddq_f32(a, b); }
SIMD f32_v f32_sub(f32_v a, f32_v b) { return vsubq_f32(a, b); }
SIMD f32_v f32_mul(f32_v a, f32_v b) { return vmulq_f32(a, b); }
SIMD f32_v f32_fma(f32_v a, f32_v b, f32_v c) { return vfmaq_f32(c, a, b); }
SIMD f32_v f32_fnma(f32_v a, f32_v b, f32_v c) { return vfmsq_f32(c, a, b); }
SIMD f32_v f32_abs(f32_v a) { return vabsq_f32(a); }
/* As integers: NaN lies beyond Inf. */
SIMD f32_v f32_max(f32_v a, f32_v b) {
  return vreinterpretq_f32_s32(vmaxq_s32(vreinterpretq_s32_f32(a), vreinterpretq_s32_f32(b)));
}
SIMD f32_v f32_flip(f32_v a, uint64_t signs) {
  return vreinterpretq_f32_u64(veorq_u64(vreinterpretq_u64_f32(a), vdupq_n_u64(signs)));
}
SIMD f32_v f32_swap(f32_v a) { return vrev64q_f32(a); }
SIMD f32_v f32_negate_even(f32_v a) { return f32_flip(a, UINT64_C(1) << 31); }
SIMD f32_v f32_negate_odd(f32_v a) { return f32_flip(a, UINT64_C(1) << 63); }
SIMD f32_v f32_even(f32_v a) { return vtrn1q_f32(a, a); }
SIMD f32_v f32_odd(f32_v a) { return vtrn2q_f32(a, a); }
SIMD void f32_sum_pair(f32_v a, float out[2]) { vst1_f32(out, vadd_f32(vget_low_f32(a), vget_high_f32(a))); }
SIMD float f32_sum(f32_v a) { return vpadds_f32(vadd_f32(vget_low_f32(a), vget_high_f32(a))); }
SIMD float f32_greatest(f32_v a) {
  return vget_lane_f32(vreinterpret_f32_s32(vdup_n_s32(vmaxvq_s32(vreinterpretq_s32_f32(a)))), 0);
}
/* Bit i of the result is lane i of a mask. */
SIMD unsigned f32_bits(uint32x4_t mask) {
  const uint32x4_t bit = {1, 2, 4, 8};
  return vaddvq_u32(vandq_u32(mask, bit));
}
SIMD unsigned f32_equal(f32_v a, f32_v b) { return f32_bits(vceqq_f32(a, b)); }
SIMD unsigned f32_nan(f32_v a) { return f32_bits(vmvnq_u32(vceqq_f32(a, a))); }

typedef float64x2_t f64_v;

SIMD f64_v f64_zero(void) { return vdupq_n_f64(0); }
SIMD f64_v f64_set1(double x) { return vdupq_n_f64(x); }
SIMD f64_v f64_load(const double *p) { return vld1q_f64(p); }
SIMD f64_v f64_load_n(const double *p, int64_t n) {
  if (n >= 2) return vld1q_f64(p);
  return n == 1 ? vld1q_lane_f64(p, vdupq_n_f64(0), 0) : vdupq_n_f64(0);
}
SIMD void f64_store(double *p, f64_v v) { vst1q_f64(p, v); }
SIMD void f64_store_n(double *p, f64_v v, int64_t n) {
  if (n >= 2)
    vst1q_f64(p, v);
  else if (n == 1)
    vst1q_lane_f64(p, v, 0);
}
SIMD void f64_stream(double *p, f64_v v) { vst1q_f64(p, v); }
SIMD void f64_stream_end(void) {}

SIMD f64_v f64_add(f64_v a, f64_v b) { return vaddq_f64(a, b); }
SIMD f64_v f64_sub(f64_v a, f64_v b) { return vsubq_f64(a, b); }
SIMD f64_v f64_mul(f64_v a, f64_v b) { return vmulq_f64(a, b); }
SIMD f64_v f64_fma(f64_v a, f64_v b, f64_v c) { return vfmaq_f64(c, a, b); }
SIMD f64_v f64_fnma(f64_v a, f64_v b, f64_v c) { return vfmsq_f64(c, a, b); }
SIMD f64_v f64_abs(f64_v a) { return vabsq_f64(a); }
SIMD f64_v f64_max(f64_v a, f64_v b) {
  return vbslq_f64(vcgtq_s64(vreinterpretq_s64_f64(a), vreinterpretq_s64_f64(b)), a, b);
}
SIMD f64_v f64_flip(f64_v a, uint64_t even, uint64_t odd) {
  return vreinterpretq_f64_u64(veorq_u64(vreinterpretq_u64_f64(a), vcombine_u64(vcreate_u64(even), vcreate_u64(odd))));
}
SIMD f64_v f64_swap(f64_v a) { return vextq_f64(a, a, 1); }
SIMD f64_v f64_negate_even(f64_v a) { return f64_flip(a, UINT64_C(1) << 63, 0); }
SIMD f64_v f64_negate_odd(f64_v a) { return f64_flip(a, 0, UINT64_C(1) << 63); }
SIMD f64_v f64_even(f64_v a) { return vdupq_laneq_f64(a, 0); }
SIMD f64_v f64_odd(f64_v a) { return vdupq_laneq_f64(a, 1); }
SIMD void f64_sum_pair(f64_v a, double out[2]) { vst1q_f64(out, a); }
SIMD double f64_sum(f64_v a) { return vpaddd_f64(a); }
SIMD double f64_greatest(f64_v a) { return vgetq_lane_f64(f64_max(a, f64_swap(a)), 0); }
SIMD unsigned f64_bits(uint64x2_t mask) {
  return (unsigned)((vgetq_lane_u64(mask, 0) & 1) | (vgetq_lane_u64(mask, 1) & 2));
}
SIMD unsigned f64_equal(f64_v a, f64_v b) { return f64_bits(vceqq_f64(a, b)); }
SIMD unsigned f64_nan(f64_v a) { return f64_bits(vceqq_f64(a, a)) ^ 3; }

SIMD f64_v f64_widen(const float *p) { return vcvt_f64_f32(vld1_f32(p)); }
SIMD f64_v f64_widen_n(const float *p, int64_t n) {
  if (n >= 2) return vcvt_f64_f32(vld1_f32(p));
  return vcvt_f64_f32(n == 1 ? vld1_lane_f32(p, vdup_n_f32(0), 0) : vdup_n_f32(0));
}

#endif
