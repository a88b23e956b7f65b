/* oneDNN through its C functions, which are found by name: the benchmark is built without oneDNN (any release 3 will
 * do). A program is a list of primitives with their tensors, made once and run many times. Functions that fail spoil
 * the program, which bench_dnn_ok then says; a spoilt one may be given further calls. */
#ifndef BENCH_ONEDNN_H
#define BENCH_ONEDNN_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/worker.h"

struct bench_dnn;
struct bench_dnn_tensor {
  void *desc, *memory;
};
enum bench_dnn_type { BENCH_DNN_F16 = 1, BENCH_DNN_BF16, BENCH_DNN_F32, BENCH_DNN_S32, BENCH_DNN_S8, BENCH_DNN_U8 };

bool bench_dnn_find(void *library);
bool bench_dnn_describe(void *library, char *text, size_t size);

struct bench_dnn *bench_dnn_new(void);
void bench_dnn_free(struct bench_dnn *program);
bool bench_dnn_ok(const struct bench_dnn *program);
/* Whether one of its primitives is oneDNN's reference implementation, a plain loop of some 100 MFLOP/s. */
bool bench_dnn_is_reference(const struct bench_dnn *program);

/* Runs the list once and waits. */
void bench_dnn_run(struct bench_dnn *program);

/* A tensor in memory of the caller's, or, with data NULL, in the program's. At most 6 dimensions; strides in elements,
 * NULL: the last dimension is the innermost. */
struct bench_dnn_tensor bench_dnn_tensor(struct bench_dnn *program, enum bench_dnn_type type, int dims,
                                         const int64_t *size, const int64_t *stride, void *data);

/* What a convolution takes beside x. `format` is the layout of x and y, BENCH_ANY what oneDNN likes best; y has the type
 * of x. `add` is a tensor that y takes the place of. x is brought into another layout where that is necessary: once and
 * for all, with x_once, else in every run. */
struct bench_dnn_conv {
  const struct bench_conv *conv;
  enum bench_format format;
  struct bench_dnn_tensor w, bias, scale, add; /* memory NULL: none */
  bool relu, x_once;
  void *y; /* memory for y, NULL: the program's own */
};
struct bench_dnn_tensor bench_dnn_conv(struct bench_dnn *program, const struct bench_dnn_conv *conv,
                                       struct bench_dnn_tensor x);

/* Weights [filters][channels / groups][kernel], transposed [channels][filters / groups]. */
struct bench_dnn_tensor bench_dnn_weights(struct bench_dnn *program, const struct bench_conv *conv, void *data);
/* x or y of a convolution in a plain layout. */
struct bench_dnn_tensor bench_dnn_image(struct bench_dnn *program, const struct bench_conv *conv, bool is_y,
                                        enum bench_format format, void *data);

/* The largest of 3 x 3 pixels two apart with a padding of 1, f32; the mean of all pixels, [batch][channels][1][1]. */
struct bench_dnn_tensor bench_dnn_max_pool(struct bench_dnn *program, struct bench_dnn_tensor x, int64_t batch,
                                           int64_t channels, int64_t in, int64_t out, enum bench_format format,
                                           void *y);
struct bench_dnn_tensor bench_dnn_mean_pool(struct bench_dnn *program, struct bench_dnn_tensor x, int64_t batch,
                                            int64_t channels, int64_t in);
/* y[batch][filters] = x[batch][channels][1][1] * w' + bias. */
struct bench_dnn_tensor bench_dnn_linear(struct bench_dnn *program, struct bench_dnn_tensor x, int64_t batch,
                                         int64_t channels, int64_t filters, void *w, void *bias);

/* Copies a tensor into another one's layout and memory, now. */
void bench_dnn_copy(struct bench_dnn *program, struct bench_dnn_tensor from, struct bench_dnn_tensor to);

#endif
