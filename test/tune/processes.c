/* Eight processes that tune at once on one database: each keeps shapes of its own, and all one in common.
 * Nothing is lost, nothing is damaged, and the processes that come after use what was found. */
#include <sys/wait.h>
#include <unistd.h>

#include "src/core/threads.h"
#include "test/tune/runtime_support.h"

enum { PROCESSES = 8, OWN_SHAPES = 3, COMMON = 101 };

/* Sizes that the small path does not take, a different one for each process and turn. */
static int64_t own_size(int process, int turn) { return 64 + 8 * process + turn; }

static tsr_status tune(int64_t size) {
  tsr_gemm_desc d = TSR_GEMM_DESC;
  tsr_tune_options o = TSR_TUNE_OPTIONS;
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = size;
  o.measurements = 2;
  return tsr_gemm_tune(NULL, &d, &o, NULL);
}

static struct tsr_values shape_of(int64_t size) {
  struct gemm_case g = {.d = TSR_GEMM_DESC};
  tsr_context *context;
  child_check(tsr_context_get(NULL, &context) == TSR_OK);
  g.d.m = g.d.n = g.d.k = g.d.lda = g.d.ldb = g.d.ldc = size;
  return shape_of_case(&g, tsr_threads_available(context));
}

static bool is_known(int64_t size) {
  struct tsr_values shape = shape_of(size), plan;
  struct tsr_choice about;
  tsr_choose(GEMM, tsr_context_ready, &shape, &plan, &about);
  return about.source == TSR_FROM_USER && GEMM->check(tsr_context_ready, &shape, &plan, NULL);
}

/* Waits for the others by the clock: all begin at the same second. */
static void child_tunes(void) {
  int process = atoi(getenv("PROCESS"));
  double start = atof(getenv("START"));
  while (seconds_now() < start) usleep(1000);
  for (int turn = 0; turn < OWN_SHAPES; turn++) {
    child_check(tune(own_size(process, turn)) == TSR_OK);
    child_check(is_known(own_size(process, turn)));
    child_check(tune(COMMON) == TSR_OK);
    child_check(is_known(COMMON));
  }
}

static void child_looks(void) {
  for (int process = 0; process < PROCESSES; process++)
    for (int turn = 0; turn < OWN_SHAPES; turn++) child_check(is_known(own_size(process, turn)));
  child_check(is_known(COMMON));
  child_check(!is_known(COMMON + 100));
}

static void start_process(int process, double start) {
  char number[16], when[32];
  snprintf(number, sizeof number, "%d", process);
  snprintf(when, sizeof when, "%.3f", start);
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child > 0) return;
  alarm(100);
  setenv("PROCESS", number, 1);
  setenv("START", when, 1);
  execl("/proc/self/exe", "/proc/self/exe", "child", "tunes", (char *)NULL);
  _exit(98);
}

static int rows, bad;
static void count_row(void *arg, const struct tsr_row *row) {
  (void)arg;
  assert_true(tsr_row_valid(row, NULL));
  rows++;
}
static void count_bad(void *arg, const char *sentence) {
  (void)arg;
  printf("%s\n", sentence);
  bad++;
}

static void eight_processes_tune_at_once(void **state) {
  (void)state;
  static const struct tsr_visitor visitor = {.row = count_row, .bad = count_bad};
  double start = seconds_now() + 0.3;
  for (int process = 0; process < PROCESSES; process++) start_process(process, start);
  int failed = 0;
  for (int process = 0; process < PROCESSES; process++) {
    int status;
    assert_true(wait(&status) > 0);
    failed += status != 0;
  }
  assert_int_equal(failed, 0);
  assert_int_equal(tsr_database_check(path, &visitor, NULL), TSR_OK);
  assert_int_equal(bad, 0);
  assert_int_equal(rows, PROCESSES * OWN_SHAPES + 1);
  child_is_fine(run_child("looks"), 0);
  char name[320];
  snprintf(name, sizeof name, "%s.broken", path);
  assert_int_not_equal(access(name, F_OK), 0);
}

int main(int argc, char **argv) {
  static const struct child children[] = {{"tunes", child_tunes}, {"looks", child_looks}, {NULL, NULL}};
  int status;
  if (is_child(argc, argv, children, &status)) return status;
  const struct CMUnitTest tests[] = {RUN(eight_processes_tune_at_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
