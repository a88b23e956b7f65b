/* The search on machines made of numbers: what is fastest is known, and so is the noise. */
#include "src/tune/search.h"

#include <fenv.h>

#include "test/tune/random.h"

enum { CLASSES = 5, MOST = 1000 };

/* Times, what a model believes of them, and what a run shows. */
struct machine {
  struct rng rng;
  int n, default_index, class[MOST];
  double time[MOST], predicted[MOST];
  double noise, drift, walk, spikes; /* of one run, between neighbours in time, so far, share of runs */
  bool broken[MOST];
};

static void add_noise(struct machine *m) {
  m->noise = 0.03;
  m->drift = 0.03; /* a random walk: 30 % over a hundred runs */
  m->spikes = 0.05;
}

static double run(struct machine *m, int i) {
  if (m->broken[i]) return 0;
  m->walk = 0.995 * m->walk + m->drift * normal(&m->rng);
  double log_time = m->noise * normal(&m->rng) + m->walk;
  if (uniform(&m->rng) < m->spikes) log_time += log(2 + uniform(&m->rng) * 2);
  return m->time[i] * exp(log_time);
}

/* Plans whose times spread over a factor of two or so; the model errs by class and by plan; the default is what the
 * model likes best. */
static void make(struct machine *m, uint64_t seed, int n, double spread, double class_error, double plan_error) {
  double error[CLASSES];
  memset(m, 0, sizeof *m);
  m->rng.state = seed;
  m->n = n;
  for (int c = 0; c < CLASSES; c++) error[c] = class_error * normal(&m->rng);
  for (int i = 0; i < n; i++) {
    m->class[i] = (int)(uniform(&m->rng) * CLASSES);
    m->time[i] = 1e-3 * exp(spread * uniform(&m->rng));
    m->predicted[i] = m->time[i] * exp(error[m->class[i]] + plan_error * normal(&m->rng));
    if (m->predicted[i] < m->predicted[m->default_index]) m->default_index = i;
  }
}

static double best_of(const struct machine *m) {
  double best = HUGE_VAL;
  for (int i = 0; i < m->n; i++)
    if (!m->broken[i]) best = fmin(best, m->time[i]);
  return best;
}

static struct tsr_search_space space_of(const struct machine *m) {
  return (struct tsr_search_space){.n = m->n, .default_index = m->default_index, .predicted = m->predicted,
                                   .classes = m->class, .user = m};
}

static struct tsr_search_result search_space(struct machine *m, const struct tsr_search_space *space,
                                             const struct tsr_search_options *options) {
  struct tsr_search_result result;
  struct tsr_search *search = tsr_search_start(space, options);
  assert_non_null(search);
  for (int i; (i = tsr_search_next(search)) >= 0;) {
    assert_int_equal(tsr_search_next(search), i);
    assert_true(tsr_search_tell(search, i, run(m, i)));
  }
  tsr_search_result(search, &result);
  tsr_search_end(search);
  return result;
}

static struct tsr_search_result search(struct machine *m, const struct tsr_search_options *options) {
  struct tsr_search_space space = space_of(m);
  return search_space(m, &space, options);
}

struct tally {
  int searches, wins, wrong;
  double regret, before, runs, measured, ratio_error;
};

static void count_result(struct tally *t, const struct machine *m, const struct tsr_search_result *r) {
  double best = best_of(m), standard = m->time[m->default_index], won = m->time[r->winner];
  t->searches++;
  t->wins += r->significant;
  t->wrong += won > 1.01 * standard;
  t->regret += won / best - 1;
  t->before += standard / best - 1;
  t->runs += r->runs;
  t->measured += r->measured;
}

static void print_tally(const char *what, const struct tally *t) {
  double n = t->searches;
  printf("%-34s default %5.2f %% behind the best, after the search %5.2f %%; wins %.1f %%, wrong %.2f %%; %.1f plans, "
         "%.1f runs\n", what, 100 * t->before / n, 100 * t->regret / n, 100 * t->wins / n, 100 * t->wrong / n,
         t->measured / n, t->runs / n);
}

static struct tally many(const char *what, int searches, int n, double spread, double class_error, double plan_error,
                         bool noisy) {
  struct tally tally = {0};
  static struct machine m;
  for (int i = 0; i < searches; i++) {
    make(&m, test_seed() * 1000003 + (uint64_t)i, n, spread, class_error, plan_error);
    if (noisy) add_noise(&m);
    struct tsr_search_result r = search(&m, NULL);
    assert_in_range(r.measured, 1, 12);
    assert_in_range(r.runs, 1, 96);
    count_result(&tally, &m, &r);
  }
  print_tally(what, &tally);
  return tally;
}

static void finds_the_best_in_noise(void **state) {
  (void)state;
  struct tally t = many("model off 8 % by class, 3 % by plan", 400, 60, 0.7, 0.08, 0.03, true);
  assert_true(t.regret / t.searches < 0.015);
  assert_true(t.wrong <= 0.025 * t.searches);
  many("model off 15 % by class, 5 % by plan", 400, 60, 0.7, 0.15, 0.05, true);
  many("quiet, model off 8 % and 3 %", 400, 60, 0.7, 0.08, 0.03, false);
  many("model off 3 % and 5 %", 400, 200, 0.7, 0.03, 0.05, true);
}

static void keeps_the_default_among_equals(void **state) {
  (void)state;
  struct tally t = many("all equal", 1000, 60, 0, 0.08, 0.03, true);
  assert_true(t.wins <= 0.03 * t.searches);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(finds_the_best_in_noise),
    cmocka_unit_test(keeps_the_default_among_equals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
