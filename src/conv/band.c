/* A band: the pixels of x that a piece reads, copied to where the kernels read them best: the channels of its group, or
 * of its groups, last, in the type that is computed in, rows one behind the other. Lanes over groups have them as
 * [pixel][channel of a group][group]. */
#include <string.h>

#include "src/conv/conv.h"

/* At most so many inputs are read by `count` outputs side by side. */
static int64_t most_inputs(const struct tsr_conv_problem *p, int i, int64_t count) {
  const struct tsr_conv_dim *dim = &p->dim[i];
  int64_t reach = (dim->kernel - 1) * dim->dilation;
  int64_t most = p->transposed ? (count + reach) / dim->stride + 2 : (count - 1) * dim->stride + reach + 1;
  return tsr_min(dim->in, most);
}

int64_t tsr_conv_band_bytes(const struct tsr_conv_job *job) {
  const struct tsr_conv_problem *p = job->p;
  if (!job->way->band) return 0;
  int64_t pixels = most_inputs(p, 0, 1) * most_inputs(p, 1, job->way->rows) * most_inputs(p, 2, job->way->cols);
  return tsr_round_up(pixels * job->band_pixel, 64) + 64;
}

/* One row of `pixels` pixels, channels last and of the same order: a conversion or copy. */
static void copy_row(const struct tsr_conv_job *job, tsr_mem from, int64_t channels, int64_t pixels, char *to) {
  const struct tsr_conv_problem *p = job->p;
  struct tsr_step step = {.m = channels, .n = pixels, .csa = p->x.dim[2], .csc = job->band_pixel, .alpha = 1};
  if (p->x.type != p->type) {
    job->table[p->x.type].convert[p->type]->run(&step, from, 0, (tsr_mem)to);
    return;
  }
  for (int64_t i = 0; i < pixels; i++)
    memcpy(to + i * step.csc, (const char *)from + i * step.csa, (size_t)(channels * job->size));
}

/* Lines of elements `line` apart become neighbours: m lines, n elements each `next` bytes apart in the band. */
static void turn(const struct tsr_conv_job *job, tsr_mem from, int64_t m, int64_t line, int64_t n, char *to,
                 int64_t next) {
  const struct tsr_conv_problem *p = job->p;
  struct tsr_step step = {.m = m, .n = n, .rsa = line, .csc = next};
  job->table[p->x.type].turn[p->type]->run(&step, from, 0, (tsr_mem)to);
}

/* `groups` groups from the one that `from` points to. */
static void load_row(const struct tsr_conv_job *job, tsr_mem from, int64_t groups, int64_t pixels, char *to) {
  const struct tsr_conv_problem *p = job->p;
  if (p->x_last && (groups == 1 || p->cg == 1)) {
    copy_row(job, from, groups * p->cg, pixels, to);
  } else if (groups == 1 || p->cg == 1) {
    turn(job, from, groups * p->cg, p->x.channel, pixels, to, job->band_pixel);
  } else if (p->x_last) {
    for (int64_t i = 0; i < pixels; i++)
      turn(job, from + (tsr_mem)(i * p->x.dim[2]), groups, p->cg * p->x.channel, p->cg, to + i * job->band_pixel,
           groups * job->size);
  } else {
    for (int64_t c = 0; c < p->cg; c++)
      turn(job, from + (tsr_mem)(c * p->x.channel), groups, p->cg * p->x.channel, pixels, to + c * groups * job->size,
           job->band_pixel);
  }
}

void tsr_conv_load_band(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece, char *band,
                        struct tsr_conv_view *view) {
  const struct tsr_conv_problem *p = job->p;
  int64_t first[3] = {piece->depth, piece->row, piece->col}, count[3] = {1, piece->rows, piece->cols};
  int64_t least[3], most[3];
  for (int i = 0; i < 3; i++) tsr_conv_inputs(p, i, first[i], count[i], &least[i], &most[i]);
  view->dim[2] = job->band_pixel;
  view->dim[1] = view->dim[2] * tsr_max(0, most[2] - least[2] + 1);
  view->dim[0] = view->dim[1] * tsr_max(0, most[1] - least[1] + 1);
  view->at = (tsr_mem)band - (tsr_mem)(least[0] * view->dim[0] + least[1] * view->dim[1] + least[2] * view->dim[2]);
  if (most[2] < least[2]) return;
  struct tsr_conv_span span = {piece->group, 1};
  if (job->way->lanes == TSR_CONV_GROUPS) span = tsr_conv_lanes_of(job, piece);
  view->lanes = span.count;
  tsr_mem image = p->x.at + (tsr_mem)(piece->image * p->x.image + span.first * p->cg * p->x.channel);
  for (int64_t d = least[0]; d <= most[0]; d++)
    for (int64_t h = least[1]; h <= most[1]; h++) {
      tsr_mem row = image + (tsr_mem)(d * p->x.dim[0] + h * p->x.dim[1] + least[2] * p->x.dim[2]);
      load_row(job, row, span.count, most[2] - least[2] + 1, band);
      band += view->dim[1];
    }
}
