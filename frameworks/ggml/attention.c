/* FLASH_ATTN_EXT as a call of tsr_attention. ggml's tensors are
 *   q [B][H][N][DK], k [B][HK][K][DK], v [B][HK][K][DV], mask [1 or B][1 or H][>= N][K] of f16, sinks [H] of f32,
 * by strides in bytes, and the output is [B][N][H][DV]. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"

enum { MOST_HEADS = 4096 };

/* Places of the operator's numbers in op_params. */
enum { SCALE, MAX_BIAS, SOFTCAP };

static float parameter(const struct ggml_tensor *node, int i) {
  float value;
  memcpy(&value, &node->op_params[i], sizeof value);
  return value;
}

/* How ggml's types are called here: 0 for those that the library has no name for. */
static tsr_type type_of(const struct ggml_tensor *t) {
  switch (t->type) {
    case GGML_TYPE_F32: return TSR_F32;
    case GGML_TYPE_F16: return TSR_F16;
    case GGML_TYPE_BF16: return TSR_BF16;
    case GGML_TYPE_Q8_0: return TSR_Q8_0;
    case GGML_TYPE_Q4_0: return TSR_Q4_0;
    default: return (tsr_type)0;
  }
}

/* Bytes of a block, and its elements. */
static int64_t block_bytes(tsr_type type) {
  return type == TSR_F32 ? 4 : type == TSR_Q8_0 ? 34 : type == TSR_Q4_0 ? 18 : 2;
}
static int64_t block_elements(tsr_type type) { return type == TSR_Q8_0 || type == TSR_Q4_0 ? 32 : 1; }

/* The strides of a tensor whose dimensions 1, 2, 3 are `index` [0], [1], [2], in elements. */
static bool strides(const struct ggml_tensor *t, const int index[3], int64_t stride[3]) {
  tsr_type type = type_of(t);
  if (!type || (int64_t)t->nb[0] != block_bytes(type)) return false;
  for (int i = 0; i < 3; i++) {
    int64_t bytes = (int64_t)t->nb[i + 1];
    if (bytes < 0 || bytes % block_bytes(type)) return false;
    stride[index[i]] = bytes / block_bytes(type) * block_elements(type);
  }
  return true;
}

static bool describe_sizes(const struct ggml_tensor *node, tsr_attention_desc *d) {
  static const int rows_heads[] = {TSR_ROW, TSR_HEAD, TSR_BATCH}, heads_rows[] = {TSR_HEAD, TSR_ROW, TSR_BATCH};
  const struct ggml_tensor *q = node->src[0], *k = node->src[1], *v = node->src[2];
  if (k->ne[0] != q->ne[0] || v->ne[1] != k->ne[1] || v->ne[2] != k->ne[2]) return false;
  if (k->ne[3] != q->ne[3] || v->ne[3] != q->ne[3]) return false;
  if (node->ne[0] != v->ne[0] || node->ne[1] != q->ne[2] || node->ne[2] != q->ne[1] || node->ne[3] != q->ne[3])
    return false;
  d->type_q = type_of(q), d->type_k = type_of(k), d->type_v = type_of(v), d->type_out = type_of(node);
  d->batch = q->ne[3], d->heads_q = q->ne[2], d->heads_kv = k->ne[2];
  d->len_q = q->ne[1], d->len_kv = k->ne[1], d->d_qk = q->ne[0], d->d_v = v->ne[0];
  return strides(q, rows_heads, d->stride_q) && strides(k, rows_heads, d->stride_k) &&
         strides(v, rows_heads, d->stride_v) && strides(node, heads_rows, d->stride_out);
}

/* A mask for so many heads or sequences: the same for all, or one for each. */
static bool repeats(int64_t have, int64_t need, int64_t *stride) {
  if (have == 1) *stride = 0;
  return have == 1 || have == need;
}

static bool describe_mask(const struct ggml_tensor *node, tsr_attention_desc *d) {
  static const int rows_heads[] = {TSR_ROW, TSR_HEAD, TSR_BATCH};
  const struct ggml_tensor *mask = node->src[3];
  if (!mask) return true;
  d->mask_type = type_of(mask);
  if (d->mask_type != TSR_F16 || mask->ne[0] < d->len_kv || mask->ne[1] < d->len_q) return false;
  return strides(mask, rows_heads, d->stride_mask) && repeats(mask->ne[2], d->heads_q, &d->stride_mask[TSR_HEAD]) &&
         repeats(mask->ne[3], d->batch, &d->stride_mask[TSR_BATCH]);
}

/* Slopes as O. Press et al. define them for powers of two, "Train Short, Test Long", ICLR 2022; between these ggml takes
 * every second one of the next. */
static void fill_slopes(float max_bias, int64_t heads, float *slope) {
  uint32_t power = 1u << (uint32_t)floor(log2((double)heads));
  float even = powf(2.0f, -max_bias / (float)power), odd = powf(2.0f, -(max_bias / 2.0f) / (float)power);
  for (uint32_t h = 0; h < (uint32_t)heads; h++)
    slope[h] = h < power ? powf(even, (float)(h + 1)) : powf(odd, (float)(2 * (h - power) + 1));
}

/* Everything but the pointers. `slope` has room for MOST_HEADS. */
static bool describe(const struct ggml_tensor *node, tsr_attention_desc *d, float *slope) {
  const struct ggml_tensor *sinks = node->src[4];
  float max_bias = parameter(node, MAX_BIAS);
  if (!node->src[0] || !node->src[1] || !node->src[2]) return false;
  if (!describe_sizes(node, d) || !describe_mask(node, d)) return false;
  d->scale = parameter(node, SCALE);
  d->softcap = parameter(node, SOFTCAP);
  if (d->scale == 0) return false; /* 0 is 0 to ggml */
  if (max_bias > 0) {
    if (!d->mask_type || d->heads_q > MOST_HEADS) return false;
    fill_slopes(max_bias, d->heads_q, slope);
    d->alibi = slope;
    d->alibi_scales_mask = 1;
  }
  return !sinks || (sinks->type == GGML_TYPE_F32 && sinks->ne[0] == d->heads_q && sinks->nb[0] == sizeof(float));
}

/* The library is asked, so that what it learns is used from then on. Tensors have no memory yet: plans do not read. */
bool tsr_ggml_supports_attention(const struct ggml_tensor *node) {
  static const char somewhere[64];
  tsr_attention_desc d = TSR_ATTENTION_DESC;
  tsr_attention_plan *plan;
  float slope[MOST_HEADS];
  if (!describe(node, &d, slope)) return false;
  if (d.mask_type) d.mask = somewhere;
  if (node->src[4]) d.sinks = (const float *)somewhere;
  if (tsr_attention_plan_create(NULL, &d, &plan) != TSR_OK) return false;
  tsr_attention_plan_destroy(plan);
  return true;
}

enum ggml_status tsr_ggml_attention(tsr_context *context, const struct ggml_tensor *node) {
  tsr_attention_desc d = TSR_ATTENTION_DESC;
  float slope[MOST_HEADS];
  if (!describe(node, &d, slope)) {
    tsr_ggml_say("node \"%s\" is none that it offered to compute", node->name);
    return GGML_STATUS_FAILED;
  }
  if (node->src[3]) d.mask = node->src[3]->data;
  if (node->src[4]) d.sinks = node->src[4]->data;
  tsr_status status =
    tsr_attention(context, &d, node->src[0]->data, node->src[1]->data, node->src[2]->data, node->data, NULL);
  if (status == TSR_OK) return GGML_STATUS_SUCCESS;
  tsr_ggml_say("node \"%s\": %s", node->name, tsr_last_error());
  return status == TSR_OUT_OF_MEMORY ? GGML_STATUS_ALLOC_FAILED : GGML_STATUS_FAILED;
}
