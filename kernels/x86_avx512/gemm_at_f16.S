/* GEMM micro-kernels for an A of f16 that lies along k: 4, 2 or 1 units of 16 rows x 1 to 8 columns. Formula,
 * registers and loop: gemm_at.h. */
#define TSR_ELEMENT_F32
#define TSR_A_F16
#include "kernels/x86_avx512/gemm_at.h"

FUNCTION(tsr_gemm_at_f16_f32_64x1_avx512)
  gemm_at 4, 1
END(tsr_gemm_at_f16_f32_64x1_avx512)

FUNCTION(tsr_gemm_at_f16_f32_64x2_avx512)
  gemm_at 4, 2
END(tsr_gemm_at_f16_f32_64x2_avx512)

FUNCTION(tsr_gemm_at_f16_f32_64x3_avx512)
  gemm_at 4, 3
END(tsr_gemm_at_f16_f32_64x3_avx512)

FUNCTION(tsr_gemm_at_f16_f32_32x1_avx512)
  gemm_at 2, 1
END(tsr_gemm_at_f16_f32_32x1_avx512)

FUNCTION(tsr_gemm_at_f16_f32_32x2_avx512)
  gemm_at 2, 2
END(tsr_gemm_at_f16_f32_32x2_avx512)

FUNCTION(tsr_gemm_at_f16_f32_32x3_avx512)
  gemm_at 2, 3
END(tsr_gemm_at_f16_f32_32x3_avx512)

FUNCTION(tsr_gemm_at_f16_f32_32x4_avx512)
  gemm_at 2, 4
END(tsr_gemm_at_f16_f32_32x4_avx512)

FUNCTION(tsr_gemm_at_f16_f32_32x5_avx512)
  gemm_at 2, 5
END(tsr_gemm_at_f16_f32_32x5_avx512)

FUNCTION(tsr_gemm_at_f16_f32_32x6_avx512)
  gemm_at 2, 6
END(tsr_gemm_at_f16_f32_32x6_avx512)

FUNCTION(tsr_gemm_at_f16_f32_16x1_avx512)
  gemm_at 1, 1
END(tsr_gemm_at_f16_f32_16x1_avx512)

FUNCTION(tsr_gemm_at_f16_f32_16x2_avx512)
  gemm_at 1, 2
END(tsr_gemm_at_f16_f32_16x2_avx512)

FUNCTION(tsr_gemm_at_f16_f32_16x3_avx512)
  gemm_at 1, 3
END(tsr_gemm_at_f16_f32_16x3_avx512)

FUNCTION(tsr_gemm_at_f16_f32_16x4_avx512)
  gemm_at 1, 4
END(tsr_gemm_at_f16_f32_16x4_avx512)

FUNCTION(tsr_gemm_at_f16_f32_16x5_avx512)
  gemm_at 1, 5
END(tsr_gemm_at_f16_f32_16x5_avx512)

FUNCTION(tsr_gemm_at_f16_f32_16x6_avx512)
  gemm_at 1, 6
END(tsr_gemm_at_f16_f32_16x6_avx512)

FUNCTION(tsr_gemm_at_f16_f32_16x7_avx512)
  gemm_at 1, 7
END(tsr_gemm_at_f16_f32_16x7_avx512)

FUNCTION(tsr_gemm_at_f16_f32_16x8_avx512)
  gemm_at 1, 8
END(tsr_gemm_at_f16_f32_16x8_avx512)
