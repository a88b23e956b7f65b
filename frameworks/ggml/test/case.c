#include "case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t next_random(uint64_t *state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static float next_float(uint64_t *state) { return (float)(int32_t)(next_random(state) >> 32) * 0x1p-31f; }

/* [B][rows][heads][d] seen as [B][heads][rows][d], with a few rows more in memory than are seen; or as it lies. */
static struct ggml_tensor *tensor(struct node *n, enum ggml_type type, int d, int rows, int heads, bool cache) {
  int batch = n->shape.batch;
  if (n->shape.layout == PLAIN) return ggml_new_tensor_4d(n->context, type, d, rows, heads, batch);
  struct ggml_tensor *all = ggml_new_tensor_4d(n->context, type, d, heads, rows + (cache ? 5 : 0), batch);
  struct ggml_tensor *seen = ggml_view_4d(n->context, all, d, heads, rows, batch, all->nb[1], all->nb[2], all->nb[3], 0);
  return ggml_permute(n->context, seen, 0, 2, 1, 3);
}

static void fill(struct ggml_tensor *t, float scale, uint64_t *random) {
  int64_t count = ggml_nelements(t);
  float *values = malloc((size_t)count * sizeof *values);
  for (int64_t i = 0; i < count; i++) values[i] = scale * next_float(random);
  if (t->type == GGML_TYPE_F32)
    memcpy(t->data, values, (size_t)count * sizeof *values);
  else
    ggml_quantize_chunk(t->type, values, t->data, 0, count / t->ne[0], t->ne[0], NULL);
  free(values);
}

/* The last query stands at the last key. */
static int position(const struct shape *s, int i) { return i + s->keys - s->queries; }

static bool masked(const struct shape *s, int i, int j, uint64_t *random) {
  int at = position(s, i);
  switch (s->mask) {
    case CAUSAL: return j > at;
    case WINDOW: return j > at || j < at - 20;
    case RANDOM: return next_random(random) % 3 == 0;
    case EMPTY_ROWS: return i % 3 == 1 || j % 2;
    default: return false;
  }
}

static void fill_mask(const struct shape *s, struct ggml_tensor *t, uint64_t *random) {
  ggml_fp16_t *to = t->data;
  for (int64_t plane = 0; plane < t->ne[2] * t->ne[3]; plane++)
    for (int i = 0; i < t->ne[1]; i++)
      for (int j = 0; j < t->ne[0]; j++) {
        float bias = s->max_bias > 0 ? -(float)abs(j - position(s, i)) : s->mask == RANDOM ? next_float(random) : 0;
        *to++ = ggml_fp32_to_fp16(masked(s, i, j, random) ? -INFINITY : bias);
      }
}

static void make_tensors(struct node *n) {
  const struct shape *s = &n->shape;
  n->q = tensor(n, GGML_TYPE_F32, s->dk, s->queries, s->heads, false);
  n->k = tensor(n, s->type_k, s->dk, s->keys, s->heads_kv, true);
  n->v = s->layout == VALUES_IN_KEYS
           ? ggml_view_4d(n->context, n->k, s->dv, s->keys, s->heads_kv, s->batch, n->k->nb[1], n->k->nb[2], n->k->nb[3], 0)
           : tensor(n, s->type_v, s->dv, s->keys, s->heads_kv, true);
  if (s->mask != NO_MASK)
    n->mask = ggml_new_tensor_4d(n->context, GGML_TYPE_F16, s->keys, s->queries, s->mask_heads ? s->heads : 1,
                                 s->mask_batch ? s->batch : 1);
  if (s->sinks) n->sinks = ggml_new_tensor_1d(n->context, GGML_TYPE_F32, s->heads);
  n->out = ggml_flash_attn_ext(n->context, n->q, n->k, n->v, n->mask, 1.0f / sqrtf((float)s->dk), s->max_bias, s->softcap);
  if (n->sinks) ggml_flash_attn_ext_add_sinks(n->out, n->sinks);
}

static struct ggml_tensor *memory_of(struct ggml_tensor *t) {
  while (t->view_src) t = t->view_src;
  return t;
}

void node_open(struct node *n, const struct shape *shape) {
  struct ggml_init_params params = {.mem_size = 32 * ggml_tensor_overhead() + ggml_graph_overhead(), .no_alloc = true};
  uint64_t random = shape->seed;
  *n = (struct node){.shape = *shape, .context = ggml_init(params)};
  make_tensors(n);
  n->graph = ggml_new_graph(n->context);
  ggml_build_forward_expand(n->graph, n->out);
  n->buffer = ggml_backend_alloc_ctx_tensors_from_buft(n->context, ggml_backend_cpu_buffer_type());
  fill(memory_of(n->q), 4, &random);
  fill(memory_of(n->k), 1, &random);
  if (memory_of(n->v) != memory_of(n->k)) fill(memory_of(n->v), 1, &random);
  if (n->mask) fill_mask(shape, n->mask, &random);
  if (n->sinks) fill(n->sinks, 4, &random);
}

void node_close(struct node *n) {
  ggml_backend_buffer_free(n->buffer);
  ggml_free(n->context);
}

int64_t node_elements(const struct node *n) { return ggml_nelements(n->out); }

static float slope(const struct shape *s, int head) {
  int power = 1;
  if (s->max_bias <= 0) return 1;
  while (power * 2 <= s->heads) power *= 2;
  return head < power ? powf(powf(2, -s->max_bias / (float)power), (float)(head + 1))
                      : powf(powf(2, -s->max_bias / 2 / (float)power), (float)(2 * (head - power) + 1));
}

/* Row i of head h of sequence b, as floats. */
static void row(const struct ggml_tensor *t, int i, int h, int b, float *to) {
  const char *from = (const char *)t->data + (size_t)i * t->nb[1] + (size_t)h * t->nb[2] + (size_t)b * t->nb[3];
  if (t->type == GGML_TYPE_F32)
    memcpy(to, from, (size_t)t->ne[0] * sizeof *to);
  else
    ggml_get_type_traits(t->type)->to_float(from, to, t->ne[0]);
}

/* All rows of a head. */
static float *rows_of(const struct ggml_tensor *t, int h, int b) {
  float *rows = malloc((size_t)(t->ne[0] * t->ne[1]) * sizeof *rows);
  for (int i = 0; i < t->ne[1]; i++) row(t, i, h, b, rows + i * t->ne[0]);
  return rows;
}

static double bias(const struct node *n, int i, int j, int h, int b) {
  const struct ggml_tensor *m = n->mask;
  if (!m) return 0;
  const char *at = (const char *)m->data + (size_t)i * m->nb[1] + (size_t)(h % m->ne[2]) * m->nb[2] +
                   (size_t)(b % m->ne[3]) * m->nb[3];
  return (double)slope(&n->shape, h) * (double)ggml_fp16_to_fp32(((const ggml_fp16_t *)at)[j]);
}

static void reference_row(const struct node *n, const float *q, const float *k, const float *v, int i, int h, int b,
                          double *x, double *out) {
  const struct shape *s = &n->shape;
  double max = n->sinks ? (double)((const float *)n->sinks->data)[h] : -INFINITY, sum = n->sinks ? 1 : 0;
  double scale = (double)(1.0f / sqrtf((float)s->dk));
  for (int j = 0; j < s->keys; j++) {
    double dot = 0, add = bias(n, i, j, h, b);
    for (int e = 0; e < s->dk; e++) dot += (double)q[e] * (double)k[j * s->dk + e];
    dot *= scale;
    x[j] = (s->softcap > 0 ? (double)s->softcap * tanh(dot / (double)s->softcap) : dot) + add;
    if (x[j] > max) sum *= exp(max - x[j]), max = x[j];
    if (x[j] > -INFINITY) sum += exp(x[j] - max);
  }
  for (int e = 0; e < s->dv; e++) out[e] = 0;
  for (int j = 0; j < s->keys; j++)
    if (x[j] > -INFINITY)
      for (int e = 0; e < s->dv; e++) out[e] += exp(x[j] - max) / sum * (double)v[j * s->dv + e];
}

void node_reference(const struct node *n, double *out) {
  const struct shape *s = &n->shape;
  double *x = malloc((size_t)s->keys * sizeof *x);
  for (int b = 0; b < s->batch; b++)
    for (int h = 0; h < s->heads; h++) {
      int h_kv = h / (s->heads / s->heads_kv);
      float *q = rows_of(n->q, h, b), *k = rows_of(n->k, h_kv, b), *v = rows_of(n->v, h_kv, b);
      for (int i = 0; i < s->queries; i++)
        reference_row(n, q + i * s->dk, k, v, i, h, b, x,
                      out + (((int64_t)b * s->queries + i) * s->heads + h) * s->dv);
      free(q), free(k), free(v);
    }
  free(x);
}

void describe_shape(const struct shape *s, char *text, size_t size) {
  static const char *const layouts[] = {"engine", "plain", "values in keys"};
  static const char *const masks[] = {"no", "causal", "window", "random", "empty rows"};
  snprintf(text, size, "k %s v %s, size %d/%d, heads %d/%d, queries %d, keys %d, batch %d, %s layout, %s mask%s%s, "
           "max_bias %g, softcap %g%s, seed %llu", ggml_type_name(s->type_k), ggml_type_name(s->type_v), s->dk, s->dv,
           s->heads, s->heads_kv, s->queries, s->keys, s->batch, layouts[s->layout], masks[s->mask],
           s->mask_heads ? " a head" : "", s->mask_batch ? " a sequence" : "", (double)s->max_bias, (double)s->softcap,
           s->sinks ? ", sinks" : "", (unsigned long long)s->seed);
}
