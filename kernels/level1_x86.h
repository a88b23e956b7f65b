/* Vectors of 128 and 256 bits, for the ends of elementwise work: of kernels/generic/simd.h's functions those that
 * kernels/level1_vector.h calls. */
#ifndef TSR_LEVEL1_X86_H
#define TSR_LEVEL1_X86_H

#include <immintrin.h>
#include <stdint.h>

#define LEVEL1_X86(T, real, reg, prefix, type)                                            \
  typedef reg T##_v;                                                                      \
  SIMD T##_v T##_zero(void) { return prefix##_setzero_##type(); }                              \
  SIMD T##_v T##_set1(real x) { return prefix##_set1_##type(x); }                              \
  SIMD T##_v T##_load(const real *p) { return prefix##_loadu_##type(p); }                      \
  SIMD void T##_store(real *p, T##_v v) { prefix##_storeu_##type(p, v); }                      \
  SIMD T##_v T##_mul(T##_v a, T##_v b) { return prefix##_mul_##type(a, b); }                   \
  SIMD T##_v T##_fma(T##_v a, T##_v b, T##_v c) { return prefix##_fmadd_##type(a, b, c); }

LEVEL1_X86(f32x4, float, __m128, _mm, ps)
LEVEL1_X86(f32x8, float, __m256, _mm256, ps)
LEVEL1_X86(f64x2, double, __m128d, _mm, pd)
LEVEL1_X86(f64x4, double, __m256d, _mm256, pd)
#undef LEVEL1_X86

SIMD f32x4_v f32x4_swap(f32x4_v a) { return _mm_permute_ps(a, 0xb1); }
SIMD f32x8_v f32x8_swap(f32x8_v a) { return _mm256_permute_ps(a, 0xb1); }
SIMD f64x2_v f64x2_swap(f64x2_v a) { return _mm_permute_pd(a, 1); }
SIMD f64x4_v f64x4_swap(f64x4_v a) { return _mm256_permute_pd(a, 5); }
SIMD f32x4_v f32x4_negate_even(f32x4_v a) { return _mm_xor_ps(a, _mm_setr_ps(-0.f, 0, -0.f, 0)); }
SIMD f32x8_v f32x8_negate_even(f32x8_v a) {
  return _mm256_xor_ps(a, _mm256_setr_ps(-0.f, 0, -0.f, 0, -0.f, 0, -0.f, 0));
}
SIMD f64x2_v f64x2_negate_even(f64x2_v a) { return _mm_xor_pd(a, _mm_setr_pd(-0., 0)); }
SIMD f64x4_v f64x4_negate_even(f64x4_v a) { return _mm256_xor_pd(a, _mm256_setr_pd(-0., 0, -0., 0)); }

#endif
