/* The error handlers of the BLAS. Both are weak: a program's own definition replaces them. */
#include "src/blas/xerbla.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int CBLAS_CallFromC, RowMajorStrg;

/* Copies a Fortran name without its blanks. C programs often leave the hidden length out: then it is six letters, as
 * every name of the BLAS is. */
static void copy_name(char *to, size_t size, const char *name, size_t length) {
  size_t n = length > 0 && length < size ? length : 6;
  memcpy(to, name, n);
  while (n > 0 && to[n - 1] == ' ') n--;
  to[n] = 0;
}

TSR_API __attribute__((weak)) void xerbla_(const char *name, const int *info, size_t name_length) {
  char routine[33], c_routine[40] = "cblas_";
  copy_name(routine, sizeof routine, name, name_length);
  if (CBLAS_CallFromC) {
    for (int i = 0; routine[i]; i++) c_routine[6 + i] = (char)tolower((unsigned char)routine[i]);
    cblas_xerbla(*info + 1, c_routine, "");
    return;
  }
  fprintf(stderr, " ** On entry to %s parameter number %2d had an illegal value\n", routine, *info);
  exit(EXIT_FAILURE);
}

/* The numbers of which arguments changed places in row-major calls of which routines. */
static const struct {
  const char *part, *unless;
  unsigned char swapped[2][2];
} renumbered[] = {
    {"gemmt", NULL, {{9, 11}}},        {"gemm", NULL, {{4, 5}, {9, 11}}},
    {"symm", NULL, {{4, 5}}},          {"hemm", NULL, {{4, 5}}},
    {"trmm", NULL, {{6, 7}}},          {"trsm", NULL, {{6, 7}}},  {"gemv", NULL, {{3, 4}}},
    {"gbmv", NULL, {{3, 4}, {5, 6}}},  {"ger", NULL, {{2, 3}, {6, 8}}},
    {"her2", "her2k", {{6, 8}}},       {"hpr2", NULL, {{6, 8}}},
};

static int renumber(const char *routine, int parameter) {
  for (size_t i = 0; i < sizeof renumbered / sizeof renumbered[0]; i++) {
    if (!strstr(routine, renumbered[i].part)) continue;
    if (renumbered[i].unless && strstr(routine, renumbered[i].unless)) continue;
    for (int s = 0; s < 2; s++)
      for (int e = 0; e < 2; e++)
        if (parameter == renumbered[i].swapped[s][e]) return renumbered[i].swapped[s][!e];
    return parameter;
  }
  return parameter;
}

TSR_API __attribute__((weak)) void cblas_xerbla(int parameter, const char *routine, const char *format, ...) {
  va_list args;
  if (RowMajorStrg) parameter = renumber(routine, parameter);
  if (parameter) fprintf(stderr, "Parameter %d to routine %s was incorrect\n", parameter, routine);
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  exit(EXIT_FAILURE);
}

/* Handlers written in Fortran are given six letters, filled up with blanks, or as many as there are. */
void tsr_report(const char *routine, int parameter) {
  char padded[32];
  xerbla_(padded, &parameter, (size_t)snprintf(padded, sizeof padded, "%-6s", routine));
}

void tsr_report_cblas(const char *routine, bool row_major, int parameter) {
  CBLAS_CallFromC = 1;
  RowMajorStrg = row_major;
  tsr_report(routine, parameter);
  CBLAS_CallFromC = RowMajorStrg = 0;
}

void tsr_report_enum(const char *routine, bool row_major, int parameter, const char *what, int value) {
  CBLAS_CallFromC = 1;
  RowMajorStrg = row_major;
  cblas_xerbla(parameter, routine, "Illegal %s setting, %d\n", what, value);
  CBLAS_CallFromC = RowMajorStrg = 0;
}

void tsr_complain(const char *routine) {
  fprintf(stderr, "tessera: %s computed nothing: %s\n", routine, tsr_last_error());
}
