/* Solutions from factors: two triangles each. */
#include "src/lapack/parts.h"
#include "src/level2/level2.h"

/* So few right-hand sides are solved for one by one, by level 2: the triangle passes by once for each, or is small. */
static bool are_few(int64_t n, int64_t columns) { return columns <= (n <= 32 ? 4 : 1); }

/* B = inverse of op(A) times B. */
static int64_t solve(const struct tsr_lapack *call, enum tsr_uplo uplo, enum tsr_op_of op, bool unit, int64_t n,
                     int64_t columns, struct tsr_matrix a, struct tsr_matrix b, const char *name) {
  if (!are_few(n, columns)) return tsr_solve(call, TSR_LEFT, uplo, op, unit, n, columns, 1, a, b, name);
  struct tsr_level2 p = {.type = call->type, .upper = uplo == TSR_UPLO_UPPER, .unit = unit, .trans = op != TSR_OP_N,
                         .conj = op == TSR_OP_C && tsr_is_complex(call->type), .m = n, .n = n, .a = a.at, .lda = a.ld,
                         .incx = 1};
  for (int64_t j = 0; j < columns && n > 0; j++) {
    p.x = tsr_part(call, b, 0, j).at;
    if (tsr_trsv(call->context, &p) != TSR_OK) return TSR_LAPACK_NO_MEMORY;
  }
  return 0;
}

int64_t tsr_potrs(const struct tsr_lapack *call, enum tsr_uplo uplo, int64_t n, int64_t columns, struct tsr_matrix a,
                  struct tsr_matrix b) {
  bool lower = uplo == TSR_UPLO_LOWER;
  enum tsr_op_of first = lower ? TSR_OP_N : TSR_OP_C, second = lower ? TSR_OP_C : TSR_OP_N;
  int64_t bad = solve(call, uplo, first, false, n, columns, a, b, "potrs.trsm");
  return bad ? bad : solve(call, uplo, second, false, n, columns, a, b, "potrs.trsm");
}

int64_t tsr_getrs(const struct tsr_lapack *call, enum tsr_op_of op, int64_t n, int64_t columns, struct tsr_matrix a,
                  struct tsr_pivots pivots, struct tsr_matrix b) {
  if (n == 0 || columns == 0) return 0;
  bool plain = op == TSR_OP_N;
  enum tsr_uplo first = plain ? TSR_UPLO_LOWER : TSR_UPLO_UPPER, second = plain ? TSR_UPLO_UPPER : TSR_UPLO_LOWER;
  if (plain) tsr_laswp(call, columns, b, 1, n, pivots, 1);
  int64_t bad = solve(call, first, op, plain, n, columns, a, b, "getrs.trsm");
  if (!bad) bad = solve(call, second, op, !plain, n, columns, a, b, "getrs.trsm");
  if (!plain && !bad) tsr_laswp(call, columns, b, 1, n, pivots, -1);
  return bad;
}

int64_t tsr_gesv(const struct tsr_lapack *call, int64_t n, int64_t columns, struct tsr_matrix a,
                 struct tsr_pivots pivots, struct tsr_matrix b) {
  int64_t info = tsr_getrf(call, n, n, a, pivots);
  return info ? info : tsr_getrs(call, TSR_OP_N, n, columns, a, pivots, b);
}
