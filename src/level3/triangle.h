/* Triangles: what trsm and trmm share.
 *
 * Both sides, all transposes and both halves become one problem: X, `lanes` x n, whose rows are independent, times a
 * triangle T that is walked forwards. A row of X runs along the vectors' lanes: that is a row of B if the triangle stands
 * on the right, else a column. Solving (X T = alpha B) T is an upper triangle, multiplying (X T) a lower one; one that is
 * not is read from its end on, and so are the columns of X.
 *
 *   solve     x[j] = y / t(j, j):  y = alpha * b[j];  for p = 0 .. j - 1: y = fma(-x[p], t(p, j), y);  x[j] = y * (1 / t(j, j))
 *   multiply  s = fma(b[j], t(j, j), +0);  for p = j + 1 .. n - 1: s = fma(b[p], t(p, j), s);  x[j] = alpha * s
 *
 * with one chain over all of p, whatever the blocks: kernel.h says the same of complex numbers. So the numbers depend on no
 * block, and plain loops that need no memory give the same bits. */
#ifndef TSR_TRIANGLE_H
#define TSR_TRIANGLE_H

#include "src/level3/level3.h"

struct tsr_triangle {
  const tsr_context *context;
  const struct tsr_kernels *kernels;
  const struct tsr_tiles *tiles; /* SOLVE or MULTIPLY */
  tsr_type type;
  int64_t size, lanes, n;
  bool solves, conjugate, unit, reversed; /* reversed: x_columns is below 0 */
  tsr_mem t, x;                  /* T(0, 0) and X(0, 0) */
  int64_t t_rows, t_columns;     /* bytes from row to row of T, and from column to column */
  int64_t x_lanes, x_columns;
  double alpha[2];
  int64_t nr;    /* columns of a group */
  int64_t wide;  /* columns of T that are packed at a time: a multiple of `block` */
  int64_t block; /* columns that one SOLVE or MULTIPLY computes, a multiple of nr */
  int64_t chunk; /* of k that an update takes at a time, a multiple of `block` */
};

/* T's packed columns first .. end - 1 (kernel.h), of which row number `row` is the first: it is at `at`, and rsb is below 0 if
 * T is reversed. */
struct tsr_packed_triangle {
  tsr_mem at;
  int64_t first, end, row, rsb, db;
};

/* Columns first .. end - 1 of a strip in panels: panel t of `count`, each of mr lanes, at `at` + t * pitch, column q at
 * + (q - first) * step, where step is below 0 if X is reversed. A strip that is in place is X itself, all columns of it. */
struct tsr_panels {
  tsr_mem at;
  int64_t first, end, step, pitch;
  int count, units; /* height of a panel in the chip's row units */
  bool in_place;
  int64_t lane, lanes; /* of X: the first, and how many there are */
};

/* triangle_pack.c: groups g0 .. g1 - 1 of T; columns q0 .. q1 - 1 of X into panels that are not in
 * place, and back. */
int64_t tsr_triangle_row_bytes(const struct tsr_triangle *tri);
void tsr_triangle_pack(const struct tsr_triangle *tri, const struct tsr_packed_triangle *packed, int64_t g0, int64_t g1);
void tsr_triangle_load(const struct tsr_triangle *tri, const struct tsr_panels *x, int64_t q0, int64_t q1);
void tsr_triangle_store(const struct tsr_triangle *tri, const struct tsr_panels *x, int64_t q0, int64_t q1);
void tsr_triangle_scale(const struct tsr_triangle *tri, const struct tsr_panels *x, int64_t q0, int64_t q1);

/* Runs the chip's kernel on columns q0 .. q1 - 1 of `x`. Update: goes on with columns p0 .. p1 - 1 of `others`. */
void tsr_triangle_diagonal(const struct tsr_triangle *tri, const struct tsr_packed_triangle *t,
                           const struct tsr_panels *x, int64_t q0, int64_t q1);
void tsr_triangle_update(const struct tsr_triangle *tri, const struct tsr_packed_triangle *t, const struct tsr_panels *x,
                         int64_t q0, int64_t q1, const struct tsr_panels *others, int64_t p0, int64_t p1);

/* A strip of X through packed columns t->first .. t->end - 1 of T, which are among those loaded in x. `others` has room for
 * `chunk` columns of the strip more, and is used if those of x are not all and not in place. trsm.c, trmm.c. */
void tsr_solve_strip(const struct tsr_triangle *tri, const struct tsr_packed_triangle *t, const struct tsr_panels *x,
                     struct tsr_panels *others);
void tsr_multiply_strip(const struct tsr_triangle *tri, const struct tsr_packed_triangle *t, const struct tsr_panels *x,
                        struct tsr_panels *others);

/* triangle_plain.c: the same without memory, row after row; and parts of a group of T, packed element by element: its
 * diagonal block, and rows p .. p + count - 1 beside that. */
void tsr_triangle_plain(const struct tsr_triangle *tri);
void tsr_triangle_pack_diagonal(const struct tsr_triangle *tri, int64_t j0, int64_t width, tsr_mem to, int64_t rsb);
void tsr_triangle_pack_rows(const struct tsr_triangle *tri, int64_t p, int64_t count, int64_t j0, int64_t width,
                            tsr_mem to, int64_t rsb);

/* Computes a valid problem. */
tsr_status tsr_triangle_compute(const tsr_context *context, const struct tsr_level3 *p, bool solves,
                                const char *routine);

#endif
