; Included by attend.s: V of a block, and its weights if they went through memory.
  bne estimate, r0, end
  mov x, d6
  andi f, flags, DIRECT
  beq f, r0, load_v_known
  mov x, d2
load_v_known:
  beq x, r0, end
  shri tile, x, 16
  andi tile, tile, 0xffff
  shri block, x, 32
  mul block, block, bk
  shri slot, x, 4
  andi slot, slot, 3
  andi a, x, 2
  beq a, r0, values_known
.include "attend_tile.s"
  arg v_now, V
  arg d, V_STEP
  mul d, d, a
  add v_now, v_now, d
  arg d, GROUP
  div d, b, d
  arg e, V_STEP + 1
  mul d, d, e
  add v_now, v_now, d
values_known:
  addi e, slot, 4
  wait_flag mte1, mte2, e
  arg n, KEYS
  sub n, n, block
  min n, n, bk
  mul a, slot, v_slot
  add a, a, l1_v
  arg d, V_STEP + 2
  mul c, block, d
  add b, v_now, c
  arg c, SIZES
  shri c, c, 16
  andi c, c, 0xffff
  ld.gm.l1.b16 a, b, n, c, d, bk_blocks
  bne f, r0, v_loaded
  addi n, n, 15
  shri n, n, 4
  mul n, n, rows
  shli n, n, 5
  wait_flag mte3, mte2, slot
  mul a, slot, p_slot
  add a, a, l1_p
  shli b, slot, 14
  addi b, b, GM_P
  add b, b, scratch
  ld.gm.l1.linear a, b, n
  set_flag mte2, mte3, slot
v_loaded:
  set_flag mte2, mte1, e
end:
