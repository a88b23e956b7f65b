/* Convolution micro-kernels of 8 vectors (64 filters of f64) x 1 to 3 pixels. Formula, registers and loop: conv_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx512/conv_tile.h"

FUNCTION(tsr_conv_f64_64x1_avx512)
  conv_tile 8, 1
END(tsr_conv_f64_64x1_avx512)

FUNCTION(tsr_conv_f64_64x2_avx512)
  conv_tile 8, 2
END(tsr_conv_f64_64x2_avx512)

FUNCTION(tsr_conv_f64_64x3_avx512)
  conv_tile 8, 3
END(tsr_conv_f64_64x3_avx512)
