; Included by conv.s: the next weights from L1 to L0B.
  bne b_left, r0, known
  rem t, b_at, chain
  sub t, chain, t
  sub a, k_all, b_at
  min t, t, a
  min b_left, t, chunk
  wait_flag mte2, mte1, b_slot
known:
  rem t, b_at, chain     ; chunks are counted from where their chain begins
  rem t, t, chunk
  mul t, t, n_blocks
  shli t, t, 9
  arg a, W_SLOT
  mul a, a, b_slot
  add a, a, t
  arg t, L1_W
  add a, a, t
  min k_a, b_k, b_left
  mul l0a, b_half, half_l0b
  addi t, b_half, 2
  wait_flag m, mte1, t
  load2d.l0b.b16 l0a, a, n_blocks, k_a, n_blocks
  set_flag mte1, m, t
  xor b_half, b_half, one
  add b_at, b_at, k_a
  sub b_left, b_left, k_a
  bne b_left, r0, end
  addi b_slot, b_slot, 1
  bne b_slot, slots, slot_known
  li b_slot, 0
slot_known:
  bne b_at, k_all, end
  li b_at, 0
end:
