/* GEMM micro-kernels of 8 vectors (64 rows of f64) x 1 to 3 columns. Formula, registers and loop: gemm_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx512/gemm_tile.h"

FUNCTION(tsr_gemm_f64_64x1_avx512)
  gemm_tile 8, 1
END(tsr_gemm_f64_64x1_avx512)

FUNCTION(tsr_gemm_f64_64x2_avx512)
  gemm_tile 8, 2
END(tsr_gemm_f64_64x2_avx512)

FUNCTION(tsr_gemm_f64_64x3_avx512)
  gemm_tile 8, 3
END(tsr_gemm_f64_64x3_avx512)
