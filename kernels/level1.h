/* Vector kernels, written once: a chip's level1_f32.c and level1_f64.c include its simd.h, define LEVEL1_BITS as 32 or 64
 * and LEVEL1_TABLE as the name of the kernel, and include this. What each function computes: kernels/level1_table.h. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/kernel.h"
#include "kernels/level1_table.h"

#if LEVEL1_BITS == 32
#define REAL float
#define TABLE struct tsr_level1_f32
#define V f32_v
#define OP(name) f32_##name
#define FMA fmaf
#define ABS fabsf
enum { LANES = TSR_F32_LANES, GROUP = TSR_LEVEL1_LANES_F32 };
#else
#define REAL double
#define TABLE struct tsr_level1_f64
#define V f64_v
#define OP(name) f64_##name
#define FMA fma
#define ABS fabs
enum { LANES = TSR_F64_LANES, GROUP = TSR_LEVEL1_LANES_F64 };
#endif
enum { VECTORS = GROUP / LANES, VECTOR_BYTES = LANES * sizeof(REAL) };

#ifdef LEVEL1_PLAIN /* no vectors to keep in registers */
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#ifndef LEVEL1_KEEP /* what was loaded stays in its register: a compiler may load it again for each use */
#define LEVEL1_KEEP(v)
#endif

/* --- Elementwise -------------------------------------------------------------------------------------------------- */

enum op { COPY, SWAP, FILL, SCALE, SCALE_COMPLEX, COPY_SCALED, COPY_SCALED_COMPLEX, AXPY, AXPY_COMPLEX, AXPBY,
          AXPBY_COMPLEX, ROT };

/* Scalars of an operation. */
struct scalars {
  REAL a[2], b[2], h[4];
};

SIMD bool reads_x(enum op op) { return op != FILL; }
SIMD bool writes_x(enum op op) { return op == SWAP || op == ROT || op == SCALE || op == SCALE_COMPLEX; }
SIMD bool reads_y(enum op op) {
  return op == SWAP || op == AXPY || op == AXPY_COMPLEX || op == AXPBY || op == AXPBY_COMPLEX || op == ROT;
}
SIMD bool writes_y(enum op op) { return op != SCALE && op != SCALE_COMPLEX; }

/* The same of one element: `parts` is 2 for a complex one. */
SIMD void compute_one(enum op op, int parts, const struct scalars *s, REAL *x, REAL *y) {
  REAL u[2] = {0}, v[2] = {0};
  for (int p = 0; p < parts; p++) {
    if (reads_x(op)) u[p] = x[p];
    if (reads_y(op)) v[p] = y[p];
  }
  if (op == AXPBY_COMPLEX) {
    REAL re = FMA(-s->b[1], v[1], s->b[0] * v[0]), im = FMA(s->b[1], v[0], s->b[0] * v[1]);
    v[0] = re, v[1] = im;
  }
  for (int p = 0; p < parts; p++) {
    REAL cross = p ? s->a[1] : -s->a[1], other = parts == 2 ? u[1 - p] : 0;
    switch (op) {
      case COPY: y[p] = u[p]; break;
      case SWAP: x[p] = v[p], y[p] = u[p]; break;
      case FILL: y[p] = s->a[p]; break;
      case SCALE: x[p] = s->a[0] * u[p]; break;
      case SCALE_COMPLEX: x[p] = FMA(cross, other, s->a[0] * u[p]); break;
      case COPY_SCALED: y[p] = s->a[0] * u[p]; break;
      case COPY_SCALED_COMPLEX: y[p] = FMA(cross, other, s->a[0] * u[p]); break;
      case AXPY: y[p] = FMA(s->a[0], u[p], v[p]); break;
      case AXPY_COMPLEX:
      case AXPBY_COMPLEX: y[p] = FMA(cross, other, FMA(s->a[0], u[p], v[p])); break;
      case AXPBY: y[p] = FMA(s->a[0], u[p], s->b[0] * v[p]); break;
      case ROT:
        x[p] = FMA(s->h[2], v[p], s->h[0] * u[p]);
        y[p] = FMA(s->h[3], v[p], s->h[1] * u[p]);
        break;
    }
  }
}

#ifdef LEVEL1_QUARTER
#define VECTOR(name) LEVEL1_QUARTER(name)
#define WIDE(name) name##_quarter
#include "kernels/level1_vector.h"
#endif
#ifdef LEVEL1_HALF
#define VECTOR(name) LEVEL1_HALF(name)
#define WIDE(name) name##_half
#include "kernels/level1_vector.h"
#endif
#define VECTOR(name) OP(name)
#define WIDE(name) name
#include "kernels/level1_vector.h"

SIMD void part(enum op op, int64_t n, const struct factors *f, REAL *x, REAL *y) {
  V u = OP(zero)(), v = u;
  if (reads_x(op)) u = OP(load_n)(x, n);
  if (reads_y(op)) v = OP(load_n)(y, n);
  compute(op, f, &u, &v);
  if (writes_x(op)) OP(store_n)(x, u, n);
  if (writes_y(op)) OP(store_n)(y, v, n);
}

/* Elements to go before what is written lies at a multiple of a vector, whole pairs of them. */
SIMD int64_t unaligned(enum op op, const REAL *x, const REAL *y) {
  uintptr_t at = (uintptr_t)(writes_y(op) ? y : x);
  return (int64_t)(-at % VECTOR_BYTES / sizeof(REAL)) & ~(int64_t)1;
}

/* Fewer than these go one by one. */
#if defined LEVEL1_QUARTER
enum { FEW = LANES / 4 };
#elif defined LEVEL1_HALF
enum { FEW = LANES / 2 };
#else
enum { FEW = 4 };
#endif

SIMD void one_by_one(enum op op, int parts, int64_t n, const struct scalars *s, REAL *x, REAL *y) {
  UNROLL for (int i = 0; i < FEW; i += parts) {
    if (n <= i) return;
    compute_one(op, parts, s, x + i, y + i);
  }
}

/* Less than a vector of what is read and written: a masked store delays the next load of what it wrote. */
SIMD void in_place(enum op op, int parts, int64_t n, const struct factors *f, const struct scalars *s, REAL *x,
                   REAL *y) {
#ifdef LEVEL1_HALF
  (void)f;
  if (n & LANES / 2) {
    const struct factors_half by = make_factors_half(op, s);
    whole_half(op, 1, &by, x, y);
    x += LANES / 2, y += LANES / 2;
  }
#ifdef LEVEL1_QUARTER
  if (n & LANES / 4) {
    const struct factors_quarter by = make_factors_quarter(op, s);
    whole_quarter(op, 1, &by, x, y);
    x += LANES / 4, y += LANES / 4;
  }
#endif
  one_by_one(op, parts, n % FEW, s, x, y);
#else
  (void)s, (void)parts;
  part(op, n, f, x, y);
#endif
}

/* n reals side by side, `parts` to an element. */
SIMD void contiguous(enum op op, int parts, int64_t n, const struct scalars *s, REAL *x, REAL *y) {
  if (n < FEW) return one_by_one(op, parts, n, s, x, y);
  const struct factors f = make_factors(op, s);
  if (n >= 16 * LANES) {
    int64_t first = unaligned(op, x, y);
    if (first) {
      part(op, first, &f, x, y);
      x += first, y += first, n -= first;
    }
  }
  if (op == ROT) {
    for (; n >= 2 * LANES; n -= 2 * LANES, x += 2 * LANES, y += 2 * LANES) whole(op, 2, &f, x, y);
  } else {
    for (; n >= 4 * LANES; n -= 4 * LANES, x += 4 * LANES, y += 4 * LANES) whole(op, 4, &f, x, y);
  }
  for (; n >= LANES; n -= LANES, x += LANES, y += LANES) whole(op, 1, &f, x, y);
  if (n > 0) in_place(op, parts, n, &f, s, x, y);
}

/* Up to four vectors. */
SIMD void copy_few(int64_t n, const REAL *x, REAL *y) {
  if (n >= 2 * LANES) {
    V second = OP(load)(x + LANES), third = OP(load)(x + n - 2 * LANES);
    copy_ends(n, x, y);
    OP(store)(y + LANES, second);
    OP(store)(y + n - 2 * LANES, third);
    return;
  }
  if (n >= LANES) return copy_ends(n, x, y);
#ifdef LEVEL1_HALF
  if (n >= LANES / 2) return copy_ends_half(n, x, y);
#endif
#ifdef LEVEL1_QUARTER
  if (n >= LANES / 4) return copy_ends_quarter(n, x, y);
#endif
  one_by_one(COPY, 1, n, &(struct scalars){{0}, {0}, {0}}, (REAL *)x, y);
}

SIMD void copy_contiguous(int64_t n, const REAL *x, REAL *y) {
  if (n <= 4 * LANES) return copy_few(n, x, y);
  if (n > TSR_SIMD_COPY_LONG / (int)sizeof(REAL)) return simd_copy_long(y, x, (size_t)n * sizeof(REAL));
  contiguous(COPY, 1, n, &(struct scalars){{0}, {0}, {0}}, (REAL *)x, y);
}

SIMD void elementwise(enum op op, int parts, int64_t n, const struct scalars *s, const REAL *from, int64_t incx, REAL *y,
                      int64_t incy) {
  REAL *x = (REAL *)from;
  bool side_by_side = (incx == 1 || !(reads_x(op) || writes_x(op))) && (incy == 1 || !writes_y(op));
  if (side_by_side && op == COPY) return copy_contiguous(parts * n, x, y);
  if (side_by_side) return contiguous(op, parts, parts * n, s, x, y);
  for (; n > 0; n--, x += parts * incx, y += parts * incy) compute_one(op, parts, s, x, y);
}

static void copy(int64_t n, const REAL *x, int64_t incx, REAL *y, int64_t incy) {
  elementwise(COPY, 1, n, &(struct scalars){{0}, {0}, {0}}, x, incx, y, incy);
}
static void copy_complex(int64_t n, const REAL *x, int64_t incx, REAL *y, int64_t incy) {
  elementwise(COPY, 2, n, &(struct scalars){{0}, {0}, {0}}, x, incx, y, incy);
}
/* Past the caches: what was there of y is not fetched first. */
static void copy_far(int64_t n, const REAL *x, REAL *y) {
  enum { AHEAD = 16 * VECTOR_BYTES / (int)sizeof(REAL) };
  int64_t first = (int64_t)(-(uintptr_t)y % VECTOR_BYTES / sizeof(REAL));
  if ((uintptr_t)y % sizeof(REAL) || n < first) first = n;
  copy(first, x, 1, y, 1);
  x += first, y += first, n -= first;
  for (; n >= 4 * LANES; n -= 4 * LANES, x += 4 * LANES, y += 4 * LANES) {
    UNROLL for (int i = 0; i < 4; i++) __builtin_prefetch(x + AHEAD + i * LANES);
    UNROLL for (int i = 0; i < 4; i++) OP(stream)(y + i * LANES, OP(load)(x + i * LANES));
  }
  OP(stream_end)();
  if (n > 0) copy(n, x, 1, y, 1);
}
static void swap(int64_t n, REAL *x, int64_t incx, REAL *y, int64_t incy) {
  elementwise(SWAP, 1, n, &(struct scalars){{0}, {0}, {0}}, x, incx, y, incy);
}
static void swap_complex(int64_t n, REAL *x, int64_t incx, REAL *y, int64_t incy) {
  elementwise(SWAP, 2, n, &(struct scalars){{0}, {0}, {0}}, x, incx, y, incy);
}
static void fill(int64_t n, REAL alpha, REAL *y, int64_t incy) {
  elementwise(FILL, 1, n, &(struct scalars){{alpha}, {0}, {0}}, y, 1, y, incy);
}
/* Parts of one value lie in turn: a vector that begins with a real part ends with an imaginary one. */
static void fill_complex(int64_t n, const REAL alpha[2], REAL *y, int64_t incy) {
  for (; n > 0; n--, y += 2 * incy) y[0] = alpha[0], y[1] = alpha[1];
}
static void scale(int64_t n, REAL alpha, REAL *x, int64_t incx) {
  elementwise(SCALE, 1, n, &(struct scalars){{alpha}, {0}, {0}}, x, incx, x, incx);
}
static void scale_parts(int64_t n, REAL alpha, REAL *x, int64_t incx) {
  elementwise(SCALE, 2, n, &(struct scalars){{alpha}, {0}, {0}}, x, incx, x, incx);
}
static void scale_complex(int64_t n, const REAL alpha[2], REAL *x, int64_t incx) {
  elementwise(SCALE_COMPLEX, 2, n, &(struct scalars){{alpha[0], alpha[1]}, {0}, {0}}, x, incx, x, incx);
}
static void copy_scaled(int64_t n, REAL alpha, const REAL *x, int64_t incx, REAL *y, int64_t incy) {
  elementwise(COPY_SCALED, 1, n, &(struct scalars){{alpha}, {0}, {0}}, x, incx, y, incy);
}
static void copy_scaled_complex(int64_t n, const REAL alpha[2], const REAL *x, int64_t incx, REAL *y, int64_t incy) {
  elementwise(COPY_SCALED_COMPLEX, 2, n, &(struct scalars){{alpha[0], alpha[1]}, {0}, {0}}, x, incx, y, incy);
}
static void axpy(int64_t n, REAL alpha, const REAL *x, int64_t incx, REAL *y, int64_t incy) {
  elementwise(AXPY, 1, n, &(struct scalars){{alpha}, {0}, {0}}, x, incx, y, incy);
}
static void axpy_complex(int64_t n, const REAL alpha[2], const REAL *x, int64_t incx, REAL *y, int64_t incy) {
  elementwise(AXPY_COMPLEX, 2, n, &(struct scalars){{alpha[0], alpha[1]}, {0}, {0}}, x, incx, y, incy);
}
static void axpby(int64_t n, REAL alpha, const REAL *x, int64_t incx, REAL beta, REAL *y, int64_t incy) {
  elementwise(AXPBY, 1, n, &(struct scalars){{alpha}, {beta}, {0}}, x, incx, y, incy);
}
static void axpby_complex(int64_t n, const REAL alpha[2], const REAL *x, int64_t incx, const REAL beta[2], REAL *y,
                          int64_t incy) {
  elementwise(AXPBY_COMPLEX, 2, n, &(struct scalars){{alpha[0], alpha[1]}, {beta[0], beta[1]}, {0}}, x, incx, y, incy);
}
static void rot(int64_t n, REAL *x, int64_t incx, REAL *y, int64_t incy, const REAL h[4]) {
  elementwise(ROT, 1, n, &(struct scalars){{0}, {0}, {h[0], h[1], h[2], h[3]}}, x, incx, y, incy);
}
static void rot_complex(int64_t n, REAL *x, int64_t incx, REAL *y, int64_t incy, const REAL h[4]) {
  elementwise(ROT, 2, n, &(struct scalars){{0}, {0}, {h[0], h[1], h[2], h[3]}}, x, incx, y, incy);
}

/* --- Sums --------------------------------------------------------------------------------------------------------- */

/* Vectors whose elements lie apart are brought together a piece at a time; a piece is whole groups. */
enum { PIECE = 8 * GROUP };

SIMD void gather(int parts, int64_t n, const REAL *x, int64_t incx, REAL *to) {
  if (parts == 1)
    for (int64_t i = 0; i < n; i++) to[i] = x[i * incx];
  else
    for (int64_t i = 0; i < n; i++) to[2 * i] = x[2 * i * incx], to[2 * i + 1] = x[2 * i * incx + 1];
}

enum sum { DOT, DOT_COMPLEX, ASUM, SQUARES, SCALED_SQUARES };
SIMD bool takes_y(enum sum sum) { return sum == DOT || sum == DOT_COMPLEX; }

/* Lanes, and those of the products with the other part (DOT_COMPLEX). */
struct lanes {
  V s[VECTORS], cross[VECTORS];
};

SIMD void add_to(enum sum sum, V *s, V *cross, V x, V y, V factor) {
  switch (sum) {
    case DOT: *s = OP(fma)(x, y, *s); break;
    case DOT_COMPLEX:
      LEVEL1_KEEP(x);
      LEVEL1_KEEP(y);
      *s = OP(fma)(x, y, *s);
      *cross = OP(fma)(x, OP(swap)(y), *cross);
      break;
    case ASUM: *s = OP(add)(*s, OP(abs)(x)); break;
    case SQUARES: *s = OP(fma)(x, x, *s); break;
    case SCALED_SQUARES:
      x = OP(mul)(factor, x);
      *s = OP(fma)(x, x, *s);
      break;
  }
}

/* One vector of the last lanes: whole, in part or none. */
SIMD void add_last(enum sum sum, V *s, V *cross, int64_t left, const REAL *x, const REAL *y, V factor) {
  if (left >= LANES)
    add_to(sum, s, cross, OP(load)(x), takes_y(sum) ? OP(load)(y) : OP(zero)(), factor);
  else if (left > 0)
    add_to(sum, s, cross, OP(load_n)(x, left), takes_y(sum) ? OP(load_n)(y, left) : OP(zero)(), factor);
}

SIMD void accumulate(enum sum sum, struct lanes *l, int64_t n, const REAL *x, const REAL *y, V factor) {
  for (; n >= GROUP; n -= GROUP, x += GROUP, y += GROUP)
    UNROLL for (int i = 0; i < VECTORS; i++)
      add_to(sum, &l->s[i], &l->cross[i], OP(load)(x + i * LANES),
             takes_y(sum) ? OP(load)(y + i * LANES) : OP(zero)(), factor);
  UNROLL for (int i = 0; i < VECTORS; i++)
    add_last(sum, &l->s[i], &l->cross[i], n - i * LANES, x + i * LANES, y + i * LANES, factor);
}

/* The same of four vectors, folded: an array of them would go through memory. */
SIMD void sum_of_four(enum sum sum, int64_t n, const REAL *x, const REAL *y, V factor, V *s, V *cross) {
  V zero = OP(zero)(), s0 = zero, s1 = zero, s2 = zero, s3 = zero, c0 = zero, c1 = zero, c2 = zero, c3 = zero;
  for (; n >= 4 * LANES; n -= 4 * LANES, x += 4 * LANES, y += 4 * LANES) {
    add_to(sum, &s0, &c0, OP(load)(x), takes_y(sum) ? OP(load)(y) : zero, factor);
    add_to(sum, &s1, &c1, OP(load)(x + LANES), takes_y(sum) ? OP(load)(y + LANES) : zero, factor);
    add_to(sum, &s2, &c2, OP(load)(x + 2 * LANES), takes_y(sum) ? OP(load)(y + 2 * LANES) : zero, factor);
    add_to(sum, &s3, &c3, OP(load)(x + 3 * LANES), takes_y(sum) ? OP(load)(y + 3 * LANES) : zero, factor);
  }
  add_last(sum, &s0, &c0, n, x, y, factor);
  add_last(sum, &s1, &c1, n - LANES, x + LANES, y + LANES, factor);
  add_last(sum, &s2, &c2, n - 2 * LANES, x + 2 * LANES, y + 2 * LANES, factor);
  add_last(sum, &s3, &c3, n - 3 * LANES, x + 3 * LANES, y + 3 * LANES, factor);
  *s = OP(add)(OP(add)(s0, s2), OP(add)(s1, s3));
  if (sum == DOT_COMPLEX) *cross = OP(add)(OP(add)(c0, c2), OP(add)(c1, c3));
}

SIMD V fold(V s[VECTORS]) {
  UNROLL for (int half = VECTORS / 2; half > 0; half /= 2)
    UNROLL for (int i = 0; i < half; i++) s[i] = OP(add)(s[i], s[i + half]);
  return s[0];
}

SIMD void clear(struct lanes *l) {
  UNROLL for (int i = 0; i < VECTORS; i++) l->s[i] = l->cross[i] = OP(zero)();
}

/* Folded lanes of elements that lie apart. */
static __attribute__((noinline)) void sum_up_apart(enum sum sum, int parts, int64_t n, const REAL *x, int64_t incx,
                                                   const REAL *y, int64_t incy, REAL factor, V *s, V *cross) {
  V by = OP(set1)(factor);
  REAL a[PIECE], b[PIECE];
  struct lanes l;
  clear(&l);
  for (int64_t at = 0; at < n; at += PIECE / parts) {
    int64_t count = n - at < PIECE / parts ? n - at : PIECE / parts;
    gather(parts, count, x + parts * at * incx, incx, a);
    if (takes_y(sum)) gather(parts, count, y + parts * at * incy, incy, b);
    switch (sum) {
      case DOT: accumulate(DOT, &l, count, a, b, by); break;
      case DOT_COMPLEX: accumulate(DOT_COMPLEX, &l, 2 * count, a, b, by); break;
      case ASUM: accumulate(ASUM, &l, parts * count, a, a, by); break;
      case SQUARES: accumulate(SQUARES, &l, parts * count, a, a, by); break;
      case SCALED_SQUARES: accumulate(SCALED_SQUARES, &l, parts * count, a, a, by); break;
    }
  }
  *s = fold(l.s);
  *cross = fold(l.cross);
}

/* Folded lanes of n reals side by side. */
SIMD void sum_up(enum sum sum, int64_t n, const REAL *x, const REAL *y, REAL factor, V *s, V *cross) {
  V by = OP(set1)(factor), zero = OP(zero)();
  if (n <= LANES) {
    *s = *cross = zero;
    add_to(sum, s, cross, OP(load_n)(x, n), takes_y(sum) ? OP(load_n)(y, n) : zero, by);
    return;
  }
  if (VECTORS == 4) return sum_of_four(sum, n, x, y, by, s, cross);
  struct lanes l;
  clear(&l);
  accumulate(sum, &l, n, x, y, by);
  *s = fold(l.s);
  *cross = sum == DOT_COMPLEX ? fold(l.cross) : *s;
}

/* Of folded lanes. */
SIMD REAL sum_of_lanes(enum sum sum, V s) {
  return sum == DOT ? OP(sum)(s) + 0 : OP(sum)(s); /* of others no lane is -0 */
}

SIMD void products_of_lanes(V s, V cross, REAL out[4]) {
  OP(sum_pair)(OP(add)(s, OP(zero)()), out);
  OP(sum_pair)(OP(add)(cross, OP(zero)()), out + 2);
}

/* Elements that lie apart have functions of their own: vectors in memory would cost the others an aligned stack frame. */
static __attribute__((noinline)) REAL sum_apart(enum sum sum, int parts, int64_t n, const REAL *x, int64_t incx,
                                                const REAL *y, int64_t incy, REAL factor) {
  V s, cross;
  sum_up_apart(sum, parts, n, x, incx, y, incy, factor, &s, &cross);
  return sum_of_lanes(sum, s);
}

static __attribute__((noinline)) void products_apart(int64_t n, const REAL *x, int64_t incx, const REAL *y,
                                                     int64_t incy, REAL out[4]) {
  V s, cross;
  sum_up_apart(DOT_COMPLEX, 2, n, x, incx, y, incy, 1, &s, &cross);
  products_of_lanes(s, cross, out);
}

SIMD REAL sum_of(enum sum sum, int parts, int64_t n, const REAL *x, int64_t incx, const REAL *y, int64_t incy,
                 REAL factor) {
  if (incx != 1 || incy != 1) return sum_apart(sum, parts, n, x, incx, y, incy, factor);
  V s, cross;
  sum_up(sum, parts * n, x, y, factor, &s, &cross);
  return sum_of_lanes(sum, s);
}

static REAL dot(int64_t n, const REAL *x, int64_t incx, const REAL *y, int64_t incy) {
  return sum_of(DOT, 1, n, x, incx, y, incy, 1);
}
static REAL asum(int64_t n, const REAL *x, int64_t incx) { return sum_of(ASUM, 1, n, x, incx, x, 1, 1); }
static REAL asum_complex(int64_t n, const REAL *x, int64_t incx) { return sum_of(ASUM, 2, n, x, incx, x, 1, 1); }
static void dot_complex(int64_t n, const REAL *x, int64_t incx, const REAL *y, int64_t incy, REAL out[4]) {
  if (incx != 1 || incy != 1) return products_apart(n, x, incx, y, incy, out);
  V s, cross;
  sum_up(DOT_COMPLEX, 2 * n, x, y, 1, &s, &cross);
  products_of_lanes(s, cross, out);
}

#if LEVEL1_BITS == 64
static double squares(int64_t n, const double *x, int64_t incx) { return sum_of(SQUARES, 1, n, x, incx, x, 1, 1); }
static double squares_complex(int64_t n, const double *x, int64_t incx) {
  return sum_of(SQUARES, 2, n, x, incx, x, 1, 1);
}
static double scaled_squares(int64_t n, const double *x, int64_t incx, double factor) {
  return sum_of(SCALED_SQUARES, 1, n, x, incx, x, 1, factor);
}
static double scaled_squares_complex(int64_t n, const double *x, int64_t incx, double factor) {
  return sum_of(SCALED_SQUARES, 2, n, x, incx, x, 1, factor);
}
#else
/* Sums of f32 in lanes of f64. */
enum { WIDE_GROUP = TSR_LEVEL1_LANES_F64, WIDE_LANES = TSR_F64_LANES, WIDE_VECTORS = WIDE_GROUP / WIDE_LANES };

SIMD void add_wide(enum sum sum, f64_v *s, const float *x, const float *y) {
  f64_v u = f64_widen(x);
  *s = f64_fma(u, takes_y(sum) ? f64_widen(y) : u, *s);
}

SIMD void add_last_wide(enum sum sum, f64_v *s, int64_t left, const float *x, const float *y) {
  if (left >= WIDE_LANES) return add_wide(sum, s, x, y);
  if (left <= 0) return;
  f64_v u = f64_widen_n(x, left);
  *s = f64_fma(u, takes_y(sum) ? f64_widen_n(y, left) : u, *s);
}

SIMD void accumulate_wide(enum sum sum, f64_v s[WIDE_VECTORS], int64_t n, const float *x, const float *y) {
  for (; n >= WIDE_GROUP; n -= WIDE_GROUP, x += WIDE_GROUP, y += WIDE_GROUP)
    UNROLL for (int i = 0; i < WIDE_VECTORS; i++) add_wide(sum, &s[i], x + i * WIDE_LANES, y + i * WIDE_LANES);
  UNROLL for (int i = 0; i < WIDE_VECTORS; i++)
    add_last_wide(sum, &s[i], n - i * WIDE_LANES, x + i * WIDE_LANES, y + i * WIDE_LANES);
}

/* Of four vectors, for the reason of sum_of_four. */
SIMD double wide_sum_of_four(enum sum sum, int64_t n, const float *x, const float *y) {
  enum { N = WIDE_LANES };
  f64_v s0 = f64_zero(), s1 = s0, s2 = s0, s3 = s0;
  if (n <= N) {
    add_last_wide(sum, &s0, n, x, y);
    return f64_sum(s0);
  }
  for (; n >= 4 * N; n -= 4 * N, x += 4 * N, y += 4 * N) {
    add_wide(sum, &s0, x, y);
    add_wide(sum, &s1, x + N, y + N);
    add_wide(sum, &s2, x + 2 * N, y + 2 * N);
    add_wide(sum, &s3, x + 3 * N, y + 3 * N);
  }
  add_last_wide(sum, &s0, n, x, y);
  add_last_wide(sum, &s1, n - N, x + N, y + N);
  add_last_wide(sum, &s2, n - 2 * N, x + 2 * N, y + 2 * N);
  add_last_wide(sum, &s3, n - 3 * N, x + 3 * N, y + 3 * N);
  return f64_sum(f64_add(f64_add(s0, s2), f64_add(s1, s3)));
}

SIMD double fold_wide(f64_v s[WIDE_VECTORS]) {
  UNROLL for (int half = WIDE_VECTORS / 2; half > 0; half /= 2)
    UNROLL for (int i = 0; i < half; i++) s[i] = f64_add(s[i], s[i + half]);
  return f64_sum(s[0]);
}

static __attribute__((noinline)) double wide_sum_apart(enum sum sum, int parts, int64_t n, const float *x, int64_t incx,
                                                       const float *y, int64_t incy) {
  float a[PIECE], b[PIECE];
  f64_v s[WIDE_VECTORS];
  UNROLL for (int i = 0; i < WIDE_VECTORS; i++) s[i] = f64_zero();
  for (int64_t at = 0; at < n; at += PIECE / parts) {
    int64_t count = n - at < PIECE / parts ? n - at : PIECE / parts;
    gather(parts, count, x + parts * at * incx, incx, a);
    if (sum == DOT) gather(parts, count, y + parts * at * incy, incy, b);
    if (sum == DOT) accumulate_wide(DOT, s, count, a, b);
    else accumulate_wide(SQUARES, s, parts * count, a, a);
  }
  return fold_wide(s);
}

SIMD double wide_sum_of(enum sum sum, int parts, int64_t n, const float *x, int64_t incx, const float *y, int64_t incy) {
  if (incx != 1 || incy != 1) return wide_sum_apart(sum, parts, n, x, incx, y, incy);
  if (WIDE_VECTORS == 4) return wide_sum_of_four(sum, parts * n, x, y);
  f64_v s[WIDE_VECTORS];
  UNROLL for (int i = 0; i < WIDE_VECTORS; i++) s[i] = f64_zero();
  accumulate_wide(sum, s, parts * n, x, y);
  return fold_wide(s);
}

static double squares(int64_t n, const float *x, int64_t incx) { return wide_sum_of(SQUARES, 1, n, x, incx, x, 1); }
static double squares_complex(int64_t n, const float *x, int64_t incx) {
  return wide_sum_of(SQUARES, 2, n, x, incx, x, 1);
}
static double dot_f64(int64_t n, const float *x, int64_t incx, const float *y, int64_t incy) {
  return wide_sum_of(DOT, 1, n, x, incx, y, incy);
}
#endif

/* --- The largest -------------------------------------------------------------------------------------------------- */

/* What counts of an element, in each lane of it. */
SIMD V magnitude(int parts, V x) {
  x = OP(abs)(x);
  return parts == 2 ? OP(add)(x, OP(swap)(x)) : x;
}

SIMD REAL greatest(int parts, int64_t n, const REAL *x) {
  V m[4];
  UNROLL for (int i = 0; i < 4; i++) m[i] = OP(zero)();
  for (; n >= 4 * LANES; n -= 4 * LANES, x += 4 * LANES)
    UNROLL for (int i = 0; i < 4; i++) m[i] = OP(max)(m[i], magnitude(parts, OP(load)(x + i * LANES)));
  for (; n >= LANES; n -= LANES, x += LANES) m[0] = OP(max)(m[0], magnitude(parts, OP(load)(x)));
  if (n > 0) m[1] = OP(max)(m[1], magnitude(parts, OP(load_n)(x, n)));
  return OP(greatest)(OP(max)(OP(max)(m[0], m[1]), OP(max)(m[2], m[3])));
}

/* The first real whose lane is `most`, or NaN if that is: there is one. Lanes beyond the end are +0, and the last. */
SIMD int64_t first_of(int parts, int64_t n, const REAL *x, REAL most) {
  V m = OP(set1)(most);
  for (int64_t i = 0;; i += LANES) {
    V v = magnitude(parts, n - i >= LANES ? OP(load)(x + i) : OP(load_n)(x + i, n - i));
    unsigned bits = isnan(most) ? OP(nan)(v) : OP(equal)(v, m);
    if (bits) return i + __builtin_ctz(bits);
  }
}

/* Chunk by chunk: which has the largest, or the first NaN; then where in it. Elements that lie apart are brought together
 * in `piece`. */
SIMD int64_t search(int parts, int64_t n, const REAL *x, int64_t incx, REAL *piece, REAL *most) {
  int64_t best = 0, chunk = PIECE / parts;
  REAL m = -1;
  for (int64_t at = 0; at < n && !isnan(m); at += chunk) {
    int64_t count = n - at < chunk ? n - at : chunk;
    if (piece) gather(parts, count, x + parts * at * incx, incx, piece);
    REAL of_chunk = greatest(parts, parts * count, piece ? piece : x + parts * at);
    if (islessequal(of_chunk, m)) continue;
    m = of_chunk, best = at;
  }
  int64_t count = n - best < chunk ? n - best : chunk;
  if (piece) gather(parts, count, x + parts * best * incx, incx, piece);
  *most = m;
  return best + first_of(parts, parts * count, piece ? piece : x + parts * best, m) / parts;
}

static __attribute__((noinline)) int64_t search_apart(int parts, int64_t n, const REAL *x, int64_t incx, REAL *most) {
  REAL piece[PIECE];
  return parts == 2 ? search(2, n, x, incx, piece, most) : search(1, n, x, incx, piece, most);
}

SIMD V some(int64_t left, const REAL *x) {
  return left >= LANES ? OP(load)(x) : left > 0 ? OP(load_n)(x, left) : OP(zero)();
}

/* Of up to four vectors, each read once; more than one. */
SIMD int64_t find_among_four(int parts, int64_t n, const REAL *x, REAL *most) {
  V a = magnitude(parts, OP(load)(x)), b = magnitude(parts, some(n - LANES, x + LANES));
  V c = magnitude(parts, some(n - 2 * LANES, x + 2 * LANES)), d = magnitude(parts, some(n - 3 * LANES, x + 3 * LANES));
  REAL m = OP(greatest)(OP(max)(OP(max)(a, b), OP(max)(c, d)));
  V all = OP(set1)(m);
  uint64_t bits = isnan(m) ? OP(nan)(a) | (uint64_t)OP(nan)(b) << LANES | (uint64_t)OP(nan)(c) << 2 * LANES |
                                 (uint64_t)OP(nan)(d) << 3 * LANES
                           : OP(equal)(a, all) | (uint64_t)OP(equal)(b, all) << LANES |
                                 (uint64_t)OP(equal)(c, all) << 2 * LANES | (uint64_t)OP(equal)(d, all) << 3 * LANES;
  *most = m;
  return __builtin_ctzll(bits) / parts;
}

SIMD int64_t find_largest(int parts, int64_t n, const REAL *x, int64_t incx, REAL *most) {
  if (incx != 1) return search_apart(parts, n, x, incx, most);
  if (parts * n > 4 * LANES) return search(parts, n, x, 1, NULL, most);
  if (parts * n > LANES) return find_among_four(parts, parts * n, x, most);
  V v = magnitude(parts, OP(load_n)(x, parts * n));
  REAL m = OP(greatest)(v);
  unsigned bits = isnan(m) ? OP(nan)(v) : OP(equal)(v, OP(set1)(m));
  *most = m;
  return __builtin_ctz(bits) / parts;
}

static int64_t iamax(int64_t n, const REAL *x, int64_t incx, REAL *most) { return find_largest(1, n, x, incx, most); }
static int64_t iamax_complex(int64_t n, const REAL *x, int64_t incx, REAL *most) {
  return find_largest(2, n, x, incx, most);
}

__attribute__((visibility("hidden"))) void LEVEL1_TABLE(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c);

void LEVEL1_TABLE(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)step, (void)a, (void)b;
  *(TABLE *)c = (TABLE){
      .copy = copy, .copy_complex = copy_complex, .copy_far = copy_far, .swap = swap, .swap_complex = swap_complex, .fill = fill,
      .fill_complex = fill_complex, .scale = scale, .scale_parts = scale_parts, .scale_complex = scale_complex,
      .copy_scaled = copy_scaled, .copy_scaled_complex = copy_scaled_complex, .axpy = axpy,
      .axpy_complex = axpy_complex, .axpby = axpby, .axpby_complex = axpby_complex, .rot = rot,
      .rot_complex = rot_complex, .dot = dot, .dot_complex = dot_complex, .asum = asum, .asum_complex = asum_complex,
      .squares = squares, .squares_complex = squares_complex, .iamax = iamax, .iamax_complex = iamax_complex,
#if LEVEL1_BITS == 64
      .scaled_squares = scaled_squares, .scaled_squares_complex = scaled_squares_complex,
#else
      .dot_f64 = dot_f64,
#endif
  };
}
