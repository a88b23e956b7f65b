/* The numeric contract: random problems over all features give the bits of the reference on every chip and with any
 * number of threads; as a part of a batch or alone, one query at a time, planned, and in parts of the keys. And the
 * reference itself is as near to f64 as it says. */
#include <math.h>

#include "test/attention/attention_test.h"

static bool slow;

/* Features one by one for a telling failure, then all together. */
static const unsigned features[] = {0,           F_TYPES,     F_CAUSAL, F_MASK,          F_BIAS,          F_LENGTHS,
                                    F_PAGED,     F_PANELS,    F_PART,   F_QUANTISED,     F_CAUSAL | F_MASK | F_BIAS,
                                    F_TYPES | F_PAGED | F_PANELS | F_LENGTHS, F_ALL, F_ALL, F_ALL, F_ALL, F_ALL};

typedef void problem_body(struct problem *p, struct rng *rng);

static void each_problem(int rounds, double work, problem_body *body) {
  refused = accepted = 0;
  for (int i = 0; i < rounds * COUNT(features) * (slow ? 12 : 1); i++) {
    struct problem p;
    struct rng rng = {test_seed() + (uint64_t)i * 977};
    problem_draw(&p, test_seed() * 100003 + (uint64_t)i, features[i % COUNT(features)], slow ? 4 * work : work);
    body(&p, &rng);
    problem_close(&p);
  }
  if (refused)
    fail_msg("%d calls of %d are not supported, the last because: %s", refused, refused + accepted, tsr_last_error());
}

/* The generic kernels are slow: they get a part of the rows, and every tenth problem whole. */
static struct view view_for(const struct problem *p, tsr_context *context, int threads, struct rng *rng) {
  struct view v = view_whole(p, context, threads);
  if (!is_generic(context) || p->d.batch == 0 || rng_below(rng, 10) == 0) return v;
  struct view narrow = v;
  view_sequence(&narrow, rng_below(rng, p->d.batch));
  if (narrow.d.len_q > 12 && !view_queries(&narrow, rng_below(rng, narrow.d.len_q - 11), 12)) return v;
  return narrow;
}

static void whole(struct problem *p, struct rng *rng) {
  for (int c = 0; c < ncontexts; c++)
    for (int threads = 1; threads <= 4; threads++) {
      struct view v = view_for(p, contexts[c], threads, rng);
      if (is_generic(contexts[c]) && threads % 4 != (int)(p->seed % 4)) continue;
      check_view(&v, plain_call);
    }
}

static void same_bits_as_the_reference(void **state) {
  (void)state;
  each_problem(10, 3e6, whole);
}

static struct view random_part(struct problem *p, tsr_context *context, struct rng *rng) {
  struct view v = view_whole(p, context, 1 + (int)rng_below(rng, 4));
  if (p->d.batch > 0 && rng_below(rng, 3)) view_sequence(&v, rng_below(rng, p->d.batch));
  if (rng_below(rng, 2)) {
    int64_t heads = 1 + rng_below(rng, v.d.heads_q);
    view_heads(&v, rng_below(rng, v.d.heads_q - heads + 1), heads);
  }
  if (v.d.len_q > 0 && rng_below(rng, 2)) {
    int64_t queries = 1 + rng_below(rng, v.d.len_q);
    view_queries(&v, rng_below(rng, v.d.len_q - queries + 1), queries);
  }
  return v;
}

static void parts(struct problem *p, struct rng *rng) {
  static compute *const ways[] = {plain_call, planned_call, in_parts};
  for (int c = 0; c < ncontexts; c++)
    for (int i = 0; i < (is_generic(contexts[c]) ? 1 : 4); i++) {
      struct view v = random_part(p, contexts[c], rng);
      check_view(&v, ways[rng_below(rng, COUNT(ways))]);
    }
}

/* Sequences, heads and queries by themselves: batch invariance, GQA against one head, decoding against prefill. */
static void same_bits_of_any_part(void **state) {
  (void)state;
  each_problem(10, 3e6, parts);
}

static void one_by_one(struct problem *p, struct rng *rng) {
  int64_t b = p->d.batch > 0 ? rng_below(rng, p->d.batch) : 0, h = rng_below(rng, p->d.heads_q);
  tsr_context *context = contexts[rng_below(rng, ncontexts)];
  for (int64_t i = 0; p->d.batch > 0 && i < q_rows(&p->d, b); i++) {
    struct view v = view_whole(p, context, 1 + (int)(i % 3));
    view_sequence(&v, b);
    view_heads(&v, h, 1);
    if (view_queries(&v, i, 1)) check_view(&v, plain_call);
  }
}

static void decoding_is_prefill(void **state) {
  (void)state;
  each_problem(4, 3e6, one_by_one);
}

static void planned(struct problem *p, struct rng *rng) {
  for (int c = 0; c < ncontexts; c++) {
    struct view v = view_for(p, contexts[c], 1 + (int)rng_below(rng, 4), rng);
    check_view(&v, planned_call);
  }
}

static void planned_calls(void **state) {
  (void)state;
  each_problem(4, 3e6, planned);
}

/* Both ways of the lanes, items and tiles of any size, chunks shared by threads. */
static void draw_words(struct view *v, struct rng *rng) {
  int width = 16 * (1 + (int)rng_below(rng, 7)), tiles = 1 + (int)rng_below(rng, 4), rows = 1 + (int)rng_below(rng, 90);
  if (rng_below(rng, 2))
    snprintf(v->words, sizeof v->words, "lanes=queries width=%d rows=%d", width, width * tiles);
  else
    snprintf(v->words, sizeof v->words, "lanes=keys rows=%d split=%s", rows, rng_below(rng, 2) ? "yes" : "no");
  if (rng_below(rng, 2)) snprintf(v->words + strlen(v->words), 16, " threads=%d", v->threads);
}

static void any_plan(struct problem *p, struct rng *rng) {
  for (int c = 0; c < ncontexts; c++)
    for (int i = 0; i < (is_generic(contexts[c]) ? 1 : 4); i++) {
      struct view v = view_for(p, contexts[c], 1 + (int)rng_below(rng, 4), rng);
      draw_words(&v, rng);
      check_view(&v, i % 2 ? planned_call : plain_call);
    }
}

static void plans_change_no_bit(void **state) {
  (void)state;
  impossible_plans = 0;
  each_problem(8, 3e6, any_plan);
  if (impossible_plans > accepted / 3)
    fail_msg("only %d of %d plans were possible", accepted, accepted + impossible_plans);
}

static void split(struct problem *p, struct rng *rng) {
  for (int c = 0; c < ncontexts; c++) {
    struct view v = view_for(p, contexts[c], 1 + (int)rng_below(rng, 4), rng);
    check_view(&v, in_parts);
  }
}

static void partial_results_merge(void **state) {
  (void)state;
  each_problem(5, 3e6, split);
}

static void without_lse(struct problem *p, struct rng *rng) {
  char why[WHY];
  struct view v = view_for(p, contexts[rng_below(rng, ncontexts)], 2, rng);
  if (!view_holds(&v, plain_call, false, why)) fail_msg("%s", why);
}

static void lse_may_be_null(void **state) {
  (void)state;
  each_problem(1, 1e6, without_lse);
}

/* The largest error of f32 results, as a share of the bound and of the largest value. */
static double worst_share, worst_error, worst_lse;

static double most_of(const struct problem *p) {
  double most = 0;
  for (int64_t r = 0; r < rows_of(&p->d) * p->d.d_v; r++) most = fmax(most, fabs(p->exact[r]));
  return most;
}

static void near_f64(struct problem *p, struct rng *rng) {
  (void)rng;
  double most = most_of(p);
  char text[WHY];
  problem_text(p, text, sizeof text);
  for (int64_t r = 0; r < rows_of(&p->d) && p->fill != FILL_SPECIAL; r++) {
    for (int64_t e = r * p->d.d_v; e < (r + 1) * p->d.d_v; e++) {
      double error = fabs(p->out[e] - p->exact[e]);
      if (!(error <= p->bound[e]))
        fail_msg("%s: row %lld is %.9g, not %.9g: off by %g, more than %g", text, (long long)r, (double)p->out[e],
                 p->exact[e], error, p->bound[e]);
      if (p->bound[e] > 0) worst_share = fmax(worst_share, error / p->bound[e]);
      if (p->sharpness == 1 && p->fill == FILL_RANDOM && most > 0) worst_error = fmax(worst_error, error / most);
    }
    double off = p->lse[r] == p->exact_lse[r] ? 0 : fabs(p->lse[r] - p->exact_lse[r]);
    if (!(off <= p->bound_lse[r]))
      fail_msg("%s: lse of row %lld is %.9g, not %.9g", text, (long long)r, (double)p->lse[r], p->exact_lse[r]);
    worst_lse = fmax(worst_lse, off);
  }
}

/* That the library's results are the reference's was shown above. */
static void reference_is_near_f64(void **state) {
  (void)state;
  each_problem(10, 3e6, near_f64);
  printf("f32 results: off by at most %.2f of the bound; random data: by %.1f * 2^-24 of the largest; lse by %.2g\n",
         worst_share, worst_error * 0x1p24, worst_lse);
}

int main(int argc, char **argv) {
  slow = argc > 1 && strcmp(argv[1], "slow") == 0;
  const struct CMUnitTest tests[] = {
      gemm_unit_test(reference_is_near_f64), gemm_unit_test(same_bits_as_the_reference),
      gemm_unit_test(same_bits_of_any_part), gemm_unit_test(decoding_is_prefill),
      gemm_unit_test(planned_calls),         gemm_unit_test(partial_results_merge),
      gemm_unit_test(plans_change_no_bit),
      gemm_unit_test(lse_may_be_null),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
