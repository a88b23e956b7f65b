/* Lanes over keys, for few rows: S is [row][key], O and the sums [row][d], all rows at once. */
#include "src/attention/tile.h"

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
  bool turns = kernels->chip->goes_on && tsr_attention_units(&kernels->gemm, units, view->rows) < units;
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
  struct tsr_attention_layout at = {w->s, w->sums, w->ld_s, 1, d->d_v, 1};
  tsr_attention_multiply_carefully(w, view, &at, &pv, 0, (tsr_mem)w->s, true, w->v);
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

/* All rows of an item against one chunk with lanes over keys; false: they see none of it. */
static bool attend_rows(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk,
                        struct tsr_softmax *sm) {
  int64_t n = tsr_min(TSR_CHUNK, item->seq.keys - chunk);
  struct tsr_attention_view view = {.row = 0, .rows = item->rows};
  struct tsr_attention_keys v;
  if (n <= 0 || !tsr_attention_look(w, item, chunk, n, &view)) return false;
  tsr_attention_load_v(w, item, chunk, n, &v);
  *sm = tsr_attention_state(w, 0);
  tsr_attention_describe_rows(w, item, chunk, &view, sm);
  attend_keys(w, item, chunk, &view, &v, sm);
  return true;
}

bool tsr_attention_compute_chunk(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk) {
  struct tsr_softmax sm;
  tsr_attention_start(w, item->rows);
  return attend_rows(w, item, chunk, &sm);
}

void tsr_attention_advance(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk) {
  struct tsr_softmax sm;
  if (attend_rows(w, item, chunk, &sm)) merge_keys(w, item->rows, &sm);
}
