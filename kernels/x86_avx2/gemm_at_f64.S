/* GEMM micro-kernels for A lying along k (f64). Formula, registers and loop: gemm_at.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx2/gemm_at.h"

FUNCTION(tsr_gemm_at_f64_4x1_avx2)
  gemm_at 1, 1
END(tsr_gemm_at_f64_4x1_avx2)

FUNCTION(tsr_gemm_at_f64_4x2_avx2)
  gemm_at 1, 2
END(tsr_gemm_at_f64_4x2_avx2)

FUNCTION(tsr_gemm_at_f64_4x3_avx2)
  gemm_at 1, 3
END(tsr_gemm_at_f64_4x3_avx2)

FUNCTION(tsr_gemm_at_f64_4x4_avx2)
  gemm_at 1, 4
END(tsr_gemm_at_f64_4x4_avx2)

FUNCTION(tsr_gemm_at_f64_4x5_avx2)
  gemm_at 1, 5
END(tsr_gemm_at_f64_4x5_avx2)

FUNCTION(tsr_gemm_at_f64_4x6_avx2)
  gemm_at 1, 6
END(tsr_gemm_at_f64_4x6_avx2)

FUNCTION(tsr_gemm_at_f64_4x7_avx2)
  gemm_at 1, 7
END(tsr_gemm_at_f64_4x7_avx2)

FUNCTION(tsr_gemm_at_f64_4x8_avx2)
  gemm_at 1, 8
END(tsr_gemm_at_f64_4x8_avx2)

FUNCTION(tsr_gemm_at_f64_8x1_avx2)
  gemm_at 2, 1
END(tsr_gemm_at_f64_8x1_avx2)

FUNCTION(tsr_gemm_at_f64_8x2_avx2)
  gemm_at 2, 2
END(tsr_gemm_at_f64_8x2_avx2)

FUNCTION(tsr_gemm_at_f64_8x3_avx2)
  gemm_at 2, 3
END(tsr_gemm_at_f64_8x3_avx2)

FUNCTION(tsr_gemm_at_f64_8x4_avx2)
  gemm_at 2, 4
END(tsr_gemm_at_f64_8x4_avx2)

FUNCTION(tsr_gemm_at_f64_16x1_avx2)
  gemm_at 4, 1
END(tsr_gemm_at_f64_16x1_avx2)

FUNCTION(tsr_gemm_at_f64_16x2_avx2)
  gemm_at 4, 2
END(tsr_gemm_at_f64_16x2_avx2)
