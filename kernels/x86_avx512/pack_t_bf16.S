/* Packing of a matrix of bf16 that lies along k, into panels of f32. Formula, registers and loop: pack_t.h. */
#define TSR_ELEMENT_F32
#define TSR_A_BF16
#include "kernels/x86_avx512/pack_t.h"

FUNCTION(tsr_pack_t_bf16_f32_avx512)
  pack_t
END(tsr_pack_t_bf16_f32_avx512)
