/* The reference for one complex type, whose parts are REAL: reference.c includes this with REAL, FMA, GET, PUT and the
 * functions' names defined. */

#define SIZE ((int64_t)sizeof(REAL))

/* y = beta * C, or 0 without reading C. */
static void SCALED(const struct tsr_step *st, const char *c, REAL y[2]) {
  REAL re = (REAL)st->beta, im = (REAL)st->beta_im;
  y[0] = y[1] = 0;
  if (re == 0 && im == 0) return;
  REAL cr = GET(c), ci = GET(c + SIZE);
  y[0] = re * cr;
  y[1] = re * ci;
  if (im == 0) return;
  y[0] = FMA(-im, ci, y[0]);
  y[1] = FMA(im, cr, y[1]);
}

/* C = y + alpha * s. */
static void FINISH(const struct tsr_step *st, const REAL s[2], REAL y[2], char *c) {
  REAL re = (REAL)st->alpha, im = (REAL)st->alpha_im;
  y[0] = FMA(re, s[0], y[0]);
  y[1] = FMA(re, s[1], y[1]);
  if (im != 0) {
    y[0] = FMA(-im, s[1], y[0]);
    y[1] = FMA(im, s[0], y[1]);
  }
  PUT(c, y[0]);
  PUT(c + SIZE, y[1]);
}

/* A's steps are csa bytes apart, B's rsb. */
static void SUM(uint64_t flags, const char *a, int64_t csa, const char *b, int64_t rsb, int64_t k, REAL s[2]) {
  REAL rr = 0, ii = 0, ri = 0, ir = 0;
  for (int64_t p = 0; p < k; p++, a += csa, b += rsb) {
    rr = FMA(GET(a), GET(b), rr);
    ii = FMA(GET(a + SIZE), GET(b + SIZE), ii);
    ri = FMA(GET(a), GET(b + SIZE), ri);
    ir = FMA(GET(a + SIZE), GET(b), ir);
  }
  switch (flags & (TSR_CONJ_A | TSR_CONJ_B)) {
    case 0: s[0] = rr - ii, s[1] = ri + ir; break;
    case TSR_CONJ_A: s[0] = rr + ii, s[1] = ri - ir; break;
    case TSR_CONJ_B: s[0] = rr + ii, s[1] = ir - ri; break;
    default: s[0] = rr - ii, s[1] = -(ri + ir); break;
  }
}

static void TILES(const struct tsr_step *st, int64_t mr, int64_t nr, const char *a, const char *b, char *c) {
  for (int64_t i = 0; i < st->m; i++)
    for (int64_t j = 0; j < st->n; j++) {
      int64_t tile = i / mr, row = i % mr;
      char *cij = c + tile * st->dc + row * 2 * SIZE + j * st->csc;
      const char *bj = j < nr ? b + j * st->csb : b + j / nr * st->db + j % nr * st->csb;
      REAL s[2], y[2];
      SUM(st->flags, a + tile * st->da + row * 2 * SIZE, st->csa, bj, st->rsb, st->k, s);
      if (st->flags & TSR_STORE_SUM) {
        PUT(cij, s[0]);
        PUT(cij + SIZE, s[1]);
      } else {
        SCALED(st, cij, y);
        FINISH(st, s, y, cij);
      }
    }
}

static void UPDATE(const struct tsr_step *st, bool across, const char *a, char *c) {
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < st->m; i++) {
      const char *from = a + j * st->csa + i * 2 * SIZE;
      char *cij = c + (across ? i * st->csc + j * 2 * SIZE : j * st->csc + i * 2 * SIZE);
      REAL s[2] = {GET(from), GET(from + SIZE)}, y[2];
      SCALED(st, cij, y);
      FINISH(st, s, y, cij);
    }
}

static void SCALE(const struct tsr_step *st, char *c) {
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < st->m; i++) {
      char *cij = c + j * st->csc + i * 2 * SIZE;
      REAL y[2];
      SCALED(st, cij, y);
      PUT(cij, y[0]);
      PUT(cij + SIZE, y[1]);
    }
}

/* Column-major operands without padding, in blocks of kb. alpha = 0: A and B are not read. */
static void GEMM(const struct tsr_step *st, int64_t k, int64_t kb, const char *a, const char *b, char *c) {
  const int64_t size = 2 * SIZE;
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < st->m; i++) {
      char *cij = c + (i + j * st->m) * size;
      REAL s[2], y[2];
      SCALED(st, cij, y);
      PUT(cij, y[0]);
      PUT(cij + SIZE, y[1]);
      for (int64_t p = 0; (st->alpha != 0 || st->alpha_im != 0) && p < k; p += kb) {
        SUM(st->flags, a + (i + p * st->m) * size, st->m * size, b + (p + j * k) * size, size, k - p < kb ? k - p : kb, s);
        FINISH(st, s, y, cij);
      }
    }
}

#undef SIZE
