/* CONVERT between f32 and the 16-bit types. Formula, registers and loop: convert.h. */
#include "kernels/arm_sve/convert.h"

FUNCTION(tsr_convert_f32_f32_sve)
  convert f32, f32, 4, 4
END(tsr_convert_f32_f32_sve)

FUNCTION(tsr_convert_f16_f32_sve)
  convert f16, f32, 2, 4
END(tsr_convert_f16_f32_sve)

FUNCTION(tsr_convert_bf16_f32_sve)
  convert bf16, f32, 2, 4
END(tsr_convert_bf16_f32_sve)

FUNCTION(tsr_convert_f32_f16_sve)
  convert f32, f16, 4, 2
END(tsr_convert_f32_f16_sve)

FUNCTION(tsr_convert_f32_bf16_sve)
  convert f32, bf16, 4, 2
END(tsr_convert_f32_bf16_sve)
