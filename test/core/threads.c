/* Teams: sizes, sharing, nesting, floating-point state, barriers, a caller's own parallel loop. */
#include "src/core/threads.h"

#include <dlfcn.h>
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/core/cpu.h"
#include "src/core/topology.h"
#include "test/core/support.h"

enum { MOST = 8 };

static tsr_context *context;

static int make_context(void **state) {
  (void)state;
  return tsr_context_create(NULL, &context) != TSR_OK || tsr_set_num_threads(context, MOST) != TSR_OK;
}

static int drop_context(void **state) {
  (void)state;
  tsr_context_destroy(context);
  return 0;
}

/* Runs a team of up to `want` and gives its size. */
static int run(int want, tsr_parallel_body body, void *arg) {
  struct tsr_team team;
  tsr_team_reserve(context, want, &team);
  int n = team.n;
  tsr_team_run(&team, body, arg);
  return n;
}

static void setters(void **state) {
  (void)state;
  int before = tsr_get_num_threads(NULL);
  assert_int_equal(tsr_get_num_threads(context), MOST);
  assert_int_equal(tsr_set_num_threads(NULL, 3), TSR_OK);
  assert_int_equal(tsr_get_num_threads(NULL), 3);
  assert_int_equal(tsr_get_num_threads(context), MOST);
  assert_int_equal(tsr_set_num_threads(context, 0), TSR_OK);
  assert_int_equal(tsr_get_num_threads(context), 3);
  assert_int_equal(tsr_threads_available(context), 3);
  assert_int_equal(tsr_set_num_threads(NULL, -1), TSR_INVALID_ARGUMENT);
  assert_non_null(strstr(tsr_last_error(), "-1"));
  assert_int_equal(tsr_get_num_threads(NULL), 3);
  assert_int_equal(tsr_set_num_threads(context, 1000000), TSR_OK);
  assert_int_equal(tsr_get_num_threads(context), TSR_MAX_THREADS);
  assert_int_equal(tsr_set_num_threads(NULL, 0), TSR_OK);
  assert_int_equal(tsr_get_num_threads(NULL), before);
}

struct visits {
  _Atomic int count[TSR_MAX_THREADS];
  pthread_t thread[TSR_MAX_THREADS];
};

static void visit(void *arg, int index) {
  struct visits *v = arg;
  v->count[index]++;
  v->thread[index] = pthread_self();
}

static void each_index_once_on_its_own_thread(void **state) {
  (void)state;
  for (int round = 0; round < 300; round++) {
    int want = round % (MOST + 3);
    struct visits v = {0};
    int n = run(want, visit, &v);
    assert_int_equal(n, want < 1 ? 1 : want > MOST ? MOST : want);
    for (int i = 0; i < TSR_MAX_THREADS; i++) assert_int_equal(v.count[i], i < n);
    assert_true(pthread_equal(v.thread[0], pthread_self()));
    for (int i = 0; i < n; i++)
      for (int j = 0; j < i; j++) assert_false(pthread_equal(v.thread[i], v.thread[j]));
  }
}

/* Pauses between calls, so that workers are met spinning, falling asleep and asleep. */
static void sleeping_workers_wake(void **state) {
  (void)state;
  for (int round = 0; round < 400; round++) {
    struct visits v = {0};
    int n = run(1 + round % MOST, visit, &v);
    for (int i = 0; i < n; i++) assert_int_equal(v.count[i], 1);
    struct timespec pause = {0, round * 500};
    nanosleep(&pause, NULL);
  }
}

static void nothing(void *arg, int index) { (void)arg, (void)index; }

static void *reserve_all(void *arg) {
  tsr_team_reserve(context, MOST, arg);
  return NULL;
}

static void callers_share_the_threads(void **state) {
  (void)state;
  struct tsr_team mine, other;
  pthread_t thread;
  tsr_team_reserve(context, 3, &mine);
  assert_int_equal(mine.n, 3);
  pthread_create(&thread, NULL, reserve_all, &other);
  pthread_join(thread, NULL);
  assert_int_equal(other.n, MOST - 3);
  struct tsr_team third;
  tsr_team_reserve(context, MOST, &third);
  assert_int_equal(third.n, 1);
  tsr_team_run(&third, nothing, NULL);
  tsr_team_run(&mine, nothing, NULL);
  tsr_team_run(&other, nothing, NULL);
  assert_int_equal(run(MOST, nothing, NULL), MOST);
}

struct caller {
  pthread_t thread;
  bool failed;
};

static void *call_often(void *arg) {
  struct caller *caller = arg;
  for (int round = 0; round < 500; round++) {
    struct visits v = {0};
    int n = run(4, visit, &v);
    for (int i = 0; i < 5; i++) caller->failed |= v.count[i] != (i < n);
  }
  return NULL;
}

static void concurrent_callers(void **state) {
  (void)state;
  struct caller caller[4] = {{0}};
  for (int i = 0; i < 4; i++) pthread_create(&caller[i].thread, NULL, call_often, &caller[i]);
  for (int i = 0; i < 4; i++) {
    pthread_join(caller[i].thread, NULL);
    assert_false(caller[i].failed);
  }
  assert_int_equal(run(MOST, nothing, NULL), MOST);
}

static void call_inside(void *arg, int index) {
  struct visits v = {0};
  bool alone = tsr_threads_available(context) == 1 && run(4, visit, &v) == 1 && v.count[0] == 1 && v.count[1] == 0;
  ((bool *)arg)[index] = alone && tsr_threads_available(context) == 1;
  tsr_release();
}

static void nested_calls_stay_on_their_thread(void **state) {
  (void)state;
  bool alone[MOST] = {false};
  assert_int_equal(run(MOST, call_inside, alone), MOST);
  for (int i = 0; i < MOST; i++) assert_true(alone[i]);
  assert_int_equal(tsr_threads_available(context), MOST);
}

struct places {
  cpu_set_t all, shared;
  int cpu[2];
};

/* Brings the worker to the caller's CPU and leaves it there, free to go. */
static void crowd(void *arg, int index) {
  struct places *p = arg;
  if (index == 0) return;
  sched_setaffinity(0, sizeof p->shared, &p->shared);
  sched_setaffinity(0, sizeof p->all, &p->all);
}

static void note_place(void *arg, int index) { ((struct places *)arg)->cpu[index] = sched_getcpu(); }

static void members_spread_over_the_cpus(void **state) {
  (void)state;
  struct places p;
  int apart = 0;
  assert_int_equal(sched_getaffinity(0, sizeof p.all, &p.all), 0);
  if (tsr_cpus_available() < 2) skip();
  CPU_ZERO(&p.shared);
  CPU_SET(sched_getcpu(), &p.shared);
  assert_int_equal(sched_setaffinity(0, sizeof p.shared, &p.shared), 0);
  for (int round = 0; round < 50; round++) {
    run(2, crowd, &p);
    if (run(2, note_place, &p) == 2) apart += p.cpu[0] != p.cpu[1];
  }
  sched_setaffinity(0, sizeof p.all, &p.all);
  assert_true(apart >= 45);
}

enum { ROUNDS = 1500 };
struct stress {
  struct tsr_barrier barrier;
  int n;
  int step[MOST][16]; /* each thread's own line; not atomic: the barrier orders it */
  _Atomic int wrong;
};

static void march(void *arg, int index) {
  struct stress *s = arg;
  for (int round = 1; round <= ROUNDS; round++) {
    s->step[index][0] = round;
    tsr_barrier_wait(&s->barrier);
    for (int i = 0; i < s->n; i++) s->wrong += s->step[i][0] != round;
    tsr_barrier_wait(&s->barrier);
    if (round % 500 == 0 && index == 0) usleep(300);
  }
}

static void barriers_hold(void **state) {
  (void)state;
  for (int n = 1; n <= MOST; n = 2 * n + 1) {
    static struct stress s;
    memset(&s, 0, sizeof s);
    struct tsr_team team;
    tsr_team_reserve(context, n, &team);
    assert_int_equal(team.n, n);
    s.n = n;
    tsr_barrier_init(&s.barrier, n);
    tsr_team_run(&team, march, &s);
    assert_int_equal(s.wrong, 0);
  }
}

static void keep_state(void *arg, int index) {
  struct tsr_fp fp = tsr_fp_get();
  struct tsr_fp *seen = arg;
  seen[index] = fp;
  volatile double zero = 0, one = 1;
  if (index == 2) one = one / zero;
  if (index == 3) one = zero / zero;
}

static void flags_and_control_travel(void **state) {
  (void)state;
  struct tsr_fp seen[MOST], before = tsr_fp_get();
#if defined(__x86_64__)
  tsr_fp_set((struct tsr_fp){before.control | 0x8040, 0}); /* denormals as zeros, both ways */
#endif
  fesetround(FE_UPWARD);
  feclearexcept(FE_ALL_EXCEPT);
  feraiseexcept(FE_UNDERFLOW);
  struct tsr_fp mine = tsr_fp_get();
  assert_int_equal(run(4, keep_state, seen), 4);
  struct tsr_fp after = tsr_fp_get();
  int flags = fetestexcept(FE_ALL_EXCEPT);
  run(2, keep_state, seen);
  tsr_fp_set(before);
  for (int i = 0; i < 4; i++) {
    assert_int_equal(seen[i].control, mine.control);
    assert_int_equal(seen[i].flags, 0);
  }
  assert_int_equal(after.control, mine.control);
  assert_int_equal(flags, FE_UNDERFLOW | FE_DIVBYZERO | FE_INVALID);
  assert_int_equal(run(4, nothing, NULL), 4);
  assert_int_equal(tsr_fp_get().control, before.control);
}

static void clean_calls_raise_nothing(void **state) {
  (void)state;
  feclearexcept(FE_ALL_EXCEPT);
  struct visits v = {0};
  run(4, visit, &v);
  assert_int_equal(fetestexcept(FE_ALL_EXCEPT), 0);
}

/* A caller's parallel loop: one fresh thread an index. */
struct own {
  int calls, n, concurrent;
};
struct launch {
  tsr_parallel_body body;
  void *arg;
  int index;
};

static void *launch(void *arg) {
  struct launch *l = arg;
  l->body(l->arg, l->index);
  return NULL;
}

static void own_loop(void *user, int n, int concurrent, tsr_parallel_body body, void *arg) {
  struct own *own = user;
  pthread_t thread[MOST];
  struct launch l[MOST];
  own->calls++, own->n = n, own->concurrent = concurrent;
  for (int i = n - 1; i >= 0; i--) {
    l[i] = (struct launch){body, arg, i};
    pthread_create(&thread[i], NULL, launch, &l[i]);
  }
  for (int i = 0; i < n; i++) pthread_join(thread[i], NULL);
}

static void a_callers_own_loop(void **state) {
  (void)state;
  struct own own = {0};
  struct tsr_team team;
  struct tsr_fp seen[MOST];
  static struct stress s;
  memset(&s, 0, sizeof s);
  assert_int_equal(tsr_set_parallel_for(context, own_loop, &own), TSR_OK);
  tsr_team_reserve(context, 5, &team);
  assert_int_equal(team.n, 5);
  s.n = 5;
  tsr_barrier_init(&s.barrier, 5);
  tsr_team_run(&team, march, &s);
  assert_int_equal(s.wrong, 0);
  assert_int_equal(own.calls, 1);
  assert_int_equal(own.n, 5);
  assert_int_equal(own.concurrent, 1);
  feclearexcept(FE_ALL_EXCEPT);
  run(4, keep_state, seen);
  assert_int_equal(fetestexcept(FE_ALL_EXCEPT), FE_DIVBYZERO | FE_INVALID);
  feclearexcept(FE_ALL_EXCEPT);
  bool alone[MOST] = {false};
  assert_int_equal(run(3, call_inside, alone), 3);
  assert_true(alone[0] && alone[1] && alone[2]);
  int calls = own.calls;
  run(1, nothing, NULL);
  assert_int_equal(tsr_set_parallel_for(context, NULL, NULL), TSR_OK);
  run(3, nothing, NULL);
  assert_int_equal(own.calls, calls);
}

/* Starting threads fails. */

static void failing_in_child(void) {
  struct visits v = {0};
  tsr_pool_fail_after(2);
  child_check(run(MOST, visit, &v) == 3);
  child_check(v.count[0] == 1 && v.count[2] == 1 && v.count[3] == 0);
  for (int i = 0; i < 5; i++) child_check(run(MOST, visit, &v) == 3);
  tsr_pool_fail_after(-1);
  child_check(run(MOST, visit, &v) == 3);
  tsr_set_num_threads(context, MOST - 1);
  child_check(run(MOST, visit, &v) == MOST - 1);
}

static void fewer_threads_than_asked(void **state) {
  (void)state;
  const struct outcome *o = in_child(failing_in_child);
  assert_int_equal(o->status, 0);
  assert_int_equal(count_of(o->text, "\n"), 1);
  assert_non_null(strstr(o->text, "only 3 of 8 threads"));
}

/* OpenMP, as a wheel brings it along: in no global scope, and after the first call. */

typedef void gomp_parallel(void (*body)(void *), void *arg, unsigned threads, unsigned flags);

static void ask_in_region(void *arg) {
  _Atomic int *most = arg;
  int n = tsr_threads_available(context);
  for (int old = *most; n > old && !atomic_compare_exchange_weak(most, &old, n);) {
  }
}

static void *ask_in_thread(void *arg) {
  void *symbol = dlsym(arg, "GOMP_parallel");
  gomp_parallel *parallel;
  memcpy(&parallel, &symbol, sizeof parallel);
  static _Atomic int most;
  most = 0;
  parallel(ask_in_region, (void *)&most, 2, 0);
  return (void *)&most;
}

static void one_thread_in_an_openmp_region(void **state) {
  (void)state;
  if (UNDER_TSAN) skip(); /* it cannot see how libgomp orders its threads */
  assert_int_equal(tsr_threads_available(context), MOST);
  void *openmp = dlopen("libgomp.so.1", RTLD_NOW | RTLD_LOCAL), *most;
  if (!openmp) skip();
  pthread_t thread;
  pthread_create(&thread, NULL, ask_in_thread, openmp);
  pthread_join(thread, &most);
  assert_int_equal(*(_Atomic int *)most, 1);
  assert_int_equal(*(_Atomic int *)ask_in_thread(openmp), 1);
  assert_int_equal(tsr_threads_available(context), MOST);
}

#define with_context(test) cmocka_unit_test_setup_teardown(test, make_context, drop_context)

int main(void) {
  const struct CMUnitTest tests[] = {with_context(fewer_threads_than_asked), /* first: it wants no pool yet */
                                     with_context(setters),
                                     with_context(each_index_once_on_its_own_thread),
                                     with_context(sleeping_workers_wake),
                                     with_context(callers_share_the_threads),
                                     with_context(concurrent_callers),
                                     with_context(nested_calls_stay_on_their_thread),
                                     with_context(members_spread_over_the_cpus),
                                     with_context(barriers_hold),
                                     with_context(flags_and_control_travel),
                                     with_context(clean_calls_raise_nothing),
                                     with_context(a_callers_own_loop),
                                     with_context(one_thread_in_an_openmp_region)};
  return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
