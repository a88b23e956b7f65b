/* Convolution micro-kernels of 4 vectors (32 filters of f32) x 1 to 3 pixels. Formula and loop: conv_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx2/conv_tile.h"

FUNCTION(tsr_conv_f32_32x1_avx2)
  conv_tile 4, 1
END(tsr_conv_f32_32x1_avx2)

FUNCTION(tsr_conv_f32_32x2_avx2)
  conv_tile 4, 2
END(tsr_conv_f32_32x2_avx2)

FUNCTION(tsr_conv_f32_32x3_avx2)
  conv_tile 4, 3
END(tsr_conv_f32_32x3_avx2)
