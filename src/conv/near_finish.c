/* Lanes over neighbours: from the stage to y, and what follows the sums. */
#include "src/conv/near.h"

/* Limits are part of CONV, not of GEMM. */
static bool needs_post(const struct tsr_conv_job *job) {
  return tsr_conv_needs_post(job->p, true) || tsr_near_streams(job->way);
}

/* Outputs lie side by side in y. */
static void to_lines(const struct tsr_conv_job *job, struct tsr_step *step, struct tsr_post *post, tsr_mem sums,
                     int64_t pitch, tsr_mem to) {
  const struct tsr_conv_tensor *y = &job->p->y;
  step->csa = pitch;
  step->csc = post->add_ld = y->channel;
  post->across = true;
  job->table[job->p->type].post[y->type]->run(step, sums, (tsr_mem)post, to);
}

/* Filters do, or there is one. */
static void to_pixels(const struct tsr_conv_job *job, const struct tsr_step *lines, struct tsr_post *post, tsr_mem sums,
                      int64_t pitch, int64_t pixel, tsr_mem turned, tsr_mem to) {
  const struct tsr_conv_problem *p = job->p;
  bool posts = needs_post(job);
  struct tsr_step step = {.m = lines->n, .n = lines->m, .rsa = pitch, .csc = posts ? lines->n * job->size : pixel};
  job->table[p->type].turn[posts ? p->type : p->y.type]->run(&step, sums, 0, posts ? turned : to);
  if (!posts) return;
  step.csa = step.csc;
  step.csc = post->add_ld = pixel;
  job->table[p->type].post[p->y.type]->run(&step, turned, (tsr_mem)post, to);
}

void tsr_near_finish(const struct tsr_near_piece *piece, int64_t filter, int64_t filters, int64_t line, int64_t first,
                     int64_t count, tsr_mem sums, int64_t pitch, tsr_mem turned) {
  const struct tsr_conv_job *job = piece->job;
  const struct tsr_conv_problem *p = job->p;
  const struct tsr_conv_tensor *y = &p->y;
  int64_t pixel = y->dim[piece->at.along], size = tsr_size_of(y->type);
  for (int64_t f = 0, n; f < filters; f += n) {
    n = pixel == size || y->channel == size ? filters : 1;
    int64_t number = piece->group * p->kg + filter + f;
    int64_t at = piece->image * y->image + piece->depth * y->dim[0] + line * y->dim[piece->at.across] +
                 (piece->at.first + first) * pixel + number * y->channel;
    struct tsr_step step = {.m = count, .n = n};
    struct tsr_post post = tsr_conv_post_of(job, number, at, 0);
    if (!needs_post(job)) post.activation = TSR_NO_ACTIVATION;
    if (pixel == size)
      to_lines(job, &step, &post, sums, pitch, y->at + (tsr_mem)at);
    else
      to_pixels(job, &step, &post, sums + (tsr_mem)(f * pitch), pitch, pixel, turned, y->at + (tsr_mem)at);
  }
}
