/* tessera db: what tuning keeps from one process to the next. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "src/tune/database.h"

struct options {
  const char *operator_name, *shape, *file;
  bool all, all_machines;
};

static int failed(const char *what) {
  fprintf(stderr, "tessera db %s: %s\n", what, tsr_last_error());
  return EXIT_FAILURE;
}

static bool find(const char *what, char *path, size_t size) {
  if (tsr_database_path(path, size) == TSR_OK) return true;
  failed(what);
  return false;
}

/* Gives false if TESSERA_ISA is not understood. */
static bool find_machine(const char *what, tsr_context **context, char *machine) {
  if (tsr_context_get(NULL, context) != TSR_OK) return failed(what), false;
  tsr_machine_key(*context, machine);
  return true;
}

static void print_bad(void *arg, const char *sentence) {
  int *bad = arg;
  ++*bad;
  fprintf(stderr, "tessera db: skipped: %s\n", sentence);
}

/* list */

struct listing {
  int bad; /* first: print_bad counts here */
  int rows;
  const struct options *options;
  char machine[TSR_KEY_TEXT]; /* of the row before */
};

/* Room for "123.4 us". */
struct duration {
  char text[24];
};
static struct duration duration(double seconds) {
  struct duration d;
  if (seconds < 1e-3) snprintf(d.text, sizeof d.text, "%.4g us", 1e6 * seconds);
  else if (seconds < 1) snprintf(d.text, sizeof d.text, "%.4g ms", 1e3 * seconds);
  else snprintf(d.text, sizeof d.text, "%.4g s", seconds);
  return d;
}

static void print_row(void *arg, const struct tsr_row *row) {
  struct listing *l = arg;
  char day[32] = "";
  time_t when = (time_t)row->when;
  struct tm parts;
  if (l->options->operator_name && strcmp(l->options->operator_name, row->operator_name) != 0) return;
  if (strcmp(l->machine, row->machine) != 0) printf("%smachine %s\n", l->rows ? "\n" : "", row->machine);
  snprintf(l->machine, sizeof l->machine, "%s", row->machine);
  if (localtime_r(&when, &parts)) strftime(day, sizeof day, "%Y-%m-%d", &parts);
  printf("%-10s %s\n           %s\n           %s +- %.1f %%, by default %s (%.2f x), predicted %s; runs: %lld; %s\n",
         row->operator_name, row->shape, row->plan, duration(row->median).text, 50 * row->spread,
         duration(row->by_default).text, row->by_default / row->median, duration(row->predicted).text,
         (long long)row->measurements, day);
  l->rows++;
}

static int list(const struct options *options) {
  char path[4096], machine[TSR_KEY_TEXT];
  struct listing l = {.options = options};
  tsr_context *context;
  if (!find("list", path, sizeof path) || !find_machine("list", &context, machine)) return EXIT_FAILURE;
  struct tsr_visitor visitor = {.row = print_row, .bad = print_bad};
  if (tsr_database_read(path, options->all_machines ? NULL : machine, &visitor, &l) != TSR_OK) return failed("list");
  if (l.rows == 0) printf("%s has no rows%s\n", path, options->all_machines ? "" : " for this machine");
  return 0;
}

/* export */

struct export {
  int bad;
  FILE *to;
};

static void export_row(void *arg, const struct tsr_row *row) {
  struct export *e = arg;
  char line[TSR_ROW_TEXT];
  if (tsr_row_print(row, line)) fprintf(e->to, "%s\n", line);
}

static int export(const struct options *options) {
  char path[4096];
  bool named = options->file && strcmp(options->file, "-") != 0;
  if (!find("export", path, sizeof path)) return EXIT_FAILURE;
  struct export e = {.to = named ? fopen(options->file, "w") : stdout};
  if (!e.to) return fprintf(stderr, "tessera db export: %s: %s\n", options->file, strerror(errno)), EXIT_FAILURE;
  fputs("# operator | machine | kernels | shape | plan | default plan | what was measured\n", e.to);
  tsr_status status = tsr_database_read(path, NULL, &(struct tsr_visitor){.row = export_row, .bad = print_bad}, &e);
  bool wrote = fflush(e.to) == 0 && !ferror(e.to);
  if (named) wrote &= fclose(e.to) == 0;
  if (status != TSR_OK) return failed("export");
  if (!wrote) fprintf(stderr, "tessera db export: the rows could not all be written\n");
  return wrote ? 0 : EXIT_FAILURE;
}

/* import */

enum { AT_ONCE = 512 };
struct import {
  char path[4096];
  struct tsr_row row[AT_ONCE];
  char store[AT_ONCE][TSR_ROW_TEXT];
  int64_t n, rows, skipped;
};

static bool flush_rows(struct import *i) {
  struct tsr_batch batch = {.rows = i->row, .nrows = i->n, .merge = true};
  tsr_status status = tsr_database_write(i->path, &batch, NULL);
  if (status == TSR_OK) i->rows += i->n;
  i->n = 0;
  return status == TSR_OK;
}

static bool import_line(struct import *i, const char *line, int number) {
  char why[TSR_WHY_TEXT];
  const char *start = line + strspn(line, " \t\r\n");
  if (!*start || *start == '#') return true;
  if (tsr_row_parse(start, i->store[i->n], &i->row[i->n], why)) return ++i->n < AT_ONCE || flush_rows(i);
  fprintf(stderr, "tessera db import: line %d: %s\n", number, why);
  i->skipped++;
  return true;
}

static bool import_lines(struct import *i, FILE *from) {
  char line[TSR_ROW_TEXT + 2];
  bool whole = true; /* whether the last line was */
  for (int number = 0; fgets(line, sizeof line, from);) {
    bool begins = whole;
    whole = strchr(line, '\n') != NULL;
    if (begins && !import_line(i, line, ++number)) return false;
  }
  return i->n == 0 || flush_rows(i);
}

static int import(const struct options *options) {
  static struct import i;
  if (!find("import", i.path, sizeof i.path)) return EXIT_FAILURE;
  bool named = strcmp(options->file, "-") != 0;
  FILE *from = named ? fopen(options->file, "r") : stdin;
  if (!from) return fprintf(stderr, "tessera db import: %s: %s\n", options->file, strerror(errno)), EXIT_FAILURE;
  bool done = import_lines(&i, from), readable = !ferror(from);
  if (named) fclose(from);
  if (!done) return failed("import");
  if (!readable) return fprintf(stderr, "tessera db import: %s cannot be read\n", options->file), EXIT_FAILURE;
  printf("%s: rows merged: %lld, lines skipped: %lld\n", i.path, (long long)i.rows, (long long)i.skipped);
  return i.rows == 0 && i.skipped > 0 ? EXIT_FAILURE : 0;
}

/* drop */

static int drop(const struct options *options) {
  char path[4096], machine[TSR_KEY_TEXT];
  int64_t dropped;
  tsr_context *context;
  if (!find("drop", path, sizeof path) || !find_machine("drop", &context, machine)) return EXIT_FAILURE;
  bool everywhere = options->all || options->all_machines;
  if (tsr_database_drop(path, options->operator_name, everywhere ? NULL : machine, options->shape, &dropped) != TSR_OK)
    return failed("drop");
  printf("%s: rows dropped: %lld\n", path, (long long)dropped);
  return 0;
}

/* check */

struct checking {
  int bad;
  int rows, samples, costs, others, outdated;
  const tsr_context *context;
  char machine[TSR_KEY_TEXT];
};

static void tell(void *arg, const char *sentence) {
  struct checking *c = arg;
  c->bad++;
  printf("bad: %s\n", sentence);
}

static bool is_legal(const struct checking *c, const struct tsr_operator *op, const struct tsr_row *row, char *why) {
  struct tsr_values shape, plan, fallback;
  return tsr_values_parse(op->shape, op->nshape, row->shape, &shape, why) &&
         tsr_values_parse(op->plan, op->nplan, row->plan, &plan, why) &&
         tsr_values_parse(op->plan, op->nplan, row->default_plan, &fallback, why) &&
         op->check(c->context, &shape, &plan, why);
}

static void check_row(void *arg, const struct tsr_row *row) {
  struct checking *c = arg;
  char why[TSR_WHY_TEXT], sentence[TSR_WHY_TEXT + TSR_VALUES_TEXT + 80], kernels[TSR_KEY_TEXT];
  c->rows++;
  const struct tsr_operator *op = tsr_operator_of(c->context, row->operator_name);
  if (strcmp(row->machine, c->machine) != 0) {
    c->others++;
  } else if (!op) {
    snprintf(sentence, sizeof sentence, "there is no operator \"%s\"", row->operator_name);
    tell(c, sentence);
  } else if (!is_legal(c, op, row, why)) {
    snprintf(sentence, sizeof sentence, "%s row of shape \"%s\": %s", op->name, row->shape, why);
    tell(c, sentence);
  } else {
    tsr_kernels_key(c->context, op, kernels);
    c->outdated += strcmp(kernels, row->kernels) != 0;
  }
}

static void check_sample(void *arg, const struct tsr_sample *sample) {
  (void)sample;
  ((struct checking *)arg)->samples++;
}

static void check_costs(void *arg, const char *machine, const char *text, int64_t when) {
  (void)machine, (void)text, (void)when;
  ((struct checking *)arg)->costs++;
}

static int check(const struct options *options) {
  static const struct tsr_visitor visitor = {check_row, check_sample, check_costs, tell};
  char path[4096];
  struct checking c = {0};
  tsr_context *context;
  if (options->file) snprintf(path, sizeof path, "%s", options->file);
  else if (!find("check", path, sizeof path)) return EXIT_FAILURE;
  if (!find_machine("check", &context, c.machine)) return EXIT_FAILURE;
  c.context = context;
  if (tsr_database_check(path, &visitor, &c) != TSR_OK) return failed("check");
  printf("%s: rows: %d, of other machines: %d, of other kernels: %d; samples: %d; calibrations: %d; bad: %d\n", path,
         c.rows, c.others, c.outdated, c.samples, c.costs, c.bad);
  return c.bad ? EXIT_FAILURE : 0;
}

/* The verbs: which options each takes, and how many files. */
static const struct verb {
  const char *name, *options;
  int least_files, most_files;
  int (*run)(const struct options *options);
} verbs[] = {{"list", "om", 0, 0, list}, {"export", "", 0, 1, export}, {"import", "", 1, 1, import},
             {"drop", "omsa", 0, 0, drop}, {"check", "", 0, 1, check}};

static bool parse(int argc, char **argv, const struct verb *verb, struct options *options) {
  static const struct option names[] = {{"operator", required_argument, 0, 'o'}, {"all-machines", no_argument, 0, 'm'},
                                        {"shape", required_argument, 0, 's'}, {"all", no_argument, 0, 'a'}, {0}};
  for (int option; (option = getopt_long(argc, argv, "o:ms:a", names, NULL)) != -1;) {
    if (!strchr(verb->options, option)) return false;
    if (option == 'o') options->operator_name = optarg;
    if (option == 's') options->shape = optarg;
    options->all |= option == 'a';
    options->all_machines |= option == 'm';
  }
  int files = argc - optind;
  if (files > 0) options->file = argv[optind];
  return files >= verb->least_files && files <= verb->most_files;
}

/* What to drop must be said, and said once. */
static bool says_what_to_drop(const struct options *o) {
  return o->all ? !o->operator_name && !o->shape && !o->all_machines : o->operator_name || o->shape;
}

static int db(int argc, char **argv) {
  struct options options = {0};
  const struct verb *verb = NULL;
  for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof verbs[0]; i++)
    if (strcmp(argv[1], verbs[i].name) == 0) verb = &verbs[i];
  if (!verb || !parse(argc - 1, argv + 1, verb, &options) || (verb->run == drop && !says_what_to_drop(&options)))
    return command_misused(&command_db);
  return verb->run(&options);
}

const struct command command_db = {
    "db",
    "db list [--operator NAME] [--all-machines] | export [FILE] | import FILE | drop (--all | [--operator NAME] "
    "[--shape SHAPE] [--all-machines]) | check [FILE]",
    "show, move, empty or check what tuning has found on this machine", db};
