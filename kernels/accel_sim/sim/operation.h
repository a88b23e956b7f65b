/* An instruction's operands as they are checked: what operands.c gives execute.c. */
#ifndef ACCEL_OPERATION_H
#define ACCEL_OPERATION_H

#include "kernels/accel_sim/sim/state.h"

enum { ACCESSES = 4, FRACTAL = 512, L0C_FRACTAL = 1024 };

enum access_mode { READ, WRITE, UPDATE };

struct access {
  struct accel_range range;
  bool writes;
};

struct operation {
  struct accel_machine *m;
  struct core *core;
  struct accel_site site;
  const struct accel_word *word;
  const int64_t *value, *map;
  struct work *work;
  struct access access[ACCESSES];
  int count;
};

/* Saturates: what is out of range stays so. */
int64_t accel_times(int64_t a, int64_t b);

/* Operand i as a count, or as the distance of rows. 0 and a fault if it cannot be one. */
int64_t accel_count(struct operation *o, int i, const char *name);
int64_t accel_pitch(struct operation *o, int i, const char *name);

/* Operand i as the address of rows of bytes, of bytes, or of columns of fractals (high and wide count fractals). The
 * host's pointer to them, or NULL with a fault. Without data, buffers have no bytes and pointers no use. */
unsigned char *accel_access_rows(struct operation *o, int i, const char *name, enum accel_buffer buffer,
                                 enum access_mode mode, int64_t rows, int64_t bytes, int64_t pitch, int64_t element);
unsigned char *accel_access_bytes(struct operation *o, int i, const char *name, enum accel_buffer buffer,
                                  enum access_mode mode, int64_t bytes);
unsigned char *accel_access_fractals(struct operation *o, int i, const char *name, enum accel_buffer buffer,
                                     enum access_mode mode, int64_t high, int64_t wide, int64_t blocks);

#endif
