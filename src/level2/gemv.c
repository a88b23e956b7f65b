/* Products of a matrix or a triangle with a vector. */
#include "src/level2/parts.h"

/* Contiguous vectors and a step: what all products come down to. */
struct job {
  const struct tsr_step *step;
  tsr_run *run;
  int64_t size;
  tsr_mem a, x, y;
};

/* Units: A, this many rows: whole lines; A', a group of columns. */
enum { ROWS = 64, BLOCK_BYTES = 16 << 10 };

/* Rows in blocks whose part of y stays near, and of a band only the columns that have any. */
static void rows(void *arg, int64_t first, int64_t end) {
  const struct job *job = arg;
  int64_t most = BLOCK_BYTES / job->size, last = tsr_min(end * ROWS, job->step->m);
  for (int64_t i = first * ROWS; i < last; i += most) {
    struct tsr_step s = *job->step;
    int64_t m = tsr_min(most, last - i), from = tsr_max(0, i - s.rsb), to = tsr_min(s.n, i + m + s.csb);
    if (from >= to) continue;
    tsr_mem a = tsr_level2_part(&s, job->a, job->size, i, from);
    s.m = m, s.n = to - from;
    job->run(&s, a, job->x + (tsr_mem)(from * job->size), job->y + (tsr_mem)(i * job->size));
  }
}

/* Of groups only the rows that they have: x begins with those. */
static void columns(void *arg, int64_t first, int64_t end) {
  const struct job *job = arg;
  struct tsr_step s = *job->step;
  int64_t from = first * TSR_LEVEL2_GROUP, to = tsr_min(end * TSR_LEVEL2_GROUP, s.n);
  tsr_mem a = tsr_level2_part(&s, job->a, job->size, 0, from);
  s.n = to - from;
  job->run(&s, a, job->x, job->y + (tsr_mem)(from * job->size));
}

static int64_t bytes_of(const struct tsr_step *s, int64_t size) {
  int64_t diagonals = tsr_max(0, s->rsb + s->csb + 1);
  return tsr_min(s->m, diagonals) * s->n * size;
}

/* y = alpha op(A) x + y */
static void multiply(const tsr_context *context, const struct tsr_level2 *p, const struct tsr_step *s, tsr_mem a, tsr_mem x,
                     tsr_mem y) {
  const struct tsr_kernels *kernels = &context->kernels[p->type];
  struct job job = {s, p->trans ? kernels->level2_gemv_t->run : kernels->level2_gemv_n->run, tsr_size_of(p->type), a, x, y};
  if (bytes_of(s, job.size) <= BLOCK_BYTES)
    job.run(s, a, x, y);
  else if (p->trans)
    tsr_level2_split(context, tsr_ceil_div(s->n, TSR_LEVEL2_GROUP), bytes_of(s, job.size), true, columns, &job);
  else
    tsr_level2_split(context, tsr_ceil_div(s->m, ROWS), bytes_of(s, job.size), true, rows, &job);
}

static bool is_zero(const double x[2]) { return x[0] == 0 && x[1] == 0; }

tsr_status tsr_gemv(const tsr_context *context, const struct tsr_level2 *p) {
  struct tsr_level2_buffer buffer_x, buffer_y;
  int64_t nx = p->trans ? p->m : p->n, ny = p->trans ? p->n : p->m;
  bool read_x = !is_zero(p->alpha);
  tsr_mem x = read_x ? tsr_level2_gather(p, nx, p->x, p->incx, p->conj_x, false, true, TSR_SCRATCH_A, &buffer_x) : p->y;
  tsr_mem y = tsr_level2_gather(p, ny, p->y, p->incy, false, false, !is_zero(p->beta), TSR_SCRATCH_B, &buffer_y);
  if (!x || !y) return tsr_level2_gemv_by_pieces(context, p), TSR_OK;
  tsr_level2_scale(context, p, p->beta, ny, y);
  if (read_x) {
    tsr_mem a;
    struct tsr_step s = tsr_level2_step(p, false, false, &a);
    if (p->conj) s.flags |= TSR_CONJ_A;
    multiply(context, p, &s, a, x, y);
  }
  tsr_level2_scatter(p, ny, y, p->y, p->incy);
  return TSR_OK;
}

/* --- Triangles ---------------------------------------------------------------------------------------------------- */

#define DIAGONAL(real)                                                                                     \
  do {                                                                                                     \
    const real *x_ = (const real *)x;                                                                      \
    real *y_ = (real *)y;                                                                                  \
    tsr_mem at = a, step = (tsr_mem)(s->csa + size);                                                       \
    for (int64_t j = 0; j < s->n; j++, at += step, step += (tsr_mem)s->rsa) {                              \
      const real *d = (const real *)at;                                                                    \
      if (!is_complex) {                                                                                   \
        y_[j] = d[0] * x_[j];                                                                              \
      } else {                                                                                             \
        real im = p->conj ? -d[1] : d[1];                                                                  \
        y_[2 * j] = d[0] * x_[2 * j] - im * x_[2 * j + 1];                                                 \
        y_[2 * j + 1] = d[0] * x_[2 * j + 1] + im * x_[2 * j];                                             \
      }                                                                                                    \
    }                                                                                                      \
  } while (0)

void tsr_level2_times_diagonal(const struct tsr_level2 *p, const struct tsr_step *s, tsr_mem a, tsr_mem x, tsr_mem y) {
  int64_t size = tsr_size_of(p->type);
  bool is_complex = tsr_level2_complex(p);
  if (p->type == TSR_F32 || p->type == TSR_C32)
    DIAGONAL(float);
  else
    DIAGONAL(double);
}

tsr_status tsr_trmv(const tsr_context *context, const struct tsr_level2 *p) {
  struct tsr_level2_buffer buffer_x, buffer_y;
  tsr_mem a, x = tsr_level2_gather(p, p->n, p->x, p->incx, false, true, true, TSR_SCRATCH_A, &buffer_x);
  tsr_mem y = tsr_level2_gather(p, p->n, p->x, p->incx, false, false, p->unit, TSR_SCRATCH_B, &buffer_y);
  if (!x || !y) return tsr_level2_trmv_by_pieces(context, p), TSR_OK;
  struct tsr_step s = tsr_level2_step(p, true, true, &a);
  s.alpha = 1, s.alpha_im = 0;
  if (p->conj) s.flags |= TSR_CONJ_A;
  if (!p->unit) tsr_level2_times_diagonal(p, &s, a, x, y);
  multiply(context, p, &s, a, x, y);
  tsr_level2_scatter(p, p->n, y, p->x, p->incx);
  return TSR_OK;
}

tsr_status tsr_trsv(const tsr_context *context, const struct tsr_level2 *p) {
  struct tsr_level2_buffer buffer;
  tsr_mem a, x = tsr_level2_gather(p, p->n, p->x, p->incx, false, false, true, TSR_SCRATCH_A, &buffer);
  if (!x) return tsr_level2_trsv_by_pieces(context, p), TSR_OK;
  struct tsr_step s = tsr_level2_step(p, true, false, &a);
  s.flags |= (p->unit ? TSR_UNIT : 0) | (p->trans ? TSR_ACROSS : 0) | (p->conj ? TSR_CONJ_A : 0);
  context->kernels[p->type].level2_solve->run(&s, a, 0, x);
  tsr_level2_scatter(p, p->n, x, p->x, p->incx);
  return TSR_OK;
}
