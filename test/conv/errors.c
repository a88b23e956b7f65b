/* Bad input: a status and a message that names the field; y as it was. Every field of the descriptor, and pointers. */
#include <math.h>

#include "test/conv/conv_test.h"

enum { ROOM = 1 << 16, CANARY = 0x5c };

static char x[ROOM] __attribute__((aligned(64))), w[ROOM] __attribute__((aligned(64))),
    y[ROOM] __attribute__((aligned(64))), extra[ROOM] __attribute__((aligned(64)));
static const int32_t zeros[8];

static tsr_conv_desc good(void) {
  tsr_conv_desc d = TSR_CONV_DESC;
  d.channels = 4, d.filters = 8, d.groups = 2;
  d.in[0] = 6, d.in[1] = 7;
  for (int a = 0; a < 2; a++) d.kernel[a] = 3, d.pad_begin[a] = d.pad_end[a] = 1;
  assert_int_equal(tsr_conv_set_out(&d), TSR_OK);
  return d;
}

static tsr_conv_desc good_transposed(void) {
  tsr_conv_desc d = good();
  d.transposed = 1;
  d.stride[0] = d.stride[1] = 2;
  assert_int_equal(tsr_conv_set_out(&d), TSR_OK);
  return d;
}

static tsr_conv_desc good_integers(void) {
  tsr_conv_desc d = good();
  d.type_x = TSR_U8, d.type_w = TSR_S8, d.type_y = TSR_U8;
  return d;
}

typedef void change(tsr_conv_desc *d);
#define CHANGE(name, statement) \
  static void name(tsr_conv_desc *d) { statement; }

CHANGE(size_0, d->size = 0)
CHANGE(size_more, d->size += 8)
CHANGE(x_unknown, d->type_x = (tsr_type)77)
CHANGE(x_negative, d->type_x = (tsr_type)-1)
CHANGE(x_none, d->type_x = (tsr_type)0)
CHANGE(x_blocks, d->type_x = d->type_w = TSR_Q8_0)
CHANGE(x_s32, d->type_x = TSR_S32)
CHANGE(w_other, d->type_w = TSR_F64)
CHANGE(w_unknown, d->type_w = (tsr_type)1000000)
CHANGE(w_half, d->type_w = TSR_BF16)
CHANGE(y_unknown, d->type_y = (tsr_type)99)
CHANGE(y_f64, d->type_y = TSR_F64)
CHANGE(y_f16, d->type_y = TSR_F16)
CHANGE(y_s32, d->type_y = TSR_S32)
CHANGE(y_u8, d->type_y = TSR_U8)
CHANGE(w_u8, d->type_w = TSR_U8)
CHANGE(layout_of_x, d->layout_x = (tsr_layout)2)
CHANGE(layout_of_w, d->layout_w = (tsr_layout)-1)
CHANGE(layout_of_y, d->layout_y = (tsr_layout)7)
CHANGE(dims_0, d->dims = 0)
CHANGE(dims_4, d->dims = 4)
CHANGE(dims_negative, d->dims = -2)
CHANGE(transposed_2, d->transposed = 2)
CHANGE(transposed_negative, d->transposed = -1)
CHANGE(batch_negative, d->batch = -1)
CHANGE(batch_huge, d->batch = INT64_MAX)
CHANGE(channels_0, d->channels = 0)
CHANGE(channels_negative, d->channels = -4)
CHANGE(channels_huge, d->channels = INT64_MAX - 1)
CHANGE(channels_odd, d->channels = 5)
CHANGE(filters_0, d->filters = 0)
CHANGE(filters_negative, d->filters = -8)
CHANGE(filters_huge, d->filters = INT64_MAX - 1)
CHANGE(filters_odd, d->filters = 9)
CHANGE(groups_0, d->groups = 0)
CHANGE(groups_negative, d->groups = -2)
CHANGE(groups_least, d->groups = INT64_MIN)
CHANGE(groups_8, d->groups = 8)
CHANGE(in_0, d->in[0] = 0)
CHANGE(in_negative, d->in[1] = -7)
CHANGE(in_huge, d->in[1] = INT64_MAX)
CHANGE(in_other, d->in[0] = 9)
CHANGE(in_small, d->in[0] = 1; d->pad_begin[0] = d->pad_end[0] = 0)
CHANGE(out_0, d->out[0] = 0)
CHANGE(out_negative, d->out[1] = -1)
CHANGE(out_more, d->out[0]++)
CHANGE(out_two_more, d->out[0] += 2)
CHANGE(out_fewer, d->out[1]--)
CHANGE(out_huge, d->out[1] = INT64_MAX)
CHANGE(kernel_0, d->kernel[0] = 0)
CHANGE(kernel_negative, d->kernel[1] = -3)
CHANGE(kernel_huge, d->kernel[0] = INT64_MAX)
CHANGE(kernel_wide, d->kernel[1] = 1000)
CHANGE(stride_0, d->stride[0] = 0)
CHANGE(stride_negative, d->stride[1] = -1)
CHANGE(stride_huge, d->stride[1] = INT64_MAX; d->in[0] = 6)
CHANGE(dilation_0, d->dilation[1] = 0)
CHANGE(dilation_negative, d->dilation[0] = -1)
CHANGE(dilation_huge, d->dilation[0] = INT64_MAX)
CHANGE(pad_begin_negative, d->pad_begin[0] = -1)
CHANGE(pad_begin_wide, d->pad_begin[1] = 3; d->out[1] += 2)
CHANGE(pad_begin_huge, d->pad_begin[1] = INT64_MAX)
CHANGE(pad_end_negative, d->pad_end[1] = -1)
CHANGE(pad_end_wide, d->pad_end[0] = 3; d->out[0] += 2)
CHANGE(pad_end_huge, d->pad_end[0] = INT64_MAX)
CHANGE(many_elements, d->batch = 1 << 30; d->in[1] = (1 << 30); d->out[1] = 1 << 30; d->channels = d->filters = 1 << 30)
CHANGE(scales_0, d->post.scale = extra; d->post.scales = 0)
CHANGE(scales_7, d->post.scale = extra; d->post.scales = 7)
CHANGE(scales_negative, d->post.scale = extra; d->post.scales = -8)
CHANGE(activation_9, d->post.activation = (tsr_activation)9)
CHANGE(activation_negative, d->post.activation = (tsr_activation)-1)
CHANGE(low_above_high, d->post.activation = TSR_CLIP; d->post.low = 1; d->post.high = 0)
CHANGE(low_nan, d->post.activation = TSR_CLIP; d->post.low = NAN; d->post.high = 0)
CHANGE(high_nan, d->post.activation = TSR_CLIP; d->post.high = NAN)
CHANGE(zero_of_float_x, d->zero_x = 3)
CHANGE(zero_of_float_w, d->zero_w = zeros; d->zeros_w = 1)
CHANGE(zero_of_float_y, d->zero_y = 3)
CHANGE(zero_x_wide, d->zero_x = 256)
CHANGE(zero_x_negative, d->zero_x = -1)
CHANGE(zero_y_wide, d->zero_y = 256)
CHANGE(zero_y_of_s32, d->type_y = TSR_S32; d->zero_y = 1)
CHANGE(zeros_3, d->zero_w = zeros; d->zeros_w = 3)
CHANGE(zeros_0, d->zero_w = zeros; d->zeros_w = 0)
CHANGE(post_of_s32, d->type_y = TSR_S32; d->post.activation = TSR_RELU)

static const struct mistake {
  const char *name, *field; /* what the message must contain */
  change *change;
  tsr_conv_desc (*base)(void);
} mistakes[] = {
#define MISTAKE(name, field) {#name, field, name, good},
#define OF(base, name, field) {#name " (" #base ")", field, name, base},
    MISTAKE(size_0, "size") MISTAKE(size_more, "size") MISTAKE(x_unknown, "type_x") MISTAKE(x_negative, "type_x")
    MISTAKE(x_none, "type_x") MISTAKE(x_blocks, "type_x") MISTAKE(x_s32, "type_x") MISTAKE(w_other, "type_w")
    MISTAKE(w_unknown, "type_w") MISTAKE(w_half, "type_w") MISTAKE(y_unknown, "type_y") MISTAKE(y_f64, "type_y")
    MISTAKE(y_f16, "type_y") MISTAKE(y_s32, "type_y") MISTAKE(y_u8, "type_y") MISTAKE(layout_of_x, "layout_x")
    MISTAKE(layout_of_w, "layout_w") MISTAKE(layout_of_y, "layout_y") MISTAKE(dims_0, "dims") MISTAKE(dims_4, "dims")
    MISTAKE(dims_negative, "dims") MISTAKE(transposed_2, "transposed") MISTAKE(transposed_negative, "transposed")
    MISTAKE(batch_negative, "batch") MISTAKE(batch_huge, "batch") MISTAKE(channels_0, "channels")
    MISTAKE(channels_negative, "channels") MISTAKE(channels_huge, "channels") MISTAKE(channels_odd, "channels")
    MISTAKE(filters_0, "filters") MISTAKE(filters_negative, "filters") MISTAKE(filters_huge, "filters")
    MISTAKE(filters_odd, "filters") MISTAKE(groups_0, "groups") MISTAKE(groups_negative, "groups")
    MISTAKE(groups_least, "groups") MISTAKE(groups_8, "groups") MISTAKE(in_0, "in[0]") MISTAKE(in_negative, "in[1]")
    MISTAKE(in_huge, "in[1]") MISTAKE(in_other, "out[0]") MISTAKE(in_small, "in[0]") MISTAKE(out_0, "out[0]")
    MISTAKE(out_negative, "out[1]") MISTAKE(out_more, "out[0]") MISTAKE(out_fewer, "out[1]") MISTAKE(out_huge, "out[1]")
    MISTAKE(kernel_0, "kernel[0]") MISTAKE(kernel_negative, "kernel[1]") MISTAKE(kernel_huge, "kernel[0]")
    MISTAKE(kernel_wide, "kernel") MISTAKE(stride_0, "stride[0]") MISTAKE(stride_negative, "stride[1]")
    MISTAKE(stride_huge, "stride[1]") MISTAKE(dilation_0, "dilation[1]") MISTAKE(dilation_negative, "dilation[0]")
    MISTAKE(dilation_huge, "dilation[0]") MISTAKE(pad_begin_negative, "pad_begin[0]")
    MISTAKE(pad_begin_wide, "pad_begin[1]") MISTAKE(pad_begin_huge, "pad_begin[1]")
    MISTAKE(pad_end_negative, "pad_end[1]") MISTAKE(pad_end_wide, "pad_end[0]") MISTAKE(pad_end_huge, "pad_end[0]")
    MISTAKE(many_elements, "batch") MISTAKE(scales_0, "scales") MISTAKE(scales_7, "scales")
    MISTAKE(scales_negative, "scales") MISTAKE(activation_9, "activation") MISTAKE(activation_negative, "activation")
    MISTAKE(low_above_high, "low") MISTAKE(low_nan, "low") MISTAKE(high_nan, "high") MISTAKE(zero_of_float_x, "zero_x")
    MISTAKE(zero_of_float_w, "zero_w") MISTAKE(zero_of_float_y, "zero_y")
    OF(good_transposed, out_two_more, "out[0]") OF(good_transposed, out_fewer, "out[1]")
    OF(good_transposed, out_huge, "out[1]") OF(good_transposed, in_huge, "in[1]")
    OF(good_transposed, stride_0, "stride[0]") OF(good_transposed, stride_huge, "stride[1]")
    OF(good_transposed, dilation_0, "dilation[1]") OF(good_transposed, dilation_huge, "dilation[0]")
    OF(good_transposed, kernel_huge, "kernel[0]") OF(good_transposed, pad_end_wide, "pad_end[0]")
    OF(good_transposed, channels_odd, "channels") OF(good_transposed, filters_odd, "filters")
    OF(good_integers, w_u8, "type_w") OF(good_integers, y_f16, "type_y") OF(good_integers, y_f64, "type_y")
    OF(good_integers, zero_x_wide, "zero_x") OF(good_integers, zero_x_negative, "zero_x")
    OF(good_integers, zero_y_wide, "zero_y") OF(good_integers, zero_y_of_s32, "zero_y")
    OF(good_integers, zeros_3, "zeros_w") OF(good_integers, zeros_0, "zeros_w") OF(good_integers, post_of_s32, "post")
    OF(good_integers, scales_7, "scales") OF(good_integers, activation_9, "activation")
};

static bool untouched(void) {
  for (int i = 0; i < ROOM; i++)
    if (y[i] != CANARY) return false;
  return true;
}

static void expect_refusal(const char *what, const char *field, tsr_status status) {
  if (status != TSR_INVALID_ARGUMENT) fail_msg("%s: the status is %s", what, tsr_status_string(status));
  if (!strstr(tsr_last_error(), field))
    fail_msg("%s: the message \"%s\" does not name %s", what, tsr_last_error(), field);
  if (!untouched()) fail_msg("%s: y was touched", what);
}

static void bad_fields(void **state) {
  (void)state;
  memset(y, CANARY, ROOM);
  for (int c = 0; c < ncontexts; c++)
    for (int i = 0; i < COUNT(mistakes); i++) {
      const struct mistake *m = &mistakes[i];
      tsr_conv_desc d = m->base();
      tsr_conv_plan *plan = (tsr_conv_plan *)&d;
      m->change(&d);
      expect_refusal(m->name, m->field, tsr_conv(contexts[c], &d, x, w, NULL, y));
      expect_refusal(m->name, m->field, tsr_conv_plan_create(contexts[c], &d, w, NULL, &plan));
      if (plan != NULL && plan != (tsr_conv_plan *)&d) fail_msg("%s: a plan was given", m->name);
    }
}

/* In 1D and 3D, the axis that is wrong is named by its own number; what lies beyond `dims` is not looked at. */
static void other_dimensions(void **state) {
  (void)state;
  memset(y, CANARY, ROOM);
  for (int dims = 1; dims <= 3; dims++)
    for (int a = 0; a < 3; a++) {
      char field[16];
      tsr_conv_desc d = good();
      d.dims = dims;
      for (int i = 0; i < 3; i++) {
        d.in[i] = 3;
        d.kernel[i] = d.stride[i] = d.dilation[i] = 1;
        d.pad_begin[i] = d.pad_end[i] = 0;
      }
      assert_int_equal(tsr_conv_set_out(&d), TSR_OK);
      d.stride[a] = 0;
      snprintf(field, sizeof field, "stride[%d]", a);
      tsr_status status = tsr_conv(NULL, &d, x, w, NULL, y);
      if (a < dims) {
        expect_refusal(field, field, status);
      } else {
        assert_int_equal(status, TSR_OK);
        memset(y, CANARY, ROOM);
      }
    }
}

static void bad_pointers(void **state) {
  (void)state;
  memset(y, CANARY, ROOM);
  tsr_conv_desc d = good();
  tsr_conv_plan *plan = NULL;
  expect_refusal("no descriptor", "desc", tsr_conv(NULL, NULL, x, w, NULL, y));
  expect_refusal("no x", "x", tsr_conv(NULL, &d, NULL, w, NULL, y));
  expect_refusal("no w", "w", tsr_conv(NULL, &d, x, NULL, NULL, y));
  expect_refusal("no y", "y", tsr_conv(NULL, &d, x, w, NULL, NULL));
  expect_refusal("no descriptor", "desc", tsr_conv_plan_create(NULL, NULL, w, NULL, &plan));
  expect_refusal("no w", "w", tsr_conv_plan_create(NULL, &d, NULL, NULL, &plan));
  expect_refusal("no plan", "plan", tsr_conv_plan_create(NULL, &d, w, NULL, NULL));
  expect_refusal("no descriptor", "desc", tsr_conv_set_out(NULL));
  tsr_conv_plan_destroy(NULL);
}

static void overlaps(void **state) {
  (void)state;
  memset(y, CANARY, ROOM);
  tsr_conv_desc d = good();
  size_t bytes = y_bytes(&d);
  expect_refusal("y is x", "x", tsr_conv(NULL, &d, y, w, NULL, y));
  expect_refusal("y is w", "w", tsr_conv(NULL, &d, x, y, NULL, y));
  expect_refusal("y is bias", "bias", tsr_conv(NULL, &d, x, w, y + bytes - 4, y));
  expect_refusal("x ends in y", "x", tsr_conv(NULL, &d, y, w, NULL, y + x_bytes(&d) - 4));
  d.post.add = y;
  expect_refusal("y is add", "add", tsr_conv(NULL, &d, x, w, NULL, y));
  d.post.add = y + bytes - 4;
  expect_refusal("y ends in add", "add", tsr_conv(NULL, &d, x, w, NULL, y));
  d.post.add = NULL;
  d.post.scale = y + 8, d.post.scales = d.filters;
  expect_refusal("y is scale", "scale", tsr_conv(NULL, &d, x, w, NULL, y));
}

/* Operands that touch but do not overlap are good. */
static void neighbours(void **state) {
  (void)state;
  tsr_conv_desc d = good();
  size_t bytes = y_bytes(&d);
  d.post.add = extra + bytes;
  assert_int_equal(tsr_conv(NULL, &d, extra + 2 * bytes, w, NULL, extra), TSR_OK);
}

static tsr_conv_plan *plan_for(const tsr_conv_desc *d) {
  tsr_conv_plan *plan = NULL;
  assert_int_equal(tsr_conv_plan_create(NULL, d, w, NULL, &plan), TSR_OK);
  return plan;
}

static void bad_runs(void **state) {
  (void)state;
  memset(y, CANARY, ROOM);
  tsr_conv_desc d = good(), with_add = good();
  with_add.post.add = x;
  size_t bytes = y_bytes(&d);
  tsr_conv_plan *plan = plan_for(&d), *adding = plan_for(&with_add);
  size_t need = tsr_conv_plan_workspace(plan), more = tsr_conv_plan_workspace(adding);
  char *space = aligned_alloc(64, (need + more + 127) / 64 * 64);
  expect_refusal("no plan", "plan", tsr_conv_run(NULL, x, NULL, y, space));
  expect_refusal("no x", "x", tsr_conv_run(plan, NULL, NULL, y, space));
  expect_refusal("no y", "y", tsr_conv_run(plan, x, NULL, NULL, space));
  expect_refusal("add is missing", "add", tsr_conv_run(adding, x, NULL, y, space));
  expect_refusal("add is too much", "add", tsr_conv_run(plan, x, x, y, space));
  expect_refusal("y is x", "x", tsr_conv_run(plan, y, NULL, y, space));
  expect_refusal("y ends in add", "add", tsr_conv_run(adding, x, y + bytes - 4, y, space));
  if (need) {
    expect_refusal("no workspace", "workspace", tsr_conv_run(plan, x, NULL, y, NULL));
    expect_refusal("a crooked workspace", "workspace", tsr_conv_run(plan, x, NULL, y, space + 4));
    expect_refusal("y is the workspace", "workspace", tsr_conv_run(plan, x, NULL, y, y));
    expect_refusal("x is the workspace", "workspace", tsr_conv_run(plan, x, NULL, y, x));
  }
  assert_int_equal(tsr_conv_run(plan, x, NULL, y, space), TSR_OK);
  free(space);
  tsr_conv_plan_destroy(plan);
  tsr_conv_plan_destroy(adding);
}

/* Nothing is read or written when there is no image. */
static void no_images(void **state) {
  (void)state;
  tsr_conv_desc d = good();
  d.batch = 0;
  memset(y, CANARY, ROOM);
  assert_int_equal(tsr_conv(NULL, &d, NULL, w, NULL, NULL), TSR_OK);
  assert_int_equal(tsr_conv(NULL, &d, y, w, NULL, y), TSR_OK);
  assert_true(untouched());
}

/* Any bytes at all in a descriptor: a status, no crash. Those that are accepted would need memory; sizes are kept such
 * that they are refused or small. */
static void any_bytes(void **state) {
  (void)state;
  struct rng rng = {test_seed()};
  memset(y, CANARY, ROOM);
  for (int i = 0; i < 200000; i++) {
    tsr_conv_desc d = good();
    size_t at = (size_t)rng_below(&rng, sizeof d / 8) * 8;
    static const int64_t wild[] = {INT64_MIN, INT64_MAX, -1, 0, 1 << 30, (int64_t)1 << 40, INT64_MAX / 3, -5};
    int64_t value = rng_below(&rng, 2) ? wild[rng_below(&rng, COUNT(wild))] : (int64_t)rng_next(&rng);
    bool pointer = at == offsetof(tsr_conv_desc, post.scale) || at == offsetof(tsr_conv_desc, post.add) ||
                   at == offsetof(tsr_conv_desc, zero_w) || at == offsetof(tsr_conv_desc, plan);
    if (pointer) continue;
    memcpy((char *)&d + at, &value, 8);
    if (tsr_conv_set_out(&d) == TSR_OK && (y_bytes(&d) > ROOM || x_bytes(&d) > ROOM || w_bytes(&d) > ROOM)) continue;
    if (tsr_conv(NULL, &d, x, w, NULL, y) == TSR_OK)
      memset(y, CANARY, ROOM);
    else if (!untouched())
      fail_msg("%lld in byte %zu of the descriptor: y was touched", (long long)value, at);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      gemm_unit_test(bad_fields), gemm_unit_test(other_dimensions), gemm_unit_test(bad_pointers),
      gemm_unit_test(overlaps),   gemm_unit_test(neighbours),       gemm_unit_test(bad_runs),
      gemm_unit_test(no_images),  gemm_unit_test(any_bytes),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
