/* What a row may not see does not reach it, not as NaN or Inf either; what it sees does. And merging normalised
 * parts. */
#include <math.h>

#include "test/attention/attention_test.h"

static void draw(struct problem *p, uint64_t seed, unsigned features, double work) {
  do problem_draw(p, seed++, features, work);
  while (rows_of(&p->d) == 0 || p->d.len_kv == 0 || p->fill == FILL_SPECIAL ? (problem_close(p), true) : false);
}

static bool is_float(tsr_type type) { return type == TSR_F32 || type == TSR_F16 || type == TSR_BF16; }

/* Whether any query of the sequence that has the key's head sees the key. */
static bool is_seen(const tsr_attention_desc *d, int64_t b, int64_t hkv, int64_t j) {
  int64_t group = d->heads_q / d->heads_kv;
  for (int64_t h = hkv * group; h < (hkv + 1) * group; h++)
    for (int64_t i = 0; i < q_rows(d, b); i++)
      if (sees(d, b, h, i, j)) return true;
  return false;
}

static void poison_key(struct problem *p, int64_t b, int64_t hkv, int64_t j, float with) {
  const tsr_attention_desc *d = &p->d;
  for (int64_t e = 0; e < d->d_qk; e++)
    store(d->type_k, (char *)(uintptr_t)p->k + bytes_of(d->type_k, k_element(d, b, hkv, j, e)), with);
}

static void poison_value(struct problem *p, int64_t b, int64_t hkv, int64_t j, float with) {
  const tsr_attention_desc *d = &p->d;
  for (int64_t e = 0; e < d->d_v; e++)
    store(d->type_v, (char *)(uintptr_t)p->v + bytes_of(d->type_v, kv_at(d, d->stride_v, 1, b, hkv, j) + e), with);
}

static bool shared(const tsr_attention_desc *d, const int64_t *stride) {
  bool sequences = d->page_size || (d->batch > 1 && !d->cu_kv);
  return (stride[TSR_BATCH] == 0 && sequences) || (stride[TSR_HEAD] == 0 && d->heads_kv > 1) || stride[TSR_ROW] == 0;
}

static int poison_unseen(struct problem *p) {
  static const float with[] = {NAN, INFINITY, -INFINITY};
  const tsr_attention_desc *d = &p->d;
  int poisoned = 0;
  for (int64_t b = 0; b < d->batch; b++)
    for (int64_t h = 0; h < d->heads_kv; h++)
      for (int64_t j = 0; j < kv_rows(d, b); j++) {
        if (is_seen(d, b, h, j)) continue;
        poison_key(p, b, h, j, with[j % 3]);
        poison_value(p, b, h, j, with[(j + 1) % 3]);
        poisoned++;
      }
  return poisoned;
}

/* The expected rows are those of before: the poison changes nothing. */
static void unseen_keys_do_not_leak(void **state) {
  (void)state;
  int poisoned = 0;
  for (int i = 0; i < 150; i++) {
    struct problem p;
    draw(&p, test_seed() * 12000 + 7 * (uint64_t)i, F_ALL & ~F_QUANTISED, 1e6);
    if (is_float(p.d.type_k) && is_float(p.d.type_v) && !shared(&p.d, p.d.stride_k) && !shared(&p.d, p.d.stride_v)) {
      poisoned += poison_unseen(&p);
      for (int c = 0; c < ncontexts; c++) {
        struct view v = view_whole(&p, contexts[c], 1 + i % 3);
        check_view(&v, plain_call);
        check_view(&v, in_parts);
      }
    }
    problem_close(&p);
  }
  assert_true(poisoned > 1000);
}

/* Causal: key j is NaN, so queries before it are as they were and those from it on are NaN. */
static void seen_keys_show(void **state) {
  (void)state;
  enum { N = 90, D = 40 };
  static float q[N * D], k[N * D], v[N * D], clean[N * D], out[N * D], lse[N];
  struct rng rng = {test_seed()};
  for (int i = 0; i < N * D; i++) {
    q[i] = (float)rng_below(&rng, 5) / 4;
    k[i] = v[i] = (float)rng_below(&rng, 7) / 8;
  }
  tsr_attention_desc d = TSR_ATTENTION_DESC;
  tsr_attention_set_sizes(&d, 1, 1, 1, N, N, D, D);
  d.causal = TSR_CAUSAL_TOP_LEFT;
  for (int i = 0; i < ncontexts * 2 * N; i += 5) {
    tsr_context *context = contexts[i / 2 / N];
    int j = i / 2 % N;
    float *at = (i & 1 ? v : k) + j * D, kept[D];
    assert_int_equal(tsr_attention(context, &d, q, k, v, clean, lse), TSR_OK);
    memcpy(kept, at, sizeof kept);
    for (int e = 0; e < D; e++) at[e] = NAN;
    assert_int_equal(tsr_attention(context, &d, q, k, v, out, lse), TSR_OK);
    memcpy(at, kept, sizeof kept);
    assert_memory_equal(out, clean, (size_t)(j * D) * sizeof *out);
    for (int e = j * D; e < N * D; e++) assert_true(isnan(out[e]));
  }
}

/* The same in parts: a chunk of which a row sees nothing leaves no NaN in the row's state. Nor does one in which every
 * score is -inf, by the keys of the second round. */
static void partial_states_of_unseen_chunks(void **state) {
  (void)state;
  enum { ROWS = 3, N = 300, D = 24 };
  static float q[ROWS * D], k[N * D], v[N * D], whole[ROWS * D], merged[ROWS * D], states[2 * ROWS * (D + 2)];
  static unsigned char seen[ROWS * N];
  tsr_attention_desc d = TSR_ATTENTION_DESC;
  tsr_attention_set_sizes(&d, 1, 1, 1, ROWS, N, D, D);
  d.mask_type = TSR_BOOL;
  d.mask = seen;
  d.stride_mask[TSR_ROW] = N;
  for (int i = 0; i < N * D; i++) k[i] = v[i] = (float)(i % 11) / 8;
  for (int i = 0; i < ROWS * D; i++) q[i] = (float)(1 + i % 5) / 4;
  for (int i = 0; i < ROWS * N; i++) seen[i] = i / N != 1 || i % N < 256;
  v[280 * D + 5] = NAN;
  for (int c = 0; c < 2 * ncontexts; c++) {
    tsr_context *context = contexts[c % ncontexts];
    for (int i = 256 * D; c == ncontexts && i < N * D; i++) k[i] = -INFINITY;
    d.result = TSR_ATTENTION_WHOLE;
    assert_int_equal(tsr_attention(context, &d, q, k, v, whole, NULL), TSR_OK);
    d.result = TSR_ATTENTION_PARTIAL;
    assert_int_equal(tsr_attention(context, &d, q, k, v, states, NULL), TSR_OK);
    assert_int_equal(tsr_attention_merge(context, 2, ROWS, D, states, TSR_F32, merged, D, NULL), TSR_OK);
    for (int i = 0; i < ROWS * D; i++) {
      assert_true(isnan(whole[i]) == (c < ncontexts && i / D != 1 && i % D == 5));
      assert_true(isnan(whole[i]) ? isnan(merged[i]) : memcmp(&whole[i], &merged[i], sizeof *whole) == 0);
    }
  }
}

/* Rows without a key: 0, not -0 or NaN, with an lse of -inf, whatever lies around. */
static void rows_without_keys(void **state) {
  (void)state;
  int without = 0;
  for (int i = 0; i < 150; i++) {
    struct problem p;
    draw(&p, test_seed() * 13000 + 7 * (uint64_t)i, (F_MASK | F_CAUSAL | F_LENGTHS | F_TYPES | F_PART), 5e5);
    for (int64_t b = 0; b < p.d.batch; b++)
      for (int64_t h = 0; h < p.d.heads_q; h++)
        for (int64_t r = 0; r < q_rows(&p.d, b); r++) {
          bool any = false;
          for (int64_t j = 0; j < kv_rows(&p.d, b) && !any; j++) any = sees(&p.d, b, h, r, j);
          int64_t row = row_of(&p.d, b, h, r);
          if (any) continue;
          without++;
          assert_true(p.lse[row] == -INFINITY);
          const float *out = p.out + row * p.d.d_v;
          for (int64_t e = 0; e < p.d.d_v; e++) assert_true(out[e] == 0 && !signbit(out[e]));
        }
    struct view v = view_whole(&p, contexts[i % ncontexts], 1 + i % 3);
    check_view(&v, plain_call);
    problem_close(&p);
  }
  assert_true(without > 100);
}

/* Parts of the keys, each normalised, merged in any order: near the whole within 2^-21 of the largest contribution for
 * each part. */
enum { PARTS = 4, LEN = 37, KEYS = 700, DIM = 33 };

static void normalised_parts(void **state) {
  (void)state;
  static float q[LEN * DIM], k[KEYS * DIM], v[KEYS * DIM], whole[LEN * DIM], lse[LEN], out[PARTS][LEN * DIM],
      parts_lse[PARTS][LEN], merged[LEN * DIM], merged_lse[LEN];
  static const int ends[PARTS + 1] = {0, 3, 300, 300, KEYS};
  struct rng rng = {test_seed()};
  tsr_attention_desc d = TSR_ATTENTION_DESC;
  for (int i = 0; i < LEN * DIM; i++) q[i] = (float)((double)(int64_t)rng_next(&rng) * 0x1p-61);
  for (int i = 0; i < KEYS * DIM; i++) k[i] = (float)((double)(int64_t)rng_next(&rng) * 0x1p-63), v[i] = k[i] + 0.1f;
  for (int c = 0; c < ncontexts; c++) {
    const float *outs[PARTS], *lses[PARTS];
    tsr_attention_set_sizes(&d, 1, 1, 1, LEN, KEYS, DIM, DIM);
    assert_int_equal(tsr_attention(contexts[c], &d, q, k, v, whole, lse), TSR_OK);
    for (int p = 0; p < PARTS; p++) {
      tsr_attention_set_sizes(&d, 1, 1, 1, LEN, ends[p + 1] - ends[p], DIM, DIM);
      const float *from = k + ends[p] * DIM;
      assert_int_equal(tsr_attention(contexts[c], &d, q, from, v + ends[p] * DIM, out[p], parts_lse[p]), TSR_OK);
      outs[(p + c + 1) % PARTS] = out[p];
      lses[(p + c + 1) % PARTS] = parts_lse[p];
    }
    assert_int_equal(tsr_attention_merge_normalised(contexts[c], PARTS, LEN, DIM, outs, DIM, lses, merged, DIM,
                                                    merged_lse), TSR_OK);
    for (int i = 0; i < LEN * DIM; i++) assert_true(fabsf(merged[i] - whole[i]) <= PARTS * 0x1p-21f * 1.1f);
    for (int i = 0; i < LEN; i++) assert_true(fabsf(merged_lse[i] - lse[i]) <= 4e-6f * (1 + fabsf(lse[i])));
    /* Into one of the parts. */
    assert_int_equal(tsr_attention_merge_normalised(contexts[c], PARTS, LEN, DIM, outs, DIM, lses, out[0], DIM,
                                                    parts_lse[0]), TSR_OK);
    assert_memory_equal(out[0], merged, sizeof merged);
    assert_memory_equal(parts_lse[0], merged_lse, sizeof merged_lse);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {gemm_unit_test(unseen_keys_do_not_leak), gemm_unit_test(seen_keys_show),
                                     gemm_unit_test(partial_states_of_unseen_chunks),
                                     gemm_unit_test(rows_without_keys), gemm_unit_test(normalised_parts)};
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
