/* What memory convolution takes: none in a planned run, a bounded amount of scratch otherwise; and what it does where
 * there is none, or no threads. That nothing beside the operands is touched every test shows (problem.c). */
#include <stdatomic.h>

#include "src/core/memory.h"
#include "src/core/threads.h"
#include "test/conv/conv_test.h"

/* Allocations of the process while `counting`: these stand before the C library's. */
static _Atomic int counting, counted;
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
void *__libc_memalign(size_t align, size_t bytes);

#if defined(__GLIBC__) && !UNDER_ASAN && !UNDER_TSAN
#define INTERPOSED 1
static void count(void) {
  if (atomic_load(&counting)) atomic_fetch_add(&counted, 1);
}
void *malloc(size_t bytes) {
  count();
  return __libc_malloc(bytes);
}
void *calloc(size_t n, size_t bytes) {
  count();
  return __libc_calloc(n, bytes);
}
void *realloc(void *old, size_t bytes) {
  count();
  return __libc_realloc(old, bytes);
}
int posix_memalign(void **to, size_t align, size_t bytes) {
  count();
  *to = __libc_memalign(align, bytes);
  return *to ? 0 : 12;
}
void *aligned_alloc(size_t align, size_t bytes) {
  count();
  return __libc_memalign(align, bytes);
}
#else
#define INTERPOSED 0
#endif

static void draw(struct problem *p, uint64_t seed, double work) {
  unsigned features = seed / 10 % 5 ? F_ALL : F_ALL | F_INTEGERS;
  for (problem_draw(p, seed, features, work); p->d.batch == 0; problem_draw(p, ++seed, features, work))
    problem_close(p);
}

static tsr_conv_plan *plan;
static char *workspace;

static tsr_status prepared(tsr_context *context, const struct problem *p, void *y) {
  (void)context;
  tsr_scratch_fail_after(0);
  atomic_store(&counting, 1);
  tsr_status status = tsr_conv_run(plan, p->x, p->d.post.add, y, workspace);
  atomic_store(&counting, 0);
  tsr_scratch_fail_after(-1);
  return status;
}

/* The second time: the first one starts the pool. */
static void runs_allocate_nothing(void **state) {
  (void)state;
  if (!INTERPOSED) skip();
  for (int i = 0; i < 150; i++) {
    struct problem p;
    struct guarded space;
    tsr_context *context = contexts[i % ncontexts];
    draw(&p, test_seed() * 1000 + (uint64_t)i * 10, 3e5);
    tsr_set_num_threads(context, 1 + i % 4);
    atomic_store(&counted, 0);
    atomic_store(&counting, 1);
    tsr_status status = tsr_conv_plan_create(context, &p.d, p.w, p.bias, &plan);
    atomic_store(&counting, 0);
    assert_int_equal(status, TSR_OK);
    assert_true(atomic_load(&counted) > 0);
    guarded_open(&space, (tsr_conv_plan_workspace(plan) + 63) / 64 * 64, PLACE_END, 0);
    workspace = space.data;
    check_problem(context, 1 + i % 4, &p, prepared);
    atomic_store(&counted, 0);
    check_problem(context, 1 + i % 4, &p, prepared);
    if (atomic_load(&counted)) fail_msg("a planned run allocates %d times", atomic_load(&counted));
    tsr_conv_plan_destroy(plan);
    guarded_close(&space);
    problem_close(&p);
  }
}

/* What a run takes does not grow with x, y or the taps' matrix: rows and tiles come by one after the other. */
static void scratch_is_bounded(void **state) {
  (void)state;
  static const struct {
    int64_t channels, filters, groups, size, kernel, batch;
  } nets[] = {{64, 64, 1, 56, 3, 64}, {512, 512, 1, 7, 3, 64}, {3, 64, 1, 224, 7, 8}, {256, 1024, 1, 14, 1, 32},
              {512, 512, 512, 112, 3, 8}, {64, 64, 1, 1000, 3, 1}, {128, 128, 32, 200, 5, 4}};
  enum { MEBIBYTE = 1 << 20 };
  char w[1];
  for (int i = 0; i < COUNT(nets) * 8; i++) {
    tsr_conv_desc d = TSR_CONV_DESC;
    int64_t kernel = nets[i / 8].kernel;
    d.channels = nets[i / 8].channels, d.filters = nets[i / 8].filters, d.groups = nets[i / 8].groups;
    d.batch = nets[i / 8].batch;
    d.layout_x = d.layout_y = (tsr_layout)(i & 1);
    if (i & 2) d.type_x = d.type_w = TSR_F16;
    for (int a = 0; a < 2; a++)
      d.in[a] = nets[i / 8].size, d.kernel[a] = kernel, d.pad_begin[a] = d.pad_end[a] = kernel / 2;
    assert_int_equal(tsr_conv_set_out(&d), TSR_OK);
    int threads = i & 4 ? 3 : 1;
    char *weights = calloc(w_bytes(&d), sizeof w);
    tsr_set_num_threads(contexts[0], threads);
    assert_int_equal(tsr_conv_plan_create(contexts[0], &d, weights, NULL, &plan), TSR_OK);
    tsr_set_num_threads(contexts[0], 0);
    size_t bytes = tsr_conv_plan_workspace(plan);
    if (bytes > (size_t)threads * 4 * MEBIBYTE)
      fail_msg("net %d (layout %d, type %d): %d threads take %zu bytes", i / 8, i & 1, d.type_x, threads, bytes);
    tsr_conv_plan_destroy(plan);
    free(weights);
  }
}

/* Right, or refused for want of memory with y as it was. */
static tsr_status last_status;
static int requests_left;
static tsr_status starved(tsr_context *context, const struct problem *p, void *y) {
  tsr_release();
  tsr_scratch_fail_after(requests_left);
  last_status = plain_call(context, p, y);
  tsr_scratch_fail_after(-1);
  if (last_status == TSR_OUT_OF_MEMORY) assert_true(strlen(tsr_last_error()) > 0);
  return last_status == TSR_OUT_OF_MEMORY ? TSR_UNSUPPORTED : last_status;
}

static void no_scratch_memory(void **state) {
  (void)state;
  int wanting = 0;
  for (int i = 0; i < 80; i++) {
    struct problem p;
    draw(&p, test_seed() * 2000 + (uint64_t)i * 10, 1e5);
    for (requests_left = 0; requests_left < 4; requests_left++) {
      check_problem(contexts[i % ncontexts], 1 + i % 3, &p, starved);
      wanting += last_status == TSR_OUT_OF_MEMORY;
    }
    check_problem(contexts[i % ncontexts], 1 + i % 3, &p, plain_call);
    problem_close(&p);
  }
  assert_true(wanting > 0);
}

static void no_threads(void **state) {
  (void)state;
  if (UNDER_TSAN) skip();
  for (int i = 0; i < 12; i++) {
    struct problem p;
    draw(&p, test_seed() * 3000 + (uint64_t)i * 10, 2e6);
    tsr_pool_fail_after(i % 4);
    check_problem(contexts[0], 4, &p, plain_call);
    check_problem(contexts[0], 4, &p, planned_call);
    tsr_pool_fail_after(-1);
    check_problem(contexts[0], 4, &p, plain_call);
    problem_close(&p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      gemm_unit_test(no_threads),
      gemm_unit_test(runs_allocate_nothing),
      gemm_unit_test(scratch_is_bounded),
      gemm_unit_test(no_scratch_memory),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
