/* Where the recursions end: matrices of a few columns, in plain C, on the calling thread. Products and sums are rounded
 * each, in the order that unblocked_body.h spells out. */
#ifndef TSR_LAPACK_UNBLOCKED_H
#define TSR_LAPACK_UNBLOCKED_H

#include "src/lapack/lapack.h"

enum { TSR_LAPACK_BASE = 32, TSR_LAPACK_PANEL = 8 };

/* Of one type. n is at most TSR_LAPACK_BASE; of a panel, at most TSR_LAPACK_PANEL, m at least n, and its pivots are
 * rows counted from 0. Each returns info. */
struct tsr_unblocked {
  int64_t (*potrf)(enum tsr_uplo uplo, int64_t n, struct tsr_matrix a);
  void (*trtri)(enum tsr_uplo uplo, bool unit, int64_t n, struct tsr_matrix a);
  void (*lauum)(enum tsr_uplo uplo, int64_t n, struct tsr_matrix a);
  int64_t (*panel)(int64_t m, int64_t n, struct tsr_matrix a, int64_t *pivots);
  int64_t (*first_zero)(int64_t n, struct tsr_matrix a); /* on the diagonal, counted from 1; 0: none */
};

const struct tsr_unblocked *tsr_unblocked_of(tsr_type type);

#endif
