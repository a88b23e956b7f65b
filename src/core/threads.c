/* How many threads a call may use. team.c holds the threads themselves. */
#include "src/core/threads.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "src/core/env.h"
#include "src/core/topology.h"

static _Atomic int process_number; /* tsr_set_num_threads(NULL, n); 0 = the default */
static _Atomic int default_number; /* the environment's or the machine's; 0 = not asked yet */
static pthread_once_t default_once = PTHREAD_ONCE_INIT;

static int at_most(int n, int most) { return n < most ? n : most; }

static void ask_default(void) {
  int n = tsr_env_count("TESSERA_NUM_THREADS", false);
  if (!n) n = tsr_env_count("OMP_NUM_THREADS", true);
  if (!n) n = tsr_cpus_available();
  atomic_store_explicit(&default_number, at_most(n, TSR_MAX_THREADS), memory_order_relaxed);
}

int tsr_get_num_threads(const tsr_context *context) {
  int n = context ? __atomic_load_n(&context->threads, __ATOMIC_RELAXED) : 0;
  if (!n) n = atomic_load_explicit(&process_number, memory_order_relaxed);
  if (!n) n = atomic_load_explicit(&default_number, memory_order_relaxed);
  if (n) return n;
  pthread_once(&default_once, ask_default);
  return atomic_load_explicit(&default_number, memory_order_relaxed);
}

tsr_status tsr_set_num_threads(tsr_context *context, int n) {
  if (n < 0) return tsr_fail(TSR_INVALID_ARGUMENT, "n is %d: pass a number of threads, or 0 for the default", n);
  n = at_most(n, TSR_MAX_THREADS);
  if (context)
    __atomic_store_n(&context->threads, n, __ATOMIC_RELAXED);
  else
    atomic_store_explicit(&process_number, n, memory_order_relaxed);
  tsr_pool_retry();
  return TSR_OK;
}

tsr_status tsr_set_parallel_for(tsr_context *given, tsr_parallel_for parallel, void *user) {
  tsr_context *context;
  tsr_status status = tsr_context_get(given, &context);
  if (status != TSR_OK) return status;
  context->parallel = parallel;
  context->parallel_user = user;
  return TSR_OK;
}

/* In GCC's interface a region has no number of its own threads to go by: they take theirs as they come. */
typedef void gomp_parallel(void (*body)(void *), void *arg, unsigned threads, unsigned flags);
struct region {
  tsr_parallel_body body;
  void *arg;
  int n;
  atomic_int next;
};

static bool run_next(struct region *region) {
  int index = atomic_fetch_add_explicit(&region->next, 1, memory_order_relaxed);
  if (index < region->n) region->body(region->arg, index);
  return index < region->n;
}

static void region_member(void *region) { run_next(region); }

void tsr_openmp_parallel_for(void *user, int n, int concurrent, tsr_parallel_body body, void *arg) {
  (void)concurrent;
  gomp_parallel *parallel;
  memcpy(&parallel, &user, sizeof parallel);
  struct region region = {.body = body, .arg = arg, .n = n};
  parallel(region_member, &region, (unsigned)n, 0);
  while (run_next(&region)) {} /* for threads that did not come */
}

/* The OpenMP runtimes of this process: a program may have several (its own, and those that wheels bring along). They
 * stay loaded once found, since they are asked at every call. */
typedef int ask_openmp(void);
enum { RUNTIMES = 4 };
static ask_openmp *_Atomic runtime[RUNTIMES];
static _Thread_local bool sought_openmp;

static void add_runtime(void *library) {
  void *symbol = dlsym(library, "omp_in_parallel");
  if (!symbol) dlerror(); /* takes the message back */
  if (!symbol) return;
  ask_openmp *found;
  memcpy(&found, &symbol, sizeof found);
  for (int i = 0; i < RUNTIMES; i++) {
    ask_openmp *known = NULL;
    if (atomic_compare_exchange_strong(&runtime[i], &known, found) || known == found) return;
  }
}

/* Libraries that Python loads are in no global scope, so they are looked for by name. */
struct names {
  int n;
  char path[RUNTIMES][512];
};

static int note_openmp(struct dl_phdr_info *info, size_t size, void *arg) {
  (void)size;
  struct names *names = arg;
  const char *slash = strrchr(info->dlpi_name, '/'), *base = slash ? slash + 1 : info->dlpi_name;
  bool openmp = !strncmp(base, "libgomp", 7) || !strncmp(base, "libomp", 6) || !strncmp(base, "libiomp", 7);
  if (openmp && names->n < RUNTIMES && strlen(info->dlpi_name) < sizeof names->path[0])
    strcpy(names->path[names->n++], info->dlpi_name);
  return 0;
}

/* Once a thread: a runtime that was loaded late is found by the threads it starts. */
static void seek_openmp(void) {
  struct names names = {0};
  sought_openmp = true;
  add_runtime(RTLD_DEFAULT);
  dl_iterate_phdr(note_openmp, &names);
  for (int i = 0; i < names.n; i++) {
    void *library = dlopen(names.path[i], RTLD_LAZY | RTLD_NOLOAD);
    if (library) add_runtime(library);
  }
}

static bool in_openmp_region(void) {
  if (!sought_openmp) seek_openmp();
  for (int i = 0; i < RUNTIMES; i++) {
    ask_openmp *ask = atomic_load_explicit(&runtime[i], memory_order_relaxed);
    if (!ask) return false;
    if (ask()) return true;
  }
  return false;
}

int tsr_threads_available(const tsr_context *context) {
  if (tsr_in_team) return 1;
  int n = tsr_get_num_threads(context);
  return n > 1 && in_openmp_region() ? 1 : n;
}
