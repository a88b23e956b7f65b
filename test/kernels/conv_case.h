/* One case of convolution's operators (CONV and CONV_LANES in f32 and f64, POST, TURN): the operands, what must come out
 * of them, and a run of a kernel between forbidden pages that looks at everything. */
#ifndef TEST_CONV_CASE_H
#define TEST_CONV_CASE_H

#include "kernels/kernel.h"
#include "test/kernels/guard.h"
#include "test/kernels/values.h"

#define CONV_CASE_TAPS 12 /* the most entries of a list */

enum conv_operand {
  OPERAND_A, OPERAND_X, OPERAND_C, OPERAND_BIAS, OPERAND_ADD, OPERAND_SCALE, OPERAND_TAPS, OPERAND_COUNT
};

/* Memory that a step may touch, not a byte more. */
struct conv_array {
  int64_t bytes;   /* 0: not there, and its pointer is forbidden or NULL */
  int64_t origin;  /* of the address a kernel is given, from the first byte; may lie outside */
  size_t capacity;
  unsigned char *before;
};

struct conv_case {
  const struct tsr_kernel *kernel;
  int64_t mr, nr, mu;      /* in elements */
  tsr_type ta, tc;
  struct tsr_step step;
  struct tsr_conv conv;    /* the pointers of both are set when the operands are placed */
  struct tsr_post post;
  bool in_place;           /* POST: C is what A was */
  struct conv_array array[OPERAND_COUNT];
  unsigned char *expected; /* C as it must become */
  unsigned char *live;     /* of each byte of C: 1 if it is a result's */
  size_t capacity;         /* of these two */
  size_t slack;            /* how far operands lie off their pages */
  int flags;               /* floating-point exceptions to be raised */
  bool any_invalid;        /* "invalid" may be raised or not */
  char text[240];          /* what a person needs to recognise the case */
};

struct conv_bench {
  struct arena arena[OPERAND_COUNT], step, b;
  bool plain_c, has_avx;
  char what[240]; /* what was wrong */
};

/* Whether these tests know the operator with these types. */
bool conv_case_knows(const struct tsr_kernel *kernel);

void conv_case_free(struct conv_case *cc);
/* Makes case `index` of `seed` for a kernel whose chip has vectors of so many bytes. `cc` is zero at first. */
void conv_case_make(struct conv_case *cc, const struct tsr_kernel *kernel, int64_t vector_bytes, uint64_t seed,
                    int index);

void conv_bench_create(struct conv_bench *bench);
/* Whether the kernel did right. */
bool conv_check(struct conv_bench *bench, const struct conv_case *cc);

#endif
