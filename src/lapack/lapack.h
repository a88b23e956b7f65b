/* LAPACK's routines that factor, invert and solve: s, d, c, z, column-major. Recursive, so that nearly all the work is
 * done by level 3; the splits depend on sizes only, and so the bits do not depend on threads.
 *
 * Arguments have been checked. Each returns LAPACK's info, 0 or more, or TSR_LAPACK_NO_MEMORY if level 3 found no memory;
 * what the matrix holds then is of no use. Thread-safe as long as operands do not overlap. */
#ifndef TSR_LAPACK_H
#define TSR_LAPACK_H

#include "src/level3/level3.h"

#define TSR_LAPACK_NO_MEMORY (-1010) /* the number that LAPACKE gives it */

/* A call: where it runs, its type, and the routine as its caller wrote it. */
struct tsr_lapack {
  const tsr_context *context;
  tsr_type type;
  const char *routine;
};

/* A matrix; its leading dimension counts elements. */
struct tsr_matrix {
  tsr_mem at;
  int64_t ld;
};

/* Pivots as LAPACK writes them, counted from 1, in an array of 32 or 64-bit integers. */
struct tsr_pivots {
  void *at;
  bool wide;
};
static inline int64_t tsr_pivot(struct tsr_pivots p, int64_t i) {
  return p.wide ? ((const int64_t *)p.at)[i] : ((const int32_t *)p.at)[i];
}
static inline void tsr_pivot_set(struct tsr_pivots p, int64_t i, int64_t row) {
  if (p.wide)
    ((int64_t *)p.at)[i] = row;
  else
    ((int32_t *)p.at)[i] = (int32_t)row;
}

/* A = L L' (LOWER) or U' U of the triangle `uplo`, n x n. info: the order of the first leading minor that is not
 * positive; a NaN on the diagonal is not. */
int64_t tsr_potrf(const struct tsr_lapack *call, enum tsr_uplo uplo, int64_t n, struct tsr_matrix a);

/* A = P L U, m x n, with partial pivoting. info: the first zero pivot; the factors are complete even so. */
int64_t tsr_getrf(const struct tsr_lapack *call, int64_t m, int64_t n, struct tsr_matrix a, struct tsr_pivots pivots);

/* The inverse of a triangle in place. info: the first zero on the diagonal; then nothing has been written. */
int64_t tsr_trtri(const struct tsr_lapack *call, enum tsr_uplo uplo, bool unit, int64_t n, struct tsr_matrix a);

/* L' L (LOWER) or U U' in place of a triangle. */
int64_t tsr_lauum(const struct tsr_lapack *call, enum tsr_uplo uplo, int64_t n, struct tsr_matrix a);

/* The inverse from what potrf left; info as trtri. */
int64_t tsr_potri(const struct tsr_lapack *call, enum tsr_uplo uplo, int64_t n, struct tsr_matrix a);

/* Solves A X = B, in place of B, n x columns, with the factors of potrf; op(A) X = B with those of getrf. */
int64_t tsr_potrs(const struct tsr_lapack *call, enum tsr_uplo uplo, int64_t n, int64_t columns, struct tsr_matrix a,
                  struct tsr_matrix b);
int64_t tsr_getrs(const struct tsr_lapack *call, enum tsr_op_of op, int64_t n, int64_t columns, struct tsr_matrix a,
                  struct tsr_pivots pivots, struct tsr_matrix b);

/* getrf, and getrs unless a pivot is zero. */
int64_t tsr_gesv(const struct tsr_lapack *call, int64_t n, int64_t columns, struct tsr_matrix a,
                 struct tsr_pivots pivots, struct tsr_matrix b);

/* Exchanges rows i and pivot of i, for i from `first` to `last` (counted from 1), or from `last` to `first` if the
 * increment is negative. The pivot of row i is number first - 1 + (i - first) * |increment| of the array. */
void tsr_laswp(const struct tsr_lapack *call, int64_t columns, struct tsr_matrix a, int64_t first, int64_t last,
               struct tsr_pivots pivots, int64_t increment);

#endif
