/* Calls one SVE kernel once: one_call SYMBOL M N K [qk|pv|masked]. What it does is counted from outside (sve_model.py). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernel.h"

extern const struct tsr_chip tsr_chip_arm_sve;

static const struct tsr_kernel *find(const char *symbol) {
  for (int i = 0; i < tsr_chip_arm_sve.nkernels; i++)
    if (strcmp(tsr_chip_arm_sve.kernel[i].symbol, symbol) == 0) return &tsr_chip_arm_sve.kernel[i];
  return NULL;
}

/* Attention's two products, of m queries: S = Q K' with B's rows the n keys, O = P V with B's rows the k keys. Also its
 * scores and sums, of m queries side by side or, for SOFTMAX_T, n keys. */
static struct tsr_step describe_attention(const struct tsr_kernel *kernel, int64_t m, int64_t n, int64_t k,
                                          int64_t lanes, bool keys_across) {
  int64_t rows = kernel->mr * lanes;
  struct tsr_step step = {.m = m, .n = n, .k = k, .csa = m * 4, .da = rows * 4, .csc = m * 4, .dc = rows * 4};
  step.flags = TSR_STORE_SUM;
  step.rsb = keys_across ? 4 : n * 4;
  step.csb = keys_across ? k * 4 : 4;
  step.db = kernel->nr * step.csb;
  if (kernel->op == TSR_OP_SOFTMAX_T) step.csc = n * 4;
  return step;
}

/* Operands as the packed loops lay them out: A and B packed for GEMM, a matrix of its own for packing. */
static struct tsr_step describe(const struct tsr_kernel *kernel, int64_t m, int64_t n, int64_t k, int64_t lanes) {
  int64_t size = kernel->tc == TSR_F64 ? 8 : 4, rows = kernel->mr * lanes;
  if (kernel->op == TSR_OP_GEMM)
    return (struct tsr_step){.m = m, .n = n, .k = k, .csa = rows * size, .da = rows * k * size, .rsb = n * size,
                             .csb = size, .csc = m * size, .dc = rows * size, .alpha = 1, .beta = 1};
  return (struct tsr_step){.m = m, .n = n, .k = k, .rsa = k * size, .csa = m * size, .dc = n * k * size};
}

/* Rows of a state that has seen keys before, in lasting memory; masked: each row sees one key more than the last. */
static struct tsr_softmax *state_of(int64_t rows, bool masked) {
  static struct tsr_softmax sm;
  static int32_t from[1024], to[1024];
  if (rows > 1024) return NULL;
  float *all = calloc((size_t)rows, 4 * sizeof *all);
  if (!all) return NULL;
  for (int64_t i = 0; i < rows; i++) all[2 * rows + i] = all[3 * rows + i] = 1;
  sm = (struct tsr_softmax){.max = all, .sum = all + rows, .keep = all + 2 * rows, .add = all + 3 * rows};
  for (int32_t i = 0; i < 1024; i++) to[i] = i + 1;
  if (masked) sm.from = from, sm.to = to;
  return &sm;
}

int main(int argc, char **argv) {
  const struct tsr_kernel *kernel = argc == 5 || argc == 6 ? find(argv[1]) : NULL;
  if (!kernel) {
    fprintf(stderr, "usage: one_call SYMBOL M N K [qk|pv|masked], with a symbol of kernels/arm_sve/kernels.def\n");
    return 2;
  }
  int64_t m = atoll(argv[2]), n = atoll(argv[3]), k = atoll(argv[4]);
  int64_t lanes = (int64_t)tsr_chip_arm_sve.vector_bytes() / (kernel->tc == TSR_F64 ? 8 : 4);
  bool state = kernel->op == TSR_OP_SOFTMAX || kernel->op == TSR_OP_SOFTMAX_T || kernel->op == TSR_OP_MERGE;
  bool keys_across = argc == 6 && strcmp(argv[5], "qk") == 0;
  struct tsr_step step = state || argc == 6 ? describe_attention(kernel, m, n, k, lanes, keys_across)
                                            : describe(kernel, m, n, k, lanes);
  size_t bytes = 8 * (size_t)((m + n) * (k + n));
  void *a = calloc(1, bytes), *b = state ? state_of(m + TSR_SOFTMAX_PAD, argc == 6) : calloc(1, bytes);
  void *c = calloc(1, bytes);
  if (!a || !b || !c) return fprintf(stderr, "no memory for m = %s, n = %s, k = %s\n", argv[2], argv[3], argv[4]), 1;
  kernel->run(&step, (tsr_mem)a, (tsr_mem)b, (tsr_mem)c);
  return 0;
}
