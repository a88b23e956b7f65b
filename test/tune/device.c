/* The plans of GEMM on devices: every legal one gives the bits of the loop, illegal ones are named, and what the model
 * and the search find is close to the best of all. Simulated time is the same on every host.
 *
 * `tune_device slow` searches more and larger shapes; `tune_device progress` writes what the methods had found after so
 * many measurements, a line of JSON each. */
#include "kernels/accel_sim/sim/move.h"
#include "src/gemm/device_space.h"
#include "src/gemm/walk.h"
#include "src/tune/search.h"
#include "test/tune/random.h"

#define COUNT(a) (int)(sizeof(a) / sizeof(a)[0])
#define MOST 20000

static const struct tsr_operator *const op = &tsr_gemm_device_operator;
static struct rng rng;
static struct tsr_values plans[MOST];

#define assert_ok(call)                                             \
  do {                                                              \
    if ((call) != TSR_OK) fail_msg(#call ": %s", tsr_last_error()); \
  } while (0)

static tsr_context *open_device(const char *name) {
  tsr_context *context = NULL;
  assert_ok(tsr_context_create(name, &context));
  return context;
}

static int64_t below(int64_t n) { return (int64_t)(rng_next(&rng) % (uint64_t)n); }

static const char *text_of(const struct tsr_values *shape, const struct tsr_values *plan) {
  static char text[2 * TSR_VALUES_TEXT + 8];
  char one[TSR_VALUES_TEXT], two[TSR_VALUES_TEXT] = "";
  tsr_values_print(op->shape, op->nshape, shape, one);
  if (plan) tsr_values_print(op->plan, op->nplan, plan, two);
  snprintf(text, sizeof text, "%s%s%s", one, plan ? ": " : "", two);
  return text;
}

static const int64_t pairs[][2] = {
    {TSR_F16, TSR_F32}, {TSR_F16, TSR_F16}, {TSR_BF16, TSR_F32}, {TSR_BF16, TSR_BF16}, {TSR_S8, TSR_S32}};

static struct tsr_values shape_of(int pair, int64_t m, int64_t n, int64_t k, int layout, int sums) {
  return (struct tsr_values){{pairs[pair][0], pairs[pair][1], m, n, k, 1 + layout % 2, 1 + layout / 2, sums}};
}

/* Any legal plan, in the pruned space or not; of two one with as many panels as are legal. */
static struct tsr_values random_plan(const tsr_context *context, const struct tsr_values *shape) {
  for (int i = 0; i < 100000; i++) {
    int64_t slots = 2 + below(TSR_GEMM_MOST_SLOTS - 1), kc = below(2) ? 32 << below(6) : 32 * (1 + below(24));
    struct tsr_values plan = {
        {1 + below(context->device->cores), 16 * (1 + below(16)), 16 * (1 + below(16)), kc, slots, slots + below(9)}};
    if (!op->check(context, shape, &plan, NULL)) continue;
    for (int full = (int)below(2); full && op->check(context, shape, &plan, NULL);) plan.at[TSR_DEVICE_PANELS]++;
    while (!op->check(context, shape, &plan, NULL)) plan.at[TSR_DEVICE_PANELS]--;
    return plan;
  }
  fail_msg("no legal plan found for %s", text_of(shape, NULL));
  return (struct tsr_values){{0}};
}

/* The product and its operands, in the host's memory. */
struct product {
  struct tsr_gemm_problem pr;
  int64_t a_bytes, b_bytes, c_bytes;
  unsigned char *a, *b, *c, *expected;
};

static float get(const unsigned char *at, tsr_type type) {
  uint16_t half;
  float value;
  if (type == TSR_F32) return memcpy(&value, at, 4), value;
  memcpy(&half, at, 2);
  return type == TSR_F16 ? accel_f16_to_f32(half) : accel_bf16_to_f32(half);
}

static void put(unsigned char *at, tsr_type type, float value) {
  uint16_t half;
  if (type == TSR_F32) {
    memcpy(at, &value, 4);
    return;
  }
  half = type == TSR_F16 ? accel_f32_to_f16(value) : accel_f32_to_bf16(value);
  memcpy(at, &half, 2);
}

static unsigned char *filled(int64_t bytes, tsr_type type) {
  unsigned char *at = malloc((size_t)bytes);
  int64_t size = tsr_size_of(type);
  for (int64_t i = 0; i < bytes / size; i++) {
    if (type == TSR_S8 || type == TSR_S32)
      for (int64_t j = 0; j < size; j++) at[i * size + j] = (unsigned char)below(256);
    else
      put(at + i * size, type, (float)(below(4001) - 2000) / 512);
  }
  return at;
}

static void expect_float(struct product *p, int64_t i, int64_t j) {
  const struct tsr_gemm_problem *pr = &p->pr;
  unsigned char *c = p->expected + i * tsr_size_of(pr->type_c) + j * pr->csc;
  float y = pr->beta == 0 ? 0 : (float)pr->beta * get(c, pr->type_c);
  for (int64_t p0 = 0, kb = tsr_gemm_kb(pr->type); p0 < pr->k; p0 += kb) {
    float s = 0;
    for (int64_t q = p0; q < pr->k && q < p0 + kb; q++)
      s = fmaf(get(p->a + i * pr->rsa + q * pr->csa, pr->type), get(p->b + q * pr->rsb + j * pr->csb, pr->type), s);
    y = fmaf((float)pr->alpha, s, y);
  }
  put(c, pr->type_c, y);
}

static void expect_integer(struct product *p, int64_t i, int64_t j) {
  const struct tsr_gemm_problem *pr = &p->pr;
  unsigned char *c = p->expected + i * 4 + j * pr->csc;
  uint32_t old, s = 0;
  memcpy(&old, c, 4);
  for (int64_t q = 0; q < pr->k; q++)
    s += (uint32_t)((signed char)p->a[i * pr->rsa + q * pr->csa] * (signed char)p->b[q * pr->rsb + j * pr->csb]);
  s = (uint32_t)(int32_t)pr->alpha * s + (pr->beta == 0 ? 0 : (uint32_t)(int32_t)pr->beta * old);
  memcpy(c, &s, 4);
}

static void make(struct product *p, const struct tsr_values *shape) {
  const int64_t *s = shape->at;
  struct tsr_gemm_problem *pr = &p->pr;
  tsr_type type = (tsr_type)s[TSR_DEVICE_TYPE], to = (tsr_type)s[TSR_DEVICE_TO];
  int64_t m = s[TSR_DEVICE_M], n = s[TSR_DEVICE_N], k = s[TSR_DEVICE_K], size = tsr_size_of(type);
  bool a_n = s[TSR_DEVICE_A] == 1, b_n = s[TSR_DEVICE_B] == 1, direct = s[TSR_DEVICE_SUMS] == 1;
  *pr = (struct tsr_gemm_problem){.type = type, .type_c = to, .m = m, .n = n, .k = k, .alpha = direct ? 1 : 2,
                                  .beta = direct ? 0 : (double)below(3), .csc = (m + below(3)) * tsr_size_of(to)};
  pr->rsa = a_n ? size : (k + below(3)) * size, pr->csa = a_n ? (m + below(3)) * size : size;
  pr->rsb = b_n ? size : (n + below(3)) * size, pr->csb = b_n ? (k + below(3)) * size : size;
  p->a_bytes = a_n ? k * pr->csa : m * pr->rsa, p->b_bytes = b_n ? n * pr->csb : k * pr->rsb, p->c_bytes = n * pr->csc;
  p->a = filled(p->a_bytes, type), p->b = filled(p->b_bytes, type), p->c = filled(p->c_bytes, to);
  p->expected = malloc((size_t)p->c_bytes);
  memcpy(p->expected, p->c, (size_t)p->c_bytes);
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < m; i++) type == TSR_S8 ? expect_integer(p, i, j) : expect_float(p, i, j);
}

static tsr_mem on_device(tsr_context *context, const void *from, int64_t bytes) {
  void *address = NULL;
  assert_ok(tsr_device_alloc(context, (size_t)bytes, &address));
  assert_ok(tsr_copy_to_device(context, address, from, (size_t)bytes));
  return (tsr_mem)address;
}

static void drop(struct product *p) {
  free(p->a);
  free(p->b);
  free(p->c);
  free(p->expected);
}

/* The same product by several random plans: each gives the loop's bits, and no race. */
static void check_plans(const char *name, const struct tsr_values *shape, int count) {
  struct product p;
  tsr_context *context = open_device(name);
  make(&p, shape);
  unsigned char *got = malloc((size_t)p.c_bytes);
  p.pr.a = on_device(context, p.a, p.a_bytes);
  p.pr.b = on_device(context, p.b, p.b_bytes);
  for (int i = 0; i < count; i++) {
    struct tsr_values plan = random_plan(context, shape);
    p.pr.c = on_device(context, p.c, p.c_bytes);
    if (tsr_gemm_on_device_by(context, &p.pr, &plan) != TSR_OK || tsr_synchronize(context) != TSR_OK)
      fail_msg("%s: %s: %s", name, text_of(shape, &plan), tsr_last_error());
    assert_ok(tsr_copy_from_device(context, got, (void *)p.pr.c, (size_t)p.c_bytes));
    if (memcmp(got, p.expected, (size_t)p.c_bytes) != 0) fail_msg("%s: other bits: %s", name, text_of(shape, &plan));
    assert_ok(tsr_device_free(context, (void *)p.pr.c));
  }
  free(got);
  drop(&p);
  tsr_context_destroy(context);
}

static void random_plans_give_the_bits_of_the_loop(void **unused) {
  (void)unused;
  for (int i = 0; i < 80; i++) {
    char name[64];
    snprintf(name, sizeof name, i % 3 == 2 ? "accel:%s,races,shuffle=%d" : "accel:%s,races", i % 2 ? "310p" : "910b",
             i + 1);
    struct tsr_values shape =
        shape_of(i % COUNT(pairs), 1 + below(300), 1 + below(600), 1 + below(500), (int)below(4), 1 + (int)below(2));
    check_plans(name, &shape, 4);
  }
}

/* More than one block of k, where chunks must end with a block, and sums pass through memory. */
static void random_plans_with_long_k(void **unused) {
  (void)unused;
  for (int i = 0; i < 10; i++) {
    struct tsr_values shape = shape_of(i % COUNT(pairs), 1 + below(40), 1 + below(200), 4097 + below(5000),
                                       (int)below(4), 1 + (int)below(2));
    check_plans(i % 2 ? "accel:310p,races" : "accel:910b,races", &shape, 4);
  }
}

/* Each constraint, by a plan that breaks it alone, and the field that the sentence must name. */
static void illegal_plans_are_named(void **unused) {
  (void)unused;
  static const struct {
    struct tsr_values plan;
    const char *field;
  } cases[] = {
      {{{5, 128, 128, 64, 3, 3}}, "down"},      {{{0, 128, 128, 64, 3, 3}}, "down"},
      {{{-24, 128, 128, 64, 3, 3}}, "down"},    {{{48, 128, 128, 64, 3, 3}}, "down"},
      {{{4, 120, 128, 64, 3, 3}}, "mc"},        {{{4, 0, 128, 64, 3, 3}}, "mc"},
      {{{4, 272, 16, 64, 3, 3}}, "mc"},         {{{4, 128, 24, 64, 3, 3}}, "nc"},
      {{{4, 16, 272, 64, 3, 3}}, "nc"},         {{{4, 256, 256, 64, 3, 3}}, "mc * nc"},
      {{{4, 128, 128, 48, 3, 3}}, "kc"},        {{{4, 128, 128, 0, 3, 3}}, "kc"},
      {{{4, 128, 128, -64, 3, 3}}, "kc"},       {{{4, 128, 128, 96, 3, 3}}, "kc"},
      {{{4, 128, 128, INT64_MAX, 3, 3}}, "kc"}, {{{4, 128, 128, 64, 1, 3}}, "slots"},
      {{{4, 128, 128, 64, 5, 5}}, "slots"},     {{{4, 128, 128, 512, 4, 4}}, "slots"},
      {{{4, 128, 128, 64, 3, 2}}, "panels"},    {{{4, 128, 128, 64, 3, 68}}, "panels"},
      {{{4, 128, 128, 64, 3, INT64_MAX}}, "panels"}, {{{4, 128, 128, 64, 3, INT64_MIN}}, "panels"}};
  tsr_context *context = open_device("accel:910b,time-only");
  struct tsr_values shape = shape_of(0, 1000, 1000, 5000, 0, 1), legal = {{4, 128, 128, 64, 3, 3}};
  char why[TSR_WHY_TEXT];
  assert_true(op->check(context, &shape, &legal, why));
  for (int i = 0; i < COUNT(cases); i++) {
    if (op->check(context, &shape, &cases[i].plan, why)) fail_msg("legal: %s", text_of(&shape, &cases[i].plan));
    if (strncmp(why, cases[i].field, strlen(cases[i].field)) != 0) fail_msg("%s: not of %s", why, cases[i].field);
    assert_false(op->check(context, &shape, &cases[i].plan, NULL));
  }
  shape.at[TSR_DEVICE_TYPE] = TSR_F64;
  assert_false(op->check(context, &shape, &legal, why));
  assert_non_null(strstr(why, "types"));
  shape = shape_of(0, 0, 10, 10, 0, 1);
  assert_false(op->check(context, &shape, &legal, why));
  tsr_context_destroy(context);
}

/* A plan of one's own that is illegal is refused, and C stays as it was. */
static void illegal_plans_do_not_run(void **unused) {
  (void)unused;
  struct tsr_values shape = shape_of(0, 40, 40, 40, 0, 1), plan = {{4, 128, 128, 33, 3, 3}};
  tsr_context *context = open_device("accel:910b");
  struct product p;
  make(&p, &shape);
  p.pr.a = on_device(context, p.a, p.a_bytes);
  p.pr.b = on_device(context, p.b, p.b_bytes);
  p.pr.c = on_device(context, p.c, p.c_bytes);
  assert_int_equal(tsr_gemm_on_device_by(context, &p.pr, &plan), TSR_INVALID_ARGUMENT);
  assert_non_null(strstr(tsr_last_error(), "kc is 33"));
  assert_ok(tsr_copy_from_device(context, p.expected, (void *)p.pr.c, (size_t)p.c_bytes));
  assert_memory_equal(p.expected, p.c, p.c_bytes);
  drop(&p);
  tsr_context_destroy(context);
}

static int by_value(const void *x, const void *y) { return memcmp(x, y, sizeof(struct tsr_values)); }

/* Candidates are legal and different; what completes a partial plan keeps what was given. */
static void the_space_is_sound(void **unused) {
  (void)unused;
  static const char *const names[] = {"accel:910b,time-only", "accel:310p,time-only"};
  char why[TSR_WHY_TEXT];
  for (int i = 0; i < 60; i++) {
    tsr_context *context = open_device(names[i % 2]);
    int64_t most = (int64_t)16 << 3 * (i % 4);
    struct tsr_values shape = shape_of(i % COUNT(pairs), 1 + below(most), 1 + below(most), 1 + below(most),
                                       (int)below(4), 1 + (int)below(2)), plan = {{0}};
    int n = op->candidates(context, &shape, plans, MOST);
    if (n < 1 || n > MOST || op->candidates(context, &shape, NULL, 0) != n)
      fail_msg("%d plans: %s", n, text_of(&shape, NULL));
    for (int c = 0; c < n; c++) {
      if (!op->check(context, &shape, &plans[c], why)) fail_msg("%s: %s", text_of(&shape, &plans[c]), why);
      assert_true(op->predict(context, NULL, &shape, &plans[c]) > 0);
    }
    qsort(plans, (size_t)n, sizeof plans[0], by_value);
    for (int c = 1; c < n; c++) assert_int_not_equal(by_value(&plans[c - 1], &plans[c]), 0);
    op->complete(context, &shape, &plan);
    if (!op->check(context, &shape, &plan, why)) fail_msg("%s: %s", text_of(&shape, &plan), why);
    struct tsr_values whole = random_plan(context, &shape);
    for (int field = 0; field < TSR_DEVICE_PLAN_FIELDS; field++) {
      plan = (struct tsr_values){{0}};
      plan.at[field] = whole.at[field];
      op->complete(context, &shape, &plan);
      assert_int_equal(plan.at[field], whole.at[field]);
      if (!op->check(context, &shape, &plan, why)) fail_msg("%s: %s", text_of(&shape, &plan), why);
    }
    tsr_context_destroy(context);
  }
}

/* A chip with other buffers is served: blocks follow from what it has. */
static void a_chip_with_small_buffers(void **unused) {
  (void)unused;
  static const char *const edits[][2] = {{"bytes.l1 = 512", "bytes.l1 = 96"}, {"bytes.l0a = 64", "bytes.l0a = 16"},
                                         {"bytes.l0c = 128", "bytes.l0c = 24"}, {"cores = 24", "cores = 5"}};
  static char text[16384];
  char path[] = "./tune_device_small.chip", name[64];
  FILE *file = fopen(SOURCE_ROOT "/kernels/accel_sim/chips/910b.chip", "r");
  assert_non_null(file);
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  for (int i = 0; i < COUNT(edits); i++) {
    char *at = strstr(text, edits[i][0]), *end = at + strlen(edits[i][0]);
    assert_non_null(at);
    memset(at, ' ', (size_t)(end - at));
    memcpy(at, edits[i][1], strlen(edits[i][1]));
  }
  file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
  snprintf(name, sizeof name, "accel:%s,races", path);
  for (int i = 0; i < 10; i++) {
    struct tsr_values shape =
        shape_of(i % COUNT(pairs), 1 + below(200), 1 + below(200), 1 + below(300), (int)below(4), 1);
    check_plans(name, &shape, 3);
  }
  remove(path);
}

/* One shape's whole space, measured. */
struct measured {
  int n, classes[MOST], by_default;
  double seconds[MOST], predicted[MOST], best, default_seconds;
};

static void measure_all(const char *name, const struct tsr_values *shape, struct measured *all) {
  tsr_context *context = open_device(name);
  void *bench = op->bench_open(context, shape);
  struct tsr_values plan = {{0}};
  assert_non_null(bench);
  op->complete(context, shape, &plan);
  all->n = op->candidates(context, shape, plans, MOST);
  assert_true(all->n > 0 && all->n < MOST);
  all->by_default = -1;
  for (int i = 0; i < all->n; i++)
    if (by_value(&plans[i], &plan) == 0) all->by_default = i;
  if (all->by_default < 0) plans[all->by_default = all->n++] = plan;
  all->best = HUGE_VAL;
  for (int i = 0; i < all->n; i++) {
    all->seconds[i] = op->bench_run(bench, &plans[i]);
    if (!(all->seconds[i] > 0)) fail_msg("%s: %s", text_of(shape, &plans[i]), tsr_last_error());
    all->predicted[i] = op->predict(context, NULL, shape, &plans[i]);
    all->classes[i] = op->class_of(&plans[i]);
    all->best = fmin(all->best, all->seconds[i]);
  }
  all->default_seconds = all->seconds[all->by_default];
  assert_true(op->bench_run(bench, &plans[0]) == all->seconds[0]); /* the same time always */
  op->bench_close(bench);
  tsr_context_destroy(context);
}

/* What the search finds with so many measurements; `history` gets the best so far after each. */
static double search(const struct measured *all, int most, double *history) {
  struct tsr_search_space space = {.n = all->n, .default_index = all->by_default, .predicted = all->predicted,
                                   .classes = all->classes, .distance = op->distance, .user = plans};
  struct tsr_search_options options = {.most_measured = most, .exact = true};
  struct tsr_search_result result;
  struct tsr_search_point point = {0};
  struct tsr_search *search = tsr_search_start(&space, &options);
  assert_non_null(search);
  for (int i; (i = tsr_search_next(search)) >= 0;) assert_true(tsr_search_tell(search, i, all->seconds[i]));
  tsr_search_result(search, &result);
  assert_true(result.measured <= most);
  for (int i = 0; i < most && history; i++) {
    if (i < result.measured) tsr_search_history(search, i, &point);
    history[i] = point.best;
  }
  tsr_search_end(search);
  return all->seconds[result.winner];
}

/* Draws so many different candidates; the best so far after each. */
static void draw(const struct measured *all, int most, double *history) {
  static int order[MOST];
  for (int i = 0; i < all->n; i++) order[i] = i;
  for (int i = 0; i < most; i++) {
    int j = i + (int)below(all->n - i), drawn = order[j];
    order[j] = order[i];
    history[i] = fmin(i ? history[i - 1] : HUGE_VAL, all->seconds[drawn]);
  }
}

enum { DRAWS = 200 };

static double mean_of_draws(const struct measured *all, int most) {
  static double history[MOST];
  double sum = 0;
  for (int i = 0; i < DRAWS; i++) {
    draw(all, most, history);
    sum += history[most - 1];
  }
  return sum / DRAWS;
}

static const struct {
  const char *device;
  struct tsr_values shape;
  bool slow;
} cases[] = {
    {"accel:910b", {{TSR_F16, TSR_F32, 256, 256, 256, 1, 2, 1}}, false},
    {"accel:310p", {{TSR_F16, TSR_F32, 256, 256, 256, 1, 2, 1}}, false},
    {"accel:910b", {{TSR_F16, TSR_F32, 300, 500, 700, 1, 2, 1}}, false},
    {"accel:310p", {{TSR_F16, TSR_F32, 300, 500, 700, 1, 2, 1}}, false},
    {"accel:910b", {{TSR_F16, TSR_F32, 4096, 16, 1024, 1, 2, 1}}, false},
    {"accel:310p", {{TSR_F16, TSR_F32, 4096, 16, 1024, 1, 2, 1}}, false},
    {"accel:910b", {{TSR_S8, TSR_S32, 200, 900, 400, 2, 1, 1}}, false},
    {"accel:910b", {{TSR_BF16, TSR_BF16, 600, 200, 300, 1, 1, 2}}, false},
    {"accel:910b", {{TSR_F16, TSR_F32, 512, 2048, 256, 1, 2, 1}}, true},
    {"accel:310p", {{TSR_F16, TSR_F32, 512, 2048, 256, 1, 2, 1}}, true},
    {"accel:910b", {{TSR_F16, TSR_F32, 1024, 1024, 1024, 1, 2, 1}}, true},
    {"accel:310p", {{TSR_F16, TSR_F32, 1024, 1024, 1024, 1, 2, 1}}, true},
    {"accel:910b", {{TSR_F16, TSR_F32, 16, 4096, 4096, 1, 1, 1}}, true},
    {"accel:310p", {{TSR_F16, TSR_F32, 16, 4096, 4096, 1, 1, 1}}, true},
    {"accel:910b", {{TSR_F16, TSR_F16, 777, 1500, 901, 2, 2, 2}}, true},
    {"accel:310p", {{TSR_S8, TSR_S32, 1200, 1000, 2000, 2, 1, 1}}, true},
    {"accel:910b", {{TSR_BF16, TSR_F32, 128, 256, 9000, 1, 1, 1}}, true},
};

/* The model's first choice, and what the search finds with 5 % of the space, against the best of all. */
static void close_to_exhaustive(bool slow) {
  static struct measured all;
  double sum = 0, worst = 0, gain = 0;
  int count = 0;
  for (int i = 0; i < COUNT(cases); i++) {
    if (cases[i].slow && !slow) continue;
    measure_all(cases[i].device, &cases[i].shape, &all);
    int most = all.n / 20;
    double found = search(&all, most, NULL), random = mean_of_draws(&all, most);
    double model = all.default_seconds / all.best - 1;
    printf("%s %s %d plans, best %.2f us; the model's choice %+.1f %%, search %+.1f %%, random %+.1f %% with %d\n",
           cases[i].device, text_of(&cases[i].shape, NULL), all.n, all.best * 1e6, 100 * model,
           100 * (found / all.best - 1), 100 * (random / all.best - 1), most);
    assert_true(found <= 1.03 * all.best);
    assert_true(found <= 1.005 * random); /* where memory is the limit any plan will do */
    sum += log1p(model);
    gain += log(random / found);
    worst = fmax(worst, model);
    count++;
  }
  printf("the model's choice: %+.2f %% in the mean, %+.1f %% at worst; random draws behind the search: %+.1f %%\n",
         100 * expm1(sum / count), 100 * worst, 100 * expm1(gain / count));
  assert_true(expm1(gain / count) > 0.02);
  assert_true(expm1(sum / count) <= 0.04 && worst <= 0.15);
}

static void close_to_exhaustive_quick(void **unused) { (void)unused, close_to_exhaustive(false); }
static void close_to_exhaustive_slow(void **unused) { (void)unused, close_to_exhaustive(true); }

/* Progress for plots. */

static void print_progress(int number, const char *method, const double *history, int n, double best) {
  for (int i = 0; i < n; i++)
    if (i == 0 || history[i] < history[i - 1] || i == n - 1)
      printf("{\"device\": \"%s\", \"shape\": \"%s\", \"method\": \"%s\", \"measured\": %d, \"best\": %.9g, "
             "\"of\": %.9g}\n",
             cases[number].device, text_of(&cases[number].shape, NULL), method, i + 1, history[i], best);
}

static int progress(void) {
  static struct measured all;
  static double history[MOST], mean[MOST];
  for (int number = 0; number < COUNT(cases); number++) {
    measure_all(cases[number].device, &cases[number].shape, &all);
    int most = all.n / 5;
    search(&all, most, history);
    print_progress(number, "model", history, most, all.best);
    memset(mean, 0, sizeof mean);
    for (int d = 0; d < DRAWS; d++) {
      draw(&all, all.n, history);
      for (int i = 0; i < all.n; i++) mean[i] += history[i] / DRAWS;
    }
    print_progress(number, "random", mean, all.n, all.best);
    for (int i = 0; i < all.n; i++) history[i] = fmin(i ? history[i - 1] : HUGE_VAL, all.seconds[i]);
    print_progress(number, "exhaustive", history, all.n, all.best);
  }
  return 0;
}

int main(int argc, char **argv) {
  rng.state = argc > 1 && !strcmp(argv[1], "progress") ? 1 : test_seed();
  if (argc > 1 && !strcmp(argv[1], "progress")) return progress();
  const struct CMUnitTest quick[] = {
      cmocka_unit_test(random_plans_give_the_bits_of_the_loop), cmocka_unit_test(random_plans_with_long_k),
      cmocka_unit_test(illegal_plans_are_named),                cmocka_unit_test(illegal_plans_do_not_run),
      cmocka_unit_test(the_space_is_sound),                     cmocka_unit_test(a_chip_with_small_buffers),
      cmocka_unit_test(close_to_exhaustive_quick),
  };
  const struct CMUnitTest slow[] = {cmocka_unit_test(close_to_exhaustive_slow)};
  if (argc > 1 && !strcmp(argv[1], "slow")) return cmocka_run_group_tests(slow, NULL, NULL);
  return cmocka_run_group_tests(quick, NULL, NULL);
}
