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

/* l[j][i] is L(i, j). Column j: a(i, j) - l(i, 0) l'(j, 0) - l(i, 1) l'(j, 1) ..., times 1 / the root of its diagonal. */
static int64_t POTRF(enum tsr_uplo uplo, int64_t n, struct tsr_matrix a) {
  ELEMENT l[TSR_LAPACK_BASE][TSR_LAPACK_BASE];
  int64_t info = 0;
  LOAD(uplo, true, n, a, l);
  for (int64_t j = 0; j < n && info == 0; j++) {
    l[j][j] = OF_REAL(REAL(l[j][j]));
    for (int64_t k = 0; k < j; k++) {
      ELEMENT factor = CONJ(l[k][j]);
      for (int64_t i = j; i < n; i++) l[j][i] = MINUS(l[j][i], l[k][i], factor);
    }
    PART diagonal = REAL(l[j][j]);
    if (!(diagonal > 0)) {
      info = j + 1;
      break;
    }
    PART root = SQRT(diagonal), inverse = 1 / root;
    l[j][j] = OF_REAL(root);
    for (int64_t i = j + 1; i < n; i++) l[j][i] = TIMES(OF_REAL(inverse), l[j][i]);
  }
  STORE(uplo, true, n, a, l);
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

/* The row of the column's largest element, from `row` on: the first such row, or the first NaN. */
static int64_t FIND(int64_t row, int64_t m, const ELEMENT *x) {
  int64_t at = row;
  PART most = MAGNITUDE(x[row]);
  for (int64_t i = row; i < m; i++) {
    PART size = MAGNITUDE(x[i]);
    if (size != size) return i;
    if (size > most) most = size, at = i;
  }
  return at;
}

/* x[i] /= pivot: by its inverse, unless that may overflow. */
static void DIVIDE(int64_t m, ELEMENT *x, ELEMENT pivot) {
  if (NEARLY_ZERO(pivot)) {
    for (int64_t i = 0; i < m; i++) x[i] = OVER(x[i], pivot);
  } else {
    ELEMENT inverse = OVER(OF_REAL(1), pivot);
    for (int64_t i = 0; i < m; i++) x[i] = TIMES(x[i], inverse);
  }
}

/* Column j less the columns to its left: first the rows of U, then a(i, j) - l(i, 0) u(0, j) - l(i, 1) u(1, j) ... */
static void UPDATE(int64_t j, int64_t m, ELEMENT *a, int64_t ld) {
  ELEMENT *x = a + j * ld;
  for (int64_t k = 0; k < j; k++) {
    const ELEMENT *l = a + k * ld;
    ELEMENT factor = x[k];
    for (int64_t i = k + 1; i < m; i++) x[i] = MINUS(x[i], l[i], factor);
  }
}

static int64_t PANEL(int64_t m, int64_t n, struct tsr_matrix matrix, int64_t *pivots) {
  ELEMENT *a = (ELEMENT *)matrix.at;
  int64_t ld = matrix.ld, info = 0;
  for (int64_t j = 0; j < n; j++) {
    UPDATE(j, m, a, ld);
    int64_t at = pivots[j] = FIND(j, m, a + j * ld);
    for (int64_t k = 0; k < n && at != j; k++) {
      ELEMENT kept = a[j + k * ld];
      a[j + k * ld] = a[at + k * ld];
      a[at + k * ld] = kept;
    }
    ELEMENT pivot = a[j + j * ld];
    if (MAGNITUDE(pivot) != 0)
      DIVIDE(m - j - 1, a + j * ld + j + 1, pivot);
    else if (info == 0)
      info = j + 1;
  }
  return info;
}

static int64_t FIRST_ZERO(int64_t n, struct tsr_matrix a) {
  const ELEMENT *x = (const ELEMENT *)a.at;
  for (int64_t i = 0; i < n; i++)
    if (MAGNITUDE(x[i + i * a.ld]) == 0) return i + 1;
  return 0;
}
