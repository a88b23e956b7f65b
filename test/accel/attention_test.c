/* Attention on simulated devices: against attention in f64, under a race detector and in random legal orders; what
 * happens to calls that cannot be served; and which share of the cubes' peak it reaches, beside a published curve. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/accel_sim/device.h"
#include "kernels/accel_sim/sim/move.h"
#include "src/attention/device.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define assert_ok(call)                                            \
  do {                                                             \
    if ((call) != TSR_OK) fail_msg(#call ": %s", tsr_last_error()); \
  } while (0)

static uint64_t state = 1;

static double uniform(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void) { return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform()); }

static double get(const unsigned char *at, tsr_type type) {
  uint16_t half;
  float value;
  if (type == TSR_F32) return memcpy(&value, at, 4), value;
  memcpy(&half, at, 2);
  return type == TSR_F16 ? accel_f16_to_f32(half) : accel_bf16_to_f32(half);
}

static void put(unsigned char *at, tsr_type type, double value) {
  uint16_t half = type == TSR_F16 ? accel_f32_to_f16((float)value) : accel_f32_to_bf16((float)value);
  memcpy(at, &half, 2);
}

/* A call with its tensors in the host's memory, `out` and `lse` filled with a pattern. */
struct problem {
  tsr_attention_desc d;
  int64_t elements[4]; /* q, k, v, out */
  unsigned char *tensor[4];
  float *lse;
};
enum { Q, K, V, OUT };

static int64_t size_of(tsr_type type) { return type == TSR_F32 ? 4 : 2; }
static tsr_type type_of(const struct problem *p, int tensor) { return tensor == OUT ? p->d.type_out : p->d.type_q; }
static int64_t *stride_of(struct problem *p, int tensor) {
  return tensor == Q ? p->d.stride_q : tensor == K ? p->d.stride_k : tensor == V ? p->d.stride_v : p->d.stride_out;
}

/* By sizes and types that are set; rows get gaps of `gap` elements. sigma scales the scores. */
static void make(struct problem *p, int64_t gap, double sigma) {
  tsr_attention_desc *d = &p->d;
  tsr_attention_set_sizes(d, d->batch, d->heads_q, d->heads_kv, d->len_q, d->len_kv, d->d_qk, d->d_v);
  for (int t = 0; t < 4; t++) {
    int64_t *stride = stride_of(p, t), rows = t == Q || t == OUT ? d->len_q : d->len_kv;
    stride[TSR_ROW] += gap;
    stride[TSR_BATCH] = stride[TSR_ROW] * rows;
    p->elements[t] = stride[TSR_BATCH] * d->batch + 1;
    p->tensor[t] = malloc((size_t)(p->elements[t] * size_of(type_of(p, t))));
    if (t == OUT)
      memset(p->tensor[t], 0x7b, (size_t)(p->elements[t] * size_of(d->type_out)));
    else
      for (int64_t i = 0; i < p->elements[t]; i++)
        put(p->tensor[t] + 2 * i, d->type_q, (t == Q ? sigma : 1) * normal());
  }
  p->lse = malloc((size_t)(d->batch * d->heads_q * d->len_q) * 4 + 4);
}

static void drop(struct problem *p) {
  for (int t = 0; t < 4; t++) free(p->tensor[t]);
  free(p->lse);
}

static tsr_context *open_device(const char *name) {
  tsr_context *context = NULL;
  assert_ok(tsr_context_create(name, &context));
  return context;
}

static void *alloc(tsr_context *context, int64_t bytes) {
  void *address = NULL;
  assert_ok(tsr_device_alloc(context, (size_t)bytes, &address));
  return address;
}

/* Runs the call and fetches its results. */
static void compute(tsr_context *context, struct problem *p) {
  void *at[4], *lse;
  size_t bytes[4], lse_bytes = (size_t)(p->d.batch * p->d.heads_q * p->d.len_q) * 4;
  for (int t = 0; t < 4; t++) {
    bytes[t] = (size_t)(p->elements[t] * size_of(type_of(p, t)));
    at[t] = alloc(context, (int64_t)bytes[t]);
    assert_ok(tsr_copy_to_device(context, at[t], p->tensor[t], bytes[t]));
  }
  lse = alloc(context, (int64_t)lse_bytes);
  assert_ok(tsr_attention_on_device(context, &p->d, at[Q], at[K], at[V], at[OUT], lse));
  assert_ok(tsr_copy_from_device(context, p->tensor[OUT], at[OUT], bytes[OUT]));
  assert_ok(tsr_copy_from_device(context, p->lse, lse, lse_bytes));
  for (int t = 0; t < 4; t++) assert_ok(tsr_device_free(context, at[t]));
  assert_ok(tsr_device_free(context, lse));
}

static const unsigned char *row_of(struct problem *p, int tensor, int64_t b, int64_t head, int64_t row) {
  const int64_t *s = stride_of(p, tensor);
  return p->tensor[tensor] + (b * s[TSR_BATCH] + head * s[TSR_HEAD] + row * s[TSR_ROW]) * size_of(type_of(p, tensor));
}

struct error {
  double worst, squares, reference, lse;
};

static void see(const tsr_attention_desc *d, int64_t i, int64_t *from, int64_t *to) {
  int64_t position = d->causal == TSR_CAUSAL_TOP_LEFT ? i : i + d->len_kv - d->len_q;
  *to = d->causal ? position : d->window_right >= 0 ? position + d->window_right : d->len_kv - 1;
  if (*to > d->len_kv - 1) *to = d->len_kv - 1;
  *from = d->window_left >= 0 && position - d->window_left > 0 ? position - d->window_left : 0;
}

/* One row in f64. */
static void compare_row(struct problem *p, int64_t b, int64_t head, int64_t i, double *weight, struct error *e) {
  const tsr_attention_desc *d = &p->d;
  int64_t kv = head / (d->heads_q / d->heads_kv), from, to;
  double scale = d->scale != 0 ? d->scale : 1 / sqrt((double)d->d_qk), most = -INFINITY, sum = 0;
  const unsigned char *q = row_of(p, Q, b, head, i), *out = row_of(p, OUT, b, head, i);
  see(d, i, &from, &to);
  for (int64_t j = from; j <= to; j++) {
    const unsigned char *k = row_of(p, K, b, kv, j);
    double s = 0;
    for (int64_t x = 0; x < d->d_qk; x++) s += get(q + 2 * x, d->type_q) * get(k + 2 * x, d->type_q);
    weight[j] = s * scale;
    if (weight[j] > most) most = weight[j];
  }
  for (int64_t j = from; j <= to; j++) sum += weight[j] = exp(weight[j] - most);
  for (int64_t x = 0; x < d->d_v; x++) {
    double o = 0;
    for (int64_t j = from; j <= to; j++) o += weight[j] * get(row_of(p, V, b, kv, j) + 2 * x, d->type_q);
    if (from <= to) o /= sum;
    double off = fabs(get(out + x * size_of(d->type_out), d->type_out) - o);
    if (!(off <= e->worst)) e->worst = off;
    e->squares += off * off;
    e->reference += o * o;
  }
  float lse = p->lse[(b * d->heads_q + head) * d->len_q + i];
  if (from > to) assert_true(lse == -INFINITY && e->worst < 1);
  double off = from > to ? 0 : fabs(lse - (most + log(sum)));
  if (!(off <= e->lse)) e->lse = off;
}

/* Every `step`-th row. */
static struct error compare(struct problem *p, int64_t step) {
  const tsr_attention_desc *d = &p->d;
  struct error e = {0};
  double *weight = calloc((size_t)d->len_kv + 1, sizeof *weight);
  for (int64_t b = 0; b < d->batch; b++)
    for (int64_t head = 0; head < d->heads_q; head++)
      for (int64_t i = 0; i < d->len_q; i += step) compare_row(p, b, head, i, weight, &e);
  free(weight);
  return e;
}

/* What lies between rows of out is as it was. */
static void assert_gaps(struct problem *p, int64_t gap) {
  const tsr_attention_desc *d = &p->d;
  int64_t size = size_of(d->type_out);
  for (int64_t b = 0; b < d->batch; b++)
    for (int64_t i = 0; i < d->len_q; i++) {
      const unsigned char *end = row_of(p, OUT, b, d->heads_q - 1, i) + d->d_v * size;
      for (int64_t x = 0; x < gap * size; x++) assert_int_equal(end[x], 0x7b);
    }
}

static const char *const plans[] = {"softmax=f32", "softmax=f16"};

/* The bounds of doc/attention-devices.md: of the root mean square error relative to the result, and of lse. */
static double bound(const tsr_attention_desc *d, bool narrow) {
  return (d->type_q == TSR_BF16 ? 3e-3 : 4e-4) + (narrow ? 4e-4 : 0);
}
static double lse_bound(bool narrow, double sigma) { return narrow ? 2e-3 : 1e-5 * (sigma > 1 ? sigma : 1); }

static void check(const char *device, const char *plan, tsr_attention_desc d, int64_t gap, double sigma) {
  struct problem p = {.d = d};
  bool narrow = strcmp(plan, plans[1]) == 0;
  tsr_context *context = open_device(device);
  p.d.plan = plan;
  make(&p, gap, sigma);
  compute(context, &p);
  tsr_context_destroy(context);
  struct error e = compare(&p, 1);
  double rms = e.reference > 0 ? sqrt(e.squares / e.reference) : sqrt(e.squares);
  if (!(rms <= bound(&p.d, narrow)) || !(e.lse <= lse_bound(narrow, sigma)))
    fail_msg("%s %s: %lldx%lld/%lldx%lldx%lldx%lld/%lld causal %d window %lld %lld type %d: off by %g (worst %g), lse "
             "by %g", device, plan, (long long)d.batch, (long long)d.heads_q, (long long)d.heads_kv, (long long)d.len_q,
             (long long)d.len_kv, (long long)d.d_qk, (long long)d.d_v, d.causal, (long long)d.window_left,
             (long long)d.window_right, d.type_q, rms, e.worst, e.lse);
  assert_gaps(&p, gap);
  drop(&p);
}

static tsr_attention_desc desc(int64_t batch, int64_t heads_q, int64_t heads_kv, int64_t len_q, int64_t len_kv,
                               int64_t d_qk, int64_t d_v, tsr_causal causal) {
  tsr_attention_desc d = TSR_ATTENTION_DESC;
  d.type_q = d.type_k = d.type_v = d.type_out = TSR_F16;
  d.batch = batch, d.heads_q = heads_q, d.heads_kv = heads_kv, d.len_q = len_q, d.len_kv = len_kv;
  d.d_qk = d_qk, d.d_v = d_v, d.causal = causal;
  return d;
}

static const char *const models[] = {"accel:910b,races", "accel:310p,races"};

static void shapes(void **unused) {
  (void)unused;
  static const int64_t cases[][8] = {
      {1, 1, 1, 128, 128, 128, 128, 0}, {2, 3, 1, 1, 1, 8, 8, 0},         {1, 8, 2, 1, 333, 64, 64, 0},
      {1, 8, 2, 1, 333, 64, 64, 2},     {3, 4, 4, 1, 100, 40, 24, 1},     {1, 2, 2, 260, 300, 128, 128, 2},
      {1, 1, 1, 300, 100, 64, 64, 2},   {2, 2, 1, 65, 33, 40, 72, 1},     {1, 1, 1, 257, 129, 80, 80, 0},
      {1, 1, 1, 130, 200, 192, 128, 2}, {1, 1, 1, 150, 140, 256, 256, 1}, {1, 2, 1, 33, 70, 576, 512, 0},
      {1, 1, 1, 17, 0, 64, 64, 0},      {2, 30, 15, 40, 40, 16, 16, 1}};
  for (size_t m = 0; m < COUNT(models); m++)
    for (size_t plan = 0; plan < COUNT(plans); plan++)
      for (size_t c = 0; c < COUNT(cases); c++) {
        const int64_t *s = cases[c];
        check(models[m], plans[plan], desc(s[0], s[1], s[2], s[3], s[4], s[5], s[6], (tsr_causal)s[7]),
              (int64_t)c % 3, 1);
      }
}

/* More tiles than a launch takes, in pairs and alone. */
static void many_tiles(void **unused) {
  (void)unused;
  check("accel:310p", plans[0], desc(2, 300, 100, 130, 20, 8, 8, TSR_CAUSAL_TOP_LEFT), 0, 1);
  check("accel:310p", plans[1], desc(1, 530, 530, 17, 20, 8, 8, TSR_NOT_CAUSAL), 0, 1);
}

static void types(void **unused) {
  (void)unused;
  static const tsr_type cases[][2] = {{TSR_F16, TSR_F32}, {TSR_BF16, TSR_BF16}, {TSR_BF16, TSR_F32}};
  for (size_t m = 0; m < COUNT(models); m++)
    for (size_t plan = 0; plan < COUNT(plans); plan++)
      for (size_t c = 0; c < COUNT(cases); c++) {
        tsr_attention_desc d = desc(1, 2, 1, 100, 170, 72, 80, TSR_CAUSAL_BOTTOM_RIGHT);
        d.type_q = d.type_k = d.type_v = cases[c][0];
        d.type_out = cases[c][1];
        d.scale = 0.25;
        check(models[m], plans[plan], d, 1, 1);
      }
}

static void windows(void **unused) {
  (void)unused;
  static const int64_t cases[][3] = {{0, -1, 2}, {40, -1, 1}, {333, -1, 2}, {20, 5, 0}, {-1, 30, 0}, {500, 2, 0}};
  for (size_t m = 0; m < COUNT(models); m++)
    for (size_t plan = 0; plan < COUNT(plans); plan++)
      for (size_t c = 0; c < COUNT(cases); c++) {
        tsr_attention_desc d = desc(1, 2, 2, 170, 410, 32, 32, (tsr_causal)cases[c][2]);
        d.window_left = cases[c][0];
        d.window_right = cases[c][1];
        check(models[m], plans[plan], d, 0, 1);
      }
}

/* Scores so far apart that the first keys tell nothing about a row's maximum: tiles are computed again. */
static void references_that_were_too_low(void **unused) {
  (void)unused;
  for (size_t m = 0; m < COUNT(models); m++)
    for (size_t plan = 0; plan < COUNT(plans); plan++) {
      check(models[m], plans[plan], desc(1, 1, 1, 300, 500, 32, 32, TSR_NOT_CAUSAL), 0, 10);
      check(models[m], plans[plan], desc(1, 3, 1, 300, 400, 32, 32, TSR_CAUSAL_TOP_LEFT), 0, 30);
    }
}

/* In any legal order, and on either chip, the same bits. */
static void orders(void **unused) {
  (void)unused;
  for (size_t plan = 0; plan < COUNT(plans); plan++) {
    struct problem p = {.d = desc(1, 2, 1, 200, 260, 64, 80, TSR_CAUSAL_BOTTOM_RIGHT)};
    p.d.plan = plans[plan];
    make(&p, 0, 4);
    size_t bytes = (size_t)p.elements[OUT] * 2;
    unsigned char *first = NULL;
    for (int i = 0; i < 8; i++) {
      char name[64];
      snprintf(name, sizeof name, "accel:%s,races%s%.0d", i % 2 ? "310p" : "910b", i < 2 ? "" : ",shuffle=", i / 2);
      tsr_context *context = open_device(name);
      memset(p.tensor[OUT], 0, bytes);
      compute(context, &p);
      tsr_context_destroy(context);
      if (!first) memcpy(first = malloc(bytes), p.tensor[OUT], bytes);
      if (memcmp(first, p.tensor[OUT], bytes) != 0) fail_msg("%s %s: other bits", name, p.d.plan);
    }
    free(first);
    drop(&p);
  }
}

/* Calls follow one another, those of attention and products, whose programs share the cores' buffers and flags. */
static void calls_follow_one_another(void **unused) {
  (void)unused;
  enum { N = 96, BYTES = N * N * 2 };
  for (size_t m = 0; m < COUNT(models); m++) {
    tsr_context *context = open_device(models[m]);
    struct problem p = {.d = desc(1, 1, 1, N, N, N, N, TSR_NOT_CAUSAL)};
    tsr_gemm_desc g = TSR_GEMM_DESC;
    unsigned char unit[BYTES] = {0};
    make(&p, 0, 1);
    for (int i = 0; i < N; i++) put(unit + (i * N + i) * 2, TSR_F16, 1);
    g.type = g.type_c = TSR_F16;
    g.m = g.n = g.k = g.lda = g.ldb = g.ldc = N;
    void *q = alloc(context, BYTES), *k = alloc(context, BYTES), *v = alloc(context, BYTES);
    void *one = alloc(context, BYTES), *copy = alloc(context, BYTES), *out = alloc(context, BYTES);
    assert_ok(tsr_copy_to_device(context, q, p.tensor[Q], BYTES));
    assert_ok(tsr_copy_to_device(context, k, p.tensor[K], BYTES));
    assert_ok(tsr_copy_to_device(context, v, p.tensor[V], BYTES));
    assert_ok(tsr_copy_to_device(context, one, unit, BYTES));
    assert_ok(tsr_gemm(context, &g, q, one, copy));
    assert_ok(tsr_attention_on_device(context, &p.d, copy, k, v, out, NULL));
    assert_ok(tsr_gemm(context, &g, out, one, copy));
    assert_ok(tsr_attention_on_device(context, &p.d, q, k, v, out, NULL));
    unsigned char got[2][BYTES];
    assert_ok(tsr_copy_from_device(context, got[0], copy, BYTES));
    assert_ok(tsr_copy_from_device(context, got[1], out, BYTES));
    assert_memory_equal(got[0], got[1], BYTES);
    drop(&p);
    tsr_context_destroy(context);
  }
}

static void expect_unsupported(tsr_context *context, const tsr_attention_desc *d, const char *field) {
  void *any = alloc(context, 4096);
  tsr_status status = tsr_attention_on_device(context, d, any, any, any, any, NULL);
  if (status != TSR_UNSUPPORTED) fail_msg("%s: status %d", field, status);
  if (strncmp(tsr_last_error(), field, strlen(field)) != 0) fail_msg("\"%s\" is not of %s", tsr_last_error(), field);
  assert_ok(tsr_device_free(context, any));
}

static tsr_attention_desc small_desc(void) {
  tsr_attention_desc d = desc(1, 1, 1, 4, 4, 16, 16, TSR_NOT_CAUSAL);
  tsr_attention_set_sizes(&d, 1, 1, 1, 4, 4, 16, 16);
  return d;
}

#define REFUSES(field, ...)                         \
  do {                                              \
    tsr_attention_desc d = small_desc();            \
    __VA_ARGS__;                                    \
    expect_unsupported(context, &d, field);         \
  } while (0)

static void what_is_not_served(void **unused) {
  (void)unused;
  static const int32_t numbers[2];
  static const float floats[1];
  tsr_context *context = open_device("accel:910b");
  REFUSES("softcap", d.softcap = 3);
  REFUSES("prefix", d.prefix = 3);
  REFUSES("mask_type", d.mask_type = TSR_F16);
  REFUSES("alibi", d.alibi = floats);
  REFUSES("sinks", d.sinks = floats);
  REFUSES("kv_lens", d.kv_lens = numbers);
  REFUSES("cu_q", d.cu_q = numbers);
  REFUSES("cu_kv", d.cu_kv = numbers);
  REFUSES("page_size", d.page_size = 16);
  REFUSES("layout_k", d.layout_k = TSR_KV_PANELS);
  REFUSES("result", d.result = TSR_ATTENTION_PARTIAL);
  REFUSES("first_key", d.first_key = 256);
  REFUSES("scale", d.scale = -1);
  REFUSES("scale", d.scale = 1e-6; d.plan = "softmax=f16");
  REFUSES("type_q", d.type_k = TSR_BF16);
  REFUSES("type_q", d.type_q = d.type_k = d.type_v = TSR_F32);
  REFUSES("type_out", d.type_out = TSR_BF16);
  REFUSES("d_qk and d_v", d.d_qk = 1024; d.d_v = 1024);
  tsr_context_destroy(context);
}

static void bad_requests(void **unused) {
  (void)unused;
  tsr_context *context = open_device("accel:910b");
  tsr_attention_desc d = small_desc();
  char host[4] = {0};
  char *a = alloc(context, 128);
  const struct {
    const void *q, *k, *v;
    void *out;
    float *lse;
    const char *name;
  } calls[] = {{host, a, a, a, NULL, "q: "},     {a, host, a, a, NULL, "k: "},     {a, a, host, a, NULL, "v: "},
               {a, a, a, host, NULL, "out: "},   {a, a, a, a, (float *)host, "lse: "}, {a + 1, a, a, a, NULL, "q: "},
               {a, a + 32, a, a, NULL, "k: "}};
  for (size_t i = 0; i < COUNT(calls); i++) {
    assert_int_equal(tsr_attention_on_device(context, &d, calls[i].q, calls[i].k, calls[i].v, calls[i].out,
                                             calls[i].lse), TSR_INVALID_ARGUMENT);
    if (strncmp(tsr_last_error(), calls[i].name, strlen(calls[i].name)) != 0)
      fail_msg("\"%s\" does not begin with \"%s\"", tsr_last_error(), calls[i].name);
  }
  d.plan = "softmax=f8";
  assert_int_equal(tsr_attention_on_device(context, &d, a, a, a, a, NULL), TSR_INVALID_ARGUMENT);
  assert_non_null(strstr(tsr_last_error(), "softmax=f16"));
  tsr_context_destroy(context);
}

/* Time. */

struct run {
  double seconds, share, a_core; /* of the cubes' peak; TFLOP/s */
};

static struct run run(const char *device, const tsr_attention_desc *of, struct problem *data) {
  tsr_context *context = open_device(device);
  tsr_event *from = NULL, *to = NULL;
  tsr_attention_desc d = *of;
  void *at[4];
  const int64_t rows[4] = {d.heads_q * d.len_q, d.heads_kv * d.len_kv, d.heads_kv * d.len_kv, d.heads_q * d.len_q};
  const int64_t sizes[4] = {d.d_qk, d.d_qk, d.d_v, d.d_v};
  tsr_attention_set_sizes(&d, d.batch, d.heads_q, d.heads_kv, d.len_q, d.len_kv, d.d_qk, d.d_v);
  for (int t = 0; t < 4; t++) {
    at[t] = alloc(context, d.batch * rows[t] * sizes[t] * 2 + 2);
    if (data) assert_ok(tsr_copy_to_device(context, at[t], data->tensor[t], (size_t)data->elements[t] * 2));
  }
  assert_ok(tsr_event_create(context, &from));
  assert_ok(tsr_event_create(context, &to));
  assert_ok(tsr_event_record(from));
  assert_ok(tsr_attention_on_device(context, &d, at[Q], at[K], at[V], at[OUT], NULL));
  assert_ok(tsr_event_record(to));
  assert_ok(tsr_synchronize(context));
  struct run r;
  assert_ok(tsr_event_seconds(from, to, &r.seconds));
  const struct accel_params *p = accel_machine_params(accel_device_machine(context->device));
  double pairs = (double)d.len_q * (double)d.len_kv / (d.causal ? 2 : 1);
  double flops = 2.0 * (double)(d.batch * d.heads_q) * pairs * (double)(d.d_qk + d.d_v);
  r.share = flops / r.seconds / (p->cores * p->ghz * 8192e9);
  r.a_core = flops / r.seconds / p->cores * 1e-12;
  tsr_event_destroy(from);
  tsr_event_destroy(to);
  tsr_context_destroy(context);
  return r;
}

static void shares_of_the_peak(void **unused) {
  (void)unused;
  static const struct {
    const char *device, *plan;
    int64_t length, heads;
    tsr_causal causal;
    double least;
  } cases[] = {{"accel:910b,time-only", NULL, 8192, 3, TSR_NOT_CAUSAL, 0.60},
               {"accel:910b,time-only", "softmax=f32", 8192, 3, TSR_NOT_CAUSAL, 0.47},
               {"accel:910b,time-only", NULL, 8192, 3, TSR_CAUSAL_TOP_LEFT, 0.55},
               {"accel:310p,time-only", NULL, 8192, 1, TSR_NOT_CAUSAL, 0.60},
               {"accel:310p,time-only", "softmax=f16", 8192, 1, TSR_NOT_CAUSAL, 0.80},
               {"accel:310p,time-only", "softmax=f16", 8192, 1, TSR_CAUSAL_TOP_LEFT, 0.70}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    int64_t n = cases[i].length, heads = cases[i].heads;
    tsr_attention_desc d = desc(1, heads, heads, n, n, 128, 128, cases[i].causal);
    d.plan = cases[i].plan;
    struct run r = run(cases[i].device, &d, NULL);
    printf("%.10s %s%s %lldx%lld, %lld heads of 128: %.1f %% of the cubes' peak\n", cases[i].device,
           cases[i].plan ? cases[i].plan : "(no plan)", cases[i].causal ? " causal" : "", (long long)n, (long long)n,
           (long long)heads, 100 * r.share);
    assert_true(r.share >= cases[i].least && r.share < 1);
  }
}

/* Flash attention on a 910B, d = 128, a core. Of the published curve its ends are known. */
static void a_published_curve(void **unused) {
  (void)unused;
  static const struct {
    int64_t length, heads;
    double published; /* 0: not known */
  } points[] = {{1024, 24, 3.54}, {2048, 12, 0}, {4096, 6, 0}, {8192, 3, 7.90}};
  for (size_t i = 0; i < COUNT(points); i++) {
    int64_t n = points[i].length, heads = points[i].heads;
    tsr_attention_desc d = desc(1, heads, heads, n, n, 128, 128, TSR_NOT_CAUSAL);
    d.plan = plans[0];
    struct run wide = run("accel:910b,time-only", &d, NULL);
    d.plan = plans[1];
    struct run narrow = run("accel:910b,time-only", &d, NULL);
    printf("910b %lld: %.2f TFLOP/s a core with scores in f32, %.2f in f16, published %.2f\n", (long long)n,
           wide.a_core, narrow.a_core, points[i].published);
    assert_true(narrow.a_core >= points[i].published && narrow.a_core > wide.a_core);
    assert_true(wide.a_core >= 0.9 * points[i].published && wide.a_core < 2 * 7.90);
  }
}

/* Without data the program takes the way of data that need nothing computed again; those that do take longer. */
static void time_without_data(void **unused) {
  (void)unused;
  struct problem calm = {.d = desc(1, 1, 1, 256, 640, 64, 64, TSR_NOT_CAUSAL)}, wild = calm;
  calm.d.plan = wild.d.plan = plans[0];
  make(&calm, 0, 1);
  make(&wild, 0, 20);
  double without = run("accel:910b,time-only", &calm.d, NULL).seconds;
  assert_true(run("accel:910b", &calm.d, &calm).seconds == without);
  assert_true(run("accel:910b", &wild.d, &wild).seconds > 1.5 * without);
  drop(&calm);
  drop(&wild);
}

int main(void) {
  const char *seed = getenv("TESSERA_TEST_SEED");
  if (seed) state = strtoull(seed, NULL, 0) | 1;
  printf("seed %llu (set TESSERA_TEST_SEED to change it)\n", (unsigned long long)state);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shapes),     cmocka_unit_test(types),  cmocka_unit_test(windows),
      cmocka_unit_test(many_tiles),
      cmocka_unit_test(references_that_were_too_low),      cmocka_unit_test(orders),
      cmocka_unit_test(calls_follow_one_another),          cmocka_unit_test(what_is_not_served),
      cmocka_unit_test(bad_requests),                      cmocka_unit_test(shares_of_the_peak),
      cmocka_unit_test(a_published_curve),                 cmocka_unit_test(time_without_data)};
  return cmocka_run_group_tests_name("attention on devices", tests, NULL, NULL);
}
