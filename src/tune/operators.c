/* The operators that can be tuned. A new one adds its line. */
#include <string.h>

#include "src/attention/space.h"
#include "src/conv/space.h"
#include "src/gemm/device_space.h"
#include "src/gemm/space.h"

static const struct tsr_operator *const on_cpu[] = {&tsr_gemm_operator, &tsr_attention_operator, &tsr_conv_operator,
                                                   NULL};
static const struct tsr_operator *const on_device[] = {&tsr_gemm_device_operator, NULL};

const struct tsr_operator *tsr_operator_of(const tsr_context *context, const char *name) {
  for (const struct tsr_operator *const *op = context->device ? on_device : on_cpu; *op; op++)
    if (strcmp((*op)->name, name) == 0) return *op;
  return NULL;
}
