/* Level 3 beside GEMM: structured matrices and triangles, in f32, f64, c32 and c64, column-major. A row-major face turns
 * its problem over first: rows and columns, upper and lower, left and right change places. */
#ifndef TSR_LEVEL3_H
#define TSR_LEVEL3_H

#include "src/core/core.h"

enum tsr_side { TSR_LEFT, TSR_RIGHT };
enum tsr_uplo { TSR_UPLO_UPPER, TSR_UPLO_LOWER };
enum tsr_op_of { TSR_OP_N, TSR_OP_T, TSR_OP_C }; /* op(X): X, its transpose, its conjugate transpose (real: T) */

/* A valid problem: sizes and leading dimensions in elements have been checked. [0] and [1] of a scalar are its real and
 * imaginary part. Fields that a routine has no use for are 0. */
struct tsr_level3 {
  tsr_type type;
  enum tsr_side side;
  enum tsr_uplo uplo;
  enum tsr_op_of op_a, op_b;
  bool unit, hermitian;
  int64_t m, n, k;
  double alpha[2], beta[2];
  tsr_mem a, b, c;
  int64_t lda, ldb, ldc;
};

/* Each computes on the context's threads; the bits do not depend on how many. `routine` is what the trace prints.
 * TSR_OUT_OF_MEMORY leaves the outputs as they were, or a slower way that needs no memory is taken. */

/* C = alpha op(A) op(B) + beta C of the triangle `uplo` of C, n x n; op(A) is n x k. */
tsr_status tsr_gemmt(const tsr_context *context, const struct tsr_level3 *p, const char *routine);
/* C = alpha A B + beta C (side LEFT) or alpha B A + beta C; A is symmetric, or Hermitian, its triangle `uplo` stored. C and
 * B are m x n. The bits are those of gemm with the whole A. */
tsr_status tsr_symm(const tsr_context *context, const struct tsr_level3 *p, const char *routine);
/* C = alpha op(A) op(A)' + beta C of the triangle `uplo`; ' is the conjugate transpose if hermitian, where alpha and beta
 * are real and the diagonal of C becomes real. op(A) is n x k. */
tsr_status tsr_syrk(const tsr_context *context, const struct tsr_level3 *p, const char *routine);
/* C = alpha op(A) op(B)' + alpha op(B) op(A)' + beta C, the second alpha conjugate if hermitian. */
tsr_status tsr_syr2k(const tsr_context *context, const struct tsr_level3 *p, const char *routine);
/* B = alpha op(A) B or alpha B op(A), in place; A is a triangle, B m x n. Its other triangle is not read, nor the diagonal
 * if it is unit, and nothing is multiplied by zeros in their place. */
tsr_status tsr_trmm(const tsr_context *context, const struct tsr_level3 *p, const char *routine);
/* X of op(A) X = alpha B, or X op(A) = alpha B, overwrites B. */
tsr_status tsr_trsm(const tsr_context *context, const struct tsr_level3 *p, const char *routine);

#endif
