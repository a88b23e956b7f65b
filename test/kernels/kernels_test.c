/* Every line of every chip's kernels.def against the loop it stands for. See --help. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/core/core.h"
#include "test/kernels/check.h"
#include "test/kernels/lists.h"

#define MAX_PRINTED 5 /* failing cases printed of one kernel */

struct options {
  uint64_t seed;
  const char *kernel, *chip;
  int cases, only_case;
  long vector_bytes;
};

struct totals {
  int passed, failed, listed, reached;
};

static const char *const usage =
    "Usage: kernels_test [options]\n"
    "Runs every kernel this machine can execute on random and awkward cases and compares with the plain loop.\n"
    "  --seed N          the seed (default: the clock; it is printed)\n"
    "  --kernel TEXT     only kernels whose symbol contains TEXT\n"
    "  --chip NAME       only this chip's kernels\n"
    "  --cases N         random cases a kernel, beside the fixed ones (default 1000)\n"
    "  --all             30000 random cases a kernel\n"
    "  --case I          only case I of each kernel, as a failure names it\n"
    "  --vector-bytes N  fail unless the chip asked for has vectors of N bytes\n";

static int parse(int argc, char **argv, struct options *o) {
  enum { SEED = 1, KERNEL, CHIP, CASES, ALL, CASE, VECTOR_BYTES, HELP };
  static const struct option known[] = {
      {"seed", required_argument, 0, SEED},   {"kernel", required_argument, 0, KERNEL},
      {"chip", required_argument, 0, CHIP},   {"cases", required_argument, 0, CASES},
      {"all", no_argument, 0, ALL},           {"case", required_argument, 0, CASE},
      {"vector-bytes", required_argument, 0, VECTOR_BYTES}, {"help", no_argument, 0, HELP},
      {0, 0, 0, 0}};
  *o = (struct options){.seed = (uint64_t)time(NULL), .cases = 1000, .only_case = -1};
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) switch (option) {
      case SEED: o->seed = strtoull(optarg, NULL, 0); break;
      case KERNEL: o->kernel = optarg; break;
      case CHIP: o->chip = optarg; break;
      case CASES: o->cases = atoi(optarg); break;
      case ALL: o->cases = 30000; break;
      case CASE: o->only_case = atoi(optarg); break;
      case VECTOR_BYTES: o->vector_bytes = atol(optarg); break;
      default: fputs(usage, option == HELP ? stdout : stderr); return option == HELP ? -1 : 2;
    }
  return 0;
}

static void add_width(struct subject *s, int64_t width) {
  for (int i = 0; i < s->nwidths; i++)
    if (s->widths[i] == width) return;
  if (s->nwidths < MAX_WIDTHS) s->widths[s->nwidths++] = width;
}

/* The panel widths a packing kernel will be asked for are the rows and columns of its chip's GEMM tiles. */
static void describe_subject(const struct tsr_chip *chip, const struct tsr_kernel *kernel, struct subject *s) {
  *s = (struct subject){.kernel = kernel, .lanes = (int64_t)chip->vector_bytes() / tsr_size_of(kernel->tc)};
  s->goes_on = chip->goes_on;
  for (int i = 0; i < chip->nkernels; i++) {
    const struct tsr_kernel *k = &chip->kernel[i];
    if (k->op != TSR_OP_GEMM || k->tc != kernel->tc) continue;
    add_width(s, k->mr * (k->per_vector ? s->lanes : 1));
    add_width(s, k->nr);
  }
}

static void print_failure(const struct options *o, const struct test_case *tc, int index, const char *what) {
  printf("FAIL %s case %d: %s\n     %s\n     again: --seed %llu --kernel %s --case %d\n", tc->kernel->symbol, index,
         what, tc->text, (unsigned long long)o->seed, tc->kernel->symbol, index);
}

static int test_kernel(const struct options *o, struct bench *bench, const struct subject *s, struct totals *totals) {
  struct test_case tc = {0};
  int failed = 0, run = 0, count = case_fixed_count(s) + o->cases;
  for (int i = 0; i < count; i++) {
    if (o->only_case >= 0 && i != o->only_case) continue;
    case_make(&tc, s, o->seed, i);
    run++;
    if (check_case(bench, &tc) == FOUND_NOTHING) continue;
    if (failed++ < MAX_PRINTED) print_failure(o, &tc, i, bench->what);
  }
  if (failed > MAX_PRINTED) printf("FAIL %s: and %d more cases\n", s->kernel->symbol, failed - MAX_PRINTED);
  case_free(&tc);
  totals->passed += run - failed;
  totals->failed += failed;
  return run;
}

static void test_line(const struct options *o, struct bench *bench, const struct tsr_chip *chip,
                      const struct tsr_kernel *kernel, struct totals *totals) {
  struct subject subject;
  if (kernel->op > TSR_OP_CONVERT) return;
  const char *wrong = list_wrong_line(kernel, (int64_t)chip->vector_bytes() / 4);
  if (wrong) {
    printf("FAIL %s: %s\n", kernel->symbol, wrong);
    totals->failed++;
    return;
  }
  totals->listed++;
  describe_subject(chip, kernel, &subject);
  if (test_kernel(o, bench, &subject, totals) > 0) totals->reached++;
}

static bool wanted(const struct options *o, const struct tsr_kernel *k) {
  return !o->kernel || strstr(k->symbol, o->kernel);
}

static void test_chip(const struct options *o, struct bench *bench, const struct tsr_chip *chip,
                      struct totals *totals) {
  char why[TSR_WHY] = "";
  struct totals before = *totals;
  if (!chip->usable(why)) {
    printf("%s: skipped, %d kernels cannot run here: %s\n", chip->name, chip->nkernels, why);
    return;
  }
  if (o->vector_bytes && (long)chip->vector_bytes() != o->vector_bytes) {
    printf("FAIL %s: its vectors have %zu bytes, not %ld\n", chip->name, chip->vector_bytes(), o->vector_bytes);
    totals->failed++;
  }
  bench->plain_c = strcmp(chip->name, "generic") == 0;
  for (int i = 0; i < chip->nkernels; i++)
    if (wanted(o, &chip->kernel[i])) test_line(o, bench, chip, &chip->kernel[i], totals);
  printf("%s: %d kernels on %zu-byte vectors, %d cases passed, %d failed\n", chip->name,
         totals->listed - before.listed, chip->vector_bytes(), totals->passed - before.passed,
         totals->failed - before.failed);
  fflush(stdout);
}

int main(int argc, char **argv) {
  struct options options;
  struct totals totals = {0};
  struct bench bench;
  int n, tested = 0, status = parse(argc, argv, &options);
  if (status) return status < 0 ? 0 : status;
  const struct tsr_chip *const *chips = tsr_chips(&n);
  bench_create(&bench);
  guard_install();
  printf("seed %llu\n", (unsigned long long)options.seed);
  totals.failed += list_count_clashes(chips, n, stdout);
  for (int c = 0; c < n; c++) {
    if (options.chip && strcmp(options.chip, chips[c]->name) != 0) continue;
    test_chip(&options, &bench, chips[c], &totals);
    tested++;
  }
  if (totals.reached != totals.listed || totals.reached == 0) {
    printf("FAIL %d of %d kernels were reached by a case%s\n", totals.reached, totals.listed,
           tested ? "" : ": this build has no chip of that name");
    totals.failed++;
  }
  printf("%d passed, %d failed\n", totals.passed, totals.failed);
  return totals.failed != 0;
}
