/* Complex GEMM micro-kernels: 1 to 6 vectors (2 to 12 rows of c64) x 1 to 6 columns. Formula, registers and loop:
 * complex_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx2/complex_tile.h"

FUNCTION(tsr_gemm_c64_2x1_avx2)
  complex_tile 1, 1
END(tsr_gemm_c64_2x1_avx2)

FUNCTION(tsr_gemm_c64_2x2_avx2)
  complex_tile 1, 2
END(tsr_gemm_c64_2x2_avx2)

FUNCTION(tsr_gemm_c64_2x3_avx2)
  complex_tile 1, 3
END(tsr_gemm_c64_2x3_avx2)

FUNCTION(tsr_gemm_c64_2x4_avx2)
  complex_tile 1, 4
END(tsr_gemm_c64_2x4_avx2)

FUNCTION(tsr_gemm_c64_2x5_avx2)
  complex_tile 1, 5
END(tsr_gemm_c64_2x5_avx2)

FUNCTION(tsr_gemm_c64_2x6_avx2)
  complex_tile 1, 6
END(tsr_gemm_c64_2x6_avx2)

FUNCTION(tsr_gemm_c64_4x1_avx2)
  complex_tile 2, 1
END(tsr_gemm_c64_4x1_avx2)

FUNCTION(tsr_gemm_c64_4x2_avx2)
  complex_tile 2, 2
END(tsr_gemm_c64_4x2_avx2)

FUNCTION(tsr_gemm_c64_4x3_avx2)
  complex_tile 2, 3
END(tsr_gemm_c64_4x3_avx2)

FUNCTION(tsr_gemm_c64_6x1_avx2)
  complex_tile 3, 1
END(tsr_gemm_c64_6x1_avx2)

FUNCTION(tsr_gemm_c64_6x2_avx2)
  complex_tile 3, 2
END(tsr_gemm_c64_6x2_avx2)

FUNCTION(tsr_gemm_c64_12x1_avx2)
  complex_tile 6, 1
END(tsr_gemm_c64_12x1_avx2)
