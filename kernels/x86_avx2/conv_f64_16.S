/* Convolution micro-kernels of 4 vectors (16 filters of f64) x 1 to 3 pixels. Formula and loop: conv_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx2/conv_tile.h"

FUNCTION(tsr_conv_f64_16x1_avx2)
  conv_tile 4, 1
END(tsr_conv_f64_16x1_avx2)

FUNCTION(tsr_conv_f64_16x2_avx2)
  conv_tile 4, 2
END(tsr_conv_f64_16x2_avx2)

FUNCTION(tsr_conv_f64_16x3_avx2)
  conv_tile 4, 3
END(tsr_conv_f64_16x3_avx2)
