/* GEMM micro-kernels of 6 vectors (48 rows of f32) x 1 to 2 columns. Formula, registers and loop: gemm_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx2/gemm_tile.h"

FUNCTION(tsr_gemm_f32_48x1_avx2)
  gemm_tile 6, 1
END(tsr_gemm_f32_48x1_avx2)

FUNCTION(tsr_gemm_f32_48x2_avx2)
  gemm_tile 6, 2
END(tsr_gemm_f32_48x2_avx2)
