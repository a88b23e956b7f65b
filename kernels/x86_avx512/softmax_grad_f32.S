/* TSR_OP_SOFTMAX_GRAD of kernel.h: scores to weights, gradients of weights to gradients of scores.
 *
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)      b: struct tsr_softmax
 *
 * 16 rows at a time down the keys, each by itself: the chains of several keys overlap. Constants and the arithmetic:
 * softmax.h. Live at the loop heads: zmm5 127, zmm7 max, zmm8 what is taken off. */
#include "kernels/x86_avx512/softmax.h"

#define A r14
#define CSA r15
#define CAP_BITS r13d
#define D r9          /* dp, where P is at s */
#define MOST zmm5
#define MAXIMUM zmm7
#define DELTA zmm8
#define WEIGHT zmm15
#define DS zmm14
#define SCORE zmm24   /* s, with a cap */

/* From x in X to the weight, at P, and to ds in DS; k2: where it is not 0. */
.macro weigh
  vcmpps k1, X, MINUS_INF{1to16}, NOT_EQUAL
  vsubps X{k1}{z}, X, MAXIMUM
  vminps X, MOST, X               /* NaN stays */
  vcmpps k2{k1}, X, LEAST{1to16}, NOT_LESS
  vrndscaleps zmm10, X, TO_NEAREST
  vsubps X{k2}{z}, X, zmm10
  exp2_tail WEIGHT, X, zmm10, k2
  vmovups DS, [D]
  vmovups [P], WEIGHT
  vsubps DS{k2}{z}, DS, DELTA
  vmulps DS{k2}{z}, DS, WEIGHT
.endm

.macro next_key
  vmovups [D], DS
  add P, CSC
  add D, CSA
.endm

FUNCTION(tsr_softmax_grad_f32_avx512)
  enter
  PUSH(r14); PUSH(r15)
  mov A, rsi
  mov CSA, [STEP + STEP_CSA]
  mov eax, 0x42fe0000
  vpbroadcastd MOST, eax
.Lrows:
  row_field MAXIMUM, SOFTMAX_MAX
  row_field DELTA, SOFTMAX_SUM
  mov P, C
  mov D, A
  test EDGES, EDGES
  jz .Lplain
  load_rows
  mov P, C
  mov LEFT, [STEP + STEP_N]
.Lscore:
  vmovups X, [P]
  vmovaps SCORE, X
  score
  weigh
  mov CAP_BITS, [SM + SOFTMAX_CAP]
  add CAP_BITS, CAP_BITS          /* +0 and -0 become 0 */
  jz .Lstore
  vmovaps X, SCORE
  cap_score                       /* zmm10 = t */
  vmovaps zmm11, ONE
  vfnmadd231ps zmm11{k2}{z}, zmm10, zmm10
  vmulps DS{k2}{z}, DS, zmm11
.Lstore:
  next_key
  dec LEFT
  jnz .Lscore
  jmp .Lnext_rows

.Lplain:
  mov LEFT, [STEP + STEP_N]
.Lplain_key:
  vmovups X, [P]
  weigh
  next_key
  dec LEFT
  jnz .Lplain_key
.Lnext_rows:
  add C, 64
  add A, 64
  add OFFSET, 64
  sub ROWS, 16
  jg .Lrows
  POP(r15); POP(r14)
  leave_function
END(tsr_softmax_grad_f32_avx512)
