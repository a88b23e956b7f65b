/* Caches and CPUs, from made-up machines and from this one. */
#include "src/core/topology.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/core/support.h"

static char root[] = "/tmp/tessera-topology-XXXXXX";

static int make_root(void **state) {
  (void)state;
  strcpy(root + strlen(root) - 6, "XXXXXX");
  return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state) {
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", root);
  return system(command);
}

static void put(const char *name, const char *text) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", root, name);
  for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
    *slash = 0;
    mkdir(path, 0777);
    *slash = '/';
  }
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  assert_int_equal(fclose(file), 0);
}

static void expect_quota(double quota) { assert_true(tsr_cgroup_quota(root) == quota); }

static void quota_of_one_group(void **state) {
  (void)state;
  expect_quota(0);
  put("proc/self/cgroup", "0::/app\n");
  expect_quota(0);
  put("sys/fs/cgroup/app/cpu.max", "max 100000\n");
  expect_quota(0);
  put("sys/fs/cgroup/app/cpu.max", "150000 100000\n");
  expect_quota(1.5);
  put("proc/self/cgroup", "0::/app/\n");
  expect_quota(1.5);
  const char *broken[] = {"", "nonsense\n", "-5 100000\n", "100000 0\n", "100000\n"};
  for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
    put("sys/fs/cgroup/app/cpu.max", broken[i]);
    expect_quota(0);
  }
}

static void the_least_quota_up_the_way_counts(void **state) {
  (void)state;
  put("proc/self/cgroup", "12:cpu,cpuacct:/old\n0::/a/b/c\n");
  put("sys/fs/cgroup/a/b/c/cpu.max", "400000 100000\n");
  expect_quota(4);
  put("sys/fs/cgroup/a/cpu.max", "250000 100000\n");
  expect_quota(2.5);
  put("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  expect_quota(2.5);
  put("sys/fs/cgroup/cpu.max", "100000 200000\n");
  expect_quota(0.5);
}

static void quota_in_a_container(void **state) {
  (void)state;
  put("proc/self/cgroup", "0::/system.slice/docker-0123.scope\n");
  put("sys/fs/cgroup/cpu.max", "300000 100000\n");
  expect_quota(3);
  put("proc/self/cgroup", "0::/\n");
  expect_quota(3);
}

static void quota_of_the_hybrid_mount(void **state) {
  (void)state;
  put("proc/self/cgroup", "3:cpu:/\n0::/app\n");
  put("sys/fs/cgroup/unified/app/cpu.max", "200000 100000\n");
  expect_quota(2);
  put("proc/self/cgroup", "3:cpu:/app\n");
  expect_quota(0);
}

static int cpus_with(const char *cpu_max, int in_mask) {
  struct tsr_cpu_mask mask = {{in_mask < 64 ? ((uint64_t)1 << in_mask) - 1 : ~(uint64_t)0}};
  struct tsr_topology t;
  put("proc/self/cgroup", "0::/\n");
  put("sys/fs/cgroup/cpu.max", cpu_max);
  tsr_topology_read(&t, &mask, root);
  assert_int_equal(t.cpus_in_mask, in_mask);
  return t.cpus;
}

static void quota_cuts_the_cpus(void **state) {
  (void)state;
  assert_int_equal(cpus_with("max 100000", 8), 8);
  assert_int_equal(cpus_with("150000 100000", 8), 2);
  assert_int_equal(cpus_with("200000 100000", 8), 2);
  assert_int_equal(cpus_with("10000 100000", 8), 1);
  assert_int_equal(cpus_with("1600000 100000", 8), 8);
  assert_int_equal(cpus_with("700001 100000", 8), 8);
  assert_int_equal(cpus_with("150000 100000", 1), 1);
  assert_int_equal(cpus_with("99999999999999 1000", 64), 64);
}

static void masks(void **state) {
  (void)state;
  struct tsr_cpu_mask mask = {{0}};
  assert_int_equal(tsr_cpu_mask_count(&mask), 0);
  assert_int_equal(tsr_cpu_mask_first(&mask), 0);
  mask.bits[2] = 0x30;
  mask.bits[127] = 1;
  assert_int_equal(tsr_cpu_mask_count(&mask), 3);
  assert_int_equal(tsr_cpu_mask_first(&mask), 132);
  assert_true(tsr_cpu_mask_has(&mask, 133));
  assert_false(tsr_cpu_mask_has(&mask, 131));
  assert_false(tsr_cpu_mask_has(&mask, -1));
  assert_false(tsr_cpu_mask_has(&mask, 64 * 128));
}

static void put_cache(int cpu, int index, const char *type, int level, const char *size, int ways, const char *shared) {
  const char *names[] = {"type", "level", "size", "ways_of_associativity", "coherency_line_size", "shared_cpu_list"};
  char depth[8], associativity[8], path[128];
  snprintf(depth, sizeof depth, "%d\n", level);
  snprintf(associativity, sizeof associativity, "%d\n", ways);
  const char *values[] = {type, depth, size, associativity, "64\n", shared};
  for (int i = 0; i < 6; i++) {
    snprintf(path, sizeof path, "sys/devices/system/cpu/cpu%d/cache/index%d/%s", cpu, index, names[i]);
    put(path, values[i]);
  }
}

static void expect_level(const struct tsr_level *level, size_t bytes, int ways, int sharing) {
  assert_int_equal(level->bytes, bytes);
  assert_int_equal(level->line, 64);
  assert_int_equal(level->ways, ways);
  assert_int_equal(level->cores_sharing, sharing);
}

/* 8 cores of two threads, CPU n and n + 8; the process may use CPUs 2 to 5 and 10 to 13: four cores. */
static void caches_from_sys(void **state) {
  (void)state;
  struct tsr_cpu_mask mask = {{0x3c3c}};
  struct tsr_topology t;
  put_cache(2, 0, "Data\n", 1, "48K\n", 12, "2,10\n");
  put_cache(2, 1, "Instruction\n", 1, "32K\n", 8, "2,10\n");
  put_cache(2, 2, "Unified\n", 2, "2048K\n", 16, "2,10\n");
  put_cache(2, 3, "Unified\n", 3, "32768K\n", 0, "0-3,8-11\n");
  put("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "2,10\n");
  tsr_topology_read(&t, &mask, root);
  assert_string_equal(t.source, "/sys");
  assert_int_equal(t.nlevels, 3);
  expect_level(&t.level[0], 48 << 10, 12, 1);
  expect_level(&t.level[1], 2048 << 10, 16, 1);
  expect_level(&t.level[2], 32768 << 10, 8, 2);
  assert_int_equal(t.cpus, 8);
}

static void a_machine_that_does_not_tell(void **state) {
  (void)state;
  struct tsr_cpu_mask mask = {{1}};
  struct tsr_topology t;
  tsr_topology_read(&t, &mask, root);
  assert_string_equal(t.source, "defaults");
  assert_int_equal(t.nlevels, 3);
  expect_level(&t.level[0], 32 << 10, 8, 1);
  assert_int_equal(t.cpus, 1);
  put_cache(0, 0, "Unified\n", 2, "512K\n", 8, "0\n");
  tsr_topology_read(&t, &mask, root);
  assert_string_equal(t.source, "defaults");
  put_cache(0, 1, "Data\n", 1, "\n", 8, "0\n");
  tsr_topology_read(&t, &mask, root);
  assert_string_equal(t.source, "defaults");
}

static void hwloc_agrees_with_sys(void **state) {
  (void)state;
  struct tsr_cpu_mask mask = {{0}};
  struct tsr_topology h = {0}, s = {0};
  assert_int_equal(sched_getaffinity(0, sizeof mask.bits, (cpu_set_t *)mask.bits), 0);
  if (!tsr_topology_hwloc(&h, &mask) || !tsr_topology_sysfs(&s, &mask, "")) skip();
  assert_int_equal(h.nlevels, s.nlevels);
  for (int i = 0; i < h.nlevels; i++) {
    assert_int_equal(h.level[i].bytes, s.level[i].bytes);
    assert_int_equal(h.level[i].line, s.level[i].line);
    assert_int_equal(h.level[i].ways, s.level[i].ways);
    assert_int_equal(h.level[i].cores_sharing, s.level[i].cores_sharing);
  }
}

static void pinned_in_child(void) {
  struct tsr_cpu_mask mask = {{0}};
  cpu_set_t one;
  sched_getaffinity(0, sizeof mask.bits, (cpu_set_t *)mask.bits);
  CPU_ZERO(&one);
  CPU_SET(tsr_cpu_mask_first(&mask), &one);
  child_check(sched_setaffinity(0, sizeof one, &one) == 0);
  child_check(tsr_cpus_available() == 1);
  child_check(tsr_topology_get()->cpus == 1);
  child_check(tsr_topology_get()->cpus_in_mask == 1);
}

static void the_affinity_mask_counts(void **state) {
  (void)state;
  assert_int_equal(in_child(pinned_in_child)->status, 0);
}

static void this_machine(void **state) {
  (void)state;
  const struct tsr_topology *t = tsr_topology_get();
  assert_ptr_equal(t, tsr_topology_get());
  assert_int_equal(t->cpus, tsr_cpus_available());
  assert_in_range(t->nlevels, 1, 4);
  for (int i = 0; i < t->nlevels; i++) {
    assert_true(t->level[i].bytes >= 4096 && t->level[i].line >= 16 && t->level[i].ways >= 1);
    assert_true(i == 0 || t->level[i].bytes >= t->level[i - 1].bytes);
  }
}

#define with_root(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void) {
  const struct CMUnitTest tests[] = {
      with_root(quota_of_one_group),   with_root(the_least_quota_up_the_way_counts),
      with_root(quota_in_a_container), with_root(quota_of_the_hybrid_mount),
      with_root(quota_cuts_the_cpus),  cmocka_unit_test(masks),
      with_root(caches_from_sys),      with_root(a_machine_that_does_not_tell),
      cmocka_unit_test(hwloc_agrees_with_sys), cmocka_unit_test(the_affinity_mask_counts),
      cmocka_unit_test(this_machine)};
  return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
