/* GEMM inside the library: the normalised problem, its plan, and the functions the faces call. */
#ifndef TSR_GEMM_H
#define TSR_GEMM_H

#include "src/core/core.h"

/* The normalised problem: rows of C are contiguous (a row-major caller's problem is turned over), strides in bytes. */
struct tsr_gemm_problem {
  tsr_type type;
  int64_t m, n, k;
  tsr_mem a, b, c;
  int64_t rsa, csa, rsb, csb, csc;
  double alpha, beta;
};

/* Where the operands are read from. */
enum tsr_gemm_path {
  TSR_GEMM_DIRECT, /* A and B as they lie */
  TSR_GEMM_PACKED, /* blocks of A and B copied into panels */
};

struct tsr_gemm_plan {
  enum tsr_gemm_path path;
  bool a_along_k;       /* A lies along k: direct steps are GEMM_AT */
  int units, columns;   /* the tile: rows in units of the chip's row unit, columns */
  int64_t kb, mc, nc;   /* block of k (the contract's), of rows, of columns */
  int rows_split, columns_split; /* grid of threads */
};

/* KB of the numeric contract: how many consecutive k make one chain. */
static inline int64_t tsr_gemm_kb(tsr_type type) { return type == TSR_F64 ? 256 : 384; }

void tsr_gemm_make_plan(const tsr_context *context, const struct tsr_gemm_problem *problem, int threads,
                        struct tsr_gemm_plan *plan);

/* Columns of the next tile when `left` columns are to be covered exactly by tiles of `columns`, where `most` is the
 * widest tile there is: whole tiles, then two that share what is left evenly, or one. */
static inline int tsr_next_columns(int64_t left, int columns, int most) {
  if (left <= most) return (int)left;
  if (left >= 2 * columns) return columns;
  return (int)((left + 1) / 2);
}

/* Computes a valid problem. `routine` is what the trace prints. */
tsr_status tsr_gemm_compute(const tsr_context *context, const struct tsr_gemm_problem *problem, const char *routine);

#endif
