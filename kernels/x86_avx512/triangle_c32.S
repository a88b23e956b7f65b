/* SOLVE and MULTIPLY of c32, panels of 1 to 3 vectors. Formula, registers and loop: triangle.h. */
#define TSR_ELEMENT_C32
#include "kernels/x86_avx512/triangle.h"

FUNCTION(tsr_solve_c32_8x8_avx512)
  solve 1
END(tsr_solve_c32_8x8_avx512)

FUNCTION(tsr_solve_c32_16x8_avx512)
  solve 2
END(tsr_solve_c32_16x8_avx512)

FUNCTION(tsr_solve_c32_24x8_avx512)
  solve 3
END(tsr_solve_c32_24x8_avx512)

FUNCTION(tsr_multiply_c32_8x8_avx512)
  multiply 1
END(tsr_multiply_c32_8x8_avx512)

FUNCTION(tsr_multiply_c32_16x8_avx512)
  multiply 2
END(tsr_multiply_c32_16x8_avx512)

FUNCTION(tsr_multiply_c32_24x8_avx512)
  multiply 3
END(tsr_multiply_c32_24x8_avx512)
