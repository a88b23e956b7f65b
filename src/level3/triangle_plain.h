/* The plain loops of one type: REAL, LOOSE (the same at any address), FMA, and PARTS, 1 or 2 for complex numbers.
 * triangle_plain.c includes this once for each. */

#define SIZE ((int64_t)(PARTS * sizeof(REAL)))

static void ELEMENT(const struct tsr_triangle *tri, int64_t p, int64_t j, REAL t[2]) {
  const LOOSE *from = (const LOOSE *)(tri->t + (tsr_mem)(p * tri->t_rows + j * tri->t_columns));
  t[0] = from[0];
  t[1] = PARTS == 1 ? 0 : tri->conjugate ? -from[PARTS - 1] : from[PARTS - 1];
}

/* 1 / t; of a complex number with one division that is scaled by the larger part, so that nothing overflows. */
static void RECIPROCAL(REAL t[2]) {
  REAL re = t[0], im = t[1];
  if (PARTS == 1) {
    t[0] = 1 / re;
  } else if (!((im < 0 ? -im : im) > (re < 0 ? -re : re))) {
    REAL ratio = im / re, whole = FMA(im, ratio, re);
    t[0] = 1 / whole;
    t[1] = -ratio / whole;
  } else {
    REAL ratio = re / im, whole = FMA(re, ratio, im);
    t[0] = ratio / whole;
    t[1] = -1 / whole;
  }
}

/* y + x * t, or y - x * t with a sign of -1. */
static void ADD(REAL y[2], const LOOSE *x, REAL sign, const REAL t[2]) {
  y[0] = FMA(sign * x[0], t[0], y[0]);
  if (PARTS == 1) return;
  y[0] = FMA(-sign * x[1], t[1], y[0]);
  y[1] = FMA(sign * x[1], t[0], y[1]);
  y[1] = FMA(sign * x[0], t[1], y[1]);
}

/* y * by: by alpha, whose imaginary part counts only if it is not 0, or by a reciprocal. */
static void TIMES(REAL y[2], REAL re, REAL im, bool counts) {
  REAL product[2] = {y[0] * re, y[1] * re};
  if (counts) product[0] = FMA(-y[1], im, product[0]), product[1] = FMA(y[0], im, product[1]);
  y[0] = product[0];
  y[1] = product[1];
}

static void BY_ALPHA(const struct tsr_triangle *tri, REAL y[2]) {
  if (tri->alpha[0] != 1 || tri->alpha[1] != 0)
    TIMES(y, (REAL)tri->alpha[0], (REAL)tri->alpha[1], PARTS == 2 && tri->alpha[1] != 0);
}

static LOOSE *AT(const struct tsr_triangle *tri, int64_t i, int64_t q) {
  return (LOOSE *)(tri->x + (tsr_mem)(i * tri->x_lanes + q * tri->x_columns));
}

static void SOLVE_ELEMENT(const struct tsr_triangle *tri, int64_t i, int64_t j) {
  LOOSE *to = AT(tri, i, j);
  REAL y[2] = {to[0], PARTS == 2 ? to[PARTS - 1] : 0}, t[2];
  BY_ALPHA(tri, y);
  for (int64_t p = 0; p < j; p++) {
    ELEMENT(tri, p, j, t);
    ADD(y, AT(tri, i, p), -1, t);
  }
  if (!tri->unit) {
    ELEMENT(tri, j, j, t);
    RECIPROCAL(t);
    TIMES(y, t[0], t[1], PARTS == 2);
  }
  to[0] = y[0];
  if (PARTS == 2) to[PARTS - 1] = y[1];
}

static void MULTIPLY_ELEMENT(const struct tsr_triangle *tri, int64_t i, int64_t j) {
  LOOSE *to = AT(tri, i, j);
  REAL y[2] = {to[0], PARTS == 2 ? to[PARTS - 1] : 0}, t[2];
  if (!tri->unit) {
    y[0] = y[1] = 0;
    ELEMENT(tri, j, j, t);
    ADD(y, to, 1, t);
  }
  for (int64_t p = j + 1; p < tri->n; p++) {
    ELEMENT(tri, p, j, t);
    ADD(y, AT(tri, i, p), 1, t);
  }
  BY_ALPHA(tri, y);
  to[0] = y[0];
  if (PARTS == 2) to[PARTS - 1] = y[1];
}

static void PLAIN(const struct tsr_triangle *tri) {
  for (int64_t i = 0; i < tri->lanes; i++)
    for (int64_t j = 0; j < tri->n; j++)
      if (tri->solves)
        SOLVE_ELEMENT(tri, i, j);
      else
        MULTIPLY_ELEMENT(tri, i, j);
}

static inline void PUT(const struct tsr_triangle *tri, LOOSE *row, int64_t j, const REAL t[2]) {
  row[j] = t[0];
  if (PARTS == 2) row[tri->nr + 2 * j] = t[1], row[tri->nr + 2 * j + 1] = -t[1];
}

/* The diagonal block of a group of the packed triangle (kernel.h): only what is read of it. */
static void PACK_DIAGONAL(const struct tsr_triangle *tri, int64_t j0, int64_t width, tsr_mem to, int64_t rsb) {
  REAL t[2] = {0, 0};
  for (int64_t q = 0; q < width; q++, to += (tsr_mem)rsb) {
    LOOSE *row = (LOOSE *)to;
    int64_t first = tri->solves ? q + 1 : 0, end = tri->solves ? width : q;
    for (int64_t j = first; j < end; j++) {
      ELEMENT(tri, j0 + q, j0 + j, t);
      PUT(tri, row, j, t);
    }
    for (int64_t j = width; j < tri->nr && tri->solves && q + 1 < width; j++) PUT(tri, row, j, t);
    if (tri->unit) continue;
    ELEMENT(tri, j0 + q, j0 + q, t);
    if (tri->solves) RECIPROCAL(t);
    PUT(tri, row, q, t);
  }
}

/* `count` rows of nr elements that lie `columns` elements apart, -1 or 1 where that is known. */
static inline __attribute__((always_inline)) void PACK_KNOWN(const struct tsr_triangle *tri, tsr_mem from, int64_t count,
                                                             int64_t nr, int64_t columns, tsr_mem to, int64_t rsb) {
  REAL sign = tri->conjugate ? -1 : 1;
  for (int64_t p = 0; p < count; p++, from += (tsr_mem)tri->t_rows, to += (tsr_mem)rsb) {
    const LOOSE *element = (const LOOSE *)from;
    LOOSE *row = (LOOSE *)to;
    for (int64_t jj = 0; jj < nr; jj++) {
      const LOOSE *t = element + jj * columns * PARTS;
      row[jj] = t[0];
      if (PARTS == 2) row[nr + 2 * jj] = sign * t[PARTS - 1], row[nr + 2 * jj + 1] = -sign * t[PARTS - 1];
    }
  }
}

/* Rows p .. p + count - 1 of a group; missing columns repeat the last. */
static void PACK_ROWS(const struct tsr_triangle *tri, int64_t p, int64_t count, int64_t j0, int64_t width, tsr_mem to,
                      int64_t rsb) {
  tsr_mem from = tri->t + (tsr_mem)(p * tri->t_rows + j0 * tri->t_columns);
  REAL t[2];
  if (width == 8 && tri->nr == 8 && tri->t_columns == SIZE) return PACK_KNOWN(tri, from, count, 8, 1, to, rsb);
  if (width == 8 && tri->nr == 8 && tri->t_columns == -SIZE) return PACK_KNOWN(tri, from, count, 8, -1, to, rsb);
  if (width == tri->nr && tri->t_columns % SIZE == 0)
    return PACK_KNOWN(tri, from, count, tri->nr, tri->t_columns / SIZE, to, rsb);
  for (int64_t i = 0; i < count; i++, to += (tsr_mem)rsb)
    for (int64_t jj = 0; jj < tri->nr; jj++) {
      ELEMENT(tri, p + i, j0 + tsr_min(jj, width - 1), t);
      PUT(tri, (LOOSE *)to, jj, t);
    }
}

#undef SIZE
