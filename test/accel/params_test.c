/* Parameter files: what the library carries, and every way in which a file can be wrong. */
#include "kernels/accel_sim/sim/params.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernels/accel_sim/embed.h"

static char error[400];

static struct accel_params load(const char *name) {
  struct accel_params params;
  if (accel_params_load(name, &params, error, sizeof error) != 0) fail_msg("%s", error);
  return params;
}

static void near(double value, double expected) {
  if (fabs(value - expected) > 1e-12 * fabs(expected)) fail_msg("%.17g is not %.17g", value, expected);
}

static void cost(const struct accel_params *p, enum accel_vector_op op, double startup, double slope) {
  near(p->vector[op].startup, startup);
  near(p->vector[op].slope, slope);
}

static void vector_costs(const struct accel_params *p) {
  cost(p, ACCEL_COST_ADD, 5.9, 2.07);
  cost(p, ACCEL_COST_MUL, 6.9, 2.13);
  cost(p, ACCEL_COST_SCALAR, 7, 1);
  cost(p, ACCEL_COST_MAX, 4, 2);
  cost(p, ACCEL_COST_SQRT, 13, 2);
  cost(p, ACCEL_COST_EXP, 12, 2);
  cost(p, ACCEL_COST_EXP_F16, 12, 4);
  cost(p, ACCEL_COST_DIV, 13, 4);
  cost(p, ACCEL_COST_GMAX, 5, 1);
  cost(p, ACCEL_COST_GADD, 12, 1);
  cost(p, ACCEL_COST_RMAX, 8, 7);
  cost(p, ACCEL_COST_RADD, 20, 7);
}

static void energies(const struct accel_params *p) {
  near(p->mac_pj[0], 0.72);
  near(p->mac_pj[1], 0.59);
  near(p->mac_pj[3], 0.10);
  near(p->byte_pj[ACCEL_GM], 44);
  near(p->byte_pj[ACCEL_L1], 1.5);
  for (int b = ACCEL_L0A; b <= ACCEL_UB; b++) near(p->byte_pj[b], 1);
  assert_true(p->mac_pj[2] > p->mac_pj[0]);
  assert_true(p->l2_byte_pj > p->byte_pj[ACCEL_L1] && p->l2_byte_pj < p->byte_pj[ACCEL_GM]);
}

/* L0C has rows of 64 bytes, L0A and L0B fractals of 512. */
static void alignments(const struct accel_params *p) {
  static const size_t align[ACCEL_BUFFERS] = {1, 32, 512, 512, 64, 32};
  for (int b = 0; b < ACCEL_BUFFERS; b++) assert_int_equal(p->align[b], align[b]);
}

static void chip_a(void **state) {
  (void)state;
  static const size_t kib[ACCEL_BUFFERS] = {64 << 20, 512, 64, 64, 128, 192};
  struct accel_params p = load("910b");
  assert_string_equal(p.name, "910b");
  assert_int_equal(p.cores, 24);
  near(p.ghz, 1.85);
  near(p.cores * p.ghz * 2 * 4096 / 1e3, 363.7248); /* the documented peak, TFLOP/s */
  for (int b = 0; b < ACCEL_BUFFERS; b++) assert_int_equal(p.bytes[b], kib[b] << 10);
  alignments(&p);
  assert_int_equal(p.systolic, 0);
  near(p.mad_startup, 6);
  assert_int_equal(p.mad_f32_factor, 2);
  static const double rate[ACCEL_ROUTES] = {110, 59, 109, 41, 74, 0, 256, 128, 0, 0};
  for (int r = 0; r < ACCEL_ROUTES; r++) near(p.rate[r], rate[r]);
  near(p.l2_rate, 24 * 86);
  near(p.l2_write_rate, 24 * 86);
  near(p.hbm_rate, 1.6e12);
  assert_in_range(p.l2_bytes, 110000000, 192000000); /* fitted from, documented size */
  near(p.launch_seconds, 9e-6);
  near(p.barrier_cycles, 16);
  near(p.flag_cycles, 1);
  vector_costs(&p);
  energies(&p);
}

static void chip_b(void **state) {
  (void)state;
  struct accel_params p = load("310p");
  assert_string_equal(p.name, "310p");
  assert_int_equal(p.cores, 8);
  near(p.ghz, 1.85);
  assert_int_equal(p.bytes[ACCEL_L1], 1 << 20);
  assert_int_equal(p.bytes[ACCEL_L0A], 64 << 10);
  assert_int_equal(p.bytes[ACCEL_L0B], 64 << 10);
  assert_int_equal(p.bytes[ACCEL_L0C], 256 << 10);
  assert_int_equal(p.bytes[ACCEL_UB], 256 << 10);
  alignments(&p);
  near(p.rate[ACCEL_GM_L1], 114);
  near(p.rate[ACCEL_L0C_UB], 256);
  near(p.rate[ACCEL_L1_UB], 128);
  near(p.rate[ACCEL_UB_L1], 256);
  near(p.l2_rate, 8 * 114);
  near(p.l2_write_rate, 0);
  assert_int_equal(p.l2_bytes, 16 << 20);
  near(p.hbm_rate, 8 * 17 * 1.85e9);
  vector_costs(&p);
  energies(&p);
}

/* The largest validated product, 4913 x 4631 x 5573, fits in f16. */
static void chip_c(void **state) {
  (void)state;
  const size_t m = 4928, n = 4640, k = 5584; /* in whole fractals */
  struct accel_params p = load("systolic");
  assert_int_equal(p.systolic, 1);
  assert_int_equal(p.systolic_rows, 128);
  assert_int_equal(p.systolic_columns, 128);
  near(p.mad_startup + p.mad_overhead, 0);
  assert_true(p.bytes[ACCEL_L0A] >= 2 * m * k && p.bytes[ACCEL_L0B] >= 2 * n * k && p.bytes[ACCEL_L0C] >= 4 * m * n);
  assert_true(p.bytes[ACCEL_L1] >= 2 * m * k + 2 * n * k);
}

/* Every chip that is carried loads, and says of itself the name it has. */
static void all_chips(void **state) {
  (void)state;
  int chips = 0;
  for (const struct accel_file *file = accel_embedded_all(); file->name; file++) {
    assert_int_equal(strlen(file->text), file->bytes);
    assert_ptr_equal(accel_embedded(file->name), file);
    char name[64];
    snprintf(name, sizeof name, "%s", file->name);
    char *dot = strstr(name, ".chip");
    if (!dot) continue;
    *dot = 0;
    assert_string_equal(load(name).name, name);
    chips++;
  }
  assert_int_equal(chips, 3);
  assert_null(accel_embedded("910b"));
}

/* What follows changes one line of chip A. */
static char text[1 << 16];

/* The number of the first line that begins with `name`. */
static int line_of(const char *name) {
  int line = 1;
  for (const char *at = text; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL, line++)
    if (strncmp(at, name, strlen(name)) == 0) return line;
  return 0;
}

/* The line of `name` becomes `line`, which may be none (NULL) or several. */
static void change(const char *name, const char *line) {
  const char *whole = accel_embedded("910b.chip")->text, *at = strstr(whole, name);
  while (at && at > whole && at[-1] != '\n') at = strstr(at + 1, name);
  assert_non_null(at);
  const char *rest = strchr(at, '\n') + 1;
  snprintf(text, sizeof text, "%.*s%s%s%s", (int)(at - whole), whole, line ? line : "", line ? "\n" : "", rest);
}

static void expect_at(int line, const char *message) {
  struct accel_params params, before;
  char whole[420];
  memset(&params, 0x5a, sizeof params);
  before = params;
  snprintf(whole, sizeof whole, "x.chip:%d: %s", line, message);
  assert_int_equal(accel_params_parse(text, "x.chip", &params, error, sizeof error), -1);
  assert_string_equal(error, whole);
  assert_memory_equal(&params, &before, sizeof params);
}

static void expect(const char *name, const char *line, const char *message) {
  change(name, line);
  expect_at(line_of(line), message);
}

static void wrong_names(void **state) {
  (void)state;
  expect("cores", "coers = 24  # cores; documented", "unknown parameter \"coers\"; did you mean cores?");
  expect("rate.gm_l1", "rate.gml1 = 110  # B/cycle; fitted",
         "unknown parameter \"rate.gml1\"; did you mean rate.gm_l1?");
  expect("cores", " = 24  # cores; documented", "unknown parameter \"\"; did you mean name?");
  expect("cores", "flag = 1  # cycles; fitted", "flag belongs in section [sync]");
  expect("cores", "24", "\"24\" is neither [section] nor name = value");
  expect("queue", "cores = 3  # cores; fitted", "cores was set in line 8; keep one of the two");
  char name[300];
  memset(name, 'a', sizeof name - 1);
  name[sizeof name - 1] = 0;
  snprintf(text, sizeof text, "[chip]\n%s = 1", name);
  expect_at(2, "unknown parameter \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"; did you mean name?");
}

static void wrong_sections(void **state) {
  (void)state;
  const char *all = "there are [chip], [buffers], [cube], [routes], [memory], [sync], [vector], [energy]";
  char message[200];
  snprintf(message, sizeof message, "unknown section [cubes]; %s", all);
  expect("[cube]", "[cubes]", message);
  expect("[cube]", "[cube", "\"[cube\" is not a [section] and nothing more");
  expect("[cube]", "[cube] x", "\"[cube] x\" is not a [section] and nothing more");
  strcpy(text, "cores = 1  # cores; fitted\n");
  expect_at(1, "cores belongs in section [chip]");
}

static void missing(void **state) {
  (void)state;
  change("hbm.rate", NULL);
  expect_at(line_of("scalar_op"), "hbm.rate is missing; add to [memory]: hbm.rate = ...  # B/s; assumed");
  change("name", NULL);
  expect_at(line_of("scalar_op"), "name is missing; add to [chip]: name = ...");
  strcpy(text, "");
  expect_at(1, "name is missing; add to [chip]: name = ...");
}

static void wrong_numbers(void **state) {
  (void)state;
  static const char *const bad[] = {"",     "x",     "1x",    "0x10", "nan", "inf",  "-",         "1e",   "1e+",
                                    "1..2", "1.2.3", "1,850", ".",    "e3",  "1e99", "1 2",       "+1",   "1e 3",
                                    "--1",  "1e-99", "1e23",  "1e+-2", "1-",  "24;",  "1234567890123456"};
  char line[100], message[200];
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    snprintf(line, sizeof line, "clock = %s # GHz; documented", bad[i]);
    snprintf(message, sizeof message, "clock is \"%s\", which is not a number like 24, 1.85 or 1.6e12", bad[i]);
    expect("clock", line, message);
  }
  expect("cores", "cores = 1.5 # cores; fitted", "cores is 1.5 cores; it must be a whole number");
  expect("bytes.ub", "bytes.ub = 2000.5 # B; fitted", "bytes.ub is 2000.5 B; it must be a whole number");
}

static void out_of_range(void **state) {
  (void)state;
  expect("cores", "cores = 0 # cores; fitted", "cores is 0 cores; it must be between 1 and 1024");
  expect("cores", "cores = 1e20 # cores; fitted", "cores is 1e+20 cores; it must be between 1 and 1024");
  expect("clock", "clock = -1.85 # GHz; fitted", "clock is -1.85 GHz; it must be between 0.001 and 100");
  expect("launch", "launch = 20 # s; fitted", "launch is 20 s; it must be between 0 and 1");
  expect("launch", "launch = 2000 # ms; fitted", "launch is 2 s; it must be between 0 and 1");
  expect("systolic ", "systolic = 2 # arrays; fitted", "systolic is 2 arrays; it must be between 0 and 1");
  expect("align.l1", "align.l1 = 48 # B; fitted", "align.l1 is 48; it must be a power of two");
  expect("bytes.l0a", "bytes.l0a = 1100 # B; fitted", "bytes.l0a is 1100; it must be a multiple of the alignment, 512");
  expect("banks.bytes", "banks.bytes = 24 # B; fitted", "banks.bytes is 24; it must be a power of two");
  change("systolic ", "systolic = 1 # arrays; fitted");
  expect_at(line_of("systolic.rows"), "systolic.rows is 0; it must be 1 at least");
}

static void wrong_units(void **state) {
  (void)state;
  expect("clock", "clock = 1.85", "clock has no unit; write it behind the value: # GHz, MHz; documented");
  expect("clock", "clock = 1.85 #", "clock has no unit; write it behind the value: # GHz, MHz; documented");
  expect("clock", "clock = 1.85 # ; documented",
         "clock has no unit; write it behind the value: # GHz, MHz; documented");
  expect("clock", "clock = 1.85 # Ghz; documented", "unknown unit \"Ghz\" of clock; it is counted in GHz, MHz");
  expect("clock", "clock = 1.85 # cycles; documented", "clock is counted in GHz, MHz, not in cycles");
  expect("bytes.ub", "bytes.ub = 3 # pJ; fitted", "bytes.ub is counted in B, KiB, MiB, GiB, MB, GB, not in pJ");
}

static void units_scale(void **state) {
  (void)state;
  struct accel_params p;
  change("clock", "clock = 1850 # MHz; documented");
  assert_int_equal(accel_params_parse(text, "x.chip", &p, error, sizeof error), 0);
  near(p.ghz, 1.85);
  change("hbm.rate", "hbm.rate=1600\t#GB/s;documented\r");
  assert_int_equal(accel_params_parse(text, "x.chip", &p, error, sizeof error), 0);
  near(p.hbm_rate, 1.6e12);
  change("clock", "clock = 185e-2 # GHz; documented");
  assert_int_equal(accel_params_parse(text, "x.chip", &p, error, sizeof error), 0);
  near(p.ghz, 1.85);
  change("l2.bytes", "l2.bytes = 1.5 # GB; fitted");
  assert_int_equal(accel_params_parse(text, "x.chip", &p, error, sizeof error), 0);
  assert_int_equal(p.l2_bytes, 1500000000);
}

static void wrong_origins(void **state) {
  (void)state;
  const char *message = "clock does not say where it is from; write \"# GHz; documented\", or fitted, or assumed";
  expect("clock", "clock = 1.85 # GHz", message);
  expect("clock", "clock = 1.85 # GHz;", message);
  expect("clock", "clock = 1.85 # GHz; documentedly", message);
  expect("clock", "clock = 1.85 # GHz; a guess, fitted", message);
}

static void wrong_texts(void **state) {
  (void)state;
  expect("name", "name =", "name has no value");
  expect("name", "name = 0123456789012345678901234567890x", "name is 32 characters long; 31 are the most");
  expect("cores", "c\001\033 = 1", "unknown parameter \"c??\"; did you mean name?");
  char line[700] = "# ";
  memset(line + 2, 'x', sizeof line - 3);
  change("cores", line);
  expect_at(line_of(line), "the line is 699 characters long; 511 are the most");
}

/* Errors stay within their buffer, whatever its size. */
static void short_buffers(void **state) {
  (void)state;
  change("cores", "coers = 24");
  struct accel_params p;
  for (int size = 0; size < 60; size++) {
    char small[64];
    memset(small, 'z', sizeof small);
    assert_int_equal(accel_params_parse(text, "x.chip", &p, small, size), -1);
    if (size) assert_true(memchr(small, 0, size) != NULL);
    for (int i = size; i < 64; i++) assert_int_equal(small[i], 'z');
  }
}

static void expect_load(const char *name, const char *message) {
  struct accel_params p;
  assert_int_equal(accel_params_load(name, &p, error, sizeof error), -1);
  assert_string_equal(error, message);
}

static void write_file(const char *path, const char *content, size_t bytes) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_int_equal(fwrite(content, 1, bytes, file), bytes);
  assert_int_equal(fclose(file), 0);
}

static void from_paths(void **state) {
  (void)state;
  char path[] = "/tmp/tessera-params-XXXXXX", message[200];
  int file = mkstemp(path);
  assert_true(file >= 0);
  close(file);
  change("cores", "cores = 12 # cores; assumed");
  write_file(path, text, strlen(text));
  assert_int_equal(load(path).cores, 12);
  write_file(path, "[chip]\nx = 1\n", 13);
  snprintf(message, sizeof message, "%s:2: unknown parameter \"x\"; did you mean name?", path);
  expect_load(path, message);
  write_file(path, "[chip]\0", 7);
  snprintf(message, sizeof message, "%s: not a text file: it has a byte 0 in it", path);
  expect_load(path, message);
  memset(text, '#', sizeof text);
  for (int i = 0; i < 17; i++) {
    FILE *more = fopen(path, i ? "a" : "w");
    assert_int_equal(fwrite(text, 1, sizeof text, more), sizeof text);
    fclose(more);
  }
  snprintf(message, sizeof message, "%s: more than 1 MiB is no parameter file", path);
  expect_load(path, message);
  unlink(path);
  snprintf(message, sizeof message, "%s: No such file or directory", path);
  expect_load(path, message);
  expect_load("/", "/: Is a directory");
}

static void unknown_chips(void **state) {
  (void)state;
  expect_load("910c", "there is no chip \"910c\"; there are 310p, 910b, systolic, and files whose path has a slash in "
                      "it");
  expect_load("", "there is no chip \"\"; there are 310p, 910b, systolic, and files whose path has a slash in it");
  expect_load("910b.chip", "there is no chip \"910b.chip\"; there are 310p, 910b, systolic, and files whose path has a "
                           "slash in it");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chip_a),        cmocka_unit_test(chip_b),        cmocka_unit_test(chip_c),
      cmocka_unit_test(all_chips),     cmocka_unit_test(wrong_names),   cmocka_unit_test(wrong_sections),
      cmocka_unit_test(missing),       cmocka_unit_test(wrong_numbers), cmocka_unit_test(out_of_range),
      cmocka_unit_test(wrong_units),   cmocka_unit_test(units_scale),   cmocka_unit_test(wrong_origins),
      cmocka_unit_test(wrong_texts),   cmocka_unit_test(short_buffers), cmocka_unit_test(from_paths),
      cmocka_unit_test(unknown_chips),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
