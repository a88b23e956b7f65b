/* GEMM micro-kernels of 0, 1 or 2 vectors and a half (4, 12 or 20 rows of f64) x 1 to 16 columns (2 vectors: 1 to 10).
 * Formula, registers and loop: gemm_half.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx512/gemm_half.h"

FUNCTION(tsr_gemm_f64_4x1_avx512)
  gemm_half 0, 1
END(tsr_gemm_f64_4x1_avx512)

FUNCTION(tsr_gemm_f64_4x2_avx512)
  gemm_half 0, 2
END(tsr_gemm_f64_4x2_avx512)

FUNCTION(tsr_gemm_f64_4x3_avx512)
  gemm_half 0, 3
END(tsr_gemm_f64_4x3_avx512)

FUNCTION(tsr_gemm_f64_4x4_avx512)
  gemm_half 0, 4
END(tsr_gemm_f64_4x4_avx512)

FUNCTION(tsr_gemm_f64_4x5_avx512)
  gemm_half 0, 5
END(tsr_gemm_f64_4x5_avx512)

FUNCTION(tsr_gemm_f64_4x6_avx512)
  gemm_half 0, 6
END(tsr_gemm_f64_4x6_avx512)

FUNCTION(tsr_gemm_f64_4x7_avx512)
  gemm_half 0, 7
END(tsr_gemm_f64_4x7_avx512)

FUNCTION(tsr_gemm_f64_4x8_avx512)
  gemm_half 0, 8
END(tsr_gemm_f64_4x8_avx512)

FUNCTION(tsr_gemm_f64_4x9_avx512)
  gemm_half 0, 9
END(tsr_gemm_f64_4x9_avx512)

FUNCTION(tsr_gemm_f64_4x10_avx512)
  gemm_half 0, 10
END(tsr_gemm_f64_4x10_avx512)

FUNCTION(tsr_gemm_f64_4x11_avx512)
  gemm_half 0, 11
END(tsr_gemm_f64_4x11_avx512)

FUNCTION(tsr_gemm_f64_4x12_avx512)
  gemm_half 0, 12
END(tsr_gemm_f64_4x12_avx512)

FUNCTION(tsr_gemm_f64_4x13_avx512)
  gemm_half 0, 13
END(tsr_gemm_f64_4x13_avx512)

FUNCTION(tsr_gemm_f64_4x14_avx512)
  gemm_half 0, 14
END(tsr_gemm_f64_4x14_avx512)

FUNCTION(tsr_gemm_f64_4x15_avx512)
  gemm_half 0, 15
END(tsr_gemm_f64_4x15_avx512)

FUNCTION(tsr_gemm_f64_4x16_avx512)
  gemm_half 0, 16
END(tsr_gemm_f64_4x16_avx512)

FUNCTION(tsr_gemm_f64_12x1_avx512)
  gemm_half 1, 1
END(tsr_gemm_f64_12x1_avx512)

FUNCTION(tsr_gemm_f64_12x2_avx512)
  gemm_half 1, 2
END(tsr_gemm_f64_12x2_avx512)

FUNCTION(tsr_gemm_f64_12x3_avx512)
  gemm_half 1, 3
END(tsr_gemm_f64_12x3_avx512)

FUNCTION(tsr_gemm_f64_12x4_avx512)
  gemm_half 1, 4
END(tsr_gemm_f64_12x4_avx512)

FUNCTION(tsr_gemm_f64_12x5_avx512)
  gemm_half 1, 5
END(tsr_gemm_f64_12x5_avx512)

FUNCTION(tsr_gemm_f64_12x6_avx512)
  gemm_half 1, 6
END(tsr_gemm_f64_12x6_avx512)

FUNCTION(tsr_gemm_f64_12x7_avx512)
  gemm_half 1, 7
END(tsr_gemm_f64_12x7_avx512)

FUNCTION(tsr_gemm_f64_12x8_avx512)
  gemm_half 1, 8
END(tsr_gemm_f64_12x8_avx512)

FUNCTION(tsr_gemm_f64_12x9_avx512)
  gemm_half 1, 9
END(tsr_gemm_f64_12x9_avx512)

FUNCTION(tsr_gemm_f64_12x10_avx512)
  gemm_half 1, 10
END(tsr_gemm_f64_12x10_avx512)

FUNCTION(tsr_gemm_f64_12x11_avx512)
  gemm_half 1, 11
END(tsr_gemm_f64_12x11_avx512)

FUNCTION(tsr_gemm_f64_12x12_avx512)
  gemm_half 1, 12
END(tsr_gemm_f64_12x12_avx512)

FUNCTION(tsr_gemm_f64_12x13_avx512)
  gemm_half 1, 13
END(tsr_gemm_f64_12x13_avx512)

FUNCTION(tsr_gemm_f64_12x14_avx512)
  gemm_half 1, 14
END(tsr_gemm_f64_12x14_avx512)

FUNCTION(tsr_gemm_f64_12x15_avx512)
  gemm_half 1, 15
END(tsr_gemm_f64_12x15_avx512)

FUNCTION(tsr_gemm_f64_12x16_avx512)
  gemm_half 1, 16
END(tsr_gemm_f64_12x16_avx512)

FUNCTION(tsr_gemm_f64_20x1_avx512)
  gemm_half 2, 1
END(tsr_gemm_f64_20x1_avx512)

FUNCTION(tsr_gemm_f64_20x2_avx512)
  gemm_half 2, 2
END(tsr_gemm_f64_20x2_avx512)

FUNCTION(tsr_gemm_f64_20x3_avx512)
  gemm_half 2, 3
END(tsr_gemm_f64_20x3_avx512)

FUNCTION(tsr_gemm_f64_20x4_avx512)
  gemm_half 2, 4
END(tsr_gemm_f64_20x4_avx512)

FUNCTION(tsr_gemm_f64_20x5_avx512)
  gemm_half 2, 5
END(tsr_gemm_f64_20x5_avx512)

FUNCTION(tsr_gemm_f64_20x6_avx512)
  gemm_half 2, 6
END(tsr_gemm_f64_20x6_avx512)

FUNCTION(tsr_gemm_f64_20x7_avx512)
  gemm_half 2, 7
END(tsr_gemm_f64_20x7_avx512)

FUNCTION(tsr_gemm_f64_20x8_avx512)
  gemm_half 2, 8
END(tsr_gemm_f64_20x8_avx512)

FUNCTION(tsr_gemm_f64_20x9_avx512)
  gemm_half 2, 9
END(tsr_gemm_f64_20x9_avx512)

FUNCTION(tsr_gemm_f64_20x10_avx512)
  gemm_half 2, 10
END(tsr_gemm_f64_20x10_avx512)
