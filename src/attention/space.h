/* What the tuner knows of attention on a CPU: fields of shapes and plans, and the way between them and the loops. */
#ifndef TSR_ATTENTION_SPACE_H
#define TSR_ATTENTION_SPACE_H

#include "src/attention/attention.h"
#include "src/tune/table.h"
#include "src/tune/use.h"

enum tsr_attention_shape_field {
  TSR_ATTENTION_TYPE,    /* of keys and values */
  TSR_ATTENTION_BATCH, TSR_ATTENTION_HEADS, TSR_ATTENTION_KV_HEADS,
  TSR_ATTENTION_Q, TSR_ATTENTION_KV, /* lengths; beyond 64 rounded up to an eighth of an octave */
  TSR_ATTENTION_D, TSR_ATTENTION_DV,
  TSR_ATTENTION_CAUSAL, TSR_ATTENTION_MASK,
  TSR_ATTENTION_KEYS,    /* in rows or in panels */
  TSR_ATTENTION_THREADS, /* the most threads that may be used */
  TSR_ATTENTION_SHAPE_FIELDS
};

enum tsr_attention_plan_field {
  TSR_ATTENTION_LANES, TSR_ATTENTION_PLAN_THREADS, TSR_ATTENTION_ROWS, TSR_ATTENTION_WIDTH, TSR_ATTENTION_SPLIT,
  TSR_ATTENTION_PLAN_FIELDS
};

extern const struct tsr_operator tsr_attention_operator;

/* Whether calls look a plan up. Small ones do not, for which it would be felt; nor those whose sizes do not tell how
 * much work there is (windows, prefixes, ragged or paged sequences), and partial results: the rule decides. */
bool tsr_attention_is_looked_up(const struct tsr_attention_problem *problem);

/* The shape of a problem; and a descriptor of a shape: tensors [batch][len][heads][d], a mask of f16 where there is one.
 * Its pointers are NULL. */
void tsr_attention_shape_of(const struct tsr_attention_problem *problem, int threads, struct tsr_values *shape);
void tsr_attention_desc_of(const struct tsr_values *shape, tsr_attention_desc *desc);

/* A length as shapes have it. */
int64_t tsr_attention_round_length(int64_t length);

/* A way as a plan, and back: undecided fields are completed by the rule. */
void tsr_attention_values_of(const struct tsr_attention_way *way, struct tsr_values *values);
void tsr_attention_way_of(const tsr_context *context, const struct tsr_attention_problem *problem, int threads,
                          const struct tsr_values *values, struct tsr_attention_way *way);

/* Whether sizes are such that a problem can be made of them; whether decided fields of a plan are such that it can be
 * completed around them. */
bool tsr_attention_shape_in_range(const struct tsr_values *shape, char *why);
bool tsr_attention_values_in_range(const struct tsr_values *values, char *why);

/* Whether a way may be taken for the problem with up to so many threads: the one checker. */
bool tsr_attention_way_is_legal(const tsr_context *context, const struct tsr_attention_problem *problem, int threads,
                                const struct tsr_attention_way *way, char *why);

/* The shape of a problem in the tuner's words (TSR_VALUES_TEXT bytes), for calls on this context. */
void tsr_attention_words(const tsr_context *context, const struct tsr_attention_problem *problem, char *text);

/* Whether desc->plan can be followed; the message names the field. */
tsr_status tsr_attention_check_plan(const tsr_context *context, const struct tsr_attention_problem *problem);

/* With TESSERA_TUNE=write: whether this call is to try the way; then its end must be told (tsr_use_end). */
bool tsr_attention_tries(const tsr_context *context, const struct tsr_attention_problem *problem,
                         struct tsr_attention_way *way, struct tsr_trial *trial);

struct tsr_costs;
double tsr_attention_predict(const tsr_context *context, const struct tsr_costs *costs,
                             const struct tsr_attention_problem *problem, const struct tsr_attention_way *way);

/* Multiplications and additions of a call, of pairs of a query and a key that it sees; bytes of keys and values, and of
 * all operands. */
struct tsr_attention_work {
  double flops, kv_bytes, bytes;
};
void tsr_attention_work_of(const struct tsr_attention_problem *problem, struct tsr_attention_work *work);

/* The bench (tsr_operator): operands filled with small numbers, a call repeated for a tenth of a millisecond. */
void *tsr_attention_bench_open(tsr_context *context, const struct tsr_values *shape);
double tsr_attention_bench_run(void *bench, const struct tsr_values *plan);
void tsr_attention_bench_close(void *bench);

#endif
