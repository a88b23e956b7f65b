#include "src/core/trace.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/core/env.h"

int tsr_trace_state = -1;
static int output = STDERR_FILENO;
static pthread_once_t asked = PTHREAD_ONCE_INIT;

static int open_file(const char *path) {
  output = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (output < 0) tsr_warn("TESSERA_TRACE: cannot write to \"%.128s\" (%m): tracing is off", path);
  return output >= 0;
}

static int parse(const char *value) {
  if (!value || !*value || !strcmp(value, "0")) return 0;
  if (!strcmp(value, "1")) return 1;
  if (strchr(value, '/')) return open_file(value);
  tsr_warn("TESSERA_TRACE is \"%.64s\", which is ignored: set it to 1 (lines on standard error), 0 (off) or a file's "
           "path with a slash in it, such as ./trace.log", value);
  return 0;
}

static void ask(void) { __atomic_store_n(&tsr_trace_state, parse(getenv("TESSERA_TRACE")), __ATOMIC_RELEASE); }

int tsr_trace_ask(void) {
  pthread_once(&asked, ask);
  return __atomic_load_n(&tsr_trace_state, __ATOMIC_ACQUIRE);
}

double tsr_trace_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int format(const struct tsr_trace_call *call, const tsr_context *context, char *line, size_t size) {
  double speed = call->seconds > 0 ? call->flops / call->seconds : 0;
  double peak = call->threads * tsr_peak_flops(&context->kernels[call->type], call->type);
  bool tuned = call->shape[0];
  return snprintf(line, size, "tessera: %s %s %s %s threads=%d %.1f us %.1f GFLOP/s %.1f %%%s%s%s\n", call->routine,
                  call->sizes, context->isa, call->kernel ? call->kernel : "-", call->threads,
                  call->seconds * 1e6, speed * 1e-9, peak > 0 ? 100 * speed / peak : 0.0, tuned ? " {" : "",
                  call->shape, tuned ? "}" : "");
}

void tsr_trace_print(const struct tsr_trace_call *call) {
  tsr_context *context;
  char line[896];
  if (tsr_context_get((tsr_context *)call->context, &context) != TSR_OK) return;
  int length = format(call, context, line, sizeof line);
  if (length < 0) return;
  if (length >= (int)sizeof line) {
    length = sizeof line - 1;
    line[length - 1] = '\n';
  }
  ssize_t ignored = write(output, line, (size_t)length);
  (void)ignored;
}
