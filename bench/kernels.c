/* kernel-bench: every kernel of every chip that this machine can run, one by one, under Google Benchmark. The list is
 * the kernels.def lines; a benchmark's name is <symbol>/k:<k>. Google Benchmark's options apply (--benchmark_filter,
 * --benchmark_repetitions, --benchmark_format ...).
 *
 * GEMM kernels run twice: k = KB/2 and one tile, A and B in L1; and k = KB and four tiles, A coming from L2 as in the
 * blocked loops. Columns: GFLOP/s and % of the FMA peak measured beside it; GB/s read and written for the others. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/gauge.h"
#include "bench/shim.h"
#include "src/core/core.h"
#include "src/gemm/gemm.h"

/* One benchmark: a kernel, its sizes in elements, and how its operands lie. */
struct subject {
  const struct tsr_kernel *kernel;
  int mr, nr, tiles;
  int64_t k, size;
};

/* Rows of the matrices that packing, updating and scaling work on, where their line names no width. */
enum { ROWS = 240, COLUMNS = 48, PANEL = 48 };

static size_t bytes_a(const struct subject *s) { return (size_t)(s->mr * s->tiles * s->k * s->size); }
static size_t bytes_b(const struct subject *s) { return (size_t)(s->nr * s->k * s->size); }
static size_t bytes_c(const struct subject *s) { return (size_t)(s->mr * s->tiles * s->nr * s->size); }

static void *operand(size_t bytes, int64_t size) {
  size_t rounded = (bytes + 4095) / 4096 * 4096;
  char *p = aligned_alloc(4096, rounded);
  for (size_t i = 0; p && i < rounded / (size_t)size; i++) {
    double value = (double)(i * 7 % 64) / 64 - 0.5;
    if (size == 8)
      ((double *)p)[i] = value;
    else
      ((float *)p)[i] = (float)value;
  }
  return p;
}

static bool is_pack(int op) { return op == TSR_OP_PACK_N || op == TSR_OP_PACK_T; }
static bool is_update(int op) { return op == TSR_OP_UPDATE || op == TSR_OP_UPDATE_T; }
static bool along_k(const struct subject *s) {
  return s->kernel->op == TSR_OP_GEMM_AT || s->kernel->op == TSR_OP_PACK_T;
}

/* A packed for GEMM, else a matrix as it lies in memory; B packed; C with its columns one below the other. */
static struct tsr_step step_of(const struct subject *s) {
  int64_t rows = (int64_t)s->mr * s->tiles, size = s->size;
  struct tsr_step step = {.m = rows, .n = s->nr, .k = s->k, .alpha = 1, .beta = 1};
  bool packed = s->kernel->op == TSR_OP_GEMM;
  step.rsa = along_k(s) ? s->k * size : size;
  step.csa = along_k(s) ? size : (packed ? s->mr : rows) * size;
  step.da = packed ? s->mr * s->k * size : s->mr * step.rsa;
  step.rsb = s->nr * size;
  step.csb = size;
  step.csc = rows * size;
  step.dc = is_pack(s->kernel->op) ? s->mr * s->k * size : s->mr * size;
  if (s->kernel->op == TSR_OP_UPDATE_T) step.csc = s->nr * size;
  return step;
}

/* Seconds this thread has computed: other programs on the machine do not count. */
static double thread_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Packing reads and writes each element of A; an update reads a sum and C and writes C, scaling reads and writes C. */
static double touched(const struct subject *s) {
  double c = (double)s->mr * s->tiles * s->nr;
  if (is_pack(s->kernel->op)) return 2.0 * (double)s->mr * s->tiles * (double)s->k * (double)s->size;
  return (is_update(s->kernel->op) ? 3 : 2) * c * (double)s->size;
}

static void count(struct bench_state *state, const struct subject *s, double seconds, double peak) {
  double calls = (double)bench_iterations(state);
  if (s->kernel->op == TSR_OP_GEMM || s->kernel->op == TSR_OP_GEMM_AT) {
    double rate = 2.0 * (double)s->mr * s->tiles * (double)s->k * s->nr * calls / seconds;
    bench_value(state, "GFLOP/s", rate * 1e-9);
    bench_value(state, "%peak", 100 * rate / peak);
  } else {
    bench_value(state, "GB/s", touched(s) * calls / seconds * 1e-9);
  }
}

static double peak_of(const struct subject *s, double peak) {
  for (int i = 0; i < 10; i++) {
    double seen = bench_fma_rate((int)s->size, 30e-6);
    if (seen > peak) peak = seen;
  }
  return peak;
}

static void run(struct bench_state *state, void *arg) {
  const struct subject *s = arg;
  struct tsr_step step = step_of(s);
  size_t to = is_pack(s->kernel->op) ? bytes_a(s) : bytes_c(s);
  void *a = operand(bytes_a(s) > to ? bytes_a(s) : to, s->size), *b = operand(bytes_b(s), s->size);
  void *c = operand(to, s->size);
  double peak = peak_of(s, 0);
  if (!a || !b || !c) bench_fail(state, "out of memory");
  double start = thread_seconds();
  while (a && b && c && bench_next(state, 1)) s->kernel->run(&step, (tsr_mem)a, (tsr_mem)b, (tsr_mem)c);
  double seconds = thread_seconds() - start;
  count(state, s, seconds, peak_of(s, peak));
  free(a);
  free(b);
  free(c);
}

static int add(const struct subject *found) {
  char name[128];
  struct subject *s = malloc(sizeof *s); /* lives as long as the process: Google Benchmark calls back */
  if (!s) return -1;
  *s = *found;
  snprintf(name, sizeof name, "%s/k:%lld", s->kernel->symbol, (long long)s->k);
  bench_register(name, run, s);
  return 0;
}

/* A panel for packing kernels without a width of their own; rows and columns for UPDATE and SCALE. */
static void sizes_of(const struct tsr_chip *chip, const struct tsr_kernel *kernel, struct subject *s) {
  s->kernel = kernel;
  s->size = tsr_size_of((tsr_type)kernel->tc);
  int lanes = kernel->per_vector ? (int)(chip->vector_bytes() / (size_t)s->size) : 1;
  s->mr = kernel->mr * lanes;
  s->nr = kernel->nr;
  s->tiles = 1;
  s->k = tsr_gemm_kb((tsr_type)kernel->tc) / 2;
}

static int add_kernel(const struct tsr_chip *chip, const struct tsr_kernel *kernel) {
  struct subject s;
  sizes_of(chip, kernel, &s);
  switch (kernel->op) {
    case TSR_OP_PACK_N:
    case TSR_OP_PACK_T:
      if (!s.mr) s.mr = PANEL;
      s.nr = s.mr;
      s.tiles = (ROWS + s.mr - 1) / s.mr;
      return add(&s);
    case TSR_OP_UPDATE:
    case TSR_OP_UPDATE_T:
    case TSR_OP_SCALE:
      s.mr = ROWS;
      s.nr = COLUMNS;
      s.k = COLUMNS; /* as many columns of sums */
      return add(&s);
    default:
      if (add(&s) != 0) return -1;
      s.k *= 2;
      s.tiles = 4;
      return add(&s);
  }
}

static int add_chip(const struct tsr_chip *chip) {
  char why[TSR_WHY] = "";
  if (!chip->usable(why)) {
    fprintf(stderr, "kernel-bench: %s is left out: %s\n", chip->name, why);
    return 0;
  }
  for (int i = 0; i < chip->nkernels; i++)
    if (add_kernel(chip, &chip->kernel[i]) != 0) return -1;
  return 0;
}

/* A whole call of the library in this process, without a BLAS face or the way into a shared library. */
static void call_gemm(struct bench_state *state, void *arg) {
  tsr_gemm_desc desc = TSR_GEMM_DESC;
  desc.type = *(const tsr_type *)arg;
  desc.m = desc.n = desc.k = desc.lda = desc.ldb = desc.ldc = 8;
  double a[64] = {0}, b[64] = {0}, c[64] = {0};
  while (bench_next(state, 1))
    if (tsr_gemm(NULL, &desc, a, b, c) != TSR_OK) bench_fail(state, tsr_last_error());
}

int main(int argc, char **argv) {
  static const tsr_type types[] = {TSR_F32, TSR_F64};
  int chips;
  const struct tsr_chip *const *chip = tsr_chips(&chips);
  if (!bench_initialize(&argc, argv)) return 2;
  bench_register("tsr_gemm_f32/8x8x8", call_gemm, (void *)&types[0]);
  bench_register("tsr_gemm_f64/8x8x8", call_gemm, (void *)&types[1]);
  for (int i = 0; i < chips; i++)
    if (add_chip(chip[i]) != 0) return 1;
  bench_run_all();
  return 0;
}
