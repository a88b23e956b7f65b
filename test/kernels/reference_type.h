/* The reference for one element type: reference.c includes this with REAL, FMA and the functions' names defined. */

static REAL GET(const char *from) {
  REAL value;
  memcpy(&value, from, sizeof value);
  return value;
}

static void PUT(char *to, REAL value) { memcpy(to, &value, sizeof value); }

static void FINISH(REAL alpha, REAL s, REAL beta, char *c) {
  REAL y = 0;
  if (beta != 0) y = beta * GET(c);
  PUT(c, FMA(alpha, s, y));
}

/* Element i of a row of A, whose type may be a smaller one. */
static REAL GET_A(tsr_type type, const char *row, int64_t i) {
  if (tsr_size_of(type) == (int64_t)sizeof(REAL)) return GET(row + i * (int64_t)sizeof(REAL));
  return (REAL)get_narrow(type, row, i);
}

/* A's first element is number i of its row; the next one is in the row `csa` bytes on, or the next in the same (0). */
static REAL SUM(REAL s, tsr_type ta, const char *a, int64_t i, int64_t csa, const char *b, int64_t rsb, int64_t k) {
  for (int64_t p = 0; p < k; p++)
    s = FMA(GET_A(ta, a + p * csa, csa ? i : i + p), GET(b + p * rsb), s);
  return s;
}

static void TILES(const struct tsr_step *st, tsr_type ta, int64_t mr, int64_t nr, bool along_k,
                  const char *a, const char *b, char *c) {
  for (int64_t i = 0; i < st->m; i++)
    for (int64_t j = 0; j < st->n; j++) {
      int64_t tile = i / mr, row = i % mr;
      char *cij = c + tile * st->dc + row * (int64_t)sizeof(REAL) + j * st->csc;
      const char *bj = j < nr ? b + j * st->csb : b + j / nr * st->db + j % nr * st->csb;
      REAL s = SUM(st->flags & TSR_GO_ON ? GET(cij) : 0, ta, a + tile * st->da + (along_k ? row * st->rsa : 0),
                   along_k ? 0 : row, along_k ? 0 : st->csa, bj, st->rsb, st->k);
      if (st->flags & TSR_STORE_SUM)
        PUT(cij, s);
      else
        FINISH((REAL)st->alpha, s, (REAL)st->beta, cij);
    }
}

static void UPDATE(const struct tsr_step *st, bool across, const char *a, char *c) {
  const int64_t size = sizeof(REAL);
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < st->m; i++) {
      REAL s = GET(a + j * st->csa + i * size);
      FINISH((REAL)st->alpha, s, (REAL)st->beta, c + (across ? i * st->csc + j * size : j * st->csc + i * size));
    }
}

static void SCALE(const struct tsr_step *st, char *c) {
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < st->m; i++) {
      char *cij = c + j * st->csc + i * (int64_t)sizeof(REAL);
      REAL y = 0;
      if ((REAL)st->beta != 0) y = (REAL)st->beta * GET(cij);
      PUT(cij, y);
    }
}

static void GEMM(tsr_type type, int64_t m, int64_t n, int64_t k, int64_t kb, REAL alpha, const char *a,
                 const char *b, REAL beta, char *c) {
  const int64_t size = sizeof(REAL);
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < m; i++) {
      char *cij = c + (i + j * m) * size;
      REAL y = 0;
      if (beta != 0) y = beta * GET(cij);
      for (int64_t p = 0; alpha != 0 && p < k; p += kb)
        y = FMA(alpha,
                SUM(0, type, a + p * m * size, i, m * size, b + (p + j * k) * size, size, k - p < kb ? k - p : kb), y);
      PUT(cij, y);
    }
}
