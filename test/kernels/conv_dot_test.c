/* Every integer CONV and CONV_LANES kernel that this machine runs against the loop of kernels/kernel.h: random taps,
 * sizes and strides, exact operands against guard pages, registers. --seed N, --kernel NAME, --cases N. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/core.h"
#include "test/kernels/guard.h"

#define MAX_TAPS 5
#define ARENA ((size_t)4 << 20)

static uint64_t state;
static int64_t pick(int64_t low, int64_t high) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return low + (int64_t)((state >> 33) % (uint64_t)(high - low + 1));
}
static bool once_in(int n) { return pick(1, n) == 1; }

/* a, x, bias and c are where the operands lie, each exactly as large as a step may touch. */
struct dot_case {
  const struct tsr_kernel *kernel;
  bool lanes;
  int64_t mr, nr, element; /* bytes of a row in a tap of A */
  struct tsr_step step;
  struct tsr_conv conv;
  struct tsr_narrow narrow;
  struct tsr_taps taps[MAX_TAPS];
  size_t a_bytes, x_bytes, c_bytes;
  unsigned char *a, *c;
};

static struct arena arenas[5];

static unsigned char *place(int arena, size_t bytes) {
  unsigned char *at = arena_place(&arenas[arena], bytes, once_in(4) ? PLACE_START : PLACE_END, 0);
  for (size_t i = 0; i < bytes; i++) at[i] = (unsigned char)pick(0, 255);
  if (once_in(4)) memset(at, once_in(2) ? 0x80 : 0xff, bytes); /* the most that products can be */
  return at;
}

static void make_taps(struct dot_case *dc) {
  int64_t panel = 0, x_end = 0, tiles = tsr_ceil_div(dc->step.m, dc->mr);
  dc->conv.count = pick(0, MAX_TAPS);
  for (int64_t t = 0; t < dc->conv.count; t++) {
    struct tsr_taps *taps = &dc->taps[t];
    bool all = once_in(2);
    *taps = (struct tsr_taps){.a = panel, .b = pick(0, 200), .k = (int32_t)pick(1, 9), .end = (int16_t)dc->nr};
    if (once_in(2)) taps->end = TSR_MAX_COLUMNS;
    if (!all) taps->first = (int16_t)pick(0, dc->nr), taps->end = (int16_t)pick(taps->first, dc->nr);
    panel += taps->k * dc->step.csa;
    if (taps->first == taps->end) continue;
    int64_t last = (tiles - 1) * dc->conv.dx + dc->step.m - (tiles - 1) * dc->mr;
    int64_t whole = tiles > 1 ? (tiles - 2) * dc->conv.dx + dc->mr : 0, rows = dc->lanes ? tsr_max(last, whole) : 4;
    int64_t steps = (taps->k - 1) * (dc->lanes ? dc->step.rsb : 4);
    int64_t columns = (tsr_min(taps->end, dc->nr) - 1) * dc->step.csb + (dc->step.n / dc->nr - 1) * dc->step.db;
    x_end = tsr_max(x_end, taps->b + steps + columns + rows);
  }
  dc->step.da = panel + pick(0, 3) * 64;
  dc->a_bytes = (size_t)((tiles - 1) * dc->step.da + panel);
  dc->x_bytes = (size_t)x_end;
}

/* C of 8 bits: scales that leave most values within them or none, and some of the largest allowed. */
static void make_narrow(struct dot_case *dc, bool wide) {
  struct tsr_step *st = &dc->step;
  unsigned char *scale = place(4, (size_t)st->m * 4);
  for (int64_t i = 0; i < st->m; i++) {
    float s = once_in(9) ? 0.5f : ldexpf((float)pick(-1000, 1000), (int)-pick(16, 28));
    memcpy(scale + 4 * i, &s, 4);
  }
  dc->narrow = (struct tsr_narrow){(tsr_mem)scale, (int16_t)pick(0, 255), 0, 255, wide ? 0 : 0x80808080};
  if (once_in(2)) dc->narrow.zero = 0;
  if (once_in(2)) dc->narrow.least = (uint8_t)dc->narrow.zero;
  if (once_in(2)) dc->narrow.most = (uint8_t)pick(dc->narrow.least, 255);
  dc->conv.narrow = &dc->narrow;
  st->flags = TSR_FIRST_K | TSR_LAST_K;
  st->dc = dc->mr;
  st->csc = st->m + pick(0, 9);
}

/* `unit` is how many rows one of a kernel's mr and mu stands for. */
static void make_case(struct dot_case *dc, const struct tsr_kernel *kernel, int64_t unit, bool narrows) {
  *dc = (struct dot_case){.kernel = kernel, .lanes = kernel->op == TSR_OP_CONV_LANES, .nr = kernel->nr};
  dc->mr = kernel->mr * unit;
  struct tsr_step *st = &dc->step;
  dc->element = dc->lanes ? 1 : 4;
  st->m = dc->mr * pick(1, 3) - (once_in(3) ? 0 : pick(0, kernel->mu * unit - 1));
  st->n = dc->nr * pick(1, 3);
  st->csa = dc->mr * dc->element;
  st->csb = pick(0, 70);
  st->rsb = pick(1, 90);
  st->db = once_in(2) ? st->csb * dc->nr : pick(0, 300);
  st->dc = dc->mr * 4;
  st->csc = st->m * 4 + pick(0, 9);
  st->flags = (once_in(3) ? 0 : TSR_FIRST_K) | (once_in(3) ? 0 : TSR_LAST_K);
  dc->conv.taps = dc->taps;
  dc->conv.dx = once_in(2) ? dc->mr : pick(0, 100);
  make_taps(dc);
  if (narrows && !dc->lanes && once_in(2)) make_narrow(dc, once_in(2));
  dc->c_bytes = (size_t)((st->n - 1) * st->csc + st->m * (dc->conv.narrow ? 1 : 4));
  dc->a = place(0, dc->a_bytes);
  dc->conv.x = (tsr_mem)place(1, dc->x_bytes);
  dc->conv.bias = once_in(3) ? 0 : (tsr_mem)place(2, (size_t)st->m * 4);
  dc->c = place(3, dc->c_bytes);
  margins_paint(&arenas[3], dc->c, dc->c_bytes);
}

static int64_t product(const struct dot_case *dc, const struct tsr_taps *taps, int64_t tile, int64_t row, int64_t u,
                       int64_t j) {
  const struct tsr_step *st = &dc->step;
  bool u8 = dc->kernel->tb == TSR_U8;
  int64_t s = 0;
  for (int64_t p = 0; p < taps->k; p++)
    for (int64_t e = 0; e < dc->element; e++) {
      int64_t at = taps->b + u * st->db + j * st->csb;
      at += dc->lanes ? p * st->rsb + tile * dc->conv.dx + row : p * 4 + e;
      unsigned char x = ((const unsigned char *)dc->conv.x)[at];
      int64_t value = u8 ? x : (signed char)x + (dc->lanes ? 0 : 128);
      s += value * (signed char)dc->a[tile * st->da + taps->a + p * st->csa + row * dc->element + e];
    }
  return s;
}

static unsigned char narrowed(const struct tsr_narrow *to, int64_t i, int32_t y) {
  float scale;
  memcpy(&scale, (const char *)to->scale + 4 * i, 4);
  long v = lrintf((float)y * scale);
  v = (v < -32768 ? -32768 : v > 32767 ? 32767 : v) + to->zero;
  v = v < 0 ? 0 : v > 255 ? 255 : v;
  return (unsigned char)((v < to->least ? to->least : v > to->most ? to->most : v) ^ (long)to->flip);
}

/* The contract's loop on `c`, a copy of C. */
static void reference(const struct dot_case *dc, unsigned char *c) {
  const struct tsr_step *st = &dc->step;
  for (int64_t i = 0; i < st->m; i++)
    for (int64_t column = 0; column < st->n; column++) {
      int64_t j = column % dc->nr, y = 0;
      int32_t word;
      unsigned char *at = c + column * st->csc + i / dc->mr * st->dc + i % dc->mr * (dc->conv.narrow ? 1 : 4);
      const unsigned char *from = st->flags & TSR_FIRST_K ? (unsigned char *)dc->conv.bias + 4 * i : at;
      if (!(st->flags & TSR_FIRST_K) || dc->conv.bias) memcpy(&word, from, 4), y = word;
      for (int64_t t = 0; t < dc->conv.count; t++)
        if (j >= dc->taps[t].first && j < dc->taps[t].end)
          y += product(dc, &dc->taps[t], i / dc->mr, i % dc->mr, column / dc->nr, j);
      word = (int32_t)(uint32_t)(uint64_t)y;
      if (dc->conv.narrow)
        *at = narrowed(&dc->narrow, i, word);
      else
        memcpy(at, &word, 4);
    }
}

/* x18 is the compiler's where plain C was compiled for Arm. */
static bool registers_kept(const struct probe *probe, bool plain_c) {
  static const char *const registers[] = PROBE_NAMES;
  for (int i = 0; i < PROBE_REGISTERS; i++)
    if (probe->in[i] != probe->out[i] && !(plain_c && strcmp(registers[i], "x18") == 0)) return false;
  return true;
}

static const char *check(struct dot_case *dc, bool plain_c) {
  static unsigned char expected[ARENA];
  struct probe probe = {0};
  for (int i = 0; i < PROBE_REGISTERS; i++) probe.in[i] = (uint64_t)pick(1, 1 << 30);
  memcpy(expected, dc->c, dc->c_bytes);
  reference(dc, expected);
  struct fault fault = guarded_call(dc->kernel->run, &dc->step, (tsr_mem)dc->a, (tsr_mem)&dc->conv, (tsr_mem)dc->c, &probe);
  if (fault.signal) return "it reads or writes outside its operands, or stops";
  if (!registers_kept(&probe, plain_c)) return "it does not restore a register";
  if (memcmp(expected, dc->c, dc->c_bytes) != 0) return "wrong sums, or a byte between columns is written";
  return margins_check(&arenas[3], dc->c, dc->c_bytes) ? "a byte beside C is written" : NULL;
}

static int test_kernel(const struct tsr_chip *chip, const struct tsr_kernel *kernel, uint64_t seed, int cases) {
  int64_t unit = kernel->per_vector ? (int64_t)chip->vector_bytes() / 4 : 1;
  bool plain_c = strcmp(chip->name, "generic") == 0;
  int failed = 0;
  for (int i = 0; i < cases; i++) {
    struct dot_case dc;
    state = seed + (uint64_t)i * 7919;
    make_case(&dc, kernel, unit, chip->narrows);
    const char *wrong = check(&dc, plain_c);
    if (!wrong) continue;
    if (failed++ < 3)
      printf("FAIL %s case %d of seed %llu: %s (m %lld, n %lld, %lld taps)\n", kernel->symbol, i,
             (unsigned long long)seed, wrong, (long long)dc.step.m, (long long)dc.step.n, (long long)dc.conv.count);
  }
  return failed;
}

static bool is_ours(const struct tsr_kernel *k) {
  return (k->op == TSR_OP_CONV || k->op == TSR_OP_CONV_LANES) && k->ta == TSR_S8;
}

static int test_chip(const struct tsr_chip *chip, const char *only, uint64_t seed, int cases) {
  char why[TSR_WHY];
  int tested = 0, failed = 0, left_out = 0;
  if (!chip->usable(why)) return 0;
  for (int i = 0; i < chip->nkernels; i++) {
    const struct tsr_kernel *k = &chip->kernel[i];
    if (!is_ours(k) || (only && !strstr(k->symbol, only))) continue;
    if (chip->runs && !chip->runs(k)) {
      left_out++;
      continue;
    }
    tested++;
    failed += test_kernel(chip, k, seed, cases);
  }
  printf("%s: %d kernels, %d cases each, %d failed; %d kernels cannot run here\n", chip->name, tested, cases, failed,
         left_out);
  return failed;
}

int main(int argc, char **argv) {
  uint64_t seed = 20261121;
  int cases = 120, failed = 0, n;
  const char *only = NULL;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--seed") == 0) seed = strtoull(argv[i + 1], NULL, 10);
    if (strcmp(argv[i], "--cases") == 0) cases = atoi(argv[i + 1]);
    if (strcmp(argv[i], "--kernel") == 0) only = argv[i + 1];
  }
  for (int i = 0; i < 5; i++) arenas[i] = arena_create(ARENA);
  guard_install();
  const struct tsr_chip *const *chips = tsr_chips(&n);
  for (int i = 0; i < n; i++) failed += test_chip(chips[i], only, seed, cases);
  return failed != 0;
}
