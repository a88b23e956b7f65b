/* The update of C from block sums, and scaling (f64). Formulas, registers and loop: update.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx2/update.h"

FUNCTION(tsr_update_f64_avx2)
  for_columns update_vector
END(tsr_update_f64_avx2)

FUNCTION(tsr_scale_f64_avx2)
  for_columns scale_vector
END(tsr_scale_f64_avx2)
