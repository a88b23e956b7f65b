/* Convolution's operators of every chip's kernels.def against the definition in kernel.h. See --help. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/core/core.h"
#include "test/kernels/conv_case.h"
#include "test/kernels/conv_selftest.h"

#define MAX_PRINTED 5 /* failing cases printed of one kernel */

struct options {
  uint64_t seed;
  const char *kernel, *chip;
  int cases, only_case;
  bool selftest;
};

struct totals {
  int failed, listed, reached;
};

static const char *const usage =
    "Usage: conv_test [options]\n"
    "Runs CONV and CONV_LANES (in f32 and f64; conv_dot_test: integers), POST and TURN of every chip this machine can\n"
    "run on random and awkward cases and compares with the definition.\n"
    "  --seed N        the seed (default: the clock; it is printed)\n"
    "  --kernel TEXT   only kernels whose symbol contains TEXT\n"
    "  --chip NAME     only this chip's kernels\n"
    "  --cases N       cases a kernel (default 250)\n"
    "  --case I        only case I of each kernel, as a failure names it\n"
    "  --all           10000 cases a kernel\n"
    "  --selftest      instead: kernels with a planted fault, each of which must be found\n";

static int parse(int argc, char **argv, struct options *o) {
  enum { SEED = 1, KERNEL, CHIP, CASES, CASE, ALL, SELFTEST, HELP };
  static const struct option known[] = {
      {"seed", required_argument, 0, SEED},   {"kernel", required_argument, 0, KERNEL},
      {"chip", required_argument, 0, CHIP},   {"cases", required_argument, 0, CASES},
      {"case", required_argument, 0, CASE},   {"all", no_argument, 0, ALL},
      {"selftest", no_argument, 0, SELFTEST}, {"help", no_argument, 0, HELP}, {0, 0, 0, 0}};
  *o = (struct options){.seed = (uint64_t)time(NULL), .cases = 250, .only_case = -1};
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) switch (option) {
      case SEED: o->seed = strtoull(optarg, NULL, 0); break;
      case KERNEL: o->kernel = optarg; break;
      case CHIP: o->chip = optarg; break;
      case CASES: o->cases = atoi(optarg); break;
      case CASE: o->only_case = atoi(optarg); break;
      case ALL: o->cases = 10000; break;
      case SELFTEST: o->selftest = true; break;
      default: fputs(usage, option == HELP ? stdout : stderr); return option == HELP ? -1 : 2;
    }
  return 0;
}

/* Returns how many cases were run. */
static int test_kernel(const struct options *o, struct conv_bench *bench, struct conv_case *cc,
                       const struct tsr_kernel *kernel, int64_t vector_bytes, struct totals *totals) {
  int failed = 0, run = 0;
  for (int i = 0; i < o->cases || i == o->only_case; i++) {
    if (o->only_case >= 0 && i != o->only_case) continue;
    conv_case_make(cc, kernel, vector_bytes, o->seed, i);
    run++;
    if (conv_check(bench, cc)) continue;
    if (failed++ < MAX_PRINTED)
      printf("FAIL %s case %d: %s\n     %s\n     again: --seed %llu --kernel %s --case %d\n", kernel->symbol, i,
             bench->what, cc->text, (unsigned long long)o->seed, kernel->symbol, i);
  }
  if (failed > MAX_PRINTED) printf("FAIL %s: and %d more cases\n", kernel->symbol, failed - MAX_PRINTED);
  totals->failed += failed;
  return run;
}

static const char *wrong_line(const struct tsr_kernel *k) {
  if (!k->run) return "it has no code";
  if (!conv_case_knows(k)) return "its operator with its types is none that these tests know";
  if (k->op == TSR_OP_TURN || k->op == TSR_OP_POST) return NULL;
  if (k->mu == 0 || k->mr == 0 || k->mr % k->mu != 0) return "its tile is not whole units of rows";
  if (k->nr == 0 || k->nr > TSR_MAX_COLUMNS) return "its tile does not have 1 to TSR_MAX_COLUMNS columns";
  return NULL;
}

static void test_chip(const struct options *o, struct conv_bench *bench, struct conv_case *cc,
                      const struct tsr_chip *chip, struct totals *totals) {
  char why[TSR_WHY] = "";
  int listed = 0, failed = totals->failed;
  if (!chip->usable(why)) {
    printf("%s: skipped: %s\n", chip->name, why);
    return;
  }
  bench->plain_c = strcmp(chip->name, "generic") == 0;
  for (int i = 0; i < chip->nkernels; i++) {
    const struct tsr_kernel *k = &chip->kernel[i];
    if (k->op < TSR_OP_CONV || k->op > TSR_OP_TURN || (o->kernel && !strstr(k->symbol, o->kernel))) continue;
    if (k->op != TSR_OP_TURN && k->op != TSR_OP_POST && k->tc == TSR_S32) continue; /* conv_dot_test */
    if (chip->runs && !chip->runs(k)) continue;
    const char *wrong = wrong_line(k);
    listed++;
    if (wrong)
      printf("FAIL %s: %s\n", k->symbol, wrong), totals->failed++;
    else if (test_kernel(o, bench, cc, k, (int64_t)chip->vector_bytes(), totals) > 0)
      totals->reached++;
  }
  totals->listed += listed;
  printf("%s: %d kernels on %zu-byte vectors, %d failures\n", chip->name, listed, chip->vector_bytes(),
         totals->failed - failed);
  fflush(stdout);
}

int main(int argc, char **argv) {
  struct options options;
  struct conv_bench bench;
  struct conv_case cc = {.mr = 0};
  struct totals totals = {0};
  int n, status = parse(argc, argv, &options);
  if (status) return status < 0 ? 0 : status;
  const struct tsr_chip *const *chips = tsr_chips(&n);
  conv_bench_create(&bench);
  guard_install();
  printf("seed %llu\n", (unsigned long long)options.seed);
  if (options.selftest) totals.failed = conv_selftest(&bench, &cc);
  for (int c = 0; c < n && !options.selftest; c++)
    if (!options.chip || strcmp(options.chip, chips[c]->name) == 0)
      test_chip(&options, &bench, &cc, chips[c], &totals);
  if (totals.reached != totals.listed) {
    printf("FAIL %d of %d kernels were reached by a case\n", totals.reached, totals.listed);
    totals.failed++;
  }
  conv_case_free(&cc);
  printf("%d failed\n", totals.failed);
  return totals.failed != 0;
}
