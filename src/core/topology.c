#include "src/core/topology.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct tsr_topology defaults = {
    .nlevels = 3, .level = {{32 << 10, 64, 8, 1}, {1 << 20, 64, 16, 1}, {16 << 20, 64, 16, 1}}, .source = "defaults"};

int tsr_cpu_mask_count(const struct tsr_cpu_mask *mask) {
  int n = 0;
  for (int i = 0; i < 128; i++) n += __builtin_popcountll(mask->bits[i]);
  return n;
}

int tsr_cpu_mask_first(const struct tsr_cpu_mask *mask) {
  int i = 0;
  while (i < 127 && !mask->bits[i]) i++;
  return mask->bits[i] ? i * 64 + __builtin_ctzll(mask->bits[i]) : 0;
}

static void own_mask(struct tsr_cpu_mask *mask) {
  memset(mask, 0, sizeof *mask);
  if (sched_getaffinity(0, sizeof mask->bits, (cpu_set_t *)mask->bits) != 0) mask->bits[0] = 1;
}

bool tsr_read_line(char *line, size_t size, const char *format, ...) {
  char path[512];
  va_list args;
  va_start(args, format);
  int length = vsnprintf(path, sizeof path, format, args);
  va_end(args);
  if (length < 0 || (size_t)length >= sizeof path) return false;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  ssize_t got = read(file, line, size - 1);
  close(file);
  if (got <= 0) return false;
  line[got] = 0;
  line[strcspn(line, "\n")] = 0;
  return true;
}

bool tsr_topology_levels(struct tsr_topology *t, const struct tsr_level found[4]) {
  if (!found[0].bytes) return false;
  t->nlevels = 0;
  for (int i = 0; i < 4; i++) {
    if (!found[i].bytes) continue;
    struct tsr_level *level = &t->level[t->nlevels++];
    *level = found[i];
    if (!level->line) level->line = 64;
    if (level->ways < 1) level->ways = 8;
    if (level->cores_sharing < 1) level->cores_sharing = 1;
  }
  return true;
}

/* A quota of 1.5 CPUs is 2: a cgroup is throttled by the CPU time of all its threads together, so the second thread
 * makes steady work 1.5 times as fast, and a burst within the period's allowance twice. Rounded down, what was granted
 * could never be used. */
static int cut_to_quota(int cpus, double quota) {
  int whole = quota < cpus ? (int)quota + (quota > (int)quota) : cpus;
  return quota > 0 && whole < cpus ? (whole < 1 ? 1 : whole) : cpus;
}

static void read_cpus(struct tsr_topology *t, const struct tsr_cpu_mask *mask, const char *root) {
  t->cpus_in_mask = tsr_cpu_mask_count(mask);
  if (t->cpus_in_mask < 1) t->cpus_in_mask = 1;
  t->quota = tsr_cgroup_quota(root);
  t->cpus = cut_to_quota(t->cpus_in_mask, t->quota);
}

void tsr_topology_read(struct tsr_topology *t, const struct tsr_cpu_mask *mask, const char *root) {
  *t = defaults;
  /* hwloc knows more machines, but loads all its plugins first: 4 ms where 0.2 would do. */
  if (tsr_topology_sysfs(t, mask, root))
    t->source = "/sys";
  else if (!*root && tsr_topology_hwloc(t, mask))
    t->source = "hwloc";
  read_cpus(t, mask, root);
}

static struct tsr_topology machine, cpus_only;
static pthread_once_t machine_once = PTHREAD_ONCE_INIT, cpus_once = PTHREAD_ONCE_INIT;

static void read_machine(void) {
  struct tsr_cpu_mask mask;
  own_mask(&mask);
  tsr_topology_read(&machine, &mask, "");
}

static void read_own_cpus(void) {
  struct tsr_cpu_mask mask;
  own_mask(&mask);
  read_cpus(&cpus_only, &mask, "");
}

const struct tsr_topology *tsr_topology_get(void) {
  pthread_once(&machine_once, read_machine);
  return &machine;
}

int tsr_cpus_available(void) {
  pthread_once(&cpus_once, read_own_cpus);
  return cpus_only.cpus;
}
