/* tessera tune: everything that was measured, as JSON, and as a page by tune_report.py. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "preload.h"
#include "tune.h"

static const char command[] = "tessera tune";

static void print_string(FILE *f, const char *name, const char *text) {
  fprintf(f, "\"%s\": \"", name);
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') fputc('\\', f);
    if ((unsigned char)*text >= ' ') fputc(*text, f);
  }
  fputc('"', f);
}

/* JSON has no infinity: a number that is none, and a time that is not known, is null. */
static void print_number(FILE *f, const char *name, double x) {
  if (isfinite(x)) fprintf(f, "\"%s\": %.9g", name, x);
  else fprintf(f, "\"%s\": null", name);
}

static void print_values(FILE *f, const char *name, const struct tsr_field *fields, int n,
                         const struct tsr_values *values) {
  char text[TSR_VALUES_TEXT];
  tsr_values_print(fields, n, values, text);
  print_string(f, name, text);
}

static void print_plans(FILE *f, const struct tsr_operator *op, const struct tsr_session *s) {
  fputc('[', f);
  for (int i = 0; i < s->measured; i++) {
    const struct tsr_session_plan *p = &s->plans[i];
    fputs(i ? ",\n     {" : "\n     {", f);
    print_values(f, "plan", op->plan, op->nplan, &p->plan);
    fputs(", ", f);
    print_number(f, "seconds", p->seconds);
    fputs(", ", f);
    print_number(f, "predicted", p->predicted);
    fputs(", ", f);
    print_number(f, "corrected", p->corrected);
    fputc('}', f);
  }
  fputc(']', f);
}

static void print_session(FILE *f, const struct tsr_operator *op, const struct tuned *one) {
  const struct tsr_session *s = &one->session;
  const struct { const char *name; double value; } numbers[] = {
      {"before_seconds", s->default_seconds}, {"after_seconds", s->improved ? s->seconds : s->default_seconds},
      {"spread", s->spread}, {"ratio", s->ratio}, {"ratio_low", s->ratio_low}, {"ratio_high", s->ratio_high},
      {"candidates", s->candidates}, {"measured", s->measured}, {"runs", s->runs}, {"spent", s->spent}};
  fprintf(f, ",\n    \"improved\": %s, ", s->improved ? "true" : "false");
  print_string(f, "source", tsr_source_names[one->source]);
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    fputs(", ", f);
    print_number(f, numbers[i].name, numbers[i].value);
  }
  fputs(",\n    ", f);
  print_values(f, "before", op->plan, op->nplan, &s->default_plan);
  fputs(", ", f);
  print_values(f, "after", op->plan, op->nplan, s->improved ? &s->plan : &s->default_plan);
  fputs(",\n    \"plans\": ", f);
  print_plans(f, op, s);
}

static void print_comparison(FILE *f, const struct tsr_operator *op, const struct tuned *one) {
  fputs(",\n    \"comparison\": {", f);
  print_number(f, "best", one->best);
  for (int i = 0; i < CONTESTANTS; i++) {
    fputs(", ", f);
    print_number(f, contestant_names[i], one->seconds_of[i]);
  }
  if (one->few) {
    fprintf(f, ", \"few\": %d, ", one->few);
    print_number(f, "guided", one->guided);
    fputs(", ", f);
    print_number(f, "random", one->random);
  }
  fputs("},\n    \"all\": ", f);
  print_plans(f, op, &one->all);
}

static void print_shape(FILE *f, const struct tsr_operator *op, const struct tuned *one) {
  fputs("   {", f);
  print_values(f, "shape", op->shape, op->nshape, &one->shape);
  fputs(", ", f);
  print_number(f, "weight", one->weight);
  fputs(", ", f);
  print_number(f, "flops", one->flops);
  fputs(", ", f);
  print_string(f, "not_tuned", one->why_not);
  if (one->session.plans) print_session(f, op, one);
  if (one->best > 0) print_comparison(f, op, one);
  fputc('}', f);
}

static void print_head(FILE *f, const struct tune *t) {
  char machine[TSR_KEY_TEXT], kernels[TSR_KEY_TEXT], date[64];
  time_t now = time(NULL);
  struct tm parts;
  tsr_machine_key(t->context, machine);
  tsr_kernels_key(t->context, t->op, kernels);
  strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &parts));
  const char *head[][2] = {{"version", tsr_version()}, {"date", date}, {"operator", t->op->name},
                           {"machine", machine}, {"kernels", kernels},
                           {"costs", tsr_table_costs_source(tsr_table_of(t->context, t->op))}};
  for (size_t i = 0; i < sizeof head / sizeof head[0]; i++) {
    fputs(i ? ",\n  " : "  ", f);
    print_string(f, head[i][0], head[i][1]);
  }
  fprintf(f, ",\n  \"device\": %s, \"exhaustive\": %s, \"recorded\": %s,\n  \"shapes\": [\n",
          t->context->device ? "true" : "false", t->exhaustive ? "true" : "false",
          t->dry_run || t->exhaustive || t->unwritable ? "false" : "true");
}

static bool write_json(const struct tune *t, const char *path) {
  FILE *f = fopen(path, "we");
  if (f) {
    fputs("{\n", f);
    print_head(f, t);
    for (int i = 0; i < t->n; i++) {
      if (i) fputs(",\n", f);
      print_shape(f, t->op, &t->done[i]);
    }
    fputs("\n  ]\n}\n", f);
    bool wrote = !ferror(f);
    if (fclose(f) == 0 && wrote) return true;
  }
  fprintf(stderr, "%s: %s cannot be written: %s\n", command, path, strerror(errno));
  return false;
}

/* The script lies beside what is installed, or beside this program in the build folder; Python with matplotlib is
 * looked for where the benchmark looks for it. */
static const char *const places[] = {TESSERA_DATADIR_FROM_BINDIR "/tessera/tune_report.py", "tune_report.py"};

static bool make_page(const char *json, const char *html) {
  char script[PATH_MAX], python[PATH_MAX];
  const char *venv = getenv("TESSERA_BENCH_VENV");
  int status = -1;
  if (!find_beside(command, "tune_report.py", places, 2, script)) return false;
  snprintf(python, sizeof python, "%s/bin/python3", venv && *venv ? venv : "build/venv");
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    if (access(python, X_OK) == 0) execl(python, python, script, json, html, (char *)NULL);
    execlp("python3", "python3", script, json, html, (char *)NULL);
    _exit(127);
  }
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (pid > 0 && status == 0) return true;
  fprintf(stderr, "%s: no page was written to %s: it needs Python with matplotlib, the system's or the one in the "
                  "environment that TESSERA_BENCH_VENV names\n", command, html);
  return false;
}

/* Without a page, the JSON that it would be made of is kept: measuring took time. */
static bool write_page(const struct tune *t, const char *html) {
  char json[PATH_MAX];
  snprintf(json, sizeof json, "%.*s.json", PATH_MAX - 8, html);
  const char *from = t->json ? t->json : json;
  if (!t->json && !write_json(t, json)) return false;
  bool made = make_page(from, html);
  if (!made) fprintf(stderr, "%s: what was measured is in %s\n", command, from);
  if (made && !t->json) unlink(json);
  return made;
}

bool tune_write_reports(const struct tune *t) {
  bool written = !t->json || write_json(t, t->json);
  return t->html && written ? write_page(t, t->html) : written;
}
