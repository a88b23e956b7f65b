/* The library's own error handlers: what they print, and that they end the process with C unchanged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "faces.h"

static float a[4], b[4], *c; /* c is shared with the child that makes the bad call */

static void fortran_bad_m(void) {
  int m = -1, two = 2;
  float one = 1;
  sgemm_("N", "N", &m, &two, &two, &one, a, &two, b, &two, &one, c, &two, 1, 1);
}
static void row_major_bad_m(void) { cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, -1, 2, 2, 1, a, 2, b, 2, 1, c, 2); }
static void row_major_bad_ldb(void) { cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, 2, 2, 2, 1, a, 2, b, 1, 1, c, 2); }
static void column_major_bad_ldc(void) { cblas_sgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, 2, 2, 2, 1, a, 2, b, 2, 1, c, 1); }
static void row_major_null_a(void) { cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, 2, 2, 2, 1, NULL, 2, b, 2, 1, c, 2); }
static void bad_layout(void) { cblas_sgemm((CBLAS_LAYOUT)7, CblasNoTrans, CblasNoTrans, 2, 2, 2, 1, a, 2, b, 2, 1, c, 2); }
static void bad_environment(void) {
  setenv("TESSERA_ISA", "mmx", 1);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, 2, 2, 2, 1, a, 2, b, 2, 1, c, 2);
  exit(EXIT_FAILURE);
}

/* Runs `call` in a child; gives back what it wrote on standard error and checks that it ended with a failure. */
static void run(void (*call)(void), char *text, size_t size) {
  int pipes[2], status;
  assert_int_equal(pipe(pipes), 0);
  pid_t child = fork();
  if (child == 0) {
    dup2(pipes[1], STDERR_FILENO);
    call();
    _exit(0);
  }
  close(pipes[1]);
  FILE *from = fdopen(pipes[0], "r");
  text[fread(text, 1, size - 1, from)] = 0;
  fclose(from);
  waitpid(child, &status, 0);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
  assert_true(c[0] == 7 && c[3] == 7);
}

/* A BLAS routine has no status to give: it says that it did nothing, and why, and leaves C alone. */
static void environment(void **state) {
  (void)state;
  char text[256];
  run(bad_environment, text, sizeof text);
  assert_int_equal(strncmp(text, "tessera: cblas_sgemm computed nothing: TESSERA_ISA", 50), 0);
  assert_non_null(strstr(text, "generic"));
}

static void messages(void **state) {
  (void)state;
  static const struct {
    void (*call)(void);
    const char *text;
  } cases[] = {
      {fortran_bad_m, " ** On entry to SGEMM parameter number  3 had an illegal value\n"},
      {row_major_bad_m, "Parameter 4 to routine cblas_sgemm was incorrect\n"},
      {row_major_bad_ldb, "Parameter 11 to routine cblas_sgemm was incorrect\n"},
      {column_major_bad_ldc, "Parameter 14 to routine cblas_sgemm was incorrect\n"},
      {row_major_null_a, "Parameter 8 to routine cblas_sgemm was incorrect\n"},
      {bad_layout, "Parameter 1 to routine cblas_sgemm was incorrect\nIllegal layout setting, 7\n"},
  };
  char text[256];
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    run(cases[i].call, text, sizeof text);
    assert_string_equal(text, cases[i].text);
  }
}

int main(void) {
  c = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 4; i++) c[i] = 7;
  const struct CMUnitTest tests[] = {cmocka_unit_test(messages), cmocka_unit_test(environment)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
