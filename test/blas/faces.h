/* The BLAS faces of GEMM as callers of each family declare them. */
#ifndef FACES_H
#define FACES_H

#include <stddef.h>

#include "cblas.h"

#define FORTRAN_GEMM(name, type, integer)                                                                          \
  void name(const char *, const char *, const integer *, const integer *, const integer *, const type *,           \
            const type *, const integer *, const type *, const integer *, const type *, type *, const integer *, \
            size_t, size_t)

FORTRAN_GEMM(sgemm_, float, int);
FORTRAN_GEMM(dgemm_, double, int);
FORTRAN_GEMM(sgemm_64_, float, int64_t);
FORTRAN_GEMM(dgemm_64_, double, int64_t);

#endif
