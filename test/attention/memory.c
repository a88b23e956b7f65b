/* What memory attention takes: none in a planned run, a bounded amount of scratch otherwise; and what it does where
 * there is none, or no threads. That nothing beside the operands is touched every test shows (view.c). */
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/core/memory.h"
#include "src/core/threads.h"
#include "test/attention/attention_test.h"

/* Allocations of the process while `counting`: these stand before the C library's. */
static _Atomic int counting, counted;
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
void *__libc_memalign(size_t align, size_t bytes);

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !UNDER_ASAN && !UNDER_TSAN
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
  do problem_draw(p, seed++, F_ALL, work);
  while (rows_of(&p->d) == 0 || p->d.len_kv == 0 ? (problem_close(p), true) : false);
}

static tsr_attention_plan *plan;
static char *workspace;

static tsr_status prepared(const struct view *v, void *out, float *lse) {
  tsr_attention_desc d = view_desc(v);
  tsr_scratch_fail_after(0);
  atomic_store(&counting, 1);
  tsr_status status = tsr_attention_run(plan, &d, v->q, v->k, v->v, out, lse, workspace);
  atomic_store(&counting, 0);
  tsr_scratch_fail_after(-1);
  return status;
}

/* The second time: the first one starts the pool. */
static void runs_allocate_nothing(void **state) {
  (void)state;
  if (!INTERPOSED) skip();
  for (int i = 0; i < 60; i++) {
    struct problem p;
    struct guarded space;
    draw(&p, test_seed() * 1000 + (uint64_t)i * 10, 1e6);
    struct view v = view_whole(&p, contexts[i % ncontexts], 1 + i % 4);
    tsr_set_num_threads(v.context, v.threads);
    atomic_store(&counted, 0);
    atomic_store(&counting, 1);
    tsr_status status = tsr_attention_plan_create(v.context, &p.d, &plan);
    atomic_store(&counting, 0);
    assert_int_equal(status, TSR_OK);
    assert_true(atomic_load(&counted) > 0);
    guarded_open(&space, (tsr_attention_plan_workspace(plan) + 63) / 64 * 64, PLACE_END, 0);
    workspace = space.data;
    check_view(&v, prepared);
    atomic_store(&counted, 0);
    check_view(&v, prepared);
    if (atomic_load(&counted)) fail_msg("a planned run allocates %d times", atomic_load(&counted));
    tsr_attention_plan_destroy(plan);
    guarded_close(&space);
    problem_close(&p);
  }
}

/* Scratch does not grow with the sequences: rows are taken item by item, keys chunk by chunk. */
static size_t workspace_for(tsr_context *context, int64_t len_q, int64_t len_kv, int64_t batch) {
  tsr_attention_desc d = TSR_ATTENTION_DESC;
  tsr_attention_set_sizes(&d, batch, 8, 2, len_q, len_kv, 128, 128);
  assert_int_equal(tsr_attention_plan_create(context, &d, &plan), TSR_OK);
  size_t bytes = tsr_attention_plan_workspace(plan);
  tsr_attention_plan_destroy(plan);
  return bytes;
}

static void scratch_is_bounded(void **state) {
  (void)state;
  enum { MEBIBYTE = 1 << 20 };
  for (int i = 0; i < ncontexts * 4; i++) {
    tsr_context *context = contexts[i / 4];
    size_t threads = (size_t)(1 + i % 4);
    tsr_set_num_threads(context, (int)threads);
    /* Beside a thread's own, the states of chunks that wait: at most 1 % of the keys and values. */
    size_t few = workspace_for(context, 1, 1 << 20, 1), kv = (size_t)(1 << 20) * 2 * 256 * 4;
    size_t prefill = workspace_for(context, 1 << 17, 1 << 17, 1), batches = workspace_for(context, 64, 4096, 4096);
    if (few > threads * 2 * MEBIBYTE + kv / 100) fail_msg("decoding takes %zu bytes of %zu threads", few, threads);
    if (prefill > threads * 4 * MEBIBYTE) fail_msg("prefill takes %zu bytes of %zu threads", prefill, threads);
    if (batches > threads * 4 * MEBIBYTE) fail_msg("batches take %zu bytes of %zu threads", batches, threads);
    tsr_set_num_threads(context, 0);
  }
}

/* Right, or refused for want of memory with outputs as they were. */
static tsr_status last_status;
static int requests_left;
static tsr_status starved(const struct view *v, void *out, float *lse) {
  tsr_attention_desc d = view_desc(v);
  tsr_release();
  tsr_scratch_fail_after(requests_left);
  last_status = tsr_attention(v->context, &d, v->q, v->k, v->v, out, lse);
  tsr_scratch_fail_after(-1);
  if (last_status == TSR_OUT_OF_MEMORY) assert_true(strlen(tsr_last_error()) > 0);
  return last_status == TSR_OUT_OF_MEMORY ? TSR_UNSUPPORTED : last_status;
}

static void no_scratch_memory(void **state) {
  (void)state;
  int wanting = 0;
  for (int i = 0; i < 80; i++) {
    struct problem p;
    draw(&p, test_seed() * 2000 + (uint64_t)i * 10, 3e5);
    struct view v = view_whole(&p, contexts[i % ncontexts], 1 + i % 3);
    for (requests_left = 0; requests_left < 4; requests_left++) {
      check_view(&v, starved);
      wanting += last_status == TSR_OUT_OF_MEMORY;
    }
    check_view(&v, plain_call);
    problem_close(&p);
  }
  assert_true(wanting > 0);
}

static void no_threads(void **state) {
  (void)state;
  if (UNDER_TSAN) skip();
  for (int started = 0; started < 4; started++) {
    struct problem p;
    draw(&p, test_seed() * 3000 + (uint64_t)started * 10, 3e6);
    struct view v = view_whole(&p, contexts[0], 4);
    tsr_pool_fail_after(started);
    check_view(&v, plain_call);
    check_view(&v, planned_call);
    tsr_pool_fail_after(-1);
    check_view(&v, plain_call);
    problem_close(&p);
  }
}

/* Inputs may lie in memory that cannot be written. */
static void read_only_inputs(void **state) {
  (void)state;
  for (int i = 0; i < 60; i++) {
    struct problem p;
    draw(&p, test_seed() * 4000 + (uint64_t)i * 10, 1e6);
    for (int o = 0; o < p.operands; o++) {
      size_t page = (size_t)sysconf(_SC_PAGESIZE);
      mprotect(p.operand[o].pages + page, p.operand[o].pages_bytes - 2 * page, PROT_READ);
    }
    struct view v = view_whole(&p, contexts[i % ncontexts], 1 + i % 3);
    check_view(&v, plain_call);
    problem_close(&p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      gemm_unit_test(no_threads),       gemm_unit_test(runs_allocate_nothing), gemm_unit_test(scratch_is_bounded),
      gemm_unit_test(no_scratch_memory), gemm_unit_test(read_only_inputs),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
