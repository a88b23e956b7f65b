/* The two element types behind one set of names. A file defines TSR_ELEMENT_F32 or TSR_ELEMENT_F64 first. */
#ifndef TSR_X86_AVX2_LANES_H
#define TSR_X86_AVX2_LANES_H

#include "kernels/x86_asm.h"

.altmacro

#if defined(TSR_ELEMENT_F32)
#define SIZE 4
#define LANES 8
#define vmov vmovups
#define vmask vmaskmovps
#define vbcast vbroadcastss
#define vfma vfmadd231ps
#define vmulv vmulps
.macro load_scalar reg, field
  vcvtsd2ss xmm\reg, xmm\reg, qword ptr [rdi + \field]
  vbroadcastss ymm\reg, xmm\reg
.endm
/* ymm<reg> = indices for vpermps that keep lanes 0 .. rows-1 and repeat lane rows-1 above; xmm<reg> holds rows - 1. */
.macro clamp_lanes reg
  vpbroadcastd ymm\reg, xmm\reg
  vpminsd ymm\reg, ymm\reg, [rip + lane_numbers]
.endm
#elif defined(TSR_ELEMENT_F64)
#define SIZE 8
#define LANES 4
#define vmov vmovupd
#define vmask vmaskmovpd
#define vbcast vbroadcastsd
#define vfma vfmadd231pd
#define vmulv vmulpd
.macro load_scalar reg, field
  vbroadcastsd ymm\reg, qword ptr [rdi + \field]
.endm
/* The same in pairs of 32-bit lanes: vpermps moves whole f64 by the indices 2 q and 2 q + 1. */
.macro clamp_lanes reg
  vpbroadcastd ymm\reg, xmm\reg
  vpminsd ymm\reg, ymm\reg, [rip + lane_numbers]
  vpaddd ymm\reg, ymm\reg, ymm\reg
  vpaddd ymm\reg, ymm\reg, [rip + half_numbers]
.endm
#endif

/* ymm<reg> = a mask of the first `rows` lanes, 0 <= rows <= LANES. */
.macro mask_lanes reg, rows, scratch
  lea \scratch, [rip + lane_mask + 32]
  neg \rows
  vmovdqu ymm\reg, [\scratch + SIZE*\rows]
  neg \rows
.endm

.section .rodata.avx2, "a", @progbits
.p2align 5
lane_numbers:
#if SIZE == 4
  .long 0, 1, 2, 3, 4, 5, 6, 7
#else
  .long 0, 0, 1, 1, 2, 2, 3, 3
half_numbers:
  .long 0, 1, 0, 1, 0, 1, 0, 1
#endif
lane_mask:
  .fill 8, 4, -1
  .fill 8, 4, 0
.text

#endif
