/* Convolution micro-kernels of 12 vectors (48 filters of f64) x 1 pixel. Formula and loop: conv_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx2/conv_tile.h"

FUNCTION(tsr_conv_f64_48x1_avx2)
  conv_tile 12, 1
END(tsr_conv_f64_48x1_avx2)
