/* GEMM micro-kernels of 1, 2 and 4 vectors x up to 8 columns, A of bf16 lying along k and all else of f32. Formula,
 * registers and loops: gemm_at.h. */
#define TSR_ELEMENT_F32
#define TSR_A_BF16
#include "kernels/arm_sve/gemm_at.h"

FUNCTION(tsr_gemm_at_bf16_f32_1vx1_sve)
  gemm_at 1, 1
END(tsr_gemm_at_bf16_f32_1vx1_sve)

FUNCTION(tsr_gemm_at_bf16_f32_1vx2_sve)
  gemm_at 1, 2
END(tsr_gemm_at_bf16_f32_1vx2_sve)

FUNCTION(tsr_gemm_at_bf16_f32_1vx3_sve)
  gemm_at 1, 3
END(tsr_gemm_at_bf16_f32_1vx3_sve)

FUNCTION(tsr_gemm_at_bf16_f32_1vx4_sve)
  gemm_at 1, 4
END(tsr_gemm_at_bf16_f32_1vx4_sve)

FUNCTION(tsr_gemm_at_bf16_f32_1vx5_sve)
  gemm_at 1, 5
END(tsr_gemm_at_bf16_f32_1vx5_sve)

FUNCTION(tsr_gemm_at_bf16_f32_1vx6_sve)
  gemm_at 1, 6
END(tsr_gemm_at_bf16_f32_1vx6_sve)

FUNCTION(tsr_gemm_at_bf16_f32_1vx7_sve)
  gemm_at 1, 7
END(tsr_gemm_at_bf16_f32_1vx7_sve)

FUNCTION(tsr_gemm_at_bf16_f32_1vx8_sve)
  gemm_at 1, 8
END(tsr_gemm_at_bf16_f32_1vx8_sve)

FUNCTION(tsr_gemm_at_bf16_f32_2vx1_sve)
  gemm_at 2, 1
END(tsr_gemm_at_bf16_f32_2vx1_sve)

FUNCTION(tsr_gemm_at_bf16_f32_2vx2_sve)
  gemm_at 2, 2
END(tsr_gemm_at_bf16_f32_2vx2_sve)

FUNCTION(tsr_gemm_at_bf16_f32_2vx3_sve)
  gemm_at 2, 3
END(tsr_gemm_at_bf16_f32_2vx3_sve)

FUNCTION(tsr_gemm_at_bf16_f32_2vx4_sve)
  gemm_at 2, 4
END(tsr_gemm_at_bf16_f32_2vx4_sve)

FUNCTION(tsr_gemm_at_bf16_f32_2vx5_sve)
  gemm_at 2, 5
END(tsr_gemm_at_bf16_f32_2vx5_sve)

FUNCTION(tsr_gemm_at_bf16_f32_2vx6_sve)
  gemm_at 2, 6
END(tsr_gemm_at_bf16_f32_2vx6_sve)

FUNCTION(tsr_gemm_at_bf16_f32_2vx7_sve)
  gemm_at 2, 7
END(tsr_gemm_at_bf16_f32_2vx7_sve)

FUNCTION(tsr_gemm_at_bf16_f32_2vx8_sve)
  gemm_at 2, 8
END(tsr_gemm_at_bf16_f32_2vx8_sve)

FUNCTION(tsr_gemm_at_bf16_f32_4vx1_sve)
  gemm_at 4, 1
END(tsr_gemm_at_bf16_f32_4vx1_sve)

FUNCTION(tsr_gemm_at_bf16_f32_4vx2_sve)
  gemm_at 4, 2
END(tsr_gemm_at_bf16_f32_4vx2_sve)

FUNCTION(tsr_gemm_at_bf16_f32_4vx3_sve)
  gemm_at 4, 3
END(tsr_gemm_at_bf16_f32_4vx3_sve)

FUNCTION(tsr_gemm_at_bf16_f32_4vx4_sve)
  gemm_at 4, 4
END(tsr_gemm_at_bf16_f32_4vx4_sve)
