/* What the model makes of a plan, and what the machine allows at best: the roofline of S. Williams, A. Waterman and
 * D. Patterson, "Roofline: An Insightful Visual Performance Model for Multicore Architectures", CACM 52 (2009), with
 * one roof for each level of memory, and the chain of fma that an element of C is. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attention.h"
#include "conv.h"
#include "explain.h"
#include "src/core/topology.h"
#include "src/gemm/device_space.h"
#include "src/gemm/space.h"
#include "src/gemm/tiles.h"

const char *const explain_parts[PARTS] = {"computing", "reading", "packing", "threads"};

/* --- the prediction ----------------------------------------------------------------------------------------------- */

struct forecast {
  const struct explain *e;
  const struct tsr_table *table;
  struct tsr_correction correction;
};

static void forecast_for(const struct explain *e, struct forecast *f) {
  double where[TSR_PLACE];
  f->e = e;
  f->table = tsr_table_of(e->context, e->op);
  e->op->place(&e->shape, where);
  tsr_learned_at(tsr_table_learned(f->table), where, &f->correction);
}

static double predict(const struct forecast *f, const struct tsr_costs *costs, const struct tsr_values *plan) {
  return f->e->op->predict(f->e->context, costs, &f->e->shape, plan) *
         tsr_correction_factor(&f->correction, f->e->op->class_of(plan));
}

/* What a prediction owes to each kind of cost: what it loses when those cost nothing, one kind after another. */
static void split(const struct forecast *f, struct explain *e) {
  struct tsr_costs costs = *tsr_table_costs(f->table);
  double before = e->plan.predicted, after;
  costs.start = costs.barrier = costs.line = 0;
  e->parts[PART_THREADS] = before - (after = predict(f, &costs, &e->plan.values)), before = after;
  costs.pack = costs.transpose = costs.along_k = costs.turn = 0;
  e->parts[PART_PACKING] = before - (after = predict(f, &costs, &e->plan.values)), before = after;
  costs.read_l2 = costs.read_l3 = costs.read_memory = costs.share_memory = costs.cold = 0;
  e->parts[PART_READING] = before - (after = predict(f, &costs, &e->plan.values));
  e->parts[PART_COMPUTING] = after;
}

static int by_prediction(const void *x, const void *y) {
  const struct explain_plan *a = x, *b = y;
  return (a->predicted > b->predicted) - (a->predicted < b->predicted);
}

enum { MOST_CANDIDATES = 8192 };

/* The best candidates but the plan itself. Without memory there are none. */
static void find_next(const struct forecast *f, struct explain *e) {
  struct tsr_values *plans = malloc(MOST_CANDIDATES * sizeof *plans);
  struct explain_plan *list = malloc(MOST_CANDIDATES * sizeof *list);
  int n = plans && list ? e->op->candidates(e->context, &e->shape, plans, MOST_CANDIDATES) : 0;
  e->candidates = n;
  if (n > MOST_CANDIDATES) n = MOST_CANDIDATES;
  for (int i = 0; i < n; i++)
    list[i] = (struct explain_plan){plans[i], predict(f, tsr_table_costs(f->table), &plans[i])};
  if (n > 0) qsort(list, (size_t)n, sizeof *list, by_prediction);
  for (int i = 0; i < n && e->nnext < NEXT; i++)
    if (memcmp(&list[i].values, &e->plan.values, sizeof list[i].values) != 0) e->next[e->nnext++] = list[i];
  free(plans);
  free(list);
}

static void say_plan(struct explain *e, const char *which, const struct explain_plan *plan) {
  char text[TSR_VALUES_TEXT];
  tsr_values_print(e->op->plan, e->op->nplan, &plan->values, text);
  explain_say(&e->trail, 0, "%s: %s (predicted %s)", which, text, explain_seconds(plan->predicted).text);
}

static bool differs(const struct explain_plan *x, const struct explain_plan *y) {
  return memcmp(&x->values, &y->values, sizeof x->values) != 0;
}

/* The first calls of a process think less. And of a large space calls never weigh all. */
static void tell_others(const struct forecast *f, struct explain *e) {
  bool chose = !e->plan_words && e->early[0].values.at[0] != 0 && e->choice.source <= TSR_FROM_MODEL;
  for (int i = 0; chose && i < EARLY; i++) {
    e->early[i].predicted = predict(f, tsr_table_costs(f->table), &e->early[i].values);
    if (differs(&e->early[i], &e->plan) && (i == 0 || differs(&e->early[i], &e->early[i - 1])))
      say_plan(e, i ? "its second call" : "a process's first call weighs fewer plans and takes", &e->early[i]);
    else if (differs(&e->early[i], &e->plan)) explain_say(&e->trail, 0, "its second call takes the same");
  }
  if (chose && e->nnext > 0 && e->next[0].predicted < TSR_WORTH_WHILE * e->plan.predicted)
    say_plan(e, is_conv(e->op) ? "the model, which calls do not ask, would take" : "not among those that calls weigh",
             &e->next[0]);
}

void explain_predict(struct explain *e) {
  struct forecast f;
  forecast_for(e, &f);
  e->op->complete(e->context, &e->shape, &e->rule.values);
  e->plan.predicted = predict(&f, tsr_table_costs(f.table), &e->plan.values);
  e->rule.predicted = predict(&f, tsr_table_costs(f.table), &e->rule.values);
  find_next(&f, e);
  if (!e->context->device && !is_attention(e->op) && !is_conv(e->op)) split(&f, e);
  tell_others(&f, e);
}

/* --- limits ------------------------------------------------------------------------------------------------------- */

void explain_add_limit(struct explain *e, double seconds, const char *format, ...) {
  va_list arguments;
  if (e->nlimits == MOST_LIMITS) return;
  struct explain_limit *limit = &e->limits[e->nlimits];
  va_start(arguments, format);
  vsnprintf(limit->what, sizeof limit->what, format, arguments);
  va_end(arguments);
  limit->seconds = seconds;
  if (seconds > e->limits[e->bound].seconds) e->bound = e->nlimits;
  e->nlimits++;
}

/* The first limits of a CPU; what follows is reading. */
enum { LIMIT_FMA, LIMIT_CHAIN };

/* Each operand once, from the innermost level that holds them all. Levels of a core's own are read by all cores. */
static void limits_of_cpu(struct explain *e) {
  const struct tsr_costs *costs = tsr_table_costs(tsr_table_of(e->context, e->op));
  const struct tsr_topology *machine = tsr_topology_get();
  const int64_t *s = e->shape.at;
  int threads = (int)s[TSR_SHAPE_THREADS], level = 0, last = machine->nlevels - 1;
  bool narrow = e->p.type == TSR_F32 || e->p.type == TSR_C32;
  explain_add_limit(e, e->flops * (narrow ? costs->flop_f32 : costs->flop_f64) / threads,
            "FMA, %d thread%s", threads, threads > 1 ? "s" : "");
  explain_add_limit(e, (double)tsr_min(s[TSR_SHAPE_K], tsr_gemm_kb(e->p.type)) * costs->chain,
            "the chain of fma of one element");
  while (level <= last && e->bytes > (double)machine->level[level].bytes * (level < last ? threads : 1)) level++;
  if (level > last)
    explain_add_limit(e, e->bytes * fmax(costs->read_memory / threads, costs->share_memory), "reading from memory");
  else if (level > 0)
    explain_add_limit(e, e->bytes * (level == 1 && last > 1 ? costs->read_l2 : costs->read_l3) / threads,
                      "reading from L%d", level + 1);
}

/* The cube at full tilt in the largest step there is, the cache of all cores, and memory. */
static void limits_of_device(struct explain *e) {
  const struct tsr_device *device = e->context->device;
  const int64_t *s = e->shape.at, *v = e->plan.values.at;
  struct tsr_step_costs costs;
  double mc = (double)v[TSR_DEVICE_MC], nc = (double)v[TSR_DEVICE_NC], kc = (double)v[TSR_DEVICE_KC];
  device->chip->step_costs(device, (tsr_type)s[TSR_DEVICE_TYPE], (int64_t)mc, (int64_t)nc, (int64_t)kc, &costs);
  double a_cycle = mc * nc * kc / (costs.rounds * costs.multiply);
  double k_bytes = (double)(s[TSR_DEVICE_K] * tsr_size_of((tsr_type)s[TSR_DEVICE_TYPE]));
  double once = (double)(s[TSR_DEVICE_M] + s[TSR_DEVICE_N]) * k_bytes;
  explain_add_limit(e, e->flops / 2 / a_cycle / device->cores / device->hertz, "multiplying, %d cores", device->cores);
  explain_add_limit(e, once / device->streamed / device->hertz, "reading A and B from memory");
  explain_add_limit(e, once / (device->loaded * device->cores) / device->hertz, "bringing A and B into the cores");
}

/* The part of the prediction that is farthest above what it must be. Computing and reading hide each other, and one of
 * them is the limit. */
static int worst_part(const struct explain *e, double *share) {
  double above[PARTS], least = e->limits[e->bound].seconds;
  int worst = 0;
  memcpy(above, e->parts, sizeof above);
  if (e->bound <= LIMIT_CHAIN) above[PART_COMPUTING] -= least;
  else above[PART_READING] += above[PART_COMPUTING] - least, above[PART_COMPUTING] = 0;
  for (int i = 1; i < PARTS; i++)
    if (above[i] > above[worst]) worst = i;
  *share = above[worst] / e->plan.predicted;
  return worst;
}

static void judge_cpu(struct explain *e) {
  static const char *const why[PARTS] = {
      "tiles that do not keep the FMA units busy: edges, short chains, entry and exit, threads left idle",
      "operands that come from beyond the innermost caches, again or in short runs",
      "operands copied into panels, or transposed", "threads called together, and waiting for one another"};
  double least = e->limits[e->bound].seconds, share;
  int worst = worst_part(e, &share);
  if (e->plan.predicted < least)
    snprintf(e->verdict, sizeof e->verdict, "the plan should reach the limit, which is %s (the model charges less for "
             "writing C than the limit does)", e->limits[e->bound].what);
  else if (e->plan.predicted < 1.1 * least)
    snprintf(e->verdict, sizeof e->verdict, "the plan should come within %.0f %% of the limit, which is %s",
             ceil(100 * (e->plan.predicted / least - 1)), e->limits[e->bound].what);
  else
    snprintf(e->verdict, sizeof e->verdict,
             "the limit is %s; that the plan takes %.2f times as long is mostly %s: %s (%.0f %% of its time)",
             e->limits[e->bound].what, e->plan.predicted / least, explain_parts[worst], why[worst], 100 * share);
}

static void judge_device(struct explain *e) {
  double times = e->plan.predicted / e->limits[e->bound].seconds;
  if (times < 20)
    snprintf(e->verdict, sizeof e->verdict, "the limit is %s; the plan should take %.2f times as long",
             e->limits[e->bound].what, times);
  else
    snprintf(e->verdict, sizeof e->verdict,
             "too small a product for any limit to count: it waits for its steps, one after another");
}

void explain_limits(struct explain *e) {
  bool device = e->context->device != NULL;
  const int64_t *s = e->shape.at;
  int first = device ? (int)TSR_DEVICE_M : (int)TSR_SHAPE_M;
  double m = (double)s[first], n = (double)s[first + 1], k = (double)s[first + 2];
  tsr_type type = device ? (tsr_type)s[0] : e->p.type;
  double size = (double)tsr_size_of(type), size_c = size;
  if (device) size_c = (double)tsr_size_of((tsr_type)s[TSR_DEVICE_TO]);
  e->flops = tsr_flops_of(type) * m * n * k;
  e->bytes = size * (m * k + k * n) + size_c * m * n;
  if (device) limits_of_device(e);
  else limits_of_cpu(e);
  if (e->small)
    snprintf(e->verdict, sizeof e->verdict,
             "a product this small is bound by its calls, by the latency of its chains and by the edges of its tiles: "
             "the model says nothing of it");
  else if (device) judge_device(e);
  else judge_cpu(e);
}
