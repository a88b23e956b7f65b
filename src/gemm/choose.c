/* Which plan a call takes. */
#include "src/core/threads.h"
#include "src/gemm/space.h"

struct tsr_gemm_plan tsr_gemm_forced;

void tsr_gemm_choose(const tsr_context *context, const struct tsr_gemm_problem *p, int most_threads,
                     struct tsr_gemm_plan *plan) {
  *plan = tsr_gemm_forced;
  if (most_threads == 0) most_threads = tsr_threads_available(context);
  tsr_gemm_complete(&context->kernels[p->type], p, most_threads, plan);
}
