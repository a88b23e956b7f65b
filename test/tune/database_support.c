#include "test/tune/database_support.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

char folder[256], path[300];
struct seen seen;

int make_folder(void **state) {
  (void)state;
  snprintf(folder, sizeof folder, "%s/tessera-tune-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
  if (!mkdtemp(folder)) return -1;
  snprintf(path, sizeof path, "%s/tune.db", folder);
  unsetenv("TESSERA_DB");
  unsetenv("XDG_CACHE_HOME");
  return setenv("HOME", folder, 1);
}

static int remove_one(const char *name, const struct stat *s, int type, struct FTW *at) {
  (void)s, (void)type, (void)at;
  return remove(name);
}

int remove_folder(void **state) {
  (void)state;
  return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

struct tsr_row row_of(int number) {
  static _Thread_local char shapes[64][64], plans[64][64];
  char *shape = shapes[number % 64], *plan = plans[number % 64];
  snprintf(shape, sizeof shapes[0], "type=f32 m=%d n=4096 k=4096", number);
  snprintf(plan, sizeof plans[0], "path=packed threads=2 mc=%d", 8 * number + 8);
  return (struct tsr_row){.operator_name = "gemm", .machine = "intel/6/143 avx512 48K/2M", .kernels = "0123abcd",
                          .shape = shape, .plan = plan, .default_plan = "path=packed threads=2 mc=192",
                          .median = 1e-6 * (number + 1), .spread = 0.0125, .predicted = 2e-6 * (number + 1),
                          .by_default = 3e-6 * (number + 1), .measurements = 12, .when = 1790000000 + number};
}

tsr_status write_rows_of(int first, int n) {
  struct tsr_row rows[64];
  for (int i = 0; i < n; i++) rows[i] = row_of(first + i);
  return tsr_database_write(path, &(struct tsr_batch){.rows = rows, .nrows = n}, NULL);
}

static void see_row(void *arg, const struct tsr_row *row) {
  struct seen *s = arg;
  size_t used = strlen(s->text);
  char line[TSR_ROW_TEXT];
  s->rows++;
  assert_true(tsr_row_print(row, line));
  if (used + sizeof line < sizeof s->text) sprintf(s->text + used, "%s\n", line);
}

static void see_sample(void *arg, const struct tsr_sample *sample) {
  assert_true(tsr_sample_valid(sample, NULL));
  ((struct seen *)arg)->samples++;
}

static void see_costs(void *arg, const char *machine, const char *text, int64_t when) {
  struct seen *s = arg;
  (void)machine, (void)when;
  s->costs++;
  strcpy(s->costs_text, text);
}

static void see_bad(void *arg, const char *sentence) {
  struct seen *s = arg;
  s->bad++;
  snprintf(s->sentence, sizeof s->sentence, "%s", sentence);
}

const struct tsr_visitor see_all = {see_row, see_sample, see_costs, see_bad};

tsr_status read_all(const char *machine) {
  memset(&seen, 0, sizeof seen);
  return tsr_database_read(path, machine, &see_all, &seen);
}

void sql(const char *statement) {
  sqlite3 *db;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  if (sqlite3_exec(db, statement, NULL, NULL, NULL) != SQLITE_OK) fail_msg("%s: %s", statement, sqlite3_errmsg(db));
  sqlite3_close(db);
}

void write_bytes(const char *file, const void *bytes, size_t n) {
  FILE *f = fopen(file, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, n, f), n);
  fclose(f);
}

size_t read_bytes(const char *file, void *bytes, size_t most) {
  FILE *f = fopen(file, "rb");
  assert_non_null(f);
  size_t n = fread(bytes, 1, most, f);
  fclose(f);
  return n;
}

double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
