/* The machine's caches and the CPUs this process may use. */
#ifndef TSR_TOPOLOGY_H
#define TSR_TOPOLOGY_H

#include "kernels/kernel.h"

struct tsr_topology {
  int nlevels;
  struct tsr_level level[4]; /* data caches of the first CPU in the mask, L1 first; sharing counts the mask's cores */
  int cpus;                  /* in the affinity mask, cut to the cgroup quota; at least 1 */
  int cpus_in_mask;          /* before the quota */
  double quota;              /* CPUs the cgroup grants; 0 = no limit */
  const char *source;        /* who told the caches: "/sys", "hwloc" or "defaults" */
};

/* Read once, at the first call (0.2 ms; a few milliseconds where only hwloc can tell). Falls back to 32 KiB / 1 MiB /
 * 16 MiB where the machine does not tell. */
const struct tsr_topology *tsr_topology_get(void);

/* topology->cpus alone: read once, from the affinity mask and a handful of cgroup files. */
int tsr_cpus_available(void);

/* The parts, for the above and for tests. `root` stands before every path that is read ("" = the machine itself). */
struct tsr_cpu_mask {
  uint64_t bits[128];
};
static inline bool tsr_cpu_mask_has(const struct tsr_cpu_mask *mask, int cpu) {
  return cpu >= 0 && cpu < 64 * 128 && (mask->bits[cpu / 64] >> (cpu % 64) & 1);
}
int tsr_cpu_mask_count(const struct tsr_cpu_mask *mask);
int tsr_cpu_mask_first(const struct tsr_cpu_mask *mask);

/* The CPUs that cgroup v2 grants, the least along the path to its root; 0 = no limit. */
double tsr_cgroup_quota(const char *root);

/* Fill level and nlevels; false when the source does not tell at least the first level. */
bool tsr_topology_hwloc(struct tsr_topology *topology, const struct tsr_cpu_mask *mask);
bool tsr_topology_sysfs(struct tsr_topology *topology, const struct tsr_cpu_mask *mask, const char *root);

void tsr_topology_read(struct tsr_topology *topology, const struct tsr_cpu_mask *mask, const char *root);

/* Puts what a source found into the topology, without levels that are missing; what it left open (0) is guessed. */
bool tsr_topology_levels(struct tsr_topology *topology, const struct tsr_level found[4]);

/* The first line of the file that the format names, without its end; false when there is none. */
__attribute__((format(printf, 3, 4))) bool tsr_read_line(char *line, size_t size, const char *format, ...);

#endif
