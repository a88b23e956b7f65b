; Included by attend.s: from scores to weights, or to the estimate of -m.
  mov x, d4
  andi a, flags, DIRECT
  beq a, r0, soften_known
  mov x, d2
soften_known:
  beq x, r0, end
  shri tile, x, 16
  andi tile, tile, 0xffff
  shri block, x, 32
  shri slot, x, 4
  andi slot, slot, 3
  mul block, block, bk  ; its first key
  arg n, KEYS
  sub n, n, block
  min n, n, bk
  addi n_blocks, n, 15
  shri n_blocks, n_blocks, 4
  shli h, slot, 15      ; the scores
  beq a, r0, fetch
  wait_flag fix, v, slot
  jmp fetched
fetch:
  beq estimate, r0, fetch_slot
  addi a, slot, 2
  wait_flag v, mte2, a
fetch_slot:
  wait_flag fix, mte2, slot
  mov a, h
  add b, h, scratch
  shli c, esize, 4
  mul d, bk, esize
  mul e, c, rows
  loop n_blocks, pieces_fetched
    ld.gm.ub a, b, rows, c, d, c
    add a, a, e
    add b, b, c
pieces_fetched:
  set_flag mte2, fix, slot
  set_flag mte2, v, slot
  wait_flag mte2, v, slot
fetched:
  shri g, x, 16
  andi g, g, 3          ; the tile's turn
  andi a, x, 2
  beq a, r0, scale
.include "attend_tile.s"
  mul c, c, rows
  arg diagonal, DIAGONAL
  add diagonal, diagonal, c
  shli a, g, 10
  addi a, a, MOSTS
  shli b, rows, 2
  beq estimate, r0, clear_sums
  li c, 0xfc00          ; -inf
  v.dup.f16 a, c, b
  jmp scale
clear_sums:
  v.dup.f16 a, r0, b
  shli a, g, 12
  addi a, a, SUMS
  shli b, rows, 3
  v.dup.f32 a, r0, b
scale:
  mul f, n_blocks, rows
  shli f, f, 4          ; elements
  bne estimate, r0, mask
  arg a, SCALE
  andi b, flags, SOFTMAX_F32
  bne b, r0, scale_f32
  shri a, a, 32
  v.muls.f16 h, h, a, f
  jmp mask
scale_f32:
  v.muls.f32 h, h, a, f

; -inf is added to what a row does not see, 16 keys at a time: beyond the last key, behind the diagonal, before the
; window. Each is a piece of a table.
mask:
  mov a, h              ; the piece
  mov b, block          ; its first key
  loop n_blocks, masked
    li c, 0             ; which mask
    li d, 3
    loop d, masks
      bne c, r0, not_causal
      andi e, flags, CAUSAL
      beq e, r0, next_mask
      sub d, diagonal, b ; the last of the 16 keys that row 0 sees
      li e, 15
      bge d, e, next_mask
      sub e, r0, rows
      max d, d, e
      jmp table
not_causal:
      li d, 1
      bne c, d, not_window
      andi e, flags, WINDOW
      beq e, r0, next_mask
      sub d, diagonal, b
      arg e, BEFORE
      sub d, d, e       ; the first that it sees
      add e, d, rows
      addi e, e, -1
      bge r0, e, next_mask
      li e, 16
      min d, d, e
table:
      li e, 16
      sub e, e, d
      muli d, c, TABLE
      add e, e, d
      mul e, e, esize
      arg d, TABLES
      add e, e, d
      addi d, esize, -2
      muli d, d, TABLES_F32 / 2
      add e, e, d
      muli d, esize, 160
      jmp add_mask
not_window:
      arg d, KEYS
      sub d, d, b
      li e, 16
      bge d, e, next_mask
      sub e, e, d
      mul e, e, esize
      arg d, TABLES
      add e, e, d
      addi d, esize, -2
      shli d, d, 5
      add e, e, d
      li d, EDGE
      add e, e, d
      li d, 0
add_mask:
      wait_flag v, mte2, turn_mask
      muli n, turn_mask, MASK_BYTES
      addi n, n, MASK
      shli slot, esize, 4
      ld.gm.ub n, e, rows, slot, d, slot
      addi d, turn_mask, 3
      set_flag mte2, v, d
      wait_flag mte2, v, d
      shli e, rows, 4
      li d, 4
      beq esize, d, add_mask_f32
      v.add.f16 a, a, n, e
      jmp mask_added
add_mask_f32:
      v.add.f32 a, a, n, e
mask_added:
      set_flag v, mte2, turn_mask
      li d, 1
      xor turn_mask, turn_mask, d
next_mask:
      addi c, c, 1
masks:
    muli d, rows, 16
    mul d, d, esize
    add a, a, d
    addi b, b, 16
masked:
  shri slot, x, 4
  andi slot, slot, 3
  shli a, g, 10
  addi a, a, MOSTS
  mul d, n_blocks, rows
  li c, MOST
  beq estimate, r0, weigh
  v.gmax.f16 c, h, f
  v.max.f16 a, a, c, d
  andi e, flags, DIRECT
  bne e, r0, estimated_direct
  addi e, slot, 2
  set_flag v, mte2, e
  jmp estimated
estimated_direct:
  set_flag v, fix, slot
estimated:
  andi e, x, 4
  beq e, r0, end
; -m of the tile, in the operands' type. -inf becomes finite: rows that see nothing end up as zeros.
  shli b, rows, 1
  shli c, rows, 2
  add d, a, c
  v.max.f16 a, a, d, b
  add d, a, b
  v.max.f16 a, a, d, rows
  wait_flag mte3, v, 0
  li b, NEGATED
  li d, WORK1
  li c, 0xfb53          ; -60000
  v.dup.f16 d, c, rows
  v.max.f16 b, a, d, rows
  li c, 0xbc00          ; -1
  v.muls.f16 b, b, c, rows
  andi c, flags, BF16
  beq c, r0, negated
  v.to_f32.f16 d, b, rows
  v.from_f32.bf16 b, d, rows
negated:
  set_flag v, mte3, 6
  wait_flag v, mte3, 6
  shli c, tile, 8
  addi c, c, GM_M
  add c, c, scratch
  li d, 1
  shli e, rows, 1
  st.ub.gm c, b, d, e, e, e
  set_flag mte3, v, 0
  jmp end

; Weights, their largest and their sums.
weigh:
  andi b, flags, SOFTMAX_F32
  bne b, r0, weigh_f32
  v.exp.f16 h, h, f
  li b, SUM
  v.gadd.f16 b, h, f
  li e, SUM_WIDE
  v.to_f32.f16 e, b, d
  shli b, g, 12
  addi b, b, SUMS
  v.add.f32 b, b, e, d
  v.gmax.f16 c, h, f
  v.max.f16 a, a, c, d
  andi b, flags, BF16
  beq b, r0, weighed
  addi a, h, SLOT / 2   ; a half at a time through the second half of the slot
  add b, h, f
  shri c, f, 1
  v.to_f32.f16 a, h, c
  v.from_f32.bf16 h, a, c
  v.to_f32.f16 a, b, c
  v.from_f32.bf16 b, a, c
  jmp weighed
weigh_f32:
  v.exp.f32 h, h, f
  li b, SUM
  v.gadd.f32 b, h, f
  shli e, g, 12
  addi e, e, SUMS
  shli n, d, 1
  v.add.f32 e, e, b, n
  andi e, flags, BF16
  mov b, h
  beq e, r0, narrow
  li b, NARROW
narrow:
  v.from_f32.f16 b, h, f
  v.gmax.f16 c, b, f
  v.max.f16 a, a, c, d
  beq e, r0, weighed
  v.from_f32.bf16 h, h, f
weighed:
  set_flag v, mte3, slot
  wait_flag v, mte3, slot
  shli b, f, 1
  andi a, flags, DIRECT
  bne a, r0, weights_direct
  wait_flag mte2, mte3, slot
  shli a, slot, 14
  addi a, a, GM_P
  add a, a, scratch
  li c, 1
  st.ub.gm a, h, c, b, b, b
  set_flag mte3, mte2, slot
  jmp end
weights_direct:
  wait_flag mte1, mte3, slot
  mul a, slot, p_slot
  add a, a, l1_p
  st.ub.l1 a, h, b
  set_flag mte3, fix, slot
  set_flag mte3, mte1, slot
end:
