/* Convolution micro-kernels of 3 vectors (48 filters of f32) x 1 to 9 pixels. Formula, registers and loop: conv_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx512/conv_tile.h"

FUNCTION(tsr_conv_f32_48x1_avx512)
  conv_tile 3, 1
END(tsr_conv_f32_48x1_avx512)

FUNCTION(tsr_conv_f32_48x2_avx512)
  conv_tile 3, 2
END(tsr_conv_f32_48x2_avx512)

FUNCTION(tsr_conv_f32_48x3_avx512)
  conv_tile 3, 3
END(tsr_conv_f32_48x3_avx512)

FUNCTION(tsr_conv_f32_48x4_avx512)
  conv_tile 3, 4
END(tsr_conv_f32_48x4_avx512)

FUNCTION(tsr_conv_f32_48x5_avx512)
  conv_tile 3, 5
END(tsr_conv_f32_48x5_avx512)

FUNCTION(tsr_conv_f32_48x6_avx512)
  conv_tile 3, 6
END(tsr_conv_f32_48x6_avx512)

FUNCTION(tsr_conv_f32_48x7_avx512)
  conv_tile 3, 7
END(tsr_conv_f32_48x7_avx512)

FUNCTION(tsr_conv_f32_48x8_avx512)
  conv_tile 3, 8
END(tsr_conv_f32_48x8_avx512)

FUNCTION(tsr_conv_f32_48x9_avx512)
  conv_tile 3, 9
END(tsr_conv_f32_48x9_avx512)
