/* What a kernel is: the contract between a blocking layer (src/<operator>) and any chip (kernels/<chip>).
 *
 * A blocking layer knows loops, tiles, levels and cores. A chip knows instructions. They meet in three structures:
 * a chip lists kernels, a kernel says what tile it computes and in which layout it wants its operands, and a step is
 * one call of it. The numeric contract (doc/architecture.md, "Numbers") binds every kernel: f32 and f64 results are
 * the bits of a chain of fma in k order, and no floating-point flag is raised that the chain itself would not raise. */
#ifndef TSR_KERNEL_H
#define TSR_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tessera/tessera.h"

typedef uintptr_t tsr_mem; /* a CPU pointer or a chip's address */

/* Operators. Rows run along the lanes of a vector and are contiguous in C; every stride in a step is in bytes.
 *
 *   GEMM      C[0:m, 0:n] = fma(alpha, s, beta * C),  s = sum over k of A[i,p] * B[p,j] in order of p, from +0.
 *             A's rows are contiguous (a packed panel or a matrix as it lies in memory), step p at a + p * csa.
 *             B's element (p, j) is at b + p * rsb + j * csb. One call makes ceil(m / mr) tiles one under the other:
 *             tile t reads a + t * da and writes c + t * dc; the last tile has between mr - mu + 1 and mr rows. n is
 *             a multiple of the kernel's nr: such columns of tiles side by side, number u with its B at b + u * db.
 *             Neither the rows beyond m nor anything else outside the operands is read from A (unless A is a packed
 *             panel) or touched in C.
 *   GEMM_AT   The same with A lying along k: A[i,p] at a + i * rsa + p * size. The kernel transposes in registers.
 *             n equals nr.
 *   PACK_N    Copies m rows x k of a matrix whose rows are contiguous (step p at a + p * csa) into panels of `n`
 *             rows: row i of step p of panel t goes to c + t * dc + p * n * size + i * size. A last panel with
 *             fewer than n rows is filled up by repeating row m - 1, so that lanes beyond the edge compute what a
 *             real row computes and raise no flag of their own.
 *   PACK_T    The same from a matrix that lies along k: A[i,p] at a + i * rsa + p * size.
 *             Complex types (c32, c64): the four products of parts are sums of their own, each a chain from +0:
 *               rr = sum re(A) * re(B), ii = sum im(A) * im(B), ri = sum re(A) * im(B), ir = sum im(A) * re(B)
 *               s = (rr - ii, ri + ir); of conjugates CONJ_A: (rr + ii, ri - ir); CONJ_B: (rr + ii, ir - ri); both:
 *               (rr - ii, -(ri + ir)); a difference of sums is one subtraction, rounded once
 *             y = beta * C, or +0 in both parts, without reading C, if both parts of beta are 0; then C = y + alpha * s:
 *               im(beta) == 0: y = re(beta) * C, part by part; else re(y) = fma(-im(beta), im(C), re(beta) * re(C)),
 *                 im(y) = fma(im(beta), re(C), re(beta) * im(C))
 *               re(C) = fma(re(alpha), re(s), re(y)), im(C) = fma(re(alpha), im(s), im(y)), and if im(alpha) != 0 then
 *                 re(C) = fma(-im(alpha), im(s), re(C)), im(C) = fma(im(alpha), re(s), im(C))
 *             UPDATE, UPDATE_T and SCALE end in the same way. There is no GO_ON.
 *   UPDATE    C[0:m, 0:n] = fma(alpha, s, beta * C) from sums s kept at a + j * csa, as stored by TSR_STORE_SUM.
 *   UPDATE_T  The same with C across: element (i, j) of C is at c + i * csc + j * size.
 *   SCALE     C[0:m, 0:n] = beta * C, or +0 without reading C when beta == 0.
 *   CONVERT   C[0:m, 0:n] = alpha * A between types: column j of A at a + j * csa. Exact to f32, the product rounded to
 *             f32, then once to tc (nearest, ties to even; NaN stays NaN).
 *
 * For attention; scores carry the factor log2(e), so that exp2 is taken. n is the number of keys of one chunk:
 *   SOFTMAX   rows (queries) along the lanes: the score of row i and key j is at c + j * csc + i * 4, and is replaced
 *             by its weight. b points to a struct tsr_softmax. Whole vectors are worked on: a buffer, and the arrays of
 *             struct tsr_softmax, reach to the next multiple of TSR_SOFTMAX_PAD rows.
 *   SOFTMAX_T keys along the lanes: the score is at c + i * csc + j * 4, and weights +0 are written from key n to the
 *             next multiple of 16.
 *   MERGE     C[0:m, 0:n] = fma(add[i], s, keep[i] == 0 ? +0 : keep[i] * C) with the sums s at a + j * csa and, at b, a
 *             struct tsr_softmax whose keep and add are used. m as in SOFTMAX.
 *   SOFTMAX_GRAD  backwards, rows along the lanes: the score at c + j * csc + i * 4 is replaced by its weight, and the
 *             gradient with regard to that weight, at a + j * csa + i * 4, by that with regard to s. b points to a
 *             struct tsr_softmax. m as in SOFTMAX.
 * GEMM, GEMM_AT and PACK_T whose ta is f16, bf16, q8_0 or q4_0 convert A to f32 exactly; the rest is f32. Elements in
 * blocks (tessera.h) count as f32(scale) * integer. They lie in the direction in which A is contiguous, whose size (m of
 * GEMM and CONVERT, k of GEMM_AT and PACK_T) is a multiple of 32; the bytes of an element's size are those of its block.
 *
 * For convolution; a column is an output pixel, b points to a struct tsr_conv (below), csa is the bytes of a tap in A:
 *   CONV      rows are output channels, A a packed panel. C[0:m, 0:n] = finish(alpha, s), s from +0 over the taps of
 *             conv->taps in their order, B's element of step p and column j at conv->x + taps->b + p * size + j * csb. Tiles lie
 *             one under the other (da, dc; bias goes on by rows) and side by side: tile u reads B from u * db further.
 *             Panels are filled up (PACK_N), so whole vectors of A are read and computed; C is touched up to m only.
 *   CONV_LANES  lanes over channels that do not mix: B has an element for each row, at conv->x + taps->b + p * rsb +
 *             j * csb + i * size; the next tile of rows reads it dx bytes further. Of B no rows beyond m are read.
 * CONV of integers (ta s8, tb u8 or s8, tc, bias and C s32): k counts units of four taps, of which A has 4 bytes a row
 *             (unit p at a + p * csa + i * 4) and B the 4 bytes at conv->x + taps->b + p * 4 + j * csb. y = (FIRST_K ? bias : C) + s,
 *             modulo 2^32, s the sum of products; of an s8 B x + 128 is multiplied, not x. CONV_LANES: A and B have a byte a row
 *             and tap, and x itself is multiplied. alpha, add and limits are not used. Taps may end beyond the tile's columns.
 *             With conv->narrow (CONV of a chip that narrows; FIRST_K and LAST_K) C is 8 bits instead.
 *   POST      what follows a convolution or product, in place: C[0:m, 0:n] = post(C), b points to a struct tsr_post. ta is
 *             the type it comes from (at a + j * csa, rows contiguous; it may be C itself), tc the one it becomes.
 *   TURN      a transposition: element (i, j) of A, at a + i * rsa + j * its size, goes to c + j * csc + i * its size,
 *             converted like CONVERT with a factor of 1 (and -0 stays -0).
 *
 * For triangles; X lies in ceil(m / mr) packed panels of mr rows, panel t at c + t * dc with column j at + j * csc, and all
 * mr rows of each are computed. Columns form groups of nr, of which the last may be narrower. The triangle's element (p, j)
 * is in group j / nr, at b + (j / nr) * db + p * rsb, there number j % nr; beyond the last column of a narrow group its
 * elements repeat, except the one on the diagonal. Strides may be negative. For every row i:
 *   SOLVE     k columns x are solved, at a + t * da + p * csa; unless TSR_MORE_K the n of C follow: c = a + k * csa, csc = csa.
 *             Column j: y = C[i,j];  for p = 0 .. k - 1: y = y - x[p] * T(p, j);  unless TSR_MORE_K, which ends here:
 *             for q = 0 .. j - 1: y = y - C[i,q] * T(k + q, j), then y = y * T(k + j, j), unless TSR_UNIT
 *   MULTIPLY  Column j: y = C[i,j] * T(j, j), or C[i,j] if TSR_UNIT; for q = j + 1 .. n - 1: y = y + C[i,q] * T(q, j) with the C
 *             from before the step. With TSR_GO_ON y = C[i,j] instead, and T's row 0 is that of x[0]. In the end, for p
 *             = 0 .. k - 1: y = y + x[p] * T(n + p, j), with GO_ON T(p, j). x as in SOLVE; else they follow C: a = c + n * csc.
 *             y + x * t is fma(x, t, y), y - x * t is fma(-x, t, y). C * T(j, j) of MULTIPLY is fma(C, T, +0).
 *             Complex: an element of T is a real part, number j % nr of nr, and behind these nr the pair number j % nr (im, -im).
 *             y + x * t: re(y) = fma(re(x), re(t), re(y)), then fma(-im(x), im(t), re(y)); im(y) = fma(im(x), re(t), im(y)), then
 *             fma(re(x), im(t), im(y)). y - x * t: the same of -x. y * t of SOLVE: re = re(y) * re(t), then
 *             fma(-im(y), im(t), re); im = im(y) * re(t), then fma(re(y), im(t), im).
 *
 * Level 2, in elements of ta; vectors are contiguous. A is m x n with column j at a + j * csa + j * (j - 1) / 2 * rsa, of
 * which only the rows i with j - csb <= i <= j + rsb exist (rsb and csb are rows, not bytes, and may be negative). So the
 * same kernels serve full, band (csa one element short of the leading dimension) and packed storage (rsa an element,
 * with its sign). Columns form groups of TSR_LEVEL2_GROUP from 0 on; "even" rows of a group are those that all its
 * columns have, other rows before and behind them are "uneven". fma and sums of complex elements: see below.
 *   LEVEL2_GEMV_N  c[i] = fma(A[i,j], t[j], c[i]) for j = 0, 1, ...;  t[j] = alpha * b[j]
 *   LEVEL2_GEMV_T  for each group: if it has uneven rows, c[j] = fma(alpha, h[j], c[j]), h[j] = fma(A[i,j], b[i], h[j])
 *             from +0 over the uneven rows in order (or all rows where none is even); then, for each block of
 *             TSR_LEVEL2_BLOCK even rows from the first one on, c[j] = fma(alpha, s, c[j]). s is summed in lanes, as many as
 *             elements fill TSR_LEVEL2_SUM_BYTES: lane t starts as +0 and is fma(A[i,j], b[i], lane) for the block's rows i
 *             = t, t + lanes, ...; then halves are added to halves, t and t + lanes / 2 first, last 0 and 1.
 *   LEVEL2_SYMV  for the symmetric matrix of order m of which columns k to k + n - 1 of the triangle are given (TSR_IS_UPPER or
 *             the lower one), group by group from k on: the square on the diagonal, read as if its other half were
 *             there, like GEMV_N by columns; then what lies above or below it, uneven rows like GEMV_N and then like
 *             GEMV_T, even rows as both at once: c of the rows and c of the columns. TSR_CONJ_B: Hermitian, the half that is
 *             not there is the conjugate; TSR_CONJ_A: the same of A's conjugate. Then imaginary parts of the diagonal are
 *             not looked at. Column 0 of a is column 0 of the matrix.
 *   LEVEL2_GER  A[i,j] = fma(B[i,p], t[j,p], A[i,j]) for p = 0 .. k - 1, k 1 or 2;  t[j,p] = alpha * C[j,p], of the
 *             conjugate of C with TSR_CONJ_B, and of that of alpha as well for p = 1. Columns of B and C are db and csc apart.
 *   LEVEL2_SOLVE  c = the solution x of A x = c, or of A' x = c with TSR_ACROSS; TSR_IS_UPPER, TSR_UNIT; the diagonal is inside of
 *             rsb and csb. Groups in the order in which unknowns are found; in the square on the diagonal, after x[j] is
 *             divided by the diagonal, x[i] = fma(A[i,j], -x[j], x[i]) for the i that follow. A: then the rest of the
 *             columns like GEMV_N with t = -x. A': first like GEMV_T with alpha = -1.
 *             TSR_CONJ_A multiplies A's conjugate. Complex: fma(a, t, y): re = fma(re(a), re(t), re(y)), then fma(-im(a), im(t), re);
 *             im = fma(im(a), re(t), im(y)), then fma(re(a), im(t), im). s of GEMV_T has four sums of products of parts, in
 *             lanes each, from which its parts are one addition or subtraction (see GEMM). alpha * x: re = re(alpha) * re(x), then
 *             fma(-im(x), im(alpha), re), and so on; nothing is multiplied by im(alpha) if that is 0. Division: kernels/level2_complex.h.
 *
 *   LEVEL2_LU  factors the m x n panel at c, n at most m and TSR_LU_COLUMNS, with partial pivoting. For column j = 0, 1, ...:
 *             C[i,j] = minus(C[i,j], C[i,p], C[p,j]) for p = 0 .. min(i, j) - 1 in order; row r is the first one from j on
 *             with the largest |C[r,j]| (complex: |re| + |im|), or with the first NaN; b[j] = r (int64_t); rows j and r
 *             of all columns change places; and the rows below j are multiplied by the inverse of C[j,j] (complex: re =
 *             re(x) * re(s), then fma(-im(x), im(s), re); im = im(x) * re(s), then fma(re(x), im(s), im)), or divided
 *             by it where it is not a normal number, or left if it is 0. minus(x, l, u): fma(-l, u, x); complex:
 *             re = fma(-re(l), re(u), re(x)), then fma(im(l), im(u), re); im = fma(-im(l), re(u), im(x)), then
 *             fma(-re(l), im(u), im). Division: kernels/level2_factor.h.
 *   LEVEL2_CHOLESKY  factors the lower triangle of order n at c, n at most TSR_CHOLESKY_ROWS; the upper one and imaginary
 *             parts of the diagonal are not looked at. For column j: C[i,j] = minus(C[i,j], C[i,p], conj(C[j,p])) for p =
 *             0 .. j - 1; unless C[j,j] > 0, *b = j + 1 (int64_t) and the rest is left as it is; else C[j,j] becomes its
 *             root r, and the rows below are multiplied by 1 / r. *b = 0 in the end.
 *
 *   LEVEL1_TABLE  fills in a table of functions of vectors, of f32 or f64 and the complex numbers of that: c points to the
 *             struct (kernels/level1_table.h). A step is not looked at.
 *
 * GEMM_AT takes only whole units of rows (m is a multiple of mu). PACK_N and PACK_T: mr says the one panel width a
 * kernel is made for, or is 0 for one that takes any width up to nr. UPDATE, UPDATE_T and SCALE take any m and n
 * (mr = nr = 0). Steps are never empty: m, n and k are at least 1, but GEMM and GEMM_AT also take k = 0. */
enum tsr_op {
  TSR_OP_GEMM = 1,
  TSR_OP_GEMM_AT,
  TSR_OP_PACK_N,
  TSR_OP_PACK_T,
  TSR_OP_UPDATE,
  TSR_OP_UPDATE_T,
  TSR_OP_SCALE,
  TSR_OP_CONVERT,
  TSR_OP_SOFTMAX,
  TSR_OP_SOFTMAX_T,
  TSR_OP_MERGE,
  TSR_OP_SOFTMAX_GRAD,
  TSR_OP_ATTEND,
  TSR_OP_CONV,
  TSR_OP_CONV_LANES,
  TSR_OP_POST,
  TSR_OP_TURN,
  TSR_OP_SOLVE,
  TSR_OP_MULTIPLY,
  TSR_OP_LEVEL1_TABLE,
  TSR_OP_LEVEL2_GEMV_N,
  TSR_OP_LEVEL2_GEMV_T,
  TSR_OP_LEVEL2_SYMV,
  TSR_OP_LEVEL2_GER,
  TSR_OP_LEVEL2_SOLVE,
  TSR_OP_LEVEL2_LU,
  TSR_OP_LEVEL2_CHOLESKY,
  TSR_OP_COUNT
};

enum tsr_step_flags {
  TSR_STORE_SUM = 1, /* write s itself to C; alpha and beta are not used, C is not read */
  TSR_NEAR = 2,      /* a hint: the operands lie in the innermost caches, nothing need be fetched ahead */
  TSR_MORE_K = 4,    /* devices: the sums are not complete yet, they stay in the core for the next step */
  TSR_GO_ON = 8,     /* sums go on: on devices from those the core holds, in a GEMM with TSR_STORE_SUM from C, if the
                        chip says so; a chain of k may then take several steps, from matrix to matrix */
  TSR_STREAM = 16,   /* a hint: A comes from memory and passes by once; what lies da bytes further is needed soon. For
                        steps of one tile in m, which do not use da otherwise. A CONV step fetches about as many lines
                        from there on as it makes steps of k in all its tiles: several can share the next panel */
  TSR_FIRST_K = 32,  /* CONV: the first block of taps, C is not read; else its sums go on from C */
  TSR_REPEAT = 128,  /* CONV, CONV_LANES: tiles one under the other are of the same rows, whose bias is the same */
  TSR_CONJ_A = 256, TSR_CONJ_B = 512, /* complex GEMM: the operand's conjugate is multiplied */
  TSR_UNIT = 1024,   /* SOLVE, MULTIPLY: the diagonal is 1 and not multiplied */
  TSR_IS_UPPER = 2048, TSR_ACROSS = 4096, /* level 2: the upper triangle; its transpose */
  TSR_LAST_K = 64,   /* CONV: the last block of taps: what is to be added and the limits come now */
};

/* The largest ends of factorisations. */
enum { TSR_LU_COLUMNS = 8, TSR_CHOLESKY_ROWS = 32 };

/* Constants of level 2's order of sums. */
enum { TSR_LEVEL2_GROUP = 8, TSR_LEVEL2_BLOCK = 2048, TSR_LEVEL2_SUM_BYTES = 128 };

struct tsr_step {
  int64_t m, n, k;
  int64_t rsa, csa; /* A: next row, next k */
  int64_t rsb, csb; /* B: next k, next column */
  int64_t csc;      /* C: next column */
  int64_t db;       /* B: next column of tiles */
  int64_t da, dc;   /* A and C: next tile (or panel) of the step */
  double alpha, beta; /* beta == 0: C is not read */
  uint64_t flags;
  double alpha_im, beta_im; /* of complex types */
};

/* What a SOFTMAX step does to each row, all of it in f32 and in this order (doc/attention.md, "Numbers"):
 *
 *   for each key j:  x = s;  if cap != 0: x = cap * tanh2(x);  if slope: x = fma(slope[i], (float)(j - at[i]), x)
 *                    if bias: x = bias == -inf ? -inf : x + bias
 *                    if from: x = j < prefix or from[i] <= j < to[i] ? x : -inf
 *   mc = the largest x, plus +0;  base = mc == -inf ? 0 : mc;  p = exp2(x - base), the key's weight
 *   lane t of 16 sums the p of keys j = t, t + 16, ... in order from +0;  lc = the lanes' sum, halves added to halves:
 *       t with t + 8, then with t + 4, t + 2, t + 1
 *   m = +inf where lc is NaN, so that the row stays NaN whatever follows; else the larger of max[i] and mc
 *   keep[i] = max[i] == -inf ? +0 : exp2(max[i] - m);  add[i] = mc == -inf ? -0 : exp2(mc - m)
 *   sum[i] = fma(add[i], lc, keep[i] == 0 ? +0 : keep[i] * sum[i]);  max[i] = m
 *
 *   exp2(y): y < -125: +0. Else n = y rounded to an integer, ties to even; f = y - n;
 *            2^n * fma(f, r, 1) with r = fma(f, fma(f, fma(f, fma(f, fma(f, E6, E5), E4), E3), E2), E1)
 *   tanh2(y): with y' = -|y| raised to -125 if it is less, n and f as in exp2, e = fma(2^n, f * r, 2^n - 1);
 *             -e / (2 + e) with the sign of y. That is tanh(y ln(2) / 2).
 *
 * A NaN among the x makes all of the row NaN.
 *
 * A SOFTMAX_GRAD step goes from s to x in the same way. max[i] is log2 of the row's whole sum, +inf for a row that sees
 * nothing, and sum[i] is what is taken off its gradients; keep and add are not used. For each key:
 *   p = x == -inf ? +0 : exp2(the lesser of x - max[i] and 127; NaN stays)
 *   ds = p == 0 ? +0 : p * (dp - sum[i]);  if cap != 0 and p != 0: ds = ds * fma(-t, t, 1), t = tanh2(s) */
struct tsr_softmax {
  float *max, *sum;       /* of each row so far: -inf and 0 at first */
  float *keep, *add;      /* out: what the row's former sums and those of this chunk are multiplied by */
  const int32_t *from, *to; /* visible keys of each row, or NULL: all */
  const int32_t *at;      /* each row's position, with slope */
  const float *slope;     /* NULL: none */
  tsr_mem bias;           /* added, laid out as the scores; 0: none */
  int64_t bias_ld;        /* bytes from key to key (SOFTMAX) or row to row (SOFTMAX_T) */
  float cap;              /* 0: none */
  int32_t prefix;
};
#define TSR_SOFTMAX_PAD 64
#define TSR_EXP2_E1 0x1.62e430p-1f
#define TSR_EXP2_E2 0x1.ebfbdcp-3f
#define TSR_EXP2_E3 0x1.c6af7cp-5f
#define TSR_EXP2_E4 0x1.3b2de0p-7f
#define TSR_EXP2_E5 0x1.5f082ep-10f
#define TSR_EXP2_E6 0x1.416b52p-13f
#define TSR_EXP2_LEAST -125.0f

/* Consecutive taps of a convolution: k steps whose A begins `a` bytes into the panel and whose B lies `b` bytes from the
 * tile's. Only columns first .. end - 1 have them; for the others they are padding, which is skipped. */
struct tsr_taps {
  int64_t a, b;
  int32_t k;
  int16_t first, end;
};

/* One block of taps of a tile (CONV, CONV_LANES). Every column ends with
 *   y = FIRST_K ? (bias ? bias[i] : +0) : C[i][j];  y = fma(alpha, s, y)
 *   LAST_K: if add: y = y + add[i][j];  y = y < low ? low : y;  y = y > high ? high : y;  C[i][j] = y
 * (limits that compare false keep y, so NaN stays NaN). Types of f32 have limits in f32, and so on. */
struct tsr_conv {
  const struct tsr_taps *taps;
  int64_t count;    /* of taps; 0 is allowed: s is +0 */
  tsr_mem x;
  tsr_mem bias;     /* a row's elements side by side; 0: none. Of tc. */
  tsr_mem add;      /* laid out like C; 0: none */
  int64_t dx;       /* CONV_LANES: B of the next tile of rows */
  double low, high; /* -inf and +inf: no limits */
  const struct tsr_narrow *narrow; /* integers; NULL: C is y, s32 */
};

/* How CONV of integers makes 8 bits of y at once, the bits that POST would make of it:
 *   C[i][j] = min(max(saturate_u8(saturate_s16(y * scale[i], rounded to an integer) + zero), least), most) ^ flip
 * No scale is beyond 0.5, so that no product leaves s32. u8: zero is POST's and flip 0. s8: zero is 128 more and flip
 * 0x80 in each byte. least and most are 0 and 255, or what zero and the limits of relu or clip make of them. */
struct tsr_narrow {
  tsr_mem scale; /* f32, of each row */
  int16_t zero;
  uint8_t least, most;
  uint32_t flip;
};

/* What POST does to an element of row i and column j, in f32 (f64 for f64) and in this order; `at` is i, or j if across:
 *   y = C;  if bias: y = y + bias[at];  if scale: y = y * scale[at];  if add: y = y + add[i][j];  y = activation(y)
 *   tc u8 or s8: y = y rounded to an integer, ties to even, plus zero, saturated
 * From s32 y is first converted to f32. */
struct tsr_post {
  tsr_mem bias, scale; /* f32 (f64 for f64); 0: none */
  tsr_mem add;         /* of type tc, columns `add_ld` bytes apart; 0: none */
  int64_t add_ld;
  bool across;
  tsr_activation activation;
  double low, high; /* TSR_CLIP */
  double slope;     /* TSR_LEAKY_RELU */
  int32_t zero;
};

typedef void tsr_run(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c);

struct tsr_kernel {
  const char *symbol;
  uint8_t op, ta, tb, tc; /* enum tsr_op, enum tsr_type of A, B and C */
  uint16_t mr, nr, mu;    /* tile, and the unit in which rows come; in elements, or in vectors if per_vector */
  bool per_vector;
  tsr_run *run;
};

/* One level of memory as a blocking layer sees it. cores_sharing tells how many cores use one instance. */
struct tsr_level {
  size_t bytes, line;
  int ways, cores_sharing;
};

/* A chip that runs beside the CPU, with memory of its own. Steps are queued on a core and run in the order of issue as
 * far as their operands are concerned that the core owns; a step that must follow another one names its token.
 *
 *   PACK_N, PACK_T  c is an address in the core's panel memory; the layout there is the chip's own affair.
 *   GEMM            a and b are panels (rsa == size says that A was packed by PACK_N, else PACK_T; rsb likewise), c is
 *                   in device memory. One step takes any m <= mr, n <= nr; sums stay in the core between TSR_MORE_K
 *                   and TSR_GO_ON. The result is s itself, in the kernel's tc: alpha and beta are UPDATE's affair.
 *   UPDATE          as on a CPU, on matrices in device memory; ta is the type of the sums, tb that of the y it goes on
 *                   from (given by b, columns rsb apart; 0: none), tc that of what it writes.
 *   CONV            some output pixels and filters of a convolution of whole tensors in one step: b points to a struct
 *                   tsr_conv_part. ta is the type of x and w, tc that of y.
 *   ATTEND          out = softmax(scale Q K') V for some tiles of queries, scores, sums and all, in one step: b points
 *                   to a struct tsr_attend. ta is the type of Q, K and V, tc that of out. */
typedef uint64_t tsr_token; /* 0: nothing to wait for */
struct tsr_device_chip;
struct tsr_device_scratch {
  tsr_mem at;
  size_t bytes;
};
struct tsr_device {
  const struct tsr_device_chip *chip;
  int cores;
  double hertz;
  struct tsr_level panels, sums, shared; /* of each core; the cache of all */
  int unit;                      /* rows and columns are worked on in so many */
  int most;                      /* rows, and columns, of a GEMM step that the core's innermost buffers take */
  double loaded, cached, streamed; /* bytes a cycle: to the panels of a core that loads alone; for all cores together
                                      from the shared cache, which fills cost as well, and from memory */
  struct tsr_device_scratch scratch[2]; /* device memory that the blocking layers keep */
  uint64_t serial;                      /* tells devices apart that were opened one after another; set by the core */
};

/* What a GEMM step m x n x k keeps a core busy with, in cycles. It goes in rounds: while one is multiplied the next is
 * brought into the innermost buffers. */
struct tsr_step_costs {
  double issue, issue_pack; /* from a step's turn until its instructions begin; the same of a PACK */
  double rounds, fill, multiply; /* how many, and what one takes */
  double out, update;       /* the sums' way to memory; a whole UPDATE of them */
};

/* Attention of whole tensors, of which an ATTEND step computes some tiles: first, first + stride, ..., `count` of them,
 * counted head by head of all batches. A head's queries are cut into tiles of `rows`, which a limit bounds. With
 * `pairs` they are counted in pairs of a head instead, its first tile and its last, the second and the last but one, and
 * so on, the one in the middle alone. Steps are in bytes, by TSR_BATCH, TSR_HEAD and TSR_ROW; `group` heads of q share
 * one of k and v. Query i sees the keys up to diagonal + i if `upper`, and of those, if `lower`, itself and so many before it. A
 * query that sees none becomes 0, its lse -inf. The struct may go when the step is issued. */
struct tsr_attend {
  tsr_mem q, k, v, out, lse; /* device memory; lse: f32 [batch][head][query], or 0 */
  int64_t step_q[3], step_k[3], step_v[3], step_out[3];
  int64_t heads, group, queries, keys, d_qk, d_v;
  int64_t diagonal, before;
  bool upper, lower;
  bool narrow; /* scores may be rounded to 16 bits before their exponentials are taken */
  float scale; /* above 0 */
  int64_t rows; /* a multiple of the device's unit */
  int64_t first, stride, count;
  bool pairs;
};

/* What an ATTEND step takes, and whether narrow scores are what the chip computes by unless a call asks for others. */
struct tsr_attend_limits {
  int64_t rows, tiles;
  bool narrow;
};

/* Convolution of whole tensors with channels last, of which a CONV step computes `rows` output pixels at a time, from
 * `begin` on up to `end` (counted over the batch), of `filters` filters, with which w, bias and y begin. They are the
 * filters from number `first` on of `all` of the call, of which no two steps have the same for a pixel. Pairs: height,
 * width. Every y ends with y = bias + s, then y = y + s for each further block of kb taps times channels (conv.h), and
 * what is below 0 becomes 0 with `relu`. Taps in the padding are read as 0 and multiplied. The struct may go when the
 * step is issued. */
struct tsr_conv_part {
  tsr_mem x, w, bias, y; /* device memory; bias: f32, or 0 */
  int64_t batch, in[2], out[2], kernel[2], stride[2], dilation[2], pad[2];
  int64_t channels, filters, first, all;
  int64_t step_x, step_w, step_y; /* bytes from pixel to pixel, filter to filter (taps and channels lie side by side) */
  int64_t kb;
  bool relu;
  int64_t begin, end, rows;
};

struct tsr_device_chip {
  const char *name, *isa;
  const struct tsr_kernel *kernel;
  int nkernels;
  tsr_status (*open)(const char *model, struct tsr_device **device);
  void (*close)(struct tsr_device *device);
  tsr_status (*alloc)(struct tsr_device *device, size_t bytes, tsr_mem *address);
  tsr_status (*release)(struct tsr_device *device, tsr_mem address);
  /* Whether so many bytes at the address are one living allocation's; if not, a message that names them. */
  tsr_status (*check)(struct tsr_device *device, tsr_mem address, size_t bytes);
  tsr_status (*copy_in)(struct tsr_device *device, tsr_mem to, const void *from, size_t bytes);
  tsr_status (*copy_out)(struct tsr_device *device, void *to, tsr_mem from, size_t bytes);
  tsr_token (*issue)(struct tsr_device *device, int core, const struct tsr_kernel *kernel, const struct tsr_step *step,
                     tsr_mem a, tsr_mem b, tsr_mem c, const tsr_token *after, int nafter);
  tsr_status (*fence)(struct tsr_device *device); /* steps issued from now on start after all issued so far */
  tsr_status (*drain)(struct tsr_device *device); /* runs all that was issued; faults surface here */
  /* Gets ready for ATTEND steps of these sizes (d_qk, d_v) and scale: what memory of its own they need the chip takes
   * now. TSR_UNSUPPORTED with a message that names the field if it has no room for them. */
  tsr_status (*prepare_attend)(struct tsr_device *device, const struct tsr_kernel *kernel,
                               const struct tsr_attend *attend, struct tsr_attend_limits *limits);
  /* The model that plans are chosen by. */
  void (*step_costs)(const struct tsr_device *device, tsr_type type, int64_t m, int64_t n, int64_t k,
                     struct tsr_step_costs *costs);
  /* Another device like this one for measuring, at rest and with empty caches. It may leave out data. */
  tsr_status (*twin)(const struct tsr_device *device, struct tsr_device **twin);
  /* A point behind all that was issued, by number or -1; and when it was reached, in seconds, below 0: not yet. */
  int64_t (*mark)(struct tsr_device *device);
  double (*reached)(const struct tsr_device *device, int64_t mark);
  int (*describe)(const struct tsr_device *device, char *text, size_t size); /* for people; like snprintf */
  /* What a CONV step keeps a core busy with while all work, in cycles; below 0: the core's buffers have no room. */
  double (*conv_cycles)(const struct tsr_device *device, const struct tsr_kernel *kernel,
                        const struct tsr_conv_part *part);
  /* Gets ready for CONV steps of this convolution, whatever their pixels and filters: what memory of its own they need
   * the chip takes now. TSR_UNSUPPORTED with a message that names the field if the chip takes no such convolution. */
  tsr_status (*prepare_conv)(struct tsr_device *device, const struct tsr_kernel *kernel,
                             const struct tsr_conv_part *part);
};

/* A chip: one folder in kernels/. `usable` says whether this machine can run it and, if not, writes why into a
 * buffer of TSR_WHY bytes. `vector_bytes` is asked after `usable` and may depend on the machine (SVE). */
#define TSR_WHY 96
struct tsr_chip {
  const char *name; /* the folder's name */
  const char *isa;  /* the name TESSERA_ISA accepts */
  bool (*usable)(char *why);
  size_t (*vector_bytes)(void);
  const struct tsr_kernel *kernel;
  int nkernels;
  bool goes_on; /* GEMM takes TSR_GO_ON */
  /* Whether this machine, which can run the chip, has what one kernel needs beyond that; NULL: all run. Of kernels for
   * the same job the first in the list that runs is taken. */
  bool (*runs)(const struct tsr_kernel *kernel);
  bool narrows; /* CONV of integers takes conv->narrow */
};

#endif
