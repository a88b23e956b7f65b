/* GEMM micro-kernels of 4 vectors (16 rows of f64) x 1 to 3 columns. Formula, registers and loop: gemm_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx2/gemm_tile.h"

FUNCTION(tsr_gemm_f64_16x1_avx2)
  gemm_tile 4, 1
END(tsr_gemm_f64_16x1_avx2)

FUNCTION(tsr_gemm_f64_16x2_avx2)
  gemm_tile 4, 2
END(tsr_gemm_f64_16x2_avx2)

FUNCTION(tsr_gemm_f64_16x3_avx2)
  gemm_tile 4, 3
END(tsr_gemm_f64_16x3_avx2)
