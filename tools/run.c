/* tessera run: starts a program with the library preloaded, so that its BLAS calls arrive here. */
#include <getopt.h>
#include <stdlib.h>

#include "command.h"
#include "preload.h"

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
  return preload_library("tessera run") ? become_program("tessera run", argv + optind) : EXIT_FAILURE;
}

const struct command command_run = {"run", "run [--threads N] [--isa NAME] [--trace] -- program ...",
                                    "start a program whose BLAS calls Tessera serves", run};
