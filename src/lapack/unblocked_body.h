/* The ends of the recursions in one type. unblocked.c includes this once for each, with all names defined in full. */

/* A triangle and its copy as a lower one; of an upper triangle that is the transpose, conjugate if asked. */
static void LOAD(enum tsr_uplo uplo, bool conjugate, int64_t n, struct tsr_matrix a,
                 ELEMENT to[TSR_LAPACK_BASE][TSR_LAPACK_BASE]) {
  const ELEMENT *from = (const ELEMENT *)a.at;
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = j; i < n; i++) {
      ELEMENT x = uplo == TSR_UPLO_LOWER ? from[i + j * a.ld] : from[j + i * a.ld];
      to[j][i] = conjugate && uplo == TSR_UPLO_UPPER ? CONJ(x) : x;
    }
}
static void STORE(enum tsr_uplo uplo, bool conjugate, int64_t n, struct tsr_matrix a,
                  ELEMENT from[TSR_LAPACK_BASE][TSR_LAPACK_BASE]) {
  ELEMENT *to = (ELEMENT *)a.at;
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = j; i < n; i++) {
      ELEMENT x = from[j][i];
      *(uplo == TSR_UPLO_LOWER ? &to[i + j * a.ld] : &to[j + i * a.ld]) =
          conjugate && uplo == TSR_UPLO_UPPER ? CONJ(x) : x;
    }
}

static int64_t POTRF(const struct tsr_kernel *cholesky, enum tsr_uplo uplo, int64_t n, struct tsr_matrix a) {
  ELEMENT l[TSR_LAPACK_BASE][TSR_LAPACK_BASE];
  int64_t info;
  bool in_place = uplo == TSR_UPLO_LOWER;
  struct tsr_step step = {.m = n, .n = n, .k = 1, .csc = (in_place ? a.ld : TSR_LAPACK_BASE) * (int64_t)sizeof(ELEMENT)};
  if (!in_place) LOAD(uplo, true, n, a, l);
  cholesky->run(&step, 0, (tsr_mem)&info, in_place ? a.at : (tsr_mem)l);
  if (!in_place) STORE(uplo, true, n, a, l);
  return info;
}

/* From the last column on: the inverse of what lies below times the column, times minus the diagonal's inverse. */
static void TRTRI(enum tsr_uplo uplo, bool unit, int64_t n, struct tsr_matrix a) {
  ELEMENT x[TSR_LAPACK_BASE][TSR_LAPACK_BASE];
  LOAD(uplo, false, n, a, x);
  for (int64_t j = n - 1; j >= 0; j--) {
    ELEMENT inverse = unit ? OF_REAL(1) : OVER(OF_REAL(1), x[j][j]);
    if (!unit) x[j][j] = inverse;
    for (int64_t k = n - 1; k > j; k--) {
      ELEMENT factor = x[j][k];
      for (int64_t i = k + 1; i < n; i++) x[j][i] = PLUS(x[j][i], x[k][i], factor);
      if (!unit) x[j][k] = TIMES(factor, x[k][k]);
    }
    for (int64_t i = j + 1; i < n; i++) x[j][i] = MINUS(OF_REAL(0), x[j][i], inverse);
  }
  STORE(uplo, false, n, a, x);
}

/* Of the triangle as a lower one: element (i, j) of L' L is l'(i, i) l(i, j) + l'(i + 1, i) l(i + 1, j) + ... */
static void LAUUM(enum tsr_uplo uplo, int64_t n, struct tsr_matrix a) {
  ELEMENT l[TSR_LAPACK_BASE][TSR_LAPACK_BASE];
  LOAD(uplo, true, n, a, l);
  for (int64_t j = 0; j < n; j++) {
    l[j][j] = OF_REAL(REAL(l[j][j]));
    for (int64_t i = j; i < n; i++) {
      ELEMENT sum = i == j ? OF_REAL(REAL(l[i][i]) * REAL(l[i][i])) : TIMES(CONJ(OF_REAL(REAL(l[i][i]))), l[j][i]);
      for (int64_t k = i + 1; k < n; k++) sum = PLUS(sum, CONJ(l[i][k]), l[j][k]);
      l[j][i] = sum;
    }
  }
  STORE(uplo, true, n, a, l);
}

static int64_t FIRST_ZERO(int64_t n, struct tsr_matrix a) {
  const ELEMENT *x = (const ELEMENT *)a.at;
  for (int64_t i = 0; i < n; i++)
    if (MAGNITUDE(x[i + i * a.ld]) == 0) return i + 1;
  return 0;
}
