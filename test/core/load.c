/* What loading the shared library costs, and that it can be unloaded. The library's path is the only argument. */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "include/tessera/tessera.h"
#include "test/core/support.h"

static const char *library_path;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static long status_kib(const char *name) {
  char line[256];
  long kib = -1;
  FILE *file = fopen("/proc/self/status", "r");
  while (file && kib < 0 && fgets(line, sizeof line, file))
    if (!strncmp(line, name, strlen(name))) kib = atol(line + strlen(name));
  if (file) fclose(file);
  return kib;
}

static int count_threads(void) {
  int n = 0;
  DIR *tasks = opendir("/proc/self/task");
  while (tasks && readdir(tasks)) n++;
  if (tasks) closedir(tasks);
  return n - 2;
}

static bool maps_mention(const char *name) {
  char line[512];
  bool found = false;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps && !found && fgets(line, sizeof line, maps)) found = strstr(line, name) != NULL;
  if (maps) fclose(maps);
  return found;
}

/* The fastest of several processes: other programs' work is not this library's cost. */
static void time_in_child(void) {
  double start = now();
  void *library = dlopen(library_path, RTLD_NOW | RTLD_LOCAL);
  fprintf(stderr, "%.9f\n", now() - start);
  child_check(library != NULL);
}

static void loads_in_no_time(void **state) {
  (void)state;
  if (UNDER_TSAN || UNDER_ASAN) skip();
  double best = 1;
  for (int i = 0; i < 10; i++) {
    const struct outcome *o = in_child(time_in_child);
    assert_int_equal(o->status, 0);
    if (atof(o->text) < best) best = atof(o->text);
  }
  print_message("dlopen takes %.0f us\n", best * 1e6);
  assert_true(best < 2e-3);
}

static void footprint_in_child(void) {
  long size = status_kib("VmSize:"), resident = status_kib("VmRSS:");
  void *library = dlopen(library_path, RTLD_NOW | RTLD_LOCAL);
  child_check(library != NULL && size > 0 && resident > 0);
  child_check(status_kib("VmSize:") - size < 12288); /* addresses for code and tables; what counts is the next line */
  child_check(status_kib("VmRSS:") - resident < 2048);
  child_check(count_threads() == 1);
  child_check(maps_mention("libtessera"));
  child_check(!maps_mention("libhwloc"));
}

static void takes_nothing_before_it_is_used(void **state) {
  (void)state;
  if (UNDER_TSAN || UNDER_ASAN) skip();
  assert_int_equal(in_child(footprint_in_child)->status, 0);
}

typedef tsr_status gemm(tsr_context *, const tsr_gemm_desc *, const void *, const void *, void *);
typedef tsr_status set_threads(tsr_context *, int);

static void find(void *library, const char *name, void *function) {
  void *symbol = dlsym(library, name);
  child_check(symbol != NULL);
  memcpy(function, &symbol, sizeof symbol);
}

enum { SIZE = 400 };
static float a[SIZE * SIZE], b[SIZE * SIZE], c[SIZE * SIZE];

static void multiply(void *library, int n) {
  gemm *multiply;
  set_threads *set;
  tsr_gemm_desc desc = TSR_GEMM_DESC;
  find(library, "tsr_gemm", &multiply);
  find(library, "tsr_set_num_threads", &set);
  child_check(set(NULL, 3) == TSR_OK);
  desc.m = desc.n = desc.k = desc.lda = desc.ldb = desc.ldc = n;
  child_check(multiply(NULL, &desc, a, b, c) == TSR_OK);
  child_check(c[0] == (float)n && c[n * n - 1] == (float)n);
}

static void *multiply_in_thread(void *library) {
  multiply(library, SIZE);
  return NULL;
}

static void small_in_child(void) {
  int before = count_threads();
  void *library = dlopen(library_path, RTLD_NOW | RTLD_LOCAL);
  child_check(library != NULL);
  multiply(library, 8);
  child_check(!maps_mention("libhwloc"));
  child_check(count_threads() == before);
}

static void a_small_call_starts_nothing(void **state) {
  (void)state;
  assert_int_equal(in_child(small_in_child)->status, 0);
}

static pthread_barrier_t used, closed;

static void *outlive(void *library) {
  multiply(library, SIZE);
  pthread_barrier_wait(&used);
  pthread_barrier_wait(&closed);
  return NULL;
}

static void unload_in_child(void) {
  for (int round = 0; round < 5; round++) {
    void *library = dlopen(library_path, RTLD_NOW | RTLD_LOCAL);
    pthread_t ended, outliving;
    child_check(library != NULL);
    pthread_barrier_init(&used, NULL, 2);
    pthread_barrier_init(&closed, NULL, 2);
    multiply(library, SIZE);
    pthread_create(&ended, NULL, multiply_in_thread, library);
    pthread_join(ended, NULL);
    pthread_create(&outliving, NULL, outlive, library);
    pthread_barrier_wait(&used);
    child_check(count_threads() > 2);
    child_check(dlclose(library) == 0);
    child_check(!maps_mention("libtessera"));
    child_check(count_threads() == 2);
    pthread_barrier_wait(&closed);
    pthread_join(outliving, NULL);
  }
}

static void can_be_unloaded(void **state) {
  (void)state;
  if (UNDER_TSAN || UNDER_ASAN) skip();
  assert_int_equal(in_child(unload_in_child)->status, 0);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s path/to/libtessera.so\n", argv[0]);
    return 2;
  }
  library_path = argv[1];
  for (int i = 0; i < SIZE * SIZE; i++) a[i] = b[i] = 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(loads_in_no_time), cmocka_unit_test(takes_nothing_before_it_is_used),
      cmocka_unit_test(a_small_call_starts_nothing), cmocka_unit_test(can_be_unloaded)};
  return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
