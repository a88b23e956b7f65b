/* What must not break a product: no memory, no threads, a fork at a bad moment. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/core/memory.h"
#include "src/core/threads.h"
#include "test/gemm/gemm_test.h"

static void one_case(struct gemm_case *g, int64_t m, int64_t n, int64_t k, int layout) {
  case_sizes(g, m, n, k);
  case_layout(g, layout, 2);
  g->seed++;
  g->d.beta = 0.5;
}

/* Runs the case that is on the stage where memory may be short: either the right result, or the status and C as it
 * was. False when it failed for want of memory. */
static bool runs_or_refuses(struct stage *s, const struct gemm_case *g) {
  char why[WHY];
  stage_restore(s, g);
  tsr_status status = tsr_gemm(g->context, &g->d, s->a.data, s->b.data, s->c.data);
  if (status == TSR_OK && !stage_compare(s, g, why)) fail_msg("%s", why);
  if (status == TSR_OK) return true;
  assert_int_equal(status, TSR_OUT_OF_MEMORY);
  assert_true(strlen(tsr_last_error()) > 0);
  assert_true(stage_untouched(s, g));
  return false;
}

static void do_nothing(void *arg, int index) {
  (void)arg;
  (void)index;
}

/* Whether the pool still has its threads, which a call that gave up might have kept. */
static bool team_is_whole(const struct gemm_case *g, int threads) {
  struct tsr_team team;
  tsr_team_reserve(g->context, threads, &team);
  int n = team.n;
  tsr_team_run(&team, do_nothing, NULL);
  return n == threads;
}

/* Every request for scratch memory from the first, the second, ... on fails. */
static void requests_fail(struct stage *s, const struct gemm_case *g, int threads) {
  static const int after[] = {0, 1, 2, 3, 4, 5, 6, 8, 12, 30};
  for (int i = 0; i < COUNT(after); i++) {
    tsr_release();
    tsr_scratch_fail_after(after[i]);
    runs_or_refuses(s, g);
    tsr_scratch_fail_after(-1);
  }
  if (!runs_or_refuses(s, g)) fail_msg("memory is back, but the call fails: %s", tsr_last_error());
  if (!team_is_whole(g, threads)) fail_msg("path %d keeps threads when it has no memory", tsr_gemm_forced.path);
}

static void no_scratch_memory(void **state) {
  (void)state;
  static const int64_t sizes[][3] = {{70, 60, 900}, {300, 290, 400}, {2, 3, 5000}, {3, 400, 300}, {400, 1, 600}};
  struct stage s;
  stage_open(&s, 1 << 22);
  for (int i = 0; i < ncontexts * 2 * PATHS * COUNT(sizes); i++) {
    const int64_t *size = sizes[i % COUNT(sizes)];
    struct gemm_case g = {.context = contexts[i / COUNT(sizes) / PATHS / 2], .d = TSR_GEMM_DESC, .seed = test_seed()};
    if (is_generic(g.context) && i % 4) continue;
    int threads = i / COUNT(sizes) % 2 ? 3 : 1;
    force_plan(&g, i / COUNT(sizes) / 2 % PATHS, 0, 0);
    tsr_gemm_forced.threads = threads;
    tsr_set_num_threads(g.context, threads);
    one_case(&g, size[0], size[1], size[2], i % LAYOUTS);
    stage_fill(&s, &g);
    stage_expect(&s, &g);
    requests_fail(&s, &g, threads);
    tsr_set_num_threads(g.context, 0);
  }
  force_nothing();
  stage_close(&s);
}

/* A check in a child process, which must end by itself with success. */
typedef void child_body(struct stage *s, struct gemm_case *g);

static pid_t start_child(child_body *body, struct stage *s, struct gemm_case *g) {
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    alarm(120);
    body(s, g);
    _exit(3);
  }
  return child;
}

static void await_child(pid_t child, const char *what) {
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status)) fail_msg("%s: the child died of signal %d", what, WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) fail_msg("%s: the child ended with %d", what, WEXITSTATUS(status));
}

/* In a child nothing may be left to cmocka, whose jump would go back into the parent's tests. */
static void child_ends(bool right, const char *why) {
  if (!right) fprintf(stderr, "%s\n", why);
  fflush(stderr);
  _exit(right ? 0 : 1);
}

static size_t address_space(void) {
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file && fscanf(file, "%lu", &pages) != 1) pages = 0;
  if (file) fclose(file);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* With 64 KiB, 1 MiB, ... of address space left. */
static void under_limits(struct stage *s, struct gemm_case *g) {
  for (size_t left = 1 << 16; left <= (size_t)1 << 26; left *= 4) {
    struct rlimit limit = {address_space() + left, RLIM_INFINITY};
    setrlimit(RLIMIT_AS, &limit);
    stage_restore(s, g);
    char why[WHY] = "the call failed and changed C";
    tsr_status status = tsr_gemm(g->context, &g->d, s->a.data, s->b.data, s->c.data);
    bool right = status == TSR_OK ? stage_compare(s, g, why) : status == TSR_OUT_OF_MEMORY && stage_untouched(s, g);
    if (!right) child_ends(false, why);
  }
  child_ends(true, "");
}

static void limited_address_space(void **state) {
  (void)state;
  if (UNDER_ASAN || UNDER_TSAN) skip();
  struct stage s;
  stage_open(&s, 1 << 22);
  for (int i = 0; i < ncontexts * 4; i++) {
    struct gemm_case g = {.context = contexts[i / 4], .d = TSR_GEMM_DESC, .seed = test_seed()};
    tsr_release();
    tsr_set_num_threads(g.context, i % 2 ? 4 : 1);
    one_case(&g, 257, 300, i / 2 % 2 ? 770 : 100, 3);
    stage_fill(&s, &g);
    stage_expect(&s, &g);
    await_child(start_child(under_limits, &s, &g), "limited address space");
    tsr_set_num_threads(g.context, 0);
  }
  stage_close(&s);
}

static void without_threads(struct stage *s, struct gemm_case *g) {
  char why[WHY];
  for (int started = 0; started < 4; started++) {
    tsr_set_num_threads(g->context, 4);
    tsr_pool_fail_after(started == 3 ? -1 : 0);
    if (!stage_holds(s, g, why)) child_ends(false, why);
  }
  child_ends(true, "");
}

/* In a child, whose pool is empty. */
static void no_threads(void **state) {
  (void)state;
  if (UNDER_TSAN) skip();
  struct stage s;
  stage_open(&s, 1 << 22);
  for (int i = 0; i < ncontexts; i++) {
    struct gemm_case g = {.context = contexts[i], .d = TSR_GEMM_DESC, .seed = test_seed()};
    one_case(&g, 257, 300, 400, i);
    stage_fill(&s, &g);
    stage_expect(&s, &g);
    await_child(start_child(without_threads, &s, &g), "no threads");
  }
  stage_close(&s);
}

/* fork. ThreadSanitizer does not follow a forked child that starts threads. */

static void computes_again(struct stage *s, struct gemm_case *g) {
  char why[WHY];
  for (int threads = 1; threads <= 4; threads++) {
    tsr_set_num_threads(g->context, threads);
    if (!stage_holds(s, g, why)) child_ends(false, why);
  }
  child_ends(true, "");
}

static void forks_in_turn(struct stage *s, struct gemm_case *g) {
  pid_t child = start_child(computes_again, s, g);
  int status = 0;
  bool ended = waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (!ended) child_ends(false, "the child's child failed");
  computes_again(s, g);
}

static void fork_after_use(void **state) {
  (void)state;
  if (UNDER_TSAN) skip();
  struct stage s;
  stage_open(&s, 1 << 22);
  for (int i = 0; i < ncontexts; i++) {
    struct gemm_case g = {.context = contexts[i], .d = TSR_GEMM_DESC, .seed = test_seed()};
    one_case(&g, 257, 300, 400, i);
    tsr_set_num_threads(g.context, 3);
    check_case(&s, &g);
    await_child(start_child(forks_in_turn, &s, &g), "fork after use");
    check_stage(&s, &g);
    tsr_set_num_threads(g.context, 0);
  }
  stage_close(&s);
}

static _Atomic bool stop;

static void *compute_until_stopped(void *arg) {
  struct gemm_case g = {.context = arg, .d = TSR_GEMM_DESC, .seed = test_seed()};
  struct stage s;
  char why[WHY];
  bool holds = true;
  stage_open(&s, 1 << 22);
  one_case(&g, 201, 190, 420, 5);
  stage_fill(&s, &g);
  stage_expect(&s, &g);
  while (!atomic_load(&stop) && holds) holds = stage_holds(&s, &g, why);
  stage_close(&s);
  return holds ? NULL : arg;
}

static void fork_amid_calls(void **state) {
  (void)state;
  /* The sanitizers' own allocators are not safe across a fork beside busy threads. */
  if (UNDER_ASAN || UNDER_TSAN) skip();
  enum { CALLERS = 3, FORKS = 40 };
  pthread_t caller[CALLERS];
  struct gemm_case g = {.context = contexts[0], .d = TSR_GEMM_DESC, .seed = test_seed()};
  struct stage s;
  stage_open(&s, 1 << 22);
  one_case(&g, 130, 140, 500, 2);
  stage_fill(&s, &g);
  stage_expect(&s, &g);
  tsr_set_num_threads(g.context, 3);
  atomic_store(&stop, false);
  for (int i = 0; i < CALLERS; i++) pthread_create(&caller[i], NULL, compute_until_stopped, contexts[0]);
  for (int i = 0; i < FORKS; i++) {
    await_child(start_child(computes_again, &s, &g), "fork amid calls");
    check_stage(&s, &g);
  }
  atomic_store(&stop, true);
  for (int i = 0; i < CALLERS; i++) {
    void *failed;
    pthread_join(caller[i], &failed);
    assert_null(failed);
  }
  tsr_set_num_threads(g.context, 0);
  stage_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      gemm_unit_test(no_scratch_memory), gemm_unit_test(limited_address_space), gemm_unit_test(no_threads),
      gemm_unit_test(fork_after_use),    gemm_unit_test(fork_amid_calls),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
