/* What is written of a run, from statistics and events that are made up. */
#include "kernels/accel_sim/sim/report.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOSTILE "<script>alert('x')</script> & \"quoted\\\" \x01\x7f\xff\xc0\xaf\xed\xa0\x80 \xc3\xa4 </title>-->"

static struct accel_params params;
static struct accel_stats stats;
static struct accel_report report = {"a run", &params, &stats, 0};

/* 24 cores; each pipe has busy and stalls that do not divide evenly. */
static int set_up(void **state) {
  (void)state;
  char error[200];
  assert_int_equal(accel_params_load("910b", &params, error, sizeof error), 0);
  memset(&stats, 0, sizeof stats);
  stats.cycles = 1.85e6;
  double whole = stats.cycles * params.cores;
  for (int pipe = 0; pipe < ACCEL_PIPES; pipe++) {
    stats.busy[pipe] = whole / (pipe + 2);
    for (int i = 0; i < ACCEL_STALLS; i++) stats.stall[pipe][i] = (whole - stats.busy[pipe]) / ACCEL_STALLS;
  }
  stats.contended = stats.busy[ACCEL_MTE2] / 4;
  stats.macs[0] = (uint64_t)(whole * 4096 / 2); /* half of what the cubes could */
  stats.hbm_bytes = 400000000;                  /* 400 MB in 1 ms: a quarter of 1.6 TB/s */
  stats.l2_bytes = 2000000000;
  stats.bytes_read[ACCEL_L1] = 123456789012;
  stats.bank_conflicts[ACCEL_UB] = 98765;
  stats.instructions[ACCEL_MAD] = 4321;
  for (int i = 0; i < ACCEL_ENERGIES; i++) stats.energy_pj[i] = 1e9 * (i + 1);
  report = (struct accel_report){"a run", &params, &stats, 0};
  return 0;
}

typedef int writer(FILE *, const struct accel_report *);

/* What the writer wrote, until the next call. */
static const char *write_report(writer *write) {
  static char *text;
  size_t size;
  free(text);
  FILE *file = open_memstream(&text, &size);
  assert_int_equal(write(file, &report), 0);
  fclose(file);
  return text;
}

static void has(const char *text, const char *part) {
  if (!text || !strstr(text, part)) fail_msg("\"%s\" is not in:\n%s", part, text ? text : "nothing");
}

static void has_not(const char *text, const char *part) {
  if (!text || strcasestr(text, part)) fail_msg("\"%s\" is in:\n%s", part, text ? text : "nothing");
}

static int sum_of(const int *values, int n) {
  int sum = 0;
  for (int i = 0; i < n; i++) sum += values[i];
  return sum;
}

static void shares_add_up(void **state) {
  (void)state;
  int tenths[7];
  accel_tenths((double[]){1, 1, 1}, 3, tenths);
  assert_int_equal(tenths[0], 334);
  assert_int_equal(tenths[1], 333);
  assert_int_equal(tenths[2], 333);
  accel_tenths((double[]){0, 5, NAN, -3, 0}, 5, tenths);
  assert_int_equal(tenths[1], 1000);
  assert_int_equal(sum_of(tenths, 5), 1000);
  accel_tenths((double[]){0, 0}, 2, tenths);
  assert_int_equal(sum_of(tenths, 2), 0);
  srand(1);
  for (int i = 0; i < 20000; i++) {
    double values[7];
    for (int j = 0; j < 7; j++) values[j] = rand() % 3 ? pow(10, rand() % 20) * rand() : 0;
    values[i % 7] = 1;
    accel_tenths(values, 7, tenths);
    assert_int_equal(sum_of(tenths, 7), 1000);
    for (int j = 0; j < 7; j++) assert_true(tenths[j] >= 0 && (tenths[j] == 0 || values[j] > 0));
  }
}

static void close_to(double value, double expected) {
  if (!(fabs(value - expected) <= 1e-6 * fabs(expected))) fail_msg("%.12g is not %.12g", value, expected);
}

static void numbers(void **state) {
  (void)state;
  struct accel_summary s;
  accel_summarise(&report, &s);
  assert_int_equal(s.cores, 24);
  close_to(s.seconds, 1e-3);
  close_to(s.peak_tops, 363.7248);
  close_to(s.tops, 363.7248 / 2);
  close_to(s.of_peak, 0.5);
  close_to(s.limit[ACCEL_BY_HBM], 0.25);
  close_to(s.limit[ACCEL_BY_L2], 2e9 / (2064 * 1.85e9 * 1e-3));
  assert_int_equal(s.bound, ACCEL_BY_L2);
  close_to(s.hbm.intensity, s.ops / 4e8);
  close_to(s.hbm.ridge, 363.7248e12 / 1.6e12);
  close_to(s.energy_pj, 55e9);
  assert_int_equal(s.busiest, ACCEL_S);
  assert_true(s.unaccounted < 1e-9);
  for (int pipe = 0; pipe < ACCEL_PIPES; pipe++) assert_int_equal(sum_of(s.tenths[pipe], ACCEL_SHARES), 1000);
  assert_int_equal(sum_of(s.energy_tenths, ACCEL_ENERGIES), 1000);
}

/* f32 runs at a quarter of f16's rate (half the elements in 32 bytes, and the factor), s8 at twice; an array's cells
 * all at one. */
static void peaks(void **state) {
  (void)state;
  struct accel_summary s;
  double f16 = 363.7248;
  memset(stats.macs, 0, sizeof stats.macs);
  accel_summarise(&report, &s);
  close_to(s.peak_tops, f16);
  close_to(s.of_peak, 0);
  stats.macs[2] = 1000;
  accel_summarise(&report, &s);
  close_to(s.peak_tops, f16 / 4);
  stats.macs[2] = 0, stats.macs[3] = 1000;
  accel_summarise(&report, &s);
  close_to(s.peak_tops, f16 * 2);
  stats.macs[1] = 1000; /* half of them at 1, half at 2 */
  accel_summarise(&report, &s);
  close_to(s.peak_tops, f16 * 2 / 1.5);
  report.cores = 3;
  params.systolic = 1, params.systolic_rows = 128, params.systolic_columns = 64;
  accel_summarise(&report, &s);
  close_to(s.peak_tops, 2 * 128 * 64 * 3 * 1.85e-3);
}

/* The seven percentages behind `pipe`'s name, in tenths, must be 100 %. */
static void row_sums(const char *text, const char *pipe, const char *between) {
  const char *at = strstr(text, pipe);
  assert_non_null(at);
  at += strlen(pipe);
  int sum = 0;
  for (int i = 0; i < ACCEL_SHARES; i++) {
    char *end;
    at += strspn(at, between);
    double value = strtod(at, &end);
    if (end == at) fail_msg("no number at: %.60s", at);
    sum += (int)lround(value * 10);
    at = end;
  }
  assert_int_equal(sum, 1000);
}

static void text_summary(void **state) {
  (void)state;
  const char *text = write_report(accel_report_text);
  has(text, "a run\n");
  has(text, "910b (910B-like");
  has(text, "1850000 cycles, 1000 us");
  has(text, "181.9 of 363.7 TFLOP/s, 50.0 %");
  has(text, "bound by   L2, 52.4 % of the run; the busiest pipe is s, 50.0 %");
  has(text, "123456789012");
  has(text, "98765");
  has(text, "55 mJ, 55 W on average");
  has(text, "mad                      4321\n");
  has(text, "9.6 % of the busy time of mte2, mte3 and fix");
  has_not(text, "warning");
  has_not(text, "nan");
  has_not(text, "inf");
  for (int pipe = 0; pipe < ACCEL_PIPES; pipe++) {
    char name[8];
    snprintf(name, sizeof name, "\n%-5s ", accel_pipe_names[pipe]);
    row_sums(strstr(text, "% of the run, all cores"), name, " ");
  }
}

static void contradictions_are_told(void **state) {
  (void)state;
  stats.stall[ACCEL_V][ACCEL_STALL_FLAG] -= stats.cycles * params.cores * 0.07;
  has(write_report(accel_report_text), "warning: busy and stalls differ from cycles x cores by up to 7.0 %");
  has(write_report(accel_report_html), "Warning: busy and stalls differ from cycles &times; cores by up to 7.0 %");
}

/* A run of nothing: no number is missing, none divides by 0. */
static void empty_run(void **state) {
  (void)state;
  memset(&stats, 0, sizeof stats);
  writer *const writers[] = {accel_report_text, accel_report_roofline, accel_report_html};
  for (int i = 0; i < 3; i++) {
    const char *text = write_report(writers[i]);
    has(text, "0 of 363.7 TFLOP/s");
    has_not(text, "nan");
    has_not(text, "inf,");
    has_not(text, " inf");
    has_not(text, "\"inf");
  }
}

static void roofline_only(void **state) {
  (void)state;
  const char *text = write_report(accel_report_roofline);
  has(text, "HBM      1.6 TB/s,  25.0 % of its time used; 454.7 operations a byte, the peak needs "
            "227.3: under the peak");
  has(text, "L2     3.818 TB/s,  52.4 % of its time used; 90.93 operations a byte, the peak needs "
            "95.26: under the slope");
  has_not(text, "energy");
}

static int count(const char *text, const char *part) {
  int n = 0;
  for (const char *at = text; (at = strstr(at, part)); at += strlen(part)) n++;
  return n;
}

static void page(void **state) {
  (void)state;
  const char *text = write_report(accel_report_html);
  assert_int_equal(strncmp(text, "<!DOCTYPE html>", 15), 0);
  has(text, "181.9 of 363.7 TFLOP/s, 50.0 %");
  has(text, "prefers-color-scheme: dark");
  static const char *const outside[] = {"http", "src=", "href=", "url(", "@import",
                                        "<script", "<link", "<iframe", "nan", "//"};
  for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) has_not(text, outside[i]);
  static const char *const tags[] = {"html", "head", "body", "style", "svg", "table", "tr", "td", "div",
                                     "h2", "text", "title", "p", "i"};
  for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
    char open[16], end[16];
    snprintf(open, sizeof open, "<%s ", tags[i]);
    snprintf(end, sizeof end, "<%s>", tags[i]);
    int opened = count(text, open) + count(text, end);
    snprintf(end, sizeof end, "</%s>", tags[i]);
    if (opened < 1 || opened != count(text, end)) fail_msg("%d times %s but %s", opened, open, end);
  }
  assert_int_equal(count(text, "<svg"), 3);
  assert_int_equal(count(text, "<circle"), 2);
  for (int pipe = 0; pipe < ACCEL_PIPES; pipe++) {
    char name[24];
    snprintf(name, sizeof name, "<td>%s</td>", accel_pipe_names[pipe]);
    row_sums(text, name, "</td>");
  }
}

static void hostile_words_in_a_page(void **state) {
  (void)state;
  report.title = HOSTILE;
  snprintf(params.name, sizeof params.name, "%s", "<b>'\"&\x01\xff");
  snprintf(params.description, sizeof params.description, "%s", "</p><img onerror=x>");
  const char *text = write_report(accel_report_html);
  static const char *const harm[] = {"<script", "<b>", "<img", "\x01", "\xff", "\xc0", "\xed", "-->", "'x'"};
  for (size_t i = 0; i < sizeof harm / sizeof harm[0]; i++) has_not(text, harm[i]);
  has(text, "&#60;script&#62;alert(&#39;x&#39;)&#60;/script&#62; &#38; &#34;quoted\\&#34;");
  has(text, "&#xfffd;&#xfffd;&#xfffd;&#xfffd;&#xfffd;&#xfffd;&#xfffd;&#xfffd; \xc3\xa4");
  assert_int_equal(count(text, "</title>"), count(text, "<title>"));
}

/* The end of the JSON value at `c`, NULL if it is none. */
static const char *json(const char *c);

static const char *blank(const char *c) { return c + strspn(c, " \t\r\n"); }

static const char *json_string(const char *c) {
  if (*c++ != '"') return NULL;
  while (*c != '"') {
    int n = accel_utf8(c);
    if ((unsigned char)*c < ' ' || n == 0) return NULL;
    if (*c == '\\' && c[1] == 'u') {
      for (int i = 2; i < 6; i++)
        if (!isxdigit((unsigned char)c[i])) return NULL;
      n = 6;
    } else if (*c == '\\') {
      if (!c[1] || !strchr("\"\\/bfnrt", c[1])) return NULL;
      n = 2;
    }
    c += n;
  }
  return c + 1;
}

static const char *json_list(const char *c, char end, bool named) {
  c = blank(c + 1);
  if (*c == end) return c + 1;
  for (;;) {
    if (named && (!(c = json_string(blank(c))) || *(c = blank(c)) != ':')) return NULL;
    c = json(named ? c + 1 : c);
    if (!c) return NULL;
    c = blank(c);
    if (*c == end) return c + 1;
    if (*c++ != ',') return NULL;
  }
}

static const char *json(const char *c) {
  c = blank(c);
  if (*c == '{') return json_list(c, '}', true);
  if (*c == '[') return json_list(c, ']', false);
  if (*c == '"') return json_string(c);
  size_t n = strspn(c, "-+.0123456789eE");
  return n && (isdigit((unsigned char)c[n - 1])) && (isdigit((unsigned char)*c) || *c == '-') ? c + n : NULL;
}

static struct accel_word code[3] = {
    {.opcode = ACCEL_MAD, .r = {1, 2, 3, 4, 5, 6}, .suffix = ACCEL_F16 | ACCEL_INIT},
    {.opcode = ACCEL_WAIT_FLAG, .pipes = ACCEL_MTE1 | ACCEL_M << 4},
    {.opcode = ACCEL_HALT}};
static struct accel_line lines[3] = {{0, 7}, {1, 8}, {2, 9}};
static char *files[3] = {"gemm.s", HOSTILE, "beyond"}; /* the program has two */
static struct accel_program program = {HOSTILE, code, lines, NULL, files, 3, 0, 2};

static const char *write_trace(const struct accel_event *events, int64_t n) {
  static char *text;
  size_t size;
  free(text);
  FILE *file = open_memstream(&text, &size);
  assert_int_equal(accel_trace_write(file, &params, events, n), 0);
  fclose(file);
  const char *end = json(text);
  if (!end || *blank(end)) fail_msg("not JSON:\n%s", text);
  return text;
}

static void trace(void **state) {
  (void)state;
  const struct accel_event events[] = {
      {1850, 5550, &program, 0, 2, ACCEL_M, false},
      {5550, 5551.85, &program, 1, 0, ACCEL_M, true},
  };
  const char *text = write_trace(events, 2);
  has(text, "\"name\":\"mad.f16.init\",\"cat\":\"instruction\",\"ph\":\"X\",\"pid\":2,\"tid\":1,\"ts\":1.000000,"
            "\"dur\":2.000000,\"args\":{\"text\":\"mad.f16.init r1, r2, r3, r4, r5, r6\",\"at\":\"gemm.s:7\"");
  has(text, "\"name\":\"stall: wait_flag mte1, m, 0\",\"cat\":\"stall\",\"ph\":\"X\",\"pid\":0,\"tid\":1,"
            "\"ts\":3.000000,\"dur\":0.001000");
  has(text, "\"name\":\"core 2\"");
  has_not(text, "\"name\":\"core 3\"");
  assert_int_equal(count(text, "\"thread_name\""), 3 * ACCEL_PIPES);
  has(text, "<script>alert('x')</script> & \\\"quoted\\\\\\\" "
            "\\u0001\\u007f\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd \xc3\xa4");
}

static void odd_events(void **state) {
  (void)state;
  write_trace(NULL, 0);
  const struct accel_event events[] = {
      {0, NAN, &program, 0, 0, ACCEL_M, false},      {-1, INFINITY, &program, 2, 0, ACCEL_S, false},
      {0, 1, NULL, 0, 0, ACCEL_V, false},            {0, 1, &program, 99, 0, ACCEL_V, true},
      {0, 1, &program, -1, 0, ACCEL_FIX, false},     {9, 3, &program, 0, 0, ACCEL_FIX, false},
      {1e15, 2e15, &program, 0, 0, ACCEL_FIX, false}};
  const char *text = write_trace(events, sizeof events / sizeof events[0]);
  has_not(text, "nan");
  has_not(text, ":inf");
  has_not(text, "\"dur\":-");
  has_not(text, "beyond");
}

static void full_disks_are_told(void **state) {
  (void)state;
  writer *const writers[] = {accel_report_text, accel_report_roofline, accel_report_html};
  for (int i = 0; i < 3; i++) {
    FILE *full = fopen("/dev/full", "w");
    if (!full) skip();
    assert_int_equal(writers[i](full, &report), -1);
    fclose(full);
  }
  FILE *full = fopen("/dev/full", "w");
  assert_int_equal(accel_trace_write(full, &params, NULL, 0), -1);
  fclose(full);
}

/* Where the caller's locale writes 1,5. */
static void other_locales(void **state) {
  (void)state;
  static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8", "de_DE", "fr_FR"};
  bool found = false;
  for (int i = 0; i < 5 && !found; i++) found = setlocale(LC_NUMERIC, names[i]) && *localeconv()->decimal_point == ',';
  if (!found) skip();
  const struct accel_event event = {1850, 2775, &program, 0, 0, ACCEL_M, false};
  has(write_trace(&event, 1), "\"dur\":0.500000");
  has(write_report(accel_report_text), "181.9 of 363.7");
  has(write_report(accel_report_html), "181.9 of 363.7");
  assert_int_equal(*localeconv()->decimal_point, ',');
  setlocale(LC_NUMERIC, "C");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shares_add_up),
      cmocka_unit_test_setup(numbers, set_up),
      cmocka_unit_test_setup(peaks, set_up),
      cmocka_unit_test_setup(text_summary, set_up),
      cmocka_unit_test_setup(contradictions_are_told, set_up),
      cmocka_unit_test_setup(empty_run, set_up),
      cmocka_unit_test_setup(roofline_only, set_up),
      cmocka_unit_test_setup(page, set_up),
      cmocka_unit_test_setup(hostile_words_in_a_page, set_up),
      cmocka_unit_test_setup(trace, set_up),
      cmocka_unit_test_setup(odd_events, set_up),
      cmocka_unit_test_setup(full_disks_are_told, set_up),
      cmocka_unit_test_setup(other_locales, set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
