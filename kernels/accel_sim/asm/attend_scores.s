; Included by attend.s: scores, Q K' into one of two places in L0C, and from there to memory or UB.
  mov x, d2
  andi a, flags, DIRECT
  beq a, r0, multiply_k_known
  mov x, d1
multiply_k_known:
  beq x, r0, end
  shri block, x, 32
  shri slot, x, 6
  andi slot, slot, 3
  mul c, block, bk
  arg n, KEYS
  sub n, n, c
  min n, n, bk
  addi n_blocks, n, 15
  shri n_blocks, n_blocks, 4
  shli n, n_blocks, 4
  andi a, x, 2
  beq a, r0, q_placed
  wait_flag m, mte1, 4
  wait_flag mte2, mte1, 7
  li a, 0
  mov b, k_blocks
  li c, K_CHUNK
place_q:
  min d, b, c
  load2d.l0a.b16 a, a, row_blocks, d, row_blocks
  muli e, row_blocks, 512 * K_CHUNK
  add a, a, e
  sub b, b, d
  bne b, r0, place_q
  set_flag mte1, mte2, 7
q_placed:
  andi h, slot, 1
  wait_flag mte2, mte1, slot
  wait_flag fix, m, h
  mul g, h, p_slot
  shli g, g, 1
  add g, g, l0c_s
  mul a, slot, k_slot
  add a, a, l1_k        ; K's chunk in L1
  li b, 0               ; Q's in L0A
  mov c, k_blocks
multiply_k_chunk:
  li d, K_CHUNK
  min d, d, c
  mul e, turn_l0b, l0b_slot
  wait_flag m, mte1, turn_l0b
  load2d.l0b.b16 e, a, n_blocks, d, bk_blocks
  set_flag mte1, m, turn_l0b
  wait_flag mte1, m, turn_l0b
  shli f, d, 4
  andi row, flags, BF16
  bne row, r0, multiply_k_bf16
  bne b, r0, multiply_k_more
  mad.f16.init g, b, e, rows, f, n
  jmp multiplied_k
multiply_k_more:
  mad.f16 g, b, e, rows, f, n
  jmp multiplied_k
multiply_k_bf16:
  bne b, r0, multiply_k_bf16_more
  mad.bf16.init g, b, e, rows, f, n
  jmp multiplied_k
multiply_k_bf16_more:
  mad.bf16 g, b, e, rows, f, n
multiplied_k:
  set_flag m, mte1, turn_l0b
  addi turn_l0b, turn_l0b, 1
  li e, 3
  bne turn_l0b, e, turned_k
  li turn_l0b, 0
turned_k:
  muli e, bk_blocks, 512 * K_CHUNK
  add a, a, e
  muli e, row_blocks, 512 * K_CHUNK
  add b, b, e
  sub c, c, d
  bne c, r0, multiply_k_chunk
  set_flag mte1, mte2, slot
  andi a, x, 4
  beq a, r0, q_kept
  set_flag m, mte1, 4
q_kept:
  set_flag m, fix, h
  wait_flag m, fix, h
  shri slot, x, 4
  andi slot, slot, 3
  andi a, flags, DIRECT
  bne a, r0, scores_direct
  wait_flag mte2, fix, slot
  shli a, slot, 15
  add a, a, scratch
  mul b, bk, esize
  li c, 4
  beq esize, c, scores_wide
  fixp.gm.f16 a, g, rows, n, b, row_blocks
  jmp scores_out
scores_wide:
  fixp.gm.f32 a, g, rows, n, b, row_blocks
scores_out:
  set_flag fix, m, h
  set_flag fix, mte2, slot
  jmp end
scores_direct:
  bne estimate, r0, scores_slot_estimate
  wait_flag mte3, fix, slot
  jmp scores_slot
scores_slot_estimate:
  wait_flag v, fix, slot
scores_slot:
  shli a, slot, 15
  li b, 16
  mul c, b, esize
  mul d, c, rows
  shli e, row_blocks, 10
  loop n_blocks, scores_placed
    li f, 2
    bne esize, f, score_f32
    fixp.ub.f16 a, g, rows, b, c, row_blocks
    jmp score_next
score_f32:
    fixp.ub.f32 a, g, rows, b, c, row_blocks
score_next:
    add a, a, d
    add g, g, e
scores_placed:
  set_flag fix, m, h
  set_flag fix, v, slot
end:
