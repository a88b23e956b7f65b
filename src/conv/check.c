/* What a descriptor must satisfy. Every message names the field. */
#include "src/conv/conv.h"

#define CHECK(condition, ...) \
  if (!(condition)) return tsr_fail(TSR_INVALID_ARGUMENT, __VA_ARGS__)
#define FIRST_FAILURE(call) \
  do { \
    tsr_status status_ = (call); \
    if (status_ != TSR_OK) return status_; \
  } while (0)

/* Sizes beyond this are a mistake, and products of a few stay far from overflow. */
#define MOST_SIZE ((int64_t)1 << 31)
#define MOST_BYTES ((int64_t)1 << 46)

static bool is_float(tsr_type type) {
  return type == TSR_F32 || type == TSR_F64 || type == TSR_F16 || type == TSR_BF16;
}

tsr_type tsr_conv_type_of_y(const tsr_conv_desc *d) {
  if (d->type_y) return d->type_y;
  return tsr_conv_is_integer(d) ? TSR_S32 : d->type_x;
}

static tsr_status check_types(const tsr_conv_desc *d) {
  tsr_type x = d->type_x, w = d->type_w, y = tsr_conv_type_of_y(d);
  bool integer = x == TSR_U8 || x == TSR_S8;
  CHECK(is_float(x) || integer, "type_x is %d: use TSR_F32, TSR_F64, TSR_F16, TSR_BF16, TSR_U8 or TSR_S8", (int)x);
  CHECK(w == (integer ? TSR_S8 : x), "type_w is %d: use %s", (int)w, integer ? "TSR_S8" : "that of x");
  CHECK(!integer || y == TSR_S32 || y == TSR_F32 || y == TSR_U8 || y == TSR_S8,
        "type_y is %d: use TSR_S32, TSR_F32, TSR_U8 or TSR_S8", (int)y);
  CHECK(integer || y == x || (y == TSR_F32 && x != TSR_F64), "type_y is %d: use that of x%s", (int)y,
        x == TSR_F64 ? "" : " or TSR_F32");
  CHECK(d->layout_x == TSR_CHANNELS_LAST || d->layout_x == TSR_CHANNELS_FIRST, "layout_x is %d", (int)d->layout_x);
  CHECK(d->layout_w == TSR_CHANNELS_LAST || d->layout_w == TSR_CHANNELS_FIRST, "layout_w is %d", (int)d->layout_w);
  CHECK(d->layout_y == TSR_CHANNELS_LAST || d->layout_y == TSR_CHANNELS_FIRST, "layout_y is %d", (int)d->layout_y);
  return TSR_OK;
}

static tsr_status check_channels(const tsr_conv_desc *d) {
  CHECK(d->dims >= 1 && d->dims <= 3, "dims is %d: use 1, 2 or 3", d->dims);
  CHECK(d->transposed == 0 || d->transposed == 1, "transposed is %d: use 0 or 1", d->transposed);
  CHECK(d->batch >= 0 && d->batch < MOST_SIZE, "batch is %lld: use 0 to 2^31", (long long)d->batch);
  CHECK(d->channels >= 1 && d->channels < MOST_SIZE, "channels is %lld: use 1 to 2^31", (long long)d->channels);
  CHECK(d->filters >= 1 && d->filters < MOST_SIZE, "filters is %lld: use 1 to 2^31", (long long)d->filters);
  CHECK(d->groups >= 1, "groups is %lld: use 1 or more", (long long)d->groups);
  CHECK(d->channels % d->groups == 0, "channels is %lld, which is no multiple of groups, %lld", (long long)d->channels,
        (long long)d->groups);
  CHECK(d->filters % d->groups == 0, "filters is %lld, which is no multiple of groups, %lld", (long long)d->filters,
        (long long)d->groups);
  return TSR_OK;
}

/* The smallest and the largest size that fits dimension i. */
static void out_sizes(const tsr_conv_desc *d, int i, int64_t *least, int64_t *most) {
  int64_t pads = d->pad_begin[i] + d->pad_end[i], reach = d->dilation[i] * (d->kernel[i] - 1);
  if (d->transposed) {
    *least = (d->in[i] - 1) * d->stride[i] - pads + reach + 1;
    *most = *least + tsr_max(d->stride[i], d->dilation[i]) - 1;
  } else {
    int64_t room = d->in[i] + pads - reach - 1;
    *least = *most = room < 0 ? 0 : room / d->stride[i] + 1;
  }
}

static tsr_status check_sizes(const tsr_conv_desc *d, int i) {
  CHECK(d->in[i] >= 1 && d->in[i] < MOST_SIZE, "in[%d] is %lld: use 1 to 2^31", i, (long long)d->in[i]);
  CHECK(d->kernel[i] >= 1 && d->kernel[i] < 1 << 15, "kernel[%d] is %lld: use 1 to 2^15", i, (long long)d->kernel[i]);
  CHECK(d->stride[i] >= 1 && d->stride[i] < 1 << 15, "stride[%d] is %lld: use 1 to 2^15", i, (long long)d->stride[i]);
  CHECK(d->dilation[i] >= 1 && d->dilation[i] < 1 << 15, "dilation[%d] is %lld: use 1 to 2^15", i,
        (long long)d->dilation[i]);
  int64_t reach = d->dilation[i] * (d->kernel[i] - 1);
  CHECK(d->pad_begin[i] >= 0 && d->pad_begin[i] <= reach,
        "pad_begin[%d] is %lld: padding goes from 0 to dilation * (kernel - 1), which is %lld", i,
        (long long)d->pad_begin[i], (long long)reach);
  CHECK(d->pad_end[i] >= 0 && d->pad_end[i] <= reach,
        "pad_end[%d] is %lld: padding goes from 0 to dilation * (kernel - 1), which is %lld", i,
        (long long)d->pad_end[i], (long long)reach);
  return TSR_OK;
}

static tsr_status check_out(const tsr_conv_desc *d, int i) {
  int64_t least, most;
  out_sizes(d, i, &least, &most);
  CHECK(most >= 1, "in[%d] is %lld: with its padding it is smaller than the kernel, and no output fits", i,
        (long long)d->in[i]);
  CHECK(d->out[i] >= tsr_max(1, least) && d->out[i] <= most,
        "out[%d] is %lld but the other sizes give %lld: tsr_conv_set_out sets it", i, (long long)d->out[i],
        (long long)tsr_max(1, least));
  CHECK(d->out[i] < MOST_SIZE, "out[%d] is %lld: use up to 2^31", i, (long long)d->out[i]);
  return TSR_OK;
}

static bool product(int64_t *bytes, int64_t size) {
  return !__builtin_mul_overflow(*bytes, size, bytes) && *bytes <= MOST_BYTES;
}

/* Elements of a tensor, or -1 if there are too many. */
static int64_t elements(int64_t outer, int64_t channels, const int64_t *sizes, int dims) {
  int64_t n = outer;
  bool good = product(&n, channels);
  for (int i = 0; i < dims; i++) good = good && product(&n, sizes[i]);
  return good ? n : -1;
}

int64_t tsr_conv_elements_of_x(const tsr_conv_desc *d) { return elements(d->batch, d->channels, d->in, d->dims); }
int64_t tsr_conv_elements_of_y(const tsr_conv_desc *d) { return elements(d->batch, d->filters, d->out, d->dims); }
int64_t tsr_conv_elements_of_w(const tsr_conv_desc *d) {
  return elements(d->filters, d->channels / d->groups, d->kernel, d->dims);
}

static tsr_status check_extents(const tsr_conv_desc *d) {
  CHECK(tsr_conv_elements_of_x(d) >= 0, "batch, channels and in: x would have more than 2^46 elements");
  CHECK(tsr_conv_elements_of_y(d) >= 0, "batch, filters and out: y would have more than 2^46 elements");
  CHECK(tsr_conv_elements_of_w(d) >= 0, "filters, channels and kernel: w would have more than 2^46 elements");
  return TSR_OK;
}

static tsr_status check_post(const tsr_conv_desc *d) {
  const tsr_post_ops *post = &d->post;
  bool integer = tsr_conv_is_integer(d);
  tsr_type y = tsr_conv_type_of_y(d);
  CHECK((int)post->activation >= TSR_NO_ACTIVATION && (int)post->activation <= TSR_SIGMOID, "post.activation is %d",
        (int)post->activation);
  CHECK(!post->scale || post->scales == 1 || post->scales == d->filters,
        "post.scales is %lld: give 1 or as many as filters, %lld", (long long)post->scales, (long long)d->filters);
  CHECK(post->activation != TSR_CLIP || post->low <= post->high, "post.low is above post.high");
  CHECK(!integer || y != TSR_S32 || (!post->scale && !post->add && post->activation == TSR_NO_ACTIVATION),
        "post is given but y is s32: use a type_y of TSR_F32, TSR_U8 or TSR_S8");
  CHECK(!post->add || (y != TSR_U8 && y != TSR_S8), "post.add is given but y is u8 or s8");
  return TSR_OK;
}

static tsr_status check_zeros(const tsr_conv_desc *d) {
  bool integer = tsr_conv_is_integer(d), wide = d->type_x == TSR_U8;
  tsr_type y = tsr_conv_type_of_y(d);
  CHECK(integer || (d->zero_x == 0 && !d->zero_w && d->zero_y == 0), "zero_x, zero_w and zero_y are for integers");
  CHECK(!integer || (d->zero_x >= (wide ? 0 : -128) && d->zero_x <= (wide ? 255 : 127)),
        "zero_x is %d: it is a value of x", d->zero_x);
  CHECK(y == TSR_U8 || y == TSR_S8 || d->zero_y == 0, "zero_y is %d: it is for y of u8 or s8", d->zero_y);
  CHECK(y != TSR_U8 || (d->zero_y >= 0 && d->zero_y <= 255), "zero_y is %d: it is a value of y", d->zero_y);
  CHECK(y != TSR_S8 || (d->zero_y >= -128 && d->zero_y <= 127), "zero_y is %d: it is a value of y", d->zero_y);
  CHECK(!d->zero_w || d->zeros_w == 1 || d->zeros_w == d->filters,
        "zeros_w is %lld: give 1 or as many as filters, %lld", (long long)d->zeros_w, (long long)d->filters);
  return TSR_OK;
}

/* All but `out`. */
static tsr_status check_all_but_out(const tsr_conv_desc *d) {
  CHECK(d, "desc is NULL");
  CHECK(d->size == sizeof *d, "size is %zu: initialise the descriptor with TSR_CONV_DESC", d->size);
  FIRST_FAILURE(check_types(d));
  FIRST_FAILURE(check_channels(d));
  for (int i = 0; i < d->dims; i++) FIRST_FAILURE(check_sizes(d, i));
  return TSR_OK;
}

tsr_status tsr_conv_check(const tsr_context *context, const tsr_conv_desc *d) {
  FIRST_FAILURE(check_all_but_out(d));
  for (int i = 0; i < d->dims; i++) FIRST_FAILURE(check_out(d, i));
  FIRST_FAILURE(check_extents(d));
  FIRST_FAILURE(check_post(d));
  FIRST_FAILURE(check_zeros(d));
  if (context->device && tsr_conv_is_integer(d))
    return tsr_fail(TSR_UNSUPPORTED, "type_x is u8 or s8: convolution of integers is not served on a device");
  return TSR_OK;
}

tsr_status tsr_conv_set_out(tsr_conv_desc *d) {
  FIRST_FAILURE(check_all_but_out(d));
  int64_t out[3], most;
  for (int i = 0; i < d->dims; i++) {
    out_sizes(d, i, &out[i], &most);
    CHECK(out[i] >= 1, "in[%d] is %lld: with its padding it is smaller than the kernel, and no output fits", i,
          (long long)d->in[i]);
  }
  for (int i = 0; i < d->dims; i++) d->out[i] = out[i];
  return TSR_OK;
}

static bool overlap(const void *a, int64_t bytes_a, const void *b, int64_t bytes_b) {
  uintptr_t from_a = (uintptr_t)a, from_b = (uintptr_t)b;
  return a && b && from_a < from_b + (uintptr_t)bytes_b && from_b < from_a + (uintptr_t)bytes_a;
}

tsr_status tsr_conv_check_data(const tsr_conv_desc *d, const void *x, const void *w, const void *bias, const void *y) {
  (void)bias;
  CHECK(w, "w is NULL");
  if (d->batch == 0) return TSR_OK;
  CHECK(x, "x is NULL");
  CHECK(y, "y is NULL");
  return TSR_OK;
}

tsr_status tsr_conv_check_overlap(const tsr_conv_desc *d, const void *x, const void *w, const void *bias,
                                  const void *add, const void *y) {
  int64_t bytes = tsr_conv_elements_of_y(d) * tsr_size_of(tsr_conv_type_of_y(d));
  CHECK(!overlap(y, bytes, x, tsr_conv_elements_of_x(d) * tsr_size_of(d->type_x)), "y overlaps x");
  CHECK(!overlap(y, bytes, w, tsr_conv_elements_of_w(d) * tsr_size_of(d->type_w)), "y overlaps w");
  CHECK(!overlap(y, bytes, bias, d->filters * (d->type_x == TSR_F64 ? 8 : 4)), "y overlaps bias");
  CHECK(!overlap(y, bytes, add, bytes), "y overlaps post.add");
  if (!w) return TSR_OK; /* a plan's run: the plan has copies of what follows */
  int64_t scales = d->post.scale ? d->post.scales : 0, zeros = d->zero_w ? d->zeros_w : 0;
  CHECK(!overlap(y, bytes, d->post.scale, scales * (d->type_x == TSR_F64 ? 8 : 4)), "y overlaps post.scale");
  CHECK(!overlap(y, bytes, d->zero_w, zeros * 4), "y overlaps zero_w");
  return TSR_OK;
}

tsr_status tsr_conv_check_workspace(const tsr_conv_desc *d, const void *x, const void *add, const void *y,
                                    const void *workspace, size_t bytes) {
  int64_t of_y = tsr_conv_elements_of_y(d) * tsr_size_of(tsr_conv_type_of_y(d)), more = (int64_t)bytes;
  CHECK(workspace || !bytes, "workspace is NULL: tsr_conv_plan_workspace says how many bytes it needs");
  CHECK((uintptr_t)workspace % 64 == 0, "workspace is not aligned to 64 bytes");
  CHECK(!overlap(workspace, more, y, of_y), "workspace overlaps y");
  CHECK(!overlap(workspace, more, add, of_y), "workspace overlaps add");
  CHECK(!overlap(workspace, more, x, tsr_conv_elements_of_x(d) * tsr_size_of(d->type_x)), "workspace overlaps x");
  return TSR_OK;
}
