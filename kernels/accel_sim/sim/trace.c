#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/accel_sim/sim/report.h"

struct accel_locale accel_locale_begin(void) {
  struct accel_locale locale = {.c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0)};
  if (locale.c) locale.before = uselocale(locale.c);
  return locale;
}

void accel_locale_end(struct accel_locale locale) {
  if (!locale.c) return;
  uselocale(locale.before);
  freelocale(locale.c);
}

/* Overlong forms, surrogates and what lies beyond U+10FFFF are no characters. */
int accel_utf8(const char *text) {
  const unsigned char *c = (const unsigned char *)text;
  if (c[0] < 0x80) return 1;
  int n = c[0] >= 0xc2 && c[0] < 0xe0 ? 2 : (c[0] & 0xf0) == 0xe0 ? 3 : c[0] >= 0xf0 && c[0] < 0xf5 ? 4 : 0;
  for (int i = 1; i < n; i++)
    if ((c[i] & 0xc0) != 0x80) return 0;
  bool bad = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) || (c[0] == 0xf0 && c[1] < 0x90) ||
             (c[0] == 0xf4 && c[1] > 0x8f);
  return bad ? 0 : n;
}

static void write_string(FILE *file, const char *text) {
  putc('"', file);
  for (int n; *text; text += n ? n : 1) {
    n = accel_utf8(text);
    if (!n) fputs("\\ufffd", file);
    else if (*text == '"' || *text == '\\') fprintf(file, "\\%c", *text);
    else if ((unsigned char)*text < ' ' || *text == 127) fprintf(file, "\\u%04x", *text);
    else fwrite(text, 1, n, file);
  }
  putc('"', file);
}

static void write_name(FILE *file, const char *what, int core, int pipe, const char *name) {
  fprintf(file, "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%d,\"tid\":%d,\"args\":{\"name\":\"%s\"}},\n", what, core, pipe,
          name);
}

static void write_rows(FILE *file, int cores) {
  char name[24];
  for (int core = 0; core < cores; core++) {
    snprintf(name, sizeof name, "core %d", core);
    write_name(file, "process_name", core, 0, name);
    for (int pipe = 0; pipe < ACCEL_PIPES; pipe++) {
      write_name(file, "thread_name", core, pipe, accel_pipe_names[pipe]);
      fprintf(file, "{\"ph\":\"M\",\"name\":\"thread_sort_index\",\"pid\":%d,\"tid\":%d,", core, pipe);
      fprintf(file, "\"args\":{\"sort_index\":%d}},\n", pipe);
    }
  }
}

static double finite_or_0(double x) { return isfinite(x) ? x : 0; }

/* The file and line an event's instruction was written in; "" if the program does not say. */
static void place(const struct accel_event *event, char *text, size_t size) {
  const struct accel_program *program = event->program;
  const struct accel_line *line = program->lines ? &program->lines[event->index] : NULL;
  text[0] = 0;
  if (line && line->file >= 0 && line->file < program->nfiles)
    snprintf(text, size, "%s:%d", program->files[line->file], line->line);
}

static void write_event(FILE *file, const struct accel_event *event, double us_per_cycle) {
  const struct accel_program *program = event->program;
  char text[256] = "?", at[512] = "", name[300];
  bool known = program && event->index >= 0 && event->index < program->ncode;
  if (known) accel_disassemble(program, event->index, text, sizeof text);
  if (known) place(event, at, sizeof at);
  size_t word = strcspn(text, " ");
  if (event->stall) snprintf(name, sizeof name, "stall: %s", text);
  else snprintf(name, sizeof name, "%.*s", (int)word, text);
  double start = finite_or_0(event->start), cycles = finite_or_0(event->end) - start;
  fputs("{\"name\":", file);
  write_string(file, name);
  fprintf(file, ",\"cat\":\"%s\",\"ph\":\"X\",\"pid\":%d,\"tid\":%d,\"ts\":%.6f,\"dur\":%.6f,\"args\":{\"text\":",
          event->stall ? "stall" : "instruction", event->core, event->pipe, start * us_per_cycle,
          fmax(cycles, 0) * us_per_cycle);
  write_string(file, text);
  fputs(",\"at\":", file);
  write_string(file, at);
  fputs(",\"program\":", file);
  write_string(file, known && program->name ? program->name : "");
  fprintf(file, ",\"cycles\":%.15g}}", cycles);
}

int accel_trace_write(FILE *file, const struct accel_params *params, const struct accel_event *events, int64_t count) {
  struct accel_locale locale = accel_locale_begin();
  int cores = 0;
  for (int64_t i = 0; i < count; i++)
    if (events[i].core >= cores) cores = events[i].core + 1;
  fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"chip\":", file);
  write_string(file, params->name);
  fprintf(file, ",\"ghz\":%.15g},\"traceEvents\":[\n", params->ghz);
  write_rows(file, cores);
  for (int64_t i = 0; i < count; i++) {
    if (i) fputs(",\n", file);
    write_event(file, &events[i], 1 / (params->ghz * 1e3));
  }
  fputs("]}\n", file);
  accel_locale_end(locale);
  return fflush(file) != 0 || ferror(file) ? -1 : 0;
}
