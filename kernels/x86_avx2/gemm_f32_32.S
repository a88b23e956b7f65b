/* GEMM micro-kernels of 4 vectors (32 rows of f32) x 1 to 3 columns. Formula, registers and loop: gemm_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx2/gemm_tile.h"

FUNCTION(tsr_gemm_f32_32x1_avx2)
  gemm_tile 4, 1
END(tsr_gemm_f32_32x1_avx2)

FUNCTION(tsr_gemm_f32_32x2_avx2)
  gemm_tile 4, 2
END(tsr_gemm_f32_32x2_avx2)

FUNCTION(tsr_gemm_f32_32x3_avx2)
  gemm_tile 4, 3
END(tsr_gemm_f32_32x3_avx2)
