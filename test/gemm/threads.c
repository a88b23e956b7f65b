/* Callers at the same time, callers inside parallel regions, and a thread count that changes under way. */
#include <pthread.h>
#include <stdatomic.h>

#include "test/gemm/gemm_test.h"

/* A thread that computes one shape again and again on a stage of its own and keeps what was wrong. */
struct caller {
  pthread_t thread;
  struct gemm_case g;
  int calls;
  bool holds;
  char why[WHY];
};

static void *call(void *arg) {
  struct caller *c = arg;
  struct stage s;
  stage_open(&s, 1 << 22);
  c->holds = true;
  for (int i = 0; i < c->calls && c->holds; i++) {
    c->g.seed++;
    case_layout(&c->g, i % LAYOUTS, i % 3);
    c->g.place = (enum place)(i % PLACE_COUNT);
    c->holds = case_holds(&s, &c->g, c->why);
  }
  stage_close(&s);
  return NULL;
}

static void prepare_caller(struct caller *c, tsr_context *context, int number) {
  static const int64_t sizes[][3] = {{300, 290, 400}, {17, 500, 33},  {5, 6, 7},
                                     {129, 65, 800},  {1, 700, 600}, {8, 9, 4000}};
  const int64_t *size = sizes[number % COUNT(sizes)];
  memset(c, 0, sizeof *c);
  c->g = (struct gemm_case){.context = context, .d = TSR_GEMM_DESC, .seed = test_seed() + 1000 * (uint64_t)number};
  case_sizes(&c->g, size[0], size[1], size[2]);
  c->g.d.type = number % 3 == 1 ? TSR_F64 : TSR_F32;
  c->g.d.beta = 1;
  c->calls = size[0] * size[1] * size[2] > 10000000 ? 12 : 60;
  if (is_generic(context)) c->calls /= 6;
}

static void run_callers(struct caller *callers, int n) {
  for (int i = 0; i < n; i++) assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
  for (int i = 0; i < n; i++) pthread_join(callers[i].thread, NULL);
  for (int i = 0; i < n; i++)
    if (!callers[i].holds) fail_msg("caller %d: %s", i, callers[i].why);
}

static void concurrent_callers(void **state) {
  (void)state;
  enum { CALLERS = 6 };
  struct caller callers[CALLERS];
  for (int i = 0; i < ncontexts * THREAD_COUNTS; i++) {
    tsr_context *context = contexts[i / THREAD_COUNTS];
    tsr_set_num_threads(context, thread_counts[i % THREAD_COUNTS]);
    for (int j = 0; j < CALLERS; j++) prepare_caller(&callers[j], context, j);
    run_callers(callers, CALLERS);
    tsr_set_num_threads(context, 0);
  }
}

/* All on the default context at once, from its first use on. */
static void callers_of_the_default_context(void **state) {
  (void)state;
  enum { CALLERS = 4 };
  struct caller callers[CALLERS];
  for (int j = 0; j < CALLERS; j++) {
    prepare_caller(&callers[j], contexts[0], j);
    callers[j].g.context = NULL;
  }
  run_callers(callers, CALLERS);
}

static _Atomic bool stop;

static void *change_threads(void *arg) {
  for (int n = 0; !atomic_load(&stop); n = (n + 1) % 8) {
    tsr_set_num_threads(arg, n);
    tsr_set_num_threads(NULL, (n + 3) % 8);
    if (n == 5) tsr_release();
  }
  return NULL;
}

static void changing_thread_count(void **state) {
  (void)state;
  enum { CALLERS = 3 };
  struct caller callers[CALLERS];
  pthread_t changer;
  atomic_store(&stop, false);
  assert_int_equal(pthread_create(&changer, NULL, change_threads, contexts[0]), 0);
  for (int j = 0; j < CALLERS; j++) prepare_caller(&callers[j], contexts[0], j);
  run_callers(callers, CALLERS);
  atomic_store(&stop, true);
  pthread_join(changer, NULL);
  tsr_set_num_threads(contexts[0], 0);
  tsr_set_num_threads(NULL, 0);
}

/* A caller's own parallel-for, on threads of its own; a nested product inside each body. */
struct crew {
  tsr_context *nested;
  bool helps; /* the calling thread computes other products while it waits, as task schedulers do */
  _Atomic int loops, bodies, wrong;
};

struct member {
  pthread_t thread;
  struct crew *crew;
  tsr_parallel_body body;
  void *arg;
  int index;
};

static bool nested_product_is_right(tsr_context *context) {
  enum { N = 90 };
  float *a = malloc(N * N * sizeof *a), *c = malloc(N * N * sizeof *c);
  tsr_gemm_desc d = TSR_GEMM_DESC;
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = N;
  for (int i = 0; i < N * N; i++) a[i] = 1;
  bool right = tsr_gemm(context, &d, a, a, c) == TSR_OK;
  for (int i = 0; i < N * N; i++) right = right && c[i] == N;
  free(a);
  free(c);
  return right;
}

static void *run_body(void *arg) {
  struct member *m = arg;
  if (!nested_product_is_right(m->crew->nested)) atomic_fetch_add(&m->crew->wrong, 1);
  m->body(m->arg, m->index);
  atomic_fetch_add(&m->crew->bodies, 1);
  return NULL;
}

static void crew_for(void *user, int n, int concurrent, tsr_parallel_body body, void *arg) {
  struct crew *crew = user;
  struct member *members = calloc((size_t)n, sizeof *members);
  atomic_fetch_add(&crew->loops, 1);
  for (int i = n - 1; i >= 0; i--) {
    members[i] = (struct member){.crew = crew, .body = body, .arg = arg, .index = i};
    if (!concurrent)
      run_body(&members[i]);
    else if (pthread_create(&members[i].thread, NULL, run_body, &members[i]) != 0)
      abort();
  }
  for (int i = 0; i < 8 && crew->helps; i++)
    if (!nested_product_is_right(crew->nested)) atomic_fetch_add(&crew->wrong, 1);
  for (int i = 0; i < n && concurrent; i++) pthread_join(members[i].thread, NULL);
  free(members);
}

static void with_crew(struct stage *s, struct gemm_case *g, struct crew *crew) {
  assert_int_equal(tsr_set_parallel_for(g->context, crew_for, crew), TSR_OK);
  tsr_set_num_threads(g->context, 3);
  check_case(s, g);
  assert_int_equal(atomic_load(&crew->wrong), 0);
  assert_true(atomic_load(&crew->loops) > 0 && atomic_load(&crew->bodies) >= atomic_load(&crew->loops));
  assert_int_equal(tsr_set_parallel_for(g->context, NULL, NULL), TSR_OK);
  tsr_set_num_threads(g->context, 0);
  check_stage(s, g);
}

/* Every path, with products in the bodies that take the same path on another context. */
static void crews(bool helps) {
  struct stage s;
  stage_open(&s, 1 << 22);
  for (int i = 0; i < ncontexts * PATHS * LAYOUTS; i++) {
    tsr_context *context = contexts[i / PATHS / LAYOUTS], *other;
    struct crew crew = {.helps = helps};
    struct gemm_case g = {.context = context, .d = TSR_GEMM_DESC, .seed = test_seed() + (uint64_t)i};
    assert_int_equal(tsr_context_create(tsr_context_isa(contexts[0]), &other), TSR_OK);
    crew.nested = other;
    force_plan(&g, i % PATHS, 0, 0);
    tsr_gemm_forced.threads = 3;
    tsr_set_num_threads(other, 3);
    case_sizes(&g, 130, 120, 800);
    case_layout(&g, i / PATHS % LAYOUTS, 1);
    with_crew(&s, &g, &crew);
    force_nothing();
    tsr_context_destroy(other);
  }
  stage_close(&s);
}

static void own_parallel_for(void **state) {
  (void)state;
  crews(false);
}

static void own_parallel_for_that_helps(void **state) {
  (void)state;
  crews(true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      gemm_unit_test(callers_of_the_default_context), gemm_unit_test(concurrent_callers),
      gemm_unit_test(changing_thread_count),          gemm_unit_test(own_parallel_for_that_helps),
      gemm_unit_test(own_parallel_for),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
