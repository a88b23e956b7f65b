/* GEMM micro-kernels of 24 vectors (192 rows of f64) x 1 to 1 columns. Formula, registers and loop: gemm_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx512/gemm_tile.h"

FUNCTION(tsr_gemm_f64_192x1_avx512)
  gemm_tile 24, 1
END(tsr_gemm_f64_192x1_avx512)
