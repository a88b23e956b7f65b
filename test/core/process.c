/* The pool and the process: fork and exit, whatever other threads are doing. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/core/memory.h"
#include "src/core/threads.h"
#include "test/core/support.h"

enum { THREADS = 4, FORKS = 40 };

/* What the parent's other threads held looks like a leak in a forked child, which does not have them. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void) { return "detect_leaks=0"; }

static tsr_context *context;

static int make_context(void **state) {
  (void)state;
  return tsr_context_create(NULL, &context) != TSR_OK || tsr_set_num_threads(context, THREADS) != TSR_OK;
}

static void visit(void *arg, int index) { ((_Atomic int *)arg)[index]++; }

static int run(int want) {
  _Atomic int count[THREADS] = {0};
  struct tsr_team team;
  tsr_team_reserve(context, want, &team);
  int n = team.n;
  tsr_team_run(&team, visit, count);
  for (int i = 0; i < THREADS; i++)
    if (count[i] != (i < n)) return -1;
  return n;
}

static void call_in_child(void) {
  for (int i = 0; i < 20; i++) child_check(run(THREADS) == THREADS);
}

static void a_child_gets_a_fresh_pool(void **state) {
  (void)state;
  if (UNDER_TSAN) skip();
  assert_int_equal(run(THREADS), THREADS);
  assert_int_equal(in_child(call_in_child)->status, 0);
  assert_int_equal(run(THREADS), THREADS);
}

static void grandchild_in_child(void) {
  call_in_child();
  pid_t grandchild = fork();
  if (grandchild == 0) {
    call_in_child();
    exit(0);
  }
  int status = -1;
  child_check(waitpid(grandchild, &status, 0) == grandchild && status == 0);
  call_in_child();
}

static void so_does_a_grandchild(void **state) {
  (void)state;
  if (UNDER_TSAN) skip();
  assert_int_equal(in_child(grandchild_in_child)->status, 0);
}

static _Atomic bool stop;

static void *call_until_stopped(void *arg) {
  bool *failed = arg;
  while (!stop) {
    *failed |= run(THREADS) < 1;
    tsr_scratch_get(TSR_SCRATCH_A, 100000);
  }
  return NULL;
}

static void fork_while_others_call(void **state) {
  (void)state;
  if (UNDER_TSAN) skip();
  bool failed[2] = {false, false};
  pthread_t thread[2];
  stop = false;
  for (int i = 0; i < 2; i++) pthread_create(&thread[i], NULL, call_until_stopped, &failed[i]);
  for (int i = 0; i < FORKS; i++) assert_int_equal(in_child(call_in_child)->status, 0);
  stop = true;
  for (int i = 0; i < 2; i++) {
    pthread_join(thread[i], NULL);
    assert_false(failed[i]);
  }
  assert_int_equal(run(THREADS), THREADS);
}

static void nap(void *arg, int index) {
  (void)arg, (void)index;
  usleep(20000);
}

static void *nap_until_stopped(void *arg) {
  while (!stop) {
    struct tsr_team team;
    tsr_team_reserve(context, THREADS, &team);
    tsr_team_run(&team, nap, NULL);
  }
  return arg;
}

static void exit_while_others_call(void) {
  pthread_t thread;
  bool failed = false;
  stop = false;
  pthread_create(&thread, NULL, nap_until_stopped, NULL);
  pthread_create(&thread, NULL, call_until_stopped, &failed);
  usleep(30000);
  exit(7);
}

static void never_end(void *arg, int index) {
  (void)arg, (void)index;
  for (;;) pause();
}

static void leave(int signal) {
  (void)signal;
  exit(8);
}

/* A worker's signals are blocked: the handler runs in the caller, in the middle of its call. */
static void exit_from_a_handler(void) {
  struct tsr_team team;
  signal(SIGALRM, leave);
  ualarm(20000, 0);
  tsr_team_reserve(context, THREADS, &team);
  tsr_team_run(&team, never_end, NULL);
}

static void exit_does_not_hang(void **state) {
  (void)state;
  const struct outcome *o = in_child(exit_while_others_call);
  assert_true(WIFEXITED(o->status));
  assert_int_equal(WEXITSTATUS(o->status), 7);
}

static void nor_from_a_signal_handler(void **state) {
  (void)state;
  if (UNDER_TSAN) skip();
  const struct outcome *o = in_child(exit_from_a_handler);
  assert_true(WIFEXITED(o->status));
  assert_int_equal(WEXITSTATUS(o->status), 8);
}

static _Atomic int handled;

static void note(int signal) {
  (void)signal;
  handled++;
}

static void signal_process(void *arg, int index) {
  (void)arg;
  if (index) kill(getpid(), SIGUSR2);
}

/* While the caller blocks a signal of the process, no worker may take it instead. */
static void workers_take_no_signals(void **state) {
  (void)state;
  sigset_t one, before, waiting;
  struct tsr_team team;
  assert_int_equal(run(THREADS), THREADS);
  signal(SIGUSR2, note);
  sigemptyset(&one);
  sigaddset(&one, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &one, &before);
  tsr_team_reserve(context, THREADS, &team);
  assert_int_equal(team.n, THREADS);
  tsr_team_run(&team, signal_process, NULL);
  usleep(1000);
  assert_int_equal(handled, 0);
  assert_int_equal(sigpending(&waiting), 0);
  assert_true(sigismember(&waiting, SIGUSR2));
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  assert_int_equal(handled, 1);
  signal(SIGUSR2, SIG_DFL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exit_does_not_hang),        cmocka_unit_test(nor_from_a_signal_handler),
      cmocka_unit_test(a_child_gets_a_fresh_pool), cmocka_unit_test(so_does_a_grandchild),
      cmocka_unit_test(fork_while_others_call),    cmocka_unit_test(workers_take_no_signals)};
  return cmocka_run_group_tests_name("process", tests, make_context, NULL);
}
