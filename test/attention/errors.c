/* Bad arguments: the status, a message that names the field, and outputs as they were. */
#include <limits.h>
#include <math.h>

#include "test/attention/attention_test.h"

/* A valid call with everything in it, to be spoilt. Two sequences of 3 and 5 keys. */
enum { B = 2, HQ = 4, HKV = 2, Q = 3, KV = 5, D = 32, PAGE = 4, PAGES = 4, MOST = 4096 };
static float q[MOST], k[MOST], v[MOST], out[MOST], lse[MOST], mask[MOST], alibi[HQ], sinks[HQ], scales[MOST];
static char before[sizeof out];
static int32_t lens[B], cu_q[B + 1], cu_kv[B + 1], table[B * 2];

static tsr_attention_desc valid(void) {
  tsr_attention_desc d = TSR_ATTENTION_DESC;
  static const int32_t good_cu_q[] = {0, 2, 5}, good_cu_kv[] = {0, 3, 8}, good_table[] = {3, 0, 1, 2};
  tsr_attention_set_sizes(&d, B, HQ, HKV, Q, KV, D, D);
  memcpy(cu_q, good_cu_q, sizeof cu_q);
  memcpy(cu_kv, good_cu_kv, sizeof cu_kv);
  memcpy(table, good_table, sizeof table);
  lens[0] = 3;
  lens[1] = 5;
  return d;
}

static tsr_attention_desc masked(void) {
  tsr_attention_desc d = valid();
  d.mask_type = TSR_F32;
  d.mask = mask;
  d.stride_mask[TSR_ROW] = KV;
  return d;
}

static tsr_attention_desc ragged(void) {
  tsr_attention_desc d = valid();
  d.cu_q = cu_q;
  d.cu_kv = cu_kv;
  return d;
}

static tsr_attention_desc with_lens(void) {
  tsr_attention_desc d = valid();
  d.kv_lens = lens;
  return d;
}

static tsr_attention_desc paged(void) {
  tsr_attention_desc d = with_lens();
  d.page_size = PAGE;
  d.pages = PAGES;
  d.block_table = table;
  d.stride_table = 2;
  d.stride_k[TSR_BATCH] = d.stride_v[TSR_BATCH] = PAGE * HKV * D;
  return d;
}

static tsr_attention_desc panels(void) {
  tsr_attention_desc d = valid();
  d.layout_k = TSR_KV_PANELS;
  d.heads_kv = 1;
  d.len_kv = 64;
  d.stride_k[TSR_ROW] = d.stride_k[TSR_HEAD] = d.stride_k[TSR_BATCH] = D * TSR_KV_PANEL;
  d.stride_v[TSR_BATCH] = 0;
  return d;
}

static tsr_attention_desc bytes(void) {
  tsr_attention_desc d = valid();
  d.type_k = d.type_v = TSR_S8;
  d.scales_k = d.scales_v = scales;
  d.stride_scales[TSR_ROW] = 1;
  return d;
}

static tsr_attention_desc blocks(void) {
  tsr_attention_desc d = valid();
  d.type_k = TSR_Q8_0;
  d.type_v = TSR_Q4_0;
  return d;
}

static tsr_attention_desc partial(void) {
  tsr_attention_desc d = valid();
  d.result = TSR_ATTENTION_PARTIAL;
  return d;
}

static void untouched(const char *named) {
  if (memcmp(out, before, sizeof out) != 0 || memcmp(lse, before, sizeof lse) != 0)
    fail_msg("outputs were written although %s was bad", named);
}

static bool names(const char *field) { return strstr(tsr_last_error(), field) != NULL; }

static void refuses(const tsr_attention_desc *d, const char *named, const void *pq, const void *pk, const void *pv,
                    void *pout) {
  float *plse = d && d->result == TSR_ATTENTION_PARTIAL ? NULL : lse;
  for (int i = -1; i < ncontexts; i++) {
    tsr_status status = tsr_attention(i < 0 ? NULL : contexts[i], d, pq, pk, pv, pout, plse);
    if (status != TSR_INVALID_ARGUMENT) fail_msg("a bad %s gives \"%s\"", named, tsr_status_string(status));
    if (!names(named)) fail_msg("\"%s\" does not name %s", tsr_last_error(), named);
    untouched(named);
  }
}

/* Plans are made of a descriptor alone: what it cannot be is refused there, too. */
static void refuses_plan(const tsr_attention_desc *d, const char *named) {
  tsr_attention_plan *plan = (tsr_attention_plan *)before;
  tsr_status status = tsr_attention_plan_create(NULL, d, &plan);
  if (status != TSR_INVALID_ARGUMENT || !names(named)) fail_msg("a bad %s makes a plan: %s", named, tsr_last_error());
  assert_ptr_equal(plan, before);
}

static void accepts(tsr_attention_desc d, const char *what) {
  for (int i = -1; i < ncontexts; i++) {
    float *plse = d.result == TSR_ATTENTION_PARTIAL ? NULL : lse;
    tsr_status status = tsr_attention(i < 0 ? NULL : contexts[i], &d, q, k, v, out, plse);
    if (status != TSR_OK) fail_msg("%s: %s", what, tsr_last_error());
  }
  memcpy(out, before, sizeof out);
  memcpy(lse, before, sizeof lse);
}

static void good_calls(void **state) {
  (void)state;
  accepts(valid(), "valid");
  accepts(masked(), "masked");
  accepts(ragged(), "ragged");
  accepts(with_lens(), "with lengths");
  accepts(paged(), "paged");
  accepts(panels(), "panels");
  accepts(bytes(), "bytes");
  accepts(blocks(), "blocks");
  accepts(partial(), "partial");
}

#define BAD_NAMED(make, field, value, named) \
  do {                                       \
    tsr_attention_desc d = make();           \
    d.field = value;                         \
    refuses(&d, named, q, k, v, out);        \
    refuses_plan(&d, named);                 \
  } while (0)
#define BAD(make, field, value) BAD_NAMED(make, field, value, #field)

static void sizes(void **state) {
  (void)state;
  static const int64_t negative[] = {-1, -7, INT64_MIN}, huge[] = {INT64_MAX, INT64_MAX / 2, (int64_t)1 << 40};
  for (int i = 0; i < COUNT(negative); i++) {
    BAD(valid, batch, negative[i]);
    BAD(valid, heads_q, negative[i]);
    BAD(valid, heads_kv, negative[i]);
    BAD(valid, len_q, negative[i]);
    BAD(valid, len_kv, negative[i]);
    BAD(valid, d_qk, negative[i]);
    BAD(valid, d_v, negative[i]);
  }
  for (int i = 0; i < COUNT(huge); i++) {
    BAD(valid, batch, huge[i]);
    BAD(valid, heads_q, huge[i]);
    BAD(valid, len_q, huge[i]);
    BAD(valid, len_kv, huge[i]);
    BAD(valid, d_qk, huge[i]);
    BAD(valid, d_v, huge[i]);
  }
  BAD(valid, heads_q, 0);
  BAD(valid, heads_kv, 0);
  BAD(valid, d_qk, 0);
  BAD(valid, d_v, 0);
  BAD(valid, d_qk, 1025);
  BAD(valid, d_v, 1025);
  BAD_NAMED(valid, heads_q, 5, "heads_kv");
  BAD(valid, heads_kv, 3);
  BAD(valid, heads_kv, 8);
}

static void types(void **state) {
  (void)state;
  static const int never[] = {0, -1, TSR_F64, TSR_S32, TSR_BOOL, 10, 99, INT_MAX, INT_MIN};
  for (int i = 0; i < COUNT(never); i++) {
    BAD(valid, type_q, (tsr_type)never[i]);
    BAD(valid, type_k, (tsr_type)never[i]);
    BAD(valid, type_v, (tsr_type)never[i]);
    BAD(valid, type_out, (tsr_type)never[i]);
    if (never[i] != 0 && never[i] != TSR_BOOL) BAD(masked, mask_type, (tsr_type)never[i]);
  }
  static const int keys_only[] = {TSR_Q8_0, TSR_Q4_0, TSR_S8};
  for (int i = 0; i < COUNT(keys_only); i++) {
    BAD(valid, type_q, (tsr_type)keys_only[i]);
    BAD(valid, type_out, (tsr_type)keys_only[i]);
    BAD(masked, mask_type, (tsr_type)keys_only[i]);
  }
  BAD_NAMED(valid, type_k, TSR_S8, "scales_k");
  BAD_NAMED(valid, type_v, TSR_S8, "scales_v");
  BAD(bytes, scales_k, NULL);
  BAD(bytes, scales_v, NULL);
  BAD(blocks, d_qk, 40);
  BAD(blocks, d_v, 40);
}

static void strides_of(tsr_attention_desc (*make)(void), size_t offset, const char *name) {
  for (int i = 0; i < 3; i++) {
    static const int64_t bad[] = {-1, -32, INT64_MIN, INT64_MAX, INT64_MAX / 2, INT64_MAX / 4, (int64_t)1 << 60};
    for (int j = 0; j < COUNT(bad); j++) {
      tsr_attention_desc d = make();
      ((int64_t *)((char *)&d + offset))[i] = bad[j];
      refuses(&d, name, q, k, v, out);
    }
  }
}

static void strides(void **state) {
  (void)state;
  strides_of(valid, offsetof(tsr_attention_desc, stride_q), "stride_q");
  strides_of(valid, offsetof(tsr_attention_desc, stride_k), "stride_k");
  strides_of(valid, offsetof(tsr_attention_desc, stride_v), "stride_v");
  strides_of(valid, offsetof(tsr_attention_desc, stride_out), "stride_out");
  strides_of(masked, offsetof(tsr_attention_desc, stride_mask), "stride_mask");
  strides_of(bytes, offsetof(tsr_attention_desc, stride_scales), "stride_scales");
  BAD(blocks, stride_k[TSR_ROW], HKV * D + 16);
  BAD(blocks, stride_v[TSR_HEAD], D + 1);
  BAD(panels, stride_k[TSR_ROW], -1);
  tsr_attention_desc d = panels();
  d.len_kv = 128;
  d.stride_k[TSR_ROW] = D * TSR_KV_PANEL - 1;
  refuses(&d, "stride_k", q, k, v, out);
  BAD(paged, stride_table, -1);
  BAD(paged, stride_table, INT64_MAX);
}

static void rows_of_out_that_overlap(void **state) {
  (void)state;
  static const int64_t bad[][2] = {{TSR_HEAD, 0},          {TSR_HEAD, D - 1}, {TSR_ROW, HQ * D - 1},
                                   {TSR_BATCH, Q * HQ * D - 1}, {TSR_ROW, 0},      {TSR_BATCH, 0}};
  for (int i = 0; i < COUNT(bad); i++) BAD_NAMED(valid, stride_out[bad[i][0]], bad[i][1], "stride_out");
  tsr_attention_desc d = ragged(); /* [head][row]: as many rows as there are in all */
  d.stride_out[TSR_ROW] = D;
  d.stride_out[TSR_HEAD] = 4 * D;
  refuses(&d, "stride_out", q, k, v, out);
  d.stride_out[TSR_HEAD] = 5 * D;
  accepts(d, "ragged rows that just fit");
  d = valid();
  d.batch = 1;
  d.stride_out[TSR_BATCH] = 0;
  accepts(d, "the stride of one sequence");
}

static void options(void **state) {
  (void)state;
  BAD(valid, scale, NAN);
  BAD(valid, scale, INFINITY);
  BAD(valid, softcap, NAN);
  BAD(valid, softcap, -1);
  BAD(valid, softcap, INFINITY);
  BAD(valid, causal, (tsr_causal)3);
  BAD(valid, causal, (tsr_causal)-1);
  BAD(valid, window_left, -2);
  BAD(valid, window_right, INT64_MIN);
  BAD(valid, prefix, -1);
  BAD(valid, layout_k, (tsr_kv_layout)2);
  BAD(valid, result, (tsr_attention_result)2);
  BAD(valid, first_key, -256);
  BAD(valid, first_key, 255);
  BAD(valid, first_key, INT64_MAX - 255);
  BAD(valid, all_keys, -1);
  BAD(valid, plan, "lanes=sideways");
  BAD(valid, plan, "%s%n");
  BAD(partial, sinks, sinks);
  tsr_attention_desc d = valid();
  d.first_key = 512;
  d.all_keys = 511;
  refuses(&d, "all_keys", q, k, v, out);
}

static void masks(void **state) {
  (void)state;
  BAD(masked, mask, NULL);
  BAD(valid, mask, mask);
  tsr_attention_desc d = valid();
  d.alibi = alibi;
  d.alibi_scales_mask = 1;
  refuses(&d, "alibi_scales_mask", q, k, v, out);
}

static void lengths(void **state) {
  (void)state;
  static const int32_t bad[] = {-1, KV + 1, INT32_MIN, INT32_MAX};
  for (int i = 0; i < COUNT(bad); i++)
    for (int b = 0; b < B; b++) {
      tsr_attention_desc d = with_lens();
      lens[b] = bad[i];
      refuses(&d, "kv_lens", q, k, v, out);
      d = paged();
      lens[b] = bad[i];
      refuses(&d, "kv_lens", q, k, v, out);
    }
}

static void offsets(void **state) {
  (void)state;
  static const int32_t bad[] = {-1, 7, 100, INT32_MIN, INT32_MAX};
  for (int i = 0; i < COUNT(bad); i++)
    for (int b = 0; b <= B; b++) {
      tsr_attention_desc d = ragged();
      if (b == 0 && bad[i] == 0) continue;
      cu_q[b] = bad[i];
      refuses(&d, "cu_q", q, k, v, out);
      d = ragged();
      cu_kv[b] = b == B && bad[i] == 7 ? 2 : bad[i];
      refuses(&d, "cu_kv", q, k, v, out);
    }
}

static void pages(void **state) {
  (void)state;
  static const int32_t bad[] = {-1, PAGES, INT32_MIN, INT32_MAX};
  for (int i = 0; i < COUNT(bad); i++)
    for (int at = 0; at < 4; at++) {
      tsr_attention_desc d = paged();
      table[at] = bad[i];
      if (at == 1)
        accepts(d, "a bad id where no page is needed");
      else
        refuses(&d, "block_table", q, k, v, out);
    }
  BAD(paged, page_size, -1);
  BAD(paged, page_size, INT64_MAX);
  BAD_NAMED(paged, page_size, 0, "page_size");
  BAD(paged, pages, -1);
  BAD_NAMED(paged, pages, 3, "pages");
  BAD(paged, kv_lens, NULL);
  BAD(paged, block_table, NULL);
  BAD(paged, cu_kv, cu_kv);
  BAD_NAMED(paged, layout_k, TSR_KV_PANELS, "page_size");
  BAD_NAMED(ragged, layout_k, TSR_KV_PANELS, "layout_k");
  BAD_NAMED(blocks, layout_k, TSR_KV_PANELS, "layout_k");
}

static void pointers(void **state) {
  (void)state;
  tsr_attention_desc d = valid();
  refuses(&d, "q is NULL", NULL, k, v, out);
  refuses(&d, "k is NULL", q, NULL, v, out);
  refuses(&d, "v is NULL", q, k, NULL, out);
  refuses(&d, "out is NULL", q, k, v, NULL);
  d = ragged();
  refuses(&d, "q is NULL", NULL, k, v, out);
  d = partial();
  tsr_status status = tsr_attention(NULL, &d, q, k, v, out, lse);
  assert_int_equal(status, TSR_INVALID_ARGUMENT);
  assert_true(names("lse"));
  untouched("lse");
}

static void descriptors(void **state) {
  (void)state;
  static const size_t bad[] = {0, 1, sizeof(tsr_attention_desc) - 1, sizeof(tsr_attention_desc) + 1, SIZE_MAX};
  refuses(NULL, "desc", q, k, v, out);
  refuses_plan(NULL, "desc");
  for (int i = 0; i < COUNT(bad); i++) BAD_NAMED(valid, size, bad[i], "desc");
}

/* Nothing to do is no error, and no pointer is needed; no keys make rows 0. */
static void empty(void **state) {
  (void)state;
  for (int i = -1; i < ncontexts; i++) {
    tsr_context *context = i < 0 ? NULL : contexts[i];
    tsr_attention_desc d = valid();
    d.batch = 0;
    assert_int_equal(tsr_attention(context, &d, NULL, NULL, NULL, NULL, NULL), TSR_OK);
    d = valid();
    d.len_q = 0;
    assert_int_equal(tsr_attention(context, &d, NULL, NULL, NULL, NULL, NULL), TSR_OK);
    d = valid();
    d.len_kv = 0;
    assert_int_equal(tsr_attention(context, &d, q, NULL, NULL, out, lse), TSR_OK);
    for (int e = 0; e < B * HQ * Q * D; e++) assert_true(out[e] == 0);
    for (int r = 0; r < B * HQ * Q; r++) assert_true(lse[r] == -INFINITY);
    memcpy(out, before, sizeof out);
    memcpy(lse, before, sizeof lse);
  }
}

static void runs(void **state) {
  (void)state;
  tsr_attention_plan *plan = NULL;
  tsr_attention_desc d = valid();
  assert_int_equal(tsr_attention_plan_create(NULL, &d, NULL), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_attention_plan_create(NULL, &d, &plan), TSR_OK);
  void *space = NULL;
  assert_int_equal(posix_memalign(&space, 64, tsr_attention_plan_workspace(plan) + 64), 0);
  struct {
    const char *named;
    tsr_attention_desc d;
  } bad[12];
  for (int i = 0; i < COUNT(bad); i++) bad[i].d = valid();
  int n = 0;
#define LATER(field, value, name) bad[n].named = name, bad[n++].d.field = value
  tsr_attention_set_sizes(&bad[n].d, B, HQ, HKV, Q + 1, KV, D, D);
  bad[n++].named = "len_q";
  LATER(len_kv, KV + 1, "len_kv");
  tsr_attention_set_sizes(&bad[n].d, B + 1, HQ, HKV, Q, KV, D, D);
  bad[n++].named = "batch";
  LATER(heads_kv, 4, "heads_kv");
  LATER(d_qk, D / 2, "d_qk");
  LATER(d_v, D / 2, "d_v");
  LATER(type_k, TSR_F16, "type_k");
  LATER(len_q, -1, "len_q");
  for (int i = 0; i < n; i++) {
    tsr_status status = tsr_attention_run(plan, &bad[i].d, q, k, v, out, lse, space);
    if (status != TSR_INVALID_ARGUMENT || !names(bad[i].named))
      fail_msg("a run with another %s: %s", bad[i].named, tsr_last_error());
    untouched(bad[i].named);
  }
  assert_int_equal(tsr_attention_run(NULL, &d, q, k, v, out, lse, space), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_attention_run(plan, NULL, q, k, v, out, lse, space), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_attention_run(plan, &d, q, k, v, out, lse, NULL), TSR_INVALID_ARGUMENT);
  assert_true(names("workspace"));
  assert_int_equal(tsr_attention_run(plan, &d, q, k, v, out, lse, (char *)space + 8), TSR_INVALID_ARGUMENT);
  assert_true(names("workspace"));
  assert_int_equal(tsr_attention_run(plan, &d, NULL, k, v, out, lse, space), TSR_INVALID_ARGUMENT);
  untouched("a pointer of a run");
  assert_int_equal(tsr_attention_run(plan, &d, q, k, v, out, lse, space), TSR_OK);
  memcpy(out, before, sizeof out);
  memcpy(lse, before, sizeof lse);
  tsr_attention_plan_destroy(plan);
  tsr_attention_plan_destroy(NULL);
  assert_int_equal(tsr_attention_plan_workspace(NULL), 0);
  free(space);
}

static void merges(void **state) {
  (void)state;
  static const float states[4 * 6];
  const float *parts[2] = {states, states}, *one_missing[2] = {states, NULL};
  static const struct {
    int64_t chunks, rows, d_v, stride;
    tsr_type type;
    const char *named;
  } bad[] = {{-1, 2, 4, 4, TSR_F32, "chunks"},       {0, 2, 4, 4, TSR_F32, "chunks"},
             {2, -1, 4, 4, TSR_F32, "rows"},         {2, 2, 0, 4, TSR_F32, "d_v"},
             {2, 2, 1025, 2000, TSR_F32, "d_v"},     {2, 2, 4, 3, TSR_F32, "stride"},
             {2, 2, 4, 4, TSR_S8, "type_out"},       {2, 2, 4, 4, (tsr_type)0, "type_out"},
             {2, 2, 4, INT64_MAX, TSR_F32, "stride"}, {INT64_MAX / 2, 2, 4, 4, TSR_F32, "chunks"}};
  for (int i = 0; i < COUNT(bad); i++) {
    tsr_status status = tsr_attention_merge(NULL, bad[i].chunks, bad[i].rows, bad[i].d_v, states, bad[i].type, out,
                                            bad[i].stride, lse);
    if (status != TSR_INVALID_ARGUMENT || !names(bad[i].named))
      fail_msg("bad %s to merge: %s", bad[i].named, tsr_last_error());
    untouched(bad[i].named);
  }
  assert_int_equal(tsr_attention_merge(NULL, 2, 2, 4, NULL, TSR_F32, out, 4, lse), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_attention_merge(NULL, 2, 2, 4, states, TSR_F32, NULL, 4, lse), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_attention_merge_normalised(NULL, 0, 2, 4, parts, 4, parts, out, 4, lse), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_attention_merge_normalised(NULL, 2, 2, 4, one_missing, 4, parts, out, 4, lse),
                   TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_attention_merge_normalised(NULL, 2, 2, 4, parts, 4, one_missing, out, 4, lse),
                   TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_attention_merge_normalised(NULL, 2, 2, 4, NULL, 4, parts, out, 4, lse), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_attention_merge_normalised(NULL, 2, 2, 4, parts, 4, parts, NULL, 4, lse), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_attention_merge_normalised(NULL, 2, 2, 4, parts, -4, parts, out, 4, lse), TSR_INVALID_ARGUMENT);
  untouched("a pointer to merge");
}

static int prepare(void **state) {
  memset(before, 0xa5, sizeof before);
  memcpy(out, before, sizeof out);
  memcpy(lse, before, sizeof lse);
  for (int i = 0; i < MOST; i++) q[i] = k[i] = v[i] = mask[i] = scales[i] = (float)(i % 7 - 3) / 4;
  return open_contexts(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      gemm_unit_test(good_calls), gemm_unit_test(sizes),    gemm_unit_test(types),
      gemm_unit_test(strides),    gemm_unit_test(rows_of_out_that_overlap), gemm_unit_test(options),
      gemm_unit_test(masks),      gemm_unit_test(lengths),  gemm_unit_test(offsets),
      gemm_unit_test(pages),      gemm_unit_test(pointers), gemm_unit_test(descriptors),
      gemm_unit_test(empty),      gemm_unit_test(runs),     gemm_unit_test(merges),
  };
  return cmocka_run_group_tests(tests, prepare, close_contexts);
}
