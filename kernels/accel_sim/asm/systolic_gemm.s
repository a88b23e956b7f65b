; A product on a weight-stationary array, to compare its cycles with those of SCALE-Sim: C[M x N] = A[M x K] * B[K x N],
; f16 row by row in, f32 row by row out.
;
; The array holds 128 x 128 of B. Each such tile (a fold) is one mad through which all M rows of A stream; k is the
; outer loop, so each element of C is one fma chain in order of k. All of A and B is brought to L0A and L0B first: chip C's
; buffers are as large, and what is timed is the array.
;
; Arguments: 0 M   1 N   2 K   3 A   4 B   5 C
.program systolic_gemm
.const SIDE = 128             ; of the array
.const FRACTAL = 512
.const L0C_FRACTAL = 1024
.const TILE = SIDE * SIDE * 2 ; bytes of a tile of B in L0B

.reg m = r1
.reg n = r2
.reg k = r3
.reg a = r4
.reg b = r5
.reg c = r6
.reg m_blocks = r7
.reg k_blocks = r8
.reg k_folds = r9
.reg n_folds = r10
.reg b_l1 = r11      ; B in L1, behind A
.reg a_panel = r12   ; bytes of A of one fold of k in L0A, and in L1
.reg b_step = r13    ; bytes in L1 from one fold of n to the next
.reg c_step = r14    ; bytes in L0C from one fold of n to the next
.reg k_left = r15
.reg n_left = r16
.reg k_now = r17
.reg n_now = r18
.reg side = r19
.reg l0a = r20
.reg l0b = r21
.reg l0c = r22
.reg l1 = r23
.reg b_row = r24     ; B in L1, the first tile of this fold of k
.reg first = r25     ; of the folds of k
.reg kf = r26        ; fractals of k and n in a fold
.reg nf = r27
.reg pitch = r28
.reg t = r29

  arg m, 0
  arg n, 1
  arg k, 2
  arg a, 3
  arg b, 4
  arg c, 5
  li side, SIDE
  addi m_blocks, m, 15
  shri m_blocks, m_blocks, 4
  addi k_blocks, k, 15
  shri k_blocks, k_blocks, 4
  addi k_folds, k, SIDE - 1
  div k_folds, k_folds, side
  addi n_folds, n, SIDE - 1
  div n_folds, n_folds, side
  mul b_l1, m_blocks, k_blocks
  muli b_l1, b_l1, FRACTAL
  muli a_panel, m_blocks, SIDE / 16 * FRACTAL
  muli b_step, k_blocks, SIDE / 16 * FRACTAL
  muli c_step, m_blocks, SIDE / 16 * L0C_FRACTAL

  ; To L1.
  shli pitch, k, 1
  ld.gm.l1.b16 r0, a, m, k, pitch, m_blocks
  shli pitch, n, 1
  ld.gm.l1.b16 b_l1, b, k, n, pitch, k_blocks
  pipe_barrier mte2

  ; To L0A and L0B, fold by fold.
  mov k_left, k
  mov b_row, b_l1
  loop k_folds, loaded
    min k_now, k_left, side
    sub k_left, k_left, k_now
    addi kf, k_now, 15
    shri kf, kf, 4
    load2d.l0a.b16 l0a, l0a, m_blocks, kf, m_blocks
    add l0a, l0a, a_panel
    mov n_left, n
    mov l1, b_row
    loop n_folds, loaded_row
      min n_now, n_left, side
      sub n_left, n_left, n_now
      addi nf, n_now, 15
      shri nf, nf, 4
      load2d.l0b.b16.t l0b, l1, nf, kf, k_blocks
      addi l0b, l0b, TILE
      add l1, l1, b_step
loaded_row:
    addi b_row, b_row, SIDE / 16 * FRACTAL
loaded:
  pipe_barrier mte1

  ; One mad a fold.
  li l0a, 0
  li l0b, 0
  li first, 1
  mov k_left, k
  loop k_folds, multiplied
    min k_now, k_left, side
    sub k_left, k_left, k_now
    li l0c, 0
    mov n_left, n
    loop n_folds, multiplied_row
      min n_now, n_left, side
      sub n_left, n_left, n_now
      beq first, r0, go_on
      mad.f16.init l0c, l0a, l0b, m, k_now, n_now
      jmp done
go_on:
      mad.f16 l0c, l0a, l0b, m, k_now, n_now
done:
      addi l0b, l0b, TILE
      add l0c, l0c, c_step
multiplied_row:
    li first, 0
    add l0a, l0a, a_panel
multiplied:
  pipe_barrier m

  ; Out.
  shli pitch, n, 2
  li l0c, 0
  mov n_left, n
  loop n_folds, stored
    min n_now, n_left, side
    sub n_left, n_left, n_now
    fixp.gm.f32 c, l0c, m, n_now, pitch, m_blocks
    addi c, c, SIDE * 4
    add l0c, l0c, c_step
stored:
  halt
