/* UPDATE, UPDATE_T and SCALE for f64. Formulas, registers and loops: columns.h. */
#define TSR_ELEMENT_F64
#include "kernels/arm_sve/columns.h"

FUNCTION(tsr_update_f64_sve)
  update
END(tsr_update_f64_sve)

FUNCTION(tsr_update_t_f64_sve)
  update_t
END(tsr_update_t_f64_sve)

FUNCTION(tsr_scale_f64_sve)
  scale
END(tsr_scale_f64_sve)
