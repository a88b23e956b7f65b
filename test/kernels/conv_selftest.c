#include "test/kernels/conv_selftest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "test/kernels/clobber.h"
#include "test/kernels/conv_reference.h"

#define CASES 400
#define MR 8
#define NR 3
#define F32 4

#define KERNEL(name) void name(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c)
#define PLANT(name) static KERNEL(name)
#define CONV ((const struct tsr_conv *)b)

static void right(enum tsr_op op, const struct tsr_step *st, tsr_mem a, const struct tsr_conv *conv, tsr_mem c) {
  reference_conv(op, TSR_F32, MR, NR, st, a, conv, c);
}

/* What the kernels of clobber.h do before (or after) they break the ABI: here, a convolution. */
KERNEL(selftest_gemm);
KERNEL(selftest_gemm) { right(TSR_OP_CONV, st, a, CONV, c); }

PLANT(nothing_wrong) { right(TSR_OP_CONV, st, a, CONV, c); }
PLANT(lanes_right) { right(TSR_OP_CONV_LANES, st, a, CONV, c); }

static tsr_mem last_element(const struct tsr_step *st, tsr_mem c) {
  int64_t tile = (st->m - 1) / MR, row = (st->m - 1) % MR;
  return c + (tsr_mem)((tile ? tile * st->dc : 0) + row * F32 + (st->n - 1) * st->csc);
}

PLANT(wrong_bit) {
  right(TSR_OP_CONV, st, a, CONV, c);
  *(volatile unsigned char *)last_element(st, c) ^= 1;
}

PLANT(stray_write_below_the_last_row) {
  right(TSR_OP_CONV, st, a, CONV, c);
  if (st->m % MR) memset((void *)(last_element(st, c) + F32), 0, F32);
}

PLANT(stray_write_before_c) {
  right(TSR_OP_CONV, st, a, CONV, c);
  *(volatile unsigned char *)(c - 1) = 0;
}

static void peek(tsr_mem at) { (void)*(const volatile unsigned char *)at; }

PLANT(reads_before_x) {
  right(TSR_OP_CONV, st, a, CONV, c);
  int64_t lowest = INT64_MAX;
  for (int64_t t = 0; t < CONV->count; t++) {
    const struct tsr_taps *taps = &CONV->taps[t];
    if (taps->k > 0 && taps->first < taps->end && taps->b < lowest) lowest = taps->b;
  }
  if (lowest < INT64_MAX) peek(CONV->x + (tsr_mem)lowest - 1);
}

PLANT(reads_a_skipped_pixel) {
  right(TSR_OP_CONV, st, a, CONV, c);
  for (int64_t t = 0; t < CONV->count; t++) {
    const struct tsr_taps *taps = &CONV->taps[t];
    if (taps->k > 0 && taps->first < taps->end) peek(CONV->x + (tsr_mem)taps->b);
  }
}

PLANT(reads_x_of_rows_beyond_m) {
  right(TSR_OP_CONV_LANES, st, a, CONV, c);
  const struct tsr_taps *taps = CONV->taps;
  if (st->m < MR && CONV->count && taps->k && taps->first < taps->end)
    peek(CONV->x + (tsr_mem)(taps->b + (taps->end - 1) * st->csb + (taps->k - 1) * st->rsb + st->m * F32));
}

PLANT(reads_bias_of_rows_beyond_m) {
  right(TSR_OP_CONV, st, a, CONV, c);
  if (st->flags & TSR_FIRST_K && CONV->bias) peek(CONV->bias + (tsr_mem)(st->m * F32));
}

PLANT(reads_beyond_the_panel) {
  right(TSR_OP_CONV, st, a, CONV, c);
  const struct tsr_taps *last = CONV->taps + CONV->count - 1;
  if (CONV->count && last->k && st->m <= MR) peek(a + (tsr_mem)(last->a + (last->k - 1) * st->csa + MR * F32));
}

PLANT(reads_beyond_the_list) {
  right(TSR_OP_CONV, st, a, CONV, c);
  if (CONV->count) peek((tsr_mem)(CONV->taps + CONV->count));
}

PLANT(reads_add_before_the_last_block) {
  right(TSR_OP_CONV, st, a, CONV, c);
  if (!(st->flags & TSR_LAST_K) && CONV->add) peek(CONV->add);
}

/* As a kernel does that multiplies padding by 0: the weight's Inf becomes NaN. */
PLANT(multiplies_skipped_columns_by_zero) {
  right(TSR_OP_CONV, st, a, CONV, c);
  for (int64_t t = 0; t < CONV->count; t++) {
    const struct tsr_taps *taps = &CONV->taps[t];
    for (int64_t p = 0; p < taps->k && taps->first > 0 && taps->first < taps->end; p++) {
      float weight, y;
      memcpy(&weight, (const void *)(a + (tsr_mem)(taps->a + p * st->csa)), F32);
      memcpy(&y, (const void *)c, F32);
      y = fmaf(weight, 0, y);
      memcpy((void *)c, &y, F32);
    }
  }
}

static void with_taps(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c, void change(struct tsr_taps *)) {
  struct tsr_taps list[CONV_CASE_TAPS];
  struct tsr_conv conv = *CONV;
  memcpy(list, conv.taps, (size_t)conv.count * sizeof *list);
  for (int64_t t = 0; t < conv.count; t++) change(&list[t]);
  conv.taps = list;
  right(TSR_OP_CONV, st, a, &conv, c);
}

static void forget_end(struct tsr_taps *taps) {
  if (taps->end < NR && taps->first < taps->end) taps->end--;
}
static void drop_a_step(struct tsr_taps *taps) {
  if (taps->k == 13) taps->k = 12;
}
static void begin_sooner(struct tsr_taps *taps) {
  if (taps->first == 1 && taps->end > 1) taps->first = 0;
}
PLANT(one_fma_in_a_skipped_column) { with_taps(st, a, b, c, begin_sooner); }
PLANT(end_one_too_soon) { with_taps(st, a, b, c, forget_end); }
PLANT(odd_step_dropped) { with_taps(st, a, b, c, drop_a_step); }

static void with_conv(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c, uint64_t more_flags, bool no_bias,
                      bool no_add) {
  struct tsr_step step = *st;
  struct tsr_conv conv = *CONV;
  step.flags |= more_flags;
  if (no_bias) conv.bias = 0;
  if (no_add) conv.add = 0;
  right(TSR_OP_CONV, &step, a, &conv, c);
}
PLANT(limits_of_another_block) {
  if (!CONV->add) with_conv(st, a, b, c, TSR_LAST_K, false, true);
  else right(TSR_OP_CONV, st, a, CONV, c);
}
PLANT(bias_forgotten) { with_conv(st, a, b, c, 0, true, false); }
PLANT(add_forgotten) { with_conv(st, a, b, c, 0, false, true); }

PLANT(alpha_forgotten) {
  struct tsr_step step = *st;
  step.alpha = 1;
  right(TSR_OP_CONV, &step, a, CONV, c);
}

PLANT(limits_swallow_nan) {
  right(TSR_OP_CONV, st, a, CONV, c);
  float y;
  memcpy(&y, (const void *)c, F32);
  if (isnan(y) && st->flags & TSR_LAST_K) memset((void *)c, 0, F32);
}

PLANT(negative_zero_becomes_zero) {
  right(TSR_OP_CONV, st, a, CONV, c);
  float y;
  memcpy(&y, (const void *)c, F32);
  if (y == 0) memset((void *)c, 0, F32);
}

PLANT(tiles_of_rows_not_shifted) {
  struct tsr_step step = *st;
  if (st->m > MR) step.da = 0;
  right(TSR_OP_CONV, &step, a, CONV, c);
}

PLANT(tiles_of_columns_not_shifted) {
  struct tsr_step step = *st;
  if (st->n > NR) step.db = 0;
  right(TSR_OP_CONV, &step, a, CONV, c);
}

PLANT(repeated_rows_taken_for_more) {
  struct tsr_step step = *st;
  step.flags &= ~(uint64_t)TSR_REPEAT;
  right(TSR_OP_CONV, &step, a, CONV, c);
}

PLANT(lanes_not_shifted) {
  struct tsr_conv conv = *CONV;
  if (st->m > MR) conv.dx = 0;
  right(TSR_OP_CONV_LANES, st, a, &conv, c);
}

PLANT(raises_inexact) {
  right(TSR_OP_CONV, st, a, CONV, c);
  volatile float third = 3;
  third = 1 / third;
}

PLANT(raises_invalid) {
  right(TSR_OP_CONV, st, a, CONV, c);
  volatile float inf = INFINITY;
  inf = inf - inf;
}

PLANT(changes_the_list) {
  right(TSR_OP_CONV, st, a, CONV, c);
  if (CONV->count) ((struct tsr_taps *)CONV->taps)->k ^= 1;
}

PLANT(turn_right) { (void)b, reference_turn(TSR_F32, TSR_F32, st, a, c); }
PLANT(turn_quiets_nan) {
  (void)b;
  reference_turn(TSR_F32, TSR_F32, st, a, c);
  for (int64_t i = 0; i < st->m; i++) {
    uint32_t bits;
    memcpy(&bits, (const void *)(c + (tsr_mem)(i * F32)), F32);
    if ((bits & 0x7fffffff) > 0x7f800000) bits |= 0x400000;
    memcpy((void *)(c + (tsr_mem)(i * F32)), &bits, F32);
  }
}
PLANT(turn_reads_beyond_a_row) {
  (void)b;
  reference_turn(TSR_F32, TSR_F32, st, a, c);
  peek(a + (tsr_mem)((st->m - 1) * st->rsa + st->n * F32));
}
PLANT(turn_writes_beyond_a_column) {
  (void)b;
  reference_turn(TSR_F32, TSR_F32, st, a, c);
  memset((void *)(c + (tsr_mem)((st->n - 1) * st->csc + st->m * F32)), 0, F32);
}

#define POST ((const struct tsr_post *)b)

static void post(const struct tsr_step *st, tsr_mem a, const struct tsr_post *how, tsr_mem c) {
  reference_post(TSR_F32, TSR_F32, st, a, how, c);
}
PLANT(post_right) { post(st, a, POST, c); }
PLANT(post_never_across) {
  struct tsr_post other = *POST;
  if (st->m <= st->n) other.across = false;
  post(st, a, &other, c);
}
PLANT(post_scales_last) {
  struct tsr_post first = *POST, second = *POST;
  if (first.scale && first.add) first.scale = second.bias = second.add = 0;
  first.activation = TSR_NO_ACTIVATION;
  if (!POST->scale || !POST->add) {
    post(st, a, POST, c);
    return;
  }
  struct tsr_step again = *st;
  again.csa = st->csc;
  post(st, a, &first, c);
  post(&again, c, &second, c);
}
PLANT(post_forgets_zero_of_gelu) { /* of -0 */
  post(st, a, POST, c);
  if (POST->activation != TSR_GELU) return;
  for (int64_t i = 0; i < st->m; i++) {
    float y;
    memcpy(&y, (const void *)(c + (tsr_mem)(i * F32)), F32);
    if (y == 0) memset((void *)(c + (tsr_mem)(i * F32)), 0, F32);
  }
}
PLANT(post_reads_scale_beyond_m) {
  post(st, a, POST, c);
  if (POST->scale && !POST->across) peek(POST->scale + (tsr_mem)(st->m * F32));
}
PLANT(post_changes_a) {
  post(st, a, POST, c);
  if (a != c) memset((void *)a, 0, F32);
}

struct plant {
  const char *name;
  tsr_run *run;
  uint8_t op;
  bool found, assembly; /* is it to be found; is it checked as strictly as assembly is */
};

#define CLOBBER(reg) KERNEL(selftest_clobber_##reg);
CLOBBERED_REGISTERS(CLOBBER)
CLOBBERED_STATE(CLOBBER)
#if defined(__x86_64__)
CLOBBER(upper)
#endif
#undef CLOBBER

#define OK(name, op) {#name, name, op, false, false},
#define BAD(name) {#name, name, TSR_OP_CONV, true, false},
#define BAD_OF(name, op) {#name, name, op, true, false},
#define CLOBBER(reg) {"clobbers " #reg, selftest_clobber_##reg, TSR_OP_CONV, true, true},

static const struct plant plants[] = {
    OK(nothing_wrong, TSR_OP_CONV) OK(lanes_right, TSR_OP_CONV_LANES) OK(turn_right, TSR_OP_TURN)
    BAD(wrong_bit) BAD(stray_write_below_the_last_row) BAD(stray_write_before_c) BAD(reads_before_x)
    BAD(reads_a_skipped_pixel) BAD(reads_bias_of_rows_beyond_m) BAD(reads_beyond_the_panel)
    BAD(reads_beyond_the_list) BAD(reads_add_before_the_last_block) BAD(multiplies_skipped_columns_by_zero)
    BAD(one_fma_in_a_skipped_column) BAD(end_one_too_soon) BAD(odd_step_dropped) BAD(limits_of_another_block)
    BAD(bias_forgotten) BAD(add_forgotten) BAD(alpha_forgotten) BAD(limits_swallow_nan)
    BAD(negative_zero_becomes_zero) BAD(tiles_of_rows_not_shifted) BAD(tiles_of_columns_not_shifted)
    BAD(repeated_rows_taken_for_more) BAD(raises_inexact) BAD(raises_invalid) BAD(changes_the_list)
    BAD_OF(reads_x_of_rows_beyond_m, TSR_OP_CONV_LANES) BAD_OF(lanes_not_shifted, TSR_OP_CONV_LANES)
    OK(post_right, TSR_OP_POST) BAD_OF(post_never_across, TSR_OP_POST) BAD_OF(post_scales_last, TSR_OP_POST)
    BAD_OF(post_forgets_zero_of_gelu, TSR_OP_POST) BAD_OF(post_reads_scale_beyond_m, TSR_OP_POST)
    BAD_OF(post_changes_a, TSR_OP_POST)
    BAD_OF(turn_quiets_nan, TSR_OP_TURN) BAD_OF(turn_reads_beyond_a_row, TSR_OP_TURN)
    BAD_OF(turn_writes_beyond_a_column, TSR_OP_TURN)
    CLOBBERED_REGISTERS(CLOBBER)
    CLOBBERED_STATE(CLOBBER)
#if defined(__x86_64__)
    CLOBBER(upper)
#endif
};

static bool right_about(const struct plant *plant, struct conv_bench *bench, struct conv_case *cc) {
  bool tile = plant->op == TSR_OP_CONV || plant->op == TSR_OP_CONV_LANES, found = false;
  struct tsr_kernel kernel = {plant->name, plant->op, TSR_F32, TSR_F32, TSR_F32, tile ? MR : 0, tile ? NR : 0,
                              tile ? MR : 1, false, plant->run};
  bench->plain_c = !plant->assembly;
  for (int i = 0; i < CASES && !found; i++) {
    conv_case_make(cc, &kernel, 16, 20260607, i);
    found = !conv_check(bench, cc);
  }
  printf("%s %s: %s\n", found == plant->found ? "ok  " : "FAIL", plant->name,
         found ? bench->what : "nothing was found");
  return found == plant->found;
}

int conv_selftest(struct conv_bench *bench, struct conv_case *cc) {
  int failed = 0;
  for (size_t p = 0; p < sizeof plants / sizeof plants[0]; p++) {
#if defined(__x86_64__)
    if (!bench->has_avx && strcmp(plants[p].name, "clobbers upper") == 0) continue;
#endif
    failed += !right_about(&plants[p], bench, cc);
  }
  return failed;
}
