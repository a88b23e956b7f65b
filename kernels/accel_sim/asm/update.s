; UPDATE and SCALE of kernel.h, on the vector unit: C = fma(alpha, s, beta * y), in f32 (s32: modulo 2^32), rounded once
; into C's type; without sums C = beta * y; without y (beta == 0) that term is +0.
;
; Columns of C pass through UB in batches. One batch at a time: loads, arithmetic and store follow one another.
;   mte2 -> v, 0   loaded      v -> mte3, 0   computed      mte3 -> mte2, 0   stored
;
; Arguments: 0 sums   1 bytes from column to column   2 y   3 the same   4 type of y   5 C   6 the same   7 type of C
;            8 m   9 n   10 alpha   11 beta (bits)   12 flags, below   13 columns in a batch
;            14 bytes of a column of 4-byte elements in UB, a multiple of 64   15 bytes of a buffer in UB
; Types: 0 f32, 1 f16, 2 bf16, 3 s32.
.program accel_update
.const HAS_SUMS = 1
.const HAS_Y = 2
.reg sums = r1
.reg sums_pitch = r2
.reg y = r3
.reg y_pitch = r4
.reg y_type = r5
.reg c = r6
.reg c_pitch = r7
.reg c_type = r8
.reg m = r9
.reg n = r10
.reg alpha = r11
.reg beta = r12
.reg has_sums = r13
.reg has_y = r14
.reg batch = r15
.reg ub_pitch = r16
.reg ub_half = r17    ; bytes of a column of 2-byte elements
.reg s_ub = r18       ; sums, y in 32 bits, y or C in 16 bits
.reg y_ub = r19
.reg h_ub = r20
.reg now = r21        ; columns in this batch
.reg count = r22      ; elements in this batch, with what fills up columns
.reg wide = r23       ; bytes of a column in memory
.reg narrow = r24
.reg t = r25
.reg one = r26
.reg two = r27
.reg three = r28
.reg zero = r29

  arg sums, 0
  arg sums_pitch, 1
  arg y, 2
  arg y_pitch, 3
  arg y_type, 4
  arg c, 5
  arg c_pitch, 6
  arg c_type, 7
  arg m, 8
  arg n, 9
  arg alpha, 10
  arg beta, 11
  arg t, 12
  arg batch, 13
  arg ub_pitch, 14
  arg y_ub, 15
  andi has_sums, t, HAS_SUMS
  andi has_y, t, HAS_Y
  li zero, 0
  li one, 1
  li two, 2
  li three, 3
  li s_ub, 0
  add h_ub, y_ub, y_ub
  shri ub_half, ub_pitch, 1
  shli wide, m, 2
  shli narrow, m, 1

next_batch:
  min now, batch, n
  mul count, now, ub_pitch
  shri count, count, 2
  beq has_sums, zero, sums_loaded
  ld.gm.ub s_ub, sums, now, wide, sums_pitch, ub_pitch
sums_loaded:
  beq has_y, zero, y_loaded
  beq y_type, one, load_narrow
  beq y_type, two, load_narrow
  ld.gm.ub y_ub, y, now, wide, y_pitch, ub_pitch
  jmp y_loaded
load_narrow:
  ld.gm.ub h_ub, y, now, narrow, y_pitch, ub_half
y_loaded:
  set_flag mte2, v, 0
  wait_flag mte2, v, 0
  bne has_y, zero, scale_y
  v.dup.s32 y_ub, zero, count
  jmp scaled
scale_y:
  beq y_type, three, scale_s32
  beq y_type, zero, scale_f32
  beq y_type, two, widen_bf16
  v.to_f32.f16 y_ub, h_ub, count
  jmp scale_f32
widen_bf16:
  v.to_f32.bf16 y_ub, h_ub, count
scale_f32:
  v.muls.f32 y_ub, y_ub, beta, count
  jmp scaled
scale_s32:
  v.muls.s32 y_ub, y_ub, beta, count
scaled:
  beq has_sums, zero, added
  beq c_type, three, add_s32
  v.fmas.f32 y_ub, s_ub, alpha, count
  jmp added
add_s32:
  v.muls.s32 s_ub, s_ub, alpha, count
  v.add.s32 y_ub, y_ub, s_ub, count
added:
  beq c_type, one, narrow_f16
  beq c_type, two, narrow_bf16
  set_flag v, mte3, 0
  wait_flag v, mte3, 0
  st.ub.gm c, y_ub, now, wide, c_pitch, ub_pitch
  jmp stored
narrow_f16:
  v.from_f32.f16 h_ub, y_ub, count
  jmp store_narrow
narrow_bf16:
  v.from_f32.bf16 h_ub, y_ub, count
store_narrow:
  set_flag v, mte3, 0
  wait_flag v, mte3, 0
  st.ub.gm c, h_ub, now, narrow, c_pitch, ub_half
stored:
  set_flag mte3, mte2, 0
  wait_flag mte3, mte2, 0
  mul t, now, sums_pitch
  add sums, sums, t
  mul t, now, y_pitch
  add y, y, t
  mul t, now, c_pitch
  add c, c, t
  sub n, n, now
  bne n, zero, next_batch
  halt
