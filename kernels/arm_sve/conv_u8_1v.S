/* Convolution micro-kernels of 1 vector x 1 to 16 columns, s8 by u8 into s32. Formula, registers and loops:
 * conv_tile.h. */
#define TSR_ELEMENT_F32
#define TSR_DOT_U8
#include "kernels/arm_sve/conv_tile.h"

FUNCTION(tsr_conv_u8_1vx1_sve)
  conv_tile 1, 1
END(tsr_conv_u8_1vx1_sve)

FUNCTION(tsr_conv_u8_1vx2_sve)
  conv_tile 1, 2
END(tsr_conv_u8_1vx2_sve)

FUNCTION(tsr_conv_u8_1vx3_sve)
  conv_tile 1, 3
END(tsr_conv_u8_1vx3_sve)

FUNCTION(tsr_conv_u8_1vx4_sve)
  conv_tile 1, 4
END(tsr_conv_u8_1vx4_sve)

FUNCTION(tsr_conv_u8_1vx5_sve)
  conv_tile 1, 5
END(tsr_conv_u8_1vx5_sve)

FUNCTION(tsr_conv_u8_1vx6_sve)
  conv_tile 1, 6
END(tsr_conv_u8_1vx6_sve)

FUNCTION(tsr_conv_u8_1vx7_sve)
  conv_tile 1, 7
END(tsr_conv_u8_1vx7_sve)

FUNCTION(tsr_conv_u8_1vx8_sve)
  conv_tile 1, 8
END(tsr_conv_u8_1vx8_sve)

FUNCTION(tsr_conv_u8_1vx9_sve)
  conv_tile 1, 9
END(tsr_conv_u8_1vx9_sve)

FUNCTION(tsr_conv_u8_1vx10_sve)
  conv_tile 1, 10
END(tsr_conv_u8_1vx10_sve)

FUNCTION(tsr_conv_u8_1vx11_sve)
  conv_tile 1, 11
END(tsr_conv_u8_1vx11_sve)

FUNCTION(tsr_conv_u8_1vx12_sve)
  conv_tile 1, 12
END(tsr_conv_u8_1vx12_sve)

FUNCTION(tsr_conv_u8_1vx13_sve)
  conv_tile 1, 13
END(tsr_conv_u8_1vx13_sve)

FUNCTION(tsr_conv_u8_1vx14_sve)
  conv_tile 1, 14
END(tsr_conv_u8_1vx14_sve)

FUNCTION(tsr_conv_u8_1vx15_sve)
  conv_tile 1, 15
END(tsr_conv_u8_1vx15_sve)

FUNCTION(tsr_conv_u8_1vx16_sve)
  conv_tile 1, 16
END(tsr_conv_u8_1vx16_sve)
