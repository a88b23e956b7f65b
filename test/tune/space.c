/* The space of GEMM plans on CPUs: whatever the shape, candidates are legal, whole and different, predictions are
 * numbers, and no partial plan, however odd, brings the library down. Nothing is computed here; see hostile.c.
 *
 * `tune_space slow` takes many more shapes. */
#include <math.h>

#include "src/core/threads.h"
#include "src/tune/costs.h"
#include "test/tune/runtime_support.h"

enum { MOST = 4096 };
static struct rng rng;
static struct tsr_values plans[MOST];
static struct tsr_costs costs;
static int rounds = 1;

static const int64_t threads[] = {1, 2, 3, 7, 16, TSR_MAX_THREADS};

static const int64_t sizes[][3] = {
    {1, 1, 1},          {1, 1, 100000},    {1, 100000, 1},     {100000, 1, 1},   {1, 5000, 5000},
    {5000, 1, 5000},    {5000, 5000, 1},   {2, 3, 5},          {49, 48, 48},     {64, 64, 64},
    {65, 129, 257},     {8, 4096, 4096},   {4096, 8, 4096},    {9, 4097, 511},   {300, 300, 300},
    {1000, 1000, 1000}, {4096, 4096, 64},  {10000, 10000, 10000}, {16, 16, 1 << 20}, {3, 2, 12345},
    {1 << 30, 1, 1},    {1, 1 << 30, 1},   {1, 1, 1 << 30},    {1 << 30, 1 << 30, 1}, {1 << 30, 1, 1 << 30},
    {1, 1 << 30, 1 << 30}, {1 << 30, 1 << 30, 1 << 30}, {1 << 30, 16, 384}, {7, 1 << 30, 385},
};

static int64_t random_size(void) { return 1 + rng_below(&rng, (int64_t)2 << rng_below(&rng, 14)); }

/* The next of all shapes, then of random ones. */
static struct tsr_values shape_number(int i) {
  const int64_t *size = sizes[i % COUNT(sizes)];
  struct tsr_values shape = {{1 + rng_below(&rng, 2), size[0], size[1], size[2], 1 + rng_below(&rng, 2),
                              1 + rng_below(&rng, 2), 1 + rng_below(&rng, 8),
                              threads[rng_below(&rng, COUNT(threads))]}};
  if (i >= COUNT(sizes) * 4)
    for (int j = 0; j < 3; j++) shape.at[TSR_SHAPE_M + j] = random_size();
  return shape;
}
enum { SHAPES = COUNT(sizes) * 4 + 60 };

static void say(const tsr_context *context, const struct tsr_values *shape, const struct tsr_values *plan,
                const char *why) {
  fail_msg("%s: %s: %s: %s", tsr_context_isa(context), shape_text(GEMM, shape), plan_text(GEMM, plan), why);
}

static int by_value(const void *x, const void *y) { return memcmp(x, y, sizeof(struct tsr_values)); }

static void check_predicted(const tsr_context *context, const struct tsr_values *shape, const struct tsr_values *plan) {
  double seconds = GEMM->predict(context, &costs, shape, plan);
  if (!(seconds > 0 && isfinite(seconds))) say(context, shape, plan, "the prediction is no time");
}

/* Undecided fields are those that the path does not use. */
static void check_whole(const tsr_context *context, const struct tsr_values *shape, const struct tsr_values *plan) {
  bool packed = plan->at[TSR_PLAN_PATH] == TSR_GEMM_PACKED;
  for (int f = 0; f < TSR_MOST_FIELDS; f++) {
    bool used = f < TSR_PLAN_FIELDS && (packed ? f != TSR_PLAN_ORDER : f != TSR_PLAN_PACK && f != TSR_PLAN_GROUPS);
    if (used && plan->at[f] == 0) say(context, shape, plan, "a field is undecided");
    if (f >= TSR_PLAN_FIELDS && plan->at[f]) say(context, shape, plan, "a value is no field");
  }
}

static void check_candidates(const tsr_context *context, const struct tsr_values *shape) {
  char why[TSR_WHY_TEXT] = "";
  int n = GEMM->candidates(context, shape, plans, MOST);
  assert_true(n >= 1 && n <= MOST);
  for (int i = 0; i < n; i++) {
    if (!GEMM->check(context, shape, &plans[i], why)) say(context, shape, &plans[i], why);
    check_whole(context, shape, &plans[i]);
    check_predicted(context, shape, &plans[i]);
    struct tsr_values again = plans[i];
    GEMM->complete(context, shape, &again); /* nothing is left to complete */
    for (int f = 0; f < TSR_PLAN_FIELDS; f++)
      if (plans[i].at[f] && again.at[f] != plans[i].at[f]) say(context, shape, &plans[i], "changed by completing");
  }
  qsort(plans, (size_t)n, sizeof plans[0], by_value);
  for (int i = 1; i < n; i++)
    if (by_value(&plans[i - 1], &plans[i]) == 0) say(context, shape, &plans[i], "twice");
}

static void candidates_are_sound(void **state) {
  (void)state;
  for (int c = 0; c < ncontexts; c++)
    for (int i = 0; i < SHAPES * rounds; i++) {
      struct tsr_values shape = shape_number(i);
      check_candidates(contexts[c], &shape);
    }
}

/* A list that is too short is a beginning of the long one, and nothing beyond it is written. */
static void short_lists_are_filled_and_no_more(void **state) {
  (void)state;
  static struct tsr_values few[MOST + 1];
  for (int i = 0; i < SHAPES; i += 3) {
    struct tsr_values shape = shape_number(i);
    const tsr_context *context = contexts[i % ncontexts];
    int n = GEMM->candidates(context, &shape, plans, MOST), most = (int)rng_below(&rng, n + 1);
    memset(few, 0x5a, sizeof few);
    int got = GEMM->candidates(context, &shape, few, most);
    assert_true(got >= most);
    if (most) assert_memory_equal(few, plans, (size_t)most * sizeof plans[0]);
    for (size_t b = 0; b < sizeof few[0]; b++) assert_int_equal(((unsigned char *)&few[most])[b], 0x5a);
  }
}

/* With nothing fixed the rule's plan is legal for every shape. Some fields of a legal plan may not go with what the
 * rule takes for the others: then the checker says why, and most do. */
static void the_rule_completes_legally(void **state) {
  (void)state;
  char why[TSR_WHY_TEXT] = "";
  int legal = 0, tried = 0;
  for (int c = 0; c < ncontexts; c++)
    for (int i = 0; i < SHAPES * rounds; i++) {
      struct tsr_values shape = shape_number(i), plan = {{0}};
      GEMM->complete(contexts[c], &shape, &plan);
      if (!GEMM->check(contexts[c], &shape, &plan, why)) say(contexts[c], &shape, &plan, why);
      check_whole(contexts[c], &shape, &plan);
      check_predicted(contexts[c], &shape, &plan);
      for (int repeat = 0; repeat < 8; repeat++, tried++) {
        struct tsr_values whole = random_plan(&rng, contexts[c], &shape), part = {{0}};
        check_predicted(contexts[c], &shape, &whole);
        for (int f = 0; f < TSR_PLAN_FIELDS; f++)
          if (rng_below(&rng, 2)) part.at[f] = whole.at[f];
        GEMM->complete(contexts[c], &shape, &part);
        why[0] = 0;
        bool good = GEMM->check(contexts[c], &shape, &part, why);
        legal += good;
        assert_true(good || why[0]);
      }
    }
  printf("%d of %d partial plans can be completed by the rule\n", legal, tried);
  assert_true(2 * legal > tried);
}

static int64_t odd_number(void) {
  static const int64_t some[] = {0, 1, 2, 3, 7, 8, 16, 47, 48, 49, 63, 64, 65, 192, 4096, INT32_MAX - 1, INT32_MAX,
                                 (int64_t)1 << 32, ((int64_t)1 << 40) + 1, (int64_t)1 << 41};
  return rng_below(&rng, 2) ? some[rng_below(&rng, COUNT(some))] : rng_below(&rng, (int64_t)1 << rng_below(&rng, 31));
}

/* Fields at random: those in range complete to something that the checker can judge, and a legal one has a time. */
static void any_fields_in_range_are_survived(void **state) {
  (void)state;
  int64_t legal = 0;
  for (int i = 0; i < 60000 * rounds; i++) {
    struct tsr_values shape = shape_number(i % SHAPES), plan = {{0}};
    const tsr_context *context = contexts[i % ncontexts];
    char why[TSR_WHY_TEXT] = "";
    for (int f = 0; f < TSR_PLAN_FIELDS; f++) {
      const char *const *words = GEMM->plan[f].words;
      int64_t most = words ? 0 : INT64_MAX - 1;
      while (words && words[most]) most++;
      if (rng_below(&rng, 3) == 0) plan.at[f] = odd_number() % (most + 1);
    }
    if (!tsr_gemm_values_in_range(&plan, why)) continue;
    GEMM->complete(context, &shape, &plan);
    if (GEMM->check(context, &shape, &plan, why)) {
      legal++;
      check_predicted(context, &shape, &plan);
    } else {
      assert_true(why[0] && strlen(why) < TSR_WHY_TEXT - 1);
    }
  }
  assert_true(legal > 1000);
}

/* Fields out of range, and plans that are not whole, are named. */
static void the_checker_names_the_field(void **state) {
  (void)state;
  struct tsr_values shape = {{TSR_F32, 1000, 1000, 1000, 1, 1, 1, 4}}, plan;
  static const int64_t out_of_range[] = {-1, INT64_MIN, ((int64_t)1 << 41) + 1, INT64_MAX};
  char why[TSR_WHY_TEXT];
  for (int f = 0; f < TSR_PLAN_FIELDS; f++)
    for (int i = 0; i < COUNT(out_of_range); i++) {
      plan = (struct tsr_values){{0}};
      plan.at[f] = out_of_range[i];
      assert_false(tsr_gemm_values_in_range(&plan, why));
      assert_int_equal(strncmp(why, GEMM->plan[f].name, strlen(GEMM->plan[f].name)), 0);
      assert_false(GEMM->check(contexts[0], &shape, &plan, why));
      assert_false(GEMM->check(contexts[0], &shape, &plan, NULL));
    }
  plan = (struct tsr_values){{0}};
  assert_false(GEMM->check(contexts[0], &shape, &plan, why));
}

/* Each constraint by a plan that breaks it alone, on every chip. */
static void each_constraint_is_checked(void **state) {
  (void)state;
  static const struct {
    int64_t m, n, k;
    int a;
    struct tsr_values plan, broken; /* fields that make it legal, and the one that does not */
    const char *says;
  } cases[] = {
#define PLAN(...) {{__VA_ARGS__}}
      /*                path threads units columns order mc nc pack groups */
      {1000, 1000, 1000, 1, PLAN(3), PLAN([TSR_PLAN_THREADS] = 5), "threads is 5: it must be 1 to 4"},
      {1000, 1000, 1000, 1, PLAN(3), PLAN([TSR_PLAN_PACK] = TSR_GEMM_PACK_NONE, [TSR_PLAN_NC] = 16), "nc is"},
      {1000, 1000, 1000, 2, PLAN(3), PLAN([TSR_PLAN_PACK] = TSR_GEMM_PACK_B), "pack must take in a"},
      {1000, 1000, 1000, 2, PLAN(3), PLAN([TSR_PLAN_PACK] = TSR_GEMM_PACK_NONE), "pack must take in a"},
      {1000, 1000, 1000, 1, PLAN(3), PLAN([TSR_PLAN_MC] = 1 << 20), "mc is"},
      {1000, 100000, 1000, 1, PLAN(3, [TSR_PLAN_PACK] = TSR_GEMM_PACK_AB), PLAN([TSR_PLAN_NC] = 1 << 20), "nc is"},
      {1000, 1000, 1000, 1, PLAN(3, 4), PLAN([TSR_PLAN_GROUPS] = 5), "groups is 5: it must be 1 to 4"},
      {1000, 1000, 1000, 1, PLAN(3, 2), PLAN([TSR_PLAN_GROUPS] = 3), "groups is 3: it must be 1 to 2"},
      {4, 100000, 1000, 2, PLAN(2, 1), PLAN([TSR_PLAN_MC] = 1 << 20), "mc x nc is"},
      {100, 100, 100, 1, PLAN(1), PLAN([TSR_PLAN_PATH] = 4), "path cannot be k-split"},
      {10000, 10000, 10000, 1, PLAN(3), PLAN([TSR_PLAN_PATH] = 4, [TSR_PLAN_ORDER] = 1), "path cannot be k-split"},
      {1000, 1000, 1000, 1, PLAN(1), PLAN([TSR_PLAN_UNITS] = 48), ""},
      {1000, 1000, 1000, 1, PLAN(1), PLAN([TSR_PLAN_PATH] = 9), "path is undecided"},
      {1000, 1000, 1000, 1, PLAN(1), PLAN([TSR_PLAN_ORDER] = 3), "order is undecided"},
      {1000, 1000, 1000, 1, PLAN(3), PLAN([TSR_PLAN_PACK] = 5), "pack is undecided"},
  };
  for (int c = 0; c < ncontexts; c++)
    for (int i = 0; i < COUNT(cases); i++) {
      struct tsr_values shape = {{TSR_F32, cases[i].m, cases[i].n, cases[i].k, cases[i].a, 1, 1, 4}};
      struct tsr_values plan = cases[i].plan;
      char why[TSR_WHY_TEXT] = "";
      GEMM->complete(contexts[c], &shape, &plan);
      if (!GEMM->check(contexts[c], &shape, &plan, why)) say(contexts[c], &shape, &plan, why);
      for (int f = 0; f < TSR_PLAN_FIELDS; f++)
        if (cases[i].broken.at[f]) plan.at[f] = cases[i].broken.at[f];
      if (GEMM->check(contexts[c], &shape, &plan, why)) say(contexts[c], &shape, &plan, "it is legal");
      if (strncmp(why, cases[i].says, strlen(cases[i].says)) != 0) say(contexts[c], &shape, &plan, why);
    }
}

/* The highest tile there is: in place it may be used, but no panel of A is so wide. */
static void panels_are_no_wider_than_packing_kernels(void **state) {
  (void)state;
  for (int c = 0; c < ncontexts; c++) {
    const struct tsr_tiles *tiles = &contexts[c]->kernels[TSR_F32].gemm;
    int64_t units = TSR_MAX_UNITS;
    while (!tiles->max_columns[units]) units--;
    struct tsr_values shape = {{TSR_F32, 1000, 1000, 1000, 1, 1, 1, 1}};
    struct tsr_values plan = {{TSR_GEMM_PACKED, 1, units, 1, 0, units * tiles->mu, 16, TSR_GEMM_PACK_AB, 1}};
    assert_int_equal(GEMM->check(contexts[c], &shape, &plan, NULL), units * tiles->mu <= TSR_MAX_WIDTH);
    plan.at[TSR_PLAN_PACK] = TSR_GEMM_PACK_B;
    assert_true(GEMM->check(contexts[c], &shape, &plan, NULL));
  }
}

/* Multiples of a tile's unit, where the chip has units of more than a row. */
static void blocks_are_of_whole_units(void **state) {
  (void)state;
  for (int c = 0; c < ncontexts; c++) {
    const struct tsr_tiles *tiles = &contexts[c]->kernels[TSR_F32].gemm;
    struct tsr_values shape = {{TSR_F32, 1000, 1000, 1000, 1, 1, 1, 1}}, packed = {{TSR_GEMM_PACKED}};
    packed.at[TSR_PLAN_PACK] = TSR_GEMM_PACK_AB;
    GEMM->complete(contexts[c], &shape, &packed);
    assert_true(GEMM->check(contexts[c], &shape, &packed, NULL));
    struct tsr_values odd = packed;
    odd.at[TSR_PLAN_MC]++;
    if (tiles->mu > 1) assert_false(GEMM->check(contexts[c], &shape, &odd, NULL));
    odd = packed;
    odd.at[TSR_PLAN_NC]++;
    if (packed.at[TSR_PLAN_COLUMNS] > 1) assert_false(GEMM->check(contexts[c], &shape, &odd, NULL));
    for (int columns = 1; columns <= TSR_MAX_COLUMNS + 1; columns++) {
      odd = packed;
      odd.at[TSR_PLAN_COLUMNS] = columns;
      odd.at[TSR_PLAN_NC] = columns * 8;
      bool possible = columns <= tiles->max_columns[odd.at[TSR_PLAN_UNITS]] && columns <= tiles->max_columns[1];
      assert_int_equal(GEMM->check(contexts[c], &shape, &odd, NULL), possible);
    }
  }
}

/* A problem and its shape say the same, for each way that leading strides may lie. */
static void shapes_and_problems_agree(void **state) {
  (void)state;
  for (int i = 0; i < SHAPES; i++)
    for (int64_t pages = 1; pages <= 8; pages++) {
      struct tsr_values shape = shape_number(i), again = {{0}};
      struct tsr_gemm_problem problem;
      shape.at[TSR_SHAPE_PAGES] = pages;
      tsr_gemm_problem_of(&shape, &problem);
      tsr_gemm_shape_of(&problem, (int)shape.at[TSR_SHAPE_THREADS], &again);
      assert_memory_equal(&again, &shape, sizeof shape);
    }
}

/* Classes are few enough for what is learned to tell them apart, and places are numbers. */
static void classes_and_places_are_sound(void **state) {
  (void)state;
  double where[TSR_PLACE];
  for (int i = 0; i < SHAPES; i++) {
    struct tsr_values shape = shape_number(i), plan = random_plan(&rng, contexts[0], &shape);
    GEMM->place(&shape, where);
    for (int j = 0; j < TSR_PLACE; j++) assert_true(isfinite(where[j]));
    assert_true(GEMM->class_of(&plan) >= 0);
    for (int j = 0; j < 3; j++) assert_true(fabs(where[j] - log2((double)shape.at[TSR_SHAPE_M + j])) < 0.09);
  }
}

int main(int argc, char **argv) {
  rng.state = test_seed();
  tsr_costs_of_family("", &costs);
  if (argc > 1 && !strcmp(argv[1], "slow")) rounds = 40;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(candidates_are_sound),             cmocka_unit_test(short_lists_are_filled_and_no_more),
      cmocka_unit_test(the_rule_completes_legally),       cmocka_unit_test(any_fields_in_range_are_survived),
      cmocka_unit_test(the_checker_names_the_field),      cmocka_unit_test(each_constraint_is_checked),
      cmocka_unit_test(panels_are_no_wider_than_packing_kernels),
      cmocka_unit_test(blocks_are_of_whole_units),        cmocka_unit_test(shapes_and_problems_agree),
      cmocka_unit_test(classes_and_places_are_sound),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
