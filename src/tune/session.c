#include "src/tune/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/tune/choose.h"
#include "src/tune/database.h"
#include "src/tune/learn.h"

enum { MOST_CANDIDATES = 4096 };

/* One session while it runs. */
struct running {
  tsr_context *context;
  const struct tsr_operator *op;
  const struct tsr_session_options *options;
  struct tsr_session *session;
  struct tsr_values *plans; /* the candidates, the default first */
  double *model, *corrected;
  int *classes, n;
  void *bench;
};

static bool same_plan(const struct tsr_values *x, const struct tsr_values *y) { return memcmp(x, y, sizeof *x) == 0; }

/* The plan in front, so that it is the first candidate and there only once. */
static void put_first(struct running *r, const struct tsr_values *plan) {
  int at = 0;
  while (at < r->n && !same_plan(&r->plans[at], plan)) at++;
  if (at == r->n) r->n++;
  memmove(r->plans + 1, r->plans, (size_t)at * sizeof *r->plans);
  r->plans[0] = *plan;
}

/* What calls take without the user's row; with it, that row is a candidate too. */
static void list_candidates(struct running *r) {
  struct tsr_session *s = r->session;
  struct tsr_choice about;
  tsr_choose_without_user(r->op, r->context, &s->shape, &s->default_plan, &about);
  if (r->options->rule_is_default) {
    s->default_plan = (struct tsr_values){{0}};
    r->op->complete(r->context, &s->shape, &s->default_plan);
  }
  r->n = r->op->candidates(r->context, &s->shape, r->plans, MOST_CANDIDATES - 2);
  if (r->n > MOST_CANDIDATES - 2) r->n = MOST_CANDIDATES - 2;
  const struct tsr_known *known = tsr_table_find(tsr_table_of(r->context, r->op), &s->shape);
  if (known) put_first(r, &known->plan);
  put_first(r, &s->default_plan);
  s->candidates = r->n;
}

static void predict(struct running *r) {
  const struct tsr_table *table = tsr_table_of(r->context, r->op);
  struct tsr_correction correction;
  double where[TSR_PLACE];
  r->op->place(&r->session->shape, where);
  tsr_learned_at(tsr_table_learned(table), where, &correction);
  for (int i = 0; i < r->n; i++) {
    r->classes[i] = r->op->class_of(&r->plans[i]);
    r->model[i] = r->op->predict(r->context, tsr_table_costs(table), &r->session->shape, &r->plans[i]);
    r->corrected[i] = r->model[i] * tsr_correction_factor(&correction, r->classes[i]);
  }
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One run; false: enough. */
static bool measure(struct running *r, int i, double *seconds, double *best) {
  double start = now();
  *seconds = r->op->bench_run(r->bench, &r->plans[i]);
  r->session->spent += now() - start;
  r->session->runs++;
  if (*seconds > 0 && (*best == 0 || *seconds < *best)) *best = *seconds;
  return !r->options->progress || r->options->progress(r->options->user, r->session->runs, r->session->spent, *best);
}

static void note_plan(struct running *r, int i, double seconds) {
  r->session->plans[r->session->measured++] =
      (struct tsr_session_plan){r->plans[i], seconds, r->model[i], r->corrected[i]};
}

static tsr_status search(struct running *r) {
  struct tsr_session *s = r->session;
  bool exact = r->context->device != NULL;
  struct tsr_search_space space = {.n = r->n, .predicted = r->corrected, .classes = r->classes,
                                   .distance = r->op->distance, .user = r->plans};
  struct tsr_search_options options = {.most_measured = r->options->most_measured, .exact = exact};
  struct tsr_search_result result;
  double seconds, best = 0;
  bool go_on = true;
  struct tsr_search *search = tsr_search_start(&space, &options);
  if (!search) return TSR_OUT_OF_MEMORY;
  for (int i; go_on && (i = tsr_search_next(search)) >= 0;) {
    go_on = measure(r, i, &seconds, &best);
    tsr_search_tell(search, i, seconds);
    if (r->options->most_seconds > 0 && s->spent >= r->options->most_seconds) break;
  }
  tsr_search_result(search, &result);
  for (int i = 0; i < result.measured; i++) {
    struct tsr_search_point point;
    tsr_search_history(search, i, &point);
    if (!point.failed) note_plan(r, point.candidate, point.seconds);
  }
  tsr_search_end(search);
  s->plan = r->plans[result.winner];
  s->predicted = r->model[result.winner];
  s->seconds = result.seconds;
  s->spread = result.seconds > 0 ? result.spread / result.seconds : 0;
  s->default_seconds = result.default_seconds;
  s->improved = result.significant;
  s->ratio = result.ratio, s->ratio_low = result.ratio_low, s->ratio_high = result.ratio_high;
  return TSR_OK;
}

/* Every candidate twice, forwards and backwards, then the best few and the default in turns: least times. On a device
 * once, since runs take the same time always. */
enum { BEST_FEW = 8, TURNS = 10 };

static int compare(const void *x, const void *y) {
  double a = ((const struct tsr_session_plan *)x)->seconds, b = ((const struct tsr_session_plan *)y)->seconds;
  return (a > b) - (a < b);
}

static void again(struct running *r, struct tsr_session_plan *plan, double *best) {
  double seconds;
  int i = 0;
  while (!same_plan(&r->plans[i], &plan->plan)) i++;
  measure(r, i, &seconds, best);
  if (seconds > 0 && seconds < plan->seconds) plan->seconds = seconds;
}

static struct tsr_session_plan *find_plan(struct tsr_session *s, const struct tsr_values *plan) {
  int i = 0;
  while (!same_plan(&s->plans[i].plan, plan)) i++;
  return &s->plans[i];
}

static void exhaust(struct running *r) {
  struct tsr_session *s = r->session;
  double seconds, best = 0;
  for (int i = 0; i < r->n; i++) {
    measure(r, i, &seconds, &best);
    note_plan(r, i, seconds > 0 ? seconds : HUGE_VAL);
  }
  for (int i = r->n - 1; !r->context->device && i >= 0; i--) again(r, &s->plans[i], &best);
  qsort(s->plans, (size_t)s->measured, sizeof *s->plans, compare);
  for (int turn = 0; !r->context->device && turn < TURNS; turn++) {
    for (int i = 0; i < BEST_FEW && i < s->measured; i++) again(r, &s->plans[(i + turn) % (s->measured < BEST_FEW ? s->measured : BEST_FEW)], &best);
    again(r, find_plan(s, &s->default_plan), &best);
  }
  s->default_seconds = find_plan(s, &s->default_plan)->seconds;
  qsort(s->plans, (size_t)s->measured, sizeof *s->plans, compare);
  s->plan = s->plans[0].plan;
  s->seconds = s->plans[0].seconds;
  s->predicted = s->plans[0].predicted;
  s->ratio = s->ratio_low = s->ratio_high = s->seconds / s->default_seconds;
  s->improved = s->seconds < s->default_seconds;
}

static tsr_status run(struct running *r) {
  list_candidates(r);
  predict(r);
  r->session->plans = calloc((size_t)r->n, sizeof *r->session->plans);
  r->bench = r->op->bench_open(r->context, &r->session->shape);
  if (!r->session->plans || !r->bench) return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for operands of this shape");
  tsr_status status = TSR_OK;
  if (r->options->exhaustive)
    exhaust(r);
  else
    status = search(r);
  r->op->bench_close(r->bench);
  if (status == TSR_OK && !(r->session->default_seconds > 0))
    status = tsr_fail(TSR_DEVICE_FAULT, "the plan that calls take could not be measured");
  return status;
}

tsr_status tsr_session_run(tsr_context *context, const struct tsr_operator *op, const struct tsr_values *shape,
                           const struct tsr_session_options *options, struct tsr_session *session) {
  struct running r = {.context = context, .op = op, .options = options, .session = session};
  *session = (struct tsr_session){.shape = *shape};
  r.plans = calloc(MOST_CANDIDATES, sizeof *r.plans);
  r.model = calloc(2 * MOST_CANDIDATES, sizeof *r.model);
  r.classes = calloc(MOST_CANDIDATES, sizeof *r.classes);
  r.corrected = r.model ? r.model + MOST_CANDIDATES : NULL;
  tsr_status status = TSR_OK;
  if (!r.plans || !r.model || !r.classes) status = tsr_fail(TSR_OUT_OF_MEMORY, "no memory for candidates");
  if (status == TSR_OK) status = run(&r);
  free(r.plans);
  free(r.model);
  free(r.classes);
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
  for (int j = 0; j < s->measured; j++, w->nsamples++) {
    tsr_values_print(op->plan, op->nplan, &s->plans[j].plan, w->plans[w->nsamples]);
    w->samples[w->nsamples] = (struct tsr_sample){op->name, w->machine, w->kernels, t->shape, w->plans[w->nsamples],
                                                  s->plans[j].seconds, s->plans[j].predicted};
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
  struct writing w = {.op = op};
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
  if (status == TSR_OK) tsr_choose_afresh();
  return status;
}
