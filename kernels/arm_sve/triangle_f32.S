/* SOLVE and MULTIPLY of f32, panels of 1 to 3 vectors. Formula, registers and loop: triangle.h. */
#define TSR_ELEMENT_F32
#include "kernels/arm_sve/triangle.h"

FUNCTION(tsr_solve_f32_1vx8_sve)
  solve 1
END(tsr_solve_f32_1vx8_sve)

FUNCTION(tsr_solve_f32_2vx8_sve)
  solve 2
END(tsr_solve_f32_2vx8_sve)

FUNCTION(tsr_solve_f32_3vx8_sve)
  solve 3
END(tsr_solve_f32_3vx8_sve)

FUNCTION(tsr_multiply_f32_1vx8_sve)
  multiply 1
END(tsr_multiply_f32_1vx8_sve)

FUNCTION(tsr_multiply_f32_2vx8_sve)
  multiply 2
END(tsr_multiply_f32_2vx8_sve)

FUNCTION(tsr_multiply_f32_3vx8_sve)
  multiply 3
END(tsr_multiply_f32_3vx8_sve)
