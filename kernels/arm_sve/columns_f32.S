/* UPDATE, UPDATE_T and SCALE for f32. Formulas, registers and loops: columns.h. */
#define TSR_ELEMENT_F32
#include "kernels/arm_sve/columns.h"

FUNCTION(tsr_update_f32_sve)
  update
END(tsr_update_f32_sve)

FUNCTION(tsr_update_t_f32_sve)
  update_t
END(tsr_update_t_f32_sve)

FUNCTION(tsr_scale_f32_sve)
  scale
END(tsr_scale_f32_sve)
