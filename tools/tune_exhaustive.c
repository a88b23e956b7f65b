/* tessera tune --exhaustive: how near rule, model, learning and tuning come to the best plan of the pruned space. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/tune/choose.h"
#include "src/tune/learn.h"
#include "tune.h"

const char *const contestant_names[] = {"rule of thumb", "model, first call", "model",
                                        "model taught by others", "before tuning", "tuned"};

/* What the sessions of all shapes but one measured. NULL: nothing, or no memory. */
static struct tsr_learned *learn_from_others(const struct tune *t, int but) {
  int n = 0;
  for (int i = 0; i < t->n; i++) n += t->done[i].session.measured;
  struct tsr_lesson *lessons = calloc((size_t)n + 1, sizeof *lessons);
  if (!lessons) return NULL;
  n = 0;
  for (int i = 0; i < t->n; i++) {
    const struct tsr_session *s = &t->done[i].session;
    for (int j = 0; i != but && s->plans && j < s->measured; j++, n++) {
      lessons[n] = (struct tsr_lesson){.class = t->op->class_of(&s->plans[j].plan), .measured = s->plans[j].seconds,
                                       .predicted = s->plans[j].predicted};
      t->op->place(&s->shape, lessons[n].where);
    }
  }
  struct tsr_learned *learned = n ? tsr_learn(lessons, n) : NULL;
  free(lessons);
  return learned;
}

static void choose_all(const struct tune *t, int i) {
  struct tuned *one = &t->done[i];
  struct tsr_learned *learned = learn_from_others(t, i);
  one->plan_of[BY_RULE] = (struct tsr_values){{0}};
  t->op->complete(t->context, &one->shape, &one->plan_of[BY_RULE]);
  const struct tsr_costs *costs = tsr_table_costs(tsr_table_of(t->context, t->op));
  tsr_choose_by_model(t->op, t->context, costs, NULL, true, &one->shape, &one->plan_of[BY_FIRST]);
  tsr_choose_by_model(t->op, t->context, costs, NULL, false, &one->shape, &one->plan_of[BY_MODEL]);
  tsr_choose_by_model(t->op, t->context, costs, learned, false, &one->shape, &one->plan_of[BY_TAUGHT]);
  one->plan_of[BY_CHOICE] = one->session.default_plan;
  one->plan_of[BY_TUNING] = one->session.improved ? one->session.plan : one->session.default_plan;
  tsr_learned_free(learned);
}

/* --- the contest: fresh runs in turns. Every other turn says which plan is best, the rest how much better it is, since
 * the least of many noisy times flatters. */
enum { BEST_FEW = 4, LEAST_TURNS = 9, TURNS = 31, MOST_PLANS = BEST_FEW + CONTESTANTS };
#define CONTEST_SECONDS 0.5

struct contest {
  struct tsr_values plan[MOST_PLANS];
  double seconds[2][MOST_PLANS][TURNS], median[2][MOST_PLANS];
  int n;
};

static int enter(struct contest *c, const struct tsr_values *plan) {
  int i = 0;
  while (i < c->n && memcmp(&c->plan[i], plan, sizeof *plan) != 0) i++;
  c->plan[i] = *plan;
  if (i == c->n) c->n++;
  return i;
}

static int compare(const void *x, const void *y) {
  double a = *(const double *)x, b = *(const double *)y;
  return (a > b) - (a < b);
}

static double median(double *values, int n) {
  qsort(values, (size_t)n, sizeof *values, compare);
  return values[n / 2];
}

/* Of each plan, relative to what the plans of a turn have in common: the machine's speed drifts from turn to turn. */
static void take_medians(struct contest *c, int half, int turns) {
  double common[TURNS], of_turn[MOST_PLANS];
  for (int turn = 0; turn < turns; turn++) {
    for (int i = 0; i < c->n; i++) of_turn[i] = c->seconds[half][i][turn];
    common[turn] = median(of_turn, c->n);
    for (int i = 0; i < c->n; i++) c->seconds[half][i][turn] /= common[turn];
  }
  double usual = median(common, turns);
  for (int i = 0; i < c->n; i++) c->median[half][i] = usual * median(c->seconds[half][i], turns);
}

static void run_contest(const struct tune *t, struct contest *c, void *bench) {
  double start = tune_now();
  int turn = 0;
  for (; turn < 2 * TURNS; turn++) {
    if (turn >= 2 * LEAST_TURNS && tune_now() - start > CONTEST_SECONDS) break;
    if (turn == 2 && t->context->device) break; /* runs take the same time always */
    for (int i = 0; i < c->n; i++) {
      int which = (i + turn) % c->n;
      double seconds = t->op->bench_run(bench, &c->plan[which]);
      c->seconds[turn % 2][which][turn / 2] = seconds > 0 ? seconds : HUGE_VAL;
    }
  }
  for (int half = 0; half < 2; half++) take_medians(c, half, turn / 2);
}

static void hold_contest(const struct tune *t, struct tuned *one) {
  struct contest c = {.n = 0};
  int place[CONTESTANTS];
  for (int i = 0; i < BEST_FEW && i < one->all.measured; i++) enter(&c, &one->all.plans[i].plan);
  for (int i = 0; i < CONTESTANTS; i++) place[i] = enter(&c, &one->plan_of[i]);
  void *bench = t->op->bench_open(t->context, &one->shape);
  if (!bench) return;
  run_contest(t, &c, bench);
  t->op->bench_close(bench);
  int best = 0;
  for (int i = 1; i < c.n; i++)
    if (c.median[0][i] < c.median[0][best]) best = i;
  one->best = c.median[1][best];
  for (int i = 0; i < CONTESTANTS; i++) one->seconds_of[i] = c.median[1][place[i]];
}

void tune_compare(struct tune *t) {
  struct tune_progress progress = {.tune = t, .start = tune_now(), .doing = "comparison"};
  for (int i = 0; i < t->n && !tune_interrupted(); i++) {
    struct tuned *one = &t->done[i];
    if (one->why_not[0] || !one->all.plans) continue;
    progress.now = one, progress.index = i;
    tune_progress_show(&progress, 0, 0);
    choose_all(t, i);
    hold_contest(t, one);
  }
  tune_progress_clear();
}

/* --- a device: one search in twenty of the space, and as many at random ------------------------------------------- */

#define SHARE 0.05
enum { ORDERS = 20 };

static uint64_t next_random(uint64_t *state) {
  uint64_t x = *state += 0x9e3779b97f4a7c15u; /* splitmix64: G. Steele, D. Lea, C. Flood, OOPSLA 2014 */
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

/* The mean, over orders, of the least of `few` times drawn without putting back. */
static double mean_of_random(const struct tsr_session *all, int few) {
  double *seconds = calloc((size_t)all->measured, sizeof *seconds), sum = 0;
  uint64_t state = 1;
  if (!seconds) return 0;
  for (int i = 0; i < all->measured; i++) seconds[i] = all->plans[i].seconds;
  for (int order = 0; order < ORDERS; order++) {
    double least = HUGE_VAL;
    for (int i = 0; i < few && i < all->measured; i++) {
      int j = i + (int)(next_random(&state) % (uint64_t)(all->measured - i));
      double drawn = seconds[j];
      seconds[j] = seconds[i], seconds[i] = drawn;
      least = fmin(least, drawn);
    }
    sum += least;
  }
  free(seconds);
  return sum / ORDERS;
}

void tune_search_few(struct tune *t, struct tuned *one) {
  struct tsr_session session;
  one->few = (int)(SHARE * one->all.measured);
  if (one->few < 1) one->few = 1;
  struct tsr_session_options options = {.most_measured = one->few};
  if (tsr_session_run(t->context, t->op, &one->shape, &options, &session) != TSR_OK) return;
  one->guided = session.seconds;
  one->random = mean_of_random(&one->all, one->few);
  tsr_session_free(&session);
}

/* --- the tables --------------------------------------------------------------------------------------------------- */

struct gap {
  double logarithms, worst;
  int n;
};

static void add_gap(struct gap *gap, double seconds, double best) {
  if (!(seconds > 0) || !(best > 0)) return;
  double ratio = seconds / best;
  gap->logarithms += log(ratio);
  gap->worst = fmax(gap->worst, ratio);
  gap->n++;
}

static void print_gap(const char *name, const struct gap *gap) {
  if (gap->n)
    printf("%-30s %8.2f %% %8.2f %%   %d\n", name, 100 * exp(gap->logarithms / gap->n) - 100, 100 * gap->worst - 100,
           gap->n);
}

static void print_shape(const struct tune *t, const struct tuned *one, struct gap *gaps) {
  char shape[TSR_VALUES_TEXT];
  tsr_values_print(t->op->shape, t->op->nshape, &one->shape, shape);
  printf("%s\n    %d plans, best %.1f GFLOP/s", shape, one->all.measured, 1e-9 * one->flops / one->best);
  for (int i = 0; i < CONTESTANTS; i++) {
    printf("; %s %+.1f %%", contestant_names[i], 100 * one->seconds_of[i] / one->best - 100);
    add_gap(&gaps[i], one->seconds_of[i], one->best);
  }
  if (one->few)
    printf("; of %d measured: guided %+.1f %%, at random %+.1f %%", one->few, 100 * one->guided / one->best - 100,
           100 * one->random / one->best - 100);
  putchar('\n');
  add_gap(&gaps[CONTESTANTS], one->guided, one->best);
  add_gap(&gaps[CONTESTANTS + 1], one->random, one->best);
}

void tune_print_comparison(const struct tune *t) {
  struct gap gaps[CONTESTANTS + 2] = {0};
  printf("\nHow much longer than by the best plan of all, measured in turns:\n");
  for (int i = 0; i < t->n; i++)
    if (t->done[i].best > 0) print_shape(t, &t->done[i], gaps);
  printf("\n%-30s %10s %10s   %s\n", "longer than the best", "geo. mean", "worst", "shapes");
  for (int i = 0; i < CONTESTANTS; i++) print_gap(contestant_names[i], &gaps[i]);
  print_gap("search of 5 % of the space", &gaps[CONTESTANTS]);
  print_gap("as many at random", &gaps[CONTESTANTS + 1]);
  double model = gaps[BY_MODEL].logarithms, taught = gaps[BY_TAUGHT].logarithms;
  if (t->n > 1 && model > 0)
    printf("of the model's gap other shapes close %.0f %%\n", 100 * (1 - taught / model));
}
