/* Whole nets as a worker measures them: by Tessera's plans, oneDNN's primitives, or PyTorch, which a program has. What
 * was set up stays for the next samples of the same net: setting up takes longer than a sample. */
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/nets.h"
#include "bench/onednn.h"
#include "bench/program.h"

enum { IMAGE = 224, SMALL = 48 };

static struct bench_net_calls calls;
static bool has_dnn;

/* A net as one of the libraries has it. */
struct built {
  struct bench_net net;
  struct bench_dnn *program;
  struct bench_dnn_tensor result;
};
enum { KEPT = 4 };
static struct kept {
  struct built built;
  int net;
  int64_t images; /* 0: empty */
} kept[KEPT], *now;
static double seconds; /* by the program's own clock */

static bool find(void *library) {
  calls.create = (__typeof__(calls.create))dlsym(library, "tsr_conv_plan_create");
  calls.destroy = (__typeof__(calls.destroy))dlsym(library, "tsr_conv_plan_destroy");
  calls.workspace = (__typeof__(calls.workspace))dlsym(library, "tsr_conv_plan_workspace");
  calls.run = (__typeof__(calls.run))dlsym(library, "tsr_conv_run");
  has_dnn = bench_dnn_find(library);
  return (calls.create && calls.destroy && calls.workspace && calls.run) || has_dnn;
}

static enum bench_answer has(const struct bench_request *r) {
  (void)r;
  return bench_program_pid() || has_dnn || (calls.create && calls.run) ? BENCH_OK : BENCH_MISSING;
}

/* --- oneDNN ------------------------------------------------------------------------------------------------------ */

static struct bench_dnn_tensor append(struct bench_dnn *p, const struct bench_net *net, int layer,
                                      const struct bench_dnn_tensor *tensors, enum bench_format format) {
  const struct bench_layer *l = &net->layer[layer];
  const struct bench_conv *c = &l->conv;
  struct bench_dnn_tensor x = tensors[l->x];
  void *y = net->buffer[l->buffer];
  if (l->kind == BENCH_MAX_POOL) return bench_dnn_max_pool(p, x, c->batch, c->channels, c->in[0], c->out[0], format, y);
  if (l->kind == BENCH_MEAN_POOL) return bench_dnn_mean_pool(p, x, c->batch, c->channels, c->in[0]);
  if (l->kind == BENCH_LINEAR) return bench_dnn_linear(p, x, c->in[1], c->channels, c->filters, l->w, l->bias);
  struct bench_dnn_conv conv = {.conv = c, .format = format, .relu = l->relu, .y = y};
  conv.w = bench_dnn_weights(p, c, l->w);
  conv.bias = bench_dnn_tensor(p, BENCH_DNN_F32, 1, &c->filters, NULL, l->bias);
  if (l->add >= 0) conv.add = tensors[l->add];
  return bench_dnn_conv(p, &conv, x);
}

static void build_dnn(struct built *b, enum bench_format format) {
  struct bench_dnn_tensor tensors[BENCH_LAYERS + 1];
  b->program = bench_dnn_new();
  if (!b->program) return;
  tensors[0] = bench_dnn_image(b->program, &b->net.layer[0].conv, false, b->net.format, b->net.x);
  for (int i = 0; i < b->net.count; i++) tensors[i + 1] = append(b->program, &b->net, i, tensors, format);
  b->result = tensors[b->net.count];
}

/* --- The operation ----------------------------------------------------------------------------------------------- */

static void drop(struct built *b) {
  bench_dnn_free(b->program);
  bench_net_free(&b->net, &calls);
  memset(b, 0, sizeof *b);
}

/* oneDNN's own layout begins with an image that lies as NCHW, whose reordering counts. */
static enum bench_answer build(struct built *b, int net, int64_t images, int64_t size) {
  enum bench_format format = bench_worker_format(has_dnn ? BENCH_ANY : BENCH_NHWC);
  enum bench_format plain = format == BENCH_NHWC ? BENCH_NHWC : BENCH_NCHW;
  memset(b, 0, sizeof *b);
  if (!bench_net_make(&b->net, (enum bench_net_name)net, images, size, plain, has_dnn)) return BENCH_NO_MEMORY;
  if (has_dnn) build_dnn(b, format);
  bool ok = has_dnn ? b->program && bench_dnn_ok(b->program) : bench_net_plan(&b->net, &calls) == TSR_OK;
  if (!ok) drop(b);
  return ok ? BENCH_OK : BENCH_MISSING;
}

static void run(const struct built *b) {
  if (has_dnn) bench_dnn_run(b->program);
  else bench_net_run(&b->net, &calls);
}

static enum bench_answer prepare(const struct bench_request *r) {
  char answer[64];
  if (bench_program_pid()) {
    bench_program_ask(answer, sizeof answer, "prepare %d %lld %d %s", r->net, (long long)r->images, IMAGE,
                      bench_formats[bench_worker_format(BENCH_NHWC)]);
    return strcmp(answer, "ok") == 0 ? BENCH_OK : BENCH_NO_MEMORY;
  }
  for (now = kept; now < kept + KEPT && now->images; now++)
    if (now->net == r->net && now->images == r->images) return BENCH_OK;
  if (now == kept + KEPT) drop(&(--now)->built);
  enum bench_answer outcome = build(&now->built, r->net, r->images, IMAGE);
  now->net = r->net;
  now->images = outcome == BENCH_OK ? r->images : 0;
  return outcome;
}

static void call(const struct bench_request *r, int caller, int64_t count) {
  char answer[64];
  (void)r, (void)caller;
  if (bench_program_pid()) {
    bench_program_ask(answer, sizeof answer, "run %lld", (long long)count);
    seconds = strtod(answer, NULL);
    return;
  }
  for (; count > 0; count--) run(&now->built);
}

static void release(void) {}

static double elapsed(void) { return bench_program_pid() ? seconds : 0; }

/* --- Checking ---------------------------------------------------------------------------------------------------- */

/* Some results of each layer, by what it got. */
static bool layers_are_right(const struct bench_net *net) {
  for (int i = 0; i < net->count; i++)
    if (bench_net_layer(net, &calls, i) != TSR_OK || !(bench_net_error(net, i, 50) <= 1)) return false;
  return true;
}

/* The outputs for a small image against a plain net's. */
static bool outputs_are_right(int name) {
  struct built small;
  struct bench_net plain;
  if (build(&small, name, 1, SMALL) != BENCH_OK) return false;
  bool ok = bench_net_make(&plain, (enum bench_net_name)name, 1, SMALL, small.net.format, false);
  if (ok) {
    int64_t size[2] = {1, 1000};
    float got[1000], largest = 0, off = 0;
    bench_net_plain(&plain);
    const float *right = bench_net_tensor(&plain, plain.count);
    run(&small);
    bench_dnn_copy(small.program, small.result, bench_dnn_tensor(small.program, BENCH_DNN_F32, 2, size, NULL, got));
    for (int i = 0; i < 1000; i++) {
      largest = fmaxf(largest, fabsf(right[i]));
      off = got[i] == got[i] ? fmaxf(off, fabsf(got[i] - right[i])) : INFINITY;
    }
    ok = off <= 1e-3f * largest;
    bench_net_free(&plain, NULL);
  }
  drop(&small);
  return ok;
}

static bool right(const struct bench_request *r) {
  static bool is_right[BENCH_NETS]; /* the small net is the same for all numbers of images */
  if (bench_program_pid()) return true; /* its weights are its own */
  if (!has_dnn) return layers_are_right(&now->built.net);
  if (!is_right[r->net]) is_right[r->net] = outputs_are_right(r->net);
  return is_right[r->net];
}

const struct bench_op bench_op_net = {"net", find, has, prepare, call, right, release, elapsed};
