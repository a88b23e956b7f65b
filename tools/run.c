/* tessera run: starts a program with the library preloaded, so that its BLAS calls arrive here. */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

/* Where the library lies, seen from the folder of this program: as installed, and in the build folder. */
static const char *const places[] = {TESSERA_LIBDIR_FROM_BINDIR "/" TESSERA_SONAME, "../" TESSERA_SONAME};
enum { PLACES = sizeof places / sizeof places[0] };

/* The path of the library that this program belongs to; false after a message. */
static int find_library(char path[PATH_MAX]) {
  char self[PATH_MAX], tried[2][PATH_MAX + 64];
  ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  if (n < 0) {
    fprintf(stderr, "tessera run: /proc/self/exe: %s\n", strerror(errno));
    return 0;
  }
  self[n] = 0;
  const char *folder = dirname(self);
  for (int i = 0; i < PLACES; i++) {
    snprintf(tried[i], sizeof tried[i], "%s/%s", folder, places[i]);
    if (realpath(tried[i], path)) return 1;
  }
  fprintf(stderr, "tessera run: the library is neither at %s nor at %s\n", tried[0], tried[1]);
  return 0;
}

/* The loader splits LD_PRELOAD at blanks and colons and has no way to quote them. */
static int preload(const char *path) {
  if (strpbrk(path, " :")) {
    fprintf(stderr, "tessera run: the loader cannot preload a path with a blank or colon in it: %s\n", path);
    return 0;
  }
  const char *others = getenv("LD_PRELOAD");
  char *list = NULL;
  if (asprintf(&list, "%s%s%s", path, others && *others ? ":" : "", others ? others : "") < 0) return 0;
  setenv("LD_PRELOAD", list, 1);
  free(list);
  return 1;
}

static int run(int argc, char **argv) {
  static const struct option options[] = {
      {"threads", required_argument, 0, 't'}, {"isa", required_argument, 0, 'i'}, {"trace", no_argument, 0, 'T'}, {0}};
  for (int option; (option = getopt_long(argc, argv, "+t:i:T", options, NULL)) != -1;) switch (option) {
      case 't': setenv("TESSERA_NUM_THREADS", optarg, 1); break;
      case 'i': setenv("TESSERA_ISA", optarg, 1); break;
      case 'T': setenv("TESSERA_TRACE", "1", 1); break;
      default: return command_misused(&command_run);
    }
  if (optind >= argc) return command_misused(&command_run);
  char path[PATH_MAX];
  if (!find_library(path) || !preload(path)) return EXIT_FAILURE;
  execvp(argv[optind], argv + optind);
  fprintf(stderr, "tessera run: %s: %s\n", argv[optind], strerror(errno));
  return errno == ENOENT ? 127 : 126;
}

const struct command command_run = {"run", "run [--threads N] [--isa NAME] [--trace] -- program ...",
                                    "start a program whose BLAS calls Tessera serves", run};
