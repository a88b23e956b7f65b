/* GEMM micro-kernels of 24 vectors (384 rows of f32) x 1 to 1 columns. Formula, registers and loop: gemm_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx512/gemm_tile.h"

FUNCTION(tsr_gemm_f32_384x1_avx512)
  gemm_tile 24, 1
END(tsr_gemm_f32_384x1_avx512)
