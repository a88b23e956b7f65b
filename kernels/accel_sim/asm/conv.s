; CONV of kernel.h: some output pixels of all images times some filters, from a feature map and weights with channels
; last. What is img2col elsewhere is a read of L1 here: load3d finds the pixels of each tap.
;
;   y[o][f] = bias[f] + s,  s = sum over k of x[pixel(o, k)] * w[f][k], one fma chain in f32 from +0 in order of k
;
; k counts 32 bytes: taps (kernel row, column), then the channels of a tap, 16 at a time, filled up with zeros. Behind
; every CHAIN of k the chain of fma ends, its sums leave for a place of their own, and the next begins (conv_sums.s adds
; them). bias is one more product, of f32: fma(1, bias, s) is their sum, rounded once.
;
; Output pixels are taken in tiles of ROWS, those in one or two halves, k in chunks of CHUNK, which stand by turns in
; the slots of L1. A chunk's weights go to L0B B_K at a time; for each, and each half of the tile, the map goes to L0A
; A_K at a time; L0A and L0B have halves too. With RESIDENT each chunk has a slot of its own, and weights are loaded
; once. x of a tile arrives with the chunks that need it first, by turns in two places (or X_TURN is 0); the host sees to
; it that the slots make its room free in time. Loads run ahead by as many chunks as there are slots: the loop `next` serves
; loading and computing, which have a count each of what they have done.
;
; Flags "free", raised before and after every launch (attend_start.s):
;   mte1 -> mte2   slots of L1      m -> mte1   0, 1 halves of L0A, 2, 3 of L0B, 4 bias behind them
;                                                                                    fix -> m   0, 1 halves of L0C
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
.const ROWS = 13          ; of a tile; of its first half << 32
.const FILTERS = 14
.const K_ALL = 15
.const CHAIN = 16
.const CHUNK = 17
.const B_K = 18
.const A_K = 19           ; bytes of a half of L0B << 32
.const SLOTS = 20         ; chunks of a tile << 32
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
.const HALF = 31          ; bytes of a half of L0A; of L0C (0: it is one) << 32
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
.reg chain = r6       ; k of a chain
.reg slots = r7
.reg flags = r8
.reg one = r9
.reg half_l0 = r10
.reg half_l0c = r11
.reg m_end = r12
; The map.
.reg out_plane = r17
.reg out_w = r14
.reg in_plane = r15
.reg in_h = r16
.reg half_l0b = r18
; What loads next, and what computes next.
.reg to_load = r21    ; chunks left
.reg to_compute = r22
.reg ahead = r23      ; chunks loaded and not computed
.reg load_at = r24    ; tile
.reg load_k = r25
.reg load_slot = r26
.reg load_x = r27     ; place of x in L1
.reg load_w = r28     ; weights in memory
.reg resident = r29   ; weights are there
.reg at = r30         ; tile
.reg k_now = r31
.reg at_slot = r32
.reg at_x = r33
.reg x_both = r34     ; sum of both places of x
.reg half_a = r35
.reg half_c = r37
.reg go_on = r38      ; sums go on from those in L0C
.reg begun = r39      ; the chain
.reg columns = r40    ; fractals of k of a pixel
.reg rows_half = r41
.reg k_chunk = r42    ; left of the chunk
.reg k_load = r42     ; of the chunk that loads
.reg k_b = r43        ; left in L0B
.reg k_a = r44
.reg half_b = r46     ; that is computed with
.reg l0a = r47
.reg l0b = r48
.reg l0c = r49
.reg rows_now = r50   ; of the tile
.reg k_at = r51
.reg first = r52      ; what conv_window.s finds is used at once
.reg skip = r53
.reg low = r54
.reg pixels = r55
.reg half_first = r52 ; then, of a half of the tile: its place, rows left from there on, rows, which half of L0C
.reg half_left = r53
.reg half_rows = r54
.reg half_now = r55
.reg n = r56
.reg t = r57
.reg a = r58
.reg pitch = r59
.reg two = r13
.reg b_k = r60
.reg a_k = r61
.reg tile_first = r62
; Weights that go to L0B next: where they begin, what is left of their chunk, its slot, the half of L0B.
.reg b_at = r63
.reg b_left = r19
.reg b_slot = r20
.reg b_half = r36
.reg b_ready = r45    ; pieces of the map so far, at most 2; 3: the next weights are there, or on their way

  li one, 1
  li two, 2
  arg rows, ROWS
  shri rows_half, rows, 32
  shli rows, rows, 32
  shri rows, rows, 32
  arg filters, FILTERS
  addi n_blocks, filters, 15
  shri n_blocks, n_blocks, 4
  arg k_all, K_ALL
  arg chunk, CHUNK
  arg chain, CHAIN
  arg slots, SLOTS
  shri a, slots, 32
  shli slots, slots, 32
  shri slots, slots, 32
  arg m_end, END
  arg load_at, BEGIN
  mov at, load_at
  sub t, m_end, at
  add t, t, rows
  addi t, t, -1
  div t, t, rows
  mul to_load, t, a
  mov to_compute, to_load
  arg flags, FLAGS
  arg b_k, B_K
  arg a_k, A_K
  shri half_l0b, a_k, 32
  shli a_k, a_k, 32
  shri a_k, a_k, 32
  arg t, HALF
  shri half_l0c, t, 32
  shli half_l0, t, 32
  shri half_l0, half_l0, 32
  arg t, OUT
  andi a, t, 0xffff
  shri out_w, t, 16
  andi out_w, out_w, 0xffff
  mul out_plane, out_w, a
  arg t, IN
  andi in_h, t, 0xffff
  shri t, t, 16
  andi t, t, 0xffff
  mul in_plane, in_h, t
  arg t, IN
  shri columns, t, 32
  andi columns, columns, 0xffff
  arg load_x, L1_X
  arg t, X_TURN
  mov at_x, load_x
  add x_both, load_x, load_x
  add x_both, x_both, t
  arg load_w, W

  pipe_barrier mte1   ; what this core multiplied before may have lain elsewhere in L1
  arg t, BIAS
  beq t, r0, next
  mov low, t
  arg a, L1_BIAS
  li t, 4
  ld.gm.l1.b32 a, low, filters, one, t, n_blocks
  shli t, n_blocks, 9
  add a, a, t
  arg t, ONE
  addi n, rows, 15
  shri n, n, 4
  ld.gm.l1.b32 a, t, rows, one, r0, n

next:
  beq to_load, r0, compute
  bge ahead, slots, compute

; A chunk to L1, and the columns of x that it is the first to need.
  addi to_load, to_load, -1
  addi ahead, ahead, 1
  wait_flag mte1, mte2, load_slot
  rem t, load_k, chain
  sub t, chain, t
  sub n, k_all, load_k
  min t, t, n
  min k_load, t, chunk
  bge load_k, columns, x_loaded
  mov l0c, at
  mov at, load_at
.include "conv_window.s"
  mov at, l0c
  arg pitch, X_PITCH
  mul low, low, pitch
  arg t, X
  add low, low, t
  shli t, load_k, 5
  add low, low, t
  arg n, IN
  shri n, n, 48
  andi n, n, 0xffff
  mul a, n, load_k
  shli a, a, 9
  add a, a, load_x
  arg t, CHANNELS
  shli first, load_k, 4
  sub t, t, first
  shli first, k_load, 4
  min t, t, first
  ld.gm.l1.b16 a, low, pixels, t, pitch, n
x_loaded:
  bne resident, r0, w_loaded
  arg pitch, W_PITCH
  arg a, W_SLOT
  mul a, a, load_slot
  arg t, L1_W
  add a, a, t
  arg t, UNIT
  bne t, r0, by_taps
  shli t, k_load, 4
  ld.gm.l1.b16 a, load_w, filters, t, pitch, n_blocks
  shli t, k_load, 5
  add load_w, load_w, t
  jmp w_loaded
by_taps:
  div n, k_load, t
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
  add load_k, load_k, k_load
  bne load_k, k_all, next
  li load_k, 0
  add load_at, load_at, rows
  arg load_w, W
  andi resident, flags, RESIDENT
  arg t, X_TURN
  beq t, r0, next
  sub load_x, x_both, load_x
  jmp next

; A chunk from L1 on.
compute:
  beq to_compute, r0, end
  addi to_compute, to_compute, -1
  addi ahead, ahead, -1
  bne k_now, r0, tile_known
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
tile_known:
  rem begun, k_now, chain
  sub t, chain, begun
  sub n, k_all, k_now
  min t, t, n
  min k_chunk, t, chunk
next_b:
  blt two, b_ready, b_loaded
.include "conv_weights.s"
b_loaded:
  li b_ready, 0
  min k_b, b_k, k_chunk
  sub k_chunk, k_chunk, k_b
  addi t, half_b, 2
  wait_flag mte1, m, t
  mov half_first, tile_first
  mov half_left, rows_now
  mov half_now, half_c
next_half:
  min half_rows, half_left, rows_half
  mul l0c, half_now, half_l0c
  mul l0b, half_b, half_l0b
  mov k_at, k_now
  mov go_on, begun
  bne begun, r0, next_a
  wait_flag fix, m, half_now
next_a:
  add n, k_now, k_b
  sub n, n, k_at
  min k_a, a_k, n
; The next weights follow the second piece of the map: about then the cube is done with what lies in their half of L0B.
  bne b_ready, two, weights_known
  bne k_chunk, r0, weights_there
  beq to_compute, r0, weights_known
  beq slots, one, weights_known
weights_there:
.include "conv_weights.s"
  li b_ready, 3
weights_known:
  min k_a, a_k, n
  mul l0a, half_a, half_l0
  wait_flag m, mte1, half_a
  load3d.l0a.b16 l0a, at_x, half_first, half_rows, k_at, k_a
  set_flag mte1, m, half_a
  wait_flag mte1, m, half_a
  shli t, k_a, 4
  andi a, flags, BF16
  bne a, r0, bf16
  bne go_on, r0, f16_more
  mad.f16.init l0c, l0a, l0b, half_rows, t, filters
  jmp multiplied
f16_more:
  mad.f16 l0c, l0a, l0b, half_rows, t, filters
  jmp multiplied
bf16:
  bne go_on, r0, bf16_more
  mad.bf16.init l0c, l0a, l0b, half_rows, t, filters
  jmp multiplied
bf16_more:
  mad.bf16 l0c, l0a, l0b, half_rows, t, filters
multiplied:
  set_flag m, mte1, half_a
  bge b_ready, two, counted
  addi b_ready, b_ready, 1
counted:
  li go_on, 1
  xor half_a, half_a, one
  add k_at, k_at, k_a
  mul t, k_a, n_blocks
  shli t, t, 9
  add l0b, l0b, t
  bne n, k_a, next_a
  xor half_now, half_now, one
  add half_first, half_first, half_rows
  sub half_left, half_left, half_rows
  bne half_left, r0, next_half
  addi t, half_b, 2
  set_flag m, mte1, t
  li begun, 1
  add k_now, k_now, k_b
  xor half_b, half_b, one
  bne k_chunk, r0, next_b
  set_flag mte1, mte2, at_slot
  addi at_slot, at_slot, 1
  bne at_slot, slots, at_slot_known
  li at_slot, 0
at_slot_known:
  beq k_now, k_all, chain_done
  rem t, k_now, chain
  bne t, r0, next

; A chain's sums out, half by half.
chain_done:
  mov half_left, rows_now
  mov half_first, at
half_done:
  min half_rows, half_left, rows_half
  mul l0c, half_c, half_l0c
  arg t, BIAS
  beq t, r0, biased
  blt chain, k_now, biased
  arg a, L1_BIAS
  mul l0a, half_a, half_l0
  add l0b, half_l0b, half_l0b
  addi k_at, half_rows, 15
  shri k_at, k_at, 4
  wait_flag m, mte1, 4
  load2d.l0b.b32 l0b, a, n_blocks, one, n_blocks
  shli t, n_blocks, 9
  add a, a, t
  wait_flag m, mte1, half_a
  load2d.l0a.b32 l0a, a, k_at, one, k_at
  set_flag mte1, m, half_a
  wait_flag mte1, m, half_a
  mad.f32 l0c, l0a, l0b, half_rows, one, filters
  set_flag m, mte1, half_a
  set_flag m, mte1, 4
  xor half_a, half_a, one
biased:
  set_flag m, fix, half_c
  wait_flag m, fix, half_c
  arg pitch, Y_PITCH
  arg a, Y
  mul t, half_first, pitch
  add a, a, t
  addi n, k_now, -1
  div n, n, chain
  arg t, SUMS
  mul t, t, n
  add a, a, t
  addi k_at, half_rows, 15
  shri k_at, k_at, 4
  andi t, flags, RELU
  andi n, flags, OUT_F16
  bne n, r0, to_f16
  andi n, flags, OUT_BF16
  bne n, r0, to_bf16
  bne t, r0, to_f32_relu
  fixp.gm.f32 a, l0c, half_rows, filters, pitch, k_at
  jmp stored
to_f32_relu:
  fixp.gm.f32.relu a, l0c, half_rows, filters, pitch, k_at
  jmp stored
to_f16:
  bne t, r0, to_f16_relu
  fixp.gm.f16 a, l0c, half_rows, filters, pitch, k_at
  jmp stored
to_f16_relu:
  fixp.gm.f16.relu a, l0c, half_rows, filters, pitch, k_at
  jmp stored
to_bf16:
  bne t, r0, to_bf16_relu
  fixp.gm.bf16 a, l0c, half_rows, filters, pitch, k_at
  jmp stored
to_bf16_relu:
  fixp.gm.bf16.relu a, l0c, half_rows, filters, pitch, k_at
stored:
  set_flag fix, m, half_c
  beq half_l0c, r0, one_half
  xor half_c, half_c, one
one_half:
  add half_first, half_first, half_rows
  sub half_left, half_left, half_rows
  bne half_left, r0, half_done
  bne k_now, k_all, next
  li k_now, 0
  add at, at, rows
  arg t, X_TURN
  beq t, r0, next
  sub at_x, x_both, at_x
  jmp next
end:
  halt
