/* Files that the library carries within itself: chip parameters and kernels in the chips' assembly (embed.S). */
#ifndef ACCEL_EMBED_H
#define ACCEL_EMBED_H

#include <stddef.h>

struct accel_file {
  const char *name, *text; /* "910b.chip"; a NUL stands behind the text */
  size_t bytes;            /* of the text, without the NUL */
};

/* The file of that name, or NULL. */
const struct accel_file *accel_embedded(const char *name);

/* All of them, then one whose name is NULL. */
const struct accel_file *accel_embedded_all(void);

#endif
