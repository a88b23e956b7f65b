/* The `tessera accel` command as a user meets it: its exit status and what it prints, good and bad. The program to test
 * is the first argument. */
#include <stdlib.h>
#include <unistd.h>

#include "test/command.h"

static char folder[] = "/tmp/tessera-accel-XXXXXX";

static int make_folder(void **state) {
  (void)state;
  return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state) {
  (void)state;
  static const char *const files[] = {"a.s", "b.s", "part.s", "out.json", "out.html"};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) unlink(files[i]);
  return rmdir(folder);
}

__attribute__((format(printf, 2, 3))) static void expect(int status, const char *format, ...) {
  va_list rest;
  va_start(rest, format);
  tell_command("accel", status, format, rest);
  va_end(rest);
}

static void read_output_of(const char *name) {
  FILE *file = fopen(name, "r");
  assert_non_null(file);
  size_t n = fread(output, 1, sizeof output - 1, file);
  output[n] = 0;
  fclose(file);
}

/* Loads 4 KiB and stores it where the second argument says. */
static const char copy[] = "  arg r1, 0\n  arg r2, 1\n  li r3, 4096\n  li r4, 1\n  ld.gm.ub r0, r1, r4, r3, r3, r3\n"
                           "  set_flag mte2, mte3, 0\n  wait_flag mte2, mte3, 0\n  st.ub.gm r2, r0, r4, r3, r3, r3\n"
                           "  halt\n";

static void usage(void **state) {
  (void)state;
  expect(2, " ");
  says("tessera accel run FILE");
  expect(2, "frobnicate");
  says("there is no command \"frobnicate\"");
  expect(2, "run");
  says("usage: tessera accel run FILE");
  expect(2, "asm");
  says("usage: tessera accel asm FILE");
  expect(2, "chips 910b");
  expect(2, "run a.s --frobnicate");
  expect(2, "run a.s b.s");
}

static void lists_chips(void **state) {
  (void)state;
  expect(0, "chips");
  says("910b       910B-like");
  says("310p       310P-like");
  says("systolic   128 x 128");
}

static void assembles(void **state) {
  (void)state;
  write_file("a.s", ".include \"part.s\"\n  li r2, SEVEN\n  halt\n");
  write_file("part.s", ".const SEVEN = 7\n");
  expect(0, "asm a.s");
  says("; a.s: 2 words of 16 bytes");
  says("0202000000000000 0000000007000000  li r2, 7");
  says("; a.s:2");
  expect(0, "disasm a.s");
  write_file("b.s", output);
  char *first = strdup(output);
  expect(0, "disasm b.s");
  assert_string_equal(output, first);
  free(first);
  expect(0, "disasm gemm.s");
  says("mad.f16");
}

static void wrong_programs(void **state) {
  (void)state;
  write_file("a.s", "  li r2, 1\n  frob r1\n");
  expect(1, "asm a.s");
  says("a.s:2:3:");
  expect(1, "run a.s");
  says("a.s:2:3:");
  expect(1, "asm nowhere.s");
  says("nowhere.s: No such file or directory; the library carries ");
  says("gemm.s");
  expect(1, "asm .");
  says("Is a directory");
}

static void runs(void **state) {
  (void)state;
  write_file("a.s", copy);
  expect(0, "run a.s --gm 4K --arg gm:0x1000");
  says("1 of 24 cores");
  says("ld.gm.ub");
  says("4096             4096");
  expect(0, "run a.s --chip=310p --cores 1 --gm 4K --gm 4K --time-only --races");
  says("310p (310P-like");
  expect(0, "run a.s --gm 4K --gm 4K --shuffle 7");
  says("shuffled with seed 7");
  expect(0, "roofline a.s --gm 4K --gm 4K");
  says("bound by");
}

static void writes_files(void **state) {
  (void)state;
  write_file("a.s", copy);
  expect(0, "run a.s --gm 4K --gm 4K --trace out.json --html out.html");
  says("bound by");
  read_output_of("out.json");
  says("\"text\":\"ld.gm.ub r0, r1, r4, r3, r3, r3\",\"at\":\"a.s:5\"");
  read_output_of("out.html");
  says("<!DOCTYPE html>");
  expect(0, "trace a.s --gm 4K --gm 4K");
  says("{\"displayTimeUnit\"");
  expect(0, "trace a.s --gm 4K --gm 4K -o out.json");
  assert_string_equal(output, "");
  expect(1, "run a.s --gm 4K --gm 4K --html /nowhere/out.html");
  says("/nowhere/out.html: No such file or directory");
  expect(1, "run a.s --gm 4K --gm 4K --html /dev/full");
  says("/dev/full: No space left on device");
  expect(1, "run a.s --gm 4K --gm 4K >/dev/full");
}

static void faults(void **state) {
  (void)state;
  write_file("a.s", copy);
  expect(1, "run a.s --gm 4K --arg 17");
  says("a.s:8");
  expect(1, "run a.s --gm 4K --gm 4K --cores 2 --races");
  says("race");
  write_file("b.s", "again:\n  jmp again\n");
  expect(1, "run b.s --cycles 1000");
  says("1000");
  write_file("b.s", "  wait_flag m, mte1, 3\n  halt\n");
  expect(1, "run b.s");
  says("b.s:1");
}

static void wrong_options(void **state) {
  (void)state;
  write_file("a.s", copy);
  expect(1, "run a.s --chip 910c");
  says("there is no chip \"910c\"; there are 310p, 910b, systolic");
  expect(1, "run a.s --cores 25");
  says("chip 910b has 24 cores, not 25");
  static const char *const wrong[] = {"--cores 0", "--cores -1", "--cores x", "--cores 1e3", "--arg x", "--arg 1x",
                                      "--arg ''",
                                      "--arg gm:", "--arg gm:0", "--gm -4", "--gm 4Q", "--gm 4KK", "--gm 99999999999G",
                                      "--shuffle 0", "--cycles 0", "--cycles 99999999999999999999",
                                      "--shuffle 3 --html x"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    char arguments[100];
    snprintf(arguments, sizeof arguments, "run a.s %s", wrong[i]);
    expect(2, "%s", arguments);
    says("tessera accel: ");
  }
  expect(1, "run a.s --gm 100G");
  says("more than is left");
  char many[400] = "run a.s";
  for (int i = 0; i < 33; i++) strcat(many, " --arg 1");
  expect(2, "%s", many);
  says("32 arguments at most");
}

static void products(void **state) {
  (void)state;
  expect(0, "gemm 100 200 300 --type s8 --trans-b --trace out.json --html out.html");
  says("gemm 100x200x300 s8");
  says("6000000 multiply-adds in s8");
  says("bound by");
  read_output_of("out.json");
  says("gemm.s:");
  expect(0, "gemm 64 64 64 --device accel:310p --roofline");
  says("310p");
  expect(1, "gemm 64 64 64 --device accel:911");
  says("910b");
  expect(2, "gemm 64 64 64 --device generic");
  says("is not a device");
  expect(1, "gemm 64 64 64 --type f32");
  says("TSR_F16");
  static const char *const wrong[] = {"gemm 64 64", "gemm 64 64 0", "gemm 64 64 x", "gemm 64 64 64 --type f8"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) expect(2, "%s", wrong[i]);
}

static void attends(void **state) {
  (void)state;
  expect(0, "attention 300 400 2 64 --causal bottom-right --trace out.json --html out.html");
  says("attention 300x400, 2 heads of 64, f16");
  says("bound by");
  read_output_of("out.json");
  says("attend.s:");
  expect(0, "attention 1 500 8 64 --kv-heads 2 --device accel:310p --plan softmax=f16 --roofline");
  says("310p");
  expect(1, "attention 64 64 1 64 --plan softmax=f8");
  says("softmax=f16");
  expect(1, "attention 64 64 1 64 --type f32");
  says("type_q");
  static const char *const wrong[] = {"attention 64 64 3", "attention 64 64 3 64 --kv-heads 2",
                                      "attention 64 64 1 64 --causal middle", "attention 64 0 1 64"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) expect(2, "%s", wrong[i]);
}

static void convolves(void **state) {
  (void)state;
  expect(0, "conv 20 40 14 14 3 3 --batch 2 --stride 2 --bias --relu --trace out.json --html out.html");
  says("convolution 20 to 40 channels, 2 x 14x14 by 3x3/2, f16");
  says("bound by");
  read_output_of("out.json");
  says("conv.s:");
  expect(0, "conv 512 64 7 7 3 3 --device accel:310p --type bf16 --to f32 --roofline");
  says("310p");
  expect(1, "conv 16 16 9 9 3 3 --dilation 4 --pad 0 --type f32");
  says("type_x");
  expect(1, "conv 16 16 300 300 256 1");
  says("kernel is 256");
  expect(2, "conv 16 16 4 4 5 5 --pad 0");
  says("no output fits");
  static const char *const wrong[] = {"conv 64 64 3", "conv 64 64 7 7 3 0", "conv 64 64 7 7 3 3 --pad -1",
                                      "conv 15 64 7 7 3 3 --groups 2", "conv 64 64 7 7 3 3 --type f8"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) expect(2, "%s", wrong[i]);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(usage),        cmocka_unit_test(lists_chips), cmocka_unit_test(assembles),
      cmocka_unit_test(wrong_programs), cmocka_unit_test(runs),      cmocka_unit_test(writes_files),
      cmocka_unit_test(faults),       cmocka_unit_test(wrong_options), cmocka_unit_test(products),
      cmocka_unit_test(attends),      cmocka_unit_test(convolves),
  };
  tessera = argc == 2 ? realpath(argv[1], NULL) : NULL; /* the tests work in a folder of their own */
  if (!tessera) return 2;
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
