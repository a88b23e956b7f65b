/* From the stage to y, and what follows the sums. */
#include <math.h>

#include "src/conv/conv.h"

/* Limits are part of the kernels; they come after scale and what is added, which on the way to a y of channels first or
 * of another type the kernels cannot reach. */
bool tsr_conv_needs_post(const struct tsr_conv_problem *p, bool staged) {
  const tsr_post_ops *post = &p->d->post;
  bool limits = post->activation == TSR_NO_ACTIVATION || post->activation == TSR_RELU || post->activation == TSR_CLIP;
  return post->scale || !limits || (p->add && staged);
}

void tsr_conv_limits(const struct tsr_conv_problem *p, bool staged, double *low, double *high) {
  const tsr_post_ops *post = &p->d->post;
  bool here = !tsr_conv_needs_post(p, staged), clips = here && post->activation == TSR_CLIP;
  *low = clips ? post->low : here && post->activation == TSR_RELU ? 0 : -INFINITY;
  *high = clips ? post->high : INFINITY;
}

struct tsr_post tsr_conv_post_of(const struct tsr_conv_job *job, int64_t filter, int64_t at, int64_t add_ld) {
  const tsr_post_ops *ops = &job->p->d->post;
  struct tsr_post post = {.add_ld = add_ld, .activation = ops->activation, .low = ops->low, .high = ops->high,
                          .slope = ops->slope};
  if (job->scale) post.scale = job->scale + (tsr_mem)(filter * job->size);
  if (job->p->add) post.add = job->p->add + (tsr_mem)at;
  return post;
}

static int64_t corner(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece, int64_t row, int64_t filter) {
  const struct tsr_conv_tensor *y = &job->p->y;
  return piece->image * y->image + piece->depth * y->dim[0] + row * y->dim[1] + piece->col * y->dim[2] +
         filter * y->channel;
}

void tsr_conv_start(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece, int64_t row, int64_t first,
                    int64_t rows, tsr_mem stage) {
  const struct tsr_conv_problem *p = job->p;
  tsr_mem y = p->y.at + (tsr_mem)corner(job, piece, row, piece->group * job->lanes + first);
  struct tsr_step step = {.m = rows, .n = piece->cols, .csc = job->stage_pixel, .alpha = p->beta, .beta = p->beta};
  if (job->way->staged && p->y_last) {
    step.csa = p->y.dim[2];
    job->table[p->y.type].convert[p->type]->run(&step, y, 0, stage);
    return;
  }
  if (job->way->staged) {
    step.rsa = p->y.channel;
    job->table[p->y.type].turn[p->type]->run(&step, y, 0, stage);
    y = stage;
  } else {
    step.csc = p->y.dim[2];
  }
  job->table[p->type].scale->run(&step, 0, 0, y);
}

void tsr_conv_post_in_place(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece, int64_t row,
                            int64_t first, int64_t rows) {
  const struct tsr_conv_tensor *y = &job->p->y;
  int64_t filter = piece->group * job->lanes + first, at = corner(job, piece, row, filter);
  struct tsr_post post = tsr_conv_post_of(job, filter, at, y->dim[2]);
  struct tsr_step step = {.m = rows, .n = piece->cols, .csa = y->dim[2], .csc = y->dim[2]};
  job->table[job->p->type].post[y->type]->run(&step, y->at + (tsr_mem)at, (tsr_mem)&post, y->at + (tsr_mem)at);
}

/* [pixel][filter] at `from` becomes rows of pixels in y. */
static void to_planes(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece, int64_t at, int64_t filter,
                      int64_t filters, tsr_mem from, tsr_mem turned) {
  const struct tsr_conv_problem *p = job->p;
  struct tsr_step step = {.m = piece->cols, .n = filters, .rsa = job->stage_pixel, .csc = p->y.channel};
  if (!tsr_conv_needs_post(p, true)) {
    job->table[p->type].turn[p->y.type]->run(&step, from, 0, p->y.at + (tsr_mem)at);
    return;
  }
  step.csc = piece->cols * job->size;
  job->table[p->type].turn[p->type]->run(&step, from, 0, turned);
  struct tsr_post post = tsr_conv_post_of(job, filter, at, p->y.channel);
  post.across = true;
  step.csa = step.csc;
  step.csc = p->y.channel;
  job->table[p->type].post[p->y.type]->run(&step, turned, (tsr_mem)&post, p->y.at + (tsr_mem)at);
}

static void to_pixels(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece, int64_t at, int64_t filter,
                      int64_t filters, tsr_mem from) {
  const struct tsr_conv_problem *p = job->p;
  struct tsr_step step = {.m = filters, .n = piece->cols, .csa = job->stage_pixel, .csc = p->y.dim[2], .alpha = 1};
  struct tsr_post post = tsr_conv_post_of(job, filter, at, p->y.dim[2]);
  const struct tsr_kernel *convert = job->table[p->type].convert[p->y.type];
  if (convert && !tsr_conv_needs_post(p, true)) {
    convert->run(&step, from, 0, p->y.at + (tsr_mem)at);
    return;
  }
  if (!tsr_conv_needs_post(p, true)) post.activation = TSR_NO_ACTIVATION;
  job->table[p->type].post[p->y.type]->run(&step, from, (tsr_mem)&post, p->y.at + (tsr_mem)at);
}

/* Lanes over groups leave [inner][group]; y's filters count [group][inner]. Pixels go `pixel` bytes apart to `to`. */
static void unravel(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece, int64_t groups, tsr_mem stage,
                    tsr_mem to, int64_t pixel) {
  int64_t size = job->size;
  struct tsr_step step = {.m = job->inner, .n = groups, .rsa = groups * size, .csc = job->inner * size};
  for (int64_t i = 0; i < piece->cols; i++)
    job->table[job->p->type].turn[job->p->type]->run(&step, stage + (tsr_mem)(i * job->stage_pixel), 0,
                                                     to + (tsr_mem)(i * pixel));
}

void tsr_conv_finish(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece, int64_t row, int64_t first,
                     int64_t rows, tsr_mem stage, tsr_mem turned) {
  int64_t filter = piece->group * job->lanes + first * job->inner, at = corner(job, piece, row, filter);
  const struct tsr_conv_tensor *y = &job->p->y;
  if (job->inner > 1 && job->p->y_last && y->type == job->p->type && !tsr_conv_needs_post(job->p, true)) {
    unravel(job, piece, rows, stage, y->at + (tsr_mem)at, y->dim[2]);
    return;
  }
  if (job->inner > 1) {
    unravel(job, piece, rows, stage, turned, job->stage_pixel);
    tsr_mem swap = stage;
    stage = turned;
    turned = swap;
  }
  if (job->p->y_last)
    to_pixels(job, piece, at, filter, rows * job->inner, stage);
  else
    to_planes(job, piece, at, filter, rows * job->inner, stage, turned);
}
