/* The machine's caches and the CPUs this process may use. */
#ifndef TSR_TOPOLOGY_H
#define TSR_TOPOLOGY_H

#include "kernels/kernel.h"

struct tsr_topology {
  int nlevels;
  struct tsr_level level[4]; /* data caches, L1 first */
  int cpus;                  /* online in the affinity mask, cut to the cgroup quota; at least 1 */
  int cpus_in_mask;          /* before the quota */
  double quota;              /* CPUs the cgroup grants; 0 = no limit */
};

/* Read once, at the first call. Falls back to 32 KiB / 1 MiB / 16 MiB where the machine does not tell. */
const struct tsr_topology *tsr_topology_get(void);

/* topology->cpus alone, which costs two or three system calls and no files of the caches. */
int tsr_cpus_available(void);

#endif
