#include "src/core/env.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void tsr_warn(const char *format, ...) {
  char line[512] = "tessera: ";
  size_t used = strlen(line);
  va_list args;
  va_start(args, format);
  int wrote = vsnprintf(line + used, sizeof line - used - 1, format, args);
  va_end(args);
  used += wrote < 0 ? 0 : (size_t)wrote;
  if (used > sizeof line - 2) used = sizeof line - 2;
  line[used++] = '\n';
  ssize_t ignored = write(STDERR_FILENO, line, used);
  (void)ignored;
}

/* The number at the start of `text`, or 0 when no positive int stands there alone. */
static int parse_count(const char *text, bool list) {
  char *end;
  errno = 0;
  long n = strtol(text, &end, 10);
  if (end == text || errno || n < 1 || n > INT_MAX) return 0;
  while (isspace((unsigned char)*end)) end++;
  return *end == 0 || (list && *end == ',') ? (int)n : 0;
}

int tsr_env_count(const char *name, bool list) {
  const char *value = getenv(name);
  if (!value || !*value) return 0;
  int n = parse_count(value, list);
  if (!n) tsr_warn("%s is \"%.64s\", which is ignored: set it to a positive integer", name, value);
  return n;
}
