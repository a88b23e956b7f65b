/* The space of convolution's plans: candidates are legal, whole and different, the rule's plan is legal, whatever the
 * shape; the checker names what is wrong; any legal plan gives the bits of the reference; a shape and a descriptor mean
 * the same; rows of the database are followed, and calls write them when asked.
 *
 * `tune_conv slow` takes many more shapes and problems. */
#include <math.h>
#include <unistd.h>

#include "src/conv/space.h"
#include "src/core/threads.h"
#include "src/tune/costs.h"
#include "test/conv/conv_test.h"
#include "test/tune/runtime_support.h"

#define CONV (&tsr_conv_operator)
enum { MOST = 2048 };
static struct rng rng;
static struct tsr_values plans[MOST];
static struct tsr_costs costs;
static int rounds = 1;

static void say(const tsr_context *context, const struct tsr_values *shape, const struct tsr_values *plan,
                const char *why) {
  fail_msg("%s: %s: %s: %s", tsr_context_isa(context), shape_text(CONV, shape), plan_text(CONV, plan), why);
}

/* Shapes that no test could run, and small ones. */
static struct tsr_values random_shape(void) {
  static const int64_t counts[] = {1, 2, 3, 8, 16, 17, 31, 64, 96, 128, 500, 2048, 28269};
  static const int64_t sizes[] = {1, 2, 5, 7, 14, 28, 56, 57, 112, 224, 1000, 16000, 100000};
  static const int64_t kernels[] = {1, 1, 2, 3, 3, 5, 7, 31};
  static const int64_t threads[] = {1, 2, 3, 16, TSR_MAX_THREADS};
  static const tsr_type types[] = {TSR_F32, TSR_F32, TSR_F64, TSR_F16, TSR_BF16};
  tsr_conv_desc d = TSR_CONV_DESC;
  struct tsr_values shape = {{0}};
  d.type_x = d.type_w = d.type_y = types[rng_below(&rng, COUNT(types))];
  if (d.type_x != TSR_F64 && rng_below(&rng, 4) == 0) d.type_y = TSR_F32;
  d.layout_x = (tsr_layout)(rng_below(&rng, 3) == 0);
  d.layout_y = (tsr_layout)(rng_below(&rng, 3) == 0);
  d.dims = 1 + (int)rng_below(&rng, 3);
  d.transposed = rng_below(&rng, 5) == 0;
  d.batch = 1 + rng_below(&rng, rng_below(&rng, 3) ? 2 : 300);
  d.groups = rng_below(&rng, 3) ? 1 : counts[rng_below(&rng, COUNT(counts))];
  d.channels = d.groups * counts[rng_below(&rng, d.groups > 1 ? 5 : COUNT(counts))];
  d.filters = d.groups * counts[rng_below(&rng, d.groups > 1 ? 5 : COUNT(counts))];
  for (int i = 0; i < d.dims; i++) {
    d.in[i] = sizes[rng_below(&rng, d.dims == 3 ? 7 : COUNT(sizes))];
    d.kernel[i] = kernels[rng_below(&rng, COUNT(kernels))];
    d.stride[i] = 1 + rng_below(&rng, rng_below(&rng, 3) ? 1 : 4);
    d.dilation[i] = 1 + rng_below(&rng, rng_below(&rng, 4) ? 1 : 4);
    d.pad_begin[i] = rng_below(&rng, d.dilation[i] * (d.kernel[i] - 1) + 1);
    d.pad_end[i] = rng_below(&rng, d.dilation[i] * (d.kernel[i] - 1) + 1);
  }
  if (tsr_conv_set_out(&d) != TSR_OK) return random_shape();
  for (int i = 0; i < d.dims; i++)
    if (d.out[i] > TSR_MOST_SIZE) return random_shape();
  tsr_conv_shape_of(&d, (int)threads[rng_below(&rng, COUNT(threads))], &shape);
  if (!tsr_conv_shape_in_range(contexts[0], &shape, NULL)) return random_shape(); /* too many elements */
  return shape;
}

static void check_one(const tsr_context *context, const struct tsr_values *shape, const struct tsr_values *plan) {
  char why[TSR_WHY_TEXT] = "";
  double seconds = CONV->predict(context, &costs, shape, plan);
  struct tsr_values again = *plan;
  if (!CONV->check(context, shape, plan, why)) say(context, shape, plan, why);
  if (!(seconds > 0 && isfinite(seconds))) say(context, shape, plan, "the prediction is no time");
  for (int f = 0; f < TSR_MOST_FIELDS; f++)
    if ((plan->at[f] != 0) != (f < TSR_CONV_PLAN_FIELDS)) say(context, shape, plan, "it is not whole, or too much");
  CONV->complete(context, shape, &again);
  if (memcmp(&again, plan, sizeof again) != 0) say(context, shape, plan, "changed by completing");
}

static int by_value(const void *x, const void *y) { return memcmp(x, y, sizeof(struct tsr_values)); }

static void candidates_are_sound(void **state) {
  (void)state;
  double where[TSR_PLACE];
  for (int i = 0; i < 150 * rounds; i++) {
    const tsr_context *context = contexts[i % ncontexts];
    struct tsr_values shape = random_shape();
    int n = CONV->candidates(context, &shape, plans, MOST);
    assert_true(n >= 1 && n < MOST);
    for (int j = 0; j < n; j++) check_one(context, &shape, &plans[j]);
    qsort(plans, (size_t)n, sizeof plans[0], by_value);
    for (int j = 1; j < n; j++)
      if (by_value(&plans[j - 1], &plans[j]) == 0) say(context, &shape, &plans[j], "twice");
    CONV->place(&shape, where);
    for (int j = 0; j < TSR_PLACE; j++) assert_true(isfinite(where[j]));
    assert_true(CONV->class_of(&plans[0]) >= 0);
  }
}

static void short_lists_are_filled_and_no_more(void **state) {
  (void)state;
  static struct tsr_values few[MOST + 1];
  for (int i = 0; i < 30; i++) {
    struct tsr_values shape = random_shape();
    int n = CONV->candidates(contexts[0], &shape, plans, MOST), most = (int)rng_below(&rng, n + 1);
    memset(few, 0x5a, sizeof few);
    assert_true(CONV->candidates(contexts[0], &shape, few, most) >= most);
    if (most) assert_memory_equal(few, plans, (size_t)most * sizeof plans[0]);
    for (size_t b = 0; b < sizeof few[0]; b++) assert_int_equal(((unsigned char *)&few[most])[b], 0x5a);
  }
}

/* Any value of a field, sometimes beyond reason. */
static int64_t random_field(int f) {
  static const int64_t most[TSR_CONV_PLAN_FIELDS] = {4, 2, 20, 8, TSR_MAX_COLUMNS, 60, 300, 12, 2};
  return 1 + rng_below(&rng, most[f]);
}

/* For every shape the rule's plan is legal; around fields that were drawn the result is, or the checker says why. */
static void the_rule_completes_legally(void **state) {
  (void)state;
  int legal = 0, drawn = 4000 * rounds;
  for (int i = 0; i < drawn; i++) {
    const tsr_context *context = contexts[i % ncontexts];
    struct tsr_values shape = random_shape(), plan = {{0}}, given;
    char why[TSR_WHY_TEXT] = "";
    CONV->complete(context, &shape, &plan);
    check_one(context, &shape, &plan);
    plan = (struct tsr_values){{0}};
    for (int f = 0; f < TSR_CONV_PLAN_FIELDS; f++)
      if (rng_below(&rng, 4) == 0) plan.at[f] = random_field(f);
    given = plan;
    CONV->complete(context, &shape, &plan);
    for (int f = 0; f < TSR_CONV_PLAN_FIELDS; f++)
      if (given.at[f] && plan.at[f] != given.at[f]) say(context, &shape, &plan, "a given field was changed");
    bool good = CONV->check(context, &shape, &plan, why);
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
      {"lanes=groups", "lanes cannot be groups: there is one group"},
      {"lanes=neighbours", "lanes cannot be neighbours"},
      {"lanes=planes", "lanes cannot be planes"},
      {"units=40", "units is 40: tiles for so many filters here are 1"},
      {"units=1 columns=16 lanes=filters", "columns is 16: tiles 1 high are at most"},
      {"rows=57", "rows is 57: y has 56"},
      {"cols=999999", "cols is 999999: a row of y has 56"},
      {"panels=65", "panels is 65: there are "},
      {"band=no", "band cannot be no"},
  };
  char why[TSR_WHY_TEXT];
  struct tsr_values shape, plan;
  assert_true(tsr_values_parse(CONV->shape, CONV->nshape, "type=f32 to=f32 x=first y=last batch=1 channels=64 "
                               "filters=64 groups=1 in=56x56 out=56x56 kernel=3x3 stride=1x1 dilation=1x1 pad=1x1 "
                               "transposed=no threads=4", &shape, why));
  for (int i = 0; i < COUNT(cases); i++) {
    const tsr_context *context = contexts[0];
    assert_true(tsr_values_parse(CONV->plan, CONV->nplan, cases[i].plan, &plan, why));
    if (is_generic(context) && strstr(cases[i].plan, "units")) continue;
    CONV->complete(context, &shape, &plan);
    if (CONV->check(context, &shape, &plan, why)) {
      if (plan.at[TSR_CONV_COLUMNS] == 16) continue; /* there are so wide ones here */
      say(context, &shape, &plan, "it is legal");
    }
    if (strncmp(why, cases[i].says, strlen(cases[i].says)) != 0) say(context, &shape, &plan, why);
    assert_false(CONV->check(context, &shape, &plan, NULL));
  }
  for (int f = 0; f < TSR_CONV_PLAN_FIELDS; f++) {
    plan = (struct tsr_values){{0}};
    plan.at[f] = f % 2 ? -1 : (int64_t)1 << 41;
    assert_false(CONV->check(contexts[0], &shape, &plan, why));
    assert_int_equal(strncmp(why, CONV->plan[f].name, strlen(CONV->plan[f].name)), 0);
  }
  CONV->complete(contexts[0], &shape, &(struct tsr_values){{0}});
  for (int f = 0; f < TSR_CONV_SHAPE_FIELDS; f++)
    for (int k = 0; k < 3; k++) {
      struct tsr_values wrong = shape;
      wrong.at[f] = k == 0 ? (int64_t)1 << 62 : k == 1 ? -1 : 0;
      assert_false(CONV->check(contexts[0], &wrong, &plan, why));
      const char *name = CONV->shape[f].name;
      if (strncmp(why, name, strlen(name)) != 0) fail_msg("%s: %s", name, why);
    }
}

/* The rule copies x where pixels of many groups compete for the same lines; a plan need not. */
static void a_copy_for_speed_can_be_refused(void **state) {
  (void)state;
  char why[TSR_WHY_TEXT];
  struct tsr_values shape, plan = {{0}};
  bool found[3] = {false};
  assert_true(tsr_values_parse(CONV->shape, CONV->nshape, "type=f32 to=f32 x=last y=last batch=1 channels=1024 "
                               "filters=1024 groups=1024 in=7x7 out=7x7 kernel=3x3 stride=1x1 dilation=1x1 pad=1x1 "
                               "transposed=no threads=2", &shape, why));
  CONV->complete(contexts[0], &shape, &plan);
  if (plan.at[TSR_CONV_LANES] != TSR_CONV_GROUPS) return; /* a CPU without kernels for that */
  assert_int_equal(plan.at[TSR_CONV_BAND], 2);
  assert_true(tsr_values_parse(CONV->plan, CONV->nplan, "band=no", &plan, why));
  CONV->complete(contexts[0], &shape, &plan);
  check_one(contexts[0], &shape, &plan);
  int n = CONV->candidates(contexts[0], &shape, plans, MOST);
  for (int i = 0; i < n; i++) found[plans[i].at[TSR_CONV_BAND]] = true;
  assert_true(found[1] && found[2]);
}

static void integers_have_no_plans(void **state) {
  (void)state;
  struct tsr_values shape, plan = {{1, 1, 1, 1, 1, 1, 1, 1, 1}};
  char why[TSR_WHY_TEXT];
  assert_true(tsr_values_parse(CONV->shape, CONV->nshape, "type=u8 to=u8 x=last y=last batch=1 channels=64 filters=64 "
                               "groups=1 in=56x56 out=56x56 kernel=3x3 stride=1x1 dilation=1x1 pad=1x1 transposed=no "
                               "threads=4", &shape, why));
  assert_true(tsr_conv_shape_in_range(contexts[0], &shape, why));
  assert_false(CONV->check(contexts[0], &shape, &plan, why));
  assert_non_null(strstr(why, "integers are not tuned"));
  assert_int_equal(CONV->candidates(contexts[0], &shape, plans, MOST), 0);
}

/* --- shapes -------------------------------------------------------------------------------------------------------- */

/* A shape says all that the normalised problem is made of. */
static void shapes_and_descriptors_agree(void **state) {
  (void)state;
  for (int i = 0; i < 3000 * rounds; i++) {
    struct problem p;
    struct tsr_values shape = {{0}}, again = {{0}};
    tsr_conv_desc d;
    struct tsr_conv_problem before, after;
    char why[TSR_WHY_TEXT], text[TSR_VALUES_TEXT];
    problem_sketch(&p, test_seed() * 100003 + (uint64_t)i, i % 3 ? F_ALL : F_ALL | F_INTEGERS, 1e6);
    if (p.d.batch == 0) continue;
    tsr_conv_shape_of(&p.d, 3, &shape);
    if (!tsr_conv_shape_in_range(contexts[0], &shape, why)) fail_msg("%s: %s", shape_text(CONV, &shape), why);
    tsr_values_print(CONV->shape, CONV->nshape, &shape, text);
    assert_true(tsr_values_parse(CONV->shape, CONV->nshape, text, &again, why));
    assert_memory_equal(&again, &shape, sizeof again);
    tsr_conv_desc_of(&shape, &d);
    tsr_conv_normalise(&p.d, NULL, NULL, NULL, NULL, NULL, &before);
    tsr_conv_normalise(&d, NULL, NULL, NULL, NULL, NULL, &after);
    after.d = before.d;
    after.w_strides = before.w_strides; /* the layout of w is no matter of the plan */
    if (memcmp(before.dim, after.dim, sizeof before.dim) || memcmp(&before.x, &after.x, sizeof before.x) ||
        memcmp(&before.y, &after.y, sizeof before.y) || before.taps != after.taps || before.batch != after.batch)
      fail_msg("%s: another problem", text);
  }
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

/* A plan for a call, legal by the checker, in words: some fields drawn, the rest completed. */
static void random_words(tsr_context *context, const tsr_conv_desc *d, int threads, char *words) {
  struct tsr_conv_problem p;
  struct tsr_conv_way way;
  struct tsr_values values;
  tsr_conv_normalise(d, NULL, NULL, NULL, NULL, NULL, &p);
  for (int i = 0; i < 1000; i++) {
    values = (struct tsr_values){{0}};
    for (int f = 0; f < TSR_CONV_PLAN_FIELDS; f++)
      if (rng_below(&rng, 2)) values.at[f] = random_field(f);
    if (values.at[TSR_CONV_ROWS]) values.at[TSR_CONV_ROWS] = 1 + rng_below(&rng, p.dim[1].out);
    if (values.at[TSR_CONV_COLS]) values.at[TSR_CONV_COLS] = 1 + rng_below(&rng, p.dim[2].out);
    if (values.at[TSR_CONV_PLAN_THREADS]) values.at[TSR_CONV_PLAN_THREADS] = 1 + rng_below(&rng, threads);
    tsr_conv_way_of(context, &p, threads, &values, &way);
    if (tsr_conv_plan_is_legal(context, &p, threads, &values, &way, NULL)) break;
    values = (struct tsr_values){{0}};
  }
  tsr_values_print(CONV->plan, CONV->nplan, &values, words);
  tsr_conv_desc with = *d;
  struct tsr_conv_way taken;
  with.plan = words;
  p.d = &with;
  tsr_conv_way_of(context, &p, threads, &values, &way);
  tsr_conv_choose(context, &p, threads, &taken);
  struct tsr_values one = {{0}}, two = {{0}};
  tsr_conv_values_of(&way, &one);
  tsr_conv_values_of(&taken, &two);
  assert_memory_equal(&one, &two, sizeof one);
}

static void any_plan_gives_the_same_bits(void **state) {
  (void)state;
  static const unsigned features[] = {0, F_ALL, F_DEPTHWISE | F_LAYOUTS, F_GROUPS | F_TYPES, F_TRANSPOSED | F_STRIDES,
                                      F_ALL, F_DEEP | F_LAYOUTS | F_POST, F_WIDE | F_STRIDES};
  refused = accepted = 0;
  for (int i = 0; i < 48 * rounds; i++) {
    struct problem p;
    char words[TSR_VALUES_TEXT];
    problem_draw(&p, test_seed() * 100019 + (uint64_t)i, features[i % COUNT(features)], 1e6);
    for (int c = 0; c < ncontexts && p.d.batch > 0; c++)
      for (int j = 0; j < (is_generic(contexts[c]) ? 2 : 6); j++) {
        int threads = 1 + (int)rng_below(&rng, 4);
        tsr_set_num_threads(contexts[c], threads);
        random_words(contexts[c], &p.d, threads, words);
        p.d.plan = words;
        check_problem(contexts[c], threads, &p, j % 2 ? planned_call : plain_call);
        p.d.plan = NULL;
      }
    problem_close(&p);
  }
  assert_true(accepted > 0);
  if (refused) fail_msg("%d of %d calls were refused: %s", refused, refused + accepted, tsr_last_error());
}

/* And so do all candidates of a few shapes. */
static void candidates_give_the_same_bits(void **state) {
  (void)state;
  static const unsigned features[] = {F_STRIDES, F_DEPTHWISE, F_GROUPS | F_LAYOUTS, F_TRANSPOSED, F_DEEP, F_TYPES};
  for (int i = 0; i < 6 * rounds; i++) {
    struct problem p;
    struct tsr_values shape = {{0}};
    char words[TSR_VALUES_TEXT];
    int n;
    problem_draw(&p, test_seed() * 1009 + (uint64_t)i, features[i % COUNT(features)], 3e5);
    tsr_conv_shape_of(&p.d, 2, &shape);
    n = p.d.batch ? CONV->candidates(contexts[0], &shape, plans, MOST) : 0;
    for (int j = 0; j < n; j++) {
      tsr_values_print(CONV->plan, CONV->nplan, &plans[j], words);
      p.d.plan = words;
      check_problem(contexts[0], 2, &p, plain_call);
    }
    p.d.plan = NULL;
    problem_close(&p);
  }
}

/* Words that cannot be followed: the field is named, and nothing is written. */
static void wrong_words_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *plan, *says;
  } cases[] = {{"lanes=up", "plan: lanes cannot be \"up\""}, {"mc=12", "plan: "}, {"threads=99", "plan: threads is 99"},
               {"rows=9", "plan: rows is 9: y has 8"}, {"band=maybe", "plan: band cannot be \"maybe\""},
               {"rows=0", "plan: rows cannot be \"0\""}, {"rows=8 rows=8", "plan: rows is given twice"},
               {"columns=99999999999999", "plan: columns is 99999999999999"}, {"\x01\xff", "plan: "}};
  float x[4 * 64] = {0}, w[4 * 4 * 9] = {0}, y[4 * 64];
  tsr_conv_desc d = TSR_CONV_DESC;
  tsr_conv_plan *plan;
  d.channels = d.filters = 4;
  for (int i = 0; i < 2; i++) d.in[i] = 8, d.kernel[i] = 3, d.pad_begin[i] = d.pad_end[i] = 1;
  assert_int_equal(tsr_conv_set_out(&d), TSR_OK);
  for (int i = 0; i < COUNT(cases); i++) {
    memset(y, 0x5a, sizeof y);
    d.plan = cases[i].plan;
    assert_int_equal(tsr_conv(contexts[0], &d, x, w, NULL, y), TSR_INVALID_ARGUMENT);
    if (strncmp(tsr_last_error(), cases[i].says, strlen(cases[i].says)) != 0) fail_msg("%s", tsr_last_error());
    for (size_t b = 0; b < sizeof y; b++) assert_int_equal(((unsigned char *)y)[b], 0x5a);
    assert_int_equal(tsr_conv_plan_create(contexts[0], &d, w, NULL, &plan), TSR_INVALID_ARGUMENT);
  }
}

static struct tsr_conv_problem problem_of(tsr_conv_desc *d, int64_t size) {
  struct tsr_conv_problem p;
  *d = (tsr_conv_desc)TSR_CONV_DESC;
  d->channels = d->filters = 32;
  for (int i = 0; i < 2; i++) d->in[i] = size, d->kernel[i] = 3, d->pad_begin[i] = d->pad_end[i] = 1;
  assert_int_equal(tsr_conv_set_out(d), TSR_OK);
  tsr_conv_normalise(d, NULL, NULL, NULL, NULL, NULL, &p);
  return p;
}

/* A row serves its shape and no other. */
static void rows_are_followed(void **state) {
  (void)state;
  tsr_conv_desc d;
  struct tsr_conv_problem p = problem_of(&d, 30);
  struct tsr_values shape = {{0}}, plan;
  struct tsr_conv_way way;
  tsr_conv_shape_of(&d, 2, &shape);
  assert_true(tsr_values_parse(CONV->plan, CONV->nplan, "order=panels threads=1 rows=13 cols=11", &plan, NULL));
  CONV->complete(contexts[0], &shape, &plan);
  put_row(contexts[0], CONV, &shape, &plan);
  tsr_choose_afresh();
  for (int64_t size = 28; size < 33; size++) {
    p = problem_of(&d, size);
    tsr_conv_choose(contexts[0], &p, 2, &way);
    bool followed = way.order == TSR_CONV_PANELS && way.rows == 13 && way.cols == 11 && way.threads == 1;
    assert_int_equal(followed, size == 30);
  }
  p = problem_of(&d, 30);
  tsr_conv_choose(contexts[0], &p, 1, &way); /* of two threads */
  assert_int_not_equal(way.rows, 13);
}

/* Calls without a row take the rule's plan, always, however often they come. */
static void calls_take_the_rule(void **state) {
  (void)state;
  tsr_choose_afresh();
  for (int i = 0; i < 40; i++) {
    struct problem p;
    struct tsr_conv_problem problem;
    struct tsr_conv_way rule = {0}, way;
    struct tsr_values expected = {{0}}, taken = {{0}};
    problem_sketch(&p, test_seed() * 31 + (uint64_t)i, F_ALL, 3e7);
    if (p.d.batch == 0) continue;
    tsr_conv_normalise(&p.d, NULL, NULL, NULL, NULL, NULL, &problem);
    tsr_conv_complete(contexts[0], &problem, 2, &rule);
    tsr_conv_values_of(&rule, &expected);
    for (int call = 0; call < 40; call++) {
      tsr_conv_choose(contexts[0], &problem, 2, &way);
      tsr_conv_values_of(&way, &taken);
      assert_memory_equal(&taken, &expected, sizeof taken);
    }
  }
}

enum { SIZE = 30, CHANNELS = 32, CALLS = 150 };

/* Calls of one shape, each of which may try another plan: the same bits all. */
static void child_uses(void) {
  enum { PIXELS = SIZE * SIZE * CHANNELS };
  static float x[PIXELS], w[CHANNELS * CHANNELS * 9], first[PIXELS], y[PIXELS];
  tsr_conv_desc d;
  problem_of(&d, SIZE);
  for (int i = 0; i < COUNT(x); i++) x[i] = (float)(i % 37) / 37;
  for (int i = 0; i < COUNT(w); i++) w[i] = (float)(i % 41) / 41;
  child_check(tsr_set_num_threads(NULL, 2) == TSR_OK);
  child_check(tsr_conv(NULL, &d, x, w, NULL, first) == TSR_OK);
  for (int i = 0; i < CALLS; i++) {
    child_check(tsr_conv(NULL, &d, x, w, NULL, y) == TSR_OK);
    child_check(memcmp(y, first, sizeof y) == 0);
  }
}

static void calls_tune_by_use(void **state) {
  (void)state;
  tsr_context *context;
  tsr_conv_desc d;
  struct tsr_values shape = {{0}}, plan;
  struct tsr_choice about;
  assert_int_equal(setenv("TESSERA_TUNE", "write", 1), 0);
  child_is_fine(run_child("uses"), 0);
  assert_int_equal(unsetenv("TESSERA_TUNE"), 0);
  assert_int_equal(tsr_context_get_default(&context), TSR_OK);
  problem_of(&d, SIZE);
  tsr_conv_shape_of(&d, 2, &shape);
  tsr_choose_afresh();
  tsr_choose(CONV, context, &shape, &plan, &about);
  assert_int_equal(about.source, TSR_FROM_USER);
}

/* A call and a plan's run, and one of integers, whose shape is not told. */
static void child_traces(void) {
  static float x[SIZE * SIZE * CHANNELS], w[CHANNELS * CHANNELS * 9], y[SIZE * SIZE * CHANNELS];
  static _Alignas(64) char workspace[4 << 20];
  tsr_conv_desc d;
  tsr_conv_plan *plan;
  problem_of(&d, SIZE);
  child_check(tsr_set_num_threads(NULL, 1) == TSR_OK);
  child_check(tsr_conv(NULL, &d, x, w, NULL, y) == TSR_OK);
  child_check(tsr_conv_plan_create(NULL, &d, w, NULL, &plan) == TSR_OK);
  child_check(tsr_conv_plan_workspace(plan) <= sizeof workspace);
  child_check(tsr_conv_run(plan, x, NULL, y, workspace) == TSR_OK);
  tsr_conv_plan_destroy(plan);
  d.type_x = TSR_U8;
  d.type_w = TSR_S8;
  child_check(tsr_conv(NULL, &d, x, w, NULL, y) == TSR_OK);
}

static void traces_tell_the_shape(void **state) {
  (void)state;
  static const char shape[] = " {conv type=f32 to=f32 x=last y=last batch=1 channels=32 filters=32 groups=1 in=30x30 "
                              "out=30x30 kernel=3x3 stride=1x1 dilation=1x1 pad=1x1 transposed=no threads=1}\n";
  assert_int_equal(setenv("TESSERA_TRACE", "1", 1), 0);
  const struct outcome *outcome = run_child("traces");
  assert_int_equal(unsetenv("TESSERA_TRACE"), 0);
  assert_int_equal(outcome->status, 0);
  if (count_of(outcome->err, shape) != 2) fail_msg("%s", outcome->err);
  assert_int_equal(count_of(outcome->err, "tessera: tsr_conv 1:32->32/1@30x30 3x3/1x1 "), 2);
  assert_int_equal(count_of(outcome->err, "tessera: tsr_conv_run 1:32->32/1@30x30 3x3/1x1 "), 1);
  assert_int_equal(count_of(outcome->err, " integers threads=1 "), 1);
}

static void some_calls_are_not_looked_up(void **state) {
  (void)state;
  tsr_conv_desc d;
  struct tsr_conv_problem p = problem_of(&d, 2);
  assert_false(tsr_conv_is_looked_up(&p));
  p = problem_of(&d, 100);
  assert_true(tsr_conv_is_looked_up(&p));
  d.in[1] = d.out[1] = TSR_MOST_SIZE + 1;
  assert_false(tsr_conv_is_looked_up(&p));
  p = problem_of(&d, 100);
  d.type_x = TSR_U8, d.type_w = TSR_S8;
  assert_false(tsr_conv_is_looked_up(&p));
}

int main(int argc, char **argv) {
  static const struct child children[] = {{"uses", child_uses}, {"traces", child_traces}, {NULL, NULL}};
  int status;
  if (is_child(argc, argv, children, &status)) return status;
  rng.state = test_seed();
  tsr_costs_of_family("", &costs);
  if (argc > 1 && !strcmp(argv[1], "slow")) rounds = 20;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(candidates_are_sound),         cmocka_unit_test(short_lists_are_filled_and_no_more),
      cmocka_unit_test(the_rule_completes_legally),   cmocka_unit_test(the_checker_names_the_field),
      cmocka_unit_test(a_copy_for_speed_can_be_refused),
      cmocka_unit_test(integers_have_no_plans),       cmocka_unit_test(shapes_and_descriptors_agree),
      gemm_unit_test(any_plan_gives_the_same_bits),   gemm_unit_test(candidates_give_the_same_bits),
      gemm_unit_test(wrong_words_are_refused),        RUN(rows_are_followed),
      RUN(calls_take_the_rule),                       RUN(calls_tune_by_use),
      RUN(traces_tell_the_shape),                     RUN(some_calls_are_not_looked_up),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
