#include "test/kernels/softmax_reference.h"

#include <math.h>
#include <string.h>

static float get(const void *base, int64_t offset) {
  float value;
  memcpy(&value, (const char *)base + offset, sizeof value);
  return value;
}

static void put(void *base, int64_t offset, float value) { memcpy((char *)base + offset, &value, sizeof value); }

/* n and r of exp2, for a number. */
static float polynomial(float y, int *n, float *f) {
  const float e[] = {TSR_EXP2_E6, TSR_EXP2_E5, TSR_EXP2_E4, TSR_EXP2_E3, TSR_EXP2_E2, TSR_EXP2_E1};
  float whole = nearbyintf(y), r = e[0];
  *n = (int)whole;
  *f = y - whole;
  for (int i = 1; i < 6; i++) r = fmaf(*f, r, e[i]);
  return r;
}

static float power(float y) {
  int n;
  float f;
  if (isnan(y)) return y;
  if (y < TSR_EXP2_LEAST) return 0;
  float r = polynomial(y, &n, &f);
  return ldexpf(fmaf(f, r, 1), n);
}

static float capped_ratio(float y) {
  int n;
  float f;
  if (isnan(y)) return y;
  float r = polynomial(fabsf(y) > -TSR_EXP2_LEAST ? TSR_EXP2_LEAST : -fabsf(y), &n, &f);
  float e = fmaf(ldexpf(1, n), f * r, ldexpf(1, n) - 1);
  return copysignf(-e / (2 + e), y);
}

/* x of row i and key j; `bias` is where its bias lies. */
static float score(const struct tsr_softmax *sm, int64_t i, int64_t j, float x, int64_t bias) {
  if (sm->cap != 0) x = sm->cap * capped_ratio(x);
  if (sm->slope) x = fmaf(sm->slope[i], (float)(j - sm->at[i]), x);
  if (sm->bias) {
    float b = get((const void *)sm->bias, bias);
    x = b == -INFINITY ? b : x + b;
  }
  bool seen = !sm->from || j < sm->prefix || (j >= sm->from[i] && j < sm->to[i]);
  return seen ? x : -INFINITY;
}

/* A row of scores, whose keys and biases lie `next` and `next_bias` apart. */
static void row(const struct tsr_softmax *sm, int64_t i, int64_t n, char *first, int64_t next, int64_t bias,
                int64_t next_bias) {
  float most = -INFINITY, sums[16] = {0};
  for (int64_t j = 0; j < n; j++) {
    float x = score(sm, i, j, get(first, j * next), bias + j * next_bias);
    put(first, j * next, x);
    if (x > most) most = x;
  }
  most += 0.0f;
  for (int64_t j = 0; j < n; j++) {
    float p = power(get(first, j * next) - (most == -INFINITY ? 0 : most));
    put(first, j * next, p);
    sums[j % 16] += p;
  }
  for (int t = 0; t < 8; t++) sums[t] += sums[t + 8];
  for (int t = 0; t < 4; t++) sums[t] += sums[t + 4];
  float lc = (sums[0] + sums[2]) + (sums[1] + sums[3]);
  float m = isnan(lc) ? INFINITY : sm->max[i] > most ? sm->max[i] : most;
  sm->keep[i] = sm->max[i] == -INFINITY ? 0 : power(sm->max[i] - m);
  sm->add[i] = most == -INFINITY ? -0.0f : power(most - m);
  sm->sum[i] = fmaf(sm->add[i], lc, sm->keep[i] == 0 ? 0 : sm->keep[i] * sm->sum[i]);
  sm->max[i] = m;
}

static void merge(const struct tsr_step *st, const void *a, const struct tsr_softmax *sm, void *c) {
  for (int64_t i = 0; i < st->m; i++)
    for (int64_t j = 0; j < st->n; j++) {
      float y = sm->keep[i] == 0 ? 0 : sm->keep[i] * get(c, j * st->csc + i * 4);
      put(c, j * st->csc + i * 4, fmaf(sm->add[i], get(a, j * st->csa + i * 4), y));
    }
}

static void grad(const struct tsr_step *st, void *a, const struct tsr_softmax *sm, void *c) {
  for (int64_t i = 0; i < st->m; i++)
    for (int64_t j = 0; j < st->n; j++) {
      float s = get(c, j * st->csc + i * 4), x = score(sm, i, j, s, j * sm->bias_ld + i * 4), p = 0, ds = 0;
      if (x != -INFINITY) p = power(x - sm->max[i] > 127 ? 127 : x - sm->max[i]);
      if (p != 0) ds = p * (get(a, j * st->csa + i * 4) - sm->sum[i]);
      if (p != 0 && sm->cap != 0) ds = ds * fmaf(-capped_ratio(s), capped_ratio(s), 1);
      put(c, j * st->csc + i * 4, p);
      put(a, j * st->csa + i * 4, ds);
    }
}

void reference_softmax(enum tsr_op op, const struct tsr_step *st, void *a, const struct tsr_softmax *sm, void *c) {
  if (op == TSR_OP_MERGE) merge(st, a, sm, c);
  if (op == TSR_OP_SOFTMAX_GRAD) grad(st, a, sm, c);
  for (int64_t i = 0; i < st->m && op == TSR_OP_SOFTMAX; i++)
    row(sm, i, st->n, (char *)c + i * 4, st->csc, i * 4, sm->bias_ld);
  for (int64_t i = 0; i < st->m && op == TSR_OP_SOFTMAX_T; i++) {
    row(sm, i, st->n, (char *)c + i * st->csc, 4, i * sm->bias_ld, 4);
    for (int64_t j = st->n; j % 16 != 0; j++) put(c, i * st->csc + j * 4, 0);
  }
}
