/* The `tessera` command: finds the subcommand and hands over. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "tessera/tessera.h"

static const struct command *const commands[] = {
    &command_info,
    &command_run,
    &command_db,
    &command_tune,
    &command_explain,
#ifdef TESSERA_HAVE_ACCEL
    &command_accel,
#endif
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(FILE *to) {
  fprintf(to, "usage: tessera [--help] [--version] command ...\n\ncommands:\n");
  for (int i = 0; i < COMMANDS; i++)
    fprintf(to, "  tessera %s\n      %s\n", commands[i]->usage, commands[i]->help);
  fprintf(to, "\nThe manual: man tessera\n");
}

int command_misused(const struct command *command) {
  fprintf(stderr, "usage: tessera %s\n", command->usage);
  return EXIT_USAGE;
}

static int run_command(int argc, char **argv) {
  for (int i = 0; i < COMMANDS; i++)
    if (strcmp(argv[0], commands[i]->name) == 0) {
      optind = 0; /* glibc: start afresh, with the subcommand as program */
      return commands[i]->run(argc, argv);
    }
  fprintf(stderr, "tessera: there is no command \"%s\"\n\n", argv[0]);
  print_help(stderr);
  return EXIT_USAGE;
}

int main(int argc, char **argv) {
  static const struct option options[] = {{"help", no_argument, 0, 'h'}, {"version", no_argument, 0, 'V'}, {0}};
  int option = getopt_long(argc, argv, "+hV", options, NULL);
  switch (option) {
    case 'h': print_help(stdout); return 0;
    case 'V': printf("tessera %s\n", tsr_version()); return 0;
    case -1: break;
    default: print_help(stderr); return EXIT_USAGE;
  }
  if (optind < argc) return run_command(argc - optind, argv + optind);
  print_help(stderr);
  return EXIT_USAGE;
}
