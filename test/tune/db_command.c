/* The `tessera db` command as a user meets it. The program to test is the first argument. */
#include <stdlib.h>
#include <unistd.h>

#include "test/command.h"

static char folder[] = "/tmp/tessera-db-XXXXXX";

static int enter_folder(void **state) {
  (void)state;
  return mkdtemp(folder) && chdir(folder) == 0 ? setenv("TESSERA_DB", "tune.db", 1) : -1;
}

static int empty_folder(void **state) {
  (void)state;
  static const char *const files[] = {"tune.db", "rows.txt", "out.txt"};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) unlink(files[i]);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  return rmdir(folder);
}

__attribute__((format(printf, 2, 3))) static void expect(int status, const char *format, ...) {
  va_list rest;
  va_start(rest, format);
  tell_command("db", status, format, rest);
  va_end(rest);
}

#define REST " predicted=12.000000us default=13.000000us runs=12 when=1790000000\n"
static const char one[] = "gemm | elsewhere | k1 | type=f32 m=1 n=2 k=3 | path=small | path=direct | "
                          "median=10.000000us spread=0.0100" REST;
static const char two[] = "other | elsewhere | k1 | s=1 | p=1 | p=2 | median=0.500000us spread=0.2000" REST;

static void import_both(void) {
  char text[2000];
  snprintf(text, sizeof text, "# rows\n%s%s", one, two);
  write_file("rows.txt", text);
  expect(0, "import rows.txt");
  says("rows merged: 2, lines skipped: 0");
}

static void usage(void **state) {
  (void)state;
  static const char *const wrong[] = {"", "frobnicate", "list file", "list --all", "list --frobnicate", "import",
                                      "import a b", "export a b", "drop", "drop --all --shape x", "drop --all-machines",
                                      "drop x", "check --all", "check a b"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    expect(2, "%s", wrong[i]);
    says("usage: tessera db list");
  }
  assert_int_equal(access("tune.db", F_OK), -1);
}

static void nothing_there(void **state) {
  (void)state;
  expect(0, "list");
  says("has no rows");
  expect(0, "export");
  expect(0, "check");
  says("bad: 0");
  expect(0, "drop --all");
  says("rows dropped: 0");
  assert_int_equal(access("tune.db", F_OK), -1);
}

static void out_and_in_again(void **state) {
  (void)state;
  import_both();
  expect(0, "export out.txt");
  expect(0, "export");
  says(one);
  says(two);
  expect(0, "drop --all");
  expect(0, "export -");
  says_not("gemm");
  expect(0, "import - <out.txt");
  expect(0, "export");
  says(one);
  says(two);
}

static void lists(void **state) {
  (void)state;
  import_both();
  expect(0, "list");
  says("no rows for this machine");
  expect(0, "list --all-machines");
  says("machine elsewhere\n");
  says("type=f32 m=1 n=2 k=3\n");
  says("10 us +- 0.5 %, by default 13 us (1.30 x), predicted 12 us");
  says("s=1");
  expect(0, "list --all-machines --operator gemm");
  says_not("s=1");
}

static void drops(void **state) {
  (void)state;
  import_both();
  expect(0, "drop --shape s=1");
  says("rows dropped: 0");
  expect(0, "drop --shape s=1 --all-machines");
  says("rows dropped: 1");
  expect(0, "drop --operator gemm --all-machines");
  says("rows dropped: 1");
}

static void bad_lines(void **state) {
  (void)state;
  char text[20000];
  memset(text, 'x', 9000);
  snprintf(text + 9000, sizeof text - 9000, "\nnonsense | in | it\n%s", two);
  write_file("rows.txt", text);
  expect(0, "import rows.txt");
  says("line 1: the line is longer");
  says("line 2: a row has seven fields");
  says("rows merged: 1, lines skipped: 2");
  write_file("rows.txt", "nonsense\n");
  expect(1, "import rows.txt");
  expect(1, "import no-such-file");
  says("no-such-file");
  expect(1, "export /dev/null/x");
  expect(1, "export /dev/full");
}

static void checks(void **state) {
  (void)state;
  import_both();
  expect(0, "check");
  says("rows: 2, of other machines: 2");
  expect(1, "check rows.txt");
  says("rows.txt is damaged, or no database");
  if (system("printf xxxx | dd of=tune.db bs=1 seek=8192 conv=notrunc status=none") != 0) skip();
  expect(1, "check");
  setenv("TESSERA_DB", "/dev/null/x", 1);
  expect(1, "import rows.txt");
  says("/dev/null/x cannot be opened");
  setenv("TESSERA_DB", "tune.db", 1);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
#define RUN(test) cmocka_unit_test_teardown(test, empty_folder)
      RUN(usage), RUN(nothing_there), RUN(out_and_in_again), RUN(lists), RUN(drops), RUN(bad_lines), RUN(checks),
  };
  if (argc != 2 || !(tessera = realpath(argv[1], NULL))) return 1;
  return cmocka_run_group_tests(tests, enter_folder, remove_folder);
}
