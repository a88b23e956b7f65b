/* Lanes over queries: S, O and the sums are [key or d][row], a tile of `width` rows at a time. */
#include "src/attention/tile.h"

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
  struct tsr_attention_layout at = {w->s, w->sums, 1, width, 1, width};
  tsr_attention_multiply_carefully(w, view, &at, &pv, (tsr_mem)w->s, values, false, w->v);
}

static void merge_queries(struct tsr_attention_worker *w, const struct tsr_attention_view *view,
                          struct tsr_softmax *sm) {
  int64_t width = w->way->width, d_v = w->problem->d.d_v;
  struct tsr_step step = {.m = view->rows, .n = d_v, .csa = width * 4, .csc = width * 4};
  w->kernels[TSR_F32].merge->run(&step, (tsr_mem)w->sums, (tsr_mem)sm, (tsr_mem)(w->o + view->row * d_v));
}

/* All tiles of an item against one chunk with lanes over queries; its keys and values are loaded when the first tile
 * sees some of them. */
void tsr_attention_attend_tiles(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk) {
  int64_t n = tsr_min(TSR_CHUNK, item->seq.keys - chunk), width = w->way->width;
  struct tsr_attention_keys k, v;
  bool loaded = false;
  for (int64_t row = 0; row < item->rows; row += width) {
    struct tsr_attention_view view = {.row = row, .rows = tsr_min(width, item->rows - row)};
    struct tsr_softmax sm = tsr_attention_state(w, row);
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
