/* The CBLAS interface (Basic Linear Algebra Subprograms Technical Forum Standard, 2001, appendix B). Plain names take
 * 32-bit integers; names ending in 64_ take 64-bit integers. All calls are thread-safe. Bad arguments end in
 * cblas_xerbla / xerbla_ with the reference library's parameter number and change nothing. */
#ifndef CBLAS_H
#define CBLAS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum CBLAS_LAYOUT { CblasRowMajor = 101, CblasColMajor = 102 } CBLAS_LAYOUT;
typedef enum CBLAS_TRANSPOSE {
  CblasNoTrans = 111, CblasTrans = 112, CblasConjTrans = 113,
  CblasConjNoTrans = 114 /* of omatcopy and imatcopy */
} CBLAS_TRANSPOSE;
typedef enum CBLAS_UPLO { CblasUpper = 121, CblasLower = 122 } CBLAS_UPLO;
typedef enum CBLAS_DIAG { CblasNonUnit = 131, CblasUnit = 132 } CBLAS_DIAG;
typedef enum CBLAS_SIDE { CblasLeft = 141, CblasRight = 142 } CBLAS_SIDE;
typedef enum CBLAS_STORAGE { CblasPacked = 151 } CBLAS_STORAGE;
typedef enum CBLAS_IDENTIFIER { CblasAMatrix = 161, CblasBMatrix = 162 } CBLAS_IDENTIFIER;
typedef CBLAS_LAYOUT CBLAS_ORDER;
#define CBLAS_INDEX size_t

/* Called on a bad argument: parameter number (1-based, layout counted), routine's name, a printf message. Prints and
 * ends the process as the reference does; define your own of this name to replace it. */
void cblas_xerbla(int parameter, const char *routine, const char *format, ...);

#define CBLAS_INT int
#define CBLAS_ROUTINE(name) name
#include "cblas_routines.h"
#undef CBLAS_INT
#undef CBLAS_ROUTINE
#define CBLAS_INT int64_t
#define CBLAS_ROUTINE(name) name##64_
#include "cblas_routines.h"
#undef CBLAS_INT
#undef CBLAS_ROUTINE

#ifdef __cplusplus
}
#endif
#endif
