/* Convolution micro-kernels of 1 vector (4 filters of f64) x 1 to 12 pixels. Formula and loop: conv_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx2/conv_tile.h"

FUNCTION(tsr_conv_f64_4x1_avx2)
  conv_tile 1, 1
END(tsr_conv_f64_4x1_avx2)

FUNCTION(tsr_conv_f64_4x2_avx2)
  conv_tile 1, 2
END(tsr_conv_f64_4x2_avx2)

FUNCTION(tsr_conv_f64_4x3_avx2)
  conv_tile 1, 3
END(tsr_conv_f64_4x3_avx2)

FUNCTION(tsr_conv_f64_4x4_avx2)
  conv_tile 1, 4
END(tsr_conv_f64_4x4_avx2)

FUNCTION(tsr_conv_f64_4x5_avx2)
  conv_tile 1, 5
END(tsr_conv_f64_4x5_avx2)

FUNCTION(tsr_conv_f64_4x6_avx2)
  conv_tile 1, 6
END(tsr_conv_f64_4x6_avx2)

FUNCTION(tsr_conv_f64_4x7_avx2)
  conv_tile 1, 7
END(tsr_conv_f64_4x7_avx2)

FUNCTION(tsr_conv_f64_4x8_avx2)
  conv_tile 1, 8
END(tsr_conv_f64_4x8_avx2)

FUNCTION(tsr_conv_f64_4x9_avx2)
  conv_tile 1, 9
END(tsr_conv_f64_4x9_avx2)

FUNCTION(tsr_conv_f64_4x10_avx2)
  conv_tile 1, 10
END(tsr_conv_f64_4x10_avx2)

FUNCTION(tsr_conv_f64_4x11_avx2)
  conv_tile 1, 11
END(tsr_conv_f64_4x11_avx2)

FUNCTION(tsr_conv_f64_4x12_avx2)
  conv_tile 1, 12
END(tsr_conv_f64_4x12_avx2)
