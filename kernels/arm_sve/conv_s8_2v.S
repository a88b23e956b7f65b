/* Convolution micro-kernels of 2 vectors x 1 to 14 columns, s8 by s8 into s32. Formula, registers and loops:
 * conv_tile.h. */
#define TSR_ELEMENT_F32
#define TSR_DOT_S8
#include "kernels/arm_sve/conv_tile.h"

FUNCTION(tsr_conv_s8_2vx1_sve)
  conv_tile 2, 1
END(tsr_conv_s8_2vx1_sve)

FUNCTION(tsr_conv_s8_2vx2_sve)
  conv_tile 2, 2
END(tsr_conv_s8_2vx2_sve)

FUNCTION(tsr_conv_s8_2vx3_sve)
  conv_tile 2, 3
END(tsr_conv_s8_2vx3_sve)

FUNCTION(tsr_conv_s8_2vx4_sve)
  conv_tile 2, 4
END(tsr_conv_s8_2vx4_sve)

FUNCTION(tsr_conv_s8_2vx5_sve)
  conv_tile 2, 5
END(tsr_conv_s8_2vx5_sve)

FUNCTION(tsr_conv_s8_2vx6_sve)
  conv_tile 2, 6
END(tsr_conv_s8_2vx6_sve)

FUNCTION(tsr_conv_s8_2vx7_sve)
  conv_tile 2, 7
END(tsr_conv_s8_2vx7_sve)

FUNCTION(tsr_conv_s8_2vx8_sve)
  conv_tile 2, 8
END(tsr_conv_s8_2vx8_sve)

FUNCTION(tsr_conv_s8_2vx9_sve)
  conv_tile 2, 9
END(tsr_conv_s8_2vx9_sve)

FUNCTION(tsr_conv_s8_2vx10_sve)
  conv_tile 2, 10
END(tsr_conv_s8_2vx10_sve)

FUNCTION(tsr_conv_s8_2vx11_sve)
  conv_tile 2, 11
END(tsr_conv_s8_2vx11_sve)

FUNCTION(tsr_conv_s8_2vx12_sve)
  conv_tile 2, 12
END(tsr_conv_s8_2vx12_sve)

FUNCTION(tsr_conv_s8_2vx13_sve)
  conv_tile 2, 13
END(tsr_conv_s8_2vx13_sve)

FUNCTION(tsr_conv_s8_2vx14_sve)
  conv_tile 2, 14
END(tsr_conv_s8_2vx14_sve)
