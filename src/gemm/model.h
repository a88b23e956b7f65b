#ifndef TSR_GEMM_MODEL_H
#define TSR_GEMM_MODEL_H
#include "src/gemm/gemm.h"
#include "src/tune/tune.h"
double tsr_gemm_predict(const struct tsr_kernels *kernels, const struct tsr_costs *costs,
                        const struct tsr_gemm_problem *problem, const struct tsr_gemm_way *plan);
#endif
