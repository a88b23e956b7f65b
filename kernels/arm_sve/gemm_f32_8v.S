/* GEMM micro-kernels of 8 vectors x 1 to 3 columns of f32. Formula, registers and loops: gemm_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/arm_sve/gemm_tile.h"

FUNCTION(tsr_gemm_f32_8vx1_sve)
  gemm_tile 8, 1
END(tsr_gemm_f32_8vx1_sve)

FUNCTION(tsr_gemm_f32_8vx2_sve)
  gemm_tile 8, 2
END(tsr_gemm_f32_8vx2_sve)

FUNCTION(tsr_gemm_f32_8vx3_sve)
  gemm_tile 8, 3
END(tsr_gemm_f32_8vx3_sve)
