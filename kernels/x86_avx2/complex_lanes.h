/* Complex numbers along the lanes: the real part in the even lane, the imaginary part in the odd one. Beside lanes.h.
 * A last vector that is not full repeats its last row (end_tile.h says why), both parts of it. */
#define ROWS_OF_VECTOR (LANES/2)
#if defined(TSR_ELEMENT_F32)
#define vswap(to, from) vpermilps to, from, 0xb1
#define vxor vxorps
#define vaddsub vaddsubps            /* a = b - c in even lanes, b + c in odd ones */
#define vsubadd vfmsubadd213ps       /* a = a * b + c in even lanes, - c in odd ones */
#define vsubadd_from vfmsubadd231ps  /* a = b * c + a in even lanes, - a in odd ones */
#else
#define vswap(to, from) vpermilpd to, from, 0x5
#define vxor vxorpd
#define vaddsub vaddsubpd
#define vsubadd vfmsubadd213pd
#define vsubadd_from vfmsubadd231pd
#endif

#define STEP_CONJ_A 256
#define STEP_CONJ_B 512

.section .rodata.avx2
.p2align 5
#if defined(TSR_ELEMENT_F32)
even_signs:
  .quad 0x0000000080000000, 0x0000000080000000, 0x0000000080000000, 0x0000000080000000
odd_signs:
  .quad 0x8000000000000000, 0x8000000000000000, 0x8000000000000000, 0x8000000000000000
row_numbers:
  .long 0, 0, 1, 1, 2, 2, 3, 3
part_numbers:
  .long 0, 1, 0, 1, 0, 1, 0, 1
ones:
  .fill 8, 4, 0x3f800000
#else
even_signs:
  .quad 0x8000000000000000, 0, 0x8000000000000000, 0
odd_signs:
  .quad 0, 0x8000000000000000, 0, 0x8000000000000000
first_row:
  .long 0, 1, 2, 3, 0, 1, 2, 3
ones:
  .quad 0x3ff0000000000000, 0x3ff0000000000000, 0x3ff0000000000000, 0x3ff0000000000000
#endif
.text

/* ymm<reg> = (-x, x) in every pair of lanes, x the field of the step: what a swapped vector is multiplied by. */
.macro load_turn reg, field
  load_scalar \reg, \field
  vxor ymm\reg, ymm\reg, [rip + even_signs]
.endm

/* ymm<reg> = indices for vpermps that keep the rows of a vector that has 1 .. ROWS_OF_VECTOR - 1 and repeat the last
 * one above. */
.macro clamp_rows reg, rows
#if defined(TSR_ELEMENT_F32)
  dec \rows
  vmovq xmm\reg, \rows
  vpbroadcastd ymm\reg, xmm\reg
  vpminsd ymm\reg, ymm\reg, [rip + row_numbers]
  vpaddd ymm\reg, ymm\reg, ymm\reg
  vpaddd ymm\reg, ymm\reg, [rip + part_numbers]
  inc \rows
#else
  vmovdqu ymm\reg, [rip + first_row]
#endif
.endm
