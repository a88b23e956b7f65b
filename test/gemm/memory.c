/* No read or write outside the operands: each of them ends, or begins, at a page that cannot be touched. The gaps
 * between the lines of C and what lies beside it are compared in every case of every GEMM test. */
#include <sys/mman.h>
#include <unistd.h>

#include "test/gemm/gemm_test.h"

static void both_ends(struct stage *s, struct gemm_case *g) {
  for (int path = 0; path < PATHS; path++)
    for (g->place = PLACE_END; g->place <= PLACE_START; g->place++) {
      force_plan(g, path, path % 3, path % 2);
      g->seed++;
      check_case(s, g);
    }
}

/* Every size to beyond two tiles, then every shape class. */
static void every_size(void **state) {
  (void)state;
  struct stage s;
  stage_open(&s, 1 << 20);
  for (int i = 0; i < ncontexts * 2; i++) {
    struct gemm_case g = {.context = contexts[i / 2], .d = TSR_GEMM_DESC, .seed = test_seed()};
    g.d.type = i % 2 ? TSR_F64 : TSR_F32;
    for (int size = 1; size < 104; size++)
      for (int layout = 0; layout < LAYOUTS; layout++) {
        g.d.beta = size % 3 == 0;
        case_sizes(&g, 1 + size * 11 % 103, size, 1 + (size + layout) % 19);
        case_layout(&g, layout, size % 4 ? 0 : 3);
        both_ends(&s, &g);
      }
  }
  force_nothing();
  stage_close(&s);
}

static void both_ends_in_threads(struct stage *s, struct gemm_case *g) {
  tsr_set_num_threads(g->context, 3);
  for (g->place = PLACE_END; g->place <= PLACE_START; g->place++) check_case(s, g);
  tsr_set_num_threads(g->context, 0);
}

static void shapes(void **state) {
  (void)state;
  each_shape(both_ends_in_threads);
}

/* A and B may be read-only, and are not touched at all when the product is not wanted. */
static void protect(const struct operand *o, int protection) {
  assert_int_equal(mprotect(o->region, o->region_bytes, protection), 0);
}

static void inputs_are_not_written(struct stage *s, struct gemm_case *g) {
  char why[WHY];
  stage_fill(s, g);
  stage_expect(s, g);
  protect(&s->a, PROT_READ);
  protect(&s->b, PROT_READ);
  bool holds = stage_holds(s, g, why);
  protect(&s->a, PROT_READ | PROT_WRITE);
  protect(&s->b, PROT_READ | PROT_WRITE);
  if (!holds) fail_msg("%s", why);
}

static void read_only_inputs(void **state) {
  (void)state;
  each_shape(inputs_are_not_written);
}

static void nothing_is_read_without_need(struct stage *s, struct gemm_case *g) {
  static const double betas[] = {0, 1, -0.5};
  char why[WHY];
  tsr_gemm_desc d = g->d;
  for (int i = 0; i < COUNT(betas) * 2; i++) {
    g->d.alpha = i % 2 ? 0 : d.alpha;
    g->d.k = i % 2 ? d.k : 0;
    g->d.beta = betas[i / 2];
    stage_fill(s, g);
    stage_expect(s, g);
    protect(&s->a, PROT_NONE);
    protect(&s->b, PROT_NONE);
    bool holds = stage_holds(s, g, why);
    protect(&s->a, PROT_READ | PROT_WRITE);
    protect(&s->b, PROT_READ | PROT_WRITE);
    if (!holds) fail_msg("%s", why);
  }
  g->d = d;
}

static void unread_inputs(void **state) {
  (void)state;
  each_shape(nothing_is_read_without_need);
}

static void empty_results(void **state) {
  (void)state;
  void *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct gemm_case g = {.d = TSR_GEMM_DESC};
  for (int i = 0; i < ncontexts * LAYOUTS; i++) {
    g.context = contexts[i / LAYOUTS];
    case_sizes(&g, 0, 7, 5);
    case_layout(&g, i % LAYOUTS, 0);
    assert_int_equal(tsr_gemm(g.context, &g.d, nowhere, nowhere, nowhere), TSR_OK);
    assert_int_equal(tsr_gemm(g.context, &g.d, NULL, NULL, NULL), TSR_OK);
    case_sizes(&g, 7, 0, 5);
    case_layout(&g, i % LAYOUTS, 0);
    assert_int_equal(tsr_gemm(g.context, &g.d, nowhere, nowhere, nowhere), TSR_OK);
    assert_int_equal(tsr_gemm(g.context, &g.d, NULL, NULL, NULL), TSR_OK);
  }
  munmap(nowhere, 4096);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      gemm_unit_test(every_size),    gemm_unit_test(shapes),        gemm_unit_test(read_only_inputs),
      gemm_unit_test(unread_inputs), gemm_unit_test(empty_results),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
