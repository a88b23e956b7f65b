/* Products of symmetric and Hermitian matrices and triangles of products, bit for bit those of gemm with whole
 * matrices, on every chip of this machine: operands end at a page that cannot be touched, and NaN lies in every
 * triangle that a routine must not read. `slow` takes more sizes. */
#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/core/memory.h"
#include "src/level3/level3.h"
#include "test/gemm/gemm_test.h"

static bool slow;

enum routine { GEMMT, SYRK, SYR2K, SYMM, ROUTINES };
static const char *const names[] = {"gemmt", "syrk", "syr2k", "symm"};
static const tsr_type types[] = {TSR_F32, TSR_F64, TSR_C32, TSR_C64};

static bool is_complex(tsr_type type) { return type == TSR_C32 || type == TSR_C64; }

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

static void put(tsr_type type, void *to, double re, double im) {
  float f[2] = {(float)re, (float)im};
  double d[2] = {re, im};
  memcpy(to, type == TSR_F32 || type == TSR_C32 ? (void *)f : (void *)d, (size_t)tsr_size_of(type));
}

static double uniform(struct rng *rng) { return (double)(int64_t)rng_next(rng) * 0x1p-63; }

static void fill(tsr_type type, struct matrix *x, struct rng *rng) {
  for (int64_t j = 0; j < x->cols; j++)
    for (int64_t i = 0; i < x->rows; i++) put(type, at(type, x, i, j), uniform(rng), uniform(rng));
}

static bool in_triangle(enum tsr_uplo uplo, int64_t i, int64_t j) {
  return uplo == TSR_UPLO_LOWER ? i >= j : i <= j;
}

/* NaN where nothing may be read, and in the imaginary parts of a Hermitian diagonal. */
static void poison(tsr_type type, struct matrix *x, enum tsr_uplo uplo, bool hermitian) {
  for (int64_t j = 0; j < x->cols; j++)
    for (int64_t i = 0; i < x->rows; i++) {
      if (!in_triangle(uplo, i, j)) put(type, at(type, x, i, j), NAN, NAN);
      if (i != j || !hermitian) continue;
      char *element = at(type, x, i, i);
      if (type == TSR_C32)
        ((float *)element)[1] = NAN;
      else
        ((double *)element)[1] = NAN;
    }
}

/* The whole of a matrix stored by half, the diagonal of a Hermitian one real. */
static void complete(tsr_type type, const struct matrix *half, struct matrix *whole, enum tsr_uplo uplo,
                     bool hermitian) {
  for (int64_t j = 0; j < half->cols; j++)
    for (int64_t i = 0; i < half->rows; i++) {
      bool stored = in_triangle(uplo, i, j);
      char element[16];
      memcpy(element, stored ? at(type, half, i, j) : at(type, half, j, i), (size_t)tsr_size_of(type));
      double sign = i == j ? 0 : stored ? 1 : -1;
      if (hermitian && type == TSR_C32) ((float *)element)[1] = sign == 0 ? 0 : (float)sign * ((float *)element)[1];
      if (hermitian && type == TSR_C64) ((double *)element)[1] = sign == 0 ? 0 : sign * ((double *)element)[1];
      memcpy(at(type, whole, i, j), element, (size_t)tsr_size_of(type));
    }
}

struct test {
  enum routine routine;
  struct tsr_level3 p;
  bool at_start;
  uint64_t seed;
};

static void text_of(const struct test *t, const tsr_context *context, char *text, size_t size) {
  const struct tsr_level3 *p = &t->p;
  const struct tsr_gemm_way *f = &tsr_gemm_forced;
  snprintf(text, size,
           "%s %s type %d side %d uplo %d op %d %d hermitian %d m %lld n %lld k %lld alpha %g %g beta %g %g seed %llu, "
           "forced path %d mc %lld nc %lld units %d columns %d threads %d",
           context->isa, names[t->routine], p->type, p->side, p->uplo, p->op_a, p->op_b, p->hermitian, (long long)p->m,
           (long long)p->n, (long long)p->k, p->alpha[0], p->alpha[1], p->beta[0], p->beta[1],
           (unsigned long long)t->seed, f->path, (long long)f->mc, (long long)f->nc, f->units, f->columns, f->threads);
}

static void gemm(const struct tsr_level3 *p, enum tsr_op_of op_a, enum tsr_op_of op_b, const struct matrix *a,
                 const struct matrix *b, const struct matrix *c, int64_t k, double alpha_im, bool first) {
  int64_t size = tsr_size_of(p->type);
  bool complex = is_complex(p->type);
  struct tsr_gemm_problem g = {
      .type = p->type, .type_c = p->type, .m = c->rows, .n = c->cols, .k = k,
      .a = (tsr_mem)a->data, .b = (tsr_mem)b->data, .c = (tsr_mem)c->data,
      .rsa = op_a ? a->ld * size : size, .csa = op_a ? size : a->ld * size,
      .rsb = op_b ? b->ld * size : size, .csb = op_b ? size : b->ld * size, .csc = c->ld * size,
      .alpha = p->alpha[0], .alpha_im = alpha_im, .beta = first ? p->beta[0] : 1, .beta_im = first ? p->beta[1] : 0,
      .flags = complex ? (op_a == TSR_OP_C ? TSR_CONJ_A : 0) | (op_b == TSR_OP_C ? TSR_CONJ_B : 0) : 0};
  struct tsr_gemm_way forced = tsr_gemm_forced;
  tsr_gemm_forced = (struct tsr_gemm_way){0};
  assert_int_equal(tsr_gemm_compute(contexts[0], &g, "reference"), TSR_OK);
  tsr_gemm_forced = forced;
}

static void real_diagonal(tsr_type type, const struct matrix *c) {
  for (int64_t i = 0; i < c->cols; i++) {
    char *element = at(type, c, i, i);
    if (type == TSR_C32)
      ((float *)element)[1] = 0;
    else
      ((double *)element)[1] = 0;
  }
}

static enum tsr_op_of turned(const struct tsr_level3 *p) {
  return p->op_a != TSR_OP_N ? TSR_OP_N : p->hermitian ? TSR_OP_C : TSR_OP_T;
}

/* Nothing to add to C and nothing to multiply it by: not even its diagonal is made real. */
static bool does_nothing(const struct test *t) {
  return t->routine != SYMM && t->p.k == 0 && t->p.beta[0] == 1 && t->p.beta[1] == 0;
}

/* C as it must become, from C as it was. */
static void expect(const struct test *t, const struct matrix *a, const struct matrix *b, struct matrix *c) {
  const struct tsr_level3 *p = &t->p;
  if (does_nothing(t)) return;
  if (p->hermitian && t->routine != SYMM) real_diagonal(p->type, c);
  switch (t->routine) {
    case GEMMT: gemm(p, p->op_a, p->op_b, a, b, c, p->k, p->alpha[1], true); break;
    case SYRK: gemm(p, p->op_a, turned(p), a, a, c, p->k, p->alpha[1], true); break;
    case SYR2K:
      gemm(p, p->op_a, turned(p), a, b, c, p->k, p->alpha[1], true);
      if (p->hermitian) real_diagonal(p->type, c);
      gemm(p, p->op_a, turned(p), b, a, c, p->k, p->hermitian ? -p->alpha[1] : p->alpha[1], false);
      break;
    default:
      if (p->side == TSR_LEFT)
        gemm(p, TSR_OP_N, TSR_OP_N, a, b, c, p->m, p->alpha[1], true);
      else
        gemm(p, TSR_OP_N, TSR_OP_N, b, a, c, p->n, p->alpha[1], true);
  }
  if (p->hermitian && t->routine != SYMM) real_diagonal(p->type, c);
}

static tsr_status call(const struct test *t, const tsr_context *context, const struct tsr_level3 *p) {
  switch (t->routine) {
    case GEMMT: return tsr_gemmt(context, p, "gemmt");
    case SYRK: return tsr_syrk(context, p, "syrk");
    case SYR2K: return tsr_syr2k(context, p, "syr2k");
    default: return tsr_symm(context, p, "symm");
  }
}

static bool same(tsr_type type, const void *x, const void *y) {
  bool single = type == TSR_F32 || type == TSR_C32;
  for (int64_t part = 0, size = single ? 4 : 8; part < tsr_size_of(type); part += size)
    if (!same_element(single ? TSR_F32 : TSR_F64, (const char *)x + part, (const char *)y + part)) return false;
  return true;
}

/* The triangle is as expected; everything else as it was, to the bit. */
static void compare(const struct test *t, const tsr_context *context, const struct matrix *c, const struct matrix *was,
                    const struct matrix *expected) {
  tsr_type type = t->p.type;
  for (int64_t j = 0; j < c->cols; j++)
    for (int64_t i = 0; i < c->ld && i + j * c->ld < (c->cols - 1) * c->ld + c->rows; i++) {
      bool computed = i < c->rows && (t->routine == SYMM || in_triangle(t->p.uplo, i, j));
      bool right = computed ? same(type, at(type, c, i, j), at(type, expected, i, j))
                            : !memcmp(at(type, c, i, j), at(type, was, i, j), (size_t)tsr_size_of(type));
      if (right) continue;
      char text[512];
      text_of(t, context, text, sizeof text);
      fail_msg("%s: element %lld, %lld is %s", text, (long long)i, (long long)j, computed ? "wrong" : "not C's");
    }
}

static struct matrix copy_of(tsr_type type, const struct matrix *x, bool at_start) {
  struct matrix copy = matrix_new(type, x->rows, x->cols, x->ld, at_start);
  memcpy(copy.data, x->data, x->bytes);
  return copy;
}

/* Sizes of A and B as they are stored. */
static void shapes_of(const struct test *t, int64_t a[2], int64_t b[2]) {
  const struct tsr_level3 *p = &t->p;
  bool symm = t->routine == SYMM;
  int64_t order = symm ? (p->side == TSR_LEFT ? p->m : p->n) : 0;
  a[0] = symm ? order : p->op_a ? p->k : p->n, a[1] = symm ? order : p->op_a ? p->n : p->k;
  b[0] = symm ? p->m : t->routine == GEMMT ? (p->op_b ? p->n : p->k) : a[0];
  b[1] = symm ? p->n : t->routine == GEMMT ? (p->op_b ? p->k : p->n) : a[1];
}

/* A case's operands, and C as it was and must become: for one or several calls. */
struct operands {
  struct matrix a, b, whole, was, expected, c;
};

static void prepare(const struct test *t, struct operands *o) {
  const struct tsr_level3 *p = &t->p;
  struct rng rng = {t->seed};
  int64_t a[2], b[2], gap = (int64_t)(t->seed % 3);
  shapes_of(t, a, b);
  o->a = matrix_new(p->type, a[0], a[1], tsr_max(a[0], 1) + gap, t->at_start);
  o->b = matrix_new(p->type, b[0], b[1], tsr_max(b[0], 1) + gap, t->at_start);
  fill(p->type, &o->a, &rng);
  fill(p->type, &o->b, &rng);
  int64_t rows = t->routine == SYMM ? p->m : p->n;
  o->was = matrix_new(p->type, rows, p->n, tsr_max(rows, 1) + gap, t->at_start);
  fill(p->type, &o->was, &rng);
  o->whole = copy_of(p->type, &o->a, false);
  if (t->routine == SYMM) complete(p->type, &o->a, &o->whole, p->uplo, p->hermitian);
  o->expected = copy_of(p->type, &o->was, false);
  expect(t, &o->whole, &o->b, &o->expected);
  bool unread = p->beta[0] == 0 && p->beta[1] == 0;
  for (int64_t j = 0; unread && j < o->was.cols; j++)
    for (int64_t i = 0; i < rows; i++) put(p->type, at(p->type, &o->was, i, j), NAN, NAN);
  if (t->routine == SYMM)
    poison(p->type, &o->a, p->uplo, p->hermitian);
  else
    poison(p->type, &o->was, p->uplo, p->hermitian && !does_nothing(t));
  o->c = copy_of(p->type, &o->was, t->at_start);
}

static void finish(struct operands *o) {
  matrix_free(&o->a), matrix_free(&o->b), matrix_free(&o->whole);
  matrix_free(&o->was), matrix_free(&o->expected), matrix_free(&o->c);
}

static void run_once(const struct test *t, const tsr_context *context, struct operands *o) {
  struct tsr_level3 p = t->p;
  memcpy(o->c.data, o->was.data, o->was.bytes);
  p.a = (tsr_mem)o->a.data, p.lda = o->a.ld;
  p.b = (tsr_mem)o->b.data, p.ldb = o->b.ld;
  p.c = (tsr_mem)o->c.data, p.ldc = o->c.ld;
  assert_int_equal(call(t, context, &p), TSR_OK);
  compare(t, context, &o->c, &o->was, &o->expected);
}

static void on_every_chip(const struct test *t) {
  struct operands o;
  prepare(t, &o);
  for (int i = 0; i < ncontexts; i++) run_once(t, contexts[i], &o);
  finish(&o);
}

/* Scalars by turns: none, one, others; real where the routine wants them real. */
static void scalars(struct test *t, uint64_t turn) {
  static const double alphas[][2] = {{1, 0}, {-0.75, 0.5}, {-1, 0}, {0.3, 0}};
  static const double betas[][2] = {{0, 0}, {1, 0}, {0.7, -0.2}};
  bool real = !is_complex(t->p.type), herk = t->p.hermitian && t->routine == SYRK;
  memcpy(t->p.alpha, alphas[turn % 4], sizeof t->p.alpha);
  memcpy(t->p.beta, betas[turn % 3], sizeof t->p.beta);
  if (real || herk) t->p.alpha[1] = 0;
  if (real || (t->p.hermitian && t->routine != SYMM)) t->p.beta[1] = 0;
}

typedef void test_body(const struct test *t);

/* Every combination of letters for one size. */
static void each_combination(int64_t m, int64_t n, int64_t k, uint64_t seed, test_body *body) {
  for (int ty = 0; ty < COUNT(types); ty++)
    for (int r = 0; r < ROUTINES; r++)
      for (int hermitian = 0; hermitian <= is_complex(types[ty]); hermitian++)
        for (int letters = 0; letters < (r == GEMMT ? 18 : 4); letters++) {
          struct test t = {.routine = r, .seed = seed, .at_start = seed % 2 == 0};
          seed++;
          t.p = (struct tsr_level3){.type = types[ty], .uplo = letters % 2, .m = m, .n = n, .k = k,
                                    .hermitian = hermitian};
          if (r == GEMMT && hermitian) continue;
          if (r == GEMMT) t.p.op_a = letters / 2 % 3, t.p.op_b = letters / 6;
          if (r == SYMM) t.p.side = letters / 2 % 2;
          if (r == SYRK || r == SYR2K) t.p.op_a = letters / 2 ? (hermitian ? TSR_OP_C : TSR_OP_T) : TSR_OP_N;
          scalars(&t, seed);
          body(&t);
        }
}

static void small_sizes(void **state) {
  (void)state;
  uint64_t seed = test_seed();
  for (int64_t n = 1; n <= (slow ? 80 : 36); n += n < 20 || slow ? 1 : 5)
    each_combination(1 + (n * 7) % 41, n, 1 + (n * 5) % 23, seed += 1000, on_every_chip);
}

static void nothing_to_multiply(void **state) {
  (void)state;
  each_combination(0, 0, 5, 1, on_every_chip);
  each_combination(5, 7, 0, 2, on_every_chip);
}

/* Blocks so small that few rows and columns have every kind of edge. */
static void small_blocks(const struct test *t) {
  static const struct { int path, mc, nc, units, columns, threads; } ways[] = {
      {TSR_GEMM_PACKED, 1, 1, 0, 0, 0}, {TSR_GEMM_PACKED, 2, 3, 0, 0, 2}, {TSR_GEMM_PACKED, 1, 0, 1, 0, 3},
      {TSR_GEMM_DIRECT, 1, 1, 0, 0, 0}, {TSR_GEMM_DIRECT, 2, 2, 0, 0, 2}, {TSR_GEMM_K_SPLIT, 0, 0, 0, 0, 2},
      {TSR_GEMM_PACKED, 0, 2, 0, 3, 2}, {TSR_GEMM_ACROSS, 0, 0, 0, 0, 1}};
  struct operands o;
  prepare(t, &o);
  for (int i = 0; i < ncontexts; i++) {
    const struct tsr_tiles *tiles = &contexts[i]->kernels[t->p.type].gemm;
    uint64_t w = t->seed % COUNT(ways);
    int units = ways[w].units ? ways[w].units : tiles->units;
    int columns = ways[w].columns ? ways[w].columns : tiles->columns;
    tsr_set_num_threads(contexts[i], 3);
    tsr_gemm_forced = (struct tsr_gemm_way){.path = ways[w].path, .threads = ways[w].threads, .units = ways[w].units,
                                            .columns = ways[w].columns, .mc = ways[w].mc * units * tiles->mu,
                                            .nc = ways[w].nc * columns};
    run_once(t, contexts[i], &o);
    tsr_gemm_forced = (struct tsr_gemm_way){0};
    tsr_set_num_threads(contexts[i], 0);
  }
  finish(&o);
}

static void blocks(void **state) {
  (void)state;
  uint64_t seed = test_seed();
  for (int turn = 0; turn < (slow ? 24 : 4); turn++)
    each_combination(20 + 31 * turn % 97, 30 + 37 * turn % 101, 1 + 53 * turn % 400, seed += 777, small_blocks);
}

/* As the library plans it, in one thread and in several, the strongest chip alone. */
static void in_threads(const struct test *t) {
  struct operands o;
  prepare(t, &o);
  for (int threads = 1; threads <= 3; threads++) {
    tsr_set_num_threads(contexts[0], threads);
    run_once(t, contexts[0], &o);
  }
  tsr_set_num_threads(contexts[0], 0);
  finish(&o);
}

static void large_sizes(void **state) {
  (void)state;
  static const int64_t sizes[][3] = {{150, 129, 385}, {90, 260, 70}, {70, 97, 800}, {389, 301, 257}, {513, 700, 90},
                                     {701, 513, 600}, {300, 650, 390}, {20, 640, 1000}, {640, 12, 1000}, {8, 10, 5000}};
  uint64_t seed = test_seed();
  for (int i = 0; i < (slow ? COUNT(sizes) : 3); i++)
    each_combination(sizes[i][0], sizes[i][1], sizes[i][2], seed += 100, in_threads);
}

/* Without scratch memory, wherever it ends. */
static void no_memory(const struct test *t) {
  struct operands o;
  if (t->seed % 5 > 1) return;
  prepare(t, &o);
  for (int calls = 0; calls < 3; calls++) {
    tsr_scratch_fail_after(calls);
    run_once(t, contexts[0], &o);
    tsr_scratch_fail_after(-1);
    tsr_scratch_release_thread();
  }
  finish(&o);
}

static void memory(void **state) {
  (void)state;
  each_combination(90, 130, 300, test_seed(), no_memory);
  each_combination(3, 70, 50, test_seed(), no_memory);
  each_combination(400, 9, 50, test_seed(), no_memory); /* several blocks of k */
  each_combination(9, 400, 50, test_seed(), no_memory);
}

/* Where there is nothing to do, nothing is touched: not even a diagonal's imaginary parts. */
static void untouched(void **state) {
  (void)state;
  double c[2] = {3, NAN}, a[2] = {NAN, NAN};
  struct tsr_level3 p = {.type = TSR_C64, .n = 1, .k = 1, .alpha = {0, 0}, .beta = {1, 0}, .hermitian = true,
                         .a = (tsr_mem)a, .c = (tsr_mem)c, .lda = 1, .ldc = 1};
  assert_int_equal(tsr_syrk(contexts[0], &p, "herk"), TSR_OK);
  assert_true(c[0] == 3 && isnan(c[1]));
  p.beta[0] = 2;
  assert_int_equal(tsr_syrk(contexts[0], &p, "herk"), TSR_OK);
  assert_true(c[0] == 6 && c[1] == 0);
  p.beta[0] = 0;
  c[0] = c[1] = NAN;
  assert_int_equal(tsr_syrk(contexts[0], &p, "herk"), TSR_OK);
  assert_true(c[0] == 0 && c[1] == 0);
}

int main(int argc, char **argv) {
  slow = argc > 1 && !strcmp(argv[1], "slow");
  const struct CMUnitTest tests[] = {
      gemm_unit_test(small_sizes), gemm_unit_test(nothing_to_multiply), gemm_unit_test(blocks),
      gemm_unit_test(large_sizes), gemm_unit_test(memory), gemm_unit_test(untouched),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
