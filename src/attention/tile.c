/* Attention of one item: chunk by chunk and, within a chunk, tile by tile S = Q K', softmax, P V, merge.
 * Lanes over queries: S, O and the sums are [key or d][row], a tile of `width` rows at a time. Lanes over keys: S is
 * [row][key], O and the sums [row][d], all rows at once. */
#include <math.h>
#include <string.h>

#include "src/attention/attention.h"

/* Up to so many columns A comes from memory and is what counts. */
#define FEW_COLUMNS 64
/* Columns at once that keep the FMAs busy while the next lines of A arrive. */
#define ENOUGH_COLUMNS 7

/* Units of the next tile of rows. Many columns: the preferred tile. Few: the tallest that takes enough of them at once,
 * if need be a smaller one that leaves no rest. */
static int units_for(const struct tsr_tiles *tiles, int64_t left, int64_t cols) {
  int u = (int)tsr_min(left, cols > FEW_COLUMNS ? tiles->units : TSR_MAX_UNITS);
  int enough = cols > FEW_COLUMNS ? 1 : (int)tsr_min(cols, tsr_min(ENOUGH_COLUMNS, tiles->columns));
  while (u > 1 && tiles->max_columns[u] < enough) u--;
  for (int even = u; cols <= FEW_COLUMNS && 2 * even > u; even--)
    if (left % even == 0 && tiles->max_columns[even] >= enough) return even;
  return u;
}

void tsr_attention_multiply(const struct tsr_kernels *kernels, tsr_type type, struct tsr_step *step, int64_t rows,
                            int64_t cols, tsr_mem a, tsr_mem b, tsr_mem c) {
  const struct tsr_tiles *tiles = &kernels[type].gemm;
  for (int64_t left = tsr_ceil_div(rows, tiles->mu), u; left > 0; left -= u) {
    u = units_for(tiles, left, cols);
    int64_t tile_rows = u * tiles->mu;
    int most = tiles->max_columns[u], columns = u == tiles->units ? tiles->columns : most;
    step->m = tsr_min(rows, tile_rows);
    for (int64_t j = 0; j < cols; j += step->n) {
      int width = tsr_next_columns(cols - j, columns, most);
      step->n = width;
      step->db = width * step->csb;
      while (tsr_next_columns(cols - j - step->n, columns, most) == width) step->n += width;
      tiles->tile[u][width]->run(step, a, b + (tsr_mem)(j * step->csb), c + (tsr_mem)(j * step->csc));
    }
    a += (tsr_mem)tsr_bytes_of(type, tile_rows);
    c += (tsr_mem)(tile_rows * 4);
    rows -= tile_rows;
  }
}

bool tsr_attention_look(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk, int64_t n,
                        struct tsr_attention_view *view) {
  const struct tsr_attention_problem *p = w->problem;
  int64_t prefix = tsr_attention_prefix(p, &item->seq), row = item->row + view->row, group = p->group;
  int64_t first = n, last = 0, from, to;
  bool edge = false;
  for (int64_t i = row / group; i <= (row + view->rows - 1) / group; i++) {
    tsr_attention_sees(p, &item->seq, i, &from, &to);
    bool all = from <= chunk && to >= chunk + n;
    edge = edge || !all;
    if (to > from) first = tsr_min(first, tsr_max(0, from - chunk)), last = tsr_max(last, tsr_min(n, to - chunk));
  }
  if (prefix > chunk) first = 0, last = tsr_max(last, tsr_min(n, prefix - chunk));
  view->edge = edge;
  view->bias = NULL;
  view->base = first & ~(int64_t)15;
  view->end = last;
  if (first >= last) return false;
  if (!p->d.mask_type) return true;
  int64_t seen_from = chunk + view->base, seen_to = chunk + view->end;
  enum tsr_attention_mask mask = tsr_attention_load_mask(w, item, row, view->rows, &seen_from, &seen_to);
  if (mask != TSR_MASK_LOADED) return mask == TSR_MASK_SHOWS;
  int64_t base = (seen_from - chunk) & ~(int64_t)15;
  view->bias = w->bias + (base - view->base);
  view->base = base;
  view->end = seen_to - chunk;
  return true;
}

void tsr_attention_describe_rows(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk,
                                 const struct tsr_attention_view *view, struct tsr_softmax *sm) {
  const struct tsr_attention_problem *p = w->problem;
  int64_t column = chunk + view->base, from, to;
  bool slopes = p->d.alibi && !p->d.alibi_scales_mask;
  for (int64_t r = 0; r < view->rows && (view->edge || slopes); r++) {
    int64_t row = item->row + view->row + r, i = row / p->group;
    tsr_attention_sees(p, &item->seq, i, &from, &to);
    w->from[r] = (int32_t)(from - column);
    w->to[r] = (int32_t)(to - column);
    w->at[r] = (int32_t)(i + item->seq.shift - column);
    if (slopes) w->slope[r] = (float)(p->d.alibi[item->head * p->group + row % p->group] * TSR_LOG2_E);
  }
  sm->cap = p->cap;
  sm->slope = slopes ? w->slope : NULL;
  sm->from = view->edge ? w->from : NULL;
  sm->prefix = (int32_t)tsr_max(-1, tsr_attention_prefix(p, &item->seq) - column);
}

void tsr_attention_turn_bias(struct tsr_attention_worker *w, const struct tsr_attention_view *view,
                             struct tsr_softmax *sm) {
  int64_t width = w->way->width;
  if (!view->bias) return;
  tsr_attention_transpose(w, view->rows, width, view->end - view->base, view->bias, TSR_CHUNK, w->bias_t);
  sm->bias = (tsr_mem)w->bias_t;
  sm->bias_ld = width * 4;
}

static struct tsr_softmax state_of(struct tsr_attention_worker *w, int64_t row) {
  return (struct tsr_softmax){.max = w->max + row, .sum = w->sum + row, .keep = w->keep + row, .add = w->add + row,
                              .to = w->to, .at = w->at};
}

/* The chain of one element of P V in plain C, for the rows that a key with a NaN or Inf in its value really counts for. */
static float chain(const float *weight, int64_t next_weight, const float *value, int64_t next_value, int64_t n) {
  float s = 0;
  for (int64_t j = 0; j < n; j++) {
    float p = weight[j * next_weight], v = value[j * next_value];
    s = fmaf(p, p == 0 && v - v != 0 ? 0 : v, s);
  }
  return s;
}

/* Strides, in floats, of what PV reads and writes. */
struct layout {
  const float *s;
  float *sums;
  int64_t s_row, s_key, sums_row, sums_d;
};

/* Values that are not finite count as 0 in the product; then elements that one of weight > 0 reaches are done again. */
static void multiply_carefully(struct tsr_attention_worker *w, const struct tsr_attention_view *view,
                               const struct layout *at, struct tsr_step *step, tsr_mem a, tsr_mem b, bool values_are_a,
                               float *values) {
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

/* One tile with lanes over queries; the sums of P V are left in w->sums as [d][width]. */
static void attend_queries(struct tsr_attention_worker *w, const struct tsr_attention_view *view,
                           const struct tsr_attention_keys *k, const struct tsr_attention_keys *v,
                           struct tsr_softmax *sm) {
  const tsr_attention_desc *d = &w->problem->d;
  int64_t width = w->way->width, n = view->end - view->base, most = k->panel ? TSR_KV_PANEL : n;
  struct tsr_step qk = {.k = d->d_qk, .csa = width * 4, .rsb = k->step, .csb = k->next, .csc = width * 4,
                        .flags = TSR_STORE_SUM | TSR_NEAR};
  for (int64_t j = view->base, run; j < view->end; j += run) {
    int64_t panel = k->panel ? j / TSR_KV_PANEL : 0, within = k->panel ? j % TSR_KV_PANEL : j;
    run = tsr_min(view->end - j, most - (k->panel ? within : 0));
    tsr_attention_multiply(w->kernels, TSR_F32, &qk, view->rows, run, (tsr_mem)(w->q + view->row * d->d_qk),
                           k->at + (tsr_mem)(panel * k->panel + within * k->next),
                           (tsr_mem)(w->s + (j - view->base) * width));
  }
  tsr_attention_turn_bias(w, view, sm);
  struct tsr_step softmax = {.m = view->rows, .n = n, .csc = width * 4};
  w->kernels[TSR_F32].softmax->run(&softmax, 0, (tsr_mem)sm, (tsr_mem)w->s);
  struct tsr_step pv = {.k = n, .csa = width * 4, .rsb = v->next, .csb = v->step, .csc = width * 4,
                        .flags = TSR_STORE_SUM | TSR_NEAR};
  tsr_mem values = v->at + (tsr_mem)(view->base * v->next);
  if (!w->careful) {
    tsr_attention_multiply(w->kernels, TSR_F32, &pv, view->rows, d->d_v, (tsr_mem)w->s, values, (tsr_mem)w->sums);
    return;
  }
  struct layout at = {w->s, w->sums, 1, width, 1, width};
  multiply_carefully(w, view, &at, &pv, (tsr_mem)w->s, values, false, w->v);
}

/* What kernels fetch ahead of a stream of keys, or of values, from memory. */
#define KEYS_AHEAD 8192
#define VALUES_AHEAD 16384

/* Has keys brought near that are needed after key j of the chunk: its own, or those that come after it. */
static void fetch_after(const struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk,
                        int64_t j, int64_t end, int64_t n) {
  if (j < end)
    tsr_attention_fetch_keys(w, item, chunk + j, n);
  else if (w->next)
    tsr_attention_fetch_keys(w, w->next, w->next_key, n);
}

/* For more rows a panel of keys is worth its way through memory. */
#define MOST_TRANSPOSED 8

/* S of few rows against keys in blocks, which the kernels transpose on their way: tile by tile from key j of the view
 * on, as far as whole tiles go. Gives how many keys that were. */
static int64_t score_rows_of_keys(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk,
                                  const struct tsr_attention_view *view, int64_t j) {
  const struct tsr_attention_problem *p = w->problem;
  const struct tsr_tiles *tiles = &w->kernels[p->d.type_k].gemm_at;
  tsr_mem at;
  if (p->d.layout_k != TSR_KV_ROWS || !tsr_is_block(p->d.type_k) || view->rows > MOST_TRANSPOSED) return 0;
  int64_t run = tsr_attention_rows_of_keys(w, item, chunk + j, view->end - j, &at), next = p->step_k[TSR_ROW];
  int u = TSR_MAX_UNITS;
  while (u > 0 && (u * tiles->mu > run || !tiles->tile[u][view->rows])) u--;
  if (u == 0) return 0;
  int64_t tile = u * tiles->mu;
  struct tsr_step step = {.m = run / tile * tile, .n = view->rows, .k = p->d.d_qk, .rsa = next, .rsb = 4,
                          .csb = p->d.d_qk * 4, .csc = w->ld_s * 4, .da = tile * next, .dc = tile * 4,
                          .flags = TSR_STORE_SUM};
  tiles->tile[u][view->rows]->run(&step, at, (tsr_mem)w->q, (tsr_mem)(w->s + (j - view->base)));
  return step.m;
}

/* S of all rows against the keys of a view, a panel at a time: what was transposed is still near. */
static void score_keys(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk,
                       const struct tsr_attention_view *view) {
  const tsr_attention_desc *d = &w->problem->d;
  int64_t panel = tsr_attention_panel(d, view->rows);
  struct tsr_attention_keys k;
  struct tsr_step step = {.k = d->d_qk, .da = KEYS_AHEAD, .rsb = 4, .csb = d->d_qk * 4, .csc = w->ld_s * 4};
  for (int64_t j = view->base, run; j < view->end; j += run) {
    int64_t within = j % panel;
    run = score_rows_of_keys(w, item, chunk, view, j);
    if (run > 0) continue;
    run = tsr_min(view->end - j, panel - within);
    tsr_attention_load_panel(w, item, chunk + j - within, within + run, &k);
    if (d->layout_k == TSR_KV_ROWS) fetch_after(w, item, chunk, j + run, view->end, panel);
    step.csa = k.step;
    step.flags = TSR_STORE_SUM | (k.at == (tsr_mem)w->k ? TSR_NEAR : TSR_STREAM);
    tsr_attention_multiply(w->kernels, k.type, &step, run, view->rows, k.at + (tsr_mem)(within * k.next), (tsr_mem)w->q,
                           (tsr_mem)(w->s + (j - view->base)));
  }
}

/* Values whose strips are all taken before those of the next ones. */
#define KEYS_AT_ONCE 64

/* P V. Where a tile is narrower than a value, its strips take turns every few keys, so that values pass by once. */
static void weigh_values(struct tsr_attention_worker *w, const struct tsr_attention_view *view,
                         const struct tsr_attention_keys *v, struct tsr_step *step) {
  const struct tsr_kernels *kernels = &w->kernels[v->type];
  int64_t d_v = w->problem->d.d_v, units = tsr_ceil_div(d_v, kernels->gemm.mu);
  bool turns = kernels->chip->goes_on && units_for(&kernels->gemm, units, view->rows) < units;
  for (int64_t j = view->base, run; j < view->end; j += run) {
    run = turns ? tsr_min(KEYS_AT_ONCE, view->end - j) : view->end - j;
    step->k = run;
    step->flags = TSR_STORE_SUM | TSR_STREAM | (j > view->base ? TSR_GO_ON : 0);
    tsr_attention_multiply(w->kernels, v->type, step, d_v, view->rows, v->at + (tsr_mem)(j * v->next),
                           (tsr_mem)(w->s + (j - view->base)), (tsr_mem)w->sums);
  }
}

/* All rows with lanes over keys; the sums of P V are left in w->sums as [row][d]. */
static void attend_keys(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk,
                        const struct tsr_attention_view *view, const struct tsr_attention_keys *v,
                        struct tsr_softmax *sm) {
  const tsr_attention_desc *d = &w->problem->d;
  int64_t n = view->end - view->base, ahead = tsr_max(1, VALUES_AHEAD / tsr_bytes_of(v->type, tsr_round_up(d->d_v, 32)));
  score_keys(w, item, chunk, view);
  if (view->bias) {
    sm->bias = (tsr_mem)view->bias;
    sm->bias_ld = TSR_CHUNK * 4;
  }
  tsr_attention_fetch_values(w, v, view->base, tsr_min(n, ahead / 2));
  struct tsr_step softmax = {.m = view->rows, .n = n, .csc = w->ld_s * 4};
  w->kernels[TSR_F32].softmax_t->run(&softmax, 0, (tsr_mem)sm, (tsr_mem)w->s);
  struct tsr_step pv = {.k = n, .csa = v->next, .da = ahead * v->next, .rsb = 4, .csb = w->ld_s * 4,
                        .csc = d->d_v * 4, .flags = TSR_STORE_SUM};
  if (!w->careful) {
    weigh_values(w, view, v, &pv);
    fetch_after(w, item, chunk, view->end, view->end, ahead / 2);
    return;
  }
  struct layout at = {w->s, w->sums, w->ld_s, 1, d->d_v, 1};
  multiply_carefully(w, view, &at, &pv, 0, (tsr_mem)w->s, true, w->v);
}

static void merge_queries(struct tsr_attention_worker *w, const struct tsr_attention_view *view,
                          struct tsr_softmax *sm) {
  int64_t width = w->way->width, d_v = w->problem->d.d_v;
  struct tsr_step step = {.m = view->rows, .n = d_v, .csa = width * 4, .csc = width * 4};
  w->kernels[TSR_F32].merge->run(&step, (tsr_mem)w->sums, (tsr_mem)sm, (tsr_mem)(w->o + view->row * d_v));
}

static void merge_keys(struct tsr_attention_worker *w, int64_t rows, const struct tsr_softmax *sm) {
  int64_t d_v = w->problem->d.d_v;
  struct tsr_step step = {.m = d_v, .n = 1};
  for (int64_t r = 0; r < rows; r++) {
    step.alpha = sm->add[r];
    step.beta = sm->keep[r];
    w->kernels[TSR_F32].update->run(&step, (tsr_mem)(w->sums + r * d_v), 0, (tsr_mem)(w->o + r * d_v));
  }
}

void tsr_attention_start(struct tsr_attention_worker *w, int64_t rows) {
  for (int64_t r = 0; r < rows; r++) w->max[r] = -INFINITY, w->sum[r] = 0;
}

/* All rows of an item against one chunk with lanes over keys; false: they see none of it. */
static bool attend_rows(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk,
                        struct tsr_softmax *sm) {
  int64_t n = tsr_min(TSR_CHUNK, item->seq.keys - chunk);
  struct tsr_attention_view view = {.row = 0, .rows = item->rows};
  struct tsr_attention_keys v;
  if (n <= 0 || !tsr_attention_look(w, item, chunk, n, &view)) return false;
  tsr_attention_load_v(w, item, chunk, n, &v);
  *sm = state_of(w, 0);
  tsr_attention_describe_rows(w, item, chunk, &view, sm);
  attend_keys(w, item, chunk, &view, &v, sm);
  return true;
}

bool tsr_attention_compute_chunk(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk) {
  struct tsr_softmax sm;
  tsr_attention_start(w, item->rows);
  return attend_rows(w, item, chunk, &sm);
}

/* All tiles of an item against one chunk with lanes over queries; its keys and values are loaded when the first tile
 * sees some of them. */
static void attend_tiles(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk) {
  int64_t n = tsr_min(TSR_CHUNK, item->seq.keys - chunk), width = w->way->width;
  struct tsr_attention_keys k, v;
  bool loaded = false;
  for (int64_t row = 0; row < item->rows; row += width) {
    struct tsr_attention_view view = {.row = row, .rows = tsr_min(width, item->rows - row)};
    struct tsr_softmax sm = state_of(w, row);
    if (!tsr_attention_look(w, item, chunk, n, &view)) continue;
    if (!loaded) {
      tsr_attention_load_k(w, item, chunk, n, &k);
      tsr_attention_load_v(w, item, chunk, n, &v);
      loaded = true;
    }
    tsr_attention_describe_rows(w, item, chunk, &view, &sm);
    attend_queries(w, &view, &k, &v, &sm);
    merge_queries(w, &view, &sm);
  }
}

void tsr_attention_range_of(const struct tsr_attention_problem *p, const struct tsr_attention_item *item,
                            int64_t *first, int64_t *end) {
  int64_t group = p->group, from, to, ignored;
  tsr_attention_sees(p, &item->seq, item->row / group, &from, &ignored);
  tsr_attention_sees(p, &item->seq, (item->row + item->rows - 1) / group, &ignored, &to);
  int64_t prefix = tsr_attention_prefix(p, &item->seq);
  if (prefix > 0) from = 0, to = tsr_max(to, prefix);
  *first = from / TSR_CHUNK * TSR_CHUNK;
  *end = to;
}

void tsr_attention_advance(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk) {
  struct tsr_softmax sm;
  if (attend_rows(w, item, chunk, &sm)) merge_keys(w, item->rows, &sm);
}

static void run_chunks(struct tsr_attention_worker *w, const struct tsr_attention_item *item) {
  int64_t chunk, end;
  tsr_attention_start(w, item->rows);
  tsr_attention_range_of(w->problem, item, &chunk, &end);
  w->next = item;
  for (; chunk < end; chunk += TSR_CHUNK) {
    w->next_key = chunk + TSR_CHUNK;
    (w->way->lanes == TSR_LANES_QUERIES ? attend_tiles : tsr_attention_advance)(w, item, chunk);
  }
}

void tsr_attention_end(struct tsr_attention_worker *w, const struct tsr_attention_item *item) {
  if (tsr_attention_is_spoilt(w, item, w->o)) {
    w->careful = true;
    run_chunks(w, item);
  }
  tsr_attention_finish(w, item);
}

void tsr_attention_compute(struct tsr_attention_worker *w, const struct tsr_attention_item *item) {
  tsr_attention_load_q(w, item);
  w->careful = false;
  run_chunks(w, item);
  tsr_attention_end(w, item);
}
