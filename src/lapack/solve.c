/* Solutions from factors: two triangles each. */
#include "src/lapack/parts.h"

int64_t tsr_potrs(const struct tsr_lapack *call, enum tsr_uplo uplo, int64_t n, int64_t columns, struct tsr_matrix a,
                  struct tsr_matrix b) {
  bool lower = uplo == TSR_UPLO_LOWER;
  enum tsr_op_of first = lower ? TSR_OP_N : TSR_OP_C, second = lower ? TSR_OP_C : TSR_OP_N;
  int64_t bad = tsr_solve(call, TSR_LEFT, uplo, first, false, n, columns, 1, a, b, "potrs.trsm");
  return bad ? bad : tsr_solve(call, TSR_LEFT, uplo, second, false, n, columns, 1, a, b, "potrs.trsm");
}

int64_t tsr_getrs(const struct tsr_lapack *call, enum tsr_op_of op, int64_t n, int64_t columns, struct tsr_matrix a,
                  struct tsr_pivots pivots, struct tsr_matrix b) {
  if (n == 0 || columns == 0) return 0;
  bool plain = op == TSR_OP_N;
  enum tsr_uplo first = plain ? TSR_UPLO_LOWER : TSR_UPLO_UPPER, second = plain ? TSR_UPLO_UPPER : TSR_UPLO_LOWER;
  if (plain) tsr_laswp(call, columns, b, 1, n, pivots, 1);
  int64_t bad = tsr_solve(call, TSR_LEFT, first, op, plain, n, columns, 1, a, b, "getrs.trsm");
  if (!bad) bad = tsr_solve(call, TSR_LEFT, second, op, !plain, n, columns, 1, a, b, "getrs.trsm");
  if (!plain && !bad) tsr_laswp(call, columns, b, 1, n, pivots, -1);
  return bad;
}

int64_t tsr_gesv(const struct tsr_lapack *call, int64_t n, int64_t columns, struct tsr_matrix a,
                 struct tsr_pivots pivots, struct tsr_matrix b) {
  int64_t info = tsr_getrf(call, n, n, a, pivots);
  return info ? info : tsr_getrs(call, TSR_OP_N, n, columns, a, pivots, b);
}
