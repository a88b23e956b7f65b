/* Rank-1 and rank-2 updates. */
#include "src/level2/parts.h"

struct job {
  const struct tsr_step *step;
  tsr_run *run;
  int64_t size;
  tsr_mem a, x, y;
};

static void columns(void *arg, int64_t first, int64_t end) {
  const struct job *job = arg;
  struct tsr_step s = *job->step;
  tsr_mem a = tsr_level2_part(&s, job->a, job->size, 0, first);
  s.n = end - first;
  job->run(&s, a, job->x, job->y + (tsr_mem)(first * job->size));
}

static bool is_zero(const double x[2]) { return x[0] == 0 && x[1] == 0; }

tsr_status tsr_ger(const tsr_context *context, const struct tsr_level2 *p) {
  struct tsr_level2_buffer buffer_x, buffer_y;
  tsr_mem a;
  if (is_zero(p->alpha)) return TSR_OK;
  struct tsr_step s = tsr_level2_step(p, false, false, &a);
  tsr_mem x = tsr_level2_gather(p, p->m, p->x, p->incx, p->conj_x, false, true, TSR_SCRATCH_A, &buffer_x);
  tsr_mem y = tsr_level2_gather(p, p->n, p->y, p->incy, false, false, true, TSR_SCRATCH_B, &buffer_y);
  s.k = 1;
  if (p->conj_y) s.flags |= TSR_CONJ_B;
  if (!x || !y) return tsr_level2_update_by_pieces(context, p, &s, a, false), TSR_OK;
  struct job job = {&s, context->kernels[p->type].level2_ger->run, tsr_size_of(p->type), a, x, y};
  tsr_level2_split(context, p->n, p->m * p->n * job.size, true, columns, &job);
  return TSR_OK;
}

/* A Hermitian matrix has a real diagonal, whatever stood there. */
static void make_real(const struct tsr_level2 *p, const struct tsr_step *s, tsr_mem a) {
  int64_t size = tsr_size_of(p->type);
  for (int64_t j = 0; j < s->n; j++) {
    tsr_mem d = a + (tsr_mem)(j * (s->csa + size) + s->rsa * (j * (j - 1) / 2));
    if (p->type == TSR_C32)
      ((float *)d)[1] = 0;
    else
      ((double *)d)[1] = 0;
  }
}

tsr_status tsr_syr(const tsr_context *context, const struct tsr_level2 *p) {
  struct tsr_level2_buffer buffer_x, buffer_y;
  tsr_mem a, y = 0;
  if (is_zero(p->alpha)) return TSR_OK;
  tsr_mem x = tsr_level2_gather(p, p->n, p->x, p->incx, p->conj_x, false, true, TSR_SCRATCH_A, &buffer_x);
  if (p->y) y = tsr_level2_gather(p, p->n, p->y, p->incy, p->conj_x, false, true, TSR_SCRATCH_B, &buffer_y);
  struct tsr_step s = tsr_level2_step(p, true, false, &a);
  s.k = p->y ? 2 : 1;
  s.db = y ? (int64_t)(y - x) : 0;
  s.csc = -s.db;
  if (p->hermitian) s.flags |= TSR_CONJ_B;
  bool copied = x && (y || !p->y);
  struct job job = {&s, context->kernels[p->type].level2_ger->run, tsr_size_of(p->type), a, x, y ? y : x};
  if (copied)
    tsr_level2_split(context, p->n, p->n * p->n / 2 * job.size, false, columns, &job);
  else
    tsr_level2_update_by_pieces(context, p, &s, a, p->conj_x);
  if (p->hermitian) make_real(p, &s, a);
  return TSR_OK;
}
