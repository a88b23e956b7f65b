/* How complex kernels end a vector of C = beta * C + alpha * s in the order of kernel.h, parts side by side:
 *
 *   y = beta * C:      FMUL by re(beta), then FCMLA #90: fma(-im(beta), im(C), .) and fma(im(beta), re(C), .)
 *   C = y + alpha * s: FCMLA #0 by re(alpha), then FCMLA #90
 *
 * A step of im(alpha) or im(beta) is left out where that is 0, by a mask without lanes. z0 = alpha, z1 = beta, z3 =
 * re(beta) in every lane, p0 = all lanes, p3 = all if im(alpha) != 0, p4 = all if im(beta) != 0; the step is in x0. */

.macro load_alpha
  load_scalar(0, STEP_ALPHA)
  load_scalar(2, STEP_ALPHA_IM)
  mov z0.T, z0.T[0]
  mov z2.T, z2.T[0]
  fcmne p3.T, p0/z, z2.T, #0.0
  zip1 z0.T, z0.T, z2.T
.endm
.macro load_beta
  load_scalar(3, STEP_BETA)
  load_scalar(2, STEP_BETA_IM)
  mov z3.T, z3.T[0]
  mov z2.T, z2.T[0]
  fcmne p4.T, p0/z, z2.T, #0.0
  zip1 z1.T, z3.T, z2.T
.endm

/* Goes to the label if both parts of beta are 0. p7 is used. */
.macro branch_if_beta_0 label
  fcmne p7.T, p0/z, z1.T, #0.0
  ptest p0, p7.b
  b.none \label
.endm

/* z<y> = beta * z<c>. */
.macro times_beta y, c, rows, beta
  movprfx z\y, z\c
  fmul z\y\().T, \rows/m, z\y\().T, z3.T
  fcmla z\y\().T, \beta/m, z1.T, z\c\().T, #90
.endm
/* z<y> += alpha * z<s>. */
.macro add_alpha_times y, s, rows, alpha
  fcmla z\y\().T, \rows/m, z0.T, z\s\().T, #0
  fcmla z\y\().T, \alpha/m, z0.T, z\s\().T, #90
.endm
