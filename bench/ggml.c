/* Fused attention through ggml's own C functions, which are found by name: the benchmark is built without ggml. */
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/op_attention.h"

/* As in ggml.h. */
struct init_params {
  size_t bytes;
  void *memory;
  bool no_alloc;
};
enum { MASK_TYPE = 1 };
static const int types[BENCH_KV_TYPES] = {0, 1, 30, 8, 2};
#define OVERHEAD ((size_t)1 << 20) /* of tensors and a graph */
#define MASK_ROWS 64               /* which older releases round up to */

static struct {
  void *(*init)(struct init_params);
  void (*free)(void *);
  void *(*new_tensor)(void *, int, int64_t, int64_t, int64_t, int64_t);
  void *(*permute)(void *, void *, int, int, int, int);
  void *(*flash_attn)(void *, void *, void *, void *, void *, float, float, float);
  void *(*new_graph)(void *);
  void (*expand)(void *, void *);
  void *(*data)(const void *);
  void *(*backend)(void);
  void (*set_threads)(void *, int);
  int (*compute)(void *, void *);
} ggml;

static void *context, *graph, *backend;

bool bench_ggml_find(void *library) {
  static const struct {
    const char *name;
    void *to;
  } wanted[] = {{"ggml_init", &ggml.init}, {"ggml_free", &ggml.free}, {"ggml_new_tensor_4d", &ggml.new_tensor},
                {"ggml_permute", &ggml.permute}, {"ggml_flash_attn_ext", &ggml.flash_attn},
                {"ggml_new_graph", &ggml.new_graph}, {"ggml_build_forward_expand", &ggml.expand},
                {"ggml_get_data", &ggml.data}, {"ggml_backend_cpu_init", &ggml.backend},
                {"ggml_backend_cpu_set_n_threads", &ggml.set_threads}, {"ggml_backend_graph_compute", &ggml.compute}};
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
    void *symbol = dlsym(library, wanted[i].name);
    if (!symbol) return false;
    memcpy(wanted[i].to, &symbol, sizeof symbol);
  }
  return true;
}

/* [batch][heads][rows][d] for ggml, whose first size is the innermost. */
static void *tensor(int type, int64_t batch, int64_t heads, int64_t rows, int64_t d, bool by_rows, char **data) {
  void *t = by_rows ? ggml.new_tensor(context, type, d, heads, rows, batch)
                    : ggml.new_tensor(context, type, d, rows, heads, batch);
  if (t) *data = ggml.data(t);
  return t && by_rows ? ggml.permute(context, t, 0, 2, 1, 3) : t;
}

static int64_t mask_rows(const struct bench_attention *a) { return (a->len_q + MASK_ROWS - 1) / MASK_ROWS * MASK_ROWS; }

/* An f16 mask of 0 and -inf; a single query needs none. */
static void *mask_of(const struct bench_attention *a) {
  enum { MINUS_INFINITY = 0xfc00 };
  if (!a->causal || a->len_q == 1) return NULL;
  void *mask = ggml.new_tensor(context, MASK_TYPE, a->len_kv, mask_rows(a), 1, 1);
  uint16_t *to = mask ? ggml.data(mask) : NULL;
  for (int64_t i = 0; to && i < mask_rows(a); i++)
    for (int64_t j = 0; j < a->len_kv; j++) *to++ = j > i + a->len_kv - a->len_q ? MINUS_INFINITY : 0;
  return mask;
}

static size_t bytes_of(const struct bench_attention *a) {
  int64_t rows_q = a->batch * a->heads_q * a->len_q, rows_kv = a->batch * a->heads_kv * a->len_kv;
  return (size_t)(rows_q * (a->d_qk + a->d_v)) * sizeof(float) + bench_kv_bytes(a->kv, rows_kv * (a->d_qk + a->d_v)) +
         (size_t)(mask_rows(a) * a->len_kv) * sizeof(uint16_t) + OVERHEAD;
}

bool bench_ggml_prepare(const struct bench_request *r, struct bench_attention_operands *o) {
  const struct bench_attention *a = &r->attention;
  bool by_rows = a->layout == BENCH_ROWS;
  if (!backend) backend = ggml.backend();
  context = ggml.init((struct init_params){bytes_of(a), NULL, false});
  if (!backend || !context) return false;
  ggml.set_threads(backend, r->threads);
  void *q = tensor(0, a->batch, a->heads_q, a->len_q, a->d_qk, true, &o->q);
  void *k = tensor(types[a->kv], a->batch, a->heads_kv, a->len_kv, a->d_qk, by_rows, &o->k);
  void *v = tensor(types[a->kv], a->batch, a->heads_kv, a->len_kv, a->d_v, by_rows, &o->v);
  void *out = ggml.flash_attn(context, q, k, v, mask_of(a), (float)(1 / sqrt((double)a->d_qk)), 0, 0);
  graph = ggml.new_graph(context);
  ggml.expand(graph, out);
  o->out = ggml.data(out);
  return true;
}

void bench_ggml_call(int64_t calls) {
  for (; calls > 0; calls--) ggml.compute(backend, graph);
}

void bench_ggml_release(void) {
  ggml.free(context);
  context = NULL;
}
