/* Calls one SVE kernel once: one_call SYMBOL M N K. What it does is counted from outside (sve_model.py). */
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

/* Operands as the packed loops lay them out: A and B packed for GEMM, a matrix of its own for packing. */
static struct tsr_step describe(const struct tsr_kernel *kernel, int64_t m, int64_t n, int64_t k, int64_t lanes) {
  int64_t size = kernel->tc == TSR_F64 ? 8 : 4, rows = kernel->mr * lanes;
  if (kernel->op == TSR_OP_GEMM)
    return (struct tsr_step){.m = m, .n = n, .k = k, .csa = rows * size, .da = rows * k * size, .rsb = n * size,
                             .csb = size, .csc = m * size, .dc = rows * size, .alpha = 1, .beta = 1};
  return (struct tsr_step){.m = m, .n = n, .k = k, .rsa = k * size, .csa = m * size, .dc = n * k * size};
}

int main(int argc, char **argv) {
  const struct tsr_kernel *kernel = argc == 5 ? find(argv[1]) : NULL;
  if (!kernel) return fprintf(stderr, "usage: one_call SYMBOL M N K, with a symbol of kernels/arm_sve/kernels.def\n"), 2;
  int64_t m = atoll(argv[2]), n = atoll(argv[3]), k = atoll(argv[4]);
  int64_t lanes = (int64_t)tsr_chip_arm_sve.vector_bytes() / (kernel->tc == TSR_F64 ? 8 : 4);
  struct tsr_step step = describe(kernel, m, n, k, lanes);
  size_t bytes = 8 * (size_t)((m + n) * (k + n));
  void *a = calloc(1, bytes), *b = calloc(1, bytes), *c = calloc(1, bytes);
  if (!a || !b || !c) return fprintf(stderr, "no memory for m = %s, n = %s, k = %s\n", argv[2], argv[3], argv[4]), 1;
  kernel->run(&step, (tsr_mem)a, (tsr_mem)b, (tsr_mem)c);
  return 0;
}
