/* Floating-point exception flags: tsr_gemm raises none that the loop of tessera.h would not raise. */
#include <fenv.h>

#include "test/gemm/gemm_test.h"

static const char *flag_names(int flags, char *text, size_t size) {
  snprintf(text, size, "%s%s%s%s%s", flags & FE_INVALID ? " invalid" : "", flags & FE_DIVBYZERO ? " divbyzero" : "",
           flags & FE_OVERFLOW ? " overflow" : "", flags & FE_UNDERFLOW ? " underflow" : "",
           flags & FE_INEXACT ? " inexact" : "");
  return text;
}

/* Leaves packed blocks full of Inf and NaN behind, so that a step which reads beyond its own panel raises a flag. */
static void spoil_scratch(const struct stage *s, const struct gemm_case *g) {
  static float poison[64 * 64], c[64 * 64];
  (void)s;
  tsr_gemm_desc d = TSR_GEMM_DESC;
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = 64;
  for (int i = 0; i < COUNT(poison); i++) poison[i] = __builtin_inff();
  tsr_gemm(g->context, &d, poison, poison, c);
}

/* The case's data with neighbours of Inf, signalling NaN, denormals and huge numbers on every side. */
static void check_flags(struct stage *s, struct gemm_case *g) {
  char text[WHY], names[64];
  g->place = PLACE_MIDDLE;
  stage_fill(s, g);
  spoil_scratch(s, g);
  feclearexcept(FE_ALL_EXCEPT);
  tsr_status status = tsr_gemm(g->context, &g->d, s->a.data, s->b.data, s->c.data);
  int raised = fetestexcept(FE_ALL_EXCEPT);
  feclearexcept(FE_ALL_EXCEPT);
  stage_expect(s, g);
  int allowed = fetestexcept(FE_ALL_EXCEPT);
  feclearexcept(FE_ALL_EXCEPT);
  assert_int_equal(status, TSR_OK);
  case_text(g, text, sizeof text);
  if (g->fill == FILL_INTEGERS && allowed)
    fail_msg("the loop raises%s: %s", flag_names(allowed, names, sizeof names), text);
  if (raised & ~allowed) fail_msg("raised%s: %s", flag_names(raised & ~allowed, names, sizeof names), text);
  if (!stage_compare(s, g, text)) fail_msg("%s", text);
}

/* Data that raises nothing, only inexact, and over- or underflow. */
static void check_fills(struct stage *s, struct gemm_case *g) {
  static const enum fill fills[] = {FILL_INTEGERS, FILL_RANDOM, FILL_WIDE};
  for (int i = 0; i < COUNT(fills); i++) {
    g->fill = fills[i];
    g->seed++;
    check_flags(s, g);
  }
}

/* Every number of rows and columns to beyond two tiles, on every path. */
static void every_edge(void **state) {
  (void)state;
  struct stage s;
  struct gemm_case g = {.d = TSR_GEMM_DESC, .seed = test_seed()};
  stage_open(&s, 1 << 20);
  for (int i = 0; i < ncontexts * 2 * PATHS; i++) {
    g.context = contexts[i / 2 / PATHS];
    g.d.type = i % 2 ? TSR_F64 : TSR_F32;
    force_plan(&g, i / 2 % PATHS, 0, 0);
    for (int size = 1; size < 104; size++) {
      g.d.beta = size % 2;
      case_sizes(&g, size, 1 + size * 7 % 37, 1 + size % 9);
      case_layout(&g, size % LAYOUTS, size % 5);
      check_fills(&s, &g);
      case_sizes(&g, 1 + size * 5 % 37, size, 1 + size % 11);
      case_layout(&g, (size + 3) % LAYOUTS, size % 3);
      check_fills(&s, &g);
    }
  }
  force_nothing();
  stage_close(&s);
}

static void every_shape_and_thread_count(struct stage *s, struct gemm_case *g) {
  for (int i = 0; i < THREAD_COUNTS; i++) {
    tsr_set_num_threads(g->context, thread_counts[i]);
    g->fill = (enum fill)((g->seed + (uint64_t)i) % FILL_SPECIAL);
    check_flags(s, g);
  }
  tsr_set_num_threads(g->context, 0);
}

static void shapes(void **state) {
  (void)state;
  each_shape(every_shape_and_thread_count);
}

/* C is not read when beta is 0, A and B are not when alpha is 0 or k is 0: signalling NaN in them raises nothing. */
static void unread_operands(void **state) {
  (void)state;
  static float nan[50 * 50], c[50 * 50], zero[50 * 50];
  uint32_t signalling = 0x7fa00000;
  for (int i = 0; i < COUNT(nan); i++) memcpy(&nan[i], &signalling, 4);
  for (int i = 0; i < ncontexts; i++)
    for (int layout = 0; layout < LAYOUTS; layout++) {
      struct gemm_case g = {.context = contexts[i], .d = TSR_GEMM_DESC};
      case_sizes(&g, 50, 50, 50);
      case_layout(&g, layout, 0);
      memcpy(c, nan, sizeof c);
      feclearexcept(FE_ALL_EXCEPT);
      tsr_gemm(g.context, &g.d, zero, zero, c);
      assert_int_equal(fetestexcept(FE_ALL_EXCEPT), 0);
      assert_memory_equal(c, zero, sizeof c);
      g.d.alpha = 0;
      g.d.beta = 2;
      tsr_gemm(g.context, &g.d, nan, nan, c);
      assert_int_equal(fetestexcept(FE_ALL_EXCEPT), 0);
      assert_memory_equal(c, zero, sizeof c);
    }
}

/* What the loop does raise reaches the caller, whichever thread met it. */
static void flags_of_workers(void **state) {
  (void)state;
  enum { N = 400 };
  float *a = calloc(N * N, sizeof *a), *b = calloc(N * N, sizeof *b), *c = malloc(N * N * sizeof *c);
  tsr_gemm_desc d = TSR_GEMM_DESC;
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = N;
  for (int i = 0; i < ncontexts; i++) {
    if (is_generic(contexts[i])) continue;
    tsr_set_num_threads(contexts[i], 4);
    for (int row = 3; row < N; row += 44) {
      a[row * N + 5] = b[5 * N + row] = 0x1p100f;
      feclearexcept(FE_ALL_EXCEPT);
      assert_int_equal(tsr_gemm(contexts[i], &d, a, b, c), TSR_OK);
      assert_int_equal(fetestexcept(FE_ALL_EXCEPT), FE_OVERFLOW | FE_INEXACT);
      a[row * N + 5] = b[5 * N + row] = 0;
    }
    tsr_set_num_threads(contexts[i], 0);
  }
  feclearexcept(FE_ALL_EXCEPT);
  free(a);
  free(b);
  free(c);
}

/* Rounding modes are the caller's, in workers too: the loop run in that mode gives the same bits. */
static void rounding_modes(void **state) {
  (void)state;
  static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  struct stage s;
  struct gemm_case g = {.d = TSR_GEMM_DESC, .seed = test_seed(), .fill = FILL_RANDOM};
  char why[WHY];
  stage_open(&s, 1 << 20);
  for (int i = 0; i < ncontexts * COUNT(modes) * 2; i++) {
    g.context = contexts[i / 2 / COUNT(modes)];
    case_sizes(&g, 150, 140, 400);
    case_layout(&g, i % LAYOUTS, 0);
    tsr_set_num_threads(g.context, 1 + i % 2 * 3);
    fesetround(modes[i / 2 % COUNT(modes)]);
    bool holds = case_holds(&s, &g, why);
    fesetround(FE_TONEAREST);
    if (!holds) fail_msg("%s", why);
    tsr_set_num_threads(g.context, 0);
  }
  stage_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      gemm_unit_test(every_edge),       gemm_unit_test(shapes),         gemm_unit_test(unread_operands),
      gemm_unit_test(flags_of_workers), gemm_unit_test(rounding_modes),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
