/* Packing of c64, any panel width (TSR_OP_PACK_N and TSR_OP_PACK_T of kernel.h). Complex f32 go the way of f64.
 *
 *   C[panel t][p][i] = A[min(t * n + i, m - 1)][p]
 *     tsr_pack_n_c64_avx512: A[i,p] at a + p * csa + i * 16     tsr_pack_t_c64_avx512: at a + i * rsa + p * 16
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Units of four rows, a vector, are copied for all k; along rows three of them side by side. Rows that lie along k go
 * through four pointers, of which those beyond row m stay with the last row, and are transposed four steps at a time.
 *
 * Live in every loop:
 *   D      where this k of the unit goes          PITCH  bytes from k to k in the panel      K  steps of k left
 *   A, CSA this k of the unit, and to the next    R0 .. R3  this k of its rows (pack_t)      k1 lanes stored
 *   k2     lanes that are in the matrix (pack_n), or in the steps left (pack_t) */
#define TSR_ELEMENT_F64
#include "kernels/x86_asm.h"
#include "kernels/x86_avx512/lanes.h"

#define STEP rdi
#define D rdx
#define D_PANEL rcx
#define PITCH r15
#define K rbx
#define ROWS r12     /* of the matrix left */
#define A_UNIT r13
#define LEFT r14     /* rows of the panel left */
#define D_UNIT rbp
#define ROW 16
#define UNIT 4       /* rows */

#define A rsi        /* pack_n */
#define CSA r8
#define LAST r9      /* bytes from a unit's first row to row m - 1 */

#define R0 rsi       /* pack_t */
#define R1 r8
#define R2 r9
#define R3 r10
#define RS r11

.macro enter
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  mov A_UNIT, rsi
  mov ROWS, [STEP + STEP_M]
  mov PITCH, [STEP + STEP_N]
  shl PITCH, 4
.endm
.macro leave
  vzeroupper
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm

/* k<k> = the lanes of `rows` rows, eax; rax is overwritten. */
.macro rows_to_lanes k, rows
  lea eax, [\rows + \rows]
  bzhi eax, r10d, eax
  kmovw \k, eax
.endm

FUNCTION(tsr_pack_n_c64_avx512)
  enter
  mov CSA, [STEP + STEP_CSA]
  mov r10d, -1
.Ln_panel:
  mov LEFT, [STEP + STEP_N]
  mov D_UNIT, D_PANEL
.Ln_unit:
  mov A, A_UNIT
  mov D, D_UNIT
  mov K, [STEP + STEP_K]
  cmp LEFT, 3*UNIT
  jl .Ln_one
  cmp ROWS, 3*UNIT
  jge .Ln_three
.Ln_one:
  mov r11d, UNIT
  cmp LEFT, r11
  cmovl r11, LEFT
  rows_to_lanes k1, r11
  cmp ROWS, r11
  jl .Ln_padded
.Ln_one_k:
  vmovupd zmm0{k1}{z}, [A]
  vmovupd [D]{k1}, zmm0
  add A, CSA
  add D, PITCH
  dec K
  jnz .Ln_one_k
.Ln_next:                     /* r11 rows are done */
  sub ROWS, r11
  sub LEFT, r11
  shl r11, 4
  add A_UNIT, r11
  add D_UNIT, r11
.Ln_more:
  test LEFT, LEFT
  jz .Ln_panel_done
  test ROWS, ROWS
  jnz .Ln_unit
  mov ROWS, 1                 /* nothing but padding left in this panel */
  sub A_UNIT, ROW
  jmp .Ln_unit
.Ln_panel_done:
  add D_PANEL, [STEP + STEP_DC]
  test ROWS, ROWS
  jnz .Ln_panel
  leave

.Ln_three:
  vmovupd zmm0, [A]
  vmovupd zmm1, [A + 64]
  vmovupd zmm2, [A + 128]
  prefetcht1 [A + 192]        /* the next panel: rows of k may lie pages apart */
  prefetcht1 [A + 256]
  prefetcht1 [A + 320]
  vmovupd [D], zmm0
  vmovupd [D + 64], zmm1
  vmovupd [D + 128], zmm2
  add A, CSA
  add D, PITCH
  dec K
  jnz .Ln_three
  mov r11d, 3*UNIT
  jmp .Ln_next

.Ln_padded:
  rows_to_lanes k2, ROWS
  mov LAST, ROWS
  shl LAST, 4
.Ln_padded_k:
  vlane zmm0, [A + LAST - ROW]
  vmovupd zmm0{k2}, [A]
  vmovupd [D]{k1}, zmm0
  add A, CSA
  add D, PITCH
  dec K
  jnz .Ln_padded_k
  sub LEFT, r11
  add A_UNIT, LAST
  add D_UNIT, 64
  xor r12d, r12d
  jmp .Ln_more
END(tsr_pack_n_c64_avx512)

.macro store_step reg
  vmovupd [D]{k1}, \reg
  add D, PITCH
.endm

/* zmm4 .. zmm7 = steps of k of the rows in zmm0 .. zmm3. */
.macro transpose
  vshuff64x2 zmm8, zmm0, zmm1, 0x44
  vshuff64x2 zmm9, zmm2, zmm3, 0x44
  vshuff64x2 zmm10, zmm0, zmm1, 0xee
  vshuff64x2 zmm11, zmm2, zmm3, 0xee
  vshuff64x2 zmm4, zmm8, zmm9, 0x88
  vshuff64x2 zmm5, zmm8, zmm9, 0xdd
  vshuff64x2 zmm6, zmm10, zmm11, 0x88
  vshuff64x2 zmm7, zmm10, zmm11, 0xdd
.endm

FUNCTION(tsr_pack_t_c64_avx512)
  enter
  mov RS, [STEP + STEP_RSA]
.Lt_panel:
  mov LEFT, [STEP + STEP_N]
  mov D_UNIT, D_PANEL
.Lt_unit:
  mov D, D_UNIT
  mov K, [STEP + STEP_K]
  mov eax, UNIT
  cmp LEFT, rax
  cmovl rax, LEFT
  add eax, eax
  mov r10d, -1
  bzhi eax, r10d, eax
  kmovw k1, eax
  mov R0, A_UNIT
  mov R1, R0
  lea rax, [R0 + RS]
  cmp ROWS, 1
  cmovg R1, rax
  mov R2, R1
  lea rax, [R1 + RS]
  cmp ROWS, 2
  cmovg R2, rax
  mov R3, R2
  lea rax, [R2 + RS]
  cmp ROWS, 3
  cmovg R3, rax
  sub K, UNIT
  jl .Lt_part
.Lt_line:
  vmovupd zmm0, [R0]
  vmovupd zmm1, [R1]
  vmovupd zmm2, [R2]
  vmovupd zmm3, [R3]
  prefetcht1 [R0 + 4*RS]      /* they lie too far apart for the hardware to see them coming */
  prefetcht1 [R1 + 4*RS]
  prefetcht1 [R2 + 4*RS]
  prefetcht1 [R3 + 4*RS]
  transpose
  store_step zmm4
  store_step zmm5
  store_step zmm6
  store_step zmm7
  add R0, 64
  add R1, 64
  add R2, 64
  add R3, 64
  sub K, UNIT
  jge .Lt_line
.Lt_part:
  add K, UNIT
  jz .Lt_done
  mov eax, -1
  add K, K
  bzhi eax, eax, ebx
  shr K, 1
  kmovw k2, eax
  vmovupd zmm0{k2}{z}, [R0]
  vmovupd zmm1{k2}{z}, [R1]
  vmovupd zmm2{k2}{z}, [R2]
  vmovupd zmm3{k2}{z}, [R3]
  transpose
  store_step zmm4
  cmp K, 2
  jl .Lt_done
  store_step zmm5
  cmp K, 3
  jl .Lt_done
  store_step zmm6
.Lt_done:
  mov eax, UNIT               /* rows of the matrix this unit took */
  cmp rax, LEFT
  cmovg rax, LEFT
  cmp rax, ROWS
  cmovg rax, ROWS
  sub ROWS, rax
  imul rax, RS
  add A_UNIT, rax
  add D_UNIT, 64
  sub LEFT, UNIT
  jle .Lt_panel_done
  test ROWS, ROWS
  jnz .Lt_unit
  mov ROWS, 1                 /* nothing but padding left in this panel */
  sub A_UNIT, RS
  jmp .Lt_unit
.Lt_panel_done:
  add D_PANEL, [STEP + STEP_DC]
  test ROWS, ROWS
  jnz .Lt_panel
  leave
END(tsr_pack_t_c64_avx512)
