/* Level 2 inside the library: matrix-vector products, rank-1 and rank-2 updates and triangular systems of f32, f64, c32 and
 * c64, for full, band and packed storage, column-major. A row-major face turns its problem over first.
 *
 * The bits depend neither on threads nor on the chip, alignment, or increments (doc/blas-numbers.md). Vectors with increments
 * are copied first; where memory for that cannot be had, it takes longer, to the same bits (pieces.c). Thread-safe. */
#ifndef TSR_LEVEL2_H
#define TSR_LEVEL2_H

#include "src/core/core.h"

enum tsr_storage { TSR_STORED_FULL, TSR_STORED_BAND, TSR_STORED_PACKED };

/* A valid problem; what a routine has no use for is 0. Sizes and strides are in elements, [0] and [1] of a scalar its real
 * and imaginary part. Element i of a vector is x[i * incx], of a negative increment x[(i - length + 1) * incx]. */
struct tsr_level2 {
  tsr_type type;
  enum tsr_storage storage;
  bool upper, unit, hermitian;
  bool trans;         /* A' instead of A */
  bool conj;          /* of all elements of A */
  bool conj_x, conj_y; /* of a vector that is only read; ger: conj_y is that of gerc */
  int64_t m, n;       /* of A; the same for square ones */
  int64_t lower_band, upper_band; /* of a band matrix: diagonals below and above; of a triangle upper_band or lower_band is 0 */
  double alpha[2], beta[2];
  tsr_mem a, x, y;
  int64_t lda, incx, incy;
};

/* y = alpha op(A) x + beta y; full or band. */
tsr_status tsr_gemv(const tsr_context *context, const struct tsr_level2 *p);
/* y = alpha A x + beta y, A symmetric or Hermitian, of which one triangle is stored. */
tsr_status tsr_symv(const tsr_context *context, const struct tsr_level2 *p);
/* x = op(A) x and the x of op(A) x = x, A a triangle. */
tsr_status tsr_trmv(const tsr_context *context, const struct tsr_level2 *p);
tsr_status tsr_trsv(const tsr_context *context, const struct tsr_level2 *p);
/* A = alpha x y' + A; x and y conjugate first with conj_x and conj_y. */
tsr_status tsr_ger(const tsr_context *context, const struct tsr_level2 *p);
/* A = alpha x x' + A (y == 0) or alpha x y' + alpha y x' + A of the stored triangle; hermitian: ' is the conjugate transpose,
 * the second alpha conjugate, and the diagonal becomes real. x and y are conjugate first with conj_x. */
tsr_status tsr_syr(const tsr_context *context, const struct tsr_level2 *p);

#endif
