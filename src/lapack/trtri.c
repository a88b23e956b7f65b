/* The inverse of a triangle, the product of a triangle with its transpose, and the two one after the other. */
#include "src/lapack/parts.h"
#include "src/lapack/unblocked.h"

/* The block beside the diagonal becomes - inverse of A11 * block * inverse of A22 (UPPER; A11 and A22 change places). */
static int64_t invert(const struct tsr_lapack *call, enum tsr_uplo uplo, bool unit, int64_t n, struct tsr_matrix a) {
  if (n <= TSR_LAPACK_BASE) {
    tsr_unblocked_of(call->type)->trtri(uplo, unit, n, a);
    return 0;
  }
  int64_t n1 = tsr_split(n, TSR_LAPACK_BASE), n2 = n - n1;
  struct tsr_matrix a21 = tsr_part(call, a, n1, 0), a12 = tsr_part(call, a, 0, n1), a22 = tsr_part(call, a, n1, n1);
  bool lower = uplo == TSR_UPLO_LOWER;
  struct tsr_matrix block = lower ? a21 : a12;
  int64_t rows = lower ? n2 : n1, columns = lower ? n1 : n2;
  int64_t bad = invert(call, uplo, unit, lower ? n2 : n1, lower ? a22 : a);
  if (!bad)
    bad = tsr_multiply(call, TSR_LEFT, uplo, TSR_OP_N, unit, rows, columns, 1, lower ? a22 : a, block, "trtri.trmm");
  if (!bad)
    bad = tsr_solve(call, TSR_RIGHT, uplo, TSR_OP_N, unit, rows, columns, -1, lower ? a : a22, block, "trtri.trsm");
  return bad ? bad : invert(call, uplo, unit, lower ? n1 : n2, lower ? a : a22);
}

int64_t tsr_trtri(const struct tsr_lapack *call, enum tsr_uplo uplo, bool unit, int64_t n, struct tsr_matrix a) {
  int64_t zero = unit ? 0 : tsr_unblocked_of(call->type)->first_zero(n, a);
  return zero ? zero : invert(call, uplo, unit, n, a);
}

/* UPPER: A11 = A11 A11' + A12 A12', A12 = A12 A22'; LOWER: A11 = A11' A11 + A21' A21, A21 = A22' A21. */
int64_t tsr_lauum(const struct tsr_lapack *call, enum tsr_uplo uplo, int64_t n, struct tsr_matrix a) {
  if (n <= TSR_LAPACK_BASE) {
    tsr_unblocked_of(call->type)->lauum(uplo, n, a);
    return 0;
  }
  int64_t n1 = tsr_split(n, TSR_LAPACK_BASE), n2 = n - n1, bad = tsr_lauum(call, uplo, n1, a);
  struct tsr_matrix a21 = tsr_part(call, a, n1, 0), a12 = tsr_part(call, a, 0, n1), a22 = tsr_part(call, a, n1, n1);
  bool lower = uplo == TSR_UPLO_LOWER;
  if (!bad) bad = tsr_add_square(call, uplo, lower ? TSR_OP_C : TSR_OP_N, n1, n2, 1, lower ? a21 : a12, a, "lauum.syrk");
  if (!bad)
    bad = lower ? tsr_multiply(call, TSR_LEFT, uplo, TSR_OP_C, false, n2, n1, 1, a22, a21, "lauum.trmm")
                : tsr_multiply(call, TSR_RIGHT, uplo, TSR_OP_C, false, n1, n2, 1, a22, a12, "lauum.trmm");
  return bad ? bad : tsr_lauum(call, uplo, n2, a22);
}

int64_t tsr_potri(const struct tsr_lapack *call, enum tsr_uplo uplo, int64_t n, struct tsr_matrix a) {
  int64_t info = tsr_trtri(call, uplo, false, n, a);
  return info ? info : tsr_lauum(call, uplo, n, a);
}
