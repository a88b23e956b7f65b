/* What the convolution tests share: random problems over all that tsr_conv_desc can say, in memory that ends or begins
 * at a page that cannot be touched; the loop of tessera/conv.h as the reference; comparison bit for bit. Random
 * numbers and contexts are those of the GEMM tests. */
#ifndef TSR_CONV_TEST_H
#define TSR_CONV_TEST_H

#include "test/gemm/gemm_test.h"

/* Memory with a page on both sides that cannot be touched. */
struct guarded {
  char *pages, *data;
  size_t pages_bytes, bytes;
};
void guarded_open(struct guarded *g, size_t bytes, enum place place, int shift);
void guarded_protect(struct guarded *g, int protection);
void guarded_close(struct guarded *g);

enum { OPERANDS = 8 };

/* A problem with its operands, read-only while it is used. d's pointers, x, w and bias point into `operand`. */
struct problem {
  tsr_conv_desc d;
  uint64_t seed;
  enum fill fill;
  enum place place; /* of operands in their pages */
  int shift;
  const void *x, *w, *bias;
  char *expected;   /* y */
  struct guarded operand[OPERANDS];
  int operands;
};

/* Features that a random problem may have. */
enum {
  F_TYPES = 1,       /* f64, f16 and bf16 */
  F_DIMS = 2,        /* one and three dimensions */
  F_GROUPS = 4,
  F_DEPTHWISE = 8,
  F_TRANSPOSED = 16,
  F_LAYOUTS = 32,
  F_STRIDES = 64,    /* and dilation */
  F_POST = 128,      /* scales, add, activations */
  F_ALL = 255,
  F_INTEGERS = 256,  /* x of u8 or s8, always */
  F_DEEP = 512,      /* hundreds of channels and filters, always, and few pixels */
  F_WIDE = 1024,     /* many pixels, always, and few channels */
  F_FEW = 2048       /* few filters of many channels, always, and more pixels than in a vector */
};

/* problem_sketch draws a problem of at most `work` multiply-adds without operands and says whether it has a bias: that
 * it has scales, an add and zero_w their pointers say by not being NULL. problem_inputs makes the operands of such a
 * descriptor, problem_fill computes the reference too, problem_draw does all. */
bool problem_sketch(struct problem *p, uint64_t seed, unsigned features, double work);
void problem_draw(struct problem *p, uint64_t seed, unsigned features, double work);
void problem_fill(struct problem *p, bool bias);
void problem_inputs(struct problem *p, bool bias);
void problem_close(struct problem *p);
void problem_text(const struct problem *p, char *text, size_t size);

/* The tests' own reading of a descriptor: elements of an operand, and where one of them lies. `at` is depth, height and
 * width; sizes beyond `dims` are 1. */
tsr_conv_desc full_desc(const tsr_conv_desc *d); /* type_y set, what lies beyond `dims` set to 1 and 0 */
int64_t pixels_of(const int64_t *size);
int64_t x_at(const tsr_conv_desc *full, int64_t n, int64_t c, const int64_t *at);
int64_t y_at(const tsr_conv_desc *full, int64_t n, int64_t k, const int64_t *at);
int64_t w_at(const tsr_conv_desc *full, int64_t k, int64_t c, const int64_t *at); /* c within the group */
size_t x_bytes(const tsr_conv_desc *d), w_bytes(const tsr_conv_desc *d), y_bytes(const tsr_conv_desc *d);
bool whole_numbers(const tsr_conv_desc *d); /* x and w are integers */
double work_of(const tsr_conv_desc *d);

/* The reference (reference.c, compiled twice). */
void references_any(struct problem *p);
void references_fma(struct problem *p);

/* How a problem is computed, into y. */
typedef tsr_status compute(tsr_context *context, const struct problem *p, void *y);
compute plain_call, planned_call;

/* Computes into guarded memory with so many threads and compares with p->expected, bit for bit but that NaN is NaN.
 * TSR_UNSUPPORTED is a refusal: nothing was written. Fails the test with the case. */
void check_problem(tsr_context *context, int threads, const struct problem *p, compute *how);
bool same_bits(tsr_type type, const char *x, const char *y, int64_t elements, int64_t *where);
extern int refused, accepted;

#endif
