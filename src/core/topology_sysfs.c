/* The caches as Linux tells them in /sys/devices/system/cpu/cpu<N>/cache/index<I>. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/topology.h"

#define CPU_DIR "%s/sys/devices/system/cpu/cpu%d"

/* How many CPUs of a list such as "0-3,8" are in the mask. */
static int count_list(const char *list, const struct tsr_cpu_mask *mask) {
  int n = 0;
  while (isdigit((unsigned char)*list)) {
    char *end;
    long first = strtol(list, &end, 10), last = first;
    if (*end == '-') last = strtol(end + 1, &end, 10);
    for (long cpu = first; cpu <= last && cpu < 64 * 128; cpu++) n += tsr_cpu_mask_has(mask, (int)cpu);
    list = *end == ',' ? end + 1 : end;
  }
  return n;
}

/* "48K", "32768K", "1M". */
static size_t parse_size(const char *text) {
  char *end;
  size_t size = strtoul(text, &end, 10);
  return *end == 'K' ? size << 10 : *end == 'M' ? size << 20 : size;
}

static int read_number(const char *root, int cpu, int index, const char *name) {
  char line[32];
  return tsr_read_line(line, sizeof line, CPU_DIR "/cache/index%d/%s", root, cpu, index, name) ? atoi(line) : 0;
}

static int count_file(const char *root, int cpu, const char *name, const struct tsr_cpu_mask *mask) {
  char list[1024];
  int n = tsr_read_line(list, sizeof list, CPU_DIR "/%s", root, cpu, name) ? count_list(list, mask) : 0;
  return n > 0 ? n : 1;
}

static bool read_cache(const char *root, int cpu, int index, const struct tsr_cpu_mask *mask, struct tsr_level *level) {
  char line[32], shared[64] = "cache/index0/shared_cpu_list";
  shared[strlen("cache/index")] = (char)('0' + index);
  if (!tsr_read_line(line, sizeof line, CPU_DIR "/cache/index%d/size", root, cpu, index)) return false;
  level->bytes = parse_size(line);
  level->line = (size_t)read_number(root, cpu, index, "coherency_line_size");
  level->ways = read_number(root, cpu, index, "ways_of_associativity");
  int threads = count_file(root, cpu, "topology/thread_siblings_list", mask);
  level->cores_sharing = count_file(root, cpu, shared, mask) / threads;
  return level->bytes > 0;
}

bool tsr_topology_sysfs(struct tsr_topology *t, const struct tsr_cpu_mask *mask, const char *root) {
  struct tsr_level found[4] = {{0}};
  int cpu = tsr_cpu_mask_first(mask);
  char type[32];
  for (int i = 0; i < 10 && tsr_read_line(type, sizeof type, CPU_DIR "/cache/index%d/type", root, cpu, i); i++) {
    int depth = read_number(root, cpu, i, "level");
    if (depth >= 1 && depth <= 4 && strcmp(type, "Instruction") != 0) read_cache(root, cpu, i, mask, &found[depth - 1]);
  }
  return tsr_topology_levels(t, found);
}
