/* Partial results: one state for each chunk, and merging them. */
#include <math.h>
#include <string.h>

#include "src/attention/attention.h"
#include "src/attention/log.h"

#define CHECK(condition, ...) \
  if (!(condition)) return tsr_fail(TSR_INVALID_ARGUMENT, __VA_ARGS__)

static int64_t rows_of(const tsr_attention_desc *d) {
  return d->cu_q ? d->heads_q * (int64_t)d->cu_q[d->batch] : d->batch * d->heads_q * d->len_q;
}

size_t tsr_attention_partial_size(const tsr_attention_desc *d) {
  if (!d || d->size != sizeof *d) return 0;
  return (size_t)(tsr_ceil_div(d->len_kv, TSR_CHUNK) * rows_of(d) * (d->d_v + 2)) * sizeof(float);
}

/* Where the state of row r of an item goes, for the call's first chunk. */
static float *state_of(const struct tsr_attention_problem *p, const struct tsr_attention_item *item, int64_t r) {
  int64_t i = (item->row + r) / p->group, head = item->head * p->group + (item->row + r) % p->group, row;
  if (p->d.cu_q)
    row = head * p->d.cu_q[p->d.batch] + item->seq.first_query + i;
  else
    row = (item->seq.b * p->d.heads_q + head) * p->d.len_q + i;
  return (float *)p->out + row * (p->d.d_v + 2);
}

void tsr_attention_compute_partial(struct tsr_attention_worker *w, const struct tsr_attention_item *item) {
  const struct tsr_attention_problem *p = w->problem;
  int64_t d_v = p->d.d_v, stride = rows_of(&p->d) * (d_v + 2);
  tsr_attention_load_q(w, item);
  for (int64_t chunk = 0; chunk < tsr_round_up(p->d.len_kv, TSR_CHUNK); chunk += TSR_CHUNK) {
    w->careful = false;
    bool seen = tsr_attention_compute_chunk(w, item, chunk);
    if (seen && tsr_attention_is_spoilt(w, item, w->sums)) {
      w->careful = true;
      tsr_attention_compute_chunk(w, item, chunk);
    }
    for (int64_t r = 0; r < item->rows; r++) {
      float *state = state_of(p, item, r) + chunk / TSR_CHUNK * stride;
      state[0] = w->max[r];
      state[1] = w->sum[r];
      if (seen && w->sum[r] != 0) /* a row that sees none of the chunk does not see its NaN either */
        memcpy(state + 2, w->sums + r * d_v, (size_t)d_v * sizeof *state);
      else
        memset(state + 2, 0, (size_t)d_v * sizeof *state);
    }
  }
}

/* One row: joins its states, which lie `next` floats apart, and divides. */
static void merge_row(const tsr_context *context, int64_t chunks, int64_t d_v, const float *state, int64_t next,
                      float *o, tsr_type type, tsr_mem out, float *lse) {
  const struct tsr_kernels *f32 = &context->kernels[TSR_F32];
  float max = -INFINITY, sum = 0;
  struct tsr_attention_worker w = {.kernels = context->kernels, .max = &max, .sum = &sum};
  for (int64_t c = 0; c < chunks; c++, state += next)
    tsr_attention_join(&w, 0, state[0], state[1], d_v, state + 2, o);
  struct tsr_step step = {.m = d_v, .n = 1, .alpha = sum == 0 ? 1 : 1 / sum};
  if (sum == 0) memset(o, 0, (size_t)d_v * sizeof *o);
  f32->convert[type]->run(&step, (tsr_mem)o, 0, out);
  if (lse) *lse = tsr_attention_lse(max, sum);
}

static tsr_status check_rows(const char *name, int64_t rows, int64_t d_v, int64_t stride) {
  int64_t extent;
  CHECK(rows <= 1 || stride >= d_v, "%s is %lld: rows hold %lld elements", name, (long long)stride, (long long)d_v);
  CHECK(rows <= 1 || (!__builtin_mul_overflow(rows, stride, &extent) && extent < INT64_MAX / 16),
        "%s is %lld: %lld rows would not fit the address space", name, (long long)stride, (long long)rows);
  return TSR_OK;
}

static tsr_status check_merge(const char *parts_name, int64_t parts, int64_t rows, int64_t d_v, const char *stride_name,
                              int64_t stride) {
  int64_t states;
  CHECK(parts >= 1, "%s is %lld: there must be at least 1", parts_name, (long long)parts);
  CHECK(rows >= 0, "rows is %lld: it cannot be negative", (long long)rows);
  CHECK(d_v >= 1 && d_v <= TSR_MOST_HEAD_SIZE, "d_v is %lld: use 1 to %d", (long long)d_v, TSR_MOST_HEAD_SIZE);
  CHECK(!__builtin_mul_overflow(parts, rows, &states) && states < INT64_MAX / 16 / (d_v + 2),
        "%s is %lld: states of %lld rows would not fit the address space", parts_name, (long long)parts,
        (long long)rows);
  return check_rows(stride_name, rows, d_v, stride);
}

static tsr_status get_cpu(tsr_context *given, tsr_context **context) {
  tsr_status status = tsr_context_get(given, context);
  if (status == TSR_OK && (*context)->device)
    return tsr_fail(TSR_UNSUPPORTED, "merging runs on CPU contexts only: copy the parts to the host");
  return status;
}

tsr_status tsr_attention_merge(tsr_context *given, int64_t chunks, int64_t rows, int64_t d_v, const float *states,
                               tsr_type type_out, void *out, int64_t stride_out, float *lse) {
  tsr_context *context;
  tsr_status status = get_cpu(given, &context);
  if (status == TSR_OK) status = check_merge("chunks", chunks, rows, d_v, "stride_out", stride_out);
  if (status != TSR_OK || rows == 0) return status;
  CHECK(type_out == TSR_F32 || type_out == TSR_F16 || type_out == TSR_BF16,
        "type_out is %d: use TSR_F32, TSR_F16 or TSR_BF16", (int)type_out);
  CHECK(states, "states is NULL but rows is not 0");
  CHECK(out, "out is NULL but rows is not 0");
  float o[TSR_MOST_HEAD_SIZE];
  for (int64_t r = 0; r < rows; r++)
    merge_row(context, chunks, d_v, states + r * (d_v + 2), rows * (d_v + 2), o, type_out,
              (tsr_mem)out + (tsr_mem)(r * stride_out * tsr_size_of(type_out)), lse ? lse + r : NULL);
  return TSR_OK;
}

/* A part's share is exp(lse - that of all). */
static void merge_normalised_row(int parts, int64_t d_v, const float *const *out, int64_t at, const float *const *lse,
                                 int64_t r, float *result, float *result_lse) {
  double o[TSR_MOST_HEAD_SIZE] = {0}, most = -INFINITY, sum = 0;
  for (int p = 0; p < parts; p++) most = fmax(most, lse[p][r]);
  for (int p = 0; p < parts; p++) {
    double share = lse[p][r] == -INFINITY ? 0 : exp(lse[p][r] - most);
    sum += share;
    for (int64_t e = 0; share != 0 && e < d_v; e++) o[e] += share * out[p][at + e];
  }
  for (int64_t e = 0; e < d_v; e++) result[e] = sum == 0 ? 0 : (float)(o[e] / sum);
  if (result_lse) result_lse[r] = sum == 0 ? -INFINITY : (float)(most + log(sum));
}

tsr_status tsr_attention_merge_normalised(tsr_context *given, int parts, int64_t rows, int64_t d_v,
                                          const float *const *out, int64_t stride, const float *const *lse,
                                          float *result, int64_t stride_result, float *result_lse) {
  tsr_context *context;
  tsr_status status = get_cpu(given, &context);
  if (status == TSR_OK) status = check_merge("parts", parts, rows, d_v, "stride_result", stride_result);
  if (status == TSR_OK) status = check_rows("stride", rows, d_v, stride);
  if (status != TSR_OK || rows == 0) return status;
  CHECK(out && lse, "%s is NULL but rows is not 0", out ? "lse" : "out");
  CHECK(result, "result is NULL but rows is not 0");
  for (int p = 0; p < parts; p++) CHECK(out[p] && lse[p], "part %d has a NULL pointer", p);
  for (int64_t r = 0; r < rows; r++)
    merge_normalised_row(parts, d_v, out, r * stride, lse, r, result + r * stride_result, result_lse);
  return TSR_OK;
}
