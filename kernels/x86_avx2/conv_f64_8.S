/* Convolution micro-kernels of 2 vectors (8 filters of f64) x 1 to 6 pixels. Formula and loop: conv_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx2/conv_tile.h"

FUNCTION(tsr_conv_f64_8x1_avx2)
  conv_tile 2, 1
END(tsr_conv_f64_8x1_avx2)

FUNCTION(tsr_conv_f64_8x2_avx2)
  conv_tile 2, 2
END(tsr_conv_f64_8x2_avx2)

FUNCTION(tsr_conv_f64_8x3_avx2)
  conv_tile 2, 3
END(tsr_conv_f64_8x3_avx2)

FUNCTION(tsr_conv_f64_8x4_avx2)
  conv_tile 2, 4
END(tsr_conv_f64_8x4_avx2)

FUNCTION(tsr_conv_f64_8x5_avx2)
  conv_tile 2, 5
END(tsr_conv_f64_8x5_avx2)

FUNCTION(tsr_conv_f64_8x6_avx2)
  conv_tile 2, 6
END(tsr_conv_f64_8x6_avx2)
