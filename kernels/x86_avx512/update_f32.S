/* The update of C from block sums, and scaling (f32). Formulas, registers and loops: update.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx512/update.h"

FUNCTION(tsr_update_f32_avx512)
  update
END(tsr_update_f32_avx512)

FUNCTION(tsr_update_t_f32_avx512)
  update_t
END(tsr_update_t_f32_avx512)

FUNCTION(tsr_scale_f32_avx512)
  scale
END(tsr_scale_f32_avx512)
