/* The pool: workers that spin shortly and sleep long, lent to callers by a bitmap of the idle ones, so that callers
 * at the same time neither wait for one another nor hold a lock while they compute. */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "src/core/cpu.h"
#include "src/core/env.h"
#include "src/core/memory.h"
#include "src/core/threads.h"
#include "src/core/topology.h"

enum {
  WORDS = TSR_MAX_THREADS / 64,
  SPIN_NS = 50000,
  SPIN_ROUNDS = 64, /* between looks at the clock */
  FAN_OUT = 4,      /* of the tree that wakes a team: one futex call costs about a microsecond */
  STACK_BYTES = 1 << 20,
  CLOSE_NS = 100000000,
};

enum state { IDLE, SLEEPING, ASSIGNED, STOP };

#define CALLER_SLEEPS 0x80000000u

struct member {
  uint16_t worker;
  bool asleep; /* when it was assigned: its parent in the tree wakes it */
};

/* One run of a team; lives on the caller's stack. */
struct job {
  tsr_parallel_body body;
  void *arg;
  struct tsr_fp fp;       /* the caller's */
  _Atomic uint32_t flags; /* floating-point flags that members raised */
  _Atomic uint32_t pending; /* workers still at it, and CALLER_SLEEPS */
  int n;
  _Atomic uint64_t cpus[WORDS]; /* on which members run */
  struct member member[TSR_MAX_THREADS];
};

struct worker {
  _Alignas(64) _Atomic uint32_t state;
  int index; /* in the team */
  struct job *job;
  pthread_t thread;
};

static struct {
  _Atomic uint64_t idle[WORDS];
  _Atomic int started, busy; /* workers that exist; threads in teams, callers included */
  _Atomic bool refused;      /* the system gave no more threads */
  _Atomic bool closed;
  _Atomic int cpus;
  pthread_mutex_t lock; /* for starting workers */
  struct worker worker[TSR_MAX_THREADS];
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

_Thread_local bool tsr_in_team;
static _Atomic int fail_after = -1;

void tsr_pool_fail_after(int n) { atomic_store(&fail_after, n); }
void tsr_pool_retry(void) { atomic_store_explicit(&pool.refused, false, memory_order_relaxed); }

/* Waiting. */

static void futex_wait(_Atomic uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word, int n) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct spin {
  int rounds;
  int64_t end;
};

/* Pauses once; false when the spinning should end: after `limit` ns, looked at every SPIN_ROUNDS. */
static bool spin(struct spin *s, int64_t limit) {
  tsr_cpu_relax();
  if (++s->rounds % SPIN_ROUNDS) return true;
  int64_t now = now_ns();
  if (s->rounds == SPIN_ROUNDS) s->end = now + limit;
  return now < s->end;
}

/* More threads at work than CPUs: spinning would take time from those who are waited for. */
static bool oversubscribed(int n) {
  return n > pool.cpus || atomic_load_explicit(&pool.busy, memory_order_relaxed) > pool.cpus;
}

/* Workers. */

static bool is_idle(int id) {
  return atomic_load_explicit(&pool.idle[id / 64], memory_order_relaxed) >> (id % 64) & 1;
}

/* Whether an idle worker's spinning would keep a CPU from someone. A reserved one may expect work at once. */
static bool should_sleep(int id) {
  int busy = atomic_load_explicit(&pool.busy, memory_order_relaxed);
  return id + 1 >= pool.cpus || busy > pool.cpus || (busy == pool.cpus && is_idle(id));
}

static enum state await_work(struct worker *w) {
  int id = (int)(w - pool.worker);
  uint32_t state;
  for (struct spin s = {0}; (state = atomic_load_explicit(&w->state, memory_order_acquire)) == IDLE;)
    if ((s.rounds % SPIN_ROUNDS == 0 && should_sleep(id)) || !spin(&s, SPIN_NS)) break;
  if (state == IDLE && atomic_compare_exchange_strong(&w->state, &state, SLEEPING)) state = SLEEPING;
  while (state == SLEEPING) {
    futex_wait(&w->state, SLEEPING);
    state = atomic_load_explicit(&w->state, memory_order_acquire);
  }
  return (enum state)state;
}

static void wake_children(const struct job *job, int index) {
  for (int c = index * FAN_OUT + 1; c <= index * FAN_OUT + FAN_OUT && c < job->n; c++)
    if (job->member[c].asleep) futex_wake(&pool.worker[job->member[c].worker].state, 1);
}

static bool claim_cpu(struct job *job, int cpu) {
  if (cpu < 0 || cpu >= WORDS * 64) return true;
  uint64_t bit = (uint64_t)1 << (cpu % 64);
  return !(atomic_fetch_or_explicit(&job->cpus[cpu / 64], bit, memory_order_relaxed) & bit);
}

/* When other programs keep the machine busy, the kernel wakes a worker on the CPU of its caller or of another member,
 * where it waits for them while they spin for it. The next mask without their CPUs moves it; then it may roam again. */
static void spread(struct job *job) {
  cpu_set_t mask, free;
  if (job->n > pool.cpus || claim_cpu(job, sched_getcpu())) return;
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return;
  free = mask;
  for (int cpu = 0; cpu < WORDS * 64; cpu++)
    if (atomic_load_explicit(&job->cpus[cpu / 64], memory_order_relaxed) >> (cpu % 64) & 1) CPU_CLR(cpu, &free);
  if (CPU_COUNT(&free) == 0 || sched_setaffinity(0, sizeof free, &free) != 0) return;
  sched_setaffinity(0, sizeof mask, &mask);
  claim_cpu(job, sched_getcpu());
}

/* Runs a member's body under the caller's floating-point control, on any thread. */
static void run_member(void *arg, int index) {
  struct job *job = arg;
  struct tsr_fp own = tsr_fp_get();
  bool outer = tsr_in_team;
  tsr_fp_set((struct tsr_fp){job->fp.control, 0});
  tsr_in_team = true;
  job->body(job->arg, index);
  tsr_in_team = outer;
  uint32_t raised = tsr_fp_get().flags;
  if (raised) atomic_fetch_or_explicit(&job->flags, raised, memory_order_relaxed);
  tsr_fp_set(own);
}

static void *worker_main(void *arg) {
  struct worker *w = arg;
  while (await_work(w) == ASSIGNED) {
    struct job *job = w->job;
    wake_children(job, w->index);
    spread(job);
    run_member(job, w->index);
    atomic_store_explicit(&w->state, IDLE, memory_order_relaxed);
    /* The job is the caller's stack: after the last worker's subtraction only its address may be used. */
    _Atomic uint32_t *pending = &job->pending;
    if (atomic_fetch_sub_explicit(pending, 1, memory_order_acq_rel) == (CALLER_SLEEPS | 1)) futex_wake(pending, 1);
  }
  tsr_scratch_release_thread();
  return NULL;
}

/* Life and death of the pool. */

static void reset_pool(void) {
  for (int i = 0; i < WORDS; i++) atomic_store(&pool.idle[i], 0);
  atomic_store(&pool.started, 0);
  atomic_store(&pool.busy, 0);
  atomic_store(&pool.refused, false);
  pool.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

/* A forked child has one thread, whatever the others were doing: its pool starts afresh. */
static void watch_forks(void) { pthread_atfork(NULL, NULL, reset_pool); }

static int create_thread(struct worker *w) {
  int left = atomic_load(&fail_after);
  if (left == 0) return EAGAIN;
  if (left > 0) atomic_store(&fail_after, left - 1);
  pthread_attr_t attr;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the program's threads' business */
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, STACK_BYTES);
  int error = pthread_create(&w->thread, &attr, worker_main, w);
  if (error == EINVAL) error = pthread_create(&w->thread, NULL, worker_main, w); /* much thread-local data */
  pthread_attr_destroy(&attr);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}

/* Starts workers until there are `total` or the team has got `need`; they go straight to the team. */
static int start_workers(int total, int need, uint64_t *team) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_forks);
  int got = 0, error = 0;
  pthread_mutex_lock(&pool.lock);
  while (got < need && !error && atomic_load(&pool.started) < total && !atomic_load(&pool.closed)) {
    int id = atomic_load(&pool.started);
    struct worker *w = &pool.worker[id];
    atomic_store(&w->state, IDLE);
    if ((error = create_thread(w))) break;
    team[id / 64] |= (uint64_t)1 << (id % 64);
    atomic_store(&pool.started, id + 1);
    got++;
  }
  if (error && !atomic_exchange(&pool.refused, true))
    tsr_warn("only %d of %d threads could be started (%s): going on with those; see ulimit -u and ulimit -v",
             atomic_load(&pool.started) + 1, total + 1, strerror(error));
  pthread_mutex_unlock(&pool.lock);
  return got;
}

/* Takes up to `need` idle workers, the lowest first: they are the ones most likely still spinning. */
static int take_idle(int need, uint64_t *team) {
  int got = 0;
  for (int i = 0; i < WORDS && got < need; i++) {
    uint64_t idle = atomic_load_explicit(&pool.idle[i], memory_order_relaxed), take;
    do {
      take = 0;
      int more = need - got;
      for (uint64_t rest = idle; rest && more > 0; rest &= rest - 1, more--) take |= rest & -rest;
    } while (take && !atomic_compare_exchange_weak_explicit(&pool.idle[i], &idle, idle & ~take, memory_order_acquire,
                                                             memory_order_relaxed));
    team[i] |= take;
    got += __builtin_popcountll(take);
  }
  return got;
}

static void stop_worker(int id) {
  struct worker *w = &pool.worker[id];
  atomic_store(&w->state, STOP);
  futex_wake(&w->state, 1);
  pthread_join(w->thread, NULL);
}

/* At exit and dlclose. A worker whose caller never comes back (exit from a signal handler) is left behind. */
__attribute__((destructor)) static void close_pool(void) {
  int64_t end = now_ns() + CLOSE_NS;
  atomic_store(&pool.closed, true);
  for (int left = atomic_load(&pool.started); left > 0 && now_ns() < end; tsr_cpu_relax()) {
    uint64_t idle[WORDS] = {0};
    left -= take_idle(left, idle);
    for (int i = 0; i < WORDS; i++)
      for (; idle[i]; idle[i] &= idle[i] - 1) stop_worker(i * 64 + __builtin_ctzll(idle[i]));
  }
}

/* Teams. */

static void begin_team(const tsr_context *context, struct tsr_team *team) {
  memset(team, 0, sizeof *team);
  team->context = context;
  team->n = 1;
}

static void count_team(struct tsr_team *team, int got) {
  team->n = 1 + got;
  team->counted = true;
  atomic_fetch_add_explicit(&pool.busy, got, memory_order_relaxed);
}

void tsr_team_reserve(const tsr_context *context, int want, struct tsr_team *team) {
  begin_team(context, team);
  int most = want > 1 ? tsr_threads_available(context) : 1;
  if (want > most) want = most;
  if (want <= 1) return;
  if (context && context->parallel) {
    team->n = want;
    return;
  }
  if (!pool.cpus) pool.cpus = tsr_cpus_available();
  int others = atomic_fetch_add_explicit(&pool.busy, 1, memory_order_relaxed), process = tsr_get_num_threads(NULL);
  int need = (most > process ? most : process) - 1 - others;
  if (need > want - 1) need = want - 1;
  int got = need > 0 ? take_idle(need, team->workers) : 0;
  bool more = got < need && atomic_load_explicit(&pool.started, memory_order_relaxed) < want - 1;
  if (more && !atomic_load_explicit(&pool.refused, memory_order_relaxed))
    got += start_workers(want - 1, need - got, team->workers);
  count_team(team, got);
}

void tsr_team_reserve_idle(struct tsr_team *team) {
  begin_team(NULL, team);
  if (tsr_in_team) return;
  atomic_fetch_add_explicit(&pool.busy, 1, memory_order_relaxed);
  count_team(team, take_idle(TSR_MAX_THREADS, team->workers));
}

static void give_back(struct tsr_team *team) {
  if (!team->counted) return;
  for (int i = 0; i < WORDS; i++)
    if (team->workers[i]) atomic_fetch_or_explicit(&pool.idle[i], team->workers[i], memory_order_release);
  atomic_fetch_sub_explicit(&pool.busy, team->n, memory_order_relaxed);
}

/* Children are assigned before their parents, so that a parent knows which of them it must wake. */
static void assign(struct job *job, const struct tsr_team *team) {
  int n = 1;
  for (int i = 0; i < WORDS; i++)
    for (uint64_t rest = team->workers[i]; rest; rest &= rest - 1)
      job->member[n++].worker = (uint16_t)(i * 64 + __builtin_ctzll(rest));
  for (int i = n - 1; i > 0; i--) {
    struct worker *w = &pool.worker[job->member[i].worker];
    w->job = job;
    w->index = i;
    job->member[i].asleep = atomic_exchange_explicit(&w->state, ASSIGNED, memory_order_acq_rel) == SLEEPING;
  }
}

static void join(struct job *job) {
  struct spin s = {0};
  while (atomic_load_explicit(&job->pending, memory_order_acquire))
    if (!spin(&s, oversubscribed(job->n) ? 0 : SPIN_NS)) break;
  if (!atomic_load_explicit(&job->pending, memory_order_acquire)) return;
  uint32_t left = atomic_fetch_or(&job->pending, CALLER_SLEEPS) | CALLER_SLEEPS;
  while (left != CALLER_SLEEPS) {
    futex_wait(&job->pending, left);
    left = atomic_load_explicit(&job->pending, memory_order_acquire);
  }
}

/* One thread: small calls come this way, and the floating-point state is already where it belongs. */
static void run_alone(struct tsr_team *team, tsr_parallel_body body, void *arg) {
  bool outer = tsr_in_team;
  tsr_in_team = true;
  body(arg, 0);
  tsr_in_team = outer;
  give_back(team);
}

void tsr_team_run(struct tsr_team *team, tsr_parallel_body body, void *arg) {
  struct job job;
  if (team->n == 1) {
    run_alone(team, body, arg);
    return;
  }
  job.body = body;
  job.arg = arg;
  job.fp = tsr_fp_get();
  job.n = team->n;
  atomic_init(&job.flags, 0);
  atomic_init(&job.pending, (uint32_t)team->n - 1);
  if (!team->counted) {
    team->context->parallel(team->context->parallel_user, team->n, 1, run_member, &job);
  } else {
    for (int i = 0; i < WORDS; i++) atomic_init(&job.cpus[i], 0);
    claim_cpu(&job, sched_getcpu());
    assign(&job, team);
    wake_children(&job, 0);
    run_member(&job, 0);
    join(&job);
    give_back(team);
  }
  job.fp.flags |= atomic_load_explicit(&job.flags, memory_order_relaxed);
  tsr_fp_set(job.fp);
}

/* Barriers. */

void tsr_barrier_init(struct tsr_barrier *barrier, int n) {
  barrier->n = n;
  atomic_init(&barrier->arrived, 0);
  atomic_init(&barrier->phase, 0);
  atomic_init(&barrier->sleepers, 0);
}

static void sleep_at(struct tsr_barrier *barrier, uint32_t phase) {
  atomic_fetch_add(&barrier->sleepers, 1);
  while (atomic_load(&barrier->phase) == phase) futex_wait(&barrier->phase, phase);
  atomic_fetch_sub(&barrier->sleepers, 1);
}

void tsr_barrier_wait(struct tsr_barrier *barrier) {
  uint32_t phase = atomic_load_explicit(&barrier->phase, memory_order_relaxed);
  if (atomic_fetch_add_explicit(&barrier->arrived, 1, memory_order_acq_rel) + 1 == (uint32_t)barrier->n) {
    atomic_store_explicit(&barrier->arrived, 0, memory_order_relaxed);
    atomic_store(&barrier->phase, phase + 1);
    if (atomic_load(&barrier->sleepers)) futex_wake(&barrier->phase, barrier->n);
    return;
  }
  for (struct spin s = {0}; atomic_load_explicit(&barrier->phase, memory_order_acquire) == phase;)
    if (!spin(&s, oversubscribed(barrier->n) ? 0 : SPIN_NS)) {
      sleep_at(barrier, phase);
      return;
    }
}
