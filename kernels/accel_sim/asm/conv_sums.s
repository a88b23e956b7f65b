; What follows chains that conv.s kept apart: y = ((s0 + s1) + ...), limited, and rounded once into y's type, for some
; pixels of some filters. Pixels pass through UB in batches, one at a time by turns in two halves, so that loads, the
; arithmetic and stores of different batches run at once.
;
;   mte2 -> v, 0 1   loaded                 v -> mte3, 0 1   computed
;   v -> mte2, 6 7   sums may be loaded     mte3 -> v, 2 3   stored
; The second row is raised at the beginning and taken down at the end: a launch follows the token of the sums' one, and
; with that all that this core did before.
;
; Arguments: 0 sums   1 bytes from pixel to pixel   2 from chain to chain   3 chains   4 y   5 bytes from pixel to pixel
;            6 type of y (0 f32, 1 f16, 2 bf16)   7 pixels   8 filters   9 pixels in a batch
;            10 bytes of a pixel of f32 in UB, a multiple of 64   11 flags: 1 relu   12 bytes of a half of UB
;            13 bytes of a batch of f32
.program accel_conv_sums
.reg sums = r1
.reg sums_pitch = r2
.reg sums_next = r3
.reg chains = r4
.reg y = r5
.reg y_pitch = r6
.reg y_type = r7
.reg pixels = r8
.reg wide = r9        ; bytes of a pixel
.reg narrow = r10
.reg batch = r11
.reg ub_pitch = r12
.reg ub_narrow = r13
.reg relu = r14
.reg half_bytes = r15
.reg batch_bytes = r16
.reg half = r17
.reg now = r18
.reg count = r19
.reg at = r20         ; a batch's sums so far in UB; behind them those of the next chain
.reg more = r21
.reg from = r22
.reg left = r23
.reg one = r24
.reg two = r25
.reg t = r26
.reg free_v = r27
.reg free_s = r28
.reg zeros = r29

  li one, 1
  li two, 2
  arg sums, 0
  arg sums_pitch, 1
  arg sums_next, 2
  arg chains, 3
  arg y, 4
  arg y_pitch, 5
  arg y_type, 6
  arg pixels, 7
  arg wide, 8
  shli narrow, wide, 1
  shli wide, wide, 2
  arg batch, 9
  arg ub_pitch, 10
  shri ub_narrow, ub_pitch, 1
  arg relu, 11
  arg half_bytes, 12
  arg batch_bytes, 13
  shli zeros, half_bytes, 1
  shri count, batch_bytes, 2
  beq relu, r0, begin
  v.dup.f32 zeros, r0, count
begin:
  li t, 6
  set_flag v, mte2, t
  set_flag mte3, v, 2
  addi t, t, 1
  set_flag v, mte2, t
  set_flag mte3, v, 3

next_batch:
  min now, batch, pixels
  mul count, now, ub_pitch
  shri count, count, 2
  mul at, half, half_bytes
  addi free_v, half, 6
  addi free_s, half, 2
  wait_flag v, mte2, free_v
  mov more, at
  mov from, sums
  loop chains, loaded
    ld.gm.ub more, from, now, wide, sums_pitch, ub_pitch
    add more, more, batch_bytes
    add from, from, sums_next
loaded:
  set_flag mte2, v, half
  wait_flag mte2, v, half
  wait_flag mte3, v, free_s
  add more, at, batch_bytes
  addi left, chains, -1
  loop left, added
    v.add.f32 at, at, more, count
    add more, more, batch_bytes
added:
  beq relu, r0, limited
  v.max.f32 at, at, zeros, count
limited:
; The result lies behind all sums: they may be overwritten before it is stored.
  beq y_type, one, to_f16
  beq y_type, two, to_bf16
  li t, 0
  v.adds.f32 more, at, t, count
  set_flag v, mte2, free_v
  set_flag v, mte3, half
  wait_flag v, mte3, half
  st.ub.gm y, more, now, wide, y_pitch, ub_pitch
  jmp stored
to_f16:
  v.from_f32.f16 more, at, count
  jmp to_half
to_bf16:
  v.from_f32.bf16 more, at, count
to_half:
  set_flag v, mte2, free_v
  set_flag v, mte3, half
  wait_flag v, mte3, half
  st.ub.gm y, more, now, narrow, y_pitch, ub_narrow
stored:
  set_flag mte3, v, free_s
  mul t, now, sums_pitch
  add sums, sums, t
  mul t, now, y_pitch
  add y, y, t
  xor half, half, one
  sub pixels, pixels, now
  bne pixels, r0, next_batch

  wait_flag v, mte2, 6
  wait_flag v, mte2, 7
  wait_flag mte3, v, 2
  wait_flag mte3, v, 3
  halt
