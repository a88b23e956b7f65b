/* For tests of the `tessera` command as a user meets it: runs it, and looks at what it said. */
#ifndef TEST_COMMAND_H
#define TEST_COMMAND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static const char *tessera; /* the program to test: the first argument */
static char output[1 << 20];

/* Both outputs of `tessera ARGUMENTS` are left in `output`; it must end with that status. */
static inline void tell(int status, const char *arguments) {
  char command[2000];
  snprintf(command, sizeof command, "'%s' %s 2>&1", tessera, arguments);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  output[fread(output, 1, sizeof output - 1, pipe)] = 0;
  int ended = pclose(pipe);
  if (!WIFEXITED(ended) || WEXITSTATUS(ended) != status)
    fail_msg("%s: status %x, not %d:\n%s", command, ended, status, output);
}

/* The same of one subcommand. */
static inline void tell_command(const char *name, int status, const char *format, va_list rest) {
  char arguments[1800];
  int used = snprintf(arguments, sizeof arguments, "%s ", name);
  vsnprintf(arguments + used, sizeof arguments - (size_t)used, format, rest);
  tell(status, arguments);
}

static inline void says(const char *part) {
  if (!strstr(output, part)) fail_msg("\"%s\" is not in:\n%s", part, output);
}

static inline void says_not(const char *part) {
  if (strstr(output, part)) fail_msg("\"%s\" is in:\n%s", part, output);
}

static inline void write_file(const char *name, const char *text) {
  FILE *file = fopen(name, "w");
  assert_non_null(file);
  fputs(text, file);
  assert_int_equal(fclose(file), 0);
}

#endif
