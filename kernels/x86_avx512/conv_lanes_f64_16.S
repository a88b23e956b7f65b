/* Micro-kernels of convolution whose channels do not mix, 2 vectors (16 channels of f64) x 1 to 14 pixels. Formula,
 * registers and loop: conv_lanes.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx512/conv_lanes.h"

FUNCTION(tsr_conv_lanes_f64_16x1_avx512)
  lanes_tile 2, 1
END(tsr_conv_lanes_f64_16x1_avx512)

FUNCTION(tsr_conv_lanes_f64_16x2_avx512)
  lanes_tile 2, 2
END(tsr_conv_lanes_f64_16x2_avx512)

FUNCTION(tsr_conv_lanes_f64_16x3_avx512)
  lanes_tile 2, 3
END(tsr_conv_lanes_f64_16x3_avx512)

FUNCTION(tsr_conv_lanes_f64_16x4_avx512)
  lanes_tile 2, 4
END(tsr_conv_lanes_f64_16x4_avx512)

FUNCTION(tsr_conv_lanes_f64_16x5_avx512)
  lanes_tile 2, 5
END(tsr_conv_lanes_f64_16x5_avx512)

FUNCTION(tsr_conv_lanes_f64_16x6_avx512)
  lanes_tile 2, 6
END(tsr_conv_lanes_f64_16x6_avx512)

FUNCTION(tsr_conv_lanes_f64_16x7_avx512)
  lanes_tile 2, 7
END(tsr_conv_lanes_f64_16x7_avx512)

FUNCTION(tsr_conv_lanes_f64_16x8_avx512)
  lanes_tile 2, 8
END(tsr_conv_lanes_f64_16x8_avx512)

FUNCTION(tsr_conv_lanes_f64_16x9_avx512)
  lanes_tile 2, 9
END(tsr_conv_lanes_f64_16x9_avx512)

FUNCTION(tsr_conv_lanes_f64_16x10_avx512)
  lanes_tile 2, 10
END(tsr_conv_lanes_f64_16x10_avx512)

FUNCTION(tsr_conv_lanes_f64_16x11_avx512)
  lanes_tile 2, 11
END(tsr_conv_lanes_f64_16x11_avx512)

FUNCTION(tsr_conv_lanes_f64_16x12_avx512)
  lanes_tile 2, 12
END(tsr_conv_lanes_f64_16x12_avx512)

FUNCTION(tsr_conv_lanes_f64_16x13_avx512)
  lanes_tile 2, 13
END(tsr_conv_lanes_f64_16x13_avx512)

FUNCTION(tsr_conv_lanes_f64_16x14_avx512)
  lanes_tile 2, 14
END(tsr_conv_lanes_f64_16x14_avx512)
