/* Tests the table of one type against plain loops in the documented order (kernels/level1_table.h), bit for bit. Included
 * by level1_kernels.c with REAL, TABLE, NAME(x), LANES, FMA and ABS defined. */

struct NAME(vectors) {
  int64_t n, incx, incy;
  int parts;
  REAL *x, *y;          /* element 0 in memory with forbidden pages around */
  REAL *want_x, *want_y; /* element 0 of copies, which the loops work on */
  struct arena *of_x, *of_y;
};

static REAL NAME(value)(void) {
  switch (below(40)) {
    case 0: return 0;
    case 1: return -(REAL)0;
    case 2: return (REAL)INFINITY;
    case 3: return (REAL)-INFINITY;
    case 4: return (REAL)NAN;
    case 5: return (REAL)(sizeof(REAL) == 4 ? 1e-44 : 1e-310);
    default: return (REAL)((drand48() - 0.5) * (below(4) ? 4 : 1e6));
  }
}

/* Whether all bits are equal; NaN equals NaN. */
static bool NAME(same)(REAL a, REAL b) {
  return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

static REAL *NAME(place)(struct arena *arena, int64_t n, int64_t inc, int parts, bool plain, REAL **copy) {
  int64_t span = ((n - 1) * (inc < 0 ? -inc : inc) + 1) * parts;
  REAL *base = arena_place(arena, (size_t)span * sizeof(REAL));
  for (int64_t i = 0; i < span; i++) base[i] = plain ? (REAL)(drand48() - 0.5) : NAME(value)();
  arena->bytes = (size_t)span * sizeof(REAL);
  memcpy(arena->copy, base, arena->bytes);
  int64_t first = inc < 0 ? (1 - n) * inc * parts : 0;
  *copy = (REAL *)arena->copy + first;
  return base + first;
}

static void NAME(make)(struct NAME(vectors) *v, int parts, int64_t n, bool plain) {
  static const int64_t incs[] = {1, 1, 1, 2, -1, 3, -2, 0, 7};
  *v = (struct NAME(vectors)){.n = n, .parts = parts, .of_x = &arena_x, .of_y = &arena_y};
  v->incx = incs[below(9)];
  v->incy = below(3) ? v->incx : incs[below(9)];
  v->x = NAME(place)(&arena_x, n, v->incx, parts, plain, &v->want_x);
  v->y = NAME(place)(&arena_y, n, v->incy, parts, plain, &v->want_y);
}

static void NAME(expect)(const struct NAME(vectors) *v, const char *what) {
  for (int s = 0; s < 2; s++) {
    const struct arena *a = s ? v->of_y : v->of_x;
    for (size_t i = 0; i < a->bytes / sizeof(REAL); i++)
      if (!NAME(same)(((REAL *)a->at)[i], ((REAL *)a->copy)[i]))
        fail_at(what, v->n, v->incx, v->incy, s ? "y" : "x", (int64_t)i, ((REAL *)a->at)[i], ((REAL *)a->copy)[i]);
  }
}

static void NAME(expect_number)(const struct NAME(vectors) *v, const char *what, REAL got, REAL want) {
  if (!NAME(same)(got, want)) fail_at(what, v->n, v->incx, v->incy, "result", 0, got, want);
  NAME(expect)(v, what);
}

/* --- Elementwise: all of them through one loop --------------------------------------------------------------------- */

enum NAME(op) { NAME(COPY), NAME(COPY_FAR), NAME(SWAP), NAME(FILL), NAME(SCALE), NAME(SCALE_PARTS), NAME(COPY_SCALED), NAME(AXPY),
                NAME(AXPBY), NAME(ROT), NAME(OPS) };

static void NAME(times)(int parts, const REAL a[2], const REAL x[2], REAL out[2]) {
  out[0] = parts == 1 ? a[0] * x[0] : FMA(-a[1], x[1], a[0] * x[0]);
  if (parts == 2) out[1] = FMA(a[1], x[0], a[0] * x[1]);
}

static void NAME(plus)(int parts, const REAL a[2], const REAL x[2], REAL y[2]) {
  y[0] = FMA(a[0], x[0], y[0]);
  if (parts == 1) return;
  y[1] = FMA(a[0], x[1], y[1]);
  y[0] = FMA(-a[1], x[1], y[0]);
  y[1] = FMA(a[1], x[0], y[1]);
}

static void NAME(loop)(enum NAME(op) op, const struct NAME(vectors) *v, const REAL a[2], const REAL b[2], const REAL h[4]) {
  REAL *x = v->want_x, *y = v->want_y;
  int parts = v->parts;
  size_t size = (size_t)parts * sizeof(REAL);
  for (int64_t i = 0; i < v->n; i++, x += parts * v->incx, y += parts * v->incy) {
    REAL u[2] = {0}, w[2] = {0}, t[2] = {0};
    memcpy(u, x, size), memcpy(w, y, size);
    switch (op) {
      case NAME(COPY):
      case NAME(COPY_FAR): memcpy(y, u, size); break;
      case NAME(SWAP): memcpy(x, w, size), memcpy(y, u, size); break;
      case NAME(FILL): memcpy(y, a, size); break;
      case NAME(SCALE): NAME(times)(parts, a, u, t), memcpy(x, t, size); break;
      case NAME(SCALE_PARTS):
        for (int p = 0; p < parts; p++) x[p] = a[0] * u[p];
        break;
      case NAME(COPY_SCALED): NAME(times)(parts, a, u, t), memcpy(y, t, size); break;
      case NAME(AXPY): NAME(plus)(parts, a, u, w), memcpy(y, w, size); break;
      case NAME(AXPBY): NAME(times)(parts, b, w, t), NAME(plus)(parts, a, u, t), memcpy(y, t, size); break;
      case NAME(ROT):
        for (int p = 0; p < parts; p++) x[p] = FMA(h[2], w[p], h[0] * u[p]), y[p] = FMA(h[3], w[p], h[1] * u[p]);
        break;
      case NAME(OPS): break;
    }
  }
}

static const char *NAME(run)(enum NAME(op) op, const TABLE *k, const struct NAME(vectors) *v, const REAL a[2],
                             const REAL b[2], const REAL h[4]) {
  int64_t n = v->n, incx = v->incx, incy = v->incy;
  REAL *x = v->x, *y = v->y;
  bool pairs = v->parts == 2;
  switch (op) {
    case NAME(COPY): (pairs ? k->copy_complex : k->copy)(n, x, incx, y, incy); return "copy";
    case NAME(COPY_FAR):
      if (incx != 1 || incy != 1) (pairs ? k->copy_complex : k->copy)(n, x, incx, y, incy);
      else k->copy_far(n * v->parts, x, y);
      return "copy_far";
    case NAME(SWAP): (pairs ? k->swap_complex : k->swap)(n, x, incx, y, incy); return "swap";
    case NAME(FILL):
      if (pairs) k->fill_complex(n, a, y, incy);
      else k->fill(n, a[0], y, incy);
      return "fill";
    case NAME(SCALE):
      if (pairs) k->scale_complex(n, a, x, incx);
      else k->scale(n, a[0], x, incx);
      return "scale";
    case NAME(SCALE_PARTS):
      if (pairs) k->scale_parts(n, a[0], x, incx);
      else k->scale(n, a[0], x, incx);
      return "scale_parts";
    case NAME(COPY_SCALED):
      if (pairs) k->copy_scaled_complex(n, a, x, incx, y, incy);
      else k->copy_scaled(n, a[0], x, incx, y, incy);
      return "copy_scaled";
    case NAME(AXPY):
      if (pairs) k->axpy_complex(n, a, x, incx, y, incy);
      else k->axpy(n, a[0], x, incx, y, incy);
      return "axpy";
    case NAME(AXPBY):
      if (pairs) k->axpby_complex(n, a, x, incx, b, y, incy);
      else k->axpby(n, a[0], x, incx, b[0], y, incy);
      return "axpby";
    case NAME(ROT): (pairs ? k->rot_complex : k->rot)(n, x, incx, y, incy, h); return "rot";
    case NAME(OPS): break;
  }
  return NULL;
}

static void NAME(test_elementwise)(const TABLE *k, int parts, int64_t n) {
  struct NAME(vectors) v;
  for (int op = 0; op < NAME(OPS); op++) {
    REAL a[2] = {NAME(value)(), NAME(value)()}, b[2] = {NAME(value)(), NAME(value)()}, h[4];
    for (int i = 0; i < 4; i++) h[i] = NAME(value)();
    NAME(make)(&v, parts, n, false);
    NAME(loop)(op, &v, a, b, h);
    NAME(expect)(&v, NAME(run)(op, k, &v, a, b, h));
  }
}

/* --- Sums ---------------------------------------------------------------------------------------------------------- */

static REAL NAME(lane_sum)(REAL *lanes, int count, int least) {
  for (int half = count / 2; half >= least; half /= 2)
    for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
  for (int i = 0; i < least; i++) lanes[i] += 0;
  return lanes[0];
}

static REAL NAME(part)(const struct NAME(vectors) *v, bool of_y, int64_t i) {
  int64_t inc = of_y ? v->incy : v->incx;
  return (of_y ? v->want_y : v->want_x)[i / v->parts * inc * v->parts + i % v->parts];
}

static void NAME(test_sums)(const TABLE *k, int parts, int64_t n) {
  struct NAME(vectors) v;
  NAME(make)(&v, parts, n, below(4));
  int64_t reals = n * parts;
  REAL dot[LANES] = {0}, cross[LANES] = {0}, asum[LANES] = {0};
  for (int64_t i = 0; i < reals; i++) {
    REAL x = NAME(part)(&v, false, i), y = NAME(part)(&v, true, i), other = parts == 2 ? NAME(part)(&v, true, i ^ 1) : 0;
    dot[i % LANES] = FMA(x, y, dot[i % LANES]);
    cross[i % LANES] = FMA(x, other, cross[i % LANES]);
    asum[i % LANES] += ABS(x);
  }
  if (parts == 1) {
    NAME(expect_number)(&v, "dot", k->dot(n, v.x, v.incx, v.y, v.incy), NAME(lane_sum)(dot, LANES, 1));
    NAME(expect_number)(&v, "asum", k->asum(n, v.x, v.incx), NAME(lane_sum)(asum, LANES, 1));
    return;
  }
  REAL out[4];
  NAME(lane_sum)(dot, LANES, 2), NAME(lane_sum)(cross, LANES, 2);
  k->dot_complex(n, v.x, v.incx, v.y, v.incy, out);
  NAME(expect_number)(&v, "dot_complex rr", out[0], dot[0]);
  NAME(expect_number)(&v, "dot_complex ii", out[1], dot[1]);
  NAME(expect_number)(&v, "dot_complex ri", out[2], cross[0]);
  NAME(expect_number)(&v, "dot_complex ir", out[3], cross[1]);
  NAME(expect_number)(&v, "asum_complex", k->asum_complex(n, v.x, v.incx), NAME(lane_sum)(asum, LANES, 1));
}

/* Squares, in lanes of f64. */
static void NAME(test_squares)(const TABLE *k, int parts, int64_t n) {
  struct NAME(vectors) v;
  double lanes[32] = {0}, scaled[32] = {0}, factor = ldexp(1, (int)below(60) - 30);
  NAME(make)(&v, parts, n, below(4));
  for (int64_t i = 0; i < n * parts; i++) {
    double x = NAME(part)(&v, false, i);
    lanes[i % 32] = fma(x, x, lanes[i % 32]);
    scaled[i % 32] = fma(factor * x, factor * x, scaled[i % 32]);
  }
  double want = f64_lane_sum(lanes, 32, 1);
  double got = (parts == 2 ? k->squares_complex : k->squares)(n, v.x, v.incx);
  if (!f64_same(got, want)) fail_at("squares", n, v.incx, 0, "result", 0, got, want);
  want = f64_lane_sum(scaled, 32, 1);
  got = NAME(scaled)(k, parts, n, v.x, v.incx, factor);
  if (got >= 0 && !f64_same(got, want)) fail_at("scaled_squares", n, v.incx, 0, "result", 0, got, want);
}

/* --- The largest --------------------------------------------------------------------------------------------------- */

static REAL NAME(magnitude)(const struct NAME(vectors) *v, int64_t i) {
  REAL x = ABS(NAME(part)(v, false, i * v->parts));
  return v->parts == 2 ? x + ABS(NAME(part)(v, false, 2 * i + 1)) : x;
}

static void NAME(test_iamax)(const TABLE *k, int parts, int64_t n) {
  struct NAME(vectors) v;
  int64_t want = 0;
  NAME(make)(&v, parts, n, below(8));
  if (below(2)) v.x[below(n) * v.incx * parts] = 77, v.x[below(n) * v.incx * parts] = 77;
  if (!below(6)) v.x[below(n) * v.incx * parts] = (REAL)NAN, v.x[below(n) * v.incx * parts + parts - 1] = (REAL)NAN;
  memcpy(v.of_x->copy, v.of_x->at, v.of_x->bytes);
  for (int64_t i = 1; i < n; i++) {
    REAL best = NAME(magnitude)(&v, want), x = NAME(magnitude)(&v, i);
    if (!isnan(best) && (isnan(x) || x > best)) want = i;
  }
  REAL most;
  int64_t got = (parts == 2 ? k->iamax_complex : k->iamax)(n, v.x, v.incx, &most);
  if (got != want) fail_at("iamax", n, v.incx, 0, "index", 0, (double)got, (double)want);
  NAME(expect_number)(&v, "iamax", most, NAME(magnitude)(&v, want));
}

static void NAME(test_table)(const TABLE *k, int64_t n) {
  for (int parts = 1; parts <= 2; parts++) {
    if (parts * n > TSR_LEVEL1_BLOCK) continue;
    NAME(test_elementwise)(k, parts, n);
    NAME(test_sums)(k, parts, n);
    NAME(test_squares)(k, parts, n);
    NAME(test_iamax)(k, parts, n);
  }
}
