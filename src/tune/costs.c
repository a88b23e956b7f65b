/* Costs as text, and those of CPU families that were measured. */
#include "src/tune/costs.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
#define F(name) #name,
    TSR_COSTS(F)
#undef F
};
enum { COSTS = sizeof names / sizeof names[0] };
_Static_assert(sizeof(struct tsr_costs) == COSTS * sizeof(double), "all costs are doubles");

/* The key of a machine begins with one of these; the last fits any. */
static const struct {
  const char *key, *text;
} families[] = {
#define TSR_FAMILY(key, text) {key, text},
#include "src/tune/costs.def"
#undef TSR_FAMILY
};

enum { FAMILIES = sizeof families / sizeof families[0] };

static bool parse_one(const char *item, size_t length, double *values) {
  const char *equals = memchr(item, '=', length);
  char number[32], *end;
  if (!equals || length - (size_t)(equals + 1 - item) >= sizeof number) return false;
  size_t digits = length - (size_t)(equals + 1 - item);
  memcpy(number, equals + 1, digits);
  number[digits] = 0;
  double value = strtod(number, &end);
  if (end == number || *end || !(value > 0 && value < 1e6)) return false;
  for (int i = 0; i < COSTS; i++)
    if (strlen(names[i]) == (size_t)(equals - item) && strncmp(names[i], item, strlen(names[i])) == 0) {
      bool first = values[i] == 0;
      values[i] = value;
      return first;
    }
  return false;
}

/* The program's locale may have another decimal point. False: there is no memory for that. */
static bool begin_plain_numbers(locale_t *plain, locale_t *former) {
  *plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
  *former = *plain ? uselocale(*plain) : (locale_t)0;
  return *plain != (locale_t)0;
}

static void end_plain_numbers(locale_t plain, locale_t former) {
  uselocale(former);
  freelocale(plain);
}

static bool parse(const char *text, struct tsr_costs *costs) {
  struct tsr_costs read = {0};
  double values[COSTS];
  memcpy(values, &read, sizeof values);
  while (*(text += strspn(text, " \n"))) {
    size_t length = strcspn(text, " \n");
    if (!parse_one(text, length, values)) return false;
    text += length;
  }
  for (int i = 0; i < COSTS; i++)
    if (values[i] == 0) return false;
  memcpy(costs, values, sizeof values);
  return true;
}

bool tsr_costs_parse(const char *text, struct tsr_costs *costs) {
  locale_t plain, former;
  if (!begin_plain_numbers(&plain, &former)) return false;
  bool good = parse(text, costs);
  end_plain_numbers(plain, former);
  return good;
}

void tsr_costs_print(const struct tsr_costs *costs, char *text, size_t size) {
  locale_t plain, former;
  double values[COSTS];
  size_t used = 0;
  bool is_plain = begin_plain_numbers(&plain, &former);
  memcpy(values, costs, sizeof values);
  for (int i = 0; i < COSTS && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s%s=%.4g", i ? " " : "", names[i], values[i]);
  if (is_plain) end_plain_numbers(plain, former);
}

void tsr_costs_scale_times(struct tsr_costs *costs, double factor) {
#define F(name) costs->name *= factor;
  TSR_COSTS_TIMES(F)
#undef F
}

const char *tsr_costs_of_family(const char *machine, struct tsr_costs *costs) {
  char text[4096];
  int i = 0;
  while (i < FAMILIES - 1 && strncmp(machine, families[i].key, strlen(families[i].key)) != 0) i++;
  snprintf(text, sizeof text, "%s " TSR_FITTED, families[i].text);
  tsr_costs_parse(text, costs);
  tsr_costs_scale_times(costs, costs->chain / TSR_FITTED_CHAIN);
  return *families[i].key ? families[i].key : "defaults";
}
