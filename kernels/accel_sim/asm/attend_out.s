; Included by attend.s: the end of a tile's rows. 1 / sum, log(sum) + m, and O, which is in memory, times 1 / sum
; in pieces of 32 rows and 64 columns.
  bne estimate, r0, end
  mov x, d9
  andi f, flags, DIRECT
  beq f, r0, end_known
  mov x, d6
end_known:
  andi a, x, 4
  beq a, r0, end
  shri tile, x, 16
  andi tile, tile, 0xffff
  andi g, tile, 3
  wait_flag v, mte2, 5
  li a, M16
  shli b, tile, 8
  addi b, b, GM_M
  add b, b, scratch
  li c, 1
  shli d, rows, 1
  ld.gm.ub a, b, c, d, d, d
  shli e, g, 12
  addi e, e, SUMS       ; the sums
  andi f, flags, SOFTMAX_F32
  beq f, r0, sums_loaded
  wait_flag mte3, mte2, 5
  li a, SUM_PAIRS
  shli b, g, 10
  addi b, b, GM_PAIRS
  add b, b, scratch
  li c, 8
  li d, 32
  ld.gm.ub a, b, rows, c, c, d
sums_loaded:
  set_flag mte2, v, 7
  wait_flag mte2, v, 7
  beq f, r0, sums_known
  li e, TOTAL
  shli b, rows, 3
  v.gadd.f32 e, a, b
sums_known:
  li a, WORK1
  li b, f32(0.000000000000000000000000000001)
  v.dup.f32 a, b, rows
  v.max.f32 a, a, e, rows
  li c, INVERSE
  li b, f32(1)
  v.dup.f32 c, b, rows
  v.div.f32 c, c, a, rows
  arg h, LOGS
  beq h, r0, no_lse
; log(sum): from its bits as a number, within 0.06; then twice y += 2 (sum - e^y) / (sum + e^y).
  v.to_f32.s32 a, e, rows
  li b, f32(0.00000008262958294867817)
  v.muls.f32 a, a, b, rows
  li b, f32(-88.02969193111305)
  v.adds.f32 a, a, b, rows
  li b, WORK2
  li c, WORK3
  li d, 2
  li f, f32(2)
  loop d, logarithm
    v.exp.f32 b, a, rows
    v.sub.f32 c, e, b, rows
    v.add.f32 b, b, e, rows
    v.div.f32 c, c, b, rows
    v.fmas.f32 a, c, f, rows
logarithm:
  li b, M16
  li c, M32
  andi d, flags, BF16
  bne d, r0, m_bf16
  v.to_f32.f16 c, b, rows
  jmp m_wide
m_bf16:
  v.to_f32.bf16 c, b, rows
m_wide:
  arg b, SCALE          ; - scale * -m
  li d, 0x80000000
  xor b, b, d
  v.fmas.f32 a, c, b, rows
  li b, WORK2           ; a sum of 0 makes -inf
  li c, f32(-0.000000000000000000000000000001)
  v.dup.f32 b, c, rows
  v.div.f32 b, b, e, rows
  wait_flag mte3, v, 1
  li c, LSE
  v.add.f32 c, a, b, rows
  set_flag v, mte3, 7
  wait_flag v, mte3, 7
  mov e, c
.include "attend_tile.s"
  arg d, HEADS
  mul d, d, a
  add b, b, d
  arg d, QUERIES
  mul b, b, d
  mul c, c, rows
  sub d, d, c
  min d, d, rows        ; those that exist
  add b, b, c
  shli b, b, 2
  add h, h, b
  shli d, d, 2
  li a, 1
  st.ub.gm h, e, a, d, d, d
  set_flag mte3, v, 1
no_lse:
  set_flag v, mte2, 5
.include "attend_tile.s"
  mul c, c, rows
  arg d, QUERIES
  sub x, d, c           ; rows that exist, and more
  arg d, OUT
  arg e, OUT_STEP
  mul e, e, a
  add d, d, e
  arg e, OUT_STEP + 1
  mul e, e, b
  add d, d, e
  arg e, OUT_STEP + 2
  mul e, e, c
  add tile, d, e        ; where they go
  wait_flag fix, mte2, 3
  li row, 0
end_piece_row:
  li n, PIECE_ROWS
  sub a, rows, row
  min n, n, a
  li a, INVERSE
  shli b, row, 2
  add a, a, b
  li b, SPREAD
  v.bcast.f32 b, a, n
  li h, FACTOR
  shli a, n, 3
  v.bcast.f32 h, b, a
  li block, 0           ; the column
end_piece:
  addi a, turn_piece, 6
  wait_flag mte3, mte2, a
  muli a, turn_piece, PIECE_BYTES
  addi a, a, PIECE
  shli c, v_blocks, 6   ; O's rows in memory
  mul b, row, c
  add b, b, scratch
  addi b, b, GM_O
  shli d, block, 2
  add b, b, d
  sub d, c, d
  li e, PIECE_COLS * 4
  min d, d, e
  ld.gm.ub a, b, n, d, c, e
  addi b, turn_piece, 5
  set_flag mte2, v, b
  wait_flag mte2, v, b
  shli b, n, 6
  v.mul.f32 a, a, h, b
  li e, 4               ; bytes of an element of out
  andi c, flags, OUT_F16
  beq c, r0, not_f16
  v.from_f32.f16 a, a, b
  li e, 2
not_f16:
  andi c, flags, OUT_BF16
  beq c, r0, not_bf16
  v.from_f32.bf16 a, a, b
  li e, 2
not_bf16:
  addi b, turn_piece, 3
  set_flag v, mte3, b
  wait_flag v, mte3, b
  sub b, x, row
  max b, b, r0
  min b, b, n           ; rows
  arg c, SIZES
  shri c, c, 16
  andi c, c, 0xffff
  sub c, c, block
  li d, PIECE_COLS
  min c, c, d
  mul c, c, e           ; bytes of each
  mul d, block, e
  add d, d, tile
  arg f, OUT_STEP + 2
  mul g, row, f
  add d, d, g
  shli e, e, 6
  st.ub.gm d, a, b, c, f, e
  addi a, turn_piece, 6
  set_flag mte3, mte2, a
  li a, 1
  xor turn_piece, turn_piece, a
  addi block, block, PIECE_COLS
  arg a, SIZES
  shri a, a, 16
  andi a, a, 0xffff
  blt block, a, end_piece
  addi row, row, PIECE_ROWS
  blt row, rows, end_piece_row
  set_flag mte2, fix, 3
end:
