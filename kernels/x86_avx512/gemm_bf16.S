/* GEMM micro-kernels whose A is bf16 and is converted on the way: 1, 2, 3, 4 and 8 vectors (16 to 128 rows) x 1 to 8,
 * 6 or 3 columns. Formula, registers and loop: gemm_tile.h. */
#define TSR_ELEMENT_F32
#define TSR_A_BF16
#include "kernels/x86_avx512/gemm_tile.h"

FUNCTION(tsr_gemm_bf16_f32_48x1_avx512)
  gemm_tile 3, 1
END(tsr_gemm_bf16_f32_48x1_avx512)

FUNCTION(tsr_gemm_bf16_f32_48x2_avx512)
  gemm_tile 3, 2
END(tsr_gemm_bf16_f32_48x2_avx512)

FUNCTION(tsr_gemm_bf16_f32_48x3_avx512)
  gemm_tile 3, 3
END(tsr_gemm_bf16_f32_48x3_avx512)

FUNCTION(tsr_gemm_bf16_f32_48x4_avx512)
  gemm_tile 3, 4
END(tsr_gemm_bf16_f32_48x4_avx512)

FUNCTION(tsr_gemm_bf16_f32_48x5_avx512)
  gemm_tile 3, 5
END(tsr_gemm_bf16_f32_48x5_avx512)

FUNCTION(tsr_gemm_bf16_f32_48x6_avx512)
  gemm_tile 3, 6
END(tsr_gemm_bf16_f32_48x6_avx512)

FUNCTION(tsr_gemm_bf16_f32_48x7_avx512)
  gemm_tile 3, 7
END(tsr_gemm_bf16_f32_48x7_avx512)

FUNCTION(tsr_gemm_bf16_f32_48x8_avx512)
  gemm_tile 3, 8
END(tsr_gemm_bf16_f32_48x8_avx512)

FUNCTION(tsr_gemm_bf16_f32_16x1_avx512)
  gemm_tile 1, 1
END(tsr_gemm_bf16_f32_16x1_avx512)

FUNCTION(tsr_gemm_bf16_f32_16x2_avx512)
  gemm_tile 1, 2
END(tsr_gemm_bf16_f32_16x2_avx512)

FUNCTION(tsr_gemm_bf16_f32_16x3_avx512)
  gemm_tile 1, 3
END(tsr_gemm_bf16_f32_16x3_avx512)

FUNCTION(tsr_gemm_bf16_f32_16x4_avx512)
  gemm_tile 1, 4
END(tsr_gemm_bf16_f32_16x4_avx512)

FUNCTION(tsr_gemm_bf16_f32_16x5_avx512)
  gemm_tile 1, 5
END(tsr_gemm_bf16_f32_16x5_avx512)

FUNCTION(tsr_gemm_bf16_f32_16x6_avx512)
  gemm_tile 1, 6
END(tsr_gemm_bf16_f32_16x6_avx512)

FUNCTION(tsr_gemm_bf16_f32_16x7_avx512)
  gemm_tile 1, 7
END(tsr_gemm_bf16_f32_16x7_avx512)

FUNCTION(tsr_gemm_bf16_f32_16x8_avx512)
  gemm_tile 1, 8
END(tsr_gemm_bf16_f32_16x8_avx512)

FUNCTION(tsr_gemm_bf16_f32_32x1_avx512)
  gemm_tile 2, 1
END(tsr_gemm_bf16_f32_32x1_avx512)

FUNCTION(tsr_gemm_bf16_f32_32x2_avx512)
  gemm_tile 2, 2
END(tsr_gemm_bf16_f32_32x2_avx512)

FUNCTION(tsr_gemm_bf16_f32_32x3_avx512)
  gemm_tile 2, 3
END(tsr_gemm_bf16_f32_32x3_avx512)

FUNCTION(tsr_gemm_bf16_f32_32x4_avx512)
  gemm_tile 2, 4
END(tsr_gemm_bf16_f32_32x4_avx512)

FUNCTION(tsr_gemm_bf16_f32_32x5_avx512)
  gemm_tile 2, 5
END(tsr_gemm_bf16_f32_32x5_avx512)

FUNCTION(tsr_gemm_bf16_f32_32x6_avx512)
  gemm_tile 2, 6
END(tsr_gemm_bf16_f32_32x6_avx512)

FUNCTION(tsr_gemm_bf16_f32_32x7_avx512)
  gemm_tile 2, 7
END(tsr_gemm_bf16_f32_32x7_avx512)

FUNCTION(tsr_gemm_bf16_f32_32x8_avx512)
  gemm_tile 2, 8
END(tsr_gemm_bf16_f32_32x8_avx512)

FUNCTION(tsr_gemm_bf16_f32_64x1_avx512)
  gemm_tile 4, 1
END(tsr_gemm_bf16_f32_64x1_avx512)

FUNCTION(tsr_gemm_bf16_f32_64x2_avx512)
  gemm_tile 4, 2
END(tsr_gemm_bf16_f32_64x2_avx512)

FUNCTION(tsr_gemm_bf16_f32_64x3_avx512)
  gemm_tile 4, 3
END(tsr_gemm_bf16_f32_64x3_avx512)

FUNCTION(tsr_gemm_bf16_f32_64x4_avx512)
  gemm_tile 4, 4
END(tsr_gemm_bf16_f32_64x4_avx512)

FUNCTION(tsr_gemm_bf16_f32_64x5_avx512)
  gemm_tile 4, 5
END(tsr_gemm_bf16_f32_64x5_avx512)

FUNCTION(tsr_gemm_bf16_f32_64x6_avx512)
  gemm_tile 4, 6
END(tsr_gemm_bf16_f32_64x6_avx512)

FUNCTION(tsr_gemm_bf16_f32_128x1_avx512)
  gemm_tile 8, 1
END(tsr_gemm_bf16_f32_128x1_avx512)

FUNCTION(tsr_gemm_bf16_f32_128x2_avx512)
  gemm_tile 8, 2
END(tsr_gemm_bf16_f32_128x2_avx512)

FUNCTION(tsr_gemm_bf16_f32_128x3_avx512)
  gemm_tile 8, 3
END(tsr_gemm_bf16_f32_128x3_avx512)
