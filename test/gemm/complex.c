/* Complex GEMM against the loop of kernels/kernel.h, bit for bit: every transpose and conjugate, path and number of
 * threads. Operands end at a forbidden page, gaps hold NaN. */
#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test/gemm/gemm_test.h"

struct complex_case {
  tsr_context *context;
  tsr_type type;
  int64_t m, n, k, gap;
  int trans_a, trans_b; /* 0: as it is, 1: transposed, 2: conjugate transposed, 3: conjugate */
  double alpha[2], beta[2];
  int special; /* one element in so many is NaN, Inf, or a zero; 0: none */
  uint64_t seed;
};

/* A matrix of rows x cols as the loop sees it, at `at`: strides in elements, those of a column-major or transposed one. */
struct matrix {
  unsigned char *at;
  int64_t rs, cs, elements;
};

enum { REGION = 4 << 20 };
static unsigned char *regions[3]; /* each ends at a forbidden page */
static unsigned char *expected;

static int open_all(void **state) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  for (int i = 0; i < 3; i++) {
    regions[i] = mmap(NULL, REGION + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(regions[i] != MAP_FAILED);
    assert_int_equal(mprotect(regions[i] + REGION, page, PROT_NONE), 0);
  }
  expected = malloc(REGION);
  assert_non_null(expected);
  return open_contexts(state);
}

static int close_all(void **state) {
  for (int i = 0; i < 3; i++) munmap(regions[i], REGION + (size_t)sysconf(_SC_PAGESIZE));
  free(expected);
  return close_contexts(state);
}

static int64_t part_bytes(tsr_type type) { return tsr_size_of(type) / 2; }

static double get(tsr_type type, const unsigned char *from) {
  float f;
  double d;
  memcpy(&f, from, 4);
  if (type == TSR_C32) return f;
  memcpy(&d, from, 8);
  return d;
}

static void put(tsr_type type, unsigned char *to, double x) {
  float f = (float)x;
  memcpy(to, type == TSR_C32 ? (void *)&f : (void *)&x, (size_t)part_bytes(type));
}

static double number(const struct complex_case *g, struct rng *rng) {
  static const double specials[] = {NAN, INFINITY, -INFINITY, 0, -0.0, 0x1p-140};
  if (g->special && rng_below(rng, g->special) == 0) return specials[rng_below(rng, COUNT(specials))];
  return (double)(rng_below(rng, 1 << 20) - (1 << 19)) * 0x1p-19;
}

/* Fills a matrix that reaches to the end of its region; between its columns there is NaN. */
static struct matrix make(const struct complex_case *g, int which, int64_t rows, int64_t cols, bool turned,
                          struct rng *rng) {
  int64_t line = turned ? cols : rows, lines = turned ? rows : cols, ld = line + g->gap, part = part_bytes(g->type);
  struct matrix matrix = {.rs = turned ? ld : 1, .cs = turned ? 1 : ld, .elements = (lines - 1) * ld + line};
  assert_true(matrix.elements * 2 * part <= REGION);
  matrix.at = regions[which] + REGION - matrix.elements * 2 * part;
  for (int64_t i = 0; i < 2 * matrix.elements; i++)
    put(g->type, matrix.at + i * part, i / 2 % ld < line ? number(g, rng) : NAN);
  return matrix;
}

static double fused(tsr_type type, double x, double y, double z) {
  return type == TSR_C32 ? (double)fmaf((float)x, (float)y, (float)z) : fma(x, y, z);
}

static double rounded(tsr_type type, double x) { return type == TSR_C32 ? (double)(float)x : x; }

/* re and im of an element, `from` its address. */
static void load(tsr_type type, const unsigned char *from, double x[2]) {
  x[0] = get(type, from);
  x[1] = get(type, from + part_bytes(type));
}

/* s over one block of k, of which conj(x) is minus its imaginary part in every product. */
static void sum(const struct complex_case *g, const unsigned char *a, int64_t step_a, const unsigned char *b,
                int64_t step_b, int64_t k, double s[2]) {
  double rr = 0, ii = 0, ri = 0, ir = 0, sign_a = g->trans_a > 1 ? -1 : 1, sign_b = g->trans_b > 1 ? -1 : 1;
  for (int64_t p = 0; p < k; p++, a += step_a, b += step_b) {
    double x[2], y[2];
    load(g->type, a, x);
    load(g->type, b, y);
    rr = fused(g->type, x[0], y[0], rr);
    ii = fused(g->type, x[1], y[1], ii);
    ri = fused(g->type, x[0], y[1], ri);
    ir = fused(g->type, x[1], y[0], ir);
  }
  s[0] = rounded(g->type, sign_a * sign_b < 0 ? rr + ii : rr - ii);
  s[1] = sign_a * sign_b < 0 ? (sign_a < 0 ? ri - ir : ir - ri) : sign_a * (ri + ir);
  s[1] = rounded(g->type, s[1]);
}

/* y = y + x * s, and without the second pair where im(x) is 0. */
static void add_product(tsr_type type, const double x[2], const double s[2], double y[2]) {
  y[0] = fused(type, x[0], s[0], y[0]);
  y[1] = fused(type, x[0], s[1], y[1]);
  if (x[1] == 0) return;
  y[0] = fused(type, -x[1], s[1], y[0]);
  y[1] = fused(type, x[1], s[0], y[1]);
}

static void reference(const struct complex_case *g, const struct matrix *a, const struct matrix *b,
                      const struct matrix *c) {
  int64_t size = tsr_size_of(g->type), kb = g->type == TSR_C32 ? 384 : 256;
  memcpy(expected, c->at, (size_t)(c->elements * size));
  for (int64_t j = 0; j < g->n; j++)
    for (int64_t i = 0; i < g->m; i++) {
      unsigned char *at = expected + (i * c->rs + j * c->cs) * size;
      double old[2], s[2], y[2] = {0, 0};
      load(g->type, at, old);
      if (g->beta[0] != 0 || g->beta[1] != 0) {
        y[0] = rounded(g->type, g->beta[0] * old[0]);
        y[1] = rounded(g->type, g->beta[0] * old[1]);
        if (g->beta[1] != 0) {
          y[0] = fused(g->type, -g->beta[1], old[1], y[0]);
          y[1] = fused(g->type, g->beta[1], old[0], y[1]);
        }
      }
      for (int64_t p = 0; (g->alpha[0] != 0 || g->alpha[1] != 0) && p < g->k; p += kb) {
        sum(g, a->at + (i * a->rs + p * a->cs) * size, a->cs * size, b->at + (p * b->rs + j * b->cs) * size,
            b->rs * size, g->k - p < kb ? g->k - p : kb, s);
        add_product(g->type, g->alpha, s, y);
      }
      put(g->type, at, y[0]);
      put(g->type, at + size / 2, y[1]);
    }
}

static void describe(const struct complex_case *g, char *text, size_t size) {
  static const char *const letters[] = {"N", "T", "C", "conj"};
  const struct tsr_gemm_way *f = &tsr_gemm_forced;
  snprintf(text, size, "%s %s %s %s m=%lld n=%lld k=%lld gap %lld alpha (%g, %g) beta (%g, %g) special %d seed %llu, "
           "forced path %d mc %lld nc %lld threads %d", tsr_context_isa(g->context), g->type == TSR_C32 ? "c32" : "c64",
           letters[g->trans_a], letters[g->trans_b], (long long)g->m, (long long)g->n, (long long)g->k,
           (long long)g->gap, g->alpha[0], g->alpha[1], g->beta[0], g->beta[1], g->special,
           (unsigned long long)g->seed, f->path, (long long)f->mc, (long long)f->nc, f->threads);
}

static void compare(const struct complex_case *g, const struct matrix *c) {
  int64_t part = part_bytes(g->type);
  char text[400];
  for (int64_t i = 0; i < 2 * c->elements; i++) {
    double was = get(g->type, c->at + i * part), want = get(g->type, expected + i * part);
    if (memcmp(c->at + i * part, expected + i * part, (size_t)part) == 0 || (isnan(was) && isnan(want))) continue;
    describe(g, text, sizeof text);
    fail_msg("%s: C's %s part of element %lld in memory is %a, not %a", text, i % 2 ? "imaginary" : "real",
             (long long)(i / 2), was, want);
  }
}

/* Once by the loop, then as the library would and by every path, on one thread and on two. */
static void check(const struct complex_case *g) {
  struct rng rng = {g->seed};
  struct matrix a = make(g, 0, g->m, g->k, g->trans_a == 1 || g->trans_a == 2, &rng);
  struct matrix b = make(g, 1, g->k, g->n, g->trans_b == 1 || g->trans_b == 2, &rng);
  struct matrix c = make(g, 2, g->m, g->n, false, &rng);
  int64_t size = tsr_size_of(g->type);
  size_t bytes = (size_t)(c.elements * size);
  struct tsr_gemm_problem problem = {.type = g->type, .type_c = g->type, .m = g->m, .n = g->n, .k = g->k,
    .a = (tsr_mem)a.at, .b = (tsr_mem)b.at, .c = (tsr_mem)c.at, .rsa = a.rs * size, .csa = a.cs * size,
    .rsb = b.rs * size, .csb = b.cs * size, .csc = c.cs * size, .alpha = g->alpha[0], .alpha_im = g->alpha[1],
    .beta = g->beta[0], .beta_im = g->beta[1],
    .flags = (g->trans_a > 1 ? TSR_CONJ_A : 0) | (g->trans_b > 1 ? TSR_CONJ_B : 0)};
  unsigned char *before = malloc(bytes);
  assert_non_null(before);
  memcpy(before, c.at, bytes);
  reference(g, &a, &b, &c);
  struct gemm_case plan = {.context = g->context, .d = {.type = g->type}};
  for (int path = 0; path < PATHS; path++)
    for (int threads = 1; threads <= 2; threads++) {
      int blocks = path == 0 ? 0 : (int)rng_below(&rng, 3);
      force_plan(&plan, path, blocks, blocks ? 1 + (int)rng_below(&rng, 3) : 0);
      if (path) tsr_gemm_forced.threads = threads;
      tsr_set_num_threads(g->context, threads);
      memcpy(c.at, before, bytes);
      assert_int_equal(tsr_gemm_compute(g->context, &problem, "complex gemm"), TSR_OK);
      compare(g, &c);
    }
  free(before);
  force_nothing();
}

static void vary(struct complex_case *g) {
  static const double scalars[][2] = {{1, 0}, {0, 0}, {-1, 0}, {0.5, 0.25}, {0, 1}, {1, 0}, {0.3, -2}, {-0.0, -0.0}};
  struct rng rng = {++g->seed ^ 0xc0};
  const double *alpha = scalars[rng_below(&rng, COUNT(scalars))], *beta = scalars[rng_below(&rng, COUNT(scalars))];
  memcpy(g->alpha, alpha, sizeof g->alpha);
  memcpy(g->beta, beta, sizeof g->beta);
  for (int i = 0; i < 2; i++) { /* as the type holds them */
    g->alpha[i] = rounded(g->type, g->alpha[i]);
    g->beta[i] = rounded(g->type, g->beta[i]);
  }
  g->gap = rng_below(&rng, 2) ? 0 : rng_below(&rng, 6);
  g->special = rng_below(&rng, 3) ? 0 : (int)(4 * g->k + 5);
}

static void each_kind(const struct complex_case *shape) {
  struct complex_case g = *shape;
  for (int kind = 0; kind < 16; kind++) {
    g.trans_a = kind % 4;
    g.trans_b = kind / 4;
    vary(&g);
    check(&g);
  }
}

/* One shape for each class that the plan knows: a tile and less, tiles with edges, across, skinny, blocks, a k split. */
static void every_path(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{1, 1, 1},    {5, 3, 7},    {24, 4, 20},  {33, 17, 50}, {64, 40, 33},
                                      {3, 130, 40}, {150, 2, 90}, {70, 90, 60}, {7, 5, 1300}, {101, 37, 400}};
  struct complex_case g = {.seed = test_seed()};
  for (int i = 0; i < ncontexts * COUNT(shapes) * 2; i++) {
    const int64_t *shape = shapes[i / 2 % COUNT(shapes)];
    g.context = contexts[i / 2 / COUNT(shapes)];
    g.type = i % 2 ? TSR_C64 : TSR_C32;
    g.m = shape[0], g.n = shape[1], g.k = shape[2];
    if (is_generic(g.context) && g.m * g.n * g.k > 50000) continue;
    g.seed += 100;
    each_kind(&g);
  }
}

/* Every number of rows and columns up to more than the preferred tile has, and a few depths. */
static void small_sizes(void **state) {
  (void)state;
  struct complex_case g = {.seed = test_seed() + 12345};
  for (int i = 0; i < ncontexts * 2; i++) {
    g.context = contexts[i / 2];
    g.type = i % 2 ? TSR_C64 : TSR_C32;
    for (g.m = 1; g.m <= 52; g.m += g.m < 30 ? 1 : 5)
      for (g.n = 1; g.n <= 18; g.n += g.n < 10 ? 1 : 3) {
        g.k = 1 + (g.m * 7 + g.n) % 11;
        g.trans_a = (int)(g.m + g.n) % 4;
        g.trans_b = (int)(g.m / 4 + g.n) % 4;
        vary(&g);
        check(&g);
      }
  }
}

/* Large enough that the library itself takes blocks and threads. */
static void blocks(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{250, 200, 300}, {97, 310, 520}};
  struct complex_case g = {.seed = test_seed() + 54321};
  for (int i = 0; i < ncontexts * COUNT(shapes) * 2; i++) {
    g.context = contexts[i / 2 / COUNT(shapes)];
    if (is_generic(g.context)) continue;
    g.type = i % 2 ? TSR_C64 : TSR_C32;
    g.m = shapes[i / 2 % 2][0], g.n = shapes[i / 2 % 2][1], g.k = shapes[i / 2 % 2][2];
    g.trans_a = i % 3;
    g.trans_b = (i + 1) % 3;
    vary(&g);
    check(&g);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {gemm_unit_test(every_path), gemm_unit_test(small_sizes), gemm_unit_test(blocks)};
  return cmocka_run_group_tests(tests, open_all, close_all);
}
