/* Routines of BLAS and LAPACK as a worker measures them: all through Fortran's faces, whose arguments are pointers
 * without exception, so that one function calls every routine. */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/memory.h"
#include "bench/worker.h"

static void *blas;

static bool find(void *library) {
  blas = library;
  return dlsym(library, "dgemm_") || dlsym(library, "scipy_dgemm_");
}

/* A complex value is returned in more than one way by Fortran's faces, and by reference in CBLAS's. */
static bool is_complex_function(const struct bench_blas *c) {
  return c->letter >= BENCH_C && strncmp(bench_blas_routines[c->routine].name, "dot", 3) == 0;
}

static void *function_of(const struct bench_blas *call) {
  static const char *const fortran[] = {"%s_", "scipy_%s_"}, *const cblas[] = {"cblas_%s_sub", "scipy_cblas_%s_sub"};
  const char *const *forms = is_complex_function(call) ? cblas : fortran;
  char name[32], symbol[48];
  void *found = NULL;
  bench_blas_name(call, name, sizeof name);
  for (int i = 0; i < 2 && !found; i++) {
    snprintf(symbol, sizeof symbol, forms[i], name);
    found = dlsym(blas, symbol);
  }
  return found;
}

static enum bench_answer has(const struct bench_request *r) { return function_of(&r->blas) ? BENCH_OK : BENCH_MISSING; }

/* --- Operands ----------------------------------------------------------------------------------------------------- */

/* Up to three matrices and two vectors, as they are handed over and, to be put back, as they were. */
struct operand {
  char name; /* A, B, C, X, Y, or 0 */
  int64_t rows, columns, ld;
  size_t bytes;
  char *now;
  const char *then;
};

static struct {
  struct operand operand[5];
  void *argument[24];
  int sizes[3], ld[3], one, info, *pivots;
  double scalar[5][2]; /* alpha, beta, cosine, sine, rotm (five numbers from there) */
  float narrow[5][2];
  double rotm[5];
  float narrow_rotm[5];
  double seconds; /* of the calls alone, where operands are put back between them */
} now;

static bool is_complex(const struct bench_blas *c) { return c->letter >= BENCH_C; }
static bool is_wide(const struct bench_blas *c) { return c->letter == BENCH_D || c->letter == BENCH_Z; }

static int64_t size_by(const struct bench_blas *c, char how) {
  switch (how) {
    case '1': return c->m;
    case '2': return c->n;
    case '3': return c->k;
    case 'm': return c->options[0] == 'L' ? c->m : c->n; /* the triangle or symmetric matrix of that side */
    case 'b': return 2 * c->k + 1;                       /* rows of a band: two sides and the diagonal */
    case 'd': return c->n + 1;                           /* one side and the diagonal */
    default: return 0;
  }
}

static int64_t columns_of(const struct bench_blas *c, char how) {
  return how == 'b' || how == 'd' ? c->m : size_by(c, how);
}

/* A matrix as it is stored: op turns A of gemm and its like over. */
static void shape_matrix(const struct bench_blas *c, struct operand *o, int index) {
  const struct bench_blas_routine *r = &bench_blas_routines[c->routine];
  int64_t rows = size_by(c, r->shapes[2 * index]), columns = columns_of(c, r->shapes[2 * index + 1]);
  bool gemm = strcmp(r->name, "gemm") == 0, gemmt = strcmp(r->name, "gemmt") == 0;
  bool rank_k = strstr(r->name, "rk") || strstr(r->name, "r2k");
  char trans = gemm ? c->options[index] : gemmt ? c->options[1 + index] : rank_k ? c->options[1] : 'N';
  bool turned = index < 2 && trans != 'N' && (gemm || gemmt || rank_k);
  o->rows = turned ? columns : rows;
  o->columns = turned ? rows : columns;
}

/* Distances between columns that are no multiples of a page's half: those share lines of L1, in every library. */
static int64_t ld_for(int64_t rows, int64_t element) {
  return rows * element % 2048 == 0 ? rows + 64 / element : rows;
}

static struct operand *add_operand(const struct bench_blas *c, char name, int *count) {
  struct operand *o = &now.operand[(*count)++];
  int64_t element = bench_blas_element(c->letter);
  *o = (struct operand){.name = name, .columns = 1};
  if (name == 'X' || name == 'Y') {
    o->rows = c->m > c->n ? c->m : c->n; /* the longer of a matrix's two */
    if (!strchr(bench_blas_routines[c->routine].arguments, '2')) o->rows = c->m;
  } else {
    shape_matrix(c, o, name - 'A');
  }
  o->ld = o->columns == 1 ? o->rows : ld_for(o->rows, element);
  o->bytes = (size_t)(o->ld * o->columns * element);
  return o;
}

static void set(char *to, const struct bench_blas *c, int64_t i, double re, double im) {
  if (is_complex(c)) {
    if (is_wide(c))
      ((double *)to)[2 * i] = re, ((double *)to)[2 * i + 1] = im;
    else
      ((float *)to)[2 * i] = (float)re, ((float *)to)[2 * i + 1] = (float)im;
  } else if (is_wide(c)) {
    ((double *)to)[i] = re;
  } else {
    ((float *)to)[i] = (float)re;
  }
}

/* Triangles have a diagonal of 1 beside small numbers, and what is to be factored a large one: so that numbers neither
 * grow nor vanish in thousands of calls on the same operands. */
static void fill_operand(const struct bench_blas *c, const struct operand *o, char *to) {
  const char *name = bench_blas_routines[c->routine].name;
  bool triangle = o->name == 'A' && name[0] == 't', factored = o->name == 'A' && strcmp(name, "potrf") == 0;
  bool banded = name[1] == 'b', packed = name[1] == 'p';
  double small = triangle ? 1e-3 / (double)o->columns : 1;
  int64_t elements = o->ld * o->columns;
  for (int64_t i = 0; i < elements; i++)
    set(to, c, i, small * bench_random((size_t)i), small * bench_random((size_t)i + 1));
  if (!triangle && !factored) return;
  for (int64_t j = 0; j < o->columns && !packed; j++)
    set(to, c, (!banded ? j : c->options[0] == 'U' ? o->rows - 1 : 0) + j * o->ld,
        factored ? (double)o->columns : 1, 0);
  for (int64_t j = 0, at = 0; j < o->columns && packed; j++) {
    bool upper = c->options[0] == 'U';
    set(to, c, upper ? at + j : at, 1, 0);
    at += upper ? j + 1 : o->columns - j;
  }
}

static void add_scalars(const struct bench_blas *c) {
  const char *name = bench_blas_routines[c->routine].name;
  double alpha = strstr(name, "scal") ? -1 : name[0] == 't' ? 1 : 1e-3;
  double values[5][2] = {{alpha, 0}, {0.5, 0}, {0.6, 0}, {0.8, 0}, {0, 0}};
  static const double rotm[5] = {-1, 0.6, -0.8, 0.8, 0.6};
  memcpy(now.scalar, values, sizeof values);
  for (int i = 0; i < 5; i++) {
    now.narrow[i][0] = (float)values[i][0];
    now.narrow[i][1] = 0;
    now.rotm[i] = rotm[i];
    now.narrow_rotm[i] = (float)rotm[i];
  }
}

static void *scalar(const struct bench_blas *c, int i) {
  return is_wide(c) ? (void *)now.scalar[i] : (void *)now.narrow[i];
}

/* The list of pointers, in the order of the routine's arguments. */
static void add_arguments(const struct bench_blas *c, int operands) {
  int option = 0, at = 0, which = 0;
  now.sizes[0] = (int)c->m, now.sizes[1] = (int)c->n, now.sizes[2] = (int)c->k;
  now.one = 1;
  for (const char *a = bench_blas_routines[c->routine].arguments; *a; a++) {
    struct operand *o = &now.operand[which < operands ? which : 0];
    switch (*a) {
      case 'o': now.argument[at++] = (void *)&c->options[option++]; break;
      case '1': case '2': case '3': now.argument[at++] = &now.sizes[*a - '1']; break;
      case 'a': now.argument[at++] = scalar(c, 0); break;
      case 'b': now.argument[at++] = scalar(c, 1); break;
      case 'c': now.argument[at++] = scalar(c, 2); break;
      case 's': now.argument[at++] = scalar(c, 3); break;
      case 'p': now.argument[at++] = is_wide(c) ? (void *)now.rotm : (void *)now.narrow_rotm; break;
      case 'P': now.argument[at++] = o->now, which++; break;
      case 'X': case 'Y': now.argument[at++] = o->now, now.argument[at++] = &now.one, which++; break;
      case 'I': now.argument[at++] = now.pivots; break;
      case 'i': now.argument[at++] = &now.info; break;
      default:
        now.ld[*a - 'A'] = (int)o->ld;
        now.argument[at++] = o->now, now.argument[at++] = &now.ld[*a - 'A'], which++;
    }
  }
  /* The hidden lengths of letters, and room for them in every routine. */
  for (; at < 24; at++) now.argument[at] = (void *)1;
}

#define ALIGN 4096

static enum bench_answer prepare(const struct bench_request *r) {
  const struct bench_blas *c = &r->blas;
  const struct bench_blas_routine *routine = &bench_blas_routines[c->routine];
  int operands = 0;
  memset(now.operand, 0, sizeof now.operand);
  size_t bytes = (size_t)(c->m > c->n ? c->m : c->n) * sizeof(int) + ALIGN;
  for (const char *a = routine->arguments; *a; a++)
    if (strchr("ABCXYP", *a)) bytes += add_operand(c, *a == 'P' ? 'A' : *a, &operands)->bytes + 2 * ALIGN;
  char *memory = bench_memory(routine->restores ? 2 * bytes : bytes), *start = memory;
  if (!memory) return BENCH_NO_MEMORY;
  for (int i = 0; i < operands; i++) {
    struct operand *o = &now.operand[i];
    o->now = memory + 128 * (i + 1); /* not all at the same place of a page */
    memory += (o->bytes + 2 * ALIGN - 1) / ALIGN * ALIGN;
    fill_operand(c, o, o->now);
    o->then = routine->restores ? memcpy(start + bytes + (o->now - start), o->now, o->bytes) : o->now;
  }
  now.pivots = (int *)memory;
  add_scalars(c);
  add_arguments(c, operands);
  return BENCH_OK;
}

/* --- Calls ---------------------------------------------------------------------------------------------------------- */

typedef void any(void *, void *, void *, void *, void *, void *, void *, void *, void *, void *, void *, void *, void *,
                 void *, void *, void *, void *, void *, void *, void *);

static inline void call_once(any *function) {
  void **x = now.argument;
  function(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], x[10], x[11], x[12], x[13], x[14], x[15], x[16],
           x[17], x[18], x[19]);
}

typedef void by_value(int, const void *, int, const void *, int, void *);

static void call_by_value(by_value *function) {
  function(now.sizes[0], now.operand[0].now, 1, now.operand[1].now, 1, now.scalar[4]);
}

static void call(const struct bench_request *r, int caller, int64_t calls) {
  any *function = (any *)function_of(&r->blas);
  (void)caller;
  now.seconds = 0;
  if (is_complex_function(&r->blas)) {
    for (; calls > 0; calls--) call_by_value((by_value *)(void *)function);
    return;
  }
  if (!bench_blas_routines[r->blas.routine].restores) {
    for (; calls > 0; calls--) call_once(function);
    return;
  }
  for (; calls > 0; calls--) {
    for (int i = 0; i < 5 && now.operand[i].name; i++)
      memcpy(now.operand[i].now, now.operand[i].then, now.operand[i].bytes);
    double start = bench_now();
    call_once(function);
    now.seconds += bench_now() - start;
  }
}

static double elapsed(void) { return now.seconds; }

static double part(const struct bench_blas *c, const char *from, int64_t i) {
  return is_wide(c) ? ((const double *)from)[i] : ((const float *)from)[i];
}

/* A function's value: all that can be are in the first vector register or, for amax, in the first integer one. */
static double value_of(const struct bench_blas *c) {
  void *function = function_of(c), **x = now.argument;
  if (is_complex_function(c)) {
    call_by_value((by_value *)function);
    return part(c, (const char *)now.scalar[4], 0);
  }
  if (strcmp(bench_blas_routines[c->routine].name, "amax") == 0)
    return ((int (*)(void *, void *, void *))function)(x[0], x[1], x[2]);
  if (is_wide(c)) return ((double (*)(void *, void *, void *, void *, void *))function)(x[0], x[1], x[2], x[3], x[4]);
  return ((float (*)(void *, void *, void *, void *, void *))function)(x[0], x[1], x[2], x[3], x[4]);
}

/* A sum of what one call leaves in fresh operands, weighted so that places count. */
static bool sum_up(const struct bench_request *r, double *sum, double *scale) {
  const struct bench_blas *c = &r->blas;
  const char *written = bench_blas_routines[c->routine].written;
  *sum = *scale = 0;
  if (prepare(r) != BENCH_OK) return false;
  if (!*written) {
    *sum = value_of(c);
    *scale = fabs(*sum);
    return isfinite(*sum);
  }
  call_once((any *)function_of(c));
  for (int i = 0; i < 5 && now.operand[i].name; i++) {
    const struct operand *o = &now.operand[i];
    if (!strchr(written, o->name)) continue;
    int64_t parts = is_complex(c) ? 2 : 1;
    for (int64_t j = 0; j < o->columns; j++)
      for (int64_t k = 0; k < o->rows * parts; k++) {
        double x = part(c, o->now, j * o->ld * parts + k), weight = 1 + (double)((j * 31 + k) % 97) / 97;
        *sum += x * weight;
        *scale += fabs(x);
      }
  }
  return isfinite(*sum);
}

static double last_sum, last_scale;

static bool right(const struct bench_request *r) { return sum_up(r, &last_sum, &last_scale); }

void bench_blas_sum(double *sum, double *scale) {
  *sum = last_sum;
  *scale = last_scale;
}

static void release(void) {
  memset(now.operand, 0, sizeof now.operand);
  bench_memory_release();
}

const struct bench_op bench_op_blas = {"blas", find, has, prepare, call, right, release, elapsed};
