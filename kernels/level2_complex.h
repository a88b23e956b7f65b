/* What level2.h needs of complex elements: arithmetic on one, and on columns in vectors of parts side by side. */
typedef struct {
  real re, im;
} element;

enum {
  PAIRS = LANES / 2, /* elements of a vector */
  AHEAD = 2048,      /* bytes: four columns are too few for the hardware to fetch all of it in time */
};

static const element e_zero = {0, 0};
INLINE element e_of(double re, double im) { return (element){(real)re, (real)im}; }
INLINE element e_conj(bool conj, element x) { return conj ? (element){x.re, -x.im} : x; }
INLINE element e_negative(element x) { return (element){-x.re, -x.im}; }
INLINE element e_fma(bool conj, element a, element b, element c) {
  a = e_conj(conj, a);
  c.re = real_fma(a.re, b.re, c.re), c.im = real_fma(a.im, b.re, c.im);
  return (element){real_fma(-a.im, b.im, c.re), real_fma(a.re, b.im, c.im)};
}
INLINE element e_scale(element alpha, element x) {
  element p = {x.re * alpha.re, x.im * alpha.re};
  return alpha.im == 0 ? p : (element){real_fma(-x.im, alpha.im, p.re), real_fma(x.re, alpha.im, p.im)};
}
INLINE element e_add_scaled(element alpha, element s, element y) {
  y.re = real_fma(s.re, alpha.re, y.re), y.im = real_fma(s.im, alpha.re, y.im);
  return alpha.im == 0 ? y : (element){real_fma(-s.im, alpha.im, y.re), real_fma(s.re, alpha.im, y.im)};
}
/* Smith's way: no overflow on the way to a quotient that can be told. */
INLINE element e_divide(element x, element by) {
  real re = by.re < 0 ? -by.re : by.re, im = by.im < 0 ? -by.im : by.im;
  if (re >= im) {
    real ratio = by.im / by.re, under = real_fma(by.im, ratio, by.re);
    return (element){real_fma(x.im, ratio, x.re) / under, real_fma(-x.re, ratio, x.im) / under};
  }
  real ratio = by.re / by.im, under = real_fma(by.re, ratio, by.im);
  return (element){real_fma(x.re, ratio, x.im) / under, real_fma(x.im, ratio, -x.re) / under};
}
INLINE element e_diagonal(bool is_real, element x) { return is_real ? (element){x.re, 0} : x; }

/* The factors of a and of a with its parts exchanged whose products, added to y one after the other, are e_fma's. */
INLINE void factors(bool conj, element t, vec *straight, vec *crossed) {
  vec re = V(set1)(t.re), im = V(set1)(t.im);
  *straight = conj ? V(negate_odd)(re) : re;
  *crossed = conj ? im : V(negate_even)(im);
}

INLINE vec step_n(vec a, vec straight, vec crossed, vec y) { return V(fma)(V(swap)(a), crossed, V(fma)(a, straight, y)); }

INLINE vec load_pairs(const element *p, int64_t n) { return V(load_n)((const real *)p, 2 * n); }
INLINE vec load(const element *p) { return V(load)((const real *)p); }
INLINE void store(element *p, vec v) { V(store)((real *)p, v); }

INLINE void columns_n(bool conj, int n, element *const *a, const element *t, element *y, int64_t from, int64_t to) {
  vec straight[GROUP], crossed[GROUP];
  int64_t i = from;
  UNROLL for (int c = 0; c < n; c++) factors(conj, t[c], &straight[c], &crossed[c]);
  for (; i + 2 * PAIRS <= to; i += 2 * PAIRS) {
    vec y0 = load(y + i), y1 = load(y + i + PAIRS);
    UNROLL for (int c = 0; c < n; c++) {
      y0 = step_n(load(a[c] + i), straight[c], crossed[c], y0);
      y1 = step_n(load(a[c] + i + PAIRS), straight[c], crossed[c], y1);
    }
    store(y + i, y0);
    store(y + i + PAIRS, y1);
  }
  for (; i < to; i += PAIRS) {
    int64_t left = least(PAIRS, to - i);
    vec y0 = load_pairs(y + i, left);
    UNROLL for (int c = 0; c < n; c++) y0 = step_n(load_pairs(a[c] + i, left), straight[c], crossed[c], y0);
    V(store_n)((real *)(y + i), y0, 2 * left);
  }
}

/* Sums of products with x as it lies (re re, im im) and with its parts exchanged (re im, im re). */
INLINE element sum_of(bool conj, vec *straight, vec *crossed) {
  real p[2], q[2];
  UNROLL for (int half = SUMS / 2; half > 0; half /= 2)
    UNROLL for (int u = 0; u < half; u++) {
      straight[u] = V(add)(straight[u], straight[u + half]);
      crossed[u] = V(add)(crossed[u], crossed[u + half]);
    }
  V(sum_pair)(straight[0], p);
  V(sum_pair)(crossed[0], q);
  return conj ? (element){p[0] + p[1], q[0] - q[1]} : (element){p[0] - p[1], q[0] + q[1]};
}

/* y[c] += alpha * s[c] of a group. */
INLINE void add_group(int n, element alpha, const element *s, element *y) {
  for (int c = 0; c < n; c++) y[c] = e_add_scaled(alpha, s[c], y[c]);
}

INLINE void columns_t(bool conj, int n, element *const *a, const element *x, element *s, int64_t from, int64_t to) {
  vec straight[GROUP][SUMS], crossed[GROUP][SUMS];
  int64_t i = from;
  UNROLL for (int c = 0; c < n; c++)
    UNROLL for (int u = 0; u < SUMS; u++) straight[c][u] = crossed[c][u] = V(zero)();
  for (; i + SUMS * PAIRS <= to; i += SUMS * PAIRS)
    UNROLL for (int u = 0; u < SUMS; u++) {
      vec xv = load(x + i + u * PAIRS), xs = V(swap)(xv);
      UNROLL for (int c = 0; c < n; c++) {
        vec av = load(a[c] + i + u * PAIRS);
        straight[c][u] = V(fma)(av, xv, straight[c][u]);
        crossed[c][u] = V(fma)(av, xs, crossed[c][u]);
      }
    }
  if (i < to)
    UNROLL for (int u = 0; u < SUMS; u++) {
      int64_t left = least(PAIRS, to - i - u * PAIRS);
      if (left <= 0) break;
      vec xv = load_pairs(x + i + u * PAIRS, left), xs = V(swap)(xv);
      UNROLL for (int c = 0; c < n; c++) {
        vec av = load_pairs(a[c] + i + u * PAIRS, left);
        straight[c][u] = V(fma)(av, xv, straight[c][u]);
        crossed[c][u] = V(fma)(av, xs, crossed[c][u]);
      }
    }
  UNROLL for (int c = 0; c < n; c++) s[c] = sum_of(conj, straight[c], crossed[c]);
}

INLINE void columns_nt(bool conj_n, bool conj_t, int n, element *const *a, const element *t, const element *x, element *y,
                       element *s, int64_t from, int64_t to) {
  vec straight[GROUP][SUMS], crossed[GROUP][SUMS], ts[GROUP], tc[GROUP];
  int64_t i = from;
  UNROLL for (int c = 0; c < n; c++) {
    factors(conj_n, t[c], &ts[c], &tc[c]);
    UNROLL for (int u = 0; u < SUMS; u++) straight[c][u] = crossed[c][u] = V(zero)();
  }
  for (; i + SUMS * PAIRS <= to; i += SUMS * PAIRS)
    UNROLL for (int u = 0; u < SUMS; u++) {
      vec xv = load(x + i + u * PAIRS), xs = V(swap)(xv), yv = load(y + i + u * PAIRS);
      UNROLL for (int c = 0; c < n; c++) {
        vec av = load(a[c] + i + u * PAIRS);
        __builtin_prefetch((const char *)(a[c] + i + u * PAIRS) + AHEAD);
        yv = step_n(av, ts[c], tc[c], yv);
        straight[c][u] = V(fma)(av, xv, straight[c][u]);
        crossed[c][u] = V(fma)(av, xs, crossed[c][u]);
      }
      store(y + i + u * PAIRS, yv);
    }
  if (i < to)
    UNROLL for (int u = 0; u < SUMS; u++) {
      int64_t left = least(PAIRS, to - i - u * PAIRS);
      if (left <= 0) break;
      vec xv = load_pairs(x + i + u * PAIRS, left), xs = V(swap)(xv), yv = load_pairs(y + i + u * PAIRS, left);
      UNROLL for (int c = 0; c < n; c++) {
        vec av = load_pairs(a[c] + i + u * PAIRS, left);
        yv = step_n(av, ts[c], tc[c], yv);
        straight[c][u] = V(fma)(av, xv, straight[c][u]);
        crossed[c][u] = V(fma)(av, xs, crossed[c][u]);
      }
      V(store_n)((real *)(y + i + u * PAIRS), yv, 2 * left);
    }
  UNROLL for (int c = 0; c < n; c++) s[c] = sum_of(conj_t, straight[c], crossed[c]);
}

INLINE void column_ger(int k, element *a, const element *const *x, const element *t, int64_t from, int64_t to) {
  vec straight[2], crossed[2];
  UNROLL for (int p = 0; p < k; p++) factors(false, t[p], &straight[p], &crossed[p]);
  int64_t i = from;
  for (; i + PAIRS <= to; i += PAIRS) {
    vec av = load(a + i);
    UNROLL for (int p = 0; p < k; p++) av = step_n(load(x[p] + i), straight[p], crossed[p], av);
    store(a + i, av);
  }
  if (i < to) {
    vec av = load_pairs(a + i, to - i);
    UNROLL for (int p = 0; p < k; p++) av = step_n(load_pairs(x[p] + i, to - i), straight[p], crossed[p], av);
    V(store_n)((real *)(a + i), av, 2 * (to - i));
  }
}
