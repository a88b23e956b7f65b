#include "bench/team.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

struct team {
  pthread_barrier_t start;
  void (*body)(void *, int);
  void *arg;
  bool pin;
};

struct member {
  struct team *team;
  int index;
  pthread_t thread;
};

int bench_cpus(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

int bench_cpu(int i) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET(cpu, &set) && i-- == 0) return cpu;
  return 0;
}

void bench_pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

static void *member_main(void *p) {
  struct member *m = p;
  if (m->team->pin) bench_pin(bench_cpu(m->index));
  pthread_barrier_wait(&m->team->start);
  m->team->body(m->team->arg, m->index);
  return NULL;
}

void bench_team(int n, void (*body)(void *, int), void *arg) {
  struct team team = {.body = body, .arg = arg, .pin = n == bench_cpus()};
  struct member members[BENCH_MAX_THREADS];
  cpu_set_t before;
  if (n <= 1) {
    body(arg, 0);
    return;
  }
  if (n > BENCH_MAX_THREADS) n = BENCH_MAX_THREADS;
  sched_getaffinity(0, sizeof before, &before);
  pthread_barrier_init(&team.start, NULL, (unsigned)n);
  for (int i = 0; i < n; i++) members[i] = (struct member){.team = &team, .index = i};
  for (int i = 1; i < n; i++)
    if (pthread_create(&members[i].thread, NULL, member_main, &members[i]) != 0) abort();
  member_main(&members[0]);
  for (int i = 1; i < n; i++) pthread_join(members[i].thread, NULL);
  sched_setaffinity(0, sizeof before, &before);
  pthread_barrier_destroy(&team.start);
}
