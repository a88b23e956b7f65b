/* Packing of a matrix of c32 that lies along k (TSR_OP_PACK_T of kernel.h), any panel width.
 *
 *   C[panel t][p][i] = A[min(t * n + i, m - 1)][p]      A[i,p] at a + i * rsa + p * 8
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * In panels of four rows, as B's are for the preferred tile, two steps of k fill a vector: a line of four rows becomes
 * four whole vectors that follow one another. Rows beyond m are the last row again. Other widths go the way of f64.
 *
 * Live in the loop:
 *   R0 .. R3  this k of the panel's rows     D  where it goes     K  steps of k left */
#include "kernels/x86_asm.h"

#define STEP rdi
#define D rdx
#define D_PANEL rcx
#define K rbx
#define ROWS r12 /* of the matrix left */
#define R0 rsi
#define R1 r8
#define R2 r9
#define R3 r10
#define RS r11
#define WIDTH 4
#define LINE 8   /* steps of k */

.altmacro

/* zmm4 .. zmm7 = the steps of k in zmm0 .. zmm3, two in each. */
.macro transpose
  vunpcklpd zmm4, zmm0, zmm1
  vunpckhpd zmm5, zmm0, zmm1
  vunpcklpd zmm6, zmm2, zmm3
  vunpckhpd zmm7, zmm2, zmm3
  vshuff64x2 zmm0, zmm4, zmm6, 0x44
  vshuff64x2 zmm1, zmm5, zmm7, 0x44
  vshuff64x2 zmm2, zmm4, zmm6, 0xee
  vshuff64x2 zmm3, zmm5, zmm7, 0xee
  vshuff64x2 zmm4, zmm0, zmm1, 0x88
  vshuff64x2 zmm5, zmm0, zmm1, 0xdd
  vshuff64x2 zmm6, zmm2, zmm3, 0x88
  vshuff64x2 zmm7, zmm2, zmm3, 0xdd
.endm

FUNCTION(tsr_pack_t_c32_avx512)
  cmp qword ptr [STEP + STEP_N], WIDTH
  jne tsr_pack_t_f64_avx512
  PUSH(rbx); PUSH(r12)
  mov RS, [STEP + STEP_RSA]
  mov ROWS, [STEP + STEP_M]
.Lpanel:
  mov D, D_PANEL
  mov K, [STEP + STEP_K]
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
  sub K, LINE
  jl .Lpart
.Lline:
  vmovupd zmm0, [R0]
  vmovupd zmm1, [R1]
  vmovupd zmm2, [R2]
  vmovupd zmm3, [R3]
  prefetcht1 [R0 + 4*RS]      /* they lie too far apart for the hardware to see them coming */
  prefetcht1 [R1 + 4*RS]
  prefetcht1 [R2 + 4*RS]
  prefetcht1 [R3 + 4*RS]
  transpose
  vmovupd [D], zmm4
  vmovupd [D + 64], zmm5
  vmovupd [D + 128], zmm6
  vmovupd [D + 192], zmm7
  add R0, 64
  add R1, 64
  add R2, 64
  add R3, 64
  add D, 256
  sub K, LINE
  jge .Lline
.Lpart:
  add K, LINE
  jz .Lnext
  mov eax, -1
  bzhi eax, eax, ebx
  kmovw k1, eax
  vmovupd zmm0{k1}{z}, [R0]
  vmovupd zmm1{k1}{z}, [R1]
  vmovupd zmm2{k1}{z}, [R2]
  vmovupd zmm3{k1}{z}, [R3]
  transpose
  lea ebx, [4*K]              /* elements, of which each vector stores eight and the last what is left */
  mov rax, -1
  bzhi rax, rax, rbx
  kmovq k1, rax
  vmovupd [D]{k1}, zmm4
  kshiftrq k1, k1, 8
  vmovupd [D + 64]{k1}, zmm5
  kshiftrq k1, k1, 8
  vmovupd [D + 128]{k1}, zmm6
  kshiftrq k1, k1, 8
  vmovupd [D + 192]{k1}, zmm7
.Lnext:
  mov R0, [STEP + STEP_K]     /* the next panel's first row is one below this one's last */
  and R0, -LINE
  shl R0, 3
  neg R0
  add R0, R3
  add R0, RS
  mov rax, [STEP + STEP_DC]
  add D_PANEL, rax
  sub ROWS, WIDTH
  jg .Lpanel
  vzeroupper
  POP(r12); POP(rbx)
  ret
END(tsr_pack_t_c32_avx512)
