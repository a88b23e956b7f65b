/* What level2.h needs of real elements: arithmetic on one, and on columns in vectors. */
typedef real element;

static const element e_zero = 0;
INLINE element e_of(double re, double im) {
  (void)im;
  return (real)re;
}
INLINE element e_fma(bool conj, element a, element b, element c) {
  (void)conj;
  return real_fma(a, b, c);
}
INLINE element e_scale(element alpha, element x) { return alpha * x; }
INLINE element e_add_scaled(element alpha, element s, element y) { return real_fma(alpha, s, y); }
INLINE element e_conj(bool conj, element x) {
  (void)conj;
  return x;
}
INLINE element e_negative(element x) { return -x; }
INLINE element e_divide(element x, element by) { return x / by; }
INLINE element e_diagonal(bool is_real, element x) {
  (void)is_real;
  return x;
}

/* y[i] = fma(a[c][i], t[c], y[i]) for the columns c in order. */
INLINE void columns_n(bool conj, int n, element *const *a, const element *t, element *y, int64_t from, int64_t to) {
  (void)conj;
  vec tv[GROUP];
  int64_t i = from;
  UNROLL for (int c = 0; c < n; c++) tv[c] = V(set1)(t[c]);
  for (; i + 2 * LANES <= to; i += 2 * LANES) {
    vec y0 = V(load)(y + i), y1 = V(load)(y + i + LANES);
    UNROLL for (int c = 0; c < n; c++) {
      y0 = V(fma)(V(load)(a[c] + i), tv[c], y0);
      y1 = V(fma)(V(load)(a[c] + i + LANES), tv[c], y1);
    }
    V(store)(y + i, y0);
    V(store)(y + i + LANES, y1);
  }
  for (; i < to; i += LANES) {
    int64_t left = least(LANES, to - i);
    vec y0 = V(load_n)(y + i, left);
    UNROLL for (int c = 0; c < n; c++) y0 = V(fma)(V(load_n)(a[c] + i, left), tv[c], y0);
    V(store_n)(y + i, y0, left);
  }
}

/* Lanes of a column's vectors of sums: halves to halves. */
INLINE element sum_of(vec *s) {
  UNROLL for (int half = SUMS / 2; half > 0; half /= 2)
    UNROLL for (int u = 0; u < half; u++) s[u] = V(add)(s[u], s[u + half]);
  return V(sum)(s[0]);
}

INLINE void sums_of(int n, vec sum[GROUP][SUMS], element *s) {
#ifdef LEVEL2_SUM_GROUP
  if (n == GROUP) {
    vec half[GROUP];
    UNROLL for (int c = 0; c < GROUP; c++) half[c] = V(add)(sum[c][0], sum[c][1]);
    V(sum_group)(half, s);
    return;
  }
#endif
  UNROLL for (int c = 0; c < n; c++) s[c] = sum_of(sum[c]);
}

/* y[c] = fma(alpha, s[c], y[c]) of a group. Not by part of a vector, which would wait for the stores of s. */
INLINE void add_group(int n, element alpha, const element *s, element *y) {
  if (n < GROUP) {
    for (int c = 0; c < n; c++) y[c] = real_fma(alpha, s[c], y[c]);
  } else if (LANES > GROUP) {
    UNROLL for (int c = 0; c < GROUP; c++) y[c] = real_fma(alpha, s[c], y[c]);
  } else {
    UNROLL for (int c = 0; c < GROUP; c += LANES)
      V(store)(y + c, V(fma)(V(set1)(alpha), V(load)(s + c), V(load)(y + c)));
  }
}

/* s[c] = sum over i of a[c][i] * x[i]. */
INLINE void columns_t(bool conj, int n, element *const *a, const element *x, element *s, int64_t from, int64_t to) {
  (void)conj;
  vec sum[GROUP][SUMS];
  int64_t i = from;
  UNROLL for (int c = 0; c < n; c++)
    UNROLL for (int u = 0; u < SUMS; u++) sum[c][u] = V(zero)();
  for (; i + SUMS * LANES <= to; i += SUMS * LANES)
    UNROLL for (int u = 0; u < SUMS; u++) {
      vec xv = V(load)(x + i + u * LANES);
      UNROLL for (int c = 0; c < n; c++) sum[c][u] = V(fma)(V(load)(a[c] + i + u * LANES), xv, sum[c][u]);
    }
  if (i < to)
    UNROLL for (int u = 0; u < SUMS; u++) {
      int64_t left = least(LANES, to - i - u * LANES);
      if (left <= 0) break;
      vec xv = V(load_n)(x + i + u * LANES, left);
      UNROLL for (int c = 0; c < n; c++) sum[c][u] = V(fma)(V(load_n)(a[c] + i + u * LANES, left), xv, sum[c][u]);
    }
  sums_of(n, sum, s);
}

INLINE void columns_nt(bool conj_n, bool conj_t, int n, element *const *a, const element *t, const element *x, element *y,
                       element *s, int64_t from, int64_t to) {
  (void)conj_n, (void)conj_t;
  vec sum[GROUP][SUMS], tv[GROUP];
  int64_t i = from;
  UNROLL for (int c = 0; c < n; c++) {
    tv[c] = V(set1)(t[c]);
    UNROLL for (int u = 0; u < SUMS; u++) sum[c][u] = V(zero)();
  }
  for (; i + SUMS * LANES <= to; i += SUMS * LANES)
    UNROLL for (int u = 0; u < SUMS; u++) {
      vec xv = V(load)(x + i + u * LANES), yv = V(load)(y + i + u * LANES);
      UNROLL for (int c = 0; c < n; c++) {
        vec av = V(load)(a[c] + i + u * LANES);
        yv = V(fma)(av, tv[c], yv);
        sum[c][u] = V(fma)(av, xv, sum[c][u]);
      }
      V(store)(y + i + u * LANES, yv);
    }
  if (i < to)
    UNROLL for (int u = 0; u < SUMS; u++) {
      int64_t left = least(LANES, to - i - u * LANES);
      if (left <= 0) break;
      vec xv = V(load_n)(x + i + u * LANES, left), yv = V(load_n)(y + i + u * LANES, left);
      UNROLL for (int c = 0; c < n; c++) {
        vec av = V(load_n)(a[c] + i + u * LANES, left);
        yv = V(fma)(av, tv[c], yv);
        sum[c][u] = V(fma)(av, xv, sum[c][u]);
      }
      V(store_n)(y + i + u * LANES, yv, left);
    }
  sums_of(n, sum, s);
}

/* a[i] = fma(x[p][i], t[p], a[i]) for p in order. */
INLINE void column_ger(int k, element *a, const element *const *x, const element *t, int64_t from, int64_t to) {
  vec t0 = V(set1)(t[0]), t1 = k > 1 ? V(set1)(t[1]) : V(zero)();
  int64_t i = from;
  for (; i + LANES <= to; i += LANES) {
    vec av = V(fma)(V(load)(x[0] + i), t0, V(load)(a + i));
    if (k > 1) av = V(fma)(V(load)(x[1] + i), t1, av);
    V(store)(a + i, av);
  }
  if (i < to) {
    vec av = V(fma)(V(load_n)(x[0] + i, to - i), t0, V(load_n)(a + i, to - i));
    if (k > 1) av = V(fma)(V(load_n)(x[1] + i, to - i), t1, av);
    V(store_n)(a + i, av, to - i);
  }
}
