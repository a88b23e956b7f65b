#include "src/core/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

#include "src/core/threads.h"

/* Blocks from HUGE_FROM bytes live in huge pages: one fault of 32 us (clears 2 MiB) instead of 1.3 us a small page. */
enum { PAGE = 4096, HUGE = 2 << 20, HUGE_FROM = 512 << 10 };

struct block {
  char *base;
  size_t bytes;
};
static _Thread_local struct block arena[TSR_SCRATCH_COUNT];

/* A thread's arena goes with the thread: the key's only use is its destructor. */
static pthread_key_t exit_key;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static _Atomic bool have_key;
static _Atomic int fail_after = -1;

void tsr_scratch_fail_after(int n) { atomic_store(&fail_after, n); }

static bool must_fail(void) {
  int left = atomic_load_explicit(&fail_after, memory_order_relaxed);
  if (__builtin_expect(left < 0, 1)) return false;
  while (left > 0 && !atomic_compare_exchange_weak(&fail_after, &left, left - 1)) {
  }
  return left == 0;
}

static void unmap(struct block *block) {
  if (block->base) munmap(block->base, block->bytes);
  *block = (struct block){0};
}

void tsr_scratch_release_thread(void) {
  for (int i = 0; i < TSR_SCRATCH_COUNT; i++) unmap(&arena[i]);
}

static void thread_exits(void *unused) {
  (void)unused;
  tsr_scratch_release_thread();
}

static void make_key(void) { have_key = pthread_key_create(&exit_key, thread_exits) == 0; }

/* dlclose takes the destructor's code away. */
__attribute__((destructor)) static void drop_key(void) {
  if (have_key) pthread_key_delete(exit_key);
}

/* At most eight steps of a power of two: slightly growing sizes map seldom, and untouched pages cost nothing. */
static size_t round_size(size_t bytes) {
  size_t step = PAGE;
  while (bytes > 8 * step) step *= 2;
  return (bytes + step - 1) / step * step;
}

/* From a huge page's boundary on, or the first and last megabyte would get small pages. */
static bool map_huge(struct block *block, size_t bytes) {
  bytes = (bytes + HUGE - 1) / HUGE * HUGE;
  char *raw = mmap(NULL, bytes + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return false;
  size_t before = (HUGE - (uintptr_t)raw % HUGE) % HUGE;
  if (before) munmap(raw, before);
  munmap(raw + before + bytes, HUGE - before);
  *block = (struct block){raw + before, bytes};
  madvise(block->base, bytes, MADV_HUGEPAGE);
  return true;
}

static bool map_small(struct block *block, size_t bytes) {
  char *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return false;
  *block = (struct block){base, bytes};
  return true;
}

static void grow(struct block *block, size_t bytes) {
  unmap(block);
  if (bytes > TSR_SCRATCH_MOST) return;
  pthread_once(&exit_once, make_key);
  if (have_key) pthread_setspecific(exit_key, arena);
  size_t size = round_size(bytes);
  if (size >= HUGE_FROM ? map_huge(block, size) : map_small(block, size)) return;
  map_small(block, (bytes + PAGE - 1) / PAGE * PAGE); /* under a tight limit just what is asked for */
}

void *tsr_scratch_get(enum tsr_scratch slot, size_t bytes) {
  struct block *block = &arena[slot];
  if (__builtin_expect(must_fail(), 0)) return NULL;
  bytes += !bytes;
  if (__builtin_expect(bytes > block->bytes, 0)) grow(block, bytes);
  return block->bytes >= bytes ? block->base : NULL;
}

static void release_member(void *arg, int index) {
  (void)arg, (void)index;
  tsr_scratch_release_thread();
}

void tsr_release(void) {
  struct tsr_team team;
  tsr_team_reserve_idle(&team);
  tsr_team_run(&team, release_member, NULL);
}
