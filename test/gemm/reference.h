/* The loop of tessera.h for one element type, included by reference.c with REAL, FMA and NAME defined. Only the order
 * of independent elements differs: the sums of one row advance side by side, which lets the compiler use vectors. */
static void NAME(const struct reference *r, const char *a, const char *b, char *c) {
  REAL alpha = (REAL)r->alpha, beta = (REAL)r->beta, value;
  REAL *dense_b = malloc((size_t)(r->k * r->n + 2 * r->n + 1) * sizeof(REAL));
  REAL *restrict s = dense_b + r->k * r->n, *restrict y = s + r->n;
  for (int64_t p = 0; p < (alpha != 0 ? r->k : 0); p++)
    for (int64_t j = 0; j < r->n; j++)
      memcpy(&dense_b[p * r->n + j], b + (p * r->rsb + j * r->csb) * (int64_t)sizeof(REAL), sizeof(REAL));
  for (int64_t i = 0; i < r->m; i++) {
    for (int64_t j = 0; j < r->n; j++) {
      memcpy(&value, c + (i * r->rsc + j * r->csc) * (int64_t)sizeof(REAL), sizeof(REAL));
      y[j] = beta == 0 ? 0 : beta * value;
    }
    for (int64_t p0 = 0; p0 < (alpha != 0 ? r->k : 0); p0 += r->kb) {
      memset(s, 0, (size_t)r->n * sizeof(REAL));
      for (int64_t p = p0; p < p0 + r->kb && p < r->k; p++) {
        const REAL *restrict row = dense_b + p * r->n;
        memcpy(&value, a + (i * r->rsa + p * r->csa) * (int64_t)sizeof(REAL), sizeof(REAL));
        for (int64_t j = 0; j < r->n; j++) s[j] = FMA(value, row[j], s[j]);
      }
      for (int64_t j = 0; j < r->n; j++) y[j] = FMA(alpha, s[j], y[j]);
    }
    for (int64_t j = 0; j < r->n; j++)
      memcpy(c + (i * r->rsc + j * r->csc) * (int64_t)sizeof(REAL), &y[j], sizeof(REAL));
  }
  free(dense_b);
}
