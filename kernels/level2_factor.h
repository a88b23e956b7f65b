/* Where factorisations end, in C, written once: a chip compiles it with its own vectors. A file
 * kernels/<chip>/level2_factor_f64.c includes the chip's simd.h, defines the type, then includes this; c64 is made of f64.
 *
 *   #define FACTOR_T f64              the vectors' functions are f64_load and so on
 *   #define FACTOR_REAL double        #define FACTOR_LANES TSR_F64_LANES
 *   #define FACTOR_LEAST DBL_MIN      the smallest normal number: the inverse of anything larger is finite
 *   #define FACTOR_PARTS 1            2: elements are pairs of FACTOR_REAL
 *
 * It defines factor_lu and factor_cholesky; kernel.h says what they compute. */
#include <float.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/kernel.h"

#define FACTOR_JOIN2(a, b) a##_##b
#define FACTOR_JOIN(a, b) FACTOR_JOIN2(a, b)
#define V(name) FACTOR_JOIN(FACTOR_T, name)
#define INLINE static inline __attribute__((always_inline, unused))
#if defined(__clang__) /* it unrolls these loops by itself, and complains where it is asked before it can */
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

enum { PARTS = FACTOR_PARTS, ROWS = FACTOR_LANES / FACTOR_PARTS }; /* rows of a vector */

typedef FACTOR_REAL real __attribute__((may_alias));
typedef V(v) vec;

/* --- Elements ----------------------------------------------------------------------------------------------------- */

struct element {
  FACTOR_REAL re, im; /* im is not looked at where elements are real */
};

INLINE real real_abs(real x) { return (real)__builtin_fabs(x); }
INLINE real real_fma(real a, real b, real c) {
  return sizeof a == 4 ? __builtin_fmaf(a, b, c) : (real)__builtin_fma(a, b, c);
}
INLINE struct element element_at(const real *x) { return (struct element){x[0], PARTS == 2 ? x[1] : 0}; }
INLINE void element_put(real *x, struct element e) {
  x[0] = e.re;
  if (PARTS == 2) x[1] = e.im;
}
INLINE struct element element_conj(struct element e) { return (struct element){e.re, -e.im}; }
INLINE bool element_is_zero(struct element e) { return e.re == 0 && (PARTS == 1 || e.im == 0); }

/* x - l u, in the order that minus() has. */
INLINE struct element element_minus(struct element x, struct element l, struct element u) {
  x.re = real_fma(-l.re, u.re, x.re);
  if (PARTS == 1) return x;
  x.im = real_fma(-l.im, u.re, x.im);
  return (struct element){real_fma(l.im, u.im, x.re), real_fma(l.re, -u.im, x.im)};
}

/* x / y, of complex numbers by the larger part of y (R. L. Smith, Algorithm 116, CACM 5, 1962). */
INLINE struct element element_over(struct element x, struct element y) {
  if (PARTS == 1) return (struct element){x.re / y.re, 0};
  if (real_abs(y.re) >= real_abs(y.im)) {
    real r = y.im / y.re, d = real_fma(y.im, r, y.re);
    return (struct element){real_fma(x.im, r, x.re) / d, real_fma(-x.re, r, x.im) / d};
  }
  real r = y.re / y.im, d = real_fma(y.re, r, y.im);
  return (struct element){real_fma(x.re, r, x.im) / d, real_fma(x.im, r, -x.re) / d};
}

/* --- Vectors: a factor that all rows share ------------------------------------------------------------------------- */

struct factor {
  vec re, cross; /* cross: what the other part is multiplied by */
};

INLINE struct factor factor_to_subtract(struct element u) {
  return (struct factor){V(set1)(u.re), PARTS == 2 ? V(negate_odd)(V(set1)(u.im)) : V(zero)()};
}
INLINE struct factor factor_to_scale(struct element s) {
  return (struct factor){V(set1)(s.re), PARTS == 2 ? V(negate_even)(V(set1)(s.im)) : V(zero)()};
}
INLINE vec minus(vec x, vec l, const struct factor *u) {
  x = V(fnma)(l, u->re, x);
  return PARTS == 2 ? V(fma)(V(swap)(l), u->cross, x) : x;
}
INLINE vec scaled(vec x, const struct factor *s) {
  vec y = V(mul)(x, s->re);
  return PARTS == 2 ? V(fma)(V(swap)(x), s->cross, y) : y;
}
INLINE vec magnitude(vec x) {
  vec size = V(abs)(x);
  return PARTS == 2 ? V(add)(size, V(swap)(size)) : size;
}
INLINE vec load(const real *x, int64_t rows) { return V(load_n)((const FACTOR_REAL *)x, rows * PARTS); }
INLINE void store(real *x, vec v, int64_t rows) { V(store_n)((FACTOR_REAL *)x, v, rows * PARTS); }

/* --- LU ------------------------------------------------------------------------------------------------------------ */

struct panel {
  real *column[TSR_LU_COLUMNS];
  int64_t m;
  int n;
};

INLINE real *row_of(const struct panel *p, int64_t i, int j) { return p->column[j] + i * PARTS; }

/* Rows i .. i + rows - 1 of column k, less the columns to its left, of which the last one is scaled first. */
INLINE vec next_rows(const struct panel *p, int k, int64_t i, int64_t rows, const struct factor *u, bool scale,
                     const struct factor *s) {
  bool whole = rows == ROWS;
  real *to = row_of(p, i, k);
  vec x = whole ? V(load)((const FACTOR_REAL *)to) : load(to, rows);
  UNROLL for (int c = 0; c < k; c++) {
    real *from = row_of(p, i, c);
    vec l = whole ? V(load)((const FACTOR_REAL *)from) : load(from, rows);
    if (c == k - 1 && scale) {
      l = scaled(l, s);
      if (whole) V(store)((FACTOR_REAL *)from, l);
      else store(from, l, rows);
    }
    x = minus(x, l, &u[c]);
  }
  if (k > 0) {
    if (whole) V(store)((FACTOR_REAL *)to, x);
    else store(to, x, rows);
  }
  return magnitude(x);
}

/* Rows from k on of column k; the largest magnitude among them, or a NaN. */
INLINE real next_column(const struct panel *p, int k, bool scale, const struct factor *s) {
  struct factor u[TSR_LU_COLUMNS];
  vec most[2] = {V(zero)(), V(zero)()};
  int64_t i = k, before = (int64_t)((uintptr_t)row_of(p, k, k) / sizeof(real) / PARTS % ROWS);
  UNROLL for (int c = 0; c < k; c++) u[c] = factor_to_subtract(element_at(row_of(p, c, k)));
  if (before > 0) { /* to where vectors do not cross lines */
    int64_t rows = ROWS - before < p->m - i ? ROWS - before : p->m - i;
    most[0] = next_rows(p, k, i, rows, u, scale, s);
    i += rows;
  }
  for (; i + 2 * ROWS <= p->m; i += 2 * ROWS) {
    most[0] = V(max)(most[0], next_rows(p, k, i, ROWS, u, scale, s));
    most[1] = V(max)(most[1], next_rows(p, k, i + ROWS, ROWS, u, scale, s));
  }
  for (; i < p->m; i += ROWS)
    most[0] = V(max)(most[0], next_rows(p, k, i, p->m - i < ROWS ? p->m - i : ROWS, u, scale, s));
  return V(greatest)(V(max)(most[0], most[1]));
}

/* As many columns to the left as the compiler knows of: they stay in registers. */
static real next_column_of(const struct panel *p, int k, bool scale, const struct factor *s) {
#define TO_THE_LEFT(k) \
  case k: return scale ? next_column(p, k, true, s) : next_column(p, k, false, s);
  switch (k) {
    TO_THE_LEFT(1) TO_THE_LEFT(2) TO_THE_LEFT(3) TO_THE_LEFT(4) TO_THE_LEFT(5) TO_THE_LEFT(6) TO_THE_LEFT(7)
    default: return next_column(p, 0, false, s);
  }
#undef TO_THE_LEFT
}
_Static_assert(TSR_LU_COLUMNS == 8, "next_column_of lists its columns");

/* The first row from k on whose magnitude is `most`, which is in there. */
static int64_t row_with(const struct panel *p, int k, real most) {
  const real *x = p->column[k];
  vec wanted = V(set1)(most);
  for (int64_t i = k;; i += ROWS) {
    vec size = magnitude(load(x + i * PARTS, p->m - i < ROWS ? p->m - i : ROWS));
    unsigned found = most == most ? V(equal)(size, wanted) : V(nan)(size);
    if (found) return i + __builtin_ctz(found) / PARTS;
    if (i + ROWS >= p->m) return k;
  }
}

/* The rows of U above the diagonal of column k. */
static void solve_top(const struct panel *p, int k) {
  for (int i = 1; i < k; i++) {
    struct element x = element_at(row_of(p, i, k));
    for (int c = 0; c < i; c++) x = element_minus(x, element_at(row_of(p, i, c)), element_at(row_of(p, c, k)));
    element_put(row_of(p, i, k), x);
  }
}

static void exchange_rows(const struct panel *p, int64_t i, int64_t with) {
  for (int c = 0; c < p->n && i != with; c++) {
    struct element kept = element_at(row_of(p, i, c));
    element_put(row_of(p, i, c), element_at(row_of(p, with, c)));
    element_put(row_of(p, with, c), kept);
  }
}

/* The inverse of column k's pivot; false where rows were divided by it at once, or it is zero. */
static bool inverse_of_pivot(const struct panel *p, int k, struct factor *s) {
  struct element pivot = element_at(row_of(p, k, k));
  if (element_is_zero(pivot)) return false;
  if (real_abs(pivot.re) < FACTOR_LEAST && (PARTS == 1 || real_abs(pivot.im) < FACTOR_LEAST)) {
    for (int64_t i = k + 1; i < p->m; i++)
      element_put(row_of(p, i, k), element_over(element_at(row_of(p, i, k)), pivot));
    return false;
  }
  *s = factor_to_scale(element_over((struct element){1, 0}, pivot));
  return true;
}

INLINE void factor_lu(const struct tsr_step *step, tsr_mem pivots, tsr_mem a) {
  struct panel p = {.m = step->m, .n = (int)step->n};
  struct factor s = {V(zero)(), V(zero)()};
  bool scale = false;
  for (int j = 0; j < p.n; j++) p.column[j] = (real *)(a + (tsr_mem)(j * step->csc));
  for (int j = 0; j < p.n; j++) {
    int64_t row = 0;
    solve_top(&p, j);
    real most = next_column_of(&p, j, scale, &s);
    ((int64_t *)pivots)[j] = row = row_with(&p, j, most);
    exchange_rows(&p, j, row);
    scale = inverse_of_pivot(&p, j, &s);
  }
  for (int64_t i = p.n; scale && i < p.m; i += ROWS) {
    int64_t rows = p.m - i < ROWS ? p.m - i : ROWS;
    real *x = row_of(&p, i, p.n - 1);
    store(x, scaled(load(x, rows), &s), rows);
  }
}

/* --- Cholesky ------------------------------------------------------------------------------------------------------ */

enum { SIDE = TSR_CHOLESKY_ROWS, GROUP = SIDE / ROWS < 4 ? SIDE / ROWS : 4 }; /* vectors that are worked on at a time */

struct triangle {
  _Alignas(64) FACTOR_REAL l[SIDE][SIDE * PARTS];
};

/* Column j, from the group of vectors that holds row j: a(i, j) - l(i, 0) l'(j, 0) - l(i, 1) l'(j, 1) ... */
INLINE void cholesky_column(struct triangle *t, int j, int n) {
  for (int i = j / (GROUP * ROWS) * (GROUP * ROWS); i < n; i += GROUP * ROWS) {
    vec x[GROUP];
    UNROLL for (int v = 0; v < GROUP; v++) x[v] = V(load)(&t->l[j][(i + v * ROWS) * PARTS]);
    for (int k = 0; k < j; k++) {
      struct factor u = factor_to_subtract(element_conj(element_at((real *)&t->l[k][j * PARTS])));
      UNROLL for (int v = 0; v < GROUP; v++) x[v] = minus(x[v], V(load)(&t->l[k][(i + v * ROWS) * PARTS]), &u);
    }
    UNROLL for (int v = 0; v < GROUP; v++) V(store)(&t->l[j][(i + v * ROWS) * PARTS], x[v]);
  }
}

/* The whole column times the inverse of the root; lanes above the diagonal become zero for those that read them. */
INLINE void cholesky_finish(struct triangle *t, int j, int n, real root) {
  struct factor s = factor_to_scale((struct element){1 / root, 0});
  for (int i = j / ROWS * ROWS; i < n; i += ROWS) {
    FACTOR_REAL *x = &t->l[j][i * PARTS];
    V(store)(x, V(mul)(V(load)(x), s.re));
  }
  memset(t->l[j], 0, (size_t)(j * PARTS) * sizeof(real));
  element_put((real *)&t->l[j][j * PARTS], (struct element){root, 0});
}

INLINE void factor_cholesky(const struct tsr_step *step, tsr_mem info, tsr_mem a) {
  struct triangle t;
  int n = (int)step->n;
  int64_t bad = 0;
  int padded = (n + GROUP * ROWS - 1) / (GROUP * ROWS) * (GROUP * ROWS);
  for (int j = 0; j < n; j++) {
    size_t above = (size_t)(j * PARTS), rows = (size_t)((n - j) * PARTS), below = (size_t)((padded - n) * PARTS);
    memset(t.l[j], 0, above * sizeof(real));
    memcpy(&t.l[j][above], (const char *)(a + (tsr_mem)(j * step->csc)) + above * sizeof(real), rows * sizeof(real));
    memset(&t.l[j][n * PARTS], 0, below * sizeof(real));
    if (PARTS == 2) t.l[j][j * PARTS + PARTS - 1] = 0;
  }
  for (int j = 0; j < n; j++) {
    cholesky_column(&t, j, n);
    real diagonal = t.l[j][j * PARTS];
    if (!(diagonal > 0)) {
      bad = j + 1;
      break;
    }
    cholesky_finish(&t, j, n, sizeof diagonal == 4 ? (real)__builtin_sqrtf((float)diagonal) : (real)__builtin_sqrt(diagonal));
  }
  for (int j = 0; j < n; j++) {
    size_t above = (size_t)(j * PARTS);
    memcpy((char *)(a + (tsr_mem)(j * step->csc)) + above * sizeof(real), &t.l[j][above],
           (size_t)((n - j) * PARTS) * sizeof(real));
  }
  *(int64_t *)info = bad;
}
