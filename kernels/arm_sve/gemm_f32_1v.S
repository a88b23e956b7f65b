/* GEMM micro-kernels of 1 vector x 1 to 16 columns of f32. Formula, registers and loops: gemm_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/arm_sve/gemm_tile.h"

FUNCTION(tsr_gemm_f32_1vx1_sve)
  gemm_tile 1, 1
END(tsr_gemm_f32_1vx1_sve)

FUNCTION(tsr_gemm_f32_1vx2_sve)
  gemm_tile 1, 2
END(tsr_gemm_f32_1vx2_sve)

FUNCTION(tsr_gemm_f32_1vx3_sve)
  gemm_tile 1, 3
END(tsr_gemm_f32_1vx3_sve)

FUNCTION(tsr_gemm_f32_1vx4_sve)
  gemm_tile 1, 4
END(tsr_gemm_f32_1vx4_sve)

FUNCTION(tsr_gemm_f32_1vx5_sve)
  gemm_tile 1, 5
END(tsr_gemm_f32_1vx5_sve)

FUNCTION(tsr_gemm_f32_1vx6_sve)
  gemm_tile 1, 6
END(tsr_gemm_f32_1vx6_sve)

FUNCTION(tsr_gemm_f32_1vx7_sve)
  gemm_tile 1, 7
END(tsr_gemm_f32_1vx7_sve)

FUNCTION(tsr_gemm_f32_1vx8_sve)
  gemm_tile 1, 8
END(tsr_gemm_f32_1vx8_sve)

FUNCTION(tsr_gemm_f32_1vx9_sve)
  gemm_tile 1, 9
END(tsr_gemm_f32_1vx9_sve)

FUNCTION(tsr_gemm_f32_1vx10_sve)
  gemm_tile 1, 10
END(tsr_gemm_f32_1vx10_sve)

FUNCTION(tsr_gemm_f32_1vx11_sve)
  gemm_tile 1, 11
END(tsr_gemm_f32_1vx11_sve)

FUNCTION(tsr_gemm_f32_1vx12_sve)
  gemm_tile 1, 12
END(tsr_gemm_f32_1vx12_sve)

FUNCTION(tsr_gemm_f32_1vx13_sve)
  gemm_tile 1, 13
END(tsr_gemm_f32_1vx13_sve)

FUNCTION(tsr_gemm_f32_1vx14_sve)
  gemm_tile 1, 14
END(tsr_gemm_f32_1vx14_sve)

FUNCTION(tsr_gemm_f32_1vx15_sve)
  gemm_tile 1, 15
END(tsr_gemm_f32_1vx15_sve)

FUNCTION(tsr_gemm_f32_1vx16_sve)
  gemm_tile 1, 16
END(tsr_gemm_f32_1vx16_sve)
