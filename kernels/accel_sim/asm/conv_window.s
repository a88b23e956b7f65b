; Included by conv.s: which pixels of x the tile at output pixel `at` needs. Rows are taken whole, and so is what lies
; between the first and the last one: pixels are counted over images.
;   first   the tile's place among the outputs of its first image     low      the first pixel
;   skip    the pixels of that image before `low`                     pixels   how many from there on
  div n, at, out_plane
  mul t, n, out_plane
  sub first, at, t
  div t, first, out_w
  mul t, t, stride_h
  sub t, t, pad_h
  max t, t, r0
  mul skip, t, in_w
  mul low, n, in_plane
  add low, low, skip
  add t, at, rows
  min t, t, m_end
  addi t, t, -1
  div n, t, out_plane
  mul pixels, n, out_plane
  sub t, t, pixels
  div t, t, out_w
  mul t, t, stride_h
  sub t, t, pad_h
  add t, t, reach
  min t, t, in_h
  mul t, t, in_w
  mul n, n, in_plane
  add pixels, t, n
  sub pixels, pixels, low
