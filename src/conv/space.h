/* What the tuner knows of convolution on a CPU: fields of shapes and plans, and the way between them and the loops.
 * Convolutions of integers have shapes, for those who explain them, but no plans to choose from. */
#ifndef TSR_CONV_SPACE_H
#define TSR_CONV_SPACE_H

#include "src/conv/conv.h"
#include "src/tune/table.h"
#include "src/tune/use.h"

enum tsr_conv_shape_field {
  TSR_CONV_TYPE, TSR_CONV_TO, /* of x, and of y */
  TSR_CONV_X, TSR_CONV_Y,     /* channels last or first */
  TSR_CONV_BATCH, TSR_CONV_CHANNELS, TSR_CONV_FILTER_COUNT, TSR_CONV_GROUP_COUNT,
  TSR_CONV_IN, TSR_CONV_OUT, TSR_CONV_KERNEL, TSR_CONV_STRIDE, TSR_CONV_DILATION, TSR_CONV_PAD, /* sizes */
  TSR_CONV_TRANSPOSED,
  TSR_CONV_THREADS,           /* the most threads that may be used */
  TSR_CONV_SHAPE_FIELDS
};

enum tsr_conv_plan_field {
  TSR_CONV_LANES, TSR_CONV_ORDER, TSR_CONV_PLAN_THREADS, TSR_CONV_UNITS, TSR_CONV_COLUMNS, TSR_CONV_ROWS, TSR_CONV_COLS,
  TSR_CONV_PANEL_COUNT, TSR_CONV_BAND,
  TSR_CONV_PLAN_FIELDS
};

extern const struct tsr_operator tsr_conv_operator;

/* Whether calls look a plan up. Small ones do not, for which it would be felt, nor integers, nor sizes beyond
 * TSR_MOST_SIZE: the rule decides. */
bool tsr_conv_is_looked_up(const struct tsr_conv_problem *problem);

/* The shape of a descriptor whose sizes are at most TSR_MOST_SIZE; and a descriptor of a shape in range, whose weights
 * lie with channels last and whose pointers are NULL. */
void tsr_conv_shape_of(const tsr_conv_desc *desc, int threads, struct tsr_values *shape);
void tsr_conv_desc_of(const struct tsr_values *shape, tsr_conv_desc *desc);

/* Whether a descriptor can be made of a shape; whether decided fields of a plan are numbers that a way can have. */
bool tsr_conv_shape_in_range(const tsr_context *context, const struct tsr_values *shape, char *why);
bool tsr_conv_values_in_range(const struct tsr_values *values, char *why);

/* A way as a plan, and back: undecided fields are completed by the rule, and so are those that cannot be followed. */
void tsr_conv_values_of(const struct tsr_conv_way *way, struct tsr_values *values);
void tsr_conv_way_of(const tsr_context *context, const struct tsr_conv_problem *problem, int threads,
                     const struct tsr_values *values, struct tsr_conv_way *way);

/* Whether the decided fields of a plan in range can be followed with up to so many threads: the one checker. `way` is
 * what tsr_conv_way_of made of them. */
bool tsr_conv_plan_is_legal(const tsr_context *context, const struct tsr_conv_problem *problem, int threads,
                            const struct tsr_values *values, const struct tsr_conv_way *way, char *why);

/* Which way a call goes: by desc->plan, a row of the database, or the rule. */
void tsr_conv_choose(const tsr_context *context, const struct tsr_conv_problem *problem, int threads,
                     struct tsr_conv_way *way);

/* The shape of a call on this context in the tuner's words (TSR_VALUES_TEXT bytes). */
void tsr_conv_words(const tsr_context *context, const tsr_conv_desc *desc, char *text);

/* Whether desc->plan, if there is one, can be followed; the message names the field. */
tsr_status tsr_conv_check_plan(const tsr_context *context, const struct tsr_conv_problem *problem);

/* With TESSERA_TUNE=write: whether this call is to try the way; then its end must be told (tsr_use_end). */
bool tsr_conv_tries(const tsr_context *context, const struct tsr_conv_problem *problem, struct tsr_conv_way *way,
                    struct tsr_trial *trial);

/* Seconds that the model (model.c) expects of a run, weights being packed. */
struct tsr_costs;
double tsr_conv_predict(const tsr_context *context, const struct tsr_costs *costs,
                        const struct tsr_conv_problem *problem, const struct tsr_conv_way *way);

/* Multiplications and additions of a call, of taps in the padding too; bytes of x, w and y. */
struct tsr_conv_amount {
  double flops, bytes_x, bytes_w, bytes_y;
};
void tsr_conv_amount_of(const tsr_conv_desc *desc, struct tsr_conv_amount *amount);

/* The bench (tsr_operator): operands filled with small numbers, a run of packed weights repeated for a tenth of a
 * millisecond. */
void *tsr_conv_bench_open(tsr_context *context, const struct tsr_values *shape);
double tsr_conv_bench_run(void *bench, const struct tsr_values *plan);
void tsr_conv_bench_close(void *bench);

#endif
