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

/* Turning x costs as much as a few filters do; lanes over filters waste what the last vector lacks. */
bool tsr_conv_near_pays(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p) {
  bool gathers = !p->x_last && p->dim[2].stride > 1;
  return tsr_conv_near_serves(kernels, p) && !gathers && 2 * p->kg <= kernels->conv.mu;
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

/* Rough cycles of a step of k, in tenths: two fma, or two loads, a cycle, of which most of A's are cut by the ends of cache
 * lines; the latency of an fma; jumps where not all columns are taken. */
static int64_t step_cycles(int64_t units, int64_t columns, bool cut) {
  int64_t fma = 5 * units * columns, loads = 5 * (2 * units + columns);
  return tsr_max(tsr_max(fma, loads), 40) + 3 + (cut ? 2 * columns + 10 : 0);
}

static int64_t line_cycles(const struct tsr_tiles *tiles, int units, int tile_columns, int64_t columns, bool cut,
                           int64_t count) {
  struct tsr_near_tiles tile[TSR_NEAR_TILES];
  int n = tsr_near_cut(tiles, units, tile_columns, count, tile);
  int64_t cycles = 0;
  for (int i = 0; i < n; i++) cycles += tile[i].number * step_cycles(tile[i].units, columns, cut);
  return cycles;
}

/* Bytes of an input line for so many outputs, of all depths. */
static int64_t line_bytes(const struct tsr_conv_problem *p, int64_t count) {
  const struct tsr_conv_dim *dim = &p->dim[2];
  return p->dim[0].kernel * p->cg * (count * dim->stride + (dim->kernel - 1) * dim->dilation) * tsr_size_of(p->type);
}

static void choose_tile(const struct tsr_tiles *tiles, const struct tsr_conv_problem *p, int64_t count, int64_t room,
                        struct tsr_conv_way *way) {
  const struct tsr_conv_dim *down = &p->dim[1];
  bool rows = p->kg == 1 || (down->dilation == 1 && down->kernel > p->kg * down->stride);
  int64_t best = INT64_MAX;
  int given = way->units;
  way->panels = rows ? 1 : p->kg;
  for (int u = 1; u <= TSR_MAX_UNITS; u++) {
    int most = tiles->max_columns[u], columns = (int)p->kg;
    if (!most || u * tiles->mu > count || (!rows && most < p->kg) || (given && given != u)) continue;
    if (rows) columns = down->dilation == 1 ? (int)tsr_min(most, down->out) : 1;
    while (rows && columns > 1 && ((columns - 1) * down->stride + down->kernel) * line_bytes(p, count) > room) columns--;
    int64_t lines = rows ? (columns - 1) * down->stride + down->kernel : down->kernel, each = rows ? columns : 1;
    int64_t active = rows ? tsr_max(1, columns * down->kernel / lines) : p->kg;
    int64_t cycles = line_cycles(tiles, u, columns, active, rows && columns > 1, count) * lines * (rows ? p->kg : 1) * 16 / each;
    if (cycles >= best) continue;
    best = cycles;
    way->units = u;
    way->columns = columns;
  }
}

void tsr_conv_near_complete(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p,
                            struct tsr_conv_way *way) {
  const struct tsr_topology *machine = tsr_topology_get();
  const struct tsr_conv_dim *down = &p->dim[1];
  const struct tsr_tiles *tiles = &kernels->conv;
  int64_t room = (int64_t)machine->level[machine->nlevels > 1].bytes / 2, count = tsr_near_inner(p, 2).count;
  if (way->units && (way->units > TSR_MAX_UNITS || tiles->max_columns[way->units] < p->kg || way->units * tiles->mu > count))
    way->units = 0;
  choose_tile(tiles, p, count, room, way);
  int64_t lines = way->panels == 1 ? (way->columns - 1) * down->stride : 0, unit = (int64_t)way->units * tiles->mu;
  lines += (down->kernel - 1) * down->dilation + 1;
  int64_t pixel = line_bytes(p, 1) - line_bytes(p, 0), left = room / lines - line_bytes(p, 0);
  int64_t most = lines * line_bytes(p, count) <= room ? count : left / pixel / unit * unit;
  way->cols = tsr_max(2 * tiles->mu, way->cols ? tsr_min(way->cols, count) : most);
  int64_t outer = p->batch * p->groups * p->dim[0].out * tsr_ceil_div(count, way->cols);
  int64_t pieces = way->threads > 1 ? tsr_ceil_div((int64_t)PIECES_PER_THREAD * way->threads, outer) : 1;
  int64_t rows = tsr_round_up(tsr_ceil_div(down->out, pieces), way->panels == 1 ? way->columns : 1);
  way->rows = tsr_min(down->out, way->rows ? way->rows : rows);
  way->order = TSR_CONV_PIXELS;
  way->band = way->staged = true;
}
