/* The update of C lying across the sums (f32). Formula, registers and loops: update_t.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx2/update_t.h"

FUNCTION(tsr_update_t_f32_avx2)
  update_t
END(tsr_update_t_f32_avx2)
