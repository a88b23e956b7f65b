/* The arithmetic of SOFTMAX (kernel.h) for one number, as every chip does it in its lanes. */
#ifndef TSR_SOFTMAX_H
#define TSR_SOFTMAX_H

#include <math.h>

#include "kernels/half.h"
#include "kernels/kernel.h"

/* 2^n for -125 <= n <= 127. */
static inline float tsr_power_of_2(float n) { return tsr_float_of_bits((uint32_t)(127 + (int32_t)n) << 23); }

/* r of 2^f = 1 + f r, for f in [-1/2, 1/2]. */
static inline float tsr_exp2_r(float f) {
  float r = fmaf(f, TSR_EXP2_E6, TSR_EXP2_E5);
  r = fmaf(f, r, TSR_EXP2_E4);
  r = fmaf(f, r, TSR_EXP2_E3);
  r = fmaf(f, r, TSR_EXP2_E2);
  return fmaf(f, r, TSR_EXP2_E1);
}

static inline float tsr_exp2(float y) {
  if (y < TSR_EXP2_LEAST) return 0;
  if (y != y) return y;
  float n = rintf(y), f = y - n;
  return tsr_power_of_2(n) * fmaf(f, tsr_exp2_r(f), 1);
}

static inline float tsr_tanh2(float y) {
  if (y != y) return y;
  float low = -fabsf(y);
  if (low < TSR_EXP2_LEAST) low = TSR_EXP2_LEAST;
  float n = rintf(low), f = low - n, power = tsr_power_of_2(n);
  float e = fmaf(power, f * tsr_exp2_r(f), power - 1);
  return copysignf(-e / (2 + e), y);
}

/* The score of row i and key j, from s on to what exp2 is taken of. */
static inline float tsr_score(const struct tsr_softmax *sm, int64_t i, int64_t j, float s, const float *bias) {
  if (sm->cap != 0) s = sm->cap * tsr_tanh2(s);
  if (sm->slope) s = fmaf(sm->slope[i], (float)((int32_t)j - sm->at[i]), s);
  if (bias) s = *bias == -INFINITY ? -INFINITY : s + *bias;
  if (sm->from && !(j < sm->prefix || (sm->from[i] <= j && j < sm->to[i]))) return -INFINITY;
  return s;
}

/* Joins the chunk's largest score and the 16 lanes of its sum to the row's state. */
static inline void tsr_softmax_join(const struct tsr_softmax *sm, int64_t i, float mc, float *lane) {
  for (int half = 8; half > 0; half /= 2)
    for (int t = 0; t < half; t++) lane[t] += lane[t + half];
  float m = lane[0] != lane[0] ? INFINITY : sm->max[i] > mc ? sm->max[i] : mc;
  float keep = sm->max[i] == -INFINITY ? 0 : tsr_exp2(sm->max[i] - m);
  float add = mc == -INFINITY ? -0.0f : tsr_exp2(mc - m);
  sm->sum[i] = fmaf(add, lane[0], keep == 0 ? 0 : keep * sm->sum[i]);
  sm->max[i] = m;
  sm->keep[i] = keep;
  sm->add[i] = add;
}

#endif
