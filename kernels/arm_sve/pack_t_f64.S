/* Packing of f64 whose rows lie along k. Layout, registers and loops: pack_t.h. */
#define TSR_ELEMENT_F64
#include "kernels/arm_sve/pack_t.h"

FUNCTION(tsr_pack_t_f64_sve)
  pack_t
END(tsr_pack_t_f64_sve)
