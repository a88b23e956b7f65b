/* size_t tsr_vector_bytes_sve(void): the length of this thread's vectors. */
#include "kernels/arm_asm.h"

.arch armv8.2-a+sve

FUNCTION(tsr_vector_bytes_sve)
  cntb x0
  ret
END(tsr_vector_bytes_sve)
