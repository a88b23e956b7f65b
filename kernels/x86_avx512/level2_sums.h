/* The sums of eight vectors' lanes side by side, in the order of f64_sum and f32_sum: halves to halves. Vectors of even
 * columns and those of odd ones meet in the last but one step, which puts the columns in order. */
SIMD void f64_sum_group(const f64_v v[8], double s[8]) {
  f64_v quarters[4], pairs[2];
  for (int i = 0; i < 4; i++) {
    f64_v a = v[i % 2 * 4 + i / 2], b = v[i % 2 * 4 + i / 2 + 2]; /* 0 2, 4 6, 1 3, 5 7 */
    quarters[i] = _mm512_add_pd(_mm512_shuffle_f64x2(a, b, 0x44), _mm512_shuffle_f64x2(a, b, 0xee));
  }
  for (int i = 0; i < 2; i++)
    pairs[i] = _mm512_add_pd(_mm512_shuffle_f64x2(quarters[2 * i], quarters[2 * i + 1], 0x88),
                             _mm512_shuffle_f64x2(quarters[2 * i], quarters[2 * i + 1], 0xdd));
  _mm512_storeu_pd(s, _mm512_add_pd(_mm512_unpacklo_pd(pairs[0], pairs[1]), _mm512_unpackhi_pd(pairs[0], pairs[1])));
}

SIMD void f32_sum_group(const f32_v v[8], float s[8]) {
  f32_v quarters[4], pairs[2];
  for (int i = 0; i < 4; i++) {
    f32_v a = v[i % 2 * 4 + i / 2], b = v[i % 2 * 4 + i / 2 + 2];
    quarters[i] = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
  }
  for (int i = 0; i < 2; i++)
    pairs[i] = _mm512_add_ps(_mm512_shuffle_f32x4(quarters[2 * i], quarters[2 * i + 1], 0x88),
                             _mm512_shuffle_f32x4(quarters[2 * i], quarters[2 * i + 1], 0xdd));
  f32_v two = _mm512_add_ps(_mm512_shuffle_ps(pairs[0], pairs[1], 0x44), _mm512_shuffle_ps(pairs[0], pairs[1], 0xee));
  two = _mm512_add_ps(two, _mm512_movehdup_ps(two));
  _mm256_storeu_ps(s, _mm256_castsi256_ps(_mm512_cvtepi64_epi32(_mm512_castps_si512(two))));
}
