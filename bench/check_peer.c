/* A library for the benchmark's own test: its sgemm and daxpy compute nothing, its dgemm ends the process. */
#include <stdlib.h>

__attribute__((visibility("default"))) void cblas_sgemm(void) {}
__attribute__((visibility("default"))) void daxpy_(void) {}
__attribute__((visibility("default"))) void cblas_dgemm(void) { abort(); }
