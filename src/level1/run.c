#include "src/level1/run.h"

#include <pthread.h>
#include <stdatomic.h>

#include "src/blas/xerbla.h"
#include "src/core/threads.h"
#include "src/core/topology.h"

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

struct split {
  tsr_level1_body *run;
  void *call;
  int64_t blocks, piece;
  _Atomic int64_t next;
};

static void take_pieces(void *arg, int index) {
  struct split *s = arg;
  (void)index;
  for (int64_t first; (first = atomic_fetch_add(&s->next, s->piece)) < s->blocks;)
    s->run(s->call, first, tsr_min(first + s->piece, s->blocks));
}

/* Two caches of the size before the last: waking a thread takes as long as filling one. */
static int64_t near_bytes(void) {
  const struct tsr_topology *topology = tsr_topology_get();
  int level = topology->nlevels > 2 ? topology->nlevels - 2 : 0;
  return 2 * (int64_t)topology->level[level].bytes;
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
    threads = (int)tsr_min(tsr_threads_available(context), blocks);
  if (threads == 1) return run(call, 0, blocks);
  tsr_team_reserve(context, threads, &team);
  struct split s = {.run = run, .call = call, .blocks = blocks, .piece = tsr_ceil_div(blocks, 4 * (int64_t)team.n)};
  tsr_team_run(&team, take_pieces, &s);
}
