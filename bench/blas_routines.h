/* The routines of BLAS and LAPACK that the benchmark knows, as a list: what arguments they take and what they cost. */
#ifndef BENCH_BLAS_ROUTINES_H
#define BENCH_BLAS_ROUTINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Types by their letters: s, d, c, z. */
enum bench_letter { BENCH_S, BENCH_D, BENCH_C, BENCH_Z };

/* One call to measure. */
struct bench_blas {
  int routine; /* index in bench_blas_routines */
  enum bench_letter letter;
  char options[8]; /* of the letters that Fortran's face takes, in its order */
  int64_t m, n, k; /* sizes in the order in which the routine takes them; bands have theirs last */
};

/* How a routine is called: one letter an argument, all by reference as in Fortran.
 *   o the next of the options   1 2 3 the sizes   a alpha   b beta   c s the cosine and sine of a rotation   p its rotm
 *   A B C matrices, each followed by its leading dimension   P a packed triangle   X Y vectors with their increments
 *   I pivots   i info */
struct bench_blas_routine {
  const char *name;      /* behind the letter of the type */
  const char *names[4];  /* in full where that is not the letter and the name; NULL: as usual */
  const char *arguments;
  const char *shapes;    /* of A, B and C: rows and columns, each 1, 2, 3, or m (by side: the triangle's) */
  const char *written;   /* the operands it changes, or "" for a function */
  double (*flops)(const struct bench_blas *call); /* of real numbers */
  double (*elements)(const struct bench_blas *call); /* touched: read, or written, or both counted twice */
  bool restores;         /* its operands must be put back before each call */
};
extern const struct bench_blas_routine bench_blas_routines[];
extern const int bench_blas_routine_count;

/* The name in full, as in "dgemv". */
void bench_blas_name(const struct bench_blas *call, char *text, size_t size);

/* How often a real number's operation counts: a complex multiplication and addition is four. */
double bench_blas_flops(const struct bench_blas *call);
double bench_blas_bytes(const struct bench_blas *call);
int bench_blas_element(enum bench_letter letter); /* bytes */

struct bench_blas_calls {
  struct bench_blas *call;
  int count;
};

/* Appends the lines `name types options sizes` of a section of a file ("[level1]"; NULL: all). On failure it says on
 * stderr which file and line, and returns -1. */
int bench_blas_read(struct bench_blas_calls *calls, const char *path, const char *section);

#endif
