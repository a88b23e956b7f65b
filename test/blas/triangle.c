/* trsm and trmm, bit for bit the loops of doc/blas-numbers.md, on every chip of this machine: operands end at a page that
 * cannot be touched, and NaN lies where a routine must not read. `slow` takes more sizes. */
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/core/memory.h"
#include "src/level3/level3.h"
#include "test/gemm/gemm_test.h"

static bool slow;
static const tsr_type types[] = {TSR_F32, TSR_F64, TSR_C32, TSR_C64};
static const char *const type_names[] = {"f32", "f64", "c32", "c64"};

static bool is_complex(tsr_type type) { return type == TSR_C32 || type == TSR_C64; }
static bool is_narrow(tsr_type type) { return type == TSR_F32 || type == TSR_C32; }

/* A number of any type, its parts rounded as the type says after every operation. */
struct number {
  double re, im;
};
static double rounded(tsr_type type, double x) { return is_narrow(type) ? (double)(float)x : x; }
static double fma_of(tsr_type type, double x, double y, double z) {
  return is_narrow(type) ? (double)fmaf((float)x, (float)y, (float)z) : fma(x, y, z);
}
static double product_of(tsr_type type, double x, double y) {
  return is_narrow(type) ? (double)((float)x * (float)y) : x * y;
}
static double quotient_of(tsr_type type, double x, double y) {
  return is_narrow(type) ? (double)((float)x / (float)y) : x / y;
}

/* y + sign * x * t */
static struct number add(tsr_type type, struct number y, double sign, struct number x, struct number t) {
  y.re = fma_of(type, sign * x.re, t.re, y.re);
  if (!is_complex(type)) return y;
  y.re = fma_of(type, -sign * x.im, t.im, y.re);
  y.im = fma_of(type, sign * x.im, t.re, y.im);
  y.im = fma_of(type, sign * x.re, t.im, y.im);
  return y;
}

static struct number times(tsr_type type, struct number y, struct number by, bool counts) {
  struct number x = {product_of(type, y.re, by.re), product_of(type, y.im, by.re)};
  if (!counts) return x;
  return (struct number){fma_of(type, -y.im, by.im, x.re), fma_of(type, y.re, by.im, x.im)};
}

static struct number reciprocal(tsr_type type, struct number t) {
  if (!is_complex(type)) return (struct number){quotient_of(type, 1, t.re), 0};
  if (!(fabs(t.im) > fabs(t.re))) {
    double ratio = quotient_of(type, t.im, t.re), whole = fma_of(type, t.im, ratio, t.re);
    return (struct number){quotient_of(type, 1, whole), quotient_of(type, -ratio, whole)};
  }
  double ratio = quotient_of(type, t.re, t.im), whole = fma_of(type, t.re, ratio, t.im);
  return (struct number){quotient_of(type, ratio, whole), quotient_of(type, -1, whole)};
}

/* A matrix that ends (or begins) at a page that cannot be touched. */
struct matrix {
  char *region, *data;
  size_t bytes, mapped;
  int64_t rows, cols, ld;
};

static struct matrix matrix_new(tsr_type type, int64_t rows, int64_t cols, int64_t ld, bool at_start) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (size_t)tsr_size_of(type);
  struct matrix x = {.rows = rows, .cols = cols, .ld = ld};
  x.bytes = cols > 0 && rows > 0 ? (size_t)((cols - 1) * ld + rows) * size : 0;
  x.mapped = (x.bytes + page - 1) / page * page + 2 * page;
  x.region = mmap(NULL, x.mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_true(x.region != MAP_FAILED);
  assert_int_equal(mprotect(x.region + page, x.mapped - 2 * page, PROT_READ | PROT_WRITE), 0);
  x.data = at_start ? x.region + page : x.region + x.mapped - page - x.bytes;
  return x;
}

static void matrix_free(struct matrix *x) { munmap(x->region, x->mapped); }

static void *at(tsr_type type, const struct matrix *x, int64_t i, int64_t j) {
  return x->data + (i + j * x->ld) * tsr_size_of(type);
}
static struct number get(tsr_type type, const struct matrix *x, int64_t i, int64_t j) {
  void *from = at(type, x, i, j);
  struct number n = {is_narrow(type) ? ((float *)from)[0] : ((double *)from)[0], 0};
  if (is_complex(type)) n.im = is_narrow(type) ? ((float *)from)[1] : ((double *)from)[1];
  return n;
}
static void put(tsr_type type, const struct matrix *x, int64_t i, int64_t j, struct number n) {
  float f[2] = {(float)n.re, (float)n.im};
  double d[2] = {n.re, n.im};
  memcpy(at(type, x, i, j), is_narrow(type) ? (void *)f : (void *)d, (size_t)tsr_size_of(type));
}

static double uniform(struct rng *rng) { return (double)(int64_t)rng_next(rng) * 0x1p-63; }

/* One call: operands, what B becomes, and the problem. */
struct call {
  struct tsr_level3 p;
  struct matrix a, b, expected;
  bool solves;
};

static bool stored(const struct tsr_level3 *p, int64_t i, int64_t j) {
  return i == j ? !p->unit : p->uplo == TSR_UPLO_LOWER ? i > j : i < j;
}

/* A triangle that is easily solved: a diagonal from 1 to 2, and beside it what does not grow with the order. */
static void fill_a(const struct call *c, struct rng *rng) {
  double scale = 1.0 / (double)(c->a.cols + 1);
  for (int64_t j = 0; j < c->a.cols; j++)
    for (int64_t i = 0; i < c->a.rows; i++) {
      struct number n = {uniform(rng) * scale, uniform(rng) * scale};
      if (i == j) n = (struct number){1.5 + uniform(rng) / 2, uniform(rng) * 2};
      put(c->p.type, &c->a, i, j, stored(&c->p, i, j) ? n : (struct number){NAN, NAN});
    }
}

static void fill_b(const struct call *c, struct rng *rng) {
  for (int64_t j = 0; j < c->b.cols; j++)
    for (int64_t i = 0; i < c->b.ld; i++)
      if (i < c->b.rows || j + 1 < c->b.cols)
        put(c->p.type, &c->b, i, j, (struct number){uniform(rng), uniform(rng)});
  memcpy(c->expected.data, c->b.data, c->b.bytes);
}

static struct number op_a(const struct call *c, int64_t i, int64_t j) {
  struct number n = c->p.op_a == TSR_OP_N ? get(c->p.type, &c->a, i, j) : get(c->p.type, &c->a, j, i);
  if (c->p.op_a == TSR_OP_C) n.im = -n.im;
  return n;
}

/* Element `q` of line number `line` of B: of a column if A stands on the left, else of a row. */
static struct number line_get(const struct call *c, int64_t line, int64_t q) {
  return c->p.side == TSR_LEFT ? get(c->p.type, &c->expected, q, line) : get(c->p.type, &c->expected, line, q);
}
static void line_put(const struct call *c, int64_t line, int64_t q, struct number n) {
  put(c->p.type, &c->expected, c->p.side == TSR_LEFT ? q : line, c->p.side == TSR_LEFT ? line : q, n);
}
static struct number factor(const struct call *c, int64_t p, int64_t q) {
  return c->p.side == TSR_LEFT ? op_a(c, q, p) : op_a(c, p, q);
}

static struct number by_alpha(const struct call *c, struct number y) {
  const double *alpha = c->p.alpha;
  if (alpha[0] == 1 && alpha[1] == 0) return y;
  return times(c->p.type, y, (struct number){alpha[0], alpha[1]}, is_complex(c->p.type) && alpha[1] != 0);
}

/* The loops, for one line of B. `up`: element q depends on those before it, else on those behind. */
static void expect_line(const struct call *c, int64_t line, int64_t n, bool up) {
  tsr_type type = c->p.type;
  int64_t first = up == c->solves ? 0 : n - 1, way = up == c->solves ? 1 : -1; /* of the elements */
  for (int64_t done = 0, q = first; done < n; done++, q += way) {
    struct number y = line_get(c, line, q);
    if (c->solves) {
      y = by_alpha(c, y);
      for (int64_t p = first; p != q; p += way) y = add(type, y, -1, line_get(c, line, p), factor(c, p, q));
      if (!c->p.unit) y = times(type, y, reciprocal(type, factor(c, q, q)), is_complex(type));
    } else {
      if (!c->p.unit) y = add(type, (struct number){0, 0}, 1, y, factor(c, q, q));
      for (int64_t p = q + way; p >= 0 && p < n; p += way) y = add(type, y, 1, line_get(c, line, p), factor(c, p, q));
      y = by_alpha(c, y);
    }
    line_put(c, line, q, y);
  }
}

static void expect(const struct call *c) {
  bool left = c->p.side == TSR_LEFT, lower = (c->p.uplo == TSR_UPLO_LOWER) == (c->p.op_a == TSR_OP_N);
  int64_t lines = left ? c->p.n : c->p.m, n = left ? c->p.m : c->p.n;
  for (int64_t line = 0; line < lines; line++) expect_line(c, line, n, left == lower);
}

static struct call call_new(tsr_type type, bool solves, int64_t m, int64_t n, unsigned way, int64_t gap, struct rng *rng) {
  struct call c = {.solves = solves,
                   .p = {.type = type, .side = way & 1 ? TSR_RIGHT : TSR_LEFT,
                         .uplo = way & 2 ? TSR_UPLO_LOWER : TSR_UPLO_UPPER, .unit = way & 4,
                         .op_a = (enum tsr_op_of)(way >> 3), .m = m, .n = n, .alpha = {1, 0}}};
  int64_t order = c.p.side == TSR_LEFT ? m : n;
  c.a = matrix_new(type, order, order, tsr_max(order, 1) + gap, rng_below(rng, 2));
  c.b = matrix_new(type, m, n, tsr_max(m, 1) + gap, rng_below(rng, 2));
  c.expected = matrix_new(type, m, n, tsr_max(m, 1) + gap, false);
  c.p.lda = c.a.ld;
  c.p.ldb = c.b.ld;
  c.p.a = (tsr_mem)c.a.data;
  c.p.b = (tsr_mem)c.b.data;
  if (m == 0 || n == 0) return c;
  fill_a(&c, rng);
  fill_b(&c, rng);
  return c;
}
static void call_free(struct call *c) {
  matrix_free(&c->a);
  matrix_free(&c->b);
  matrix_free(&c->expected);
}

static tsr_status run(const tsr_context *context, const struct call *c) {
  return (c->solves ? tsr_trsm : tsr_trmm)(context, &c->p, c->solves ? "trsm" : "trmm");
}

static void describe(const struct call *c, const char *what) {
  const char *isa = what;
  print_message("%s %s%s %c%c%c%c %lld x %lld alpha %g %g lda %lld ldb %lld\n", isa, type_names[c->p.type == TSR_F32 ? 0
                : c->p.type == TSR_F64 ? 1 : c->p.type == TSR_C32 ? 2 : 3], c->solves ? " trsm" : " trmm",
                c->p.side == TSR_LEFT ? 'L' : 'R', c->p.uplo == TSR_UPLO_UPPER ? 'U' : 'L', "NTC"[c->p.op_a],
                c->p.unit ? 'U' : 'N', (long long)c->p.m, (long long)c->p.n, c->p.alpha[0], c->p.alpha[1],
                (long long)c->p.lda, (long long)c->p.ldb);
}

static bool same_part(double x, double y) { return memcmp(&x, &y, sizeof x) == 0 || (isnan(x) && isnan(y)); }

/* All of B, gaps included. */
static void compare(const struct call *c, const char *what) {
  if (memcmp(c->b.data, c->expected.data, c->b.bytes) == 0) return;
  for (int64_t j = 0; j < c->b.cols; j++)
    for (int64_t i = 0; i < c->b.ld && (i < c->b.rows || j + 1 < c->b.cols); i++) {
      struct number x = get(c->p.type, &c->b, i, j), y = get(c->p.type, &c->expected, i, j);
      if (same_part(x.re, y.re) && same_part(x.im, y.im)) continue;
      describe(c, what);
      fail_msg("element (%lld, %lld) is %.17g %.17g, not %.17g %.17g", (long long)i, (long long)j, x.re, x.im, y.re, y.im);
    }
}

static tsr_context *chips_here[8];
static int nchips_here;

/* On every chip, with one thread and two: B starts anew each time. */
static void check(struct call *c) {
  char *original = malloc(c->b.bytes + 1);
  memcpy(original, c->b.data, c->b.bytes);
  expect(c);
  for (int i = 0; i < nchips_here; i++) {
    memcpy(c->b.data, original, c->b.bytes);
    assert_int_equal(run(chips_here[i], c), TSR_OK);
    compare(c, tsr_context_isa(chips_here[i]));
  }
  free(original);
}

enum { WAYS = 24 };

static void set_alpha(struct call *c, struct rng *rng) {
  int64_t kind = rng_below(rng, 3);
  if (kind > 0) c->p.alpha[0] = rounded(c->p.type, uniform(rng) * 2);
  if (kind > 1 && is_complex(c->p.type)) c->p.alpha[1] = rounded(c->p.type, uniform(rng));
}

static void one(tsr_type type, bool solves, int64_t m, int64_t n, unsigned way, struct rng *rng) {
  struct call c = call_new(type, solves, m, n, way, rng_below(rng, 2) * rng_below(rng, 9), rng);
  set_alpha(&c, rng);
  check(&c);
  call_free(&c);
}

/* Every way of every type, small sizes of both. */
static void small_sizes(void **state) {
  struct rng rng = {test_seed()};
  (void)state;
  for (int t = 0; t < COUNT(types); t++)
    for (unsigned way = 0; way < WAYS; way++)
      for (int round = 0; round < (slow ? 60 : 8); round++)
        one(types[t], round & 1, 1 + rng_below(&rng, 70), 1 + rng_below(&rng, 70), way, &rng);
}

static void tiny_sizes(void **state) {
  struct rng rng = {test_seed()};
  (void)state;
  for (int t = 0; t < COUNT(types); t++)
    for (unsigned way = 0; way < WAYS; way++)
      for (int64_t m = 0; m < 4; m++)
        for (int64_t n = 0; n < 4; n++) one(types[t], (m + n + way) & 1, m, n, way, &rng);
}

/* Blocks, chunks and strips: a few independent lines of a long triangle, and many of a short one. */
static void large_sizes(void **state) {
  static const int64_t orders[] = {127, 128, 129, 170, 255, 256, 257, 300, 383, 384, 385, 512, 515, 601};
  struct rng rng = {test_seed()};
  (void)state;
  for (int t = 0; t < COUNT(types); t++)
    for (int i = 0; i < COUNT(orders); i++)
      for (int round = 0; round < (slow ? 12 : 2); round++) {
        unsigned way = (unsigned)rng_below(&rng, WAYS);
        int64_t lines = round % 2 ? 1 + rng_below(&rng, 10) : 1 + rng_below(&rng, 120);
        bool left = !(way & 1);
        one(types[t], rng_below(&rng, 2), left ? orders[i] : lines, left ? lines : orders[i], way, &rng);
        if (round % 4 == 0) {
          int64_t order = 1 + rng_below(&rng, 40), many = orders[i] * 2;
          one(types[t], rng_below(&rng, 2), left ? order : many, left ? many : order, way, &rng);
        }
      }
}

/* Orders whose triangle is not packed all at once, with enough right-hand sides that they are not kept near; columns of B
 * among them that lie a multiple of pages apart, which are worked on in panels on either side. */
static void orders_in_parts(void **state) {
  static const int64_t orders[] = {1500, 1100, 900, 520}; /* by type */
  struct rng rng = {test_seed()};
  (void)state;
  for (int t = slow ? 0 : 3; t < COUNT(types); t++)
    for (unsigned way = 0; way < (slow ? 8 : 4); way++)
      for (int solves = 0; solves < 2; solves++) {
        bool left = !(way & 1);
        int64_t order = orders[t] + rng_below(&rng, 9), lines = 70 + rng_below(&rng, 20);
        int64_t rows = left ? order : lines, page = 4096 / tsr_size_of(types[t]);
        struct call c = call_new(types[t], solves, rows, left ? lines : order, way + 8 * (unsigned)rng_below(&rng, 3),
                                 way & 2 ? page - rows % page : rng_below(&rng, 9), &rng);
        set_alpha(&c, &rng);
        check(&c);
        call_free(&c);
      }
}

/* One line to nine, beside orders that are a few columns and, of the last, more than are taken at a time. */
static void few_lines(void **state) {
  static const int64_t orders[] = {33, 63, 64, 65, 96, 200, 333, 2100};
  struct rng rng = {test_seed()};
  (void)state;
  for (int t = 0; t < COUNT(types); t++)
    for (int i = 0; i < COUNT(orders) - (types[t] != TSR_F64 && !slow); i++)
      for (unsigned way = 0; way < 8; way++) {
        int64_t lines = 1 + rng_below(&rng, orders[i] > 2000 ? 2 : 9);
        bool left = !(way & 1);
        if (orders[i] > 2000 && (way & 5)) continue;
        bool solves = orders[i] > 2000 ? way & 2 : rng_below(&rng, 2) == 1;
        one(types[t], solves, left ? orders[i] : lines, left ? lines : orders[i], way + (left ? 0 : 8), &rng);
      }
}

/* Without scratch memory. */
static void without_memory(void **state) {
  struct rng rng = {test_seed()};
  (void)state;
  for (int t = 0; t < COUNT(types); t++)
    for (unsigned way = 0; way < WAYS; way++)
      for (int after = 0; after < 2; after++) {
        struct call c = call_new(types[t], way & 1 ? after : !after, 50, 41, way, 1, &rng);
        set_alpha(&c, &rng);
        expect(&c);
        tsr_release();
        tsr_scratch_fail_after(after);
        assert_int_equal(run(chips_here[0], &c), TSR_OK);
        tsr_scratch_fail_after(-1);
        compare(&c, "without memory");
        call_free(&c);
      }
}

/* Zeros, whatever A and B hold; with a size of 0 nothing. */
static void alpha_zero(void **state) {
  struct rng rng = {test_seed()};
  (void)state;
  for (int t = 0; t < COUNT(types); t++)
    for (unsigned way = 0; way < WAYS; way++) {
      struct call c = call_new(types[t], way & 1, 17, 19, way, 3, &rng);
      c.p.alpha[0] = 0;
      c.p.a = 0;
      for (int64_t j = 0; j < c.b.cols; j++)
        for (int64_t i = 0; i < c.b.rows; i++) {
          put(types[t], &c.b, i, j, (struct number){NAN, INFINITY});
          put(types[t], &c.expected, i, j, (struct number){0, 0});
        }
      assert_int_equal(run(chips_here[0], &c), TSR_OK);
      compare(&c, "alpha 0");
      call_free(&c);
    }
}

/* NaN and Inf in a line of B stay in that line, and a zero of A stops neither; no flag is raised that the loop does not
 * raise: a line of numbers beside one of Inf, at the edge of a panel. */
static void specials(void **state) {
  struct rng rng = {test_seed()};
  (void)state;
  for (int t = 0; t < COUNT(types); t++)
    for (unsigned way = 0; way < WAYS; way++)
      for (int kind = 0; kind < 2; kind++) {
        struct call c = call_new(types[t], way / 3 & 1, 11 + (int64_t)way, 13, way, 0, &rng);
        put(types[t], &c.b, 3, 5, (struct number){kind ? INFINITY : NAN, 1});
        memcpy(c.expected.data, c.b.data, c.b.bytes);
        int64_t order = c.p.side == TSR_LEFT ? c.p.m : c.p.n;
        if (stored(&c.p, order - 1, 0)) put(types[t], &c.a, order - 1, 0, (struct number){0, 0});
        check(&c);
        call_free(&c);
      }
}

static void flags(void **state) {
  struct rng rng = {test_seed()};
  (void)state;
  for (int t = 0; t < COUNT(types); t++)
    for (unsigned way = 0; way < WAYS; way++) {
      struct call c = call_new(types[t], way / 5 & 1, 1 + rng_below(&rng, 40), 1 + rng_below(&rng, 40), way, 2, &rng);
      expect(&c);
      for (int i = 0; i < nchips_here; i++) {
        feclearexcept(FE_ALL_EXCEPT);
        run(chips_here[i], &c);
        assert_int_equal(fetestexcept(FE_INVALID | FE_OVERFLOW | FE_UNDERFLOW | FE_DIVBYZERO), 0);
      }
      call_free(&c);
    }
}

static void make_contexts(void) {
  int n;
  const struct tsr_chip *const *chips = tsr_chips(&n);
  char why[TSR_WHY];
  for (int i = 0; i < n; i++)
    for (int threads = 1; threads <= 2 && chips[i]->usable(why); threads++) {
      assert_int_equal(tsr_context_create(chips[i]->isa, &chips_here[nchips_here]), TSR_OK);
      chips_here[nchips_here++]->threads = threads;
    }
}

int main(int argc, char **argv) {
  slow = argc > 1 && strcmp(argv[1], "slow") == 0;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tiny_sizes),     cmocka_unit_test(small_sizes), cmocka_unit_test(large_sizes),
      cmocka_unit_test(few_lines),      cmocka_unit_test(orders_in_parts),
      cmocka_unit_test(without_memory), cmocka_unit_test(alpha_zero),  cmocka_unit_test(specials),
      cmocka_unit_test(flags),
  };
  make_contexts();
  return cmocka_run_group_tests_name("trsm and trmm", tests, NULL, NULL);
}
