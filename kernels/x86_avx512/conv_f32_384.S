/* Convolution micro-kernels of 24 vectors (384 filters of f32) x 1 pixel. Formula, registers and loop: conv_tile.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx512/conv_tile.h"

FUNCTION(tsr_conv_f32_384x1_avx512)
  conv_tile 24, 1
END(tsr_conv_f32_384x1_avx512)
