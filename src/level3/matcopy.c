#include "src/level3/matcopy.h"

#include <stdlib.h>
#include <string.h>

#define TILE 32 /* rows and columns of a transposition that stay near */

typedef float loose_f32 __attribute__((aligned(1), may_alias));
typedef double loose_f64 __attribute__((aligned(1), may_alias));

static bool is_one(const struct tsr_matcopy *c) { return c->alpha[0] == 1 && c->alpha[1] == 0 && !c->conj; }
static bool is_zero(const struct tsr_matcopy *c) { return c->alpha[0] == 0 && c->alpha[1] == 0; }

/* Elements of A from (i0, j0) on, to where B has them. */
#define SCALED(name, real)                                                                                     \
  static void name(const struct tsr_matcopy *c, int64_t i0, int64_t rows, int64_t j0, int64_t columns) {       \
    const real *a = (const real *)c->a + i0 + j0 * c->lda;                                                     \
    real *b = (real *)c->b + (c->trans ? j0 + i0 * c->ldb : i0 + j0 * c->ldb), alpha = (real)c->alpha[0];      \
    int64_t down = c->trans ? c->ldb : 1, across = c->trans ? 1 : c->ldb;                                      \
    for (int64_t j = 0; j < columns; j++)                                                                      \
      for (int64_t i = 0; i < rows; i++) b[i * down + j * across] = alpha * a[i + j * c->lda];                 \
  }
SCALED(scaled_f32, loose_f32)
SCALED(scaled_f64, loose_f64)

#define SCALED_COMPLEX(name, real)                                                                             \
  static void name(const struct tsr_matcopy *c, int64_t i0, int64_t rows, int64_t j0, int64_t columns) {       \
    const real *a = (const real *)c->a + 2 * (i0 + j0 * c->lda);                                               \
    real *b = (real *)c->b + 2 * (c->trans ? j0 + i0 * c->ldb : i0 + j0 * c->ldb);                             \
    real re = (real)c->alpha[0], im = (real)c->alpha[1], sign = c->conj ? -1 : 1;                              \
    int64_t down = 2 * (c->trans ? c->ldb : 1), across = 2 * (c->trans ? 1 : c->ldb);                          \
    for (int64_t j = 0; j < columns; j++)                                                                      \
      for (int64_t i = 0; i < rows; i++) {                                                                     \
        real x = a[2 * (i + j * c->lda)], y = sign * a[2 * (i + j * c->lda) + 1];                              \
        real *to = b + i * down + j * across;                                                                  \
        to[0] = im == 0 ? re * x : re * x - im * y;                                                            \
        to[1] = im == 0 ? re * y : re * y + im * x;                                                            \
      }                                                                                                        \
  }
SCALED_COMPLEX(scaled_c32, loose_f32)
SCALED_COMPLEX(scaled_c64, loose_f64)

typedef void block(const struct tsr_matcopy *c, int64_t i0, int64_t rows, int64_t j0, int64_t columns);

static block *block_of(tsr_type type) {
  return type == TSR_F32 ? scaled_f32 : type == TSR_F64 ? scaled_f64 : type == TSR_C32 ? scaled_c32 : scaled_c64;
}

static void zeros(const struct tsr_matcopy *c) {
  int64_t size = tsr_size_of(c->type);
  int64_t rows = c->trans ? c->columns : c->rows, columns = c->trans ? c->rows : c->columns;
  for (int64_t j = 0; j < columns; j++) memset((void *)(c->b + (tsr_mem)(j * c->ldb * size)), 0, (size_t)(rows * size));
}

static void columns_as_they_are(const struct tsr_matcopy *c) {
  int64_t size = tsr_size_of(c->type);
  for (int64_t j = 0; j < c->columns; j++)
    memcpy((void *)(c->b + (tsr_mem)(j * c->ldb * size)), (const void *)(c->a + (tsr_mem)(j * c->lda * size)),
           (size_t)(c->rows * size));
}

/* Elements of 8 bytes are turned over as f64, whatever they are. A signalling NaN stays one, as nothing is computed. */
static const struct tsr_kernel *turn_of(const tsr_context *context, tsr_type type) {
  tsr_type as = type == TSR_C32 ? TSR_F64 : type;
  return type == TSR_C64 ? NULL : context->kernels[as].turn[as];
}

static void turned_over(const struct tsr_matcopy *c, const struct tsr_kernel *turn) {
  int64_t size = tsr_size_of(c->type);
  struct tsr_step step = {.m = c->columns, .n = c->rows, .rsa = c->lda * size, .csc = c->ldb * size};
  turn->run(&step, c->a, 0, c->b);
}

static void in_blocks(const struct tsr_matcopy *c) {
  block *run = block_of(c->type);
  int64_t rows = c->trans ? TILE : c->rows;
  for (int64_t j = 0; j < c->columns; j += TILE)
    for (int64_t i = 0; i < c->rows; i += rows)
      run(c, i, tsr_min(rows, c->rows - i), j, tsr_min(TILE, c->columns - j));
}

void tsr_matcopy(const tsr_context *context, const struct tsr_matcopy *c) {
  const struct tsr_kernel *turn = turn_of(context, c->type);
  if (c->rows == 0 || c->columns == 0) return;
  if (is_zero(c))
    zeros(c);
  else if (is_one(c) && !c->trans)
    columns_as_they_are(c);
  else if (is_one(c) && turn)
    turned_over(c, turn);
  else
    in_blocks(c);
}

/* Columns that keep their length need no second copy: they move away from what is still to be read. */
static void without_copy(const tsr_context *context, const struct tsr_matcopy *c) {
  int64_t size = tsr_size_of(c->type);
  for (int64_t done = 0; done < c->columns; done++) {
    int64_t j = c->ldb > c->lda ? c->columns - 1 - done : done;
    struct tsr_matcopy column = *c;
    column.columns = 1;
    column.a = c->a + (tsr_mem)(j * c->lda * size);
    column.b = c->a + (tsr_mem)(j * c->ldb * size);
    if (column.a != column.b && !is_zero(c)) {
      memmove((void *)column.b, (const void *)column.a, (size_t)(c->rows * size));
      column.a = column.b;
    }
    if (is_zero(c) || !is_one(c)) tsr_matcopy(context, &column);
  }
}

tsr_status tsr_matcopy_in_place(const tsr_context *context, const struct tsr_matcopy *c) {
  struct tsr_matcopy out = *c, back = *c;
  int64_t bytes;
  if (c->rows == 0 || c->columns == 0) return TSR_OK;
  if (!c->trans) {
    without_copy(context, c);
    return TSR_OK;
  }
  if (__builtin_mul_overflow(c->rows * c->columns, tsr_size_of(c->type), &bytes)) bytes = INT64_MAX;
  void *copy = malloc((size_t)bytes);
  if (!copy) return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for a copy of the matrix");
  out.b = (tsr_mem)copy;
  out.ldb = c->columns;
  tsr_matcopy(context, &out);
  back = (struct tsr_matcopy){.type = c->type, .rows = c->columns, .columns = c->rows, .lda = c->columns, .ldb = c->ldb,
                              .alpha = {1, 0}, .a = out.b, .b = c->a};
  tsr_matcopy(context, &back);
  free(copy);
  return TSR_OK;
}
