/* What the tests of the core share. */
#ifndef CORE_SUPPORT_H
#define CORE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Sanitizers take addresses by the terabyte and time by the factor; and a process with threads that ThreadSanitizer
 * watches cannot fork and start threads again. */
#ifdef __has_feature
#define SANITIZED_(which) __has_feature(which##_sanitizer)
#else
#define SANITIZED_(which) 0
#endif
#if defined(__SANITIZE_THREAD__) || SANITIZED_(thread)
enum { UNDER_TSAN = 1 };
#else
enum { UNDER_TSAN = 0 };
#endif
#if defined(__SANITIZE_ADDRESS__) || SANITIZED_(address)
enum { UNDER_ASAN = 1 };
#else
enum { UNDER_ASAN = 0 };
#endif

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
