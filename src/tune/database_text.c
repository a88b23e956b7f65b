/* Rows as text, and what a row may hold. Nothing here needs SQLite or looks at the locale. */
#include <fenv.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/tune/database.h"

enum { OPERATOR_TEXT = 32 };

__attribute__((format(printf, 2, 3))) static bool because(char *why, const char *format, ...) {
  va_list args;
  va_start(args, format);
  if (why) vsnprintf(why, TSR_WHY_TEXT, format, args);
  va_end(args);
  return false;
}

/* Spaces at the ends would be lost in the text form. */
static bool text_valid(const char *name, const char *text, size_t room, char *why) {
  if (!text || !*text) return because(why, "the %s is missing", name);
  size_t length = strnlen(text, room);
  if (length == room) return because(why, "the %s is longer than %zu characters", name, room - 1);
  for (size_t i = 0; i < length; i++)
    if (text[i] < ' ' || text[i] > '~' || text[i] == '|')
      return because(why, "the %s holds a character that is not printable ASCII, or a '|'", name);
  if (text[0] == ' ' || text[length - 1] == ' ') return because(why, "the %s begins or ends with a space", name);
  return true;
}

/* Comparisons that a quiet NaN fails without raising a flag. */
static bool number_valid(const char *name, double value, double least, double most, char *why) {
  if (isgreaterequal(value, least) && islessequal(value, most)) return true;
  return because(why, "%s is %g, which is not in %g to %g", name, value, least, most);
}

static bool time_valid(const char *name, double seconds, char *why) {
  return number_valid(name, seconds, 1e-10, 1e6, why);
}

static bool operator_valid(const char *name, char *why) {
  if (!text_valid("operator", name, OPERATOR_TEXT, why)) return false;
  return name[0] != '#' || because(why, "the operator begins with #");
}

bool tsr_row_valid(const struct tsr_row *row, char *why) {
  return operator_valid(row->operator_name, why) && text_valid("machine", row->machine, TSR_KEY_TEXT, why) &&
         text_valid("kernels' fingerprint", row->kernels, TSR_KEY_TEXT, why) &&
         text_valid("shape", row->shape, TSR_VALUES_TEXT, why) && text_valid("plan", row->plan, TSR_VALUES_TEXT, why) &&
         text_valid("default plan", row->default_plan, TSR_VALUES_TEXT, why) &&
         time_valid("the median", row->median, why) && number_valid("the spread", row->spread, 0, 1000, why) &&
         time_valid("the predicted time", row->predicted, why) &&
         time_valid("the default's time", row->by_default, why) &&
         (row->measurements > 0 || because(why, "the number of measurements is %" PRId64, row->measurements)) &&
         (row->when >= 0 || because(why, "the time of measuring is %" PRId64, row->when));
}

bool tsr_sample_valid(const struct tsr_sample *sample, char *why) {
  return operator_valid(sample->operator_name, why) && text_valid("machine", sample->machine, TSR_KEY_TEXT, why) &&
         text_valid("kernels' fingerprint", sample->kernels, TSR_KEY_TEXT, why) &&
         text_valid("shape", sample->shape, TSR_VALUES_TEXT, why) &&
         text_valid("plan", sample->plan, TSR_VALUES_TEXT, why) && time_valid("the median", sample->median, why) &&
         time_valid("the predicted time", sample->predicted, why);
}

/* A fixed number of decimals by way of an integer: neither printf's nor strtod's decimal point can be relied on. */
struct fixed {
  char text[32];
};
static struct fixed fixed(double value, int decimals) {
  int64_t one = decimals == 6 ? 1000000 : 10000, n = llround(value * (double)one);
  struct fixed f;
  snprintf(f.text, sizeof f.text, "%" PRId64 ".%0*" PRId64, n / one, decimals, n % one);
  return f;
}

static bool print(const struct tsr_row *row, char *line) {
  const double us = 1e6;
  snprintf(line, TSR_ROW_TEXT,
           "%s | %s | %s | %s | %s | %s | median=%sus spread=%s predicted=%sus default=%sus runs=%" PRId64
           " when=%" PRId64,
           row->operator_name, row->machine, row->kernels, row->shape, row->plan, row->default_plan,
           fixed(row->median * us, 6).text, fixed(row->spread, 4).text, fixed(row->predicted * us, 6).text,
           fixed(row->by_default * us, 6).text, row->measurements, row->when);
  return true;
}

bool tsr_row_print(const struct tsr_row *row, char *line) {
  fenv_t fenv;
  feholdexcept(&fenv);
  bool done = tsr_row_valid(row, NULL) && print(row, line);
  fesetenv(&fenv);
  return done;
}

/* Takes the text before the next " | " or the end, without the spaces around it, and ends it with 0. */
static char *take_text(char **at) {
  char *text = *at, *end = strchr(text, '|');
  *at = end ? end + 1 : text + strlen(text);
  if (!end) end = *at;
  while (*text == ' ') text++;
  while (end > text && end[-1] == ' ') end--;
  *end = 0;
  return text;
}

static bool take_integer(const char **at, int most_digits, int64_t *value) {
  int digits = 0;
  for (*value = 0; **at >= '0' && **at <= '9'; ++*at, digits++)
    if (digits < most_digits) *value = 10 * *value + (**at - '0');
  return digits > 0 && digits <= most_digits;
}

static bool take_word(const char **at, const char *word) {
  size_t length = strlen(word);
  if (strncmp(*at, word, length) != 0) return false;
  *at += length;
  return true;
}

static bool take_fixed(const char **at, const char *name, const char *unit, double *value, char *why) {
  int64_t whole, part = 0;
  double scale = 1;
  bool good = take_word(at, name) && take_integer(at, 12, &whole);
  if (good && take_word(at, ".")) {
    const char *from = *at;
    good = take_integer(at, 6, &part);
    for (; from < *at; from++) scale *= 10;
  }
  if (!good || !take_word(at, unit))
    return because(why, "a number like %s1.5%s is expected at \"%.20s\"", name, unit, *at);
  *value = ((double)whole * scale + (double)part) / scale;
  while (**at == ' ') ++*at;
  return true;
}

static bool take_count(const char **at, const char *name, int64_t *value, char *why) {
  if (!take_word(at, name) || !take_integer(at, 18, value))
    return because(why, "a number like %s12 is expected at \"%.20s\"", name, *at);
  while (**at == ' ') ++*at;
  return true;
}

static bool parse(char *text, struct tsr_row *row, char *why) {
  int bars = 0;
  for (const char *c = text; *c; c++) bars += *c == '|';
  if (bars != 6) return because(why, "a row has seven fields with '|' between them, not %d", bars + 1);
  row->operator_name = take_text(&text), row->machine = take_text(&text), row->kernels = take_text(&text);
  row->shape = take_text(&text), row->plan = take_text(&text), row->default_plan = take_text(&text);
  const char *at = take_text(&text);
  if (!take_fixed(&at, "median=", "us", &row->median, why) || !take_fixed(&at, "spread=", "", &row->spread, why) ||
      !take_fixed(&at, "predicted=", "us", &row->predicted, why) ||
      !take_fixed(&at, "default=", "us", &row->by_default, why) || !take_count(&at, "runs=", &row->measurements, why) ||
      !take_count(&at, "when=", &row->when, why))
    return false;
  if (*at) return because(why, "there is more after the last number: \"%.20s\"", at);
  row->median /= 1e6, row->predicted /= 1e6, row->by_default /= 1e6;
  return tsr_row_valid(row, why);
}

bool tsr_row_parse(const char *line, char *store, struct tsr_row *row, char *why) {
  size_t length = strcspn(line, "\r\n");
  if (length >= TSR_ROW_TEXT) return because(why, "the line is longer than %d characters", TSR_ROW_TEXT - 1);
  memcpy(store, line, length);
  store[length] = 0;
  fenv_t fenv;
  feholdexcept(&fenv);
  bool done = parse(store, row, why);
  fesetenv(&fenv);
  return done;
}

static void parse_line(const char *line, int number, const struct tsr_visitor *visitor, void *arg) {
  char store[TSR_ROW_TEXT], why[TSR_WHY_TEXT], sentence[TSR_WHY_TEXT + 32];
  struct tsr_row row;
  if (tsr_row_parse(line, store, &row, why)) {
    if (visitor->row) visitor->row(arg, &row);
  } else if (visitor->bad) {
    snprintf(sentence, sizeof sentence, "line %d: %s", number, why);
    visitor->bad(arg, sentence);
  }
}

void tsr_rows_parse(const char *text, const struct tsr_visitor *visitor, void *arg) {
  for (int number = 1; *text; number++) {
    const char *start = text + strspn(text, " \t\r");
    if (*start && *start != '\n' && *start != '#') parse_line(start, number, visitor, arg);
    text += strcspn(text, "\n");
    text += *text == '\n';
  }
}
