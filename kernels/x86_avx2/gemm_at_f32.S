/* GEMM micro-kernels for A lying along k (f32). Formula, registers and loop: gemm_at.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx2/gemm_at.h"

FUNCTION(tsr_gemm_at_f32_8x1_avx2)
  gemm_at 1, 1
END(tsr_gemm_at_f32_8x1_avx2)

FUNCTION(tsr_gemm_at_f32_8x2_avx2)
  gemm_at 1, 2
END(tsr_gemm_at_f32_8x2_avx2)

FUNCTION(tsr_gemm_at_f32_8x3_avx2)
  gemm_at 1, 3
END(tsr_gemm_at_f32_8x3_avx2)

FUNCTION(tsr_gemm_at_f32_8x4_avx2)
  gemm_at 1, 4
END(tsr_gemm_at_f32_8x4_avx2)

FUNCTION(tsr_gemm_at_f32_8x5_avx2)
  gemm_at 1, 5
END(tsr_gemm_at_f32_8x5_avx2)

FUNCTION(tsr_gemm_at_f32_8x6_avx2)
  gemm_at 1, 6
END(tsr_gemm_at_f32_8x6_avx2)

FUNCTION(tsr_gemm_at_f32_8x7_avx2)
  gemm_at 1, 7
END(tsr_gemm_at_f32_8x7_avx2)

FUNCTION(tsr_gemm_at_f32_8x8_avx2)
  gemm_at 1, 8
END(tsr_gemm_at_f32_8x8_avx2)

FUNCTION(tsr_gemm_at_f32_16x1_avx2)
  gemm_at 2, 1
END(tsr_gemm_at_f32_16x1_avx2)

FUNCTION(tsr_gemm_at_f32_16x2_avx2)
  gemm_at 2, 2
END(tsr_gemm_at_f32_16x2_avx2)

FUNCTION(tsr_gemm_at_f32_16x3_avx2)
  gemm_at 2, 3
END(tsr_gemm_at_f32_16x3_avx2)

FUNCTION(tsr_gemm_at_f32_16x4_avx2)
  gemm_at 2, 4
END(tsr_gemm_at_f32_16x4_avx2)

FUNCTION(tsr_gemm_at_f32_32x1_avx2)
  gemm_at 4, 1
END(tsr_gemm_at_f32_32x1_avx2)

FUNCTION(tsr_gemm_at_f32_32x2_avx2)
  gemm_at 4, 2
END(tsr_gemm_at_f32_32x2_avx2)
