/* Products inside a caller's OpenMP region, nested ones too: no deadlock, and each with its own bits. */
#include <dlfcn.h>
#include <omp.h>
#include <stdatomic.h>

#include "test/gemm/gemm_test.h"

static void compute(int number, bool *holds, char *why) {
  struct stage s;
  struct gemm_case g = {.context = contexts[0], .d = TSR_GEMM_DESC, .seed = test_seed() + (uint64_t)number};
  stage_open(&s, 1 << 20);
  case_sizes(&g, 100 + number, 150, 400);
  case_layout(&g, number % LAYOUTS, 1);
  *holds = case_holds(&s, &g, why);
  stage_close(&s);
}

enum { CALLS = 24 };

static void in_a_region(void **state) {
  (void)state;
  static bool holds[CALLS];
  static char why[CALLS][WHY];
  tsr_set_num_threads(contexts[0], 3);
#pragma omp parallel for num_threads(4) schedule(dynamic)
  for (int i = 0; i < CALLS; i++) compute(i, &holds[i], why[i]);
  for (int i = 0; i < CALLS; i++)
    if (!holds[i]) fail_msg("%s", why[i]);
  tsr_set_num_threads(contexts[0], 0);
}

static void in_nested_regions(void **state) {
  (void)state;
  static bool holds[4];
  static char why[4][WHY];
  omp_set_max_active_levels(2);
#pragma omp parallel for num_threads(2)
  for (int i = 0; i < 2; i++)
#pragma omp parallel for num_threads(2)
    for (int j = 0; j < 2; j++) compute(2 * i + j, &holds[2 * i + j], why[2 * i + j]);
  for (int i = 0; i < 4; i++)
    if (!holds[i]) fail_msg("%s", why[i]);
}

/* The team's own parallel-for: OpenMP threads run the loops of one product. */
static void omp_for(void *user, int n, int concurrent, tsr_parallel_body body, void *arg) {
  (void)user;
  (void)concurrent;
#pragma omp parallel num_threads(n)
  body(arg, omp_get_thread_num());
}

static void check_parallel_for(tsr_parallel_for parallel, void *user) {
  bool holds = false;
  char why[WHY];
  omp_set_dynamic(0);
  assert_int_equal(tsr_set_parallel_for(contexts[0], parallel, user), TSR_OK);
  for (int threads = 1; threads <= 4; threads++) {
    tsr_set_num_threads(contexts[0], threads);
    compute(threads, &holds, why);
    if (!holds) fail_msg("%s", why);
  }
  tsr_set_num_threads(contexts[0], 0);
  assert_int_equal(tsr_set_parallel_for(contexts[0], NULL, NULL), TSR_OK);
}

static void as_parallel_for(void **state) {
  (void)state;
  check_parallel_for(omp_for, NULL);
}

static void by_the_runtime(void **state) {
  (void)state;
  void *parallel = dlsym(RTLD_DEFAULT, "GOMP_parallel");
  if (!parallel) skip();
  check_parallel_for(tsr_openmp_parallel_for, parallel);
}

static atomic_int ran[40];
static void count_run(void *arg, int index) {
  assert_ptr_equal(arg, ran);
  atomic_fetch_add(&ran[index], 1);
}

/* Inside a region, where no further threads come, each index still runs once. */
static void with_fewer_threads(void **state) {
  (void)state;
  void *parallel = dlsym(RTLD_DEFAULT, "GOMP_parallel");
  if (!parallel) skip();
  omp_set_max_active_levels(1);
#pragma omp parallel num_threads(2)
#pragma omp single
  tsr_openmp_parallel_for(parallel, 40, 0, count_run, ran);
  for (int i = 0; i < 40; i++) assert_int_equal(ran[i], 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {gemm_unit_test(in_a_region), gemm_unit_test(in_nested_regions),
                                     gemm_unit_test(as_parallel_for), gemm_unit_test(by_the_runtime),
                                     gemm_unit_test(with_fewer_threads)};
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
