/* How BLAS faces report a bad argument. */
#ifndef TSR_XERBLA_H
#define TSR_XERBLA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cblas.h"
#include "tessera/tessera.h"

/* The reference library's hooks, for its testers and for programs that bring an error handler of their own: set only
 * while a CBLAS face reports an error. RowMajorStrg tells the handler that arguments of a row-major call changed places. */
extern TSR_API int CBLAS_CallFromC, RowMajorStrg;

/* The Fortran error handler. `info` counts parameters from 1; `name` is blank-padded and not terminated. */
TSR_API void xerbla_(const char *name, const int *info, size_t name_length);

/* A Fortran face's bad parameter, counted from 1. `routine` is "DGEMM" and so on, in capitals. */
__attribute__((cold, noinline)) void tsr_report(const char *routine, int parameter);

/* The same found by a CBLAS face in the Fortran call that it makes (a row-major call's operands have changed places by
 * then): goes through xerbla_, as in the reference, which adds one and, for a row-major call, finds the number that the
 * argument has in CBLAS. Of pointers the reference knows nothing: their parameters keep the number they are given. */
__attribute__((cold, noinline)) void tsr_report_cblas(const char *routine, bool row_major, int parameter);

/* A CBLAS face's bad enum: its number in the CBLAS call, what it is ("TransA", "layout") and its value. `routine` is
 * "cblas_dgemm" and so on. */
__attribute__((cold, noinline)) void tsr_report_enum(const char *routine, bool row_major, int parameter,
                                                     const char *what, int value);

/* A call that gives no result must say so: a BLAS routine has no other way. */
__attribute__((cold, noinline)) void tsr_complain(const char *routine);

#endif
