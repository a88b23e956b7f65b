/* The update of C lying across the sums (f64). Formula, registers and loops: update_t.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx2/update_t.h"

FUNCTION(tsr_update_t_f64_avx2)
  update_t
END(tsr_update_t_f64_avx2)
