/* GEMM micro-kernels of 1 vectors (16 rows of f32) x 1 to 16 columns. Formula, registers and loop: gemm_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx512/gemm_tile.h"

FUNCTION(tsr_gemm_f32_16x1_avx512)
  gemm_tile 1, 1
END(tsr_gemm_f32_16x1_avx512)

FUNCTION(tsr_gemm_f32_16x2_avx512)
  gemm_tile 1, 2
END(tsr_gemm_f32_16x2_avx512)

FUNCTION(tsr_gemm_f32_16x3_avx512)
  gemm_tile 1, 3
END(tsr_gemm_f32_16x3_avx512)

FUNCTION(tsr_gemm_f32_16x4_avx512)
  gemm_tile 1, 4
END(tsr_gemm_f32_16x4_avx512)

FUNCTION(tsr_gemm_f32_16x5_avx512)
  gemm_tile 1, 5
END(tsr_gemm_f32_16x5_avx512)

FUNCTION(tsr_gemm_f32_16x6_avx512)
  gemm_tile 1, 6
END(tsr_gemm_f32_16x6_avx512)

FUNCTION(tsr_gemm_f32_16x7_avx512)
  gemm_tile 1, 7
END(tsr_gemm_f32_16x7_avx512)

FUNCTION(tsr_gemm_f32_16x8_avx512)
  gemm_tile 1, 8
END(tsr_gemm_f32_16x8_avx512)

FUNCTION(tsr_gemm_f32_16x9_avx512)
  gemm_tile 1, 9
END(tsr_gemm_f32_16x9_avx512)

FUNCTION(tsr_gemm_f32_16x10_avx512)
  gemm_tile 1, 10
END(tsr_gemm_f32_16x10_avx512)

FUNCTION(tsr_gemm_f32_16x11_avx512)
  gemm_tile 1, 11
END(tsr_gemm_f32_16x11_avx512)

FUNCTION(tsr_gemm_f32_16x12_avx512)
  gemm_tile 1, 12
END(tsr_gemm_f32_16x12_avx512)

FUNCTION(tsr_gemm_f32_16x13_avx512)
  gemm_tile 1, 13
END(tsr_gemm_f32_16x13_avx512)

FUNCTION(tsr_gemm_f32_16x14_avx512)
  gemm_tile 1, 14
END(tsr_gemm_f32_16x14_avx512)

FUNCTION(tsr_gemm_f32_16x15_avx512)
  gemm_tile 1, 15
END(tsr_gemm_f32_16x15_avx512)

FUNCTION(tsr_gemm_f32_16x16_avx512)
  gemm_tile 1, 16
END(tsr_gemm_f32_16x16_avx512)
