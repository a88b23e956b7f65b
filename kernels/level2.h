/* Level 2 in C, written once: a chip compiles it with its own vectors. A file kernels/<chip>/level2_f64.c includes the
 * chip's simd.h, defines how many columns its registers take at once and the type, then includes this; c64 is made of f64.
 *
 *   #define LEVEL2_T f64              the vectors' functions are f64_load and so on
 *   #define LEVEL2_REAL double        #define LEVEL2_LANES TSR_F64_LANES
 *   #define LEVEL2_COMPLEX 0          1: elements are pairs of LEVEL2_REAL
 *   #define LEVEL2_TRIANGLES 1        code without loops for what is small: triangles of a group, few
 *                                     rows; real elements only
 *   #define LEVEL2_N_COLUMNS 8        columns at once: 1, 2, 4 or 8; LEVEL2_T_COLUMNS and LEVEL2_NT_COLUMNS likewise
 *
 *   #define LEVEL2_SUM_GROUP          real ones: the chip has f64_sum_group, which sums the lanes of a group's vectors (two a
 *                                     column, LEVEL2_T_COLUMNS and LEVEL2_NT_COLUMNS 8)
 *
 * It defines level2_gemv_n, level2_gemv_t, level2_ger, level2_symv and level2_solve; kernel.h says what they compute, in
 * which order. No result depends on how many columns are taken at once. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/kernel.h"

#define LEVEL2_JOIN2(a, b) a##_##b
#define LEVEL2_JOIN(a, b) LEVEL2_JOIN2(a, b)
#define V(name) LEVEL2_JOIN(LEVEL2_T, name)
#define INLINE static inline __attribute__((always_inline, unused))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

enum {
  GROUP = TSR_LEVEL2_GROUP,
  BLOCK = TSR_LEVEL2_BLOCK,
  LANES = LEVEL2_LANES,
  SUMS = TSR_LEVEL2_SUM_BYTES / (int)sizeof(LEVEL2_REAL) / LANES, /* vectors of a column's sums */
};

typedef LEVEL2_REAL real;
typedef V(v) vec;

/* What is seldom needed: without it the code of a chip would be several times as large. */
#if LEVEL2_TRIANGLES
#define SELDOM INLINE
#else
#define SELDOM static __attribute__((noinline, unused))
#endif

INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
INLINE real real_fma(real a, real b, real c) { return sizeof a == 4 ? __builtin_fmaf(a, b, c) : (real)__builtin_fma(a, b, c); }

#if LEVEL2_COMPLEX
#include "kernels/level2_complex.h"
#else
#include "kernels/level2_real.h"
#endif

/* --- Columns of a step -------------------------------------------------------------------------------------------- */

struct matrix {
  uintptr_t a;
  int64_t m, n, lda, grows, lower, upper;
};

INLINE struct matrix matrix_of(const struct tsr_step *s, tsr_mem a) {
  return (struct matrix){a, s->m, s->n, s->csa, s->rsa, s->rsb, s->csb};
}

/* Row 0 of column j; it need not exist. */
INLINE element *column(const struct matrix *A, int64_t j) {
  return (element *)(A->a + (uintptr_t)(j * A->lda + A->grows * (j * (j - 1) / 2)));
}

/* A group of columns, and those of their rows that lie in r0 .. r1: all columns have rows from .. to. */
struct group {
  int n;
  element *column[GROUP];
  int64_t first[GROUP], end[GROUP]; /* each column's own rows */
  int64_t from, to;
  bool even; /* they have no others */
};

INLINE void group_of(struct group *g, const struct matrix *A, int64_t j, int64_t r0, int64_t r1) {
  g->n = (int)least(GROUP, A->n - j);
  int64_t last = j + g->n - 1;
  g->from = most(r0, last - A->upper);
  g->to = least(r1, j + 1 + A->lower);
  g->even = most(r0, j - A->upper) == g->from && least(r1, last + 1 + A->lower) == g->to;
  element *next = column(A, j);
  int64_t step = A->lda + A->grows * j;
  if (g->n == GROUP && A->grows == 0) {
    UNROLL for (int c = 0; c < GROUP; c++) g->column[c] = (element *)((uintptr_t)next + (uintptr_t)(c * step));
  } else {
    for (int c = 0; c < g->n; c++) {
      g->column[c] = next;
      next = (element *)((uintptr_t)next + (uintptr_t)step);
      step += A->grows;
    }
  }
  if (g->even) return;
  for (int c = 0; c < g->n; c++) {
    g->first[c] = most(r0, j + c - A->upper);
    g->end[c] = most(g->first[c], least(r1, j + c + 1 + A->lower));
  }
}

/* Whether rows before `from` (or behind `to`) are those of a whole triangle: column c has GROUP - 1 - c (or c) of them. */
INLINE bool is_head(const struct group *g) { return LEVEL2_TRIANGLES && g->n == GROUP && g->from - g->first[0] == GROUP - 1; }
INLINE bool is_tail(const struct group *g) { return LEVEL2_TRIANGLES && g->n == GROUP && g->end[GROUP - 1] - g->to == GROUP - 1; }

/* --- y += A t ----------------------------------------------------------------------------------------------------- */

INLINE void piece_n(bool conj, const element *a, element t, element *y, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; i++) y[i] = e_fma(conj, a[i], t, y[i]);
}

INLINE void head_n(bool conj, const struct group *g, const element *t, element *y) {
  element s[GROUP - 1];
  int64_t at = g->first[0];
  UNROLL for (int i = 0; i < GROUP - 1; i++) s[i] = y[at + i];
  UNROLL for (int c = 0; c < GROUP - 1; c++) {
    const element *a = g->column[c] + at;
    UNROLL for (int i = c; i < GROUP - 1; i++) s[i] = e_fma(conj, a[i], t[c], s[i]);
  }
  UNROLL for (int i = 0; i < GROUP - 1; i++) y[at + i] = s[i];
}

INLINE void tail_n(bool conj, const struct group *g, const element *t, element *y) {
  element s[GROUP - 1];
  int64_t at = g->to;
  UNROLL for (int i = 0; i < GROUP - 1; i++) s[i] = y[at + i];
  UNROLL for (int c = 1; c < GROUP; c++) {
    const element *a = g->column[c] + at;
    UNROLL for (int i = 0; i < c; i++) s[i] = e_fma(conj, a[i], t[c], s[i]);
  }
  UNROLL for (int i = 0; i < GROUP - 1; i++) y[at + i] = s[i];
}

/* Rows that not all columns of the group have. */
SELDOM void uneven_n(bool conj, const struct group *g, const element *t, element *y) {
  if (g->to < g->from) {
    for (int c = 0; c < g->n; c++) piece_n(conj, g->column[c], t[c], y, g->first[c], g->end[c]);
    return;
  }
  if (is_head(g))
    head_n(conj, g, t, y);
  else
    for (int c = 0; c < g->n; c++) piece_n(conj, g->column[c], t[c], y, g->first[c], g->from);
  if (is_tail(g))
    tail_n(conj, g, t, y);
  else
    for (int c = 0; c < g->n; c++) piece_n(conj, g->column[c], t[c], y, g->to, g->end[c]);
}

INLINE void rectangle_n(bool conj, int n, element *const *a, const element *t, element *y, int64_t from, int64_t to) {
  for (; n >= LEVEL2_N_COLUMNS; n -= LEVEL2_N_COLUMNS, a += LEVEL2_N_COLUMNS, t += LEVEL2_N_COLUMNS)
    columns_n(conj, LEVEL2_N_COLUMNS, a, t, y, from, to);
  if (LEVEL2_N_COLUMNS > 4 && n & 4) columns_n(conj, 4, a, t, y, from, to), a += 4, t += 4;
  if (LEVEL2_N_COLUMNS > 2 && n & 2) columns_n(conj, 2, a, t, y, from, to), a += 2, t += 2;
  if (LEVEL2_N_COLUMNS > 1 && n & 1) columns_n(conj, 1, a, t, y, from, to);
}

INLINE void group_n(bool conj, const struct group *g, const element *t, element *y) {
  if (!g->even) uneven_n(conj, g, t, y);
  if (g->from < g->to) rectangle_n(conj, g->n, g->column, t, y, g->from, g->to);
}

#if LEVEL2_TRIANGLES
enum { ROWS = 8 }; /* vectors of y that stay in registers: as many as an fma takes, twice */

/* All columns of a few rows, of which the last vector has `last`. */
INLINE void rows_n(int vectors, int64_t last, const struct matrix *A, uintptr_t at, element alpha, const element *x, element *y) {
  vec s[ROWS];
  UNROLL for (int r = 0; r < vectors; r++)
    s[r] = r < vectors - 1 ? V(load)(y + r * LANES) : V(load_n)(y + r * LANES, last);
  for (int64_t j = 0; j < A->n; j++, at += (uintptr_t)A->lda) {
    const element *a = (const element *)at;
    vec t = V(set1)(alpha * x[j]);
    UNROLL for (int r = 0; r < vectors; r++)
      s[r] = V(fma)(r < vectors - 1 ? V(load)(a + r * LANES) : V(load_n)(a + r * LANES, last), t, s[r]);
  }
  UNROLL for (int r = 0; r < vectors - 1; r++) V(store)(y + r * LANES, s[r]);
  V(store_n)(y + (vectors - 1) * LANES, s[vectors - 1], last);
}

/* A whole matrix of so few rows that y need not go to memory between its columns. */
static bool few_rows(const struct matrix *A, element alpha, const element *x, element *y) {
  int64_t vectors = (A->m + LANES - 1) / LANES, parts = (vectors + ROWS - 1) / ROWS, step = (vectors + parts - 1) / parts;
  if (vectors > (A->n > 1024 ? ROWS : 4 * ROWS) || A->grows != 0 || A->lower < A->m - 1 || A->upper < A->n - 1) return false;
  for (int64_t i = 0; i < A->m; i += step * LANES) {
    int64_t left = least(A->m - i, step * LANES), count = (left + LANES - 1) / LANES, last = left - (count - 1) * LANES;
    uintptr_t a = A->a + (uintptr_t)(i * (int64_t)sizeof(element));
    switch (count) {
      case 1: rows_n(1, last, A, a, alpha, x, y + i); break;
      case 2: rows_n(2, last, A, a, alpha, x, y + i); break;
      case 3: rows_n(3, last, A, a, alpha, x, y + i); break;
      case 4: rows_n(4, last, A, a, alpha, x, y + i); break;
      case 5: rows_n(5, last, A, a, alpha, x, y + i); break;
      case 6: rows_n(6, last, A, a, alpha, x, y + i); break;
      case 7: rows_n(7, last, A, a, alpha, x, y + i); break;
      default: rows_n(8, last, A, a, alpha, x, y + i);
    }
  }
  return true;
}
#endif

INLINE void gemv_n_body(bool conj, const struct tsr_step *s, tsr_mem a, const element *x, element *y) {
  struct matrix A = matrix_of(s, a);
  element alpha = e_of(s->alpha, s->alpha_im), t[GROUP];
#if LEVEL2_TRIANGLES
  if (few_rows(&A, alpha, x, y)) return;
#endif
  int64_t j = 0;
  if (A.grows == 0 && A.lower >= A.m - 1 && A.upper >= A.n - 1)
    for (; j + GROUP <= A.n; j += GROUP, A.a += (uintptr_t)(GROUP * A.lda)) { /* groups with nothing uneven about them */
      element *column[GROUP];
      UNROLL for (int c = 0; c < GROUP; c++) {
        column[c] = (element *)(A.a + (uintptr_t)(c * A.lda));
        t[c] = e_scale(alpha, x[j + c]);
      }
      rectangle_n(conj, GROUP, column, t, y, 0, A.m);
    }
  for (A.a = (uintptr_t)a; j < A.n; j += GROUP) {
    struct group g;
    group_of(&g, &A, j, 0, A.m);
    for (int c = 0; c < g.n; c++) t[c] = e_scale(alpha, x[j + c]);
    group_n(conj, &g, t, y);
  }
}

/* --- y += alpha A' x ---------------------------------------------------------------------------------------------- */

INLINE element piece_t(bool conj, const element *a, const element *x, element s, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; i++) s = e_fma(conj, a[i], x[i], s);
  return s;
}

SELDOM void uneven_t(bool conj, const struct group *g, const element *x, element alpha, element *y) {
  element s[GROUP] = {e_zero};
  if (g->to < g->from) {
    for (int c = 0; c < g->n; c++) s[c] = piece_t(conj, g->column[c], x, e_zero, g->first[c], g->end[c]);
  } else {
    if (is_head(g)) {
      int64_t at = g->first[0];
      UNROLL for (int c = 0; c < GROUP - 1; c++)
        UNROLL for (int i = c; i < GROUP - 1; i++) s[c] = e_fma(conj, g->column[c][at + i], x[at + i], s[c]);
    } else {
      for (int c = 0; c < g->n; c++) s[c] = piece_t(conj, g->column[c], x, e_zero, g->first[c], g->from);
    }
    if (is_tail(g)) {
      int64_t at = g->to;
      UNROLL for (int c = 1; c < GROUP; c++)
        UNROLL for (int i = 0; i < c; i++) s[c] = e_fma(conj, g->column[c][at + i], x[at + i], s[c]);
    } else {
      for (int c = 0; c < g->n; c++) s[c] = piece_t(conj, g->column[c], x, s[c], g->to, g->end[c]);
    }
  }
  add_group(g->n, alpha, s, y);
}

INLINE void rectangle_t(bool conj, int n, element *const *a, const element *x, element *s, int64_t from, int64_t to) {
  for (; n >= LEVEL2_T_COLUMNS; n -= LEVEL2_T_COLUMNS, a += LEVEL2_T_COLUMNS, s += LEVEL2_T_COLUMNS)
    columns_t(conj, LEVEL2_T_COLUMNS, a, x, s, from, to);
  if (LEVEL2_T_COLUMNS > 4 && n & 4) columns_t(conj, 4, a, x, s, from, to), a += 4, s += 4;
  if (LEVEL2_T_COLUMNS > 2 && n & 2) columns_t(conj, 2, a, x, s, from, to), a += 2, s += 2;
  if (LEVEL2_T_COLUMNS > 1 && n & 1) columns_t(conj, 1, a, x, s, from, to);
}

INLINE void group_t(bool conj, const struct group *g, const element *x, element alpha, element *y) {
  if (!g->even) uneven_t(conj, g, x, alpha, y);
  for (int64_t from = g->from; from < g->to; from += BLOCK) {
    element s[GROUP];
    rectangle_t(conj, g->n, g->column, x, s, from, least(g->to, from + BLOCK));
    add_group(g->n, alpha, s, y);
  }
}

INLINE void gemv_t_body(bool conj, const struct tsr_step *s, tsr_mem a, const element *x, element *y) {
  struct matrix A = matrix_of(s, a);
  element alpha = e_of(s->alpha, s->alpha_im);
  int64_t j = 0;
  if (A.m <= BLOCK && A.grows == 0 && A.lower >= A.m - 1 && A.upper >= A.n - 1)
    for (; j + GROUP <= A.n; j += GROUP, A.a += (uintptr_t)(GROUP * A.lda)) { /* groups with nothing uneven about them */
      element *column[GROUP], sum[GROUP];
      UNROLL for (int c = 0; c < GROUP; c++) column[c] = (element *)(A.a + (uintptr_t)(c * A.lda));
      rectangle_t(conj, GROUP, column, x, sum, 0, A.m);
      add_group(GROUP, alpha, sum, y + j);
    }
  for (A.a = (uintptr_t)a; j < A.n; j += GROUP) {
    struct group g;
    group_of(&g, &A, j, 0, A.m);
    group_t(conj, &g, x, alpha, y + j);
  }
}

/* --- Both at once ------------------------------------------------------------------------------------------------- */

INLINE void rectangle_nt(bool conj_n, bool conj_t, int n, element *const *a, const element *t, const element *x, element *y,
                         element *s, int64_t from, int64_t to) {
  for (; n >= LEVEL2_NT_COLUMNS; n -= LEVEL2_NT_COLUMNS, a += LEVEL2_NT_COLUMNS, t += LEVEL2_NT_COLUMNS,
                                 s += LEVEL2_NT_COLUMNS)
    columns_nt(conj_n, conj_t, LEVEL2_NT_COLUMNS, a, t, x, y, s, from, to);
  if (LEVEL2_NT_COLUMNS > 4 && n & 4) columns_nt(conj_n, conj_t, 4, a, t, x, y, s, from, to), a += 4, t += 4, s += 4;
  if (LEVEL2_NT_COLUMNS > 2 && n & 2) columns_nt(conj_n, conj_t, 2, a, t, x, y, s, from, to), a += 2, t += 2, s += 2;
  if (LEVEL2_NT_COLUMNS > 1 && n & 1) columns_nt(conj_n, conj_t, 1, a, t, x, y, s, from, to);
}

INLINE void group_nt(bool conj_n, bool conj_t, const struct group *g, const element *t, const element *x, element alpha,
                     element *y, element *yt) {
  if (!g->even) {
    uneven_n(conj_n, g, t, y);
    uneven_t(conj_t, g, x, alpha, yt);
  }
  for (int64_t from = g->from; from < g->to; from += BLOCK) {
    element s[GROUP];
    rectangle_nt(conj_n, conj_t, g->n, g->column, t, x, y, s, from, least(g->to, from + BLOCK));
    add_group(g->n, alpha, s, yt);
  }
}

/* The square on the diagonal as if it were whole: its half and that half's transpose side by side, then columns. */
INLINE void whole_square(bool conj_n, bool conj_t, bool real_diagonal, bool upper, int n, const struct group *g, int64_t j,
                         const element *t, element *y) {
  _Alignas(64) element whole[GROUP][GROUP];
  element *column[GROUP];
  UNROLL for (int c = 0; c < n; c++) {
    const element *a = g->column[c] + j;
    column[c] = whole[c];
    whole[c][c] = e_conj(conj_n, e_diagonal(real_diagonal, a[c]));
    UNROLL for (int i = 0; i < n; i++) {
      if (upper ? i >= c : i <= c) continue;
      whole[c][i] = e_conj(conj_n, a[i]);
      whole[i][c] = e_conj(conj_t, a[i]);
    }
  }
  rectangle_n(false, n, column, t, y, 0, n);
}

/* The square of order n, some of which may lie outside of a band. */
SELDOM void square(bool conj_n, bool conj_t, bool real_diagonal, bool upper, int n, const struct matrix *A,
                   const struct group *g, int64_t j, const element *t, element *y) {
  int64_t band = upper ? A->upper : A->lower;
  if (LEVEL2_TRIANGLES && n == GROUP && band >= GROUP - 1) {
    element s[GROUP];
    UNROLL for (int i = 0; i < GROUP; i++) s[i] = y[i];
    UNROLL for (int c = 0; c < GROUP; c++)
      UNROLL for (int i = 0; i < GROUP; i++) {
        if (i == c)
          s[i] = e_fma(conj_n, e_diagonal(real_diagonal, g->column[c][j + c]), t[c], s[i]);
        else if ((i > c) != upper)
          s[i] = e_fma(conj_n, g->column[c][j + i], t[c], s[i]);
        else
          s[i] = e_fma(conj_t, g->column[i][j + c], t[c], s[i]);
      }
    UNROLL for (int i = 0; i < GROUP; i++) y[i] = s[i];
    return;
  }
  if (n == GROUP && band >= GROUP - 1) {
    if (upper)
      whole_square(conj_n, conj_t, real_diagonal, true, GROUP, g, j, t, y);
    else
      whole_square(conj_n, conj_t, real_diagonal, false, GROUP, g, j, t, y);
    return;
  }
  for (int c = 0; c < n; c++)
    for (int i = (int)most(0, c - band); i <= least(n - 1, c + band); i++) {
      if (i == c)
        y[i] = e_fma(conj_n, e_diagonal(real_diagonal, g->column[c][j + c]), t[c], y[i]);
      else if ((i > c) != upper)
        y[i] = e_fma(conj_n, g->column[c][j + i], t[c], y[i]);
      else
        y[i] = e_fma(conj_t, g->column[i][j + c], t[c], y[i]);
    }
}

INLINE void symv_body(bool conj_n, bool conj_t, bool real_diagonal, const struct tsr_step *s, tsr_mem a, const element *x,
                      element *y) {
  struct matrix A = matrix_of(s, a);
  bool upper = s->flags & TSR_IS_UPPER;
  element alpha = e_of(s->alpha, s->alpha_im), t[GROUP];
  for (int64_t j = s->k; j < s->k + s->n; j += GROUP) {
    struct group g;
    int n = (int)least(GROUP, s->k + s->n - j);
    A.n = s->k + s->n;
    group_of(&g, &A, j, upper ? 0 : j + n, upper ? j : A.m);
    for (int c = 0; c < n; c++) t[c] = e_scale(alpha, x[j + c]);
    square(conj_n, conj_t, real_diagonal, upper, n, &A, &g, j, t, y + j);
    group_nt(conj_n, conj_t, &g, t, x, alpha, y, y + j);
  }
}

/* --- A += x t' ---------------------------------------------------------------------------------------------------- */

INLINE void ger_body(int k, const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  struct matrix A = matrix_of(s, a);
  bool conj = s->flags & TSR_CONJ_B;
  element alpha[2] = {e_of(s->alpha, s->alpha_im), e_of(s->alpha, conj ? -s->alpha_im : s->alpha_im)};
  const element *x[2] = {(const element *)b, (const element *)(b + (uintptr_t)s->db)};
  uintptr_t at = A.a, step = (uintptr_t)A.lda;
  for (int64_t j = 0; j < A.n; j++, at += step, step += (uintptr_t)A.grows) {
    int64_t from = most(0, j - A.upper), to = least(A.m, j + 1 + A.lower);
    element t[2];
    for (int p = 0; p < k; p++)
      t[p] = e_scale(alpha[p], e_conj(conj, ((const element *)(c + (uintptr_t)(p * s->csc)))[j]));
    if (from < to) column_ger(k, (element *)at, x, t, from, to);
  }
}

/* --- Triangular systems ------------------------------------------------------------------------------------------- */

/* Element (i, j) of the triangle or, across, of its transpose. */
INLINE element at(bool across, const struct group *g, int64_t j, int i, int c) {
  return across ? g->column[i][j + c] : g->column[c][j + i];
}

/* The square on the diagonal: unknowns in the order 0, 1, ... or backward. */
SELDOM void solve_square(bool across, bool conj, bool backward, bool unit, int n, const struct matrix *A,
                         const struct group *g, int64_t j, element *x) {
  int64_t band = A->lower > A->upper ? A->lower : A->upper;
  if (LEVEL2_TRIANGLES && n == GROUP && band >= GROUP - 1) {
    element s[GROUP];
    UNROLL for (int i = 0; i < GROUP; i++) s[i] = x[i];
    UNROLL for (int p = 0; p < GROUP; p++) {
      int c = backward ? GROUP - 1 - p : p;
      if (!unit) s[c] = e_divide(s[c], e_conj(conj, at(across, g, j, c, c)));
      UNROLL for (int q = p + 1; q < GROUP; q++) {
        int i = backward ? GROUP - 1 - q : q;
        s[i] = e_fma(conj, at(across, g, j, i, c), e_negative(s[c]), s[i]);
      }
    }
    UNROLL for (int i = 0; i < GROUP; i++) x[i] = s[i];
    return;
  }
  for (int p = 0; p < n; p++) {
    int c = backward ? n - 1 - p : p;
    if (!unit) x[c] = e_divide(x[c], e_conj(conj, at(across, g, j, c, c)));
    for (int q = p + 1; q < n && q - p <= band; q++) {
      int i = backward ? n - 1 - q : q;
      x[i] = e_fma(conj, at(across, g, j, i, c), e_negative(x[c]), x[i]);
    }
  }
}

INLINE void solve_body(bool across, bool conj, const struct tsr_step *s, tsr_mem a, element *x) {
  struct matrix A = matrix_of(s, a);
  bool upper = s->flags & TSR_IS_UPPER, unit = s->flags & TSR_UNIT, backward = upper != across;
  int64_t groups = (A.n + GROUP - 1) / GROUP;
  for (int64_t step = 0; step < groups; step++) {
    int64_t j = (backward ? groups - 1 - step : step) * GROUP;
    struct group g;
    int n = (int)least(GROUP, A.n - j);
    group_of(&g, &A, j, upper ? 0 : j + n, upper ? j : A.m);
    if (across) group_t(conj, &g, x, e_of(-1, 0), x + j);
    if (backward)
      solve_square(across, conj, true, unit, n, &A, &g, j, x + j);
    else
      solve_square(across, conj, false, unit, n, &A, &g, j, x + j);
    if (across) continue;
    element t[GROUP];
    for (int c = 0; c < n; c++) t[c] = e_negative(x[j + c]);
    group_n(conj, &g, t, x);
  }
}

/* --- The kernels -------------------------------------------------------------------------------------------------- */

static void level2_gemv_n(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  gemv_n_body(LEVEL2_COMPLEX && s->flags & TSR_CONJ_A, s, a, (const element *)b, (element *)c);
}

static void level2_gemv_t(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  gemv_t_body(LEVEL2_COMPLEX && s->flags & TSR_CONJ_A, s, a, (const element *)b, (element *)c);
}

static void level2_symv(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  bool conj_n = LEVEL2_COMPLEX && s->flags & TSR_CONJ_A, conj_t = LEVEL2_COMPLEX && s->flags & TSR_CONJ_B;
  symv_body(conj_n, conj_t, conj_n || conj_t, s, a, (const element *)b, (element *)c);
}

static void level2_ger(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  if (s->k == 1)
    ger_body(1, s, a, b, c);
  else
    ger_body(2, s, a, b, c);
}

static void level2_solve(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  bool conj = LEVEL2_COMPLEX && s->flags & TSR_CONJ_A;
  (void)b;
  if (s->flags & TSR_ACROSS)
    solve_body(true, conj, s, a, (element *)c);
  else
    solve_body(false, conj, s, a, (element *)c);
}
