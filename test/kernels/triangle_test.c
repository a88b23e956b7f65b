/* Every SOLVE and MULTIPLY kernel that this machine runs against the loop of kernels/kernel.h, bit for bit: random sizes,
 * strides of both signs, narrow groups, exact operands against guard pages, NaN where nothing may be read, registers.
 * --seed N, --kernel NAME, --cases N. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/core.h"
#include "test/kernels/guard.h"

#define ARENA ((size_t)8 << 20)

static uint64_t state;
static int64_t pick(int64_t low, int64_t high) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return low + (int64_t)((state >> 33) % (uint64_t)(high - low + 1));
}
static bool once_in(int n) { return pick(1, n) == 1; }
static double uniform(void) { return (double)pick(-1000000, 1000000) * 1e-6; }

/* a, b and c as the kernel is given them; those of panels are `low_*` at their lowest bytes. */
struct triangle_case {
  const struct tsr_kernel *kernel;
  bool solves, updates, is_complex, narrow;
  int64_t mr, nr, part, size, panels, rows; /* rows of T; part and size of an element in bytes */
  struct tsr_step step;
  unsigned char *a, *b, *c, *low_c;
  size_t c_bytes;
};

static struct arena arenas[3];

static double part_at(const struct triangle_case *tc, const unsigned char *at, int part) {
  float f;
  double d;
  if (tc->narrow) return memcpy(&f, at + 4 * part, 4), (double)f;
  return memcpy(&d, at + 8 * part, 8), d;
}
static void set_part(const struct triangle_case *tc, unsigned char *at, int part, double value) {
  float f = (float)value;
  if (tc->narrow)
    memcpy(at + 4 * part, &f, 4);
  else
    memcpy(at + 8 * part, &value, 8);
}
static double fused(const struct triangle_case *tc, double x, double y, double z) {
  return tc->narrow ? (double)fmaf((float)x, (float)y, (float)z) : fma(x, y, z);
}
static double product(const struct triangle_case *tc, double x, double y) {
  return tc->narrow ? (double)((float)x * (float)y) : x * y;
}

static void fill(const struct triangle_case *tc, unsigned char *at, size_t bytes) {
  for (size_t i = 0; i < bytes; i += (size_t)tc->part) set_part(tc, at + i, 0, uniform());
}

/* Element (p, j) of T: NaN where the triangle has none. In a narrow group missing columns repeat the last. */
static void set_t(const struct triangle_case *tc, int64_t p, int64_t j, double re, double im) {
  unsigned char *row = tc->b + j / tc->nr * tc->step.db + p * tc->step.rsb;
  set_part(tc, row, (int)(j % tc->nr), re);
  if (!tc->is_complex) return;
  set_part(tc, row, (int)(tc->nr + 2 * (j % tc->nr)), im);
  set_part(tc, row, (int)(tc->nr + 2 * (j % tc->nr) + 1), -im);
}
static bool is_read(const struct triangle_case *tc, int64_t p, int64_t j) {
  if (tc->updates) return true;
  int64_t q = tc->solves ? p - tc->step.k : p; /* the column of C that row p belongs to */
  if (q == j) return !(tc->step.flags & TSR_UNIT);
  return tc->solves ? q < j : q > j;
}
static void fill_t(const struct triangle_case *tc) {
  int64_t n = tc->step.n, all = tsr_round_up(n, tc->nr);
  double re = 0, im = 0;
  for (int64_t p = 0; p < tc->rows; p++)
    for (int64_t j = 0; j < all; j++) {
      int64_t real = tsr_min(j, n - 1), q = tc->solves ? p - tc->step.k : p;
      if (j < n) re = uniform(), im = uniform();
      bool read = is_read(tc, p, real) && !(j >= n && !tc->updates && q == n - 1);
      set_t(tc, p, j, read ? re : NAN, read ? im : NAN);
    }
}

static unsigned char *place(int arena, int64_t bytes) {
  return arena_place(&arenas[arena], (size_t)bytes, once_in(4) ? PLACE_START : PLACE_END, 0);
}

/* Panels of `columns` columns; gives the address of the first column, which is the highest if they are reversed. */
static unsigned char *place_panels(struct triangle_case *tc, int arena, int64_t columns, bool reversed, int64_t *step,
                                   int64_t *pitch, unsigned char **low, size_t *bytes) {
  int64_t width = tc->mr * tc->size;
  *step = reversed ? -width : width;
  *pitch = columns * width + pick(0, 2) * 64;
  *bytes = (size_t)((tc->panels - 1) * *pitch + columns * width);
  *low = place(arena, (int64_t)*bytes);
  fill(tc, *low, *bytes);
  return *low + (reversed ? (columns - 1) * width : 0);
}

static void make_case(struct triangle_case *tc, const struct tsr_kernel *kernel, int64_t lanes) {
  bool solves = kernel->op == TSR_OP_SOLVE, reversed = once_in(2);
  *tc = (struct triangle_case){.kernel = kernel, .solves = solves, .updates = once_in(3), .nr = kernel->nr,
                               .is_complex = kernel->tc == TSR_C32 || kernel->tc == TSR_C64,
                               .narrow = kernel->tc == TSR_F32 || kernel->tc == TSR_C32,
                               .size = tsr_size_of(kernel->tc), .mr = kernel->mr * (kernel->per_vector ? lanes : 1)};
  struct tsr_step *st = &tc->step;
  size_t a_bytes;
  unsigned char *low_a;
  tc->part = tc->narrow ? 4 : 8;
  tc->panels = pick(1, 3);
  st->m = tc->panels * tc->mr - pick(0, tc->mr - 1);
  st->n = once_in(2) ? pick(1, 3 * tc->nr) : tc->nr * pick(1, 3);
  st->k = once_in(4) ? 0 : pick(0, 40);
  st->flags = tc->updates ? (solves ? TSR_MORE_K : TSR_GO_ON) : 0;
  if (once_in(3)) st->flags |= TSR_UNIT;
  if (tc->updates) {
    tc->c = place_panels(tc, 2, st->n, reversed, &st->csc, &st->dc, &tc->low_c, &tc->c_bytes);
    tc->a = place_panels(tc, 0, tsr_max(st->k, 1), once_in(2), &st->csa, &st->da, &low_a, &a_bytes);
  } else {
    unsigned char *first = place_panels(tc, 2, st->n + st->k, reversed, &st->csc, &st->dc, &tc->low_c, &tc->c_bytes);
    st->csa = st->csc;
    st->da = st->dc;
    tc->c = first + (solves ? st->k * st->csc : 0);
    tc->a = first + (solves ? 0 : st->n * st->csc);
  }
  tc->rows = tc->updates ? st->k : st->k + st->n;
  int64_t row = tc->nr * tc->part * (tc->is_complex ? 3 : 1) + (once_in(3) ? 64 : 0), rows = tsr_max(tc->rows, 1);
  bool upside_down = once_in(2);
  int64_t groups = tsr_ceil_div(st->n, tc->nr);
  st->rsb = upside_down ? -row : row;
  st->db = rows * row;
  tc->b = place(1, groups * st->db) + (upside_down ? (rows - 1) * row : 0);
  fill_t(tc);
  margins_paint(&arenas[2], tc->low_c, tc->c_bytes);
}

/* y + sign * x * T(p, j) */
static void add(const struct triangle_case *tc, double y[2], double sign, const unsigned char *x, int64_t p, int64_t j) {
  const unsigned char *row = tc->b + j / tc->nr * tc->step.db + p * tc->step.rsb;
  double re = part_at(tc, row, (int)(j % tc->nr)), x_re = part_at(tc, x, 0);
  y[0] = fused(tc, sign * x_re, re, y[0]);
  if (!tc->is_complex) return;
  double im = part_at(tc, row, (int)(tc->nr + 2 * (j % tc->nr))), x_im = part_at(tc, x, 1);
  y[0] = fused(tc, -sign * x_im, im, y[0]);
  y[1] = fused(tc, sign * x_im, re, y[1]);
  y[1] = fused(tc, sign * x_re, im, y[1]);
}
static void times(const struct triangle_case *tc, double y[2], int64_t p, int64_t j) {
  const unsigned char *row = tc->b + j / tc->nr * tc->step.db + p * tc->step.rsb;
  double re = part_at(tc, row, (int)(j % tc->nr)), x[2] = {product(tc, y[0], re), product(tc, y[1], re)};
  if (tc->is_complex) {
    double im = part_at(tc, row, (int)(tc->nr + 2 * (j % tc->nr)));
    x[0] = fused(tc, -y[1], im, x[0]);
    x[1] = fused(tc, y[0], im, x[1]);
  }
  memcpy(y, x, sizeof x);
}

/* The contract's loop for one row; `c` is its copy of C at (i, 0), `a` the columns beside it. */
static void reference_row(const struct triangle_case *tc, unsigned char *c, const unsigned char *a) {
  const struct tsr_step *st = &tc->step;
  bool unit = st->flags & TSR_UNIT;
  for (int64_t j = 0; j < st->n; j++) {
    unsigned char *to = c + j * st->csc;
    double y[2] = {part_at(tc, to, 0), tc->is_complex ? part_at(tc, to, 1) : 0}, sign = tc->solves ? -1 : 1;
    int64_t behind = tc->updates || tc->solves ? 0 : st->n;
    if (!tc->updates && !tc->solves) {
      if (!unit) y[0] = y[1] = 0, add(tc, y, 1, to, j, j);
      for (int64_t q = j + 1; q < st->n; q++) add(tc, y, 1, c + q * st->csc, q, j);
    }
    for (int64_t p = 0; p < st->k; p++) add(tc, y, sign, a + p * st->csa, behind + p, j);
    if (!tc->updates && tc->solves) {
      for (int64_t q = 0; q < j; q++) add(tc, y, -1, c + q * st->csc, st->k + q, j);
      if (!unit) times(tc, y, st->k + j, j);
    }
    set_part(tc, to, 0, y[0]);
    if (tc->is_complex) set_part(tc, to, 1, y[1]);
  }
}

static void reference(const struct triangle_case *tc, unsigned char *copy) {
  for (int64_t t = 0; t < tc->panels; t++)
    for (int64_t i = 0; i < tc->mr; i++) {
      unsigned char *c = copy + (tc->c - tc->low_c) + t * tc->step.dc + i * tc->size;
      const unsigned char *others = tc->updates ? tc->a : copy + (tc->a - tc->low_c);
      reference_row(tc, c, others + t * tc->step.da + i * tc->size);
    }
}

/* x18 is the compiler's where plain C was compiled for Arm. */
static bool registers_kept(const struct probe *probe, bool plain_c) {
  static const char *const registers[] = PROBE_NAMES;
  for (int i = 0; i < PROBE_REGISTERS; i++)
    if (probe->in[i] != probe->out[i] && !(plain_c && strcmp(registers[i], "x18") == 0)) return false;
  return true;
}

static const char *check(struct triangle_case *tc, bool plain_c) {
  static unsigned char expected[ARENA];
  struct probe probe = {0};
  for (int i = 0; i < PROBE_REGISTERS; i++) probe.in[i] = (uint64_t)pick(1, 1 << 30);
  memcpy(expected, tc->low_c, tc->c_bytes);
  reference(tc, expected);
  struct fault fault = guarded_call(tc->kernel->run, &tc->step, (tsr_mem)tc->a, (tsr_mem)tc->b, (tsr_mem)tc->c, &probe);
  if (fault.signal) return "it reads or writes outside its operands, or stops";
  if (!registers_kept(&probe, plain_c)) return "it does not restore a register";
  if (memcmp(expected, tc->low_c, tc->c_bytes) != 0) return "wrong numbers, or a byte between panels is written";
  return margins_check(&arenas[2], tc->low_c, tc->c_bytes) ? "a byte beside C is written" : NULL;
}

static int test_kernel(const struct tsr_chip *chip, const struct tsr_kernel *kernel, uint64_t seed, int cases) {
  int64_t lanes = (int64_t)chip->vector_bytes() / tsr_size_of(kernel->tc);
  bool plain_c = strcmp(chip->name, "generic") == 0;
  int failed = 0;
  for (int i = 0; i < cases; i++) {
    struct triangle_case tc;
    state = seed + (uint64_t)i * 7919;
    make_case(&tc, kernel, lanes);
    const char *wrong = check(&tc, plain_c);
    if (!wrong) continue;
    if (failed++ < 3)
      printf("FAIL %s case %d of seed %llu: %s (m %lld, n %lld, k %lld, flags %llu)\n", kernel->symbol, i,
             (unsigned long long)seed, wrong, (long long)tc.step.m, (long long)tc.step.n, (long long)tc.step.k,
             (unsigned long long)tc.step.flags);
  }
  return failed;
}

static int test_chip(const struct tsr_chip *chip, const char *only, uint64_t seed, int cases) {
  char why[TSR_WHY];
  int tested = 0, failed = 0;
  if (!chip->usable(why)) return 0;
  for (int i = 0; i < chip->nkernels; i++) {
    const struct tsr_kernel *k = &chip->kernel[i];
    if ((k->op != TSR_OP_SOLVE && k->op != TSR_OP_MULTIPLY) || (only && !strstr(k->symbol, only))) continue;
    tested++;
    failed += test_kernel(chip, k, seed, cases);
  }
  printf("%s: %d kernels, %d cases each, %d failed\n", chip->name, tested, cases, failed);
  return failed;
}

int main(int argc, char **argv) {
  uint64_t seed = 20261122;
  int cases = 150, failed = 0, n;
  const char *only = NULL;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--seed") == 0) seed = strtoull(argv[i + 1], NULL, 10);
    if (strcmp(argv[i], "--cases") == 0) cases = atoi(argv[i + 1]);
    if (strcmp(argv[i], "--kernel") == 0) only = argv[i + 1];
  }
  for (int i = 0; i < 3; i++) arenas[i] = arena_create(ARENA);
  guard_install();
  const struct tsr_chip *const *chips = tsr_chips(&n);
  for (int i = 0; i < n; i++) failed += test_chip(chips[i], only, seed, cases);
  return failed != 0;
}
