/* Transposing in registers, for kernels that read a matrix lying along k: one unit of rows (16 of f32, 8 of f64) by
 * 64 bytes of k or by a piece of at most 32. Half lines may go straight from memory into the halves of a register (a
 * masked broadcast load needs no shuffle port); 4 x 4 or 2 x 2 transposes inside the 128-bit lanes and one exchange of
 * lanes do the rest: 48 shuffles and 32 loads for 16 x 16. Whole lines take 64 and 16.
 * An A of 16 bits is converted when it is loaded; then a line and a piece are 32 and 16 bytes of it.
 * A whole cache line of each row is read at once, since rows a power of two apart share L1 sets.
 *
 * Registers: zmm16 .. zmm31 are overwritten; k2 selects the upper half, k5 the lower (set_masks, set_part_masks). */
#include "kernels/x86_asm.h"
#include "kernels/x86_avx512/lanes.h"

/* Row r of the unit is at ROW0 + r * RS. Each 128-bit lane of the result holds PER rows: 4 of f32, 2 of f64. */
#define ROW0 rsi
#define RS r8
#define RS3 r9
#define ROW_LANE1 r10 /* ROW0 + PER * RS */
#define ROW_LANE2 r11
#define ROW_LANE3 rax
#define PART r15 /* steps of k in a part */
#define PARTd r15d

#if defined(TSR_ELEMENT_F32)
#define PER 4
#define UNIT_SHIFT 4 /* log2 of the rows in a unit */
#define vlanes vshuff32x4
#else
#define PER 2
#define UNIT_SHIFT 3
#define vlanes vshuff64x2
#endif
#define PIECE (2*PER) /* steps of k in 32 bytes, and registers that hold them */

.altmacro

.macro set_masks
  mov eax, UPPER_HALF
  kmovw k2, eax
.endm

/* Masks for the first PART <= PIECE steps of a piece. */
.macro set_part_masks
  mov eax, -1
  bzhi eax, eax, PARTd
  kmovw k5, eax
  kshiftlw k2, k5, PIECE
.endm

.macro set_lane_rows
  lea ROW_LANE1, [ROW0 + PER*RS]
  lea ROW_LANE2, [ROW_LANE1 + PER*RS]
  lea ROW_LANE3, [ROW_LANE2 + PER*RS]
.endm

/* zmm<reg> = 32 bytes of a row in `low`'s lane and of the same row in `high`'s: t rows further down in both. */
.macro load_halves reg, t, low, high, offset
  .if \t == 0
    vmovups ymm\reg, [\low + \offset]
    vhalf zmm\reg{k2}, [\high + \offset]
  .elseif \t == 1
    vmovups ymm\reg, [\low + RS + \offset]
    vhalf zmm\reg{k2}, [\high + RS + \offset]
  .elseif \t == 2
    vmovups ymm\reg, [\low + 2*RS + \offset]
    vhalf zmm\reg{k2}, [\high + 2*RS + \offset]
  .else
    vmovups ymm\reg, [\low + RS3 + \offset]
    vhalf zmm\reg{k2}, [\high + RS3 + \offset]
  .endif
.endm

.macro load_part_halves reg, t, low, high
  .if \t == 0
    load_a_halves(\reg, \low, \high)
  .elseif \t == 1
    load_a_halves(\reg, \low + RS, \high + RS)
  .elseif \t == 2
    load_a_halves(\reg, \low + 2*RS, \high + 2*RS)
  .else
    load_a_halves(\reg, \low + RS3, \high + RS3)
  .endif
.endm

/* zmm<first>, zmm<second>: the halves of a row's line in `low`'s lane and of the same row in `high`'s. */
.macro load_lines first, second, t, low, high
  .if \t == 0
    load_a(zmm0, , [\low])
    load_a(zmm1, , [\high])
  .elseif \t == 1
    load_a(zmm0, , [\low + RS])
    load_a(zmm1, , [\high + RS])
  .elseif \t == 2
    load_a(zmm0, , [\low + 2*RS])
    load_a(zmm1, , [\high + 2*RS])
  .else
    load_a(zmm0, , [\low + RS3])
    load_a(zmm1, , [\high + RS3])
  .endif
  vlanes zmm\first, zmm0, zmm1, 0x44
  vlanes zmm\second, zmm0, zmm1, 0xee
.endm

/* A unit by 64 bytes of k: piece q of lanes 0 and 1 into zmm(16 + PIECE*q + t), of lanes 2 and 3 PER further. By half
 * lines, which is better beside stores, or by whole ones, which is better beside FMAs and for rows that share L1 sets.
 * Whole lines take zmm0 and zmm1. */
.macro load_unit_line_halves
  .set at_t, 0
  .rept PER
    load_halves %(16 + at_t), %(at_t), ROW0, ROW_LANE1, 0
    load_halves %(16 + PIECE + at_t), %(at_t), ROW0, ROW_LANE1, 32
    load_halves %(16 + PER + at_t), %(at_t), ROW_LANE2, ROW_LANE3, 0
    load_halves %(16 + PIECE + PER + at_t), %(at_t), ROW_LANE2, ROW_LANE3, 32
    .set at_t, at_t + 1
  .endr
.endm

.macro load_unit_line_whole
  .set at_t, 0
  .rept PER
    load_lines %(16 + at_t), %(16 + PIECE + at_t), %(at_t), ROW0, ROW_LANE1
    load_lines %(16 + PER + at_t), %(16 + PIECE + PER + at_t), %(at_t), ROW_LANE2, ROW_LANE3
    .set at_t, at_t + 1
  .endr
.endm

/* A unit by the PART steps that set_part_masks chose, into zmm16 .. as one piece. */
.macro load_unit_part
  .set at_t, 0
  .rept PER
    load_part_halves %(16 + at_t), %(at_t), ROW0, ROW_LANE1
    load_part_halves %(16 + PER + at_t), %(at_t), ROW_LANE2, ROW_LANE3
    .set at_t, at_t + 1
  .endr
.endm

/* In-lane transposes. Afterwards register t holds step t in lanes 0 and 2, step PER + t in lanes 1 and 3. */
#if defined(TSR_ELEMENT_F32)
.macro transpose_lanes r0, r1, r2, r3
  vunpcklps zmm0, zmm\r0, zmm\r1
  vunpckhps zmm\r0, zmm\r0, zmm\r1
  vunpcklps zmm1, zmm\r2, zmm\r3
  vunpckhps zmm\r2, zmm\r2, zmm\r3
  vunpckhpd zmm\r1, zmm0, zmm1
  vunpckhpd zmm\r3, zmm\r0, zmm\r2
  vunpcklpd zmm\r2, zmm\r0, zmm\r2
  vunpcklpd zmm\r0, zmm0, zmm1
.endm
#else
.macro transpose_lanes r0, r1
  vunpcklpd zmm0, zmm\r0, zmm\r1
  vunpckhpd zmm\r1, zmm\r0, zmm\r1
  vmovapd zmm\r0, zmm0
.endm
#endif

.macro exchange_lanes low, high
  vlanes zmm0, zmm\low, zmm\high, 0x88
  vlanes zmm\high, zmm\low, zmm\high, 0xdd
  vmovaps zmm\low, zmm0
.endm

/* The piece in zmm<first> .. becomes its steps of k, in order, in the same registers. Uses zmm0 and zmm1. */
.macro transpose_piece first
#if defined(TSR_ELEMENT_F32)
  transpose_lanes \first, %(\first + 1), %(\first + 2), %(\first + 3)
  transpose_lanes %(\first + 4), %(\first + 5), %(\first + 6), %(\first + 7)
#else
  transpose_lanes \first, %(\first + 1)
  transpose_lanes %(\first + 2), %(\first + 3)
#endif
  .set at_t, 0
  .rept PER
    exchange_lanes %(\first + at_t), %(\first + PER + at_t)
    .set at_t, at_t + 1
  .endr
.endm
