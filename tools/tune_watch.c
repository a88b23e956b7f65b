/* tessera tune --watch: what a program calls. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload.h"
#include "tune.h"

static const char command[] = "tessera tune";

/* In the child. Exit statuses 127 and 126 are a shell's. */
static void start(const char *log, char **argv) {
  signal(SIGINT, SIG_DFL);
  setenv("TESSERA_TRACE", log, 1);
  if (!preload_library(command)) _exit(126);
  _exit(become_program(command, argv));
}

/* Ctrl-C meanwhile is for the program. */
static int run_program(const char *log, char **argv) {
  int status = -1;
  void (*before)(int) = signal(SIGINT, SIG_IGN);
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) start(log, argv);
  while (child > 0 && waitpid(child, &status, 0) < 0)
    if (errno != EINTR) child = -1;
  signal(SIGINT, before);
  if (child < 0) {
    fprintf(stderr, "%s: no program can be started: %s\n", command, strerror(errno));
    return -1;
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int watch_into(struct shapes *shapes, const char *log, char **argv) {
  struct shapes_traced traced = {0};
  int status = run_program(log, argv);
  if (status < 0 || !shapes_add_trace(shapes, command, log, &traced)) return -1;
  fprintf(stderr, "%s: %s ended with status %d after %ld calls of %d shapes", command, argv[0], status, traced.calls,
          shapes->n);
  if (traced.others) fprintf(stderr, " (and %ld of others)", traced.others);
  fputc('\n', stderr);
  return status;
}

int tune_watch(struct shapes *shapes, char **argv) {
  const char *folder = getenv("TMPDIR");
  char log[4096];
  snprintf(log, sizeof log, "%s/tessera-watch-XXXXXX", folder && *folder == '/' ? folder : "/tmp");
  int file = mkstemp(log);
  if (file < 0) {
    fprintf(stderr, "%s: no trace can be written to %s: %s\n", command, log, strerror(errno));
    return -1;
  }
  close(file);
  int status = watch_into(shapes, log, argv);
  unlink(log);
  return status;
}
