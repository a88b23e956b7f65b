/* Vectors of f32 and f64 in 256-bit registers: see kernels/generic/simd.h for what each function does. */
#ifndef TSR_SIMD_X86_AVX2_H
#define TSR_SIMD_X86_AVX2_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define SIMD static inline __attribute__((always_inline, unused))

enum { TSR_F32_LANES = 8, TSR_F64_LANES = 4 };

enum { TSR_SIMD_COPY_LONG = 16384 };

SIMD void simd_copy_long(void *to, const void *from, size_t bytes) { memmove(to, from, bytes); }

/* A mask of n lanes begins n before the first zero. */
static const int32_t tsr_simd_f32_bits[16] __attribute__((unused)) = {-1, -1, -1, -1, -1, -1, -1, -1};
static const int64_t tsr_simd_f64_bits[8] __attribute__((unused)) = {-1, -1, -1, -1};

typedef __m256 f32_v;

SIMD __m256i f32_mask(int64_t n) {
  return _mm256_loadu_si256((const __m256i_u *)(tsr_simd_f32_bits + TSR_F32_LANES - n));
}
SIMD f32_v f32_zero(void) { return _mm256_setzero_ps(); }
SIMD f32_v f32_set1(float x) { return _mm256_set1_ps(x); }
SIMD f32_v f32_load(const float *p) { return _mm256_loadu_ps(p); }
SIMD f32_v f32_load_n(const float *p, int64_t n) { return _mm256_maskload_ps(p, f32_mask(n)); }
SIMD void f32_store(float *p, f32_v v) { _mm256_storeu_ps(p, v); }
/* In pieces: a masked store takes dozens of cycles on some. */
SIMD void f32_store_n(float *p, f32_v v, int64_t n) {
  __m128 low = _mm256_castps256_ps128(v);
  if (n & 8) {
    _mm256_storeu_ps(p, v);
    return;
  }
  if (n & 4) {
    _mm_storeu_ps(p, low);
    low = _mm256_extractf128_ps(v, 1);
    p += 4;
  }
  if (n & 2) {
    _mm_storel_pi((__m64 *)p, low);
    low = _mm_movehl_ps(low, low);
    p += 2;
  }
  if (n & 1) _mm_store_ss(p, low);
}
SIMD void f32_stream(float *p, f32_v v) { _mm256_stream_ps(p, v); }
SIMD void f32_stream_end(void) { _mm_sfence(); }

SIMD f32_v f32_add(f32_v a, f32_v b) { return _mm256_add_ps(a, b); }
SIMD f32_v f32_sub(f32_v a, f32_v b) { return _mm256_sub_ps(a, b); }
SIMD f32_v f32_mul(f32_v a, f32_v b) { return _mm256_mul_ps(a, b); }
SIMD f32_v f32_fma(f32_v a, f32_v b, f32_v c) { return _mm256_fmadd_ps(a, b, c); }
SIMD f32_v f32_fnma(f32_v a, f32_v b, f32_v c) { return _mm256_fnmadd_ps(a, b, c); }
SIMD f32_v f32_abs(f32_v a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
/* As integers: NaN lies beyond Inf. */
SIMD f32_v f32_max(f32_v a, f32_v b) {
  return _mm256_castsi256_ps(_mm256_max_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)));
}
SIMD f32_v f32_swap(f32_v a) { return _mm256_permute_ps(a, 0xb1); }
SIMD f32_v f32_negate_even(f32_v a) { return _mm256_xor_ps(a, _mm256_setr_ps(-0.0f, 0, -0.0f, 0, -0.0f, 0, -0.0f, 0)); }
SIMD f32_v f32_negate_odd(f32_v a) { return _mm256_xor_ps(a, _mm256_setr_ps(0, -0.0f, 0, -0.0f, 0, -0.0f, 0, -0.0f)); }
SIMD f32_v f32_even(f32_v a) { return _mm256_moveldup_ps(a); }
SIMD f32_v f32_odd(f32_v a) { return _mm256_movehdup_ps(a); }
SIMD void f32_sum_pair(f32_v a, float out[2]) {
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  __m128 pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
  out[0] = _mm_cvtss_f32(pair);
  out[1] = _mm_cvtss_f32(_mm_movehdup_ps(pair));
}
SIMD float f32_sum(f32_v a) {
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  __m128 pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}
SIMD float f32_greatest(f32_v a) {
  __m128i v = _mm_castps_si128(_mm256_castps256_ps128(a)), w = _mm_castps_si128(_mm256_extractf128_ps(a, 1));
  v = _mm_max_epi32(v, w);
  v = _mm_max_epi32(v, _mm_unpackhi_epi64(v, v));
  v = _mm_max_epi32(v, _mm_shuffle_epi32(v, 1));
  return _mm_cvtss_f32(_mm_castsi128_ps(v));
}
SIMD unsigned f32_equal(f32_v a, f32_v b) { return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ)); }
SIMD unsigned f32_nan(f32_v a) { return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, a, _CMP_UNORD_Q)); }

typedef __m256d f64_v;

SIMD __m256i f64_mask(int64_t n) {
  return _mm256_loadu_si256((const __m256i_u *)(tsr_simd_f64_bits + TSR_F64_LANES - n));
}
SIMD f64_v f64_zero(void) { return _mm256_setzero_pd(); }
SIMD f64_v f64_set1(double x) { return _mm256_set1_pd(x); }
SIMD f64_v f64_load(const double *p) { return _mm256_loadu_pd(p); }
SIMD f64_v f64_load_n(const double *p, int64_t n) { return _mm256_maskload_pd(p, f64_mask(n)); }
SIMD void f64_store(double *p, f64_v v) { _mm256_storeu_pd(p, v); }
SIMD void f64_store_n(double *p, f64_v v, int64_t n) {
  __m128d low = _mm256_castpd256_pd128(v);
  if (n & 4) {
    _mm256_storeu_pd(p, v);
    return;
  }
  if (n & 2) {
    _mm_storeu_pd(p, low);
    low = _mm256_extractf128_pd(v, 1);
    p += 2;
  }
  if (n & 1) _mm_store_sd(p, low);
}
SIMD void f64_stream(double *p, f64_v v) { _mm256_stream_pd(p, v); }
SIMD void f64_stream_end(void) { _mm_sfence(); }

SIMD f64_v f64_add(f64_v a, f64_v b) { return _mm256_add_pd(a, b); }
SIMD f64_v f64_sub(f64_v a, f64_v b) { return _mm256_sub_pd(a, b); }
SIMD f64_v f64_mul(f64_v a, f64_v b) { return _mm256_mul_pd(a, b); }
SIMD f64_v f64_fma(f64_v a, f64_v b, f64_v c) { return _mm256_fmadd_pd(a, b, c); }
SIMD f64_v f64_fnma(f64_v a, f64_v b, f64_v c) { return _mm256_fnmadd_pd(a, b, c); }
SIMD f64_v f64_abs(f64_v a) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a); }
SIMD f64_v f64_max(f64_v a, f64_v b) {
  __m256i greater = _mm256_cmpgt_epi64(_mm256_castpd_si256(a), _mm256_castpd_si256(b));
  return _mm256_blendv_pd(b, a, _mm256_castsi256_pd(greater));
}
SIMD f64_v f64_swap(f64_v a) { return _mm256_permute_pd(a, 5); }
SIMD f64_v f64_negate_even(f64_v a) { return _mm256_xor_pd(a, _mm256_setr_pd(-0.0, 0, -0.0, 0)); }
SIMD f64_v f64_negate_odd(f64_v a) { return _mm256_xor_pd(a, _mm256_setr_pd(0, -0.0, 0, -0.0)); }
SIMD f64_v f64_even(f64_v a) { return _mm256_movedup_pd(a); }
SIMD f64_v f64_odd(f64_v a) { return _mm256_permute_pd(a, 0xf); }
SIMD void f64_sum_pair(f64_v a, double out[2]) {
  __m128d pair = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
  out[0] = _mm_cvtsd_f64(pair);
  out[1] = _mm_cvtsd_f64(_mm_unpackhi_pd(pair, pair));
}
SIMD double f64_sum(f64_v a) {
  __m128d pair = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
  return _mm_cvtsd_f64(_mm_add_sd(pair, _mm_unpackhi_pd(pair, pair)));
}
SIMD double f64_greatest(f64_v a) {
  a = f64_max(a, _mm256_permute2f128_pd(a, a, 1));
  return _mm256_cvtsd_f64(f64_max(a, _mm256_permute_pd(a, 5)));
}
SIMD unsigned f64_equal(f64_v a, f64_v b) { return (unsigned)_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_EQ_OQ)); }
SIMD unsigned f64_nan(f64_v a) { return (unsigned)_mm256_movemask_pd(_mm256_cmp_pd(a, a, _CMP_UNORD_Q)); }

SIMD f64_v f64_widen(const float *p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
SIMD f64_v f64_widen_n(const float *p, int64_t n) {
  return _mm256_cvtps_pd(_mm_maskload_ps(p, _mm_loadu_si128((const __m128i_u *)(tsr_simd_f32_bits + 8 - n))));
}

#endif
