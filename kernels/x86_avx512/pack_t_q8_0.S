/* Packing of a matrix in blocks of q8_0 that lie along k, into panels of f32. Formula, registers and loop:
 * pack_t_blocks.h. */
#define TSR_ELEMENT_F32
#define TSR_A_Q8_0
#include "kernels/x86_avx512/pack_t_blocks.h"

FUNCTION(tsr_pack_t_q8_0_f32_avx512)
  pack_t
END(tsr_pack_t_q8_0_f32_avx512)
