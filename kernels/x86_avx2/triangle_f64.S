/* SOLVE and MULTIPLY of f64, panels of 1 to 3 vectors. Formula, registers and loop: triangle.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx2/triangle.h"

FUNCTION(tsr_solve_f64_4x4_avx2)
  solve 1
END(tsr_solve_f64_4x4_avx2)

FUNCTION(tsr_solve_f64_8x4_avx2)
  solve 2
END(tsr_solve_f64_8x4_avx2)

FUNCTION(tsr_solve_f64_12x4_avx2)
  solve 3
END(tsr_solve_f64_12x4_avx2)

FUNCTION(tsr_multiply_f64_4x4_avx2)
  multiply 1
END(tsr_multiply_f64_4x4_avx2)

FUNCTION(tsr_multiply_f64_8x4_avx2)
  multiply 2
END(tsr_multiply_f64_8x4_avx2)

FUNCTION(tsr_multiply_f64_12x4_avx2)
  multiply 3
END(tsr_multiply_f64_12x4_avx2)
