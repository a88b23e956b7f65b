/* Complex GEMM micro-kernels: 1 to 12 vectors (4 to 48 rows of c64) x 1 to 14 columns. Formula, registers and loop:
 * complex_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx512/complex_tile.h"

FUNCTION(tsr_gemm_c64_4x1_avx512)
  complex_tile 1, 1
END(tsr_gemm_c64_4x1_avx512)

FUNCTION(tsr_gemm_c64_4x2_avx512)
  complex_tile 1, 2
END(tsr_gemm_c64_4x2_avx512)

FUNCTION(tsr_gemm_c64_4x3_avx512)
  complex_tile 1, 3
END(tsr_gemm_c64_4x3_avx512)

FUNCTION(tsr_gemm_c64_4x4_avx512)
  complex_tile 1, 4
END(tsr_gemm_c64_4x4_avx512)

FUNCTION(tsr_gemm_c64_4x5_avx512)
  complex_tile 1, 5
END(tsr_gemm_c64_4x5_avx512)

FUNCTION(tsr_gemm_c64_4x6_avx512)
  complex_tile 1, 6
END(tsr_gemm_c64_4x6_avx512)

FUNCTION(tsr_gemm_c64_4x7_avx512)
  complex_tile 1, 7
END(tsr_gemm_c64_4x7_avx512)

FUNCTION(tsr_gemm_c64_4x8_avx512)
  complex_tile 1, 8
END(tsr_gemm_c64_4x8_avx512)

FUNCTION(tsr_gemm_c64_4x9_avx512)
  complex_tile 1, 9
END(tsr_gemm_c64_4x9_avx512)

FUNCTION(tsr_gemm_c64_4x10_avx512)
  complex_tile 1, 10
END(tsr_gemm_c64_4x10_avx512)

FUNCTION(tsr_gemm_c64_4x11_avx512)
  complex_tile 1, 11
END(tsr_gemm_c64_4x11_avx512)

FUNCTION(tsr_gemm_c64_4x12_avx512)
  complex_tile 1, 12
END(tsr_gemm_c64_4x12_avx512)

FUNCTION(tsr_gemm_c64_4x13_avx512)
  complex_tile 1, 13
END(tsr_gemm_c64_4x13_avx512)

FUNCTION(tsr_gemm_c64_4x14_avx512)
  complex_tile 1, 14
END(tsr_gemm_c64_4x14_avx512)

FUNCTION(tsr_gemm_c64_8x1_avx512)
  complex_tile 2, 1
END(tsr_gemm_c64_8x1_avx512)

FUNCTION(tsr_gemm_c64_8x2_avx512)
  complex_tile 2, 2
END(tsr_gemm_c64_8x2_avx512)

FUNCTION(tsr_gemm_c64_8x3_avx512)
  complex_tile 2, 3
END(tsr_gemm_c64_8x3_avx512)

FUNCTION(tsr_gemm_c64_8x4_avx512)
  complex_tile 2, 4
END(tsr_gemm_c64_8x4_avx512)

FUNCTION(tsr_gemm_c64_8x5_avx512)
  complex_tile 2, 5
END(tsr_gemm_c64_8x5_avx512)

FUNCTION(tsr_gemm_c64_8x6_avx512)
  complex_tile 2, 6
END(tsr_gemm_c64_8x6_avx512)

FUNCTION(tsr_gemm_c64_8x7_avx512)
  complex_tile 2, 7
END(tsr_gemm_c64_8x7_avx512)

FUNCTION(tsr_gemm_c64_12x1_avx512)
  complex_tile 3, 1
END(tsr_gemm_c64_12x1_avx512)

FUNCTION(tsr_gemm_c64_12x2_avx512)
  complex_tile 3, 2
END(tsr_gemm_c64_12x2_avx512)

FUNCTION(tsr_gemm_c64_12x3_avx512)
  complex_tile 3, 3
END(tsr_gemm_c64_12x3_avx512)

FUNCTION(tsr_gemm_c64_12x4_avx512)
  complex_tile 3, 4
END(tsr_gemm_c64_12x4_avx512)

FUNCTION(tsr_gemm_c64_16x1_avx512)
  complex_tile 4, 1
END(tsr_gemm_c64_16x1_avx512)

FUNCTION(tsr_gemm_c64_16x2_avx512)
  complex_tile 4, 2
END(tsr_gemm_c64_16x2_avx512)

FUNCTION(tsr_gemm_c64_16x3_avx512)
  complex_tile 4, 3
END(tsr_gemm_c64_16x3_avx512)

FUNCTION(tsr_gemm_c64_24x1_avx512)
  complex_tile 6, 1
END(tsr_gemm_c64_24x1_avx512)

FUNCTION(tsr_gemm_c64_24x2_avx512)
  complex_tile 6, 2
END(tsr_gemm_c64_24x2_avx512)

FUNCTION(tsr_gemm_c64_48x1_avx512)
  complex_tile 12, 1
END(tsr_gemm_c64_48x1_avx512)
