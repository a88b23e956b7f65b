/* The update of C from block sums, and scaling (c64). Formulas, registers and loops: complex_update.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx512/complex_update.h"

FUNCTION(tsr_update_c64_avx512)
  update
END(tsr_update_c64_avx512)

FUNCTION(tsr_update_t_c64_avx512)
  update_t
END(tsr_update_t_c64_avx512)

FUNCTION(tsr_scale_c64_avx512)
  scale
END(tsr_scale_c64_avx512)
