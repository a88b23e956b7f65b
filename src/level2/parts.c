#include "src/level2/parts.h"

#include <stdatomic.h>
#include <string.h>

/* --- Vectors ------------------------------------------------------------------------------------------------------ */

tsr_mem tsr_level2_element_0(const struct tsr_level2 *p, int64_t n, tsr_mem x, int64_t inc) {
  return inc < 0 ? x + (tsr_mem)((1 - n) * inc * tsr_size_of(p->type)) : x;
}

#define COPY(real, parts)                                                                         \
  do {                                                                                            \
    const real *from_ = (const real *)from;                                                       \
    real *to_ = (real *)to;                                                                       \
    for (int64_t i = 0; i < n; i++)                                                               \
      for (int part = 0; part < (parts); part++)                                                  \
        to_[i * to_inc * (parts) + part] = from_[i * from_inc * (parts) + part];                  \
  } while (0)

void tsr_level2_move(tsr_type type, int64_t n, tsr_mem from, int64_t from_inc, tsr_mem to, int64_t to_inc) {
  if (from_inc == 1 && to_inc == 1) {
    memcpy((void *)to, (const void *)from, (size_t)(n * tsr_size_of(type)));
    return;
  }
  switch (type) {
    case TSR_F32: COPY(float, 1); break;
    case TSR_F64: COPY(double, 1); break;
    case TSR_C32: COPY(float, 2); break;
    default: COPY(double, 2); break;
  }
}

void tsr_level2_conjugate(tsr_type type, int64_t n, tsr_mem x) {
  float *f32 = (float *)x;
  double *f64 = (double *)x;
  if (type == TSR_C32)
    for (int64_t i = 0; i < n; i++) f32[2 * i + 1] = -f32[2 * i + 1];
  if (type == TSR_C64)
    for (int64_t i = 0; i < n; i++) f64[2 * i + 1] = -f64[2 * i + 1];
}

tsr_mem tsr_level2_copy(const struct tsr_level2 *p, int64_t n, tsr_mem x, int64_t inc, bool conj, bool read,
                        enum tsr_scratch slot, struct tsr_level2_buffer *buffer) {
  int64_t bytes = n * tsr_size_of(p->type);
  tsr_mem to = (tsr_mem)buffer;
  if (bytes > (int64_t)sizeof *buffer) to = (tsr_mem)tsr_scratch_get(slot, (size_t)bytes);
  if (!to || !read) return to;
  tsr_level2_move(p->type, n, tsr_level2_element_0(p, n, x, inc), inc, to, 1);
  if (conj) tsr_level2_conjugate(p->type, n, to);
  return to;
}

void tsr_level2_put_back(const struct tsr_level2 *p, int64_t n, tsr_mem from, tsr_mem x, int64_t inc) {
  tsr_level2_move(p->type, n, from, 1, tsr_level2_element_0(p, n, x, inc), inc);
}

void tsr_level2_multiply(const tsr_context *context, const struct tsr_level2 *p, const double beta[2], int64_t n, tsr_mem y) {
  bool is_complex = tsr_level2_complex(p);
  int64_t reals = is_complex ? 2 * n : n;
  if (beta[0] == 0 && beta[1] == 0) {
    memset((void *)y, 0, (size_t)(n * tsr_size_of(p->type)));
  } else if (p->type == TSR_F32 || p->type == TSR_C32) {
    const struct tsr_level1_f32 *level1 = &context->kernels[TSR_F32].level1.f32;
    float factor[2] = {(float)beta[0], (float)beta[1]};
    if (beta[1] == 0)
      level1->scale(reals, factor[0], (float *)y, 1);
    else
      level1->scale_complex(n, factor, (float *)y, 1);
  } else {
    const struct tsr_level1_f64 *level1 = &context->kernels[TSR_F64].level1.f64;
    if (beta[1] == 0)
      level1->scale(reals, beta[0], (double *)y, 1);
    else
      level1->scale_complex(n, beta, (double *)y, 1);
  }
}

void tsr_level2_add(tsr_type type, int64_t n, tsr_mem x, tsr_mem y) {
  bool narrow = type == TSR_F32 || type == TSR_C32;
  int64_t reals = type == TSR_C32 || type == TSR_C64 ? 2 * n : n;
  if (narrow)
    for (int64_t i = 0; i < reals; i++) ((float *)y)[i] += ((const float *)x)[i];
  else
    for (int64_t i = 0; i < reals; i++) ((double *)y)[i] += ((const double *)x)[i];
}

/* --- Threads ------------------------------------------------------------------------------------------------------ */

/* What a thread should have to do at least, a few microseconds; and how finely work is cut. Rows of a column that follow
 * one another are worth more than pieces of the same length. */
enum { LEAST_BYTES = 256 << 10, PIECES = 8, EVEN_PIECES = 2 };

struct split {
  tsr_level2_body *body;
  void *arg;
  int64_t units, piece;
  _Atomic int64_t next;
};

static void take_pieces(void *arg, int index) {
  struct split *s = arg;
  (void)index;
  for (int64_t first; (first = atomic_fetch_add(&s->next, s->piece)) < s->units;)
    s->body(s->arg, first, tsr_min(first + s->piece, s->units));
}

static __attribute__((noinline)) bool on_team(const tsr_context *context, int64_t units, int64_t bytes, bool even,
                                              tsr_level2_body *body, void *arg) {
  struct tsr_team team;
  int64_t want = tsr_min(bytes / LEAST_BYTES, units);
  int available = tsr_threads_available(context);
  if (tsr_min(want, available) < 2) return false;
  tsr_team_reserve(context, (int)tsr_min(want, available), &team);
  struct split split = {body, arg, units, tsr_max(1, tsr_ceil_div(units, team.n * (even ? EVEN_PIECES : PIECES))), 0};
  tsr_team_run(&team, take_pieces, &split);
  return true;
}

void tsr_level2_split(const tsr_context *context, int64_t units, int64_t bytes, bool even, tsr_level2_body *body, void *arg) {
  if (bytes < 2 * LEAST_BYTES || !on_team(context, units, bytes, even, body, arg)) body(arg, 0, units);
}
