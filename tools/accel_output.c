/* What a run on a simulated chip tells, into the files that a command names. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "accel.h"

/* A file to write, "-" for standard output; NULL after a message. */
static FILE *open_output(const char *path) {
  FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
  if (!file) fprintf(stderr, "tessera accel: %s: %s\n", path, strerror(errno));
  return file;
}

/* Whether all that was written before and now arrived. */
static bool close_output(FILE *file, const char *path, int status) {
  int error = errno;
  if (file != stdout && fclose(file) != 0) status = -1, error = errno;
  if (status != 0) fprintf(stderr, "tessera accel: %s: %s\n", path, strerror(error));
  return status == 0;
}

static bool write_trace(const char *path, const struct accel_machine *machine, const struct accel_params *params) {
  FILE *file = open_output(path);
  if (!file) return false;
  int64_t count;
  const struct accel_event *events = accel_machine_events(machine, &count);
  return close_output(file, path, accel_trace_write(file, params, events, count));
}

static bool write_page(const char *path, const struct accel_report *report) {
  FILE *file = open_output(path);
  return file && close_output(file, path, accel_report_html(file, report));
}

bool accel_write_reports(const struct accel_outputs *to, const struct accel_machine *machine,
                         const struct accel_params *params, int cores) {
  struct accel_stats stats;
  accel_machine_stats(machine, &stats);
  struct accel_report report = {to->title, params, &stats, cores};
  bool traced = !to->trace || write_trace(to->trace, machine, params);
  bool drawn = !to->html || write_page(to->html, &report);
  bool printed = !to->print || close_output(stdout, "standard output", to->print(stdout, &report));
  return traced && drawn && printed;
}
