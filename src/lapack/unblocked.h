/* Where the recursions on triangles end, on the calling thread. Products and sums of trtri and lauum are rounded each, in the
 * order that unblocked_body.h spells out; potrf is the kernel's LEVEL2_CHOLESKY. */
#ifndef TSR_LAPACK_UNBLOCKED_H
#define TSR_LAPACK_UNBLOCKED_H

#include "src/lapack/lapack.h"

enum { TSR_LAPACK_BASE = TSR_CHOLESKY_ROWS };

/* Of one type. n is at most TSR_LAPACK_BASE. */
struct tsr_unblocked {
  int64_t (*potrf)(const struct tsr_kernel *cholesky, enum tsr_uplo uplo, int64_t n, struct tsr_matrix a);
  void (*trtri)(enum tsr_uplo uplo, bool unit, int64_t n, struct tsr_matrix a);
  void (*lauum)(enum tsr_uplo uplo, int64_t n, struct tsr_matrix a);
  int64_t (*first_zero)(int64_t n, struct tsr_matrix a); /* on the diagonal, counted from 1; 0: none */
};

const struct tsr_unblocked *tsr_unblocked_of(tsr_type type);

#endif
