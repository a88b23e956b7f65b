/* tessera info --measure: a few seconds of FMAs, reads and GEMM. */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/gauge.h"
#include "src/core/core.h"

enum { SIZE = 1500, ROUNDS = 9 };

static void fill(tsr_type type, void *to, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    double x = (double)(i % 1013) / 1013 - 0.5;
    if (type == TSR_F32) ((float *)to)[i] = (float)x;
    else ((double *)to)[i] = x;
  }
}

static double gemm_seconds(const tsr_gemm_desc *d, const void *a, const void *b, void *c) {
  double start = bench_now();
  tsr_gemm(NULL, d, a, b, c);
  return bench_now() - start;
}

/* The best of some rounds, each between two readings of the peak: a busy neighbour slows both. */
static void print_gemm(tsr_type type, const char *name, int threads, const void *a, const void *b, void *c) {
  tsr_gemm_desc d = TSR_GEMM_DESC;
  d.type = type;
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = SIZE;
  double peak = 0, best = 1e30;
  for (int i = 0; i < ROUNDS; i++) {
    double seconds = gemm_seconds(&d, a, b, c), now = bench_peak((int)tsr_size_of(type), threads);
    if (seconds < best) best = seconds;
    if (now > peak) peak = now;
  }
  double rate = 2.0 * SIZE * SIZE * SIZE / best;
  printf("           %s, %d thread%s: FMA peak %6.1f GFLOP/s, GEMM of %d %6.1f GFLOP/s (%.0f %%)\n", name, threads,
         threads > 1 ? "s" : "", peak * 1e-9, SIZE, rate * 1e-9, 100 * rate / peak);
}

static void print_all(double *a, double *b, double *c) {
  static const struct { tsr_type type; const char *name; } types[] = {{TSR_F32, "f32"}, {TSR_F64, "f64"}};
  int most = tsr_get_num_threads(NULL);
  printf("measured   with %s, the best of %d\n", bench_gauge_isa(), ROUNDS);
  for (int t = 0; t < 2; t++) {
    fill(types[t].type, a, SIZE * SIZE);
    fill(types[t].type, b, SIZE * SIZE);
    for (int threads = 1; threads <= most; threads = threads < most ? most : most + 1) {
      tsr_set_num_threads(NULL, threads);
      print_gemm(types[t].type, types[t].name, threads, a, b, c);
    }
  }
  tsr_set_num_threads(NULL, 0);
  printf("           reading memory, %d threads: %.1f GB/s\n", most, bench_bandwidth(4 * bench_last_cache(), most) * 1e-9);
}

int measure_print(void) {
  double *memory = malloc(3 * sizeof(double) * SIZE * SIZE);
  if (!memory) {
    fprintf(stderr, "tessera info: no memory for matrices of %d x %d\n", SIZE, SIZE);
    return EXIT_FAILURE;
  }
  print_all(memory, memory + SIZE * SIZE, memory + 2 * SIZE * SIZE);
  free(memory);
  return EXIT_SUCCESS;
}
