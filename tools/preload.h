/* Finding what is installed beside this program, and starting others with the library preloaded. `command` is what
 * messages begin with ("tessera run"). */
#ifndef TESSERA_PRELOAD_H
#define TESSERA_PRELOAD_H

#include <limits.h>
#include <stdbool.h>

/* The real path of the first of n places, seen from this program's folder, that exists. False after a message, which
 * calls it `what`. */
bool find_beside(const char *command, const char *what, const char *const *places, int n, char path[PATH_MAX]);

/* Puts the library that this program belongs to first in LD_PRELOAD. False after a message. */
bool preload_library(const char *command);

/* Becomes the program argv[0]. If that cannot be, it comes back after a message with the exit status that says so. */
int become_program(const char *command, char **argv);

#endif
