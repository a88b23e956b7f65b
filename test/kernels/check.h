/* Runs one kernel on test cases and says what it did wrong. */
#ifndef TEST_CHECK_H
#define TEST_CHECK_H

#include "test/kernels/case.h"
#include "test/kernels/guard.h"

enum finding {
  FOUND_NOTHING,
  FOUND_FAULT,    /* touched forbidden memory, an illegal instruction, or did not return */
  FOUND_REGISTER, /* did not preserve what the ABI says it must */
  FOUND_FLAG,     /* floating-point exceptions other than the loop's */
  FOUND_INPUT,    /* changed A, B or the step */
  FOUND_STRAY,    /* wrote beside C */
  FOUND_VALUE,    /* wrote something else into C */
};

/* The guarded memory operands are placed in, and what a failing case reports. */
struct bench {
  struct arena a, b, c, step;
  bool plain_c;    /* the kernel is the compiler's: x18 and vzeroupper are the compiler's affair */
  bool has_avx;
  char what[384];  /* the finding in words */
};

void bench_create(struct bench *bench);

/* Places the operands of `tc` against their forbidden pages, runs the kernel, and looks at everything. */
enum finding check_case(struct bench *bench, const struct test_case *tc);

#endif
