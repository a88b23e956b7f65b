/* GEMM inside the library: the normalised problem, its plan, and what the faces call. */
#ifndef TSR_GEMM_H
#define TSR_GEMM_H

#include "src/core/core.h"

/* The normalised problem: rows of C are contiguous (a row-major caller's problem is turned over), strides in bytes. */
struct tsr_gemm_problem {
  tsr_type type, type_c; /* of A and B, of C */
  int64_t m, n, k;
  tsr_mem a, b, c;
  int64_t rsa, csa, rsb, csb, csc;
  double alpha, beta;
  bool turned; /* a is the caller's b, and b his a */
};

enum tsr_gemm_path {
  TSR_GEMM_SMALL,   /* a few tiles, computed before any plan is made */
  TSR_GEMM_DIRECT,  /* A and B are read as they lie */
  TSR_GEMM_ACROSS,  /* the same with rows and columns exchanged: lanes over the columns of C, sums turned at the end */
  TSR_GEMM_PACKED,  /* blocks of A, of B, or of both are copied into panels */
  TSR_GEMM_K_SPLIT, /* direct, the blocks of k computed side by side and added in order */
};

struct tsr_gemm_plan {
  enum tsr_gemm_path path;
  int threads;
  int units, columns; /* the tile: rows in the chip's row unit, columns */
  int64_t kb;         /* the contract's block of k */
  int64_t mc, nc;     /* packed: the most rows and columns of a block; else of a piece of work */
  int64_t grain;      /* packed: rows are shared out among the blocks by so many */
  bool pack_a, pack_b;
  int groups;         /* packed: teams of threads side by side in n, each with a packed B of its own */
  int64_t kc;         /* k of a chunk that is packed at a time; divides kb */
  int slots;          /* panels of A, and of B, that a device's core holds for chunks to come */
  int kept;           /* chunks whose panels of A stay in the core for the next columns */
};

/* KB of the numeric contract: how many consecutive k make one chain. */
static inline int64_t tsr_gemm_kb(tsr_type type) {
  return type == TSR_F32 ? 384 : type == TSR_F64 ? 256 : type == TSR_S8 ? INT64_MAX : 4096;
}

/* Checks a descriptor's fields, not the pointers. */
tsr_status tsr_gemm_check(const tsr_context *context, const tsr_gemm_desc *desc);

/* Queues a valid problem on the context's device. */
tsr_status tsr_gemm_on_device(const tsr_context *context, const struct tsr_gemm_problem *problem);

/* The type of C that a descriptor means. */
tsr_type tsr_gemm_type_of_c(const tsr_gemm_desc *desc);

/* A scalar as the type holds it, and whether a valid call reads A and B at all. */
double tsr_gemm_scalar(tsr_type type, double x);
bool tsr_gemm_reads_operands(const tsr_gemm_desc *desc);

/* Turns a valid descriptor into the normalised problem. */
void tsr_gemm_normalise(const tsr_gemm_desc *desc, const void *a, const void *b, void *c,
                        struct tsr_gemm_problem *problem);

/* Decides path and threads (at most `most_threads` unless that is 0); then, when the number of threads that are really
 * free is known, tiles and blocks. */
void tsr_gemm_choose_path(const tsr_context *context, const struct tsr_gemm_problem *problem, int most_threads,
                          struct tsr_gemm_plan *plan);
void tsr_gemm_choose_blocks(const tsr_context *context, const struct tsr_gemm_problem *problem,
                            struct tsr_gemm_plan *plan);

/* How many threads so many multiplications are worth, of those that are available. */
int tsr_gemm_threads_for(const tsr_context *context, int64_t multiplications);

/* a * b, or INT64_MAX: sizes are weighed in integers, since a plan must raise no floating-point flag. */
static inline int64_t tsr_saturating(int64_t a, int64_t b) {
  int64_t product;
  return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

/* For tests and the tuner: fields that are not 0 replace the plan's own choice in every call of the process.
 * `path` is 1 + enum tsr_gemm_path. Sizes must be legal for the kernels: mc a multiple of the tile's rows. */
struct tsr_gemm_force {
  int path, threads, groups;
  int pack; /* 4 = neither, 5 = A, 6 = B, 7 = both */
  int64_t mc, nc;
};
extern struct tsr_gemm_force tsr_gemm_forced;

/* Columns of the next tile when `left` columns are to be covered exactly by tiles of `columns`, where `most` is the
 * widest tile there is: whole tiles, then two that share what is left evenly, or one. */
static inline int tsr_next_columns(int64_t left, int columns, int most) {
  if (left <= most) return (int)left;
  if (left >= 2 * columns) return columns;
  return (int)((left + 1) / 2);
}

/* Computes a valid problem on the calling thread, without a trace line. */
void tsr_gemm_compute_alone(const tsr_context *context, const struct tsr_gemm_problem *problem);

/* Computes a valid problem. `routine` is what the trace prints. */
tsr_status tsr_gemm_compute(const tsr_context *context, const struct tsr_gemm_problem *problem, const char *routine);

#endif
