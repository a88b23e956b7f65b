/* POST of f64. Formula, registers and loop: post.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx512/post.h"

.macro load_f64 reg, u, mask
  vmovupd zmm\reg\mask, [A_ROW + 64*\u]
.endm
.macro add_f64 reg, u, mask
  vaddpd zmm\reg\mask, zmm\reg, [ADD_ROW + 64*\u]
.endm
.macro store_f64 reg, u, mask
  vmovupd [C_ROW + 64*\u]\mask, zmm\reg
.endm

FUNCTION(tsr_post_f64_f64_avx512)
  post load_f64, add_f64, store_f64, 8, 8
END(tsr_post_f64_f64_avx512)
