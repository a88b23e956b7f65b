/* Whose threads compute. ggml's CPU backend leaves its threads spinning between two operators, and threads of our own
 * would have to share the cores with them. Where they are OpenMP's, as in most builds, a parallel region of the same
 * runtime, opened by the same thread, runs on the very same threads. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"

/* The runtime that ggml's CPU backend is linked with; libgomp and LLVM's both have these. */
static struct {
  void (*parallel)(void (*body)(void *), void *arg, unsigned threads, unsigned flags);
  int (*number)(void), (*size)(void), (*inside)(void), (*dynamic)(void), (*limit)(void);
} openmp;
static bool found;

static bool find_functions(void *library) {
  struct {
    const char *name;
    void *to;
  } const functions[] = {{"GOMP_parallel", &openmp.parallel}, {"omp_get_thread_num", &openmp.number},
                         {"omp_get_num_threads", &openmp.size}, {"omp_in_parallel", &openmp.inside},
                         {"omp_get_dynamic", &openmp.dynamic}, {"omp_get_thread_limit", &openmp.limit}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    void *function = dlsym(library, functions[i].name);
    if (!function) return false;
    memcpy(functions[i].to, &function, sizeof function);
  }
  return true;
}

static bool has_feature(ggml_backend_reg_t cpu, ggml_backend_get_features_t features, const char *name) {
  const struct ggml_backend_feature *f = features(cpu);
  while (f && f->name && strcmp(f->name, name) != 0) f++;
  return f && f->name;
}

/* The runtime is among the libraries of the one that holds the CPU backend, be that the program itself. */
static void find(void) {
  ggml_backend_reg_t cpu = ggml_backend_reg_by_name ? ggml_backend_reg_by_name("CPU") : NULL;
  void *function = cpu ? ggml_backend_reg_get_proc_address(cpu, "ggml_backend_get_features") : NULL;
  ggml_backend_get_features_t features;
  Dl_info info;
  memcpy(&features, &function, sizeof features);
  if (!features || !has_feature(cpu, features, "OPENMP") || !dladdr(function, &info)) return;
  void *library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  found = find_functions(library ? library : RTLD_DEFAULT);
}

struct job {
  tsr_parallel_body body;
  void *arg;
  int n;
};

/* The bodies wait for one another, so that fewer threads than asked for would wait for ever. */
static void member(void *arg) {
  const struct job *job = arg;
  if (openmp.size() != job->n) {
    tsr_ggml_say("OpenMP runs %d threads where it promised %d", openmp.size(), job->n);
    abort();
  }
  job->body(job->arg, openmp.number());
}

static void run_on_openmp(void *user, int n, int concurrent, tsr_parallel_body body, void *arg) {
  struct job job = {body, arg, n};
  (void)user, (void)concurrent;
  openmp.parallel(member, &job, (unsigned)n, 0);
}

void tsr_ggml_share_threads(struct tsr_ggml *own) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, find);
  int threads = tsr_get_num_threads(own->context);
  /* OpenMP may give fewer threads than asked for in these cases only. */
  bool share = found && !openmp.inside() && !openmp.dynamic() && openmp.limit() >= threads;
  if (share == own->shares) return;
  own->shares = share;
  tsr_set_parallel_for(own->context, share ? run_on_openmp : NULL, NULL);
}
