/* Rows of blocks (blocks.h) across the lanes, for kernels that read a matrix lying along k: 16 bytes of 16 rows are
 * transposed as 4 x 4 elements of four bytes, so that a register holds four bytes of every row; shifts pick them one by
 * one.
 *
 * Registers: zmm0 and zmm1 are overwritten. ROW0 .. ROW_LANE3, RS, RS3 and PART: transpose.h. */
#include "kernels/x86_avx512/transpose.h"

/* `how` x, y, the address of byte `offset` of row 4 * lane + t */
.macro with_row lane, t, offset, how, x, y
  .if \t == 0
    \how \x, <\y>, <\lane + \offset>
  .elseif \t == 1
    \how \x, <\y>, <\lane + RS + \offset>
  .elseif \t == 2
    \how \x, <\y>, <\lane + 2*RS + \offset>
  .else
    \how \x, <\y>, <\lane + RS3 + \offset>
  .endif
.endm
.macro take_lane0 reg, unused, at
  vmovups xmm\reg, [\at]
.endm
.macro take_lane1 reg, unused, at
  vinserti32x4 ymm\reg, ymm\reg, [\at], 1
.endm
.macro take_lane2 reg, unused, at
  vinserti32x4 zmm\reg, zmm\reg, [\at], 2
.endm
.macro take_lane3 reg, unused, at
  vinserti32x4 zmm\reg, zmm\reg, [\at], 3
.endm

/* zmm<first> .. = bytes 0 .. 3, 4 .. 7, 8 .. 11, 12 .. 15 from byte `offset` on of every row. */
.macro load_bytes first, offset
  .set at_t, 0
  .rept 4
    with_row ROW0, %(at_t), \offset, take_lane0, %(\first + at_t)
    with_row ROW_LANE1, %(at_t), \offset, take_lane1, %(\first + at_t)
    with_row ROW_LANE2, %(at_t), \offset, take_lane2, %(\first + at_t)
    with_row ROW_LANE3, %(at_t), \offset, take_lane3, %(\first + at_t)
    .set at_t, at_t + 1
  .endr
  transpose_lanes \first, %(\first + 1), %(\first + 2), %(\first + 3)
.endm

/* zmm<reg> = the scales of the rows. */
.macro take_scale reg, number, at
  vpinsrw xmm\reg, xmm\reg, word ptr [\at], \number
.endm
.macro load_scales reg
  vpxor xmm0, xmm0, xmm0
  vpxor xmm1, xmm1, xmm1
  .set at_t, 0
  .rept 4
    with_row ROW0, %(at_t), 0, take_scale, 0, %(at_t)
    with_row ROW_LANE1, %(at_t), 0, take_scale, 0, %(4 + at_t)
    with_row ROW_LANE2, %(at_t), 0, take_scale, 1, %(at_t)
    with_row ROW_LANE3, %(at_t), 0, take_scale, 1, %(4 + at_t)
    .set at_t, at_t + 1
  .endr
  vinserti128 ymm0, ymm0, xmm1, 1
  vcvtph2ps zmm\reg, ymm0
.endm

/* Fetches the blocks of 16 rows that are `bytes` (a register) behind these into L2: rows lie too far apart for the
 * hardware to see them coming. */
.macro prefetch_unit bytes
  lea PART, [ROW0 + \bytes]
  .rept 4
    prefetcht1 [PART]
    prefetcht1 [PART + RS]
    prefetcht1 [PART + 2*RS]
    prefetcht1 [PART + RS3]
    lea PART, [PART + 4*RS]
  .endr
.endm

/* zmm<to> = the step of k in byte `byte` of zmm<from>; in q4_0 that of its low (0) or high (4) half. */
#if defined(TSR_A_Q8_0)
.macro step_of_byte to, from, byte, half, scales, integers
  .if \byte < 3
    vpslld zmm\to, zmm\from, 24 - 8*\byte
    vpsrad zmm\to, zmm\to, 24
  .else
    vpsrad zmm\to, zmm\from, 24
  .endif
  vcvtdq2ps zmm\to, zmm\to
  vmulps zmm\to, zmm\to, zmm\scales
.endm
#else
.macro step_of_byte to, from, byte, half, scales, integers
  .if 8*\byte + \half == 0
    vpermps zmm\to, zmm\from, zmm\integers
  .else
    vpsrld zmm\to, zmm\from, 8*\byte + \half
    vpermps zmm\to, zmm\to, zmm\integers
  .endif
  vmulps zmm\to, zmm\to, zmm\scales
.endm
#endif
