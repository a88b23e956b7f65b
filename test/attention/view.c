/* Calls that must give rows of a problem: fewer sequences, heads or queries of it; planned; in parts of the keys. */
#include <math.h>

#include "src/core/memory.h"
#include "test/attention/attention_test.h"

int refused, accepted, impossible_plans;

struct view view_whole(const struct problem *p, tsr_context *context, int threads) {
  return (struct view){p, context, threads, p->d, p->q, p->k, p->v, 0, 0, 0, -1, ""};
}

static const void *ahead(const void *from, tsr_type type, int64_t elements) {
  return from ? (const char *)from + bytes_of(type, elements) : NULL;
}

/* Moves k, v and what goes with them by sequences, heads and rows. Offsets of ragged batches begin with 0. */
static void move_kv(struct view *v, int64_t b, int64_t h, int64_t j) {
  tsr_attention_desc *d = &v->d;
  int64_t unit = d->layout_k == TSR_KV_PANELS ? TSR_KV_PANEL : 1, scales = h * d->stride_scales[1];
  int64_t k = h * d->stride_k[1], values = h * d->stride_v[1];
  if (d->page_size) {
    d->block_table += b * d->stride_table + j / d->page_size;
  } else {
    int64_t row = (d->cu_kv ? d->cu_kv[b] : 0) + j, sequence = d->cu_kv ? 0 : b;
    k += sequence * d->stride_k[0] + row / unit * d->stride_k[2];
    values += sequence * d->stride_v[0] + row * d->stride_v[2];
    scales += sequence * d->stride_scales[0] + row * d->stride_scales[2];
  }
  v->k = ahead(v->k, d->type_k, k);
  v->v = ahead(v->v, d->type_v, values);
  if (d->scales_k) d->scales_k += scales;
  if (d->scales_v) d->scales_v += scales;
}

static void move_mask(struct view *v, int64_t b, int64_t h, int64_t i, int64_t j) {
  tsr_attention_desc *d = &v->d;
  if (d->mask_type)
    d->mask = ahead(d->mask, d->mask_type, b * d->stride_mask[0] + h * d->stride_mask[1] + i * d->stride_mask[2] + j);
}

bool view_sequence(struct view *v, int64_t b) {
  tsr_attention_desc *d = &v->d;
  int64_t first = d->cu_q ? d->cu_q[b] * d->stride_q[2] : b * d->stride_q[0];
  v->q = ahead(v->q, d->type_q, first);
  move_kv(v, b, 0, 0);
  move_mask(v, b, 0, 0, 0);
  d->len_q = q_rows(d, b);
  if (d->cu_kv) d->len_kv = kv_rows(d, b);
  if (d->kv_lens) d->kv_lens += b;
  if (d->cu_kv) d->kv_lens = NULL;
  d->cu_q = d->cu_kv = NULL;
  d->batch = 1;
  v->b0 += b;
  return true;
}

bool view_heads(struct view *v, int64_t h, int64_t heads) {
  tsr_attention_desc *d = &v->d;
  int64_t group = d->heads_q / d->heads_kv;
  bool whole_groups = h % group == 0 && heads % group == 0;
  if (!whole_groups && h / group != (h + heads - 1) / group) return false;
  v->q = ahead(v->q, d->type_q, h * d->stride_q[1]);
  move_kv(v, 0, h / group, 0);
  move_mask(v, 0, h, 0, 0);
  if (d->alibi) d->alibi += h;
  if (d->sinks) d->sinks += h;
  d->heads_q = heads;
  d->heads_kv = whole_groups ? heads / group : 1;
  v->h0 += h;
  return true;
}

static bool positions_matter(const tsr_attention_desc *d) {
  return d->causal || d->window_left >= 0 || d->window_right >= 0 || (d->alibi && !d->alibi_scales_mask);
}

/* The last of the queries stands where it stood: behind it keys are cut off (a cache as it was then) or, where they are
 * seen, counted by all_keys. */
bool view_queries(struct view *v, int64_t i, int64_t queries) {
  tsr_attention_desc *d = &v->d;
  if (d->batch != 1 || d->cu_q || d->cu_kv) return false;
  if (positions_matter(d)) {
    int64_t end = position_of(d, 0, i + queries - 1) + 1, last = d->first_key + kv_rows(d, 0);
    bool cut = d->causal && d->prefix <= end && end > d->first_key && end < last;
    if (!cut && end < last) return false;
    if (d->causal == TSR_CAUSAL_TOP_LEFT) d->causal = TSR_CAUSAL_BOTTOM_RIGHT;
    d->all_keys = cut ? 0 : end;
    if (cut && (d->kv_lens || d->page_size))
      v->one_length = (int32_t)(end - d->first_key);
    else if (cut)
      d->len_kv = end - d->first_key;
  }
  v->q = ahead(v->q, d->type_q, i * d->stride_q[2]);
  move_mask(v, 0, 0, i, 0);
  d->len_q = queries;
  v->i0 += i;
  return true;
}

tsr_attention_desc view_desc(const struct view *v) {
  tsr_attention_desc d = v->d;
  if (v->one_length >= 0) d.kv_lens = &v->one_length;
  if (v->words[0]) d.plan = v->words;
  return d;
}

int64_t out_at(const tsr_attention_desc *d, int64_t b, int64_t h, int64_t i) {
  int64_t row = d->cu_q ? (d->cu_q[b] + i) * d->stride_out[2] : b * d->stride_out[0] + i * d->stride_out[2];
  return row + h * d->stride_out[1];
}

int64_t lse_at(const tsr_attention_desc *d, int64_t b, int64_t h, int64_t i) {
  return d->cu_q ? h * d->cu_q[d->batch] + d->cu_q[b] + i : (b * d->heads_q + h) * d->len_q + i;
}

static int64_t queries_of(const tsr_attention_desc *d) { return d->cu_q ? d->cu_q[d->batch] : d->batch * d->len_q; }

int64_t out_extent(const tsr_attention_desc *d) {
  if (queries_of(d) == 0) return 0;
  int64_t rows = d->cu_q ? d->cu_q[d->batch] : d->len_q, sequences = d->cu_q ? 1 : d->batch;
  return (sequences - 1) * d->stride_out[0] + (d->heads_q - 1) * d->stride_out[1] + (rows - 1) * d->stride_out[2] +
         d->d_v;
}

int64_t lse_extent(const tsr_attention_desc *d) { return queries_of(d) * d->heads_q; }

/* Ways to compute, all in memory full of NaN. */

tsr_status plain_call(const struct view *v, void *out, float *lse) {
  enum { BYTES = 1 << 20 };
  void *scratch = tsr_scratch_get(TSR_SCRATCH_A, BYTES);
  if (scratch) memset(scratch, 0xff, BYTES);
  tsr_attention_desc d = view_desc(v);
  return tsr_attention(v->context, &d, v->q, v->k, v->v, out, lse);
}

/* Planned for more, run on this; the workspace ends at a page that cannot be touched. */
tsr_status planned_call(const struct view *v, void *out, float *lse) {
  tsr_attention_desc d = view_desc(v), most = d;
  tsr_attention_plan *plan = NULL;
  struct guarded workspace;
  if (d.batch == 1 && d.stride_out[TSR_ROW] >= d.stride_out[TSR_HEAD] * d.heads_q) most.len_q += v->p->seed % 3 * 20;
  most.len_kv += v->p->seed % 4 * 100;
  tsr_status status = tsr_attention_plan_create(v->context, &most, &plan);
  if (status != TSR_OK) return status;
  guarded_open(&workspace, (tsr_attention_plan_workspace(plan) + 63) / 64 * 64, PLACE_END, 0);
  memset(workspace.data, 0xff, workspace.bytes);
  status = tsr_attention_run(plan, &d, v->q, v->k, v->v, out, lse, workspace.data);
  guarded_close(&workspace);
  tsr_attention_plan_destroy(plan);
  return status;
}

enum { CHUNK = 256, MOST_BATCH = 8 };

/* One part of the keys: chunks from .. to of the view, states behind those of the parts before. */
static tsr_status part(const struct view *v, int64_t from, int64_t to, float *states) {
  struct view w = *v;
  int32_t lens[MOST_BATCH];
  tsr_attention_desc d = view_desc(v);
  int64_t rows = lse_extent(&d), all = d.all_keys ? d.all_keys : d.first_key + kv_rows(&d, 0);
  move_kv(&w, 0, 0, from * CHUNK);
  move_mask(&w, 0, 0, 0, from * CHUNK);
  w.d.kv_lens = NULL;
  for (int64_t b = 0; d.kv_lens && b < d.batch; b++) {
    int64_t n = d.kv_lens[b] - from * CHUNK;
    lens[b] = (int32_t)(n < 0 ? 0 : n > (to - from) * CHUNK ? (to - from) * CHUNK : n);
    w.d.kv_lens = lens;
  }
  if ((to - from) * CHUNK < w.d.len_kv - from * CHUNK)
    w.d.len_kv = (to - from) * CHUNK;
  else
    w.d.len_kv -= from * CHUNK;
  w.d.first_key += from * CHUNK;
  w.d.all_keys = all;
  w.d.sinks = NULL;
  w.d.result = TSR_ATTENTION_PARTIAL;
  size_t bytes = (size_t)((to - from) * rows * (d.d_v + 2)) * sizeof(float);
  assert_int_equal(tsr_attention_partial_size(&w.d), bytes);
  struct guarded exact;
  guarded_open(&exact, bytes, PLACE_END, 0);
  memset(exact.data, 0xff, bytes);
  tsr_status status = tsr_attention(w.context, &w.d, w.q, w.k, w.v, exact.data, NULL);
  memcpy(states + from * rows * (d.d_v + 2), exact.data, bytes);
  guarded_close(&exact);
  return status;
}

/* The sinks as one chunk more: a key of their score without a value. */
static void sink_states(const tsr_attention_desc *d, float *states) {
  for (int64_t b = 0; b < d->batch; b++)
    for (int64_t h = 0; h < d->heads_q; h++)
      for (int64_t i = 0; i < q_rows(d, b); i++) {
        float *state = states + lse_at(d, b, h, i) * (d->d_v + 2);
        memset(state, 0, (size_t)(d->d_v + 2) * sizeof *state);
        state[0] = (float)((double)d->sinks[h] * M_LOG2E);
        state[1] = 1;
      }
}

static void scatter(const tsr_attention_desc *d, const char *rows, char *out) {
  size_t bytes = bytes_of(d->type_out, d->d_v);
  for (int64_t b = 0; b < d->batch; b++)
    for (int64_t h = 0; h < d->heads_q; h++)
      for (int64_t i = 0; i < q_rows(d, b); i++)
        memcpy(out + bytes_of(d->type_out, out_at(d, b, h, i)), rows + (size_t)lse_at(d, b, h, i) * bytes, bytes);
}

static int64_t longest(const tsr_attention_desc *d) {
  int64_t most = 0;
  for (int64_t b = 0; b < d->batch; b++) most = kv_rows(d, b) > most ? kv_rows(d, b) : most;
  return most;
}

static tsr_status parts_and_merge(const struct view *v, const tsr_attention_desc *d, void *out, float *lse) {
  int64_t rows = lse_extent(d), chunks = (longest(d) + CHUNK - 1) / CHUNK, step = 1 + (int64_t)(v->p->seed % 3);
  float *states = malloc((size_t)((chunks + 1) * rows * (d->d_v + 2)) * sizeof *states + 1);
  char *whole = malloc(bytes_of(d->type_out, rows * d->d_v) + 1);
  tsr_status status = TSR_OK;
  for (int64_t c = 0; c < chunks && status == TSR_OK; c += step)
    status = part(v, c, c + step < chunks ? c + step : chunks, states);
  if (d->sinks) sink_states(d, states + chunks++ * rows * (d->d_v + 2));
  if (status == TSR_OK)
    status = tsr_attention_merge(v->context, chunks, rows, d->d_v, states, d->type_out, whole, d->d_v, lse);
  if (status == TSR_OK) scatter(d, whole, out);
  free(states);
  free(whole);
  return status;
}

/* One all_keys stands for all sequences, and pages begin where parts do; other views are computed at once. */
tsr_status in_parts(const struct view *v, void *out, float *lse) {
  tsr_attention_desc d = view_desc(v);
  bool possible = longest(&d) > 0 && d.batch <= MOST_BATCH && !d.cu_kv && (!d.page_size || CHUNK % d.page_size == 0);
  for (int64_t b = 1; b < d.batch; b++) possible = possible && (d.all_keys || kv_rows(&d, b) == kv_rows(&d, 0));
  return possible ? parts_and_merge(v, &d, out, lse) : plain_call(v, out, lse);
}

/* Comparing. */

enum { CANARY = 0xa5 };

static bool same_value(tsr_type type, const char *got, float want) {
  char expected[4];
  if (want != want) {
    float x = load(type, got);
    return x != x;
  }
  store(type, expected, want);
  return memcmp(got, expected, bytes_of(type, 1)) == 0;
}

static bool say(const struct view *v, char *why, const char *format, ...) {
  char text[WHY - 220];
  va_list args;
  problem_text(v->p, text, sizeof text);
  int used = snprintf(why, WHY, "%s; %s, %d threads, from %lld/%lld/%lld %s: ", text, tsr_context_isa(v->context),
                      v->threads, (long long)v->b0, (long long)v->h0, (long long)v->i0, v->words);
  va_start(args, format);
  vsnprintf(why + used, (size_t)(WHY - used), format, args);
  va_end(args);
  return false;
}

static bool row_holds(const struct view *v, const tsr_attention_desc *d, int64_t b, int64_t h, int64_t i,
                      const char *out, const float *lse, char *used, char *why) {
  const struct problem *p = v->p;
  int64_t row = row_of(&p->d, v->b0 + b, v->h0 + h, v->i0 + i), at = out_at(d, b, h, i);
  for (int64_t e = 0; e < d->d_v; e++) {
    const char *got = out + bytes_of(d->type_out, at + e);
    memset(used + bytes_of(d->type_out, at + e), 1, bytes_of(d->type_out, 1));
    if (!same_value(d->type_out, got, p->out[row * d->d_v + e]))
      return say(v, why, "out[%lld][%lld][%lld][%lld] is %a, not %a", (long long)b, (long long)i, (long long)h,
                 (long long)e, (double)load(d->type_out, got), (double)p->out[row * d->d_v + e]);
  }
  if (lse && !same_value(TSR_F32, (const char *)(lse + lse_at(d, b, h, i)), p->lse[row]))
    return say(v, why, "lse[%lld][%lld][%lld] is %a, not %a", (long long)b, (long long)h, (long long)i,
               (double)lse[lse_at(d, b, h, i)], (double)p->lse[row]);
  return true;
}

static bool results_hold(const struct view *v, const tsr_attention_desc *d, const struct guarded *out, const float *lse,
                         char *why) {
  char *used = calloc(1, out->bytes + 1);
  bool holds = true;
  for (int64_t b = 0; holds && b < d->batch; b++)
    for (int64_t h = 0; holds && h < d->heads_q; h++)
      for (int64_t i = 0; holds && i < q_rows(d, b); i++) holds = row_holds(v, d, b, h, i, out->data, lse, used, why);
  for (size_t i = 0; holds && i < out->bytes; i++)
    if (!used[i] && (unsigned char)out->data[i] != CANARY)
      holds = say(v, why, "byte %zu between rows of out was written", i);
  free(used);
  return holds;
}

static bool untouched(const struct guarded *g) {
  for (size_t i = 0; i < g->bytes; i++)
    if ((unsigned char)g->data[i] != CANARY) return false;
  return true;
}

bool view_holds(const struct view *v, compute *how, bool with_lse, char *why) {
  tsr_attention_desc d = view_desc(v);
  struct guarded out, lse;
  bool holds;
  guarded_open(&out, bytes_of(d.type_out, out_extent(&d)), v->p->place, v->p->shift);
  guarded_open(&lse, (size_t)lse_extent(&d) * sizeof(float), v->p->place, 4);
  memset(out.data, CANARY, out.bytes);
  memset(lse.data, CANARY, lse.bytes);
  tsr_set_num_threads(v->context, v->threads);
  tsr_status status = how(v, out.data, with_lse ? (float *)lse.data : NULL);
  tsr_set_num_threads(v->context, 0);
  if (status == TSR_OK) {
    accepted++;
    holds = results_hold(v, &d, &out, with_lse ? (const float *)lse.data : NULL, why);
  } else {
    bool plan = v->words[0] && status == TSR_INVALID_ARGUMENT && strncmp(tsr_last_error(), "plan:", 5) == 0;
    *(plan ? &impossible_plans : &refused) += 1;
    holds = ((plan || status == TSR_UNSUPPORTED) && untouched(&out) && untouched(&lse)) ||
            say(v, why, "%s: %s", tsr_status_string(status), tsr_last_error());
  }
  guarded_close(&out);
  guarded_close(&lse);
  return holds;
}

void check_view(const struct view *v, compute *how) {
  char why[WHY];
  if (!view_holds(v, how, true, why)) fail_msg("%s", why);
}
