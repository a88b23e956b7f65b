/* The gradient of a bias: sums of dy over all pixels, filters along the lanes, as products with 1. */
#include <math.h>

#include "src/conv/backward.h"

void tsr_dbias_plan(struct tsr_dbias *b, int threads) {
  const struct tsr_tiles *tiles = &b->table[b->type].conv;
  int64_t vectors = tsr_ceil_div(b->filters, tiles->mu), most = tsr_ceil_div(vectors, threads);
  for (int u = 1; u <= TSR_MAX_UNITS && u <= tsr_max(1, most); u++)
    if (tiles->max_columns[u]) b->units = u;
  b->mr = (int64_t)b->units * tiles->mu;
  b->panels = tsr_ceil_div(b->filters, b->mr);
}

static int64_t pixels_of(const struct tsr_dbias *b) { return tsr_min(b->kb, b->numbers); }
static int64_t band_bytes(const struct tsr_dbias *b) {
  return tsr_round_up(pixels_of(b) * b->mr * b->size, 64) + 64;
}

size_t tsr_dbias_worker_bytes(const struct tsr_dbias *b) {
  return (size_t)tsr_round_up(band_bytes(b) + pixels_of(b) * b->size, 4096);
}

static void set_ones(const struct tsr_dbias *b, tsr_mem ones) {
  for (int64_t i = 0; i < pixels_of(b); i++)
    if (b->type == TSR_F64)
      ((double *)ones)[i] = 1;
    else
      ((float *)ones)[i] = 1;
}

void tsr_dbias_panel(const struct tsr_dbias *b, int64_t panel, char *memory) {
  int64_t first = panel * b->mr, lanes = tsr_min(b->mr, b->filters - first), pixel = b->mr * b->size;
  struct tsr_dw_load load = {.table = b->table, .type = b->type, .mr = b->mr, .side = &b->side, .first = first,
                             .count = lanes};
  /* Whole vectors of pixels that lie side by side are taken where they are. */
  bool in_place = b->side.last && b->side.t.type == b->type && lanes == b->mr;
  tsr_mem ones = (tsr_mem)memory + (tsr_mem)band_bytes(b), a = (tsr_mem)memory;
  set_ones(b, ones);
  if (in_place) pixel = b->side.t.dim[2];
  for (int64_t begin = 0; begin < b->numbers; begin += b->kb) {
    int64_t pixels = tsr_min(b->kb, b->numbers - begin);
    struct tsr_taps taps = {0, 0, (int32_t)pixels, 0, 1};
    struct tsr_conv conv = {.taps = &taps, .count = 1, .x = ones, .low = -INFINITY, .high = INFINITY};
    struct tsr_step step = {.n = 1, .csa = pixel, .alpha = 1, .flags = begin == 0 ? TSR_FIRST_K : 0};
    if (in_place)
      a = b->side.t.at + (tsr_mem)(begin * pixel + first * b->size);
    else
      tsr_dw_load_dense(&load, begin, pixels, memory, 0);
    for (int64_t i = 0; i < lanes; i += step.m) {
      int u = tsr_dw_next_units(&b->table[b->type].conv, b->units, 1, lanes - i, &step.m);
      b->table[b->type].conv.tile[u][1]->run(&step, a + (tsr_mem)(i * b->size), (tsr_mem)&conv,
                                             b->dbias + (tsr_mem)((first + i) * b->size));
    }
  }
}
