/* Bits do not depend on plans: any legal plan gives the loop's, whether it comes with the call or from a database; what
 * is not legal is refused, or not used, whatever a database holds. Databases are read by fresh processes.
 *
 * `tune_hostile slow` tries many more. */
#include "src/core/threads.h"
#include "src/tune/costs.h"
#include "test/tune/runtime_support.h"

static struct rng rng;
static int rounds = 1;

enum { MOST_PRODUCT = 2000000, GENERIC_PRODUCT = 300000, LOOKED_UP = 48 * 48 * 48, STAGE_BYTES = 1 << 25 };

static int threads_of(int i) { return thread_counts[i % THREAD_COUNTS]; }

/* A call by a random plan: the loop's bits, or a sentence and an untouched C. */
static bool check_call(struct stage *s, struct gemm_case *g, const char *plan) {
  char why[WHY];
  g->d.plan = plan;
  stage_restore(s, g);
  tsr_status status = tsr_gemm(g->context, &g->d, s->a.data, s->b.data, s->c.data);
  if (status == TSR_OK) {
    if (!stage_compare(s, g, why)) fail_msg("plan \"%s\": %s", plan, why);
    return true;
  }
  if (status != TSR_INVALID_ARGUMENT || strncmp(tsr_last_error(), "plan: ", 6) != 0 || strlen(tsr_last_error()) < 16)
    fail_msg("plan \"%s\": %d, %s", plan, (int)status, tsr_last_error());
  if (!stage_untouched(s, g)) fail_msg("plan \"%s\": C was written", plan);
  return false;
}

static void legal_plans_give_the_loops_bits(void **state) {
  (void)state;
  struct stage s;
  struct gemm_case g = {.d = TSR_GEMM_DESC};
  stage_open(&s, STAGE_BYTES);
  for (int i = 0; i < 60 * ncontexts * rounds; i++) {
    g.context = contexts[i % ncontexts];
    tsr_set_num_threads(g.context, threads_of(i / ncontexts));
    random_case(&rng, &g, is_generic(g.context) ? GENERIC_PRODUCT : MOST_PRODUCT);
    g.d.plan = NULL;
    stage_fill(&s, &g);
    stage_expect(&s, &g);
    for (int j = 0; j < 6; j++) {
      struct tsr_values shape = shape_of_case(&g, tsr_threads_available(g.context));
      struct tsr_values plan = random_plan(&rng, g.context, &shape);
      if (!check_call(&s, &g, plan_text(GEMM, &plan)))
        fail_msg("legal plan \"%s\" refused for %s: %s", plan_text(GEMM, &plan), shape_text(GEMM, &shape),
                 tsr_last_error());
    }
  }
  stage_close(&s);
}

/* Plans in words, with some fields, in range and out of it. */
static void any_words_give_the_bits_or_a_sentence(void **state) {
  (void)state;
  static const int64_t some[] = {1, 2, 3, 4, 6, 8, 12, 16, 47, 48, 64, 96, 192, 1024, 4096, 1 << 20, INT32_MAX,
                                 (int64_t)1 << 31, INT64_MAX};
  struct stage s;
  struct gemm_case g = {.d = TSR_GEMM_DESC};
  int done = 0, refused = 0;
  stage_open(&s, STAGE_BYTES);
  for (int i = 0; i < 60 * ncontexts * rounds; i++) {
    g.context = contexts[i % ncontexts];
    tsr_set_num_threads(g.context, threads_of(i / ncontexts));
    random_case(&rng, &g, is_generic(g.context) ? GENERIC_PRODUCT / 4 : MOST_PRODUCT / 8);
    g.d.plan = NULL;
    stage_fill(&s, &g);
    stage_expect(&s, &g);
    for (int j = 0; j < 20; j++) {
      char plan[TSR_VALUES_TEXT];
      struct tsr_values values = {{0}};
      for (int f = 0; f < GEMM->nplan; f++) {
        int words = 0;
        while (GEMM->plan[f].words && GEMM->plan[f].words[words]) words++;
        if (rng_below(&rng, 3)) continue;
        values.at[f] = words ? 1 + rng_below(&rng, words)
                             : some[rng_below(&rng, rng_below(&rng, 4) ? 10 : COUNT(some))];
      }
      tsr_values_print(GEMM->plan, GEMM->nplan, &values, plan);
      *(check_call(&s, &g, plan) ? &done : &refused) += 1;
    }
  }
  stage_close(&s);
  printf("%d plans in words followed, %d refused\n", done, refused);
  assert_true(done > 300 && refused > 300);
}

/* The calls that a child makes, and its parent fills the database for: the same list from the same seed. */
enum { CALLS = 40 };

static void call_number(int i, struct rng *draws, struct gemm_case *g) {
  g->context = contexts[i % ncontexts];
  tsr_set_num_threads(g->context, threads_of(i / ncontexts));
  do random_case(draws, g, is_generic(g->context) ? GENERIC_PRODUCT : MOST_PRODUCT);
  while (g->d.m * g->d.n * g->d.k <= LOOKED_UP);
}

static void child_makes_calls(void) {
  struct rng draws = {test_seed() + 77};
  struct stage s;
  struct gemm_case g = {.d = TSR_GEMM_DESC};
  int sources[5] = {0};
  char why[WHY];
  child_check(open_contexts(NULL) == 0);
  stage_open(&s, STAGE_BYTES);
  for (int i = 0; i < CALLS * ncontexts; i++) {
    struct tsr_values plan;
    struct tsr_choice about;
    call_number(i, &draws, &g);
    struct tsr_values shape = shape_of_case(&g, tsr_threads_available(g.context));
    for (int again = 0; again < 2; again++)
      if (!case_holds(&s, &g, why)) {
        fprintf(stderr, "%s\n", why);
        child_check(!"the loop's bits");
      }
    tsr_choose(GEMM, g.context, &shape, &plan, &about);
    child_check(GEMM->check(g.context, &shape, &plan, NULL));
    sources[about.source]++;
  }
  stage_close(&s);
  printf("user=%d shipped=%d model=%d rule=%d\n", sources[TSR_FROM_USER], sources[TSR_FROM_SHIPPED],
         sources[TSR_FROM_MODEL], sources[TSR_FROM_RULE]);
  close_contexts(NULL);
}

/* How many of the child's calls took a row of the user's database. */
static int user_rows(const struct outcome *outcome) {
  const char *at = strstr(outcome->out, "user=");
  assert_non_null(at);
  return atoi(at + 5);
}

static struct tsr_values shape_of_call(int i, struct rng *draws, struct gemm_case *g) {
  call_number(i, draws, g);
  return shape_of_case(g, tsr_threads_available(g->context));
}

static void no_database(void **state) {
  (void)state;
  const struct outcome *o = run_child("calls");
  child_is_fine(o, 0);
  assert_int_equal(user_rows(o), 0);
}

static void a_database_of_random_legal_rows(void **state) {
  (void)state;
  for (int round = 0; round < rounds; round++) {
    struct rng draws = {test_seed() + 77};
    struct gemm_case g = {.d = TSR_GEMM_DESC};
    for (int i = 0; i < CALLS * ncontexts; i++) {
      struct tsr_values shape = shape_of_call(i, &draws, &g), plan = random_plan(&rng, g.context, &shape);
      put_row(g.context, GEMM, &shape, &plan);
    }
    const struct outcome *o = run_child("calls");
    child_is_fine(o, 0);
    assert_int_equal(user_rows(o), CALLS * ncontexts);
  }
  setenv("TESSERA_TUNE", "off", 1);
  const struct outcome *o = run_child("calls");
  child_is_fine(o, 0);
  assert_int_equal(user_rows(o), 0);
}

/* A row for the shape that must not be used. */
static void put_bad_row(int kind, const tsr_context *context, const struct tsr_values *shape,
                        const struct tsr_values *legal) {
  static const char *const bad_plans[] = {
      "mc=9223372036854775807", "path=quantum", "x", "path=packed", "=", "units=47 columns=16",
      "path=direct threads=9999 units=1 columns=1 order=rows mc=8 nc=8", "path=direct path=direct",
      "path=packed threads=1 units=1 columns=1 mc=2147483647 nc=2147483647 pack=ab groups=1",
      "path=packed threads=1 units=1 columns=1 mc=8 nc=8 pack=ab groups=65",
      "path=across threads=1 units=1 columns=1 order=rows mc=2147483647 nc=2147483647",
      "path=direct threads=1 units=48 columns=16 order=rows mc=9223372036854775807 nc=1"};
  char own[TSR_VALUES_TEXT], text[TSR_VALUES_TEXT];
  tsr_values_print(GEMM->shape, GEMM->nshape, shape, own);
  tsr_values_print(GEMM->plan, GEMM->nplan, legal, text);
  if (kind == 0)
    put_text(context, GEMM, NULL, "other kernels", own, text, 1e-4);
  else if (kind == 1)
    put_text(context, GEMM, "another machine", NULL, own, text, 1e-4);
  else if (kind == 2)
    put_text(context, GEMM, NULL, NULL, "m=5 nonsense", text, 1e-4);
  else
    put_text(context, GEMM, NULL, NULL, own, bad_plans[(kind - 3) % COUNT(bad_plans)], 1e-4);
}

/* Fields that the database's own checks must catch, put in behind their back. */
static void spoil_with_sql(void) {
  sql("INSERT INTO rows SELECT machine, operator, shape || ' ', kernels, plan, plan, -1, 0, 1, 1, 1, 1 FROM rows "
      "LIMIT 3");
  sql("INSERT INTO rows SELECT machine, operator, shape || '  ', kernels, plan, plan, 9e999, 0, 1, 1, 1, 1 FROM rows "
      "LIMIT 3");
  sql("INSERT INTO rows SELECT machine, operator, x'00ff' || shape, kernels, x'000102', plan, 1, 0, 1, 1, 1, 1 FROM "
      "rows LIMIT 3");
  sql("INSERT INTO rows SELECT machine, operator, hex(zeroblob(2000)), kernels, hex(zeroblob(100000)), plan, 1, 0, 1, "
      "1, 1, 1 FROM rows GROUP BY machine");
  sql("INSERT OR REPLACE INTO costs SELECT machine, 'flop_f32=nonsense', 1 FROM rows GROUP BY machine");
  sql("INSERT OR REPLACE INTO samples SELECT machine, operator, shape, kernels, plan, 1e-9, 1e5 FROM rows");
}

static void a_hostile_database(void **state) {
  (void)state;
  for (int round = 0; round < rounds; round++) {
    struct rng draws = {test_seed() + 77};
    struct gemm_case g = {.d = TSR_GEMM_DESC};
    int good = 0;
    for (int i = 0; i < CALLS * ncontexts; i++) {
      struct tsr_values shape = shape_of_call(i, &draws, &g), plan = random_plan(&rng, g.context, &shape);
      if (rng_below(&rng, 3) == 0)
        put_row(g.context, GEMM, &shape, &plan), good++;
      else
        put_bad_row((int)rng_below(&rng, 15), g.context, &shape, &plan);
    }
    spoil_with_sql();
    const struct outcome *o = run_child("calls");
    child_is_fine(o, 1);
    assert_int_equal(user_rows(o), good);
    assert_non_null(strstr(o->err, "tessera: "));
    sql("DELETE FROM rows");
  }
}

/* Costs and samples that are numbers but absurd: the model may choose badly, never wrongly. */
static void absurd_costs_and_samples(void **state) {
  (void)state;
  struct rng draws = {test_seed() + 77};
  struct gemm_case g = {.d = TSR_GEMM_DESC};
  struct tsr_costs costs;
  double values[sizeof costs / sizeof(double)];
  char text[TSR_COSTS_TEXT], machine[TSR_KEY_TEXT];
  for (int i = 0; i < COUNT(values); i++) values[i] = i % 2 ? 9e5 : 1e-300;
  memcpy(&costs, values, sizeof costs);
  tsr_costs_print(&costs, text, sizeof text);
  for (int i = 0; i < ncontexts; i++) {
    tsr_machine_key(contexts[i], machine);
    struct tsr_batch batch = {.costs_machine = machine, .costs = text, .costs_when = 1790000000};
    assert_int_equal(tsr_database_write(path, &batch, NULL), TSR_OK);
  }
  for (int i = 0; i < CALLS * ncontexts; i++) {
    struct tsr_values shape = shape_of_call(i, &draws, &g), plan = random_plan(&rng, g.context, &shape);
    put_row(g.context, GEMM, &shape, &plan);
  }
  sql("INSERT OR REPLACE INTO samples SELECT machine, operator, shape, kernels, plan, 1e5, 1e-9 FROM rows");
  sql("DELETE FROM rows");
  const struct outcome *o = run_child("calls");
  child_is_fine(o, 0);
  assert_int_equal(user_rows(o), 0);
}

static void files_that_are_no_database(void **state) {
  (void)state;
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  for (int i = 0; i < 100000; i++) fputc((int)rng_below(&rng, 256), file);
  fclose(file);
  const struct outcome *o = run_child("calls");
  child_is_fine(o, 1);
  assert_int_equal(user_rows(o), 0);
  setenv("TESSERA_DB", "/dev/null/nowhere", 1);
  child_is_fine(run_child("calls"), 1);
  setenv("TESSERA_DB", folder, 1);
  child_is_fine(run_child("calls"), 1);
}

/* --- a device ---------------------------------------------------------------------------------------------------- */

#define DEVICE (&tsr_gemm_device_operator)
enum { DEVICE_CALLS = 12 };

static tsr_gemm_desc device_call(int i, struct rng *draws) {
  tsr_gemm_desc d = TSR_GEMM_DESC;
  d.type = i % 2 ? TSR_F16 : TSR_S8;
  d.type_c = i % 2 ? TSR_F32 : TSR_S32;
  d.m = 1 + rng_below(draws, 90), d.n = 1 + rng_below(draws, 90), d.k = 1 + rng_below(draws, 200);
  d.trans_b = rng_below(draws, 2) ? TSR_TRANS : TSR_NO_TRANS;
  d.lda = d.k, d.ldb = d.trans_b == TSR_TRANS ? d.k : d.n, d.ldc = d.n;
  d.beta = (double)rng_below(draws, 2);
  return d;
}

static struct tsr_values device_shape_of(const tsr_gemm_desc *d) {
  struct tsr_gemm_problem problem;
  struct tsr_values shape = {{0}};
  tsr_gemm_normalise(d, NULL, NULL, NULL, &problem);
  tsr_gemm_device_shape(&problem, &shape);
  return shape;
}

/* Small integers, which both types hold and whose sums are exact. */
static void put_small(tsr_type type, void *at, int64_t i, int value) {
  static const uint16_t halves[] = {0xc000, 0xbc00, 0x0000, 0x3c00, 0x4000}; /* -2 .. 2 */
  if (type == TSR_S8) ((int8_t *)at)[i] = (int8_t)value;
  else ((uint16_t *)at)[i] = halves[value + 2];
}

static void child_check_bits(const tsr_gemm_desc *d, const int *a, const int *b, const void *c) {
  for (int64_t i = 0; i < d->m; i++)
    for (int64_t j = 0; j < d->n; j++) {
      int sum = 0;
      for (int64_t p = 0; p < d->k; p++)
        sum += a[i * d->k + p] * (d->trans_b == TSR_TRANS ? b[j * d->k + p] : b[p * d->n + j]);
      sum += d->beta != 0 ? 7 : 0;
      double got = d->type == TSR_S8 ? ((const int32_t *)c)[i * d->n + j] : (double)((const float *)c)[i * d->n + j];
      child_check(got == sum);
    }
}

static void child_call_on_device(tsr_context *context, const tsr_gemm_desc *d, struct rng *draws) {
  static int a[200 * 200], b[200 * 200];
  static int32_t c[200 * 200], raw[200 * 200];
  void *on[3];
  int64_t count[3] = {d->m * d->k, d->k * d->n, d->m * d->n};
  for (int o = 0; o < 3; o++) {
    child_check(tsr_device_alloc(context, (size_t)(4 * count[o]), &on[o]) == TSR_OK);
    for (int64_t i = 0; i < count[o]; i++) {
      float seven = 7;
      int value = (int)rng_below(draws, 5) - 2;
      if (o < 2) put_small(d->type, raw, i, (o ? b : a)[i] = value);
      else if (d->type == TSR_S8) raw[i] = 7;
      else memcpy(&raw[i], &seven, 4);
    }
    child_check(tsr_copy_to_device(context, on[o], raw, (size_t)(4 * count[o])) == TSR_OK);
  }
  child_check(tsr_gemm(context, d, on[0], on[1], on[2]) == TSR_OK && tsr_synchronize(context) == TSR_OK);
  child_check(tsr_copy_from_device(context, c, on[2], (size_t)(4 * count[2])) == TSR_OK);
  child_check_bits(d, a, b, c);
  for (int o = 0; o < 3; o++) child_check(tsr_device_free(context, on[o]) == TSR_OK);
}

static void child_calls_on_a_device(void) {
  struct rng draws = {test_seed() + 99};
  tsr_context *context;
  int user = 0;
  child_check(tsr_context_create("accel:910b", &context) == TSR_OK);
  for (int i = 0; i < DEVICE_CALLS; i++) {
    struct tsr_values plan;
    struct tsr_choice about;
    struct rng fills = {(uint64_t)i};
    tsr_gemm_desc d = device_call(i, &draws);
    struct tsr_values shape = device_shape_of(&d);
    child_call_on_device(context, &d, &fills);
    tsr_choose(DEVICE, context, &shape, &plan, &about);
    user += about.source == TSR_FROM_USER;
  }
  printf("user=%d\n", user);
  tsr_context_destroy(context);
}

static struct tsr_values random_device_plan(const tsr_context *context, const struct tsr_values *shape) {
  for (int i = 0; i < 100000; i++) {
    int64_t slots = 2 + rng_below(&rng, 3);
    struct tsr_values plan = {{1 + rng_below(&rng, 24), 16 * (1 + rng_below(&rng, 16)), 16 * (1 + rng_below(&rng, 16)),
                               32 * (1 + rng_below(&rng, 16)), slots, slots + rng_below(&rng, 3)}};
    if (DEVICE->check(context, shape, &plan, NULL)) return plan;
  }
  fail_msg("no legal plan for %s", shape_text(DEVICE, shape));
  return (struct tsr_values){{0}};
}

static void rows_for_a_device(void **state) {
  (void)state;
  static const char *const bad[] = {"down=5 mc=16 nc=16 kc=32 slots=2 panels=2", "mc=16", "path=packed",
                                    "kc=2147483648",
                                    "down=1 mc=16 nc=16 kc=9223372036854775807 slots=2 panels=9223372036854775807"};
  tsr_context *context;
  assert_int_equal(tsr_context_create("accel:910b", &context), TSR_OK);
  child_is_fine(run_child("device"), 0);
  for (int hostile = 0; hostile < 2; hostile++) {
    struct rng draws = {test_seed() + 99};
    int good = 0;
    for (int i = 0; i < DEVICE_CALLS; i++) {
      tsr_gemm_desc d = device_call(i, &draws);
      struct tsr_values shape = device_shape_of(&d), plan = random_device_plan(context, &shape);
      if (!hostile || i % 3 == 0)
        put_row(context, DEVICE, &shape, &plan), good++;
      else
        put_text(context, DEVICE, NULL, NULL, shape_text(DEVICE, &shape), bad[i % COUNT(bad)], 1e-4);
    }
    const struct outcome *o = run_child("device");
    child_is_fine(o, hostile);
    assert_int_equal(user_rows(o), good);
  }
  tsr_context_destroy(context);
}

int main(int argc, char **argv) {
  static const struct child children[] = {
      {"calls", child_makes_calls}, {"device", child_calls_on_a_device}, {NULL, NULL}};
  int status;
  if (is_child(argc, argv, children, &status)) return status;
  rng.state = test_seed();
  if (argc > 1 && !strcmp(argv[1], "slow")) rounds = 30;
  const struct CMUnitTest tests[] = {
      gemm_unit_test(legal_plans_give_the_loops_bits), gemm_unit_test(any_words_give_the_bits_or_a_sentence),
      RUN(no_database), RUN(a_database_of_random_legal_rows), RUN(a_hostile_database), RUN(absurd_costs_and_samples),
      RUN(files_that_are_no_database), RUN(rows_for_a_device),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
