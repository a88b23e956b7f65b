/* The space of attention's plans: candidates are legal, whole and different, the rule's plan is legal, whatever the
 * shape; the checker names what is wrong; any legal plan gives the bits that the reference gives; rows of the database are
 * followed, by lengths that are nearly theirs too, and calls write them when asked.
 *
 * `tune_attention slow` takes many more shapes and problems. */
#include <math.h>

#include "src/attention/space.h"
#include "src/core/threads.h"
#include "src/tune/costs.h"
#include "test/attention/attention_test.h"
#include "test/tune/runtime_support.h"

#define ATTENTION (&tsr_attention_operator)
enum { MOST = 1024, LENGTHS = 16, TYPES = 6 };
static struct rng rng;
static struct tsr_values plans[MOST];
static struct tsr_costs costs;
static int rounds = 1;

static void say(const tsr_context *context, const struct tsr_values *shape, const struct tsr_values *plan,
                const char *why) {
  fail_msg("%s: %s: %s: %s", tsr_context_isa(context), shape_text(ATTENTION, shape), plan_text(ATTENTION, plan), why);
}

static struct tsr_values random_shape(void) {
  static const int64_t lengths[LENGTHS] = {1,   2,   3,    17,   63,     64,      65,      255,
                                           256, 257, 1000, 4096, 100000, 1 << 20, 1 << 24, 5};
  static const int64_t sizes[] = {1, 8, 32, 64, 80, 128, 192, 256, 576, 1024};
  static const int64_t threads[] = {1, 2, 3, 16, TSR_MAX_THREADS};
  int64_t kv_heads = 1 + rng_below(&rng, rng_below(&rng, 20) ? 16 : 1 << 10), group = 1 + rng_below(&rng, 12);
  struct tsr_values shape = {
      {1 + rng_below(&rng, TYPES), 1 + rng_below(&rng, 9), kv_heads * group, kv_heads,
       tsr_attention_round_length(lengths[rng_below(&rng, LENGTHS)]),
       tsr_attention_round_length(lengths[rng_below(&rng, LENGTHS)]), sizes[rng_below(&rng, COUNT(sizes))],
       sizes[rng_below(&rng, COUNT(sizes))], 1 + rng_below(&rng, 3), 1 + rng_below(&rng, 2), 1 + rng_below(&rng, 2),
       threads[rng_below(&rng, COUNT(threads))]}};
  if (!tsr_attention_shape_in_range(&shape, NULL)) return random_shape(); /* blocks of 32, in rows */
  return shape;
}

static void check_one(const tsr_context *context, const struct tsr_values *shape, const struct tsr_values *plan) {
  char why[TSR_WHY_TEXT] = "";
  double seconds = ATTENTION->predict(context, &costs, shape, plan);
  struct tsr_values again = *plan;
  if (!ATTENTION->check(context, shape, plan, why)) say(context, shape, plan, why);
  if (!(seconds > 0 && isfinite(seconds))) say(context, shape, plan, "the prediction is no time");
  for (int f = 0; f < TSR_MOST_FIELDS; f++)
    if ((plan->at[f] != 0) != (f < TSR_ATTENTION_PLAN_FIELDS)) say(context, shape, plan, "it is not whole, or too much");
  ATTENTION->complete(context, shape, &again);
  if (memcmp(&again, plan, sizeof again) != 0) say(context, shape, plan, "changed by completing");
}

static int by_value(const void *x, const void *y) { return memcmp(x, y, sizeof(struct tsr_values)); }

static void candidates_are_sound(void **state) {
  (void)state;
  double where[TSR_PLACE];
  for (int i = 0; i < 400 * rounds; i++) {
    const tsr_context *context = contexts[i % ncontexts];
    struct tsr_values shape = random_shape();
    int n = ATTENTION->candidates(context, &shape, plans, MOST);
    assert_true(n >= 1 && n < MOST);
    for (int j = 0; j < n; j++) check_one(context, &shape, &plans[j]);
    qsort(plans, (size_t)n, sizeof plans[0], by_value);
    for (int j = 1; j < n; j++)
      if (by_value(&plans[j - 1], &plans[j]) == 0) say(context, &shape, &plans[j], "twice");
    ATTENTION->place(&shape, where);
    for (int j = 0; j < TSR_PLACE; j++) assert_true(isfinite(where[j]));
    assert_true(ATTENTION->class_of(&plans[0]) >= 0);
  }
}

static void short_lists_are_filled_and_no_more(void **state) {
  (void)state;
  static struct tsr_values few[MOST + 1];
  for (int i = 0; i < 50; i++) {
    struct tsr_values shape = random_shape();
    int n = ATTENTION->candidates(contexts[0], &shape, plans, MOST), most = (int)rng_below(&rng, n + 1);
    memset(few, 0x5a, sizeof few);
    assert_true(ATTENTION->candidates(contexts[0], &shape, few, most) >= most);
    if (most) assert_memory_equal(few, plans, (size_t)most * sizeof plans[0]);
    for (size_t b = 0; b < sizeof few[0]; b++) assert_int_equal(((unsigned char *)&few[most])[b], 0x5a);
  }
}

/* For every shape the rule's plan is legal; around fields that were drawn the result is, or the checker says why. */
static void the_rule_completes_legally(void **state) {
  (void)state;
  int legal = 0, drawn = 4000 * rounds;
  for (int i = 0; i < drawn; i++) {
    const tsr_context *context = contexts[i % ncontexts];
    struct tsr_values shape = random_shape(), plan = {{0}};
    char why[TSR_WHY_TEXT] = "";
    ATTENTION->complete(context, &shape, &plan);
    check_one(context, &shape, &plan);
    plan = (struct tsr_values){{0}};
    for (int f = 0; f < TSR_ATTENTION_PLAN_FIELDS; f++)
      if (rng_below(&rng, 3) == 0) plan.at[f] = 1 + rng_below(&rng, ATTENTION->plan[f].words ? 2 : 300);
    if (!tsr_attention_values_in_range(&plan, why)) continue;
    ATTENTION->complete(context, &shape, &plan);
    bool good = ATTENTION->check(context, &shape, &plan, why);
    if (good) check_one(context, &shape, &plan), legal++;
    else assert_true(why[0] != 0);
  }
  assert_true(10 * legal > drawn);
}

static void the_checker_names_the_field(void **state) {
  (void)state;
  static const struct {
    const char *plan, *says;
  } cases[] = {
      {"threads=5", "threads is 5: it must be 1 to 4"},
      {"lanes=keys rows=8 width=16", "width is 16: with lanes over keys it is that of rows"},
      {"lanes=queries width=7", "width is 7: it must be a multiple"},
      {"lanes=queries width=64 rows=100", "rows is 100: it must be a multiple of width"},
      {"lanes=queries split=yes", "split goes with lanes over keys"},
      {"lanes=keys threads=1 split=yes", "split cannot be yes for one thread"},
      {"lanes=keys rows=60000", "rows is 60000: what is kept of them"},
  };
  char why[TSR_WHY_TEXT];
  struct tsr_values shape, plan;
  assert_true(tsr_values_parse(ATTENTION->shape, ATTENTION->nshape, "type=f16 batch=1 heads=8 kv_heads=2 q=100 kv=1024 "
                               "d=64 dv=64 causal=no mask=no keys=rows threads=4", &shape, why));
  for (int i = 0; i < COUNT(cases); i++) {
    const tsr_context *context = contexts[0];
    assert_true(tsr_values_parse(ATTENTION->plan, ATTENTION->nplan, cases[i].plan, &plan, why));
    ATTENTION->complete(context, &shape, &plan);
    if (ATTENTION->check(context, &shape, &plan, why)) say(context, &shape, &plan, "it is legal");
    if (strncmp(why, cases[i].says, strlen(cases[i].says)) != 0) say(context, &shape, &plan, why);
    assert_false(ATTENTION->check(context, &shape, &plan, NULL));
  }
  for (int f = 0; f < TSR_ATTENTION_PLAN_FIELDS; f++) {
    plan = (struct tsr_values){{0}};
    plan.at[f] = f % 2 ? -1 : (int64_t)1 << 40;
    assert_false(ATTENTION->check(contexts[0], &shape, &plan, why));
    assert_int_equal(strncmp(why, ATTENTION->plan[f].name, strlen(ATTENTION->plan[f].name)), 0);
  }
  for (int f = 0; f < TSR_ATTENTION_SHAPE_FIELDS; f++) {
    struct tsr_values wrong = shape;
    wrong.at[f] = (int64_t)1 << 39;
    assert_false(ATTENTION->check(contexts[0], &wrong, &plan, why));
    assert_int_equal(strncmp(why, ATTENTION->shape[f].name, strlen(ATTENTION->shape[f].name)), 0);
  }
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

/* A plan for a call, legal by the checker, in words. */
static void random_words(tsr_context *context, const struct view *v, char *words) {
  tsr_attention_desc d = view_desc(v);
  struct tsr_attention_problem p;
  struct tsr_attention_way way;
  struct tsr_values values;
  tsr_attention_normalise(&d, NULL, NULL, NULL, NULL, NULL, &p);
  do {
    values = (struct tsr_values){{1 + rng_below(&rng, 2), 1 + rng_below(&rng, v->threads)}};
    values.at[TSR_ATTENTION_SPLIT] = 1 + rng_below(&rng, 2);
    int64_t unit = values.at[0] == TSR_LANES_KEYS ? 1 : 8;
    values.at[TSR_ATTENTION_WIDTH] = unit * (1 + rng_below(&rng, 256 / unit));
    if (rng_below(&rng, 2)) values.at[TSR_ATTENTION_WIDTH] = tsr_round_up(values.at[TSR_ATTENTION_WIDTH], 48) % 288;
    if (values.at[0] == TSR_LANES_QUERIES)
      values.at[TSR_ATTENTION_ROWS] = values.at[TSR_ATTENTION_WIDTH] * (1 + rng_below(&rng, 4));
    tsr_attention_way_of(context, &p, v->threads, &values, &way);
  } while (!tsr_attention_values_in_range(&values, NULL) ||
           !tsr_attention_way_is_legal(context, &p, v->threads, &way, NULL));
  tsr_attention_values_of(&way, &values);
  tsr_values_print(ATTENTION->plan, ATTENTION->nplan, &values, words);
  struct tsr_attention_way taken;
  p.d.plan = words;
  tsr_attention_choose(context, &p, v->threads, &taken);
  assert_int_equal(taken.lanes, way.lanes);
  assert_int_equal(taken.threads, way.threads);
  assert_int_equal(taken.rows, way.rows);
  assert_int_equal(taken.width, way.width);
  assert_int_equal(!taken.split, !way.split);
}

static void any_plan_gives_the_same_bits(void **state) {
  (void)state;
  static const unsigned features[] = {0, F_TYPES | F_CAUSAL, F_ALL, F_MASK | F_PANELS, F_QUANTISED | F_BIAS, F_ALL};
  refused = accepted = 0;
  for (int i = 0; i < 24 * rounds; i++) {
    struct problem p;
    char words[TSR_VALUES_TEXT];
    problem_draw(&p, test_seed() * 100019 + (uint64_t)i, features[i % COUNT(features)], 2e6);
    for (int c = 0; c < ncontexts; c++)
      for (int j = 0; j < (is_generic(contexts[c]) ? 1 : 5); j++) {
        struct view v = view_whole(&p, contexts[c], 1 + (int)rng_below(&rng, 4));
        tsr_set_num_threads(contexts[c], v.threads);
        random_words(contexts[c], &v, words);
        v.d.plan = words;
        check_view(&v, j % 2 ? planned_call : plain_call);
      }
    problem_close(&p);
  }
  assert_true(accepted > 0);
  if (refused) fail_msg("%d of %d calls were refused: %s", refused, refused + accepted, tsr_last_error());
}

/* Words that cannot be followed: the field is named, and nothing is written. */
static void wrong_words_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *plan, *says;
  } cases[] = {{"lanes=up", "plan: lanes cannot be \"up\""}, {"mc=12", "plan: "}, {"threads=99", "plan: threads is 99"},
               {"lanes=keys rows=4 width=5", "plan: width is 5"}, {"lanes=queries width=1", "plan: width is 1"}};
  float q[64] = {0}, k[64] = {0}, v[64] = {0}, out[64];
  tsr_attention_desc d = TSR_ATTENTION_DESC;
  tsr_attention_plan *plan;
  tsr_attention_set_sizes(&d, 1, 1, 1, 4, 4, 16, 16);
  for (int i = 0; i < COUNT(cases); i++) {
    memset(out, 0x5a, sizeof out);
    d.plan = cases[i].plan;
    if (is_generic(contexts[0]) && strstr(d.plan, "width=1")) continue;
    assert_int_equal(tsr_attention(contexts[0], &d, q, k, v, out, NULL), TSR_INVALID_ARGUMENT);
    if (strncmp(tsr_last_error(), cases[i].says, strlen(cases[i].says)) != 0) fail_msg("%s", tsr_last_error());
    for (size_t b = 0; b < sizeof out; b++) assert_int_equal(((unsigned char *)out)[b], 0x5a);
    assert_int_equal(tsr_attention_plan_create(contexts[0], &d, &plan), TSR_INVALID_ARGUMENT);
  }
}

static struct tsr_attention_problem problem_of(int64_t q, int64_t kv) {
  tsr_attention_desc d = TSR_ATTENTION_DESC;
  struct tsr_attention_problem p;
  d.type_k = d.type_v = TSR_F16;
  tsr_attention_set_sizes(&d, 1, 8, 2, q, kv, 128, 128);
  tsr_attention_normalise(&d, NULL, NULL, NULL, NULL, NULL, &p);
  return p;
}

/* A row for 1024 keys serves calls of 961 to 1024, and no others. */
static void rows_are_followed(void **state) {
  (void)state;
  struct tsr_attention_problem p = problem_of(100, 1000);
  struct tsr_values shape = {{0}}, plan = {{TSR_LANES_KEYS, 1, 37, 37, 1}};
  struct tsr_attention_way way;
  tsr_attention_shape_of(&p, 2, &shape);
  assert_int_equal(shape.at[TSR_ATTENTION_KV], 1024);
  put_row(contexts[0], ATTENTION, &shape, &plan);
  tsr_choose_afresh();
  for (int64_t kv = 940; kv <= 1040; kv++) {
    p = problem_of(100, kv);
    tsr_attention_choose(contexts[0], &p, 2, &way);
    bool followed = way.lanes == TSR_LANES_KEYS && way.rows == 37 && way.threads == 1 && !way.split;
    assert_int_equal(followed, kv > 960 && kv <= 1024);
  }
}

enum { USED_Q = 64, USED_KV = 500, CALLS = 150 };

/* Calls of one shape, each of which may try another plan: the same bits all. */
static void child_uses(void) {
  enum { HEADS = 4, D = 32 };
  static float q[USED_Q * HEADS * D], kv[USED_KV * HEADS * D], first[USED_Q * HEADS * D], out[USED_Q * HEADS * D];
  tsr_attention_desc d = TSR_ATTENTION_DESC;
  tsr_attention_set_sizes(&d, 1, HEADS, HEADS, USED_Q, USED_KV, D, D);
  for (int i = 0; i < COUNT(q); i++) q[i] = (float)(i % 37) / 37;
  for (int i = 0; i < COUNT(kv); i++) kv[i] = (float)(i % 41) / 41;
  child_check(tsr_set_num_threads(NULL, 2) == TSR_OK);
  child_check(tsr_attention(NULL, &d, q, kv, kv, first, NULL) == TSR_OK);
  for (int i = 0; i < CALLS; i++) {
    child_check(tsr_attention(NULL, &d, q, kv, kv, out, NULL) == TSR_OK);
    child_check(memcmp(out, first, sizeof out) == 0);
  }
}

static void calls_tune_by_use(void **state) {
  (void)state;
  tsr_context *context;
  struct tsr_values shape, plan;
  struct tsr_choice about;
  assert_int_equal(setenv("TESSERA_TUNE", "write", 1), 0);
  child_is_fine(run_child("uses"), 0);
  assert_int_equal(unsetenv("TESSERA_TUNE"), 0);
  assert_int_equal(tsr_context_get_default(&context), TSR_OK);
  assert_true(tsr_values_parse(ATTENTION->shape, ATTENTION->nshape, "type=f32 batch=1 heads=4 kv_heads=4 q=64 kv=512 "
                               "d=32 dv=32 causal=no mask=no keys=rows threads=2", &shape, NULL));
  tsr_choose_afresh();
  tsr_choose(ATTENTION, context, &shape, &plan, &about);
  assert_int_equal(about.source, TSR_FROM_USER);
}

/* Those that are over at once, and those whose sizes tell too little. */
static void some_calls_take_the_rule(void **state) {
  (void)state;
  struct tsr_attention_problem p = problem_of(1, 64);
  assert_false(tsr_attention_is_looked_up(&p));
  p = problem_of(100, 1000);
  assert_true(tsr_attention_is_looked_up(&p));
  p.d.window_left = 100;
  assert_false(tsr_attention_is_looked_up(&p));
  p = problem_of(100, 1000);
  p.d.page_size = 16;
  assert_false(tsr_attention_is_looked_up(&p));
  p = problem_of(100, 1000);
  p.d.result = TSR_ATTENTION_PARTIAL;
  assert_false(tsr_attention_is_looked_up(&p));
}

int main(int argc, char **argv) {
  static const struct child children[] = {{"uses", child_uses}, {NULL, NULL}};
  int status;
  if (is_child(argc, argv, children, &status)) return status;
  rng.state = test_seed();
  tsr_costs_of_family("", &costs);
  if (argc > 1 && !strcmp(argv[1], "slow")) rounds = 20;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(candidates_are_sound),          cmocka_unit_test(short_lists_are_filled_and_no_more),
      cmocka_unit_test(the_rule_completes_legally),    cmocka_unit_test(the_checker_names_the_field),
      gemm_unit_test(any_plan_gives_the_same_bits),    gemm_unit_test(wrong_words_are_refused),
      RUN(rows_are_followed),                          RUN(some_calls_take_the_rule),
      RUN(calls_tune_by_use),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
