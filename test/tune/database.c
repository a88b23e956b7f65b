/* The database of tuning: rows as text, what is stored and by whom it is replaced, where the file is. */
#include "src/tune/database.h"

#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "test/tune/database_support.h"

static char line[TSR_ROW_TEXT], store[TSR_ROW_TEXT], why[TSR_WHY_TEXT];

static void rows_as_text(void **state) {
  (void)state;
  struct tsr_row row = row_of(7), back;
  assert_true(tsr_row_print(&row, line));
  assert_string_equal(line, "gemm | intel/6/143 avx512 48K/2M | 0123abcd | type=f32 m=7 n=4096 k=4096 | path=packed "
                            "threads=2 mc=64 | path=packed threads=2 mc=192 | median=8.000000us spread=0.0125 "
                            "predicted=16.000000us default=24.000000us runs=12 when=1790000007");
  assert_true(tsr_row_parse(line, store, &back, why));
  assert_string_equal(back.operator_name, row.operator_name);
  assert_string_equal(back.machine, row.machine);
  assert_string_equal(back.kernels, row.kernels);
  assert_string_equal(back.shape, row.shape);
  assert_string_equal(back.plan, row.plan);
  assert_string_equal(back.default_plan, row.default_plan);
  assert_float_equal(back.median, 8e-6, 1e-18);
  assert_float_equal(back.spread, 0.0125, 1e-12);
  assert_float_equal(back.predicted, 16e-6, 1e-18);
  assert_float_equal(back.by_default, 24e-6, 1e-18);
  assert_int_equal(back.measurements, 12);
  assert_int_equal(back.when, 1790000007);
}

/* Random times of all sizes: printing, parsing and printing again gives the same line. */
static void text_is_stable(void **state) {
  (void)state;
  char again[TSR_ROW_TEXT];
  srand(1);
  for (int i = 0; i < 2000; i++) {
    struct tsr_row row = row_of(i), back;
    row.median = pow(10, -10 + 13.0 * rand() / RAND_MAX);
    row.predicted = pow(10, -9 + 12.0 * rand() / RAND_MAX);
    assert_true(tsr_row_print(&row, line));
    if (!tsr_row_parse(line, store, &back, why)) fail_msg("%s: %s", line, why);
    assert_true(fabs(back.median - row.median) <= 0.51e-12 + 1e-14 * row.median);
    assert_true(tsr_row_print(&back, again));
    assert_string_equal(line, again);
  }
}

static void bad_lines_are_explained(void **state) {
  (void)state;
#define HEAD "gemm | m | k | s | p | d | "
#define REST " spread=0 predicted=1us default=1us runs=1 when=1"
  static const struct {
    const char *line, *why;
  } cases[] = {
      {"", "seven fields"},
      {"gemm", "seven fields"},
      {HEAD "x | median=1us" REST, "seven fields"},
      {HEAD "median=1us", "spread="},
      {HEAD "median=0us" REST, "median"},
      {HEAD "median=0.000000us" REST, "median"},
      {HEAD "median=-1us" REST, "median="},
      {HEAD "median=nanus" REST, "median="},
      {HEAD "median=infus" REST, "median="},
      {HEAD "median=1e3us" REST, "median="},
      {HEAD "median=1s" REST, "median="},
      {HEAD "median=99999999999999999999us" REST, "median="},
      {HEAD "median=1.5555555us" REST, "median="},
      {HEAD "median=999999999999us" REST ".", "after the last"},
      {HEAD "median=9999999999999us" REST, "median="},
      {HEAD "median=1us spread=0 predicted=1us default=1us runs=0 when=1", "measurements"},
      {HEAD "median=1us spread=0 predicted=1us default=1us runs=1", "when="},
      {HEAD "median=1us spread=0 predicted=1us default=1us runs=1 when=-5", "when="},
      {" | m | k | s | p | d | median=1us" REST, "operator"},
      {"gemm | | k | s | p | d | median=1us" REST, "machine"},
      {"gemm | m | k | s | \x01 | d | median=1us" REST, "plan"},
      {"gemm | m | k | s | \xc3\xa9 | d | median=1us" REST, "plan"},
  };
  struct tsr_row row;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (tsr_row_parse(cases[i].line, store, &row, why)) fail_msg("accepted: %s", cases[i].line);
    if (!strstr(why, cases[i].why)) fail_msg("\"%s\" gives \"%s\"", cases[i].line, why);
  }
  assert_true(tsr_row_parse(HEAD "median=1us" REST "\nmore", store, &row, why));
  char *big = calloc(1, 100000);
  memset(big, 'x', 99999);
  assert_false(tsr_row_parse(big, store, &row, NULL));
  free(big);
}

/* Every prefix of a good line and every character of it replaced: no crash, and never a row that is not valid. */
static void damaged_lines(void **state) {
  (void)state;
  struct tsr_row row = row_of(3), back;
  char damaged[TSR_ROW_TEXT];
  tsr_row_print(&row, line);
  size_t length = strlen(line);
  for (size_t i = 0; i < length; i++) {
    snprintf(damaged, sizeof damaged, "%.*s", (int)i, line);
    if (tsr_row_parse(damaged, store, &back, why)) assert_true(tsr_row_valid(&back, NULL));
    for (const char *c = "|=.\n 0-\x80"; *c; c++) {
      strcpy(damaged, line);
      damaged[i] = *c;
      if (tsr_row_parse(damaged, store, &back, why)) assert_true(tsr_row_valid(&back, NULL));
    }
  }
}

static void texts_of_many_rows(void **state) {
  (void)state;
  char text[8 * TSR_ROW_TEXT] = "# a comment | with bars\n\n  \t\r\n", *at = text + strlen(text);
  for (int i = 0; i < 3; i++) {
    struct tsr_row row = row_of(i);
    tsr_row_print(&row, line);
    at += sprintf(at, "%s%s", line, i == 0 ? "\r\n" : i == 1 ? "\nnonsense\n" : "");
  }
  memset(&seen, 0, sizeof seen);
  tsr_rows_parse(text, &see_all, &seen);
  assert_int_equal(seen.rows, 3);
  assert_int_equal(seen.bad, 1);
  assert_non_null(strstr(seen.sentence, "line 6: "));
  tsr_rows_parse(text, &(struct tsr_visitor){0}, NULL);
}

/* A decimal comma, odd rounding and raised flags belong to the caller. */
static void locale_and_flags_stay(void **state) {
  (void)state;
  struct tsr_row row = row_of(1), back;
  struct tsr_batch batch = {.rows = &row, .nrows = 1};
  (void)!setlocale(LC_ALL, "de_DE.UTF-8");
  feclearexcept(FE_ALL_EXCEPT);
  fesetround(FE_UPWARD);
  feraiseexcept(FE_DIVBYZERO);
  assert_int_equal(tsr_database_write(path, &batch, NULL), TSR_OK);
  assert_true(tsr_row_print(&row, line));
  assert_true(tsr_row_parse(line, store, &back, why));
  assert_int_equal(read_all(NULL), TSR_OK);
  assert_int_equal(fegetround(), FE_UPWARD);
  assert_int_equal(fetestexcept(FE_ALL_EXCEPT), FE_DIVBYZERO);
  fesetround(FE_TONEAREST);
  setlocale(LC_ALL, "C");
  assert_non_null(strstr(line, "median=2.000000us"));
}

static void writes_and_reads(void **state) {
  (void)state;
  struct tsr_row rows[2] = {row_of(5), row_of(2)};
  struct tsr_sample sample = {"gemm", rows[0].machine, rows[0].kernels, rows[0].shape, "path=small", 1e-6, 2e-6};
  struct tsr_batch batch = {.rows = rows, .nrows = 2, .samples = &sample, .nsamples = 1,
                            .costs_machine = rows[0].machine, .costs = "l1 64\nl2 32\n", .costs_when = 9};
  int64_t skipped = -1;
  snprintf(path, sizeof path, "%s/.cache/deep/tune.db", folder);
  assert_int_equal(read_all(NULL), TSR_OK);
  assert_int_equal(seen.rows, 0);
  assert_int_equal(tsr_database_write(path, &batch, &skipped), TSR_OK);
  assert_int_equal(skipped, 0);
  struct stat s;
  snprintf(line, sizeof line, "%s/.cache", folder);
  assert_int_equal(stat(line, &s), 0);
  assert_int_equal(s.st_mode & 0777, 0700);
  assert_int_equal(read_all(rows[0].machine), TSR_OK);
  assert_int_equal(seen.rows, 2);
  assert_int_equal(seen.samples, 1);
  assert_int_equal(seen.costs, 1);
  assert_string_equal(seen.costs_text, "l1 64\nl2 32\n");
  char expected[2 * TSR_ROW_TEXT];
  tsr_row_print(&rows[1], expected);
  tsr_row_print(&rows[0], line);
  strcat(strcat(strcat(expected, "\n"), line), "\n");
  assert_string_equal(seen.text, expected);
}

/* Rows of another machine stay where they are, and are not told. */
static void machines_are_apart(void **state) {
  (void)state;
  struct tsr_row mine = row_of(1), other = row_of(1);
  other.machine = "arm/0x41/0xd40 sve";
  other.median = 7e-3;
  assert_int_equal(tsr_database_write(path, &(struct tsr_batch){.rows = &other, .nrows = 1}, NULL), TSR_OK);
  assert_int_equal(tsr_database_write(path, &(struct tsr_batch){.rows = &mine, .nrows = 1}, NULL), TSR_OK);
  assert_int_equal(read_all(mine.machine), TSR_OK);
  assert_int_equal(seen.rows, 1);
  assert_non_null(strstr(seen.text, "median=2.000000us"));
  assert_int_equal(read_all(NULL), TSR_OK);
  assert_int_equal(seen.rows, 2);
}

static void write_row(double median, int64_t when, const char *kernels, bool merge) {
  struct tsr_row row = row_of(1);
  row.median = median;
  row.when = when;
  row.kernels = kernels;
  struct tsr_batch batch = {.rows = &row, .nrows = 1, .merge = merge};
  assert_int_equal(tsr_database_write(path, &batch, NULL), TSR_OK);
  assert_int_equal(read_all(NULL), TSR_OK);
  assert_int_equal(seen.rows, 1);
}
#define ASSERT_STORED(part) assert_non_null(strstr(seen.text, part))

static void newest_writer_wins_whatever_the_clock(void **state) {
  (void)state;
  int64_t now = time(NULL);
  write_row(5e-6, now + 1000000000, "old", false); /* a clock years ahead, and then put right */
  write_row(6e-6, now, "new", false);
  ASSERT_STORED("| new |");
  ASSERT_STORED("median=6.000000us");
  write_row(4e-6, 0, "new", false); /* and one that fell back to 1970 */
  ASSERT_STORED("median=4.000000us");
}

static void merging_keeps_the_later(void **state) {
  (void)state;
  int64_t now = time(NULL);
  write_row(5e-6, now - 100, "k", false);
  write_row(6e-6, now - 200, "k", true);
  ASSERT_STORED("median=5.000000us");
  write_row(6e-6, now - 100, "k", true);
  ASSERT_STORED("median=5.000000us");
  write_row(7e-6, now - 50, "k", true);
  ASSERT_STORED("median=7.000000us");
  write_row(8e-6, now + 1000000, "k", true); /* from the future: the oldest */
  ASSERT_STORED("median=7.000000us");
  write_row(9e-6, now + 1000000, "k", false);
  write_row(2e-6, now - 500, "k", true); /* one that is stored does not stay for ever either */
  ASSERT_STORED("median=2.000000us");
}

static void other_kernels_samples_end(void **state) {
  (void)state;
  struct tsr_sample s[3] = {{"gemm", "m", "old", "m=1", "path=a", 1e-6, 1e-6},
                            {"gemm", "m", "old", "m=1", "path=b", 1e-6, 1e-6},
                            {"gemm", "m", "old", "m=2", "path=a", 1e-6, 1e-6}};
  assert_int_equal(tsr_database_write(path, &(struct tsr_batch){.samples = s, .nsamples = 3}, NULL), TSR_OK);
  assert_int_equal(tsr_database_write(path, &(struct tsr_batch){.samples = s, .nsamples = 3}, NULL), TSR_OK);
  assert_int_equal(read_all("m"), TSR_OK);
  assert_int_equal(seen.samples, 3);
  s[0].kernels = "new";
  assert_int_equal(tsr_database_write(path, &(struct tsr_batch){.samples = s, .nsamples = 1}, NULL), TSR_OK);
  assert_int_equal(read_all("m"), TSR_OK);
  assert_int_equal(seen.samples, 2);
}

static void bad_rows_are_never_written(void **state) {
  (void)state;
  char overlong[TSR_VALUES_TEXT + 1];
  memset(overlong, 'x', sizeof overlong - 1);
  overlong[TSR_VALUES_TEXT] = 0;
  const double bad_times[] = {0, -0.0, -1, NAN, -NAN, INFINITY, -INFINITY, 1e-11, 1e7, 5e-324};
  struct tsr_row rows[64];
  int n = 0;
  for (size_t i = 0; i < sizeof bad_times / sizeof bad_times[0]; i++) {
    rows[n] = row_of(n), rows[n++].median = bad_times[i];
    rows[n] = row_of(n), rows[n++].predicted = bad_times[i];
    rows[n] = row_of(n), rows[n++].by_default = bad_times[i];
  }
  rows[n] = row_of(n), rows[n++].spread = NAN;
  rows[n] = row_of(n), rows[n++].spread = -0.1;
  rows[n] = row_of(n), rows[n++].operator_name = "";
  rows[n] = row_of(n), rows[n++].machine = NULL;
  rows[n] = row_of(n), rows[n++].kernels = " k";
  rows[n] = row_of(n), rows[n++].shape = overlong;
  rows[n] = row_of(n), rows[n++].plan = "a|b";
  rows[n] = row_of(n), rows[n++].default_plan = "a\nb";
  rows[n] = row_of(n), rows[n++].measurements = 0;
  rows[n] = row_of(n), rows[n++].when = -1;
  int bad = n;
  rows[n] = row_of(n), n++;
  struct tsr_sample sample = {"gemm", "m", "k", "s", "p", 0, 1e-6};
  int64_t skipped;
  struct tsr_batch batch = {.rows = rows, .nrows = n, .samples = &sample, .nsamples = 1, .costs_machine = "",
                            .costs = "x"};
  for (int i = 0; i < n; i++) assert_int_equal(tsr_row_valid(&rows[i], why), i == bad);
  assert_int_equal(tsr_database_write(path, &batch, &skipped), TSR_OK);
  assert_int_equal(skipped, bad + 2);
  assert_int_equal(read_all(NULL), TSR_OK);
  assert_int_equal(seen.rows + seen.samples + seen.costs, 1);
  assert_int_equal(seen.bad, 0);
}

static void nothing_good_makes_no_file(void **state) {
  (void)state;
  struct tsr_row row = row_of(1);
  row.median = NAN;
  assert_int_equal(tsr_database_write(path, &(struct tsr_batch){.rows = &row, .nrows = 1}, NULL), TSR_OK);
  assert_int_equal(access(path, F_OK), -1);
}

static void drops(void **state) {
  (void)state;
  struct tsr_row other = row_of(1);
  struct tsr_sample sample = {"gemm", other.machine, "k", other.shape, "p", 1e-6, 1e-6};
  int64_t n;
  assert_int_equal(tsr_database_drop(path, NULL, NULL, NULL, &n), TSR_OK);
  assert_int_equal(n, 0);
  assert_int_equal(access(path, F_OK), -1);
  other.operator_name = "attention";
  assert_int_equal(write_rows_of(0, 10), TSR_OK);
  struct tsr_batch batch = {.rows = &other, .nrows = 1, .samples = &sample, .nsamples = 1, .costs_machine = "m",
                            .costs = "c"};
  assert_int_equal(tsr_database_write(path, &batch, NULL), TSR_OK);
  assert_int_equal(tsr_database_drop(path, "gemm", NULL, other.shape, &n), TSR_OK);
  assert_int_equal(n, 1);
  assert_int_equal(read_all(NULL), TSR_OK);
  assert_int_equal(seen.rows, 10);
  assert_int_equal(seen.samples, 0);
  assert_int_equal(tsr_database_drop(path, "attention", "no such machine", NULL, &n), TSR_OK);
  assert_int_equal(n, 0);
  assert_int_equal(tsr_database_drop(path, NULL, other.machine, NULL, &n), TSR_OK);
  assert_int_equal(n, 10);
  assert_int_equal(read_all(NULL), TSR_OK);
  assert_int_equal(seen.costs, 1);
  assert_int_equal(tsr_database_drop(path, NULL, NULL, NULL, &n), TSR_OK);
  assert_int_equal(read_all(NULL), TSR_OK);
  assert_int_equal(seen.rows + seen.costs, 0);
}

static long fake_type;
static int fake_statfs(const char *name, struct statfs *result) {
  int failed = statfs(name, result);
  if (!failed) result->f_type = fake_type;
  return failed;
}

static void path_of_the_database(void **state) {
  (void)state;
  char found[512], expected[512];
  snprintf(expected, sizeof expected, "%s/.cache/tessera/tune.db", folder);
  assert_int_equal(tsr_database_path(found, sizeof found), TSR_OK);
  assert_string_equal(found, expected);
  setenv("XDG_CACHE_HOME", "relative", 1);
  assert_int_equal(tsr_database_path(found, sizeof found), TSR_OK);
  assert_string_equal(found, expected);
  setenv("XDG_CACHE_HOME", "/var/none", 1);
  assert_int_equal(tsr_database_path(found, sizeof found), TSR_OK);
  assert_string_equal(found, "/var/none/tessera/tune.db");
  setenv("TESSERA_DB", "x.db", 1);
  assert_int_equal(tsr_database_path(found, sizeof found), TSR_OK);
  assert_string_equal(found, "x.db");
  assert_int_equal(tsr_database_path(found, 4), TSR_BAD_ENVIRONMENT);
  setenv("TESSERA_DB", "", 1);
  unsetenv("XDG_CACHE_HOME");
  assert_int_equal(tsr_database_path(found, 20), TSR_BAD_ENVIRONMENT);
  const char *const homes[] = {NULL, "", "somewhere"};
  for (int i = 0; i < 3; i++) {
    if (homes[i]) setenv("HOME", homes[i], 1);
    else unsetenv("HOME");
    assert_int_equal(tsr_database_path(found, sizeof found), TSR_BAD_ENVIRONMENT);
    assert_non_null(strstr(tsr_last_error(), "TESSERA_DB"));
  }
}

static void network_homes(void **state) {
  (void)state;
  char found[512];
  tsr_database_statfs = fake_statfs;
  const long remote[] = {0x6969, (long)0xff534d42, (int)0xff534d42, (long)0xfe534d42, 0x65735546, 0x0bd00bd0};
  for (size_t i = 0; i < sizeof remote / sizeof remote[0]; i++) {
    fake_type = remote[i];
    assert_int_equal(tsr_database_path(found, sizeof found), TSR_BAD_ENVIRONMENT);
    assert_non_null(strstr(tsr_last_error(), "network"));
  }
  setenv("TESSERA_DB", path, 1);
  assert_int_equal(tsr_database_path(found, sizeof found), TSR_OK);
  unsetenv("TESSERA_DB");
  const long local[] = {0xef53, 0x01021994, 0x58465342, 0x9123683e, 0x794c7630};
  for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
    fake_type = local[i];
    assert_int_equal(tsr_database_path(found, sizeof found), TSR_OK);
  }
  tsr_database_statfs = statfs;
}

/* Not a limit but a gauge: a loaded machine must not fail a test. */
static void time_of_a_load(void **state) {
  (void)state;
  double best = 1;
  for (int i = 0; i < 16; i++) assert_int_equal(write_rows_of(64 * i, 64), TSR_OK);
  for (int i = 0; i < 5; i++) {
    double start = seconds_now();
    assert_int_equal(read_all("intel/6/143 avx512 48K/2M"), TSR_OK);
    if (seconds_now() - start < best) best = seconds_now() - start;
  }
  assert_int_equal(seen.rows, 1024);
  print_message("reading 1024 rows and printing them takes %.2f ms\n", 1e3 * best);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      RUN(rows_as_text), RUN(text_is_stable), RUN(bad_lines_are_explained), RUN(damaged_lines),
      RUN(texts_of_many_rows), RUN(locale_and_flags_stay), RUN(writes_and_reads), RUN(machines_are_apart),
      RUN(newest_writer_wins_whatever_the_clock), RUN(merging_keeps_the_later), RUN(other_kernels_samples_end),
      RUN(bad_rows_are_never_written), RUN(nothing_good_makes_no_file), RUN(drops), RUN(path_of_the_database),
      RUN(network_homes), RUN(time_of_a_load),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
