/* Callers at the same time, a caller's own parallel-for, forked children, threads that change under way. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/core/threads.h"
#include "test/attention/attention_test.h"

/* A thread that computes a problem of its own again and again and keeps what was wrong. */
struct caller {
  pthread_t thread;
  struct problem p;
  tsr_context *context;
  int calls, threads;
  bool holds;
  char why[WHY];
};

static const tsr_attention_plan *shared_plan;

static bool row_is_right(const struct problem *p, const char *out, int64_t b, int64_t h, int64_t i) {
  for (int64_t e = 0; e < p->d.d_v; e++) {
    float want = p->out[row_of(&p->d, b, h, i) * p->d.d_v + e];
    char expected[4];
    const char *got = out + bytes_of(p->d.type_out, out_at(&p->d, b, h, i) + e);
    store(p->d.type_out, expected, want);
    if (want == want && memcmp(got, expected, bytes_of(p->d.type_out, 1)) != 0) return false;
  }
  return true;
}

/* Without view_holds, which sets the context's threads. */
static bool call_holds(struct caller *c, const tsr_attention_plan *plan, void *workspace, char *out) {
  const struct problem *p = &c->p;
  memset(out, 0xa5, bytes_of(p->d.type_out, out_extent(&p->d)));
  tsr_status status = plan ? tsr_attention_run(plan, &p->d, p->q, p->k, p->v, out, NULL, workspace)
                           : tsr_attention(c->context, &p->d, p->q, p->k, p->v, out, NULL);
  if (status != TSR_OK) return snprintf(c->why, WHY, "%s", tsr_last_error()) < 0;
  for (int64_t b = 0; b < p->d.batch; b++)
    for (int64_t h = 0; h < p->d.heads_q; h++)
      for (int64_t i = 0; i < q_rows(&p->d, b); i++)
        if (!row_is_right(p, out, b, h, i)) {
          problem_text(p, c->why, WHY);
          return false;
        }
  return true;
}

static void *call(void *arg) {
  struct caller *c = arg;
  char *out = malloc(bytes_of(c->p.d.type_out, out_extent(&c->p.d)) + 1);
  void *workspace = NULL;
  if (shared_plan && posix_memalign(&workspace, 64, tsr_attention_plan_workspace(shared_plan) + 64) != 0) abort();
  c->holds = true;
  for (int i = 0; i < c->calls && c->holds; i++) c->holds = call_holds(c, shared_plan, workspace, out);
  free(out);
  free(workspace);
  return NULL;
}

static void draw(struct problem *p, uint64_t seed, unsigned features, double work) {
  do problem_draw(p, seed++, features, work);
  while (rows_of(&p->d) == 0 || p->d.len_kv == 0 ? (problem_close(p), true) : false);
}

static void run_callers(struct caller *callers, int n) {
  for (int i = 0; i < n; i++) assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
  for (int i = 0; i < n; i++) pthread_join(callers[i].thread, NULL);
  for (int i = 0; i < n; i++)
    if (!callers[i].holds) fail_msg("caller %d: %s", i, callers[i].why);
}

enum { CALLERS = 5 };

static void draw_callers(struct caller *callers, tsr_context *context, uint64_t seed) {
  for (int i = 0; i < CALLERS; i++) {
    memset(&callers[i], 0, sizeof callers[i]);
    callers[i].context = context;
    callers[i].calls = is_generic(context ? context : contexts[0]) ? 3 : 30;
    draw(&callers[i].p, seed + 20 * (uint64_t)i, F_ALL, 2e6);
  }
}

static void close_callers(struct caller *callers) {
  for (int i = 0; i < CALLERS; i++) problem_close(&callers[i].p);
}

static void concurrent_callers(void **state) {
  (void)state;
  struct caller callers[CALLERS];
  for (int i = 0; i < ncontexts * 3; i++) {
    tsr_set_num_threads(contexts[i / 3], 1 + i % 3);
    draw_callers(callers, contexts[i / 3], test_seed() * 5000 + 100 * (uint64_t)i);
    run_callers(callers, CALLERS);
    close_callers(callers);
  }
}

static void callers_of_the_default_context(void **state) {
  (void)state;
  struct caller callers[CALLERS];
  draw_callers(callers, NULL, test_seed() * 6000);
  run_callers(callers, CALLERS);
  close_callers(callers);
}

/* One plan, several callers, each with a workspace. */
static void callers_of_one_plan(void **state) {
  (void)state;
  struct caller callers[CALLERS];
  for (int round = 0; round < 6; round++) {
    tsr_attention_plan *plan;
    tsr_set_num_threads(contexts[0], 1 + round % 3);
    for (int i = 0; i < CALLERS; i++) {
      memset(&callers[i], 0, sizeof callers[i]);
      callers[i].calls = 20;
      draw(&callers[i].p, test_seed() * 7000 + 50 * (uint64_t)round, F_ALL, 2e6);
    }
    assert_int_equal(tsr_attention_plan_create(contexts[0], &callers[0].p.d, &plan), TSR_OK);
    shared_plan = plan;
    run_callers(callers, CALLERS);
    shared_plan = NULL;
    tsr_attention_plan_destroy(plan);
    close_callers(callers);
  }
}

static _Atomic bool stop;

static void *change_threads(void *arg) {
  for (int n = 0; !atomic_load(&stop); n = (n + 1) % 6) {
    tsr_set_num_threads(arg, n);
    if (n == 5) tsr_release();
  }
  return NULL;
}

static void changing_thread_count(void **state) {
  (void)state;
  struct caller callers[CALLERS];
  pthread_t changer;
  atomic_store(&stop, false);
  draw_callers(callers, contexts[0], test_seed() * 8000);
  assert_int_equal(pthread_create(&changer, NULL, change_threads, contexts[0]), 0);
  run_callers(callers, CALLERS);
  atomic_store(&stop, true);
  pthread_join(changer, NULL);
  close_callers(callers);
}

/* A caller's own parallel-for: one after another, last first, where bodies need not run at once. */
static _Atomic int loops;

struct body {
  pthread_t thread;
  tsr_parallel_body run;
  void *arg;
  int index;
};

static void *run_body(void *arg) {
  struct body *b = arg;
  b->run(b->arg, b->index);
  return NULL;
}

static void own_for(void *user, int n, int concurrent, tsr_parallel_body body, void *arg) {
  (void)user;
  atomic_fetch_add(&loops, 1);
  struct body *bodies = calloc((size_t)n, sizeof *bodies);
  for (int i = n - 1; i >= 0; i--) {
    bodies[i] = (struct body){.run = body, .arg = arg, .index = i};
    if (!concurrent)
      body(arg, i);
    else if (pthread_create(&bodies[i].thread, NULL, run_body, &bodies[i]) != 0)
      abort();
  }
  for (int i = 0; i < n && concurrent; i++) pthread_join(bodies[i].thread, NULL);
  free(bodies);
}

static void own_parallel_for(void **state) {
  (void)state;
  atomic_store(&loops, 0);
  for (int i = 0; i < 60; i++) {
    struct problem p;
    tsr_context *context = contexts[i % ncontexts];
    draw(&p, test_seed() * 9000 + 10 * (uint64_t)i, F_ALL, 3e6);
    assert_int_equal(tsr_set_parallel_for(context, own_for, NULL), TSR_OK);
    struct view v = view_whole(&p, context, 2 + i % 3);
    if (i % 2) snprintf(v.words, sizeof v.words, "lanes=keys rows=%d split=yes", 1 + i);
    check_view(&v, plain_call);
    check_view(&v, planned_call);
    assert_int_equal(tsr_set_parallel_for(context, NULL, NULL), TSR_OK);
    problem_close(&p);
  }
  assert_true(atomic_load(&loops) > 0);
}

static bool child_holds(const struct problem *p) {
  char why[WHY];
  for (int threads = 1; threads < 4; threads++) {
    struct view v = view_whole(p, contexts[0], threads);
    if (view_holds(&v, plain_call, true, why)) continue;
    fprintf(stderr, "%s\n", why);
    return false;
  }
  return true;
}

static void children(void **state) {
  (void)state;
  if (UNDER_TSAN) skip();
  for (int i = 0; i < 6; i++) {
    struct problem p;
    draw(&p, test_seed() * 10000 + 10 * (uint64_t)i, F_ALL, 3e6);
    struct view v = view_whole(&p, contexts[0], 3);
    check_view(&v, plain_call);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      alarm(120);
      _exit(child_holds(&p) ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    check_view(&v, plain_call);
    problem_close(&p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      gemm_unit_test(callers_of_the_default_context), gemm_unit_test(concurrent_callers),
      gemm_unit_test(callers_of_one_plan),            gemm_unit_test(changing_thread_count),
      gemm_unit_test(own_parallel_for),               gemm_unit_test(children),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
