/* The call trace: the form of its lines, where they go, and what its peak means. */
#include "src/core/trace.h"

#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/core/support.h"

enum { THREADS = 4, LINES = 100 };

#define LINE \
  "^tessera: [A-Za-z_0-9]+ [A-Z ]*[0-9]+x[0-9]+x[0-9]+ [a-z0-9]+ [^ ]+ threads=[0-9]+ " \
  "[0-9.]+ us [0-9.]+ GFLOP/s [0-9.]+ %$"

/* How many lines `text` has; every one must have the form. */
static int count_lines(const char *text) {
  static char copy[65536];
  regex_t form;
  int n = 0;
  assert_int_equal(regcomp(&form, LINE, REG_EXTENDED | REG_NOSUB), 0);
  snprintf(copy, sizeof copy, "%s", text);
  for (char *rest = copy, *line; (line = strsep(&rest, "\n")) && rest; n++)
    if (regexec(&form, line, 0, NULL, 0)) fail_msg("not a line of the trace: %s", line);
  regfree(&form);
  return n;
}

static struct tsr_trace_call example(void) {
  return (struct tsr_trace_call){.routine = "cblas_sgemm", .kernel = "some_kernel", .sizes = "NT 5x7x9",
                                 .type = TSR_F32, .threads = 1, .seconds = 1e-3, .flops = 1e6};
}

static void one_call(void) {
  struct tsr_trace_call call = example();
  if (tsr_tracing()) tsr_trace_print(&call);
}

static const char *value;
static void trace_in_child(void) {
  setenv("TESSERA_TRACE", value, 1);
  for (int i = 0; i < 3; i++) one_call();
}

static const char *trace_with(const char *text) {
  value = text;
  const struct outcome *o = in_child(trace_in_child);
  assert_int_equal(o->status, 0);
  return o->text;
}

static void on_and_off(void **state) {
  (void)state;
  const char *text = trace_with("1");
  assert_int_equal(count_lines(text), 3);
  assert_non_null(strstr(text, "tessera: cblas_sgemm NT 5x7x9 "));
  assert_non_null(strstr(text, " some_kernel threads=1 1000.0 us 1.0 GFLOP/s "));
  assert_string_equal(trace_with("0"), "");
  assert_string_equal(trace_with(""), "");
}

static void unknown_values_are_told(void **state) {
  (void)state;
  const char *values[] = {"yes", "2", "trace.log", " 1"};
  for (int i = 0; i < 4; i++) {
    const char *text = trace_with(values[i]);
    assert_int_equal(count_of(text, "\n"), 1);
    assert_non_null(strstr(text, values[i]));
    assert_non_null(strstr(text, "set it to 1"));
  }
  const char *text = trace_with("/no/such/directory/file");
  assert_int_equal(count_of(text, "\n"), 1);
  assert_non_null(strstr(text, "No such file"));
}

static void lines_go_to_a_file(void **state) {
  (void)state;
  char path[] = "/tmp/tessera-trace-XXXXXX", text[4096] = "";
  close(mkstemp(path));
  assert_string_equal(trace_with(path), "");
  assert_string_equal(trace_with(path), "");
  int file = open(path, O_RDONLY);
  assert_true(read(file, text, sizeof text - 1) > 0);
  close(file);
  unlink(path);
  assert_int_equal(count_lines(text), 6);
}

static void *print_often(void *arg) {
  for (int i = 0; i < LINES; i++) one_call();
  return arg;
}

static void threads_in_child(void) {
  pthread_t thread[THREADS];
  setenv("TESSERA_TRACE", "1", 1);
  for (int i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, print_often, NULL);
  for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
}

static void threads_do_not_mix_lines(void **state) {
  (void)state;
  const struct outcome *o = in_child(threads_in_child);
  assert_int_equal(o->status, 0);
  assert_int_equal(count_lines(o->text), THREADS * LINES);
}

static char long_name[900];
static void long_line_in_child(void) {
  struct tsr_trace_call call = example();
  setenv("TESSERA_TRACE", "1", 1);
  call.kernel = long_name;
  if (tsr_tracing()) tsr_trace_print(&call);
}

static void a_long_name_is_cut(void **state) {
  (void)state;
  memset(long_name, 'k', sizeof long_name - 1);
  const char *text = in_child(long_line_in_child)->text;
  assert_in_range(strlen(text), 500, 895);
  assert_int_equal(count_of(text, "\n"), 1);
  assert_int_equal(text[strlen(text) - 1], '\n');
}

static void share_in_child(void) {
  tsr_context *context;
  child_check(tsr_context_create(NULL, &context) == TSR_OK);
  struct tsr_trace_call call = example();
  setenv("TESSERA_TRACE", "1", 1);
  call.context = context;
  call.threads = 2;
  call.flops = tsr_peak_flops(&context->kernels[TSR_F32], TSR_F32) * call.seconds;
  if (tsr_tracing()) tsr_trace_print(&call);
  call.flops = 0;
  call.seconds = 0;
  tsr_trace_print(&call);
  tsr_context_destroy(context);
}

static void half_the_peak_of_two_threads(void **state) {
  (void)state;
  const struct outcome *o = in_child(share_in_child);
  assert_int_equal(o->status, 0);
  assert_int_equal(count_lines(o->text), 2);
  assert_non_null(strstr(o->text, " GFLOP/s 50.0 %\n"));
  assert_non_null(strstr(o->text, " 0.0 us 0.0 GFLOP/s 0.0 %\n"));
}

static void the_peak_is_measured_once_for_each_type(void **state) {
  (void)state;
  tsr_context *context;
  assert_int_equal(tsr_context_create(NULL, &context), TSR_OK);
  double f32 = tsr_peak_flops(&context->kernels[TSR_F32], TSR_F32);
  double f64 = tsr_peak_flops(&context->kernels[TSR_F64], TSR_F64);
  assert_true(f32 > 1e6 && f64 > 1e6 && f32 != f64);
  assert_true(tsr_peak_flops(&context->kernels[TSR_F32], TSR_F32) == f32);
  tsr_context_destroy(context);
}

static void multiply_in_child(void) {
  float a[6] = {1, 2, 3, 4, 5, 6}, b[6] = {1, 2, 3, 4, 5, 6}, c[4];
  tsr_gemm_desc desc = TSR_GEMM_DESC;
  desc.m = desc.n = desc.ldb = desc.ldc = 2;
  desc.k = desc.lda = 3;
  setenv("TESSERA_TRACE", "1", 1);
  child_check(tsr_gemm(NULL, &desc, a, b, c) == TSR_OK && c[0] == 22);
}

static void a_call_tells_itself(void **state) {
  (void)state;
  const struct outcome *o = in_child(multiply_in_child);
  assert_int_equal(o->status, 0);
  assert_int_equal(count_lines(o->text), 1);
  assert_non_null(strstr(o->text, "2x2x3"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(on_and_off),         cmocka_unit_test(unknown_values_are_told),
      cmocka_unit_test(lines_go_to_a_file), cmocka_unit_test(threads_do_not_mix_lines),
      cmocka_unit_test(a_long_name_is_cut), cmocka_unit_test(half_the_peak_of_two_threads),
      cmocka_unit_test(the_peak_is_measured_once_for_each_type), cmocka_unit_test(a_call_tells_itself)};
  return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
