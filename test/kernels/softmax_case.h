/* One case of attention's operators (SOFTMAX, SOFTMAX_T, MERGE, SOFTMAX_GRAD): the operands, what must come out of them,
 * and a run of a kernel between forbidden pages that looks at everything. */
#ifndef TEST_SOFTMAX_CASE_H
#define TEST_SOFTMAX_CASE_H

#include "kernels/kernel.h"
#include "test/kernels/guard.h"
#include "test/kernels/values.h"

/* Arrays that a step reaches; each is 4-byte words. */
enum softmax_operand {
  OPERAND_C, OPERAND_A, OPERAND_BIAS, OPERAND_MAX, OPERAND_SUM, OPERAND_KEEP, OPERAND_ADD, OPERAND_FROM, OPERAND_TO,
  OPERAND_AT, OPERAND_SLOPE, OPERAND_COUNT
};

enum word { WORD_KEPT, WORD_RESULT, WORD_FREE }; /* must stay, must come out, may be anything */

struct softmax_array {
  int64_t words;       /* 0: not there, and its pointer is forbidden or NULL */
  float *before, *expected;
  unsigned char *kind; /* of each word: enum word */
};

struct softmax_case {
  enum tsr_op op;
  tsr_run *run;
  struct tsr_step step;
  struct tsr_softmax softmax; /* its pointers are set when the operands are placed */
  struct softmax_array array[OPERAND_COUNT];
  bool tame;                  /* neither NaN nor Inf nor overflow but for masks: nothing invalid may be raised */
  char text[200];             /* what a person needs to recognise the case */
};

struct softmax_bench {
  struct arena arena[OPERAND_COUNT], step, softmax;
  bool plain_c, has_avx;
  char what[200]; /* what was wrong */
};

void softmax_case_create(struct softmax_case *sc);
void softmax_case_free(struct softmax_case *sc);
/* Makes case `index` of `seed`. */
void softmax_case_make(struct softmax_case *sc, const struct tsr_kernel *kernel, uint64_t seed, int index);

void softmax_bench_create(struct softmax_bench *bench);
/* Whether the kernel did right. */
bool softmax_check(struct softmax_bench *bench, const struct softmax_case *sc);

#endif
