/* Packing of f64 whose rows lie side by side. Layout, registers and loops: pack_n.h. */
#define TSR_ELEMENT_F64
#include "kernels/arm_sve/pack_n.h"

FUNCTION(tsr_pack_n_f64_sve)
  pack_n
END(tsr_pack_n_f64_sve)
