/* Convolution micro-kernels of 2 vectors (16 filters of f32) x 1 to 6 pixels. Formula and loop: conv_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx2/conv_tile.h"

FUNCTION(tsr_conv_f32_16x1_avx2)
  conv_tile 2, 1
END(tsr_conv_f32_16x1_avx2)

FUNCTION(tsr_conv_f32_16x2_avx2)
  conv_tile 2, 2
END(tsr_conv_f32_16x2_avx2)

FUNCTION(tsr_conv_f32_16x3_avx2)
  conv_tile 2, 3
END(tsr_conv_f32_16x3_avx2)

FUNCTION(tsr_conv_f32_16x4_avx2)
  conv_tile 2, 4
END(tsr_conv_f32_16x4_avx2)

FUNCTION(tsr_conv_f32_16x5_avx2)
  conv_tile 2, 5
END(tsr_conv_f32_16x5_avx2)

FUNCTION(tsr_conv_f32_16x6_avx2)
  conv_tile 2, 6
END(tsr_conv_f32_16x6_avx2)
