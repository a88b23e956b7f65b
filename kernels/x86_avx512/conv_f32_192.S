/* Convolution micro-kernels of 12 vectors (192 filters of f32) x 1 to 2 pixels. Formula, registers and loop: conv_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx512/conv_tile.h"

FUNCTION(tsr_conv_f32_192x1_avx512)
  conv_tile 12, 1
END(tsr_conv_f32_192x1_avx512)

FUNCTION(tsr_conv_f32_192x2_avx512)
  conv_tile 12, 2
END(tsr_conv_f32_192x2_avx512)
