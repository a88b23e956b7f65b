#include "src/gemm/model.h"
double tsr_gemm_predict(const struct tsr_kernels *kernels, const struct tsr_costs *costs,
                        const struct tsr_gemm_problem *problem, const struct tsr_gemm_plan *plan) { (void)kernels,(void)costs,(void)problem,(void)plan; return 1; }
