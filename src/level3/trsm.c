/* Triangular systems with many right-hand sides: the order of steps of a strip. */
#include "src/level3/triangle.h"

/* What columns p0 .. p1 - 1, which are solved, contribute to columns q0 .. q1 - 1, chunk by chunk. */
static void update(const struct tsr_triangle *tri, const struct tsr_packed_triangle *t, const struct tsr_panels *x,
                   int64_t q0, int64_t q1, const struct tsr_panels *others, int64_t p0, int64_t p1) {
  for (int64_t p = p0; p < p1; p += tri->chunk)
    tsr_triangle_update(tri, t, x, q0, q1, others, p, tsr_min(p1, p + tri->chunk));
}

void tsr_solve_strip(const struct tsr_triangle *tri, const struct tsr_packed_triangle *t, const struct tsr_panels *x,
                     struct tsr_panels *others) {
  if (x->in_place) update(tri, t, x, t->first, t->end, x, 0, x->first);
  for (int64_t p = 0; p < x->first && !x->in_place; p += tri->chunk) {
    others->first = p;
    int64_t end = tsr_min(x->first, p + tri->chunk);
    tsr_triangle_load(tri, others, p, end);
    update(tri, t, x, t->first, t->end, others, p, end);
  }
  for (int64_t q = t->first; q < t->end; q += tri->block) {
    int64_t end = tsr_min(t->end, q + tri->block);
    update(tri, t, x, q, end, x, x->first, q);
    tsr_triangle_diagonal(tri, t, x, q, end);
  }
}

tsr_status tsr_trsm(const tsr_context *context, const struct tsr_level3 *p, const char *routine) {
  return tsr_triangle_compute(context, p, true, routine);
}
