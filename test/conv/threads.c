/* Callers at the same time: of one plan, each with a workspace of its own, and of plain calls. */
#include <pthread.h>

#include "test/conv/conv_test.h"

enum { CALLERS = 5 };

struct caller {
  pthread_t thread;
  struct problem p;
  tsr_context *context;
  const tsr_conv_plan *plan; /* NULL: plain calls */
  int calls;
  bool holds;
  int64_t where;
};

static tsr_status once(const struct caller *c, char *y, void *workspace) {
  const struct problem *p = &c->p;
  memset(y, 0xa5, y_bytes(&p->d));
  if (c->plan) return tsr_conv_run(c->plan, p->x, p->d.post.add, y, workspace);
  return tsr_conv(c->context, &p->d, p->x, p->w, p->bias, y);
}

static void *call(void *arg) {
  struct caller *c = arg;
  tsr_type type = full_desc(&c->p.d).type_y;
  size_t bytes = y_bytes(&c->p.d);
  char *y = malloc(bytes + 1);
  void *workspace = NULL;
  if (c->plan && posix_memalign(&workspace, 64, tsr_conv_plan_workspace(c->plan) + 64) != 0) abort();
  c->holds = true;
  for (int i = 0; i < c->calls && c->holds; i++) {
    c->where = -1;
    c->holds = once(c, y, workspace) == TSR_OK &&
               same_bits(type, y, c->p.expected, (int64_t)bytes / tsr_size_of(type), &c->where);
  }
  free(y);
  free(workspace);
  return NULL;
}

static void run_callers(struct caller *callers) {
  char text[WHY];
  for (int i = 0; i < CALLERS; i++) assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
  for (int i = 0; i < CALLERS; i++) pthread_join(callers[i].thread, NULL);
  for (int i = 0; i < CALLERS; i++) {
    problem_text(&callers[i].p, text, sizeof text);
    if (!callers[i].holds) fail_msg("caller %d: %s: wrong at element %lld", i, text, (long long)callers[i].where);
  }
}

static void draw(struct problem *p, uint64_t seed) {
  for (problem_draw(p, seed, F_ALL, 3e5); p->d.batch == 0; problem_draw(p, ++seed, F_ALL, 3e5)) problem_close(p);
}

static void callers_of_their_own(void **state) {
  (void)state;
  for (int round = 0; round < 6; round++) {
    struct caller callers[CALLERS] = {{.calls = 0}};
    tsr_context *context = contexts[round % ncontexts];
    tsr_set_num_threads(context, 1 + round % 3);
    for (int i = 0; i < CALLERS; i++) {
      draw(&callers[i].p, test_seed() * 500 + (uint64_t)(round * CALLERS + i) * 10);
      callers[i].context = context;
      callers[i].calls = is_generic(context) ? 3 : 20;
    }
    run_callers(callers);
    tsr_set_num_threads(context, 0);
    for (int i = 0; i < CALLERS; i++) problem_close(&callers[i].p);
  }
}

static void callers_of_one_plan(void **state) {
  (void)state;
  for (int round = 0; round < 6; round++) {
    struct caller callers[CALLERS] = {{.calls = 0}};
    struct problem p;
    tsr_conv_plan *plan;
    tsr_context *context = contexts[round % ncontexts];
    draw(&p, test_seed() * 700 + (uint64_t)round * 10);
    tsr_set_num_threads(context, 1 + round % 3);
    assert_int_equal(tsr_conv_plan_create(context, &p.d, p.w, p.bias, &plan), TSR_OK);
    for (int i = 0; i < CALLERS; i++)
      callers[i] = (struct caller){.p = p, .context = context, .plan = plan, .calls = is_generic(context) ? 3 : 20};
    run_callers(callers);
    tsr_set_num_threads(context, 0);
    tsr_conv_plan_destroy(plan);
    problem_close(&p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {gemm_unit_test(callers_of_their_own), gemm_unit_test(callers_of_one_plan)};
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
