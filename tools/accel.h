/* What the subcommands of `tessera accel` share. */
#ifndef TESSERA_ACCEL_H
#define TESSERA_ACCEL_H

#include <stdbool.h>
#include <stdio.h>

#include "command.h"
#include "kernels/accel_sim/sim/isa.h"
#include "kernels/accel_sim/sim/machine.h"
#include "kernels/accel_sim/sim/report.h"

extern const struct command accel_command_run, accel_command_trace, accel_command_roofline, accel_command_gemm,
    accel_command_attention, accel_command_conv;

/* Assembles the file of that path or, where there is none, the one of that name that the library carries. False after a
 * message on standard error. */
bool accel_open_program(const char *name, struct accel_program *program);

/* A size of the command line, 1 to 2^20. False after a message. */
bool accel_read_size(const char *text, int64_t *size);

/* Where a run is told: files (NULL: none, "-": standard output), and what is printed (NULL: nothing). */
struct accel_outputs {
  const char *title, *trace, *html;
  int (*print)(FILE *, const struct accel_report *);
};

/* What a run left is told even if it was faulty: it is the way to the fault. False after a message. */
bool accel_write_reports(const struct accel_outputs *to, const struct accel_machine *machine,
                         const struct accel_params *params, int cores);

#endif
