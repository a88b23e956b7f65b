/* GEMM inside the library: the normalised problem, its plan, and what the faces call. */
#ifndef TSR_GEMM_H
#define TSR_GEMM_H

#include "src/core/core.h"

/* Which part of a matrix a call reads or writes. Of an operand that is not FULL the other triangle is what the stored
 * one says by symmetry: the same, or for HERMITIAN its conjugate, with a real diagonal. Indices are those of op(A),
 * op(B) and C in the normalised problem: LOWER means elements (i, j) with i >= j. */
enum tsr_gemm_part { TSR_FULL = 0, TSR_LOWER = 1, TSR_UPPER = 2, TSR_HERMITIAN = 4 };
struct tsr_gemm_parts {
  uint8_t a, b, c; /* of C only LOWER or UPPER is computed; with HERMITIAN its diagonal becomes real */
};

/* The normalised problem: rows of C are contiguous (a row-major caller's problem is turned over), strides in bytes. */
struct tsr_gemm_problem {
  tsr_type type, type_c; /* of A and B, of C */
  int64_t m, n, k;
  tsr_mem a, b, c;
  int64_t rsa, csa, rsb, csb, csc;
  double alpha, beta;
  bool turned; /* a is the caller's b, and b his a */
  const char *plan; /* NULL, or the caller's own, in words that were checked */
  double alpha_im, beta_im;
  uint64_t flags;   /* TSR_CONJ_A, TSR_CONJ_B */
  struct tsr_gemm_parts parts;
};

/* Whether an operand is stored by half, or C computed by half. */
static inline bool tsr_gemm_has_parts(const struct tsr_gemm_problem *p) {
  return (p->parts.a | p->parts.b | p->parts.c) != TSR_FULL;
}

/* Of A and B that change places. */
static inline uint64_t tsr_gemm_turned_flags(uint64_t flags) {
  return (flags & TSR_CONJ_A ? TSR_CONJ_B : 0) | (flags & TSR_CONJ_B ? TSR_CONJ_A : 0);
}

enum tsr_gemm_path {
  TSR_GEMM_SMALL,   /* a few tiles, computed before any plan is made */
  TSR_GEMM_DIRECT,  /* A and B are read as they lie */
  TSR_GEMM_ACROSS,  /* the same with rows and columns exchanged: lanes over the columns of C, sums turned at the end */
  TSR_GEMM_PACKED,  /* blocks of A, of B, or of both are copied into panels */
  TSR_GEMM_K_SPLIT, /* direct, the blocks of k computed side by side and added in order */
};

/* How operands that lie in place are walked: the loop outside. */
enum tsr_gemm_order { TSR_GEMM_ROWS = 1, TSR_GEMM_COLUMNS };

/* What is copied into panels. */
enum tsr_gemm_pack { TSR_GEMM_PACK_NONE = 1, TSR_GEMM_PACK_A, TSR_GEMM_PACK_B, TSR_GEMM_PACK_AB };
static inline bool tsr_gemm_packs(enum tsr_gemm_pack pack, enum tsr_gemm_pack which) {
  return pack > 0 && ((pack - 1) & (which - 1)) != 0;
}

/* The first fields are what the tuner decides (space.c names them in this order); 0 = not decided yet. */
struct tsr_gemm_way {
  enum tsr_gemm_path path;
  int threads;
  int units, columns; /* the tile: rows in the chip's row unit, columns */
  enum tsr_gemm_order order;
  int64_t mc, nc;     /* packed: the most rows and columns of a block; else of a piece of work */
  enum tsr_gemm_pack pack;
  int groups;         /* packed: teams of threads side by side in n, each with a packed B of its own */
  int64_t kb;         /* the contract's block of k */
  int64_t grain;      /* packed: rows are shared out among the blocks by so many */
  bool pack_a, pack_b;
  int64_t kc;         /* k of a chunk that is packed at a time; divides kb */
  int slots;          /* panels of A, and of B, that a device's core holds for chunks to come */
  int kept;           /* chunks whose panels of A stay in the core for the next columns */
};

/* KB of the numeric contract: how many consecutive k make one chain. */
static inline int64_t tsr_gemm_kb(tsr_type type) {
  return type == TSR_F32 || type == TSR_C32 ? 384 : type == TSR_F64 || type == TSR_C64 ? 256 : type == TSR_S8 ? INT64_MAX : 4096;
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

/* Completes the plan of a CPU by the rule of thumb: what is decided in it already is kept as far as it can be. */
void tsr_gemm_complete(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *problem, int most_threads,
                       struct tsr_gemm_way *plan);

/* The plan for a problem on up to so many threads: the process's own for tests, the database's, or the model's. */
void tsr_gemm_choose(const tsr_context *context, const struct tsr_gemm_problem *problem, int most_threads,
                     struct tsr_gemm_way *plan);

/* How many threads so many multiplications are worth, of those that are available. */
int tsr_gemm_threads_for(int most_threads, int64_t multiplications);

/* a * b, or INT64_MAX: sizes are weighed in integers, since a plan must raise no floating-point flag. */
static inline int64_t tsr_saturating(int64_t a, int64_t b) {
  int64_t product;
  return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

/* For tests: fields that are not 0 replace the plan's own choice in every call of the process. */
extern struct tsr_gemm_way tsr_gemm_forced;

static inline bool tsr_gemm_is_forced(void) {
  const struct tsr_gemm_way *f = &tsr_gemm_forced;
  return (int)f->path | f->threads | f->groups | (f->mc > 0) | (f->nc > 0);
}

/* Whether problem->plan, which is not NULL, can be followed: TSR_INVALID_ARGUMENT and a sentence if not. */
tsr_status tsr_gemm_check_plan(const tsr_context *context, const struct tsr_gemm_problem *problem);

/* The shape of a problem in the tuner's words (TSR_VALUES_TEXT bytes). */
void tsr_gemm_words(const tsr_context *context, const struct tsr_gemm_problem *problem, char *text);

/* Computes a valid problem on the calling thread, without a trace line. */
void tsr_gemm_compute_alone(const tsr_context *context, const struct tsr_gemm_problem *problem);

/* Computes a valid problem by a complete and legal plan. */
void tsr_gemm_compute_as(const tsr_context *context, const struct tsr_gemm_problem *problem,
                         const struct tsr_gemm_way *plan);

/* Many independent valid problems, which `problem` writes down one by one, from several threads at once. Small ones go
 * to the threads whole, large ones use all threads one after another; the bits are those of single calls. */
struct tsr_gemm_many {
  const tsr_context *context;
  void (*problem)(const void *user, int64_t i, struct tsr_gemm_problem *problem);
  const void *user;
  int64_t count, product; /* m * n * k of one, on average */
  tsr_type type;
  const char *routine; /* what the trace prints, with */
  char sizes[40];
};
void tsr_gemm_compute_many(const struct tsr_gemm_many *many);

/* Computes a valid problem. `routine` is what the trace prints. */
tsr_status tsr_gemm_compute(const tsr_context *context, const struct tsr_gemm_problem *problem, const char *routine);

#endif
