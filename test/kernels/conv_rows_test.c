/* CONV_LANES (kernel.h) on lists of taps as rows of a depthwise kernel give them, which a kernel may walk at once:
 * three steps at the distance of columns, whole or as three entries whose outer columns are padding, many in one list.
 * And on lists that are nearly such: another place in the panel or in x, other columns, other steps. Every result must
 * have the bits of the plain loop. Argument: a seed (default 1). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/core.h"

enum { ENTRIES = 80, COLUMNS = 16, MOST_ROWS = 512, PIXELS = 48, STEPS = 3 * ENTRIES };

static uint64_t state;

static int pick(int low, int high) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return low + (int)((state >> 16) % (uint64_t)(high - low + 1));
}

struct list {
  struct tsr_taps taps[ENTRIES];
  int count;
};

static void append(struct list *list, int step, int pixel, int k, int first, int end) {
  if (list->count == ENTRIES || step + k > STEPS || pixel + k + COLUMNS > PIXELS) return;
  list->taps[list->count++] = (struct tsr_taps){step, pixel, k, (int16_t)first, (int16_t)end};
}

/* A row of three taps, in steps and pixels; or something that is not quite one. */
static void append_row(struct list *list, int row, int nr) {
  int step = 3 * row, pixel = pick(0, PIXELS - COLUMNS - 6), odd = pick(0, 12);
  if (pick(0, 2) == 0) {
    append(list, step, pixel, odd == 0 ? 2 : 3, odd == 1, odd == 2 ? nr - 1 : nr);
    return;
  }
  for (int s = 0; s < 3; s++) {
    int first = s == 0 ? pick(0, odd == 3 ? 2 : 1) : odd == 4, end = s == 2 ? nr - pick(0, odd == 5 ? 2 : 1) : nr;
    int a = odd == 6 && s == 1 ? step : odd == 7 && s == 2 ? step : step + s;
    int b = odd == 8 && s == 1 ? pixel : odd == 9 && s == 2 ? pixel + 4 : pixel + s;
    int count = list->count;
    append(list, a, b, odd == 11 && s == 2 ? 2 : 1, first, end);
    if (odd == 10 && s == 2) list->count = count; /* lies behind the end if the list ends here */
  }
}

static double value(void) { return pick(-1000, 1000) / 256.0; }

struct problem {
  int m, mr, nr, size;
  int64_t column, next; /* pixels from column to column; bytes from pixel to pixel */
  char *a, *x, *c;
};

static double at(const char *base, int64_t i, int size) {
  float single;
  double twice;
  memcpy(&single, base + i * size, sizeof single);
  if (size == sizeof single) return single;
  memcpy(&twice, base + i * size, sizeof twice);
  return twice;
}

static double expected(const struct problem *p, const struct list *list, int i, int j) {
  double s = 0;
  for (int t = 0; t < list->count; t++) {
    const struct tsr_taps *taps = &list->taps[t];
    for (int k = 0; k < taps->k && j >= taps->first && j < taps->end; k++) {
      int64_t row = ((int64_t)i / p->mr * STEPS + taps->a + k) * p->mr + i % p->mr;
      double w = at(p->a, row, p->size);
      double v = at(p->x + (taps->b + k + j * p->column) * p->next, i, p->size);
      s = p->size == 4 ? (double)fmaf((float)w, (float)v, (float)s) : fma(w, v, s);
    }
  }
  return s;
}

static bool run_case(const struct tsr_kernel *kernel, int lanes, struct problem *p) {
  int scale = kernel->per_vector ? lanes : 1;
  struct list list = {0};
  p->mr = kernel->mr * scale, p->nr = kernel->nr;
  p->m = pick(1, 2 * p->mr);
  p->column = pick(0, 3) ? 1 : 2;
  p->next = (p->m + pick(0, 9)) * p->size;
  for (int row = 0, rows = pick(0, 9) ? pick(1, 5) : ENTRIES / 2; row < rows; row++) append_row(&list, row, p->nr);
  struct list bytes = list;
  for (int t = 0; t < ENTRIES; t++) {
    bytes.taps[t].a *= p->mr * p->size;
    bytes.taps[t].b *= p->next;
  }
  struct tsr_conv conv = {.taps = bytes.taps, .count = list.count, .x = (tsr_mem)p->x, .dx = p->mr * p->size,
                          .low = -INFINITY, .high = INFINITY};
  struct tsr_step step = {.m = p->m, .n = p->nr, .csa = p->mr * p->size, .rsb = p->next, .csb = p->column * p->next,
                          .csc = MOST_ROWS * p->size, .da = (int64_t)STEPS * p->mr * p->size, .dc = p->mr * p->size,
                          .alpha = 1, .flags = TSR_FIRST_K | TSR_LAST_K};
  kernel->run(&step, (tsr_mem)p->a, (tsr_mem)&conv, (tsr_mem)p->c);
  for (int j = 0; j < p->nr; j++)
    for (int i = 0; i < p->m; i++) {
      double want = expected(p, &list, i, j), got = at(p->c + j * step.csc, i, p->size);
      if (got == want) continue;
      printf("FAIL %s: m %d, %d entries, row %d of column %d is %a, the loop gives %a\n", kernel->symbol, p->m,
             list.count, i, j, got, want);
      return false;
    }
  return true;
}

static void fill(char *to, size_t count, int size) {
  for (size_t i = 0; i < count; i++) {
    double twice = value();
    float single = (float)twice;
    memcpy(to + i * (size_t)size, size == 4 ? (void *)&single : (void *)&twice, (size_t)size);
  }
}

/* Cases of one kernel; 0 or 1 failures. */
static int run_kernel(const struct tsr_chip *chip, const struct tsr_kernel *kernel) {
  int size = kernel->tc == TSR_F32 ? 4 : 8, lanes = (int)chip->vector_bytes() / size, failed = 0;
  int mr = kernel->mr * (kernel->per_vector ? lanes : 1);
  if (2 * mr > MOST_ROWS || kernel->nr > COLUMNS) return 0;
  size_t a = (size_t)2 * STEPS * (size_t)mr, x = (size_t)(2 * PIXELS) * (MOST_ROWS + 16);
  size_t c = (size_t)COLUMNS * MOST_ROWS;
  struct problem p = {.size = size, .a = malloc(a * (size_t)size), .x = malloc(x * (size_t)size),
                      .c = calloc(c, (size_t)size)};
  if (!p.a || !p.x || !p.c) return 1;
  fill(p.a, a, size);
  fill(p.x, x, size);
  for (int i = 0; i < 150 && !failed; i++) failed = !run_case(kernel, lanes, &p);
  free(p.a);
  free(p.x);
  free(p.c);
  return failed;
}

int main(int argc, char **argv) {
  int nchips, kernels = 0, failed = 0;
  char why[TSR_WHY];
  state = 88172645463325252u + (argc > 1 ? strtoull(argv[1], NULL, 0) : 1);
  const struct tsr_chip *const *chip = tsr_chips(&nchips);
  for (int c = 0; c < nchips; c++)
    for (int i = 0; chip[c]->usable(why) && i < chip[c]->nkernels; i++) {
      const struct tsr_kernel *kernel = &chip[c]->kernel[i];
      if (kernel->op != TSR_OP_CONV_LANES || (kernel->tc != TSR_F32 && kernel->tc != TSR_F64)) continue;
      kernels++;
      failed += run_kernel(chip[c], kernel);
    }
  printf("%d kernels, %d failed\n", kernels, failed);
  return failed || !kernels;
}
