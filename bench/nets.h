/* Whole nets with random weights, whose normalisation is folded into these: ResNet-50 v1 and MobileNet v1, built from
 * plans of convolutions, pools in plain C, and a last layer of 1000 outputs. */
#ifndef BENCH_NETS_H
#define BENCH_NETS_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/worker.h"
#include "tessera/tessera.h"

enum bench_net_name { BENCH_RESNET50, BENCH_MOBILENET, BENCH_NETS };
extern const char *const bench_net_names[BENCH_NETS];

/* The last layer is a convolution too: of a row of pixels, one for each image, with channels last in any case. Of pools
 * `conv` has the sizes only. Tensor 0 is the net's input, i + 1 is what layer i makes. */
enum bench_layer_kind { BENCH_CONVOLVE, BENCH_MAX_POOL, BENCH_MEAN_POOL, BENCH_LINEAR };
struct bench_layer {
  enum bench_layer_kind kind;
  struct bench_conv conv;
  int x, add; /* tensors; add -1: none */
  bool relu;
  float *w, *bias; /* weights: [filters][channels / groups][kernel] */
  int buffer;      /* where its result lies */
  tsr_conv_plan *plan;
};

enum { BENCH_LAYERS = 80, BENCH_BUFFERS = 4 };
struct bench_net {
  struct bench_layer layer[BENCH_LAYERS];
  int count;
  enum bench_format format;     /* nhwc or nchw */
  float *weights, *x, *buffer[BENCH_BUFFERS]; /* buffers of so many elements each */
  size_t largest;
  void *workspace;
};

/* The library's functions. */
struct bench_net_calls {
  __typeof__(tsr_conv_plan_create) *create;
  __typeof__(tsr_conv_plan_destroy) *destroy;
  __typeof__(tsr_conv_plan_workspace) *workspace;
  __typeof__(tsr_conv_run) *run;
};

/* Sets a net up for so many images of size x size pixels: layers, weights, input. `in_place` has results with an `add`
 * take its place, as oneDNN does it; Tessera's may not. False: no memory. */
bool bench_net_make(struct bench_net *net, enum bench_net_name name, int64_t images, int64_t size,
                    enum bench_format format, bool in_place);
void bench_net_free(struct bench_net *net, const struct bench_net_calls *calls);

/* Multiplications and additions. */
double bench_net_flops(const struct bench_net *net);

/* A tensor of the net; those of earlier layers may have been overwritten. */
float *bench_net_tensor(const struct bench_net *net, int tensor);

/* Plans for all convolutions; then runs of one layer, or all. */
tsr_status bench_net_plan(struct bench_net *net, const struct bench_net_calls *calls);
tsr_status bench_net_layer(const struct bench_net *net, const struct bench_net_calls *calls, int layer);
tsr_status bench_net_run(const struct bench_net *net, const struct bench_net_calls *calls);

/* Layer by layer, `samples` elements of each result against the plain formula in double on what the layer got: how far
 * they are off at worst, in terms of 2^-24 * (the number of products + 8) * the sum of their magnitudes. */
double bench_net_error(const struct bench_net *net, int layer, int samples);

/* The whole net by plain loops, its result for comparison. */
void bench_net_plain(const struct bench_net *net);

#endif
