/* Level 1 of one real type and its complex numbers: vectors_f32.c and vectors_f64.c include this with REAL, TABLE and the
 * functions' names. Short vectors are one call of a kernel; longer ones are cut into blocks. */
#include <math.h>

#include "src/level1/level1.h"
#include "src/level1/run.h"

#define INLINE static inline __attribute__((always_inline))
#define COLD __attribute__((noinline))

enum { BLOCK = TSR_LEVEL1_BLOCK, SIZE = sizeof(REAL) };
enum { SHORT = BLOCK, PIECE = 2048 }; /* one call takes so many reals, or pieces of so many on several threads */

INLINE const TABLE *kernels(void) { return (const TABLE *)&tsr_level1_get()[TYPE].level1; }

/* Element 0. */
INLINE const REAL *start(int parts, int64_t n, const REAL *x, int64_t inc) {
  return inc < 0 ? x + (1 - n) * inc * parts : x;
}
INLINE REAL *start_of(int parts, int64_t n, REAL *x, int64_t inc) { return inc < 0 ? x + (1 - n) * inc * parts : x; }

/* A long call: elementwise in pieces, of sums in blocks. */
enum task { TASK_COPY, TASK_COPY_FAR, TASK_SWAP, TASK_FILL, TASK_SCALE, TASK_SCALE_PARTS, TASK_COPY_SCALED, TASK_AXPY, TASK_AXPBY, TASK_ROT,
            TASK_DOT, TASK_DOT_F64, TASK_ASUM, TASK_SQUARES, TASK_SCALED_SQUARES, TASK_IAMAX };
enum { ROUND = 256 }; /* blocks whose sums are kept side by side */

struct call {
  enum task task;
  int parts;
  int64_t n, incx, incy;
  const REAL *x;
  REAL *y;
  REAL a[2], b[2], h[4];
  double factor;
  struct round *round;
};

/* Results of blocks side by side, and the number of the first one. */
struct round {
  int64_t first;
  double sum[ROUND];
  REAL products[ROUND][4], most[ROUND];
  int64_t at[ROUND];
};

static void elements(struct call *c, int64_t n, const REAL *x, REAL *y) {
  const TABLE *k = kernels();
  bool pairs = c->parts == 2;
  switch (c->task) {
    case TASK_COPY: (pairs ? k->copy_complex : k->copy)(n, x, c->incx, y, c->incy); break;
    case TASK_COPY_FAR: k->copy_far(n * c->parts, x, y); break;
    case TASK_SWAP: (pairs ? k->swap_complex : k->swap)(n, (REAL *)x, c->incx, y, c->incy); break;
    case TASK_FILL:
      if (pairs) k->fill_complex(n, c->a, y, c->incy);
      else k->fill(n, c->a[0], y, c->incy);
      break;
    case TASK_SCALE:
      if (pairs) k->scale_complex(n, c->a, y, c->incy);
      else k->scale(n, c->a[0], y, c->incy);
      break;
    case TASK_SCALE_PARTS: k->scale_parts(n, c->a[0], y, c->incy); break;
    case TASK_COPY_SCALED:
      if (pairs) k->copy_scaled_complex(n, c->a, x, c->incx, y, c->incy);
      else k->copy_scaled(n, c->a[0], x, c->incx, y, c->incy);
      break;
    case TASK_AXPY:
      if (pairs) k->axpy_complex(n, c->a, x, c->incx, y, c->incy);
      else k->axpy(n, c->a[0], x, c->incx, y, c->incy);
      break;
    case TASK_AXPBY:
      if (pairs) k->axpby_complex(n, c->a, x, c->incx, c->b, y, c->incy);
      else k->axpby(n, c->a[0], x, c->incx, c->b[0], y, c->incy);
      break;
    case TASK_ROT: (pairs ? k->rot_complex : k->rot)(n, (REAL *)x, c->incx, y, c->incy, c->h); break;
    default: break;
  }
}

static void some_elements(void *arg, int64_t first, int64_t end) {
  struct call *c = arg;
  int64_t piece = PIECE / c->parts, from = first * piece, to = tsr_min(end * piece, c->n);
  elements(c, to - from, c->x + from * c->incx * c->parts, c->y + from * c->incy * c->parts);
}

/* Elements in any order, or one after another where a vector is one element. */
COLD static void long_elements(struct call *c) {
  int64_t vectors = c->x == c->y ? 1 : 2, pieces = tsr_ceil_div(c->n * c->parts, PIECE);
  if (c->incy == 0 || (c->incx == 0 && c->task == TASK_ROT) || (c->incx == 0 && c->task == TASK_SWAP))
    return elements(c, c->n, c->x, c->y);
  int64_t bytes = vectors * c->n * c->parts * SIZE;
  if (c->task == TASK_COPY && c->incx == 1 && c->incy == 1 && tsr_level1_far(bytes)) c->task = TASK_COPY_FAR;
  tsr_level1_split(pieces, bytes, some_elements, c);
}

static void sum_block(const struct call *c, int64_t i, int64_t n, const REAL *x, const REAL *y) {
  const TABLE *k = kernels();
  struct round *r = c->round;
  bool pairs = c->parts == 2;
  switch (c->task) {
    case TASK_DOT:
      if (pairs) k->dot_complex(n, x, c->incx, y, c->incy, r->products[i]);
      else r->sum[i] = k->dot(n, x, c->incx, y, c->incy);
      break;
    case TASK_ASUM: r->sum[i] = (pairs ? k->asum_complex : k->asum)(n, x, c->incx); break;
    case TASK_SQUARES: r->sum[i] = (pairs ? k->squares_complex : k->squares)(n, x, c->incx); break;
    case TASK_IAMAX: r->at[i] = (pairs ? k->iamax_complex : k->iamax)(n, x, c->incx, &r->most[i]); break;
#ifdef NARROW
    case TASK_DOT_F64: r->sum[i] = k->dot_f64(n, x, c->incx, y, c->incy); break;
#else
    case TASK_SCALED_SQUARES:
      r->sum[i] = (pairs ? k->scaled_squares_complex : k->scaled_squares)(n, x, c->incx, c->factor);
      break;
#endif
    default: break;
  }
}

static void sum_blocks(void *arg, int64_t first, int64_t end) {
  struct call *c = arg;
  int64_t block = BLOCK / c->parts;
  for (int64_t i = first; i < end; i++) {
    int64_t from = (c->round->first + i) * block;
    sum_block(c, i, tsr_min(block, c->n - from), c->x + from * c->incx * c->parts, c->y + from * c->incy * c->parts);
  }
}

/* Computes the blocks from round->first on and gives how many; 0: none was left. */
static int64_t next_round(struct call *c, int vectors) {
  int64_t left = tsr_ceil_div(c->n * c->parts, BLOCK) - c->round->first, count = tsr_min(left, ROUND);
  if (count > 0) tsr_level1_split(count, vectors * tsr_min(c->n * c->parts, count * BLOCK) * SIZE, sum_blocks, c);
  return count;
}

/* The blocks' sums added in order. */
COLD static double long_sum(struct call *c, int vectors) {
  struct round r;
  double wide = 0;
  REAL sum = 0;
  c->round = &r;
  r.first = 0;
  for (int64_t count; (count = next_round(c, vectors)) > 0; r.first += count)
    for (int64_t i = 0; i < count; i++) {
      wide = r.first + i == 0 ? r.sum[0] : wide + r.sum[i];
      sum = r.first + i == 0 ? (REAL)r.sum[0] : sum + (REAL)r.sum[i];
    }
  return c->task == TASK_DOT || c->task == TASK_ASUM ? sum : wide;
}

/* --- Elementwise -------------------------------------------------------------------------------------------------- */

/* What a thread has to itself without asking. */
INLINE bool is_short(int parts, int64_t n) { return n <= SHORT / parts; }
#define LONG(...) long_elements(&(struct call){__VA_ARGS__})

void COPY(int64_t n, const REAL *x, int64_t incx, REAL *y, int64_t incy) {
  if (n <= 0) return;
  x = start(1, n, x, incx), y = start_of(1, n, y, incy);
  if (is_short(1, n)) return kernels()->copy(n, x, incx, y, incy);
  LONG(.task = TASK_COPY, .parts = 1, .n = n, .x = x, .incx = incx, .y = y, .incy = incy);
}

void COPY_COMPLEX(int64_t n, const REAL *x, int64_t incx, REAL *y, int64_t incy) {
  if (n <= 0) return;
  x = start(2, n, x, incx), y = start_of(2, n, y, incy);
  if (is_short(2, n)) return kernels()->copy_complex(n, x, incx, y, incy);
  LONG(.task = TASK_COPY, .parts = 2, .n = n, .x = x, .incx = incx, .y = y, .incy = incy);
}

void SWAP(int64_t n, REAL *x, int64_t incx, REAL *y, int64_t incy) {
  if (n <= 0) return;
  x = start_of(1, n, x, incx), y = start_of(1, n, y, incy);
  if (is_short(1, n)) return kernels()->swap(n, x, incx, y, incy);
  LONG(.task = TASK_SWAP, .parts = 1, .n = n, .x = x, .incx = incx, .y = y, .incy = incy);
}

void SWAP_COMPLEX(int64_t n, REAL *x, int64_t incx, REAL *y, int64_t incy) {
  if (n <= 0) return;
  x = start_of(2, n, x, incx), y = start_of(2, n, y, incy);
  if (is_short(2, n)) return kernels()->swap_complex(n, x, incx, y, incy);
  LONG(.task = TASK_SWAP, .parts = 2, .n = n, .x = x, .incx = incx, .y = y, .incy = incy);
}

void SCAL(int64_t n, REAL alpha, REAL *x, int64_t incx) {
  if (n <= 0 || incx <= 0 || alpha == 1) return;
  if (is_short(1, n)) return kernels()->scale(n, alpha, x, incx);
  LONG(.task = TASK_SCALE, .parts = 1, .n = n, .a = {alpha}, .x = x, .y = x, .incy = incx);
}

void SCAL_COMPLEX(int64_t n, const REAL alpha[2], REAL *x, int64_t incx) {
  if (n <= 0 || incx <= 0 || (alpha[0] == 1 && alpha[1] == 0)) return;
  if (is_short(2, n)) return kernels()->scale_complex(n, alpha, x, incx);
  LONG(.task = TASK_SCALE, .parts = 2, .n = n, .a = {alpha[0], alpha[1]}, .x = x, .y = x, .incy = incx);
}

void SCAL_PARTS(int64_t n, REAL alpha, REAL *x, int64_t incx) {
  if (n <= 0 || incx <= 0 || alpha == 1) return;
  if (is_short(2, n)) return kernels()->scale_parts(n, alpha, x, incx);
  LONG(.task = TASK_SCALE_PARTS, .parts = 2, .n = n, .a = {alpha}, .x = x, .y = x, .incy = incx);
}

void AXPY(int64_t n, REAL alpha, const REAL *x, int64_t incx, REAL *y, int64_t incy) {
  if (n <= 0 || alpha == 0) return;
  x = start(1, n, x, incx), y = start_of(1, n, y, incy);
  if (is_short(1, n)) return kernels()->axpy(n, alpha, x, incx, y, incy);
  LONG(.task = TASK_AXPY, .parts = 1, .n = n, .a = {alpha}, .x = x, .incx = incx, .y = y, .incy = incy);
}

void AXPY_COMPLEX(int64_t n, const REAL alpha[2], const REAL *x, int64_t incx, REAL *y, int64_t incy) {
  if (n <= 0 || (alpha[0] == 0 && alpha[1] == 0)) return;
  x = start(2, n, x, incx), y = start_of(2, n, y, incy);
  if (is_short(2, n)) return kernels()->axpy_complex(n, alpha, x, incx, y, incy);
  LONG(.task = TASK_AXPY, .parts = 2, .n = n, .a = {alpha[0], alpha[1]}, .x = x, .incx = incx, .y = y, .incy = incy);
}

/* Which of the tasks axpby is: neither x nor y is read if its factor is 0. */
static enum task axpby_task(int parts, const REAL alpha[2], const REAL beta[2]) {
  bool x = alpha[0] != 0 || (parts == 2 && alpha[1] != 0), y = beta[0] != 0 || (parts == 2 && beta[1] != 0);
  return x ? y ? TASK_AXPBY : TASK_COPY_SCALED : y ? TASK_SCALE : TASK_FILL;
}

static void axpby(int parts, int64_t n, const REAL alpha[2], const REAL *x, int64_t incx, const REAL beta[2], REAL *y,
                  int64_t incy) {
  struct call c = {.parts = parts, .n = n, .x = x, .incx = incx, .incy = incy};
  c.task = axpby_task(parts, alpha, beta);
  c.x = start(parts, n, x, incx), c.y = start_of(parts, n, y, incy);
  const REAL *a = c.task == TASK_SCALE ? beta : alpha;
  c.a[0] = a[0], c.a[1] = a[1], c.b[0] = beta[0], c.b[1] = beta[1];
  if (c.task == TASK_FILL || c.task == TASK_SCALE) c.x = c.y, c.incx = incy;
  if (c.task == TASK_FILL) c.a[0] = c.a[1] = 0;
  if (is_short(parts, n)) elements(&c, n, c.x, c.y);
  else long_elements(&c);
}

void AXPBY(int64_t n, REAL alpha, const REAL *x, int64_t incx, REAL beta, REAL *y, int64_t incy) {
  const REAL a[2] = {alpha, 0}, b[2] = {beta, 0};
  if (n <= 0) return;
  if (alpha == 0 || beta == 0 || !is_short(1, n)) return axpby(1, n, a, x, incx, b, y, incy);
  kernels()->axpby(n, alpha, start(1, n, x, incx), incx, beta, start_of(1, n, y, incy), incy);
}

void AXPBY_COMPLEX(int64_t n, const REAL alpha[2], const REAL *x, int64_t incx, const REAL beta[2], REAL *y,
                   int64_t incy) {
  if (n <= 0) return;
  if (axpby_task(2, alpha, beta) != TASK_AXPBY || !is_short(2, n)) return axpby(2, n, alpha, x, incx, beta, y, incy);
  kernels()->axpby_complex(n, alpha, start(2, n, x, incx), incx, beta, start_of(2, n, y, incy), incy);
}

static void turn(int parts, int64_t n, REAL *x, int64_t incx, REAL *y, int64_t incy, const REAL h[4]) {
  if (n <= 0) return;
  x = start_of(parts, n, x, incx), y = start_of(parts, n, y, incy);
  if (is_short(parts, n)) return (parts == 2 ? kernels()->rot_complex : kernels()->rot)(n, x, incx, y, incy, h);
  LONG(.task = TASK_ROT, .parts = parts, .n = n, .h = {h[0], h[1], h[2], h[3]}, .x = x, .incx = incx, .y = y,
       .incy = incy);
}

void ROT(int64_t n, REAL *x, int64_t incx, REAL *y, int64_t incy, REAL c, REAL s) {
  const REAL h[4] = {c, -s, s, c};
  turn(1, n, x, incx, y, incy, h);
}

void ROT_COMPLEX(int64_t n, REAL *x, int64_t incx, REAL *y, int64_t incy, REAL c, REAL s) {
  const REAL h[4] = {c, -s, s, c};
  turn(2, n, x, incx, y, incy, h);
}

/* param[0] says which of the matrix's elements are given and which are 1 or -1; -2: it is the identity. */
void ROTM(int64_t n, REAL *x, int64_t incx, REAL *y, int64_t incy, const REAL *param) {
  REAL h[4] = {param[1], param[2], param[3], param[4]};
  if (param[0] == -2) return;
  if (param[0] == 0) h[0] = h[3] = 1;
  if (param[0] > 0) h[1] = -1, h[2] = 1;
  turn(1, n, x, incx, y, incy, h);
}

/* --- Sums --------------------------------------------------------------------------------------------------------- */

REAL DOT(int64_t n, const REAL *x, int64_t incx, const REAL *y, int64_t incy) {
  if (n <= 1) return n < 1 ? 0 : *x * *y + 0; /* -0 is added to lanes of +0 */
  x = start(1, n, x, incx), y = start(1, n, y, incy);
  if (is_short(1, n)) return kernels()->dot(n, x, incx, y, incy);
  struct call c = {.task = TASK_DOT, .parts = 1, .n = n, .x = x, .incx = incx, .y = (REAL *)y, .incy = incy};
  return (REAL)long_sum(&c, 2);
}

#ifdef NARROW
double DOT_F64(int64_t n, const REAL *x, int64_t incx, const REAL *y, int64_t incy) {
  if (n <= 0) return 0;
  x = start(1, n, x, incx), y = start(1, n, y, incy);
  if (is_short(1, n)) return kernels()->dot_f64(n, x, incx, y, incy);
  struct call c = {.task = TASK_DOT_F64, .parts = 1, .n = n, .x = x, .incx = incx, .y = (REAL *)y, .incy = incy};
  return long_sum(&c, 2);
}
#endif

/* Each of the four sums of products over the blocks in order. */
COLD static void long_products(struct call *c, REAL sums[4]) {
  struct round r;
  c->round = &r;
  r.first = 0;
  for (int64_t count; (count = next_round(c, 2)) > 0; r.first += count)
    for (int64_t i = 0; i < count; i++)
      for (int p = 0; p < 4; p++) sums[p] = r.first + i == 0 ? r.products[0][p] : sums[p] + r.products[i][p];
}

void DOT_COMPLEX(int64_t n, bool conjugate, const REAL *x, int64_t incx, const REAL *y, int64_t incy, REAL out[2]) {
  REAL p[4] = {0};
  if (n == 1) { /* -0 is added to lanes of +0 */
    p[0] = x[0] * y[0] + 0, p[1] = x[1] * y[1] + 0;
    p[2] = x[0] * y[1] + 0, p[3] = x[1] * y[0] + 0;
  } else if (n > 1) {
    x = start(2, n, x, incx), y = start(2, n, y, incy);
    if (is_short(2, n)) {
      kernels()->dot_complex(n, x, incx, y, incy, p);
    } else {
      struct call c = {.task = TASK_DOT, .parts = 2, .n = n, .x = x, .incx = incx, .y = (REAL *)y, .incy = incy};
      long_products(&c, p);
    }
  }
  out[0] = conjugate ? p[0] + p[1] : p[0] - p[1];
  out[1] = conjugate ? p[2] - p[3] : p[2] + p[3];
}

INLINE double sum_of(enum task task, int parts, int64_t n, const REAL *x, int64_t incx, double factor) {
  struct call c = {.task = task, .parts = parts, .n = n, .x = x, .incx = incx, .y = (REAL *)x, .factor = factor};
  return long_sum(&c, 1);
}

REAL ASUM(int64_t n, const REAL *x, int64_t incx) {
  if (n <= 1 || incx <= 0) return n < 1 || incx <= 0 ? 0 : REAL_ABS(*x);
  if (is_short(1, n)) return kernels()->asum(n, x, incx);
  return (REAL)sum_of(TASK_ASUM, 1, n, x, incx, 1);
}

REAL ASUM_COMPLEX(int64_t n, const REAL *x, int64_t incx) {
  if (n <= 0 || incx <= 0) return 0;
  if (is_short(2, n)) return kernels()->asum_complex(n, x, incx);
  return (REAL)sum_of(TASK_ASUM, 2, n, x, incx, 1);
}

/* --- The largest -------------------------------------------------------------------------------------------------- */

/* The first of the largest over the blocks in order. */
COLD static int64_t long_iamax(int parts, int64_t n, const REAL *x, int64_t incx, REAL *most) {
  struct round r;
  struct call c = {.task = TASK_IAMAX, .parts = parts, .n = n, .x = x, .incx = incx, .y = (REAL *)x, .round = &r};
  int64_t found = 0;
  *most = -1;
  r.first = 0;
  for (int64_t count; (count = next_round(&c, 1)) > 0; r.first += count)
    for (int64_t i = 0; i < count; i++) {
      if (isnan(*most) || islessequal(r.most[i], *most)) continue;
      *most = r.most[i], found = (r.first + i) * (BLOCK / parts) + r.at[i];
    }
  return found;
}

INLINE int64_t find_most(int parts, int64_t n, const REAL *x, int64_t incx, REAL *most) {
  if (is_short(parts, n)) return (parts == 2 ? kernels()->iamax_complex : kernels()->iamax)(n, x, incx, most);
  return long_iamax(parts, n, x, incx, most);
}

int64_t IAMAX(int64_t n, const REAL *x, int64_t incx) {
  REAL most;
  if (n <= 1 || incx <= 0) return n == 1 && incx > 0 ? 0 : -1;
  return find_most(1, n, x, incx, &most);
}

/* Sums of parts that reach Inf: an element with Inf in it goes before one whose parts only sum up to it, and of those the
 * largest is told by halves. There is no NaN. */
COLD static int64_t largest_of_huge(int64_t n, const REAL *x, int64_t incx) {
  int64_t found = 0;
  REAL most = -1;
  for (int64_t i = 0; i < n; i++, x += 2 * incx) {
    REAL half = REAL_ABS(x[0]) / 2 + REAL_ABS(x[1]) / 2;
    if (half > most) most = half, found = i;
  }
  return found;
}

int64_t IAMAX_COMPLEX(int64_t n, const REAL *x, int64_t incx) {
  REAL most;
  if (n <= 1 || incx <= 0) return n == 1 && incx > 0 ? 0 : -1;
  int64_t found = find_most(2, n, x, incx, &most);
  return isinf(most) ? largest_of_huge(n, x, incx) : found;
}

/* --- The norm ----------------------------------------------------------------------------------------------------- */

INLINE double sum_of_squares(int parts, int64_t n, const REAL *x, int64_t incx) {
  if (is_short(parts, n)) return (parts == 2 ? kernels()->squares_complex : kernels()->squares)(n, x, incx);
  return sum_of(TASK_SQUARES, parts, n, x, incx, 1);
}

#ifdef NARROW
/* Squares of f32 neither overflow nor underflow in f64. */
INLINE REAL norm(int parts, int64_t n, const REAL *x, int64_t incx) {
  if (n <= 1) return n < 1 ? 0 : parts == 1 ? REAL_ABS(*x) : (REAL)sqrt((double)x[0] * x[0] + (double)x[1] * x[1]);
  if (n == 2 && parts == 1) {
    REAL other = x[incx < 0 ? -incx : incx];
    return (REAL)sqrt((double)x[0] * x[0] + (double)other * other);
  }
  return (REAL)sqrt(sum_of_squares(parts, n, start(parts, n, x, incx), incx));
}
#else
/* A sum of squares from 2^-900 on has lost nothing: what squares below 2^-1022 lose, at most 2^-1075 each, is less than
 * 2^-110 of it for any n. If it is finite nothing has overflowed. */
#define LEAST_SAFE 0x1p-900

/* Squares of x / 2^e, where 2^e is the largest |x|'s power of 2. */
COLD static REAL scaled_norm(int parts, int64_t n, const REAL *x, int64_t incx) {
  REAL most = 0;
  if (parts == 1 || incx == 1) {
    find_most(1, parts * n, x, incx, &most);
  } else {
    REAL part;
    find_most(1, n, x, 2 * incx, &most);
    find_most(1, n, x + 1, 2 * incx, &part);
    most = fmax(most, part);
  }
  if (most == 0 || isinf(most)) return most;
  int e = ilogb(most) < -1022 ? -1022 : ilogb(most);
  double factor = ldexp(1, -e);
  double sum = is_short(parts, n)
                   ? (parts == 2 ? kernels()->scaled_squares_complex : kernels()->scaled_squares)(n, x, incx, factor)
                   : sum_of(TASK_SCALED_SQUARES, parts, n, x, incx, factor);
  return ldexp(sqrt(sum), e);
}

INLINE REAL norm(int parts, int64_t n, const REAL *x, int64_t incx) {
  if (n <= 0) return 0;
  if (n == 1 && parts == 1) return REAL_ABS(*x);
  x = start(parts, n, x, incx);
  double sum = sum_of_squares(parts, n, x, incx);
  if (__builtin_expect(isgreaterequal(sum, LEAST_SAFE) && islessequal(sum, 0x1.fffffffffffffp1023), 1)) return sqrt(sum);
  return isnan(sum) ? sum : scaled_norm(parts, n, x, incx);
}
#endif

REAL NRM2(int64_t n, const REAL *x, int64_t incx) { return norm(1, n, x, incx); }
REAL NRM2_COMPLEX(int64_t n, const REAL *x, int64_t incx) { return norm(2, n, x, incx); }
