/* GEMM micro-kernels of 4 vectors x 1 to 6 columns of f32. Formula, registers and loops: gemm_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/arm_sve/gemm_tile.h"

FUNCTION(tsr_gemm_f32_4vx1_sve)
  gemm_tile 4, 1
END(tsr_gemm_f32_4vx1_sve)

FUNCTION(tsr_gemm_f32_4vx2_sve)
  gemm_tile 4, 2
END(tsr_gemm_f32_4vx2_sve)

FUNCTION(tsr_gemm_f32_4vx3_sve)
  gemm_tile 4, 3
END(tsr_gemm_f32_4vx3_sve)

FUNCTION(tsr_gemm_f32_4vx4_sve)
  gemm_tile 4, 4
END(tsr_gemm_f32_4vx4_sve)

FUNCTION(tsr_gemm_f32_4vx5_sve)
  gemm_tile 4, 5
END(tsr_gemm_f32_4vx5_sve)

FUNCTION(tsr_gemm_f32_4vx6_sve)
  gemm_tile 4, 6
END(tsr_gemm_f32_4vx6_sve)
