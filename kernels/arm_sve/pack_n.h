/* PACK_N of kernel.h: m rows that lie side by side in every step of k, into panels of any width n.
 *
 *   C[t*dc + (p*n + i)*size] = A[t*n + i, p]; in the last panel rows from m on repeat row m - 1
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * A panel is copied in strips of up to three vectors, each along all of k. Live at a strip's loop head:
 * p0 = all lanes, p1 = rows of the strip's last vector (in the last panel: real rows), p2 = rows with repeats. */
#include "kernels/arm_asm.h"
#include "kernels/arm_sve/element.h"

#define STEP x0
#define A x1        /* this panel's first row */
#define C x3        /* this panel */
#define M x4        /* rows from this panel on */
#define N x5        /* width of a panel */
#define CSA x6
#define CSC x7      /* from step to step in the panel */
#define I x8        /* first row of the strip */
#define FROM x9     /* this k of the strip */
#define TO x10
#define K x11
#define LAST x12    /* row m - 1 at this k */
#define VECTOR x13  /* rows of one vector */
#define TMP x14

.altmacro
.macro copy_in reg, mask
  LOAD {z\reg\().T}, \mask/z, [FROM, #\reg, mul vl]
.endm
.macro copy_out reg, mask
  STORE {z\reg\().T}, \mask, [TO, #\reg, mul vl]
.endm

/* The strip of nv >= 2 vectors at row I, all of its rows real. */
.macro strip nv
  mov TMP, I
  INCREMENT TMP, all, mul #(\nv - 1)
  whilelt p1.T, TMP, N
.Lstrip\@:
  .set at_i, 0
  .rept \nv - 1
    copy_in %(at_i), p0
    .set at_i, at_i + 1
  .endr
  copy_in %(\nv - 1), p1
  .set at_i, 0
  .rept \nv - 1
    copy_out %(at_i), p0
    .set at_i, at_i + 1
  .endr
  copy_out %(\nv - 1), p1
  add FROM, FROM, CSA
  add TO, TO, CSC
  subs K, K, #1
  b.gt .Lstrip\@
  INCREMENT I, all, mul #\nv
.endm

/* The strip of one vector: what panels of B are; two k at a time. */
.macro narrow_strip
  whilelt p1.T, I, N
  tbz K, #0, .Leven\@
  copy_in 0, p1
  copy_out 0, p1
  add FROM, FROM, CSA
  add TO, TO, CSC
  subs K, K, #1
  b.eq .Lstrip_end\@
.Leven\@:
  LOAD {z0.T}, p1/z, [FROM]
  add FROM, FROM, CSA
  LOAD {z1.T}, p1/z, [FROM]
  add FROM, FROM, CSA
  STORE {z0.T}, p1, [TO]
  STORE {z1.T}, p1, [TO, N, lsl #SHIFT]
  add TO, TO, CSC, lsl #1
  subs K, K, #2
  b.gt .Leven\@
.Lstrip_end\@:
  INCREMENT I
.endm

.macro strip_of_last_panel
  sub LAST, M, #1
  add LAST, A, LAST, lsl #SHIFT
  whilelt p1.T, I, M
  whilelt p2.T, I, N
.Lstrip\@:
  LOAD_ONE {z1.T}, p0/z, [LAST]
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

.macro pack_n
  ldp M, N, [STEP, STEP_M]
  ldr CSA, [STEP, STEP_CSA]
  lsl CSC, N, #SHIFT
  ptrue p0.T
  ldr K, [STEP, STEP_K]
  cmp K, #0
  ccmp M, #0, #4, gt          /* as if m were 0 where k is */
  b.le .Ldone\@
.Lpanel\@:
  mov I, #0
.Lnext\@:
  add FROM, A, I, lsl #SHIFT
  add TO, C, I, lsl #SHIFT
  ldr K, [STEP, STEP_K]
  cmp M, N
  b.lt .Llast\@
  sub TMP, N, I
  COUNT VECTOR
  cmp TMP, VECTOR
  b.le .Lone\@
  cmp TMP, VECTOR, lsl #1
  b.le .Ltwo\@
  strip 3
  b .Lstrip_done\@
.Ltwo\@:
  strip 2
  b .Lstrip_done\@
.Lone\@:
  narrow_strip
  b .Lstrip_done\@
.Llast\@:
  strip_of_last_panel
.Lstrip_done\@:
  cmp I, N
  b.lt .Lnext\@
  ldr TMP, [STEP, STEP_DC]
  add A, A, CSC               /* the panel's n rows lie side by side */
  add C, C, TMP
  subs M, M, N
  b.gt .Lpanel\@
.Ldone\@:
  ret
.endm
