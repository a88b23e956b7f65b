/* Convolution micro-kernels of 4 vectors x 1 to 6 columns, s8 by u8 into s32. Formula, registers and loops:
 * conv_tile.h. */
#define TSR_ELEMENT_F32
#define TSR_DOT_U8
#include "kernels/arm_sve/conv_tile.h"

FUNCTION(tsr_conv_u8_4vx1_sve)
  conv_tile 4, 1
END(tsr_conv_u8_4vx1_sve)

FUNCTION(tsr_conv_u8_4vx2_sve)
  conv_tile 4, 2
END(tsr_conv_u8_4vx2_sve)

FUNCTION(tsr_conv_u8_4vx3_sve)
  conv_tile 4, 3
END(tsr_conv_u8_4vx3_sve)

FUNCTION(tsr_conv_u8_4vx4_sve)
  conv_tile 4, 4
END(tsr_conv_u8_4vx4_sve)

FUNCTION(tsr_conv_u8_4vx5_sve)
  conv_tile 4, 5
END(tsr_conv_u8_4vx5_sve)

FUNCTION(tsr_conv_u8_4vx6_sve)
  conv_tile 4, 6
END(tsr_conv_u8_4vx6_sve)
