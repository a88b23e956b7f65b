/* GEMM micro-kernels of 12 vectors (192 rows of f32) x 1 to 2 columns. Formula, registers and loop: gemm_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx512/gemm_tile.h"

FUNCTION(tsr_gemm_f32_192x1_avx512)
  gemm_tile 12, 1
END(tsr_gemm_f32_192x1_avx512)

FUNCTION(tsr_gemm_f32_192x2_avx512)
  gemm_tile 12, 2
END(tsr_gemm_f32_192x2_avx512)
