/* Stands between the loops and tsr_gemm_make_plan (the linker's --wrap) and changes what the library chose. */
#include "test/gemm/gemm_test.h"

struct force force;

void __real_tsr_gemm_make_plan(const tsr_context *context, const struct tsr_gemm_problem *problem, int threads,
                               struct tsr_gemm_plan *plan);
void __wrap_tsr_gemm_make_plan(const tsr_context *context, const struct tsr_gemm_problem *problem, int threads,
                               struct tsr_gemm_plan *plan);

void __wrap_tsr_gemm_make_plan(const tsr_context *context, const struct tsr_gemm_problem *problem, int threads,
                               struct tsr_gemm_plan *plan) {
  const struct tsr_tiles *tiles = &context->kernels[problem->type].gemm;
  __real_tsr_gemm_make_plan(context, problem, threads, plan);
  if (force.path == 1 + TSR_GEMM_PACKED || (force.path == 1 + TSR_GEMM_DIRECT && !plan->a_along_k))
    plan->path = (enum tsr_gemm_path)(force.path - 1);
  if (force.mc_tiles > 0) plan->mc = (int64_t)force.mc_tiles * plan->units * tiles->mu;
  if (force.nc_tiles > 0) plan->nc = (int64_t)force.nc_tiles * plan->columns;
}
