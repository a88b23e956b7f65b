/* Level 2 where memory to copy whole vectors into cannot be had: pieces of them go through buffers on the stack. Sums are
 * formed in the same order as elsewhere, so the bits are the same; it takes longer, for x is gathered again and again. */
#include <string.h>

#include "src/level2/parts.h"

enum { GROUP = TSR_LEVEL2_GROUP, BLOCK = TSR_LEVEL2_BLOCK, MOST_SIZE = 16 };

struct block {
  _Alignas(64) char bytes[BLOCK * MOST_SIZE];
};

struct vector {
  tsr_type type;
  tsr_mem first;
  int64_t step; /* in elements */
  bool conj;
};

struct work {
  const tsr_context *context;
  const struct tsr_level2 *p;
  struct tsr_step step;
  int64_t size;
  tsr_mem a;
  struct vector x, y;
};

static struct vector vector_of(const struct tsr_level2 *p, int64_t n, tsr_mem x, int64_t inc, bool conj) {
  return (struct vector){p->type, tsr_level2_element_0(p, n, x, inc), inc, conj};
}

static tsr_mem place_of(const struct vector *v, int64_t i) { return v->first + (tsr_mem)(i * v->step * tsr_size_of(v->type)); }

/* Elements i to i + n - 1. */
static tsr_mem load(const struct vector *v, int64_t i, int64_t n, void *to) {
  tsr_level2_move(v->type, n, place_of(v, i), v->step, (tsr_mem)to, 1);
  if (v->conj) tsr_level2_conjugate(v->type, n, (tsr_mem)to);
  return (tsr_mem)to;
}

static void store(const struct vector *v, int64_t i, int64_t n, const void *from) {
  tsr_level2_move(v->type, n, (tsr_mem)from, 1, place_of(v, i), v->step);
}

static int64_t piece_of(const struct work *w) { return TSR_LEVEL2_STACK / w->size; }

static struct work work_of(const tsr_context *context, const struct tsr_level2 *p, bool triangle, bool strict) {
  struct work w = {.context = context, .p = p, .size = tsr_size_of(p->type)};
  w.step = tsr_level2_step(p, triangle, strict, &w.a);
  return w;
}

/* The step of rows r .. r + m and columns j .. j + n. */
static struct tsr_step step_of(const struct work *w, int64_t r, int64_t m, int64_t j, int64_t n, bool conj, tsr_mem *a) {
  struct tsr_step s = w->step;
  *a = tsr_level2_part(&s, w->a, w->size, r, j);
  s.m = m, s.n = n;
  s.flags &= ~(uint64_t)(TSR_CONJ_A | TSR_CONJ_B);
  if (conj) s.flags |= TSR_CONJ_A;
  return s;
}

/* y += alpha A x of these rows and columns; y is that of row r0. */
static void add_rows(const struct work *w, int64_t r0, int64_t r1, int64_t c0, int64_t c1, bool conj, tsr_mem y) {
  struct tsr_level2_buffer x;
  c0 = tsr_max(c0, r0 - w->step.rsb), c1 = tsr_min(c1, r1 + w->step.csb);
  for (int64_t j = c0; j < c1 && r0 < r1; j += piece_of(w)) {
    tsr_mem a;
    int64_t n = tsr_min(piece_of(w), c1 - j);
    struct tsr_step s = step_of(w, r0, r1 - r0, j, n, conj, &a);
    w->context->kernels[w->p->type].level2_gemv_n->run(&s, a, load(&w->x, j, n, &x), y);
  }
}

/* h = fma(A[i,j], x[i], h) for the rows in order: a product with the one row that they are. */
static void add_chain(const struct work *w, int64_t r0, int64_t r1, int64_t j, bool conj, void *h) {
  char x[GROUP * MOST_SIZE];
  tsr_mem a;
  if (r0 >= r1) return;
  struct tsr_step s = step_of(w, r0, 1, j, r1 - r0, conj, &a);
  s.csa = w->size, s.rsa = 0, s.rsb = 1, s.csb = s.n, s.alpha = 1, s.alpha_im = 0;
  w->context->kernels[w->p->type].level2_gemv_n->run(&s, a, load(&w->x, r0, r1 - r0, x), (tsr_mem)h);
}

/* y = y + alpha * h of one element; if alpha is real, by parts. */
static void add_scaled(const struct work *w, const void *h, tsr_mem y) {
  tsr_type type = w->p->type;
  struct tsr_step s = {.m = 1, .n = 1, .csa = 4 * w->size, .rsb = 4, .csb = 4, .alpha = w->step.alpha,
                       .alpha_im = w->step.alpha_im};
  if (s.alpha_im == 0 && tsr_level2_complex(w->p)) type = type == TSR_C32 ? TSR_F32 : TSR_F64, s.m = 2;
  const float narrow[2] = {1, 0};
  const double one[2] = {1, 0};
  bool is_narrow = type == TSR_F32 || type == TSR_C32;
  w->context->kernels[type].level2_gemv_n->run(&s, (tsr_mem)h, is_narrow ? (tsr_mem)narrow : (tsr_mem)one, y);
}

/* y += alpha A' x of a group of columns and rows r0 .. r1; y is that of column j. */
static void add_group(const struct work *w, int64_t j, int64_t n, int64_t r0, int64_t r1, bool conj, tsr_mem y) {
  tsr_run *run = w->context->kernels[w->p->type].level2_gemv_t->run;
  int64_t upper = w->step.csb, lower = w->step.rsb, first = tsr_max(r0, j - upper), end = tsr_min(r1, j + n + lower);
  int64_t from = tsr_max(r0, j + n - 1 - upper), to = tsr_min(r1, j + 1 + lower);
  struct block x;
  tsr_mem a;
  if (end - first <= BLOCK) {
    struct tsr_step s = step_of(w, first, end - first, j, n, conj, &a);
    run(&s, a, load(&w->x, first, tsr_max(0, end - first), &x), y);
    return;
  }
  for (int64_t c = 0; c < n && (from > first || to < end); c++) {
    double h[2] = {0, 0};
    add_chain(w, tsr_max(r0, j + c - upper), from, j + c, conj, h);
    add_chain(w, to, tsr_min(r1, j + c + 1 + lower), j + c, conj, h);
    add_scaled(w, h, y + (tsr_mem)(c * w->size));
  }
  for (int64_t i = from; i < to; i += BLOCK) {
    int64_t m = tsr_min(BLOCK, to - i);
    struct tsr_step s = step_of(w, i, m, j, n, conj, &a);
    run(&s, a, load(&w->x, i, m, &x), y);
  }
}

/* A piece of beta * y. */
static tsr_mem load_scaled(const struct work *w, int64_t i, int64_t n, struct tsr_level2_buffer *to) {
  if (w->p->beta[0] != 0 || w->p->beta[1] != 0) load(&w->y, i, n, to);
  tsr_level2_scale(w->context, w->p, w->p->beta, n, (tsr_mem)to);
  return (tsr_mem)to;
}

void tsr_level2_gemv_by_pieces(const tsr_context *context, const struct tsr_level2 *p) {
  struct tsr_level2_buffer buffer;
  struct work w = work_of(context, p, false, false);
  bool read_x = p->alpha[0] != 0 || p->alpha[1] != 0;
  int64_t nx = p->trans ? p->m : p->n, ny = p->trans ? p->n : p->m, most = p->trans ? GROUP : piece_of(&w);
  w.x = vector_of(p, nx, p->x, p->incx, p->conj_x);
  w.y = vector_of(p, ny, p->y, p->incy, false);
  for (int64_t i = 0; i < ny; i += most) {
    int64_t n = tsr_min(most, ny - i);
    tsr_mem y = load_scaled(&w, i, n, &buffer);
    if (read_x && p->trans) add_group(&w, i, n, 0, p->m, p->conj, y);
    if (read_x && !p->trans) add_rows(&w, i, i + n, 0, p->n, p->conj, y);
    store(&w.y, i, n, &buffer);
  }
}

/* --- Symmetric matrices ------------------------------------------------------------------------------------------- */

/* What a group of columns adds to rows r0 .. r1 of y: its rows above or below the diagonal, and if it is one of the rows the
 * square on the diagonal and that part's transpose. */
static void add_symmetric(const struct work *w, int64_t j, int64_t n, int64_t r0, int64_t r1, tsr_mem y) {
  bool conj_n = w->step.flags & TSR_CONJ_A, conj_t = w->step.flags & TSR_CONJ_B;
  int64_t first = w->p->upper ? 0 : j + n, end = w->p->upper ? j : w->p->n;
  int64_t from = tsr_max(first, r0), to = tsr_min(end, r1);
  if (j >= r0 && j < r1) {
    char x[GROUP * MOST_SIZE];
    tsr_mem a, part = y + (tsr_mem)((j - r0) * w->size);
    struct tsr_step s = step_of(w, j, n, j, n, false, &a);
    s.flags = w->step.flags;
    w->context->kernels[w->p->type].level2_symv->run(&s, a, load(&w->x, j, n, x), part);
    add_group(w, j, n, first, end, conj_t, part);
  }
  add_rows(w, from, to, j, j + n, conj_n, y + (tsr_mem)((from - r0) * w->size));
}

static void add_columns(const struct work *w, int64_t from, int64_t to, int64_t r0, int64_t r1, tsr_mem y) {
  to = tsr_min(to, w->p->n);
  for (int64_t j = from; j < to; j += GROUP) add_symmetric(w, j, tsr_min(GROUP, to - j), r0, r1, y);
}

static void add_strips(const struct work *w, int64_t r0, int64_t r1, tsr_mem y) {
  struct tsr_level2_buffer sums;
  int64_t strips = tsr_level2_strips(w->p), width = tsr_level2_strip_width(w->p);
  if (strips == 1) {
    add_columns(w, 0, w->p->n, r0, r1, y);
    return;
  }
  for (int64_t q = 0; q < strips; q++) {
    int64_t mirror = 2 * strips - 1 - q;
    memset(&sums, 0, sizeof sums);
    add_columns(w, q * width, (q + 1) * width, r0, r1, (tsr_mem)&sums);
    add_columns(w, mirror * width, (mirror + 1) * width, r0, r1, (tsr_mem)&sums);
    tsr_level2_add(w->p->type, r1 - r0, (tsr_mem)&sums, y);
  }
}

void tsr_level2_symv_by_pieces(const tsr_context *context, const struct tsr_level2 *p) {
  struct tsr_level2_buffer buffer;
  struct work w = work_of(context, p, true, false);
  w.x = vector_of(p, p->n, p->x, p->incx, p->conj_x);
  w.y = vector_of(p, p->n, p->y, p->incy, false);
  if (p->hermitian) w.step.flags |= p->conj ? TSR_CONJ_A : TSR_CONJ_B;
  for (int64_t i = 0; i < p->n; i += piece_of(&w)) {
    int64_t n = tsr_min(piece_of(&w), p->n - i);
    tsr_mem y = load_scaled(&w, i, n, &buffer);
    if (p->alpha[0] != 0 || p->alpha[1] != 0) add_strips(&w, i, i + n, y);
    store(&w.y, i, n, &buffer);
  }
}

/* --- Triangles ---------------------------------------------------------------------------------------------------- */

/* Pieces are taken in the order in which no other one needs what they were. */
void tsr_level2_trmv_by_pieces(const tsr_context *context, const struct tsr_level2 *p) {
  struct tsr_level2_buffer buffer_x, buffer_y;
  struct work w = work_of(context, p, true, true);
  int64_t most = p->trans ? GROUP : piece_of(&w), pieces = tsr_ceil_div(p->n, most);
  w.x = vector_of(p, p->n, p->x, p->incx, false);
  w.step.alpha = 1, w.step.alpha_im = 0;
  for (int64_t piece = 0; piece < pieces; piece++) {
    int64_t i = (p->upper != p->trans ? piece : pieces - 1 - piece) * most, n = tsr_min(most, p->n - i);
    tsr_mem a, y = load(&w.x, i, n, &buffer_y);
    struct tsr_step s = step_of(&w, i, n, i, n, false, &a);
    if (!p->unit) tsr_level2_times_diagonal(p, &s, a, load(&w.x, i, n, &buffer_x), y);
    if (p->trans)
      add_group(&w, i, n, 0, p->n, p->conj, y);
    else
      add_rows(&w, i, i + n, 0, p->n, p->conj, y);
    store(&w.x, i, n, &buffer_y);
  }
}

void tsr_level2_trsv_by_pieces(const tsr_context *context, const struct tsr_level2 *p) {
  struct tsr_level2_buffer buffer;
  struct work w = work_of(context, p, true, false);
  int64_t groups = tsr_ceil_div(p->n, GROUP);
  w.x = vector_of(p, p->n, p->x, p->incx, false);
  w.step.alpha = -1, w.step.alpha_im = 0;
  for (int64_t group = 0; group < groups; group++) {
    char solved[GROUP * MOST_SIZE];
    int64_t j = (p->upper != p->trans ? groups - 1 - group : group) * GROUP, n = tsr_min(GROUP, p->n - j);
    int64_t first = p->upper ? tsr_max(0, j - w.step.csb) : j + n;
    int64_t end = p->upper ? j : tsr_min(p->n, j + n + w.step.rsb);
    tsr_mem a, x = load(&w.x, j, n, solved);
    struct tsr_step s = step_of(&w, j, n, j, n, p->conj, &a);
    if (p->trans) add_group(&w, j, n, first, end, p->conj, x);
    s.flags |= (p->unit ? TSR_UNIT : 0) | (p->trans ? TSR_ACROSS : 0);
    context->kernels[p->type].level2_solve->run(&s, a, 0, x);
    store(&w.x, j, n, solved);
    for (int64_t i = first; i < end && !p->trans; i += piece_of(&w)) {
      int64_t m = tsr_min(piece_of(&w), end - i);
      add_rows(&w, i, i + m, j, j + n, p->conj, load(&w.x, i, m, &buffer));
      store(&w.x, i, m, &buffer);
    }
  }
}

/* --- Updates ------------------------------------------------------------------------------------------------------ */

void tsr_level2_update_by_pieces(const tsr_context *context, const struct tsr_level2 *p, const struct tsr_step *step, tsr_mem a,
                                 bool conj_y) {
  struct tsr_level2_buffer x_rows, y_rows, x_columns, y_columns;
  struct work w = {.context = context, .p = p, .step = *step, .size = tsr_size_of(p->type), .a = a};
  bool two = step->k == 2;
  w.x = vector_of(p, p->m, p->x, p->incx, p->conj_x);
  w.y = p->y ? vector_of(p, p->n, p->y, p->incy, conj_y) : w.x;
  for (int64_t j = 0; j < p->n; j += piece_of(&w))
    for (int64_t i = 0; i < p->m; i += piece_of(&w)) {
      int64_t n = tsr_min(piece_of(&w), p->n - j), m = tsr_min(piece_of(&w), p->m - i);
      struct tsr_step s = step_of(&w, i, m, j, n, false, &a);
      tsr_mem x = load(&w.x, i, m, &x_rows), y = load(&w.y, j, n, &y_columns);
      s.flags = step->flags;
      s.db = two ? (int64_t)(load(&w.y, i, m, &y_rows) - x) : 0;
      s.csc = two ? (int64_t)(load(&w.x, j, n, &x_columns) - y) : 0;
      context->kernels[p->type].level2_ger->run(&s, a, x, y);
    }
}
