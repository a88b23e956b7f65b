/* What the routines of level 2 share: matrices as steps, vectors side by side, and pieces for threads. */
#ifndef TSR_LEVEL2_PARTS_H
#define TSR_LEVEL2_PARTS_H

#include "src/core/memory.h"
#include "src/core/threads.h"
#include "src/level2/level2.h"

#define INLINE static inline __attribute__((always_inline))

INLINE bool tsr_level2_complex(const struct tsr_level2 *p) { return p->type == TSR_C32 || p->type == TSR_C64; }

/* The step of all of A: its strides and which rows its columns have. *a is where its virtual row 0 begins. Of a triangle the
 * diagonal is in; `strict` leaves it out. alpha is that of p. */
INLINE struct tsr_step tsr_level2_step(const struct tsr_level2 *p, bool triangle, bool strict, tsr_mem *a) {
  int64_t size = tsr_size_of(p->type);
  struct tsr_step s = {.m = p->m, .n = p->n, .k = 0, .rsa = 0, .csa = p->lda * size, .rsb = p->m, .csb = p->n,
                       .csc = 0, .db = 0, .da = 0, .dc = 0, .alpha = p->alpha[0], .beta = 0, .flags = 0,
                       .alpha_im = p->alpha[1], .beta_im = 0};
  *a = p->a;
  if (p->storage == TSR_STORED_BAND) {
    *a += (tsr_mem)(p->upper_band * size);
    s.csa -= size;
    s.rsb = p->lower_band, s.csb = p->upper_band;
  } else if (p->storage == TSR_STORED_PACKED) {
    s.csa = p->upper ? size : (p->n - 1) * size;
    s.rsa = p->upper ? size : -size;
  }
  if (triangle) {
    if (p->upper)
      s.rsb = strict ? -1 : 0;
    else
      s.csb = strict ? -1 : 0;
    s.flags = p->upper ? TSR_IS_UPPER : 0;
  }
  return s;
}

/* The part of a step's matrix that begins with row i and column j. */
INLINE tsr_mem tsr_level2_part(struct tsr_step *s, tsr_mem a, int64_t size, int64_t i, int64_t j) {
  a += (tsr_mem)(i * size + j * s->csa + s->rsa * (j * (j - 1) / 2));
  s->csa += s->rsa * j;
  s->rsb += j - i;
  s->csb += i - j;
  return a;
}

/* Vectors up to so many bytes are gathered on the stack. */
#define TSR_LEVEL2_STACK 4096
struct tsr_level2_buffer {
  _Alignas(64) char bytes[TSR_LEVEL2_STACK];
};

/* Where element 0 of a vector of n lies; n elements from one place to another, increments in elements, either negative or
 * not; the conjugates of n elements side by side. */
tsr_mem tsr_level2_element_0(const struct tsr_level2 *p, int64_t n, tsr_mem x, int64_t inc);
void tsr_level2_move(tsr_type type, int64_t n, tsr_mem from, int64_t from_inc, tsr_mem to, int64_t to_inc);
void tsr_level2_conjugate(tsr_type type, int64_t n, tsr_mem x);

/* A vector whose elements lie side by side: the caller's own, or a copy in `buffer` or scratch memory; 0: no memory. Copied
 * it is also if `conj` (then it is the conjugate) or `copy`. `read` = false: only the place, for a result. */
tsr_mem tsr_level2_copy(const struct tsr_level2 *p, int64_t n, tsr_mem x, int64_t inc, bool conj, bool read,
                        enum tsr_scratch slot, struct tsr_level2_buffer *buffer);
INLINE tsr_mem tsr_level2_gather(const struct tsr_level2 *p, int64_t n, tsr_mem x, int64_t inc, bool conj, bool copy,
                                 bool read, enum tsr_scratch slot, struct tsr_level2_buffer *buffer) {
  return inc == 1 && !conj && !copy ? x : tsr_level2_copy(p, n, x, inc, conj, read, slot, buffer);
}
/* Puts it back; does nothing where it is the caller's own. */
void tsr_level2_put_back(const struct tsr_level2 *p, int64_t n, tsr_mem from, tsr_mem x, int64_t inc);
INLINE void tsr_level2_scatter(const struct tsr_level2 *p, int64_t n, tsr_mem from, tsr_mem x, int64_t inc) {
  if (from != x) tsr_level2_put_back(p, n, from, x, inc);
}

/* y = beta * y, or +0 without reading y. */
void tsr_level2_multiply(const tsr_context *context, const struct tsr_level2 *p, const double beta[2], int64_t n, tsr_mem y);
INLINE void tsr_level2_scale(const tsr_context *context, const struct tsr_level2 *p, const double beta[2], int64_t n,
                             tsr_mem y) {
  if (beta[0] != 1 || beta[1] != 0) tsr_level2_multiply(context, p, beta, n, y);
}
/* y = y + x */
void tsr_level2_add(tsr_type type, int64_t n, tsr_mem x, tsr_mem y);

/* y = D x, the diagonal D of a triangle whose step s is. */
void tsr_level2_times_diagonal(const struct tsr_level2 *p, const struct tsr_step *s, tsr_mem a, tsr_mem x, tsr_mem y);

/* Strips of columns that symv sums on their own: how many depends on the order alone, so the bits do not depend on threads.
 * Strip q has `width` columns from q * width on and those as far from the end: the same area in all. */
INLINE int64_t tsr_level2_strips(const struct tsr_level2 *p) {
  if (p->storage == TSR_STORED_BAND || p->n < 512) return 1;
  return p->n < 4096 ? 4 : 8;
}
INLINE int64_t tsr_level2_strip_width(const struct tsr_level2 *p) {
  return tsr_round_up(tsr_ceil_div(p->n, 2 * tsr_level2_strips(p)), TSR_LEVEL2_GROUP);
}

/* The same bits without memory: what the routines do when vectors cannot be copied. Updates: step and a are those of p, and
 * y becomes conjugate first with conj_y. */
void tsr_level2_gemv_by_pieces(const tsr_context *context, const struct tsr_level2 *p);
void tsr_level2_symv_by_pieces(const tsr_context *context, const struct tsr_level2 *p);
void tsr_level2_trmv_by_pieces(const tsr_context *context, const struct tsr_level2 *p);
void tsr_level2_trsv_by_pieces(const tsr_context *context, const struct tsr_level2 *p);
void tsr_level2_update_by_pieces(const tsr_context *context, const struct tsr_level2 *p, const struct tsr_step *step, tsr_mem a,
                                 bool conj_y);

/* Runs body(arg, first, end) so that each of `units` units is done once: in one call on this thread, or in pieces if the
 * `bytes` that are touched are worth it. `even`: units take the same time. */
typedef void tsr_level2_body(void *arg, int64_t first, int64_t end);
void tsr_level2_split(const tsr_context *context, int64_t units, int64_t bytes, bool even, tsr_level2_body *body, void *arg);

#endif
