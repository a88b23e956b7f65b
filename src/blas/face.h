/* How the faces of BLAS routines are written: each once, in terms of blas_int, and compiled for 32 and 64-bit integers.
 *
 *   FORTRAN(void, daxpy, const blas_int *n, ...) { ... }    daxpy_, daxpy, scipy_daxpy_ and, with 64-bit integers,
 *                                                          daxpy_64_, daxpy_64, scipy_daxpy_64_
 *   CBLAS(void, cblas_daxpy, blas_int n, ...) { ... }       cblas_daxpy, scipy_cblas_daxpy; cblas_daxpy64_,
 *                                                          cblas_daxpy_64, scipy_cblas_daxpy64_
 *
 * The names beginning with scipy_ are those that OpenBLAS has in the wheels of NumPy and SciPy. A second name is an
 * alias: it costs neither code nor time. Fortran passes the lengths of letters behind the last argument; nobody here
 * needs them, and C programs often leave them out. */
#ifndef TSR_BLAS_FACE_H
#define TSR_BLAS_FACE_H

#include "src/blas/xerbla.h"
#include "src/core/core.h"

#if defined(TSR_BLAS_64)
typedef int64_t blas_int;
#define FORTRAN_NAME(name) name##_64_
#define FORTRAN_PLAIN(name) name##_64
#define FORTRAN_SCIPY(name) scipy_##name##_64_
#define CBLAS_NAME(name) name##64_
#define CBLAS_SCIPY(name) scipy_##name##64_
#else
typedef int blas_int;
#define FORTRAN_NAME(name) name##_
#define FORTRAN_PLAIN(name) name
#define FORTRAN_SCIPY(name) scipy_##name##_
#define CBLAS_NAME(name) name
#define CBLAS_SCIPY(name) scipy_##name
#endif
#define FACE_TEXT_OF(name) #name
#define FACE_TEXT(name) FACE_TEXT_OF(name)
#define FACE_ALIAS(name) __attribute__((alias(FACE_TEXT(name))))

/* Prototypes, in place of a header: nothing inside the library calls a face. */
#define FORTRAN(result, name, ...)                                                                     \
  TSR_API result FORTRAN_NAME(name)(__VA_ARGS__);                                                      \
  extern TSR_API result FORTRAN_PLAIN(name)(__VA_ARGS__) FACE_ALIAS(FORTRAN_NAME(name));               \
  extern TSR_API result FORTRAN_SCIPY(name)(__VA_ARGS__) FACE_ALIAS(FORTRAN_NAME(name));               \
  TSR_API result FORTRAN_NAME(name)(__VA_ARGS__)
#if defined(TSR_BLAS_64)
#define CBLAS(result, name, ...)                                                                       \
  TSR_API result CBLAS_NAME(name)(__VA_ARGS__);                                                        \
  extern TSR_API result name##_64(__VA_ARGS__) FACE_ALIAS(CBLAS_NAME(name));                           \
  extern TSR_API result CBLAS_SCIPY(name)(__VA_ARGS__) FACE_ALIAS(CBLAS_NAME(name));                   \
  TSR_API result CBLAS_NAME(name)(__VA_ARGS__)
#else
#define CBLAS(result, name, ...)                                                                       \
  TSR_API result CBLAS_NAME(name)(__VA_ARGS__);                                                        \
  extern TSR_API result CBLAS_SCIPY(name)(__VA_ARGS__) FACE_ALIAS(CBLAS_NAME(name));                   \
  TSR_API result CBLAS_NAME(name)(__VA_ARGS__)
#endif

#define INLINE static inline __attribute__((always_inline))

/* Letters of Fortran's faces; -1: none of those that count. */
INLINE int tsr_letter(const char *letter) { return *letter | 0x20; }

/* 0 for N, 1 for T, 2 for C. */
INLINE int tsr_trans_letter(const char *letter) {
  int lower = tsr_letter(letter);
  return lower == 'n' ? 0 : lower == 't' ? 1 : lower == 'c' ? 2 : -1;
}
/* 0 for U, 1 for L; 0 for L(eft), 1 for R(ight); 0 for N(on-unit), 1 for U(nit). */
INLINE int tsr_uplo_letter(const char *letter) {
  int lower = tsr_letter(letter);
  return lower == 'u' ? 0 : lower == 'l' ? 1 : -1;
}
INLINE int tsr_side_letter(const char *letter) {
  int lower = tsr_letter(letter);
  return lower == 'l' ? 0 : lower == 'r' ? 1 : -1;
}
INLINE int tsr_diag_letter(const char *letter) {
  int lower = tsr_letter(letter);
  return lower == 'n' ? 0 : lower == 'u' ? 1 : -1;
}

/* The same numbers of CBLAS's enums. */
INLINE int tsr_trans_enum(CBLAS_TRANSPOSE t) {
  return t == CblasNoTrans ? 0 : t == CblasTrans ? 1 : t == CblasConjTrans ? 2 : -1;
}
INLINE int tsr_uplo_enum(CBLAS_UPLO u) { return u == CblasUpper ? 0 : u == CblasLower ? 1 : -1; }
INLINE int tsr_side_enum(CBLAS_SIDE s) { return s == CblasLeft ? 0 : s == CblasRight ? 1 : -1; }
INLINE int tsr_diag_enum(CBLAS_DIAG d) { return d == CblasNonUnit ? 0 : d == CblasUnit ? 1 : -1; }

/* Whether a matrix of `columns` columns reaches further than an address can tell. */
INLINE bool tsr_too_large(tsr_type type, int64_t ld, int64_t columns) {
  int64_t elements, bytes;
  return __builtin_mul_overflow(ld, columns, &elements) || __builtin_mul_overflow(elements, tsr_size_of(type), &bytes);
}
INLINE bool tsr_bad_ld(tsr_type type, int64_t ld, int64_t rows, int64_t columns) {
  return ld < (rows > 1 ? rows : 1) || tsr_too_large(type, ld, columns);
}

#endif
