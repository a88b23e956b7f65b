/* What the tests of the core share. */
#ifndef CORE_SUPPORT_H
#define CORE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct outcome {
  int status;     /* as waitpid tells it; 0 = the child returned or called exit(0) */
  char text[65536]; /* what it wrote on standard error */
};

/* Runs `body` in a child process of its own, which is killed after 30 seconds. In the child failures are told by
 * child_check, as cmocka's own would go on in the parent's stack. */
const struct outcome *in_child(void (*body)(void));
#define child_check(condition) child_check_(condition, #condition, __FILE__, __LINE__)
void child_check_(bool holds, const char *condition, const char *file, int line);

int count_of(const char *text, const char *part);
bool is_mapped(const void *address);

#endif
