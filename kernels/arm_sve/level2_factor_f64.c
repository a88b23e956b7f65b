/* The ends of factorisations of f64. */
#include "kernels/arm_sve/simd.h"

#define FACTOR_T f64
#define FACTOR_REAL double
#define FACTOR_LANES TSR_F64_LANES
#define FACTOR_LEAST DBL_MIN
#define FACTOR_PARTS 1
#include "kernels/level2_factor.h"

void tsr_level2_lu_f64_sve(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_lu_f64_sve(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)a;
  factor_lu(step, b, c);
}

void tsr_level2_cholesky_f64_sve(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_cholesky_f64_sve(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)a;
  factor_cholesky(step, b, c);
}
