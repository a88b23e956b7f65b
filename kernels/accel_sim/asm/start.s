; What a core runs before anything else: both halves of L0A and L0B and all of L0C are free.
; Launch: no arguments.
.program accel_start
  set_flag m, mte1, 0
  set_flag m, mte1, 1
  set_flag fix, m, 0
  halt
