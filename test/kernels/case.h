/* One test case: a kernel, a step, the operands it works on and what must come out. */
#ifndef TEST_CASE_H
#define TEST_CASE_H

#include "kernels/kernel.h"
#include "test/kernels/values.h"

/* An operand as it will lie in memory, gaps included. */
struct image {
  unsigned char *data;
  size_t bytes, capacity;
};

struct test_case {
  const struct tsr_kernel *kernel;
  enum tsr_op op;
  tsr_type type, a_type;
  tsr_type part;        /* of C: type, or that of a complex number's parts */
  int64_t size, a_size; /* of an element of C (and B), and of A or of A's block */
  int64_t a_block;      /* elements of A in a block, or 1 */
  int64_t mr, nr, mu;  /* the kernel's tile in elements */
  struct tsr_step step;
  struct image a, b, c, expected;
  struct image live;   /* one byte an element of c's image: 1 = belongs to C, 0 = a gap */
  size_t slack;        /* bytes by which operands are set off from their forbidden page */
  int flags;           /* floating-point exceptions of the reference loop */
  char text[320];      /* what a person needs to recognise the case */
};

/* A kernel under test, with what the chip says about it. `widths` are the panel widths the chip's tiles want. */
#define MAX_WIDTHS 64
struct subject {
  const struct tsr_kernel *kernel;
  int64_t lanes;
  bool goes_on; /* GEMM takes TSR_GO_ON */
  int64_t widths[MAX_WIDTHS];
  int nwidths;
};

/* Cases every kernel gets: each legal remainder of rows, then each depth k. More numbers are random cases. */
int case_fixed_count(const struct subject *subject);

/* Makes case `index` of `seed`, with the reference's answer. The images in `tc` are reused from case to case. */
void case_make(struct test_case *tc, const struct subject *subject, uint64_t seed, int index);
void case_free(struct test_case *tc);

#endif
