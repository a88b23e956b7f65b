/* The generic kernels of one complex type: REAL, LOOSE (the same at any address), and FMA. complex.c includes this once
 * for each, with the functions' names defined in full. Operators: kernels/kernel.h. */

#define SIZE (2 * (int64_t)sizeof(REAL))
#define AT(base, offset) ((const LOOSE *)((base) + (tsr_mem)(offset)))
#define PUT(base, offset) ((LOOSE *)((base) + (tsr_mem)(offset)))

/* y = beta * C, or 0. */
static void FIRST(const struct tsr_step *st, tsr_mem c, REAL y[2]) {
  REAL re = (REAL)st->beta, im = (REAL)st->beta_im;
  y[0] = y[1] = 0;
  if (re == 0 && im == 0) return;
  const LOOSE *old = AT(c, 0);
  y[0] = im == 0 ? re * old[0] : FMA(-im, old[1], re * old[0]);
  y[1] = im == 0 ? re * old[1] : FMA(im, old[0], re * old[1]);
}

static void FINISH(const struct tsr_step *st, const REAL s[2], tsr_mem c) {
  REAL y[2] = {s[0], s[1]}, re = (REAL)st->alpha, im = (REAL)st->alpha_im;
  if (!(st->flags & TSR_STORE_SUM)) {
    FIRST(st, c, y);
    y[0] = FMA(re, s[0], y[0]);
    y[1] = FMA(re, s[1], y[1]);
    if (im != 0) {
      y[0] = FMA(-im, s[1], y[0]);
      y[1] = FMA(im, s[0], y[1]);
    }
  }
  PUT(c, 0)[0] = y[0];
  PUT(c, 0)[1] = y[1];
}

/* From the four sums of real products: rr, ii, ri, ir. */
static void COMBINE(uint64_t flags, const REAL p[4], REAL s[2]) {
  bool a = flags & TSR_CONJ_A, b = flags & TSR_CONJ_B;
  s[0] = a == b ? p[0] - p[1] : p[0] + p[1];
  s[1] = a == b ? p[2] + p[3] : a ? p[2] - p[3] : p[3] - p[2];
  if (a && b) s[1] = -s[1];
}

static void TILE(const struct tsr_step *st, int64_t rows, int64_t cols, tsr_mem a, tsr_mem b, tsr_mem c) {
  REAL p[4][4][4] = {{{0}}}, s[2];
  for (int64_t l = 0; l < st->k; l++)
    for (int64_t j = 0; j < cols; j++) {
      const LOOSE *bj = AT(b, l * st->rsb + j * st->csb);
      for (int64_t i = 0; i < rows; i++) {
        const LOOSE *ai = AT(a, l * st->csa + i * SIZE);
        REAL *sum = p[j][i];
        sum[0] = FMA(ai[0], bj[0], sum[0]);
        sum[1] = FMA(ai[1], bj[1], sum[1]);
        sum[2] = FMA(ai[0], bj[1], sum[2]);
        sum[3] = FMA(ai[1], bj[0], sum[3]);
      }
    }
  for (int64_t j = 0; j < cols; j++)
    for (int64_t i = 0; i < rows; i++) {
      COMBINE(st->flags, p[j][i], s);
      FINISH(st, s, c + (tsr_mem)(j * st->csc + i * SIZE));
    }
}

static void TILES(const struct tsr_step *st, int64_t cols, tsr_mem a, tsr_mem b, tsr_mem c) {
  for (int64_t j = 0; j < st->n; j += cols, b += (tsr_mem)st->db, c += (tsr_mem)(cols * st->csc))
    for (int64_t i = 0, t = 0; i < st->m; i += 4, t++)
      TILE(st, st->m - i < 4 ? st->m - i : 4, cols, a + (tsr_mem)(t * st->da), b, c + (tsr_mem)(t * st->dc));
}

void GEMM_4X1(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) { TILES(st, 1, a, b, c); }
void GEMM_4X2(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) { TILES(st, 2, a, b, c); }
void GEMM_4X3(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) { TILES(st, 3, a, b, c); }
void GEMM_4X4(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) { TILES(st, 4, a, b, c); }

static void PACK(const struct tsr_step *st, int64_t rsa, int64_t csa, tsr_mem a, tsr_mem c) {
  for (int64_t i0 = 0; i0 < st->m; i0 += st->n, c += (tsr_mem)st->dc)
    for (int64_t p = 0; p < st->k; p++)
      for (int64_t i = 0; i < st->n; i++) {
        const LOOSE *from = AT(a, (i0 + i < st->m ? i0 + i : st->m - 1) * rsa + p * csa);
        LOOSE *to = PUT(c, (p * st->n + i) * SIZE);
        to[0] = from[0];
        to[1] = from[1];
      }
}

void PACK_N(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)b;
  PACK(st, SIZE, st->csa, a, c);
}

void PACK_T(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)b;
  PACK(st, st->rsa, SIZE, a, c);
}

static void END(const struct tsr_step *st, tsr_mem s, tsr_mem c) {
  REAL sum[2] = {AT(s, 0)[0], AT(s, 0)[1]};
  FINISH(st, sum, c);
}

void UPDATE(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)b;
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < st->m; i++)
      END(st, a + (tsr_mem)(j * st->csa + i * SIZE), c + (tsr_mem)(j * st->csc + i * SIZE));
}

void UPDATE_T(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)b;
  for (int64_t i = 0; i < st->m; i++)
    for (int64_t j = 0; j < st->n; j++)
      END(st, a + (tsr_mem)(j * st->csa + i * SIZE), c + (tsr_mem)(i * st->csc + j * SIZE));
}

void SCALE(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)a, (void)b;
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < st->m; i++) {
      tsr_mem at = c + (tsr_mem)(j * st->csc + i * SIZE);
      REAL y[2];
      FIRST(st, at, y);
      PUT(at, 0)[0] = y[0];
      PUT(at, 0)[1] = y[1];
    }
}
