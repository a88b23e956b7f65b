/* Which plan a call takes, and what finding it costs: from where, when the database is read, and that nobody sees it:
 * not the floating-point environment, not other threads, not a forked child. Each case is a process of its own. */
#include <fenv.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/core/threads.h"
#include "src/tune/costs.h"
#include "test/tune/runtime_support.h"

static struct rng rng;

static tsr_context *own_context(void) {
  tsr_context *context;
  child_check(tsr_context_get(NULL, &context) == TSR_OK);
  return context;
}

/* A shape of `size` in each direction, f32, for so many threads. */
static struct tsr_values cube(int64_t size, int threads) {
  return (struct tsr_values){{TSR_F32, size, size, size, 1, 1, 1, threads}};
}

static enum tsr_source source_of(const struct tsr_values *shape, struct tsr_values *plan) {
  struct tsr_choice about;
  tsr_choose(GEMM, own_context(), shape, plan, &about);
  return about.source;
}

static bool same(const struct tsr_values *x, const struct tsr_values *y) { return memcmp(x, y, sizeof *x) == 0; }

/* What a call of the shape would do. */
static struct tsr_values plan_of_call(const struct tsr_values *shape, const char *words) {
  struct tsr_gemm_problem problem;
  struct tsr_gemm_way plan;
  struct tsr_values values = {{0}};
  tsr_gemm_problem_of(shape, &problem);
  problem.plan = words;
  tsr_gemm_choose(own_context(), &problem, (int)shape->at[TSR_SHAPE_THREADS], &plan);
  tsr_gemm_values_of(&plan, &values);
  return values;
}

/* A legal plan that the rule would not make. */
#define ODD_PLAN "path=direct threads=1 units=1 columns=1 order=rows mc=16 nc=3"
#define OTHER_PLAN "path=direct threads=1 units=1 columns=2 order=columns mc=32 nc=5"

static struct tsr_values values_of(const char *plan) {
  struct tsr_values values;
  child_check(tsr_values_parse(GEMM->plan, GEMM->nplan, plan, &values, NULL));
  return values;
}

static void put_cube(int64_t size, int threads, const char *plan) {
  struct tsr_values shape = cube(size, threads), values;
  tsr_context *context;
  assert_int_equal(tsr_context_get(NULL, &context), TSR_OK);
  assert_true(tsr_values_parse(GEMM->plan, GEMM->nplan, plan, &values, NULL));
  assert_true(GEMM->check(context, &shape, &values, NULL));
  put_row(context, GEMM, &shape, &values);
}

/* --- the order ---------------------------------------------------------------------------------------------------- */

static void child_order(void) {
  struct tsr_values known = cube(100, 2), unknown = cube(101, 2), plan, odd = values_of(ODD_PLAN);
  child_check(source_of(&known, &plan) == TSR_FROM_USER && same(&plan, &odd));
  plan = plan_of_call(&known, NULL);
  child_check(same(&plan, &odd));
  plan = plan_of_call(&known, OTHER_PLAN);
  child_check(plan.at[TSR_PLAN_COLUMNS] == 2 && plan.at[TSR_PLAN_MC] == 32);
  plan = plan_of_call(&known, NULL); /* a call's own plan is for that call */
  child_check(same(&plan, &odd));
  enum tsr_source source = source_of(&unknown, &plan);
  child_check(source == TSR_FROM_MODEL || source == TSR_FROM_RULE);
  unknown = cube(100, 1); /* other threads, type, layout, strides: other shapes */
  child_check(source_of(&unknown, &plan) != TSR_FROM_USER);
  for (int field = 0; field < GEMM->nshape; field++) {
    unknown = known;
    unknown.at[field] = unknown.at[field] == 1 || field == TSR_SHAPE_THREADS ? unknown.at[field] + 1 : 1;
    if (field == TSR_SHAPE_TYPE) unknown.at[field] = TSR_F64;
    child_check(source_of(&unknown, &plan) != TSR_FROM_USER);
  }
  struct tsr_choice about;
  tsr_choose_without_user(GEMM, own_context(), &known, &plan, &about);
  child_check(about.source != TSR_FROM_USER && !same(&plan, &odd));
}

static void child_no_user(void) {
  struct tsr_values known = cube(100, 2), plan, odd = values_of(ODD_PLAN);
  child_check(source_of(&known, &plan) != TSR_FROM_USER && !same(&plan, &odd));
}

static void child_user(void) {
  struct tsr_values known = cube(100, 2), plan, odd = values_of(ODD_PLAN);
  child_check(source_of(&known, &plan) == TSR_FROM_USER && same(&plan, &odd));
}

static void the_call_then_the_user_then_the_model(void **state) {
  (void)state;
  put_cube(100, 2, ODD_PLAN);
  child_is_fine(run_child("order"), 0);
}

static void the_environment_says_whether(void **state) {
  (void)state;
  put_cube(100, 2, ODD_PLAN);
  static const char *const reading[] = {"", "read", "write"};
  for (int i = 0; i < COUNT(reading); i++) {
    setenv("TESSERA_TUNE", reading[i], 1);
    child_is_fine(run_child("user"), 0);
  }
  setenv("TESSERA_TUNE", "off", 1);
  child_is_fine(run_child("no_user"), 0);
  setenv("TESSERA_TUNE", "OFF\n", 1);
  const struct outcome *o = run_child("user");
  assert_int_equal(o->status, 0);
  assert_int_equal(count_of(o->err, "tessera: "), 1);
  assert_non_null(strstr(o->err, "set it to off, read or write"));
}

/* Rows of other kernels or another machine are not this one's, and no fault either. */
static void rows_of_others_are_left_alone(void **state) {
  (void)state;
  struct tsr_values shape = cube(100, 2);
  tsr_context *context;
  char text[TSR_VALUES_TEXT];
  assert_int_equal(tsr_context_get(NULL, &context), TSR_OK);
  tsr_values_print(GEMM->shape, GEMM->nshape, &shape, text);
  put_text(context, GEMM, "another machine", NULL, text, ODD_PLAN, 1e-4);
  child_is_fine(run_child("no_user"), 0);
  put_text(context, GEMM, NULL, "other kernels", text, ODD_PLAN, 1e-4);
  child_is_fine(run_child("no_user"), 0);
  put_text(context, GEMM, NULL, NULL, text, ODD_PLAN, 1e-4);
  child_is_fine(run_child("user"), 0);
}

/* --- rows shipped with the library -------------------------------------------------------------------------------- */

struct shipped {
  const char *machine, *kernels;
  int rows;
  char shape[TSR_VALUES_TEXT], plan[TSR_VALUES_TEXT];
};

static void take_shipped(void *arg, const struct tsr_row *row) {
  struct shipped *s = arg;
  if (strcmp(row->machine, s->machine) != 0 || strcmp(row->kernels, s->kernels) != 0) return;
  s->rows++;
  strcpy(s->shape, row->shape);
  strcpy(s->plan, row->plan);
}

static bool find_shipped(struct shipped *s) {
  static char machine[TSR_KEY_TEXT], kernels[TSR_KEY_TEXT], text[1 << 20];
  static const struct tsr_visitor visitor = {.row = take_shipped};
  FILE *file = fopen(SOURCE_ROOT "/src/tune/rows/amd_zen5.txt", "r");
  if (!file) return false;
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  tsr_machine_key(own_context(), machine);
  tsr_kernels_key(own_context(), GEMM, kernels);
  *s = (struct shipped){.machine = machine, .kernels = kernels};
  tsr_rows_parse(text, &visitor, s);
  return s->rows > 0;
}

static void child_shipped(void) {
  struct shipped s;
  struct tsr_values shape, plan, row;
  child_check(find_shipped(&s));
  child_check(tsr_values_parse(GEMM->shape, GEMM->nshape, s.shape, &shape, NULL));
  row = values_of(s.plan);
  child_check(source_of(&shape, &plan) == (getenv("WITH_USER") ? TSR_FROM_USER : TSR_FROM_SHIPPED));
  child_check(same(&plan, &row) != (getenv("WITH_USER") != NULL));
}

static void the_user_comes_before_the_library(void **state) {
  (void)state;
  struct shipped s;
  if (!find_shipped(&s)) skip();
  child_is_fine(run_child("shipped"), 0);
  put_text(own_context(), GEMM, NULL, NULL, s.shape, ODD_PLAN, 1e-4);
  setenv("WITH_USER", "1", 1);
  child_is_fine(run_child("shipped"), 0);
  unsetenv("WITH_USER");
}

/* --- when the database is read ------------------------------------------------------------------------------------ */

static bool maps(const char *name) {
  char line[512];
  bool found = false;
  FILE *file = fopen("/proc/self/maps", "r");
  while (file && fgets(line, sizeof line, file)) found |= strstr(line, name) != NULL;
  if (file) fclose(file);
  return found;
}

/* From here on whoever opens a file is killed. */
static void forbid_files(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 2, 0),
#ifdef SYS_open
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 1, 0),
#else
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 1, 0),
#endif
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  struct sock_fprog program = {COUNT(filter), filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    printf("cannot forbid files here\n");
    fflush(NULL);
    _exit(96);
  }
}

static float operands[3][120000];

static void call_of(int64_t m, int64_t n, int64_t k) {
  tsr_gemm_desc d = TSR_GEMM_DESC;
  d.m = m, d.n = n, d.k = k, d.lda = k, d.ldb = n, d.ldc = n;
  child_check(tsr_gemm(NULL, &d, operands[0], operands[1], operands[2]) == TSR_OK);
}

static void call(int64_t size) { call_of(size, size, size); }

/* Products up to that of 48 look nothing up, and open no file: those of the small path and those beyond it. */
static void child_small_calls(void) {
  own_context();
  forbid_files();
  for (int64_t size = 1; size <= 48; size++) call(size);
  call_of(1, 1, 110000);
  call_of(2, 3, 18000);
  call_of(300, 300, 1);
  call_of(1, 330, 330);
  call_of(330, 1, 330);
  _exit(0); /* a leak checker's end opens files */
}

static void child_larger_call(void) {
  own_context();
  forbid_files();
  call(128);
}

static void child_maps(void) {
  for (int64_t size = 1; size <= 48; size++) call(size);
  child_check(!maps("libsqlite3") && !maps("libhwloc"));
  call(128);
  child_check(maps("libsqlite3"));
}

static void small_calls_open_nothing(void **state) {
  (void)state;
  put_cube(100, 2, ODD_PLAN);
  child_is_fine(run_child("maps"), 0);
  const struct outcome *o = run_child("small_calls");
  if (o->status == 96 << 8) skip();
  child_is_fine(o, 0);
  o = run_child("larger_call"); /* the filter works */
  assert_true(WIFSIGNALED(o->status) && WTERMSIG(o->status) == SIGSYS);
}

/* A file put in the place of the one that was read is not seen, until this process tunes. */
static void child_reads_once(void) {
  char next[400];
  struct tsr_values first = cube(100, 2), second = cube(200, 2), plan, odd = values_of(ODD_PLAN);
  const char *name = getenv("TESSERA_DB");
  snprintf(next, sizeof next, "%s.next", name);
  plan = plan_of_call(&first, NULL);
  child_check(same(&plan, &odd));
  child_check(rename(next, name) == 0);
  plan = plan_of_call(&first, NULL);
  child_check(same(&plan, &odd));
  child_check(source_of(&second, &plan) != TSR_FROM_USER);
  tsr_choose_afresh();
  child_check(source_of(&second, &plan) == TSR_FROM_USER && same(&plan, &odd));
  child_check(source_of(&first, &plan) != TSR_FROM_USER);
  plan = plan_of_call(&first, NULL);
  child_check(!same(&plan, &odd));
}

static void the_database_is_read_once(void **state) {
  (void)state;
  char next[400];
  snprintf(next, sizeof next, "%s.next", path);
  put_cube(200, 2, ODD_PLAN);
  assert_int_equal(rename(path, next), 0);
  put_cube(100, 2, ODD_PLAN);
  child_is_fine(run_child("reads_once"), 0);
}

/* Tuned in this process, taken by its next call. */
static void child_tunes(void) {
  tsr_gemm_desc d = TSR_GEMM_DESC;
  tsr_tune_options options = TSR_TUNE_OPTIONS;
  tsr_tune_result result;
  struct tsr_values plan, shape;
  char words[TSR_VALUES_TEXT];
  struct tsr_gemm_problem problem;
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = 60;
  options.measurements = 3;
  tsr_gemm_normalise(&d, NULL, NULL, NULL, &problem);
  tsr_gemm_shape_of(&problem, tsr_threads_available(own_context()), &shape);
  for (int f = GEMM->nshape; f < TSR_MOST_FIELDS; f++) shape.at[f] = 0;
  child_check(source_of(&shape, &plan) != TSR_FROM_USER);
  child_check(tsr_gemm_tune(NULL, &d, &options, &result) == TSR_OK);
  child_check(source_of(&shape, &plan) == TSR_FROM_USER);
  tsr_values_print(GEMM->plan, GEMM->nplan, &plan, words);
  child_check(strcmp(words, result.plan) == 0);
  struct tsr_values called = plan_of_call(&shape, NULL);
  for (int f = 0; f < GEMM->nplan; f++) child_check(!plan.at[f] || called.at[f] == plan.at[f]);
}

static void tuned_plans_are_taken_at_once(void **state) {
  (void)state;
  child_is_fine(run_child("tunes"), 0);
}

/* --- the floating-point environment ------------------------------------------------------------------------------- */

static void check_environment(int mode, bool traps, int before) {
  for (int i = 0; i < 6; i++) { /* cold and warm by turns */
    struct tsr_values shape = cube(90 + 10 * (i / 2), 2), plan;
    if (i % 2 == 0) tsr_choose_afresh();
    tsr_choose(GEMM, own_context(), &shape, &plan, NULL);
    child_check(fegetround() == mode);
    child_check(fetestexcept(FE_ALL_EXCEPT) == before);
    child_check(!traps || fegetexcept() == FE_ALL_EXCEPT);
    struct tsr_choice about;
    tsr_choose(GEMM, own_context(), &shape, &plan, &about);
    child_check(fegetround() == mode && fetestexcept(FE_ALL_EXCEPT) == before);
  }
}

static void child_environment(void) {
  static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  own_context();
  for (int i = 0; i < COUNT(modes); i++) {
    fesetround(modes[i]);
    feclearexcept(FE_ALL_EXCEPT);
    check_environment(modes[i], false, 0);
    feraiseexcept(FE_OVERFLOW);
    int raised = fetestexcept(FE_ALL_EXCEPT);
    check_environment(modes[i], false, raised);
    feclearexcept(FE_ALL_EXCEPT);
    if (feenableexcept(FE_ALL_EXCEPT) == -1) continue; /* this machine has no traps */
    check_environment(modes[i], true, 0);
    fedisableexcept(FE_ALL_EXCEPT);
  }
}

/* Rows, samples and a calibration: everything that has numbers to read. */
static void choices_leave_the_floating_point_environment(void **state) {
  (void)state;
  struct tsr_costs costs;
  char text[TSR_COSTS_TEXT], machine[TSR_KEY_TEXT];
  for (int64_t size = 60; size < 140; size += 20) put_cube(size, 2, ODD_PLAN);
  sql("INSERT INTO samples SELECT machine, operator, shape, kernels, plan, median, 3.3e-5 FROM rows");
  tsr_machine_key(own_context(), machine);
  tsr_costs_of_family(machine, &costs);
  tsr_costs_print(&costs, text, sizeof text);
  struct tsr_batch batch = {.costs_machine = machine, .costs = text, .costs_when = 1790000000};
  assert_int_equal(tsr_database_write(path, &batch, NULL), TSR_OK);
  child_is_fine(run_child("environment"), 0);
}

/* --- threads ------------------------------------------------------------------------------------------------------ */

enum { SHAPES = 3000, ASKING = 6, TURNS = UNDER_TSAN ? 2000 : 20000 };
enum { STAGES = 3 }; /* at its first, second and sixteenth call a shape is weighed */
static struct tsr_values shapes[SHAPES], right[SHAPES][STAGES];
static _Atomic int wrong, stop;

static bool is_right(int at, const struct tsr_values *plan) {
  for (int i = 0; i < STAGES; i++)
    if (same(plan, &right[at][i])) return true;
  return false;
}

/* What one thread alone is given, call by call. */
static void note_right(int at) {
  struct tsr_choice about;
  for (int call = 0; call < 20; call++) {
    struct tsr_values plan = {{0}};
    tsr_choose(GEMM, tsr_context_ready, &shapes[at], &plan, NULL);
    right[at][call == 0 ? 0 : call < 15 ? 1 : 2] = plan;
  }
  struct tsr_values last = {{0}};
  tsr_choose(GEMM, tsr_context_ready, &shapes[at], &last, &about);
  for (int f = GEMM->nplan; f < TSR_MOST_FIELDS; f++) last.at[f] = 0;
  child_check(same(&last, &right[at][2]));
}

static void *ask(void *arg) {
  struct rng own = {(uint64_t)(uintptr_t)arg};
  for (int i = 0; i < TURNS; i++) {
    int at = (int)rng_below(&own, rng_below(&own, 2) ? SHAPES : 8);
    struct tsr_values plan = {{0}};
    tsr_choose(GEMM, tsr_context_ready, &shapes[at], &plan, NULL);
    wrong += !is_right(at, &plan);
  }
  return NULL;
}

static void *begin_afresh(void *arg) {
  (void)arg;
  while (!stop) {
    tsr_choose_afresh();
    usleep(2000);
  }
  return NULL;
}

/* More shapes than there are places for, so that places change hands all the time. */
static void child_threads(void) {
  pthread_t thread[ASKING], other;
  own_context();
  for (int i = 0; i < SHAPES; i++) {
    shapes[i] = cube(50, 1 + i % 3);
    shapes[i].at[TSR_SHAPE_M] = 40 + i % 100; /* no two are the same */
    shapes[i].at[TSR_SHAPE_N] = 40 + i / 100;
    shapes[i].at[TSR_SHAPE_K] = 40 + rng_below(&rng, 100);
    note_right(i);
  }
  child_check(pthread_create(&other, NULL, begin_afresh, NULL) == 0);
  for (int i = 0; i < ASKING; i++) child_check(pthread_create(&thread[i], NULL, ask, (void *)(uintptr_t)(i + 1)) == 0);
  for (int i = 0; i < ASKING; i++) pthread_join(thread[i], NULL);
  stop = 1;
  pthread_join(other, NULL);
  child_check(wrong == 0);
}

static void threads_choose_the_same(void **state) {
  (void)state;
  put_cube(100, 2, ODD_PLAN);
  child_is_fine(run_child("threads"), 0);
}

/* An operator whose plans tell their shape, and whose choosing is counted: a choice that is remembered is not made. */
static _Atomic int made;

static void tell_shape(const tsr_context *context, const struct tsr_values *shape, struct tsr_values *plan) {
  (void)context;
  made++;
  for (int i = 0; i < TSR_PLAN_FIELDS; i++)
    plan->at[i] = shape->at[TSR_SHAPE_M] * 16 + i + shape->at[TSR_SHAPE_THREADS];
}

static bool any_plan(const tsr_context *context, const struct tsr_values *shape, const struct tsr_values *plan,
                     char *why) {
  (void)context, (void)shape, (void)plan, (void)why;
  return true;
}

static double no_time(const tsr_context *context, const struct tsr_costs *costs, const struct tsr_values *shape,
                      const struct tsr_values *plan) {
  (void)context, (void)costs, (void)shape, (void)plan;
  return 1e-9;
}

static struct tsr_operator telling;
enum { RIVALS = 4 };
static struct tsr_values rival[RIVALS];

static bool tells(const struct tsr_values *shape) {
  struct tsr_values plan = {{0}}, want = {{0}};
  tsr_choose(&telling, tsr_context_ready, shape, &plan, NULL);
  for (int i = 0; i < TSR_PLAN_FIELDS; i++) want.at[i] = shape->at[TSR_SHAPE_M] * 16 + i + shape->at[TSR_SHAPE_THREADS];
  return same(&plan, &want);
}

/* Shapes that take the place of one another, found by what is forgotten. Those that differ in threads alone too. */
static int find_rivals(void) {
  int n = 1;
  rival[0] = cube(100, 1);
  for (int i = 1; n < RIVALS && i < 100000; i++) {
    struct tsr_values other = n == 1 ? cube(100, 1 + i) : cube(100 + i, 1);
    child_check(tells(&rival[0]) && tells(&other));
    int before = made;
    child_check(tells(&rival[0]));
    if (made != before) rival[n++] = other;
  }
  return n;
}

static void *ask_rivals(void *arg) {
  struct rng own = {(uint64_t)(uintptr_t)arg};
  for (int i = 0; i < 50 * TURNS; i++) wrong += !tells(&rival[rng_below(&own, RIVALS)]);
  return NULL;
}

static void child_rivals(void) {
  pthread_t thread[3];
  own_context();
  telling = *GEMM;
  telling.name = "telling"; /* no rows are shipped for it */
  telling.weighing = 0; /* the first choice is the last */
  telling.complete = tell_shape, telling.check = any_plan, telling.predict = no_time;
  child_check(find_rivals() == RIVALS);
  for (int i = 0; i < 3; i++)
    child_check(pthread_create(&thread[i], NULL, ask_rivals, (void *)(uintptr_t)(i + 1)) == 0);
  for (int i = 0; i < 3; i++) pthread_join(thread[i], NULL);
  child_check(wrong == 0);
}

static void rivals_for_a_place_are_told_apart(void **state) {
  (void)state;
  child_is_fine(run_child("rivals"), 0);
}

static void *choose_on(void *arg) {
  (void)arg;
  for (int i = 0; !stop; i++) {
    struct tsr_values shape = cube(60 + i % 50, 2), plan;
    tsr_choose_afresh();
    tsr_choose(GEMM, tsr_context_ready, &shape, &plan, NULL);
  }
  return NULL;
}

/* A child of a process that is just reading its database chooses and computes like any other. */
static void child_forks(void) {
  pthread_t thread;
  own_context();
  child_check(pthread_create(&thread, NULL, choose_on, NULL) == 0);
  for (int i = 0; i < 60; i++) {
    int status;
    usleep(500 + i * 37);
    pid_t child = fork();
    child_check(child >= 0);
    if (child == 0) {
      struct tsr_values shape = cube(100, 2), plan;
      alarm(5);
      tsr_choose_afresh();
      child_check(source_of(&shape, &plan) == TSR_FROM_USER);
      call(64);
      _exit(0);
    }
    child_check(waitpid(child, &status, 0) == child);
    child_check(status == 0);
  }
  stop = 1;
  pthread_join(thread, NULL);
}

static void forked_children_choose(void **state) {
  (void)state;
  if (UNDER_TSAN) skip(); /* which cannot follow a fork among threads */
  if (UNDER_ASAN) skip(); /* a child may find its allocator locked by a thread that is not there any more */
  put_cube(100, 2, ODD_PLAN);
  child_is_fine(run_child("forks"), 0);
}

/* --- devices ------------------------------------------------------------------------------------------------------ */

/* One device after another, as a rule at the address of the last one, each with its own choices. */
static void child_devices(void) {
  static const char *const names[] = {"accel:910b,time-only", "accel:310p,time-only"};
  const struct tsr_operator *op = &tsr_gemm_device_operator;
  int again = 0, differ = 0;
  void *last = NULL;
  struct tsr_values before = {{0}};
  for (int i = 0; i < 12; i++) {
    tsr_context *context;
    struct tsr_values shape = {{TSR_F16, TSR_F32, 500, 700, 300, 1, 2, 1}}, plan = {{0}}, fresh;
    struct tsr_choice about;
    child_check(tsr_context_create(names[i % 2], &context) == TSR_OK);
    for (int twice = 0; twice < 2; twice++) {
      tsr_choose(op, context, &shape, &plan, NULL);
      tsr_choose(op, context, &shape, &fresh, &about);
      child_check(memcmp(plan.at, fresh.at, (size_t)op->nplan * sizeof plan.at[0]) == 0);
      child_check(op->check(context, &shape, &plan, NULL));
    }
    again += context->device == last;
    last = context->device;
    differ += memcmp(&plan, &before, sizeof plan) != 0;
    before = plan;
    tsr_context_destroy(context);
  }
  child_check(differ > 1); /* else this shows nothing */
  printf("%d of 11 devices lay where the one before had lain\n", again);
}

static void devices_have_their_own_choices(void **state) {
  (void)state;
  child_is_fine(run_child("devices"), 0);
}

/* --- what it costs ------------------------------------------------------------------------------------------------ */

static void child_cost(void) {
  enum { FEW = 16, LOOKUPS = 200000 };
  struct tsr_values shape[FEW], plan;
  tsr_context *context = own_context();
  double start = seconds_now(), cold, sum = 0;
  for (int i = 0; i < FEW; i++) shape[i] = cube(100 + 40 * i, 2);
  tsr_choose(GEMM, context, &shape[0], &plan, NULL);
  cold = seconds_now() - start;
  for (int i = 1; i < FEW; i++) tsr_choose(GEMM, context, &shape[i], &plan, NULL);
  for (int round = 0; round < 3; round++) {
    start = seconds_now();
    for (int i = 0; i < LOOKUPS; i++) tsr_choose(GEMM, context, &shape[i % FEW], &plan, NULL);
    double each = (seconds_now() - start) / LOOKUPS;
    if (round == 0 || each < sum) sum = each;
  }
  printf("the first choice, with the database: %.2f ms; a choice made before: %.1f ns\n", cold * 1e3, sum * 1e9);
}

static void lookups_are_timed(void **state) {
  (void)state;
  for (int64_t size = 100; size < 700; size += 40) put_cube(size, 2, ODD_PLAN);
  const struct outcome *o = run_child("cost");
  child_is_fine(o, 0);
  printf("%s", strstr(o->out, "the first"));
}

int main(int argc, char **argv) {
  static const struct child children[] = {
      {"order", child_order},   {"user", child_user},       {"no_user", child_no_user},
      {"shipped", child_shipped}, {"maps", child_maps},     {"small_calls", child_small_calls},
      {"larger_call", child_larger_call}, {"reads_once", child_reads_once}, {"tunes", child_tunes},
      {"environment", child_environment}, {"threads", child_threads}, {"rivals", child_rivals}, {"forks", child_forks},
      {"devices", child_devices}, {"cost", child_cost},     {NULL, NULL}};
  int status;
  if (is_child(argc, argv, children, &status)) return status;
  rng.state = test_seed();
  const struct CMUnitTest tests[] = {
      RUN(the_call_then_the_user_then_the_model), RUN(the_environment_says_whether),
      RUN(rows_of_others_are_left_alone),         RUN(the_user_comes_before_the_library),
      RUN(small_calls_open_nothing),              RUN(the_database_is_read_once),
      RUN(tuned_plans_are_taken_at_once),         RUN(choices_leave_the_floating_point_environment),
      RUN(threads_choose_the_same),               RUN(rivals_for_a_place_are_told_apart),
      RUN(forked_children_choose),
      RUN(devices_have_their_own_choices),        RUN(lookups_are_timed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
