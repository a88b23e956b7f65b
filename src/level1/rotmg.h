/* A modified rotation (C. L. Lawson and others, "Basic Linear Algebra Subprograms for Fortran Usage", ACM TOMS 5(3), 1979),
 * for rotate.c: REAL, ABS and the names are defined there. H makes the second component of (sqrt(d1) x1, sqrt(d2) y1) zero;
 * d1 and d2 are kept between 4096^-2 and 4096^2. */

/* flag as in param[0]: which of the elements are given; -1 all, 0 those off the diagonal, 1 those on it. */
struct MATRIX {
  REAL flag, h11, h21, h12, h22;
};

/* Writes out what the flag left to be known. */
static void GIVE_ALL(struct MATRIX *m) {
  if (m->flag == 0) m->h11 = m->h22 = 1;
  if (m->flag > 0) m->h21 = -1, m->h12 = 1;
  m->flag = -1;
}

/* Brings a weight d that is too large or too small into range and its row of H with it. Inf stays. */
static void RESCALE(struct MATRIX *m, REAL *d, REAL *x, REAL *row1, REAL *row2) {
  const REAL unit = 4096, largest = unit * unit, least = 1 / largest;
  while (*d != 0 && isfinite(*d) && (ABS(*d) <= least || ABS(*d) >= largest)) {
    bool small = ABS(*d) <= least;
    GIVE_ALL(m);
    *d = small ? *d * largest : *d / largest;
    *row1 = small ? *row1 / unit : *row1 * unit;
    *row2 = small ? *row2 / unit : *row2 * unit;
    if (x) *x = small ? *x / unit : *x * unit;
  }
}

void ROTMG(REAL *d1, REAL *d2, REAL *x1, REAL y1, REAL *param) {
  struct MATRIX m = {-1, 0, 0, 0, 0};
  REAL p2 = *d2 * y1, p1 = *d1 * *x1, q2 = p2 * y1, q1 = p1 * *x1, u = 0;
  bool possible = !(*d1 < 0);
  if (possible && p2 == 0) {
    param[0] = -2;
    return;
  }
  if (possible && ABS(q1) > ABS(q2)) {
    m = (struct MATRIX){0, 0, -y1 / *x1, p2 / p1, 0};
    u = 1 - m.h12 * m.h21;
    possible = u > 0;
    *d1 /= u, *d2 /= u, *x1 *= u;
  } else if (possible) {
    possible = !(q2 < 0);
    m = (struct MATRIX){1, p1 / p2, 0, 0, *x1 / y1};
    u = 1 + m.h11 * m.h22;
    REAL old = *d1;
    *d1 = *d2 / u, *d2 = old / u, *x1 = y1 * u;
  }
  if (!possible) {
    m = (struct MATRIX){-1, 0, 0, 0, 0};
    *d1 = *d2 = *x1 = 0;
  }
  RESCALE(&m, d1, x1, &m.h11, &m.h12);
  RESCALE(&m, d2, NULL, &m.h21, &m.h22);
  param[0] = m.flag;
  if (m.flag <= 0) param[2] = m.h21, param[3] = m.h12;
  if (m.flag != 0) param[1] = m.h11, param[4] = m.h22;
}
