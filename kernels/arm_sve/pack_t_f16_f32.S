/* Packing of f16 whose rows lie along k, as f32. Layout, registers and loops: pack_t.h. */
#define TSR_ELEMENT_F32
#define TSR_A_F16
#include "kernels/arm_sve/pack_t.h"

FUNCTION(tsr_pack_t_f16_f32_sve)
  pack_t
END(tsr_pack_t_f16_f32_sve)
