/* Convolution micro-kernels of 12 vectors (96 filters of f64) x 1 to 2 pixels. Formula, registers and loop: conv_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx512/conv_tile.h"

FUNCTION(tsr_conv_f64_96x1_avx512)
  conv_tile 12, 1
END(tsr_conv_f64_96x1_avx512)

FUNCTION(tsr_conv_f64_96x2_avx512)
  conv_tile 12, 2
END(tsr_conv_f64_96x2_avx512)
