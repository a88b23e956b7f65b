/* Convolution micro-kernels of 3 vectors (24 filters of f64) x 1 to 9 pixels. Formula, registers and loop: conv_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx512/conv_tile.h"

FUNCTION(tsr_conv_f64_24x1_avx512)
  conv_tile 3, 1
END(tsr_conv_f64_24x1_avx512)

FUNCTION(tsr_conv_f64_24x2_avx512)
  conv_tile 3, 2
END(tsr_conv_f64_24x2_avx512)

FUNCTION(tsr_conv_f64_24x3_avx512)
  conv_tile 3, 3
END(tsr_conv_f64_24x3_avx512)

FUNCTION(tsr_conv_f64_24x4_avx512)
  conv_tile 3, 4
END(tsr_conv_f64_24x4_avx512)

FUNCTION(tsr_conv_f64_24x5_avx512)
  conv_tile 3, 5
END(tsr_conv_f64_24x5_avx512)

FUNCTION(tsr_conv_f64_24x6_avx512)
  conv_tile 3, 6
END(tsr_conv_f64_24x6_avx512)

FUNCTION(tsr_conv_f64_24x7_avx512)
  conv_tile 3, 7
END(tsr_conv_f64_24x7_avx512)

FUNCTION(tsr_conv_f64_24x8_avx512)
  conv_tile 3, 8
END(tsr_conv_f64_24x8_avx512)

FUNCTION(tsr_conv_f64_24x9_avx512)
  conv_tile 3, 9
END(tsr_conv_f64_24x9_avx512)
