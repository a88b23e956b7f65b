/* GEMM micro-kernels for an A in blocks of q8_0 that lie along k: 4 units of 16 rows x 1 to 6 columns, 2 x 7 and 8, 1 x 1
 * to 8. Formula, registers and loop: gemm_at_blocks.h. */
#define TSR_ELEMENT_F32
#define TSR_A_Q8_0
#include "kernels/x86_avx512/gemm_at_blocks.h"

FUNCTION(tsr_gemm_at_q8_0_f32_64x1_avx512)
  gemm_at 4, 4, 1
END(tsr_gemm_at_q8_0_f32_64x1_avx512)

FUNCTION(tsr_gemm_at_q8_0_f32_64x2_avx512)
  gemm_at 4, 4, 2
END(tsr_gemm_at_q8_0_f32_64x2_avx512)

FUNCTION(tsr_gemm_at_q8_0_f32_64x3_avx512)
  gemm_at 2, 4, 3
END(tsr_gemm_at_q8_0_f32_64x3_avx512)

FUNCTION(tsr_gemm_at_q8_0_f32_64x4_avx512)
  gemm_at 2, 4, 4
END(tsr_gemm_at_q8_0_f32_64x4_avx512)

FUNCTION(tsr_gemm_at_q8_0_f32_64x5_avx512)
  gemm_at 1, 4, 5
END(tsr_gemm_at_q8_0_f32_64x5_avx512)

FUNCTION(tsr_gemm_at_q8_0_f32_64x6_avx512)
  gemm_at 1, 4, 6
END(tsr_gemm_at_q8_0_f32_64x6_avx512)

FUNCTION(tsr_gemm_at_q8_0_f32_32x7_avx512)
  gemm_at 1, 2, 7
END(tsr_gemm_at_q8_0_f32_32x7_avx512)

FUNCTION(tsr_gemm_at_q8_0_f32_32x8_avx512)
  gemm_at 1, 2, 8
END(tsr_gemm_at_q8_0_f32_32x8_avx512)

FUNCTION(tsr_gemm_at_q8_0_f32_16x1_avx512)
  gemm_at 1, 1, 1
END(tsr_gemm_at_q8_0_f32_16x1_avx512)

FUNCTION(tsr_gemm_at_q8_0_f32_16x2_avx512)
  gemm_at 1, 1, 2
END(tsr_gemm_at_q8_0_f32_16x2_avx512)

FUNCTION(tsr_gemm_at_q8_0_f32_16x3_avx512)
  gemm_at 1, 1, 3
END(tsr_gemm_at_q8_0_f32_16x3_avx512)

FUNCTION(tsr_gemm_at_q8_0_f32_16x4_avx512)
  gemm_at 1, 1, 4
END(tsr_gemm_at_q8_0_f32_16x4_avx512)

FUNCTION(tsr_gemm_at_q8_0_f32_16x5_avx512)
  gemm_at 1, 1, 5
END(tsr_gemm_at_q8_0_f32_16x5_avx512)

FUNCTION(tsr_gemm_at_q8_0_f32_16x6_avx512)
  gemm_at 1, 1, 6
END(tsr_gemm_at_q8_0_f32_16x6_avx512)

FUNCTION(tsr_gemm_at_q8_0_f32_16x7_avx512)
  gemm_at 1, 1, 7
END(tsr_gemm_at_q8_0_f32_16x7_avx512)

FUNCTION(tsr_gemm_at_q8_0_f32_16x8_avx512)
  gemm_at 1, 1, 8
END(tsr_gemm_at_q8_0_f32_16x8_avx512)
