#include "src/tune/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/tune/choose.h"
#include "src/tune/database.h"
#include "src/tune/learn.h"

enum { MOST_CANDIDATES = 4096, MOST_NOISY = 64 }; /* of which a search can tell so many apart by noisy runs */

/* One session while it goes on. */
struct tsr_steps {
  const tsr_context *context;
  const struct tsr_operator *op;
  struct tsr_session_options options;
  struct tsr_session session;
  struct tsr_values *plans; /* the candidates, the default first */
  double *model, *corrected;
  int *classes, n, asked;
  double best;
  bool stopped;
  struct tsr_search *search;
};

static bool same_plan(const struct tsr_values *x, const struct tsr_values *y) { return memcmp(x, y, sizeof *x) == 0; }

/* The plan in front, so that it is the first candidate and there only once. */
static void put_first(struct tsr_steps *r, const struct tsr_values *plan) {
  int at = 0;
  while (at < r->n && !same_plan(&r->plans[at], plan)) at++;
  if (at == r->n) r->n++;
  memmove(r->plans + 1, r->plans, (size_t)at * sizeof *r->plans);
  r->plans[0] = *plan;
}

/* What calls take without the user's row; with it, that row is a candidate too, and so is the rule's plan. They come
 * first. */
static void list_candidates(struct tsr_steps *r) {
  struct tsr_session *s = &r->session;
  struct tsr_choice about;
  tsr_choose_without_user(r->op, r->context, &s->shape, &s->default_plan, &about);
  if (r->options.rule_is_default) {
    s->default_plan = (struct tsr_values){{0}};
    r->op->complete(r->context, &s->shape, &s->default_plan);
  }
  r->n = r->op->candidates(r->context, &s->shape, r->plans, MOST_CANDIDATES - 2);
  if (r->n > MOST_CANDIDATES - 2) r->n = MOST_CANDIDATES - 2;
  struct tsr_values rule = {{0}};
  r->op->complete(r->context, &s->shape, &rule);
  put_first(r, &rule);
  const struct tsr_table *table = tsr_table_of(r->context, r->op);
  const struct tsr_known *known = tsr_table_find(table, &s->shape);
  if (known) put_first(r, &known->plan);
  tsr_table_leave(table);
  put_first(r, &s->default_plan);
  s->candidates = r->n;
}

static void predict(struct tsr_steps *r) {
  const struct tsr_table *table = tsr_table_of(r->context, r->op);
  struct tsr_correction correction;
  double where[TSR_PLACE];
  r->op->place(&r->session.shape, where);
  tsr_learned_at(tsr_table_learned(table), where, &correction);
  for (int i = 0; i < r->n; i++) {
    r->classes[i] = r->op->class_of(&r->plans[i]);
    r->model[i] = r->op->predict(r->context, tsr_table_costs(table), &r->session.shape, &r->plans[i]);
    r->corrected[i] = r->model[i] * tsr_correction_factor(&correction, r->classes[i]);
  }
  tsr_table_leave(table);
}

static tsr_status start_search(struct tsr_steps *r) {
  struct tsr_search_space space = {.n = r->n, .predicted = r->corrected, .classes = r->classes,
                                   .distance = r->op->distance, .user = r->plans};
  struct tsr_search_options options = {.most_measured = r->options.most_measured, .exact = r->context->device != NULL};
  if (!options.exact && options.most_measured > MOST_NOISY) options.most_measured = MOST_NOISY;
  r->search = tsr_search_start(&space, &options);
  return r->search ? TSR_OK : TSR_OUT_OF_MEMORY;
}

static void free_steps(struct tsr_steps *r) {
  tsr_search_end(r->search);
  free(r->plans);
  free(r->model);
  free(r->classes);
  free(r);
}

/* A shape that the operator has no plan for is the caller's mistake. */
static tsr_status check_shape(const struct tsr_steps *r) {
  struct tsr_values plan = {{0}};
  char why[TSR_WHY_TEXT] = "";
  r->op->complete(r->context, &r->session.shape, &plan);
  if (r->op->check(r->context, &r->session.shape, &plan, why)) return TSR_OK;
  return tsr_fail(TSR_INVALID_ARGUMENT, "shape: %s", why);
}

static tsr_status fill_steps(struct tsr_steps *r) {
  tsr_status status = check_shape(r);
  if (status != TSR_OK) return status;
  r->plans = calloc(MOST_CANDIDATES, sizeof *r->plans);
  r->model = calloc(2 * MOST_CANDIDATES, sizeof *r->model);
  r->classes = calloc(MOST_CANDIDATES, sizeof *r->classes);
  if (r->plans && r->model && r->classes) {
    r->corrected = r->model + MOST_CANDIDATES;
    list_candidates(r);
    predict(r);
    r->session.plans = calloc((size_t)r->n, sizeof *r->session.plans);
  }
  if (!r->session.plans) return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for candidates");
  return r->options.exhaustive ? TSR_OK : start_search(r);
}

tsr_status tsr_session_begin(const tsr_context *context, const struct tsr_operator *op, const struct tsr_values *shape,
                             const struct tsr_session_options *options, struct tsr_steps **steps) {
  struct tsr_steps *r = calloc(1, sizeof *r);
  if (!r) return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for candidates");
  r->context = context;
  r->op = op;
  r->options = *options;
  r->session.shape = *shape;
  tsr_status status = fill_steps(r);
  if (status == TSR_OK) {
    *steps = r;
    return TSR_OK;
  }
  tsr_session_free(&r->session);
  free_steps(r);
  return status;
}

bool tsr_session_next(struct tsr_steps *r, struct tsr_values *plan) {
  bool spent = r->options.most_seconds > 0 && r->session.spent >= r->options.most_seconds;
  r->asked = r->stopped || spent ? -1 : tsr_search_next(r->search);
  if (r->asked >= 0) *plan = r->plans[r->asked];
  return r->asked >= 0;
}

static void count_run(struct tsr_steps *r, double seconds) {
  struct tsr_session *s = &r->session;
  s->runs++;
  if (seconds > 0 && (r->best == 0 || seconds < r->best)) r->best = seconds;
  if (r->options.progress && !r->options.progress(r->options.user, s->runs, s->spent, r->best)) r->stopped = true;
}

void tsr_session_tell(struct tsr_steps *r, double seconds) {
  if (r->asked < 0) return;
  tsr_search_tell(r->search, r->asked, seconds);
  count_run(r, seconds);
}

static void note_plan(struct tsr_steps *r, int i, double seconds, int runs) {
  r->session.plans[r->session.measured++] =
      (struct tsr_session_plan){r->plans[i], seconds, r->model[i], r->corrected[i], runs};
}

static void take_verdict(struct tsr_steps *r) {
  struct tsr_session *s = &r->session;
  struct tsr_search_result result;
  tsr_search_result(r->search, &result);
  for (int i = 0; i < result.measured; i++) {
    struct tsr_search_point point;
    tsr_search_history(r->search, i, &point);
    if (!point.failed) note_plan(r, point.candidate, point.seconds, point.runs);
  }
  s->plan = r->plans[result.winner];
  s->predicted = r->model[result.winner];
  s->seconds = result.seconds;
  s->spread = result.seconds > 0 ? result.spread / result.seconds : 0;
  s->default_seconds = result.default_seconds;
  s->improved = result.significant;
  s->ratio = result.ratio, s->ratio_low = result.ratio_low, s->ratio_high = result.ratio_high;
}

void tsr_session_end(struct tsr_steps *r, struct tsr_session *session) {
  if (r->search) take_verdict(r);
  *session = r->session;
  free_steps(r);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double run_once(struct tsr_steps *r, void *bench, const struct tsr_values *plan) {
  double start = now(), seconds = r->op->bench_run(bench, plan);
  r->session.spent += now() - start;
  return seconds;
}

/* Every candidate twice, forwards and backwards, then the best few and the default in turns: least times. On a device
 * once, since runs take the same time always. */
enum { BEST_FEW = 8, TURNS = 10 };

static int compare(const void *x, const void *y) {
  double a = ((const struct tsr_session_plan *)x)->seconds, b = ((const struct tsr_session_plan *)y)->seconds;
  return (a > b) - (a < b);
}

static void again(struct tsr_steps *r, void *bench, struct tsr_session_plan *plan) {
  double seconds = r->stopped ? 0 : run_once(r, bench, &plan->plan);
  if (seconds > 0 && seconds < plan->seconds) plan->seconds = seconds;
  count_run(r, seconds);
}

static struct tsr_session_plan *find_plan(struct tsr_session *s, const struct tsr_values *plan) {
  int i = 0;
  while (!same_plan(&s->plans[i].plan, plan)) i++;
  return &s->plans[i];
}

static void measure_again(struct tsr_steps *r, void *bench) {
  struct tsr_session *s = &r->session;
  int few = s->measured < BEST_FEW ? s->measured : BEST_FEW;
  for (int i = s->measured - 1; i >= 0; i--) again(r, bench, &s->plans[i]);
  qsort(s->plans, (size_t)s->measured, sizeof *s->plans, compare);
  for (int turn = 0; turn < TURNS; turn++) {
    for (int i = 0; i < few; i++) again(r, bench, &s->plans[(i + turn) % few]);
    again(r, bench, find_plan(s, &s->default_plan));
  }
}

static void exhaust(struct tsr_steps *r, void *bench) {
  struct tsr_session *s = &r->session;
  for (int i = 0; i < r->n && (i == 0 || !r->stopped); i++) {
    double seconds = run_once(r, bench, &r->plans[i]);
    note_plan(r, i, seconds > 0 ? seconds : HUGE_VAL, 2);
    count_run(r, seconds);
  }
  if (!r->context->device) measure_again(r, bench);
  s->default_seconds = find_plan(s, &s->default_plan)->seconds;
  qsort(s->plans, (size_t)s->measured, sizeof *s->plans, compare);
  s->plan = s->plans[0].plan;
  s->seconds = s->plans[0].seconds;
  s->predicted = s->plans[0].predicted;
  s->ratio = s->ratio_low = s->ratio_high = s->seconds / s->default_seconds;
  s->improved = s->seconds < s->default_seconds;
}

/* A search among one plan, or with less time than a run takes, makes no runs. */
static void measure_default(const struct tsr_operator *op, void *bench, struct tsr_session *s) {
  double least = 0;
  for (; s->runs < 3; s->runs++) {
    double seconds = op->bench_run(bench, &s->default_plan);
    if (seconds > 0 && (least == 0 || seconds < least)) least = seconds;
  }
  s->seconds = s->default_seconds = least;
  s->plans[0] = (struct tsr_session_plan){s->default_plan, least, s->predicted, s->predicted, s->runs};
  s->measured = 1;
}

tsr_status tsr_session_run(tsr_context *context, const struct tsr_operator *op, const struct tsr_values *shape,
                           const struct tsr_session_options *options, struct tsr_session *session) {
  struct tsr_steps *steps;
  struct tsr_values plan;
  tsr_status status = tsr_session_begin(context, op, shape, options, &steps);
  if (status != TSR_OK) return status;
  void *bench = op->bench_open(context, shape);
  if (bench && options->exhaustive) exhaust(steps, bench);
  while (bench && !options->exhaustive && tsr_session_next(steps, &plan))
    tsr_session_tell(steps, run_once(steps, bench, &plan));
  tsr_session_end(steps, session);
  if (bench && session->runs == 0) measure_default(op, bench, session);
  if (bench) op->bench_close(bench);
  if (!bench)
    status = tsr_fail(TSR_OUT_OF_MEMORY, "no memory for operands of this shape");
  else if (!(session->default_seconds > 0))
    status = tsr_fail(TSR_DEVICE_FAULT, "the plan that calls take could not be measured");
  if (status != TSR_OK) tsr_session_free(session);
  return status;
}

void tsr_session_free(struct tsr_session *session) {
  free(session->plans);
  session->plans = NULL;
}

/* Texts of one session, for the database. */
struct texts {
  char shape[TSR_VALUES_TEXT], plan[TSR_VALUES_TEXT], default_plan[TSR_VALUES_TEXT];
};

struct writing {
  const struct tsr_operator *op;
  char machine[TSR_KEY_TEXT], kernels[TSR_KEY_TEXT];
  struct tsr_row *rows;
  struct tsr_sample *samples;
  struct texts *texts;
  char (*plans)[TSR_VALUES_TEXT];
  int64_t nsamples;
  bool exact;
};

static void add_session(struct writing *w, const struct tsr_session *s, int i) {
  const struct tsr_operator *op = w->op;
  struct texts *t = &w->texts[i];
  tsr_values_print(op->shape, op->nshape, &s->shape, t->shape);
  tsr_values_print(op->plan, op->nplan, &s->plan, t->plan);
  tsr_values_print(op->plan, op->nplan, &s->default_plan, t->default_plan);
  w->rows[i] = (struct tsr_row){.operator_name = op->name, .machine = w->machine, .kernels = w->kernels,
                                .shape = t->shape, .plan = t->plan, .default_plan = t->default_plan,
                                .median = s->seconds, .spread = s->spread, .predicted = s->predicted,
                                .by_default = s->default_seconds, .measurements = s->runs, .when = time(NULL)};
  for (int j = 0; j < s->measured; j++) {
    if (s->plans[j].runs < 2 && !w->exact) continue; /* one run may have been disturbed */
    tsr_values_print(op->plan, op->nplan, &s->plans[j].plan, w->plans[w->nsamples]);
    w->samples[w->nsamples] = (struct tsr_sample){op->name, w->machine, w->kernels, t->shape, w->plans[w->nsamples],
                                                  s->plans[j].seconds, s->plans[j].predicted};
    w->nsamples++;
  }
}

static tsr_status write_all(struct writing *w, const struct tsr_session *sessions, int n) {
  char path[4096];
  for (int i = 0; i < n; i++) add_session(w, &sessions[i], i);
  struct tsr_batch batch = {.rows = w->rows, .nrows = n, .samples = w->samples, .nsamples = w->nsamples};
  tsr_status status = tsr_database_path(path, sizeof path);
  return status == TSR_OK ? tsr_database_write(path, &batch, NULL) : status;
}

tsr_status tsr_session_store(const tsr_context *context, const struct tsr_operator *op,
                             const struct tsr_session *sessions, int n) {
  struct writing w = {.op = op, .exact = context->device != NULL};
  size_t plans = 1;
  for (int i = 0; i < n; i++) plans += (size_t)sessions[i].measured;
  tsr_machine_key(context, w.machine);
  tsr_kernels_key(context, op, w.kernels);
  w.rows = calloc((size_t)n + 1, sizeof *w.rows);
  w.texts = calloc((size_t)n + 1, sizeof *w.texts);
  w.samples = calloc(plans, sizeof *w.samples);
  w.plans = calloc(plans, sizeof *w.plans);
  tsr_status status = TSR_OUT_OF_MEMORY;
  if (w.rows && w.texts && w.samples && w.plans)
    status = write_all(&w, sessions, n);
  else
    tsr_fail(status, "no memory for what was measured");
  free(w.rows);
  free(w.texts);
  free(w.samples);
  free(w.plans);
  for (int i = 0; i < n; i++) {
    const struct tsr_session *s = &sessions[i];
    tsr_table_keep(context, op, &(struct tsr_known){s->shape, s->plan, TSR_FROM_USER, s->seconds, s->default_seconds,
                                                    s->predicted});
  }
  tsr_choose_afresh();
  return status;
}
