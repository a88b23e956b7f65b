/* Level 2 of f64. */
#include "kernels/x86_avx512/simd.h"
#include "kernels/x86_avx512/level2_sums.h"

#define LEVEL2_T f64
#define LEVEL2_REAL double
#define LEVEL2_LANES TSR_F64_LANES
#define LEVEL2_COMPLEX 0
#define LEVEL2_TRIANGLES 1
#define LEVEL2_N_COLUMNS 8
#define LEVEL2_T_COLUMNS 8
#define LEVEL2_NT_COLUMNS 8
#define LEVEL2_SUM_GROUP
#include "kernels/level2.h"

void tsr_level2_gemv_n_f64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_gemv_n_f64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  level2_gemv_n(s, a, b, c);
}

void tsr_level2_gemv_t_f64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_gemv_t_f64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  level2_gemv_t(s, a, b, c);
}

void tsr_level2_symv_f64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_symv_f64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  level2_symv(s, a, b, c);
}

void tsr_level2_ger_f64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_ger_f64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  level2_ger(s, a, b, c);
}

void tsr_level2_solve_f64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_solve_f64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  level2_solve(s, a, b, c);
}
