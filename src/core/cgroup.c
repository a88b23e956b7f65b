/* The CPU quota of cgroup v2: cpu.max in this process's group and in each group above it. */
#include <stdio.h>
#include <string.h>

#include "src/core/topology.h"

/* "max 100000" or "150000 100000": microseconds of CPU time in a period. 0 = no limit. */
static double parse_cpu_max(const char *line) {
  long long quota, period;
  if (sscanf(line, "%lld %lld", &quota, &period) != 2 || quota <= 0 || period <= 0) return 0;
  return (double)quota / (double)period;
}

static double quota_of(const char *root, const char *mount, const char *group) {
  char line[64];
  return tsr_read_line(line, sizeof line, "%s%s%s/cpu.max", root, mount, group) ? parse_cpu_max(line) : 0;
}

static double least(double a, double b) { return a > 0 && (b <= 0 || a < b) ? a : b; }

/* In a container the path may be the host's, of which only the end of the way up is visible: groups that are not there
 * do not limit. */
static double least_up(const char *root, const char *mount, char *group) {
  double quota = 0;
  for (;;) {
    char *slash = strrchr(group, '/');
    if (slash && !slash[1]) *slash = 0;
    quota = least(quota_of(root, mount, group), quota);
    if (!(slash = strrchr(group, '/'))) return quota;
    *slash = 0;
  }
}

static bool find_group(const char *root, char *group, size_t size) {
  char path[512], line[512];
  if ((size_t)snprintf(path, sizeof path, "%s/proc/self/cgroup", root) >= sizeof path) return false;
  FILE *file = fopen(path, "re");
  if (!file) return false;
  bool found = false;
  while (!found && fgets(line, sizeof line, file)) found = strncmp(line, "0::/", 4) == 0;
  fclose(file);
  line[strcspn(line, "\n")] = 0;
  return found && (size_t)snprintf(group, size, "%s", line + 3) < size;
}

double tsr_cgroup_quota(const char *root) {
  char group[512], copy[512];
  if (!find_group(root, group, sizeof group)) return 0;
  memcpy(copy, group, sizeof copy);
  return least(least_up(root, "/sys/fs/cgroup", group), least_up(root, "/sys/fs/cgroup/unified", copy));
}
