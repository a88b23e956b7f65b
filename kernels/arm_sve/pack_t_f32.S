/* Packing of f32 whose rows lie along k. Layout, registers and loops: pack_t.h. */
#define TSR_ELEMENT_F32
#include "kernels/arm_sve/pack_t.h"

FUNCTION(tsr_pack_t_f32_sve)
  pack_t
END(tsr_pack_t_f32_sve)
