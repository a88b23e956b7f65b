/* Complex GEMM micro-kernels: 1 to 6 vectors (4 to 24 rows of c32) x 1 to 6 columns. Formula, registers and loop:
 * complex_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx2/complex_tile.h"

FUNCTION(tsr_gemm_c32_4x1_avx2)
  complex_tile 1, 1
END(tsr_gemm_c32_4x1_avx2)

FUNCTION(tsr_gemm_c32_4x2_avx2)
  complex_tile 1, 2
END(tsr_gemm_c32_4x2_avx2)

FUNCTION(tsr_gemm_c32_4x3_avx2)
  complex_tile 1, 3
END(tsr_gemm_c32_4x3_avx2)

FUNCTION(tsr_gemm_c32_4x4_avx2)
  complex_tile 1, 4
END(tsr_gemm_c32_4x4_avx2)

FUNCTION(tsr_gemm_c32_4x5_avx2)
  complex_tile 1, 5
END(tsr_gemm_c32_4x5_avx2)

FUNCTION(tsr_gemm_c32_4x6_avx2)
  complex_tile 1, 6
END(tsr_gemm_c32_4x6_avx2)

FUNCTION(tsr_gemm_c32_8x1_avx2)
  complex_tile 2, 1
END(tsr_gemm_c32_8x1_avx2)

FUNCTION(tsr_gemm_c32_8x2_avx2)
  complex_tile 2, 2
END(tsr_gemm_c32_8x2_avx2)

FUNCTION(tsr_gemm_c32_8x3_avx2)
  complex_tile 2, 3
END(tsr_gemm_c32_8x3_avx2)

FUNCTION(tsr_gemm_c32_12x1_avx2)
  complex_tile 3, 1
END(tsr_gemm_c32_12x1_avx2)

FUNCTION(tsr_gemm_c32_12x2_avx2)
  complex_tile 3, 2
END(tsr_gemm_c32_12x2_avx2)

FUNCTION(tsr_gemm_c32_24x1_avx2)
  complex_tile 6, 1
END(tsr_gemm_c32_24x1_avx2)
