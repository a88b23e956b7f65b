/* Tuning the product of a descriptor. */
#include <stdio.h>

#include "src/core/threads.h"
#include "src/gemm/device_space.h"
#include "src/gemm/space.h"

void tsr_gemm_words(const tsr_context *context, const struct tsr_gemm_problem *problem, char *text) {
  const struct tsr_operator *op = tsr_operator_of(context, "gemm");
  struct tsr_values shape = {{0}};
  if (context->device)
    tsr_gemm_device_shape(problem, &shape);
  else
    tsr_gemm_shape_of(problem, tsr_threads_available(context), &shape);
  tsr_values_print(op->shape, op->nshape, &shape, text);
}

tsr_status tsr_gemm_tune(tsr_context *given, const tsr_gemm_desc *d, const tsr_tune_options *options,
                         tsr_tune_result *result) {
  tsr_context *context;
  struct tsr_gemm_problem problem;
  char text[TSR_VALUES_TEXT];
  tsr_status status = tsr_context_get(given, &context);
  if (status == TSR_OK) status = tsr_gemm_check(context, d);
  if (status != TSR_OK) return status;
  if (d->m == 0 || d->n == 0 || d->k == 0)
    return tsr_fail(TSR_INVALID_ARGUMENT, "m, n and k are %lld, %lld and %lld: there is nothing to tune in an empty product",
                    (long long)d->m, (long long)d->n, (long long)d->k);
  tsr_gemm_normalise(d, NULL, NULL, NULL, &problem);
  tsr_gemm_words(context, &problem, text);
  return tsr_tune(context, "gemm", text, options, result);
}
