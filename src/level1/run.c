#include "src/level1/run.h"

#include <pthread.h>
#include <stdatomic.h>

#include "src/blas/xerbla.h"
#include "src/core/threads.h"
#include "src/core/topology.h"

/* More do not make memory faster. */
enum { TSR_LEVEL1_THREADS = 64 };

const struct tsr_kernels *tsr_level1_kernels;

/* Where the environment does not name kernels that run here a result is due all the same. */
static struct tsr_kernels weakest[TSR_F64 + 1];
static pthread_once_t weakest_once = PTHREAD_ONCE_INIT;

static void fill_weakest(void) {
  int n;
  const struct tsr_chip *chip = tsr_chips(&n)[n - 1];
  for (int i = 0; i < chip->nkernels; i++)
    if (chip->kernel[i].op == TSR_OP_LEVEL1_TABLE)
      chip->kernel[i].run(NULL, 0, 0, (tsr_mem)&weakest[chip->kernel[i].ta].level1);
  tsr_complain("level 1");
}

__attribute__((cold, noinline)) const struct tsr_kernels *tsr_level1_find(void) {
  tsr_context *context;
  const struct tsr_kernels *found = weakest;
  if (tsr_context_get(NULL, &context) == TSR_OK)
    found = context->kernels;
  else
    pthread_once(&weakest_once, fill_weakest);
  __atomic_store_n(&tsr_level1_kernels, found, __ATOMIC_RELEASE);
  return found;
}

/* Each thread has a share of its own, the same in every call, so that vectors stay in the caches of the cores that had
 * them; who is done with it takes pieces of the others'. */
struct share {
  _Alignas(64) _Atomic int64_t next;
  int64_t end;
};
struct split {
  tsr_level1_body *run;
  void *call;
  int64_t piece;
  int threads;
  struct share share[TSR_LEVEL1_THREADS];
};

static void take_pieces(void *arg, int index) {
  struct split *s = arg;
  for (int i = 0; i < s->threads; i++) {
    struct share *share = &s->share[(index + i) % s->threads];
    if (atomic_load_explicit(&share->next, memory_order_relaxed) >= share->end) continue;
    for (int64_t first; (first = atomic_fetch_add(&share->next, s->piece)) < share->end;)
      s->run(s->call, first, tsr_min(first + s->piece, share->end));
  }
}

/* What is not worth a second thread: half the cache before the last. Handing over takes as long as a part of that. */
static int64_t near_bytes(void) {
  const struct tsr_topology *topology = tsr_topology_get();
  return (int64_t)topology->level[topology->nlevels > 2 ? topology->nlevels - 2 : 0].bytes / 2;
}

bool tsr_level1_far(int64_t bytes) {
  const struct tsr_topology *topology = tsr_topology_get();
  return bytes > (int64_t)topology->level[topology->nlevels - 1].bytes;
}

void tsr_level1_split(int64_t blocks, int64_t bytes, tsr_level1_body *run, void *call) {
  tsr_context *context;
  struct tsr_team team;
  int threads = 1;
  if (blocks > 1 && bytes > near_bytes() && tsr_context_get(NULL, &context) == TSR_OK)
    threads = (int)tsr_min(tsr_min(tsr_threads_available(context), TSR_LEVEL1_THREADS), blocks);
  if (threads == 1) return run(call, 0, blocks);
  tsr_team_reserve(context, threads, &team);
  struct split s = {.run = run, .call = call, .threads = team.n};
  s.piece = tsr_ceil_div(blocks, 2 * (int64_t)team.n);
  for (int i = 0; i < team.n; i++) {
    atomic_init(&s.share[i].next, blocks * i / team.n);
    s.share[i].end = blocks * (i + 1) / team.n;
  }
  tsr_team_run(&team, take_pieces, &s);
}
