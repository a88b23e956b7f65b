/* Which way a call goes. */
#include "src/conv/space.h"
#include "src/core/threads.h"
#include "src/tune/choose.h"

static const struct tsr_operator *const op = &tsr_conv_operator;

void tsr_conv_choose(const tsr_context *context, const struct tsr_conv_problem *p, int threads,
                     struct tsr_conv_way *way) {
  struct tsr_values shape, values;
  if (p->d->plan) {
    tsr_values_parse(op->plan, op->nplan, p->d->plan, &values, NULL);
    tsr_conv_way_of(context, p, threads, &values, way);
    way->threads = (int)tsr_min(way->threads, threads);
  } else if (tsr_conv_is_looked_up(p)) {
    tsr_conv_shape_of(p->d, threads, &shape);
    tsr_choose(op, context, &shape, &values, NULL);
    tsr_conv_way_of(context, p, threads, &values, way);
  } else {
    *way = (struct tsr_conv_way){0};
    tsr_conv_complete(context, p, threads, way);
  }
}

void tsr_conv_words(const tsr_context *context, const tsr_conv_desc *d, char *text) {
  struct tsr_values shape = {{0}};
  tsr_conv_shape_of(d, tsr_threads_available(context), &shape);
  tsr_values_print(op->shape, op->nshape, &shape, text);
}

tsr_status tsr_conv_check_plan(const tsr_context *context, const struct tsr_conv_problem *p) {
  char why[TSR_WHY_TEXT] = "";
  struct tsr_values values;
  struct tsr_conv_way way;
  int threads = tsr_threads_available(context);
  if (!p->d->plan) return TSR_OK;
  if (tsr_conv_is_integer(p->d))
    return tsr_fail(TSR_INVALID_ARGUMENT, "plan: convolutions of integers have none to choose from: leave it NULL");
  bool good = tsr_values_parse(op->plan, op->nplan, p->d->plan, &values, why) && tsr_conv_values_in_range(&values, why);
  if (good) tsr_conv_way_of(context, p, threads, &values, &way);
  if (good && tsr_conv_plan_is_legal(context, p, threads, &values, &way, why)) return TSR_OK;
  return tsr_fail(TSR_INVALID_ARGUMENT, "plan: %s", why);
}

bool tsr_conv_tries(const tsr_context *context, const struct tsr_conv_problem *p, struct tsr_conv_way *way,
                    struct tsr_trial *trial) {
  struct tsr_values shape = {{0}}, values;
  int threads = tsr_threads_available(context);
  if (p->d->plan || !tsr_conv_is_looked_up(p)) return false;
  tsr_conv_shape_of(p->d, threads, &shape);
  if (!tsr_use_begin(op, context, &shape, &values, trial)) return false;
  tsr_conv_way_of(context, p, threads, &values, way);
  return true;
}
