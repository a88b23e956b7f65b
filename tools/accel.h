/* What the subcommands of `tessera accel` share. */
#ifndef TESSERA_ACCEL_H
#define TESSERA_ACCEL_H

#include <stdbool.h>

#include "command.h"
#include "kernels/accel_sim/sim/isa.h"

extern const struct command accel_command_run, accel_command_trace, accel_command_roofline;

/* Assembles the file of that path or, where there is none, the one of that name that the library carries. False after a
 * message on standard error. */
bool accel_open_program(const char *name, struct accel_program *program);

#endif
