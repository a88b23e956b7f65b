/* GEMM micro-kernels of 1, 2 and 3 vectors x 1 to 8 columns, 4 x 1 to 6 and 8 x 1 to 3, A of bf16 and all else of f32.
 * Formula, registers and loops: gemm_tile.h. */
#define TSR_ELEMENT_F32
#define TSR_A_BF16
#include "kernels/arm_sve/gemm_tile.h"

FUNCTION(tsr_gemm_bf16_f32_1vx1_sve)
  gemm_tile 1, 1
END(tsr_gemm_bf16_f32_1vx1_sve)

FUNCTION(tsr_gemm_bf16_f32_1vx2_sve)
  gemm_tile 1, 2
END(tsr_gemm_bf16_f32_1vx2_sve)

FUNCTION(tsr_gemm_bf16_f32_1vx3_sve)
  gemm_tile 1, 3
END(tsr_gemm_bf16_f32_1vx3_sve)

FUNCTION(tsr_gemm_bf16_f32_1vx4_sve)
  gemm_tile 1, 4
END(tsr_gemm_bf16_f32_1vx4_sve)

FUNCTION(tsr_gemm_bf16_f32_1vx5_sve)
  gemm_tile 1, 5
END(tsr_gemm_bf16_f32_1vx5_sve)

FUNCTION(tsr_gemm_bf16_f32_1vx6_sve)
  gemm_tile 1, 6
END(tsr_gemm_bf16_f32_1vx6_sve)

FUNCTION(tsr_gemm_bf16_f32_1vx7_sve)
  gemm_tile 1, 7
END(tsr_gemm_bf16_f32_1vx7_sve)

FUNCTION(tsr_gemm_bf16_f32_1vx8_sve)
  gemm_tile 1, 8
END(tsr_gemm_bf16_f32_1vx8_sve)

FUNCTION(tsr_gemm_bf16_f32_2vx1_sve)
  gemm_tile 2, 1
END(tsr_gemm_bf16_f32_2vx1_sve)

FUNCTION(tsr_gemm_bf16_f32_2vx2_sve)
  gemm_tile 2, 2
END(tsr_gemm_bf16_f32_2vx2_sve)

FUNCTION(tsr_gemm_bf16_f32_2vx3_sve)
  gemm_tile 2, 3
END(tsr_gemm_bf16_f32_2vx3_sve)

FUNCTION(tsr_gemm_bf16_f32_2vx4_sve)
  gemm_tile 2, 4
END(tsr_gemm_bf16_f32_2vx4_sve)

FUNCTION(tsr_gemm_bf16_f32_2vx5_sve)
  gemm_tile 2, 5
END(tsr_gemm_bf16_f32_2vx5_sve)

FUNCTION(tsr_gemm_bf16_f32_2vx6_sve)
  gemm_tile 2, 6
END(tsr_gemm_bf16_f32_2vx6_sve)

FUNCTION(tsr_gemm_bf16_f32_2vx7_sve)
  gemm_tile 2, 7
END(tsr_gemm_bf16_f32_2vx7_sve)

FUNCTION(tsr_gemm_bf16_f32_2vx8_sve)
  gemm_tile 2, 8
END(tsr_gemm_bf16_f32_2vx8_sve)

FUNCTION(tsr_gemm_bf16_f32_3vx1_sve)
  gemm_tile 3, 1
END(tsr_gemm_bf16_f32_3vx1_sve)

FUNCTION(tsr_gemm_bf16_f32_3vx2_sve)
  gemm_tile 3, 2
END(tsr_gemm_bf16_f32_3vx2_sve)

FUNCTION(tsr_gemm_bf16_f32_3vx3_sve)
  gemm_tile 3, 3
END(tsr_gemm_bf16_f32_3vx3_sve)

FUNCTION(tsr_gemm_bf16_f32_3vx4_sve)
  gemm_tile 3, 4
END(tsr_gemm_bf16_f32_3vx4_sve)

FUNCTION(tsr_gemm_bf16_f32_3vx5_sve)
  gemm_tile 3, 5
END(tsr_gemm_bf16_f32_3vx5_sve)

FUNCTION(tsr_gemm_bf16_f32_3vx6_sve)
  gemm_tile 3, 6
END(tsr_gemm_bf16_f32_3vx6_sve)

FUNCTION(tsr_gemm_bf16_f32_3vx7_sve)
  gemm_tile 3, 7
END(tsr_gemm_bf16_f32_3vx7_sve)

FUNCTION(tsr_gemm_bf16_f32_3vx8_sve)
  gemm_tile 3, 8
END(tsr_gemm_bf16_f32_3vx8_sve)

FUNCTION(tsr_gemm_bf16_f32_4vx1_sve)
  gemm_tile 4, 1
END(tsr_gemm_bf16_f32_4vx1_sve)

FUNCTION(tsr_gemm_bf16_f32_4vx2_sve)
  gemm_tile 4, 2
END(tsr_gemm_bf16_f32_4vx2_sve)

FUNCTION(tsr_gemm_bf16_f32_4vx3_sve)
  gemm_tile 4, 3
END(tsr_gemm_bf16_f32_4vx3_sve)

FUNCTION(tsr_gemm_bf16_f32_4vx4_sve)
  gemm_tile 4, 4
END(tsr_gemm_bf16_f32_4vx4_sve)

FUNCTION(tsr_gemm_bf16_f32_4vx5_sve)
  gemm_tile 4, 5
END(tsr_gemm_bf16_f32_4vx5_sve)

FUNCTION(tsr_gemm_bf16_f32_4vx6_sve)
  gemm_tile 4, 6
END(tsr_gemm_bf16_f32_4vx6_sve)

FUNCTION(tsr_gemm_bf16_f32_8vx1_sve)
  gemm_tile 8, 1
END(tsr_gemm_bf16_f32_8vx1_sve)

FUNCTION(tsr_gemm_bf16_f32_8vx2_sve)
  gemm_tile 8, 2
END(tsr_gemm_bf16_f32_8vx2_sve)

FUNCTION(tsr_gemm_bf16_f32_8vx3_sve)
  gemm_tile 8, 3
END(tsr_gemm_bf16_f32_8vx3_sve)
