/* The update of C from block sums, and scaling (c64). Formulas, registers and loops: complex_update.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx2/complex_update.h"

FUNCTION(tsr_update_c64_avx2)
  for_columns update_vector
END(tsr_update_c64_avx2)

FUNCTION(tsr_update_t_c64_avx2)
  update_t
END(tsr_update_t_c64_avx2)

FUNCTION(tsr_scale_c64_avx2)
  for_columns scale_vector
END(tsr_scale_c64_avx2)
