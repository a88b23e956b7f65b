; What a core runs before its first attend.s or conv.s: all that they wait for before they write is free (their lists of
; flags).
; start.s has raised m -> mte1 0 and 1 and fix -> m 0.
; Launch: no arguments.
.program accel_attend_start
.reg f = r1
.reg n = r2
  li f, 2
  li n, 3
  loop n, l0
    set_flag m, mte1, f
    addi f, f, 1
l0:
  set_flag fix, m, 1
  set_flag fix, m, 2
  li f, 0
  li n, 8
  loop n, l1
    set_flag mte1, mte2, f
    addi f, f, 1
l1:
  li f, 0
  li n, 6
  loop n, ub
    set_flag v, mte2, f
    addi f, f, 1
ub:
  li f, 0
  li n, 4
  loop n, gm
    set_flag mte2, fix, f
    addi f, f, 1
gm:
  li f, 0
  li n, 3
  loop n, slots
    set_flag v, fix, f
    set_flag mte3, fix, f
    set_flag mte2, mte3, f
    set_flag mte1, mte3, f
    addi f, f, 1
slots:
  set_flag mte3, mte2, 6
  set_flag mte3, mte2, 7
  set_flag mte3, v, 0
  set_flag mte3, v, 1
  halt
