#include "bench/worker.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/onednn.h"
#include "bench/program.h"
#include "bench/team.h"

const struct bench_op *const bench_ops[BENCH_OPS] = {[BENCH_OP_GEMM] = &bench_op_gemm,
                                                    [BENCH_OP_ATTENTION] = &bench_op_attention,
                                                    [BENCH_OP_CONV] = &bench_op_conv,
                                                    [BENCH_OP_NET] = &bench_op_net,
                                                    [BENCH_OP_BLAS] = &bench_op_blas};

enum bench_format bench_worker_format(enum bench_format otherwise) {
  const char *wanted = getenv(BENCH_FORMAT);
  for (int i = 0; wanted && i < BENCH_FORMATS; i++)
    if (strcmp(wanted, bench_formats[i]) == 0) return (enum bench_format)i;
  return otherwise;
}

/* --- What a library calls itself ------------------------------------------------------------------------------- */

static void *find_any(void *library, const char *a, const char *b) {
  void *found = dlsym(library, a);
  return found ? found : dlsym(library, b);
}

static bool describe_openblas(void *library, char *text, size_t size) {
  char *(*config)(void) = (char *(*)(void))find_any(library, "openblas_get_config", "scipy_openblas_get_config");
  char *(*core)(void) = (char *(*)(void))find_any(library, "openblas_get_corename", "scipy_openblas_get_corename");
  char name[64] = "";
  if (!config || !core) return false;
  sscanf(config(), "%*s %63s", name);
  snprintf(text, size, "OpenBLAS %s, core %s", name, core());
  return true;
}

/* MKL's own struct MKLVersion. `processor` tells which kernels it takes: on some makers' CPUs not the widest. */
struct mkl_version {
  int major, minor, update;
  char *status, *build, *processor, *platform;
};

static bool describe_mkl(void *library, char *text, size_t size) {
  void (*get)(struct mkl_version *) = (void (*)(struct mkl_version *))dlsym(library, "MKL_Get_Version");
  struct mkl_version version = {0};
  if (!get) return false;
  get(&version);
  snprintf(text, size, "MKL %d.%d.%d, for %s", version.major, version.minor, version.update,
           version.processor ? version.processor : "?");
  return true;
}

static bool describe_blis(void *library, char *text, size_t size) {
  const char *(*version)(void) = (const char *(*)(void))dlsym(library, "bli_info_get_version_str");
  int (*query)(void) = (int (*)(void))dlsym(library, "bli_arch_query_id");
  const char *(*name)(int) = (const char *(*)(int))dlsym(library, "bli_arch_string");
  void (*init)(void) = (void (*)(void))dlsym(library, "bli_init");
  if (!version || !query || !name || !init) return false;
  init();
  snprintf(text, size, "BLIS %s, configuration %s", version(), name(query()));
  return true;
}

/* Its kernels for the CPU are one of the libraries it consists of. */
static bool describe_ggml(void *library, char *text, size_t size) {
  const char *(*version)(void) = (const char *(*)(void))dlsym(library, "ggml_version");
  int (*avx512)(void) = (int (*)(void))dlsym(library, "ggml_cpu_has_avx512");
  if (!version || !avx512) return false;
  snprintf(text, size, "ggml %s, CPU backend%s", version(), avx512() ? " with AVX-512" : "");
  return true;
}

static bool describe_tessera(void *library, char *text, size_t size) {
  const char *(*version)(void) = (const char *(*)(void))dlsym(library, "tsr_version");
  const char *(*isa)(void *) = (const char *(*)(void *))dlsym(library, "tsr_context_isa");
  if (!version || !isa) return false;
  snprintf(text, size, "Tessera %s, kernels %s", version(), isa(NULL));
  return true;
}

static void describe(void *library, const char *path, char *text, size_t size) {
  if (describe_tessera(library, text, size) || describe_openblas(library, text, size) ||
      describe_mkl(library, text, size) || describe_blis(library, text, size) || describe_ggml(library, text, size) ||
      bench_dnn_describe(library, text, size))
    return;
  snprintf(text, size, "%s", path);
}

/* --- One sample ------------------------------------------------------------------------------------------------- */

/* Threads of a library may spin for a while after a call; the gauges and the next library must not meet them. */
static void settle(int cores) {
  clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
  if (cores <= 1) return;
  if (bench_program_pid()) clock_getcpuclockid(bench_program_pid(), &clock);
  for (int tries = 0; tries < 300; tries++) {
    struct timespec before, after;
    clock_gettime(clock, &before);
    nanosleep(&(struct timespec){0, 400000}, NULL);
    clock_gettime(clock, &after);
    if ((after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec < 100000) return;
  }
}

/* Seconds that a thread has stood in a run queue because something else had its CPU. */
static double waited_of(const char *schedstat) {
  unsigned long long on_cpu, waiting;
  FILE *file = fopen(schedstat, "r");
  if (!file) return 0;
  if (fscanf(file, "%llu %llu", &on_cpu, &waiting) != 2) waiting = 0;
  fclose(file);
  return 1e-9 * (double)waiting;
}

/* The same of all threads there are now. */
static double waited(void) {
  double sum = 0;
  char folder[64];
  snprintf(folder, sizeof folder, "/proc/%d/task", (int)(bench_program_pid() ? bench_program_pid() : getpid()));
  DIR *tasks = opendir(folder);
  for (struct dirent *task; tasks && (task = readdir(tasks));) {
    char path[sizeof folder + 16 + sizeof task->d_name];
    snprintf(path, sizeof path, "%s/%s/schedstat", folder, task->d_name);
    if (task->d_name[0] != '.') sum += waited_of(path);
  }
  if (tasks) closedir(tasks);
  return sum;
}

struct calling {
  const struct bench_request *request;
  int64_t calls;
  double start[BENCH_MAX_THREADS], end[BENCH_MAX_THREADS], waited[BENCH_MAX_THREADS];
};

static void call(void *arg, int caller) {
  struct calling *c = arg;
  double before = waited_of("/proc/thread-self/schedstat");
  c->start[caller] = bench_now();
  bench_ops[c->request->op]->call(c->request, caller, c->calls);
  c->end[caller] = bench_now();
  c->waited[caller] = waited_of("/proc/thread-self/schedstat") - before;
}

/* Seconds from the first caller's start to the last one's end, and how long threads waited for a CPU meanwhile:
 * caller 0 and the library's threads are there before and after, the other callers speak for themselves. */
static double time_calls(const struct bench_request *request, int64_t calls, double *waiting) {
  const struct bench_op *op = bench_ops[request->op];
  struct calling c = {.request = request, .calls = calls};
  double before = waited();
  bench_team(request->callers, call, &c);
  double start = c.start[0], end = c.end[0];
  *waiting = waited() - before;
  double elapsed = op->elapsed ? op->elapsed() : 0;
  if (elapsed > 0) return elapsed;
  for (int i = 1; i < request->callers; i++) {
    if (c.start[i] < start) start = c.start[i];
    if (c.end[i] > end) end = c.end[i];
    *waiting += c.waited[i];
  }
  return end - start;
}

/* Calls that fill about request->seconds. */
static int64_t count_calls(const struct bench_request *request) {
  double unused;
  time_calls(request, 1, &unused);
  for (int64_t calls = 1;; calls *= 4) {
    double seconds = time_calls(request, calls, &unused);
    if (seconds * 5 >= request->seconds) {
      double fit = request->seconds * (double)calls / seconds;
      return fit < 1 ? 1 : (int64_t)(fit + 0.5);
    }
  }
}

static void measure(const struct bench_request *request, struct bench_reply *reply) {
  int64_t warm = request->calls / 4;
  reply->calls = request->calls ? request->calls : count_calls(request);
  settle(request->cores);
  reply->before = bench_gauge(request->cores);
  if (!request->cold) time_calls(request, warm > 0 ? warm : 1, &reply->waited);
  reply->seconds = time_calls(request, reply->calls, &reply->waited);
  settle(request->cores);
  reply->after = bench_gauge(request->cores);
}

static void serve(const struct bench_request *request, struct bench_reply *reply) {
  const struct bench_op *op = bench_ops[request->op];
  memset(reply, 0, sizeof *reply);
  reply->answer = op->has(request);
  if (reply->answer == BENCH_OK) reply->answer = op->prepare(request);
  if (reply->answer != BENCH_OK) return;
  measure(request, reply);
  if (request->check && !op->right(request)) reply->answer = BENCH_WRONG;
  if (request->check && request->op == BENCH_OP_BLAS) bench_blas_sum(&reply->sum, &reply->scale);
  op->release();
}

static bool whole(ssize_t got, size_t size) { return got == (ssize_t)size; }

/* Loads what is measured; `text` gets what it calls itself, or why it could not be loaded. */
static bool load(const char *path, char *text, size_t size) {
  if (bench_program_is(path)) return bench_program_start(path, text, size);
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library)
    describe(library, path, text, size);
  else
    snprintf(text, size, "%s", dlerror());
  for (int i = 0; library && i < BENCH_OPS; i++) bench_ops[i]->find(library);
  return library != NULL;
}

int bench_worker_main(int fd, const char *path) {
  struct bench_hello hello = {0};
  struct bench_request request;
  struct bench_reply reply;
  hello.loaded = load(path, hello.text, sizeof hello.text);
  if (!whole(write(fd, &hello, sizeof hello), sizeof hello) || !hello.loaded) return 1;
  while (whole(read(fd, &request, sizeof request), sizeof request)) {
    serve(&request, &reply);
    if (!whole(write(fd, &reply, sizeof reply), sizeof reply)) return 1;
  }
  return 0;
}
