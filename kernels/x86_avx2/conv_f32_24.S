/* Convolution micro-kernels of 3 vectors (24 filters of f32) x 1 to 4 pixels. Formula and loop: conv_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx2/conv_tile.h"

FUNCTION(tsr_conv_f32_24x1_avx2)
  conv_tile 3, 1
END(tsr_conv_f32_24x1_avx2)

FUNCTION(tsr_conv_f32_24x2_avx2)
  conv_tile 3, 2
END(tsr_conv_f32_24x2_avx2)

FUNCTION(tsr_conv_f32_24x3_avx2)
  conv_tile 3, 3
END(tsr_conv_f32_24x3_avx2)

FUNCTION(tsr_conv_f32_24x4_avx2)
  conv_tile 3, 4
END(tsr_conv_f32_24x4_avx2)
