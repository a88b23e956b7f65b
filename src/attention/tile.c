/* What both ways of the lanes share: products on tiles, and what of a chunk a tile's rows see. */
#include "src/attention/tile.h"

/* Up to so many columns A comes from memory and is what counts. */
#define FEW_COLUMNS 64
/* Columns at once that keep the FMAs busy while the next lines of A arrive. */
#define ENOUGH_COLUMNS 7

/* Many columns: the preferred tile. Few: the tallest that takes enough of them at once, if need be a smaller one that
 * leaves no rest. */
int tsr_attention_units(const struct tsr_tiles *tiles, int64_t left, int64_t cols) {
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
    u = tsr_attention_units(tiles, left, cols);
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

struct tsr_softmax tsr_attention_state(struct tsr_attention_worker *w, int64_t row) {
  return (struct tsr_softmax){.max = w->max + row, .sum = w->sum + row, .keep = w->keep + row, .add = w->add + row,
                              .to = w->to, .at = w->at};
}
