/* Convolution micro-kernels of 6 vectors (48 filters of f64) x 1 to 4 pixels. Formula, registers and loop: conv_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx512/conv_tile.h"

FUNCTION(tsr_conv_f64_48x1_avx512)
  conv_tile 6, 1
END(tsr_conv_f64_48x1_avx512)

FUNCTION(tsr_conv_f64_48x2_avx512)
  conv_tile 6, 2
END(tsr_conv_f64_48x2_avx512)

FUNCTION(tsr_conv_f64_48x3_avx512)
  conv_tile 6, 3
END(tsr_conv_f64_48x3_avx512)

FUNCTION(tsr_conv_f64_48x4_avx512)
  conv_tile 6, 4
END(tsr_conv_f64_48x4_avx512)
