/* SOLVE and MULTIPLY (kernels/kernel.h) of one type: REAL, LOOSE (the same at any address), FMA, and PARTS, 1 or 2 for
 * complex numbers. triangle.c includes this once for each, with the functions' names defined in full. */

#define ROWS 4    /* of a panel */
#define COLUMNS 4 /* of a group */
#define SIZE ((int64_t)(PARTS * sizeof(REAL)))

/* Where T(p, j) is: its real part, and behind all of those of the group, a pair. */
static void AT(const struct tsr_step *st, tsr_mem t, int64_t p, int64_t j, REAL value[2]) {
  const LOOSE *row = (const LOOSE *)(t + (tsr_mem)(j / COLUMNS * st->db + p * st->rsb));
  value[0] = row[j % COLUMNS];
  value[1] = PARTS == 2 ? row[COLUMNS + j % COLUMNS * 2] : 0;
}

/* y = y + x * t, or y - x * t with a sign of -1. */
static void ADD(REAL y[2], const LOOSE *x, REAL sign, const REAL t[2]) {
  y[0] = FMA(sign * x[0], t[0], y[0]);
  if (PARTS == 1) return;
  y[0] = FMA(-sign * x[1], t[1], y[0]);
  y[1] = FMA(sign * x[1], t[0], y[1]);
  y[1] = FMA(sign * x[0], t[1], y[1]);
}

static void BY_DIAGONAL(REAL y[2], const REAL t[2]) {
  REAL re = y[0] * t[0], im = y[1] * t[0];
  if (PARTS == 2) re = FMA(-y[1], t[1], re), im = FMA(y[0], t[1], im);
  y[0] = re;
  y[1] = im;
}

static LOOSE *ELEMENT(const struct tsr_step *st, tsr_mem c, int64_t i, int64_t j) {
  return (LOOSE *)(c + (tsr_mem)(i / ROWS * st->dc + j * st->csc + i % ROWS * SIZE));
}

/* The k columns beside C. */
static void ADD_OTHERS(const struct tsr_step *st, tsr_mem a, tsr_mem t, int64_t i, int64_t j, int64_t row, REAL sign,
                       REAL y[2]) {
  REAL value[2];
  tsr_mem x = a + (tsr_mem)(i / ROWS * st->da + i % ROWS * SIZE);
  for (int64_t p = 0; p < st->k; p++) {
    AT(st, t, row + p, j, value);
    ADD(y, (const LOOSE *)(x + (tsr_mem)(p * st->csa)), sign, value);
  }
}

static void SOLVE_ELEMENT(const struct tsr_step *st, tsr_mem a, tsr_mem t, tsr_mem c, int64_t i, int64_t j) {
  LOOSE *to = ELEMENT(st, c, i, j);
  REAL y[2] = {to[0], to[PARTS - 1]}, value[2];
  ADD_OTHERS(st, a, t, i, j, 0, -1, y);
  if (!(st->flags & TSR_MORE_K)) {
    for (int64_t q = 0; q < j; q++) {
      AT(st, t, st->k + q, j, value);
      ADD(y, ELEMENT(st, c, i, q), -1, value);
    }
    AT(st, t, st->k + j, j, value);
    if (!(st->flags & TSR_UNIT)) BY_DIAGONAL(y, value);
  }
  to[0] = y[0];
  to[PARTS - 1] = y[PARTS - 1];
}

static void MULTIPLY_ELEMENT(const struct tsr_step *st, tsr_mem a, tsr_mem t, tsr_mem c, int64_t i, int64_t j) {
  LOOSE *to = ELEMENT(st, c, i, j);
  REAL y[2] = {to[0], to[PARTS - 1]}, value[2];
  if (!(st->flags & TSR_GO_ON)) {
    if (!(st->flags & TSR_UNIT)) {
      y[0] = y[1] = 0;
      AT(st, t, j, j, value);
      ADD(y, to, 1, value);
    }
    for (int64_t q = j + 1; q < st->n; q++) {
      AT(st, t, q, j, value);
      ADD(y, ELEMENT(st, c, i, q), 1, value);
    }
  }
  ADD_OTHERS(st, a, t, i, j, st->flags & TSR_GO_ON ? 0 : st->n, 1, y);
  to[0] = y[0];
  to[PARTS - 1] = y[PARTS - 1];
}

void SOLVE(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < (st->m + ROWS - 1) / ROWS * ROWS; i++) SOLVE_ELEMENT(st, a, b, c, i, j);
}

void MULTIPLY(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < (st->m + ROWS - 1) / ROWS * ROWS; i++) MULTIPLY_ELEMENT(st, a, b, c, i, j);
}

#undef ROWS
#undef COLUMNS
#undef SIZE
