/* Tuning attention on a CPU: the bench it is measured on. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/attention/space.h"
#include "src/core/trace.h"

/* A run is repeated for so long: the clock and the pauses of a busy machine weigh less. */
#define LEAST_SECONDS 100e-6

enum { OPERANDS = 6 };
struct bench {
  tsr_context *context;
  struct tsr_attention_problem p;
  int threads;
  char *memory, *workspace;
  size_t workspace_bytes;
};

void tsr_attention_bench_close(void *given) {
  struct bench *bench = given;
  free(bench->memory);
  free(bench->workspace);
  free(bench);
}

/* Elements from the first of a tensor to behind its last. */
static int64_t extent(const int64_t *stride, int64_t batch, int64_t heads, int64_t rows, int64_t row) {
  return (batch - 1) * stride[TSR_BATCH] + (heads - 1) * stride[TSR_HEAD] + (rows - 1) * stride[TSR_ROW] + row;
}

/* Small numbers of a type: any bytes do for blocks but for their scales, which are 2^-8. */
static void fill(tsr_type type, char *to, int64_t bytes) {
  int64_t block = type == TSR_Q8_0 ? 34 : type == TSR_Q4_0 ? 18 : 0;
  for (int64_t i = 0; i < bytes; i++) to[i] = (char)(i * 7 % 61 - 30);
  for (int64_t i = 0; block && i + 1 < bytes; i += block) to[i] = 0, to[i + 1] = 0x1c;
  for (int64_t i = 0; type == TSR_F32 && i < bytes / 4; i++) ((float *)to)[i] = (float)(i % 1013) / 1013 - 0.5f;
  /* 0x3c and 0x38 on top: f16 of 1 to 2, or 0.5 to 1; bf16 of a hundredth or so */
  for (int64_t i = 0; (type == TSR_F16 || type == TSR_BF16) && i < bytes / 2; i++)
    ((uint16_t *)to)[i] = (uint16_t)((i & 1 ? 0x3c00 : 0xb800) + i % 509);
}

/* More would be taken from other programs, or thrash. */
static bool fits_memory(double bytes) {
  return bytes / (double)sysconf(_SC_PAGESIZE) < (double)sysconf(_SC_PHYS_PAGES) / 2;
}

struct operand {
  tsr_type type;
  int64_t elements;
};

/* q, k, v, out, mask, scales. */
static void operands_of(const tsr_attention_desc *d, struct operand *o) {
  int64_t rows_k = d->len_kv, row_k = d->d_qk;
  if (d->layout_k == TSR_KV_PANELS) rows_k = tsr_ceil_div(rows_k, TSR_KV_PANEL), row_k *= TSR_KV_PANEL;
  o[0] = (struct operand){d->type_q, extent(d->stride_q, d->batch, d->heads_q, d->len_q, d->d_qk)};
  o[1] = (struct operand){d->type_k, extent(d->stride_k, d->batch, d->heads_kv, rows_k, row_k)};
  o[2] = (struct operand){d->type_v, extent(d->stride_v, d->batch, d->heads_kv, d->len_kv, d->d_v)};
  o[3] = (struct operand){d->type_out, extent(d->stride_out, d->batch, d->heads_q, d->len_q, d->d_v)};
  o[4] = (struct operand){TSR_F16, d->mask_type ? d->len_q * d->len_kv : 0};
  o[5] = (struct operand){TSR_F32, d->type_k == TSR_S8 ? d->batch * d->heads_kv * d->len_kv : 0};
}

static double bytes_of(const tsr_attention_desc *d) {
  double q = (double)(d->batch * d->heads_q) * (double)d->len_q;
  double kv = (double)(d->batch * d->heads_kv) * (double)d->len_kv;
  return 8 * (q + kv) * (double)(d->d_qk + d->d_v) + 2 * (double)d->len_q * (double)d->len_kv;
}

/* Takes the operands' memory in whole pages and a line more: they are not to compete for the same lines. */
static bool take_operands(struct bench *bench, tsr_attention_desc *d) {
  struct operand o[OPERANDS];
  char *at[OPERANDS];
  int64_t bytes[OPERANDS], all = 0;
  operands_of(d, o);
  for (int i = 0; i < OPERANDS; i++)
    all += bytes[i] = tsr_round_up(tsr_bytes_of(o[i].type, tsr_round_up(o[i].elements, 32)), 4096) + 64;
  void *memory;
  if (posix_memalign(&memory, 4096, (size_t)all) != 0) return false;
  bench->memory = memory;
  at[0] = bench->memory;
  for (int i = 1; i < OPERANDS; i++) at[i] = at[i - 1] + bytes[i - 1];
  for (int i = 0; i < OPERANDS; i++) fill(o[i].type, at[i], bytes[i]);
  memset(at[4], 0, (size_t)bytes[4]);
  if (d->mask_type) d->mask = at[4];
  if (d->type_k == TSR_S8) d->scales_k = d->scales_v = (const float *)at[5];
  tsr_attention_normalise(d, at[0], at[1], at[2], at[3], NULL, &bench->p);
  return true;
}

void *tsr_attention_bench_open(tsr_context *context, const struct tsr_values *shape) {
  tsr_attention_desc d;
  if (!tsr_attention_shape_in_range(shape, NULL)) return NULL;
  struct bench *bench = calloc(1, sizeof *bench);
  if (!bench) return NULL;
  bench->context = context;
  bench->threads = (int)shape->at[TSR_ATTENTION_THREADS];
  tsr_attention_desc_of(shape, &d);
  if (fits_memory(bytes_of(&d)) && take_operands(bench, &d)) return bench;
  free(bench);
  return NULL;
}

static bool take_workspace(struct bench *bench, const struct tsr_attention_way *way) {
  size_t bytes = tsr_attention_workspace_bytes(&bench->p, way);
  if (bytes <= bench->workspace_bytes) return true;
  void *memory;
  free(bench->workspace);
  bench->workspace = NULL;
  bench->workspace_bytes = 0;
  if (posix_memalign(&memory, 4096, bytes) != 0) return false;
  bench->workspace = memory;
  bench->workspace_bytes = bytes;
  return true;
}

double tsr_attention_bench_run(void *given, const struct tsr_values *values) {
  struct bench *bench = given;
  struct tsr_attention_way way;
  tsr_attention_way_of(bench->context, &bench->p, bench->threads, values, &way);
  if (!take_workspace(bench, &way)) return 0;
  tsr_attention_run_all(bench->context, &bench->p, &way, bench->workspace);
  double start = tsr_trace_now(), seconds;
  int runs = 0;
  do {
    tsr_attention_run_all(bench->context, &bench->p, &way, bench->workspace);
    runs++;
  } while ((seconds = tsr_trace_now() - start) < LEAST_SECONDS);
  return seconds / runs;
}
