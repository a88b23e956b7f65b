/* Every chip's tables of vector functions (LEVEL1_TABLE lines of kernels.def) against plain loops in the documented order:
 * equal bits, nothing touched outside. usage: level1_kernels [--cases N] [--seed N] */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "src/core/core.h"

/* --- Memory with forbidden pages ----------------------------------------------------------------------------------- */

struct arena {
  unsigned char *base, *at, *copy; /* between pages; the operand; what it is to be */
  size_t room, bytes;
};
static struct arena arena_x, arena_y;
static const char *symbol;

static void arena_make(struct arena *a, size_t room) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  a->room = (room + page - 1) / page * page;
  unsigned char *all = mmap(NULL, a->room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  a->copy = malloc(a->room);
  a->base = all + page;
  if (all == MAP_FAILED || !a->copy || mprotect(a->base, a->room, PROT_READ | PROT_WRITE)) {
    puts("no memory");
    exit(2);
  }
}

static int64_t below(int64_t n) { return (int64_t)(drand48() * (double)n); }

/* At the page before or after, or in between. */
static void *arena_place(struct arena *a, size_t bytes) {
  if (bytes > a->room) abort();
  size_t slack = a->room - bytes, where = (size_t)below(3);
  a->at = a->base + (where == 0 ? 0 : where == 1 ? slack : slack / 8 % 64 * 8);
  return a->at;
}

__attribute__((noreturn)) static void fail_at(const char *what, int64_t n, int64_t incx, int64_t incy, const char *where,
                                              int64_t i, double got, double want) {
  printf("FAIL %s %s n %lld incx %lld incy %lld: %s[%lld] is %a, not %a\n", symbol, what, (long long)n, (long long)incx,
         (long long)incy, where, (long long)i, got, want);
  exit(1);
}

#define REAL double
#define TABLE struct tsr_level1_f64
#define NAME(x) f64_##x
#define LANES TSR_LEVEL1_LANES_F64
#define FMA fma
#define ABS fabs
static double f64_scaled(const TABLE *k, int parts, int64_t n, const double *x, int64_t incx, double factor) {
  return (parts == 2 ? k->scaled_squares_complex : k->scaled_squares)(n, x, incx, factor);
}
#include "test/blas/level1_kernels.h"
#undef REAL
#undef TABLE
#undef NAME
#undef LANES
#undef FMA
#undef ABS
#define REAL float
#define TABLE struct tsr_level1_f32
#define NAME(x) f32_##x
#define LANES TSR_LEVEL1_LANES_F32
#define FMA fmaf
#define ABS fabsf
/* f32 needs no factors. */
static double f32_scaled(const TABLE *k, int parts, int64_t n, const float *x, int64_t incx, double factor) {
  (void)k, (void)parts, (void)n, (void)x, (void)incx, (void)factor;
  return -1;
}
#include "test/blas/level1_kernels.h"

static void test_dot_f64(const struct tsr_level1_f32 *k, int64_t n) {
  struct f32_vectors v;
  double lanes[32] = {0};
  f32_make(&v, 1, n, below(4));
  for (int64_t i = 0; i < n; i++)
    lanes[i % 32] = fma(f32_part(&v, false, i), f32_part(&v, true, i), lanes[i % 32]);
  double want = f64_lane_sum(lanes, 32, 1), got = k->dot_f64(n, v.x, v.incx, v.y, v.incy);
  if (!f64_same(got, want)) fail_at("dot_f64", n, v.incx, v.incy, "result", 0, got, want);
}

static int64_t some_length(int i) {
  if (i < 70) return i + 1;
  return 1 + below(below(20) ? 700 : 20000);
}

static void test_kernel(const struct tsr_kernel *kernel, int cases) {
  union {
    struct tsr_level1_f32 f32;
    struct tsr_level1_f64 f64;
  } table;
  kernel->run(NULL, 0, 0, (tsr_mem)&table);
  symbol = kernel->symbol;
  for (int i = 0; i < cases; i++) {
    int64_t n = some_length(i);
    if (kernel->ta == TSR_F64) f64_test_table(&table.f64, n);
    else f32_test_table(&table.f32, n), test_dot_f64(&table.f32, n);
  }
}

int main(int argc, char **argv) {
  int n, tested = 0, cases = 1500;
  long seed = (long)time(NULL);
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!strcmp(argv[i], "--cases")) cases = atoi(argv[i + 1]);
    if (!strcmp(argv[i], "--seed")) seed = atol(argv[i + 1]);
  }
  printf("seed %ld\n", seed);
  srand48(seed);
  arena_make(&arena_x, (size_t)TSR_LEVEL1_BLOCK * 8 * 8);
  arena_make(&arena_y, (size_t)TSR_LEVEL1_BLOCK * 8 * 8);
  const struct tsr_chip *const *chips = tsr_chips(&n);
  for (int c = 0; c < n; c++) {
    char why[TSR_WHY];
    int of_chip = 0;
    if (!chips[c]->usable(why)) continue;
    for (int i = 0; i < chips[c]->nkernels; i++)
      if (chips[c]->kernel[i].op == TSR_OP_LEVEL1_TABLE) test_kernel(&chips[c]->kernel[i], cases), of_chip++;
    printf("%s: %d tables\n", chips[c]->name, of_chip);
    tested += of_chip;
  }
  if (tested < 2) {
    puts("FAIL no table was tested");
    return 1;
  }
  return 0;
}
