#include "preload.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where the library lies, seen from the folder of this program: as installed, and in the build folder. */
static const char *const places_of_library[] = {TESSERA_LIBDIR_FROM_BINDIR "/" TESSERA_SONAME, "../" TESSERA_SONAME};

bool find_beside(const char *command, const char *what, const char *const *places, int n, char path[PATH_MAX]) {
  char self[PATH_MAX], tried[PATH_MAX + 64];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length < 0) {
    fprintf(stderr, "%s: /proc/self/exe: %s\n", command, strerror(errno));
    return false;
  }
  self[length] = 0;
  const char *folder = dirname(self);
  for (int i = 0; i < n; i++) {
    snprintf(tried, sizeof tried, "%s/%s", folder, places[i]);
    if (realpath(tried, path)) return true;
  }
  fprintf(stderr, "%s: %s is not where it belongs:", command, what);
  for (int i = 0; i < n; i++) fprintf(stderr, "%s %s/%s", i ? "," : "", folder, places[i]);
  fputc('\n', stderr);
  return false;
}

/* The loader splits LD_PRELOAD at blanks and colons and has no way to quote them. */
bool preload_library(const char *command) {
  char path[PATH_MAX];
  if (!find_beside(command, "the library", places_of_library, 2, path)) return false;
  if (strpbrk(path, " :")) {
    fprintf(stderr, "%s: the loader cannot preload a path with a blank or colon in it: %s\n", command, path);
    return false;
  }
  const char *others = getenv("LD_PRELOAD");
  char *list = NULL;
  if (asprintf(&list, "%s%s%s", path, others && *others ? ":" : "", others ? others : "") < 0) return false;
  setenv("LD_PRELOAD", list, 1);
  free(list);
  return true;
}

int become_program(const char *command, char **argv) {
  execvp(argv[0], argv);
  int error = errno;
  fprintf(stderr, "%s: %s: %s\n", command, argv[0], strerror(error));
  return error == ENOENT ? 127 : 126;
}
