/* What the tuner knows of a GEMM on a CPU: fields of shapes and plans, and the way between them and the loops. */
#ifndef TSR_GEMM_SPACE_H
#define TSR_GEMM_SPACE_H

#include "src/gemm/gemm.h"
#include "src/tune/tune.h"

enum tsr_gemm_shape_field {
  TSR_SHAPE_TYPE, /* f32, f64, c32 or c64: tsr_gemm_type_at */
  TSR_SHAPE_M, TSR_SHAPE_N, TSR_SHAPE_K,
  TSR_SHAPE_A, TSR_SHAPE_B, /* n: its rows (A), its k (B) are contiguous in memory; t: the other way */
  TSR_SHAPE_PAGES,          /* which leading strides are multiples of 4096 bytes: 1 A, 2 B, 4 C, added; and 1 more */
  TSR_SHAPE_THREADS,        /* the most threads that may be used */
  TSR_SHAPE_FIELDS
};

enum tsr_gemm_plan_field {
  TSR_PLAN_PATH, TSR_PLAN_THREADS, TSR_PLAN_UNITS, TSR_PLAN_COLUMNS, TSR_PLAN_ORDER, TSR_PLAN_MC, TSR_PLAN_NC,
  TSR_PLAN_PACK, TSR_PLAN_GROUPS, TSR_PLAN_FIELDS
};

extern const struct tsr_operator tsr_gemm_operator;

/* The type that a shape's first field stands for. */
static inline tsr_type tsr_gemm_type_at(const struct tsr_values *shape) {
  int64_t at = shape->at[TSR_SHAPE_TYPE];
  return at <= TSR_F64 ? (tsr_type)at : (tsr_type)(at - 3 + TSR_C32);
}

/* Whether calls look a plan up: products below are so small that it would be felt, and the rule decides. */
bool tsr_gemm_is_looked_up(const struct tsr_gemm_problem *problem);

/* The shape of a problem, and a problem of a shape: null operands, leading strides as short as the shape allows. */
void tsr_gemm_shape_of(const struct tsr_gemm_problem *problem, int threads, struct tsr_values *shape);
void tsr_gemm_problem_of(const struct tsr_values *shape, struct tsr_gemm_problem *problem);

/* The decided fields of a plan, and back: undecided ones are completed by the rule. */
void tsr_gemm_values_of(const struct tsr_gemm_way *plan, struct tsr_values *values);
void tsr_gemm_plan_of(const tsr_context *context, const struct tsr_gemm_problem *problem, int threads,
                      const struct tsr_values *values, struct tsr_gemm_way *plan);

/* Whether the decided fields are such that a plan can be completed around them. */
bool tsr_gemm_values_in_range(const struct tsr_values *values, char *why);

/* Whether a complete plan may be run on the problem with up to so many threads: the one checker. */
bool tsr_gemm_plan_is_legal(const tsr_context *context, const struct tsr_gemm_problem *problem, int threads,
                            const struct tsr_gemm_way *plan, char *why);

/* The bench (tsr_operator): operands filled with small numbers, a product repeated for a tenth of a millisecond. */
void *tsr_gemm_bench_open(tsr_context *context, const struct tsr_values *shape);
double tsr_gemm_bench_run(void *bench, const struct tsr_values *plan);
void tsr_gemm_bench_close(void *bench);

#endif
