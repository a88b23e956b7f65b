/* tessera accel run, trace, roofline: a program on a simulated chip, and what the run tells. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel.h"
#include "kernels/accel_sim/sim/machine.h"
#include "kernels/accel_sim/sim/params.h"
#include "kernels/accel_sim/sim/report.h"

/* A program that does not end should not take an afternoon to say so. */
#define CYCLE_LIMIT 1000000000

struct argument {
  uint64_t value;
  size_t gm; /* not 0: a new allocation of this size, whose address is the value */
};

/* What one of the commands was asked for. */
struct job {
  const struct command *command;
  const char *file, *chip, *trace, *html;
  int cores, nargs;
  struct argument arg[ACCEL_ARGS];
  struct accel_options options;
  struct accel_params params;
  struct accel_program program;
  struct accel_machine *machine;
};

static bool complain(const char *what, const char *value, const char *right) {
  fprintf(stderr, "tessera accel: %s \"%s\" is not %s\n", what, value, right);
  return false;
}

/* A whole number, decimal or 0x..., to the end of the text. */
static bool read_number(const char *text, uint64_t *value) {
  char *end;
  errno = 0;
  *value = *text == '-' ? (uint64_t)strtoll(text, &end, 0) : strtoull(text, &end, 0);
  return end != text && !*end && errno == 0;
}

/* Bytes: a number, then K, M or G for powers of 1024. */
static bool read_bytes(const char *text, size_t *bytes) {
  char *end;
  errno = 0;
  unsigned long long n = strtoull(text, &end, 0);
  int shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
  *bytes = (size_t)n << shift;
  return end != text && *text != '-' && errno == 0 && !end[shift > 0] && n > 0 && *bytes >> shift == n;
}

static bool add_argument(struct job *job, const char *text, bool gm) {
  if (job->nargs == ACCEL_ARGS) {
    fprintf(stderr, "tessera accel: a program takes %d arguments at most\n", ACCEL_ARGS);
    return false;
  }
  struct argument *arg = &job->arg[job->nargs++];
  if (gm) return read_bytes(text, &arg->gm) || complain("the size", text, "a number of bytes like 4096, 64K or 1G");
  return read_number(text, &arg->value) || complain("the argument", text, "a number or gm:BYTES");
}

static bool read_count(const char *what, const char *text, uint64_t most, uint64_t *value) {
  return (read_number(text, value) && *text != '-' && *value > 0 && *value <= most) ||
         complain(what, text, "a positive number that a chip could have");
}

static bool read_option(struct job *job, int option, const char *value) {
  uint64_t n = 0;
  switch (option) {
    case 'c': job->chip = value; return true;
    case 'n': return read_count("the number of cores", value, 1024, &n) && (job->cores = (int)n);
    case 'a': return strncmp(value, "gm:", 3) ? add_argument(job, value, false) : add_argument(job, value + 3, true);
    case 'g': return add_argument(job, value, true);
    case 'r': return job->options.races = true;
    case 's': return read_count("the seed", value, UINT64_MAX, &job->options.shuffle);
    case 't': job->trace = value; return true;
    case 'h': job->html = value; return true;
    case 'l': return read_count("the limit of cycles", value, UINT64_MAX, &job->options.cycle_limit);
    case 'd': return job->options.no_data = true;
    default: return false;
  }
}

/* 0, or the exit status after a message. */
static int read_command_line(struct job *job, int argc, char **argv) {
  static const struct option options[] = {
      {"chip", required_argument, 0, 'c'},  {"cores", required_argument, 0, 'n'},   {"arg", required_argument, 0, 'a'},
      {"gm", required_argument, 0, 'g'},    {"cycles", required_argument, 0, 'l'},  {"time-only", no_argument, 0, 'd'},
      {"races", no_argument, 0, 'r'},       {"shuffle", required_argument, 0, 's'}, {"html", required_argument, 0, 'h'},
      {"trace", required_argument, 0, 't'}, {"output", required_argument, 0, 't'},  {0}};
  for (int option; (option = getopt_long(argc, argv, "c:n:a:o:", options, NULL)) != -1;) {
    if (option == '?') return command_misused(job->command);
    if (!read_option(job, option == 'o' ? 't' : option, optarg)) return EXIT_USAGE;
  }
  if (argc - optind != 1) return command_misused(job->command);
  job->file = argv[optind];
  if (!job->options.shuffle || !(job->trace || job->html)) return 0;
  fprintf(stderr, "tessera accel: a shuffled run has no time, so neither a trace nor a page\n");
  return EXIT_USAGE;
}

/* The machine has the cores that run and no more, so that its statistics are theirs. */
static bool open_machine(struct job *job) {
  char error[400];
  if (accel_params_load(job->chip, &job->params, error, sizeof error) != 0) {
    fprintf(stderr, "tessera accel: %s\n", error);
    return false;
  }
  if (job->cores > job->params.cores) {
    fprintf(stderr, "tessera accel: chip %s has %d cores, not %d\n", job->chip, job->params.cores, job->cores);
    return false;
  }
  struct accel_params params = job->params;
  params.cores = job->cores;
  job->options.trace = job->trace != NULL;
  job->machine = accel_machine_create(&params, &job->options, error, sizeof error);
  if (!job->machine) fprintf(stderr, "tessera accel: %s\n", error);
  return job->machine != NULL;
}

static bool launch(struct job *job) {
  uint64_t words[ACCEL_ARGS];
  for (int i = 0; i < job->nargs; i++) {
    struct argument *arg = &job->arg[i];
    if (arg->gm && !(arg->value = accel_gm_alloc(job->machine, arg->gm))) {
      fprintf(stderr, "tessera accel: %zu bytes for argument %d are more than is left of the chip's %zu\n", arg->gm, i,
              job->params.bytes[ACCEL_GM]);
      return false;
    }
    words[i] = arg->value;
  }
  for (int core = 0; core < job->cores; core++)
    if (!accel_machine_launch(job->machine, core, &job->program, words, job->nargs, NULL, 0)) {
      fprintf(stderr, "tessera accel: core %d took no command: out of memory\n", core);
      return false;
    }
  return true;
}

static bool execute(struct job *job, int (*print)(FILE *, const struct accel_report *)) {
  struct accel_fault fault;
  if (!open_machine(job) || !launch(job)) return false;
  bool sound = accel_machine_run(job->machine, &fault) == 0;
  if (!sound) fprintf(stderr, "%s\n", fault.text);
  struct accel_outputs outputs = {job->file, job->trace, job->html, sound ? print : NULL};
  if (!job->options.shuffle) return accel_write_reports(&outputs, job->machine, &job->params, job->cores) && sound;
  if (sound) printf("%s: ended, shuffled with seed %" PRIu64 "\n", job->file, job->options.shuffle);
  return sound;
}

static int perform(const struct command *command, const char *trace, int (*print)(FILE *, const struct accel_report *),
                   int argc, char **argv) {
  struct job job = {.command = command, .chip = "910b", .cores = 1, .trace = trace, .options.cycle_limit = CYCLE_LIMIT};
  int status = read_command_line(&job, argc, argv);
  if (status) return status;
  if (!accel_open_program(job.file, &job.program)) return EXIT_FAILURE;
  status = execute(&job, print) ? 0 : EXIT_FAILURE;
  if (job.machine) accel_machine_destroy(job.machine);
  accel_program_free(&job.program);
  return status;
}

static int run(int argc, char **argv) { return perform(&accel_command_run, NULL, accel_report_text, argc, argv); }

static int trace(int argc, char **argv) { return perform(&accel_command_trace, "-", NULL, argc, argv); }

static int roofline(int argc, char **argv) {
  return perform(&accel_command_roofline, NULL, accel_report_roofline, argc, argv);
}

#define HOW "FILE [--chip NAME] [--cores N] [--arg NUMBER|gm:BYTES]... [--gm BYTES]... [--cycles LIMIT] [--time-only]"

const struct command accel_command_run = {
    "run", "accel run " HOW " [--races] [--shuffle SEED] [--trace OUT.json] [--html OUT.html]",
    "run a program on N cores of a chip and tell where the time went", run};
const struct command accel_command_trace = {"trace", "accel trace " HOW " [--output OUT.json]",
                                            "run it and write a trace for chrome://tracing or Perfetto", trace};
const struct command accel_command_roofline = {"roofline", "accel roofline " HOW " [--html OUT.html]",
                                               "run it and tell what bounds it", roofline};
