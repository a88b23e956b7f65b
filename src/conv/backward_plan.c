/* How the gradient of weights is computed: along what lanes run, which tile, what an item of work is. */
#include "src/conv/backward.h"
#include "src/core/topology.h"
#include "src/gemm/gemm.h"

#define ITEMS_PER_THREAD 4
/* Bytes of a worker's copy of either side, as far as it can be less. */
#define MOST_BAND ((int64_t)2 << 20)
/* Lanes over channels read pixels where they are if these are not too far apart for the tables of pages. */
#define MOST_APART 512
/* A pixel that becomes part of a line costs as much as so many that stay in a row. */
#define TURN_COST 2

struct tsr_dw_taps tsr_dw_taps_of(const struct tsr_dw *w, int64_t index) {
  struct tsr_dw_taps taps = {.any = false};
  for (int i = 2; i >= 0; i--) {
    bool split = i < w->level;
    taps.count[i] = split ? 1 : w->dim[i].kernel;
    taps.first[i] = split ? index % w->dim[i].kernel : 0;
    if (split) index /= w->dim[i].kernel;
  }
  return taps;
}

int64_t tsr_dw_boxes_of_taps(const struct tsr_dw *w) {
  int64_t n = 1;
  for (int i = 0; i < w->level; i++) n *= w->dim[i].kernel;
  return n;
}

static void set_level(struct tsr_dw *w, int level) {
  int64_t pixels;
  w->level = level;
  w->pixels = w->boxes = 0;
  struct tsr_dw_taps taps = tsr_dw_taps_of(w, 0);
  taps.any = true;
  for (int64_t b = 0; b * w->kb < w->numbers; b++) {
    w->boxes = tsr_max(w->boxes, tsr_dw_boxes(w, &taps, b, NULL, &pixels));
    w->pixels = tsr_max(w->pixels, pixels);
  }
}

/* How much of the lanes so many rows use, for a kernel that does so many fma a cycle. */
static int64_t use(int64_t rows, int64_t mu, int64_t rate) { return 1024 * rate * rows / tsr_round_up(rows, mu); }

/* With one column, and with lanes over groups, there is a load for each fma. */
static void choose_lanes(const struct tsr_kernels *kernels, struct tsr_dw *w) {
  int64_t wide = w->wide.channels, dense = w->dense.channels, mu = kernels->conv.mu;
  int64_t by_wide = use(wide, mu, dense > 1 ? 2 : 1), by_dense = use(dense, mu, wide > 1 ? 2 : 1);
  int64_t by_groups = kernels->conv_lanes.mu ? use(w->groups, kernels->conv_lanes.mu, 1) : 0;
  w->lanes = TSR_DW_WIDE;
  if (8 * by_dense > 9 * by_wide) w->lanes = TSR_DW_DENSE;
  if (w->groups > 1 && by_groups > tsr_max(by_wide, by_dense)) w->lanes = TSR_DW_GROUPS;
}

/* Two fma or two loads a cycle, and the latency of an fma. */
static void choose_tile(struct tsr_dw *w, int64_t columns) {
  int64_t vectors = tsr_ceil_div(w->all_lanes, w->tiles->mu), best = INT64_MAX;
  for (int u = 1; u <= TSR_MAX_UNITS; u++) {
    if (!w->tiles->max_columns[u] || (u > 1 && u > vectors)) continue;
    int64_t c = tsr_min(w->tiles->max_columns[u], columns), loads = w->lanes == TSR_DW_GROUPS ? u + u * c : u + c;
    int64_t cost = tsr_ceil_div(vectors, u) * tsr_ceil_div(columns, c) * tsr_max(tsr_max(u * c, loads), 8);
    if (cost >= best) continue;
    best = cost;
    w->units = u;
    w->columns = (int)c;
  }
}

int64_t tsr_dw_items(const struct tsr_dw *w) {
  int64_t groups = w->lanes == TSR_DW_GROUPS ? 1 : w->groups;
  return groups * tsr_ceil_div(w->panels, w->item_panels) * tsr_ceil_div(w->all_columns, w->item_columns) *
         tsr_dw_boxes_of_taps(w);
}

/* Pixels of a side that are copied. */
static int64_t pixels_of(const struct tsr_dw *w, bool wide) {
  return wide ? w->pixels : w->dense_stays ? 0 : tsr_min(w->kb, w->numbers);
}

static bool is_large(const struct tsr_dw *w, int64_t l2) {
  int64_t lanes = w->item_panels * w->mr, columns = w->item_columns;
  struct tsr_dw_taps taps = tsr_dw_taps_of(w, 0);
  if (w->lanes == TSR_DW_GROUPS)
    return lanes * w->size * tsr_max(w->pixels * w->wide.channels, pixels_of(w, false) * w->dense.channels) > MOST_BAND;
  bool wide = w->lanes == TSR_DW_WIDE;
  return lanes * columns * tsr_dw_count(&taps) * w->size > l2 / 2 ||
         tsr_max(lanes * pixels_of(w, wide), columns * pixels_of(w, !wide)) * w->size > MOST_BAND;
}

/* Halves an item along what costs least: more items along the lanes copy the columns' side more often, and the other
 * way round. False: it is as small as it gets. */
static bool cut(struct tsr_dw *w) {
  bool wide = w->lanes == TSR_DW_WIDE, panels = w->item_panels > 1, columns = w->item_columns > w->columns;
  bool taps = w->level < (w->lanes == TSR_DW_GROUPS ? 2 : 3);
  int64_t more_panels = TURN_COST * w->all_columns * pixels_of(w, !wide) * tsr_ceil_div(w->panels, w->item_panels);
  int64_t more_columns = w->all_lanes * pixels_of(w, wide) * tsr_ceil_div(w->all_columns, w->item_columns);
  if (taps && ((!panels && !columns) || w->pixels > 8 * w->kb))
    set_level(w, w->level + 1);
  else if (panels && (!columns || more_panels < more_columns))
    w->item_panels = tsr_ceil_div(w->item_panels, 2);
  else if (columns)
    w->item_columns = tsr_round_up(tsr_ceil_div(w->item_columns, 2), w->columns);
  else
    return false;
  return true;
}

/* Whether the kernels can take panels of a side as it lies. `whole`: vectors are read as a whole. */
static bool stays(const struct tsr_dw *w, const struct tsr_dw_side *side, bool whole) {
  bool groups = w->lanes == TSR_DW_GROUPS;
  if (!side->last || side->t.type != w->type || (groups && side->channels > 1)) return false;
  return (!whole || w->all_lanes % w->tiles->mu == 0) && (groups || side->t.dim[2] <= MOST_APART);
}

void tsr_dw_plan(const tsr_context *context, struct tsr_dw *w, int most_threads, int *threads) {
  const struct tsr_topology *machine = tsr_topology_get();
  int64_t l2 = (int64_t)machine->level[machine->nlevels > 1].bytes;
  const struct tsr_kernels *kernels = &context->kernels[w->type];
  int64_t work = tsr_saturating(tsr_saturating(w->numbers, w->taps * w->groups), w->wide.channels * w->dense.channels);
  choose_lanes(kernels, w);
  bool groups = w->lanes == TSR_DW_GROUPS, wide = w->lanes == TSR_DW_WIDE;
  w->tiles = groups ? &kernels->conv_lanes : &kernels->conv;
  w->all_lanes = groups ? w->groups : wide ? w->wide.channels : w->dense.channels;
  w->all_columns = groups ? 1 : wide ? w->dense.channels : w->wide.channels;
  choose_tile(w, groups ? w->dim[2].kernel : w->all_columns);
  w->mr = (int64_t)w->units * w->tiles->mu;
  w->panels = w->item_panels = tsr_ceil_div(w->all_lanes, w->mr);
  w->item_columns = w->all_columns;
  w->staged = !wide || !w->last || w->d->type_w != w->type;
  w->wide_stays = w->lanes != TSR_DW_DENSE && stays(w, &w->wide, wide);
  w->dense_stays = !wide && stays(w, &w->dense, true);
  set_level(w, 0);
  *threads = tsr_gemm_threads_for(most_threads, work);
  int64_t wanted = *threads > 1 ? *threads * ITEMS_PER_THREAD : 1;
  while ((is_large(w, l2) || tsr_dw_items(w) < wanted) && cut(w)) {}
  if (tsr_dw_items(w) < *threads) *threads = (int)tsr_dw_items(w);
}
