/* POST into f32, the 16-bit types and bytes. Formulas, registers and loops: post.h. */
#include "kernels/arm_sve/post.h"

FUNCTION(tsr_post_f32_f32_sve)
  post f32, f32
END(tsr_post_f32_f32_sve)

FUNCTION(tsr_post_f32_f16_sve)
  post f32, f16
END(tsr_post_f32_f16_sve)

FUNCTION(tsr_post_f32_bf16_sve)
  post f32, bf16
END(tsr_post_f32_bf16_sve)

FUNCTION(tsr_post_s32_f32_sve)
  post s32, f32
END(tsr_post_s32_f32_sve)

FUNCTION(tsr_post_s32_u8_sve)
  post s32, u8
END(tsr_post_s32_u8_sve)

FUNCTION(tsr_post_s32_s8_sve)
  post s32, s8
END(tsr_post_s32_s8_sve)
