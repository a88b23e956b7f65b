/* The numeric contract: random convolutions over all that a descriptor can say give the bits of the loop in
 * tessera/conv.h on every chip, with any number of threads, called and planned, the first time and the second; images
 * by themselves, and other layouts, give the same bits. */
#include <fenv.h>
#include <signal.h>
#include <unistd.h>

#include "test/conv/conv_test.h"

static bool slow;

/* Features one by one for a telling failure, then all together. */
static const unsigned features[] = {0,           F_LAYOUTS,  F_STRIDES,
                                    F_TYPES,     F_DIMS,     F_GROUPS,
                                    F_DEPTHWISE, F_TRANSPOSED | F_STRIDES, F_POST,
                                    F_TYPES | F_LAYOUTS | F_POST, F_DEPTHWISE | F_LAYOUTS | F_STRIDES | F_TYPES,
                                    F_GROUPS | F_LAYOUTS | F_DIMS | F_STRIDES, F_ALL, F_ALL, F_ALL, F_ALL,
                                    F_LAYOUTS | F_WIDE, F_ALL | F_WIDE, F_POST | F_DEEP, F_ALL | F_DEEP,
                                    F_FEW, F_ALL | F_FEW};

/* A case that touches forbidden memory is told before the test ends. */
static char current[WHY];

static void touched(int number) {
  static const char words[] = "\ntouched forbidden memory: ";
  (void)number;
  bool told = write(2, words, sizeof words - 1) > 0 && write(2, current, strlen(current)) > 0 && write(2, "\n", 1) > 0;
  _exit(told ? 3 : 4);
}

static void catch_touches(void) {
  signal(SIGSEGV, touched);
  signal(SIGBUS, touched);
}

typedef void problem_body(struct problem *p, struct rng *rng);

static unsigned more_features;

static void each_problem(int rounds, double work, problem_body *body) {
  refused = accepted = 0;
  catch_touches();
  for (int i = 0; i < rounds * COUNT(features) * (slow ? 12 : 1); i++) {
    struct problem p;
    struct rng rng = {test_seed() + (uint64_t)i * 977};
    unsigned with = features[i % COUNT(features)] | more_features;
    double most = (slow ? 8 : 1) * work * (with & (F_DEEP | F_FEW) ? 10 : 1);
    problem_draw(&p, test_seed() * 100003 + (uint64_t)i, with, most);
    problem_text(&p, current, sizeof current);
    body(&p, &rng);
    problem_close(&p);
  }
  if (refused)
    fail_msg("%d calls of %d are not supported, the last because: %s", refused, refused + accepted, tsr_last_error());
}

static void both_ways(struct problem *p, struct rng *rng) {
  for (int c = 0; c < ncontexts; c++)
    for (int threads = 1; threads <= 4; threads++) {
      if (is_generic(contexts[c]) && threads % 4 != (int)(p->seed % 4)) continue;
      check_problem(contexts[c], threads, p, rng_below(rng, 2) ? plain_call : planned_call);
    }
}

static void same_bits_as_the_loop(void **state) {
  (void)state;
  each_problem(30, 4e5, both_ways);
}

/* Specials in the weights meet padding, too: what does not count leaves no trace. */
static void with_specials(struct problem *p, struct rng *rng) {
  struct problem q = {.d = p->d, .seed = p->seed, .fill = FILL_SPECIAL, .place = p->place, .shift = p->shift};
  problem_fill(&q, p->bias != NULL);
  both_ways(&q, rng);
  problem_close(&q);
}

static void padding_leaves_no_trace(void **state) {
  (void)state;
  each_problem(4, 2e5, with_specials);
}

static tsr_status planned_thrice(tsr_context *context, const struct problem *p, void *y) {
  tsr_conv_plan *plan;
  struct guarded space;
  tsr_status status = tsr_conv_plan_create(context, &p->d, p->w, p->bias, &plan);
  if (status != TSR_OK) return status;
  guarded_open(&space, (tsr_conv_plan_workspace(plan) + 63) / 64 * 64, PLACE_END, 0);
  for (int i = 0; i < 3 && status == TSR_OK; i++) {
    memset(space.data, i ? 0xff : 0x55, space.bytes); /* what was there does not matter */
    status = tsr_conv_run(plan, p->x, p->d.post.add, y, space.data);
  }
  guarded_close(&space);
  tsr_conv_plan_destroy(plan);
  return status;
}

static void again_and_again(struct problem *p, struct rng *rng) {
  for (int c = 0; c < ncontexts; c++) check_problem(contexts[c], 1 + (int)rng_below(rng, 4), p, planned_thrice);
}

static void plans_run_many_times(void **state) {
  (void)state;
  each_problem(4, 2e5, again_and_again);
}

/* Weights, bias, scales and zeros may go when a plan is made. */
static tsr_status forgetful(tsr_context *context, const struct problem *p, void *y) {
  tsr_conv_plan *plan;
  tsr_conv_desc d = p->d;
  size_t filters = (size_t)d.filters, real = d.type_x == TSR_F64 ? 8 : 4;
  char *w = malloc(w_bytes(&d) + 1), *bias = p->bias ? malloc(filters * 8) : NULL, *scale = malloc(filters * 8 + 8);
  int32_t *zeros = malloc(filters * 4 + 4);
  memcpy(w, p->w, w_bytes(&d));
  if (bias) memcpy(bias, p->bias, filters * real);
  if (d.post.scale) memcpy(scale, d.post.scale, (size_t)d.post.scales * real), d.post.scale = scale;
  if (d.zero_w) memcpy(zeros, d.zero_w, (size_t)d.zeros_w * 4), d.zero_w = zeros;
  tsr_status status = tsr_conv_plan_create(context, &d, w, bias, &plan);
  memset(w, 0x7f, w_bytes(&d));
  memset(scale, 0x7f, filters * 8 + 8);
  memset(zeros, 0x7f, filters * 4 + 4);
  if (bias) memset(bias, 0x7f, filters * 8);
  free(w), free(bias), free(scale), free(zeros);
  memset(&d, 0xff, sizeof d);
  if (status != TSR_OK) return status;
  char *space = aligned_alloc(64, (tsr_conv_plan_workspace(plan) + 127) / 64 * 64);
  status = tsr_conv_run(plan, p->x, p->d.post.add, y, space);
  free(space);
  tsr_conv_plan_destroy(plan);
  return status;
}

static void forget(struct problem *p, struct rng *rng) {
  for (int c = 0; c < ncontexts; c++) check_problem(contexts[c], 1 + (int)rng_below(rng, 4), p, forgetful);
}

static void plans_keep_what_they_need(void **state) {
  (void)state;
  each_problem(3, 1e5, forget);
}

/* Larger convolutions than the loop has time for: a way to compute against another. */
static void same_as(const struct problem *p, tsr_type type, const char *x, const char *y, int64_t elements,
                    const char *what) {
  char text[WHY];
  int64_t at = 0;
  if (same_bits(type, x, y, elements, &at)) return;
  problem_text(p, text, sizeof text);
  fail_msg("%s: element %lld differs %s", text, (long long)at, what);
}

static void draw_large(struct problem *p, uint64_t seed, double least) {
  catch_touches();
  do {
    struct rng rng = {seed += 7919};
    problem_sketch(p, seed, F_ALL, 0.02 * least);
    int64_t more = p->d.dims == 1 ? 900 : p->d.dims == 2 ? 40 : 8;
    for (int a = 0; a < p->d.dims; a++) p->d.in[a] += 8 + rng_below(&rng, more);
    p->d.channels *= 1 + rng_below(&rng, 3);
    p->d.filters *= 1 + rng_below(&rng, 3);
    if (p->d.post.scales > 1) p->d.post.scales = p->d.filters;
    if (p->d.zeros_w > 1) p->d.zeros_w = p->d.filters;
    assert_int_equal(tsr_conv_set_out(&p->d), TSR_OK);
  } while (p->d.batch == 0 || work_of(&p->d) < least || work_of(&p->d) > 8 * least);
}

static char *computed(const struct problem *p, tsr_context *context, int threads, compute *how) {
  char *y = malloc(y_bytes(&p->d) + 1);
  tsr_set_num_threads(context, threads);
  tsr_status status = how(context, p, y);
  tsr_set_num_threads(context, 0);
  if (status == TSR_OK) return y;
  problem_text(p, current, sizeof current);
  fail_msg("%s: %s", current, tsr_last_error());
  return y;
}

/* As problem_fill, but what is computed first is what is expected. */
static void open_large(struct problem *p, uint64_t seed, double least) {
  draw_large(p, seed, least);
  problem_inputs(p, true);
  problem_text(p, current, sizeof current);
  p->expected = computed(p, contexts[0], 1, planned_call);
}

static void threads_and_chips(void **state) {
  (void)state;
  for (int i = 0; i < (slow ? 60 : 12); i++) {
    struct problem p;
    open_large(&p, test_seed() * 3001 + (uint64_t)i * 100, slow ? 4e7 : 8e6);
    for (int c = 0; c < ncontexts; c++)
      for (int threads = 1; threads <= 4; threads += 1 + is_generic(contexts[c]) * 3)
        check_problem(contexts[c], threads, &p, threads % 2 ? plain_call : planned_call);
    problem_close(&p);
  }
}

/* Each image of a batch, alone. */
static void images_alone(void **state) {
  (void)state;
  for (int i = 0; i < (slow ? 60 : 12); i++) {
    struct problem p, one;
    draw_large(&p, test_seed() * 3301 + (uint64_t)i * 100, 4e6);
    p.d.batch = 2 + i % 3;
    problem_inputs(&p, true);
    p.expected = computed(&p, contexts[i % ncontexts], 1 + i % 4, plain_call);
    tsr_type type = full_desc(&p.d).type_y;
    size_t x = x_bytes(&p.d) / (size_t)p.d.batch, y = y_bytes(&p.d) / (size_t)p.d.batch;
    for (int64_t n = 0; n < p.d.batch; n++) {
      one = p;
      one.d.batch = 1;
      one.x = (const char *)p.x + (size_t)n * x;
      if (p.d.post.add) one.d.post.add = (const char *)p.d.post.add + (size_t)n * y;
      char *alone = computed(&one, contexts[(i + 1) % ncontexts], 1 + (int)n % 3, n % 2 ? plain_call : planned_call);
      same_as(&p, type, alone, p.expected + (size_t)n * y, (int64_t)y / tsr_size_of(type), "when an image is alone");
      free(alone);
    }
    problem_close(&p);
  }
}

/* Copies a tensor to the other layout. */
static char *turned(const char *from, int64_t outer, int64_t rows, int64_t columns, int64_t size) {
  char *to = malloc((size_t)(outer * rows * columns * size) + 1);
  for (int64_t o = 0; o < outer; o++)
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < columns; j++)
        memcpy(to + ((o * columns + j) * rows + i) * size, from + ((o * rows + i) * columns + j) * size, (size_t)size);
  return to;
}

static char *other_layout(tsr_layout layout, const void *from, int64_t outer, int64_t pixels, int64_t channels,
                          tsr_type type) {
  bool last = layout == TSR_CHANNELS_LAST;
  return turned(from, outer, last ? pixels : channels, last ? channels : pixels, tsr_size_of(type));
}

static void layouts(void **state) {
  (void)state;
  for (int i = 0; i < (slow ? 60 : 12); i++) {
    struct problem p, q;
    open_large(&p, test_seed() * 3701 + (uint64_t)i * 100, 4e6);
    tsr_conv_desc d = full_desc(&p.d);
    q = p;
    q.d.layout_x = (tsr_layout)!d.layout_x, q.d.layout_y = (tsr_layout)!d.layout_y;
    q.d.layout_w = (tsr_layout)!d.layout_w;
    int64_t inner = (d.transposed ? d.filters : d.channels) / d.groups;
    char *x = other_layout(d.layout_x, p.x, d.batch, pixels_of(d.in), d.channels, d.type_x);
    int64_t outer = d.transposed ? d.channels : d.filters, pixels = pixels_of(d.out);
    char *w = other_layout(d.layout_w, p.w, outer, pixels_of(d.kernel), inner, d.type_w), *add = NULL;
    if (d.post.add) add = other_layout(d.layout_y, d.post.add, d.batch, pixels, d.filters, d.type_y);
    q.x = x, q.w = w, q.d.post.add = add;
    char *y = computed(&q, contexts[i % ncontexts], 1 + i % 4, i % 2 ? plain_call : planned_call);
    char *back = other_layout(q.d.layout_y, y, d.batch, pixels, d.filters, d.type_y);
    same_as(&p, d.type_y, back, p.expected, d.batch * pixels * d.filters, "in other layouts");
    free(x), free(w), free(add), free(y), free(back);
    problem_close(&p);
  }
}

/* Sums of small integers are exact: no flag comes up, whatever lies in the padding, between channels or in scratch. */
static void exact_sums_raise_nothing(void **state) {
  (void)state;
  static const unsigned with[] = {F_LAYOUTS, F_DIMS | F_STRIDES, F_DEPTHWISE | F_LAYOUTS, F_GROUPS, F_TRANSPOSED,
                                  F_WIDE | F_LAYOUTS};
  for (int i = 0; i < 150; i++) {
    struct problem p = {.seed = test_seed() * 900 + (uint64_t)i, .fill = FILL_INTEGERS};
    problem_sketch(&p, p.seed, with[i % COUNT(with)], 1e5);
    p.fill = FILL_INTEGERS;
    if (i % 2) p.d.type_x = p.d.type_w = TSR_F64;
    problem_inputs(&p, true);
    char *y = malloc(y_bytes(&p.d) + 1);
    for (int c = 0; c < ncontexts; c++) {
      tsr_set_num_threads(contexts[c], 1);
      feclearexcept(FE_ALL_EXCEPT);
      tsr_status status = (i % 4 ? plain_call : planned_call)(contexts[c], &p, y);
      int flags = fetestexcept(FE_ALL_EXCEPT);
      tsr_set_num_threads(contexts[c], 0);
      problem_text(&p, current, sizeof current);
      if (status != TSR_OK) fail_msg("%s: %s: %s", tsr_context_isa(contexts[c]), current, tsr_last_error());
      if (flags) fail_msg("%s: %s: flags %#x were raised", tsr_context_isa(contexts[c]), current, (unsigned)flags);
    }
    free(y);
    problem_close(&p);
  }
}

static bool integers_are_served(void) {
  struct problem p;
  problem_draw(&p, test_seed(), F_INTEGERS, 1e4);
  char *y = malloc(y_bytes(&p.d) + 1);
  tsr_status status = plain_call(NULL, &p, y);
  free(y);
  problem_close(&p);
  return status != TSR_UNSUPPORTED;
}

static void integers(void **state) {
  (void)state;
  if (!integers_are_served()) skip();
  more_features = F_INTEGERS;
  each_problem(12, 3e5, both_ways);
  each_problem(3, 1e5, again_and_again);
  each_problem(3, 1e5, forget);
  more_features = 0;
}

/* tsr_conv_set_out against sizes that were drawn by the formula. */
static void output_sizes(void **state) {
  (void)state;
  for (int i = 0; i < 3000; i++) {
    struct problem p;
    problem_sketch(&p, test_seed() * 4001 + (uint64_t)i, F_ALL, 1e5);
    tsr_conv_desc d = p.d;
    for (int a = 0; a < 3; a++) d.out[a] = 0;
    if (tsr_conv_set_out(&d) != TSR_OK && d.transposed) continue; /* only what may be added makes an output */
    assert_int_equal(tsr_conv_set_out(&d), TSR_OK);
    for (int a = 0; a < d.dims; a++) {
      int64_t most = d.stride[a] > d.dilation[a] ? d.stride[a] : d.dilation[a], more = p.d.out[a] - d.out[a];
      if (d.transposed ? more < 0 || more >= most : more != 0) {
        problem_text(&p, current, sizeof current);
        fail_msg("%s: tsr_conv_set_out says %lld", current, (long long)d.out[a]);
      }
    }
  }
}

int main(int argc, char **argv) {
  slow = argc > 1 && strcmp(argv[1], "slow") == 0;
  const struct CMUnitTest tests[] = {
      gemm_unit_test(output_sizes),
      gemm_unit_test(same_bits_as_the_loop),
      gemm_unit_test(padding_leaves_no_trace),
      gemm_unit_test(plans_run_many_times),
      gemm_unit_test(plans_keep_what_they_need),
      gemm_unit_test(threads_and_chips),
      gemm_unit_test(images_alone),
      gemm_unit_test(layouts),
      gemm_unit_test(exact_sums_raise_nothing),
      gemm_unit_test(integers),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
