/* GEMM micro-kernels of 3 vectors x 1 to 9 columns of f32. Formula, registers and loops: gemm_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/arm_sve/gemm_tile.h"

FUNCTION(tsr_gemm_f32_3vx1_sve)
  gemm_tile 3, 1
END(tsr_gemm_f32_3vx1_sve)

FUNCTION(tsr_gemm_f32_3vx2_sve)
  gemm_tile 3, 2
END(tsr_gemm_f32_3vx2_sve)

FUNCTION(tsr_gemm_f32_3vx3_sve)
  gemm_tile 3, 3
END(tsr_gemm_f32_3vx3_sve)

FUNCTION(tsr_gemm_f32_3vx4_sve)
  gemm_tile 3, 4
END(tsr_gemm_f32_3vx4_sve)

FUNCTION(tsr_gemm_f32_3vx5_sve)
  gemm_tile 3, 5
END(tsr_gemm_f32_3vx5_sve)

FUNCTION(tsr_gemm_f32_3vx6_sve)
  gemm_tile 3, 6
END(tsr_gemm_f32_3vx6_sve)

FUNCTION(tsr_gemm_f32_3vx7_sve)
  gemm_tile 3, 7
END(tsr_gemm_f32_3vx7_sve)

FUNCTION(tsr_gemm_f32_3vx8_sve)
  gemm_tile 3, 8
END(tsr_gemm_f32_3vx8_sve)

FUNCTION(tsr_gemm_f32_3vx9_sve)
  gemm_tile 3, 9
END(tsr_gemm_f32_3vx9_sve)
