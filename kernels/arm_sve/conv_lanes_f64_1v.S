/* Depthwise micro-kernels of 1 vector x 1 to 14 columns of f64. Formula, registers and loops: conv_lanes.h. */
#define TSR_ELEMENT_F64
#include "kernels/arm_sve/conv_lanes.h"

FUNCTION(tsr_conv_lanes_f64_1vx1_sve)
  conv_lanes 1, 1
END(tsr_conv_lanes_f64_1vx1_sve)

FUNCTION(tsr_conv_lanes_f64_1vx2_sve)
  conv_lanes 1, 2
END(tsr_conv_lanes_f64_1vx2_sve)

FUNCTION(tsr_conv_lanes_f64_1vx3_sve)
  conv_lanes 1, 3
END(tsr_conv_lanes_f64_1vx3_sve)

FUNCTION(tsr_conv_lanes_f64_1vx4_sve)
  conv_lanes 1, 4
END(tsr_conv_lanes_f64_1vx4_sve)

FUNCTION(tsr_conv_lanes_f64_1vx5_sve)
  conv_lanes 1, 5
END(tsr_conv_lanes_f64_1vx5_sve)

FUNCTION(tsr_conv_lanes_f64_1vx6_sve)
  conv_lanes 1, 6
END(tsr_conv_lanes_f64_1vx6_sve)

FUNCTION(tsr_conv_lanes_f64_1vx7_sve)
  conv_lanes 1, 7
END(tsr_conv_lanes_f64_1vx7_sve)

FUNCTION(tsr_conv_lanes_f64_1vx8_sve)
  conv_lanes 1, 8
END(tsr_conv_lanes_f64_1vx8_sve)

FUNCTION(tsr_conv_lanes_f64_1vx9_sve)
  conv_lanes 1, 9
END(tsr_conv_lanes_f64_1vx9_sve)

FUNCTION(tsr_conv_lanes_f64_1vx10_sve)
  conv_lanes 1, 10
END(tsr_conv_lanes_f64_1vx10_sve)

FUNCTION(tsr_conv_lanes_f64_1vx11_sve)
  conv_lanes 1, 11
END(tsr_conv_lanes_f64_1vx11_sve)

FUNCTION(tsr_conv_lanes_f64_1vx12_sve)
  conv_lanes 1, 12
END(tsr_conv_lanes_f64_1vx12_sve)

FUNCTION(tsr_conv_lanes_f64_1vx13_sve)
  conv_lanes 1, 13
END(tsr_conv_lanes_f64_1vx13_sve)

FUNCTION(tsr_conv_lanes_f64_1vx14_sve)
  conv_lanes 1, 14
END(tsr_conv_lanes_f64_1vx14_sve)
