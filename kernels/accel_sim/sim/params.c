/* Parameter files: one table says what each parameter is called, where it goes, its unit and what is sane. */
#include "kernels/accel_sim/sim/params.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/accel_sim/embed.h"

const char *const accel_buffer_names[ACCEL_BUFFERS] = {"gm", "l1", "l0a", "l0b", "l0c", "ub"};

enum quantity {
  TEXT, CORES, INSTRUCTIONS, BANKS, CELLS, TIMES, ARRAYS, BYTES, CLOCK, CYCLES, SLOPE, RATE, BANDWIDTH, TIME, ENERGY,
  BYTE_ENERGY
};

/* A value in this unit is value * times / per in the first unit of its quantity. Both are exact, so 9 us is 9e-6 s. */
static const struct unit {
  const char *name;
  enum quantity quantity;
  double times, per;
} units[] = {
    {"cores", CORES, 1, 1},         {"instructions", INSTRUCTIONS, 1, 1}, {"banks", BANKS, 1, 1},
    {"cells", CELLS, 1, 1},         {"times", TIMES, 1, 1},               {"arrays", ARRAYS, 1, 1},
    {"B", BYTES, 1, 1},             {"KiB", BYTES, 1024, 1},              {"MiB", BYTES, 1048576, 1},
    {"GiB", BYTES, 1073741824, 1},  {"MB", BYTES, 1e6, 1},                {"GB", BYTES, 1e9, 1},
    {"GHz", CLOCK, 1, 1},           {"MHz", CLOCK, 1, 1e3},               {"cycles", CYCLES, 1, 1},
    {"cycles/repeat", SLOPE, 1, 1}, {"B/cycle", RATE, 1, 1},              {"B/s", BANDWIDTH, 1, 1},
    {"GB/s", BANDWIDTH, 1e9, 1},    {"TB/s", BANDWIDTH, 1e12, 1},         {"s", TIME, 1, 1},
    {"ms", TIME, 1, 1e3},           {"us", TIME, 1, 1e6},                 {"pJ", ENERGY, 1, 1},
    {"pJ/B", BYTE_ENERGY, 1, 1},
};
enum { UNITS = sizeof units / sizeof units[0] };

enum kind { CHARS, INT, SIZE, DOUBLE };

/* low and high are in the quantity's first unit; of a text, high is the size of its field. */
static const struct spec {
  const char *section, *name;
  enum quantity quantity;
  size_t offset;
  enum kind kind;
  double low, high;
} specs[] = {
#define FIELD(field) ((struct accel_params *)0)->field
#define AT(field) \
  offsetof(struct accel_params, field), _Generic(FIELD(field), char *: CHARS, int: INT, size_t: SIZE, double: DOUBLE)
    {"chip", "name", TEXT, AT(name), 1, sizeof FIELD(name)},
    {"chip", "description", TEXT, AT(description), 1, sizeof FIELD(description)},
    {"chip", "cores", CORES, AT(cores), 1, 1024},
    {"chip", "clock", CLOCK, AT(ghz), 0.001, 100},
    {"chip", "queue", INSTRUCTIONS, AT(queue), 1, 65536},
    {"buffers", "bytes.gm", BYTES, AT(bytes[ACCEL_GM]), 1 << 20, 1ull << 43},
    {"buffers", "bytes.l1", BYTES, AT(bytes[ACCEL_L1]), 1024, 1ull << 36},
    {"buffers", "bytes.l0a", BYTES, AT(bytes[ACCEL_L0A]), 1024, 1ull << 36},
    {"buffers", "bytes.l0b", BYTES, AT(bytes[ACCEL_L0B]), 1024, 1ull << 36},
    {"buffers", "bytes.l0c", BYTES, AT(bytes[ACCEL_L0C]), 1024, 1ull << 36},
    {"buffers", "bytes.ub", BYTES, AT(bytes[ACCEL_UB]), 1024, 1ull << 36},
    {"buffers", "align.gm", BYTES, AT(align[ACCEL_GM]), 1, 4096},
    {"buffers", "align.l1", BYTES, AT(align[ACCEL_L1]), 1, 4096},
    {"buffers", "align.l0a", BYTES, AT(align[ACCEL_L0A]), 1, 4096},
    {"buffers", "align.l0b", BYTES, AT(align[ACCEL_L0B]), 1, 4096},
    {"buffers", "align.l0c", BYTES, AT(align[ACCEL_L0C]), 1, 4096},
    {"buffers", "align.ub", BYTES, AT(align[ACCEL_UB]), 1, 4096},
    {"buffers", "banks.l1", BANKS, AT(l1_banks), 1, 4096},
    {"buffers", "banks.ub", BANKS, AT(ub_banks), 1, 4096},
    {"buffers", "banks.bytes", BYTES, AT(bank_bytes), 1, 4096},
    {"cube", "systolic", ARRAYS, AT(systolic), 0, 1},
    {"cube", "systolic.rows", CELLS, AT(systolic_rows), 0, 4096},
    {"cube", "systolic.columns", CELLS, AT(systolic_columns), 0, 4096},
    {"cube", "mad.startup", CYCLES, AT(mad_startup), 0, 1e6},
    {"cube", "mad.overhead", CYCLES, AT(mad_overhead), 0, 1e6},
    {"cube", "mad.f32_factor", TIMES, AT(mad_f32_factor), 1, 64},
    {"routes", "rate.gm_l1", RATE, AT(rate[ACCEL_GM_L1]), 0, 1e7},
    {"routes", "rate.gm_ub", RATE, AT(rate[ACCEL_GM_UB]), 0, 1e7},
    {"routes", "rate.ub_gm", RATE, AT(rate[ACCEL_UB_GM]), 0, 1e7},
    {"routes", "rate.l0c_gm", RATE, AT(rate[ACCEL_L0C_GM]), 0, 1e7},
    {"routes", "rate.l0c_l1", RATE, AT(rate[ACCEL_L0C_L1]), 0, 1e7},
    {"routes", "rate.l0c_ub", RATE, AT(rate[ACCEL_L0C_UB]), 0, 1e7},
    {"routes", "rate.l1_l0a", RATE, AT(rate[ACCEL_L1_L0A]), 0, 1e7},
    {"routes", "rate.l1_l0b", RATE, AT(rate[ACCEL_L1_L0B]), 0, 1e7},
    {"routes", "rate.l1_ub", RATE, AT(rate[ACCEL_L1_UB]), 0, 1e7},
    {"routes", "rate.ub_l1", RATE, AT(rate[ACCEL_UB_L1]), 0, 1e7},
    {"routes", "startup.gm_l1", CYCLES, AT(startup[ACCEL_GM_L1]), 0, 1e6},
    {"routes", "startup.gm_ub", CYCLES, AT(startup[ACCEL_GM_UB]), 0, 1e6},
    {"routes", "startup.ub_gm", CYCLES, AT(startup[ACCEL_UB_GM]), 0, 1e6},
    {"routes", "startup.l0c_gm", CYCLES, AT(startup[ACCEL_L0C_GM]), 0, 1e6},
    {"routes", "startup.l0c_l1", CYCLES, AT(startup[ACCEL_L0C_L1]), 0, 1e6},
    {"routes", "startup.l0c_ub", CYCLES, AT(startup[ACCEL_L0C_UB]), 0, 1e6},
    {"routes", "startup.l1_l0a", CYCLES, AT(startup[ACCEL_L1_L0A]), 0, 1e6},
    {"routes", "startup.l1_l0b", CYCLES, AT(startup[ACCEL_L1_L0B]), 0, 1e6},
    {"routes", "startup.l1_ub", CYCLES, AT(startup[ACCEL_L1_UB]), 0, 1e6},
    {"routes", "startup.ub_l1", CYCLES, AT(startup[ACCEL_UB_L1]), 0, 1e6},
    {"memory", "l2.rate", RATE, AT(l2_rate), 0.001, 1e9},
    {"memory", "l2.write_rate", RATE, AT(l2_write_rate), 0, 1e9},
    {"memory", "l2.bytes", BYTES, AT(l2_bytes), 0, 1ull << 40},
    {"memory", "hbm.rate", BANDWIDTH, AT(hbm_rate), 1e6, 1e18},
    {"memory", "launch", TIME, AT(launch_seconds), 0, 1},
    {"sync", "barrier", CYCLES, AT(barrier_cycles), 0, 1e6},
    {"sync", "flag", CYCLES, AT(flag_cycles), 0, 1e6},
    {"vector", "add.startup", CYCLES, AT(vector[ACCEL_COST_ADD].startup), 0, 1e6},
    {"vector", "add.slope", SLOPE, AT(vector[ACCEL_COST_ADD].slope), 0, 1e6},
    {"vector", "mul.startup", CYCLES, AT(vector[ACCEL_COST_MUL].startup), 0, 1e6},
    {"vector", "mul.slope", SLOPE, AT(vector[ACCEL_COST_MUL].slope), 0, 1e6},
    {"vector", "scalar.startup", CYCLES, AT(vector[ACCEL_COST_SCALAR].startup), 0, 1e6},
    {"vector", "scalar.slope", SLOPE, AT(vector[ACCEL_COST_SCALAR].slope), 0, 1e6},
    {"vector", "max.startup", CYCLES, AT(vector[ACCEL_COST_MAX].startup), 0, 1e6},
    {"vector", "max.slope", SLOPE, AT(vector[ACCEL_COST_MAX].slope), 0, 1e6},
    {"vector", "sqrt.startup", CYCLES, AT(vector[ACCEL_COST_SQRT].startup), 0, 1e6},
    {"vector", "sqrt.slope", SLOPE, AT(vector[ACCEL_COST_SQRT].slope), 0, 1e6},
    {"vector", "exp.startup", CYCLES, AT(vector[ACCEL_COST_EXP].startup), 0, 1e6},
    {"vector", "exp.slope", SLOPE, AT(vector[ACCEL_COST_EXP].slope), 0, 1e6},
    {"vector", "exp_f16.startup", CYCLES, AT(vector[ACCEL_COST_EXP_F16].startup), 0, 1e6},
    {"vector", "exp_f16.slope", SLOPE, AT(vector[ACCEL_COST_EXP_F16].slope), 0, 1e6},
    {"vector", "div.startup", CYCLES, AT(vector[ACCEL_COST_DIV].startup), 0, 1e6},
    {"vector", "div.slope", SLOPE, AT(vector[ACCEL_COST_DIV].slope), 0, 1e6},
    {"vector", "gmax.startup", CYCLES, AT(vector[ACCEL_COST_GMAX].startup), 0, 1e6},
    {"vector", "gmax.slope", SLOPE, AT(vector[ACCEL_COST_GMAX].slope), 0, 1e6},
    {"vector", "gadd.startup", CYCLES, AT(vector[ACCEL_COST_GADD].startup), 0, 1e6},
    {"vector", "gadd.slope", SLOPE, AT(vector[ACCEL_COST_GADD].slope), 0, 1e6},
    {"vector", "rmax.startup", CYCLES, AT(vector[ACCEL_COST_RMAX].startup), 0, 1e6},
    {"vector", "rmax.slope", SLOPE, AT(vector[ACCEL_COST_RMAX].slope), 0, 1e6},
    {"vector", "radd.startup", CYCLES, AT(vector[ACCEL_COST_RADD].startup), 0, 1e6},
    {"vector", "radd.slope", SLOPE, AT(vector[ACCEL_COST_RADD].slope), 0, 1e6},
    {"energy", "mac.f16", ENERGY, AT(mac_pj[0]), 0, 1e6},
    {"energy", "mac.bf16", ENERGY, AT(mac_pj[1]), 0, 1e6},
    {"energy", "mac.f32", ENERGY, AT(mac_pj[2]), 0, 1e6},
    {"energy", "mac.s8", ENERGY, AT(mac_pj[3]), 0, 1e6},
    {"energy", "byte.gm", BYTE_ENERGY, AT(byte_pj[ACCEL_GM]), 0, 1e6},
    {"energy", "byte.l1", BYTE_ENERGY, AT(byte_pj[ACCEL_L1]), 0, 1e6},
    {"energy", "byte.l0a", BYTE_ENERGY, AT(byte_pj[ACCEL_L0A]), 0, 1e6},
    {"energy", "byte.l0b", BYTE_ENERGY, AT(byte_pj[ACCEL_L0B]), 0, 1e6},
    {"energy", "byte.l0c", BYTE_ENERGY, AT(byte_pj[ACCEL_L0C]), 0, 1e6},
    {"energy", "byte.ub", BYTE_ENERGY, AT(byte_pj[ACCEL_UB]), 0, 1e6},
    {"energy", "byte.l2", BYTE_ENERGY, AT(l2_byte_pj), 0, 1e6},
    {"energy", "vector_op", ENERGY, AT(vector_op_pj), 0, 1e6},
    {"energy", "scalar_op", ENERGY, AT(scalar_op_pj), 0, 1e6},
#undef AT
#undef FIELD
};
enum { SPECS = sizeof specs / sizeof specs[0] };

struct parser {
  const char *file;
  int line, section; /* section: of specs[section], -1 before the first */
  struct accel_params *params;
  int seen[SPECS];   /* the line that set it, 0 */
  char *error;
  int error_size;
};

/* Always -1. What a file says may be anything: what is not printable becomes '?'. */
__attribute__((format(printf, 2, 3))) static int fail(struct parser *p, const char *format, ...) {
  if (p->error_size < 1) return -1;
  int n = snprintf(p->error, p->error_size, "%s:%d: ", p->file, p->line);
  va_list args;
  va_start(args, format);
  if (n >= 0 && n < p->error_size) vsnprintf(p->error + n, p->error_size - n, format, args);
  va_end(args);
  for (char *c = p->error; *c; c++)
    if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
  return -1;
}

static char *trim(char *text) {
  while (isspace((unsigned char)*text)) text++;
  size_t n = strlen(text);
  while (n && isspace((unsigned char)text[n - 1])) n--;
  text[n] = 0;
  return text;
}

static int smaller(int a, int b) { return a < b ? a : b; }

/* Characters to insert, drop or change from a to b; names longer than any of ours are far from all. */
static int distance(const char *a, const char *b) {
  int na = strlen(a), nb = strlen(b), row[64];
  if (na > 63 || nb > 63) return 64;
  for (int j = 0; j <= nb; j++) row[j] = j;
  for (int i = 1; i <= na; i++) {
    int diagonal = row[0];
    row[0] = i;
    for (int j = 1; j <= nb; j++) {
      int change = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = smaller(change, 1 + smaller(row[j], row[j - 1]));
    }
  }
  return row[nb];
}

static int nearest(const char *name) {
  int best = 0;
  for (int i = 1; i < SPECS; i++)
    if (distance(name, specs[i].name) < distance(name, specs[best].name)) best = i;
  return best;
}

static int find(const char *name) {
  for (int i = 0; i < SPECS; i++)
    if (strcmp(name, specs[i].name) == 0) return i;
  return -1;
}

static const char *unit_of(enum quantity quantity) {
  for (int i = 0; i < UNITS; i++)
    if (units[i].quantity == quantity) return units[i].name;
  return "text";
}

/* All units of a quantity, "B, KiB, MiB". */
static const char *units_of(enum quantity quantity, char *text, size_t size) {
  size_t n = 0;
  text[0] = 0;
  for (int i = 0; i < UNITS && n < size; i++)
    if (units[i].quantity == quantity) n += snprintf(text + n, size - n, "%s%s", n ? ", " : "", units[i].name);
  return text;
}

static double power_of_10(int n) {
  double p = 1;
  while (n-- > 0) p *= 10;
  return p;
}

/* [-]digits[.digits][e[+-]digits] and nothing behind; strtod would heed the caller's locale. At most 15 digits and 22
 * places: then one multiplication or division rounds once. */
static bool read_number(const char *text, double *value) {
  double digits = 0, sign = *text == '-' ? -1 : 1;
  int places = 0, count = 0, exponent = 0;
  text += *text == '-';
  for (bool point = false; isdigit((unsigned char)*text) || (*text == '.' && !point); text++) {
    if (*text == '.') {
      point = true;
      continue;
    }
    digits = digits * 10 + (*text - '0');
    places += point;
    if (++count > 15) return false;
  }
  if (*text == 'e' || *text == 'E') {
    bool minus = *++text == '-';
    text += *text == '-' || *text == '+';
    if (!isdigit((unsigned char)*text)) return false;
    for (; isdigit((unsigned char)*text) && exponent < 100; text++) exponent = exponent * 10 + (*text - '0');
    if (minus) exponent = -exponent;
  }
  exponent -= places;
  if (!count || *text || exponent < -22 || exponent > 22) return false;
  *value = sign * (exponent < 0 ? digits / power_of_10(-exponent) : digits * power_of_10(exponent));
  return true;
}

static void store(struct accel_params *params, const struct spec *spec, double value) {
  void *at = (char *)params + spec->offset;
  if (spec->kind == INT) *(int *)at = (int)value;
  else if (spec->kind == SIZE) *(size_t *)at = (size_t)value;
  else *(double *)at = value;
}

static int read_text(struct parser *p, const struct spec *spec, const char *value) {
  if (!*value) return fail(p, "%s has no value", spec->name);
  if (strlen(value) >= spec->high)
    return fail(p, "%s is %zu characters long; %d are the most", spec->name, strlen(value), (int)spec->high - 1);
  strcpy((char *)p->params + spec->offset, value);
  return 0;
}

static const struct unit *read_unit(struct parser *p, const struct spec *spec, const char *name) {
  char all[80];
  units_of(spec->quantity, all, sizeof all);
  const struct unit *unit = NULL;
  for (int i = 0; i < UNITS; i++)
    if (strcmp(units[i].name, name) == 0) unit = &units[i];
  if (unit && unit->quantity == spec->quantity) return unit;
  if (!*name) fail(p, "%s has no unit; write it behind the value: # %s; documented", spec->name, all);
  else if (!unit) fail(p, "unknown unit \"%.40s\" of %s; it is counted in %s", name, spec->name, all);
  else fail(p, "%s is counted in %s, not in %s", spec->name, all, name);
  return NULL;
}

static int check_origin(struct parser *p, const struct spec *spec, const char *origin, const char *unit) {
  size_t word = strcspn(origin, " ,:;");
  for (const char *const *o = (const char *const[]){"documented", "fitted", "assumed", NULL}; *o; o++)
    if (word == strlen(*o) && strncmp(origin, *o, word) == 0) return 0;
  return fail(p, "%s does not say where it is from; write \"# %s; documented\", or fitted, or assumed", spec->name,
              unit);
}

/* The comment carries the unit and where the number is from: "B/cycle; documented nominal". */
static int read_value(struct parser *p, const struct spec *spec, const char *text, char *comment) {
  double value;
  if (spec->kind == CHARS) return read_text(p, spec, text);
  if (!read_number(text, &value))
    return fail(p, "%s is \"%.40s\", which is not a number like 24, 1.85 or 1.6e12", spec->name, text);
  char *origin = strchr(comment, ';');
  if (origin) *origin++ = 0;
  const struct unit *unit = read_unit(p, spec, trim(comment));
  if (!unit || check_origin(p, spec, origin ? trim(origin) : "", unit->name) != 0) return -1;
  value = value * unit->times / unit->per;
  if (value < spec->low || value > spec->high)
    return fail(p, "%s is %.15g %s; it must be between %.15g and %.15g", spec->name, value, unit_of(spec->quantity),
                spec->low, spec->high);
  if (spec->kind != DOUBLE && value != (double)(int64_t)value)
    return fail(p, "%s is %.15g %s; it must be a whole number", spec->name, value, unit_of(spec->quantity));
  store(p->params, spec, value);
  return 0;
}

static int read_section(struct parser *p, char *text) {
  char *end = strchr(text, ']');
  if (!end || end[1 + strspn(end + 1, " \t\r")]) return fail(p, "\"%.40s\" is not a [section] and nothing more", text);
  *end = 0;
  for (int i = 0; i < SPECS; i++)
    if (strcmp(specs[i].section, text + 1) == 0) {
      p->section = i;
      return 0;
    }
  return fail(p, "unknown section [%.40s]; there are [chip], [buffers], [cube], [routes], [memory], [sync], [vector], "
              "[energy]", text + 1);
}

static int read_line(struct parser *p, char *text) {
  char *comment = text + strcspn(text, "#");
  if (*comment) *comment++ = 0;
  text = trim(text);
  if (!*text) return 0;
  if (*text == '[') return read_section(p, text);
  char *equals = strchr(text, '=');
  if (!equals) return fail(p, "\"%.40s\" is neither [section] nor name = value", text);
  *equals = 0;
  const char *name = trim(text);
  int i = find(name);
  if (i < 0) return fail(p, "unknown parameter \"%.40s\"; did you mean %s?", name, specs[nearest(name)].name);
  if (p->section < 0 || strcmp(specs[p->section].section, specs[i].section) != 0)
    return fail(p, "%s belongs in section [%s]", name, specs[i].section);
  if (p->seen[i]) return fail(p, "%s was set in line %d; keep one of the two", name, p->seen[i]);
  p->seen[i] = p->line;
  return read_value(p, &specs[i], trim(equals + 1), comment);
}

static int check_all_there(struct parser *p) {
  p->line += !p->line;
  for (int i = 0; i < SPECS; i++)
    if (!p->seen[i])
      return specs[i].kind == CHARS
                 ? fail(p, "%s is missing; add to [%s]: %s = ...", specs[i].name, specs[i].section, specs[i].name)
                 : fail(p, "%s is missing; add to [%s]: %s = ...  # %s; assumed", specs[i].name, specs[i].section,
                        specs[i].name, unit_of(specs[i].quantity));
  return 0;
}

/* Fails with the line that set `name`. */
__attribute__((format(printf, 3, 4))) static int fail_at(struct parser *p, const char *name, const char *format, ...) {
  char text[200];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  p->line = p->seen[find(name)];
  return fail(p, "%s %s", name, text);
}

static int check_together(struct parser *p) {
  const struct accel_params *a = p->params;
  char name[16];
  for (int b = 0; b < ACCEL_BUFFERS; b++) {
    snprintf(name, sizeof name, "align.%s", accel_buffer_names[b]);
    if (a->align[b] & (a->align[b] - 1)) return fail_at(p, name, "is %zu; it must be a power of two", a->align[b]);
    snprintf(name, sizeof name, "bytes.%s", accel_buffer_names[b]);
    if (a->bytes[b] % a->align[b])
      return fail_at(p, name, "is %zu; it must be a multiple of the alignment, %zu", a->bytes[b], a->align[b]);
  }
  if (a->bank_bytes & (a->bank_bytes - 1))
    return fail_at(p, "banks.bytes", "is %d; it must be a power of two", a->bank_bytes);
  if (a->systolic && (a->systolic_rows < 1 || a->systolic_columns < 1))
    return fail_at(p, a->systolic_rows < 1 ? "systolic.rows" : "systolic.columns", "is 0; it must be 1 at least");
  return 0;
}

int accel_params_parse(const char *text, const char *file, struct accel_params *params, char *error, int error_size) {
  struct accel_params read = {0};
  struct parser p = {.file = file, .section = -1, .params = &read, .error = error, .error_size = error_size};
  while (*text) {
    char line[512];
    size_t n = strcspn(text, "\n");
    p.line++;
    if (n >= sizeof line) return fail(&p, "the line is %zu characters long; %zu are the most", n, sizeof line - 1);
    memcpy(line, text, n);
    line[n] = 0;
    if (read_line(&p, line) != 0) return -1;
    text += n + (text[n] == '\n');
  }
  if (check_all_there(&p) != 0 || check_together(&p) != 0) return -1;
  *params = read;
  return 0;
}

#define FILE_MOST (1 << 20)

/* The file's text, for the caller to free; NULL after a message. */
static char *read_file(const char *path, char *error, int error_size) {
  FILE *file = fopen(path, "r");
  char *text = file ? malloc(FILE_MOST + 1) : NULL;
  size_t n = text ? fread(text, 1, FILE_MOST + 1, file) : 0;
  const char *why = !file || !text || ferror(file) ? strerror(errno) : NULL;
  if (file) fclose(file);
  if (!why && n > FILE_MOST) why = "more than 1 MiB is no parameter file";
  if (!why && memchr(text, 0, n)) why = "not a text file: it has a byte 0 in it";
  if (!why) {
    text[n] = 0;
    return text;
  }
  snprintf(error, error_size, "%s: %s", path, why);
  free(text);
  return NULL;
}

static int fail_unknown(const char *name, char *error, int error_size) {
  char chips[256] = "";
  size_t n = 0;
  for (const struct accel_file *file = accel_embedded_all(); file->name && n < sizeof chips; file++) {
    const char *dot = strstr(file->name, ".chip");
    if (dot) n += snprintf(chips + n, sizeof chips - n, "%s%.*s", n ? ", " : "", (int)(dot - file->name), file->name);
  }
  snprintf(error, error_size, "there is no chip \"%.40s\"; there are %s, and files whose path has a slash in it", name,
           chips);
  return -1;
}

int accel_params_load(const char *name, struct accel_params *params, char *error, int error_size) {
  if (strchr(name, '/')) {
    char *text = read_file(name, error, error_size);
    int status = text ? accel_params_parse(text, name, params, error, error_size) : -1;
    free(text);
    return status;
  }
  char file[64];
  snprintf(file, sizeof file, "%s.chip", name);
  const struct accel_file *chip = accel_embedded(file);
  return chip ? accel_params_parse(chip->text, file, params, error, error_size) : fail_unknown(name, error, error_size);
}
