/* GEMM micro-kernels of 2 vectors (8 rows of f64) x 1 to 6 columns. Formula, registers and loop: gemm_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx2/gemm_tile.h"

FUNCTION(tsr_gemm_f64_8x1_avx2)
  gemm_tile 2, 1
END(tsr_gemm_f64_8x1_avx2)

FUNCTION(tsr_gemm_f64_8x2_avx2)
  gemm_tile 2, 2
END(tsr_gemm_f64_8x2_avx2)

FUNCTION(tsr_gemm_f64_8x3_avx2)
  gemm_tile 2, 3
END(tsr_gemm_f64_8x3_avx2)

FUNCTION(tsr_gemm_f64_8x4_avx2)
  gemm_tile 2, 4
END(tsr_gemm_f64_8x4_avx2)

FUNCTION(tsr_gemm_f64_8x5_avx2)
  gemm_tile 2, 5
END(tsr_gemm_f64_8x5_avx2)

FUNCTION(tsr_gemm_f64_8x6_avx2)
  gemm_tile 2, 6
END(tsr_gemm_f64_8x6_avx2)
