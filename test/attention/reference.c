/* Attention twice: in f64 with a bound of f32's error, and bit for bit as kernels/kernel.h says. Compiled for any CPU,
 * and on x86 for CPUs with FMA. */
#include <math.h>

#include "test/attention/attention_test.h"

enum { CHUNK = 256 };

static float bits_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

/* exp2 and tanh2 of kernels/kernel.h, written anew. */
static float exp2_f32(float y) {
  if (y < -125) return 0;
  float n = rintf(y), f = y - n, r = 0x1.416b52p-13f;
  r = fmaf(f, r, 0x1.5f082ep-10f);
  r = fmaf(f, r, 0x1.3b2de0p-7f);
  r = fmaf(f, r, 0x1.c6af7cp-5f);
  r = fmaf(f, r, 0x1.ebfbdcp-3f);
  r = fmaf(f, r, 0x1.62e430p-1f);
  return y != y ? y : bits_float((uint32_t)((int32_t)n + 127) << 23) * fmaf(f, r, 1);
}

static float tanh2_f32(float y) {
  float low = fabsf(y) > 125 ? -125 : -fabsf(y), n = rintf(low), f = low - n, r = 0x1.416b52p-13f;
  r = fmaf(f, r, 0x1.5f082ep-10f);
  r = fmaf(f, r, 0x1.3b2de0p-7f);
  r = fmaf(f, r, 0x1.c6af7cp-5f);
  r = fmaf(f, r, 0x1.ebfbdcp-3f);
  r = fmaf(f, r, 0x1.62e430p-1f);
  if (y != y) return y;
  float power = bits_float((uint32_t)((int32_t)n + 127) << 23), e = fmaf(power, f * r, power - 1);
  return copysignf(-e / (2 + e), y);
}

/* Keys and values of one head of one sequence; keys with the element as the slow index. */
struct head {
  const tsr_attention_desc *d;
  int64_t b, h, keys;
  float *k, *v, *q; /* q: one row */
  float *scaled, *x, *o;
  double *dot, *size;
};

static double scale_of(const tsr_attention_desc *d) { return d->scale != 0 ? d->scale : 1 / sqrt((double)d->d_qk); }

struct state {
  float max, sum, *o;
};

static void merge(struct state *s, float mc, float lc, const float *o, int64_t n) {
  float m = lc != lc ? INFINITY : s->max > mc ? s->max : mc;
  float keep = s->max == -INFINITY ? 0 : exp2_f32(s->max - m), add = mc == -INFINITY ? -0.0f : exp2_f32(mc - m);
  s->sum = fmaf(add, lc, keep == 0 ? 0 : keep * s->sum);
  for (int64_t e = 0; e < n; e++) s->o[e] = fmaf(add, o[e], keep == 0 ? 0 : keep * s->o[e]);
  s->max = m;
}

/* Scores of the keys from j0 on, times log2(e). */
static void scores(const struct head *w, int64_t i, int64_t j0, int64_t n, float *x) {
  const tsr_attention_desc *d = w->d;
  float cap = (float)(d->softcap * M_LOG2E);
  float slope = d->alibi ? (float)((double)d->alibi[w->h] * M_LOG2E) : 0;
  float mask_factor = d->alibi && d->alibi_scales_mask ? slope : (float)M_LOG2E;
  for (int64_t j = 0; j < n; j++) x[j] = 0;
  for (int64_t e = 0; e < d->d_qk; e++)
    for (int64_t j = 0; j < n; j++) x[j] = fmaf(w->scaled[e], w->k[e * w->keys + j0 + j], x[j]);
  for (int64_t j = 0; j < n; j++) {
    if (d->softcap != 0) x[j] = cap * tanh2_f32(x[j]);
    if (d->alibi && !d->alibi_scales_mask)
      x[j] = fmaf(slope, (float)(d->first_key + j0 + j - position_of(d, w->b, i)), x[j]);
    if (d->mask_type) x[j] += mask_of(d, w->b, w->h, i, j0 + j) * mask_factor; /* -inf is not seen, below */
    if (!sees(d, w->b, w->h, i, j0 + j)) x[j] = -INFINITY;
  }
}

static void chunk(const struct head *w, int64_t i, int64_t j0, int64_t n, struct state *s) {
  float *x = w->x, largest = -INFINITY, lane[16] = {0};
  scores(w, i, j0, n, x);
  for (int64_t j = 0; j < n; j++) largest = x[j] > largest ? x[j] : largest;
  float base = largest == -INFINITY ? 0 : largest + 0.0f;
  for (int64_t j = 0; j < n; j++) x[j] = exp2_f32(x[j] - base);
  for (int64_t j = 0; j < n; j++) lane[j % 16] += x[j];
  for (int half = 8; half > 0; half /= 2)
    for (int t = 0; t < half; t++) lane[t] += lane[t + half];
  memset(w->o, 0, (size_t)w->d->d_v * sizeof *w->o);
  for (int64_t j = 0; j < n; j++) {
    const float *v = w->v + (j0 + j) * w->d->d_v;
    if (x[j] != 0)
      for (int64_t e = 0; e < w->d->d_v; e++) w->o[e] = fmaf(x[j], v[e], w->o[e]);
    else
      for (int64_t e = 0; e < w->d->d_v; e++) w->o[e] = fmaf(x[j], isfinite(v[e]) ? v[e] : 0, w->o[e]);
  }
  merge(s, largest + 0.0f, lane[0], w->o, w->d->d_v);
}

static void row_bits(const struct head *w, int64_t i, float *out, float *lse) {
  const tsr_attention_desc *d = w->d;
  float factor = (float)(scale_of(d) * M_LOG2E * (d->softcap != 0 ? 2 / d->softcap : 1));
  for (int64_t e = 0; e < d->d_qk; e++) w->scaled[e] = factor * w->q[e];
  struct state s = {-INFINITY, 0, out};
  memset(out, 0, (size_t)d->d_v * sizeof *out);
  for (int64_t j = 0; j < w->keys; j += CHUNK) chunk(w, i, j, w->keys - j < CHUNK ? w->keys - j : CHUNK, &s);
  if (d->sinks) {
    memset(w->o, 0, (size_t)d->d_v * sizeof *w->o);
    merge(&s, (float)((double)d->sinks[w->h] * M_LOG2E), 1, w->o, d->d_v);
  }
  float over = s.sum == 0 ? 0 : 1 / s.sum;
  for (int64_t e = 0; e < d->d_v; e++) out[e] *= over;
  *lse = s.sum == 0 ? -INFINITY : (float)((double)s.max * M_LN2 + log((double)s.sum));
}

/* One score in f64; *off: how far f32's may be from it. */
static double score_exact(const struct head *w, int64_t i, int64_t j, double *off) {
  const tsr_attention_desc *d = w->d;
  double scale = scale_of(d), x = scale * w->dot[j], slope = d->alibi ? d->alibi[w->h] : 0, mask = 0, distance = 0;
  *off = ((double)d->d_qk + 4) * scale * w->size[j];
  if (d->softcap != 0) {
    x = d->softcap * tanh(x / d->softcap);
    *off += 8 * d->softcap;
  }
  if (d->alibi && !d->alibi_scales_mask)
    distance = slope * (double)(d->first_key + j - position_of(d, w->b, i));
  if (d->mask_type) mask = mask_of(d, w->b, w->h, i, j) * (d->alibi && d->alibi_scales_mask ? slope : 1);
  *off += 4 * (fabs(x) + fabs(distance) + fabs(mask));
  return x + distance + mask;
}

/* In f64, and how far a result in f32 may be off: scores by what score_exact says, weights by three units in the last
 * place more, sums by one for each term, each merge of a chunk by eight. */
struct exact {
  double *out, *lse, *bound, *bound_lse;
};

static void row_exact(const struct head *w, int64_t i, const struct exact *to) {
  const tsr_attention_desc *d = w->d;
  const double u = 0x1p-24;
  double largest = d->sinks ? d->sinks[w->h] : -INFINITY, off = 0, e_j, sum = 0, *x = w->dot;
  for (int64_t j = 0; j < w->keys; j++) w->dot[j] = w->size[j] = 0;
  for (int64_t e = 0; e < d->d_qk; e++)
    for (int64_t j = 0; j < w->keys; j++) {
      double t = (double)w->q[e] * w->k[e * w->keys + j];
      w->dot[j] += t;
      w->size[j] += fabs(t);
    }
  for (int64_t j = 0; j < w->keys; j++) {
    bool seen = sees(d, w->b, w->h, i, j);
    x[j] = seen ? score_exact(w, i, j, &e_j) : -INFINITY;
    if (x[j] > largest) largest = x[j];
    if (seen && e_j > off) off = e_j;
  }
  double chunks = (double)((w->keys + CHUNK - 1) / CHUNK + 1), terms = w->keys < CHUNK ? (double)w->keys : CHUNK;
  double relative = u * (2 * off + terms + 40 + 8 * chunks), share;
  for (int64_t e = 0; e < d->d_v; e++) to->out[e] = to->bound[e] = 0;
  for (int64_t j = 0; j < w->keys; j++) {
    double p = x[j] == -INFINITY ? 0 : exp(x[j] - largest);
    sum += p;
    if (p == 0) continue;
    share = p * expm1(relative + 4 * u * fabs(x[j] - largest)); /* the argument of exp2 is rounded, too */
    for (int64_t e = 0; e < d->d_v; e++) {
      to->out[e] += p * w->v[j * d->d_v + e];
      to->bound[e] += share * fabs((double)w->v[j * d->d_v + e]);
    }
  }
  if (d->sinks) sum += exp(d->sinks[w->h] - largest);
  for (int64_t e = 0; e < d->d_v && sum > 0; e++) {
    to->out[e] /= sum;
    to->bound[e] = to->bound[e] / sum + 0x1p-100;
  }
  *to->lse = sum > 0 ? largest + log(sum) : -INFINITY;
  *to->bound_lse = expm1(relative) + 4 * u * fabs(sum > 0 ? *to->lse : 0);
}

static void gather(const struct problem *p, struct head *w, int64_t hkv) {
  const tsr_attention_desc *d = &p->d;
  w->keys = kv_rows(d, w->b);
  for (int64_t j = 0; j < w->keys; j++) {
    for (int64_t e = 0; e < d->d_qk; e++) w->k[e * w->keys + j] = load_k(d, p->k, w->b, hkv, j, e);
    for (int64_t e = 0; e < d->d_v; e++) w->v[j * d->d_v + e] = load_v(d, p->v, w->b, hkv, j, e);
  }
}

static void rows_of_head(struct problem *p, struct head *w) {
  const tsr_attention_desc *d = &p->d;
  for (int64_t i = 0; i < q_rows(d, w->b); i++) {
    int64_t row = row_of(d, w->b, w->h, i), at = row * d->d_v;
    for (int64_t e = 0; e < d->d_qk; e++) w->q[e] = load_q(d, p->q, w->b, w->h, i, e);
    row_bits(w, i, p->out + at, p->lse + row);
    if (p->fill == FILL_SPECIAL) continue;
    struct exact to = {p->exact + at, p->exact_lse + row, p->bound + at, p->bound_lse + row};
    row_exact(w, i, &to);
  }
}

void REFERENCES(struct problem *p) {
  const tsr_attention_desc *d = &p->d;
  int64_t group = d->heads_q / d->heads_kv, most = 1;
  for (int64_t b = 0; b < d->batch; b++) most = kv_rows(d, b) > most ? kv_rows(d, b) : most;
  struct head w = {.d = d};
  w.k = malloc((size_t)(most * d->d_qk) * sizeof(float));
  w.v = malloc((size_t)(most * d->d_v) * sizeof(float));
  w.q = malloc((size_t)d->d_qk * sizeof(float));
  w.scaled = malloc((size_t)d->d_qk * sizeof(float));
  w.x = malloc(CHUNK * sizeof(float));
  w.o = malloc((size_t)d->d_v * sizeof(float));
  w.dot = malloc((size_t)most * sizeof(double));
  w.size = malloc((size_t)most * sizeof(double));
  for (w.b = 0; w.b < d->batch; w.b++)
    for (int64_t hkv = 0; hkv < d->heads_kv; hkv++) {
      gather(p, &w, hkv);
      for (w.h = hkv * group; w.h < (hkv + 1) * group; w.h++) rows_of_head(p, &w);
    }
  float *all[] = {w.k, w.v, w.q, w.scaled, w.x, w.o};
  for (int i = 0; i < COUNT(all); i++) free(all[i]);
  free(w.dot);
  free(w.size);
}
