/* Convolution micro-kernels of 12 vectors (96 filters of f32) x 1 pixel. Formula and loop: conv_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx2/conv_tile.h"

FUNCTION(tsr_conv_f32_96x1_avx2)
  conv_tile 12, 1
END(tsr_conv_f32_96x1_avx2)
