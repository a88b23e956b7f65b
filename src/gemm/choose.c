/* Which plan a call takes. */
#include "src/core/threads.h"
#include "src/gemm/device_space.h"
#include "src/gemm/space.h"
#include "src/gemm/tiles.h"
#include "src/tune/choose.h"

struct tsr_gemm_way tsr_gemm_forced;

#define TOO_SMALL (48 * 48 * 48)

/* What has neither a model nor rows goes by the rule of thumb. */
static bool is_ruled(const struct tsr_gemm_problem *p) {
  return tsr_gemm_has_parts(p);
}

bool tsr_gemm_is_looked_up(const struct tsr_gemm_problem *p) {
  return !is_ruled(p) && tsr_saturating(tsr_saturating(p->m, p->n), p->k) > TOO_SMALL && !tsr_gemm_is_forced();
}

static void by_words(const tsr_context *context, const struct tsr_gemm_problem *p, int threads,
                     struct tsr_gemm_way *plan) {
  struct tsr_values values;
  tsr_values_parse(tsr_gemm_operator.plan, tsr_gemm_operator.nplan, p->plan, &values, NULL);
  tsr_gemm_plan_of(context, p, threads, &values, plan);
}

void tsr_gemm_choose(const tsr_context *context, const struct tsr_gemm_problem *p, int most_threads,
                     struct tsr_gemm_way *plan) {
  const struct tsr_kernels *kernels = &context->kernels[p->type];
  struct tsr_values shape, values;
  bool looked_up = tsr_gemm_is_looked_up(p);
  bool asks = looked_up || is_ruled(p) || p->plan || tsr_gemm_forced.threads;
  if (most_threads == 0) most_threads = asks ? tsr_threads_available(context) : 1;
  if (p->plan) {
    by_words(context, p, most_threads, plan);
  } else if (!looked_up) {
    *plan = tsr_gemm_forced;
    tsr_gemm_complete(kernels, p, most_threads, plan);
  } else {
    tsr_gemm_shape_of(p, most_threads, &shape);
    tsr_choose(&tsr_gemm_operator, context, &shape, &values, NULL);
    tsr_gemm_plan_of(context, p, most_threads, &values, plan);
  }
}

static tsr_status check_on_device(const tsr_context *context, const struct tsr_gemm_problem *p, char *why) {
  struct tsr_values shape, values;
  tsr_gemm_device_shape(p, &shape);
  return tsr_gemm_device_plan_of_words(context, &shape, p->plan, &values, why) ? TSR_OK : TSR_INVALID_ARGUMENT;
}

static tsr_status check_on_cpu(const tsr_context *context, const struct tsr_gemm_problem *p, char *why) {
  const struct tsr_operator *op = &tsr_gemm_operator;
  struct tsr_values values;
  struct tsr_gemm_way plan;
  int threads = tsr_threads_available(context);
  if (!tsr_values_parse(op->plan, op->nplan, p->plan, &values, why)) return TSR_INVALID_ARGUMENT;
  if (!tsr_gemm_values_in_range(&values, why)) return TSR_INVALID_ARGUMENT;
  tsr_gemm_plan_of(context, p, threads, &values, &plan);
  return tsr_gemm_plan_is_legal(context, p, threads, &plan, why) ? TSR_OK : TSR_INVALID_ARGUMENT;
}

tsr_status tsr_gemm_check_plan(const tsr_context *context, const struct tsr_gemm_problem *p) {
  char why[TSR_WHY_TEXT] = "";
  tsr_status status = context->device ? check_on_device(context, p, why) : check_on_cpu(context, p, why);
  return status == TSR_OK ? TSR_OK : tsr_fail(status, "plan: %s", why);
}
