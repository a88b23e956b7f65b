/* Convolution micro-kernels of 24 vectors (192 filters of f64) x 1 pixel. Formula, registers and loop: conv_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx512/conv_tile.h"

FUNCTION(tsr_conv_f64_192x1_avx512)
  conv_tile 24, 1
END(tsr_conv_f64_192x1_avx512)
