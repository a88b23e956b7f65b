/* tsr_kv_append: rows stored piece by piece are what a cache of that type, layout and paging holds, and nothing else of
 * it is touched; and attention over such a cache. */
#include <math.h>

#include "test/attention/attention_test.h"

enum { CANARY = 0xa5 };

struct cache {
  tsr_attention_desc d; /* of one sequence */
  struct guarded k, v, scales_k, scales_v, source_k, source_v;
  tsr_kv_rows rows;
};

static bool in_blocks(tsr_type type) { return type == TSR_Q8_0 || type == TSR_Q4_0; }

static void canaries(struct guarded *g, size_t bytes, const struct problem *p) {
  guarded_open(g, bytes, p->place, p->shift);
  memset(g->data, CANARY, bytes);
}

/* Rows to be stored, [row][head][d] with a gap. */
static void fill_source(struct guarded *g, const struct problem *p, tsr_type type, int64_t *stride, int64_t d,
                        struct rng *rng) {
  stride[TSR_HEAD] = d + 1;
  stride[TSR_ROW] = p->d.heads_kv * (d + 1) + 2;
  int64_t n = p->d.len_kv * stride[TSR_ROW];
  canaries(g, bytes_of(type, n), p);
  for (int64_t e = 0; e < n; e++)
    store(type, g->data + bytes_of(type, e), (float)((double)(int64_t)rng_next(rng) * 0x1p-63 * (1 + e % 5)));
}

/* A cache laid out as the problem's own. */
static void open_cache(struct cache *c, const struct problem *p, struct rng *rng) {
  static const tsr_type types[] = {TSR_F32, TSR_F16, TSR_BF16};
  c->d = p->d;
  c->d.batch = 1;
  canaries(&c->k, p->operand[0].bytes, p);
  c->rows.type = types[rng_below(rng, 3)];
  fill_source(&c->source_k, p, c->rows.type, c->rows.stride_k, p->d.d_qk, rng);
  fill_source(&c->source_v, p, c->rows.type, c->rows.stride_v, p->d.d_v, rng);
}

static void close_cache(struct cache *c) {
  struct guarded *all[] = {&c->k, &c->v, &c->scales_k, &c->scales_v, &c->source_k, &c->source_v};
  for (int i = 0; i < COUNT(all); i++) guarded_close(all[i]);
}

static float source_of(const struct cache *c, bool key, int64_t head, int64_t j, int64_t e) {
  const int64_t *stride = key ? c->rows.stride_k : c->rows.stride_v;
  const char *data = key ? c->source_k.data : c->source_v.data;
  return load(c->rows.type, data + bytes_of(c->rows.type, j * stride[TSR_ROW] + head * stride[TSR_HEAD] + e));
}

static void append(struct cache *c, tsr_context *context, struct rng *rng) {
  for (int64_t at = 0, n; at < c->d.len_kv; at += n) {
    n = 1 + rng_below(rng, c->d.len_kv - at);
    if (rng_below(rng, 3) == 0) n = 1;
    tsr_kv_rows rows = c->rows;
    rows.rows = n;
    rows.k = c->source_k.data + bytes_of(rows.type, at * rows.stride_k[TSR_ROW]);
    rows.v = c->source_v.data + bytes_of(rows.type, at * rows.stride_v[TSR_ROW]);
    tsr_status status = tsr_kv_append(context, &c->d, c->k.data, c->v.data, at, &rows);
    if (status != TSR_OK) fail_msg("%s", tsr_last_error());
  }
}

/* How far a quantised number may be from its source: half a step, and the rounding of the scale to f16. */
static double most_off(const struct cache *c, bool key, int64_t head, int64_t j, int64_t e) {
  tsr_type type = key ? c->d.type_k : c->d.type_v;
  int64_t d = key ? c->d.d_qk : c->d.d_v, first = in_blocks(type) ? e / 32 * 32 : 0;
  int64_t last = in_blocks(type) ? first + 32 : d;
  double most = 0;
  for (int64_t i = first; i < last; i++) most = fmax(most, fabs((double)source_of(c, key, head, j, i)));
  return type == TSR_Q4_0 ? most / 8 * 1.01 : most / 127 * 0.51 + most * 0x1p-11;
}

static void check_element(const struct cache *c, bool key, int64_t head, int64_t j, int64_t e) {
  tsr_type type = key ? c->d.type_k : c->d.type_v;
  const void *cache = key ? c->k.data : c->v.data;
  float want = source_of(c, key, head, j, e), got = (key ? load_k : load_v)(&c->d, cache, 0, head, j, e);
  char rounded[4];
  bool plain = type == TSR_F32 || type == TSR_F16 || type == TSR_BF16;
  if (plain) {
    store(type, rounded, want);
    want = load(type, rounded);
  }
  if (!(fabs((double)got - want) <= (plain ? 0 : most_off(c, key, head, j, e))))
    fail_msg("%s of type %d, head %lld row %lld element %lld is %g, not %g", key ? "key" : "value", (int)type,
             (long long)head, (long long)j, (long long)e, (double)got, (double)want);
}

static void mark(char *used, tsr_type type, int64_t at, int64_t n) {
  memset(used + bytes_of(type, at), 1, bytes_of(type, n));
}

static void check_rest(const struct guarded *g, const char *used, const char *what) {
  for (size_t i = 0; i < g->bytes; i++)
    if (!used[i] && (unsigned char)g->data[i] != CANARY) fail_msg("byte %zu of the %s was written", i, what);
}

static void check_cache(const struct cache *c) {
  const tsr_attention_desc *d = &c->d;
  char *used_k = calloc(1, c->k.bytes + 1), *used_v = calloc(1, c->v.bytes + 1);
  for (int64_t h = 0; h < d->heads_kv; h++)
    for (int64_t j = 0; j < d->len_kv; j++) {
      for (int64_t e = j % 3; e < d->d_qk; e += 3) check_element(c, true, h, j, e);
      for (int64_t e = j % 3; e < d->d_v; e += 3) check_element(c, false, h, j, e);
      if (d->layout_k == TSR_KV_ROWS) mark(used_k, d->type_k, kv_at(d, d->stride_k, 1, 0, h, j), d->d_qk);
      for (int64_t e = 0; d->layout_k == TSR_KV_PANELS && e < d->d_qk; e++)
        mark(used_k, d->type_k, k_element(d, 0, h, j, e), 1);
      mark(used_v, d->type_v, kv_at(d, d->stride_v, 1, 0, h, j), d->d_v);
    }
  check_rest(&c->k, used_k, "keys");
  check_rest(&c->v, used_v, "values");
  free(used_k);
  free(used_v);
}

/* Strides of a cache may not be shared, unlike those of inputs, and the whole of it is to be filled. */
static int64_t cache_strides(int64_t *stride, const int64_t *count, int64_t unit, int64_t gap,
                             bool heads_first) {
  int inner = heads_first ? TSR_HEAD : TSR_ROW, outer = heads_first ? TSR_ROW : TSR_HEAD;
  stride[inner] = unit + gap;
  stride[outer] = stride[inner] * count[inner] + gap;
  stride[TSR_BATCH] = stride[outer] * count[outer] + gap;
  return stride[TSR_BATCH] * count[TSR_BATCH];
}

static void lay_out(struct cache *c, const struct problem *p) {
  tsr_attention_desc *d = &c->d;
  int64_t rows = d->page_size ? d->page_size : d->len_kv, batch = d->page_size ? d->pages : 1;
  bool panels = d->layout_k == TSR_KV_PANELS;
  int64_t count_k[] = {batch, d->heads_kv, panels ? (rows + 63) / 64 : rows}, count[] = {batch, d->heads_kv, rows};
  int64_t k = cache_strides(d->stride_k, count_k, d->d_qk * (panels ? 64 : 1), in_blocks(d->type_k) ? 32 : 1,
                            p->seed % 2);
  int64_t v = cache_strides(d->stride_v, count, d->d_v, in_blocks(d->type_v) ? 64 : 2, p->seed % 3 == 0);
  int64_t scales = cache_strides(d->stride_scales, count, 1, 1, p->seed % 2);
  guarded_close(&c->k);
  canaries(&c->k, bytes_of(d->type_k, k), p);
  canaries(&c->v, bytes_of(d->type_v, v), p);
  canaries(&c->scales_k, (size_t)scales * 4, p);
  canaries(&c->scales_v, (size_t)scales * 4, p);
  d->scales_k = d->type_k == TSR_S8 ? (float *)c->scales_k.data : NULL;
  d->scales_v = d->type_v == TSR_S8 ? (float *)c->scales_v.data : NULL;
}

static void each_cache(void (*body)(struct cache *c, struct problem *p, tsr_context *context, struct rng *rng)) {
  for (int i = 0; i < 150; i++) {
    struct problem p;
    struct cache c = {0};
    struct rng rng = {test_seed() + (uint64_t)i};
    unsigned features = F_TYPES | (i % 2 ? F_QUANTISED : 0) | (i % 3 ? F_PANELS : 0) | (i % 5 < 2 ? F_PAGED : 0);
    problem_draw(&p, test_seed() * 11000 + (uint64_t)i, features, 2e4);
    if (p.d.len_kv > 0) {
      int32_t table[4096];
      open_cache(&c, &p, &rng);
      int64_t needed = p.d.page_size ? (p.d.len_kv + p.d.page_size - 1) / p.d.page_size : 0;
      c.d.pages = needed + 1;
      for (int64_t t = 0; t < needed; t++) table[t] = (int32_t)(needed - t);
      if (needed) c.d.block_table = table;
      lay_out(&c, &p);
      append(&c, contexts[i % ncontexts], &rng);
      body(&c, &p, contexts[i % ncontexts], &rng);
      close_cache(&c);
    }
    problem_close(&p);
  }
}

static void stored(struct cache *c, struct problem *p, tsr_context *context, struct rng *rng) {
  (void)p, (void)context, (void)rng;
  check_cache(c);
}

static void rows_are_stored(void **state) {
  (void)state;
  each_cache(stored);
}

/* Attention over the cache is attention over what it holds, as the reference reads it. */
static void attended(struct cache *c, struct problem *p, tsr_context *context, struct rng *rng) {
  struct problem q = *p;
  int32_t length = (int32_t)c->d.len_kv;
  (void)rng;
  if (p->d.len_q == 0) return;
  q.d = c->d;
  q.d.kv_lens = &length;
  q.fill = FILL_RANDOM;
  q.k = c->k.data;
  q.v = c->v.data;
  problem_expect(&q);
  struct view v = view_whole(&q, context, 2);
  check_view(&v, plain_call);
  float *all[] = {q.out, q.lse};
  double *more[] = {q.exact, q.bound, q.exact_lse, q.bound_lse};
  for (int i = 0; i < COUNT(all); i++) free(all[i]);
  for (int i = 0; i < COUNT(more); i++) free(more[i]);
}

static void caches_are_attended(void **state) {
  (void)state;
  each_cache(attended);
}

static float k[64 * 32], v[64 * 32], cache_k[64 * 32], cache_v[64 * 32];

static void refuses(const tsr_attention_desc *d, int64_t at, const tsr_kv_rows *rows, const char *named) {
  static float zeros[64 * 32];
  tsr_status status = tsr_kv_append(NULL, d, cache_k, cache_v, at, rows);
  if (status != TSR_INVALID_ARGUMENT || !strstr(tsr_last_error(), named))
    fail_msg("bad %s: %s: %s", named, tsr_status_string(status), tsr_last_error());
  assert_memory_equal(cache_k, zeros, sizeof zeros);
  assert_memory_equal(cache_v, zeros, sizeof zeros);
}

static void bad_rows(void **state) {
  (void)state;
  tsr_attention_desc good = TSR_ATTENTION_DESC, d;
  tsr_attention_set_sizes(&good, 1, 2, 2, 1, 16, 32, 32);
  const tsr_kv_rows right = {TSR_F32, k, v, {0, 32, 64}, {0, 32, 64}, 4};
  tsr_kv_rows rows = right;
  refuses(NULL, 0, &right, "desc");
  refuses(&good, 0, NULL, "rows");
  refuses(&good, -1, &right, "at");
  refuses(&good, 13, &right, "at");
  refuses(&good, INT64_MAX, &right, "at");
  rows.rows = -1;
  refuses(&good, 0, &rows, "rows");
  rows.rows = INT64_MAX;
  refuses(&good, 0, &rows, "rows");
  rows = right;
  rows.type = TSR_Q8_0;
  refuses(&good, 0, &rows, "type");
  rows = right;
  rows.k = NULL;
  refuses(&good, 0, &rows, "k");
  rows = right;
  rows.v = NULL;
  refuses(&good, 0, &rows, "v");
  rows = right;
  rows.stride_k[TSR_ROW] = -1;
  refuses(&good, 0, &rows, "stride_k");
  rows = right;
  rows.stride_v[TSR_HEAD] = INT64_MAX;
  refuses(&good, 0, &rows, "stride_v");
  assert_int_equal(tsr_kv_append(NULL, &good, NULL, cache_v, 0, &right), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_kv_append(NULL, &good, cache_k, NULL, 0, &right), TSR_INVALID_ARGUMENT);
#define BAD(field, value, named) \
  do {                           \
    d = good;                    \
    d.field = value;             \
    refuses(&d, 0, &right, named); \
  } while (0)
  BAD(size, 3, "desc");
  BAD(type_k, TSR_S32, "type_k");
  BAD(type_v, (tsr_type)0, "type_v");
  BAD(type_k, TSR_S8, "scales_k");
  BAD(d_qk, 0, "d_qk");
  BAD(d_v, 1025, "d_v");
  BAD(heads_kv, 0, "heads_kv");
  BAD(len_kv, -1, "len_kv");
  BAD(layout_k, (tsr_kv_layout)7, "layout_k");
  BAD(stride_k[TSR_ROW], -1, "stride_k");
  BAD(stride_v[TSR_HEAD], INT64_MAX, "stride_v");
  BAD(page_size, 16, "block_table");
  int32_t table[] = {5};
  d = good;
  d.page_size = 16;
  d.pages = 5;
  d.block_table = table;
  refuses(&d, 0, &right, "block_table");
}

int main(void) {
  const struct CMUnitTest tests[] = {gemm_unit_test(rows_are_stored), gemm_unit_test(caches_are_attended),
                                     gemm_unit_test(bad_rows)};
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
