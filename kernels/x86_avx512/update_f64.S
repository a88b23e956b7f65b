/* The update of C from block sums, and scaling (f64). Formulas, registers and loops: update.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx512/update.h"

FUNCTION(tsr_update_f64_avx512)
  update
END(tsr_update_f64_avx512)

FUNCTION(tsr_update_t_f64_avx512)
  update_t
END(tsr_update_t_f64_avx512)

FUNCTION(tsr_scale_f64_avx512)
  scale
END(tsr_scale_f64_avx512)
