/* GEMM micro-kernels whose A is in blocks of q8_0: 2, 4 and 8 vectors (32, 64, 128 rows) x 1 to 8, 6 or 3 columns.
 * Formula, registers and loop: gemm_tile.h; the blocks: blocks.h. */
#define TSR_ELEMENT_F32
#define TSR_A_Q8_0
#include "kernels/x86_avx512/gemm_tile.h"

FUNCTION(tsr_gemm_q8_0_f32_32x1_avx512)
  load_integers 7
  gemm_tile 2, 1
END(tsr_gemm_q8_0_f32_32x1_avx512)

FUNCTION(tsr_gemm_q8_0_f32_32x2_avx512)
  load_integers 7
  gemm_tile 2, 2
END(tsr_gemm_q8_0_f32_32x2_avx512)

FUNCTION(tsr_gemm_q8_0_f32_32x3_avx512)
  load_integers 7
  gemm_tile 2, 3
END(tsr_gemm_q8_0_f32_32x3_avx512)

FUNCTION(tsr_gemm_q8_0_f32_32x4_avx512)
  load_integers 7
  gemm_tile 2, 4
END(tsr_gemm_q8_0_f32_32x4_avx512)

FUNCTION(tsr_gemm_q8_0_f32_32x5_avx512)
  load_integers 7
  gemm_tile 2, 5
END(tsr_gemm_q8_0_f32_32x5_avx512)

FUNCTION(tsr_gemm_q8_0_f32_32x6_avx512)
  load_integers 7
  gemm_tile 2, 6
END(tsr_gemm_q8_0_f32_32x6_avx512)

FUNCTION(tsr_gemm_q8_0_f32_32x7_avx512)
  load_integers 7
  gemm_tile 2, 7
END(tsr_gemm_q8_0_f32_32x7_avx512)

FUNCTION(tsr_gemm_q8_0_f32_32x8_avx512)
  load_integers 7
  gemm_tile 2, 8
END(tsr_gemm_q8_0_f32_32x8_avx512)

FUNCTION(tsr_gemm_q8_0_f32_64x1_avx512)
  load_integers 7
  gemm_tile 4, 1
END(tsr_gemm_q8_0_f32_64x1_avx512)

FUNCTION(tsr_gemm_q8_0_f32_64x2_avx512)
  load_integers 7
  gemm_tile 4, 2
END(tsr_gemm_q8_0_f32_64x2_avx512)

FUNCTION(tsr_gemm_q8_0_f32_64x3_avx512)
  load_integers 7
  gemm_tile 4, 3
END(tsr_gemm_q8_0_f32_64x3_avx512)

FUNCTION(tsr_gemm_q8_0_f32_64x4_avx512)
  load_integers 7
  gemm_tile 4, 4
END(tsr_gemm_q8_0_f32_64x4_avx512)

FUNCTION(tsr_gemm_q8_0_f32_64x5_avx512)
  load_integers 7
  gemm_tile 4, 5
END(tsr_gemm_q8_0_f32_64x5_avx512)

FUNCTION(tsr_gemm_q8_0_f32_64x6_avx512)
  load_integers 7
  gemm_tile 4, 6
END(tsr_gemm_q8_0_f32_64x6_avx512)

FUNCTION(tsr_gemm_q8_0_f32_128x1_avx512)
  load_integers 7
  gemm_tile 8, 1
END(tsr_gemm_q8_0_f32_128x1_avx512)

FUNCTION(tsr_gemm_q8_0_f32_128x2_avx512)
  load_integers 7
  gemm_tile 8, 2
END(tsr_gemm_q8_0_f32_128x2_avx512)

FUNCTION(tsr_gemm_q8_0_f32_128x3_avx512)
  load_integers 7
  gemm_tile 8, 3
END(tsr_gemm_q8_0_f32_128x3_avx512)
