/* GEMM micro-kernels of 0, 1 or 2 vectors and a half (8, 24 or 40 rows of f32) x 1 to 16 columns (2 vectors: 1 to 10).
 * Formula, registers and loop: gemm_half.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx512/gemm_half.h"

FUNCTION(tsr_gemm_f32_8x1_avx512)
  gemm_half 0, 1
END(tsr_gemm_f32_8x1_avx512)

FUNCTION(tsr_gemm_f32_8x2_avx512)
  gemm_half 0, 2
END(tsr_gemm_f32_8x2_avx512)

FUNCTION(tsr_gemm_f32_8x3_avx512)
  gemm_half 0, 3
END(tsr_gemm_f32_8x3_avx512)

FUNCTION(tsr_gemm_f32_8x4_avx512)
  gemm_half 0, 4
END(tsr_gemm_f32_8x4_avx512)

FUNCTION(tsr_gemm_f32_8x5_avx512)
  gemm_half 0, 5
END(tsr_gemm_f32_8x5_avx512)

FUNCTION(tsr_gemm_f32_8x6_avx512)
  gemm_half 0, 6
END(tsr_gemm_f32_8x6_avx512)

FUNCTION(tsr_gemm_f32_8x7_avx512)
  gemm_half 0, 7
END(tsr_gemm_f32_8x7_avx512)

FUNCTION(tsr_gemm_f32_8x8_avx512)
  gemm_half 0, 8
END(tsr_gemm_f32_8x8_avx512)

FUNCTION(tsr_gemm_f32_8x9_avx512)
  gemm_half 0, 9
END(tsr_gemm_f32_8x9_avx512)

FUNCTION(tsr_gemm_f32_8x10_avx512)
  gemm_half 0, 10
END(tsr_gemm_f32_8x10_avx512)

FUNCTION(tsr_gemm_f32_8x11_avx512)
  gemm_half 0, 11
END(tsr_gemm_f32_8x11_avx512)

FUNCTION(tsr_gemm_f32_8x12_avx512)
  gemm_half 0, 12
END(tsr_gemm_f32_8x12_avx512)

FUNCTION(tsr_gemm_f32_8x13_avx512)
  gemm_half 0, 13
END(tsr_gemm_f32_8x13_avx512)

FUNCTION(tsr_gemm_f32_8x14_avx512)
  gemm_half 0, 14
END(tsr_gemm_f32_8x14_avx512)

FUNCTION(tsr_gemm_f32_8x15_avx512)
  gemm_half 0, 15
END(tsr_gemm_f32_8x15_avx512)

FUNCTION(tsr_gemm_f32_8x16_avx512)
  gemm_half 0, 16
END(tsr_gemm_f32_8x16_avx512)

FUNCTION(tsr_gemm_f32_24x1_avx512)
  gemm_half 1, 1
END(tsr_gemm_f32_24x1_avx512)

FUNCTION(tsr_gemm_f32_24x2_avx512)
  gemm_half 1, 2
END(tsr_gemm_f32_24x2_avx512)

FUNCTION(tsr_gemm_f32_24x3_avx512)
  gemm_half 1, 3
END(tsr_gemm_f32_24x3_avx512)

FUNCTION(tsr_gemm_f32_24x4_avx512)
  gemm_half 1, 4
END(tsr_gemm_f32_24x4_avx512)

FUNCTION(tsr_gemm_f32_24x5_avx512)
  gemm_half 1, 5
END(tsr_gemm_f32_24x5_avx512)

FUNCTION(tsr_gemm_f32_24x6_avx512)
  gemm_half 1, 6
END(tsr_gemm_f32_24x6_avx512)

FUNCTION(tsr_gemm_f32_24x7_avx512)
  gemm_half 1, 7
END(tsr_gemm_f32_24x7_avx512)

FUNCTION(tsr_gemm_f32_24x8_avx512)
  gemm_half 1, 8
END(tsr_gemm_f32_24x8_avx512)

FUNCTION(tsr_gemm_f32_24x9_avx512)
  gemm_half 1, 9
END(tsr_gemm_f32_24x9_avx512)

FUNCTION(tsr_gemm_f32_24x10_avx512)
  gemm_half 1, 10
END(tsr_gemm_f32_24x10_avx512)

FUNCTION(tsr_gemm_f32_24x11_avx512)
  gemm_half 1, 11
END(tsr_gemm_f32_24x11_avx512)

FUNCTION(tsr_gemm_f32_24x12_avx512)
  gemm_half 1, 12
END(tsr_gemm_f32_24x12_avx512)

FUNCTION(tsr_gemm_f32_24x13_avx512)
  gemm_half 1, 13
END(tsr_gemm_f32_24x13_avx512)

FUNCTION(tsr_gemm_f32_24x14_avx512)
  gemm_half 1, 14
END(tsr_gemm_f32_24x14_avx512)

FUNCTION(tsr_gemm_f32_24x15_avx512)
  gemm_half 1, 15
END(tsr_gemm_f32_24x15_avx512)

FUNCTION(tsr_gemm_f32_24x16_avx512)
  gemm_half 1, 16
END(tsr_gemm_f32_24x16_avx512)

FUNCTION(tsr_gemm_f32_40x1_avx512)
  gemm_half 2, 1
END(tsr_gemm_f32_40x1_avx512)

FUNCTION(tsr_gemm_f32_40x2_avx512)
  gemm_half 2, 2
END(tsr_gemm_f32_40x2_avx512)

FUNCTION(tsr_gemm_f32_40x3_avx512)
  gemm_half 2, 3
END(tsr_gemm_f32_40x3_avx512)

FUNCTION(tsr_gemm_f32_40x4_avx512)
  gemm_half 2, 4
END(tsr_gemm_f32_40x4_avx512)

FUNCTION(tsr_gemm_f32_40x5_avx512)
  gemm_half 2, 5
END(tsr_gemm_f32_40x5_avx512)

FUNCTION(tsr_gemm_f32_40x6_avx512)
  gemm_half 2, 6
END(tsr_gemm_f32_40x6_avx512)

FUNCTION(tsr_gemm_f32_40x7_avx512)
  gemm_half 2, 7
END(tsr_gemm_f32_40x7_avx512)

FUNCTION(tsr_gemm_f32_40x8_avx512)
  gemm_half 2, 8
END(tsr_gemm_f32_40x8_avx512)

FUNCTION(tsr_gemm_f32_40x9_avx512)
  gemm_half 2, 9
END(tsr_gemm_f32_40x9_avx512)

FUNCTION(tsr_gemm_f32_40x10_avx512)
  gemm_half 2, 10
END(tsr_gemm_f32_40x10_avx512)
