/* CONV, CONV_LANES and TURN of one element type in plain C (kernel.h): REAL, LOOSE (the same at any address), FMA, and
 * the functions' names. conv.c includes this once for each type. */

#define SIZE ((int64_t)sizeof(REAL))
#define AT(base, offset) (*(const LOOSE *)((base) + (tsr_mem)(offset)))
#define PUT(base, offset) (*(LOOSE *)((base) + (tsr_mem)(offset)))

/* The end of one element: row i, `at` bytes into C. */
static REAL FINISH(const struct tsr_step *st, const struct tsr_conv *cv, int64_t i, REAL s, tsr_mem c, int64_t at) {
  REAL low = (REAL)cv->low, high = (REAL)cv->high, y;
  if (st->flags & TSR_FIRST_K)
    y = cv->bias ? AT(cv->bias, (st->flags & TSR_REPEAT ? i % ROWS : i) * SIZE) : 0;
  else
    y = AT(c, at);
  y = FMA((REAL)st->alpha, s, y);
  if (!(st->flags & TSR_LAST_K)) return y;
  if (cv->add) y += AT(cv->add, at);
  y = y < low ? low : y;
  return y > high ? high : y;
}

/* Column j of a tile of up to ROWS rows that begin at row i0; `lanes`: B has an element for each row. */
static inline __attribute__((always_inline)) void COLUMN(const struct tsr_step *st, const struct tsr_conv *cv,
                                                         int64_t i0, int64_t j, int64_t column, tsr_mem a, tsr_mem x,
                                                         tsr_mem c, bool lanes) {
  int64_t rows = st->m - i0 < ROWS ? st->m - i0 : ROWS, at = i0 / ROWS * st->dc + column * st->csc;
  REAL s[ROWS] = {0};
  for (int64_t t = 0; t < cv->count; t++) {
    const struct tsr_taps *taps = &cv->taps[t];
    if (j < taps->first || j >= taps->end) continue;
    for (int64_t p = 0; p < taps->k; p++)
      for (int64_t i = 0; i < rows; i++) {
        REAL b = AT(x, taps->b + j * st->csb + (lanes ? p * st->rsb + i * SIZE : p * SIZE));
        s[i] = FMA(AT(a, taps->a + p * st->csa + i * SIZE), b, s[i]);
      }
  }
  for (int64_t i = 0; i < rows; i++) {
    REAL y = FINISH(st, cv, i0 + i, s[i], c, at + i * SIZE);
    PUT(c, at + i * SIZE) = y;
  }
}

static inline __attribute__((always_inline)) void TILES(const struct tsr_step *st, int64_t nr, tsr_mem a, tsr_mem b,
                                                        tsr_mem c, bool lanes) {
  const struct tsr_conv *cv = (const struct tsr_conv *)b;
  for (int64_t j0 = 0, u = 0; j0 < st->n; j0 += nr, u++)
    for (int64_t i0 = 0, t = 0; i0 < st->m; i0 += ROWS, t++)
      for (int64_t j = 0; j < nr; j++)
        COLUMN(st, cv, i0, j, j0 + j, a + (tsr_mem)(t * st->da),
               cv->x + (tsr_mem)(u * st->db + (lanes ? t * cv->dx : 0)), c, lanes);
}

#define CONV(name, nr) \
  void name(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) { TILES(st, nr, a, b, c, false); }
#define LANES(name, nr) \
  void name(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) { TILES(st, nr, a, b, c, true); }
