/* Micro-kernels of convolution whose channels do not mix, 4 vectors (64 channels of f32) x 1 to 7 pixels. Formula,
 * registers and loop: conv_lanes.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx512/conv_lanes.h"

FUNCTION(tsr_conv_lanes_f32_64x1_avx512)
  lanes_tile 4, 1
END(tsr_conv_lanes_f32_64x1_avx512)

FUNCTION(tsr_conv_lanes_f32_64x2_avx512)
  lanes_tile 4, 2
END(tsr_conv_lanes_f32_64x2_avx512)

FUNCTION(tsr_conv_lanes_f32_64x3_avx512)
  lanes_tile 4, 3
END(tsr_conv_lanes_f32_64x3_avx512)

FUNCTION(tsr_conv_lanes_f32_64x4_avx512)
  lanes_tile 4, 4
END(tsr_conv_lanes_f32_64x4_avx512)

FUNCTION(tsr_conv_lanes_f32_64x5_avx512)
  lanes_tile 4, 5
END(tsr_conv_lanes_f32_64x5_avx512)

FUNCTION(tsr_conv_lanes_f32_64x6_avx512)
  lanes_tile 4, 6
END(tsr_conv_lanes_f32_64x6_avx512)

FUNCTION(tsr_conv_lanes_f32_64x7_avx512)
  lanes_tile 4, 7
END(tsr_conv_lanes_f32_64x7_avx512)
