/* One item of the gradient of weights: some lanes, columns and taps, over all blocks of pixels. */
#include <math.h>
#include <string.h>

#include "src/conv/backward.h"

/* Lines whole pages apart would compete for the same lines of the first cache. */
static int64_t line_bytes(const struct tsr_dw *w) {
  int64_t pixels = w->lanes == TSR_DW_DENSE ? w->pixels : tsr_min(w->kb, w->numbers);
  return tsr_round_up(tsr_max(1, pixels) * w->size, 64) + 64;
}

/* Bytes from panel to panel of either side. */
static int64_t dense_panel(const struct tsr_dw *w) {
  if (w->dense_stays) return w->mr * w->size;
  int64_t parts = w->lanes == TSR_DW_GROUPS ? w->dense.channels : 1;
  return tsr_round_up(tsr_min(w->kb, w->numbers) * parts * w->mr * w->size, 64) + 64;
}
static int64_t wide_panel(const struct tsr_dw *w) {
  if (w->wide_stays) return w->mr * w->size;
  int64_t parts = w->lanes == TSR_DW_GROUPS ? w->wide.channels : 1;
  return tsr_round_up(w->pixels * parts * w->mr * w->size, 64) + 64;
}

static int64_t wide_bytes(const struct tsr_dw *w) {
  if (w->wide_stays) return 0;
  return w->lanes == TSR_DW_DENSE ? w->item_columns * line_bytes(w) : w->item_panels * wide_panel(w);
}
static int64_t dense_bytes(const struct tsr_dw *w) {
  if (w->dense_stays) return 0;
  return w->lanes == TSR_DW_WIDE ? w->item_columns * line_bytes(w) : w->item_panels * dense_panel(w);
}

static int64_t sums_bytes(const struct tsr_dw *w) {
  struct tsr_dw_taps taps = tsr_dw_taps_of(w, 0);
  int64_t columns = w->lanes == TSR_DW_GROUPS ? w->wide.channels * w->dense.channels : w->item_columns;
  return w->staged ? tsr_round_up(columns * tsr_dw_count(&taps) * w->item_panels * w->mr * w->size, 64) : 0;
}

static int64_t boxes_bytes(const struct tsr_dw *w) {
  return tsr_round_up(w->boxes * (int64_t)sizeof(struct tsr_dw_box), 64);
}
static int64_t list_bytes(const struct tsr_dw *w) {
  return tsr_round_up(tsr_min(w->kb, w->numbers) * (int64_t)sizeof(struct tsr_taps), 64);
}

size_t tsr_dw_worker_bytes(const struct tsr_dw *w) {
  int64_t bytes = boxes_bytes(w) + list_bytes(w) + wide_bytes(w) + dense_bytes(w) + sums_bytes(w) + 256;
  return (size_t)tsr_round_up(bytes, 4096);
}

/* An item and what a worker has at hand for it. */
struct item {
  const struct tsr_dw *w;
  int64_t group, lane, lanes, column, columns;
  struct tsr_dw_taps taps;
  int64_t first_tap, ntaps;
  struct tsr_dw_box *boxes;
  int64_t nboxes;
  struct tsr_taps *list;
  int64_t listed;
  char *wide, *dense, *sums;
  bool first; /* block */
};

static void set_item(struct item *it, const struct tsr_dw *w, int64_t index, char *memory) {
  int64_t boxes = tsr_dw_boxes_of_taps(w), columns = tsr_ceil_div(w->all_columns, w->item_columns);
  int64_t panels = tsr_ceil_div(w->panels, w->item_panels);
  *it = (struct item){.w = w, .taps = tsr_dw_taps_of(w, index % boxes)};
  index /= boxes;
  it->column = index % columns * w->item_columns;
  it->columns = tsr_min(w->item_columns, w->all_columns - it->column);
  index /= columns;
  it->lane = index % panels * w->item_panels * w->mr;
  it->lanes = tsr_min(w->item_panels * w->mr, w->all_lanes - it->lane);
  it->group = index / panels;
  it->ntaps = tsr_dw_count(&it->taps);
  it->first_tap = (it->taps.first[0] * w->dim[1].kernel + it->taps.first[1]) * w->dim[2].kernel + it->taps.first[2];
  it->boxes = (struct tsr_dw_box *)memory;
  it->list = (struct tsr_taps *)(memory += boxes_bytes(w));
  it->wide = memory += list_bytes(w);
  it->dense = memory += wide_bytes(w);
  it->sums = memory + dense_bytes(w);
}

/* An item's first lane of a side that stays, from pixel number `pixel` on. */
static char *in_place(const struct item *it, const struct tsr_dw_side *side, int64_t pixel) {
  int64_t at = (it->group * side->channels + it->lane) * side->t.channel + pixel * side->t.dim[2];
  return (char *)(side->t.at + (tsr_mem)at);
}

static void load(struct item *it, int64_t block) {
  const struct tsr_dw *w = it->w;
  int64_t begin = block * w->kb, n = tsr_min(w->kb, w->numbers - begin), pixels;
  bool groups = w->lanes == TSR_DW_GROUPS, by_wide = w->lanes == TSR_DW_WIDE;
  struct tsr_dw_load wide = {.table = w->table, .type = w->type, .mr = w->mr, .side = &w->wide, .group = it->group,
                             .parts = groups ? w->wide.channels : 0, .first = it->lane, .count = it->lanes};
  struct tsr_dw_load dense = wide;
  struct tsr_dw_load *lines = by_wide ? &dense : &wide;
  dense.side = &w->dense;
  dense.parts = groups ? w->dense.channels : 0;
  if (!groups) {
    lines->first = it->column;
    lines->count = it->columns;
  }
  it->first = block == 0;
  it->nboxes = tsr_dw_boxes(w, &it->taps, block, it->boxes, &pixels);
  if (w->wide_stays)
    it->wide = in_place(it, &w->wide, 0);
  else if (w->lanes == TSR_DW_DENSE)
    tsr_dw_line_boxes(&wide, it->boxes, it->nboxes, it->wide, line_bytes(w));
  else
    tsr_dw_load_boxes(&wide, it->boxes, it->nboxes, by_wide, it->wide, wide_panel(w));
  if (w->dense_stays)
    it->dense = in_place(it, &w->dense, begin);
  else if (by_wide)
    tsr_dw_line_dense(&dense, begin, n, it->dense, line_bytes(w));
  else
    tsr_dw_load_dense(&dense, begin, n, it->dense, dense_panel(w));
}

/* Bytes from pixel to pixel, dense and wide, and from one dense pixel's wide one to the next's. */
struct pitch {
  int64_t dense, wide, next;
};

static struct pitch pitch_of(const struct item *it) {
  const struct tsr_dw *w = it->w;
  int64_t row = w->mr * w->size, step = it->taps.count[2] == 1 && !w->wide_stays ? w->dim[2].stride : 1;
  int64_t apart = w->lanes == TSR_DW_DENSE ? 1 : w->dim[2].stride / step;
  bool groups = w->lanes == TSR_DW_GROUPS;
  struct pitch pitch = {w->lanes == TSR_DW_WIDE ? w->size : groups ? row * w->dense.channels : row,
                        w->lanes == TSR_DW_DENSE ? w->size : groups ? row * w->wide.channels : row, 0};
  if (w->dense_stays) pitch.dense = w->dense.t.dim[2];
  if (w->wide_stays) pitch.wide = w->wide.t.dim[2];
  pitch.next = apart * pitch.wide;
  return pitch;
}

/* Adds k pixels; such that go on where the last ones end become part of them. */
static void add(struct item *it, const struct pitch *pitch, int64_t number, int64_t pixel, int64_t k, int first,
                int end) {
  struct tsr_taps *last = it->listed ? &it->list[it->listed - 1] : NULL;
  bool by_wide = it->w->lanes == TSR_DW_WIDE;
  int64_t dense = number * pitch->dense, wide = pixel * pitch->wide;
  int64_t a = by_wide ? wide : dense, b = by_wide ? dense : wide;
  int64_t next_a = by_wide ? pitch->next : pitch->dense, next_b = by_wide ? pitch->dense : pitch->next;
  if (k <= 0) return;
  if (last && last->a + last->k * next_a == a && last->b + last->k * next_b == b && last->first == first &&
      last->end == end)
    last->k += (int32_t)k;
  else
    it->list[it->listed++] = (struct tsr_taps){a, b, (int32_t)k, (int16_t)first, (int16_t)end};
}

/* The columns [*first, *end) whose dense pixel o reads a wide one, of taps from offset `off` on, `dilation` apart. */
static void columns_of(const struct tsr_conv_dim *dim, int64_t o, int64_t off, int64_t columns, int *first, int *end) {
  int64_t i = o * dim->stride + off;
  int64_t from = i >= 0 ? 0 : tsr_ceil_div(-i, dim->dilation);
  int64_t to = i >= dim->in ? 0 : (dim->in - 1 - i) / dim->dilation + 1;
  *first = (int)tsr_min(from, columns);
  *end = (int)tsr_max(*first, tsr_min(to, columns));
}

/* Dense pixels [c0, c1) of a row whose first is number `number`, with `columns` taps from offset `off` on: those in the
 * middle see all taps. */
static void list_row(struct item *it, const struct pitch *pitch, const struct tsr_dw_box *box, int64_t number,
                     int64_t depth, int64_t row, int64_t c0, int64_t c1, int64_t off, int64_t columns) {
  const struct tsr_conv_dim *dim = &it->w->dim[2];
  int64_t last = off + (columns - 1) * dim->dilation;
  int64_t from = off >= 0 ? 0 : tsr_ceil_div(-off, dim->stride);
  int64_t to = last >= dim->in ? 0 : (dim->in - 1 - last) / dim->stride + 1;
  from = tsr_max(c0, tsr_min(from, c1));
  to = tsr_max(from, tsr_min(to, c1));
  for (int64_t o = c0; o < c1; o++) {
    int first = 0, end = (int)columns;
    if (o == from && to > from) {
      add(it, pitch, number + o - c0, tsr_dw_pixel(box, depth, row, o * dim->stride + off), to - from, first, end);
      o = to - 1;
      continue;
    }
    if (columns == 1) continue;
    columns_of(dim, o, off, columns, &first, &end);
    if (first < end)
      add(it, pitch, number + o - c0, tsr_dw_pixel(box, depth, row, o * dim->stride + off), 1, first, end);
  }
}

/* Lists the block's pixels for the taps (t, r, s .. s + columns - 1). */
static void list_taps(struct item *it, int64_t t, int64_t r, int64_t s, int64_t columns) {
  const struct tsr_conv_dim *dim = it->w->dim;
  struct pitch pitch = pitch_of(it);
  it->listed = 0;
  for (int64_t b = 0; b < it->nboxes; b++) {
    const struct tsr_dw_box *box = &it->boxes[b];
    for (int64_t at = box->begin, run; at < box->end; at += run) {
      int64_t col = at % dim[2].out, row = at / dim[2].out % dim[1].out, depth = at / dim[2].out / dim[1].out;
      int64_t d = depth * dim[0].stride - dim[0].pad + t * dim[0].dilation;
      int64_t h = row * dim[1].stride - dim[1].pad + r * dim[1].dilation;
      run = tsr_min(dim[2].out - col, box->end - at);
      if (d < 0 || d >= dim[0].in || h < 0 || h >= dim[1].in || box->count[2] == 0) continue;
      list_row(it, &pitch, box, box->number + at - box->begin, d, h, col, col + run, s * dim[2].dilation - dim[2].pad,
               columns);
    }
  }
}

/* Where the sums of a tap lie: its first lane and column; bytes from column to column. */
struct target {
  tsr_mem at;
  int64_t column;
};

/* Sums that are kept aside: [column][tap][lane] with lanes over the wide side; else [dense channel][rows in the order
 * of dw][lane]. */
static struct target target_of(const struct item *it, int64_t tap, int64_t part, int64_t wide) {
  const struct tsr_dw *w = it->w;
  int64_t lanes = w->item_panels * w->mr * w->size, size = w->size, channels = w->wide.channels;
  bool last = w->last;
  if (!w->staged) {
    int64_t at = ((it->group * w->dense.channels + it->column) * w->taps + it->first_tap + tap) * channels + it->lane;
    return (struct target){w->dw + (tsr_mem)(at * size), w->taps * channels * size};
  }
  if (w->lanes == TSR_DW_WIDE) return (struct target){(tsr_mem)it->sums + (tsr_mem)(tap * lanes), it->ntaps * lanes};
  int64_t columns = w->lanes == TSR_DW_GROUPS ? channels : it->columns;
  int64_t row = last ? tap * columns + wide : wide * it->ntaps + tap;
  int64_t next_tap = last ? columns : 1, next_channel = last ? 1 : it->ntaps;
  return (struct target){(tsr_mem)it->sums + (tsr_mem)((part * it->ntaps * columns + row) * lanes),
                         (w->lanes == TSR_DW_GROUPS ? next_tap : next_channel) * lanes};
}

static struct tsr_conv conv_of(const struct item *it, tsr_mem x) {
  return (struct tsr_conv){.taps = it->list, .count = it->listed, .x = x, .low = -INFINITY, .high = INFINITY};
}

/* Every pixel counts for all columns of a tile, whose number is the kernel's. */
static void set_columns(const struct item *it, int columns) {
  for (int64_t i = 0; i < it->listed; i++) it->list[i].end = (int16_t)columns;
}

/* One tap, tiles of `units`, all columns. */
static void run_tiles(const struct item *it, struct tsr_step *step, int units, tsr_mem a, tsr_mem x, tsr_mem c) {
  const struct tsr_dw *w = it->w;
  int most = (int)tsr_min(w->columns, w->tiles->max_columns[units]);
  for (int64_t j = 0; j < it->columns; j += step->n) {
    int width = tsr_next_columns(it->columns - j, most, most);
    struct tsr_conv conv = conv_of(it, x + (tsr_mem)(j * step->csb));
    step->n = width;
    while (tsr_next_columns(it->columns - j - step->n, most, most) == width) step->n += width;
    step->db = width * step->csb;
    set_columns(it, width);
    w->tiles->tile[units][width]->run(step, a, (tsr_mem)&conv, c + (tsr_mem)(j * step->csc));
  }
}

static void run_tap(const struct item *it, int64_t tap) {
  const struct tsr_dw *w = it->w;
  bool by_wide = w->lanes == TSR_DW_WIDE;
  struct pitch pitch = pitch_of(it);
  struct target target = target_of(it, tap, 0, 0);
  struct tsr_step step = {.csa = by_wide ? pitch.next : pitch.dense, .csb = line_bytes(w),
                          .da = by_wide ? wide_panel(w) : dense_panel(w), .dc = w->mr * w->size, .csc = target.column,
                          .alpha = 1, .flags = it->first ? TSR_FIRST_K : 0};
  tsr_mem a = (tsr_mem)(by_wide ? it->wide : it->dense), x = (tsr_mem)(by_wide ? it->dense : it->wide);
  for (int64_t i = 0; i < it->lanes; i += step.m) {
    int units = tsr_dw_next_units(w->tiles, w->units, 1, it->lanes - i, &step.m);
    int64_t at = i / w->mr * step.da + i % w->mr * w->size;
    run_tiles(it, &step, units, a + (tsr_mem)at, x, target.at + (tsr_mem)(i * w->size));
  }
}

/* Lanes over groups: `columns` taps of a kernel's row, and all pairs of channels of a group. */
static void run_row_of_taps(const struct item *it, int64_t tap, int columns) {
  const struct tsr_dw *w = it->w;
  struct pitch pitch = pitch_of(it);
  int64_t row = w->mr * w->size;
  struct tsr_step step = {.n = columns, .csa = pitch.dense, .rsb = pitch.next,
                          .csb = w->dim[2].dilation * pitch.wide, .da = dense_panel(w), .dc = row, .alpha = 1,
                          .flags = it->first ? TSR_FIRST_K : 0};
  for (int64_t k = 0; k < w->dense.channels; k++)
    for (int64_t c = 0; c < w->wide.channels; c++)
      for (int64_t i = 0; i < it->lanes; i += step.m) {
        int units = tsr_dw_next_units(w->tiles, w->units, columns, it->lanes - i, &step.m);
        int64_t panel = i / w->mr, within = i % w->mr * w->size;
        struct target target = target_of(it, tap, k, c);
        struct tsr_conv conv = conv_of(it, (tsr_mem)it->wide + (tsr_mem)(panel * wide_panel(w) + c * row + within));
        conv.dx = wide_panel(w);
        step.csc = target.column;
        w->tiles->tile[units][columns]->run(&step, (tsr_mem)it->dense + (tsr_mem)(panel * step.da + k * row + within),
                                            (tsr_mem)&conv, target.at + (tsr_mem)(i * w->size));
      }
}

static void run_taps(struct item *it) {
  const struct tsr_dw *w = it->w;
  const struct tsr_dw_taps *taps = &it->taps;
  bool groups = w->lanes == TSR_DW_GROUPS;
  for (int64_t t = 0, tap = 0; t < taps->count[0]; t++)
    for (int64_t r = 0; r < taps->count[1]; r++)
      for (int64_t s = 0, n; s < taps->count[2]; s += n, tap += n) {
        n = groups ? tsr_next_columns(taps->count[2] - s, w->columns, w->columns) : 1;
        list_taps(it, taps->first[0] + t, taps->first[1] + r, taps->first[2] + s, n);
        if (groups)
          run_row_of_taps(it, tap, (int)n);
        else
          run_tap(it, tap);
      }
}

/* Rows of sums, `from_next` bytes apart, m lanes each, become lines of dw `next` elements apart. */
static void turn(const struct tsr_dw *w, tsr_mem from, int64_t rows, int64_t from_next, int64_t lanes, int64_t at,
                 int64_t next) {
  int64_t size = tsr_size_of(w->d->type_w);
  struct tsr_step step = {.m = rows, .n = lanes, .rsa = from_next, .csc = next * size};
  w->table[w->type].turn[w->d->type_w]->run(&step, from, 0, w->dw + (tsr_mem)(at * size));
}

/* Sums with lanes over the wide side. */
static void store_wide(const struct item *it) {
  const struct tsr_dw *w = it->w;
  int64_t lanes = w->item_panels * w->mr * w->size, size = tsr_size_of(w->d->type_w), channels = w->wide.channels;
  for (int64_t k = 0; k < it->columns; k++) {
    tsr_mem from = (tsr_mem)it->sums + (tsr_mem)(k * it->ntaps * lanes);
    int64_t filter = (it->group * w->dense.channels + it->column + k) * w->taps * channels;
    if (!w->last) {
      turn(w, from, it->ntaps, lanes, it->lanes, filter + it->lane * w->taps + it->first_tap, w->taps);
      continue;
    }
    struct tsr_step step = {.m = it->lanes, .n = it->ntaps, .csa = lanes, .csc = channels * size, .alpha = 1};
    w->table[w->type].convert[w->d->type_w]->run(
        &step, from, 0, w->dw + (tsr_mem)((filter + it->first_tap * channels + it->lane) * size));
  }
}

/* Sums with lanes over the dense side, or over groups: rows are taps and wide channels in the order of dw. */
static void store_rows(const struct item *it) {
  const struct tsr_dw *w = it->w;
  bool groups = w->lanes == TSR_DW_GROUPS, last = w->last;
  int64_t lanes = w->item_panels * w->mr * w->size, channels = w->wide.channels, filter = w->taps * channels;
  int64_t first = groups ? 0 : it->column, columns = groups ? channels : it->columns;
  int64_t outer = last ? it->ntaps : columns, inner = last ? columns : it->ntaps, all = last ? channels : w->taps;
  if (inner == all) {
    inner *= outer;
    outer = 1;
  }
  for (int64_t part = 0; part < (groups ? w->dense.channels : 1); part++)
    for (int64_t i = 0; i < outer; i++) {
      tsr_mem from = (tsr_mem)it->sums + (tsr_mem)((part * it->ntaps * columns + i * inner) * lanes);
      int64_t at = last ? (it->first_tap + i) * channels + first : (first + i) * w->taps + it->first_tap;
      int64_t channel = groups ? it->lane * w->dense.channels + part : it->group * w->dense.channels + it->lane;
      turn(w, from, inner, lanes, it->lanes, channel * filter + at, (groups ? w->dense.channels : 1) * filter);
    }
}

void tsr_dw_item(const struct tsr_dw *w, int64_t index, char *memory) {
  struct item it;
  set_item(&it, w, index, memory);
  for (int64_t block = 0; block * w->kb < w->numbers; block++) {
    load(&it, block);
    run_taps(&it);
  }
  if (w->staged) (w->lanes == TSR_DW_WIDE ? store_wide : store_rows)(&it);
}
