; Included by conv.s: which pixels of x the tile at output pixel `at` needs. Rows are taken whole, and so is what lies
; between the first and the last one: pixels are counted over images.
;   first   the tile's place among the outputs of its first image     low      the first pixel
;   skip    the pixels of that image before `low`                     pixels   how many from there on
  div n, at, out_plane
  mul t, n, out_plane
  sub first, at, t
  div t, first, out_w
  arg pixels, WINDOW
  shri low, pixels, 16
  andi low, low, 0xff
  mul t, t, low
  shri low, pixels, 48
  andi low, low, 0xff
  sub t, t, low
  max t, t, r0
  div skip, in_plane, in_h
  mul skip, t, skip
  mul low, n, in_plane
  add low, low, skip
  add t, at, rows
  min t, t, m_end
  addi t, t, -1
  div n, t, out_plane
  mul pixels, n, out_plane
  sub t, t, pixels
  div t, t, out_w
  arg a, WINDOW
  shri l0a, a, 16
  andi l0a, l0a, 0xff
  mul t, t, l0a
  shri l0a, a, 48
  andi l0a, l0a, 0xff
  sub t, t, l0a
  andi l0a, a, 0xff
  addi l0a, l0a, -1
  shri a, a, 32
  andi a, a, 0xff
  mul a, a, l0a
  add t, t, a
  addi t, t, 1
  min t, t, in_h
  div a, in_plane, in_h
  mul t, t, a
  mul n, n, in_plane
  add pixels, t, n
  sub pixels, pixels, low
