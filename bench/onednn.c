#include "bench/onednn.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Its functions ------------------------------------------------------------------------------------------------ */

/* As in dnnl_types.h. */
enum { MOST_DIMS = 12, MOST_ARGS = 8 };
enum { CPU = 1, IN_ORDER = 1, INFERENCE = 96, DIRECT = 1, DECONVOLUTION_DIRECT = 10, RELU = 32, MAX = 0x1ff,
       MEAN = 0x2ff, USER_SCRATCHPAD = 1, TAG_ANY = 1, UNDEFINED_TYPE = 0 };
enum { QUERY_NAME = 8, QUERY_SRC = 129, QUERY_WEIGHTS = 131, QUERY_DST = 133, QUERY_SCRATCHPAD = 136 };
enum { ARG_SRC = 1, ARG_DST = 17, ARG_WEIGHTS = 33, ARG_BIAS = 41, ARG_SCRATCHPAD = 80, ARG_SCALES = 4096 };
#define ALLOCATE ((void *)-1)

typedef int64_t dims[MOST_DIMS];
struct argument {
  int index;
  void *memory;
};
struct version {
  int major, minor, patch;
  const char *hash;
  unsigned cpu_runtime, gpu_runtime;
};

static struct {
  const struct version *(*version)(void);
  int (*isa)(void);
  int (*engine_create)(void **, int, size_t);
  int (*stream_create)(void **, void *, unsigned);
  int (*stream_wait)(void *);
  int (*desc_strides)(void **, int, const dims, int, const dims);
  int (*desc_tag)(void **, int, const dims, int, int);
  int (*desc_equal)(const void *, const void *);
  size_t (*desc_bytes)(const void *);
  int (*desc_destroy)(void *);
  int (*memory_create)(void **, const void *, void *, void *);
  int (*memory_destroy)(void *);
  int (*attr_create)(void **);
  int (*attr_destroy)(void *);
  int (*attr_scratchpad)(void *, int);
  int (*attr_post)(void *, const void *);
  int (*attr_scales)(void *, int, int);
  int (*post_create)(void **);
  int (*post_destroy)(void *);
  int (*post_eltwise)(void *, int, float, float);
  int (*post_sum)(void *, float, int32_t, int);
  int (*convolution)(void **, void *, int, int, const void *, const void *, const void *, const void *, const dims,
                     const dims, const dims, const dims, const void *);
  int (*deconvolution)(void **, void *, int, int, const void *, const void *, const void *, const void *, const dims,
                       const dims, const dims, const dims, const void *);
  int (*pooling)(void **, void *, int, int, const void *, const void *, const dims, const dims, const dims, const dims,
                 const dims, const void *);
  int (*linear)(void **, void *, int, const void *, const void *, const void *, const void *, const void *);
  int (*reorder)(void **, const void *, void *, const void *, void *, const void *);
  const void *(*query)(const void *, int, int);
  int (*query_any)(const void *, int, int, void *);
  int (*primitive_create)(void **, const void *);
  int (*primitive_destroy)(void *);
  int (*desc_of_primitive_destroy)(void *);
  int (*execute)(const void *, void *, int, const struct argument *);
} dnnl;

static void *engine, *stream;

bool bench_dnn_find(void *library) {
  static const struct {
    const char *name;
    void *to;
  } wanted[] = {
      {"version", &dnnl.version}, {"get_effective_cpu_isa", &dnnl.isa}, {"engine_create", &dnnl.engine_create},
      {"stream_create", &dnnl.stream_create}, {"stream_wait", &dnnl.stream_wait},
      {"memory_desc_create_with_strides", &dnnl.desc_strides}, {"memory_desc_create_with_tag", &dnnl.desc_tag},
      {"memory_desc_equal", &dnnl.desc_equal}, {"memory_desc_get_size", &dnnl.desc_bytes},
      {"memory_desc_destroy", &dnnl.desc_destroy}, {"memory_create", &dnnl.memory_create},
      {"memory_destroy", &dnnl.memory_destroy}, {"primitive_attr_create", &dnnl.attr_create},
      {"primitive_attr_destroy", &dnnl.attr_destroy}, {"primitive_attr_set_scratchpad_mode", &dnnl.attr_scratchpad},
      {"primitive_attr_set_post_ops", &dnnl.attr_post}, {"primitive_attr_set_scales_mask", &dnnl.attr_scales},
      {"post_ops_create", &dnnl.post_create}, {"post_ops_destroy", &dnnl.post_destroy},
      {"post_ops_append_eltwise", &dnnl.post_eltwise}, {"post_ops_append_sum", &dnnl.post_sum},
      {"convolution_forward_primitive_desc_create", &dnnl.convolution},
      {"deconvolution_forward_primitive_desc_create", &dnnl.deconvolution},
      {"pooling_forward_primitive_desc_create", &dnnl.pooling},
      {"inner_product_forward_primitive_desc_create", &dnnl.linear}, {"reorder_primitive_desc_create", &dnnl.reorder},
      {"primitive_desc_query_md", &dnnl.query},
      {"primitive_desc_query", &dnnl.query_any}, {"primitive_create", &dnnl.primitive_create},
      {"primitive_destroy", &dnnl.primitive_destroy}, {"primitive_desc_destroy", &dnnl.desc_of_primitive_destroy},
      {"primitive_execute", &dnnl.execute}};
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
    char name[64];
    snprintf(name, sizeof name, "dnnl_%s", wanted[i].name);
    void *symbol = dlsym(library, name);
    if (!symbol) return false;
    memcpy(wanted[i].to, &symbol, sizeof symbol);
  }
  return dnnl.version()->major == 3;
}

bool bench_dnn_describe(void *library, char *text, size_t size) {
  enum { OPENMP = 2, TBB = 4, THREADPOOL = 8, SYCL = 512, AVX512 = 0x27 };
  if (!bench_dnn_find(library)) return false;
  const struct version *v = dnnl.version();
  const char *threads = v->cpu_runtime == OPENMP ? "OpenMP" : v->cpu_runtime == TBB ? "TBB"
                        : v->cpu_runtime == SYCL ? "SYCL" : v->cpu_runtime == THREADPOOL ? "thread pool" : "one thread";
  snprintf(text, size, "oneDNN %d.%d.%d, %s%s", v->major, v->minor, v->patch, threads,
           (dnnl.isa() & AVX512) == AVX512 ? ", AVX-512" : "");
  return true;
}

/* --- Programs ----------------------------------------------------------------------------------------------------- */

struct step {
  void *primitive;
  int count;
  struct argument argument[MOST_ARGS];
};

struct owned {
  int (*destroy)(void *);
  void *object;
};

struct bench_dnn {
  bool ok, reference;
  struct step *step;
  int steps;
  struct owned *owned;
  int owns;
};

bool bench_dnn_ok(const struct bench_dnn *program) { return program && program->ok; }

bool bench_dnn_is_reference(const struct bench_dnn *program) { return program->reference; }

/* The engine lives as long as the process. */
struct bench_dnn *bench_dnn_new(void) {
  struct bench_dnn *program = calloc(1, sizeof *program);
  if (!program) return NULL;
  if (!engine && dnnl.engine_create(&engine, CPU, 0) != 0) engine = NULL;
  if (engine && !stream && dnnl.stream_create(&stream, engine, IN_ORDER) != 0) stream = NULL;
  program->ok = stream != NULL;
  return program;
}

void bench_dnn_free(struct bench_dnn *program) {
  if (!program) return;
  for (int i = program->owns - 1; i >= 0; i--) program->owned[i].destroy(program->owned[i].object);
  free(program->owned);
  free(program->step);
  free(program);
}

/* Keeps what a function made; NULL if it failed. */
static void *keep(struct bench_dnn *program, int status, void *object, int (*destroy)(void *)) {
  struct owned *grown = NULL;
  if (status == 0) grown = realloc(program->owned, (size_t)(program->owns + 1) * sizeof *grown);
  if (!grown) return program->ok = false, NULL;
  program->owned = grown;
  grown[program->owns++] = (struct owned){destroy, object};
  return object;
}

static void *memory(struct bench_dnn *program, const void *desc, void *data) {
  void *made = NULL;
  if (!program->ok) return NULL;
  int status = dnnl.memory_create(&made, desc, engine, data ? data : ALLOCATE);
  return keep(program, status, made, dnnl.memory_destroy);
}

static void *any_layout(struct bench_dnn *program, enum bench_dnn_type type, int count, const int64_t *size) {
  dims sizes = {0};
  void *desc = NULL;
  if (!program->ok) return NULL;
  memcpy(sizes, size, (size_t)count * sizeof *size);
  int status = dnnl.desc_tag(&desc, count, sizes, (int)type, TAG_ANY);
  return keep(program, status, desc, dnnl.desc_destroy);
}

static void *plain_layout(struct bench_dnn *program, enum bench_dnn_type type, int count, const int64_t *size,
                          const int64_t *stride) {
  dims sizes = {0}, strides = {0};
  void *desc = NULL;
  if (!program->ok) return NULL;
  for (int i = count - 1; i >= 0; i--) {
    sizes[i] = size[i];
    strides[i] = stride ? stride[i] : i == count - 1 ? 1 : strides[i + 1] * sizes[i + 1];
  }
  int status = dnnl.desc_strides(&desc, count, sizes, (int)type, strides);
  return keep(program, status, desc, dnnl.desc_destroy);
}

struct bench_dnn_tensor bench_dnn_tensor(struct bench_dnn *program, enum bench_dnn_type type, int count,
                                         const int64_t *size, const int64_t *stride, void *data) {
  struct bench_dnn_tensor t = {plain_layout(program, type, count, size, stride), NULL};
  t.memory = memory(program, t.desc, data);
  return t;
}

/* A primitive from its description, with room for what it wants to write down. */
static struct step make(struct bench_dnn *program, int status, void *description) {
  struct step step = {0};
  if (!keep(program, status, description, dnnl.desc_of_primitive_destroy)) return step;
  status = dnnl.primitive_create(&step.primitive, description);
  step.primitive = keep(program, status, step.primitive, dnnl.primitive_destroy);
  const char *name = NULL;
  if (dnnl.query_any(description, QUERY_NAME, 0, &name) == 0 && name && strncmp(name, "ref", 3) == 0)
    program->reference = true;
  const void *scratchpad = dnnl.query(description, QUERY_SCRATCHPAD, 0);
  if (scratchpad && dnnl.desc_bytes(scratchpad) > 0)
    step.argument[step.count++] = (struct argument){ARG_SCRATCHPAD, memory(program, scratchpad, NULL)};
  return step;
}

static void give(struct step *step, int index, void *memory) {
  if (memory) step->argument[step->count++] = (struct argument){index, memory};
}

static void append(struct bench_dnn *program, const struct step *step) {
  struct step *grown = NULL;
  if (program->ok) grown = realloc(program->step, (size_t)(program->steps + 1) * sizeof *grown);
  if (!grown) {
    program->ok = false;
    return;
  }
  program->step = grown;
  grown[program->steps++] = *step;
}

static void execute(struct bench_dnn *program, const struct step *step) {
  if (program->ok && dnnl.execute(step->primitive, stream, step->count, step->argument) != 0) program->ok = false;
}

void bench_dnn_run(struct bench_dnn *program) {
  for (int i = 0; i < program->steps; i++) execute(program, &program->step[i]);
  dnnl.stream_wait(stream);
}

/* --- Layouts ------------------------------------------------------------------------------------------------------ */

static struct step make_copy(struct bench_dnn *program, struct bench_dnn_tensor from, struct bench_dnn_tensor to) {
  struct step step = {0};
  void *description = NULL;
  if (!program->ok) return step;
  int status = dnnl.reorder(&description, from.desc, engine, to.desc, engine, NULL);
  step = make(program, status, description);
  give(&step, ARG_SRC, from.memory);
  give(&step, ARG_DST, to.memory);
  return step;
}

void bench_dnn_copy(struct bench_dnn *program, struct bench_dnn_tensor from, struct bench_dnn_tensor to) {
  struct step step = make_copy(program, from, to);
  execute(program, &step);
  if (program->ok) dnnl.stream_wait(stream);
}

/* The tensor as a primitive wants it: itself, or one in that layout, into which it is copied now or in every run. */
static struct bench_dnn_tensor as_wanted(struct bench_dnn *program, struct bench_dnn_tensor t, const void *wanted,
                                         bool now) {
  struct bench_dnn_tensor other = {(void *)wanted, NULL};
  if (!program->ok || dnnl.desc_equal(t.desc, wanted)) return t;
  other.memory = memory(program, wanted, NULL);
  struct step step = make_copy(program, t, other);
  if (!now) append(program, &step);
  else {
    execute(program, &step);
    if (program->ok) dnnl.stream_wait(stream);
  }
  return other;
}

static enum bench_dnn_type type_of(const struct bench_conv *c, bool weights) {
  static const enum bench_dnn_type types[] = {BENCH_DNN_F32, BENCH_DNN_F16, BENCH_DNN_BF16, BENCH_DNN_U8};
  return c->type == BENCH_CONV_U8 && weights ? BENCH_DNN_S8 : types[c->type];
}

/* Sizes of x or y in oneDNN's order: batch, channels, depth, height, width. */
static int image_sizes(const struct bench_conv *c, bool is_y, int64_t *size) {
  size[0] = c->batch;
  size[1] = is_y ? c->filters : c->channels;
  for (int i = 0; i < c->dims; i++) size[2 + i] = is_y ? c->out[i] : c->in[i];
  return 2 + c->dims;
}

static void *image_layout(struct bench_dnn *program, const struct bench_conv *c, bool is_y, enum bench_format format) {
  dims size, stride;
  int count = image_sizes(c, is_y, size);
  int64_t step = format == BENCH_NHWC ? size[1] : 1;
  for (int i = count - 1; i >= 2; i--) stride[i] = step, step *= size[i];
  stride[1] = format == BENCH_NHWC ? 1 : step;
  stride[0] = format == BENCH_NHWC ? step : step * size[1];
  return plain_layout(program, type_of(c, false), count, size, stride);
}

struct bench_dnn_tensor bench_dnn_image(struct bench_dnn *program, const struct bench_conv *c, bool is_y,
                                        enum bench_format format, void *data) {
  struct bench_dnn_tensor t = {image_layout(program, c, is_y, format), NULL};
  t.memory = memory(program, t.desc, data);
  return t;
}

/* Sizes of weights: groups if there are any, filters, channels, kernel. */
static int weight_sizes(const struct bench_conv *c, int64_t *size) {
  int at = 0;
  if (c->groups > 1) size[at++] = c->groups;
  size[at++] = c->filters / c->groups;
  size[at++] = c->channels / c->groups;
  for (int i = 0; i < c->dims; i++) size[at++] = c->kernel[i];
  return at;
}

struct bench_dnn_tensor bench_dnn_weights(struct bench_dnn *program, const struct bench_conv *c, void *data) {
  dims size, stride;
  int count = weight_sizes(c, size), first = c->groups > 1;
  int64_t step = 1;
  for (int i = count - 1; i >= first + 2; i--) stride[i] = step, step *= size[i];
  int inner = c->transposed ? first : first + 1, outer = c->transposed ? first + 1 : first;
  stride[inner] = step;
  stride[outer] = step * size[inner];
  stride[0] = first ? stride[outer] * size[outer] : stride[0];
  return bench_dnn_tensor(program, type_of(c, true), count, size, stride, data);
}

/* --- Convolution -------------------------------------------------------------------------------------------------- */

static void *attributes(struct bench_dnn *program, const struct bench_dnn_conv *c) {
  void *attr = NULL, *post = NULL;
  int status = dnnl.attr_create(&attr);
  attr = keep(program, status, attr, dnnl.attr_destroy);
  status = dnnl.post_create(&post);
  post = keep(program, status, post, dnnl.post_destroy);
  if (!program->ok) return NULL;
  status = dnnl.attr_scratchpad(attr, USER_SCRATCHPAD);
  if (c->add.memory) status |= dnnl.post_sum(post, 1, 0, UNDEFINED_TYPE);
  if (c->relu) status |= dnnl.post_eltwise(post, RELU, 0, 0);
  if (c->scale.memory) status |= dnnl.attr_scales(attr, ARG_WEIGHTS, c->conv->groups > 1 ? 3 : 1);
  status |= dnnl.attr_post(attr, post);
  program->ok &= status == 0;
  return attr;
}

static void *wanted_layout(struct bench_dnn *program, const struct bench_conv *c, bool is_y, enum bench_format format) {
  dims size;
  if (format != BENCH_ANY) return image_layout(program, c, is_y, format);
  int count = image_sizes(c, is_y, size);
  return any_layout(program, type_of(c, false), count, size);
}

static struct step make_conv(struct bench_dnn *program, const struct bench_dnn_conv *c, struct bench_dnn_tensor *x,
                             struct bench_dnn_tensor *y) {
  const struct bench_conv *conv = c->conv;
  struct step step = {0};
  dims size, stride = {0}, dilation = {0}, begin = {0}, end = {0};
  for (int i = 0; i < conv->dims; i++) {
    stride[i] = conv->stride[i], dilation[i] = conv->dilation[i] - 1;
    begin[i] = conv->pad_begin[i], end[i] = conv->pad_end[i];
  }
  int count = weight_sizes(conv, size);
  void *weights = any_layout(program, type_of(conv, true), count, size), *attr = attributes(program, c);
  if (c->format == BENCH_ANY) x->desc = wanted_layout(program, conv, false, BENCH_ANY);
  *y = c->add;
  if (!y->memory) y->desc = wanted_layout(program, conv, true, c->format);
  if (!program->ok) return step;
  void *description = NULL;
  int status = (conv->transposed ? dnnl.deconvolution : dnnl.convolution)(
      &description, engine, INFERENCE, conv->transposed ? DECONVOLUTION_DIRECT : DIRECT, x->desc, weights,
      c->bias.desc, y->desc, stride, dilation, begin, end, attr);
  step = make(program, status, description);
  if (!program->ok) return step;
  x->desc = (void *)dnnl.query(description, QUERY_SRC, 0);
  if (!y->memory) y->desc = (void *)dnnl.query(description, QUERY_DST, 0), y->memory = memory(program, y->desc, c->y);
  give(&step, ARG_WEIGHTS, as_wanted(program, c->w, dnnl.query(description, QUERY_WEIGHTS, 0), true).memory);
  return step;
}

struct bench_dnn_tensor bench_dnn_conv(struct bench_dnn *program, const struct bench_dnn_conv *c,
                                       struct bench_dnn_tensor x) {
  struct bench_dnn_tensor wanted = x, y = {0};
  if (!program->ok) return y;
  struct step step = make_conv(program, c, &wanted, &y);
  if (!program->ok) return y;
  give(&step, ARG_SRC, as_wanted(program, x, wanted.desc, c->x_once).memory);
  give(&step, ARG_BIAS, c->bias.memory);
  give(&step, ARG_SCALES | ARG_WEIGHTS, c->scale.memory);
  give(&step, ARG_DST, y.memory);
  append(program, &step);
  return y;
}

/* --- What else whole nets need ------------------------------------------------------------------------------------ */

static struct bench_dnn_tensor pool(struct bench_dnn *program, struct bench_dnn_tensor x, int how, const void *desc,
                                    void *data, int64_t kernel, int64_t stride, int64_t begin, int64_t end) {
  struct bench_dnn_tensor y = {0};
  dims kernels = {kernel, kernel}, strides = {stride, stride}, dilation = {0};
  dims begins = {begin, begin}, ends = {end, end};
  void *description = NULL;
  if (!program->ok) return y;
  int status = dnnl.pooling(&description, engine, INFERENCE, how, x.desc, desc, strides, kernels, dilation, begins,
                            ends, NULL);
  struct step step = make(program, status, description);
  if (!program->ok) return y;
  y.desc = (void *)dnnl.query(description, QUERY_DST, 0);
  y.memory = memory(program, y.desc, data);
  give(&step, ARG_SRC, x.memory);
  give(&step, ARG_DST, y.memory);
  append(program, &step);
  return y;
}

struct bench_dnn_tensor bench_dnn_max_pool(struct bench_dnn *program, struct bench_dnn_tensor x, int64_t batch,
                                           int64_t channels, int64_t in, int64_t out, enum bench_format format,
                                           void *y) {
  struct bench_conv like = {.dims = 2, .batch = batch, .filters = channels, .out = {out, out}};
  return pool(program, x, MAX, wanted_layout(program, &like, true, format), y, 3, 2, 1, (out - 1) * 2 + 3 - in - 1);
}

struct bench_dnn_tensor bench_dnn_mean_pool(struct bench_dnn *program, struct bench_dnn_tensor x, int64_t batch,
                                            int64_t channels, int64_t in) {
  struct bench_conv like = {.dims = 2, .batch = batch, .filters = channels, .out = {1, 1}};
  return pool(program, x, MEAN, wanted_layout(program, &like, true, BENCH_ANY), NULL, in, 1, 0, 0);
}

struct bench_dnn_tensor bench_dnn_linear(struct bench_dnn *program, struct bench_dnn_tensor x, int64_t batch,
                                         int64_t channels, int64_t filters, void *w, void *bias) {
  int64_t size[4] = {filters, channels, 1, 1}, out[2] = {batch, filters};
  struct bench_dnn_tensor plain = bench_dnn_tensor(program, BENCH_DNN_F32, 4, size, NULL, w);
  struct bench_dnn_tensor b = bench_dnn_tensor(program, BENCH_DNN_F32, 1, size, NULL, bias);
  struct bench_dnn_tensor y = bench_dnn_tensor(program, BENCH_DNN_F32, 2, out, NULL, NULL);
  void *weights = any_layout(program, BENCH_DNN_F32, 4, size), *description = NULL;
  if (!program->ok) return y;
  int status = dnnl.linear(&description, engine, INFERENCE, x.desc, weights, b.desc, y.desc, NULL);
  struct step step = make(program, status, description);
  if (!program->ok) return y;
  give(&step, ARG_SRC, x.memory);
  give(&step, ARG_WEIGHTS, as_wanted(program, plain, dnnl.query(description, QUERY_WEIGHTS, 0), true).memory);
  give(&step, ARG_BIAS, b.memory);
  give(&step, ARG_DST, y.memory);
  append(program, &step);
  return y;
}
