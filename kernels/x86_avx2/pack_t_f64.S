/* Packing of a matrix that lies along k (f64). Formula, registers and loop: pack_t.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx2/pack_t.h"

FUNCTION(tsr_pack_t_f64_avx2)
  pack_t
END(tsr_pack_t_f64_avx2)
