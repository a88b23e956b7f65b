/* The generic kernels for one element type: REAL, LOOSE (the same at any address), and FMA. kernels.c
 * includes this once for each type, with the functions' names defined in full. Operators: kernels/kernel.h. */

#define AT(base, offset) (*(const LOOSE *)((base) + (tsr_mem)(offset)))
#define PUT(base, offset) (*(LOOSE *)((base) + (tsr_mem)(offset)))

static void FINISH(const struct tsr_step *st, REAL s, tsr_mem c) {
  REAL alpha = (REAL)st->alpha, beta = (REAL)st->beta;
  if (st->flags & TSR_STORE_SUM)
    PUT(c, 0) = s;
  else
    PUT(c, 0) = FMA(alpha, s, beta == 0 ? 0 : beta * AT(c, 0));
}

static void TILE(const struct tsr_step *st, int64_t rows, int64_t cols, tsr_mem a, tsr_mem b, tsr_mem c) {
  const int64_t size = sizeof(REAL);
  REAL s[4][4] = {{0}};
  for (int64_t j = 0; j < cols && st->flags & TSR_GO_ON; j++)
    for (int64_t i = 0; i < rows; i++) s[j][i] = AT(c, j * st->csc + i * size);
  for (int64_t p = 0; p < st->k; p++)
    for (int64_t j = 0; j < cols; j++) {
      REAL bj = AT(b, p * st->rsb + j * st->csb);
      for (int64_t i = 0; i < rows; i++) s[j][i] = FMA(AT(a, p * st->csa + i * size), bj, s[j][i]);
    }
  for (int64_t j = 0; j < cols; j++)
    for (int64_t i = 0; i < rows; i++) FINISH(st, s[j][i], c + (tsr_mem)(j * st->csc + i * size));
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
  const int64_t size = sizeof(REAL);
  for (int64_t i0 = 0; i0 < st->m; i0 += st->n, c += (tsr_mem)st->dc)
    for (int64_t p = 0; p < st->k; p++)
      for (int64_t i = 0; i < st->n; i++) {
        int64_t row = i0 + i < st->m ? i0 + i : st->m - 1;
        PUT(c, (p * st->n + i) * size) = AT(a, row * rsa + p * csa);
      }
}

void PACK_N(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)b;
  PACK(st, sizeof(REAL), st->csa, a, c);
}

void PACK_T(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)b;
  PACK(st, st->rsa, sizeof(REAL), a, c);
}

void UPDATE(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)b;
  const int64_t size = sizeof(REAL);
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < st->m; i++)
      FINISH(st, AT(a, j * st->csa + i * size), c + (tsr_mem)(j * st->csc + i * size));
}

void UPDATE_T(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)b;
  const int64_t size = sizeof(REAL);
  for (int64_t i = 0; i < st->m; i++)
    for (int64_t j = 0; j < st->n; j++)
      FINISH(st, AT(a, j * st->csa + i * size), c + (tsr_mem)(i * st->csc + j * size));
}

void SCALE(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)a, (void)b;
  const int64_t size = sizeof(REAL);
  REAL beta = (REAL)st->beta;
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < st->m; i++) {
      tsr_mem cij = c + (tsr_mem)(j * st->csc + i * size);
      PUT(cij, 0) = beta == 0 ? 0 : beta * AT(cij, 0);
    }
}
