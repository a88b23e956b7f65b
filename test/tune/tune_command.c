/* The `tessera tune` command as a user meets it. The program to test is the first argument; with the second one,
 * "watch", only what preloads the library is tested. */
#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/command.h"

static const char *self;
static char folder[] = "/tmp/tessera-tune-XXXXXX";

static int enter_folder(void **state) {
  (void)state;
  unsetenv("TESSERA_TUNE");
  unsetenv("TESSERA_TRACE");
  unsetenv("TESSERA_NUM_THREADS");
  setenv("TESSERA_BENCH_VENV", "./no-such-folder", 1);
  return mkdtemp(folder) && chdir(folder) == 0 ? setenv("TESSERA_DB", "tune.db", 1) : -1;
}

static int empty_folder(void **state) {
  (void)state;
  setenv("TESSERA_DB", "tune.db", 1);
  return system("rm -rf ./*") == 0 ? 0 : -1;
}

static int remove_folder(void **state) {
  (void)state;
  return rmdir(folder);
}

__attribute__((format(printf, 2, 3))) static void expect(int status, const char *format, ...) {
  va_list rest;
  va_start(rest, format);
  tell_command("tune", status, format, rest);
  va_end(rest);
}

static int count(const char *part) {
  int n = 0;
  for (const char *at = output; (at = strstr(at, part)); at += strlen(part)) n++;
  return n;
}

static bool there_is(const char *name) { return access(name, F_OK) == 0; }

/* --- the command line ---------------------------------------------------------------------------------------------- */

static void wrong_usage(void **state) {
  (void)state;
  static const struct {
    const char *arguments, *part;
  } wrong[] = {{"", "there are no shapes"},
               {"--frobnicate", "usage: tessera tune"},
               {"gemm gemm --shape '1 2 3'", "takes a program"},
               {"pool --shape '1 2 3'", "no operator \"pool\""},
               {"conv --shape '1 2 3'", "is no shape"},
               {"conv --shape '8->8@9 3' --type f64", "shapes of conv name their types"},
               {"conv --shape '8->8@9 3' --model all", "give shapes of conv by --shapes"},
               {"attention --shape '1 2 3'", "is no shape"},
               {"attention --shape '1 4 3 5 6 64 64 0 f16'", "heads is 4, which kv_heads, 3, does not divide"},
               {"attention --shape '1 4 2 5 6 64 64 2 f16'", "is no shape"},
               {"attention --shape '1 4 2 5 6 64 64 1 f64'", "is no shape"},
               {"attention --type f16 --shape '1 4 2 5 6 64 64 1 f16'", "--type is for gemm"},
               {"attention --model gpt2", "--model is for gemm"},
               {"attention --device accel:910b --shape '1 4 2 5 6 64 64 1 f16'", "on the CPU only"},
               {"--shape '1 2'", "\"1 2\" is no shape"},
               {"--shape '1 2 3 N'", "is no shape"},
               {"--shape '1 2 3 N X'", "is no shape"},
               {"--shape '1 2 3 N T 4'", "is no shape"},
               {"--shape '0 2 3'", "sizes are from 1 to"},
               {"--shape '1 2 99999999999999999999'", "sizes are from 1 to"},
               {"--shape 'm=3 n=4'", "k is 0"},
               {"--shape 'm=3 n=4 k=5 k=6'", "k is given twice"},
               {"--shape 'm=3 n=4 k=5 z=6'", "\"z=6\" is no field=value"},
               {"--shape 'm=3 n=4 k=5 pages=9'", "pages is 9"},
               {"--shape 'm=3 n=4 k=5 threads=1000'", "threads is 1000"},
               {"--shape 'm=3 n=4 k=5 type=f16'", "type cannot be"},
               {"--type f16 --shape '1 2 3'", "f32, f64, both, c32 or c64"},
               {"--type both --device accel:910b --shape '1 2 3'", "f16, bf16 or s8"},
               {"--device 910b --shape '1 2 3'", "is no device"},
               {"--device accel:nothing --shape '1 2 3'", "no chip \"nothing\""},
               {"--device accel:910b --shape 'type=f32 m=1 n=2 k=3'", "no plan for this shape"},
               {"--device accel:910b --threads 2 --shape '1 2 3'", "--threads is for the CPU"},
               {"--threads 0 --shape '1 2 3'", "--threads is \"0\""},
               {"--threads 2x --shape '1 2 3'", "--threads is \"2x\""},
               {"--budget -1 --shape '1 2 3'", "--budget is \"-1\""},
               {"--budget 5d --shape '1 2 3'", "--budget is \"5d\""},
               {"--budget inf --shape '1 2 3'", "--budget is \"inf\""},
               {"--budget '' --shape '1 2 3'", "--budget is \"\""},
               {"--measurements 0 --shape '1 2 3'", "--measurements is \"0\""},
               {"--model gpt5", "--model list prints"},
               {"--model gpt2:", "from 1 to 1024"},
               {"--model gpt2:0", "from 1 to 1024"},
               {"--shapes no-such-file", "no-such-file cannot be read: No such file"},
               {"--shapes .", ". cannot be read: Is a directory"},
               {"--from-trace no-such-file", "no-such-file cannot be read"},
               {"--watch", "--watch needs a program"},
               {"--calibrate --shape '1 2 3'", "--calibrate takes no shapes"},
               {"--calibrate --device accel:910b", "--calibrate is for the CPU"}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    expect(2, "%s", wrong[i].arguments);
    says(wrong[i].part);
  }
  assert_false(there_is("tune.db"));
}

/* --- shapes -------------------------------------------------------------------------------------------------------- */

static void a_file_of_shapes(void **state) {
  (void)state;
  write_file("shapes.txt", "# two shapes, one of them three times\n\n70 80 90 N T # the first\n70 80 90 N T\n"
                           "type=f32 m=80 n=70 k=90 a=t b=n\n  100 65 66\n");
  expect(0, "gemm --shapes shapes.txt --threads 1 --measurements 3");
  says("shapes tuned: 2");
  says("type=f32 m=80 n=70 k=90 a=t b=n pages=1 threads=1"); /* turned over: rows of C are contiguous in the library */
  says("type=f32 m=65 n=100 k=66 a=n b=n pages=1 threads=1");
  assert_true(strstr(output, "m=80") < strstr(output, "m=65")); /* in the file's order */
  tell(0, "db list");
  says("type=f32 m=80 n=70 k=90 a=t b=n pages=1 threads=1");
  assert_int_equal(count("runs: "), 2);
  tell(0, "db check");
  says("rows: 2, of other machines: 0, of other kernels: 0; samples: 6;");
  expect(0, "gemm --shape '100 65 66' --type both --threads 1 --measurements 3"); /* found again, and f64 is new */
  says("shapes tuned: 2");
  tell(0, "db check");
  says("rows: 3,");
}

#define LINE(us, words) "tessera: cblas_sgemm NT avx512 packed/48x8 threads=1 " us " us 1.0 GFLOP/s 1.0 % {" words "}\n"

static void tunes_attention(void **state) {
  (void)state;
  write_file("shapes.txt", "# the second is too small\n1 8 2 40 500 64 64 1 f16\n1 1 1 1 20 32 32 0 f32\n");
  expect(0, "attention --shapes shapes.txt --threads 2 --measurements 3");
  says("shapes tuned: 1");
  says("so small a call takes the rule's plan");
  tell(0, "db list");
  says("type=f16 batch=1 heads=8 kv_heads=2 q=40 kv=512 d=64 dv=64 causal=bottom-right mask=no keys=rows threads=2");
  tell(0, "db check");
  says("rows: 1, of other machines: 0, of other kernels: 0;");
  write_file("trace.log", LINE("90.0", "attention type=f16 batch=1 heads=8 kv_heads=2 q=40 kv=512 d=64 dv=64 causal=no "
                                       "mask=no keys=panels threads=1")
                          LINE("1.0", "gemm type=f32 m=70 n=80 k=90 a=n b=n pages=1 threads=1"));
  expect(0, "attention --from-trace trace.log --measurements 2 --dry-run");
  says("trace.log: calls: 1, other lines: 1");
  says("keys=panels threads=1");
}

static void tunes_convolution(void **state) {
  (void)state;
  static const char words[] = "type=f32 to=f32 x=last y=last batch=2 channels=16 filters=32 groups=1 in=20x20 "
                              "out=20x20 kernel=3x3 stride=1x1 dilation=1x1 pad=1x1 transposed=no threads=2";
  write_file("shapes.txt", "[title] # as lists of the benchmark have\n"
                           "16->32@20 3x3 N2\n4->4@8 3x3\nu8 64->64@28 3x3\n");
  expect(0, "conv --shapes shapes.txt --threads 2 --measurements 3");
  says("shapes tuned: 1");
  says("so small a call takes the rule's plan");
  says("convolutions of integers have no plans to choose from");
  tell(0, "db list");
  says(words);
  tell(0, "db check");
  says("rows: 1, of other machines: 0, of other kernels: 0;");
  write_file("trace.log", LINE("90.0", "conv type=f32 to=f32 x=last y=first batch=2 channels=16 filters=32 groups=1 "
                                       "in=200 out=200 kernel=3 stride=1 dilation=1 pad=1 transposed=no threads=1")
                          LINE("90.0", "conv type=f32 in=20x20 out=20")
                          LINE("1.0", "gemm type=f32 m=70 n=80 k=90 a=n b=n pages=1 threads=1"));
  expect(0, "conv --from-trace trace.log --measurements 2 --dry-run");
  says("trace.log: calls: 1, other lines: 2");
  says("in=200 out=200 kernel=3 ");
  write_file("shapes.txt", "16->32@20 3x3 N2\n16->32@20x20x20 3x3\n");
  expect(2, "conv --shapes shapes.txt");
  says("shapes.txt:2: \"16->32@20x20x20 3x3\" is no shape");
}

static void bad_lines(void **state) {
  (void)state;
  static char text[200000];
  write_file("shapes.txt", "70 80 90 N T\n70 80 N T\n");
  expect(2, "--shapes shapes.txt");
  says("shapes.txt:2: \"70 80 N T\" is no shape");
  memset(text, 'x', sizeof text - 1);
  write_file("shapes.txt", text);
  expect(2, "--shapes shapes.txt");
  says("shapes.txt:1: ");
  write_file("shapes.txt", "# nothing\n\n");
  expect(1, "--shapes shapes.txt");
  says("no shape was found");
  assert_false(there_is("tune.db"));
}

static void a_trace(void **state) {
  (void)state;
  write_file("trace.log", LINE("90.1", "gemm type=f64 m=71 n=81 k=91 a=t b=n pages=1 threads=1")
                          LINE("10.0", "gemm type=f32 m=70 n=80 k=90 a=n b=n pages=1 threads=1")
                          LINE("90.0", "gemm type=f32 m=70 n=80 k=90 a=n b=n pages=1 threads=1")
                          "tessera: cblas_sgemm 2x2x2 avx512 small threads=1 0.1 us 1.0 GFLOP/s 1.0 %\n"
                          "the program's own words {gemm} {gemm m=}\n"
                          LINE("1.0", "gemm type=f16 to=f32 m=70 n=80 k=90 a=n b=n sums=direct")
                          LINE("1.0", "gemm type=f32 m=0 n=80 k=90 a=n b=n pages=1 threads=1"));
  expect(0, "--from-trace trace.log --measurements 2 --dry-run");
  says("trace.log: calls: 3, other lines: 4");
  says("shapes tuned: 2");
  assert_true(strstr(output, "type=f32 m=70") < strstr(output, "type=f64 m=71")); /* most time first */
  write_file("trace.log", "");
  expect(1, "--from-trace trace.log");
  says("no shape was found");
}

static void models(void **state) {
  (void)state;
  expect(0, "--model list");
  says("llama-7b         32 layers, hidden 4096, ffn 11008");
  expect(0, "--model gpt2:2 --budget 0.001 --dry-run");
  says("type=f32 m=50257 n=2 k=768 a=t b=n"); /* its head, turned over: weights are outputs x inputs */
  says("type=f32 m=2304 n=1024 k=768 a=n b=n");
  assert_true(count("the budget was used up") >= 7);
}

static void passed_over(void **state) {
  (void)state;
  expect(0, "--shape '4000000 4000000 4000000' --shape '16 16 16'");
  says("its operands take 178813.9 GiB");
  says("so small a product is computed without a plan");
  says("shapes tuned: 0");
  assert_false(there_is("tune.db"));
}

/* --- what is recorded ---------------------------------------------------------------------------------------------- */

static void dry_run(void **state) {
  (void)state;
  expect(0, "--shape '70 80 90' --dry-run --measurements 2");
  says("shapes tuned: 1");
  assert_false(there_is("tune.db"));
}

static void unwritable(void **state) {
  (void)state;
  setenv("TESSERA_DB", "/dev/null/x", 1);
  expect(1, "--shape '70 80 90' --shape '71 81 91' --measurements 2");
  says("nothing is recorded: ");
  assert_int_equal(count("nothing is recorded"), 1);
  says("shapes tuned: 2");
  expect(1, "--calibrate");
  says("nothing is recorded: ");
}

static void no_time(void **state) {
  (void)state;
  expect(0, "--shape '270 280 290' --shape '271 281 291' --budget 0.0001s");
  says("no verdict within its share of the budget");
  says("the budget was used up");
  tell(0, "db list");
  says("has no rows");
}

static void interrupted(void **state) {
  (void)state;
  char command[400], ready[8];
  snprintf(command, sizeof command, "exec '%s' tune --shape '70 80 90 N T' --threads 1 --measurements 2 "
           "--shape '3000 3000 3000' >out.txt 2>&1", tessera);
  pid_t child = fork();
  if (child == 0) execl("/bin/sh", "sh", "-c", command, (char *)NULL), _exit(127);
  for (int i = 0; i < 1000; i++) { /* until the first shape is done */
    usleep(10000);
    FILE *file = fopen("out.txt", "r");
    bool begun = file && fread(ready, 1, sizeof ready, file) == sizeof ready;
    if (file) fclose(file);
    if (begun) break;
  }
  int ended;
  kill(child, SIGINT);
  assert_int_equal(waitpid(child, &ended, 0), child);
  assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 128 + SIGINT);
  FILE *file = fopen("out.txt", "r");
  output[fread(output, 1, sizeof output - 1, file)] = 0;
  fclose(file);
  says("m=3000 n=3000 k=3000 a=n b=n pages=1 threads=1  not tuned: interrupted");
  says("shapes tuned: 1");
  tell(0, "db list");
  assert_int_equal(count("runs: "), 1);
}

static void calibrates(void **state) {
  (void)state;
  expect(0, "--calibrate --dry-run");
  assert_false(there_is("tune.db"));
  expect(0, "--calibrate");
  says("flop_f32");
  says("recorded in tune.db");
  tell(0, "db check");
  says("calibrations: 1; bad: 0");
  expect(0, "--shape '70 80 90' --measurements 2 --json out.json");
  assert_int_equal(system("grep -q '\"costs\": \"calibration\"' out.json"), 0);
}

static void a_device(void **state) {
  (void)state;
  expect(0, "--device accel:910b --shape '64 48 32 N T' --shape 'type=s8 m=32 n=32 k=64' --measurements 3");
  says("type=f16 to=f32 m=48 n=64 k=32 a=t b=n sums=direct");
  says("type=s8 to=s32 m=32 n=32 k=64 a=n b=n sums=direct");
  tell(0, "db list --all-machines");
  says("machine accel ");
  assert_int_equal(count("runs: "), 2);
}

/* --- comparisons and reports --------------------------------------------------------------------------------------- */

static void exhaustive(void **state) {
  (void)state;
  expect(0, "--shape '65 66 67' --shape '66 67 68' --threads 1 --exhaustive --measurements 3");
  says("rule of thumb");
  says("longer than the best");
  assert_int_equal(count("plans, best"), 2);
  says("model taught by others ");
  expect(0, "--device accel:910b --shape '64 48 32' --exhaustive --json out.json");
  says("search of 5 % of the space");
  says("as many at random");
  assert_false(there_is("tune.db"));
}

static bool python_knows(const char *module) {
  char command[80];
  snprintf(command, sizeof command, "python3 -c 'import %s' 2>/dev/null", module);
  return system(command) == 0;
}

static void reports(void **state) {
  (void)state;
  static const char shapes[] = "--shape '65 66 67' --shape '8 8 8' --threads 1 --measurements 3 --exhaustive";
  expect(1, "%s --json /dev/null/x", shapes);
  says("/dev/null/x cannot be written");
  expect(0, "%s --json out.json", shapes);
  if (!python_knows("json")) skip();
  assert_int_equal(system("python3 -c 'import json; d = json.load(open(\"out.json\")); a, b = d[\"shapes\"]; "
                          "assert len(a[\"plans\"]) == a[\"measured\"] == 3, a; assert a[\"comparison\"][\"best\"] > 0; "
                          "assert len(a[\"all\"]) > 20; assert b[\"not_tuned\"] and not d[\"recorded\"]'"), 0);
  setenv("TESSERA_BENCH_VENV", "venv", 1); /* a Python that fails */
  assert_int_equal(system("mkdir -p venv/bin && printf '#!/bin/sh\nexit 1\n' >venv/bin/python3 && "
                          "chmod +x venv/bin/python3"), 0);
  expect(1, "%s --html out.html", shapes);
  says("it needs Python with matplotlib");
  says("what was measured is in out.html.json");
  assert_true(there_is("out.html.json"));
  setenv("TESSERA_BENCH_VENV", "./no-such-folder", 1);
  if (!python_knows("matplotlib")) return;
  expect(0, "%s --html page.html", shapes);
  assert_false(there_is("page.html.json"));
  assert_int_equal(system("test $(grep -c '<svg' page.html) -ge 4"), 0);
}

/* --- watching ------------------------------------------------------------------------------------------------------ */

/* What is watched: this program, which takes its BLAS from what was preloaded. */
static int call(void) {
  void (*gemm)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
  static float a[100 * 100], b[100 * 100], c[100 * 100];
  *(void **)&gemm = dlsym(RTLD_DEFAULT, "cblas_sgemm");
  if (!gemm) return 99;
  for (int i = 0; i < 3; i++) gemm(101, 111, 112, 100, 90, 80, 1, a, 80, b, 80, 0, c, 90);
  gemm(101, 111, 111, 4, 4, 4, 1, a, 4, b, 4, 0, c, 4);
  return 7;
}

static void watches(void **state) {
  (void)state;
  expect(7, "--measurements 2 --watch -- '%s' --call", self); /* the program's status */
  says("ended with status 7 after 3 calls of 1 shapes");
  says("m=90 n=100 k=80 a=t b=n");
  says("shapes tuned: 1");
  tell(0, "db list");
  assert_int_equal(count("runs: "), 1);
}

static void watches_in_vain(void **state) {
  (void)state;
  expect(1, "--watch -- true");
  says("ended with status 0 after 0 calls of 0 shapes");
  says("no shape was found");
  expect(127, "--watch -- ./no-such-program");
  says("./no-such-program: No such file");
  expect(137, "--watch -- sh -c 'kill -9 $$'");
  setenv("TMPDIR", "/dev/null", 1);
  expect(1, "--watch -- true");
  says("no trace can be written");
  unsetenv("TMPDIR");
}

int main(int argc, char **argv) {
#define RUN(test) cmocka_unit_test_teardown(test, empty_folder)
  const struct CMUnitTest tests[] = {
      RUN(wrong_usage), RUN(a_file_of_shapes), RUN(tunes_attention), RUN(tunes_convolution), RUN(bad_lines),
      RUN(a_trace), RUN(models),
      RUN(passed_over), RUN(dry_run),
      RUN(unwritable), RUN(no_time), RUN(interrupted), RUN(calibrates), RUN(a_device), RUN(exhaustive), RUN(reports),
  };
  const struct CMUnitTest preloading[] = {RUN(watches), RUN(watches_in_vain)};
  if (argc == 2 && strcmp(argv[1], "--call") == 0) return call();
  if (argc < 2 || !(tessera = realpath(argv[1], NULL)) || !(self = realpath(argv[0], NULL))) return 1;
  return argc > 2 ? cmocka_run_group_tests(preloading, enter_folder, remove_folder)
                  : cmocka_run_group_tests(tests, enter_folder, remove_folder);
}
