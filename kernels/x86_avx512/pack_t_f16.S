/* Packing of a matrix of f16 that lies along k, into panels of f32. Formula, registers and loop: pack_t.h. */
#define TSR_ELEMENT_F32
#define TSR_A_F16
#include "kernels/x86_avx512/pack_t.h"

FUNCTION(tsr_pack_t_f16_f32_avx512)
  pack_t
END(tsr_pack_t_f16_f32_avx512)
