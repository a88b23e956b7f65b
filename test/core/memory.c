/* Scratch memory: growth, release, failure. */
#include "src/core/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "src/core/threads.h"
#include "test/core/support.h"

enum { THREADS = 4 };

static void fill(char *memory, size_t bytes) {
  assert_non_null(memory);
  assert_int_equal((uintptr_t)memory % 4096, 0);
  memset(memory, 0x5a, bytes);
}

static void grows_on_demand(void **state) {
  (void)state;
  for (size_t bytes = 1; bytes < 20 << 20; bytes = bytes * 3 + 1) {
    char *memory = tsr_scratch_get(TSR_SCRATCH_A, bytes);
    fill(memory, bytes);
    assert_ptr_equal(tsr_scratch_get(TSR_SCRATCH_A, bytes), memory);
    assert_ptr_equal(tsr_scratch_get(TSR_SCRATCH_A, bytes / 2), memory);
  }
  char *a = tsr_scratch_get(TSR_SCRATCH_A, 1), *b = tsr_scratch_get(TSR_SCRATCH_B, 4096);
  fill(b, 4096);
  assert_ptr_not_equal(a, b);
  assert_non_null(tsr_scratch_get(TSR_SCRATCH_SUMS, 0));
  tsr_release();
  assert_false(is_mapped(a));
  assert_false(is_mapped(b));
  fill(tsr_scratch_get(TSR_SCRATCH_A, 4096), 4096);
  tsr_release();
}

static void growing_gives_the_old_block_back(void **state) {
  (void)state;
  char *old = tsr_scratch_get(TSR_SCRATCH_A, 1 << 20);
  fill(old, 1 << 20);
  char *grown = tsr_scratch_get(TSR_SCRATCH_A, 64 << 20);
  assert_true(!is_mapped(old) || (old >= grown && old < grown + (64 << 20)));
  tsr_release();
}

static void too_much_is_refused(void **state) {
  (void)state;
  assert_null(tsr_scratch_get(TSR_SCRATCH_B, TSR_SCRATCH_MOST + 1));
  assert_null(tsr_scratch_get(TSR_SCRATCH_B, SIZE_MAX));
  fill(tsr_scratch_get(TSR_SCRATCH_B, 1 << 20), 1 << 20);
  tsr_release();
}

static void limit_in_child(void) {
  struct rlimit limit = {96 << 20, 96 << 20};
  child_check(setrlimit(RLIMIT_AS, &limit) == 0);
  child_check(tsr_scratch_get(TSR_SCRATCH_B, 512 << 20) == NULL);
  char *memory = tsr_scratch_get(TSR_SCRATCH_B, 1 << 20);
  child_check(memory != NULL);
  memset(memory, 1, 1 << 20);
}

/* Room for what is asked, none for rounding it up. */
static void tight_in_child(void) {
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  child_check(file && fscanf(file, "%lu", &pages) == 1 && fclose(file) == 0);
  struct rlimit limit = {pages * 4096 + (5 << 20), pages * 4096 + (5 << 20)};
  child_check(setrlimit(RLIMIT_AS, &limit) == 0);
  char *memory = tsr_scratch_get(TSR_SCRATCH_B, 4200 << 10);
  child_check(memory != NULL);
  memset(memory, 1, 4200 << 10);
}

static void address_space_limit(void **state) {
  (void)state;
  if (UNDER_TSAN || UNDER_ASAN) skip();
  assert_int_equal(in_child(limit_in_child)->status, 0);
  assert_int_equal(in_child(tight_in_child)->status, 0);
}

static void injected_failure(void **state) {
  (void)state;
  tsr_scratch_fail_after(2);
  assert_non_null(tsr_scratch_get(TSR_SCRATCH_A, 10));
  assert_non_null(tsr_scratch_get(TSR_SCRATCH_A, 10));
  assert_null(tsr_scratch_get(TSR_SCRATCH_A, 10));
  assert_null(tsr_scratch_get(TSR_SCRATCH_B, 10));
  tsr_scratch_fail_after(-1);
  assert_non_null(tsr_scratch_get(TSR_SCRATCH_A, 10));
  tsr_release();
}

static void *take(void *arg) {
  char **memory = arg;
  for (int i = 0; i < TSR_SCRATCH_COUNT; i++) {
    memory[i] = tsr_scratch_get((enum tsr_scratch)i, 3 << 20);
    if (memory[i]) memory[i][0] = 1;
  }
  return NULL;
}

static void a_thread_takes_its_arena_along(void **state) {
  (void)state;
  char *memory[TSR_SCRATCH_COUNT];
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, take, memory), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  for (int i = 0; i < TSR_SCRATCH_COUNT; i++) {
    assert_non_null(memory[i]);
    assert_false(is_mapped(memory[i]));
  }
}

static void take_in_team(void *arg, int index) {
  char **memory = arg;
  memory[index] = tsr_scratch_get(TSR_SCRATCH_A, 3 << 20);
  if (memory[index]) memory[index][0] = 1;
}

static void release_reaches_idle_workers(void **state) {
  (void)state;
  tsr_context *context;
  struct tsr_team team;
  char *memory[THREADS];
  assert_int_equal(tsr_context_create(NULL, &context), TSR_OK);
  tsr_set_num_threads(context, THREADS);
  tsr_team_reserve(context, THREADS, &team);
  assert_int_equal(team.n, THREADS);
  tsr_team_run(&team, take_in_team, memory);
  for (int i = 0; i < THREADS; i++) assert_true(memory[i] && is_mapped(memory[i]));
  tsr_release();
  for (int i = 0; i < THREADS; i++) assert_false(is_mapped(memory[i]));
  tsr_context_destroy(context);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(grows_on_demand),     cmocka_unit_test(growing_gives_the_old_block_back),
      cmocka_unit_test(too_much_is_refused), cmocka_unit_test(address_space_limit),
      cmocka_unit_test(injected_failure),    cmocka_unit_test(a_thread_takes_its_arena_along),
      cmocka_unit_test(release_reaches_idle_workers)};
  return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
