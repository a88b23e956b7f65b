/* Transposing in registers, for kernels that read a matrix lying along k: one unit of rows (16 of f32, 8 of f64) by
 * 64, 16 or fewer bytes of k. Pieces of 16 bytes go straight from memory into their 128-bit lane (a masked broadcast
 * load needs no shuffle port), 4 x 4 or 2 x 2 transposes inside the lanes do the rest: half the shuffles of a full
 * register transpose. A whole cache line of each row is read at once, since rows a power of two apart share L1 sets.
 *
 * Registers: zmm16 .. zmm31 are overwritten; k2, k3, k4 select the 128-bit lanes 1, 2, 3 (set_lane_masks). */
#include "kernels/x86_asm.h"
#include "kernels/x86_avx512/lanes.h"

/* Row r of the unit is at row0 + r * rs; r = PER * lane + t with PER rows a lane: 4 of f32, 2 of f64. */
#define ROW0 rsi
#define RS r8
#define RS3 r9
#define ROW_LANE1 r10 /* ROW0 + PER * RS */
#define ROW_LANE2 r11
#define ROW_LANE3 rax

#if defined(TSR_ELEMENT_F32)
#define PER 4
#else
#define PER 2
#endif

.altmacro

.macro set_lane_masks
#if defined(TSR_ELEMENT_F32)
  mov eax, 0x00f0
  kmovw k2, eax
  mov eax, 0x0f00
  kmovw k3, eax
  mov eax, 0xf000
  kmovw k4, eax
#else
  mov eax, 0x0c
  kmovw k2, eax
  mov eax, 0x30
  kmovw k3, eax
  mov eax, 0xc0
  kmovw k4, eax
#endif
.endm

.macro set_lane_rows
  lea ROW_LANE1, [ROW0 + PER*RS]
  lea ROW_LANE2, [ROW_LANE1 + PER*RS]
  lea ROW_LANE3, [ROW_LANE2 + PER*RS]
.endm

/* zmm<reg> = 16 bytes of the four rows t, PER + t, 2 PER + t, 3 PER + t. */
.macro load_piece reg, t, offset
  .if \t == 0
    vmovups xmm\reg, [ROW0 + \offset]
    vlane zmm\reg{k2}, [ROW_LANE1 + \offset]
    vlane zmm\reg{k3}, [ROW_LANE2 + \offset]
    vlane zmm\reg{k4}, [ROW_LANE3 + \offset]
  .elseif \t == 1
    vmovups xmm\reg, [ROW0 + RS + \offset]
    vlane zmm\reg{k2}, [ROW_LANE1 + RS + \offset]
    vlane zmm\reg{k3}, [ROW_LANE2 + RS + \offset]
    vlane zmm\reg{k4}, [ROW_LANE3 + RS + \offset]
  .elseif \t == 2
    vmovups xmm\reg, [ROW0 + 2*RS + \offset]
    vlane zmm\reg{k2}, [ROW_LANE1 + 2*RS + \offset]
    vlane zmm\reg{k3}, [ROW_LANE2 + 2*RS + \offset]
    vlane zmm\reg{k4}, [ROW_LANE3 + 2*RS + \offset]
  .else
    vmovups xmm\reg, [ROW0 + RS3 + \offset]
    vlane zmm\reg{k2}, [ROW_LANE1 + RS3 + \offset]
    vlane zmm\reg{k3}, [ROW_LANE2 + RS3 + \offset]
    vlane zmm\reg{k4}, [ROW_LANE3 + RS3 + \offset]
  .endif
.endm

/* The same where only some of the 16 bytes belong to the matrix: k5 has their elements, in every lane. */
.macro load_part reg, t
  .if \t == 0
    vmov xmm\reg{k5}{z}, [ROW0]
    vlane zmm\reg{k2}, [ROW_LANE1]
    vlane zmm\reg{k3}, [ROW_LANE2]
    vlane zmm\reg{k4}, [ROW_LANE3]
  .elseif \t == 1
    vmov xmm\reg{k5}{z}, [ROW0 + RS]
    vlane zmm\reg{k2}, [ROW_LANE1 + RS]
    vlane zmm\reg{k3}, [ROW_LANE2 + RS]
    vlane zmm\reg{k4}, [ROW_LANE3 + RS]
  .elseif \t == 2
    vmov xmm\reg{k5}{z}, [ROW0 + 2*RS]
    vlane zmm\reg{k2}, [ROW_LANE1 + 2*RS]
    vlane zmm\reg{k3}, [ROW_LANE2 + 2*RS]
    vlane zmm\reg{k4}, [ROW_LANE3 + 2*RS]
  .else
    vmov xmm\reg{k5}{z}, [ROW0 + RS3]
    vlane zmm\reg{k2}, [ROW_LANE1 + RS3]
    vlane zmm\reg{k3}, [ROW_LANE2 + RS3]
    vlane zmm\reg{k4}, [ROW_LANE3 + RS3]
  .endif
.endm

/* Reads a unit by 64 bytes of k: piece q of rows t into zmm(16 + PER*q + t). */
.macro load_unit_line
  .set at_t, 0
  .rept PER
    .set at_q, 0
    .rept 4
      load_piece %(16 + PER*at_q + at_t), %(at_t), %(16*at_q)
      .set at_q, at_q + 1
    .endr
    .set at_t, at_t + 1
  .endr
.endm

.macro load_unit_piece
  .set at_t, 0
  .rept PER
    load_piece %(16 + at_t), %(at_t), 0
    .set at_t, at_t + 1
  .endr
.endm

.macro load_unit_part
  .set at_t, 0
  .rept PER
    load_part %(16 + at_t), %(at_t)
    .set at_t, at_t + 1
  .endr
.endm

/* Narrows k2 .. k4 to the first r15 elements of each lane and sets k5 to them, for load_unit_part. */
.macro set_part_masks
  mov eax, -1
  bzhi eax, eax, r15d
  kmovw k5, eax
#if defined(TSR_ELEMENT_F32)
  imul eax, eax, 0x1111
#else
  imul eax, eax, 0x55
#endif
  kmovw k6, eax
  kandw k2, k2, k6
  kandw k3, k3, k6
  kandw k4, k4, k6
.endm

/* Turns PER registers from zmm<first> up, as load_piece leaves them, into PER steps of k in the same registers. */
#if defined(TSR_ELEMENT_F32)
.macro transpose_piece r0, r1, r2, r3, t0, t1
  vunpcklps zmm\t0, zmm\r0, zmm\r1
  vunpckhps zmm\r0, zmm\r0, zmm\r1
  vunpcklps zmm\t1, zmm\r2, zmm\r3
  vunpckhps zmm\r2, zmm\r2, zmm\r3
  vunpckhpd zmm\r1, zmm\t0, zmm\t1
  vunpckhpd zmm\r3, zmm\r0, zmm\r2
  vunpcklpd zmm\r2, zmm\r0, zmm\r2
  vunpcklpd zmm\r0, zmm\t0, zmm\t1
.endm
#define TRANSPOSE(first, t0, t1) transpose_piece %(first), %(first + 1), %(first + 2), %(first + 3), t0, t1
#else
.macro transpose_piece r0, r1, t0
  vunpcklpd zmm\t0, zmm\r0, zmm\r1
  vunpckhpd zmm\r1, zmm\r0, zmm\r1
  vmovapd zmm\r0, zmm\t0
.endm
#define TRANSPOSE(first, t0, t1) transpose_piece %(first), %(first + 1), t0
#endif
