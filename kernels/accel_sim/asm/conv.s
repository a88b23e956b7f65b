; CONV of kernel.h: some output pixels of all images times some filters, from a feature map and weights with channels
; last. What is img2col elsewhere is a read of L1 here: load3d finds the pixels of each tap.
;
;   y[o][f] = bias[f] + s,  s = sum over k of x[pixel(o, k)] * w[f][k], one fma chain in f32 from +0 in order of k
;
; k counts 32 bytes: taps (kernel row, column), then the channels of a tap, 16 at a time, filled up with zeros. Where k
; passes BLOCK_CHUNKS the chain ends, its sums leave for a place of their own, and the next begins (conv_sums.s adds
; them). bias is one more product, of f32: fma(1, bias, s) is their sum, rounded once.
;
; Output pixels are taken in tiles of ROWS, k in chunks of CHUNK, which stand by turns in the slots of L1. A chunk's
; weights go to L0B B_K at a time, and for each the map to L0A A_K at a time, both by halves. With RESIDENT each chunk
; has a slot of its own, and weights are loaded once. x of a tile arrives before its first chunk, by turns in two places
; (or X_TURN is 0); the host sees to it that the slots make its room free in time. Loads run ahead by as many chunks as
; there are slots: the loop `next` serves loading and computing, which have a count each of what they have done.
;
; Flags "free", raised before and after every launch (attend_start.s):
;   mte1 -> mte2   slots of L1      m -> mte1   0, 1 halves of L0A, 2, 3 of L0B      fix -> m   0, 1 halves of L0C
; "ready", within a launch:
;   mte2 -> mte1   as mte1 -> mte2  mte1 -> m   as m -> mte1                         m -> fix   as fix -> m
.program accel_conv
; Arguments.
.const X = 0
.const W = 1
.const Y = 2
.const BIAS = 3           ; 0: none
.const IN = 4             ; set.map's first three words
.const WINDOW = 5
.const OUT = 6
.const X_PITCH = 7        ; bytes from pixel to pixel
.const CHANNELS = 8
.const W_PITCH = 9        ; from filter to filter
.const Y_PITCH = 10
.const BEGIN = 11         ; output pixels, counted over images: the first, and the one behind the last
.const END = 12
.const ROWS = 13          ; of a tile
.const FILTERS = 14
.const K_ALL = 15
.const BLOCK_CHUNKS = 16
.const CHUNK = 17
.const B_K = 18
.const A_K = 19
.const SLOTS = 20
.const UNIT = 21          ; 0: a chunk's weights are side by side; else those of a tap, which has so much of k
.const UNIT_BYTES = 22    ; from tap to tap
.const L1_X = 23
.const X_TURN = 24        ; bytes from the first place of x to the second, 0: one place
.const L1_W = 25
.const W_SLOT = 26        ; bytes of a slot
.const L1_BIAS = 27       ; bias, and behind it ones
.const FLAGS = 28
.const ONE = 29           ; a 1 of f32 in memory
.const SUMS = 30          ; bytes from the sums of a chain to those of the next
.const HALF = 31          ; bytes of a half of L0A and L0B; of L0C (0: it is one) << 32
; FLAGS
.const BF16 = 1
.const OUT_F16 = 2
.const OUT_BF16 = 4
.const RELU = 8
.const RESIDENT = 16

.reg rows = r1
.reg filters = r2
.reg n_blocks = r3    ; fractals of filters
.reg k_all = r4
.reg chunk = r5
.reg chunks = r6      ; of a tile
.reg slots = r7
.reg flags = r8
.reg one = r9
.reg half_l0 = r10
.reg half_l0c = r11
.reg m_end = r12
; The map.
.reg out_plane = r13
.reg out_w = r14
.reg in_plane = r15
.reg in_h = r16
.reg in_w = r17
.reg stride_h = r18
.reg pad_h = r19
.reg reach = r20      ; rows of x that a row of y needs
; What loads next, and what computes next.
.reg to_load = r21    ; chunks left
.reg to_compute = r22
.reg ahead = r23      ; chunks loaded and not computed
.reg load_at = r24    ; tile
.reg load_chunk = r25
.reg load_slot = r26
.reg load_x = r27     ; place of x in L1
.reg load_w = r28     ; weights in memory
.reg resident = r29   ; weights are there
.reg at = r30         ; tile
.reg at_chunk = r31
.reg at_slot = r32
.reg at_x = r33
.reg x_both = r34     ; sum of both places of x
.reg half_a = r35
.reg half_b = r36
.reg half_c = r37
.reg go_on = r38      ; sums go on from those in L0C
.reg left = r39       ; chunks left of a chain
.reg chain = r40
.reg k_now = r41
.reg k_chunk = r42    ; left of the chunk
.reg k_b = r43        ; left in L0B
.reg k_a = r44
.reg l1_w = r45
.reg flag_b = r46
.reg l0a = r47
.reg l0b = r48
.reg l0c = r49
.reg rows_now = r50
.reg row_blocks = r51
.reg first = r52      ; of the tile that is computed; of the one that is loaded they are used at once
.reg skip = r53
.reg low = r54
.reg pixels = r55
.reg n = r56
.reg t = r57
.reg a = r58
.reg pitch = r59
.reg b_k = r60
.reg a_k = r61
.reg tile_first = r62
.reg bias = r63

  li one, 1
  arg rows, ROWS
  arg filters, FILTERS
  addi n_blocks, filters, 15
  shri n_blocks, n_blocks, 4
  arg k_all, K_ALL
  arg chunk, CHUNK
  add chunks, k_all, chunk
  addi chunks, chunks, -1
  div chunks, chunks, chunk
  arg slots, SLOTS
  arg flags, FLAGS
  arg bias, BIAS
  arg b_k, B_K
  arg a_k, A_K
  arg t, HALF
  shri half_l0c, t, 32
  shli half_l0, t, 32
  shri half_l0, half_l0, 32
  arg m_end, END
  arg t, OUT
  andi a, t, 0xffff
  shri out_w, t, 16
  andi out_w, out_w, 0xffff
  mul out_plane, out_w, a
  arg t, IN
  andi in_h, t, 0xffff
  shri in_w, t, 16
  andi in_w, in_w, 0xffff
  mul in_plane, in_h, in_w
  arg t, WINDOW
  andi a, t, 0xff
  addi a, a, -1
  shri stride_h, t, 16
  andi stride_h, stride_h, 0xff
  shri reach, t, 32
  andi reach, reach, 0xff
  mul reach, reach, a
  addi reach, reach, 1
  shri pad_h, t, 48
  andi pad_h, pad_h, 0xff
  arg load_at, BEGIN
  mov at, load_at
  sub t, m_end, at
  add t, t, rows
  addi t, t, -1
  div t, t, rows
  mul to_load, t, chunks
  mov to_compute, to_load
  arg load_x, L1_X
  arg t, X_TURN
  mov at_x, load_x
  add x_both, load_x, load_x
  add x_both, x_both, t
  arg load_w, W

  pipe_barrier mte1   ; what this core multiplied before may have lain elsewhere in L1
  beq bias, r0, next
  arg a, L1_BIAS
  li t, 4
  ld.gm.l1.b32 a, bias, filters, one, t, n_blocks
  shli t, n_blocks, 9
  add a, a, t
  arg t, ONE
  addi n, rows, 15
  shri n, n, 4
  ld.gm.l1.b32 a, t, rows, one, r0, n

next:
  beq to_load, r0, compute
  bge ahead, slots, compute

; A chunk to L1.
  addi to_load, to_load, -1
  addi ahead, ahead, 1
  wait_flag mte1, mte2, load_slot
  bne load_chunk, r0, x_loaded
  mov a, at
  mov at, load_at
.include "conv_window.s"
  mov at, a
  arg pitch, X_PITCH
  mul low, low, pitch
  arg t, X
  add low, low, t
  arg t, IN
  shri n, t, 48
  andi n, n, 0xffff
  arg t, CHANNELS
  ld.gm.l1.b16 load_x, low, pixels, t, pitch, n
  arg t, X_TURN
  beq t, r0, x_loaded
  sub load_x, x_both, load_x
x_loaded:
  bne resident, r0, w_loaded
  arg pitch, W_PITCH
  arg a, W_SLOT
  mul a, a, load_slot
  arg t, L1_W
  add a, a, t
  mul t, load_chunk, chunk
  sub t, k_all, t
  min n, t, chunk
  arg t, UNIT
  bne t, r0, by_taps
  shli t, n, 4
  ld.gm.l1.b16 a, load_w, filters, t, pitch, n_blocks
  shli t, n, 5
  add load_w, load_w, t
  jmp w_loaded
by_taps:
  div n, n, t
  mul low, t, n_blocks
  shli low, low, 9
  arg t, UNIT_BYTES
  arg pixels, CHANNELS
  loop n, w_loaded
    ld.gm.l1.b16 a, load_w, filters, pixels, pitch, n_blocks
    add a, a, low
    add load_w, load_w, t
w_loaded:
  set_flag mte2, mte1, load_slot
  addi load_slot, load_slot, 1
  bne load_slot, slots, load_slot_known
  li load_slot, 0
load_slot_known:
  addi load_chunk, load_chunk, 1
  bne load_chunk, chunks, next
  li load_chunk, 0
  add load_at, load_at, rows
  arg load_w, W
  andi resident, flags, RESIDENT
  jmp next

; A chunk from L1 on.
compute:
  beq to_compute, r0, end
  addi to_compute, to_compute, -1
  addi ahead, ahead, -1
  bne at_chunk, r0, tile_known
.include "conv_window.s"
  mov tile_first, first
  shli pixels, pixels, 32
  add pixels, pixels, skip
  arg a, IN
  arg t, WINDOW
  arg n, OUT
  set.map a, t, n, pixels
  sub rows_now, m_end, at
  min rows_now, rows_now, rows
  addi row_blocks, rows_now, 15
  shri row_blocks, row_blocks, 4
  li k_now, 0
  li chain, 0
  li left, 0
tile_known:
  bne left, r0, chain_known
  arg left, BLOCK_CHUNKS
  li go_on, 0
  mul l0c, half_c, half_l0c
  wait_flag fix, m, half_c
chain_known:
  sub k_chunk, k_all, k_now
  min k_chunk, k_chunk, chunk
  arg l1_w, W_SLOT
  mul l1_w, l1_w, at_slot
  arg t, L1_W
  add l1_w, l1_w, t
  wait_flag mte2, mte1, at_slot
next_b:
  min k_b, b_k, k_chunk
  sub k_chunk, k_chunk, k_b
  mul l0b, half_b, half_l0
  addi flag_b, half_b, 2
  wait_flag m, mte1, flag_b
  load2d.l0b.b16 l0b, l1_w, n_blocks, k_b, n_blocks
  set_flag mte1, m, flag_b
  mul t, k_b, n_blocks
  shli t, t, 9
  add l1_w, l1_w, t
  wait_flag mte1, m, flag_b
next_a:
  min k_a, a_k, k_b
  mul l0a, half_a, half_l0
  wait_flag m, mte1, half_a
  load3d.l0a.b16 l0a, at_x, tile_first, rows_now, k_now, k_a
  set_flag mte1, m, half_a
  wait_flag mte1, m, half_a
  shli t, k_a, 4
  andi n, flags, BF16
  bne n, r0, bf16
  bne go_on, r0, f16_more
  mad.f16.init l0c, l0a, l0b, rows_now, t, filters
  jmp multiplied
f16_more:
  mad.f16 l0c, l0a, l0b, rows_now, t, filters
  jmp multiplied
bf16:
  bne go_on, r0, bf16_more
  mad.bf16.init l0c, l0a, l0b, rows_now, t, filters
  jmp multiplied
bf16_more:
  mad.bf16 l0c, l0a, l0b, rows_now, t, filters
multiplied:
  set_flag m, mte1, half_a
  li go_on, 1
  xor half_a, half_a, one
  add k_now, k_now, k_a
  mul t, k_a, n_blocks
  shli t, t, 9
  add l0b, l0b, t
  sub k_b, k_b, k_a
  bne k_b, r0, next_a
  set_flag m, mte1, flag_b
  xor half_b, half_b, one
  bne k_chunk, r0, next_b
  set_flag mte1, mte2, at_slot
  addi at_slot, at_slot, 1
  bne at_slot, slots, at_slot_known
  li at_slot, 0
at_slot_known:
  addi at_chunk, at_chunk, 1
  addi left, left, -1
  beq at_chunk, chunks, chain_done
  bne left, r0, next

chain_done:
  beq bias, r0, biased
  bne chain, r0, biased
  arg a, L1_BIAS
  mul l0a, half_a, half_l0
  mul l0b, half_b, half_l0
  addi flag_b, half_b, 2
  addi n, rows, 15
  shri n, n, 4
  wait_flag m, mte1, flag_b
  load2d.l0b.b32 l0b, a, n_blocks, one, n_blocks
  shli t, n_blocks, 9
  add a, a, t
  wait_flag m, mte1, half_a
  load2d.l0a.b32 l0a, a, row_blocks, one, n
  set_flag mte1, m, half_a
  wait_flag mte1, m, half_a
  mad.f32 l0c, l0a, l0b, rows_now, one, filters
  set_flag m, mte1, half_a
  set_flag m, mte1, flag_b
  xor half_a, half_a, one
  xor half_b, half_b, one
biased:
  set_flag m, fix, half_c
  wait_flag m, fix, half_c
  arg pitch, Y_PITCH
  arg a, Y
  mul t, at, pitch
  add a, a, t
  arg t, SUMS
  mul t, t, chain
  add a, a, t
  andi t, flags, RELU
  andi n, flags, OUT_F16
  bne n, r0, to_f16
  andi n, flags, OUT_BF16
  bne n, r0, to_bf16
  bne t, r0, to_f32_relu
  fixp.gm.f32 a, l0c, rows_now, filters, pitch, row_blocks
  jmp stored
to_f32_relu:
  fixp.gm.f32.relu a, l0c, rows_now, filters, pitch, row_blocks
  jmp stored
to_f16:
  bne t, r0, to_f16_relu
  fixp.gm.f16 a, l0c, rows_now, filters, pitch, row_blocks
  jmp stored
to_f16_relu:
  fixp.gm.f16.relu a, l0c, rows_now, filters, pitch, row_blocks
  jmp stored
to_bf16:
  bne t, r0, to_bf16_relu
  fixp.gm.bf16 a, l0c, rows_now, filters, pitch, row_blocks
  jmp stored
to_bf16_relu:
  fixp.gm.bf16.relu a, l0c, rows_now, filters, pitch, row_blocks
stored:
  set_flag fix, m, half_c
  addi chain, chain, 1
  li left, 0
  beq half_l0c, r0, one_half
  xor half_c, half_c, one
one_half:
  bne at_chunk, chunks, next
  li at_chunk, 0
  add at, at, rows
  arg t, X_TURN
  beq t, r0, next
  sub at_x, x_both, at_x
  jmp next
end:
  halt
