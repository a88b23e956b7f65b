; Included by attend.s: which tile of the call is `tile` of the launch? a: its batch, b: its head, c: its number among
; the head's tiles. d is lost.
  andi d, flags, PAIRS
  mov c, tile
  beq d, r0, single
  shri c, tile, 1
single:
  arg a, STRIDE
  mul c, c, a
  arg a, FIRST
  add c, c, a
  arg d, PER_HEAD
  div b, c, d
  mul a, b, d
  sub c, c, a
  arg d, HEADS
  div a, b, d
  mul d, d, a
  sub b, b, d
  andi d, flags, PAIRS
  and d, d, tile        ; the second of a pair
  beq d, r0, known
  arg d, QUERIES
  add d, d, rows
  addi d, d, -1
  div d, d, rows
  addi d, d, -1
  sub c, d, c
known:
