/* UPDATE, UPDATE_T and SCALE for complex numbers of two f64. Formulas, registers and loops: complex_columns.h. */
#define TSR_ELEMENT_F64
#include "kernels/arm_sve/complex_columns.h"

FUNCTION(tsr_update_c64_sve)
  update
END(tsr_update_c64_sve)

FUNCTION(tsr_update_t_c64_sve)
  update_t
END(tsr_update_t_c64_sve)

FUNCTION(tsr_scale_c64_sve)
  scale
END(tsr_scale_c64_sve)
