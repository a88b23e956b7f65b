#include "test/core/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

void child_check_(bool holds, const char *condition, const char *file, int line) {
  if (holds) return;
  fprintf(stderr, "%s:%d: not so in the child: %s\n", file, line, condition);
  _exit(99);
}

static void read_all(int from, char *text, size_t size) {
  size_t used = 0;
  ssize_t got;
  while (used < size - 1 && (got = read(from, text + used, size - 1 - used)) > 0) used += (size_t)got;
  text[used] = 0;
}

const struct outcome *in_child(void (*body)(void)) {
  static struct outcome outcome;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    alarm(30);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    body();
    exit(0);
  }
  close(ends[1]);
  read_all(ends[0], outcome.text, sizeof outcome.text);
  close(ends[0]);
  assert_int_equal(waitpid(child, &outcome.status, 0), child);
  if (outcome.status) print_message("%s", outcome.text);
  return &outcome;
}

int count_of(const char *text, const char *part) {
  int n = 0;
  for (const char *at = text; (at = strstr(at, part)); at += strlen(part)) n++;
  return n;
}

bool is_mapped(const void *address) {
  return msync((void *)((uintptr_t)address & ~(uintptr_t)4095), 4096, MS_ASYNC) == 0;
}
