; Included by attend.s: O += P V, and after a tile's last block O to memory.
  bne estimate, r0, end
  mov x, d7
  andi f, flags, DIRECT
  beq f, r0, multiply_v_known
  mov x, d4
multiply_v_known:
  beq x, r0, end
  shri block, x, 32
  mul block, block, bk
  shri slot, x, 4
  andi slot, slot, 3
  arg n, KEYS
  sub n, n, block
  min n, n, bk
  addi n_blocks, n, 15
  shri n_blocks, n_blocks, 4
  shli n, n_blocks, 4
  addi a, slot, 4
  wait_flag mte2, mte1, a
  beq f, r0, p_ready
  wait_flag mte3, mte1, slot
p_ready:
  wait_flag m, mte1, 3
  mul a, slot, p_slot
  add a, a, l1_p
  load2d.l0a.b16 l1_k, a, row_blocks, n_blocks, row_blocks
  mul a, slot, v_slot
  add a, a, l1_v        ; V's chunk in L1
  li b, 0               ; O's in L0C
  mov c, v_blocks
  andi g, x, 2
  beq g, r0, multiply_v_chunk
  wait_flag fix, m, 2
multiply_v_chunk:
  li d, N_CHUNK
  min d, d, c
  mul e, turn_l0b, l0b_slot
  wait_flag m, mte1, turn_l0b
  load2d.l0b.b16.t e, a, d, n_blocks, bk_blocks
  set_flag mte1, m, turn_l0b
  wait_flag mte1, m, turn_l0b
  shli h, d, 4
  andi block, flags, BF16
  bne block, r0, multiply_v_bf16
  beq g, r0, multiply_v_more
  mad.f16.init b, l1_k, e, rows, n, h
  jmp multiplied_v
multiply_v_more:
  mad.f16 b, l1_k, e, rows, n, h
  jmp multiplied_v
multiply_v_bf16:
  beq g, r0, multiply_v_bf16_more
  mad.bf16.init b, l1_k, e, rows, n, h
  jmp multiplied_v
multiply_v_bf16_more:
  mad.bf16 b, l1_k, e, rows, n, h
multiplied_v:
  set_flag m, mte1, turn_l0b
  addi turn_l0b, turn_l0b, 1
  li e, 3
  bne turn_l0b, e, turned_v
  li turn_l0b, 0
turned_v:
  muli e, bk_blocks, 512 * N_CHUNK
  add a, a, e
  muli e, row_blocks, 1024 * N_CHUNK
  add b, b, e
  sub c, c, d
  bne c, r0, multiply_v_chunk
  set_flag m, mte1, 3
  addi a, slot, 4
  set_flag mte1, mte2, a
  beq f, r0, p_used
  set_flag mte1, mte3, slot
p_used:
  andi a, x, 4
  beq a, r0, end
  set_flag m, fix, 2
  wait_flag m, fix, 2
  wait_flag mte2, fix, 3
  addi a, scratch, GM_O
  shli b, v_blocks, 4
  shli c, v_blocks, 6
  fixp.gm.f32 a, r0, rows, b, c, row_blocks
  set_flag fix, m, 2
  set_flag fix, mte2, 3
end:
