/* LU with partial pivoting, recursively by columns (S. Toledo, Locality of reference in LU decomposition with partial
 * pivoting, SIAM J. Matrix Anal. Appl. 18, 1997): the left half, its exchanges of rows on the right half, the rows of U
 * beside it by trsm, what remains by a product and recursion, and its exchanges on the left half. */
#include "src/lapack/parts.h"

static struct tsr_pivots from(struct tsr_pivots pivots, int64_t i) {
  return (struct tsr_pivots){(char *)pivots.at + i * (pivots.wide ? 8 : 4), pivots.wide};
}

/* Columns 0 .. n - 1 are done: the `more` columns to their right get the same exchanges, and the rows of U. */
static int64_t to_the_right(const struct tsr_lapack *call, int64_t n, int64_t more, struct tsr_matrix a,
                            struct tsr_pivots pivots) {
  struct tsr_matrix right = tsr_part(call, a, 0, n);
  tsr_laswp(call, more, right, 1, n, pivots, 1);
  return tsr_solve(call, TSR_LEFT, TSR_UPLO_LOWER, TSR_OP_N, true, n, more, 1, a, right, "getrf.trsm");
}

/* m is at least n. */
static int64_t base(const struct tsr_lapack *call, int64_t m, int64_t n, struct tsr_matrix a,
                    struct tsr_pivots pivots) {
  int64_t row[TSR_LU_COLUMNS], size = tsr_size_of(call->type), info = 0;
  struct tsr_step step = {.m = m, .n = n, .k = 1, .csc = a.ld * size};
  call->context->kernels[call->type].level2_lu->run(&step, 0, (tsr_mem)row, a.at);
  for (int64_t i = 0; i < n; i++) tsr_pivot_set(pivots, i, row[i] + 1);
  for (int64_t i = n - 1; i >= 0; i--)
    if (tsr_is_zero(call->type, tsr_part(call, a, i, i))) info = i + 1;
  return info;
}

static int64_t recurse(const struct tsr_lapack *call, int64_t m, int64_t n, struct tsr_matrix a,
                       struct tsr_pivots pivots) {
  if (n <= TSR_LU_COLUMNS) return base(call, m, n, a, pivots);
  int64_t n1 = tsr_split(n, TSR_LU_COLUMNS), n2 = n - n1;
  struct tsr_matrix a21 = tsr_part(call, a, n1, 0), a12 = tsr_part(call, a, 0, n1), a22 = tsr_part(call, a, n1, n1);
  int64_t first = recurse(call, m, n1, a, pivots);
  if (first < 0) return first;
  int64_t bad = to_the_right(call, n1, n2, a, pivots);
  if (!bad) bad = tsr_minus_product(call, m - n1, n2, n1, a21, a12, a22, "getrf.gemm");
  if (bad) return bad;
  int64_t second = recurse(call, m - n1, n2, a22, from(pivots, n1));
  if (second < 0) return second;
  tsr_laswp(call, n1, a21, 1, n2, from(pivots, n1), 1);
  for (int64_t i = n1; i < n; i++) tsr_pivot_set(pivots, i, tsr_pivot(pivots, i) + n1);
  return first ? first : second ? second + n1 : 0;
}

int64_t tsr_getrf(const struct tsr_lapack *call, int64_t m, int64_t n, struct tsr_matrix a, struct tsr_pivots pivots) {
  int64_t least = tsr_min(m, n);
  if (least == 0) return 0;
  int64_t info = recurse(call, m, least, a, pivots);
  if (info < 0 || n == least) return info;
  int64_t bad = to_the_right(call, least, n - least, a, pivots);
  return bad ? bad : info;
}
