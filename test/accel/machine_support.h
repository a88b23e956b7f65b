/* Machines for tests: chip A by default, programs from text, runs that must succeed or must fail in a given way. */
#ifndef ACCEL_MACHINE_SUPPORT_H
#define ACCEL_MACHINE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/accel_sim/sim/machine.h"

static inline struct accel_params chip(const char *name) {
  struct accel_params params;
  char error[512] = "";
  if (accel_params_load(name, &params, error, sizeof error) != 0) fail_msg("%s", error);
  return params;
}

static inline struct accel_machine *machine_of(const struct accel_params *params, struct accel_options options) {
  char error[512] = "";
  struct accel_machine *m = accel_machine_create(params, &options, error, sizeof error);
  if (!m) fail_msg("%s", error);
  return m;
}

static inline struct accel_machine *machine(struct accel_options options) {
  struct accel_params params = chip("910b");
  return machine_of(&params, options);
}

static inline struct accel_program assembled(const char *text) {
  struct accel_program program;
  char error[512] = "";
  if (accel_assemble(text, "t.s", NULL, NULL, &program, error, sizeof error) != 0) fail_msg("%s", error);
  return program;
}

static inline void run(struct accel_machine *m) {
  struct accel_fault fault;
  if (accel_machine_run(m, &fault) != 0) fail_msg("%s", fault.text);
  assert_int_equal(fault.kind, ACCEL_NO_FAULT);
}

static inline uint64_t launch(struct accel_machine *m, int core, const struct accel_program *program, uint64_t arg) {
  uint64_t token = accel_machine_launch(m, core, program, &arg, 1, NULL, 0);
  assert_int_not_equal(token, 0);
  return token;
}

/* Runs text on one core with one argument. */
static inline void run_text(struct accel_machine *m, int core, const char *text, uint64_t arg) {
  struct accel_program program = assembled(text);
  launch(m, core, &program, arg);
  run(m);
  accel_program_free(&program);
}

static inline struct accel_stats stats_of(const struct accel_machine *m) {
  struct accel_stats stats;
  accel_machine_stats(m, &stats);
  return stats;
}

static inline void assert_near(double value, double expected) {
  double off = value - expected, size = expected < 0 ? -expected : expected;
  if (!((off < 0 ? -off : off) <= 1e-6 * (size > 1 ? size : 1))) fail_msg("%.9g, not %.9g", value, expected);
}

static inline uint64_t next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  return *state ^= *state << 17;
}

#endif
