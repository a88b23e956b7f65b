/* How BLAS faces report a bad argument. */
#ifndef TSR_XERBLA_H
#define TSR_XERBLA_H

#include <stddef.h>
#include <stdint.h>

#include "cblas.h"
#include "tessera/tessera.h"

/* The reference library's hooks, for its testers and for programs that bring an error handler of their own: set only
 * while a CBLAS face reports an error. RowMajorStrg tells the handler that M and N, and lda and ldb, changed places. */
extern TSR_API int CBLAS_CallFromC, RowMajorStrg;

/* The Fortran error handler. `info` counts parameters from 1; `name` is blank-padded and not terminated. */
TSR_API void xerbla_(const char *name, const int *info, size_t name_length);

#endif
