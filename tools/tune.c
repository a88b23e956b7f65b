/* tessera tune: finds the fastest plans of shapes on this machine and records them. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attention.h"
#include "command.h"
#include "src/core/threads.h"
#include "tune.h"

static const char command[] = "tessera tune";

enum option_code {
  SHAPES = 256, SHAPE, TRACE, MODEL, TYPE, THREADS, BUDGET, MEASUREMENTS, DEVICE, DRY_RUN, EXHAUSTIVE, JSON, HTML,
  CALIBRATE, WATCH
};

static const struct option options[] = {
    {"shapes", required_argument, NULL, SHAPES},       {"shape", required_argument, NULL, SHAPE},
    {"from-trace", required_argument, NULL, TRACE},    {"model", required_argument, NULL, MODEL},
    {"type", required_argument, NULL, TYPE},           {"threads", required_argument, NULL, THREADS},
    {"budget", required_argument, NULL, BUDGET},       {"measurements", required_argument, NULL, MEASUREMENTS},
    {"device", required_argument, NULL, DEVICE},       {"dry-run", no_argument, NULL, DRY_RUN},
    {"exhaustive", no_argument, NULL, EXHAUSTIVE},     {"json", required_argument, NULL, JSON},
    {"html", required_argument, NULL, HTML},           {"calibrate", no_argument, NULL, CALIBRATE},
    {"watch", no_argument, NULL, WATCH},               {0}};

/* A source of shapes; they are read once the context is known. */
struct source {
  int option;
  const char *value;
};

struct request {
  struct source *source;
  int sources, threads;
  const char *operator_name, *type, *device;
  bool calibrate, watch;
};

/* --- the command line --------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static bool wrong(const char *format, ...);
static bool wrong(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%s: ", command);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  return false;
}

static bool read_count(const char *name, const char *text, int most, int *count) {
  char *end;
  errno = 0;
  long value = strtol(text, &end, 10);
  *count = (int)value;
  return (end != text && !*end && !errno && value >= 1 && value <= most) ||
         wrong("--%s is \"%s\": it must be a number from 1 to %d", name, text, most);
}

/* "90", "90s", "1.5m" */
static bool read_budget(const char *text, double *seconds) {
  static const char units[] = "smh";
  static const double of_unit[] = {1, 60, 3600};
  char *end;
  *seconds = strtod(text, &end);
  const char *unit = *end && !end[1] ? strchr(units, *end) : NULL;
  if (unit) *seconds *= of_unit[unit - units];
  return (end != text && (!*end || unit) && isfinite(*seconds) && *seconds > 0) ||
         wrong("--budget is \"%s\": it must be seconds, such as 60, 60s or 2m", text);
}

static bool read_option(struct tune *t, struct request *r, int option, const char *value) {
  switch (option) {
    case SHAPES: case SHAPE: case TRACE: case MODEL: r->source[r->sources++] = (struct source){option, value}; break;
    case TYPE: r->type = value; break;
    case THREADS: return read_count("threads", value, TSR_MAX_THREADS, &r->threads);
    case BUDGET: return read_budget(value, &t->budget);
    case MEASUREMENTS: return read_count("measurements", value, 1000, &t->measurements);
    case DEVICE: r->device = value; break;
    case DRY_RUN: t->dry_run = true; break;
    case EXHAUSTIVE: t->exhaustive = true; break;
    case JSON: t->json = value; break;
    case HTML: t->html = value; break;
    case CALIBRATE: r->calibrate = true; break;
    case WATCH: r->watch = true; break;
    default: command_misused(&command_tune); return false;
  }
  return true;
}

static bool has_model(const struct request *r) {
  for (int i = 0; i < r->sources; i++)
    if (r->source[i].option == MODEL) return true;
  return false;
}

static bool check_operator(const struct request *r) {
  if (strcmp(r->operator_name, "gemm") == 0) return true;
  const char *name = r->operator_name;
  if (strcmp(name, "attention") != 0 && strcmp(name, "conv") != 0)
    return wrong("there is no operator \"%s\": use gemm, attention or conv", name);
  if (r->device) return wrong("%s is tuned on the CPU only: a device's blocks follow from its parameters", name);
  if (r->type) return wrong("--type is for gemm: shapes of %s name their types", name);
  return !has_model(r) || wrong("--model is for gemm: give shapes of %s by --shapes or --shape", name);
}

static bool check_request(const struct request *r, int others) {
  if (!check_operator(r)) return false;
  if (r->watch && !others) return wrong("--watch needs a program: tessera tune --watch -- program argument ...");
  if (!r->watch && others) return wrong("arguments that are no options: only --watch takes a program");
  if (r->watch && r->device) return wrong("--watch is for programs on the CPU: leave --device away");
  if (r->threads && r->device) return wrong("--threads is for the CPU: a device uses all of its cores");
  if (r->calibrate && r->device) return wrong("--calibrate is for the CPU: a device's model has its own parameters");
  if (r->calibrate && (r->sources || r->watch)) return wrong("--calibrate takes no shapes: tune them by another call");
  if (!r->calibrate && !r->sources && !r->watch)
    return wrong("there are no shapes: use --shapes, --shape, --from-trace, --model or --watch");
  return true;
}

/* --- from the request to shapes ----------------------------------------------------------------------------------- */

static bool read_types(const struct request *r, int types[3]) {
  static const struct { const char *name; int type[2]; bool on_device; } known[] = {
      {"f32", {TSR_F32}, false}, {"f64", {TSR_F64}, false}, {"both", {TSR_F32, TSR_F64}, false},
      {"c32", {TSR_C32}, false}, {"c64", {TSR_C64}, false},
      {"f16", {TSR_F16}, true},  {"bf16", {TSR_BF16}, true}, {"s8", {TSR_S8}, true}};
  const char *wanted = r->type ? r->type : r->device ? "f16" : "f32";
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strcmp(known[i].name, wanted) == 0 && known[i].on_device == (r->device != NULL)) {
      types[0] = known[i].type[0], types[1] = known[i].type[1], types[2] = 0;
      return true;
    }
  return wrong("--type is \"%s\": use %s", wanted, r->device ? "f16, bf16 or s8 on a device" : "f32, f64, both, c32 or c64");
}

static bool open_context(const struct request *r, struct tune *t) {
  if (r->device && !strchr(r->device, ':')) return wrong("\"%s\" is no device: use a name like accel:910b", r->device);
  tsr_status status = r->device ? tsr_context_create(r->device, &t->context) : tsr_context_get(NULL, &t->context);
  if (status == TSR_OK && r->threads) status = tsr_set_num_threads(NULL, r->threads);
  if (status != TSR_OK) return wrong("%s", tsr_last_error());
  t->op = tsr_operator_of(t->context, r->operator_name);
  return true;
}

static bool read_trace(struct shapes *s, const char *path) {
  struct shapes_traced traced = {0};
  if (!shapes_add_trace(s, command, path, &traced)) return false;
  fprintf(stderr, "%s: %s: calls: %ld, other lines: %ld\n", command, path, traced.calls, traced.others);
  return true;
}

static bool read_source(struct shapes *s, const struct source *source) {
  char why[TSR_WHY_TEXT];
  switch (source->option) {
    case SHAPES: return shapes_add_file(s, command, source->value);
    case TRACE: return read_trace(s, source->value);
    case MODEL: return shapes_add_model(s, command, source->value);
    default: return shapes_add_text(s, source->value, 0, why) || wrong("--shape: %s", why);
  }
}

static bool read_sources(struct tune *t, const struct request *r) {
  t->shapes = (struct shapes){.context = t->context, .op = t->op};
  if (!read_types(r, t->shapes.types)) return false;
  for (int i = 0; i < r->sources; i++)
    if (!read_source(&t->shapes, &r->source[i])) return false;
  return true;
}

/* --- tuning ------------------------------------------------------------------------------------------------------- */

static int tune_shapes(struct tune *t) {
  if (t->shapes.n == 0) return wrong("no shape was found: there is nothing to tune"), EXIT_FAILURE;
  shapes_sort(&t->shapes);
  tune_catch_signals();
  if (!tune_run(t)) return wrong("there is no memory to go on"), EXIT_FAILURE;
  tune_print_table(t);
  if (t->exhaustive) tune_print_comparison(t);
  bool done = tune_write_reports(t) && !t->unwritable;
  return tune_interrupted() ? 128 + tune_interrupted() : done ? 0 : EXIT_FAILURE;
}

static void finish(struct tune *t, const struct request *r) {
  for (int i = 0; i < t->n; i++) {
    tsr_session_free(&t->done[i].session);
    tsr_session_free(&t->done[i].all);
  }
  free(t->done);
  shapes_free(&t->shapes);
  if (r->device) tsr_context_destroy(t->context);
}

/* The program's status is the command's, unless it is 0. */
static int run(struct tune *t, const struct request *r, char **program) {
  if (!open_context(r, t)) return EXIT_USAGE;
  if (r->calibrate) return tune_calibrate(t->context, t->dry_run);
  if (!read_sources(t, r)) return EXIT_USAGE;
  int ended = r->watch ? tune_watch(&t->shapes, program) : 0;
  if (ended < 0) return EXIT_FAILURE;
  int status = tune_shapes(t);
  return ended ? ended : status;
}

static bool asks_for_models(const struct request *r) {
  for (int i = 0; i < r->sources; i++)
    if (r->source[i].option == MODEL && strcmp(r->source[i].value, "list") == 0) return true;
  return false;
}

static int tune_with(struct tune *t, struct request *r, int argc, char **argv) {
  r->operator_name = "gemm";
  if (argc > 1 && argv[1][0] != '-') r->operator_name = argv[1], argc--, argv++;
  for (int option; (option = getopt_long(argc, argv, "+", options, NULL)) != -1;)
    if (!read_option(t, r, option, optarg)) return EXIT_USAGE;
  if (asks_for_models(r)) return shapes_print_models(), 0;
  if (!check_request(r, argc - optind)) return EXIT_USAGE;
  int status = run(t, r, argv + optind);
  finish(t, r);
  return status;
}

static int tune(int argc, char **argv) {
  struct tune t = {0};
  struct request r = {.source = calloc((size_t)argc + 1, sizeof *r.source)};
  if (!r.source) return EXIT_FAILURE;
  int status = tune_with(&t, &r, argc, argv);
  free(r.source);
  return status;
}

const struct command command_tune = {
    "tune",
    "tune gemm|attention|conv [--shapes FILE] [--shape \"M N K [N|T N|T]\"] [--from-trace LOG] [--model NAME[:BATCH]|list] "
    "[--type TYPE] [--threads N] [--device NAME] [--budget SECONDS] [--measurements N] [--dry-run] [--exhaustive] "
    "[--json FILE] [--html FILE] | [...] --watch -- program ... | --calibrate [--dry-run]",
    "find the fastest plans for shapes on this machine and record them", tune};
