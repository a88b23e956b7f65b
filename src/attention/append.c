/* Storing new keys and values in a cache: converted, quantised, laid out as the kernels read them. */
#include <string.h>

#include "kernels/half.h"
#include "src/attention/attention.h"
#include "src/attention/blocks.h"
#include "src/core/memory.h"

#define CHECK(condition, ...) \
  if (!(condition)) return tsr_fail(TSR_INVALID_ARGUMENT, __VA_ARGS__)

/* One of the two tensors on its way. */
struct append {
  const struct tsr_kernels *kernels;
  const tsr_attention_desc *desc;
  tsr_type from, to;
  tsr_mem source, cache;
  const int64_t *source_stride, *stride; /* in elements */
  int64_t d, at, rows;
  float *scales; /* of s8 */
  bool panels;
  float *row, *panel; /* scratch: TSR_KV_PANEL x d each */
};

static void convert(const struct append *a, tsr_type from, tsr_type to, int64_t m, int64_t n, tsr_mem source,
                    int64_t csa, tsr_mem target, int64_t csc) {
  struct tsr_step step = {.m = m, .n = n, .csa = csa, .csc = csc, .alpha = 1};
  a->kernels[from].convert[to]->run(&step, source, 0, target);
}

/* The stride index of the cache's row j, whose unit is a row or a panel. */
static int64_t offset_of(const struct append *a, const int64_t *stride, int64_t head, int64_t j, int64_t unit) {
  int64_t page_size = a->desc->page_size, offset = head * stride[TSR_HEAD];
  if (!page_size) return offset + j / unit * stride[TSR_ROW];
  return offset + a->desc->block_table[j / page_size] * stride[TSR_BATCH] + j % page_size / unit * stride[TSR_ROW];
}

static void store_row(const struct append *a, int64_t head, int64_t j, const float *row) {
  tsr_mem to = a->cache + (tsr_mem)tsr_bytes_of(a->to, offset_of(a, a->stride, head, j, 1));
  if (tsr_size_of(a->to) && a->to != TSR_S8)
    convert(a, TSR_F32, a->to, a->d, 1, (tsr_mem)row, 0, to, 0);
  else
    tsr_attention_encode(a->to, a->d, row, to,
                         a->to == TSR_S8 ? a->scales + offset_of(a, a->desc->stride_scales, head, j, 1) : NULL);
}

static void store_in_panel(const struct append *a, int64_t head, int64_t j, const float *row) {
  int64_t size = tsr_size_of(a->to);
  tsr_mem to = a->cache + (tsr_mem)((offset_of(a, a->stride, head, j, TSR_KV_PANEL) + j % TSR_KV_PANEL) * size);
  for (int64_t e = 0; e < a->d; e++, to += (tsr_mem)(TSR_KV_PANEL * size)) {
    uint16_t half = a->to == TSR_F16 ? tsr_to_f16(row[e]) : tsr_to_bf16(row[e]);
    memcpy((void *)to, a->to == TSR_F32 ? (const void *)(row + e) : &half, (size_t)size);
  }
}

/* A panel that new rows fill from end to end. */
static void store_panel(const struct append *a, int64_t head, int64_t j, const float *rows) {
  const struct tsr_kernel *const *pack = a->kernels[TSR_F32].pack_t;
  struct tsr_step turn = {.m = TSR_KV_PANEL, .n = TSR_KV_PANEL, .k = a->d, .rsa = a->d * 4, .csa = 4};
  tsr_mem to = a->cache + (tsr_mem)(offset_of(a, a->stride, head, j, TSR_KV_PANEL) * tsr_size_of(a->to));
  (pack[TSR_KV_PANEL] ? pack[TSR_KV_PANEL] : pack[0])->run(&turn, (tsr_mem)rows, 0, (tsr_mem)a->panel);
  convert(a, TSR_F32, a->to, a->d * TSR_KV_PANEL, 1, (tsr_mem)a->panel, 0, to, 0);
}

static void append_head(const struct append *a, int64_t head) {
  int64_t size = tsr_size_of(a->from), next = a->source_stride[TSR_ROW] * size;
  tsr_mem from = a->source + (tsr_mem)(head * a->source_stride[TSR_HEAD] * size);
  for (int64_t j = a->at, n; j < a->at + a->rows; j += n, from += (tsr_mem)(n * next)) {
    n = tsr_min(TSR_KV_PANEL - j % TSR_KV_PANEL, a->at + a->rows - j);
    convert(a, a->from, TSR_F32, a->d, n, from, next, (tsr_mem)a->row, a->d * 4);
    if (a->panels && n == TSR_KV_PANEL) {
      store_panel(a, head, j, a->row);
      continue;
    }
    for (int64_t i = 0; i < n; i++)
      (a->panels ? store_in_panel : store_row)(a, head, j + i, a->row + i * a->d);
  }
}

static tsr_status check_source(const char *name, const int64_t *stride, int64_t heads, int64_t rows) {
  int64_t across, down, extent;
  CHECK(stride[TSR_HEAD] >= 0 && stride[TSR_ROW] >= 0, "%s: strides cannot be negative", name);
  CHECK(!__builtin_mul_overflow(stride[TSR_HEAD], heads, &across) && !__builtin_mul_overflow(stride[TSR_ROW], rows, &down) &&
            !__builtin_add_overflow(across, down, &extent) && extent < INT64_MAX / 16,
        "%s: the new rows would not fit the address space", name);
  return TSR_OK;
}

static tsr_status check_rows(const tsr_attention_desc *d, const void *k_cache, const void *v_cache, int64_t at,
                             const tsr_kv_rows *rows) {
  CHECK(rows, "rows is NULL: pass a tsr_kv_rows");
  CHECK(rows->type == TSR_F32 || rows->type == TSR_F16 || rows->type == TSR_BF16,
        "rows->type is %d: use TSR_F32, TSR_F16 or TSR_BF16", (int)rows->type);
  CHECK(rows->rows >= 0, "rows->rows is %lld: it cannot be negative", (long long)rows->rows);
  CHECK(at >= 0 && at <= d->len_kv && rows->rows <= d->len_kv - at,
        "at is %lld: with %lld new rows the cache of %lld overflows", (long long)at, (long long)rows->rows,
        (long long)d->len_kv);
  if (rows->rows == 0) return TSR_OK;
  CHECK(k_cache && v_cache, "%s is NULL", k_cache ? "v_cache" : "k_cache");
  CHECK(rows->k && rows->v, "rows->%s is NULL", rows->k ? "v" : "k");
  tsr_status status = check_source("rows->stride_k", rows->stride_k, d->heads_kv, rows->rows);
  if (status == TSR_OK) status = check_source("rows->stride_v", rows->stride_v, d->heads_kv, rows->rows);
  if (status != TSR_OK) return status;
  for (int64_t p = d->page_size ? at / d->page_size : 0; d->page_size && p * d->page_size < at + rows->rows; p++)
    CHECK(d->block_table[p] >= 0 && d->block_table[p] < d->pages, "block_table[%lld] is %d, but there are %lld pages",
          (long long)p, (int)d->block_table[p], (long long)d->pages);
  return TSR_OK;
}

tsr_status tsr_kv_append(tsr_context *given, const tsr_attention_desc *d, void *k_cache, void *v_cache, int64_t at,
                         const tsr_kv_rows *rows) {
  tsr_context *context;
  tsr_status status = tsr_context_get(given, &context);
  if (status == TSR_OK) status = tsr_attention_check_cache(d);
  if (status == TSR_OK) status = check_rows(d, k_cache, v_cache, at, rows);
  if (status != TSR_OK || rows->rows == 0) return status;
  if (context->device) return tsr_fail(TSR_UNSUPPORTED, "caches are written on CPU contexts only");
  float *scratch = tsr_scratch_get(TSR_SCRATCH_A, 2 * TSR_KV_PANEL * TSR_MOST_HEAD_SIZE * sizeof *scratch);
  if (!scratch) return tsr_fail(TSR_OUT_OF_MEMORY, "no scratch memory for new keys and values");
  struct append k = {context->kernels, d, rows->type, d->type_k, (tsr_mem)rows->k, (tsr_mem)k_cache, rows->stride_k,
                     d->stride_k, d->d_qk, at, rows->rows, (float *)d->scales_k, d->layout_k == TSR_KV_PANELS,
                     scratch, scratch + TSR_KV_PANEL * TSR_MOST_HEAD_SIZE};
  struct append v = {context->kernels, d, rows->type, d->type_v, (tsr_mem)rows->v, (tsr_mem)v_cache, rows->stride_v,
                     d->stride_v, d->d_v, at, rows->rows, (float *)d->scales_v, false, scratch, NULL};
  for (int64_t head = 0; head < d->heads_kv; head++) {
    append_head(&k, head);
    append_head(&v, head);
  }
  return TSR_OK;
}
