#include "bench/program.h"
#include "bench/worker.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static pid_t child;
static FILE *to, *from;

bool bench_program_is(const char *path) {
  const char *slash = strrchr(path, '/');
  return strncmp(slash ? slash + 1 : path, "python", 6) == 0;
}

static void become(const char *python, int in, int out) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  execl(python, python, getenv(BENCH_FORMAT) ? BENCH_NETS_PY : BENCH_SDPA, (char *)NULL);
  _exit(127);
}

static bool read_line(char *line, size_t size) {
  if (!fgets(line, (int)size, from)) return false;
  line[strcspn(line, "\n")] = 0;
  return true;
}

bool bench_program_start(const char *python, char *text, size_t size) {
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return false;
  child = fork();
  if (child == 0) become(python, in[0], out[1]);
  close(in[0]);
  close(out[1]);
  to = fdopen(in[1], "w");
  from = fdopen(out[0], "r");
  if (child > 0 && to && from && read_line(text, size)) return strncmp(text, "no ", 3) != 0;
  snprintf(text, size, "%s could not be started", python);
  return false;
}

pid_t bench_program_pid(void) { return child; }

void bench_program_ask(char *answer, size_t size, const char *format, ...) {
  cpu_set_t set;
  va_list arguments;
  if (sched_getaffinity(0, sizeof set, &set) == 0) sched_setaffinity(child, sizeof set, &set);
  va_start(arguments, format);
  vfprintf(to, format, arguments);
  va_end(arguments);
  fputc('\n', to);
  if (fflush(to) != 0 || !read_line(answer, size)) exit(1);
}
