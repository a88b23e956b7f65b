/* Level 2 of complex numbers of f32. */
#include "kernels/x86_avx512/simd.h"

#define LEVEL2_T f32
#define LEVEL2_REAL float
#define LEVEL2_LANES TSR_F32_LANES
#define LEVEL2_COMPLEX 1
#define LEVEL2_TRIANGLES 0
#define LEVEL2_N_COLUMNS 8
#define LEVEL2_T_COLUMNS 4
#define LEVEL2_NT_COLUMNS 4
#include "kernels/level2.h"

void tsr_level2_gemv_n_c32_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_gemv_n_c32_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  level2_gemv_n(s, a, b, c);
}

void tsr_level2_gemv_t_c32_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_gemv_t_c32_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  level2_gemv_t(s, a, b, c);
}

void tsr_level2_symv_c32_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_symv_c32_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  level2_symv(s, a, b, c);
}

void tsr_level2_ger_c32_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_ger_c32_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  level2_ger(s, a, b, c);
}

void tsr_level2_solve_c32_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_solve_c32_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  level2_solve(s, a, b, c);
}
