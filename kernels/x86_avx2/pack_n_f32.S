/* Packing of a matrix whose rows are contiguous (f32). Formula, registers and loop: pack_n.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx2/pack_n.h"

FUNCTION(tsr_pack_n_f32_avx2)
  pack_n
END(tsr_pack_n_f32_avx2)
