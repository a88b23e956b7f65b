#include "bench/nets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/conv_shapes.h"

const char *const bench_net_names[BENCH_NETS] = {"ResNet-50", "MobileNet"};

/* --- Layers ------------------------------------------------------------------------------------------------------- */

static int64_t pixels(const struct bench_conv *c, const int64_t *size) {
  int64_t n = 1;
  for (int i = 0; i < c->dims; i++) n *= size[i];
  return n;
}

static int64_t elements(const struct bench_conv *c) { return c->batch * c->filters * pixels(c, c->out); }

/* Appends a square layer on tensor x, whose size it looks up. Its tensor. */
static int add_layer(struct bench_net *net, enum bench_layer_kind kind, int x, int64_t filters, int64_t kernel,
                     int64_t stride) {
  struct bench_layer *l = &net->layer[net->count];
  struct bench_conv from = net->layer[x ? x - 1 : 0].conv, *c = &l->conv;
  *l = (struct bench_layer){.kind = kind, .x = x, .add = -1, .relu = kind == BENCH_CONVOLVE};
  if (x == 0) *c = from; /* where the net's input is described to begin with */
  else c->dims = 2, c->batch = from.batch, c->channels = from.filters, memcpy(c->in, from.out, sizeof c->in);
  c->filters = filters, c->groups = 1;
  for (int i = 0; i < 2; i++) {
    c->kernel[i] = kernel, c->stride[i] = stride, c->dilation[i] = 1;
    c->pad_begin[i] = c->pad_end[i] = kind == BENCH_MEAN_POOL ? 0 : (kernel - 1) / 2;
    c->out[i] = (c->in[i] + 2 * c->pad_begin[i] - kernel) / stride + 1;
  }
  if (kind != BENCH_CONVOLVE) c->groups = c->filters;
  return ++net->count;
}

static int conv(struct bench_net *net, int x, int64_t filters, int64_t kernel, int64_t stride) {
  return add_layer(net, BENCH_CONVOLVE, x, filters, kernel, stride);
}

/* The mean of all pixels, and 1000 outputs of it. */
static void add_end(struct bench_net *net, int x) {
  const struct bench_conv *from = &net->layer[x - 1].conv;
  int mean = add_layer(net, BENCH_MEAN_POOL, x, from->filters, from->out[0], 1);
  struct bench_layer *l = &net->layer[net->count++];
  *l = (struct bench_layer){.kind = BENCH_LINEAR, .x = mean, .add = -1};
  l->conv = (struct bench_conv){.dims = 2, .batch = 1, .channels = from->filters, .filters = 1000, .groups = 1,
                                .in = {1, from->batch, 1}, .out = {1, from->batch, 1}, .kernel = {1, 1, 1},
                                .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
}

/* The first block of a stage brings the number of channels and the size about; its shortcut is a convolution then. */
static int resnet_block(struct bench_net *net, int x, int64_t width, int64_t stride, bool first) {
  int shortcut = x;
  if (first) {
    shortcut = conv(net, x, 4 * width, 1, stride);
    net->layer[shortcut - 1].relu = false;
  }
  x = conv(net, conv(net, x, width, 1, stride), width, 3, 1);
  x = conv(net, x, 4 * width, 1, 1);
  net->layer[x - 1].add = shortcut;
  return x;
}

static void make_resnet(struct bench_net *net) {
  static const int blocks[] = {3, 4, 6, 3};
  int x = add_layer(net, BENCH_MAX_POOL, conv(net, 0, 64, 7, 2), 64, 3, 2);
  for (int stage = 0; stage < 4; stage++)
    for (int i = 0; i < blocks[stage]; i++)
      x = resnet_block(net, x, (int64_t)64 << stage, i == 0 && stage > 0 ? 2 : 1, i == 0);
  add_end(net, x);
}

static void make_mobilenet(struct bench_net *net) {
  static const struct {
    int filters, stride;
  } pairs[] = {{64, 1}, {128, 2}, {128, 1}, {256, 2}, {256, 1}, {512, 2}, {512, 1},
               {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
  int x = conv(net, 0, 32, 3, 2);
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    int64_t channels = net->layer[x - 1].conv.filters;
    x = conv(net, x, channels, 3, pairs[i].stride);
    net->layer[x - 1].conv.groups = channels;
    x = conv(net, x, pairs[i].filters, 1, 1);
  }
  add_end(net, x);
}

/* --- Memory ------------------------------------------------------------------------------------------------------- */

static uint64_t state;

static float uniform(void) { /* in [-1, 1) */
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (float)((double)(state >> 40) * 0x1p-23 - 1);
}

static void *take(size_t count) { return aligned_alloc(4096, (count * sizeof(float) + 4095) / 4096 * 4096); }

/* Weights that keep the size of numbers about the same from layer to layer; what is added up is made smaller. */
static bool make_weights(struct bench_net *net) {
  size_t all = 0;
  for (int i = 0; i < net->count; i++)
    if (net->layer[i].kind == BENCH_CONVOLVE || net->layer[i].kind == BENCH_LINEAR)
      all += (size_t)bench_conv_w(&net->layer[i].conv) + (size_t)net->layer[i].conv.filters;
  float *at = net->weights = take(all);
  state = 88172645463325252u;
  for (int i = 0; at && i < net->count; i++) {
    struct bench_layer *l = &net->layer[i];
    if (l->kind != BENCH_CONVOLVE && l->kind != BENCH_LINEAR) continue;
    size_t count = (size_t)bench_conv_w(&l->conv);
    float scale = (l->add >= 0 ? 0.5f : 1) * sqrtf(6 / ((float)count / (float)l->conv.filters));
    l->w = at, l->bias = at + count, at += count + (size_t)l->conv.filters;
    for (size_t j = 0; j < count; j++) l->w[j] = scale * uniform();
    for (int64_t j = 0; j < l->conv.filters; j++) l->bias[j] = 0.1f * uniform();
  }
  return net->weights != NULL;
}

/* The last layer that looks at a tensor. */
static int last_use(const struct bench_net *net, int tensor) {
  int last = tensor - 1;
  for (int i = 0; i < net->count; i++)
    if (net->layer[i].x == tensor || net->layer[i].add == tensor) last = i;
  return last;
}

/* Results share few buffers, so that they stay in the caches: each takes one that nobody needs any more. */
static bool make_buffers(struct bench_net *net, bool in_place) {
  for (int i = 0; i < net->count; i++) {
    struct bench_layer *l = &net->layer[i];
    bool busy[BENCH_BUFFERS] = {false};
    for (int t = 1; t <= i; t++)
      if (last_use(net, t) >= i) busy[net->layer[t - 1].buffer] = true;
    l->buffer = 0;
    while (l->buffer < BENCH_BUFFERS && busy[l->buffer]) l->buffer++;
    if (l->add >= 0 && in_place) l->buffer = net->layer[l->add - 1].buffer;
    if (l->buffer == BENCH_BUFFERS) return false;
    if ((size_t)elements(&l->conv) > net->largest) net->largest = (size_t)elements(&l->conv);
  }
  for (int i = 0; i < BENCH_BUFFERS; i++)
    if (!(net->buffer[i] = take(net->largest))) return false;
  return true;
}

bool bench_net_make(struct bench_net *net, enum bench_net_name name, int64_t images, int64_t size,
                    enum bench_format format, bool in_place) {
  memset(net, 0, sizeof *net);
  net->format = format;
  net->layer[0].conv = (struct bench_conv){.dims = 2, .batch = images, .channels = 3, .in = {size, size, 1}};
  if (name == BENCH_RESNET50) make_resnet(net);
  else make_mobilenet(net);
  size_t input = (size_t)(images * 3 * size * size);
  net->x = take(input);
  if (!net->x || !make_weights(net) || !make_buffers(net, in_place)) return bench_net_free(net, NULL), false;
  for (size_t i = 0; i < input; i++) net->x[i] = uniform();
  return true;
}

void bench_net_free(struct bench_net *net, const struct bench_net_calls *calls) {
  for (int i = 0; i < net->count; i++)
    if (net->layer[i].plan) calls->destroy(net->layer[i].plan);
  for (int i = 0; i < BENCH_BUFFERS; i++) free(net->buffer[i]);
  free(net->weights);
  free(net->x);
  free(net->workspace);
  memset(net, 0, sizeof *net);
}

double bench_net_flops(const struct bench_net *net) {
  double flops = 0;
  for (int i = 0; i < net->count; i++)
    if (net->layer[i].kind == BENCH_CONVOLVE || net->layer[i].kind == BENCH_LINEAR)
      flops += bench_conv_flops(&net->layer[i].conv);
  return flops;
}

float *bench_net_tensor(const struct bench_net *net, int tensor) {
  return tensor == 0 ? net->x : net->buffer[net->layer[tensor - 1].buffer];
}

/* --- Pools -------------------------------------------------------------------------------------------------------- */

static void raise_to(float *restrict y, const float *restrict x, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = x[i] > y[i] ? x[i] : y[i];
}

static void add_up(float *restrict y, const float *restrict x, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] += x[i];
}

/* The pixels that a window from `at` on reaches, cut to those there are. */
static int64_t window(int64_t at, int64_t kernel, int64_t size, int64_t *end) {
  *end = at + kernel < size ? at + kernel : size;
  return at < 0 ? 0 : at;
}

static void max_pool_last(const struct bench_conv *c, const float *x, float *y) {
  int64_t bottom, right, channels = c->channels;
  for (int64_t n = 0; n < c->batch; n++, x += c->in[0] * c->in[1] * channels)
    for (int64_t i = 0; i < c->out[0]; i++)
      for (int64_t j = 0; j < c->out[1]; j++, y += channels) {
        int64_t top = window(i * c->stride[0] - c->pad_begin[0], c->kernel[0], c->in[0], &bottom);
        int64_t left = window(j * c->stride[1] - c->pad_begin[1], c->kernel[1], c->in[1], &right);
        memcpy(y, x + (top * c->in[1] + left) * channels, (size_t)channels * sizeof *y);
        for (int64_t r = top; r < bottom; r++)
          for (int64_t s = left; s < right; s++) raise_to(y, x + (r * c->in[1] + s) * channels, channels);
      }
}

/* First down the columns, a row at a time, then along it. */
static void max_pool_first(const struct bench_conv *c, const float *x, float *y) {
  float row[1024];
  int64_t bottom, right, width = c->in[1] < 1024 ? c->in[1] : 1024;
  for (int64_t n = 0; n < c->batch * c->channels; n++, x += c->in[0] * c->in[1])
    for (int64_t i = 0; i < c->out[0]; i++) {
      int64_t top = window(i * c->stride[0] - c->pad_begin[0], c->kernel[0], c->in[0], &bottom);
      memcpy(row, x + top * width, (size_t)width * sizeof *row);
      for (int64_t r = top + 1; r < bottom; r++) raise_to(row, x + r * width, width);
      for (int64_t j = 0; j < c->out[1]; j++, y++) {
        int64_t left = window(j * c->stride[1] - c->pad_begin[1], c->kernel[1], width, &right);
        for (*y = row[left++]; left < right; left++) *y = row[left] > *y ? row[left] : *y;
      }
    }
}

static void mean_pool_last(const struct bench_conv *c, const float *x, float *y) {
  int64_t count = pixels(c, c->in), channels = c->channels;
  for (int64_t n = 0; n < c->batch; n++, y += channels) {
    memset(y, 0, (size_t)channels * sizeof *y);
    for (int64_t i = 0; i < count; i++, x += channels) add_up(y, x, channels);
    for (int64_t i = 0; i < channels; i++) y[i] /= (float)count;
  }
}

static void mean_pool_first(const struct bench_conv *c, const float *x, float *y) {
  int64_t count = pixels(c, c->in);
  for (int64_t n = 0; n < c->batch * c->channels; n++, x += count) {
    float sum = 0;
    for (int64_t i = 0; i < count; i++) sum += x[i];
    y[n] = sum / (float)count;
  }
}

/* --- Tessera ------------------------------------------------------------------------------------------------------ */

static enum bench_format format_of(const struct bench_net *net, const struct bench_layer *l) {
  return l->kind == BENCH_LINEAR ? BENCH_NHWC : net->format;
}

static void describe(const struct bench_net *net, const struct bench_layer *l, tsr_conv_desc *desc) {
  const struct bench_conv *c = &l->conv;
  *desc = (tsr_conv_desc)TSR_CONV_DESC;
  desc->layout_x = desc->layout_y = format_of(net, l) == BENCH_NCHW ? TSR_CHANNELS_FIRST : TSR_CHANNELS_LAST;
  desc->layout_w = TSR_CHANNELS_FIRST;
  desc->batch = c->batch, desc->channels = c->channels, desc->filters = c->filters, desc->groups = c->groups;
  for (int i = 0; i < c->dims; i++) {
    desc->in[i] = c->in[i], desc->out[i] = c->out[i], desc->kernel[i] = c->kernel[i], desc->stride[i] = c->stride[i];
    desc->pad_begin[i] = c->pad_begin[i], desc->pad_end[i] = c->pad_end[i];
  }
  if (l->add >= 0) desc->post.add = l; /* only that there is one: runs bring it */
  desc->post.activation = l->relu ? TSR_RELU : TSR_NO_ACTIVATION;
}

tsr_status bench_net_plan(struct bench_net *net, const struct bench_net_calls *calls) {
  size_t most = 0;
  for (int i = 0; i < net->count; i++) {
    struct bench_layer *l = &net->layer[i];
    tsr_conv_desc desc;
    if (l->kind != BENCH_CONVOLVE && l->kind != BENCH_LINEAR) continue;
    describe(net, l, &desc);
    tsr_status status = calls->create(NULL, &desc, l->w, l->bias, &l->plan);
    if (status != TSR_OK) return status;
    if (calls->workspace(l->plan) > most) most = calls->workspace(l->plan);
  }
  if (most) net->workspace = aligned_alloc(64, (most + 63) / 64 * 64);
  return most && !net->workspace ? TSR_OUT_OF_MEMORY : TSR_OK;
}

tsr_status bench_net_layer(const struct bench_net *net, const struct bench_net_calls *calls, int layer) {
  const struct bench_layer *l = &net->layer[layer];
  const float *x = bench_net_tensor(net, l->x);
  float *y = bench_net_tensor(net, layer + 1);
  bool last = net->format == BENCH_NHWC;
  if (l->kind == BENCH_MAX_POOL) (last ? max_pool_last : max_pool_first)(&l->conv, x, y);
  else if (l->kind == BENCH_MEAN_POOL) (last ? mean_pool_last : mean_pool_first)(&l->conv, x, y);
  else return calls->run(l->plan, x, l->add >= 0 ? bench_net_tensor(net, l->add) : NULL, y, net->workspace);
  return TSR_OK;
}

tsr_status bench_net_run(const struct bench_net *net, const struct bench_net_calls *calls) {
  tsr_status status = TSR_OK;
  for (int i = 0; i < net->count && status == TSR_OK; i++) status = bench_net_layer(net, calls, i);
  return status;
}

/* --- The plain formula -------------------------------------------------------------------------------------------- */

/* Where a pixel's channel lies. */
static int64_t at(enum bench_format format, int64_t n, int64_t channel, int64_t channels, int64_t count,
                  int64_t pixel) {
  return format == BENCH_NHWC ? (n * count + pixel) * channels + channel : (n * channels + channel) * count + pixel;
}

struct sums {
  double sum, magnitude, largest;
  int64_t products;
};

/* All taps of one result. */
static struct sums taps_of(const struct bench_net *net, const struct bench_layer *l, int64_t n, int64_t k,
                           int64_t pixel) {
  const struct bench_conv *c = &l->conv;
  const float *x = bench_net_tensor(net, l->x);
  int64_t channels = c->channels / c->groups, first = k / (c->filters / c->groups) * channels;
  int64_t taps = pixels(c, c->kernel);
  struct sums s = {.largest = -INFINITY};
  for (int64_t t = 0; t < taps; t++) {
    int64_t i = pixel / c->out[1] * c->stride[0] - c->pad_begin[0] + t / c->kernel[1];
    int64_t j = pixel % c->out[1] * c->stride[1] - c->pad_begin[1] + t % c->kernel[1];
    if (i < 0 || i >= c->in[0] || j < 0 || j >= c->in[1]) continue;
    for (int64_t p = 0; p < channels; p++) {
      double e = x[at(format_of(net, l), n, first + p, c->channels, pixels(c, c->in), i * c->in[1] + j)];
      double product = l->w ? e * l->w[(k * channels + p) * taps + t] : e;
      s.sum += product, s.magnitude += fabs(product), s.largest = fmax(s.largest, e), s.products++;
    }
  }
  return s;
}

/* One result as it should be. *bound: what rounding may change, for `error`. */
static double result(const struct bench_net *net, const struct bench_layer *l, int64_t n, int64_t k, int64_t pixel,
                     double *bound) {
  const struct bench_conv *c = &l->conv;
  struct sums s = taps_of(net, l, n, k, pixel);
  double y = s.sum;
  if (l->kind == BENCH_MAX_POOL) return *bound = 0x1p-100, s.largest;
  if (l->kind == BENCH_MEAN_POOL) y /= (double)s.products, s.magnitude /= (double)s.products;
  if (l->bias) y += l->bias[k], s.magnitude += fabs(l->bias[k]);
  if (l->add >= 0) {
    double add = bench_net_tensor(net, l->add)[at(net->format, n, k, c->filters, pixels(c, c->out), pixel)];
    y += add, s.magnitude += fabs(add);
  }
  *bound = 0x1p-24 * (double)(s.products + 8) * s.magnitude + 0x1p-100;
  return l->relu && y < 0 ? 0 : y;
}

double bench_net_error(const struct bench_net *net, int layer, int samples) {
  const struct bench_layer *l = &net->layer[layer];
  const struct bench_conv *c = &l->conv;
  const float *y = bench_net_tensor(net, layer + 1);
  int64_t count = elements(c), out = pixels(c, c->out), step = samples < count ? count / samples : 1;
  double worst = 0, bound;
  for (int64_t i = 0; i < count; i += step) {
    int64_t n = i / (out * c->filters), k = i / out % c->filters, pixel = i % out;
    double right = result(net, l, n, k, pixel, &bound);
    double off = fabs(y[at(format_of(net, l), n, k, c->filters, out, pixel)] - right) / bound;
    if (!(off <= worst)) worst = off; /* NaN too */
  }
  return worst;
}

void bench_net_plain(const struct bench_net *net) {
  double bound;
  for (int layer = 0; layer < net->count; layer++) {
    const struct bench_layer *l = &net->layer[layer];
    int64_t out = pixels(&l->conv, l->conv.out);
    float *y = bench_net_tensor(net, layer + 1);
    for (int64_t i = 0; i < elements(&l->conv); i++) {
      int64_t n = i / (out * l->conv.filters), k = i / out % l->conv.filters, pixel = i % out;
      y[at(format_of(net, l), n, k, l->conv.filters, out, pixel)] = (float)result(net, l, n, k, pixel, &bound);
    }
  }
}
