; Packing (PACK_N, PACK_T of kernel.h): rows x cols of a matrix in global memory to NZ fractals in L1, where load2d
; turns them as the cube needs them. One instruction; what needs the panel names this launch's token.
;
; Arguments: 0 L1 address   1 source   2 rows   3 cols   4 bytes from row to row   5 fractals in a column of fractals
;            6 element bytes (1 or 2)
.program accel_pack
.reg to = r1
.reg from = r2
.reg rows = r3
.reg cols = r4
.reg pitch = r5
.reg blocks = r6
.reg size = r7
.reg one = r8
  arg to, 0
  arg from, 1
  arg rows, 2
  arg cols, 3
  arg pitch, 4
  arg blocks, 5
  arg size, 6
  li one, 1
  beq size, one, bytes
  ld.gm.l1.b16 to, from, rows, cols, pitch, blocks
  halt
bytes:
  ld.gm.l1.b8 to, from, rows, cols, pitch, blocks
  halt
