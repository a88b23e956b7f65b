/* Products of triangles and matrices: the order of steps of a strip. */
#include "src/level3/triangle.h"

/* What columns p0 .. p1 - 1, which still wait for their turn, contribute to columns q0 .. q1 - 1, chunk by chunk. */
static void update(const struct tsr_triangle *tri, const struct tsr_packed_triangle *t, const struct tsr_panels *x,
                   int64_t q0, int64_t q1, const struct tsr_panels *others, int64_t p0, int64_t p1) {
  for (int64_t p = p0; p < p1; p += tri->chunk)
    tsr_triangle_update(tri, t, x, q0, q1, others, p, tsr_min(p1, p + tri->chunk));
}

void tsr_multiply_strip(const struct tsr_triangle *tri, const struct tsr_packed_triangle *t, const struct tsr_panels *x,
                        struct tsr_panels *others) {
  for (int64_t q = t->first; q < t->end; q += tri->block) {
    int64_t end = tsr_min(t->end, q + tri->block);
    tsr_triangle_diagonal(tri, t, x, q, end);
    update(tri, t, x, q, end, x, end, x->end);
  }
  if (x->in_place) update(tri, t, x, t->first, t->end, x, x->end, tri->n);
  for (int64_t p = x->end; p < tri->n && !x->in_place; p += tri->chunk) {
    others->first = p;
    int64_t end = tsr_min(tri->n, p + tri->chunk);
    tsr_triangle_load(tri, others, p, end);
    update(tri, t, x, t->first, t->end, others, p, end);
  }
}

tsr_status tsr_trmm(const tsr_context *context, const struct tsr_level3 *p, const char *routine) {
  return tsr_triangle_compute(context, p, false, routine);
}
