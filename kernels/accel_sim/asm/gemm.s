; The GEMM macro-kernel (GEMM of kernel.h): a block of C times a chunk of k, from panels in L1.
;
;   s[i][j] = sum over p of A[i,p] * B[p,j], one fma chain in f32 from +0 in order of p (s8: exact in 32 bits)
;
; Rows of the problem are contiguous in C, and what is contiguous in L0C is the cube's n. So the cube's n is the
; problem's m and the cube's m the problem's n: L0A holds B, L0B holds A.
;
; k goes through L0 in steps, by turns in the lower and the upper half of L0A and L0B, so that MTE1 fills one half while
; the cube reads the other. Flags, raised before and after every launch (start.s):
;   m -> mte1, 0 and 1   a half is free           fix -> m, 0   L0C is free
; and within a launch:
;   mte1 -> m, 0 and 1   a half is filled         m -> fix, 0   the sums are complete
;
; Arguments: 0 A in L1   1 B in L1   2 C   3 problem's m   4 n   5 k   6 bytes from column to column of C
;            7, 8 fractals in a column of fractals of A, B   9 flags, below   10 elements of k in 32 bytes
;            11 the half of L0 to begin with   12 type of A and B (0 f16, 1 bf16, 2 s8)
;            13 type of C (0 f32 or s32, 1 f16, 2 bf16)   14 bytes of a half of L0A or L0B
.program accel_gemm
.const A_BY_K = 1     ; A was packed from rows that lie along k
.const B_BY_K = 2
.const GO_ON = 4      ; sums go on from those in L0C
.const MORE_K = 8     ; more of k is to come: C is not written yet
.const K_BLOCKS = 4   ; steps of k: fractals of 32 bytes

.reg a = r1
.reg b = r2
.reg c = r3
.reg m = r4
.reg n = r5
.reg k = r6
.reg pitch = r7
.reg a_blocks = r8
.reg b_blocks = r9
.reg flags = r10
.reg k_block = r11    ; elements of k in 32 bytes
.reg half = r12       ; which half of L0
.reg type = r13
.reg type_c = r14
.reg half_bytes = r15
.reg m_blocks = r16   ; fractals of 16 rows of A
.reg n_blocks = r17
.reg a_next = r18     ; bytes from one step of k to the next in the panels
.reg b_next = r19
.reg step = r20       ; elements of k in a step
.reg now = r21        ; elements of k in this step
.reg k_fractals = r22
.reg l0 = r23         ; the half's address in L0A and L0B
.reg go_on = r24
.reg t = r25
.reg one = r26
.reg two = r27
.reg zero = r28
.reg a_by_k = r29
.reg b_by_k = r30

  arg a, 0
  arg b, 1
  arg c, 2
  arg m, 3
  arg n, 4
  arg k, 5
  arg pitch, 6
  arg a_blocks, 7
  arg b_blocks, 8
  arg flags, 9
  arg k_block, 10
  arg half, 11
  arg type, 12
  arg type_c, 13
  arg half_bytes, 14
  li one, 1
  li two, 2
  li zero, 0
  addi m_blocks, m, 15
  shri m_blocks, m_blocks, 4
  addi n_blocks, n, 15
  shri n_blocks, n_blocks, 4
  muli step, k_block, K_BLOCKS
  andi a_by_k, flags, A_BY_K
  andi b_by_k, flags, B_BY_K
  andi go_on, flags, GO_ON

; A step of k is K_BLOCKS columns of fractals of a panel that lies along k, else step / 16 rows of fractals.
  muli a_next, a_blocks, 512 * K_BLOCKS
  bne a_by_k, zero, a_known
  muli a_next, step, 32
a_known:
  muli b_next, b_blocks, 512 * K_BLOCKS
  bne b_by_k, zero, b_known
  muli b_next, step, 32
b_known:
  bne go_on, zero, next_step
  wait_flag fix, m, 0

next_step:
  min now, step, k
  add k_fractals, now, k_block
  addi k_fractals, k_fractals, -1
  div k_fractals, k_fractals, k_block
  mul l0, half, half_bytes
  wait_flag m, mte1, half
  beq type, two, load_bytes
  bne b_by_k, zero, b_direct
  load2d.l0a.b16.t l0, b, n_blocks, k_fractals, b_blocks
  jmp b_loaded
b_direct:
  load2d.l0a.b16 l0, b, n_blocks, k_fractals, b_blocks
b_loaded:
  bne a_by_k, zero, a_direct
  load2d.l0b.b16.t l0, a, m_blocks, k_fractals, a_blocks
  jmp loaded
a_direct:
  load2d.l0b.b16 l0, a, m_blocks, k_fractals, a_blocks
  jmp loaded

load_bytes:
  bne b_by_k, zero, b_bytes_direct
  load2d.l0a.b8.t l0, b, n_blocks, k_fractals, b_blocks
  jmp b_bytes_loaded
b_bytes_direct:
  load2d.l0a.b8 l0, b, n_blocks, k_fractals, b_blocks
b_bytes_loaded:
  bne a_by_k, zero, a_bytes_direct
  load2d.l0b.b8.t l0, a, m_blocks, k_fractals, a_blocks
  jmp loaded
a_bytes_direct:
  load2d.l0b.b8 l0, a, m_blocks, k_fractals, a_blocks

loaded:
  set_flag mte1, m, half
  wait_flag mte1, m, half
  beq type, two, mad_s8
  beq type, one, mad_bf16
  bne go_on, zero, mad_f16_more
  mad.f16.init zero, l0, l0, n, now, m
  jmp multiplied
mad_f16_more:
  mad.f16 zero, l0, l0, n, now, m
  jmp multiplied
mad_bf16:
  bne go_on, zero, mad_bf16_more
  mad.bf16.init zero, l0, l0, n, now, m
  jmp multiplied
mad_bf16_more:
  mad.bf16 zero, l0, l0, n, now, m
  jmp multiplied
mad_s8:
  bne go_on, zero, mad_s8_more
  mad.s8.init zero, l0, l0, n, now, m
  jmp multiplied
mad_s8_more:
  mad.s8 zero, l0, l0, n, now, m
multiplied:
  set_flag m, mte1, half
  li go_on, 1
  xor half, half, one
  add a, a, a_next
  add b, b, b_next
  sub k, k, now
  bne k, zero, next_step

  andi t, flags, MORE_K
  bne t, zero, done
  set_flag m, fix, 0
  wait_flag m, fix, 0
  beq type_c, one, store_f16
  beq type_c, two, store_bf16
  beq type, two, store_s32
  fixp.gm.f32 c, zero, n, m, pitch, n_blocks
  jmp stored
store_f16:
  fixp.gm.f16 c, zero, n, m, pitch, n_blocks
  jmp stored
store_bf16:
  fixp.gm.bf16 c, zero, n, m, pitch, n_blocks
  jmp stored
store_s32:
  fixp.gm.s32 c, zero, n, m, pitch, n_blocks
stored:
  set_flag fix, m, 0
done:
  halt
