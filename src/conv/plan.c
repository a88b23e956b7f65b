/* The rule of thumb: along what lanes run, which tile, what stays near, how work is cut into pieces. */
#include "src/conv/conv.h"
#include "src/conv/near.h"
#include "src/conv/planes.h"
#include "src/core/threads.h"
#include "src/core/topology.h"
#include "src/gemm/gemm.h"

/* Pieces for a thread to claim: a slow core holds the others up by a part of one. */
#define PIECES_PER_THREAD 4
/* Pixels that a block of weights is used for before it is left: it comes from far away. */
#define PIXELS_PER_BLOCK 1024
/* Longer rows are cut: lists of their taps take memory. */
#define TILES_IN_ROW 64
/* Multiplications of depthwise convolution take so much longer: it waits for memory. */
#define READS_PER_WORK 6
/* Pixels so far apart take the same lines of the first cache, whatever the CPU: more of them than it has ways. */
#define WAY_BYTES 4096
#define LINE_BYTES 64
/* Columns of a tile of depthwise convolution: edges cost more the fewer there are. */
#define LEAST_COLUMNS 7
/* Lines of the first cache's sets that the pixels of a tile may take; weights need room as well. */
#define LINES_PER_SET 7

static bool may_run_over_groups(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p) {
  return p->groups > 1 && kernels->conv_lanes.mu;
}

static bool lanes_over_groups(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p) {
  return may_run_over_groups(kernels, p) && 2 * p->kg <= kernels->conv.mu && p->groups > p->kg;
}

/* Rough cycles of one tap for a tile of so many vectors and columns: two fma, or two loads, a cycle; the latency of an
 * fma; `lines` of weights from the second cache. Lanes over groups load for every fma. In tenths. */
static int64_t tap_cycles(bool groups, int64_t vectors, int64_t lines, int64_t columns) {
  int64_t fma = 5 * vectors * columns, loads = 5 * (vectors + (groups ? vectors * columns : columns));
  return tsr_max(tsr_max(fma, loads), tsr_max(40, 20 * lines)) + vectors + columns + 3 * lines;
}

/* The same for a row of outputs and all vectors of filters. */
static int64_t row_cycles(const struct tsr_tiles *tiles, bool groups, int units, int columns, int64_t width,
                          int64_t vectors, int64_t vector_bytes) {
  int64_t cycles = 0;
  while (vectors > 0) {
    int u = (int)tsr_min(units, vectors);
    while (u > 1 && !tiles->max_columns[u]) u--;
    int64_t n = vectors / u;
    for (int64_t j = 0, c; j < width; j += c) {
      c = tsr_next_columns(width - j, columns, columns);
      int64_t same = c == columns && width - j >= 3 * (int64_t)columns ? (width - j) / columns - 1 : 1;
      cycles += n * same * tap_cycles(groups, u, tsr_ceil_div(u * vector_bytes, LINE_BYTES), c);
      c *= same;
    }
    vectors -= n * u;
  }
  return cycles;
}

static int64_t greatest_common_divisor(int64_t a, int64_t b) {
  while (b) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* Lanes over groups: the highest tile that is wide enough to hide the latency of an fma reads the longest runs. */
static int highest_tile(const struct tsr_tiles *tiles, int64_t vectors) {
  int u = (int)tsr_min(vectors, TSR_MAX_UNITS);
  while (u > 1 && tiles->max_columns[u] < LEAST_COLUMNS) u--;
  return u;
}

/* The widest tile whose pixels, `pitch` bytes apart, do not push each other out of the first cache. */
static int64_t columns_that_fit(int64_t pitch) {
  const struct tsr_level *l1 = &tsr_topology_get()->level[0];
  int64_t way = l1->ways > 0 ? (int64_t)l1->bytes / l1->ways : 4096;
  int64_t sets = way / greatest_common_divisor(way, pitch);
  return sets * LINES_PER_SET;
}

static bool has_tile(const struct tsr_tiles *tiles, int64_t vectors, int u) {
  return u >= 1 && u <= TSR_MAX_UNITS && tiles->max_columns[u] && (u == 1 || u <= vectors);
}

static void choose_tile(const struct tsr_tiles *tiles, const struct tsr_conv_problem *p, struct tsr_conv_way *way) {
  bool groups = way->lanes == TSR_CONV_GROUPS;
  int64_t lanes = groups ? p->groups : p->kg, vectors = tsr_ceil_div(lanes, tiles->mu), best = INT64_MAX;
  int64_t stride = p->transposed ? 1 : p->dim[2].stride, phases = p->transposed ? p->dim[2].stride : 1;
  int64_t width = tsr_ceil_div(p->dim[2].out, phases);
  int64_t most = way->band || groups ? TSR_MAX_COLUMNS : columns_that_fit(p->x.dim[2] * stride);
  if (!has_tile(tiles, vectors, way->units)) way->units = 0;
  if (groups && !way->units) way->units = highest_tile(tiles, vectors);
  int given = way->units, given_columns = way->columns;
  for (int u = 1; u <= TSR_MAX_UNITS; u++) {
    if (!has_tile(tiles, vectors, u) || (given && given != u)) continue;
    int columns = (int)tsr_max(1, tsr_min(tiles->max_columns[u], given_columns ? given_columns : most));
    int64_t cycles = row_cycles(tiles, groups, u, columns, width, vectors, tiles->mu * tsr_size_of(p->type));
    if (cycles >= best) continue;
    best = cycles;
    way->units = u;
    way->columns = columns;
  }
}

/* `total` cut into pieces of whole units, a few for each thread and `outer` times as many in all, such that the threads
 * end together: who has most to do has little more than the others. */
static int64_t share(int64_t total, int64_t outer, int threads, int each_thread, int64_t unit) {
  int64_t pieces = tsr_ceil_div((int64_t)each_thread * threads, outer), units = tsr_ceil_div(total, unit);
  int64_t most = tsr_max(1, tsr_ceil_div(units, pieces)), best = most, least = INT64_MAX / 64;
  for (int64_t each = most; each > 0 && each > most - 16; each--) {
    int64_t longest = tsr_ceil_div(tsr_ceil_div(units, each) * outer, threads) * each;
    if (33 * longest >= 32 * least) continue;
    least = longest;
    best = each;
  }
  return tsr_min(total, best * unit);
}

/* Rows, or columns of the only row, that as many bytes allow. */
static int64_t within(int64_t total, int64_t bytes_each, int64_t bytes, int64_t unit) {
  int64_t most = tsr_max(1, bytes / tsr_max(1, bytes_each));
  return tsr_min(total, tsr_max(unit, most / unit * unit));
}

static void cut_pixels(const struct tsr_conv_problem *p, const struct tsr_tiles *tiles, int64_t panels, int64_t l2,
                       struct tsr_conv_way *way) {
  bool groups = way->lanes == TSR_CONV_GROUPS;
  int64_t filters = way->panels * way->units * tiles->mu, outer = p->batch * p->dim[0].out;
  int64_t pixel = (groups ? filters : 1) * p->cg * tsr_size_of(p->type);
  int64_t phases = p->transposed ? p->dim[2].stride : 1, unit = way->columns * phases;
  bool one_row = p->dim[1].out == 1;
  int64_t rows = p->dim[1].out, cols = p->dim[2].out, wanted = way->threads > 1 ? PIECES_PER_THREAD * way->threads : 1;
  if (!groups) outer *= p->groups;
  cols = tsr_min(cols, TILES_IN_ROW * unit);
  if (way->band) {
    cols = within(cols, pixel * (p->transposed ? 1 : p->dim[2].stride), l2 / 4, unit);
    rows = within(rows, pixel * p->dim[2].in * (p->transposed ? 1 : p->dim[1].stride), l2 / 4, 1);
  }
  if (way->order == TSR_CONV_PANELS && !groups) {
    cols = within(cols, 1, PIXELS_PER_BLOCK, unit);
    rows = within(rows, cols, PIXELS_PER_BLOCK, 1);
  }
  if (way->staged) {
    int64_t stage = (groups ? p->kg : 1) * filters * tsr_size_of(p->type);
    cols = within(cols, stage, l2 / 4, unit);
    if (way->order == TSR_CONV_PANELS) rows = within(rows, stage * cols, l2 / 4, 1);
  }
  if (groups) outer *= tsr_ceil_div(panels, way->panels);
  /* What a piece reads beyond its rows is read twice: few pieces where that is felt, none where panels divide evenly. */
  bool even = groups && outer % way->threads == 0, felt = groups || way->band;
  if (outer < wanted && !even && (groups || way->order == TSR_CONV_PIXELS)) {
    int each = felt ? PIECES_PER_THREAD / 2 : PIECES_PER_THREAD;
    if (one_row) cols = tsr_min(cols, share(p->dim[2].out, outer, way->threads, each, unit));
    else rows = tsr_min(rows, share(p->dim[1].out, outer, way->threads, each, 1));
  }
  way->cols = way->cols ? tsr_min(way->cols, p->dim[2].out) : cols;
  way->rows = way->rows ? tsr_min(way->rows, p->dim[1].out) : rows;
}

static void cut_panels(const struct tsr_conv_problem *p, int64_t panels, struct tsr_conv_way *way) {
  int64_t given = way->panels;
  way->panels = panels;
  if (given) {
    way->panels = tsr_min(given, panels);
    return;
  }
  if (way->lanes == TSR_CONV_GROUPS) way->panels = 1;
  if (way->lanes == TSR_CONV_GROUPS || way->order != TSR_CONV_PANELS || way->threads < 2) return;
  int64_t outer = p->batch * p->groups * p->dim[0].out * tsr_ceil_div(p->dim[1].out * p->dim[2].out, PIXELS_PER_BLOCK);
  if (outer >= PIECES_PER_THREAD * way->threads) return;
  int64_t pieces = tsr_ceil_div(PIECES_PER_THREAD * way->threads, outer);
  way->panels = tsr_max(1, panels / pieces);
}

void tsr_conv_complete(const tsr_context *context, const struct tsr_conv_problem *p, int most_threads,
                       struct tsr_conv_way *way) {
  const struct tsr_kernels *kernels = &context->kernels[p->type];
  const struct tsr_topology *machine = tsr_topology_get();
  int64_t l2 = (int64_t)machine->level[machine->nlevels > 1].bytes;
  bool given = way->lanes != 0;
  if (way->lanes == TSR_CONV_GROUPS && !may_run_over_groups(kernels, p)) way->lanes = 0;
  if (way->lanes == TSR_CONV_NEIGHBOURS && !tsr_conv_near_serves(kernels, p)) way->lanes = 0;
  if (way->lanes == TSR_CONV_PLANES && !tsr_conv_planes_serves(kernels, p)) way->lanes = 0;
  if (!way->lanes) way->lanes = lanes_over_groups(kernels, p) ? TSR_CONV_GROUPS : TSR_CONV_FILTERS;
  if (!given && way->lanes == TSR_CONV_FILTERS && tsr_conv_near_pays(kernels, p)) way->lanes = TSR_CONV_NEIGHBOURS;
  if (!given && way->lanes == TSR_CONV_FILTERS && tsr_conv_planes_pays(kernels, p)) way->lanes = TSR_CONV_PLANES;
  bool groups = way->lanes == TSR_CONV_GROUPS;
  if (!way->threads)
    way->threads = tsr_gemm_threads_for(most_threads, tsr_saturating(tsr_conv_work(p), groups ? READS_PER_WORK : 1));
  if (way->lanes == TSR_CONV_NEIGHBOURS) {
    tsr_conv_near_complete(kernels, p, way);
    return;
  }
  if (way->lanes == TSR_CONV_PLANES) {
    int64_t most = tsr_max(1, p->dim[2].out / kernels->conv.mu); /* vectors of a plane */
    if (!has_tile(&kernels->conv, most, way->units)) way->units = 0;
    tsr_conv_planes_complete(kernels, p, way);
    return;
  }
  const struct tsr_tiles *tiles = groups ? &kernels->conv_lanes : &kernels->conv;
  bool conflicts = groups && p->x.dim[2] % WAY_BYTES == 0;
  way->band = way->band || !p->x_last || p->x.type != p->type || (groups && p->cg > 1) || (conflicts && !way->in_place);
  way->in_place = !way->band;
  way->staged = !p->y_last || p->y.type != p->type || (groups && p->kg > 1);
  choose_tile(tiles, p, way);
  int64_t lanes = groups ? p->groups : p->kg, panels = tsr_ceil_div(lanes, (int64_t)way->units * tiles->mu);
  int64_t weights = tsr_saturating(tsr_round_up(lanes, tiles->mu) * p->taps, tsr_size_of(p->type));
  if (!way->order) way->order = !groups && weights <= l2 / 8 * 5 ? TSR_CONV_PIXELS : TSR_CONV_PANELS;
  cut_panels(p, panels, way);
  cut_pixels(p, tiles, panels, l2, way);
}
