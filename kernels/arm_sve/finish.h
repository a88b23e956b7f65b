/* The end of a GEMM tile: its sums z(acc) .. z31, column by column, go to C. The file that includes this
 * has named STEP = the step, C = column 0 of the tile, CSC = from column to column; CJ and TMP, which are free. */

.altmacro

/* The three ways of ending a vector of C: fma(alpha, s, beta * C), fma(alpha, s, +0), and s itself.
 * z0 = alpha, z1 = beta, p0 = all lanes, p1 = rows of the last vector. */
.macro update_vector acc, i, mask
  LOAD {z2.T}, \mask/z, [CJ, #\i, mul vl]
  fmul z2.T, \mask/m, z2.T, z1.T
  fmla z2.T, \mask/m, z\acc\().T, z0.T
  STORE {z2.T}, \mask, [CJ, #\i, mul vl]
.endm
.macro write_vector acc, i, mask
  mov z2.T, #0
  fmla z2.T, \mask/m, z\acc\().T, z0.T
  STORE {z2.T}, \mask, [CJ, #\i, mul vl]
.endm
.macro sum_vector acc, i, mask
  STORE {z\acc\().T}, \mask, [CJ, #\i, mul vl]
.endm

/* `how` done to each vector of C and its sum, column by column. */
.macro each_vector how, nv, nr
  mov CJ, C
  .set at_j, 0
  .rept \nr
    .set at_i, 0
    .rept \nv
      .if at_i + 1 == \nv
        \how %(acc + at_j*\nv + at_i), %(at_i), p1
      .else
        \how %(acc + at_j*\nv + at_i), %(at_i), p0
      .endif
      .set at_i, at_i + 1
    .endr
    .set at_j, at_j + 1
    .if at_j < \nr
      add CJ, CJ, CSC
    .endif
  .endr
.endm

.macro finish_tile nv, nr
  ldr TMP, [STEP, STEP_FLAGS]
  tbnz TMP, #STEP_STORE_SUM_BIT, .Lstore_sum\@
  load_scalar(0, STEP_ALPHA)
  load_scalar(1, STEP_BETA)
  fcmp SCALAR1, #0.0
  mov z0.T, z0.T[0]
  mov z1.T, z1.T[0]
  b.eq .Lno_read\@
  each_vector update_vector, \nv, \nr
  b .Lstored\@
.Lno_read\@:
  each_vector write_vector, \nv, \nr
  b .Lstored\@
.Lstore_sum\@:
  each_vector sum_vector, \nv, \nr
.Lstored\@:
.endm
