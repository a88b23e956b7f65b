/* The bits of a result depend on nothing but the operands: not on threads, neighbours, strides, alignment. */
#include "test/gemm/gemm_test.h"

static void same_for_all_threads(struct stage *s, struct gemm_case *g) {
  stage_fill(s, g);
  stage_expect(s, g);
  for (int i = 0; i < THREAD_COUNTS; i++) {
    assert_int_equal(tsr_set_num_threads(g->context, thread_counts[i]), TSR_OK);
    assert_int_equal(tsr_get_num_threads(g->context), thread_counts[i]);
    check_stage(s, g);
  }
  assert_int_equal(tsr_set_num_threads(g->context, 0), TSR_OK);
}

static void threads(void **state) {
  (void)state;
  each_shape(same_for_all_threads);
}

/* Small blocks: every thread gets several, and edges lie between threads. */
static void same_for_all_threads_in_small_blocks(struct stage *s, struct gemm_case *g) {
  if (g->d.m > 300 || g->d.n > 300 || g->d.k > 800 || g->seed % 2) return;
  stage_fill(s, g);
  stage_expect(s, g);
  for (int i = 0; i < PATHS * THREAD_COUNTS; i++) {
    int threads = thread_counts[i % THREAD_COUNTS];
    force_plan(g, i / THREAD_COUNTS, 1, 1);
    tsr_gemm_forced.threads = threads;
    tsr_gemm_forced.groups = (int)(g->seed % 3);
    tsr_set_num_threads(g->context, threads);
    check_stage(s, g);
  }
  tsr_set_num_threads(g->context, 0);
  force_nothing();
}

static void threads_in_small_blocks(void **state) {
  (void)state;
  each_shape(same_for_all_threads_in_small_blocks);
}

static void same_again(struct stage *s, struct gemm_case *g) {
  char why[WHY];
  tsr_set_num_threads(g->context, 3);
  check_case(s, g);
  int64_t bytes = s->c.elements * tsr_size_of(g->d.type);
  char *first = malloc((size_t)bytes + 1);
  memcpy(first, s->c.data, (size_t)bytes);
  for (int i = 0; i < 3; i++)
    if (!stage_holds(s, g, why) || memcmp(first, s->c.data, (size_t)bytes) != 0) fail_msg("another run, other bits");
  free(first);
  tsr_set_num_threads(g->context, 0);
}

static void repeated_runs(void **state) {
  (void)state;
  each_shape(same_again);
}

/* Operands at every alignment, odd addresses included. */
static void same_at_any_address(struct stage *s, struct gemm_case *g) {
  if (g->d.m * g->d.n * g->d.k > 600000) return;
  g->place = PLACE_MIDDLE;
  for (g->shift = 0; g->shift < 64; g->shift += g->shift < 10 ? 1 : 9) check_case(s, g);
  g->shift = 0;
}

static void alignments(void **state) {
  (void)state;
  each_shape(same_at_any_address);
}

static void same_at_any_stride(struct stage *s, struct gemm_case *g) {
  static const int gaps[] = {0, 1, 2, 15, 16, 33};
  if (g->d.m * g->d.n * g->d.k > 600000) return;
  for (int i = 0; i < COUNT(gaps) * COUNT(gaps); i++) {
    case_layout(g, i % LAYOUTS, gaps[i % COUNT(gaps)]);
    g->d.ldb += gaps[i / COUNT(gaps)];
    check_case(s, g);
  }
}

static void strides(void **state) {
  (void)state;
  each_shape(same_at_any_stride);
}

/* Where row i of op(A) and C (or column j of op(B) and C) starts, in bytes. */
static int64_t row_at(const tsr_gemm_desc *d, tsr_trans trans, int64_t ld, int64_t i) {
  return i * ((d->order == TSR_ROW_MAJOR) == (trans == TSR_NO_TRANS) ? ld : 1) * tsr_size_of(d->type);
}

static int64_t column_at(const tsr_gemm_desc *d, tsr_trans trans, int64_t ld, int64_t j) {
  return j * ((d->order == TSR_ROW_MAJOR) == (trans == TSR_NO_TRANS) ? 1 : ld) * tsr_size_of(d->type);
}

/* Computes `rows` rows from i and `cols` columns from j on their own, over what the whole call was given as C. */
static void part(struct stage *s, const struct gemm_case *g, char *c, int64_t i, int64_t rows, int64_t j,
                 int64_t cols) {
  tsr_gemm_desc d = g->d;
  d.m = rows;
  d.n = cols;
  int64_t c_at = row_at(&d, TSR_NO_TRANS, d.ldc, i) + column_at(&d, TSR_NO_TRANS, d.ldc, j);
  assert_int_equal(tsr_gemm(g->context, &d, s->a.data + row_at(&d, d.trans_a, d.lda, i),
                            s->b.data + column_at(&d, d.trans_b, d.ldb, j), c + c_at), TSR_OK);
}

/* 1000 rows at once give each row the bits that it gets alone or in company of any size; the same for columns. */
static void same_in_any_company(struct stage *s, struct gemm_case *g, bool by_rows) {
  struct rng rng = {g->seed};
  char why[WHY];
  int64_t bytes, all = by_rows ? g->d.m : g->d.n;
  stage_fill(s, g);
  bytes = s->c.elements * tsr_size_of(g->d.type);
  char *whole = malloc((size_t)bytes);
  memcpy(whole, s->c.data, (size_t)bytes);
  assert_int_equal(tsr_gemm(g->context, &g->d, s->a.data, s->b.data, whole), TSR_OK);
  for (int64_t at = 0, some; at < all; at += some) {
    some = at % 3 ? 1 : 1 + rng_below(&rng, 100);
    if (some > all - at) some = all - at;
    part(s, g, s->c.data, by_rows ? at : 0, by_rows ? some : g->d.m, by_rows ? 0 : at, by_rows ? g->d.n : some);
  }
  memcpy(s->expected, whole, (size_t)bytes);
  free(whole);
  if (!stage_compare(s, g, why)) fail_msg("alone and in company differ: %s", why);
}

static void rows_and_columns(void **state) {
  (void)state;
  struct stage s;
  stage_open(&s, 1 << 23);
  for (int i = 0; i < ncontexts * 2 * LAYOUTS * 2; i++) {
    struct gemm_case g = {.d = TSR_GEMM_DESC, .seed = test_seed() + (uint64_t)i};
    bool by_rows = i % 2;
    g.context = contexts[i / 4 / LAYOUTS];
    g.d.type = i / 2 % 2 ? TSR_F64 : TSR_F32;
    g.d.beta = 1;
    g.fill = FILL_SPECIAL;
    int64_t all = is_generic(g.context) ? 100 : 1000, k = is_generic(g.context) ? 260 : 800;
    case_sizes(&g, by_rows ? all : 33, by_rows ? 33 : all, k);
    case_layout(&g, i / 4 % LAYOUTS, 2);
    same_in_any_company(&s, &g, by_rows);
  }
  stage_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      gemm_unit_test(threads), gemm_unit_test(threads_in_small_blocks), gemm_unit_test(repeated_runs),
      gemm_unit_test(alignments), gemm_unit_test(strides), gemm_unit_test(rows_and_columns),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
