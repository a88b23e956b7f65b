/* Which taps the outputs of a row have: lists for the kernels, without those that fall into the padding. */
#include <limits.h>
#include <string.h>

#include "src/conv/conv.h"

/* One tap along one dimension, seen from outputs of one phase: it reads input i0 + j * step for output number j. */
struct tap {
  bool valid;
  int64_t i0;
};

/* Outputs of dimension i that see the same taps are `phases` apart, and their inputs so many. */
static int64_t input_step(const struct tsr_conv_problem *p, int i) { return p->transposed ? 1 : p->dim[i].stride; }

static struct tap tap_of(const struct tsr_conv_problem *p, int i, int64_t phase, int64_t r) {
  const struct tsr_conv_dim *dim = &p->dim[i];
  if (!p->transposed) return (struct tap){true, r * dim->dilation - dim->pad};
  int64_t at = phase + dim->pad - r * dim->dilation;
  if (at % dim->stride != 0) return (struct tap){false, 0};
  return (struct tap){true, at / dim->stride};
}

/* The input that output `o` reads by tap r, or -1. */
static int64_t input_of(const struct tsr_conv_problem *p, int i, int64_t o, int64_t r) {
  int64_t phases = p->transposed ? p->dim[i].stride : 1;
  struct tap tap = tap_of(p, i, o % phases, r);
  int64_t at = tap.i0 + o / phases * input_step(p, i);
  return tap.valid && at >= 0 && at < p->dim[i].in ? at : -1;
}

/* First and last input that outputs first .. first + count - 1 of dimension i read; none: last < first. */
void tsr_conv_inputs(const struct tsr_conv_problem *p, int i, int64_t first, int64_t count, int64_t *least,
                     int64_t *most) {
  const struct tsr_conv_dim *dim = &p->dim[i];
  int64_t reach = (dim->kernel - 1) * dim->dilation, end = first + count - 1;
  if (p->transposed) {
    *least = tsr_ceil_div(tsr_max(0, first + dim->pad - reach), dim->stride);
    *most = tsr_min(dim->in - 1, (end + dim->pad) / dim->stride);
  } else {
    *least = tsr_max(0, first * dim->stride - dim->pad);
    *most = tsr_min(dim->in - 1, end * dim->stride - dim->pad + reach);
  }
}

/* Bounds for the memory of lists. */
static int64_t kernel_of(const struct tsr_conv_problem *p) {
  return p->dim[0].kernel * p->dim[1].kernel * p->dim[2].kernel;
}
static int64_t most_rows(const struct tsr_conv_job *job) {
  return job->way->order == TSR_CONV_PANELS ? job->way->rows : 1;
}

/* Rows of different taps: near the padding each, the others are alike. */
static int64_t most_lists(const struct tsr_conv_job *job) {
  const struct tsr_conv_dim *dim = &job->p->dim[1];
  int64_t rows = most_rows(job), edge = (dim->kernel - 1) * dim->dilation / dim->stride + 1;
  return job->p->transposed ? rows : tsr_min(rows, 2 * edge + 1);
}

static int64_t most_strips(const struct tsr_conv_job *job) {
  int64_t phases = job->phases[2], row = tsr_ceil_div(job->way->cols, phases);
  return most_lists(job) * phases * (row / tsr_min(row, job->way->columns) + 2);
}

size_t tsr_conv_lists_bytes(const struct tsr_conv_job *job) {
  int64_t strips = most_strips(job), blocks = strips * job->heights * tsr_conv_blocks(job->p);
  int64_t taps = strips * job->heights * (kernel_of(job->p) + tsr_conv_blocks(job->p));
  return (size_t)(tsr_round_up(strips * (int64_t)sizeof(struct tsr_conv_strip), 64) +
                  tsr_round_up(blocks * (int64_t)sizeof(struct tsr_conv_list), 64) +
                  tsr_round_up(taps * (int64_t)sizeof(struct tsr_taps), 64) +
                  tsr_round_up(most_rows(job) * (int64_t)sizeof(struct tsr_conv_row), 64));
}

void tsr_conv_lists_init(const struct tsr_conv_job *job, struct tsr_conv_lists *lists, char *memory) {
  int64_t strips = most_strips(job), blocks = strips * job->heights * tsr_conv_blocks(job->p);
  int64_t taps = strips * job->heights * (kernel_of(job->p) + tsr_conv_blocks(job->p));
  lists->strips = (struct tsr_conv_strip *)memory;
  memory += tsr_round_up(strips * (int64_t)sizeof(struct tsr_conv_strip), 64);
  lists->blocks = (struct tsr_conv_list *)memory;
  memory += tsr_round_up(blocks * (int64_t)sizeof(struct tsr_conv_list), 64);
  lists->taps = (struct tsr_taps *)memory;
  memory += tsr_round_up(taps * (int64_t)sizeof(struct tsr_taps), 64);
  lists->rows = (struct tsr_conv_row *)memory;
}

/* A row's place: its phases, and which taps of depth and height it has. */
struct place {
  const struct tsr_conv_job *job;
  const struct tsr_conv_view *view;
  int64_t depth, height; /* of the output */
  int64_t phase[2];
};

/* Puts k taps into the strip's blocks for panels of one height: numbers of taps from `number` on, cut where blocks end. */
static void add_taps(const struct tsr_conv_job *job, struct tsr_conv_list *blocks, struct tsr_conv_lists *lists,
                     int64_t mr, int64_t number, int64_t k, int64_t b, int64_t b_step, int first, int end) {
  while (k > 0) {
    int64_t block = number / job->p->kb, part = tsr_min(k, (block + 1) * job->p->kb - number);
    struct tsr_conv_list *list = &blocks[block];
    if (!list->taps) list->taps = lists->taps + lists->used_taps;
    lists->taps[lists->used_taps++] =
        (struct tsr_taps){number * mr * job->size, b, (int32_t)part, (int16_t)first, (int16_t)end};
    list->count++;
    number += part;
    b += part * b_step;
    k -= part;
  }
}

/* Columns of a strip that begins at output number j0 of its phase which read a pixel of the row by this tap. */
static void columns_of(const struct tsr_conv_problem *p, const struct tap *tap, int64_t j0, int64_t columns, int *first,
                       int *end) {
  int64_t step = input_step(p, 2), i = tap->i0 + j0 * step, in = p->dim[2].in;
  int64_t from = i >= 0 ? 0 : tsr_ceil_div(-i, step), to = i >= in ? 0 : (in - 1 - i) / step + 1;
  *first = (int)tsr_min(from, columns);
  *end = (int)tsr_max(*first, tsr_min(to, columns));
}

/* How a row's taps along the width go on from one to the next: lanes over groups step from pixel to pixel with one
 * channel each, lanes over filters through pixels that lie without gaps. */
struct run {
  int64_t number, k, b;
  int first, end;
};

static int64_t step_of_b(const struct tsr_conv_job *job, const struct tsr_conv_view *view) {
  const struct tsr_conv_problem *p = job->p;
  if (job->way->lanes == TSR_CONV_FILTERS) return job->size;
  return p->cg == 1 ? view->dim[2] * (p->transposed ? 1 : p->dim[2].dilation) : view->lanes * job->size;
}

static void list_kernel_row(const struct place *place, struct tsr_conv_list *blocks, struct tsr_conv_lists *lists,
                            int64_t mr, int64_t phase, int64_t j0, int columns, int64_t number, int64_t b) {
  const struct tsr_conv_job *job = place->job;
  const struct tsr_conv_problem *p = job->p;
  int64_t b_step = step_of_b(job, place->view);
  struct run run = {.k = 0};
  for (int64_t s = 0; s < p->dim[2].kernel; s++) {
    struct run next = {.number = number + s * p->cg, .k = p->cg};
    struct tap tap = tap_of(p, 2, phase, s);
    if (!tap.valid) continue;
    columns_of(p, &tap, j0, columns, &next.first, &next.end);
    if (next.first == next.end) continue;
    next.b = b + tap.i0 * place->view->dim[2];
    bool goes_on = run.k > 0 && next.first == run.first && next.end == run.end &&
                   next.number == run.number + run.k && next.b == run.b + run.k * b_step;
    if (goes_on) {
      run.k += next.k;
      continue;
    }
    add_taps(job, blocks, lists, mr, run.number, run.k, run.b, b_step, run.first, run.end);
    run = next;
  }
  add_taps(job, blocks, lists, mr, run.number, run.k, run.b, b_step, run.first, run.end);
}

/* All taps of one strip for panels of `mr` rows; b counts from the row's origin. */
static void list_strip(const struct place *place, struct tsr_conv_list *blocks, struct tsr_conv_lists *lists, int64_t mr,
                       int64_t phase, int64_t j0, int columns) {
  const struct tsr_conv_problem *p = place->job->p;
  const struct tsr_conv_dim *dim = p->dim;
  for (int64_t b = 0; b < tsr_conv_blocks(p); b++) blocks[b] = (struct tsr_conv_list){NULL, 0};
  for (int64_t t = 0; t < dim[0].kernel; t++) {
    if (input_of(p, 0, place->depth, t) < 0) continue;
    for (int64_t r = 0; r < dim[1].kernel; r++) {
      if (input_of(p, 1, place->height, r) < 0) continue;
      int64_t b = tap_of(p, 0, place->phase[0], t).i0 * place->view->dim[0] +
                  tap_of(p, 1, place->phase[1], r).i0 * place->view->dim[1];
      list_kernel_row(place, blocks, lists, mr, phase, j0, columns, (t * dim[1].kernel + r) * dim[2].kernel * p->cg, b);
    }
  }
}

/* Whether all taps of the phase have all of these columns. */
static bool is_inner(const struct tsr_conv_problem *p, int64_t phase, int64_t j0, int64_t columns) {
  for (int64_t s = 0; s < p->dim[2].kernel; s++) {
    struct tap tap = tap_of(p, 2, phase, s);
    int64_t i = tap.i0 + j0 * input_step(p, 2);
    if (tap.valid && (i < 0 || i + (columns - 1) * input_step(p, 2) >= p->dim[2].in)) return false;
  }
  return true;
}

static void add_strip(const struct place *place, struct tsr_conv_lists *lists, int64_t phase, int64_t j0, int columns,
                      int tiles) {
  const struct tsr_conv_job *job = place->job;
  struct tsr_conv_strip *strip = &lists->strips[lists->used_strips++];
  *strip = (struct tsr_conv_strip){.x = j0 * input_step(job->p, 2) * place->view->dim[2],
                                   .pixel = phase + j0 * job->phases[2], .columns = columns, .tiles = tiles,
                                   .blocks = lists->blocks + lists->used_blocks};
  lists->used_blocks += job->heights * tsr_conv_blocks(job->p);
  for (int h = 0; h < job->heights; h++)
    list_strip(place, strip->blocks + h * tsr_conv_blocks(job->p), lists, (int64_t)job->height[h] * job->tiles->mu,
               phase, j0, columns);
  for (int64_t b = tsr_conv_blocks(job->p) - 1; b >= 0; b--)
    if (strip->blocks[b].count > 0) strip->first = b;
  for (int64_t b = strip->first; b < tsr_conv_blocks(job->p); b++)
    if (strip->blocks[b].count > 0) strip->last = b;
}

/* Where a tile of pixels takes all blocks and panels before the next one, few tiles go together unless there is one block:
 * their sums go on from block to block and must stay near. */
static int most_tiles(const struct tsr_conv_job *job) {
  enum { NEAR = 4 };
  return job->way->order == TSR_CONV_PIXELS && tsr_conv_blocks(job->p) > 1 ? NEAR : INT_MAX;
}

/* Covers the piece's outputs of one phase with tiles; such that see all taps go side by side in one strip. */
static void list_phase(const struct place *place, const struct tsr_conv_piece *piece, struct tsr_conv_lists *lists,
                       int64_t phase) {
  const struct tsr_conv_job *job = place->job;
  int64_t apart = job->phases[2];
  int64_t j = tsr_ceil_div(tsr_max(0, piece->col - phase), apart);
  int64_t end = tsr_ceil_div(tsr_max(0, piece->col + piece->cols - phase), apart);
  while (j < end) {
    int most = job->way->columns, columns = tsr_next_columns(end - j, most, most), tiles = 1;
    while (tiles < most_tiles(job) && j + tiles * columns < end &&
           is_inner(job->p, phase, j, (tiles + 1) * (int64_t)columns) &&
           tsr_next_columns(end - j - tiles * columns, most, most) == columns)
      tiles++;
    add_strip(place, lists, phase, j, columns, tiles);
    j += (int64_t)tiles * columns;
  }
}

/* Whether two rows of a depth see the same taps, so that one list serves both. */
static bool alike(const struct tsr_conv_job *job, int64_t a, int64_t b) {
  if (a % job->phases[1] != b % job->phases[1]) return false;
  for (int64_t r = 0; r < job->p->dim[1].kernel; r++)
    if ((input_of(job->p, 1, a, r) < 0) != (input_of(job->p, 1, b, r) < 0)) return false;
  return true;
}

void tsr_conv_lists_clear(struct tsr_conv_lists *lists) {
  lists->last = NULL;
  lists->used_strips = lists->used_blocks = lists->used_taps = 0;
}

void tsr_conv_list_row(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece,
                       const struct tsr_conv_view *view, struct tsr_conv_lists *lists, int64_t height, int64_t at,
                       bool only) {
  struct place place = {.job = job, .view = view, .depth = piece->depth, .height = height};
  struct tsr_conv_row *row = &lists->rows[at];
  if (lists->last && alike(job, height, lists->last_row)) {
    *row = *lists->last;
  } else {
    if (only) tsr_conv_lists_clear(lists);
    place.phase[0] = place.depth % job->phases[0];
    place.phase[1] = height % job->phases[1];
    row->strips = lists->strips + lists->used_strips;
    for (int64_t phase = 0; phase < job->phases[2]; phase++) list_phase(&place, piece, lists, phase);
    row->count = lists->strips + lists->used_strips - row->strips;
  }
  row->origin = place.depth / job->phases[0] * input_step(job->p, 0) * view->dim[0] +
                height / job->phases[1] * input_step(job->p, 1) * view->dim[1];
  lists->last = row;
  lists->last_row = height;
}

void tsr_conv_list_rows(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece,
                        const struct tsr_conv_view *view, struct tsr_conv_lists *lists) {
  const int64_t key[] = {piece->depth, piece->row, piece->rows, piece->col, piece->cols, view->dim[0], view->dim[1],
                         view->dim[2], view->lanes};
  _Static_assert(sizeof key == sizeof lists->made_for, "what lists depend on");
  if (lists->last && memcmp(key, lists->made_for, sizeof key) == 0) return;
  tsr_conv_lists_clear(lists);
  for (int64_t i = 0; i < piece->rows; i++) tsr_conv_list_row(job, piece, view, lists, piece->row + i, i, false);
  memcpy(lists->made_for, key, sizeof key);
}
