/* tessera explain: what its files share. explain.c reads the command line and asks how the plan was come by,
 * explain_loops.c draws it (explain_attention.c and explain_conv.c draw those of their operators, and tell the limits),
 * explain_limits.c says what the machine allows, explain_measure.c runs it, and explain_print.c tells all of it to
 * people or programs. */
#ifndef TESSERA_EXPLAIN_H
#define TESSERA_EXPLAIN_H

#include "src/attention/attention.h"
#include "src/conv/conv.h"
#include "src/gemm/gemm.h"
#include "src/tune/choose.h"

/* Text in lines, some of them further in than others. What does not fit is left out. */
#define EXPLAIN_LINE 240
struct explain_lines {
  int n;
  struct {
    int depth;
    char text[EXPLAIN_LINE];
  } at[48];
};
__attribute__((format(printf, 3, 4))) void explain_say(struct explain_lines *lines, int depth, const char *format, ...);

/* A plan with what the model says of it. */
struct explain_plan {
  struct tsr_values values;
  double predicted; /* seconds, corrected by measured shapes nearby */
};

/* Parts of a prediction, which add up to it. */
enum { PART_COMPUTING, PART_READING, PART_PACKING, PART_THREADS, PARTS };
extern const char *const explain_parts[PARTS];

/* A limit that no plan can beat. */
struct explain_limit {
  char what[64];
  double seconds;
};

/* Seconds of one plan's runs. */
struct explain_times {
  const char *name;
  const struct tsr_values *plan; /* NULL: the small path, which has none */
  double best, median;
  int runs;
};

enum { NEXT = 3, EARLY = 2, MOST_LIMITS = 8, MEASURED = 3 };

struct explain {
  /* what was asked */
  tsr_context *context;
  const struct tsr_operator *op;
  tsr_gemm_desc desc;      /* size 0: the shape was given in the tuner's words */
  struct tsr_gemm_problem p;
  struct tsr_attention_problem attention; /* if op is attention: see is_attention */
  tsr_conv_desc conv_desc; /* if op is convolution: see is_conv */
  struct tsr_conv_problem conv;
  struct tsr_values shape;
  const char *plan_words;  /* --plan, or NULL */
  bool measure, json;

  /* how the plan was come by */
  bool small;              /* no plan to choose: a few steps at once, or a convolution of integers */
  bool by_rule_alone;      /* too small a product to look plans up */
  struct tsr_choice choice;
  struct explain_lines trail;
  struct explain_plan plan, rule, next[NEXT], early[EARLY]; /* early: of a process's first calls */
  int nnext, candidates;   /* of the pruned space */
  double parts[PARTS];     /* of plan.predicted; all 0: not known */

  /* the plan as loops */
  struct explain_lines loops, kernels;

  /* what the machine allows */
  double flops, bytes;
  struct explain_limit limits[MOST_LIMITS];
  int nlimits, bound;      /* which one is the longest */
  char verdict[2 * EXPLAIN_LINE];

  struct explain_times times[MEASURED];
  int ntimes;
};

/* A duration and a number of bytes for people. */
struct explain_text {
  char text[32];
};
struct explain_text explain_seconds(double seconds);
struct explain_text explain_bytes(double bytes);

/* Whether the small path takes the problem; then `kernels` tells which kernels it calls. */
bool explain_small(struct explain *e);
void explain_loops(struct explain *e);
void explain_loops_of_device(struct explain *e);
void explain_loops_of_attention(struct explain *e);
void explain_loops_of_conv(struct explain *e);

/* Makes the problem of attention, or of convolution, from the shape. */
void explain_take_attention(struct explain *e);
void explain_take_conv(struct explain *e);

/* The prediction's parts, limits and the verdict. */
void explain_predict(struct explain *e);
void explain_limits(struct explain *e);
void explain_limits_of_attention(struct explain *e);
void explain_limits_of_conv(struct explain *e);
__attribute__((format(printf, 3, 4)))
void explain_add_limit(struct explain *e, double seconds, const char *format, ...);

/* False after a message: no memory, or nothing could be run. */
bool explain_measure(struct explain *e);

void explain_print(const struct explain *e);
void explain_print_json(const struct explain *e);

#endif
