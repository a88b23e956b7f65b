/* Shapes and plans as text: "path=packed threads=2 mc=192". */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/tune/tune.h"

const char *const tsr_sizes[] = {NULL};
enum { SIZE_BITS = 20 };

int64_t tsr_sizes_pack(const int64_t *sizes, int n) {
  int64_t value = 0;
  for (int i = 0; i < n; i++) value |= (sizes[i] + 1) << SIZE_BITS * i;
  return value;
}

int tsr_sizes_unpack(int64_t value, int64_t sizes[TSR_MOST_SIZES]) {
  int n = 0;
  for (int i = 0; i < TSR_MOST_SIZES; i++) {
    int64_t one = value >> SIZE_BITS * i & (((int64_t)1 << SIZE_BITS) - 1);
    sizes[i] = one ? one - 1 : 0;
    n += one && n == i;
  }
  return n;
}

/* "3x3x3" */
static int print_sizes(int64_t value, char *text, size_t size) {
  int64_t sizes[TSR_MOST_SIZES];
  int n = tsr_sizes_unpack(value, sizes), used = 0;
  for (int i = 0; i < n && (size_t)used < size; i++)
    used += snprintf(text + used, size - (size_t)used, "%s%lld", i ? "x" : "", (long long)sizes[i]);
  return used;
}

static int print_value(const struct tsr_field *field, int64_t value, char *text, size_t size) {
  if (field->words == tsr_sizes) return print_sizes(value, text, size);
  if (field->words) return snprintf(text, size, "%s", field->words[value - 1]);
  return snprintf(text, size, "%lld", (long long)value);
}

void tsr_values_print(const struct tsr_field *fields, int n, const struct tsr_values *values, char *text) {
  size_t used = 0;
  text[0] = 0;
  for (int i = 0; i < n && used < TSR_VALUES_TEXT; i++) {
    int64_t value = values->at[i];
    if (value == 0) continue;
    used += (size_t)snprintf(text + used, TSR_VALUES_TEXT - used, "%s%s=", used ? " " : "", fields[i].name);
    if (used < TSR_VALUES_TEXT) used += (size_t)print_value(&fields[i], value, text + used, TSR_VALUES_TEXT - used);
  }
}

static int find_field(const struct tsr_field *fields, int n, const char *name, size_t length) {
  for (int i = 0; i < n; i++)
    if (strlen(fields[i].name) == length && memcmp(fields[i].name, name, length) == 0) return i;
  return -1;
}

static int64_t find_word(const char *const *words, const char *text, size_t length) {
  for (int i = 0; words[i]; i++)
    if (strlen(words[i]) == length && memcmp(words[i], text, length) == 0) return i + 1;
  return 0;
}

/* A whole number above 0 that is all of the text; 0 for anything else. */
static int64_t read_number(const char *text, size_t length) {
  char digits[24], *end;
  if (length == 0 || length >= sizeof digits || !isdigit((unsigned char)*text)) return 0;
  memcpy(digits, text, length);
  digits[length] = 0;
  errno = 0;
  long long number = strtoll(digits, &end, 10);
  return *end || errno || number < 0 ? 0 : number;
}

/* All of the text is up to three sizes; 0 for anything else. */
static int64_t read_sizes(const char *text, size_t length) {
  int64_t sizes[TSR_MOST_SIZES];
  int n = 0;
  for (const char *end = text + length;; text++) {
    if (n == TSR_MOST_SIZES || text == end || !isdigit((unsigned char)*text)) return 0;
    int64_t size = 0;
    for (; text < end && isdigit((unsigned char)*text); text++)
      if ((size = 10 * size + (*text - '0')) > TSR_MOST_SIZE) return 0;
    sizes[n++] = size;
    if (text == end) return tsr_sizes_pack(sizes, n);
    if (*text != 'x') return 0;
  }
}

static int64_t read_value(const struct tsr_field *field, const char *text, size_t length) {
  if (field->words == tsr_sizes) return read_sizes(text, length);
  return field->words ? find_word(field->words, text, length) : read_number(text, length);
}

static bool parse_one(const struct tsr_field *fields, int n, const char *item, size_t length,
                      struct tsr_values *values, char *why) {
  const char *equals = memchr(item, '=', length);
  int field = equals ? find_field(fields, n, item, (size_t)(equals - item)) : -1;
  if (field < 0) {
    snprintf(why, TSR_WHY_TEXT, "\"%.*s\" is no field=value that is known", (int)(length < 64 ? length : 64), item);
    return false;
  }
  const char *name = fields[field].name, *text = equals + 1;
  size_t rest = length - (size_t)(text - item);
  int64_t value = read_value(&fields[field], text, rest);
  if (value == 0 || values->at[field] != 0) {
    snprintf(why, TSR_WHY_TEXT, value ? "%s is given twice" : "%s cannot be \"%.*s\"", name,
             (int)(rest < 64 ? rest : 64), text);
    return false;
  }
  values->at[field] = value;
  return true;
}

bool tsr_values_parse(const struct tsr_field *fields, int n, const char *text, struct tsr_values *values, char *why) {
  char unused[TSR_WHY_TEXT];
  memset(values, 0, sizeof *values);
  while (*(text += strspn(text, " ,\t\n"))) {
    size_t length = strcspn(text, " ,\t\n");
    if (!parse_one(fields, n, text, length, values, why ? why : unused)) return false;
    text += length;
  }
  return true;
}

#define MOST_NUMBER ((int64_t)1 << 40)

bool tsr_shape_is_whole(const struct tsr_operator *op, const struct tsr_values *shape, char *why) {
  char unused[TSR_WHY_TEXT];
  if (!why) why = unused;
  for (int i = 0; i < op->nshape; i++) {
    if (shape->at[i] >= 1 && (shape->at[i] <= MOST_NUMBER || op->shape[i].words == tsr_sizes)) continue;
    if (shape->at[i] == 0)
      snprintf(why, TSR_WHY_TEXT, "the shape has no %s", op->shape[i].name);
    else
      snprintf(why, TSR_WHY_TEXT, "%s is %lld: too large", op->shape[i].name, (long long)shape->at[i]);
    return false;
  }
  return true;
}
