/* Which way a call goes. */
#include "src/attention/space.h"
#include "src/core/threads.h"
#include "src/tune/choose.h"

static const struct tsr_operator *const op = &tsr_attention_operator;

static void by_words(const tsr_context *context, const struct tsr_attention_problem *p, int threads,
                     struct tsr_attention_way *way) {
  struct tsr_values values;
  tsr_values_parse(op->plan, op->nplan, p->d.plan, &values, NULL);
  tsr_attention_way_of(context, p, threads, &values, way);
}

void tsr_attention_choose(const tsr_context *context, const struct tsr_attention_problem *p, int threads,
                          struct tsr_attention_way *way) {
  struct tsr_values shape, values;
  if (p->d.plan) {
    by_words(context, p, threads, way);
    way->threads = (int)tsr_min(way->threads, threads);
  } else if (tsr_attention_is_looked_up(p)) {
    tsr_attention_shape_of(p, threads, &shape);
    tsr_choose(op, context, &shape, &values, NULL);
    tsr_attention_way_of(context, p, threads, &values, way);
  } else {
    *way = (struct tsr_attention_way){0};
    tsr_attention_complete(context, p, threads, way);
  }
  tsr_attention_pair_heads(p, way);
}

void tsr_attention_words(const tsr_context *context, const struct tsr_attention_problem *p, char *text) {
  struct tsr_values shape = {{0}};
  tsr_attention_shape_of(p, tsr_threads_available(context), &shape);
  tsr_values_print(op->shape, op->nshape, &shape, text);
}

tsr_status tsr_attention_check_plan(const tsr_context *context, const struct tsr_attention_problem *p) {
  char why[TSR_WHY_TEXT] = "";
  struct tsr_values values;
  struct tsr_attention_way way;
  int threads = tsr_threads_available(context);
  bool good = tsr_values_parse(op->plan, op->nplan, p->d.plan, &values, why) &&
              tsr_attention_values_in_range(&values, why);
  if (good) tsr_attention_way_of(context, p, threads, &values, &way);
  if (good && tsr_attention_way_is_legal(context, p, threads, &way, why)) return TSR_OK;
  return tsr_fail(TSR_INVALID_ARGUMENT, "plan: %s", why);
}

bool tsr_attention_tries(const tsr_context *context, const struct tsr_attention_problem *p,
                         struct tsr_attention_way *way, struct tsr_trial *trial) {
  struct tsr_values shape = {{0}}, values;
  int threads = tsr_threads_available(context);
  if (p->d.plan || !tsr_attention_is_looked_up(p)) return false;
  tsr_attention_shape_of(p, threads, &shape);
  if (!tsr_use_begin(op, context, &shape, &values, trial)) return false;
  tsr_attention_way_of(context, p, threads, &values, way);
  tsr_attention_pair_heads(p, way);
  return true;
}
