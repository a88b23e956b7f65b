/* SOLVE and MULTIPLY of c32, panels of 1 to 2 vectors. Formula, registers and loop: triangle.h. */
#define TSR_ELEMENT_C32
#include "kernels/x86_avx2/triangle.h"

FUNCTION(tsr_solve_c32_4x4_avx2)
  solve 1
END(tsr_solve_c32_4x4_avx2)

FUNCTION(tsr_solve_c32_8x4_avx2)
  solve 2
END(tsr_solve_c32_8x4_avx2)

FUNCTION(tsr_multiply_c32_4x4_avx2)
  multiply 1
END(tsr_multiply_c32_4x4_avx2)

FUNCTION(tsr_multiply_c32_8x4_avx2)
  multiply 2
END(tsr_multiply_c32_8x4_avx2)
