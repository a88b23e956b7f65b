/* GEMM micro-kernels of 12 vectors (96 rows of f32) x 1 column. Formula, registers and loop: gemm_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx2/gemm_tile.h"

FUNCTION(tsr_gemm_f32_96x1_avx2)
  gemm_tile 12, 1
END(tsr_gemm_f32_96x1_avx2)
