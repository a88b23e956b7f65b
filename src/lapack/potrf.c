/* Cholesky: A11 by recursion, the block beside it by trsm, what remains by syrk and recursion. */
#include "src/lapack/parts.h"
#include "src/lapack/unblocked.h"

static int64_t beside(const struct tsr_lapack *call, enum tsr_uplo uplo, int64_t n1, int64_t n2, struct tsr_matrix a) {
  struct tsr_matrix a21 = tsr_part(call, a, n1, 0), a12 = tsr_part(call, a, 0, n1), a22 = tsr_part(call, a, n1, n1);
  if (uplo == TSR_UPLO_LOWER) {
    int64_t bad = tsr_solve(call, TSR_RIGHT, uplo, TSR_OP_C, false, n2, n1, 1, a, a21, "potrf.trsm");
    return bad ? bad : tsr_add_square(call, uplo, TSR_OP_N, n2, n1, -1, a21, a22, "potrf.syrk");
  }
  int64_t bad = tsr_solve(call, TSR_LEFT, uplo, TSR_OP_C, false, n1, n2, 1, a, a12, "potrf.trsm");
  return bad ? bad : tsr_add_square(call, uplo, TSR_OP_C, n2, n1, -1, a12, a22, "potrf.syrk");
}

int64_t tsr_potrf(const struct tsr_lapack *call, enum tsr_uplo uplo, int64_t n, struct tsr_matrix a) {
  if (n == 0) return 0;
  if (n <= TSR_LAPACK_BASE)
    return tsr_unblocked_of(call->type)->potrf(call->context->kernels[call->type].level2_cholesky, uplo, n, a);
  int64_t n1 = tsr_split(n, TSR_LAPACK_BASE), n2 = n - n1;
  int64_t info = tsr_potrf(call, uplo, n1, a);
  if (info == 0) info = beside(call, uplo, n1, n2, a);
  if (info != 0) return info;
  info = tsr_potrf(call, uplo, n2, tsr_part(call, a, n1, n1));
  return info > 0 ? info + n1 : info;
}
