/* Micro-kernels of convolution whose channels do not mix, 1 vector (8 channels of f64) x 1 to 14 pixels. Formula,
 * registers and loop: conv_lanes.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx512/conv_lanes.h"

FUNCTION(tsr_conv_lanes_f64_8x1_avx512)
  lanes_tile 1, 1
END(tsr_conv_lanes_f64_8x1_avx512)

FUNCTION(tsr_conv_lanes_f64_8x2_avx512)
  lanes_tile 1, 2
END(tsr_conv_lanes_f64_8x2_avx512)

FUNCTION(tsr_conv_lanes_f64_8x3_avx512)
  lanes_tile 1, 3
END(tsr_conv_lanes_f64_8x3_avx512)

FUNCTION(tsr_conv_lanes_f64_8x4_avx512)
  lanes_tile 1, 4
END(tsr_conv_lanes_f64_8x4_avx512)

FUNCTION(tsr_conv_lanes_f64_8x5_avx512)
  lanes_tile 1, 5
END(tsr_conv_lanes_f64_8x5_avx512)

FUNCTION(tsr_conv_lanes_f64_8x6_avx512)
  lanes_tile 1, 6
END(tsr_conv_lanes_f64_8x6_avx512)

FUNCTION(tsr_conv_lanes_f64_8x7_avx512)
  lanes_tile 1, 7
END(tsr_conv_lanes_f64_8x7_avx512)

FUNCTION(tsr_conv_lanes_f64_8x8_avx512)
  lanes_tile 1, 8
END(tsr_conv_lanes_f64_8x8_avx512)

FUNCTION(tsr_conv_lanes_f64_8x9_avx512)
  lanes_tile 1, 9
END(tsr_conv_lanes_f64_8x9_avx512)

FUNCTION(tsr_conv_lanes_f64_8x10_avx512)
  lanes_tile 1, 10
END(tsr_conv_lanes_f64_8x10_avx512)

FUNCTION(tsr_conv_lanes_f64_8x11_avx512)
  lanes_tile 1, 11
END(tsr_conv_lanes_f64_8x11_avx512)

FUNCTION(tsr_conv_lanes_f64_8x12_avx512)
  lanes_tile 1, 12
END(tsr_conv_lanes_f64_8x12_avx512)

FUNCTION(tsr_conv_lanes_f64_8x13_avx512)
  lanes_tile 1, 13
END(tsr_conv_lanes_f64_8x13_avx512)

FUNCTION(tsr_conv_lanes_f64_8x14_avx512)
  lanes_tile 1, 14
END(tsr_conv_lanes_f64_8x14_avx512)
