/* A subcommand of `tessera`: one file each, listed in tessera.c. */
#ifndef TESSERA_COMMAND_H
#define TESSERA_COMMAND_H

struct command {
  const char *name, *usage, *help;
  int (*run)(int argc, char **argv); /* argv[0] is the subcommand; gives the exit status */
};

extern const struct command command_info, command_run, command_db, command_tune, command_explain, command_accel;

#define EXIT_USAGE 2

/* Prints the usage of `command` on standard error and gives EXIT_USAGE back. */
int command_misused(const struct command *command);

#endif
