#include "bench/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- The list ---------------------------------------------------------------------------------------------------- */

static struct bench_peer *add(struct bench_peers *peers, const char *name, const char *path, const char *how) {
  if (peers->count == BENCH_MAX_PEERS) return NULL;
  struct bench_peer *p = &peers->peer[peers->count++];
  memset(p, 0, sizeof *p);
  snprintf(p->name, sizeof p->name, "%s", name);
  snprintf(p->path, sizeof p->path, "%s", path);
  snprintf(p->how, sizeof p->how, "%s", how);
  p->fd = -1;
  return p;
}

/* First file that matches a pattern below the virtual environment; the pattern's own name when there is none. */
static bool in_venv(char *path, size_t size, const char *venv, const char *pattern) {
  glob_t found;
  char full[512];
  snprintf(full, sizeof full, "%s/%s", venv, pattern);
  bool any = glob(full, 0, NULL, &found) == 0 && found.gl_pathc > 0;
  snprintf(path, size, "%s", any ? found.gl_pathv[0] : full);
  globfree(&found);
  return any;
}

/* A file in the build directory, which is one above the benchmark's own. */
static void in_build(char *path, size_t size, const char *file) {
  char self[400];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  self[length > 0 ? length : 0] = 0;
  for (int up = 0; up < 2; up++) {
    char *slash = strrchr(self, '/');
    if (slash) *slash = 0;
  }
  snprintf(path, size, "%s/%s", self, file);
}

static void add_tessera(struct bench_peers *peers, const char *library) {
  char path[512];
  in_build(path, sizeof path, "libtessera.so");
  peers->count = 0;
  add(peers, "tessera", library ? library : path, "build it, or name it with --library");
}

static void add_openblas(struct bench_peers *peers, const char *venv, bool all) {
  char path[512];
  bool wheel = in_venv(path, sizeof path, venv, "lib/python3*/site-packages/scipy_openblas32/lib/libscipy_openblas.so");
  const char *debian = "Debian: apt install libopenblas0; newer: pip install scipy-openblas32 in the one of --venv";
  struct bench_peer *p = add(peers, "openblas", wheel ? path : "libopenblas.so.0", debian);
  struct bench_peer *skx = add(peers, "openblas-skx", wheel ? path : "libopenblas.so.0", debian);
  if (p && skx) skx->setting = "OPENBLAS_CORETYPE=SKYLAKEX", skx->only_if_avx512_idle = true;
  if (wheel && all) add(peers, "openblas-deb", "libopenblas.so.0", "Debian: apt install libopenblas0");
}

void bench_peers_find(struct bench_peers *peers, const char *library, const char *venv, bool none, bool all) {
  char path[512];
  add_tessera(peers, library);
  if (none) return;
  add_openblas(peers, venv, all);
  add(peers, "blis", "libblis.so.4", "Debian: apt install libblis4");
  in_venv(path, sizeof path, venv, "lib/libmkl_rt.so.*");
  add(peers, "mkl", path, "pip install mkl in the environment of --venv");
}

void bench_peers_find_attention(struct bench_peers *peers, const char *library, const char *venv, bool none) {
  char path[512];
  add_tessera(peers, library);
  if (none) return;
  in_venv(path, sizeof path, venv, "bin/python3");
  add(peers, "pytorch", path, "pip install torch==2.13.0 in the environment of --venv");
  in_build(path, sizeof path, "ggml/cmake/bin/libggml-cpu.so");
  add(peers, "ggml", path, "./dev build ggml");
}

/* Where oneDNN is: the newest first. Its releases with SYCL need more libraries, which lie beside it. */
static void find_onednn(char *path, size_t size, const char *venv) {
  if (!in_venv(path, size, venv, "lib/libdnnl.so.3") && access("/usr/lib/libdnnl.so.3", R_OK) == 0)
    snprintf(path, size, "libdnnl.so.3");
}

static void add_format(struct bench_peers *peers, const char *name, const char *path, enum bench_format format,
                       const char *how) {
  struct bench_peer *p = add(peers, name, path, how);
  if (p) p->format = bench_formats[format];
}

void bench_peers_find_conv(struct bench_peers *peers, const char *library, const char *venv, bool none,
                           unsigned formats) {
  static const char how[] = "pip install onednn-cpu-gomp in the environment of --venv";
  char path[512];
  add_tessera(peers, library);
  snprintf(path, sizeof path, "%s", peers->peer[0].path);
  peers->count = 0;
  if (formats & 1u << BENCH_NHWC) add_format(peers, "tessera", path, BENCH_NHWC, "build it, or name it with --library");
  if (formats & 1u << BENCH_NCHW) add_format(peers, "tessera-nchw", path, BENCH_NCHW, "the same");
  if (none) return;
  find_onednn(path, sizeof path, venv);
  add_format(peers, "onednn", path, BENCH_ANY, how);
  if (formats & 1u << BENCH_NHWC) add_format(peers, "onednn-nhwc", path, BENCH_NHWC, how);
  if (formats & 1u << BENCH_NCHW) add_format(peers, "onednn-nchw", path, BENCH_NCHW, how);
  in_venv(path, sizeof path, venv, "bin/python3");
  for (int i = BENCH_NHWC; i <= BENCH_NCHW; i++)
    if (formats & 1u << i)
      add_format(peers, i == BENCH_NHWC ? "torch-nhwc" : "torch-nchw", path, (enum bench_format)i,
                 "pip install torch==2.13.0 in the environment of --venv");
  for (int i = 0; i < peers->count; i++) peers->peer[i].nets_only = strncmp(peers->peer[i].name, "torch", 5) == 0;
}

bool bench_peers_add(struct bench_peers *peers, const char *text) {
  const char *equals = strchr(text, '=');
  char name[32];
  if (!equals || equals == text || !equals[1] || (size_t)(equals - text) >= sizeof name) return false;
  snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
  return add(peers, name, equals + 1, "check the path given with --peer") != NULL;
}

/* --- Workers ------------------------------------------------------------------------------------------------------ */

/* What somebody set for one of the libraries (a core type, a cache size, a code path) would tilt the comparison. */
static void clear_environment(void) {
  static const char *const prefixes[] = {"OPENBLAS_", "GOTO_", "MKL_", "BLIS_", "OMP_", "GOMP_", "KMP_", "DNNL_",
                                         "ONEDNN_"};
  for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
    for (char **entry = environ; *entry;) {
      char name[128];
      size_t length = strcspn(*entry, "=");
      bool drop = strncmp(*entry, prefixes[i], strlen(prefixes[i])) == 0 && length < sizeof name;
      snprintf(name, sizeof name, "%.*s", (int)length, *entry);
      if (!drop || unsetenv(name) != 0) entry++;
    }
}

/* Equal thread settings for all, in each library's own words. */
static void set_environment(const struct bench_peer *peer, int threads) {
  static const char *const names[] = {"TESSERA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                                      "BLIS_NUM_THREADS", "OMP_NUM_THREADS"};
  char number[16];
  clear_environment();
  snprintf(number, sizeof number, "%d", threads);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) setenv(names[i], number, 1);
  setenv("MKL_THREADING_LAYER", threads == 1 ? "SEQUENTIAL" : "GNU", 1);
  setenv("MKL_DYNAMIC", "FALSE", 1);
  setenv("OMP_DYNAMIC", "FALSE", 1);
  if (peer->setting) putenv((char *)peer->setting);
  if (peer->format) setenv(BENCH_FORMAT, peer->format, 1);
}

static void become_worker(const struct bench_peer *peer, int threads, int fd) {
  char fd_text[16];
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  fcntl(fd, F_SETFD, 0);
  set_environment(peer, threads);
  snprintf(fd_text, sizeof fd_text, "%d", fd);
  execl("/proc/self/exe", "tessera-bench", "--worker", fd_text, peer->path, (char *)NULL);
  _exit(127);
}

static void stop(struct bench_peer *peer) {
  if (!peer->pid) return;
  close(peer->fd);
  kill(peer->pid, SIGKILL);
  waitpid(peer->pid, NULL, 0);
  peer->pid = 0;
  peer->fd = -1;
}

/* Reads a whole message; false when the worker died or stays silent for `seconds`. */
static bool receive(struct bench_peer *peer, void *message, size_t size, int seconds) {
  struct pollfd p = {peer->fd, POLLIN, 0};
  int ready;
  do ready = poll(&p, 1, seconds * 1000);
  while (ready < 0 && errno == EINTR);
  return ready > 0 && recv(peer->fd, message, size, MSG_WAITALL) == (ssize_t)size;
}

static bool start(struct bench_peer *peer, int threads) {
  int pair[2];
  struct bench_hello hello;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return false;
  peer->pid = fork();
  if (peer->pid == 0) become_worker(peer, threads, pair[1]);
  close(pair[1]);
  peer->fd = pair[0];
  if (peer->pid < 0) peer->pid = 0;
  if (receive(peer, &hello, sizeof hello, 30)) {
    snprintf(peer->about, sizeof peer->about, "%s", hello.text);
    if (hello.loaded) return true;
  } else {
    snprintf(peer->about, sizeof peer->about, "its process ended while the library was loaded");
  }
  stop(peer);
  return false;
}

static bool has_avx512(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f");
#else
  return false;
#endif
}

/* Whether OpenBLAS picked a core without AVX-512 on a CPU that has it. */
static bool openblas_idles_avx512(const struct bench_peers *peers) {
  static const char *const wide[] = {"core SkylakeX", "core Cooperlake", "core SapphireRapids"};
  for (int i = 0; i < peers->count; i++) {
    if (strcmp(peers->peer[i].name, "openblas") != 0) continue;
    for (size_t w = 0; w < sizeof wide / sizeof wide[0]; w++)
      if (strcasestr(peers->peer[i].about, wide[w])) return false;
    return peers->peer[i].usable && has_avx512();
  }
  return false;
}

/* BLIS takes its plain C kernels on CPUs younger than itself; the comparison is with the best it has. */
static void help_blis(struct bench_peer *peer) {
  if (!peer->usable || peer->setting || !has_avx512() || !strstr(peer->about, "configuration generic")) return;
  peer->setting = "BLIS_ARCH_TYPE=skx";
  peer->usable = start(peer, 1) && strstr(peer->about, "configuration skx");
  stop(peer);
  if (!peer->usable) peer->setting = NULL;
  peer->usable = true;
}

static void drop(struct bench_peers *peers, int index) {
  peers->count--;
  for (int i = index; i < peers->count; i++) peers->peer[i] = peers->peer[i + 1];
}

void bench_peers_probe(struct bench_peers *peers) {
  for (int i = 0; i < peers->count; i++) {
    struct bench_peer *p = &peers->peer[i];
    if (p->only_if_avx512_idle && !openblas_idles_avx512(peers)) {
      drop(peers, i--);
      continue;
    }
    p->usable = start(p, 1);
    stop(p);
    if (strcmp(p->name, "blis") == 0) help_blis(p);
  }
}

void bench_peers_start(struct bench_peers *peers, int threads, bool nets) {
  for (int i = 0; i < peers->count; i++)
    if (peers->peer[i].usable && (nets || !peers->peer[i].nets_only)) start(&peers->peer[i], threads);
}

void bench_peers_pin(const struct bench_peers *peers, int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  for (int i = 0; i < peers->count; i++)
    if (peers->peer[i].pid) sched_setaffinity(peers->peer[i].pid, sizeof set, &set);
}

void bench_peers_stop(struct bench_peers *peers) {
  for (int i = 0; i < peers->count; i++) stop(&peers->peer[i]);
}

#define PATIENCE 300 /* seconds: the longest sample takes a few on a slow machine */

bool bench_peer_ask(struct bench_peer *peer, const struct bench_request *request, struct bench_reply *reply) {
  if (!peer->pid) return false;
  if (send(peer->fd, request, sizeof *request, MSG_NOSIGNAL) == (ssize_t)sizeof *request &&
      receive(peer, reply, sizeof *reply, PATIENCE))
    return true;
  stop(peer);
  return false;
}
