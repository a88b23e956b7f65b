/* TSR_OP_TURN of kernel.h where one side is four elements of 4 bytes that lie without gaps: pixels of groups of four
 * channels become planes of groups, and back. turn.h would use a quarter of its blocks.
 *
 *   from_fours  n = 4, rsa = 16:  C[j * csc + i * 4] = A[i * 16 + j * 4]
 *   to_fours    m = 4, csc = 16:  C[j * 16 + i * 4] = A[i * rsa + j * 4]
 *
 * Sixteen rows, or columns, a round; the last ones, if they are fewer, are masked. Live at the loop head: A, C and
 * COUNT, what is left less a round; STRIDE and STRIDE3; zmm30 and zmm31, which elements of two vectors are taken. In
 * the last round k1: its rows (columns), k2 .. k5: elements of its four vectors of fours. */
#define FOURS_A rsi
#define FOURS_C rcx
#define FOURS_COUNT r8
#define FOURS_STRIDE r9
#define FOURS_STRIDE3 r10

/* Masks for the last FOURS_COUNT rows, fewer than sixteen. */
.macro masks_of_fours
  mov eax, -1
  bzhi r11d, eax, r8d
  kmovw k1, r11d
  mov rax, -1
  shl r8, 2
  bzhi r11, rax, r8
  kmovw k2, r11d
  shr r11, 16
  kmovw k3, r11d
  shr r11, 16
  kmovw k4, r11d
  shr r11, 16
  kmovw k5, r11d
.endm

/* zmm<first>, zmm<second> = the lower halves, and the upper ones, of x and y. */
.macro halves_of_two first, second, x, y
  vshuff64x2 \first, \x, \y, 0x44
  vshuff64x2 \second, \x, \y, 0xee
.endm

/* zmm<first>, zmm<second> = what zmm30, zmm31 take of x and y. */
.macro take_of_two first, second, x, y
  vmovaps \first, zmm30
  vmovaps \second, zmm31
  vpermi2ps \first, \x, \y
  vpermi2ps \second, \x, \y
.endm

.macro from_fours_round m1, m2, m3, m4, m5, zero
  vmovups zmm0\m2\zero, [FOURS_A]
  vmovups zmm1\m3\zero, [FOURS_A + 64]
  vmovups zmm2\m4\zero, [FOURS_A + 128]
  vmovups zmm3\m5\zero, [FOURS_A + 192]
  take_of_two zmm4, zmm5, zmm0, zmm1
  take_of_two zmm6, zmm7, zmm2, zmm3
  halves_of_two zmm0, zmm1, zmm4, zmm6
  halves_of_two zmm2, zmm3, zmm5, zmm7
  vmovups [FOURS_C]\m1, zmm0
  vmovups [FOURS_C + FOURS_STRIDE]\m1, zmm1
  vmovups [FOURS_C + 2*FOURS_STRIDE]\m1, zmm2
  vmovups [FOURS_C + FOURS_STRIDE3]\m1, zmm3
  add FOURS_A, 256
  add FOURS_C, 64
.endm
.macro to_fours_round m1, m2, m3, m4, m5, zero
  vmovups zmm0\m1\zero, [FOURS_A]
  vmovups zmm1\m1\zero, [FOURS_A + FOURS_STRIDE]
  vmovups zmm2\m1\zero, [FOURS_A + 2*FOURS_STRIDE]
  vmovups zmm3\m1\zero, [FOURS_A + FOURS_STRIDE3]
  halves_of_two zmm4, zmm5, zmm0, zmm1
  halves_of_two zmm6, zmm7, zmm2, zmm3
  take_of_two zmm0, zmm1, zmm4, zmm6
  take_of_two zmm2, zmm3, zmm5, zmm7
  vmovups [FOURS_C]\m2, zmm0
  vmovups [FOURS_C + 64]\m3, zmm1
  vmovups [FOURS_C + 128]\m4, zmm2
  vmovups [FOURS_C + 192]\m5, zmm3
  add FOURS_A, 64
  add FOURS_C, 256
.endm

/* All rounds of FOURS_COUNT rows or columns, whole ones first. */
.macro fours round, count, stride, first, last
  mov FOURS_COUNT, [STEP + \count]
  mov FOURS_STRIDE, [STEP + \stride]
  lea FOURS_STRIDE3, [FOURS_STRIDE + 2*FOURS_STRIDE]
  vmovups zmm30, [rip + \first]
  vmovups zmm31, [rip + \last]
  sub FOURS_COUNT, 16
  jl .Lcut\@
.Lround\@:
  \round
  sub FOURS_COUNT, 16
  jge .Lround\@
.Lcut\@:
  add FOURS_COUNT, 16
  jz .Ldone\@
  masks_of_fours
  \round <{k1}>, <{k2}>, <{k3}>, <{k4}>, <{k5}>, <{z}>
.Ldone\@:
  vzeroupper
  ret
.endm

  .section .rodata
  .p2align 6
.Lfirst_two_of_fours:             /* of four rows and the next four: columns 0, then 1 */
  .long 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29
.Llast_two_of_fours:
  .long 2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31
.Lfirst_four_columns:             /* of eight columns of rows 0 and 1, and of 2 and 3 */
  .long 0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27
.Llast_four_columns:
  .long 4, 12, 20, 28, 5, 13, 21, 29, 6, 14, 22, 30, 7, 15, 23, 31
  .text
