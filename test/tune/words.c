/* Shapes, plans, keys and costs as text: what is printed is read back the same, and nothing else is read. */
#include <ctype.h>
#include <locale.h>
#include <math.h>

#include "src/conv/space.h"
#include "src/core/topology.h"
#include "src/tune/costs.h"
#include "test/tune/runtime_support.h"

static struct rng rng;

static void fields_of(int which, const struct tsr_field **fields, int *n) {
  static const struct tsr_operator *const ops[] = {&tsr_gemm_operator, &tsr_gemm_device_operator, &tsr_conv_operator};
  const struct tsr_operator *op = ops[which / 2];
  *fields = which % 2 ? op->plan : op->shape;
  *n = which % 2 ? op->nplan : op->nshape;
}

static int words_of(const struct tsr_field *field) {
  int n = 0;
  while (field->words && field->words[n]) n++;
  return n;
}

enum { FIELDS_OF = 6 };

/* Of a field of numbers, or of sizes. */
static int64_t random_value(const struct tsr_field *field) {
  int64_t sizes[TSR_MOST_SIZES];
  if (field->words != tsr_sizes) return (int64_t)(rng_next(&rng) >> (1 + rng_below(&rng, 62)));
  int n = 1 + (int)rng_below(&rng, TSR_MOST_SIZES);
  for (int i = 0; i < n; i++) sizes[i] = rng_below(&rng, rng_below(&rng, 2) ? 4 : TSR_MOST_SIZE + 1);
  return tsr_sizes_pack(sizes, n);
}

static int64_t greatest_value(const struct tsr_field *field) {
  static const int64_t sizes[TSR_MOST_SIZES] = {TSR_MOST_SIZE, TSR_MOST_SIZE, TSR_MOST_SIZE};
  return field->words == tsr_sizes ? tsr_sizes_pack(sizes, TSR_MOST_SIZES) : INT64_MAX;
}

static void any_values_come_back(void **state) {
  (void)state;
  for (int i = 0; i < 40000; i++) {
    const struct tsr_field *fields;
    char text[TSR_VALUES_TEXT], why[TSR_WHY_TEXT];
    struct tsr_values values = {{0}}, got;
    int n;
    fields_of(i % FIELDS_OF, &fields, &n);
    for (int f = 0; f < n; f++) {
      int words = words_of(&fields[f]);
      if (rng_below(&rng, 4) == 0) continue;
      values.at[f] = words ? 1 + rng_below(&rng, words) : random_value(&fields[f]);
    }
    tsr_values_print(fields, n, &values, text);
    assert_true(strlen(text) < TSR_VALUES_TEXT - 1); /* never cut off */
    if (!tsr_values_parse(fields, n, text, &got, why)) fail_msg("%s: %s", text, why);
    assert_memory_equal(&got, &values, sizeof got);
  }
}

static void the_longest_values_fit(void **state) {
  (void)state;
  for (int which = 0; which < FIELDS_OF; which++) {
    const struct tsr_field *fields;
    char text[TSR_VALUES_TEXT];
    struct tsr_values values, got;
    int n;
    fields_of(which, &fields, &n);
    for (int f = 0; f < n; f++) values.at[f] = words_of(&fields[f]) ? words_of(&fields[f]) : greatest_value(&fields[f]);
    for (int f = n; f < TSR_MOST_FIELDS; f++) values.at[f] = 0;
    tsr_values_print(fields, n, &values, text);
    assert_true(tsr_values_parse(fields, n, text, &got, NULL));
    assert_memory_equal(&got, &values, sizeof got);
  }
}

/* What cannot be read, and what the sentence must say. */
static void bad_words_are_named(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"mc", "\"mc\" is no field=value"},        {"=5", "\"=5\" is no field=value"},
      {"mcc=5", "\"mcc=5\" is no"},              {"m=5", "\"m=5\" is no"},
      {"mc =5", "\"mc\" is no"},                 {"MC=5", "\"MC=5\" is no"},
      {"mc=", "mc cannot be \"\""},              {"mc=0", "mc cannot be \"0\""},
      {"mc=-8", "mc cannot be \"-8\""},          {"mc=+8", "mc cannot be \"+8\""},
      {"mc=8x", "mc cannot be \"8x\""},          {"mc=0x8", "mc cannot be \"0x8\""},
      {"mc=8.5", "mc cannot be \"8.5\""},        {"mc==8", "mc cannot be \"=8\""},
      {"mc=9223372036854775808", "mc cannot be"}, {"mc=99999999999999999999999999", "mc cannot be"},
      {"path=small", "path cannot be \"small\""}, {"path=1", "path cannot be \"1\""},
      {"path=", "path cannot be \"\""},          {"path=direc", "path cannot be \"direc\""},
      {"path=direct2", "path cannot be"},        {"pack=abc", "pack cannot be"},
      {"mc=8 mc=8", "mc is given twice"},        {"mc=8 mc=9", "mc is given twice"},
      {"path=direct nc=7 path=packed", "path is given twice"}, {"mc=8;nc=8", "mc cannot be"},
      {"mc=8\rnc=8", "mc cannot be"},            {"mc=8 nonsense nc=8", "\"nonsense\" is no"}};
  for (int i = 0; i < COUNT(cases); i++) {
    char why[TSR_WHY_TEXT] = "";
    struct tsr_values values;
    if (tsr_values_parse(GEMM->plan, GEMM->nplan, cases[i][0], &values, why)) fail_msg("read: %s", cases[i][0]);
    if (!strstr(why, cases[i][1])) fail_msg("%s: %s", cases[i][0], why);
    assert_false(tsr_values_parse(GEMM->plan, GEMM->nplan, cases[i][0], &values, NULL));
  }
}

/* Sizes: one to three of them, of which each may be 0. */
static void sizes_are_read(void **state) {
  (void)state;
  static const char *const good[] = {"0", "3", "3x3", "0x1x2", "1048574x1048574x1048574"};
  static const char *const bad[] = {"",   "x",   "3x",  "x3", "3xx3",    "3x3x3x3",   "-1",                   "3x-1",
                                    "+3", "3.5", "3*3", "0x", "1048575", "3x1048575", "99999999999999999999", "3x3 x3"};
  const struct tsr_operator *op = &tsr_conv_operator;
  char text[200], again[TSR_VALUES_TEXT], why[TSR_WHY_TEXT];
  struct tsr_values values;
  int64_t sizes[TSR_MOST_SIZES];
  for (int i = 0; i < COUNT(good); i++) {
    snprintf(text, sizeof text, "kernel=%s", good[i]);
    assert_true(tsr_values_parse(op->shape, op->nshape, text, &values, why));
    tsr_values_print(op->shape, op->nshape, &values, again);
    assert_string_equal(text, again);
  }
  assert_int_equal(tsr_sizes_unpack(values.at[TSR_CONV_KERNEL], sizes), 3);
  assert_int_equal(sizes[2], TSR_MOST_SIZE);
  for (int i = 0; i < COUNT(bad); i++) {
    snprintf(text, sizeof text, "kernel=%s", bad[i]);
    if (tsr_values_parse(op->shape, op->nshape, text, &values, why)) fail_msg("read: %s", text);
  }
}

static void blanks_and_commas_part_words(void **state) {
  (void)state;
  struct tsr_values values, nothing = {{0}};
  assert_true(tsr_values_parse(GEMM->plan, GEMM->nplan, "  mc=8,nc=16\tpath=packed\n", &values, NULL));
  assert_int_equal(values.at[TSR_PLAN_MC], 8);
  assert_int_equal(values.at[TSR_PLAN_NC], 16);
  assert_int_equal(values.at[TSR_PLAN_PATH], TSR_GEMM_PACKED);
  assert_true(tsr_values_parse(GEMM->plan, GEMM->nplan, "", &values, NULL));
  assert_memory_equal(&values, &nothing, sizeof values);
  assert_true(tsr_values_parse(GEMM->plan, GEMM->nplan, " ,, \t", &values, NULL));
  assert_memory_equal(&values, &nothing, sizeof values);
}

/* Any bytes at all: refused with a sentence that fits, or read and printed again. */
static void junk_is_refused_in_time(void **state) {
  (void)state;
  static const char some[] = "mcnpathkedupsgrolw=0123456789- ,=\t";
  static char text[100001];
  char why[TSR_WHY_TEXT], again[TSR_VALUES_TEXT];
  for (int i = 0; i < 20000; i++) {
    int length = (int)rng_below(&rng, 80);
    for (int c = 0; c < length; c++)
      text[c] = i % 2 ? some[rng_below(&rng, COUNT(some) - 1)] : (char)(1 + rng_below(&rng, 255));
    text[length] = 0;
    struct tsr_values values, got;
    why[0] = 0;
    if (tsr_values_parse(GEMM->plan, GEMM->nplan, text, &values, why)) {
      tsr_values_print(GEMM->plan, GEMM->nplan, &values, again);
      assert_true(tsr_values_parse(GEMM->plan, GEMM->nplan, again, &got, NULL));
      assert_memory_equal(&got, &values, sizeof got);
    } else {
      assert_true(why[0] && strlen(why) < TSR_WHY_TEXT - 1);
    }
  }
  struct tsr_values values;
  memset(text, 'm', sizeof text - 1);
  assert_false(tsr_values_parse(GEMM->plan, GEMM->nplan, text, &values, why));
  memcpy(text, "mc=", 3);
  assert_false(tsr_values_parse(GEMM->plan, GEMM->nplan, text, &values, why));
  memset(text, ' ', sizeof text - 1);
  assert_true(tsr_values_parse(GEMM->plan, GEMM->nplan, text, &values, why));
}

static void shapes_must_be_whole(void **state) {
  (void)state;
  char why[TSR_WHY_TEXT];
  struct tsr_values whole = {{TSR_F32, 5, 6, 7, 1, 2, 1, 2}};
  assert_true(tsr_shape_is_whole(GEMM, &whole, why));
  assert_true(tsr_shape_is_whole(GEMM, &whole, NULL));
  for (int i = 0; i < GEMM->nshape; i++) {
    struct tsr_values shape = whole;
    char says[64];
    shape.at[i] = 0;
    assert_false(tsr_shape_is_whole(GEMM, &shape, why));
    snprintf(says, sizeof says, "has no %s", GEMM->shape[i].name);
    assert_non_null(strstr(why, says));
    shape.at[i] = INT64_MAX;
    assert_false(tsr_shape_is_whole(GEMM, &shape, why));
    snprintf(says, sizeof says, "%s is %lld: too large", GEMM->shape[i].name, (long long)INT64_MAX);
    assert_non_null(strstr(why, says));
    shape.at[i] = -1;
    assert_false(tsr_shape_is_whole(GEMM, &shape, NULL));
  }
}

static bool is_plain(const char *text) {
  for (const char *c = text; *c; c++)
    if (!isprint((unsigned char)*c) || *c == '|') return false;
  return *text && text[0] != ' ' && text[strlen(text) - 1] != ' ' && strlen(text) < TSR_KEY_TEXT - 1;
}

/* The words that /proc/cpuinfo has for people. */
static bool has_brand(const char *key) {
  char line[512], *word, *rest;
  FILE *file = fopen("/proc/cpuinfo", "r");
  bool found = false;
  while (file && fgets(line, sizeof line, file)) {
    if (strncmp(line, "model name", 10) != 0 || !strchr(line, ':')) continue;
    for (word = strtok_r(strchr(line, ':') + 1, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest))
      found |= strlen(word) > 3 && strstr(key, word) != NULL;
  }
  if (file) fclose(file);
  return found;
}

static void machines_have_plain_keys(void **state) {
  (void)state;
  char key[TSR_KEY_TEXT], again[TSR_KEY_TEXT], keys[MAX_CONTEXTS][TSR_KEY_TEXT];
  for (int i = 0; i < ncontexts; i++) {
    tsr_context *twin;
    tsr_machine_key(contexts[i], key);
    if (!is_plain(key) || has_brand(key)) fail_msg("the key is \"%s\"", key);
    assert_non_null(strstr(key, tsr_context_isa(contexts[i])));
    assert_int_equal(tsr_context_create(tsr_context_isa(contexts[i]), &twin), TSR_OK);
    tsr_set_num_threads(twin, 3); /* threads are of the shape, not of the machine */
    tsr_machine_key(twin, again);
    assert_string_equal(key, again);
    tsr_context_destroy(twin);
    strcpy(keys[i], key);
    for (int j = 0; j < i; j++) assert_string_not_equal(keys[i], keys[j]);
  }
}

static void devices_have_plain_keys(void **state) {
  (void)state;
  static const char *const names[] = {"accel:910b", "accel:310p"};
  char keys[2][TSR_KEY_TEXT], again[TSR_KEY_TEXT];
  for (int i = 0; i < 2; i++) {
    tsr_context *context, *twin;
    assert_int_equal(tsr_context_create(names[i], &context), TSR_OK);
    assert_int_equal(tsr_context_create(names[i], &twin), TSR_OK);
    tsr_machine_key(context, keys[i]);
    tsr_machine_key(twin, again);
    assert_string_equal(keys[i], again);
    assert_true(is_plain(keys[i]));
    tsr_context_destroy(context);
    tsr_context_destroy(twin);
  }
  assert_string_not_equal(keys[0], keys[1]);
}

static void kernels_keys_follow_rule_and_chip(void **state) {
  (void)state;
  struct tsr_operator newer = *GEMM;
  char key[TSR_KEY_TEXT], other[TSR_KEY_TEXT], first[TSR_KEY_TEXT];
  newer.rule++;
  tsr_kernels_key(contexts[0], GEMM, first);
  for (int i = 0; i < ncontexts; i++) {
    tsr_kernels_key(contexts[i], GEMM, key);
    assert_true(is_plain(key));
    tsr_kernels_key(contexts[i], &newer, other);
    assert_string_not_equal(key, other);
    if (i) assert_string_not_equal(key, first);
  }
}

enum { COSTS = sizeof(struct tsr_costs) / sizeof(double) };

static void costs_come_back(void **state) {
  (void)state;
  for (int i = 0; i < 2000; i++) {
    double values[COSTS], got[COSTS];
    struct tsr_costs costs, read;
    char text[TSR_COSTS_TEXT], again[TSR_COSTS_TEXT];
    for (int j = 0; j < COSTS; j++)
      values[j] = ldexp(1 + (double)rng_below(&rng, 1 << 20), (int)-rng_below(&rng, 90) - 4);
    memcpy(&costs, values, sizeof costs);
    tsr_costs_print(&costs, text, sizeof text);
    if (!tsr_costs_parse(text, &read)) fail_msg("not read: %s", text);
    memcpy(got, &read, sizeof got);
    for (int j = 0; j < COSTS; j++) assert_true(fabs(got[j] / values[j] - 1) <= 5.001e-4);
    tsr_costs_print(&read, again, sizeof again);
    assert_string_equal(text, again);
  }
}

/* One coefficient replaced by junk, left out or given twice: refused, and nothing written. */
static void bad_costs_are_refused(void **state) {
  (void)state;
  static const char *const junk[] = {"", "chain", "chain=", "chain=x", "chain=-1", "chain=0", "chain=nan", "chain=inf",
                                     "chain=1e9", "chain=1e-9x", "chain=1e-9 chain=1e-9", "chain=1,5", "chains=1",
                                     "=1", "chain=1e-9 more=1", "chain=1e99999", "chain= 1"};
  struct tsr_costs costs, before, read;
  char text[TSR_COSTS_TEXT], bad[TSR_COSTS_TEXT + 64];
  tsr_costs_of_family("", &costs);
  tsr_costs_print(&costs, text, sizeof text);
  char *at = strstr(text, "chain="), *end = at + strcspn(at, " ");
  assert_non_null(at);
  before = read = (struct tsr_costs){.chain = 42};
  for (int i = 0; i < COUNT(junk); i++) {
    snprintf(bad, sizeof bad, "%.*s%s%s", (int)(at - text), text, junk[i], end);
    if (tsr_costs_parse(bad, &read)) fail_msg("read with \"%s\"", junk[i]);
    assert_memory_equal(&read, &before, sizeof read);
  }
  assert_false(tsr_costs_parse("", &read));
  assert_true(tsr_costs_parse(text, &read));
}

static void all_families_have_costs(void **state) {
  (void)state;
  static const char *const machines[] = {"", "AuthenticAMD-26-2 avx512-512", "nobody-0-0 generic-64", "\x7f"};
  for (int i = 0; i < COUNT(machines); i++) {
    struct tsr_costs costs;
    double values[COSTS];
    memset(&costs, 0xff, sizeof costs);
    assert_non_null(tsr_costs_of_family(machines[i], &costs));
    memcpy(values, &costs, sizeof values);
    for (int j = 0; j < COSTS; j++) assert_true(values[j] > 0 && values[j] < 1e6);
  }
}

/* A program's locale may write numbers with a comma. */
static void a_comma_locale_changes_nothing(void **state) {
  char command[400];
  struct tsr_costs costs, read;
  char text[TSR_COSTS_TEXT], again[TSR_COSTS_TEXT];
  make_folder(state);
  snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/comma.UTF-8 >/dev/null 2>&1", folder);
  int made = system(command);
  setenv("LOCPATH", folder, 1);
  tsr_costs_of_family("", &costs);
  tsr_costs_print(&costs, text, sizeof text);
  const char *set = made == 0 ? setlocale(LC_NUMERIC, "comma.UTF-8") : NULL;
  if (set) {
    assert_true(strtod("1,5", NULL) == 1.5);
    assert_non_null(tsr_costs_of_family("", &read));
    assert_memory_equal(&read, &costs, sizeof read);
    tsr_costs_print(&costs, again, sizeof again);
    assert_string_equal(again, text);
    setlocale(LC_NUMERIC, "C");
  }
  unsetenv("LOCPATH");
  remove_folder(state);
  if (!set) skip();
}

int main(void) {
  rng.state = test_seed();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_values_come_back),        cmocka_unit_test(the_longest_values_fit),
      cmocka_unit_test(bad_words_are_named),         cmocka_unit_test(sizes_are_read),
      cmocka_unit_test(blanks_and_commas_part_words),
      cmocka_unit_test(junk_is_refused_in_time),     cmocka_unit_test(shapes_must_be_whole),
      cmocka_unit_test(machines_have_plain_keys),    cmocka_unit_test(devices_have_plain_keys),
      cmocka_unit_test(kernels_keys_follow_rule_and_chip), cmocka_unit_test(costs_come_back),
      cmocka_unit_test(bad_costs_are_refused),       cmocka_unit_test(all_families_have_costs),
      cmocka_unit_test(a_comma_locale_changes_nothing),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
