/* What the reference BLAS has beside its routines, for LAPACK and programs in Fortran that look for them here. */
#include <ctype.h>

#include "src/blas/face.h"

/* Whether two letters are one, whatever their case. */
FORTRAN(blas_int, lsame, const char *a, const char *b) {
  return toupper((unsigned char)*a) == toupper((unsigned char)*b);
}

/* XERBLA for callers whose routine's name is an array of `length` letters: C has no other way to give its length. */
FORTRAN(void, xerbla_array, const char *name, const blas_int *length, const blas_int *info) {
  char padded[32];
  int parameter = (int)*info;
  for (blas_int i = 0; i < (blas_int)sizeof padded; i++) padded[i] = i < *length ? name[i] : ' ';
  xerbla_(padded, &parameter, sizeof padded);
}
