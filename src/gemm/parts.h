/* Matrices of which a call reads or writes a triangle (enum tsr_gemm_part): what the paths of GEMM share. */
#ifndef TSR_GEMM_PARTS_H
#define TSR_GEMM_PARTS_H

#include "src/gemm/tiles.h"

/* A square matrix of which one triangle is stored: element (i, p) at `at` + i * rs + p * cs. */
struct tsr_gemm_half {
  tsr_mem at;
  int64_t rs, cs;
  uint8_t part;
};
struct tsr_gemm_half tsr_gemm_half_a(const struct tsr_gemm_problem *problem);
/* B with its rows and columns exchanged, as it is packed. */
struct tsr_gemm_half tsr_gemm_half_b(const struct tsr_gemm_problem *problem);

/* What tsr_gemm_pack does with rows i .. i + rows and steps p0 .. p0 + k of such a matrix: the other triangle's
 * elements come from their mirror image. */
void tsr_gemm_pack_half(const struct tsr_kernels *kernels, int64_t size, const struct tsr_gemm_half *half, int64_t i,
                        int64_t rows, int64_t width, int64_t p0, int64_t k, tsr_mem to);

/* tsr_gemm_column_of_tiles for a C of which one triangle is computed: rows from i, columns from j, of C. Outside the
 * triangle nothing of C is read or written. */
void tsr_gemm_cut_column(const struct tsr_gemm_job *job, struct tsr_step *step, int64_t i, int64_t rows, int64_t j,
                         bool panels, tsr_mem a, tsr_mem b, tsr_mem c);

/* Whether B is A turned over, of a C by half, and the plan packs both in panels of whole tiles: then one set of panels
 * serves as either. */
bool tsr_gemm_shares_panels(const struct tsr_gemm_job *job);

/* tsr_gemm_multiply with such panels at `b`, of piece->cols rows of A from piece->j on. */
void tsr_gemm_multiply_shared(const struct tsr_gemm_job *job, const struct tsr_gemm_piece *piece, int64_t p0, int64_t k,
                              tsr_mem a, tsr_mem b);

/* Whether a piece of C lies outside the triangle that is computed. */
static inline bool tsr_gemm_is_outside(const struct tsr_gemm_problem *p, const struct tsr_gemm_piece *piece) {
  if (p->parts.c & TSR_LOWER) return piece->i + piece->rows <= piece->j;
  return (p->parts.c & TSR_UPPER) && piece->i >= piece->j + piece->cols;
}

/* The block of k from p0 of a piece of a C by half, with A and B as they lie, `near` in the
 * innermost caches; rows of A are contiguous. */
void tsr_gemm_cut_in_place(const struct tsr_gemm_job *job, const struct tsr_gemm_piece *piece, int64_t p0, bool near);

/* UPDATE of what lies in the triangle, of rows from i and columns from j of C: step has m, n, csa, csc and scalars; m
 * and n are changed. */
void tsr_gemm_cut_update(const struct tsr_gemm_job *job, struct tsr_step *step, int64_t i, int64_t j, tsr_mem sums,
                         tsr_mem c);

/* SCALE of a C of which one triangle is computed. */
void tsr_gemm_cut_scale(const struct tsr_gemm_job *job);

/* Sets the imaginary parts of C's diagonal to 0. */
void tsr_gemm_make_diagonal_real(const struct tsr_gemm_problem *problem);

/* Small problems in parts, without a plan; false, with nothing done, for any other. */
bool tsr_gemm_small_part(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *problem);

/* Operands by half without scratch memory: copies on the stack of a few rows of A, or columns of B, at a time. C is
 * whole. Slow; the same bits. */
void tsr_gemm_by_pieces(const struct tsr_gemm_job *job);

#endif
