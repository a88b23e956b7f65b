/* What one thread can do at best: the preferred tile, over and over, with all it reads in L1. */
#include <pthread.h>

#include "src/core/trace.h"

enum { L1_BYTES = 24 << 10, TILES = 16, SAMPLES = 5, CACHED = 16 };

static _Alignas(4096) char operands[L1_BYTES], result[TSR_MAX_UNITS * 256 * TSR_MAX_COLUMNS];

/* TILES tiles that all read the same panels of zeros: no rounding, no flags. */
static void fill_step(const struct tsr_tiles *tiles, int64_t size, struct tsr_step *step) {
  int64_t rows = (int64_t)tiles->units * tiles->mu;
  step->m = rows * TILES;
  step->n = tiles->columns;
  step->k = L1_BYTES / ((rows + tiles->columns) * size);
  step->rsa = size;
  step->csa = rows * size;
  step->rsb = tiles->columns * size;
  step->csb = size;
  step->csc = rows * size;
  step->alpha = 1;
}

static double measure(const struct tsr_tiles *tiles, tsr_type type) {
  struct tsr_step step = {0};
  fill_step(tiles, tsr_size_of(type), &step);
  const struct tsr_kernel *kernel = tiles->tile[tiles->units][tiles->columns];
  double flops = tsr_flops_of(type) * (double)step.m * (double)step.n * (double)step.k, best = 0;
  tsr_mem a = (tsr_mem)operands, b = a + (tsr_mem)(step.k * step.csa), c = (tsr_mem)result;
  kernel->run(&step, a, b, c);
  for (int sample = 0; sample < SAMPLES; sample++) {
    double start = tsr_trace_now(), seconds;
    int runs = 0;
    do {
      kernel->run(&step, a, b, c);
      runs++;
    } while ((seconds = tsr_trace_now() - start) < 200e-6);
    if (runs * flops / seconds > best) best = runs * flops / seconds;
  }
  return best;
}

double tsr_peak_flops(const struct tsr_kernels *kernels, tsr_type type) {
  static struct { const struct tsr_kernels *kernels; double peak; } known[CACHED];
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  const struct tsr_tiles *tiles = &kernels->gemm;
  if (!tiles->units) return 0;
  int i = 0;
  pthread_mutex_lock(&lock);
  while (i < CACHED - 1 && known[i].kernels && known[i].kernels != kernels) i++;
  if (known[i].kernels != kernels) known[i].peak = measure(tiles, type), known[i].kernels = kernels;
  double peak = known[i].peak;
  pthread_mutex_unlock(&lock);
  return peak;
}
