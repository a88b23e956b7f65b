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

/* The number in the caller's own order of a row-major gemm, whose operands changed places before they were checked. */
static int renumber(int parameter) {
  static const unsigned char other[] = {[4] = 5, [5] = 4, [9] = 11, [11] = 9};
  return parameter >= 0 && parameter < (int)sizeof other && other[parameter] ? other[parameter] : parameter;
}

TSR_API __attribute__((weak)) void cblas_xerbla(int parameter, const char *routine, const char *format, ...) {
  va_list args;
  if (RowMajorStrg && strstr(routine, "gemm")) parameter = renumber(parameter);
  if (parameter) fprintf(stderr, "Parameter %d to routine %s was incorrect\n", parameter, routine);
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  exit(EXIT_FAILURE);
}
