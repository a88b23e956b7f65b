/* Lanes over neighbours: when it pays, which tiles, how a plane is cut into pieces. */
#include "src/conv/near.h"
#include "src/core/topology.h"

/* Pieces for a thread to claim. */
#define PIECES_PER_THREAD 4

bool tsr_conv_near_serves(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p) {
  bool mixes = p->taps > p->cg, plain = !p->transposed && p->alpha == 1 && p->beta == 0;
  return kernels->conv.mu && mixes && plain && p->kg <= kernels->conv.max_columns[1] &&
         tsr_near_inner(p, 2).count >= kernels->conv.mu;
}

/* Lanes over filters take a vector of them for each output; over neighbours, a vector of outputs, which the last tile
 * may compute twice, for each filter. A fifth is what turning x, and the padding, cost. */
bool tsr_conv_near_pays(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p) {
  bool gathers = !p->x_last && p->dim[2].stride > 1;
  if (!tsr_conv_near_serves(kernels, p) || gathers) return false;
  int64_t count = tsr_near_inner(p, 2).count;
  return 5 * p->kg * tsr_ceil_div(count, kernels->conv.mu) <= 4 * count;
}

/* Tiles of `units` as far as they go, then lower ones; the last one may overlap. */
int tsr_near_cut(const struct tsr_tiles *tiles, int units, int columns, int64_t count, struct tsr_near_tiles *cut) {
  int64_t mu = tiles->mu, lane = 0, slot = 0;
  int n = 0;
  while (lane < count && n < TSR_NEAR_TILES) {
    int64_t left = count - lane;
    int u = units;
    if (left < units * mu) /* the lowest tile that covers what is left, or the highest that does not */
      for (int lower = units; lower > 0; lower--) {
        if (tiles->max_columns[lower] < columns || lower * mu > count) continue;
        if (lower * mu >= left || u * mu > count) u = lower;
      }
    int64_t number = tsr_max(1, left / (u * mu)), begin = tsr_min(lane, count - number * u * mu);
    cut[n++] = (struct tsr_near_tiles){u, number, begin, slot};
    lane = begin + number * u * mu;
    slot += number * u * mu;
  }
  return n;
}

int tsr_near_cut_exactly(const struct tsr_tiles *tiles, int units, int64_t count, struct tsr_near_tiles *cut) {
  int64_t mu = tiles->mu, lane = 0;
  int n = 0;
  while (lane < count && n < TSR_NEAR_TILES) {
    int64_t left = tsr_ceil_div(count - lane, mu);
    int u = (int)tsr_min(units, left);
    while (!tiles->max_columns[u]) u--;
    cut[n] = (struct tsr_near_tiles){u, left / u, lane, lane};
    lane += cut[n++].number * u * mu;
  }
  return n;
}

/* Rough cycles of a step of k, in tenths: two fma, or two loads, a cycle, of which most of A's are cut by the ends of
 * cache lines; the latency of an fma. */
static int64_t step_cycles(int64_t units, int64_t columns) {
  int64_t fma = 5 * units * columns, loads = 5 * (2 * units + columns);
  return tsr_max(tsr_max(fma, loads), 40) + 3;
}

/* `mu`: rows in a vector. */
static int64_t line_cycles(const struct tsr_tiles *tiles, int units, int columns, int64_t count, int mu, bool exactly) {
  struct tsr_near_tiles tile[TSR_NEAR_TILES];
  int n = exactly ? tsr_near_cut_exactly(tiles, units, count, tile) : tsr_near_cut(tiles, units, columns, count, tile);
  int64_t cycles = 0;
  for (int i = 0; i < n; i++)
    cycles += tile[i].number * step_cycles(tsr_ceil_div(tile[i].units * tiles->mu, mu), columns);
  return cycles;
}

/* Rows of outputs that see an input row, where they can be columns of a product whose sums go on, and are more than
 * filters by so much that products pay; else 0. */
static int64_t rows_at_once(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p) {
  const struct tsr_conv_dim *down = &p->dim[1];
  int64_t rows = tsr_ceil_div(down->kernel, down->stride);
  bool serves = kernels->chip->goes_on && down->dilation == 1 && p->dim[0].kernel == 1;
  bool fits = 2 * rows <= TSR_NEAR_PLACES && rows <= kernels->gemm.max_columns[1];
  return serves && fits && 2 * p->kg * down->stride <= down->kernel ? rows : 0;
}

/* A tile, for a line of so many outputs. */
static void choose_tile(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p, int64_t count,
                        struct tsr_conv_way *way) {
  int64_t rows = rows_at_once(kernels, p), best = INT64_MAX;
  const struct tsr_tiles *conv = &kernels->conv, *tiles = rows ? &kernels->gemm : conv;
  int columns = (int)(rows ? rows : p->kg), given = way->units;
  for (int pass = 0; pass < 2 && best == INT64_MAX; pass++, given = 0)
    for (int u = 1; u <= TSR_MAX_UNITS; u++) {
      int units = u * conv->mu / tiles->mu;
      bool exists = conv->max_columns[u] >= p->kg && units <= TSR_MAX_UNITS && tiles->max_columns[units] >= columns;
      if (!exists || (given && given != u) || u * conv->mu > count) continue;
      int64_t cycles = line_cycles(tiles, units, columns, count, conv->mu, rows > 0);
      if (cycles >= best) continue;
      best = cycles;
      way->units = u;
    }
  way->columns = rows ? TSR_NEAR_PLACES : columns;
  way->panels = rows ? 1 : p->kg;
}

void tsr_conv_near_complete(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p,
                            struct tsr_conv_way *way) {
  const struct tsr_topology *machine = tsr_topology_get();
  const struct tsr_conv_dim *down = &p->dim[1], *along = &p->dim[2];
  int64_t room = (int64_t)machine->level[machine->nlevels > 1].bytes / 2, count = tsr_near_inner(p, 2).count;
  choose_tile(kernels, p, count, way);
  int64_t lines = tsr_near_streams(way) ? 1 : (down->kernel - 1) * down->dilation + 1;
  int64_t pixel = lines * p->dim[0].kernel * p->cg * along->stride * tsr_size_of(p->type);
  int64_t unit = (int64_t)way->units * kernels->conv.mu, most = tsr_max(1, room / pixel / unit) * unit;
  way->cols = tsr_max(2 * kernels->conv.mu, tsr_min(way->cols ? way->cols : most, count));
  int64_t outer = p->batch * p->groups * p->dim[0].out * tsr_ceil_div(count, way->cols);
  int64_t pieces = way->threads > 1 ? tsr_ceil_div((int64_t)PIECES_PER_THREAD * way->threads, outer) : 1;
  way->rows = tsr_min(down->out, way->rows ? way->rows : tsr_ceil_div(down->out, pieces));
  way->order = TSR_CONV_PIXELS;
  way->band = way->staged = true;
}
