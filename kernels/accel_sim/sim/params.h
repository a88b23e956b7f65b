/* A chip's parameters, from a file of `name = value  # unit; where it is from` lines in [sections]. Files are in
 * kernels/accel_sim/chips, one a chip; the library holds a copy of each. */
#ifndef ACCEL_PARAMS_H
#define ACCEL_PARAMS_H

#include <stddef.h>
#include <stdint.h>

enum accel_buffer { ACCEL_GM, ACCEL_L1, ACCEL_L0A, ACCEL_L0B, ACCEL_L0C, ACCEL_UB, ACCEL_BUFFERS };
extern const char *const accel_buffer_names[ACCEL_BUFFERS];

/* Routes that carry data, each with its bytes a cycle a core. */
enum accel_route {
  ACCEL_GM_L1, ACCEL_GM_UB, ACCEL_UB_GM, ACCEL_L0C_GM, ACCEL_L0C_L1, ACCEL_L0C_UB, ACCEL_L1_L0A, ACCEL_L1_L0B,
  ACCEL_L1_UB, ACCEL_UB_L1, ACCEL_ROUTES
};

/* cycles = startup + slope * repeats of 256 bytes. */
struct accel_vector_cost {
  double startup, slope;
};
enum accel_vector_op {
  ACCEL_COST_ADD, ACCEL_COST_MUL, ACCEL_COST_SCALAR, ACCEL_COST_MAX, ACCEL_COST_SQRT, ACCEL_COST_EXP,
  ACCEL_COST_EXP_F16, ACCEL_COST_DIV, ACCEL_COST_GMAX, ACCEL_COST_GADD, ACCEL_COST_RMAX, ACCEL_COST_RADD, ACCEL_COSTS
};

struct accel_params {
  char name[32], description[96];
  int cores;
  double ghz;
  size_t bytes[ACCEL_BUFFERS], align[ACCEL_BUFFERS];
  int queue;                /* instructions that wait in a pipe's queue */
  /* cube */
  int systolic;             /* 0: a cube of 16 x 16 x 32 bytes a cycle; 1: weight-stationary, rows x columns cells */
  int systolic_rows, systolic_columns;
  double mad_startup;       /* only when the pipe is empty */
  double mad_overhead;      /* of every mad */
  int mad_f32_factor;
  /* routes */
  double rate[ACCEL_ROUTES]; /* bytes a cycle a core, alone */
  double startup[ACCEL_ROUTES];
  /* shared by all cores */
  double l2_rate;           /* bytes a cycle, fills charged */
  double l2_write_rate;     /* the same of what is written; 0: reads and writes share l2_rate */
  double hbm_rate;          /* bytes a second */
  size_t l2_bytes;          /* effective */
  double launch_seconds;    /* and cold start */
  /* synchronisation */
  double barrier_cycles, flag_cycles;
  struct accel_vector_cost vector[ACCEL_COSTS];
  int l1_banks, ub_banks, bank_bytes;
  /* energy, pJ */
  double mac_pj[4];          /* f16, bf16, f32, s8 */
  double byte_pj[ACCEL_BUFFERS];
  double l2_byte_pj, vector_op_pj, scalar_op_pj;
};

/* Parses text that came from `file`. 0, or -1 with "file:line: what was wrong" in error. Every parameter must be there
 * once; unknown names are errors. */
int accel_params_parse(const char *text, const char *file, struct accel_params *params, char *error, int error_size);

/* By name ("910b", "310p", "systolic") from the library's copies, or by path if there is a slash in it. An unknown name
 * lists the valid ones. */
int accel_params_load(const char *name, struct accel_params *params, char *error, int error_size);

#endif
