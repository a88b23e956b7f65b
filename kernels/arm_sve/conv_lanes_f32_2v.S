/* Depthwise micro-kernels of 2 vectors x 1 to 12 columns of f32. Formula, registers and loops: conv_lanes.h. */
#define TSR_ELEMENT_F32
#include "kernels/arm_sve/conv_lanes.h"

FUNCTION(tsr_conv_lanes_f32_2vx1_sve)
  conv_lanes 2, 1
END(tsr_conv_lanes_f32_2vx1_sve)

FUNCTION(tsr_conv_lanes_f32_2vx2_sve)
  conv_lanes 2, 2
END(tsr_conv_lanes_f32_2vx2_sve)

FUNCTION(tsr_conv_lanes_f32_2vx3_sve)
  conv_lanes 2, 3
END(tsr_conv_lanes_f32_2vx3_sve)

FUNCTION(tsr_conv_lanes_f32_2vx4_sve)
  conv_lanes 2, 4
END(tsr_conv_lanes_f32_2vx4_sve)

FUNCTION(tsr_conv_lanes_f32_2vx5_sve)
  conv_lanes 2, 5
END(tsr_conv_lanes_f32_2vx5_sve)

FUNCTION(tsr_conv_lanes_f32_2vx6_sve)
  conv_lanes 2, 6
END(tsr_conv_lanes_f32_2vx6_sve)

FUNCTION(tsr_conv_lanes_f32_2vx7_sve)
  conv_lanes 2, 7
END(tsr_conv_lanes_f32_2vx7_sve)

FUNCTION(tsr_conv_lanes_f32_2vx8_sve)
  conv_lanes 2, 8
END(tsr_conv_lanes_f32_2vx8_sve)

FUNCTION(tsr_conv_lanes_f32_2vx9_sve)
  conv_lanes 2, 9
END(tsr_conv_lanes_f32_2vx9_sve)

FUNCTION(tsr_conv_lanes_f32_2vx10_sve)
  conv_lanes 2, 10
END(tsr_conv_lanes_f32_2vx10_sve)

FUNCTION(tsr_conv_lanes_f32_2vx11_sve)
  conv_lanes 2, 11
END(tsr_conv_lanes_f32_2vx11_sve)

FUNCTION(tsr_conv_lanes_f32_2vx12_sve)
  conv_lanes 2, 12
END(tsr_conv_lanes_f32_2vx12_sve)
