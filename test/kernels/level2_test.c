/* Every LEVEL2_* kernel that this machine runs against its plain C twin, bit for bit: full, banded and packed storage,
 * operands against guard pages, NaN where nothing may be read, NaN and Inf among the numbers, registers. Whether the
 * twin is right is for the tests of the routines to say (test/blas/level2.c, lapack_kernels.c). --seed N, --kernel NAME, --cases N. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/core.h"
#include "test/kernels/guard.h"

#define ARENA ((size_t)8 << 20)
enum { A, B, C, OPERANDS };

static struct arena arenas[OPERANDS];
static unsigned char *expected[OPERANDS];
static uint64_t state;

static int64_t pick(int64_t low, int64_t high) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return low + (int64_t)((state >> 33) % (uint64_t)(high - low + 1));
}
static bool once_in(int n) { return pick(1, n) == 1; }

struct level2_case {
  const struct tsr_kernel *kernel, *twin;
  bool narrow, special; /* of f32; with NaN and Inf */
  int64_t size;
  struct tsr_step step;
  unsigned char *at[OPERANDS];
  size_t bytes[OPERANDS];
};

static void set(const struct level2_case *tc, unsigned char *at, double value) {
  float f = (float)value;
  memcpy(at, tc->narrow ? (void *)&f : (void *)&value, tc->narrow ? 4 : 8);
}
static double number(const struct level2_case *tc) {
  if (tc->special && once_in(60)) return once_in(2) ? NAN : INFINITY;
  if (once_in(20)) return once_in(2) ? 0.0 : -0.0;
  return (double)pick(-1000000, 1000000) * 1e-6;
}
static void place(struct level2_case *tc, int operand, int64_t bytes) {
  tc->bytes[operand] = (size_t)bytes;
  tc->at[operand] = arena_place(&arenas[operand], (size_t)bytes, once_in(4) ? PLACE_START : PLACE_END, 0);
  for (int64_t i = 0; i < bytes; i += tc->narrow ? 4 : 8) set(tc, tc->at[operand] + i, number(tc));
  margins_paint(&arenas[operand], tc->at[operand], tc->bytes[operand]);
}

/* NaN into every element of a full matrix that the step does not have. */
static void poison(struct level2_case *tc, int operand, int64_t ld) {
  const struct tsr_step *st = &tc->step;
  for (int64_t j = 0; j < st->n + (tc->kernel->op == TSR_OP_LEVEL2_SYMV ? st->k : 0); j++)
    for (int64_t i = 0; i < st->m; i++)
      if (i < j - st->csb || i > j + st->rsb)
        for (int64_t part = 0; part < tc->size; part += tc->narrow ? 4 : 8)
          set(tc, tc->at[operand] + j * ld + i * tc->size + part, NAN);
}

static void place_matrix(struct level2_case *tc, int64_t columns) {
  struct tsr_step *st = &tc->step;
  st->csa = tc->size * (st->m + (once_in(2) ? 0 : pick(1, 9)));
  place(tc, A, (columns - 1) * st->csa + st->m * tc->size);
}

/* The triangle of order m alone, column after column. */
static void place_packed(struct level2_case *tc) {
  struct tsr_step *st = &tc->step;
  bool upper = st->flags & TSR_IS_UPPER;
  st->csa = upper ? tc->size : tc->size * (st->m - 1);
  st->rsa = upper ? tc->size : -tc->size;
  place(tc, A, tc->size * st->m * (st->m + 1) / 2);
}

static void make_triangle(struct level2_case *tc, bool solves) {
  struct tsr_step *st = &tc->step;
  bool upper = st->flags & TSR_IS_UPPER;
  st->m = st->n;
  st->rsb = upper ? 0 : st->m;
  st->csb = upper ? st->m : 0;
  if (!solves) st->k = once_in(2) ? 0 : pick(0, st->m - 1), st->n = pick(1, st->m - st->k);
  if (once_in(3)) {
    place_packed(tc);
  } else {
    if (solves && once_in(3)) st->rsb = upper ? 0 : pick(0, st->m), st->csb = upper ? pick(0, st->m) : 0;
    place_matrix(tc, st->m);
    poison(tc, A, st->csa);
  }
  place(tc, B, st->m * tc->size);
  place(tc, C, st->m * tc->size);
}

static void make_product(struct level2_case *tc, bool across) {
  struct tsr_step *st = &tc->step;
  st->rsb = once_in(2) ? st->m : pick(-3, st->m);
  st->csb = once_in(2) ? st->n : pick(once_in(4) ? -3 : 0, st->n);
  place_matrix(tc, st->n);
  poison(tc, A, st->csa);
  place(tc, B, (across ? st->m : st->n) * tc->size);
  place(tc, C, (across ? st->n : st->m) * tc->size);
}

static void make_update(struct level2_case *tc) {
  struct tsr_step *st = &tc->step;
  st->k = pick(1, 2);
  st->rsb = once_in(2) ? st->m : pick(0, st->m);
  st->csb = once_in(2) ? st->n : pick(0, st->n);
  st->db = tc->size * (st->m + pick(0, 3));
  st->csc = tc->size * (st->n + pick(0, 3));
  place_matrix(tc, st->n);
  place(tc, B, (st->k - 1) * st->db + st->m * tc->size);
  place(tc, C, (st->k - 1) * st->csc + st->n * tc->size);
}

/* Panels and triangles where factorisations end; B takes pivots. */
static void make_factor(struct level2_case *tc, bool lu) {
  struct tsr_step *st = &tc->step;
  st->n = pick(1, lu ? TSR_LU_COLUMNS : TSR_CHOLESKY_ROWS);
  st->m = lu ? st->n + pick(0, 70) : st->n;
  st->csc = tc->size * (st->m + pick(0, 5));
  place(tc, B, 8 * (lu ? st->n : 1));
  place(tc, C, (st->n - 1) * st->csc + st->m * tc->size);
  for (int64_t j = 0; !lu && !once_in(4) && j < st->n; j++) set(tc, tc->at[C] + j * (st->csc + tc->size), 3.0 * (double)st->n);
}

static void make_case(struct level2_case *tc, const struct tsr_kernel *kernel, const struct tsr_kernel *twin) {
  static const uint64_t flags[] = {TSR_CONJ_A, TSR_CONJ_B, TSR_UNIT, TSR_IS_UPPER, TSR_ACROSS};
  *tc = (struct level2_case){.kernel = kernel, .twin = twin, .narrow = kernel->ta == TSR_F32 || kernel->ta == TSR_C32,
                             .special = once_in(6), .size = tsr_size_of(kernel->ta)};
  struct tsr_step *st = &tc->step;
  st->m = once_in(4) ? pick(1, 700) : pick(1, 60);
  st->n = pick(1, 45);
  st->alpha = once_in(4) ? 1 : (double)pick(-64, 64) / 16;
  st->alpha_im = once_in(2) ? 0 : (double)pick(-64, 64) / 16;
  for (int i = 0; i < 5; i++) st->flags |= once_in(2) ? flags[i] : 0;
  switch (kernel->op) {
    case TSR_OP_LEVEL2_GEMV_N: make_product(tc, false); break;
    case TSR_OP_LEVEL2_GEMV_T: make_product(tc, true); break;
    case TSR_OP_LEVEL2_GER: make_update(tc); break;
    case TSR_OP_LEVEL2_LU: make_factor(tc, true); break;
    case TSR_OP_LEVEL2_CHOLESKY: make_factor(tc, false); break;
    default: make_triangle(tc, kernel->op == TSR_OP_LEVEL2_SOLVE);
  }
}

/* NaN equals NaN; pivots are integers. */
static bool same(const struct level2_case *tc, int operand) {
  const unsigned char *x = expected[operand], *y = tc->at[operand];
  bool integers = operand == B && tc->kernel->op >= TSR_OP_LEVEL2_LU;
  for (size_t i = 0, step = tc->narrow && !integers ? 4 : 8; i < tc->bytes[operand]; i += step) {
    float f[2];
    double d[2];
    if (memcmp(x + i, y + i, step) == 0) continue;
    if (integers) return false;
    if (step == 4) memcpy(f, x + i, 4), memcpy(f + 1, y + i, 4), d[0] = f[0], d[1] = f[1];
    if (step == 8) memcpy(d, x + i, 8), memcpy(d + 1, y + i, 8);
    if (!isnan(d[0]) || !isnan(d[1])) return false;
  }
  return true;
}

/* x18 is the compiler's, as these kernels are. */
static bool registers_kept(const struct probe *probe) {
  static const char *const registers[] = PROBE_NAMES;
  for (int i = 0; i < PROBE_REGISTERS; i++)
    if (probe->in[i] != probe->out[i] && strcmp(registers[i], "x18") != 0) return false;
  return true;
}

static const char *check(struct level2_case *tc) {
  struct probe probe = {0};
  for (int i = 0; i < PROBE_REGISTERS; i++) probe.in[i] = (uint64_t)pick(1, 1 << 30);
  for (int i = 0; i < OPERANDS; i++)
    if (tc->bytes[i] > 0) memcpy(expected[i], tc->at[i], tc->bytes[i]);
  tc->twin->run(&tc->step, (tsr_mem)expected[A], (tsr_mem)expected[B], (tsr_mem)expected[C]);
  struct fault fault = guarded_call(tc->kernel->run, &tc->step, (tsr_mem)tc->at[A], (tsr_mem)tc->at[B], (tsr_mem)tc->at[C],
                                    &probe);
  if (fault.signal) return "it reads or writes outside its operands, or stops";
  if (!registers_kept(&probe)) return "it does not restore a register";
  for (int i = 0; i < OPERANDS; i++) {
    if (!same(tc, i)) return "wrong numbers";
    if (tc->bytes[i] && margins_check(&arenas[i], tc->at[i], tc->bytes[i])) return "a byte beside an operand is written";
  }
  return NULL;
}

static int test_kernel(const struct tsr_kernel *kernel, const struct tsr_kernel *twin, uint64_t seed, int cases) {
  int failed = 0;
  for (int i = 0; i < cases; i++) {
    struct level2_case tc;
    state = seed + (uint64_t)i * 7919;
    make_case(&tc, kernel, twin);
    const char *wrong = check(&tc);
    if (wrong && failed++ < 3)
      printf("FAIL %s case %d of seed %llu: %s (m %lld, n %lld, k %lld, rsb %lld, csb %lld, flags %llu)\n", kernel->symbol,
             i, (unsigned long long)seed, wrong, (long long)tc.step.m, (long long)tc.step.n, (long long)tc.step.k,
             (long long)tc.step.rsb, (long long)tc.step.csb, (unsigned long long)tc.step.flags);
  }
  return failed;
}

static bool is_tested(const struct tsr_kernel *k) {
  return k->op >= TSR_OP_LEVEL2_GEMV_N && k->op <= TSR_OP_LEVEL2_CHOLESKY;
}

static const struct tsr_kernel *twin_of(const struct tsr_chip *plain, const struct tsr_kernel *kernel) {
  for (int i = 0; i < plain->nkernels; i++)
    if (plain->kernel[i].op == kernel->op && plain->kernel[i].ta == kernel->ta) return &plain->kernel[i];
  return NULL;
}

static int test_chip(const struct tsr_chip *chip, const struct tsr_chip *plain, const char *only, uint64_t seed, int cases) {
  char why[TSR_WHY];
  int tested = 0, failed = 0;
  if (!chip->usable(why)) return 0;
  for (int i = 0; i < chip->nkernels; i++) {
    const struct tsr_kernel *k = &chip->kernel[i], *twin = twin_of(plain, k);
    if (!is_tested(k) || (only && !strstr(k->symbol, only))) continue;
    tested++;
    if (twin)
      failed += test_kernel(k, twin, seed, cases);
    else
      printf("FAIL %s has no twin in plain C\n", k->symbol), failed++;
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
  for (int i = 0; i < OPERANDS; i++) {
    arenas[i] = arena_create(ARENA);
    expected[i] = malloc(ARENA);
    if (!expected[i]) return 2;
  }
  guard_install();
  const struct tsr_chip *const *chips = tsr_chips(&n);
  for (int i = 0; i < n; i++) failed += test_chip(chips[i], chips[n - 1], only, seed, cases);
  return failed != 0;
}
