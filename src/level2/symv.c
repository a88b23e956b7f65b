/* Products of a symmetric or Hermitian matrix with a vector: A is read once. Large ones are cut into strips of columns, of
 * which each has sums of its own; how many there are depends on the order alone, so the bits do not depend on threads. */
#include "src/level2/parts.h"

#include <stdatomic.h>
#include <string.h>

struct job {
  const struct tsr_level2 *p;
  struct tsr_step step;
  tsr_run *run;
  int64_t size, strips, width; /* strip q has columns q * width ... and those as far from the end: the same area in all */
  tsr_mem a, x, sums;
};

static void columns(const struct job *job, int64_t from, int64_t to, tsr_mem y) {
  struct tsr_step s = job->step;
  s.k = from, s.n = tsr_min(to, s.m) - from;
  if (s.n > 0) job->run(&s, job->a, job->x, y);
}

static tsr_mem sums_of(const struct job *job, int64_t strip) {
  return job->sums + (tsr_mem)(strip * job->step.m * job->size);
}

static void strips(void *arg, int64_t first, int64_t end) {
  const struct job *job = arg;
  for (int64_t q = first; q < end; q++) {
    tsr_mem y = sums_of(job, q);
    int64_t mirror = 2 * job->strips - 1 - q;
    memset((void *)y, 0, (size_t)(job->step.m * job->size));
    columns(job, q * job->width, (q + 1) * job->width, y);
    columns(job, mirror * job->width, (mirror + 1) * job->width, y);
  }
}

/* y = alpha A x + y, its strips added in order. */
static void multiply(const tsr_context *context, struct job *job, tsr_mem y) {
  int64_t n = job->step.m;
  if (job->strips == 1) {
    columns(job, 0, n, y);
    return;
  }
  job->width = tsr_level2_strip_width(job->p);
  tsr_level2_split(context, job->strips, n * n / 2 * job->size, true, strips, job);
  for (int64_t q = 0; q < job->strips; q++) tsr_level2_add(job->p->type, n, sums_of(job, q), y);
}

static bool is_zero(const double x[2]) { return x[0] == 0 && x[1] == 0; }

tsr_status tsr_symv(const tsr_context *context, const struct tsr_level2 *p) {
  struct tsr_level2_buffer buffer_x, buffer_y;
  bool read_x = !is_zero(p->alpha);
  tsr_mem x = read_x ? tsr_level2_gather(p, p->n, p->x, p->incx, p->conj_x, false, true, TSR_SCRATCH_A, &buffer_x) : p->y;
  tsr_mem y = tsr_level2_gather(p, p->n, p->y, p->incy, false, false, !is_zero(p->beta), TSR_SCRATCH_B, &buffer_y);
  struct job job; /* not made zero: that takes longer than a small product */
  job.p = p, job.run = context->kernels[p->type].level2_symv->run, job.size = tsr_size_of(p->type), job.x = x, job.sums = 0;
  job.strips = read_x ? tsr_level2_strips(p) : 1;
  if (job.strips > 1) job.sums = (tsr_mem)tsr_scratch_get(TSR_SCRATCH_SUMS, (size_t)(job.strips * p->n * job.size));
  if (!x || !y || (job.strips > 1 && !job.sums)) return tsr_level2_symv_by_pieces(context, p), TSR_OK;
  job.step = tsr_level2_step(p, true, false, &job.a);
  if (p->hermitian) job.step.flags |= p->conj ? TSR_CONJ_A : TSR_CONJ_B;
  tsr_level2_scale(context, p, p->beta, p->n, y);
  if (read_x) multiply(context, &job, y);
  tsr_level2_scatter(p, p->n, y, p->y, p->incy);
  return TSR_OK;
}
