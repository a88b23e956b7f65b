/* The public face of tuning. */
#include <stdio.h>
#include <string.h>

#include "src/tune/session.h"

static tsr_status check_options(const tsr_tune_options *o) {
  if (!o) return TSR_OK;
  if (o->size != sizeof *o)
    return tsr_fail(TSR_INVALID_ARGUMENT, "options->size is %zu: initialise the options with TSR_TUNE_OPTIONS", o->size);
  if (!(o->seconds >= 0))
    return tsr_fail(TSR_INVALID_ARGUMENT, "options->seconds is %g: it cannot be negative", o->seconds);
  if (o->measurements < 0)
    return tsr_fail(TSR_INVALID_ARGUMENT, "options->measurements is %d: it cannot be negative", o->measurements);
  return TSR_OK;
}

static void fill_result(const struct tsr_operator *op, const struct tsr_session *s, tsr_tune_result *result) {
  *result = (tsr_tune_result){.before = s->default_seconds, .after = s->seconds, .spread = s->spread,
                              .improved = s->improved, .measured = s->measured, .runs = s->runs};
  tsr_values_print(op->plan, op->nplan, &s->plan, result->plan);
}

static tsr_status tune(tsr_context *context, const struct tsr_operator *op, const struct tsr_values *shape,
                       const tsr_tune_options *given, tsr_tune_result *result) {
  struct tsr_session_options options = {0};
  struct tsr_session session;
  if (given) options.most_seconds = given->seconds, options.most_measured = given->measurements;
  tsr_status status = tsr_session_run(context, op, shape, &options, &session);
  if (status != TSR_OK) return status;
  if (result) fill_result(op, &session, result);
  if (!given || !given->dry_run) status = tsr_session_store(context, op, &session, 1);
  tsr_session_free(&session);
  return status;
}

tsr_status tsr_tune(tsr_context *given, const char *name, const char *text, const tsr_tune_options *options,
                    tsr_tune_result *result) {
  tsr_context *context;
  struct tsr_values shape, plan;
  char why[TSR_WHY_TEXT];
  tsr_status status = tsr_context_get(given, &context);
  if (status == TSR_OK) status = check_options(options);
  if (status != TSR_OK) return status;
  const struct tsr_operator *op = name ? tsr_operator_of(context, name) : NULL;
  if (!op)
    return tsr_fail(TSR_INVALID_ARGUMENT, "operator_name is \"%s\": there are \"gemm\", \"attention\" and \"conv\"",
                    name ? name : "(NULL)");
  if (!text) return tsr_fail(TSR_INVALID_ARGUMENT, "shape is NULL: pass a shape in words, such as \"type=f32 m=512 ...\"");
  if (!tsr_values_parse(op->shape, op->nshape, text, &shape, why) || !tsr_shape_is_whole(op, &shape, why))
    return tsr_fail(TSR_INVALID_ARGUMENT, "shape: %s", why);
  if (op->candidates(context, &shape, &plan, 1) < 1) { /* the checker says what is wrong with it */
    plan = (struct tsr_values){{0}};
    op->check(context, &shape, &plan, why);
    return tsr_fail(TSR_INVALID_ARGUMENT, "shape: %s", why);
  }
  return tune(context, op, &shape, options, result);
}
