; Included by attend.s: a tile's sums and its largest weight.
  bne estimate, r0, end
  mov x, d8
  andi f, flags, DIRECT
  beq f, r0, sum_known
  mov x, d5
sum_known:
  andi a, x, 4
  beq a, r0, end
  shri tile, x, 16
  andi tile, tile, 0xffff
  andi g, tile, 3
.include "attend_tile.s"
  mul c, c, rows
  arg h, QUERIES
  sub h, h, c
  min h, h, rows        ; rows that exist
  shli a, g, 10
  addi a, a, MOSTS
  shli c, rows, 1
  shli d, rows, 2
  add b, a, d
  v.max.f16 a, a, b, c
  add b, a, c
  v.max.f16 a, a, b, rows
  shli b, tile, 5
  addi b, b, CHECK
  v.rmax.f16 b, a, h
  shli a, g, 12
  addi a, a, SUMS
  shli e, rows, 3
  andi f, flags, SOFTMAX_F32
  bne f, r0, sum_pairs
  add b, a, e
  v.add.f32 a, a, b, c
  add b, a, d
  v.add.f32 a, a, b, rows
  jmp end
sum_pairs:
  shli f, rows, 4
  add b, a, f
  v.add.f32 a, a, b, d
  add b, a, e
  v.add.f32 a, a, b, c
  set_flag v, mte3, 5
  wait_flag v, mte3, 5
  shli b, g, 10
  addi b, b, GM_PAIRS
  add b, b, scratch
  li c, 1
  st.ub.gm b, a, c, e, e, e
  set_flag mte3, mte2, 5
end:
