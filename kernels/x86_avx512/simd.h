/* Vectors of f32 and f64 in 512-bit registers: see kernels/generic/simd.h for what each function does. */
#ifndef TSR_SIMD_X86_AVX512_H
#define TSR_SIMD_X86_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define SIMD static inline __attribute__((always_inline, unused))

enum { TSR_F32_LANES = 16, TSR_F64_LANES = 8 };

enum { TSR_SIMD_COPY_LONG = 24576 };

/* Every CPU of this kind has fast strings, which do not fetch the lines that they write whole. */
SIMD void simd_copy_long(void *to, const void *from, size_t bytes) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

typedef __m512 f32_v;

SIMD f32_v f32_zero(void) { return _mm512_setzero_ps(); }
SIMD f32_v f32_set1(float x) { return _mm512_set1_ps(x); }
SIMD f32_v f32_load(const float *p) { return _mm512_loadu_ps(p); }
SIMD f32_v f32_load_n(const float *p, int64_t n) { return _mm512_maskz_loadu_ps((__mmask16)_bzhi_u32(0xffff, (unsigned)n), p); }
SIMD void f32_store(float *p, f32_v v) { _mm512_storeu_ps(p, v); }
SIMD void f32_store_n(float *p, f32_v v, int64_t n) {
  _mm512_mask_storeu_ps(p, (__mmask16)_bzhi_u32(0xffff, (unsigned)n), v);
}
SIMD void f32_stream(float *p, f32_v v) { _mm512_stream_ps(p, v); }
SIMD void f32_stream_end(void) { _mm_sfence(); }

SIMD f32_v f32_add(f32_v a, f32_v b) { return _mm512_add_ps(a, b); }
SIMD f32_v f32_sub(f32_v a, f32_v b) { return _mm512_sub_ps(a, b); }
SIMD f32_v f32_mul(f32_v a, f32_v b) { return _mm512_mul_ps(a, b); }
SIMD f32_v f32_fma(f32_v a, f32_v b, f32_v c) { return _mm512_fmadd_ps(a, b, c); }
SIMD f32_v f32_fnma(f32_v a, f32_v b, f32_v c) { return _mm512_fnmadd_ps(a, b, c); }
SIMD f32_v f32_abs(f32_v a) { return _mm512_abs_ps(a); }
/* As integers: NaN lies beyond Inf. */
SIMD f32_v f32_max(f32_v a, f32_v b) {
  return _mm512_castsi512_ps(_mm512_max_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
}
SIMD f32_v f32_swap(f32_v a) { return _mm512_permute_ps(a, 0xb1); }
SIMD f32_v f32_negate_even(f32_v a) { return _mm512_xor_ps(a, _mm512_castsi512_ps(_mm512_set1_epi64(INT64_C(1) << 31))); }
SIMD f32_v f32_negate_odd(f32_v a) { return _mm512_xor_ps(a, _mm512_castsi512_ps(_mm512_set1_epi64(INT64_MIN))); }
SIMD f32_v f32_even(f32_v a) { return _mm512_moveldup_ps(a); }
SIMD f32_v f32_odd(f32_v a) { return _mm512_movehdup_ps(a); }
SIMD __m128 f32_quarter(f32_v a) {
  __m256 half = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}
SIMD void f32_sum_pair(f32_v a, float out[2]) {
  __m128 quarter = f32_quarter(a), pair = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
  out[0] = _mm_cvtss_f32(pair);
  out[1] = _mm_cvtss_f32(_mm_movehdup_ps(pair));
}
SIMD float f32_sum(f32_v a) {
  __m128 quarter = f32_quarter(a), pair = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}
SIMD float f32_greatest(f32_v a) {
  __m512i bits = _mm512_castps_si512(a);
  __m256i half = _mm256_max_epi32(_mm512_castsi512_si256(bits), _mm512_extracti32x8_epi32(bits, 1));
  __m128i v = _mm_max_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  v = _mm_max_epi32(v, _mm_unpackhi_epi64(v, v));
  return _mm_cvtss_f32(_mm_castsi128_ps(_mm_max_epi32(v, _mm_shuffle_epi32(v, 1))));
}
SIMD unsigned f32_equal(f32_v a, f32_v b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
SIMD unsigned f32_nan(f32_v a) { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }

typedef __m512d f64_v;

SIMD f64_v f64_zero(void) { return _mm512_setzero_pd(); }
SIMD f64_v f64_set1(double x) { return _mm512_set1_pd(x); }
SIMD f64_v f64_load(const double *p) { return _mm512_loadu_pd(p); }
SIMD f64_v f64_load_n(const double *p, int64_t n) { return _mm512_maskz_loadu_pd((__mmask8)_bzhi_u32(0xff, (unsigned)n), p); }
SIMD void f64_store(double *p, f64_v v) { _mm512_storeu_pd(p, v); }
SIMD void f64_store_n(double *p, f64_v v, int64_t n) {
  _mm512_mask_storeu_pd(p, (__mmask8)_bzhi_u32(0xff, (unsigned)n), v);
}
SIMD void f64_stream(double *p, f64_v v) { _mm512_stream_pd(p, v); }
SIMD void f64_stream_end(void) { _mm_sfence(); }

SIMD f64_v f64_add(f64_v a, f64_v b) { return _mm512_add_pd(a, b); }
SIMD f64_v f64_sub(f64_v a, f64_v b) { return _mm512_sub_pd(a, b); }
SIMD f64_v f64_mul(f64_v a, f64_v b) { return _mm512_mul_pd(a, b); }
SIMD f64_v f64_fma(f64_v a, f64_v b, f64_v c) { return _mm512_fmadd_pd(a, b, c); }
SIMD f64_v f64_fnma(f64_v a, f64_v b, f64_v c) { return _mm512_fnmadd_pd(a, b, c); }
SIMD f64_v f64_abs(f64_v a) { return _mm512_abs_pd(a); }
/* As integers: NaN lies beyond Inf. */
SIMD f64_v f64_max(f64_v a, f64_v b) {
  return _mm512_castsi512_pd(_mm512_max_epi64(_mm512_castpd_si512(a), _mm512_castpd_si512(b)));
}
SIMD f64_v f64_swap(f64_v a) { return _mm512_permute_pd(a, 0x55); }
SIMD f64_v f64_negate_even(f64_v a) { return _mm512_xor_pd(a, _mm512_castsi512_pd(_mm512_set4_epi64(0, INT64_MIN, 0, INT64_MIN))); }
SIMD f64_v f64_negate_odd(f64_v a) { return _mm512_xor_pd(a, _mm512_castsi512_pd(_mm512_set4_epi64(INT64_MIN, 0, INT64_MIN, 0))); }
SIMD f64_v f64_even(f64_v a) { return _mm512_movedup_pd(a); }
SIMD f64_v f64_odd(f64_v a) { return _mm512_permute_pd(a, 0xff); }
SIMD __m128d f64_quarter(f64_v a) {
  __m256d half = _mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1));
  return _mm_add_pd(_mm256_castpd256_pd128(half), _mm256_extractf128_pd(half, 1));
}
SIMD void f64_sum_pair(f64_v a, double out[2]) {
  __m128d pair = f64_quarter(a);
  out[0] = _mm_cvtsd_f64(pair);
  out[1] = _mm_cvtsd_f64(_mm_unpackhi_pd(pair, pair));
}
SIMD double f64_sum(f64_v a) {
  __m128d pair = f64_quarter(a);
  return _mm_cvtsd_f64(_mm_add_sd(pair, _mm_unpackhi_pd(pair, pair)));
}
SIMD double f64_greatest(f64_v a) {
  __m512i bits = _mm512_castpd_si512(a);
  __m256i half = _mm256_max_epi64(_mm512_castsi512_si256(bits), _mm512_extracti64x4_epi64(bits, 1));
  __m128i v = _mm_max_epi64(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  return _mm_cvtsd_f64(_mm_castsi128_pd(_mm_max_epi64(v, _mm_unpackhi_epi64(v, v))));
}
SIMD unsigned f64_equal(f64_v a, f64_v b) { return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ); }
SIMD unsigned f64_nan(f64_v a) { return _mm512_cmp_pd_mask(a, a, _CMP_UNORD_Q); }

SIMD f64_v f64_widen(const float *p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
SIMD f64_v f64_widen_n(const float *p, int64_t n) {
  return _mm512_cvtps_pd(_mm256_maskz_loadu_ps((__mmask8)_bzhi_u32(0xff, (unsigned)n), p));
}

#endif
