/* Elementwise operations on vectors of one width, for level1.h: VECTOR(name) are the functions of its simd.h, or of
 * narrower vectors; WIDE(name) what is defined here. Both end with this file. */

enum { WIDE(REALS) = sizeof(VECTOR(v)) / sizeof(REAL) };

/* Scalars in vectors: of complex ones the imaginary part stands in `cross`, to be multiplied by the other part of x, with
 * the sign that it has there. */
struct WIDE(factors) {
  VECTOR(v) a, a_cross, b, b_cross, h[4];
};

SIMD struct WIDE(factors) WIDE(make_factors)(enum op op, const struct scalars *s) {
  struct WIDE(factors) f;
  if (op == ROT) {
    UNROLL for (int i = 0; i < 4; i++) f.h[i] = VECTOR(set1)(s->h[i]);
    return f;
  }
  f.a = VECTOR(set1)(s->a[0]);
  f.a_cross = VECTOR(negate_even)(VECTOR(set1)(s->a[1]));
  f.b = VECTOR(set1)(s->b[0]);
  f.b_cross = VECTOR(negate_even)(VECTOR(set1)(s->b[1]));
  return f;
}

/* New values of a vector of x and of y. */
SIMD void WIDE(compute)(enum op op, const struct WIDE(factors) *f, VECTOR(v) *x, VECTOR(v) *y) {
  VECTOR(v) old = *x;
  switch (op) {
    case COPY: *y = old; break;
    case SWAP: *x = *y, *y = old; break;
    case FILL: *y = f->a; break;
    case SCALE: *x = VECTOR(mul)(f->a, old); break;
    case SCALE_COMPLEX: *x = VECTOR(fma)(f->a_cross, VECTOR(swap)(old), VECTOR(mul)(f->a, old)); break;
    case COPY_SCALED: *y = VECTOR(mul)(f->a, old); break;
    case COPY_SCALED_COMPLEX: *y = VECTOR(fma)(f->a_cross, VECTOR(swap)(old), VECTOR(mul)(f->a, old)); break;
    case AXPY: *y = VECTOR(fma)(f->a, old, *y); break;
    case AXPY_COMPLEX: *y = VECTOR(fma)(f->a_cross, VECTOR(swap)(old), VECTOR(fma)(f->a, old, *y)); break;
    case AXPBY: *y = VECTOR(fma)(f->a, old, VECTOR(mul)(f->b, *y)); break;
    case AXPBY_COMPLEX:
      *y = VECTOR(fma)(f->b_cross, VECTOR(swap)(*y), VECTOR(mul)(f->b, *y));
      *y = VECTOR(fma)(f->a_cross, VECTOR(swap)(old), VECTOR(fma)(f->a, old, *y));
      break;
    case ROT:
      *x = VECTOR(fma)(f->h[2], *y, VECTOR(mul)(f->h[0], old));
      *y = VECTOR(fma)(f->h[3], *y, VECTOR(mul)(f->h[1], old));
      break;
  }
}

/* `count` whole vectors side by side: all are read before the first is written. */
SIMD void WIDE(whole)(enum op op, int count, const struct WIDE(factors) *f, REAL *x, REAL *y) {
  VECTOR(v) u[4], v[4];
  UNROLL for (int i = 0; i < count; i++) {
    u[i] = v[i] = VECTOR(zero)();
    if (reads_x(op)) u[i] = VECTOR(load)(x + i * WIDE(REALS));
    if (reads_y(op)) v[i] = VECTOR(load)(y + i * WIDE(REALS));
    if (op == ROT) {
      LEVEL1_KEEP(u[i]);
      LEVEL1_KEEP(v[i]);
    }
    WIDE(compute)(op, f, &u[i], &v[i]);
  }
  UNROLL for (int i = 0; i < count; i++) {
    if (writes_x(op)) VECTOR(store)(x + i * WIDE(REALS), u[i]);
    if (writes_y(op)) VECTOR(store)(y + i * WIDE(REALS), v[i]);
  }
}

/* One or two vectors, of which the second may copy once more what the first did. */
SIMD void WIDE(copy_ends)(int64_t n, const REAL *x, REAL *y) {
  VECTOR(v) first = VECTOR(load)(x), last = VECTOR(load)(x + n - WIDE(REALS));
  VECTOR(store)(y, first);
  VECTOR(store)(y + n - WIDE(REALS), last);
}

#undef VECTOR
#undef WIDE
