/* tessera tune: what people see. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tune.h"

#define BAR 24

static bool on_terminal(void) { return isatty(STDERR_FILENO); }

static double gflops(const struct tuned *one, double seconds) { return seconds > 0 ? 1e-9 * one->flops / seconds : 0; }

double tune_gain(const struct tuned *one) {
  const struct tsr_session *s = &one->session;
  return s->improved && s->seconds > 0 ? 1 / s->ratio : 1;
}

/* "+12.3 % (9.8 .. 14.1)", "no change". A device's times are exact. One wild run can leave an end open. */
#define OPEN_END 0.5
static void print_gain(const struct tune *t, const struct tuned *one, char *text, size_t size) {
  const struct tsr_session *s = &one->session;
  if (!s->improved)
    snprintf(text, size, "no change");
  else if (t->context->device || !(s->ratio_low > 0))
    snprintf(text, size, "+%.1f %%", 100 / s->ratio - 100);
  else if (s->ratio_low < OPEN_END * s->ratio)
    snprintf(text, size, "+%.1f %% (%.1f ..)", 100 / s->ratio - 100, 100 / s->ratio_high - 100);
  else
    snprintf(text, size, "+%.1f %% (%.1f .. %.1f)", 100 / s->ratio - 100, 100 / s->ratio_high - 100,
             100 / s->ratio_low - 100);
}

/* --- progress ----------------------------------------------------------------------------------------------------- */

void tune_progress_clear(void) {
  if (on_terminal()) fputs("\r\033[K", stderr);
}

/* Ten times a second at most: writing takes time that a run may feel. */
void tune_progress_show(struct tune_progress *p, int runs, double best) {
  const struct tune *t = p->tune;
  char bar[BAR + 1], text[TSR_VALUES_TEXT], left[48] = "", so_far[80] = "";
  double now = tune_now();
  if (!on_terminal() || (runs > 0 && now - p->shown < 0.1)) return;
  p->shown = now;
  int full = p->index * BAR / t->shapes.n;
  for (int i = 0; i < BAR; i++) bar[i] = i < full ? '#' : '.';
  bar[BAR] = 0;
  if (t->budget > 0) snprintf(left, sizeof left, ", %.0f s left", fmax(0, t->budget - (now - p->start)));
  if (best > 0) snprintf(so_far, sizeof so_far, ", best %.4g GFLOP/s", gflops(p->now, best));
  tsr_values_print(t->op->shape, t->op->nshape, &p->now->shape, text);
  fprintf(stderr, "\r\033[K[%s] %d of %d%s: %.60s%s%s%s", bar, p->index + 1, t->shapes.n, left, text,
          p->doing && *p->doing ? ", " : "", p->doing ? p->doing : "", so_far);
  fflush(stderr);
}

void tune_progress_done(const struct tune_progress *p) {
  const struct tuned *one = p->now;
  char shape[TSR_VALUES_TEXT], gain[80];
  if (on_terminal()) return;
  tsr_values_print(p->tune->op->shape, p->tune->op->nshape, &one->shape, shape);
  print_gain(p->tune, one, gain, sizeof gain);
  if (one->why_not[0])
    fprintf(stderr, "%d of %d: %s: not tuned: %s\n", p->index + 1, p->tune->shapes.n, shape, one->why_not);
  else
    fprintf(stderr, "%d of %d: %s: %s\n", p->index + 1, p->tune->shapes.n, shape, gain);
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

/* A plan without the names of fields whose values are words: "packed threads=2 mc=192 ab". */
static void short_plan(const struct tsr_operator *op, const struct tsr_values *plan, char *text) {
  struct tsr_values one;
  char field[TSR_VALUES_TEXT];
  size_t used = 0;
  *text = 0;
  for (int i = 0; i < op->nplan; i++) {
    if (plan->at[i] == 0) continue;
    one = (struct tsr_values){{0}};
    one.at[i] = plan->at[i];
    tsr_values_print(op->plan, op->nplan, &one, field);
    const char *value = op->plan[i].words ? strchr(field, '=') + 1 : field;
    used += (size_t)snprintf(text + used, TSR_VALUES_TEXT - used, "%s%s", used ? " " : "", value);
    if (used >= TSR_VALUES_TEXT) return;
  }
}

static int shape_width(const struct tune *t) {
  char text[TSR_VALUES_TEXT];
  size_t most = 5;
  for (int i = 0; i < t->n; i++) {
    tsr_values_print(t->op->shape, t->op->nshape, &t->done[i].shape, text);
    if (strlen(text) > most) most = strlen(text);
  }
  return (int)most;
}

static void print_plans(const struct tune *t, const struct tuned *one) {
  const struct tsr_session *s = &one->session;
  char before[TSR_VALUES_TEXT], after[TSR_VALUES_TEXT];
  short_plan(t->op, &s->default_plan, before);
  short_plan(t->op, &s->plan, after);
  if (s->improved)
    printf("    %s -> %s\n", before, after);
  else
    printf("    %s\n", before);
}

void tune_print_table(const struct tune *t) {
  char shape[TSR_VALUES_TEXT], gain[80];
  int width = shape_width(t), tuned = 0, better = 0, plans = 0;
  double logarithms = 0;
  printf("%-*s  %10s %10s  %-24s %s\n", width, "shape", "before", "after", "gain (95 % interval)", "plans measured");
  for (int i = 0; i < t->n; i++) {
    const struct tuned *one = &t->done[i];
    const struct tsr_session *s = &one->session;
    tsr_values_print(t->op->shape, t->op->nshape, &one->shape, shape);
    if (one->why_not[0]) {
      printf("%-*s  not tuned: %s\n", width, shape, one->why_not);
      continue;
    }
    print_gain(t, one, gain, sizeof gain);
    printf("%-*s  %10.1f %10.1f  %-24s %d of %d\n", width, shape, gflops(one, s->default_seconds),
           gflops(one, s->improved ? s->seconds : s->default_seconds), gain, s->measured, s->candidates);
    print_plans(t, one);
    logarithms += log(tune_gain(one));
    tuned++, better += s->improved, plans += s->measured;
  }
  printf("before and after in GFLOP/s; shapes tuned: %d, faster than before: %d; plans measured: %d", tuned, better,
         plans);
  if (tuned) printf("; geometric mean: %+.1f %%", 100 * exp(logarithms / tuned) - 100);
  putchar('\n');
}
