/* TSR_OP_CONVERT of kernel.h from blocks of q8_0 to f32.
 *
 *   C[i][j] = alpha * A[i,j]      the blocks of column j from a + j * csa on; m is a multiple of 32
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c) */
#define TSR_A_Q8_0
#include "kernels/x86_asm.h"
#include "kernels/x86_avx512/convert_blocks.h"

FUNCTION(tsr_convert_q8_0_f32_avx512)
  convert_blocks
END(tsr_convert_q8_0_f32_avx512)
