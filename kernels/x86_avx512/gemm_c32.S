/* Complex GEMM micro-kernels: 1 to 12 vectors (8 to 96 rows of c32) x 1 to 14 columns. Formula, registers and loop:
 * complex_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx512/complex_tile.h"

FUNCTION(tsr_gemm_c32_8x1_avx512)
  complex_tile 1, 1
END(tsr_gemm_c32_8x1_avx512)

FUNCTION(tsr_gemm_c32_8x2_avx512)
  complex_tile 1, 2
END(tsr_gemm_c32_8x2_avx512)

FUNCTION(tsr_gemm_c32_8x3_avx512)
  complex_tile 1, 3
END(tsr_gemm_c32_8x3_avx512)

FUNCTION(tsr_gemm_c32_8x4_avx512)
  complex_tile 1, 4
END(tsr_gemm_c32_8x4_avx512)

FUNCTION(tsr_gemm_c32_8x5_avx512)
  complex_tile 1, 5
END(tsr_gemm_c32_8x5_avx512)

FUNCTION(tsr_gemm_c32_8x6_avx512)
  complex_tile 1, 6
END(tsr_gemm_c32_8x6_avx512)

FUNCTION(tsr_gemm_c32_8x7_avx512)
  complex_tile 1, 7
END(tsr_gemm_c32_8x7_avx512)

FUNCTION(tsr_gemm_c32_8x8_avx512)
  complex_tile 1, 8
END(tsr_gemm_c32_8x8_avx512)

FUNCTION(tsr_gemm_c32_8x9_avx512)
  complex_tile 1, 9
END(tsr_gemm_c32_8x9_avx512)

FUNCTION(tsr_gemm_c32_8x10_avx512)
  complex_tile 1, 10
END(tsr_gemm_c32_8x10_avx512)

FUNCTION(tsr_gemm_c32_8x11_avx512)
  complex_tile 1, 11
END(tsr_gemm_c32_8x11_avx512)

FUNCTION(tsr_gemm_c32_8x12_avx512)
  complex_tile 1, 12
END(tsr_gemm_c32_8x12_avx512)

FUNCTION(tsr_gemm_c32_8x13_avx512)
  complex_tile 1, 13
END(tsr_gemm_c32_8x13_avx512)

FUNCTION(tsr_gemm_c32_8x14_avx512)
  complex_tile 1, 14
END(tsr_gemm_c32_8x14_avx512)

FUNCTION(tsr_gemm_c32_16x1_avx512)
  complex_tile 2, 1
END(tsr_gemm_c32_16x1_avx512)

FUNCTION(tsr_gemm_c32_16x2_avx512)
  complex_tile 2, 2
END(tsr_gemm_c32_16x2_avx512)

FUNCTION(tsr_gemm_c32_16x3_avx512)
  complex_tile 2, 3
END(tsr_gemm_c32_16x3_avx512)

FUNCTION(tsr_gemm_c32_16x4_avx512)
  complex_tile 2, 4
END(tsr_gemm_c32_16x4_avx512)

FUNCTION(tsr_gemm_c32_16x5_avx512)
  complex_tile 2, 5
END(tsr_gemm_c32_16x5_avx512)

FUNCTION(tsr_gemm_c32_16x6_avx512)
  complex_tile 2, 6
END(tsr_gemm_c32_16x6_avx512)

FUNCTION(tsr_gemm_c32_16x7_avx512)
  complex_tile 2, 7
END(tsr_gemm_c32_16x7_avx512)

FUNCTION(tsr_gemm_c32_24x1_avx512)
  complex_tile 3, 1
END(tsr_gemm_c32_24x1_avx512)

FUNCTION(tsr_gemm_c32_24x2_avx512)
  complex_tile 3, 2
END(tsr_gemm_c32_24x2_avx512)

FUNCTION(tsr_gemm_c32_24x3_avx512)
  complex_tile 3, 3
END(tsr_gemm_c32_24x3_avx512)

FUNCTION(tsr_gemm_c32_24x4_avx512)
  complex_tile 3, 4
END(tsr_gemm_c32_24x4_avx512)

FUNCTION(tsr_gemm_c32_32x1_avx512)
  complex_tile 4, 1
END(tsr_gemm_c32_32x1_avx512)

FUNCTION(tsr_gemm_c32_32x2_avx512)
  complex_tile 4, 2
END(tsr_gemm_c32_32x2_avx512)

FUNCTION(tsr_gemm_c32_32x3_avx512)
  complex_tile 4, 3
END(tsr_gemm_c32_32x3_avx512)

FUNCTION(tsr_gemm_c32_48x1_avx512)
  complex_tile 6, 1
END(tsr_gemm_c32_48x1_avx512)

FUNCTION(tsr_gemm_c32_48x2_avx512)
  complex_tile 6, 2
END(tsr_gemm_c32_48x2_avx512)

FUNCTION(tsr_gemm_c32_96x1_avx512)
  complex_tile 12, 1
END(tsr_gemm_c32_96x1_avx512)
