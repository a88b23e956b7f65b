/* Convolution micro-kernels of 1 vector (8 filters of f32) x 1 to 12 pixels. Formula and loop: conv_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx2/conv_tile.h"

FUNCTION(tsr_conv_f32_8x1_avx2)
  conv_tile 1, 1
END(tsr_conv_f32_8x1_avx2)

FUNCTION(tsr_conv_f32_8x2_avx2)
  conv_tile 1, 2
END(tsr_conv_f32_8x2_avx2)

FUNCTION(tsr_conv_f32_8x3_avx2)
  conv_tile 1, 3
END(tsr_conv_f32_8x3_avx2)

FUNCTION(tsr_conv_f32_8x4_avx2)
  conv_tile 1, 4
END(tsr_conv_f32_8x4_avx2)

FUNCTION(tsr_conv_f32_8x5_avx2)
  conv_tile 1, 5
END(tsr_conv_f32_8x5_avx2)

FUNCTION(tsr_conv_f32_8x6_avx2)
  conv_tile 1, 6
END(tsr_conv_f32_8x6_avx2)

FUNCTION(tsr_conv_f32_8x7_avx2)
  conv_tile 1, 7
END(tsr_conv_f32_8x7_avx2)

FUNCTION(tsr_conv_f32_8x8_avx2)
  conv_tile 1, 8
END(tsr_conv_f32_8x8_avx2)

FUNCTION(tsr_conv_f32_8x9_avx2)
  conv_tile 1, 9
END(tsr_conv_f32_8x9_avx2)

FUNCTION(tsr_conv_f32_8x10_avx2)
  conv_tile 1, 10
END(tsr_conv_f32_8x10_avx2)

FUNCTION(tsr_conv_f32_8x11_avx2)
  conv_tile 1, 11
END(tsr_conv_f32_8x11_avx2)

FUNCTION(tsr_conv_f32_8x12_avx2)
  conv_tile 1, 12
END(tsr_conv_f32_8x12_avx2)
