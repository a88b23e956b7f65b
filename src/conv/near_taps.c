/* Lanes over neighbours: which taps the outputs of a line have. */
#include <string.h>

#include "src/conv/near.h"

/* Input lines between the first tap of the first of some lines of outputs and the last tap of the last; several lines of
 * outputs are taken where kernels have no gaps. */
static int64_t reach_of(const struct tsr_conv_dim *dim, int64_t lines) { return (lines - 1) * dim->stride + dim->kernel; }

static int64_t most_taps(const struct tsr_conv_job *job) {
  const struct tsr_conv_problem *p = job->p;
  int64_t down = reach_of(&p->dim[1], job->way->panels == 1 ? job->way->columns : 1);
  int64_t cuts = p->taps > p->kb ? 3 * tsr_min(p->dim[1].kernel, job->way->columns) * (p->cg / p->kb + 2) : 1;
  return p->dim[0].kernel * p->dim[2].kernel * down * cuts;
}

static int64_t bytes_of_blocks(const struct tsr_conv_job *job) {
  return tsr_round_up(tsr_conv_blocks(job->p) * (int64_t)sizeof(struct tsr_conv_list), 64);
}

int64_t tsr_near_lists_bytes(const struct tsr_conv_job *job) {
  return bytes_of_blocks(job) + tsr_round_up(most_taps(job) * (int64_t)sizeof(struct tsr_taps), 64);
}

void tsr_near_lists_init(const struct tsr_conv_job *job, struct tsr_near_lists *lists, char *memory) {
  lists->blocks = (struct tsr_conv_list *)memory;
  lists->taps = (struct tsr_taps *)(memory + bytes_of_blocks(job));
  lists->made_for[0] = 0;
}

/* All channels of one tap: of a line of outputs, or of lines first .. end - 1, each of which sees them as `drop` taps before
 * the last one. */
struct entry {
  int64_t a, number; /* in the band, and the first channel's number for line 0 */
  int64_t drop, first, end;
};

/* Appends those of the entry's steps that belong to a block. `columns`: all have them; 0: as many as lines do. */
static void add_entry(const struct tsr_near_piece *piece, struct tsr_taps *taps, int64_t *count, int64_t block,
                      const struct entry *e, int columns) {
  const struct tsr_conv_problem *p = piece->job->p;
  int64_t begin = block * p->kb, end = begin + p->kb, next;
  for (int64_t c = 0; c < p->cg; c = next) {
    int64_t least = e->end, most = e->first;
    next = p->cg;
    for (int64_t j = e->first; j < e->end; j++) {
      int64_t number = e->number - j * e->drop + c;
      if (number < begin) next = tsr_min(next, c + begin - number);
      if (number < begin || number >= end) continue;
      next = tsr_min(next, c + end - number);
      least = tsr_min(least, j);
      most = j + 1;
    }
    if (least >= most) continue;
    taps[(*count)++] = (struct tsr_taps){e->a + c * piece->channel, (e->number + c) * piece->job->size,
                                         (int32_t)(next - c), (int16_t)(columns ? 0 : least),
                                         (int16_t)(columns ? columns : most)};
  }
}

/* Where the band has what tap number `tap` along the line reads for the first output; false: it is padding. */
static bool place_along(const struct tsr_near_piece *piece, int64_t tap, int64_t *a) {
  const struct tsr_conv_dim *dim = &piece->job->p->dim[piece->at.along];
  int64_t by = tap * dim->dilation, i = piece->at.first * dim->stride - dim->pad + by;
  if (piece->at.single) {
    *a = tap * piece->part;
    return i >= 0 && i < dim->in;
  }
  *a = by % dim->stride * piece->part + by / dim->stride * piece->job->size;
  return true;
}

/* `from` and `to`: taps across of the first line that are not padding, counted on to those of the last line. */
static int64_t list_block(const struct tsr_near_piece *piece, struct tsr_taps *taps, int64_t block, int64_t lines,
                          int64_t from, int64_t to) {
  const struct tsr_conv_problem *p = piece->job->p;
  const struct tsr_conv_dim *dim = p->dim, *across = &dim[piece->at.across];
  bool rows = piece->at.across == 1;
  int64_t down = rows ? to : dim[1].kernel, right = rows ? dim[2].kernel : to, count = 0;
  for (int64_t t = 0; t < dim[0].kernel; t++) {
    int64_t d = piece->depth * dim[0].stride - dim[0].pad + t * dim[0].dilation;
    if (d < 0 || d >= dim[0].in) continue;
    for (int64_t r = rows ? from : 0; r < down; r++)
      for (int64_t s = rows ? 0 : from; s < right; s++) {
        struct entry e = {.number = ((t * dim[1].kernel + r) * dim[2].kernel + s) * p->cg,
                          .drop = across->stride * dim[2].kernel * p->cg};
        int64_t line = rows ? r : s;
        if (!place_along(piece, rows ? s : r, &e.a)) continue;
        e.a += t * piece->slice + line * across->dilation * piece->input;
        e.first = tsr_max(0, tsr_ceil_div(line - across->kernel + 1, across->stride));
        e.end = tsr_min(lines, line / across->stride + 1);
        add_entry(piece, taps, &count, block, &e, lines == 1 ? (int)piece->job->way->panels : 0);
      }
  }
  return count;
}

void tsr_near_list(const struct tsr_near_piece *piece, struct tsr_near_lists *lists, int64_t line, int64_t lines) {
  const struct tsr_conv_dim *dim = &piece->job->p->dim[piece->at.across];
  int64_t i = line * dim->stride - dim->pad, reach = reach_of(dim, lines);
  int64_t from = i < 0 ? tsr_ceil_div(-i, dim->dilation) : 0;
  int64_t to = i < dim->in ? tsr_min(reach, (dim->in - 1 - i) / dim->dilation + 1) : 0;
  const int64_t key[] = {lines, from, to};
  struct tsr_taps *taps = lists->taps;
  if (memcmp(key, lists->made_for, sizeof key) == 0) return;
  memcpy(lists->made_for, key, sizeof key);
  for (int64_t b = 0; b < tsr_conv_blocks(piece->job->p); b++) {
    lists->blocks[b] = (struct tsr_conv_list){taps, list_block(piece, taps, b, lines, from, to)};
    taps += lists->blocks[b].count;
  }
}
