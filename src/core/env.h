/* What the environment says, and how people are told when it cannot be understood. */
#ifndef TSR_ENV_H
#define TSR_ENV_H

#include <stdbool.h>

/* Prints "tessera: ..." as one line on standard error, in one write so that threads do not mix their lines. */
__attribute__((format(printf, 1, 2))) void tsr_warn(const char *format, ...);

/* The positive integer in an environment variable; of "4,2" the first, if `list`. 0 when it is not set or empty, and
 * after a warning when it holds something else. */
int tsr_env_count(const char *name, bool list);

#endif
