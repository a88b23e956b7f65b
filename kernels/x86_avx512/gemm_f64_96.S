/* GEMM micro-kernels of 12 vectors (96 rows of f64) x 1 to 2 columns. Formula, registers and loop: gemm_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx512/gemm_tile.h"

FUNCTION(tsr_gemm_f64_96x1_avx512)
  gemm_tile 12, 1
END(tsr_gemm_f64_96x1_avx512)

FUNCTION(tsr_gemm_f64_96x2_avx512)
  gemm_tile 12, 2
END(tsr_gemm_f64_96x2_avx512)
