/* tsr_tune and tsr_gemm_tune as programs call them: what is refused, what is measured, kept and used. */
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/core/threads.h"
#include "src/tune/session.h"
#include "src/gemm/device_space.h"
#include "test/tune/runtime_support.h"

static tsr_gemm_desc cube(int64_t size) {
  tsr_gemm_desc d = TSR_GEMM_DESC;
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = size;
  return d;
}

static struct tsr_values shape_of(const tsr_gemm_desc *d) {
  struct gemm_case g = {.d = *d};
  tsr_context *context;
  child_check(tsr_context_get(NULL, &context) == TSR_OK);
  return shape_of_case(&g, tsr_threads_available(context));
}

static enum tsr_source source_now(const tsr_gemm_desc *d, struct tsr_values *plan) {
  struct tsr_values shape = shape_of(d);
  struct tsr_choice about;
  tsr_choose(GEMM, tsr_context_ready, &shape, plan, &about);
  return about.source;
}

/* A call by the plan of a result, or by the library's own. */
static tsr_status call(tsr_gemm_desc d, const char *plan) {
  static float a[256 * 256], b[256 * 256], c[256 * 256];
  d.plan = plan;
  return tsr_gemm(NULL, &d, a, b, c);
}

/* --- what is refused ---------------------------------------------------------------------------------------------- */

static void expect_failure(tsr_status got, tsr_status status, const char *says) {
  if (got != status || !strstr(tsr_last_error(), says))
    fail_msg("status %d, \"%s\"; expected %d, \"...%s...\"", (int)got, tsr_last_error(), (int)status, says);
}

static void arguments_are_checked(void **state) {
  (void)state;
#define SHAPE "type=f32 m=64 n=64 k=64 a=n b=n pages=1 threads=1"
  static const struct {
    const char *name, *shape, *says;
  } cases[] = {
      {NULL, SHAPE, "operator_name is \"(NULL)\": there are \"gemm\", \"attention\" and \"conv\""},
      {"pool", SHAPE, "operator_name is \"pool\""}, {"conv", SHAPE, "\"m=64\" is no field=value"},
      {"conv", "type=f32 to=f32 x=last y=last batch=1 channels=6 filters=6 groups=4 in=8x8 out=8x8 kernel=3x3 "
               "stride=1x1 dilation=1x1 pad=1x1 transposed=no threads=1",
       "channels is 6, which is no multiple of groups"},
      {"conv", "type=f32 to=f32 x=last y=last batch=1 channels=6 filters=6 groups=1 in=8x8 out=0x0 kernel=3 stride=1x1 "
               "dilation=1x1 pad=1x1 transposed=no threads=1", "kernel has 1 size, but in has 2"},
      {"attention", "type=f32 batch=1 heads=3 kv_heads=2 q=1 kv=1 d=1 dv=1 causal=no mask=no keys=rows threads=1",
       "heads is 3, which kv_heads, 2, does not divide"},
      {"", SHAPE, "operator_name is \"\""},           {"gemm", NULL, "shape is NULL"},
      {"gemm", "", "the shape has no type"},          {"gemm", "type=f32 m=64", "the shape has no n"},
      {"gemm", SHAPE " m=3", "m is given twice"},     {"gemm", "type=f16", "type cannot be \"f16\""},
      {"gemm", "x", "\"x\" is no field=value"},       {"gemm", "type=f32 m=0", "m cannot be \"0\""},
      {"gemm", "type=f32 m=-1", "m cannot be \"-1\""}, {"gemm", "m=9999999999999999999", "m cannot be"},
      {"gemm", "type=f32 m=64 n=64 k=2000000000000 a=n b=n pages=1 threads=1", "k is 2000000000000: too large"},
      {"gemm", "type=f32 m=64 n=64 k=64 a=n b=n pages=9 threads=1", "pages is 9"},
      {"gemm", "type=f32 m=64 n=64 k=64 a=n b=n pages=1 threads=513", "threads is 513"},
      {"gemm", "type=f32 m=64 n=64 k=64 a=n b=n pages=1 threads=4294967296", "threads is 4294967296"},
  };
  tsr_tune_result result = {.before = 42};
  for (int i = 0; i < COUNT(cases); i++)
    expect_failure(tsr_tune(NULL, cases[i].name, cases[i].shape, NULL, &result), TSR_INVALID_ARGUMENT, cases[i].says);
  assert_true(result.before == 42);
}

static void options_are_checked(void **state) {
  (void)state;
  tsr_gemm_desc d = cube(64);
  tsr_tune_options o = TSR_TUNE_OPTIONS;
  o.size = 3;
  expect_failure(tsr_gemm_tune(NULL, &d, &o, NULL), TSR_INVALID_ARGUMENT, "options->size is 3");
  o = (tsr_tune_options)TSR_TUNE_OPTIONS;
  o.seconds = -1;
  expect_failure(tsr_gemm_tune(NULL, &d, &o, NULL), TSR_INVALID_ARGUMENT, "options->seconds is -1");
  o.seconds = NAN;
  expect_failure(tsr_gemm_tune(NULL, &d, &o, NULL), TSR_INVALID_ARGUMENT, "options->seconds is");
  o.seconds = 0;
  o.measurements = -1;
  expect_failure(tsr_gemm_tune(NULL, &d, &o, NULL), TSR_INVALID_ARGUMENT, "options->measurements is -1");
}

static void descriptors_are_checked(void **state) {
  (void)state;
  tsr_gemm_desc d = cube(64);
  expect_failure(tsr_gemm_tune(NULL, NULL, NULL, NULL), TSR_INVALID_ARGUMENT, "desc is NULL");
  d.lda = 63;
  expect_failure(tsr_gemm_tune(NULL, &d, NULL, NULL), TSR_INVALID_ARGUMENT, "lda is 63");
  d = cube(64);
  d.m = 0;
  expect_failure(tsr_gemm_tune(NULL, &d, NULL, NULL), TSR_INVALID_ARGUMENT, "empty product");
  d = cube(64);
  d.type = TSR_F16;
  expect_failure(tsr_gemm_tune(NULL, &d, NULL, NULL), TSR_UNSUPPORTED, "no plans to tune");
}

/* Nothing is filled that would not fit: these fail at once. */
static void operands_beyond_memory_are_refused(void **state) {
  (void)state;
  static const char *const shapes[] = {
      "type=f64 m=1048576 n=1048576 k=1048576 a=n b=n pages=1 threads=1",
      "type=f64 m=1099511627776 n=1099511627776 k=1099511627776 a=n b=t pages=1 threads=2",
      "type=f64 m=1099511627776 n=1 k=8388608 a=n b=t pages=1 threads=2",
      "type=f32 m=1 n=1099511627776 k=1 a=t b=t pages=8 threads=2"};
  tsr_tune_result result = {.before = 42};
  double start = seconds_now();
  for (int i = 0; i < COUNT(shapes); i++)
    expect_failure(tsr_tune(NULL, "gemm", shapes[i], NULL, &result), TSR_OUT_OF_MEMORY, "no memory for operands");
  assert_true(seconds_now() - start < 20);
  assert_true(result.before == 42);
}

static void devices_have_their_own_words(void **state) {
  (void)state;
  tsr_context *context;
  tsr_tune_options o = TSR_TUNE_OPTIONS;
  o.dry_run = 1;
  assert_int_equal(tsr_context_create("accel:910b", &context), TSR_OK);
  expect_failure(tsr_tune(context, "gemm", SHAPE, &o, NULL), TSR_INVALID_ARGUMENT, "pages");
  expect_failure(tsr_tune(context, "gemm", "type=f32 to=f32 m=64 n=64 k=64 a=n b=n sums=direct", &o, NULL),
                 TSR_INVALID_ARGUMENT, "no kernels");
  assert_int_not_equal(tsr_tune(context, "gemm", "type=f16 to=s8 m=64 n=64 k=64 a=n b=n sums=direct", &o, NULL),
                       TSR_OK);
  tsr_context_destroy(context);
}

static void devices_follow_a_calls_plan(void **state) {
  (void)state;
  tsr_context *context;
  struct tsr_gemm_problem p = {.type = TSR_F16, .type_c = TSR_F32, .m = 256, .n = 256, .k = 256, .alpha = 1,
                               .rsa = 2, .csa = 512, .rsb = 2, .csb = 512, .csc = 1024};
  struct tsr_values own, given;
  assert_int_equal(tsr_context_create("accel:910b", &context), TSR_OK);
  assert_true(tsr_gemm_device_plan(context, &p, &own));
  p.plan = "mc=16 nc=48 slots=2";
  assert_true(tsr_gemm_device_plan(context, &p, &given));
  assert_int_equal(given.at[TSR_DEVICE_MC], 16);
  assert_int_equal(given.at[TSR_DEVICE_NC], 48);
  assert_int_equal(given.at[TSR_DEVICE_SLOTS], 2);
  assert_true(own.at[TSR_DEVICE_MC] != 16 || own.at[TSR_DEVICE_NC] != 48);
  p.plan = "mc=7";
  assert_false(tsr_gemm_device_plan(context, &p, &given));
  tsr_context_destroy(context);
}

/* --- what is measured --------------------------------------------------------------------------------------------- */

static bool exists(const char *name) {
  struct stat s;
  return stat(name, &s) == 0;
}

static void child_result(void) {
  tsr_gemm_desc d = cube(150);
  tsr_tune_options o = TSR_TUNE_OPTIONS;
  tsr_tune_result r;
  struct tsr_values plan;
  d.plan = "path=nonsense"; /* ignored */
  o.measurements = 5;
  child_check(tsr_gemm_tune(NULL, &d, &o, &r) == TSR_OK);
  child_check(r.measured >= 1 && r.measured <= 5 && r.runs >= r.measured);
  child_check(r.before > 0 && r.after > 0 && isfinite(r.before) && isfinite(r.after) && r.spread >= 0);
  child_check(r.improved == 0 || (r.improved == 1 && r.after < r.before));
  child_check(r.improved == 1 || r.after == r.before);
  child_check(call(d, r.plan) == TSR_OK);
  child_check(source_now(&d, &plan) == TSR_FROM_USER);
  child_check(call(d, "path=nonsense") == TSR_INVALID_ARGUMENT);
  child_check(tsr_gemm_tune(NULL, &d, NULL, NULL) == TSR_OK); /* options and result may be NULL */
}

static void results_are_whole(void **state) {
  (void)state;
  child_is_fine(run_child("result"), 0);
  assert_true(exists(path));
}

static void child_dry_run(void) {
  tsr_gemm_desc d = cube(150);
  tsr_tune_options o = TSR_TUNE_OPTIONS;
  tsr_tune_result r = {.before = 0};
  struct tsr_values plan;
  o.dry_run = 1;
  o.measurements = 4;
  child_check(tsr_gemm_tune(NULL, &d, &o, &r) == TSR_OK);
  child_check(r.before > 0 && r.plan[0]);
  child_check(source_now(&d, &plan) != TSR_FROM_USER);
}

static void dry_runs_keep_nothing(void **state) {
  (void)state;
  child_is_fine(run_child("dry_run"), 0);
  assert_false(exists(path));
}

/* A budget that is over at once still gives a result; one of a tenth of a second is kept to, within a run or two. */
static void child_budget(void) {
  static const double budgets[] = {1e-9, 0.1};
  tsr_gemm_desc d = cube(256);
  for (int i = 0; i < COUNT(budgets); i++) {
    tsr_tune_options o = TSR_TUNE_OPTIONS;
    tsr_tune_result r;
    double start = seconds_now();
    o.seconds = budgets[i];
    o.measurements = 1000;
    o.dry_run = 1;
    child_check(tsr_gemm_tune(NULL, &d, &o, &r) == TSR_OK);
    child_check(r.before > 0 && r.after > 0 && r.runs >= 1);
    child_check(seconds_now() - start < budgets[i] + 2);
    child_check(i > 0 || r.runs <= 3);
  }
}

static void budgets_are_kept(void **state) {
  (void)state;
  child_is_fine(run_child("budget"), 0);
}

static void child_many_measurements(void) {
  tsr_gemm_desc d = cube(60);
  tsr_tune_options o = TSR_TUNE_OPTIONS;
  tsr_tune_result r;
  o.measurements = INT32_MAX;
  o.seconds = 0.3;
  o.dry_run = 1;
  child_check(tsr_gemm_tune(NULL, &d, &o, &r) == TSR_OK && r.measured >= 1);
  o.measurements = 1; /* the default alone */
  child_check(tsr_gemm_tune(NULL, &d, &o, &r) == TSR_OK && r.measured == 1 && !r.improved);
}

static void any_number_of_measurements(void **state) {
  (void)state;
  child_is_fine(run_child("many_measurements"), 0);
}

/* On a device runs take the same time always, so a tuned plan is never slower; and the same call again finds it. */
static void child_device(void) {
  static const struct tsr_values shapes[] = {{{TSR_F16, TSR_F32, 100, 60, 90, 1, 2, 1}},
                                             {{TSR_S8, TSR_S32, 64, 200, 50, 2, 1, 2}},
                                             {{TSR_BF16, TSR_BF16, 40, 40, 300, 1, 1, 1}}};
  const struct tsr_operator *op = &tsr_gemm_device_operator;
  tsr_context *context;
  child_check(tsr_context_create("accel:910b", &context) == TSR_OK);
  for (int i = 0; i < COUNT(shapes); i++) {
    tsr_tune_result r;
    struct tsr_values plan;
    struct tsr_choice about;
    char words[TSR_VALUES_TEXT];
    child_check(tsr_tune(context, "gemm", shape_text(op, &shapes[i]), NULL, &r) == TSR_OK);
    child_check(r.after <= r.before && r.after > 0 && r.improved == (r.after < r.before));
    tsr_choose(op, context, &shapes[i], &plan, &about);
    tsr_values_print(op->plan, op->nplan, &plan, words);
    child_check(about.source == TSR_FROM_USER && !strcmp(words, r.plan));
    void *bench = op->bench_open(context, &shapes[i]);
    child_check(bench && fabs(op->bench_run(bench, &plan) / r.after - 1) < 1e-9);
    op->bench_close(bench);
  }
  tsr_context_destroy(context);
}

static void devices_are_never_tuned_for_the_worse(void **state) {
  (void)state;
  child_is_fine(run_child("device"), 0);
}

/* --- what is kept ------------------------------------------------------------------------------------------------- */

/* Where nothing can be written the call says so, gives the result, and this process takes it. */
static void child_unwritable(void) {
  tsr_gemm_desc d = cube(120);
  tsr_tune_options o = TSR_TUNE_OPTIONS;
  tsr_tune_result r = {.before = 0};
  struct tsr_values plan;
  char words[TSR_VALUES_TEXT];
  o.measurements = 3;
  tsr_status status = tsr_gemm_tune(NULL, &d, &o, &r);
  child_check(status == (tsr_status)atoi(getenv("STATUS")) && tsr_last_error()[0]);
  child_check(r.before > 0 && r.plan[0]);
  child_check(source_now(&d, &plan) == TSR_FROM_USER);
  tsr_values_print(GEMM->plan, GEMM->nplan, &plan, words);
  child_check(strcmp(words, r.plan) == 0);
  child_check(call(d, NULL) == TSR_OK);
  tsr_choose_afresh(); /* and after another tuning too */
  child_check(source_now(&d, &plan) == TSR_FROM_USER);
}

static void results_outlive_a_database_that_does_not(void **state) {
  (void)state;
  setenv("TESSERA_DB", "/dev/null/tune.db", 1);
  setenv("STATUS", "6", 1);
  assert_int_equal(TSR_IO_ERROR, 6);
  child_is_fine(run_child("unwritable"), 1);
  setenv("TESSERA_DB", folder, 1); /* a folder is no file */
  child_is_fine(run_child("unwritable"), 1);
  char home[300];
  snprintf(home, sizeof home, "%s", getenv("HOME") ? getenv("HOME") : "/");
  unsetenv("TESSERA_DB");
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME"); /* no home: memory only */
  setenv("STATUS", "4", 1);
  assert_int_equal(TSR_BAD_ENVIRONMENT, 4);
  child_is_fine(run_child("unwritable"), 1);
  setenv("HOME", home, 1);
  unsetenv("STATUS");
}

static struct {
  int rows, samples;
  char plan[TSR_VALUES_TEXT], shape[TSR_VALUES_TEXT];
} stored;

static void see_row(void *arg, const struct tsr_row *row) {
  (void)arg;
  stored.rows++;
  strcpy(stored.plan, row->plan);
  strcpy(stored.shape, row->shape);
}

static void see_sample(void *arg, const struct tsr_sample *sample) {
  (void)arg, (void)sample;
  stored.samples++;
}

/* A session's row and samples, as stored: legal, and of its shape. */
static void sessions_are_stored(void **state) {
  (void)state;
  static const struct tsr_visitor visitor = {.row = see_row, .sample = see_sample};
  struct tsr_session_options options = {.most_measured = 6};
  struct tsr_values shape = {{TSR_F32, 70, 80, 90, 1, 2, 1, 1}}, plan;
  struct tsr_session session;
  tsr_context *context;
  assert_int_equal(tsr_context_get(NULL, &context), TSR_OK);
  assert_int_equal(tsr_session_run(context, GEMM, &shape, &options, &session), TSR_OK);
  assert_true(session.measured >= 1 && session.measured <= 6 && session.candidates >= session.measured);
  bool default_measured = false;
  for (int i = 0; i < session.measured; i++) {
    assert_true(GEMM->check(context, &shape, &session.plans[i].plan, NULL));
    assert_true(session.plans[i].seconds > 0 && session.plans[i].predicted > 0);
    default_measured |= memcmp(&session.plans[i].plan, &session.default_plan, sizeof plan) == 0;
  }
  assert_true(default_measured);
  assert_int_equal(tsr_session_store(context, GEMM, &session, 1), TSR_OK);
  memset(&stored, 0, sizeof stored);
  assert_int_equal(tsr_database_read(path, NULL, &visitor, NULL), TSR_OK);
  assert_int_equal(stored.rows, 1);
  assert_true(stored.samples >= 1 && stored.samples <= session.measured);
  assert_string_equal(stored.shape, shape_text(GEMM, &shape));
  assert_true(tsr_values_parse(GEMM->plan, GEMM->nplan, stored.plan, &plan, NULL));
  assert_memory_equal(&plan, &session.plan, sizeof plan);
  tsr_session_free(&session);
}

static bool stop_after_three(void *user, int runs, double spent, double best) {
  (void)spent, (void)best;
  *(int *)user = runs;
  return runs < 3;
}

static void progress_can_end_a_session(void **state) {
  (void)state;
  int runs = 0;
  struct tsr_session_options options = {.progress = stop_after_three, .user = &runs};
  struct tsr_values shape = {{TSR_F32, 70, 80, 90, 1, 2, 1, 1}};
  struct tsr_session session;
  tsr_context *context;
  assert_int_equal(tsr_context_get(NULL, &context), TSR_OK);
  assert_int_equal(tsr_session_run(context, GEMM, &shape, &options, &session), TSR_OK);
  assert_int_equal(runs, 3);
  assert_int_equal(session.runs, 3);
  assert_true(session.default_seconds > 0 && session.seconds > 0);
  tsr_session_free(&session);
}

int main(int argc, char **argv) {
  static const struct child children[] = {
      {"result", child_result}, {"dry_run", child_dry_run}, {"budget", child_budget},
      {"many_measurements", child_many_measurements}, {"device", child_device}, {"unwritable", child_unwritable},
      {NULL, NULL}};
  int status;
  if (is_child(argc, argv, children, &status)) return status;
  const struct CMUnitTest tests[] = {
      RUN(arguments_are_checked), RUN(options_are_checked), RUN(descriptors_are_checked),
      RUN(operands_beyond_memory_are_refused), RUN(devices_have_their_own_words),
      RUN(devices_follow_a_calls_plan), RUN(results_are_whole),
      RUN(dry_runs_keep_nothing), RUN(budgets_are_kept), RUN(any_number_of_measurements),
      RUN(devices_are_never_tuned_for_the_worse), RUN(results_outlive_a_database_that_does_not),
      RUN(sessions_are_stored), RUN(progress_can_end_a_session),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
