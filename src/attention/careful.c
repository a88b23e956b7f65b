/* P V where a key of weight 0 must not count, whatever its value holds. */
#include <math.h>

#include "src/attention/tile.h"

/* The chain of one element of P V in plain C, for rows that a key with a NaN or Inf in its value really counts for. */
static float chain(const float *weight, int64_t next_weight, const float *value, int64_t next_value, int64_t n) {
  float s = 0;
  for (int64_t j = 0; j < n; j++) {
    float p = weight[j * next_weight], v = value[j * next_value];
    s = fmaf(p, p == 0 && v - v != 0 ? 0 : v, s);
  }
  return s;
}

/* Values that are not finite count as 0 in the product; then elements that one of weight > 0 reaches are done again. */
void tsr_attention_multiply_carefully(struct tsr_attention_worker *w, const struct tsr_attention_view *view,
                                      const struct tsr_attention_layout *at, struct tsr_step *step, tsr_mem a,
                                      tsr_mem b, bool values_are_a, float *values) {
  int64_t n = view->end - view->base, d_v = w->problem->d.d_v;
  float *v = values + view->base * w->ld_v, *clean = w->clean;
  for (int64_t j = 0; j < n; j++)
    for (int64_t e = 0; e < d_v; e++) {
      float x = v[j * w->ld_v + e];
      clean[j * w->ld_v + e] = x - x != 0 ? 0 : x;
    }
  if (values_are_a)
    tsr_attention_multiply(w->kernels, TSR_F32, step, d_v, view->rows, (tsr_mem)clean, b, (tsr_mem)at->sums);
  else
    tsr_attention_multiply(w->kernels, TSR_F32, step, view->rows, d_v, a, (tsr_mem)clean, (tsr_mem)at->sums);
  for (int64_t j = 0; j < n; j++)
    for (int64_t e = 0; e < d_v; e++) {
      float x = v[j * w->ld_v + e];
      for (int64_t r = 0; x - x != 0 && r < view->rows; r++)
        if (at->s[r * at->s_row + j * at->s_key] != 0)
          at->sums[r * at->sums_row + e * at->sums_d] =
              chain(at->s + r * at->s_row, at->s_key, v + e, w->ld_v, n);
    }
}
