/* Depthwise integer convolution kernels of s8 weights for CPUs without VNNI, x of u8.
 * Formula, registers and loop: conv_dot.h. */
#define CONV_WORDS
#define CONV_LANES
#include "kernels/x86_avx512/conv_dot.h"

FUNCTION(tsr_conv_lanes_u8_16x1_avx512)
  conv_dot 1, 1
END(tsr_conv_lanes_u8_16x1_avx512)

FUNCTION(tsr_conv_lanes_u8_16x2_avx512)
  conv_dot 1, 2
END(tsr_conv_lanes_u8_16x2_avx512)

FUNCTION(tsr_conv_lanes_u8_16x3_avx512)
  conv_dot 1, 3
END(tsr_conv_lanes_u8_16x3_avx512)

FUNCTION(tsr_conv_lanes_u8_16x4_avx512)
  conv_dot 1, 4
END(tsr_conv_lanes_u8_16x4_avx512)

FUNCTION(tsr_conv_lanes_u8_16x5_avx512)
  conv_dot 1, 5
END(tsr_conv_lanes_u8_16x5_avx512)

FUNCTION(tsr_conv_lanes_u8_16x6_avx512)
  conv_dot 1, 6
END(tsr_conv_lanes_u8_16x6_avx512)

FUNCTION(tsr_conv_lanes_u8_16x7_avx512)
  conv_dot 1, 7
END(tsr_conv_lanes_u8_16x7_avx512)

FUNCTION(tsr_conv_lanes_u8_16x8_avx512)
  conv_dot 1, 8
END(tsr_conv_lanes_u8_16x8_avx512)

FUNCTION(tsr_conv_lanes_u8_16x9_avx512)
  conv_dot 1, 9
END(tsr_conv_lanes_u8_16x9_avx512)

FUNCTION(tsr_conv_lanes_u8_16x10_avx512)
  conv_dot 1, 10
END(tsr_conv_lanes_u8_16x10_avx512)

FUNCTION(tsr_conv_lanes_u8_16x11_avx512)
  conv_dot 1, 11
END(tsr_conv_lanes_u8_16x11_avx512)

FUNCTION(tsr_conv_lanes_u8_16x12_avx512)
  conv_dot 1, 12
END(tsr_conv_lanes_u8_16x12_avx512)

FUNCTION(tsr_conv_lanes_u8_16x13_avx512)
  conv_dot 1, 13
END(tsr_conv_lanes_u8_16x13_avx512)

FUNCTION(tsr_conv_lanes_u8_16x14_avx512)
  conv_dot 1, 14
END(tsr_conv_lanes_u8_16x14_avx512)

FUNCTION(tsr_conv_lanes_u8_16x15_avx512)
  conv_dot 1, 15
END(tsr_conv_lanes_u8_16x15_avx512)

FUNCTION(tsr_conv_lanes_u8_16x16_avx512)
  conv_dot 1, 16
END(tsr_conv_lanes_u8_16x16_avx512)

FUNCTION(tsr_conv_lanes_u8_32x1_avx512)
  conv_dot 2, 1
END(tsr_conv_lanes_u8_32x1_avx512)

FUNCTION(tsr_conv_lanes_u8_32x2_avx512)
  conv_dot 2, 2
END(tsr_conv_lanes_u8_32x2_avx512)

FUNCTION(tsr_conv_lanes_u8_32x3_avx512)
  conv_dot 2, 3
END(tsr_conv_lanes_u8_32x3_avx512)

FUNCTION(tsr_conv_lanes_u8_32x4_avx512)
  conv_dot 2, 4
END(tsr_conv_lanes_u8_32x4_avx512)

FUNCTION(tsr_conv_lanes_u8_32x5_avx512)
  conv_dot 2, 5
END(tsr_conv_lanes_u8_32x5_avx512)

FUNCTION(tsr_conv_lanes_u8_32x6_avx512)
  conv_dot 2, 6
END(tsr_conv_lanes_u8_32x6_avx512)

FUNCTION(tsr_conv_lanes_u8_32x7_avx512)
  conv_dot 2, 7
END(tsr_conv_lanes_u8_32x7_avx512)

FUNCTION(tsr_conv_lanes_u8_32x8_avx512)
  conv_dot 2, 8
END(tsr_conv_lanes_u8_32x8_avx512)

FUNCTION(tsr_conv_lanes_u8_32x9_avx512)
  conv_dot 2, 9
END(tsr_conv_lanes_u8_32x9_avx512)

FUNCTION(tsr_conv_lanes_u8_32x10_avx512)
  conv_dot 2, 10
END(tsr_conv_lanes_u8_32x10_avx512)

FUNCTION(tsr_conv_lanes_u8_32x11_avx512)
  conv_dot 2, 11
END(tsr_conv_lanes_u8_32x11_avx512)

FUNCTION(tsr_conv_lanes_u8_32x12_avx512)
  conv_dot 2, 12
END(tsr_conv_lanes_u8_32x12_avx512)

FUNCTION(tsr_conv_lanes_u8_32x13_avx512)
  conv_dot 2, 13
END(tsr_conv_lanes_u8_32x13_avx512)

FUNCTION(tsr_conv_lanes_u8_32x14_avx512)
  conv_dot 2, 14
END(tsr_conv_lanes_u8_32x14_avx512)

FUNCTION(tsr_conv_lanes_u8_64x1_avx512)
  conv_dot 4, 1
END(tsr_conv_lanes_u8_64x1_avx512)

FUNCTION(tsr_conv_lanes_u8_64x2_avx512)
  conv_dot 4, 2
END(tsr_conv_lanes_u8_64x2_avx512)

FUNCTION(tsr_conv_lanes_u8_64x3_avx512)
  conv_dot 4, 3
END(tsr_conv_lanes_u8_64x3_avx512)

FUNCTION(tsr_conv_lanes_u8_64x4_avx512)
  conv_dot 4, 4
END(tsr_conv_lanes_u8_64x4_avx512)

FUNCTION(tsr_conv_lanes_u8_64x5_avx512)
  conv_dot 4, 5
END(tsr_conv_lanes_u8_64x5_avx512)

FUNCTION(tsr_conv_lanes_u8_64x6_avx512)
  conv_dot 4, 6
END(tsr_conv_lanes_u8_64x6_avx512)
