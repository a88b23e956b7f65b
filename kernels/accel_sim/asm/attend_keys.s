; Included by attend.s: K of a block, and with a tile's first block Q and its column of -m.
  beq d0, r0, end
  mov x, d0
  shri tile, x, 16
  andi tile, tile, 0xffff
  shri block, x, 32
  andi a, x, 2
  beq a, r0, load_k_rows
  wait_flag mte1, mte2, 7
.include "attend_tile.s"
  arg d, K
  arg e, K_STEP
  mul e, e, a
  add d, d, e
  arg e, GROUP
  div e, b, e
  arg f, K_STEP + 1
  mul e, e, f
  add k_now, d, e
  arg d, Q
  arg e, Q_STEP
  mul e, e, a
  add d, d, e
  arg e, Q_STEP + 1
  mul e, e, b
  add d, d, e
  mul c, c, rows
  arg e, Q_STEP + 2
  mul f, e, c
  add d, d, f
  arg b, QUERIES
  sub b, b, c
  min b, b, rows
  arg c, SIZES
  andi c, c, 0xffff
  ld.gm.l1.b16 r0, d, b, c, e, row_blocks
  addi a, k_blocks, -1
  mul a, a, rows
  shli a, a, 5
  addi b, scratch, GM_ZEROS
  bne estimate, r0, m_known
  shli b, tile, 8
  addi b, b, GM_M
  add b, b, scratch
m_known:
  li c, 1
  li d, 2
  ld.gm.l1.b16 a, b, rows, c, d, row_blocks
  set_flag mte2, mte1, 7
load_k_rows:
  shri slot, x, 6
  andi slot, slot, 3
  wait_flag mte1, mte2, slot
  mul a, slot, k_slot
  add a, a, l1_k
  mul c, block, bk
  arg n, KEYS
  sub n, n, c
  min n, n, bk
  arg d, K_STEP + 2
  mul c, c, d
  add b, k_now, c
  arg c, SIZES
  andi c, c, 0xffff
  ld.gm.l1.b16 a, b, n, c, d, bk_blocks
  set_flag mte2, mte1, slot
end:
