/* What a descriptor must satisfy. Every message names the field. */
#include "src/attention/attention.h"

#define CHECK(condition, ...) \
  if (!(condition)) return tsr_fail(TSR_INVALID_ARGUMENT, __VA_ARGS__)
#define FIRST_FAILURE(call) \
  do { \
    tsr_status status_ = (call); \
    if (status_ != TSR_OK) return status_; \
  } while (0)

static bool is_float(tsr_type type) { return type == TSR_F32 || type == TSR_F16 || type == TSR_BF16; }

static tsr_status check_kv_types(const tsr_attention_desc *d) {
  CHECK(is_float(d->type_k) || tsr_is_block(d->type_k) || d->type_k == TSR_S8,
        "type_k is %d: use TSR_F32, TSR_F16, TSR_BF16, TSR_Q8_0, TSR_Q4_0 or TSR_S8", (int)d->type_k);
  CHECK(is_float(d->type_v) || tsr_is_block(d->type_v) || d->type_v == TSR_S8,
        "type_v is %d: use TSR_F32, TSR_F16, TSR_BF16, TSR_Q8_0, TSR_Q4_0 or TSR_S8", (int)d->type_v);
  CHECK(!tsr_is_block(d->type_k) || d->d_qk % 32 == 0, "d_qk is %lld: keys in blocks need a multiple of 32",
        (long long)d->d_qk);
  CHECK(!tsr_is_block(d->type_v) || d->d_v % 32 == 0, "d_v is %lld: values in blocks need a multiple of 32",
        (long long)d->d_v);
  CHECK(d->type_k != TSR_S8 || d->scales_k, "scales_k is NULL but type_k is TSR_S8");
  CHECK(d->type_v != TSR_S8 || d->scales_v, "scales_v is NULL but type_v is TSR_S8");
  return TSR_OK;
}

static tsr_status check_types(const tsr_attention_desc *d) {
  CHECK(is_float(d->type_q), "type_q is %d: use TSR_F32, TSR_F16 or TSR_BF16", (int)d->type_q);
  CHECK(is_float(d->type_out), "type_out is %d: use TSR_F32, TSR_F16 or TSR_BF16", (int)d->type_out);
  return check_kv_types(d);
}

static tsr_status check_kv_sizes(const tsr_attention_desc *d) {
  CHECK(d->len_kv >= 0 && d->len_kv < INT32_MAX / 2, "len_kv is %lld: use 0 to 2^30", (long long)d->len_kv);
  CHECK(d->heads_kv >= 1 && d->heads_kv < 1 << 20, "heads_kv is %lld: use 1 to 2^20", (long long)d->heads_kv);
  CHECK(d->d_qk >= 1 && d->d_qk <= TSR_MOST_HEAD_SIZE, "d_qk is %lld: use 1 to %d", (long long)d->d_qk,
        TSR_MOST_HEAD_SIZE);
  CHECK(d->d_v >= 1 && d->d_v <= TSR_MOST_HEAD_SIZE, "d_v is %lld: use 1 to %d", (long long)d->d_v, TSR_MOST_HEAD_SIZE);
  return TSR_OK;
}

static tsr_status check_sizes(const tsr_attention_desc *d) {
  CHECK(d->batch >= 0, "batch is %lld: sizes cannot be negative", (long long)d->batch);
  CHECK(d->len_q >= 0 && d->len_q < INT32_MAX / 2, "len_q is %lld: use 0 to 2^30", (long long)d->len_q);
  FIRST_FAILURE(check_kv_sizes(d));
  CHECK(d->batch < INT32_MAX, "batch is %lld: use at most 2^31 - 2", (long long)d->batch);
  CHECK(d->heads_q >= 1 && d->heads_q < 1 << 20, "heads_q is %lld: use 1 to 2^20", (long long)d->heads_q);
  CHECK(d->heads_q % d->heads_kv == 0, "heads_q is %lld, which heads_kv, %lld, does not divide", (long long)d->heads_q,
        (long long)d->heads_kv);
  CHECK(d->first_key >= 0 && d->first_key % TSR_CHUNK == 0 && d->first_key < INT32_MAX / 2,
        "first_key is %lld: use a multiple of %d", (long long)d->first_key, TSR_CHUNK);
  CHECK(d->all_keys == 0 || (d->all_keys >= d->first_key && d->all_keys < INT32_MAX / 2),
        "all_keys is %lld: use 0, or at least first_key", (long long)d->all_keys);
  return TSR_OK;
}

#define MOST_ELEMENTS (INT64_MAX / 16)

/* Strides of a tensor of so many sequences, heads and rows of which each holds `row` elements. */
static tsr_status check_strides(const char *name, const int64_t *stride, tsr_type type, int64_t batch, int64_t heads,
                                int64_t rows, int64_t row) {
  static const char *const index[] = {"TSR_BATCH", "TSR_HEAD", "TSR_ROW"};
  int64_t count[] = {batch, heads, rows}, extent = row, part;
  for (int i = 0; i < 3; i++) {
    CHECK(stride[i] >= 0, "%s[%s] is %lld: strides cannot be negative", name, index[i], (long long)stride[i]);
    CHECK(stride[i] < MOST_ELEMENTS, "%s[%s] is %lld: too large for the address space", name, index[i],
          (long long)stride[i]);
    CHECK(!tsr_is_block(type) || stride[i] % 32 == 0, "%s[%s] is %lld: elements in blocks need a multiple of 32", name,
          index[i], (long long)stride[i]);
    CHECK(count[i] <= 1 || (!__builtin_mul_overflow(stride[i], count[i] - 1, &part) &&
                            !__builtin_add_overflow(extent, part, &extent) && extent < MOST_ELEMENTS),
          "%s[%s] is %lld: the tensor would not fit the address space", name, index[i], (long long)stride[i]);
  }
  return TSR_OK;
}

/* In some order of the three indices each stride steps over the one before. */
tsr_status tsr_attention_check_apart(const char *tensor, const int64_t *stride, int64_t batch, int64_t heads,
                                     int64_t rows, int64_t row) {
  int64_t count[] = {batch, heads, rows}, need = row;
  for (int round = 0; round < 3; round++) {
    int least = -1;
    for (int i = 0; i < 3; i++)
      if (count[i] > 1 && (least < 0 || stride[i] < stride[least])) least = i;
    if (least < 0) break;
    CHECK(stride[least] >= need, "stride_%s: rows of %s would overlap", tensor, tensor);
    need += stride[least] * (count[least] - 1);
    count[least] = 0;
  }
  return TSR_OK;
}

/* Ragged batches are as long as their offsets say; on a device those cannot be read here. */
static tsr_status check_kv_tensors(const tsr_attention_desc *d, bool offsets) {
  int64_t batch = d->page_size ? d->pages : d->cu_kv ? 1 : d->batch;
  int64_t rows_v = d->page_size ? d->page_size : d->cu_kv && offsets ? d->cu_kv[d->batch] : d->len_kv;
  int64_t rows_k = rows_v, row_k = d->d_qk;
  if (d->layout_k == TSR_KV_PANELS) {
    rows_k = tsr_ceil_div(rows_v, TSR_KV_PANEL);
    row_k = d->d_qk * TSR_KV_PANEL;
    CHECK(rows_k <= 1 || d->stride_k[TSR_ROW] >= row_k, "stride_k[TSR_ROW] is %lld: a panel of keys takes %lld",
          (long long)d->stride_k[TSR_ROW], (long long)row_k);
  }
  FIRST_FAILURE(check_strides("stride_k", d->stride_k, d->type_k, batch, d->heads_kv, rows_k, row_k));
  FIRST_FAILURE(check_strides("stride_v", d->stride_v, d->type_v, batch, d->heads_kv, rows_v, d->d_v));
  if (d->type_k == TSR_S8 || d->type_v == TSR_S8)
    FIRST_FAILURE(check_strides("stride_scales", d->stride_scales, TSR_F32, batch, d->heads_kv, rows_v, 1));
  return TSR_OK;
}

static tsr_status check_tensors(const tsr_attention_desc *d, bool offsets) {
  int64_t batch = d->cu_q ? 1 : d->batch, rows = d->cu_q && offsets ? d->cu_q[d->batch] : d->len_q;
  FIRST_FAILURE(check_kv_tensors(d, offsets));
  FIRST_FAILURE(check_strides("stride_q", d->stride_q, d->type_q, batch, d->heads_q, rows, d->d_qk));
  FIRST_FAILURE(check_strides("stride_out", d->stride_out, d->type_out, batch, d->heads_q, rows, d->d_v));
  if (d->result != TSR_ATTENTION_WHOLE) return TSR_OK;
  return tsr_attention_check_apart("out", d->stride_out, batch, d->heads_q, rows, d->d_v);
}

static tsr_status check_mask(const tsr_attention_desc *d) {
  if (d->mask_type == 0) {
    CHECK(!d->mask, "mask is given but mask_type is 0: use TSR_F32, TSR_F16, TSR_BF16 or TSR_BOOL");
    CHECK(!d->alibi || !d->alibi_scales_mask, "alibi_scales_mask is set but there is no mask");
    return TSR_OK;
  }
  CHECK(is_float(d->mask_type) || d->mask_type == TSR_BOOL,
        "mask_type is %d: use TSR_F32, TSR_F16, TSR_BF16 or TSR_BOOL", (int)d->mask_type);
  CHECK(d->mask || d->batch == 0 || d->len_q == 0 || d->len_kv == 0, "mask is NULL but mask_type is %d",
        (int)d->mask_type);
  return check_strides("stride_mask", d->stride_mask, d->mask_type, d->batch, d->heads_q, d->len_q, d->len_kv);
}

static tsr_status check_layout(const tsr_attention_desc *d) {
  CHECK(d->layout_k == TSR_KV_ROWS || d->layout_k == TSR_KV_PANELS, "layout_k is %d: use TSR_KV_ROWS or TSR_KV_PANELS",
        (int)d->layout_k);
  CHECK(d->layout_k == TSR_KV_ROWS || is_float(d->type_k), "layout_k: keys in panels are f32, f16 or bf16");
  return TSR_OK;
}

static tsr_status check_options(const tsr_attention_desc *d) {
  CHECK(d->scale == d->scale && d->scale - d->scale == 0, "scale is %g: use a finite number, or 0", d->scale);
  CHECK(d->softcap >= 0 && d->softcap - d->softcap == 0, "softcap is %g: use a finite number of 0 or more", d->softcap);
  CHECK(d->causal >= TSR_NOT_CAUSAL && d->causal <= TSR_CAUSAL_BOTTOM_RIGHT,
        "causal is %d: use TSR_NOT_CAUSAL, TSR_CAUSAL_TOP_LEFT or TSR_CAUSAL_BOTTOM_RIGHT", (int)d->causal);
  CHECK(d->window_left >= -1, "window_left is %lld: use -1 for all, or 0 or more", (long long)d->window_left);
  CHECK(d->window_right >= -1, "window_right is %lld: use -1 for all, or 0 or more", (long long)d->window_right);
  CHECK(d->prefix >= 0, "prefix is %lld: it cannot be negative", (long long)d->prefix);
  CHECK(d->result == TSR_ATTENTION_WHOLE || d->result == TSR_ATTENTION_PARTIAL,
        "result is %d: use TSR_ATTENTION_WHOLE or TSR_ATTENTION_PARTIAL", (int)d->result);
  CHECK(d->result == TSR_ATTENTION_WHOLE || !d->sinks, "sinks are given with partial results: add them after merging");
  FIRST_FAILURE(check_layout(d));
  CHECK(d->layout_k == TSR_KV_ROWS || !d->cu_kv, "layout_k: ragged keys cannot be in panels");
  return TSR_OK;
}

static tsr_status check_offsets(const char *name, const int32_t *cu, int64_t batch, int64_t most) {
  CHECK(cu[0] >= 0, "%s[0] is %d: it cannot be negative", name, (int)cu[0]);
  for (int64_t b = 0; b < batch; b++) {
    CHECK(cu[b + 1] >= cu[b], "%s[%lld] is %d, less than the one before: sequences must follow one another", name,
          (long long)(b + 1), (int)cu[b + 1]);
    CHECK(cu[b + 1] - cu[b] <= most, "%s: sequence %lld is longer than the %lld that the descriptor says", name,
          (long long)b, (long long)most);
  }
  return TSR_OK;
}

static tsr_status check_page_size(const tsr_attention_desc *d) {
  CHECK(d->page_size > 0 && d->page_size < INT32_MAX / 2, "page_size is %lld: use 1 to 2^30", (long long)d->page_size);
  CHECK(d->layout_k == TSR_KV_ROWS || d->page_size % TSR_KV_PANEL == 0,
        "page_size is %lld: with keys in panels use a multiple of %d", (long long)d->page_size, TSR_KV_PANEL);
  return TSR_OK;
}

static tsr_status check_pages(const tsr_attention_desc *d) {
  if (d->page_size == 0) {
    CHECK(!d->block_table, "block_table is given but page_size is 0");
    return TSR_OK;
  }
  FIRST_FAILURE(check_page_size(d));
  CHECK(!d->cu_kv, "cu_kv is given with pages: use kv_lens");
  CHECK(d->pages >= 0, "pages is %lld: it cannot be negative", (long long)d->pages);
  CHECK(d->stride_table >= 0 && d->stride_table < MOST_ELEMENTS, "stride_table is %lld: use how many pages a sequence may "
        "have", (long long)d->stride_table);
  CHECK(d->kv_lens || d->batch == 0, "kv_lens is NULL but page_size is not 0");
  CHECK(d->block_table || d->batch == 0, "block_table is NULL but page_size is not 0");
  for (int64_t b = 0; b < d->batch; b++)
    for (int64_t i = 0; i < tsr_ceil_div(d->kv_lens[b], d->page_size); i++) {
      int32_t page = d->block_table[b * d->stride_table + i];
      CHECK(page >= 0 && page < d->pages, "block_table: page %lld of sequence %lld is %d, but there are %lld pages",
            (long long)i, (long long)b, (int)page, (long long)d->pages);
    }
  return TSR_OK;
}

static tsr_status check_lengths(const tsr_attention_desc *d) {
  for (int64_t b = 0; d->kv_lens && b < d->batch; b++)
    CHECK(d->kv_lens[b] >= 0 && d->kv_lens[b] <= d->len_kv, "kv_lens[%lld] is %d: use 0 to len_kv, %lld", (long long)b,
          (int)d->kv_lens[b], (long long)d->len_kv);
  if (d->cu_q) FIRST_FAILURE(check_offsets("cu_q", d->cu_q, d->batch, d->len_q));
  if (d->cu_kv) FIRST_FAILURE(check_offsets("cu_kv", d->cu_kv, d->batch, d->len_kv));
  return check_pages(d);
}

static tsr_status check_desc(const tsr_attention_desc *d) {
  CHECK(d, "desc is NULL: pass a tsr_attention_desc initialised by TSR_ATTENTION_DESC");
  CHECK(d->size == sizeof *d, "desc->size is %zu: initialise the descriptor with TSR_ATTENTION_DESC", d->size);
  return TSR_OK;
}

tsr_status tsr_attention_check_cache(const tsr_attention_desc *d) {
  FIRST_FAILURE(check_desc(d));
  FIRST_FAILURE(check_kv_types(d));
  FIRST_FAILURE(check_kv_sizes(d));
  FIRST_FAILURE(check_layout(d));
  FIRST_FAILURE(check_kv_tensors(d, false));
  if (d->page_size == 0) return TSR_OK;
  CHECK(d->block_table, "block_table is NULL but page_size is not 0");
  return check_page_size(d);
}

tsr_status tsr_attention_check(const tsr_context *context, const tsr_attention_desc *d) {
  FIRST_FAILURE(check_desc(d));
  FIRST_FAILURE(check_types(d));
  FIRST_FAILURE(check_sizes(d));
  FIRST_FAILURE(check_options(d));
  if (!context->device) FIRST_FAILURE(check_lengths(d));
  FIRST_FAILURE(check_tensors(d, !context->device));
  return check_mask(d);
}

tsr_status tsr_attention_check_data(const tsr_attention_desc *d, const void *q, const void *k, const void *v,
                                    const void *out, const void *lse) {
  int64_t rows = d->cu_q ? d->cu_q[d->batch] - d->cu_q[0] : d->batch * d->len_q;
  if (rows == 0) return TSR_OK;
  bool keys = d->len_kv > 0;
  CHECK(q, "q is NULL but there are queries");
  CHECK(k || !keys, "k is NULL but there are keys");
  CHECK(v || !keys, "v is NULL but there are keys");
  CHECK(out, "out is NULL but there are queries");
  CHECK(d->result == TSR_ATTENTION_WHOLE || !lse, "lse is given with partial results: merging makes it");
  return TSR_OK;
}
