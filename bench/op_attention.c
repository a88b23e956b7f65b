/* Attention as a worker measures it, with the scale 1 / sqrt(d_qk): through tsr_attention, ggml's operation, or a
 * program that has the library (program.h). */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/memory.h"
#include "bench/op_attention.h"
#include "bench/program.h"
#include "tessera/tessera.h"

static __typeof__(tsr_attention) *attention;
static __typeof__(tsr_attention_set_sizes) *set_sizes;
static bool has_ggml;

static bool find(void *library) {
  attention = (__typeof__(attention))dlsym(library, "tsr_attention");
  set_sizes = (__typeof__(set_sizes))dlsym(library, "tsr_attention_set_sizes");
  has_ggml = bench_ggml_find(library);
  return (attention && set_sizes) || has_ggml;
}

/* --- Operands ---------------------------------------------------------------------------------------------------- */

enum { BLOCK = 32, Q8_BYTES = 34, Q4_BYTES = 18, DRAWN = 65504 };
#define Q_SCALE 32 /* some keys count much more than others: a wrong score is seen, rounding in a library is not */

static struct bench_attention_operands operands;
static double seconds; /* by the program's own clock */

size_t bench_kv_bytes(enum bench_kv kv, int64_t elements) {
  static const int block[] = {4 * BLOCK, 2 * BLOCK, 2 * BLOCK, Q8_BYTES, Q4_BYTES};
  return (size_t)elements * (size_t)block[kv] / BLOCK;
}

/* Of a number that is not tiny. */
static uint16_t to_half(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return fabsf(x) < 0x1p-14f ? 0 : (uint16_t)((bits >> 16 & 0x8000) | (((bits >> 13) - (112 << 10)) & 0x7fff));
}

static float of_half(uint16_t half) {
  uint32_t bits = (uint32_t)(half & 0x8000) << 16 | ((uint32_t)(half & 0x7fff) + (112 << 10)) << 13;
  float x;
  memcpy(&x, &bits, sizeof x);
  return half & 0x7fff ? x : 0;
}

static float of_bf16(uint16_t half) {
  uint32_t bits = (uint32_t)half << 16;
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Element i of an array whose blocks hold an f16 scale and then bytes or nibbles. */
static float of_block(enum bench_kv kv, const char *p, int64_t i) {
  const char *block = p + i / BLOCK * (kv == BENCH_KV_Q8_0 ? Q8_BYTES : Q4_BYTES);
  uint16_t scale;
  memcpy(&scale, block, sizeof scale);
  int64_t e = i % BLOCK;
  if (kv == BENCH_KV_Q8_0) return of_half(scale) * (float)(signed char)block[2 + e];
  int both = (unsigned char)block[2 + e % 16];
  return of_half(scale) * (float)((e < 16 ? both & 15 : both >> 4) - 8);
}

static float element(enum bench_kv kv, const char *p, int64_t i) {
  switch (kv) {
    case BENCH_KV_F32: return ((const float *)p)[i];
    case BENCH_KV_F16: return of_half(((const uint16_t *)p)[i]);
    case BENCH_KV_BF16: return of_bf16(((const uint16_t *)p)[i]);
    default: return of_block(kv, p, i);
  }
}

/* Any bytes make numbers; their scale is 1/256 or 1/16. */
static void draw_blocks(enum bench_kv kv, char *to, int64_t elements) {
  int bytes = kv == BENCH_KV_Q8_0 ? Q8_BYTES : Q4_BYTES;
  uint16_t scale = to_half(kv == BENCH_KV_Q8_0 ? 0x1p-8f : 0x1p-4f);
  for (int64_t i = 0; i < elements / BLOCK * bytes; i++) to[i] = (char)(int)(256 * bench_random((size_t)i));
  for (int64_t i = 0; i < elements / BLOCK; i++) memcpy(to + i * bytes, &scale, sizeof scale);
}

static void fill(enum bench_kv kv, char *to, int64_t elements, float scale) {
  int64_t first = elements < DRAWN ? elements : DRAWN;
  if (kv == BENCH_KV_Q8_0 || kv == BENCH_KV_Q4_0) draw_blocks(kv, to, first);
  else
    for (int64_t i = 0; i < first; i++) {
      float x = scale * (float)bench_random((size_t)i);
      uint32_t bits;
      memcpy(&bits, &x, sizeof bits);
      if (kv == BENCH_KV_F32) ((float *)to)[i] = x;
      else ((uint16_t *)to)[i] = kv == BENCH_KV_F16 ? to_half(x) : (uint16_t)(bits >> 16);
    }
  bench_repeat(to, bench_kv_bytes(kv, first), bench_kv_bytes(kv, elements));
}

/* Elements of q, k, v and out; keys in panels fill whole ones. */
static void count(const struct bench_attention *a, int64_t *elements) {
  int64_t rows = a->len_kv;
  if (a->layout == BENCH_PANELS) rows = (rows + TSR_KV_PANEL - 1) / TSR_KV_PANEL * TSR_KV_PANEL;
  elements[0] = a->batch * a->heads_q * a->len_q * a->d_qk;
  elements[1] = a->batch * a->heads_kv * rows * a->d_qk;
  elements[2] = a->batch * a->heads_kv * a->len_kv * a->d_v;
  elements[3] = a->batch * a->heads_q * a->len_q * a->d_v;
}

/* --- Tessera ----------------------------------------------------------------------------------------------------- */

static tsr_attention_desc desc;

static void heads_first(int64_t *stride, int64_t heads, int64_t rows, int64_t d) {
  stride[TSR_ROW] = d;
  stride[TSR_HEAD] = rows * d;
  stride[TSR_BATCH] = heads * rows * d;
}

static void describe(const struct bench_attention *a) {
  static const tsr_type types[BENCH_KV_TYPES] = {TSR_F32, TSR_F16, TSR_BF16, TSR_Q8_0, TSR_Q4_0};
  desc = (tsr_attention_desc)TSR_ATTENTION_DESC;
  desc.type_k = desc.type_v = types[a->kv];
  desc.causal = a->causal ? TSR_CAUSAL_BOTTOM_RIGHT : TSR_NOT_CAUSAL;
  set_sizes(&desc, a->batch, a->heads_q, a->heads_kv, a->len_q, a->len_kv, a->d_qk, a->d_v);
  if (a->layout == BENCH_ROWS) return;
  heads_first(desc.stride_v, a->heads_kv, a->len_kv, a->d_v);
  if (a->layout == BENCH_HEADS) heads_first(desc.stride_k, a->heads_kv, a->len_kv, a->d_qk);
  else {
    desc.layout_k = TSR_KV_PANELS;
    heads_first(desc.stride_k, a->heads_kv, (a->len_kv + TSR_KV_PANEL - 1) / TSR_KV_PANEL, a->d_qk * TSR_KV_PANEL);
  }
}

static bool take_memory(const struct bench_attention *a) {
  int64_t elements[4];
  size_t bytes[4], all = 0;
  count(a, elements);
  for (int i = 0; i < 4; i++) {
    bytes[i] = bench_kv_bytes(i == 0 || i == 3 ? BENCH_KV_F32 : a->kv, elements[i]);
    bytes[i] = (bytes[i] + 4095) / 4096 * 4096 + 64; /* operands are not to share the same lines of caches */
    all += bytes[i];
  }
  operands.q = bench_memory(all);
  operands.k = operands.q + bytes[0];
  operands.v = operands.k + bytes[1];
  operands.out = operands.v + bytes[2];
  return operands.q != NULL;
}

/* --- The operation ----------------------------------------------------------------------------------------------- */

static enum bench_answer has(const struct bench_request *r) {
  if (bench_program_pid()) return BENCH_OK;
  if (attention) return BENCH_OK;
  if (!has_ggml) return BENCH_MISSING;
  return r->attention.layout == BENCH_PANELS ? BENCH_UNFIT : BENCH_OK;
}

/* What the program says of the operands. */
static enum bench_answer ask_program(const struct bench_attention *a) {
  char answer[64];
  bench_program_ask(answer, sizeof answer, "prepare %lld %lld %lld %lld %lld %lld %lld %d %s %s", (long long)a->batch,
                    (long long)a->heads_q, (long long)a->heads_kv, (long long)a->len_q, (long long)a->len_kv,
                    (long long)a->d_qk, (long long)a->d_v, a->causal, bench_kv_names[a->kv],
                    bench_layout_names[a->layout]);
  return strcmp(answer, "ok") == 0 ? BENCH_OK : strcmp(answer, "unfit") == 0 ? BENCH_UNFIT : BENCH_NO_MEMORY;
}

static enum bench_answer prepare(const struct bench_request *r) {
  const struct bench_attention *a = &r->attention;
  int64_t elements[4];
  if (bench_program_pid()) return ask_program(a);
  if (attention ? !take_memory(a) : !bench_ggml_prepare(r, &operands)) return BENCH_NO_MEMORY;
  count(a, elements);
  fill(BENCH_KV_F32, operands.q, elements[0], Q_SCALE);
  fill(a->kv, operands.k, elements[1], 1);
  fill(a->kv, operands.v, elements[2], 1);
  memset(operands.out, 0, (size_t)elements[3] * sizeof(float));
  if (attention) describe(a);
  return BENCH_OK;
}

static void call(const struct bench_request *r, int caller, int64_t calls) {
  char answer[64];
  (void)r, (void)caller;
  if (bench_program_pid()) {
    bench_program_ask(answer, sizeof answer, "run %lld", (long long)calls);
    seconds = strtod(answer, NULL);
  } else if (attention) {
    for (; calls > 0; calls--)
      attention(NULL, &desc, operands.q, operands.k, operands.v, operands.out, NULL);
  } else {
    bench_ggml_call(calls);
  }
}

static void release(void) {
  if (bench_program_pid()) return;
  if (attention) bench_memory_release();
  else bench_ggml_release();
}

static double elapsed(void) { return bench_program_pid() ? seconds : 0; }

/* --- Checking ---------------------------------------------------------------------------------------------------- */

/* Where row j of a head of keys or values begins, in elements. */
static int64_t row_at(const struct bench_attention *a, int64_t b, int64_t head, int64_t j, int64_t d) {
  if (a->layout == BENCH_ROWS) return ((b * a->len_kv + j) * a->heads_kv + head) * d;
  return ((b * a->heads_kv + head) * a->len_kv + j) * d;
}

static float key(const struct bench_attention *a, int64_t b, int64_t head, int64_t j, int64_t p) {
  if (a->layout != BENCH_PANELS) return element(a->kv, operands.k, row_at(a, b, head, j, a->d_qk) + p);
  int64_t panels = (a->len_kv + TSR_KV_PANEL - 1) / TSR_KV_PANEL;
  int64_t panel = ((b * a->heads_kv + head) * panels + j / TSR_KV_PANEL) * a->d_qk * TSR_KV_PANEL;
  return element(a->kv, operands.k, panel + p * TSR_KV_PANEL + j % TSR_KV_PANEL);
}

/* One row of the result in double, without its maximum taken off: the scores are small. */
static void plain_row(const struct bench_attention *a, int64_t b, int64_t head, int64_t i, double *row) {
  int64_t kv_head = head / (a->heads_q / a->heads_kv), seen = a->causal ? i + a->len_kv - a->len_q + 1 : a->len_kv;
  const float *q = (const float *)operands.q + ((b * a->len_q + i) * a->heads_q + head) * a->d_qk;
  double sum = 0;
  memset(row, 0, (size_t)a->d_v * sizeof *row);
  for (int64_t j = 0; j < seen; j++) {
    double x = 0;
    for (int64_t p = 0; p < a->d_qk; p++) x += (double)q[p] * key(a, b, kv_head, j, p);
    x = exp(x / sqrt((double)a->d_qk));
    sum += x;
    for (int64_t p = 0; p < a->d_v; p++) row[p] += x * element(a->kv, operands.v, row_at(a, b, kv_head, j, a->d_v) + p);
  }
  for (int64_t p = 0; p < a->d_v; p++) row[p] /= sum;
}

/* Against the largest of the row: some libraries add up in f16. */
static bool row_is_right(const struct bench_attention *a, int64_t b, int64_t head, int64_t i) {
  double row[1024], largest = 0;
  const float *out = (const float *)operands.out + ((b * a->len_q + i) * a->heads_q + head) * a->d_v;
  plain_row(a, b, head, i, row);
  for (int64_t p = 0; p < a->d_v; p++) largest = fmax(largest, fabs(row[p]));
  for (int64_t p = 0; p < a->d_v; p++)
    if (!(fabs(out[p] - row[p]) <= 0.03 * largest + 1e-4)) return false;
  return true;
}

static bool right(const struct bench_request *r) {
  const struct bench_attention *a = &r->attention;
  char answer[64];
  if (bench_program_pid()) {
    bench_program_ask(answer, sizeof answer, "check");
    return strcmp(answer, "ok") == 0;
  }
  return row_is_right(a, 0, 0, 0) && row_is_right(a, a->batch - 1, a->heads_q - 1, a->len_q / 2) &&
         row_is_right(a, a->batch - 1, a->heads_q - 1, a->len_q - 1);
}

const struct bench_op bench_op_attention = {"attention", find, has, prepare, call, right, release, elapsed};
