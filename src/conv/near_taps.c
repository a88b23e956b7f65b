/* Lanes over neighbours: which taps the outputs of a line have. */
#include <string.h>

#include "src/conv/near.h"

static int64_t most_taps(const struct tsr_conv_problem *p) {
  return p->dim[0].kernel * p->dim[1].kernel * p->dim[2].kernel + tsr_conv_blocks(p);
}

static int64_t bytes_of_blocks(const struct tsr_conv_job *job) {
  return tsr_round_up(tsr_conv_blocks(job->p) * (int64_t)sizeof(struct tsr_conv_list), 64);
}

int64_t tsr_near_lists_bytes(const struct tsr_conv_job *job) {
  return bytes_of_blocks(job) + tsr_round_up(most_taps(job->p) * (int64_t)sizeof(struct tsr_taps), 64);
}

void tsr_near_lists_init(const struct tsr_conv_job *job, struct tsr_near_lists *lists, char *memory) {
  lists->blocks = (struct tsr_conv_list *)memory;
  lists->taps = (struct tsr_taps *)(memory + bytes_of_blocks(job));
  lists->made_for[0] = -1;
}

int64_t tsr_near_place(const struct tsr_near_piece *piece, int64_t tap) {
  const struct tsr_conv_dim *dim = &piece->job->p->dim[piece->at.along];
  int64_t by = tap * dim->dilation;
  if (piece->at.single) return tap * piece->part;
  return by % dim->stride * piece->part + by / dim->stride * piece->job->size;
}

/* Whether a tap along the line is inside for all outputs, or for the one. */
static bool is_inside(const struct tsr_near_piece *piece, int64_t tap) {
  const struct tsr_conv_dim *dim = &piece->job->p->dim[piece->at.along];
  int64_t i = piece->at.first * dim->stride - dim->pad + tap * dim->dilation;
  return i >= 0 && i < dim->in;
}

/* Puts the channels of a tap, whose numbers begin with `number`, into the blocks. */
static struct tsr_taps *add_taps(const struct tsr_near_piece *piece, struct tsr_near_lists *lists,
                                 struct tsr_taps *taps, int64_t number, int64_t a) {
  const struct tsr_conv_problem *p = piece->job->p;
  for (int64_t c = 0, k; c < p->cg; c += k, taps++) {
    struct tsr_conv_list *list = &lists->blocks[(number + c) / p->kb];
    k = tsr_min(p->cg - c, p->kb - (number + c) % p->kb);
    if (!list->taps) list->taps = taps;
    list->count++;
    *taps = (struct tsr_taps){a + c * piece->channel, (number + c) * piece->job->size, (int32_t)k, 0,
                              (int16_t)p->kg};
  }
  return taps;
}

/* `from` and `to`: taps across that are inside. */
static void list_depth(const struct tsr_near_piece *piece, struct tsr_near_lists *lists, struct tsr_taps **taps,
                       int64_t t, int64_t from, int64_t to) {
  const struct tsr_conv_problem *p = piece->job->p;
  const struct tsr_conv_dim *dim = p->dim, *across = &dim[piece->at.across];
  bool rows = piece->at.across == 1;
  int64_t down = rows ? to : dim[1].kernel, right = rows ? dim[2].kernel : to;
  for (int64_t r = rows ? from : 0; r < down; r++)
    for (int64_t s = rows ? 0 : from; s < right; s++) {
      int64_t along = rows ? s : r, line = rows ? r : s;
      if (!is_inside(piece, along)) continue;
      *taps = add_taps(piece, lists, *taps, ((t * dim[1].kernel + r) * dim[2].kernel + s) * p->cg,
                       t * piece->slice + line * across->dilation * piece->input + tsr_near_place(piece, along));
    }
}

void tsr_near_list(const struct tsr_near_piece *piece, struct tsr_near_lists *lists, int64_t line) {
  const struct tsr_conv_problem *p = piece->job->p;
  const struct tsr_conv_dim *dim = &p->dim[piece->at.across], *depth = &p->dim[0];
  int64_t i = line * dim->stride - dim->pad;
  int64_t from = i < 0 ? tsr_ceil_div(-i, dim->dilation) : 0;
  int64_t to = i < dim->in ? tsr_min(dim->kernel, (dim->in - 1 - i) / dim->dilation + 1) : 0;
  const int64_t key[] = {from, to};
  struct tsr_taps *taps = lists->taps;
  if (memcmp(key, lists->made_for, sizeof key) == 0) return;
  memcpy(lists->made_for, key, sizeof key);
  for (int64_t b = 0; b < tsr_conv_blocks(p); b++) lists->blocks[b] = (struct tsr_conv_list){NULL, 0};
  for (int64_t t = 0; t < depth->kernel; t++) {
    int64_t d = piece->depth * depth->stride - depth->pad + t * depth->dilation;
    if (d >= 0 && d < depth->in) list_depth(piece, lists, &taps, t, from, to);
  }
}
