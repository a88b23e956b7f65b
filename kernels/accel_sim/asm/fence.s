; Does nothing: its launch waits for the tokens that the host gives it, and with it all that comes behind on its core.
; Launch: no arguments.
.program accel_fence
  halt
