/* The gradients of attention: near f64 by a bound for each element over random problems, the same bits for any number
 * of threads, nothing of what a masked key or query holds, nothing written beside them, errors that name the field. */
#include <math.h>

#include "src/core/memory.h"
#include "test/attention/attention_test.h"

static bool slow;

/* A tensor of rows by sequence, head and row. Strides are in elements. */
struct tensor {
  tsr_type type;
  const int32_t *cu;
  int64_t stride[3], count[3], d, extent;
  struct guarded memory;
};

static int64_t at(const struct tensor *t, int64_t b, int64_t h, int64_t i) {
  return h * t->stride[TSR_HEAD] +
         (t->cu ? (t->cu[b] + i) * t->stride[TSR_ROW] : b * t->stride[TSR_BATCH] + i * t->stride[TSR_ROW]);
}
static char *element(const struct tensor *t, int64_t row, int64_t e) {
  return t->memory.data + bytes_of(t->type, row + e);
}
static float get(const struct tensor *t, int64_t b, int64_t h, int64_t i, int64_t e) {
  return load(t->type, element(t, at(t, b, h, i), e));
}
static void put(const struct tensor *t, int64_t b, int64_t h, int64_t i, int64_t e, float x) {
  store(t->type, element(t, at(t, b, h, i), e), x);
}

static void tensor_open(struct tensor *t, enum place place, int poison) {
  size_t bytes = bytes_of(t->type, t->extent);
  guarded_open(&t->memory, bytes, place, 8);
  memset(t->memory.data, poison, bytes);
}

/* Strides in a random order of the indices, with gaps. */
static struct tensor tensor_draw(struct rng *rng, tsr_type type, int64_t batch, int64_t heads, int64_t rows, int64_t d,
                                 const int32_t *cu, enum place place) {
  struct tensor t = {.type = type, .cu = cu, .count = {cu ? 1 : batch, heads, rows}, .d = d};
  int order[3] = {TSR_ROW, TSR_HEAD, TSR_BATCH};
  int64_t next = d;
  for (int i = 2; i > 0; i--) {
    int j = (int)rng_below(rng, i + 1), swap = order[i];
    order[i] = order[j];
    order[j] = swap;
  }
  for (int i = 0; i < 3; i++) {
    next += rng_below(rng, 3);
    t.stride[order[i]] = next;
    next *= t.count[order[i]] > 0 ? t.count[order[i]] : 1;
  }
  t.extent = d;
  for (int i = 0; i < 3; i++) t.extent = t.count[i] <= 0 || !t.extent ? 0 : t.extent + (t.count[i] - 1) * t.stride[i];
  tensor_open(&t, place, 0xff);
  return t;
}

/* A tensor like another one. */
static struct tensor tensor_like(const struct tensor *other, enum place place, int poison) {
  struct tensor t = *other;
  tensor_open(&t, place, poison);
  return t;
}

enum { Q, K, V, OUT, DOUT, DQ, DK, DV, TENSORS };

/* A problem with strides of its own, its forward result, and gradients. */
struct task {
  struct problem *p;
  tsr_attention_desc d;
  struct tensor t[TENSORS];
  float *lse;
};

static int64_t all_kv_rows(const tsr_attention_desc *d, int64_t b) {
  return d->cu_kv ? d->cu_kv[b + 1] - d->cu_kv[b] : d->len_kv;
}

static double uniform(struct rng *rng) { return (double)(int64_t)rng_next(rng) * 0x1p-63; }

static void fill_inputs(struct task *a, struct rng *rng) {
  const tsr_attention_desc *d = &a->p->d;
  for (int64_t b = 0; b < d->batch; b++) {
    for (int64_t h = 0; h < d->heads_q; h++)
      for (int64_t i = 0; i < q_rows(d, b); i++) {
        for (int64_t e = 0; e < d->d_qk; e++) put(&a->t[Q], b, h, i, e, load_q(d, a->p->q, b, h, i, e));
        for (int64_t e = 0; e < d->d_v; e++) put(&a->t[DOUT], b, h, i, e, (float)uniform(rng));
      }
    for (int64_t h = 0; h < d->heads_kv; h++)
      for (int64_t j = 0; j < kv_rows(d, b); j++) {
        for (int64_t e = 0; e < d->d_qk; e++) put(&a->t[K], b, h, j, e, load_k(d, a->p->k, b, h, j, e));
        for (int64_t e = 0; e < d->d_v; e++) put(&a->t[V], b, h, j, e, load_v(d, a->p->v, b, h, j, e));
      }
  }
}

static void task_open(struct task *a, struct problem *p, struct rng *rng) {
  const tsr_attention_desc *d = &p->d;
  int64_t queries = d->cu_q ? d->cu_q[d->batch] : d->len_q, keys = d->cu_kv ? d->cu_kv[d->batch] : d->len_kv;
  *a = (struct task){.p = p, .d = p->d};
  a->t[Q] = tensor_draw(rng, d->type_q, d->batch, d->heads_q, queries, d->d_qk, d->cu_q, p->place);
  a->t[K] = tensor_draw(rng, d->type_k, d->batch, d->heads_kv, keys, d->d_qk, d->cu_kv, p->place);
  a->t[V] = tensor_draw(rng, d->type_v, d->batch, d->heads_kv, keys, d->d_v, d->cu_kv, p->place);
  a->t[OUT] = tensor_draw(rng, d->type_out, d->batch, d->heads_q, queries, d->d_v, d->cu_q, p->place);
  for (int i = 0; i < 3; i++) {
    a->d.stride_q[i] = a->t[Q].stride[i];
    a->d.stride_k[i] = a->t[K].stride[i];
    a->d.stride_v[i] = a->t[V].stride[i];
    a->d.stride_out[i] = a->t[OUT].stride[i];
  }
  a->t[DOUT] = tensor_like(&a->t[OUT], p->place, 0xff);
  for (int i = 0; i < 3; i++) a->t[DQ + i] = tensor_like(&a->t[Q + i], p->place, 0x5a);
  a->lse = calloc((size_t)lse_extent(&a->d) + 1, sizeof *a->lse);
  fill_inputs(a, rng);
}

static void task_close(struct task *a) {
  for (int i = 0; i < TENSORS; i++) guarded_close(&a->t[i].memory);
  free(a->lse);
}

static void forward(struct task *a, tsr_context *context) {
  tsr_status status = tsr_attention(context, &a->d, a->t[Q].memory.data, a->t[K].memory.data, a->t[V].memory.data,
                                    a->t[OUT].memory.data, a->lse);
  if (status != TSR_OK) fail_msg("forward: %s", tsr_last_error());
}

static tsr_status backward(struct task *a, tsr_context *context, int threads) {
  const struct tensor *t = a->t;
  tsr_set_num_threads(context, threads);
  tsr_status status =
      tsr_attention_backward(context, &a->d, t[Q].memory.data, t[K].memory.data, t[V].memory.data, t[OUT].memory.data,
                             a->lse, t[DOUT].memory.data, t[DQ].memory.data, t[DK].memory.data, t[DV].memory.data);
  tsr_set_num_threads(context, 0);
  return status;
}

/* The gradients in f64, dense, from what forward gave; with bounds of f32's errors, and the sums of their terms without
 * signs, beside which an error is large or small. */
struct exact {
  double *value[3], *bound[3], *size[3];
};

static int64_t dense(const struct task *a, int which, int64_t b, int64_t h, int64_t i) {
  const tsr_attention_desc *d = &a->d;
  if (which == 0) return row_of(d, b, h, i) * d->d_qk;
  return ((b * d->heads_kv + h) * d->len_kv + i) * (which == 1 ? d->d_qk : d->d_v);
}

static int64_t dense_size(const struct task *a, int which) {
  return dense(a, which, a->d.batch, 0, 0) + 1;
}

struct score {
  double x, slope; /* slope: d x / d (scale q.k) */
  double off;      /* how far f32's may be off, in units of its rounding */
};

static struct score score_of(const struct task *a, int64_t b, int64_t h, int64_t i, int64_t j) {
  const tsr_attention_desc *d = &a->d;
  double scale = d->scale != 0 ? d->scale : 1 / sqrt((double)d->d_qk), dot = 0, size = 0, other = 0;
  int64_t hkv = h / (d->heads_q / d->heads_kv);
  for (int64_t e = 0; e < d->d_qk; e++) {
    double term = (double)get(&a->t[Q], b, h, i, e) * get(&a->t[K], b, hkv, j, e);
    dot += term;
    size += fabs(term);
  }
  struct score s = {scale * dot, 1, ((double)d->d_qk + 4) * scale * size};
  if (d->softcap != 0) {
    double t = tanh(s.x / d->softcap);
    s.x = d->softcap * t;
    s.slope = 1 - t * t;
    s.off += 8 * d->softcap;
  }
  double slope = d->alibi ? d->alibi[h] : 0;
  if (d->alibi && !d->alibi_scales_mask) other += slope * (double)(d->first_key + j - position_of(d, b, i));
  s.off += fabs(other);
  if (d->mask_type) {
    double mask = mask_of(d, b, h, i, j) * (d->alibi && d->alibi_scales_mask ? slope : 1);
    other += mask;
    s.off += fabs(mask);
  }
  s.off += 4 * fabs(s.x) + 4 * fabs(other);
  s.x += other;
  return s;
}

static void add_pair(const struct task *a, struct exact *x, int64_t b, int64_t h, int64_t i, int64_t j, double lse) {
  const tsr_attention_desc *d = &a->d;
  const double u = 0x1p-24;
  int64_t hkv = h / (d->heads_q / d->heads_kv);
  double scale = d->scale != 0 ? d->scale : 1 / sqrt((double)d->d_qk), dp = 0, size = 0;
  struct score s = score_of(a, b, h, i, j);
  double p = exp(s.x - lse), relative = expm1(u * (2 * s.off + 4 * fabs(lse) + 4 * fabs(s.x) + 300));
  int64_t dv = dense(a, 2, b, hkv, j), dk = dense(a, 1, b, hkv, j), dq = dense(a, 0, b, h, i);
  for (int64_t e = 0; e < d->d_v; e++) {
    double g = get(&a->t[DOUT], b, h, i, e), v = get(&a->t[V], b, hkv, j, e), out = get(&a->t[OUT], b, h, i, e);
    dp += g * (v - out);
    size += fabs(g * v) + fabs(g * out);
    x->value[2][dv + e] += p * g;
    x->size[2][dv + e] += p * fabs(g);
    x->bound[2][dv + e] += p * fabs(g) * relative;
  }
  double ds = scale * p * dp * s.slope, error = relative + u * (double)d->d_v;
  size *= scale * p;
  for (int64_t e = 0; e < d->d_qk; e++) {
    double q = get(&a->t[Q], b, h, i, e), k = get(&a->t[K], b, hkv, j, e);
    x->value[0][dq + e] += ds * k;
    x->size[0][dq + e] += size * fabs(k);
    x->bound[0][dq + e] += size * fabs(k) * error;
    x->value[1][dk + e] += ds * q;
    x->size[1][dk + e] += size * fabs(q);
    x->bound[1][dk + e] += size * fabs(q) * error;
  }
}

static void exact_open(struct exact *x, const struct task *a) {
  const tsr_attention_desc *d = &a->d;
  for (int which = 0; which < 3; which++) {
    x->value[which] = calloc((size_t)dense_size(a, which), sizeof(double));
    x->bound[which] = calloc((size_t)dense_size(a, which), sizeof(double));
    x->size[which] = calloc((size_t)dense_size(a, which), sizeof(double));
  }
  for (int64_t b = 0; b < d->batch; b++)
    for (int64_t h = 0; h < d->heads_q; h++)
      for (int64_t i = 0; i < q_rows(d, b); i++) {
        double lse = a->lse[lse_at(d, b, h, i)];
        for (int64_t j = 0; j < kv_rows(d, b) && lse != -INFINITY; j++)
          if (sees(d, b, h, i, j)) add_pair(a, x, b, h, i, j, lse);
      }
}

static void exact_close(struct exact *x) {
  for (int which = 0; which < 3; which++) {
    free(x->value[which]);
    free(x->bound[which]);
    free(x->size[which]);
  }
}

/* The largest error over the largest size, by type, for people. */
static double worst[TSR_BF16 + 1][3];

static void check_element(const struct task *a, const struct exact *x, int which, int64_t index, float got,
                          const char *where) {
  double want = x->value[which][index], most = x->bound[which][index] + 1e-30, error = fabs(got - want);
  char text[700];
  tsr_type type = a->t[DQ + which].type;
  if (type == TSR_BF16) most += fabs(want) * 0x1.01p-8;
  if (type == TSR_F16) most += fabs(want) * 0x1.01p-11 + 0x1p-25;
  if (type == TSR_F16 && fabs(want) > 65000) return;
  if (error <= most) return;
  problem_text(a->p, text, sizeof text);
  fail_msg("%s: d%c %s is %g, not %g within %g", text, "qkv"[which], where, got, want, most);
}

static void check_rows(const struct task *a, const struct exact *x, int which) {
  const tsr_attention_desc *d = &a->d;
  double largest = 0, error = 0;
  for (int64_t b = 0; b < d->batch; b++)
    for (int64_t h = 0; h < (which ? d->heads_kv : d->heads_q); h++)
      for (int64_t i = 0; i < (which ? all_kv_rows(d, b) : q_rows(d, b)); i++)
        for (int64_t e = 0; e < a->t[DQ + which].d; e++) {
          char where[100];
          float got = get(&a->t[DQ + which], b, h, i, e);
          int64_t index = dense(a, which, b, h, i) + e;
          snprintf(where, sizeof where, "[%lld][%lld][%lld][%lld]", (long long)b, (long long)h, (long long)i,
                   (long long)e);
          check_element(a, x, which, index, got, where);
          largest = fmax(largest, x->size[which][index]);
          error = fmax(error, fabs(got - x->value[which][index]));
        }
  tsr_type type = a->t[DQ + which].type;
  if (largest > 0 && a->p->sharpness == 1 && a->p->fill == FILL_RANDOM)
    worst[type][which] = fmax(worst[type][which], error / largest);
}

/* All bytes but those of gaps are written: with another poison before it, so many bytes stay as they were. */
static void check_gaps(struct task *a, tsr_context *context) {
  const tsr_attention_desc *d = &a->d;
  for (int which = 0; which < 3; which++) {
    struct tensor *t = &a->t[DQ + which];
    char *before = malloc(t->memory.bytes + 1);
    memcpy(before, t->memory.data, t->memory.bytes);
    memset(t->memory.data, 0xa5, t->memory.bytes);
    assert_int_equal(backward(a, context, 2), TSR_OK);
    int64_t rows = 0, same = 0, gap = 0;
    for (int64_t b = 0; b < d->batch; b++) rows += which ? all_kv_rows(d, b) : q_rows(d, b);
    for (size_t i = 0; i < t->memory.bytes; i++) {
      same += before[i] == t->memory.data[i];
      gap += before[i] == 0x5a && t->memory.data[i] == (char)0xa5;
    }
    int64_t elements = rows * t->count[TSR_HEAD] * t->d * (int64_t)bytes_of(t->type, 1);
    assert_int_equal(same, elements);
    assert_int_equal(same + gap, t->memory.bytes);
    free(before);
  }
}

static void check_threads(struct task *a, tsr_context *context) {
  static const int counts[] = {1, 3, 7};
  for (int i = 0; i < COUNT(counts); i++) {
    char *before[3];
    for (int which = 0; which < 3; which++) {
      const struct guarded *g = &a->t[DQ + which].memory;
      before[which] = malloc(g->bytes + 1);
      memcpy(before[which], g->data, g->bytes);
    }
    assert_int_equal(backward(a, context, counts[i]), TSR_OK);
    for (int which = 0; which < 3; which++) {
      assert_memory_equal(before[which], a->t[DQ + which].memory.data, a->t[DQ + which].memory.bytes);
      free(before[which]);
    }
  }
}

static const unsigned features[] = {0, F_TYPES, F_CAUSAL, F_MASK, F_BIAS, F_LENGTHS, F_PART, F_CAUSAL | F_MASK | F_BIAS,
                                    F_TYPES | F_CAUSAL | F_MASK | F_BIAS | F_LENGTHS | F_PART};

/* A row whose LSE says that it sees nothing counts for nothing, whatever it sees. */
static void lose_rows(struct task *a, struct rng *rng) {
  for (int64_t r = 0; r < lse_extent(&a->d); r++)
    if (rng_below(rng, 20) == 0) a->lse[r] = -INFINITY;
}

static void check_problem(struct problem *p, struct rng *rng) {
  struct task a;
  struct exact x;
  task_open(&a, p, rng);
  for (int c = 0; c < ncontexts; c++) {
    if (is_generic(contexts[c]) && rng_below(rng, 3) && ncontexts > 1) continue;
    forward(&a, contexts[c]);
    if (p->seed % 4 == 0) lose_rows(&a, rng);
    exact_open(&x, &a);
    if (backward(&a, contexts[c], 2) != TSR_OK) fail_msg("%s", tsr_last_error());
    for (int which = 0; which < 3 && p->fill != FILL_SPECIAL; which++) check_rows(&a, &x, which);
    exact_close(&x);
    check_threads(&a, contexts[c]);
    if (p->fill != FILL_SPECIAL) check_gaps(&a, contexts[c]);
    for (int which = 0; which < 3; which++) memset(a.t[DQ + which].memory.data, 0x5a, a.t[DQ + which].memory.bytes);
  }
  task_close(&a);
}

static void near_f64(void **state) {
  (void)state;
  for (int i = 0; i < COUNT(features) * (slow ? 150 : 8); i++) {
    struct problem p;
    struct rng rng = {test_seed() + (uint64_t)i};
    problem_draw(&p, test_seed() * 100019 + (uint64_t)i, features[i % COUNT(features)], slow ? 2e6 : 5e5);
    check_problem(&p, &rng);
    problem_close(&p);
  }
  static const char *const names[] = {"", "f32", "", "f16", "bf16"};
  for (int type = TSR_F32; type <= TSR_BF16; type++)
    if (worst[type][0] > 0)
      print_message("%s: errors over the largest sum of terms: dq %.1e, dk %.1e, dv %.1e\n", names[type], worst[type][0],
                    worst[type][1], worst[type][2]);
}

/* What of the gradients a poisoned key or query may reach. */
struct reach {
  bool *query, *key;      /* of each row of dq, of dk and dv */
};

static void poison_row(const struct tensor *t, int64_t b, int64_t h, int64_t i, struct rng *rng) {
  static const float special[] = {NAN, INFINITY, -INFINITY};
  for (int64_t e = 0; e < t->d; e++) put(t, b, h, i, e, special[rng_below(rng, 3)]);
}

static void poison(struct task *a, struct reach *r, struct rng *rng) {
  const tsr_attention_desc *d = &a->d;
  int64_t group = d->heads_q / d->heads_kv;
  bool *bad = calloc((size_t)(d->batch * d->heads_kv * d->len_kv) + 1, 1);
  for (int64_t b = 0; b < d->batch; b++)
    for (int64_t h = 0; h < d->heads_kv; h++)
      for (int64_t j = 0; j < kv_rows(d, b); j++) {
        if (rng_below(rng, 1 + kv_rows(d, b) / 2)) continue;
        bad[(b * d->heads_kv + h) * d->len_kv + j] = true;
        poison_row(&a->t[K], b, h, j, rng);
        poison_row(&a->t[V], b, h, j, rng);
      }
  for (int64_t b = 0; b < d->batch; b++)
    for (int64_t h = 0; h < d->heads_q; h++)
      for (int64_t i = 0; i < q_rows(d, b); i++) {
        bool reached = false, any = false;
        int64_t first = (b * d->heads_kv + h / group) * d->len_kv;
        for (int64_t j = 0; j < kv_rows(d, b); j++) {
          any |= sees(d, b, h, i, j);
          reached |= bad[first + j] && sees(d, b, h, i, j);
        }
        if (rng_below(rng, 1 + q_rows(d, b) / 2) == 0) {
          poison_row(&a->t[Q], b, h, i, rng);
          poison_row(&a->t[DOUT], b, h, i, rng);
          reached |= any;
        }
        r->query[row_of(d, b, h, i)] = reached;
        for (int64_t j = 0; j < kv_rows(d, b); j++) r->key[first + j] |= reached && sees(d, b, h, i, j);
      }
  free(bad);
}

static void check_unreached(const struct task *a, const struct reach *r, struct tensor *before) {
  const tsr_attention_desc *d = &a->d;
  char text[700];
  problem_text(a->p, text, sizeof text);
  for (int which = 0; which < 3; which++)
    for (int64_t b = 0; b < d->batch; b++)
      for (int64_t h = 0; h < (which ? d->heads_kv : d->heads_q); h++)
        for (int64_t i = 0; i < (which ? kv_rows(d, b) : q_rows(d, b)); i++)
          for (int64_t e = 0; e < a->t[DQ + which].d; e++) {
            bool reached = which ? r->key[(b * d->heads_kv + h) * d->len_kv + i] : r->query[row_of(d, b, h, i)];
            float x = get(&a->t[DQ + which], b, h, i, e), y = get(&before[which], b, h, i, e);
            if (!reached && memcmp(&x, &y, 4) != 0)
              fail_msg("%s: d%c [%lld][%lld][%lld][%lld] is %g, %g before others held NaN", text, "qkv"[which],
                       (long long)b, (long long)h, (long long)i, (long long)e, x, y);
          }
}

static void masked_values_do_not_leak(void **state) {
  (void)state;
  for (int n = 0; n < (slow ? 300 : 30); n++) {
    struct problem p;
    struct task a;
    struct rng rng = {test_seed() + 77 + (uint64_t)n};
    problem_draw(&p, test_seed() * 100043 + (uint64_t)n, F_CAUSAL | F_MASK | F_BIAS | F_LENGTHS, 3e5);
    task_open(&a, &p, &rng);
    struct reach r = {calloc((size_t)rows_of(&a.d) + 1, 1),
                      calloc((size_t)(a.d.batch * a.d.heads_kv * a.d.len_kv) + 1, 1)};
    tsr_context *context = contexts[n % ncontexts];
    struct tensor before[3];
    if (p.fill != FILL_SPECIAL) {
      forward(&a, context);
      assert_int_equal(backward(&a, context, 2), TSR_OK);
      for (int which = 0; which < 3; which++) {
        before[which] = tensor_like(&a.t[DQ + which], PLACE_END, 0);
        memcpy(before[which].memory.data, a.t[DQ + which].memory.data, before[which].memory.bytes);
      }
      poison(&a, &r, &rng);
      forward(&a, context);
      assert_int_equal(backward(&a, context, 2), TSR_OK);
      check_unreached(&a, &r, before);
      for (int which = 0; which < 3; which++) guarded_close(&before[which].memory);
    }
    free(r.query);
    free(r.key);
    task_close(&a);
    problem_close(&p);
  }
}

/* An infinity in dout reaches that element of the values that its row sees, and no other element of any. */
static void infinities_arrive(void **state) {
  (void)state;
  enum { QUERIES = 70, KEYS = 300, D = 24 };
  static float q[QUERIES * D], k[KEYS * D], v[KEYS * D], out[QUERIES * D], dout[QUERIES * D], lse[QUERIES];
  static float dq[QUERIES * D], dk[KEYS * D], dv[KEYS * D];
  tsr_attention_desc d = TSR_ATTENTION_DESC;
  struct rng rng = {test_seed()};
  tsr_attention_set_sizes(&d, 1, 1, 1, QUERIES, KEYS, D, D);
  d.causal = TSR_CAUSAL_BOTTOM_RIGHT;
  for (int i = 0; i < QUERIES * D; i++) q[i] = (float)uniform(&rng), dout[i] = (float)uniform(&rng);
  for (int i = 0; i < KEYS * D; i++) k[i] = (float)uniform(&rng), v[i] = (float)uniform(&rng);
  dout[40 * D + 7] = -INFINITY;
  for (int c = 0; c < ncontexts; c++) {
    assert_int_equal(tsr_attention(contexts[c], &d, q, k, v, out, lse), TSR_OK);
    assert_int_equal(tsr_attention_backward(contexts[c], &d, q, k, v, out, lse, dout, dq, dk, dv), TSR_OK);
    for (int j = 0; j < KEYS; j++)
      for (int e = 0; e < D; e++)
        assert_int_equal(dv[j * D + e] == -INFINITY, e == 7 && j <= 40 + KEYS - QUERIES);
    for (int i = 0; i < QUERIES * D; i++) assert_int_equal(isfinite(dq[i]), i / D != 40);
  }
}

/* Chunks that a mask hides take no time, but must not let later ones pass those before. */
static void hidden_chunks_keep_their_turn(void **state) {
  (void)state;
  enum { N = 1024, D = 16 };
  static float x[3][N * D], out[N * D], dout[N * D], lse[N], dq[N * D], first[N * D], dk[N * D], dv[N * D];
  static uint8_t mask[N];
  tsr_attention_desc d = TSR_ATTENTION_DESC;
  struct rng rng = {test_seed()};
  tsr_attention_set_sizes(&d, 1, 1, 1, N, N, D, D);
  d.mask_type = TSR_BOOL;
  d.mask = mask;
  for (int j = 0; j < N; j++) mask[j] = j < 256 || j >= 512;
  for (int i = 0; i < N * D; i++) {
    for (int t = 0; t < 3; t++) x[t][i] = (float)uniform(&rng);
    dout[i] = (float)uniform(&rng);
  }
  assert_int_equal(tsr_attention(contexts[0], &d, x[0], x[1], x[2], out, lse), TSR_OK);
  for (int n = 0; n < 40; n++) {
    tsr_set_num_threads(contexts[0], n == 0 ? 1 : 4);
    assert_int_equal(tsr_attention_backward(contexts[0], &d, x[0], x[1], x[2], out, lse, dout, n ? dq : first, dk, dv),
                     TSR_OK);
    if (n > 0) assert_memory_equal(dq, first, sizeof dq);
  }
}

/* SOFTMAX_GRAD of every chip gives the bits of the generic one: with everything a step may have, and numbers that are
 * not finite, here and there. */
enum { MOST_ROWS = 130, MOST_KEYS = 40, PITCH = 192 };

struct grad_case {
  struct tsr_softmax sm;
  float max[PITCH], sum[PITCH], slope[PITCH], bias[MOST_KEYS * PITCH], s[MOST_KEYS * PITCH], dp[MOST_KEYS * PITCH];
  int32_t from[PITCH], to[PITCH], at[PITCH];
  int64_t rows, keys;
};

static float grad_number(struct rng *rng, double size) {
  static const float special[] = {NAN, INFINITY, -INFINITY, 0, -0.0f, 1e30f, -1e30f, 1e-40f, 200, -200};
  return rng_below(rng, 30) ? (float)(size * uniform(rng)) : special[rng_below(rng, COUNT(special))];
}

static void grad_draw(struct grad_case *g, struct rng *rng) {
  memset(g, 0, sizeof *g);
  g->rows = 1 + rng_below(rng, MOST_ROWS);
  g->keys = 1 + rng_below(rng, MOST_KEYS);
  g->sm.max = g->max;
  g->sm.sum = g->sum;
  if (rng_below(rng, 2)) g->sm.slope = g->slope;
  if (rng_below(rng, 2)) g->sm.bias = (tsr_mem)g->bias;
  if (rng_below(rng, 2)) g->sm.from = g->from;
  if (rng_below(rng, 2)) g->sm.cap = 20;
  g->sm.to = g->to;
  g->sm.at = g->at;
  g->sm.bias_ld = PITCH * 4;
  g->sm.prefix = (int32_t)rng_below(rng, 6) - 1;
  for (int i = 0; i < PITCH; i++) {
    g->max[i] = grad_number(rng, 30);
    g->sum[i] = grad_number(rng, 1);
    g->slope[i] = (float)uniform(rng);
    g->from[i] = (int32_t)rng_below(rng, MOST_KEYS) - 5;
    g->to[i] = g->from[i] + (int32_t)rng_below(rng, MOST_KEYS);
    g->at[i] = (int32_t)rng_below(rng, MOST_KEYS);
  }
  for (int i = 0; i < MOST_KEYS * PITCH; i++) {
    g->s[i] = grad_number(rng, 40);
    g->dp[i] = grad_number(rng, 2);
    g->bias[i] = grad_number(rng, 3);
  }
}

static void grad_run(struct grad_case *g, const struct tsr_kernel *kernel) {
  struct tsr_step step = {.m = g->rows, .n = g->keys, .csa = PITCH * 4, .csc = PITCH * 4};
  kernel->run(&step, (tsr_mem)g->dp, (tsr_mem)&g->sm, (tsr_mem)g->s);
}

static void kernels_give_the_same_bits(void **state) {
  (void)state;
  static struct grad_case g;
  static float s[MOST_KEYS * PITCH], dp[MOST_KEYS * PITCH];
  const struct tsr_kernel *generic = contexts[ncontexts - 1]->kernels[TSR_F32].softmax_grad;
  assert_non_null(strstr(generic->symbol, "generic"));
  for (int c = 0; c < ncontexts - 1; c++)
    for (int n = 0; n < (slow ? 20000 : 1000); n++) {
      struct rng rng = {test_seed() * 31 + (uint64_t)n}, again = rng;
      grad_draw(&g, &rng);
      grad_run(&g, generic);
      memcpy(s, g.s, sizeof s);
      memcpy(dp, g.dp, sizeof dp);
      grad_draw(&g, &again);
      grad_run(&g, contexts[c]->kernels[TSR_F32].softmax_grad);
      for (int64_t j = 0; j < g.keys; j++)
        for (int64_t i = 0; i < g.rows; i++) {
          int64_t e = j * PITCH + i;
          if (!same_element(TSR_F32, &s[e], &g.s[e]) || !same_element(TSR_F32, &dp[e], &g.dp[e]))
            fail_msg("case %d: row %lld, key %lld: %a and %a, not %a and %a", n, (long long)i, (long long)j, g.s[e],
                     g.dp[e], s[e], dp[e]);
        }
    }
}

/* A call that is good until a test changes it. */
struct good {
  struct problem p;
  struct task a;
  struct rng rng;
};

static void good_open(struct good *g) {
  *g = (struct good){.rng = {1}};
  g->p.d = (tsr_attention_desc)TSR_ATTENTION_DESC;
  tsr_attention_set_sizes(&g->p.d, 2, 4, 2, 9, 33, 8, 8);
  problem_fill(&g->p);
  problem_expect(&g->p);
  task_open(&g->a, &g->p, &g->rng);
  forward(&g->a, contexts[0]);
}

static void good_close(struct good *g) {
  task_close(&g->a);
  problem_close(&g->p);
}

static void check_refusal(struct task *a, tsr_status expected, const char *field) {
  assert_int_equal(backward(a, contexts[0], 2), expected);
  if (!strstr(tsr_last_error(), field)) fail_msg("\"%s\" does not name %s", tsr_last_error(), field);
  for (int which = 0; which < 3; which++)
    for (size_t i = 0; i < a->t[DQ + which].memory.bytes; i++) assert_int_equal(a->t[DQ + which].memory.data[i], 0x5a);
}

static void errors_name_the_field(void **state) {
  (void)state;
  struct good g;
  good_open(&g);
  const tsr_attention_desc d = g.a.d;
#define REFUSED(status, name, ...) \
  do { \
    g.a.d = d; \
    __VA_ARGS__; \
    check_refusal(&g.a, status, name); \
  } while (0)
  static const int32_t lens[] = {3, 4}, pages[] = {0, 1}, falling[] = {0, 5, 3};
  REFUSED(TSR_UNSUPPORTED, "page_size", g.a.d.page_size = 64, g.a.d.pages = 2, g.a.d.stride_table = 1,
          g.a.d.block_table = pages, g.a.d.kv_lens = lens);
  REFUSED(TSR_UNSUPPORTED, "layout_k", g.a.d.layout_k = TSR_KV_PANELS, g.a.d.stride_k[TSR_ROW] = 8 * TSR_KV_PANEL);
  REFUSED(TSR_UNSUPPORTED, "result", g.a.d.result = TSR_ATTENTION_PARTIAL);
  float scales[200] = {0};
  REFUSED(TSR_UNSUPPORTED, "type_k", g.a.d.type_k = TSR_S8, g.a.d.scales_k = scales);
  REFUSED(TSR_UNSUPPORTED, "type_v", g.a.d.type_v = TSR_S8, g.a.d.scales_v = scales);
  REFUSED(TSR_INVALID_ARGUMENT, "type_q", g.a.d.type_q = TSR_S8);
  REFUSED(TSR_INVALID_ARGUMENT, "heads_q", g.a.d.heads_q = 5);
  REFUSED(TSR_INVALID_ARGUMENT, "cu_q", g.a.d.cu_q = falling);
  REFUSED(TSR_INVALID_ARGUMENT, "stride_q", g.a.d.stride_q[TSR_ROW] = 0);
  REFUSED(TSR_INVALID_ARGUMENT, "stride_k", g.a.d.stride_k[TSR_HEAD] = 0);
  REFUSED(TSR_INVALID_ARGUMENT, "stride_v", g.a.d.stride_v[TSR_BATCH] = 1);
  REFUSED(TSR_INVALID_ARGUMENT, "mask", g.a.d.mask_type = TSR_F32);
  g.a.d = d;
  float *lse = g.a.lse;
  g.a.lse = NULL;
  check_refusal(&g.a, TSR_INVALID_ARGUMENT, "lse");
  g.a.lse = lse;
  static const char *const names[] = {"q is", "k is", "v is", "out is", "dout is"};
  for (int i = 0; i < COUNT(names); i++) {
    char *data = g.a.t[i].memory.data;
    g.a.t[i].memory.data = NULL;
    check_refusal(&g.a, TSR_INVALID_ARGUMENT, names[i]);
    g.a.t[i].memory.data = data;
  }
  good_close(&g);
}

static void gradients_may_not_be_null(void **state) {
  (void)state;
  struct good g;
  good_open(&g);
  static const char *const names[] = {"dq is", "dk is", "dv is"};
  for (int i = 0; i < COUNT(names); i++) {
    char *data = g.a.t[DQ + i].memory.data;
    g.a.t[DQ + i].memory.data = NULL;
    assert_int_equal(backward(&g.a, contexts[0], 2), TSR_INVALID_ARGUMENT);
    assert_non_null(strstr(tsr_last_error(), names[i]));
    g.a.t[DQ + i].memory.data = data;
  }
  good_close(&g);
}

static void no_memory(void **state) {
  (void)state;
  struct good g;
  good_open(&g);
  tsr_release();
  tsr_scratch_fail_after(0);
  check_refusal(&g.a, TSR_OUT_OF_MEMORY, "scratch memory");
  tsr_scratch_fail_after(1); /* workers, but no slots */
  check_refusal(&g.a, TSR_OUT_OF_MEMORY, "scratch memory");
  tsr_scratch_fail_after(-1);
  assert_int_equal(backward(&g.a, contexts[0], 2), TSR_OK);
  good_close(&g);
}

static void nothing_to_do(void **state) {
  (void)state;
  tsr_attention_desc d = TSR_ATTENTION_DESC;
  float k[3 * 8] = {0}, dk[3 * 8], dv[3 * 8];
  tsr_attention_set_sizes(&d, 0, 1, 1, 3, 3, 8, 8);
  assert_int_equal(tsr_attention_backward(contexts[0], &d, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
                   TSR_OK);
  tsr_attention_set_sizes(&d, 1, 1, 1, 0, 3, 8, 8);
  for (int i = 0; i < 3 * 8; i++) dk[i] = dv[i] = 1;
  assert_int_equal(tsr_attention_backward(contexts[0], &d, NULL, k, k, NULL, NULL, NULL, NULL, dk, dv), TSR_OK);
  for (int i = 0; i < 3 * 8; i++) assert_true(dk[i] == 0 && dv[i] == 0);
  tsr_attention_set_sizes(&d, 1, 1, 1, 3, 0, 8, 8);
  float lse[3] = {-INFINITY, -INFINITY, -INFINITY};
  for (int i = 0; i < 3 * 8; i++) dk[i] = 1;
  assert_int_equal(tsr_attention_backward(contexts[0], &d, k, NULL, NULL, k, lse, k, dk, NULL, NULL), TSR_OK);
  for (int i = 0; i < 3 * 8; i++) assert_true(dk[i] == 0);
}

int main(int argc, char **argv) {
  slow = argc > 1 && strcmp(argv[1], "slow") == 0;
  const struct CMUnitTest tests[] = {
      gemm_unit_test(near_f64),
      gemm_unit_test(kernels_give_the_same_bits),
      gemm_unit_test(masked_values_do_not_leak),
      gemm_unit_test(infinities_arrive),
      gemm_unit_test(hidden_chunks_keep_their_turn),
      gemm_unit_test(errors_name_the_field),
      gemm_unit_test(gradients_may_not_be_null),
      gemm_unit_test(no_memory),
      gemm_unit_test(nothing_to_do),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
