/* Packing of a matrix whose rows are contiguous (TSR_OP_PACK_N of kernel.h), any panel width.
 *
 *   C[panel t][p][i] = A[min(t * n + i, m - 1)][p]      A[i,p] at a + p * csa + i * size
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Units of one vector of panel rows are copied for all k, up to four side by side, so that whole neighbouring lines
 * are read: three units of one panel, or four panels of at most a vector. A unit that reaches beyond row m repeats it.
 *
 * Live in every loop:
 *   A      this k of the first unit       D, D1 .. D3  where this k of each unit goes
 *   CSA    bytes from k to k in A         PITCH        the same in a panel
 *   K      steps of k left                k1           rows stored, k2  rows that are in the matrix */
#include "kernels/x86_asm.h"
#include "kernels/x86_avx512/lanes.h"

#define STEP rdi
#define A rsi
#define D rdx
#define D_PANEL rcx
#define CSA r8
#define K r9
#define PITCH r10
#define DC r11
#define ROWS rbx     /* of the matrix left */
#define LEFT rbp     /* rows of the panel left */
#define A_UNIT r12
#define D_UNIT r13
#define LAST r14     /* bytes from a unit's first row to row m - 1 */

/* Four panels of at most one vector. */
.macro copy_four_panels
  lea r14, [DC + 2*DC]
.Lfour\@:
  vmov zmm0{k1}{z}, [A]
  vmov zmm1{k1}{z}, [A + PITCH]
  vmov zmm2{k1}{z}, [A + 2*PITCH]
  add A, PITCH
  vmov zmm3{k1}{z}, [A + 2*PITCH]
  sub A, PITCH
  vmov [D]{k1}, zmm0
  vmov [D + DC]{k1}, zmm1
  vmov [D + 2*DC]{k1}, zmm2
  vmov [D + r14]{k1}, zmm3
  add A, CSA
  add D, PITCH
  dec K
  jnz .Lfour\@
.endm

/* Three whole units of one panel. */
.macro copy_three_units
.Lthree\@:
  vmov zmm0, [A]
  vmov zmm1, [A + 64]
  vmov zmm2, [A + 128]
  prefetcht1 [A + 192]          /* the next panel: rows of k may lie pages apart */
  prefetcht1 [A + 256]
  prefetcht1 [A + 320]
  vmov [D], zmm0
  vmov [D + 64], zmm1
  vmov [D + 128], zmm2
  add A, CSA
  add D, PITCH
  dec K
  jnz .Lthree\@
.endm

.macro copy_unit
.Lunit_k\@:
  vmov zmm0{k1}{z}, [A]
  vmov [D]{k1}, zmm0
  add A, CSA
  add D, PITCH
  dec K
  jnz .Lunit_k\@
.endm

.macro copy_padded
.Lpadded_k\@:
  vbcast zmm0, [A + LAST]
  vmov zmm0{k2}, [A]
  vmov [D]{k1}, zmm0
  add A, CSA
  add D, PITCH
  dec K
  jnz .Lpadded_k\@
.endm

/* The function's body, from the first push to ret. */
.macro pack_n
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14)
  mov CSA, [STEP + STEP_CSA]
  mov DC, [STEP + STEP_DC]
  mov ROWS, [STEP + STEP_M]
  mov PITCH, [STEP + STEP_N]
  imul PITCH, PITCH, SIZE
  mov A_UNIT, A

.Lpanel:
  mov LEFT, [STEP + STEP_N]
  mov D_UNIT, D_PANEL
  cmp LEFT, LANES
  jg .Lunit
  lea rax, [4*LEFT]
  cmp ROWS, rax
  jge .Lfour_panels
.Lunit:
  mov A, A_UNIT
  mov D, D_UNIT
  mov K, [STEP + STEP_K]
  cmp LEFT, 3*LANES
  jl .Lone_unit
  cmp ROWS, 3*LANES
  jge .Lthree_units
.Lone_unit:
  mov eax, LANES
  cmp LEFT, rax
  cmovl rax, LEFT
  mov r14d, -1
  bzhi r14d, r14d, eax
  kmovw k1, r14d
  cmp ROWS, rax
  jl .Lpadded
  copy_unit
.Lunit_done:
  sub ROWS, rax
  sub LEFT, rax
  imul rax, rax, SIZE
  add A_UNIT, rax
  add D_UNIT, 64
.Lnext_unit:
  test LEFT, LEFT
  jz .Lpanel_done
  test ROWS, ROWS
  jnz .Lunit
  mov ROWS, 1                 /* nothing but padding left in this panel */
  sub A_UNIT, SIZE
  jmp .Lunit
.Lpanel_done:
  add D_PANEL, DC
  test ROWS, ROWS
  jnz .Lpanel
  jmp .Lreturn

.Lpadded:
  mov r14d, -1
  bzhi r14d, r14d, ebx
  kmovw k2, r14d
  lea LAST, [SIZE*ROWS - SIZE]
  copy_padded
  sub LEFT, rax
  imul rax, ROWS, SIZE
  add A_UNIT, rax
  add D_UNIT, 64
  xor ROWS, ROWS
  jmp .Lnext_unit

.Lthree_units:
  copy_three_units
  sub ROWS, 3*LANES
  sub LEFT, 3*LANES
  add A_UNIT, 192
  add D_UNIT, 192
  jmp .Lnext_unit

.Lfour_panels:
  mov A, A_UNIT
  mov D, D_PANEL
  mov K, [STEP + STEP_K]
  mov eax, -1
  bzhi eax, eax, ebp
  kmovw k1, eax
  copy_four_panels
  lea rax, [4*LEFT]
  sub ROWS, rax
  imul rax, rax, SIZE
  add A_UNIT, rax
  lea D_PANEL, [D_PANEL + 2*DC]
  add D_PANEL, DC
  jmp .Lpanel_done

.Lreturn:
  vzeroupper
  POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm
