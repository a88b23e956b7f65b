/* Micro-kernels of convolution whose channels do not mix, 2 vectors (16 channels of f32) x 1 to 7 pixels. Formula,
 * registers and loop: conv_lanes.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx2/conv_lanes.h"

FUNCTION(tsr_conv_lanes_f32_16x1_avx2)
  lanes_tile 2, 1
END(tsr_conv_lanes_f32_16x1_avx2)

FUNCTION(tsr_conv_lanes_f32_16x2_avx2)
  lanes_tile 2, 2
END(tsr_conv_lanes_f32_16x2_avx2)

FUNCTION(tsr_conv_lanes_f32_16x3_avx2)
  lanes_tile 2, 3
END(tsr_conv_lanes_f32_16x3_avx2)

FUNCTION(tsr_conv_lanes_f32_16x4_avx2)
  lanes_tile 2, 4
END(tsr_conv_lanes_f32_16x4_avx2)

FUNCTION(tsr_conv_lanes_f32_16x5_avx2)
  lanes_tile 2, 5
END(tsr_conv_lanes_f32_16x5_avx2)

FUNCTION(tsr_conv_lanes_f32_16x6_avx2)
  lanes_tile 2, 6
END(tsr_conv_lanes_f32_16x6_avx2)

FUNCTION(tsr_conv_lanes_f32_16x7_avx2)
  lanes_tile 2, 7
END(tsr_conv_lanes_f32_16x7_avx2)
