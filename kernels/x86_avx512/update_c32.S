/* The update of C from block sums, and scaling (c32). Formulas, registers and loops: complex_update.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx512/complex_update.h"

FUNCTION(tsr_update_c32_avx512)
  update
END(tsr_update_c32_avx512)

FUNCTION(tsr_update_t_c32_avx512)
  update_t
END(tsr_update_t_c32_avx512)

FUNCTION(tsr_scale_c32_avx512)
  scale
END(tsr_scale_c32_avx512)
