/* Convolution micro-kernels of 6 vectors (24 filters of f64) x 1 to 2 pixels. Formula and loop: conv_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx2/conv_tile.h"

FUNCTION(tsr_conv_f64_24x1_avx2)
  conv_tile 6, 1
END(tsr_conv_f64_24x1_avx2)

FUNCTION(tsr_conv_f64_24x2_avx2)
  conv_tile 6, 2
END(tsr_conv_f64_24x2_avx2)
