#include "kernels/accel_sim/embed.h"

#include <string.h>

extern const struct accel_file accel_files[] __attribute__((visibility("hidden"))); /* embed.S */

const struct accel_file *accel_embedded_all(void) { return accel_files; }

const struct accel_file *accel_embedded(const char *name) {
  for (const struct accel_file *file = accel_files; file->name; file++)
    if (strcmp(file->name, name) == 0) return file;
  return NULL;
}
