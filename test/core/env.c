/* Values of the environment, good and bad. */
#include "src/core/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/threads.h"
#include "src/core/topology.h"
#include "test/core/support.h"

static const char *value;
static bool list;
static int expected;

static void parse_in_child(void) {
  setenv("TSR_TEST_COUNT", value, 1);
  child_check(tsr_env_count("TSR_TEST_COUNT", list) == expected);
}

static void expect(const char *text, bool as_list, int count, bool warns) {
  value = text, list = as_list, expected = count;
  const struct outcome *o = in_child(parse_in_child);
  assert_int_equal(o->status, 0);
  assert_int_equal(count_of(o->text, "\n"), warns);
  if (!warns) return;
  assert_non_null(strstr(o->text, "tessera: TSR_TEST_COUNT"));
  assert_non_null(strstr(o->text, text));
  assert_non_null(strstr(o->text, "positive integer"));
}

static void counts(void **state) {
  (void)state;
  expect("4", false, 4, false);
  expect(" 12 ", false, 12, false);
  expect("2147483647", false, 2147483647, false);
  expect("", false, 0, false);
  expect("4,2,1", true, 4, false);
  expect("4 ,2", true, 4, false);
  const char *bad[] = {"0", "-3", "four", "3x", "1.5", " ", "4,2", "99999999999999999999", "2147483648", "4;2"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) expect(bad[i], false, 0, true);
  expect(",4", true, 0, true);
  expect("x,4", true, 0, true);
}

static void long_value_in_child(void) {
  char longest[2000];
  memset(longest, 'y', sizeof longest - 1);
  longest[sizeof longest - 1] = 0;
  tsr_warn("%s", longest);
}

static void a_warning_is_one_line(void **state) {
  (void)state;
  const struct outcome *o = in_child(long_value_in_child);
  size_t length = strlen(o->text);
  assert_in_range(length, 100, 600);
  assert_int_equal(o->text[length - 1], '\n');
}

static const char *own, *openmp;
static int threads;

static void default_in_child(void) {
  unsetenv("TESSERA_NUM_THREADS");
  unsetenv("OMP_NUM_THREADS");
  if (own) setenv("TESSERA_NUM_THREADS", own, 1);
  if (openmp) setenv("OMP_NUM_THREADS", openmp, 1);
  int n = threads ? threads : tsr_cpus_available();
  for (int i = 0; i < 3; i++) child_check(tsr_get_num_threads(NULL) == n);
}

static void expect_default(const char *tessera, const char *omp, int n, int warnings) {
  own = tessera, openmp = omp, threads = n;
  const struct outcome *o = in_child(default_in_child);
  assert_int_equal(o->status, 0);
  assert_int_equal(count_of(o->text, "\n"), warnings);
}

static void default_numbers(void **state) {
  (void)state;
  expect_default("3", "5", 3, 0);
  expect_default(NULL, "5", 5, 0);
  expect_default(NULL, "6,2", 6, 0);
  expect_default("x", "5", 5, 1);
  expect_default("0", "-1", 0, 2);
  expect_default("", "", 0, 0);
  expect_default(NULL, NULL, 0, 0);
  expect_default("100000", NULL, TSR_MAX_THREADS, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(counts), cmocka_unit_test(a_warning_is_one_line),
                                     cmocka_unit_test(default_numbers)};
  return cmocka_run_group_tests_name("environment", tests, NULL, NULL);
}
