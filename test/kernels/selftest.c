/* The checker checked: kernels with one planted fault each, every one of which check_case must find and name, and
 * right ones in which it must find nothing. */
#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/kernels/check.h"
#include "test/kernels/clobber.h"
#include "test/kernels/lists.h"
#include "test/kernels/reference.h"

#define CASES 400
#define SEED 20240607

enum { MR = 4, NR = 3, F32 = 4 };

#define KERNEL(name) void name(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c)
#define RIGHT(name, op, type) \
  KERNEL(name) { reference_step(op, type, type, st, MR, NR, (const void *)a, (const void *)b, (void *)c); }

KERNEL(selftest_gemm); /* clobber_*.S goes on to it */
RIGHT(selftest_gemm, TSR_OP_GEMM, TSR_F32)
static RIGHT(gemm_f64, TSR_OP_GEMM, TSR_F64)
static RIGHT(gemm_at, TSR_OP_GEMM_AT, TSR_F32)
static RIGHT(pack_n, TSR_OP_PACK_N, TSR_F32)
static RIGHT(pack_t, TSR_OP_PACK_T, TSR_F64)
static RIGHT(update, TSR_OP_UPDATE, TSR_F64)
static RIGHT(update_t, TSR_OP_UPDATE_T, TSR_F32)
static RIGHT(scale, TSR_OP_SCALE, TSR_F32)
static RIGHT(gemm_c32, TSR_OP_GEMM, TSR_C32)
static RIGHT(gemm_c64, TSR_OP_GEMM, TSR_C64)
static RIGHT(pack_n_c64, TSR_OP_PACK_N, TSR_C64)
static RIGHT(update_c32, TSR_OP_UPDATE, TSR_C32)
static RIGHT(update_t_c64, TSR_OP_UPDATE_T, TSR_C64)
static RIGHT(scale_c32, TSR_OP_SCALE, TSR_C32)

/* Single accesses a plant makes where it must not. */
static void peek(tsr_mem at) { (void)*(volatile const char *)at; }
static uint64_t bits_at(tsr_mem at) { return get_bits((const void *)at, TSR_F32); }
static void poke(tsr_mem at, uint64_t bits) { put_bits((void *)at, TSR_F32, bits); }
static float float_at(tsr_mem at) { return (float)value_of_bits(TSR_F32, bits_at(at)); }

/* The last tile's first row of A and of C, and the row after its last, as an offset. */
static int64_t last_tile(const struct tsr_step *st) { return (st->m - 1) / MR; }
static int64_t end_of_rows(const struct tsr_step *st) { return (st->m - last_tile(st) * MR) * F32; }

static KERNEL(wrong_bit) {
  selftest_gemm(st, a, b, c);
  tsr_mem corner = c + (tsr_mem)(last_tile(st) * st->dc + (st->n - 1) * st->csc + end_of_rows(st) - F32);
  poke(corner, bits_at(corner) ^ 1);
}

static KERNEL(wrong_sign_of_zero) {
  selftest_gemm(st, a, b, c);
  if (bits_at(c) << 33 == 0) poke(c, bits_at(c) ^ 0x80000000);
}

static KERNEL(reads_c_for_beta_0) {
  float before = float_at(c);
  selftest_gemm(st, a, b, c);
  if (st->beta == 0 && !(st->flags & TSR_STORE_SUM) && isnan(before)) poke(c, bits_of_quiet_nan(TSR_F32));
}

static KERNEL(all_columns_from_one_b) {
  struct tsr_step same = *st;
  if (st->n > NR) same.db = 0;
  selftest_gemm(&same, a, b, c);
}

/* s = s + a * b, rounded twice, in the first element. */
static KERNEL(unfused) {
  selftest_gemm(st, a, b, c);
  if (!(st->flags & TSR_STORE_SUM)) return;
  volatile float s = 0;
  for (int64_t p = 0; p < st->k; p++) {
    volatile float product = float_at(a + (tsr_mem)(p * st->csa)) * float_at(b + (tsr_mem)(p * st->rsb));
    s = s + product;
  }
  memcpy((void *)c, (const void *)&s, sizeof s);
}

static KERNEL(writes_below_last_row) {
  selftest_gemm(st, a, b, c);
  poke(c + (tsr_mem)(last_tile(st) * st->dc + end_of_rows(st)), 1);
}

static KERNEL(writes_after_c) {
  selftest_gemm(st, a, b, c);
  poke(c + (tsr_mem)(last_tile(st) * st->dc + (st->n - 1) * st->csc + end_of_rows(st)), 1);
}

static KERNEL(writes_before_c) {
  selftest_gemm(st, a, b, c);
  poke(c - F32, 1);
}

static KERNEL(reads_after_a) {
  selftest_gemm(st, a, b, c);
  if (st->k > 0) peek(a + (tsr_mem)(last_tile(st) * st->da + (st->k - 1) * st->csa + end_of_rows(st)));
}

static KERNEL(reads_before_a) {
  selftest_gemm(st, a, b, c);
  peek(a - 1);
}

static KERNEL(reads_after_b) {
  selftest_gemm(st, a, b, c);
  if (st->k > 0) peek(b + (tsr_mem)((st->k - 1) * st->rsb + (st->n - 1) * st->csb + F32));
}

static KERNEL(reads_b_for_k_0) {
  selftest_gemm(st, a, b, c);
  if (st->k == 0) peek(b);
}

static KERNEL(reads_after_step) {
  selftest_gemm(st, a, b, c);
  peek((tsr_mem)(st + 1));
}

static KERNEL(writes_a) {
  selftest_gemm(st, a, b, c);
  if (st->k > 0) poke(a, bits_at(a) ^ 1);
}

static KERNEL(writes_b) {
  selftest_gemm(st, a, b, c);
  if (st->k > 0) poke(b, bits_at(b) ^ 1);
}

static KERNEL(writes_step) {
  selftest_gemm(st, a, b, c);
  ((struct tsr_step *)st)->m = 0;
}

/* What a vector kernel does that computes with zeros in the lanes beyond m. */
static KERNEL(multiplies_padding_zeros) {
  selftest_gemm(st, a, b, c);
  volatile float zero = 0;
  if (st->m % MR == 0) return;
  for (int64_t p = 0; p < st->k; p++) zero = zero + 0.0f * float_at(b + (tsr_mem)(p * st->rsb));
}

/* The same at the end: beta = Inf meets zeros in the lanes beyond m. */
static KERNEL(scales_padding_zeros) {
  selftest_gemm(st, a, b, c);
  volatile float zero = 0;
  if (st->m % MR != 0 && st->beta != 0 && !(st->flags & TSR_STORE_SUM)) zero = zero * (float)st->beta;
}

#define RAISES(name, flag)         \
  static KERNEL(name) {            \
    selftest_gemm(st, a, b, c);    \
    feraiseexcept(flag);           \
  }
RAISES(raises_invalid, FE_INVALID)
RAISES(raises_divbyzero, FE_DIVBYZERO)
RAISES(raises_overflow, FE_OVERFLOW)
RAISES(raises_underflow, FE_UNDERFLOW)
RAISES(raises_inexact, FE_INEXACT)

static KERNEL(raises_nothing) {
  selftest_gemm(st, a, b, c);
  feclearexcept(FE_ALL_EXCEPT);
}

static KERNEL(gemm_at_takes_rows_for_columns) {
  struct tsr_step turned = *st;
  turned.csa = st->rsa;
  if (st->k > 1 && st->rsa > F32)
    selftest_gemm(&turned, a, b, c);
  else
    gemm_at(st, a, b, c);
}

/* Packing: address of panel t's lane i at step p. */
static tsr_mem lane(const struct tsr_step *st, tsr_mem c, int64_t i, int64_t p) {
  return c + (tsr_mem)(i / st->n * st->dc + (p * st->n + i % st->n) * F32);
}

static int64_t padded_rows(const struct tsr_step *st) { return (st->m + st->n - 1) / st->n * st->n; }

static KERNEL(pads_with_zeros) {
  pack_n(st, a, b, c);
  for (int64_t i = st->m; i < padded_rows(st); i++)
    for (int64_t p = 0; p < st->k; p++) poke(lane(st, c, i, p), 0);
}

static KERNEL(pads_last_lane_with_another_row) {
  pack_n(st, a, b, c);
  if (padded_rows(st) > st->m && st->m % st->n > 1 && st->k > 0)
    poke(lane(st, c, padded_rows(st) - 1, 0), bits_at(lane(st, c, st->m - 2, 0)));
}

static KERNEL(quiets_a_nan) {
  pack_n(st, a, b, c);
  for (int64_t i = 0; i < padded_rows(st); i++)
    for (int64_t p = 0; p < st->k; p++) {
      tsr_mem at = lane(st, c, i, p);
      if (bits_are_nan(TSR_F32, bits_at(at))) poke(at, bits_at(at) | 0x400000);
    }
}

static KERNEL(pads_with_row_beyond) {
  pack_n(st, a, b, c);
  if (st->k > 0 && padded_rows(st) > st->m) peek(a + (tsr_mem)((st->k - 1) * st->csa + st->m * F32));
}

static KERNEL(scales_by_zero) {
  struct tsr_step one = *st;
  if (st->m == 0 || st->n == 0) return;
  if (st->beta != 0) {
    scale(st, a, b, c);
    return;
  }
  volatile float product = 0 * float_at(c);
  scale(&one, a, b, c);
  if (isnan(product)) memcpy((void *)c, (const void *)&product, sizeof product);
}

/* A complex kernel that takes a field of the step for another. */
static KERNEL(conjugates_the_other) {
  struct tsr_step turned = *st;
  uint64_t both = TSR_CONJ_A | TSR_CONJ_B;
  if ((st->flags & both) == TSR_CONJ_A || (st->flags & both) == TSR_CONJ_B) turned.flags ^= both;
  gemm_c32(&turned, a, b, c);
}

static KERNEL(forgets_imaginary_alpha) {
  struct tsr_step real = *st;
  real.alpha_im = 0;
  gemm_c32(&real, a, b, c);
}

static KERNEL(keeps_c_for_imaginary_beta) {
  struct tsr_step real = *st;
  real.beta_im = 0;
  update_c32(&real, a, b, c);
}

/* The real part as one chain, as a multiplication of complex numbers would have it, in the first element. */
static KERNEL(one_chain) {
  gemm_c32(st, a, b, c);
  if (!(st->flags & TSR_STORE_SUM) || (st->flags & (TSR_CONJ_A | TSR_CONJ_B))) return;
  float s = 0;
  for (int64_t p = 0; p < st->k; p++) {
    tsr_mem ap = a + (tsr_mem)(p * st->csa), bp = b + (tsr_mem)(p * st->rsb);
    s = fmaf(float_at(ap), float_at(bp), s);
    s = fmaf(-float_at(ap + F32), float_at(bp + F32), s);
  }
  memcpy((void *)c, (const void *)&s, sizeof s);
}

static KERNEL(wrong_imaginary_bit) {
  gemm_c32(st, a, b, c);
  poke(c + F32, bits_at(c + F32) ^ 1);
}

struct plant {
  const char *name;
  tsr_run *run;
  uint8_t op, type;
  enum finding finding; /* that must be made in some case; FOUND_NOTHING: in no case must there be any */
  bool assembly;        /* checked as strictly as assembly is */
};

#define GEMM_PLANT(name, finding) {#name, name, TSR_OP_GEMM, TSR_F32, finding, false},
#define CLOBBER_PLANT(reg) {"clobbers " #reg, selftest_clobber_##reg, TSR_OP_GEMM, TSR_F32, FOUND_REGISTER, true},
#define DECLARE(reg) KERNEL(selftest_clobber_##reg);
CLOBBERED_REGISTERS(DECLARE)
CLOBBERED_STATE(DECLARE)

static const struct plant plants[] = {
    {"right gemm f32", selftest_gemm, TSR_OP_GEMM, TSR_F32, FOUND_NOTHING, false},
    {"right gemm f64", gemm_f64, TSR_OP_GEMM, TSR_F64, FOUND_NOTHING, false},
    {"right gemm_at", gemm_at, TSR_OP_GEMM_AT, TSR_F32, FOUND_NOTHING, false},
    {"right pack_n", pack_n, TSR_OP_PACK_N, TSR_F32, FOUND_NOTHING, false},
    {"right pack_t", pack_t, TSR_OP_PACK_T, TSR_F64, FOUND_NOTHING, false},
    {"right update", update, TSR_OP_UPDATE, TSR_F64, FOUND_NOTHING, false},
    {"right update_t", update_t, TSR_OP_UPDATE_T, TSR_F32, FOUND_NOTHING, false},
    {"right scale", scale, TSR_OP_SCALE, TSR_F32, FOUND_NOTHING, false},
    {"right gemm c32", gemm_c32, TSR_OP_GEMM, TSR_C32, FOUND_NOTHING, false},
    {"right gemm c64", gemm_c64, TSR_OP_GEMM, TSR_C64, FOUND_NOTHING, false},
    {"right pack_n c64", pack_n_c64, TSR_OP_PACK_N, TSR_C64, FOUND_NOTHING, false},
    {"right update c32", update_c32, TSR_OP_UPDATE, TSR_C32, FOUND_NOTHING, false},
    {"right update_t c64", update_t_c64, TSR_OP_UPDATE_T, TSR_C64, FOUND_NOTHING, false},
    {"right scale c32", scale_c32, TSR_OP_SCALE, TSR_C32, FOUND_NOTHING, false},
    {"conjugates_the_other", conjugates_the_other, TSR_OP_GEMM, TSR_C32, FOUND_VALUE, false},
    {"forgets_imaginary_alpha", forgets_imaginary_alpha, TSR_OP_GEMM, TSR_C32, FOUND_VALUE, false},
    {"keeps_c_for_imaginary_beta", keeps_c_for_imaginary_beta, TSR_OP_UPDATE, TSR_C32, FOUND_VALUE, false},
    {"one_chain", one_chain, TSR_OP_GEMM, TSR_C32, FOUND_VALUE, false},
    {"wrong_imaginary_bit", wrong_imaginary_bit, TSR_OP_GEMM, TSR_C32, FOUND_VALUE, false},
    GEMM_PLANT(wrong_bit, FOUND_VALUE)
    GEMM_PLANT(wrong_sign_of_zero, FOUND_VALUE)
    GEMM_PLANT(reads_c_for_beta_0, FOUND_VALUE)
    GEMM_PLANT(all_columns_from_one_b, FOUND_VALUE)
    GEMM_PLANT(unfused, FOUND_VALUE)
    GEMM_PLANT(writes_below_last_row, FOUND_STRAY)
    GEMM_PLANT(writes_after_c, FOUND_FAULT)
    GEMM_PLANT(writes_before_c, FOUND_STRAY)
    GEMM_PLANT(reads_after_a, FOUND_FAULT)
    GEMM_PLANT(reads_before_a, FOUND_FAULT)
    GEMM_PLANT(reads_after_b, FOUND_FAULT)
    GEMM_PLANT(reads_b_for_k_0, FOUND_FAULT)
    GEMM_PLANT(reads_after_step, FOUND_FAULT)
    GEMM_PLANT(writes_a, FOUND_INPUT)
    GEMM_PLANT(writes_b, FOUND_INPUT)
    GEMM_PLANT(writes_step, FOUND_INPUT)
    GEMM_PLANT(multiplies_padding_zeros, FOUND_FLAG)
    GEMM_PLANT(scales_padding_zeros, FOUND_FLAG)
    GEMM_PLANT(raises_invalid, FOUND_FLAG)
    GEMM_PLANT(raises_divbyzero, FOUND_FLAG)
    GEMM_PLANT(raises_overflow, FOUND_FLAG)
    GEMM_PLANT(raises_underflow, FOUND_FLAG)
    GEMM_PLANT(raises_inexact, FOUND_FLAG)
    GEMM_PLANT(raises_nothing, FOUND_FLAG)
    CLOBBERED_REGISTERS(CLOBBER_PLANT)
    CLOBBERED_STATE(CLOBBER_PLANT)
    {"gemm_at_takes_rows_for_columns", gemm_at_takes_rows_for_columns, TSR_OP_GEMM_AT, TSR_F32, FOUND_VALUE, false},
    {"pads_with_zeros", pads_with_zeros, TSR_OP_PACK_N, TSR_F32, FOUND_VALUE, false},
    {"pads_last_lane_with_another_row", pads_last_lane_with_another_row, TSR_OP_PACK_N, TSR_F32, FOUND_VALUE, false},
    {"quiets_a_nan", quiets_a_nan, TSR_OP_PACK_N, TSR_F32, FOUND_VALUE, false},
    {"pads_with_row_beyond", pads_with_row_beyond, TSR_OP_PACK_N, TSR_F32, FOUND_FAULT, false},
    {"scales_by_zero", scales_by_zero, TSR_OP_SCALE, TSR_F32, FOUND_VALUE, false},
};

#if defined(__x86_64__)
KERNEL(selftest_clobber_upper);
static const struct plant upper_plant[] = {CLOBBER_PLANT(upper)};
#endif

static const char *const finding_names[] = {"nothing", "a fault", "a register", "a flag", "a changed input",
                                            "a stray write", "a wrong value"};

/* Runs the cases until the finding is made (or, for a right kernel, any is). */
static bool caught(struct bench *bench, const struct plant *plant) {
  bool packs = plant->op == TSR_OP_PACK_N || plant->op == TSR_OP_PACK_T, tile = plant->op <= TSR_OP_GEMM_AT;
  struct tsr_kernel kernel = {plant->name, plant->op, plant->type, plant->type, plant->type, tile ? MR : 0,
                              packs ? 64 : tile ? NR : 0, tile ? MR : 1, false, plant->run};
  struct subject subject = {.kernel = &kernel, .lanes = 1};
  struct test_case tc = {0};
  bool found = false;
  bench->plain_c = !plant->assembly;
  for (int i = 0; i < CASES && !found; i++) {
    case_make(&tc, &subject, SEED, i);
    enum finding finding = check_case(bench, &tc);
    found = plant->finding ? finding == plant->finding : finding != FOUND_NOTHING;
  }
  case_free(&tc);
  return found;
}

static bool test_plant(struct bench *bench, const struct plant *plant) {
  bool found = caught(bench, plant), passed = found == (plant->finding != FOUND_NOTHING);
  printf("%s %s: in %d cases %s was to be found", passed ? "ok  " : "FAIL", plant->name, CASES,
         finding_names[plant->finding]);
  printf(found ? ": %s\n" : ", and nothing was\n", bench->what);
  return passed;
}

static bool expect_list(const char *what, bool as_expected) {
  printf("%s a list with %s\n", as_expected ? "ok  " : "FAIL", what);
  return as_expected;
}

/* The checks of the lists themselves. */
static int test_lists(void) {
  const struct tsr_kernel good[] = {
      {"one", TSR_OP_GEMM, TSR_F32, TSR_F32, TSR_F32, 8, 4, 4, false, selftest_gemm},
      {"two", TSR_OP_GEMM, TSR_F32, TSR_F32, TSR_F32, 8, 5, 4, false, selftest_gemm},
      {"two", TSR_OP_PACK_N, TSR_F32, TSR_F32, TSR_F32, 8, 8, 1, false, pack_n},
      {"three", TSR_OP_GEMM, TSR_F32, TSR_F32, TSR_F32, 8, 5, 4, false, selftest_gemm}};
  const struct tsr_kernel odd_tile = {"odd", TSR_OP_GEMM, TSR_F32, TSR_F32, TSR_F32, 9, 4, 4, false, selftest_gemm};
  struct tsr_chip chip = {.name = "chip", .isa = "isa", .kernel = good, .nkernels = 2};
  const struct tsr_chip *chips[] = {&chip};
  int failed = !expect_list("two kernels side by side", list_count_clashes(chips, 1, NULL) == 0);
  chip.nkernels = 3;
  failed += !expect_list("one symbol twice", list_count_clashes(chips, 1, NULL) == 1);
  chip.nkernels = 4;
  failed += !expect_list("one tile twice", list_count_clashes(chips, 1, NULL) == 2);
  failed += !expect_list("a tile of one unit and a bit", list_wrong_line(&odd_tile, 4) != NULL);
  failed += !expect_list("a good line", list_wrong_line(&good[0], 4) == NULL);
  return failed;
}

int main(void) {
  struct bench bench;
  int n = sizeof plants / sizeof plants[0], failed = test_lists();
  bench_create(&bench);
  guard_install();
  for (int i = 0; i < n; i++) failed += !test_plant(&bench, &plants[i]);
#if defined(__x86_64__)
  if (bench.has_avx) failed += !test_plant(&bench, upper_plant);
#endif
  printf("%d failed\n", failed);
  return failed != 0;
}
