/* The ends of factorisations of c32. */
#include "kernels/arm_sve/simd.h"

#define FACTOR_T f32
#define FACTOR_REAL float
#define FACTOR_LANES TSR_F32_LANES
#define FACTOR_LEAST FLT_MIN
#define FACTOR_PARTS 2
#include "kernels/level2_factor.h"

void tsr_level2_lu_c32_sve(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_lu_c32_sve(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)a;
  factor_lu(step, b, c);
}

void tsr_level2_cholesky_c32_sve(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_cholesky_c32_sve(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)a;
  factor_cholesky(step, b, c);
}
