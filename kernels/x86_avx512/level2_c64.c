/* Level 2 of complex numbers of f64. */
#include "kernels/x86_avx512/simd.h"

#define LEVEL2_T f64
#define LEVEL2_REAL double
#define LEVEL2_LANES TSR_F64_LANES
#define LEVEL2_COMPLEX 1
#define LEVEL2_TRIANGLES 0
#define LEVEL2_N_COLUMNS 8
#define LEVEL2_T_COLUMNS 4
#define LEVEL2_NT_COLUMNS 4
#include "kernels/level2.h"

void tsr_level2_gemv_n_c64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_gemv_n_c64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  level2_gemv_n(s, a, b, c);
}

void tsr_level2_gemv_t_c64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_gemv_t_c64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  level2_gemv_t(s, a, b, c);
}

void tsr_level2_symv_c64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_symv_c64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  level2_symv(s, a, b, c);
}

void tsr_level2_ger_c64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_ger_c64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  level2_ger(s, a, b, c);
}

void tsr_level2_solve_c64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c);
void tsr_level2_solve_c64_avx512(const struct tsr_step *s, tsr_mem a, tsr_mem b, tsr_mem c) {
  level2_solve(s, a, b, c);
}
