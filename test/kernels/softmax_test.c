/* Attention's operators of every chip's kernels.def against the definition in kernel.h, and the error of exp2.
 * See --help. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/core/core.h"
#include "test/kernels/softmax_case.h"
#include "test/kernels/softmax_reference.h"

#define MAX_PRINTED 5     /* failing cases printed of one kernel */
#define EXP2_ULP_BOUND 1  /* doc/attention.md: below one unit in the last place */
#define FIRST_EXP2 0x80000000u
#define LAST_EXP2 0xc2fa0000u /* -125 */

struct options {
  uint64_t seed;
  const char *kernel, *chip;
  int cases, only_case;
  bool selftest, every_float;
};

static const char *const usage =
    "Usage: softmax_test [options]\n"
    "Runs SOFTMAX, SOFTMAX_T, MERGE and SOFTMAX_GRAD of every chip this machine can run, compares with the\n"
    "definition, and measures the error of exp2.\n"
    "  --seed N        the seed (default: the clock; it is printed)\n"
    "  --kernel TEXT   only kernels whose symbol contains TEXT\n"
    "  --chip NAME     only this chip's kernels\n"
    "  --cases N       cases a kernel (default 600)\n"
    "  --case I        only case I of each kernel, as a failure names it\n"
    "  --all           20000 cases, and exp2 of every float in [-125, 0] instead of every 1000th\n"
    "  --selftest      instead: kernels with a planted fault, each of which must be found\n";

static int parse(int argc, char **argv, struct options *o) {
  enum { SEED = 1, KERNEL, CHIP, CASES, CASE, ALL, SELFTEST, HELP };
  static const struct option known[] = {
      {"seed", required_argument, 0, SEED},   {"kernel", required_argument, 0, KERNEL},
      {"chip", required_argument, 0, CHIP},   {"cases", required_argument, 0, CASES},
      {"case", required_argument, 0, CASE},   {"all", no_argument, 0, ALL},
      {"selftest", no_argument, 0, SELFTEST}, {"help", no_argument, 0, HELP}, {0, 0, 0, 0}};
  *o = (struct options){.seed = (uint64_t)time(NULL), .cases = 600, .only_case = -1};
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) switch (option) {
      case SEED: o->seed = strtoull(optarg, NULL, 0); break;
      case KERNEL: o->kernel = optarg; break;
      case CHIP: o->chip = optarg; break;
      case CASES: o->cases = atoi(optarg); break;
      case CASE: o->only_case = atoi(optarg); break;
      case ALL: o->cases = 20000, o->every_float = true; break;
      case SELFTEST: o->selftest = true; break;
      default: fputs(usage, option == HELP ? stdout : stderr); return option == HELP ? -1 : 2;
    }
  return 0;
}

static int test_kernel(const struct options *o, struct softmax_bench *bench, struct softmax_case *sc,
                       const struct tsr_kernel *kernel) {
  int failed = 0;
  for (int i = 0; i < o->cases || i == o->only_case; i++) {
    if (o->only_case >= 0 && i != o->only_case) continue;
    softmax_case_make(sc, kernel, o->seed, i);
    if (softmax_check(bench, sc)) continue;
    if (failed++ < MAX_PRINTED)
      printf("FAIL %s case %d: %s\n     %s\n     again: --seed %llu --kernel %s --case %d\n", kernel->symbol, i,
             bench->what, sc->text, (unsigned long long)o->seed, kernel->symbol, i);
  }
  printf("%s: %d of %d cases failed\n", kernel->symbol, failed, o->only_case >= 0 ? 1 : o->cases);
  return failed;
}

/* exp2 of 255 numbers at a time, as weights of scores of which the largest is 0. */
static double worst_error(const struct tsr_kernel *kernel, uint32_t step, float *where) {
  static float scores[256], state[4][TSR_SOFTMAX_PAD];
  struct tsr_softmax sm = {.max = state[0], .sum = state[1], .keep = state[2], .add = state[3]};
  struct tsr_step st = {.m = 1, .n = 256, .csc = sizeof scores};
  double worst = 0;
  for (uint64_t bits = FIRST_EXP2; bits <= LAST_EXP2;) {
    float y[256] = {0};
    for (int j = 1; j < 256; j++, bits += step) {
      uint32_t low = bits <= LAST_EXP2 ? (uint32_t)bits : LAST_EXP2;
      memcpy(&y[j], &low, sizeof low);
    }
    memcpy(scores, y, sizeof y);
    state[0][0] = -INFINITY;
    kernel->run(&st, 0, (tsr_mem)&sm, (tsr_mem)scores);
    for (int j = 1; j < 256; j++) {
      double exact = exp2((double)y[j]), error = fabs((double)scores[j] - exact) / ldexp(1, ilogb(exact) - 23);
      if (error > worst) worst = error, *where = y[j];
    }
  }
  return worst;
}

static int test_exp2(const struct options *o, const struct tsr_kernel *kernel) {
  float where = 0;
  double worst = worst_error(kernel, o->every_float ? 1 : 1000, &where);
  printf("%s: exp2 on [-125, 0] is within %.3f units in the last place (at %a)\n", kernel->symbol, worst,
         (double)where);
  return worst < EXP2_ULP_BOUND ? 0 : 1;
}

static int test_chip(const struct options *o, struct softmax_bench *bench, struct softmax_case *sc,
                     const struct tsr_chip *chip, bool *exact_done) {
  char why[TSR_WHY] = "";
  int failed = 0;
  if (!chip->usable(why)) {
    printf("%s: skipped: %s\n", chip->name, why);
    return 0;
  }
  bench->plain_c = strcmp(chip->name, "generic") == 0;
  for (int i = 0; i < chip->nkernels; i++) {
    const struct tsr_kernel *k = &chip->kernel[i];
    if (k->op <= TSR_OP_CONVERT || k->op >= TSR_OP_ATTEND || (o->kernel && !strstr(k->symbol, o->kernel))) continue;
    failed += test_kernel(o, bench, sc, k);
    if (k->op != TSR_OP_SOFTMAX_T || o->only_case >= 0 || (o->every_float && *exact_done)) continue;
    failed += test_exp2(o, k);
    *exact_done = true;
  }
  return failed;
}

/* Kernels with one fault each. */
static void right(enum tsr_op op, const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  reference_softmax(op, st, (void *)a, (const struct tsr_softmax *)b, (void *)c);
}

#define PLANT(name) static void name(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c)
#define SM ((const struct tsr_softmax *)b)

PLANT(nothing_wrong) { right(TSR_OP_SOFTMAX, st, a, b, c); }

PLANT(wrong_bit) {
  right(TSR_OP_SOFTMAX, st, a, b, c);
  *(uint32_t *)(c + (tsr_mem)((st->n - 1) * st->csc + (st->m - 1) * 4)) ^= 1;
}

PLANT(wrong_sum) {
  right(TSR_OP_SOFTMAX, st, a, b, c);
  SM->sum[st->m - 1] = nextafterf(SM->sum[st->m - 1], 0);
}

PLANT(negative_zero_added) {
  right(TSR_OP_SOFTMAX, st, a, b, c);
  for (int64_t i = 0; i < st->m; i++)
    if (SM->add[i] == 0) SM->add[i] = 0;
}

PLANT(prefix_forgotten) {
  struct tsr_softmax other = *SM;
  other.prefix = 0;
  right(TSR_OP_SOFTMAX, st, a, (tsr_mem)&other, c);
}

static int64_t padded(int64_t rows) { return (rows + TSR_SOFTMAX_PAD - 1) / TSR_SOFTMAX_PAD * TSR_SOFTMAX_PAD; }

PLANT(reads_beyond_from) {
  right(TSR_OP_SOFTMAX, st, a, b, c);
  if (SM->from) (void)*(const volatile int32_t *)(SM->from + padded(st->m));
}

PLANT(writes_between_keys) {
  right(TSR_OP_SOFTMAX, st, a, b, c);
  if (st->n > 1 && st->csc > padded(st->m) * 4) *(float *)(c + (tsr_mem)(padded(st->m) * 4)) = 0;
}

PLANT(raises_invalid_for_masks) {
  right(TSR_OP_SOFTMAX, st, a, b, c);
  volatile float masked = -INFINITY;
  masked = masked - masked;
}

PLANT(changes_mask) {
  right(TSR_OP_SOFTMAX, st, a, b, c);
  if (SM->to) *(int32_t *)SM->to ^= 1;
}

PLANT(tail_not_zeroed) {
  right(TSR_OP_SOFTMAX_T, st, a, b, c);
  if (st->n % 16) *(float *)(c + (tsr_mem)(st->n * 4)) = 1;
}

PLANT(merge_leaks) {
  right(TSR_OP_MERGE, st, a, b, c);
  if (SM->keep[0] == 0) *(float *)c = NAN;
}

PLANT(merge_keeps_right) { right(TSR_OP_MERGE, st, a, b, c); }

static int run_selftest(struct softmax_bench *bench, struct softmax_case *sc) {
#define LISTED(name, op, found) {{#name, op, TSR_F32, TSR_F32, TSR_F32, 0, 0, 1, false, name}, found}
  static const struct {
    struct tsr_kernel kernel;
    bool found;
  } plants[] = {
      LISTED(nothing_wrong, TSR_OP_SOFTMAX, false), LISTED(wrong_bit, TSR_OP_SOFTMAX, true),
      LISTED(wrong_sum, TSR_OP_SOFTMAX, true), LISTED(negative_zero_added, TSR_OP_SOFTMAX, true),
      LISTED(prefix_forgotten, TSR_OP_SOFTMAX, true), LISTED(reads_beyond_from, TSR_OP_SOFTMAX, true),
      LISTED(writes_between_keys, TSR_OP_SOFTMAX, true), LISTED(raises_invalid_for_masks, TSR_OP_SOFTMAX, true),
      LISTED(changes_mask, TSR_OP_SOFTMAX, true), LISTED(tail_not_zeroed, TSR_OP_SOFTMAX_T, true),
      LISTED(merge_leaks, TSR_OP_MERGE, true), LISTED(merge_keeps_right, TSR_OP_MERGE, false)};
  int failed = 0;
  bench->plain_c = true;
  for (size_t p = 0; p < sizeof plants / sizeof plants[0]; p++) {
    bool found = false;
    for (int i = 0; i < 300 && !found; i++) {
      softmax_case_make(sc, &plants[p].kernel, 20260607, i);
      found = !softmax_check(bench, sc);
    }
    failed += found != plants[p].found;
    printf("%s %s: %s\n", found == plants[p].found ? "ok  " : "FAIL", plants[p].kernel.symbol,
           found ? bench->what : "nothing was found");
  }
  return failed;
}

int main(int argc, char **argv) {
  struct options options;
  struct softmax_bench bench;
  struct softmax_case sc;
  int n, failed = 0, status = parse(argc, argv, &options);
  bool exact_done = false;
  if (status) return status < 0 ? 0 : status;
  const struct tsr_chip *const *chips = tsr_chips(&n);
  softmax_bench_create(&bench);
  softmax_case_create(&sc);
  guard_install();
  printf("seed %llu\n", (unsigned long long)options.seed);
  if (options.selftest) failed = run_selftest(&bench, &sc);
  for (int c = 0; c < n && !options.selftest; c++)
    if (!options.chip || strcmp(options.chip, chips[c]->name) == 0)
      failed += test_chip(&options, &bench, &sc, chips[c], &exact_done);
  softmax_case_free(&sc);
  printf("%d failed\n", failed);
  return failed != 0;
}
