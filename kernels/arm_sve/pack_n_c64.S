/* PACK_N of c64: that of f64 (pack_n.h) on twice the rows, but for the last panel, where a number's two parts are
 * repeated together. */
#define TSR_ELEMENT_F64
#include "kernels/arm_sve/pack_n.h"

/* M and N count parts, an even number of which lies in a vector: LD1RQ spreads the last number. */
.purgem strip_of_last_panel
.macro strip_of_last_panel
  sub LAST, M, #2
  add LAST, A, LAST, lsl #SHIFT
  whilelt p1.T, I, M
  whilelt p2.T, I, N
.Lstrip\@:
  LOAD_QUAD {z1.T}, p0/z, [LAST]
  LOAD {z0.T}, p1/z, [FROM]
  sel z0.T, p1, z0.T, z1.T
  STORE {z0.T}, p2, [TO]
  add FROM, FROM, CSA
  add LAST, LAST, CSA
  add TO, TO, CSC
  subs K, K, #1
  b.gt .Lstrip\@
  INCREMENT I
.endm

#define LINK x17

/* The step as pack_n reads it, with m and n doubled, is made on the stack. */
FUNCTION(tsr_pack_n_c64_sve)
  sub sp, sp, #96
  .cfi_adjust_cfa_offset 96
  ldp M, N, [STEP, STEP_M]
  ldr K, [STEP, STEP_K]
  ldr CSA, [STEP, STEP_CSA]
  ldr TMP, [STEP, STEP_DC]
  lsl M, M, #1
  lsl N, N, #1
  stp M, N, [sp, STEP_M]
  str K, [sp, STEP_K]
  str CSA, [sp, STEP_CSA]
  str TMP, [sp, STEP_DC]
  mov STEP, sp
  mov LINK, x30
  .cfi_register x30, LINK
  bl .Lparts
  add sp, sp, #96
  .cfi_adjust_cfa_offset -96
  ret LINK
.Lparts:
  pack_n
END(tsr_pack_n_c64_sve)
