#include "test/kernels/case.h"

#include <fenv.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/gemm/gemm.h"
#include "test/kernels/reference.h"

#define UNUSED_STRIDE ((int64_t)0x5a5a5a5a5a5a5a58) /* in fields an operator does not use: any use of it faults */

/* What numbers the operands hold and which alpha and beta go with them. */
struct theme {
  const char *name;
  enum fill a, b, c;
  enum { SCALARS_EXACT, SCALARS_POSITIVE, SCALARS_ANY } scalars;
  enum { EDGE_NONE, EDGE_INF, EDGE_NAN, EDGE_SIGNALLING } edge; /* put beside every edge of one operand */
};

static const struct theme themes[] = {
    {"small integers", FILL_SMALL, FILL_SMALL, FILL_SMALL, SCALARS_EXACT, EDGE_NONE},
    {"Inf at an edge of positive integers", FILL_POSITIVE, FILL_POSITIVE, FILL_POSITIVE, SCALARS_POSITIVE, EDGE_INF},
    {"normal", FILL_NORMAL, FILL_NORMAL, FILL_NORMAL, SCALARS_ANY, EDGE_NONE},
    {"special", FILL_SPECIAL, FILL_SPECIAL, FILL_SPECIAL, SCALARS_ANY, EDGE_NONE},
    {"NaN at an edge of small integers", FILL_SMALL, FILL_SMALL, FILL_SMALL, SCALARS_EXACT, EDGE_NAN},
    {"signalling NaN at an edge of small integers", FILL_SMALL, FILL_SMALL, FILL_SMALL, SCALARS_EXACT, EDGE_SIGNALLING},
    {"any exponent", FILL_WIDE, FILL_WIDE, FILL_WIDE, SCALARS_ANY, EDGE_NONE},
    {"huge", FILL_HUGE, FILL_NORMAL, FILL_HUGE, SCALARS_ANY, EDGE_NONE},
    {"tiny", FILL_TINY, FILL_NORMAL, FILL_TINY, SCALARS_ANY, EDGE_NONE},
    {"tiny times tiny", FILL_TINY, FILL_TINY, FILL_NORMAL, SCALARS_ANY, EDGE_NONE},
    {"signed zeros", FILL_ZEROS, FILL_ZEROS, FILL_ZEROS, SCALARS_EXACT, EDGE_NONE},
    {"Inf and signed zeros", FILL_ZEROS, FILL_ZEROS, FILL_ZEROS, SCALARS_ANY, EDGE_INF},
};
enum { NTHEMES = sizeof themes / sizeof themes[0] };

static const double exact_scalars[] = {1, 0, -1, 0.5, -0.0, 2};
static const double positive_scalars[] = {1, 0.5, 2, 1.0 / 0.0};
static const double any_scalars[] = {1, 0, -1, 0.5, -0.0, 1.0 / 0.0, -1.0 / 0.0, 0.0 / 0.0};

/* The case under construction: what the functions below share. */
struct maker {
  struct test_case *tc;
  struct rng rng;
  const struct theme *theme;
  uint64_t gap, a_gap; /* what gaps hold */
  int64_t rows;  /* of the last tile */
  const char *a_kind, *b_kind;
};

static void image_prepare(struct image *image, size_t bytes) {
  image->bytes = bytes;
  if (bytes <= image->capacity) return;
  free(image->data);
  image->capacity = 2 * bytes;
  image->data = malloc(image->capacity);
  if (!image->data) {
    fprintf(stderr, "no memory for a test operand of %zu bytes\n", bytes);
    exit(2);
  }
}

static void image_fill(struct maker *mk, struct image *image, int64_t bytes) {
  image_prepare(image, (size_t)bytes);
  for (int64_t at = 0; at < bytes; at += bytes_of(mk->tc->part, 1)) put_bits(image->data + at, mk->tc->part, mk->gap);
}

static void a_fill(struct maker *mk, int64_t bytes) {
  struct test_case *tc = mk->tc;
  image_prepare(&tc->a, (size_t)bytes);
  tsr_type type = tc->a_block > 1 ? TSR_F16 : part_of(tc->a_type);
  for (int64_t at = 0; at < bytes; at += bytes_of(type, 1)) put_bits(tc->a.data + at, type, mk->a_gap);
}

static int64_t pick(struct maker *mk, const int64_t *values, int n) { return values[rng_range(&mk->rng, 0, n - 1)]; }

/* Elements between the end of one row or column and the start of the next. */
static int64_t pick_gap(struct maker *mk) {
  static const int64_t gaps[] = {0, 0, 1, 3, 7, 13, 64};
  return rng_chance(&mk->rng, 70) ? pick(mk, gaps, 7) : rng_range(&mk->rng, 0, 40);
}

static double pick_scalar(struct maker *mk) {
  switch (mk->theme->scalars) {
    case SCALARS_EXACT: return exact_scalars[rng_range(&mk->rng, 0, 5)];
    case SCALARS_POSITIVE: return positive_scalars[rng_range(&mk->rng, 0, 3)];
    default: break;
  }
  if (rng_chance(&mk->rng, 70)) return any_scalars[rng_range(&mk->rng, 0, 7)];
  tsr_type type = mk->tc->part == TSR_F64 ? TSR_F64 : TSR_F32;
  return value_of_bits(type, make_value(&mk->rng, type, mk->theme->a));
}

static bool is_complex(const struct test_case *tc) { return tc->part != tc->type; }

static double pick_imaginary(struct maker *mk) {
  if (rng_chance(&mk->rng, 50)) return rng_chance(&mk->rng, 80) ? 0.0 : -0.0;
  return pick_scalar(mk);
}

static void pick_scalars(struct maker *mk) {
  mk->tc->step.alpha = pick_scalar(mk);
  mk->tc->step.beta = pick_scalar(mk);
  if (!is_complex(mk->tc)) return;
  mk->tc->step.alpha_im = pick_imaginary(mk);
  mk->tc->step.beta_im = pick_imaginary(mk);
}

static uint64_t pick_gap_bits(struct maker *mk, tsr_type type) {
  switch (rng_range(&mk->rng, 0, 3)) {
    case 0: return bits_of_inf(type);
    case 1: return make_value(&mk->rng, type, FILL_HUGE);
    default: return bits_of_signalling_nan(type);
  }
}

static uint64_t edge_bits(struct maker *mk, tsr_type type) {
  switch (mk->theme->edge) {
    case EDGE_INF: return bits_of_inf(type);
    case EDGE_NAN: return bits_of_quiet_nan(type);
    default: return bits_of_signalling_nan(type);
  }
}

/* An element, or the two parts of a complex one. */
struct element {
  uint64_t part[2];
};

static void put_element(unsigned char *to, tsr_type type, struct element e) {
  tsr_type part = part_of(type);
  put_bits(to, part, e.part[0]);
  if (part != type) put_bits(to + bytes_of(part, 1), part, e.part[1]);
}

/* An element of an operand. The `hot` operand of an edge theme carries the trouble at its edges. */
static uint64_t part_of_element(struct maker *mk, tsr_type type, enum fill fill, bool hot, bool at_edge) {
  if (hot && at_edge && rng_chance(&mk->rng, 50)) return edge_bits(mk, type);
  return make_value(&mk->rng, type, fill);
}

static struct element element_of(struct maker *mk, tsr_type type, enum fill fill, bool hot, bool at_edge) {
  tsr_type part = part_of(type);
  struct element e = {{part_of_element(mk, part, fill, hot, at_edge), 0}};
  if (part != type) e.part[1] = part_of_element(mk, part, fill, hot, at_edge);
  return e;
}

static struct element element(struct maker *mk, enum fill fill, bool hot, bool at_edge) {
  return element_of(mk, mk->tc->type, fill, hot, at_edge);
}

static struct element a_element(struct maker *mk, bool hot, bool at_edge) {
  return element_of(mk, mk->tc->a_block > 1 ? TSR_F16 : mk->tc->a_type, mk->theme->a, hot, at_edge);
}

static int64_t a_bytes(const struct test_case *tc, int64_t elements) { return elements / tc->a_block * tc->a_size; }

/* So many elements of A as whole blocks have. */
static int64_t whole_blocks(const struct test_case *tc, int64_t n) {
  return (n + tc->a_block - 1) / tc->a_block * tc->a_block;
}

/* Element i of the row of A at `offset`; the first of a block brings the whole block, whose scale it is. */
static void put_a(struct maker *mk, int64_t offset, int64_t i, struct element e) {
  struct test_case *tc = mk->tc;
  unsigned char *to = tc->a.data + offset + a_bytes(tc, i);
  if (tc->a_block == 1)
    put_element(to, tc->a_type, e);
  else if (i % tc->a_block == 0)
    put_block(&mk->rng, to, tc->a_type, e.part[0], mk->theme->a == FILL_POSITIVE);
}

/* Whether the block of element i, or the element, is a row's last. */
static bool ends_row(const struct test_case *tc, int64_t i, int64_t n) {
  return i / tc->a_block == (n - 1) / tc->a_block;
}

/* Sizes: the rows of the last tile and the depth, fixed for the first cases, random after them. */

static const int64_t depths_of_fixed_cases[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,  11,
                                                12, 13, 14, 15, 16, 17, 18, 19, 20, 257, -1, -2};
enum { NDEPTHS = sizeof depths_of_fixed_cases / sizeof depths_of_fixed_cases[0] };

/* -1 and -2 in the list stand for the type's KB and KB - 1. */
static int64_t depth(tsr_type type, int number) {
  int64_t k = depths_of_fixed_cases[number];
  return k >= 0 ? k : tsr_gemm_kb(type) + k + 1;
}

static int64_t scaled(const struct subject *s, int64_t rows) { return s->kernel->per_vector ? rows * s->lanes : rows; }

static int64_t remainders(const struct subject *s) {
  switch (s->kernel->op) {
    case TSR_OP_GEMM: return block_of(s->kernel->ta) > 1 ? 1 : scaled(s, s->kernel->mu);
    case TSR_OP_PACK_N:
    case TSR_OP_PACK_T: return s->kernel->mr ? scaled(s, s->kernel->mr) : 40;
    default: return 1;
  }
}

static bool uses_k(enum tsr_op op) { return op <= TSR_OP_PACK_T; }

int case_fixed_count(const struct subject *s) { return (int)remainders(s) + (uses_k(s->kernel->op) ? NDEPTHS : 0); }

struct sizes {
  int64_t tiles, rows, k; /* rows: of the last tile, counted from the least legal one (1) */
  int64_t columns;        /* of tiles */
};

static struct sizes pick_sizes(struct maker *mk, const struct subject *s, int index) {
  int64_t kinds = remainders(s);
  if (index < kinds) return (struct sizes){1, index + 1, rng_range(&mk->rng, 1, 4), 1};
  struct sizes sizes = {1, rng_range(&mk->rng, 1, kinds), 0, 1};
  if (uses_k(mk->tc->op) && index < kinds + NDEPTHS) {
    sizes.k = depth(mk->tc->type, index - (int)kinds);
    return sizes;
  }
  sizes.tiles = rng_chance(&mk->rng, 40) ? 1 : rng_range(&mk->rng, 2, 5);
  sizes.columns = mk->tc->op == TSR_OP_GEMM && rng_chance(&mk->rng, 50) ? rng_range(&mk->rng, 2, 4) : 1;
  sizes.k = rng_range(&mk->rng, 0, 20);
  return sizes;
}

/* A depth along which A may lie in blocks. */
static int64_t steps_of_blocks(const struct test_case *tc, int64_t k) {
  return tc->a_block == 1 ? k : (k + 7) / 8 % 6 * tc->a_block;
}

/* GEMM and GEMM_AT */

static int64_t rows_of_tile(const struct maker *mk, int64_t tile, int64_t tiles) {
  return tile + 1 < tiles ? mk->tc->mr : mk->rows;
}

/* Offset of the row in which A's element (row of tile, p) lies. */
static int64_t a_offset(const struct test_case *tc, int64_t tile, int64_t row, int64_t p) {
  return tile * tc->step.da + (tc->op == TSR_OP_GEMM_AT ? row * tc->step.rsa : p * tc->step.csa);
}

/* Offset of the first byte after all of a tile. */
static int64_t a_end(const struct test_case *tc, int64_t tile, int64_t rows, int64_t k) {
  return a_offset(tc, tile, rows - 1, k - 1) + a_bytes(tc, whole_blocks(tc, tc->op == TSR_OP_GEMM_AT ? k : rows));
}

static void fill_a(struct maker *mk, int64_t tiles, bool packed, bool hot) {
  struct test_case *tc = mk->tc;
  int64_t k = tc->step.k, bytes = 0;
  int64_t deepest = packed ? tc->mr : mk->rows;
  if (k > 0) {
    bytes = a_end(tc, tiles - 1, deepest, k);
    if (tiles > 1 && a_end(tc, tiles - 2, tc->mr, k) > bytes) bytes = a_end(tc, tiles - 2, tc->mr, k);
  }
  a_fill(mk, bytes);
  for (int64_t t = 0; t < tiles; t++)
    for (int64_t p = 0; p < k; p++) {
      int64_t rows = rows_of_tile(mk, t, tiles);
      struct element e = {{0}};
      for (int64_t i = 0; i < (packed ? tc->mr : rows); i++) {
        bool along_k = tc->op == TSR_OP_GEMM_AT, last_row = along_k ? i == rows - 1 : ends_row(tc, i, rows);
        bool at_edge = (t == tiles - 1 && last_row) || (along_k ? ends_row(tc, p, k) : p == k - 1);
        if (i < rows) e = a_element(mk, hot, at_edge);
        put_a(mk, a_offset(tc, t, i, p), along_k ? p : i, e);
      }
    }
}

static void place_a(struct maker *mk, bool *packed) {
  struct test_case *tc = mk->tc;
  struct tsr_step *st = &tc->step;
  int64_t gap = a_bytes(tc, tc->a_block);
  *packed = tc->op == TSR_OP_GEMM && rng_chance(&mk->rng, 50);
  mk->a_kind = *packed ? "packed" : "unpacked";
  if (*packed) {
    st->csa = a_bytes(tc, tc->mr);
    st->da = st->csa * st->k + (rng_chance(&mk->rng, 30) ? pick_gap(mk) * gap : 0);
  } else if (tc->op == TSR_OP_GEMM) {
    st->csa = a_bytes(tc, st->m) + pick_gap(mk) * gap;
    st->da = a_bytes(tc, tc->mr);
  } else {
    st->rsa = a_bytes(tc, st->k) + pick_gap(mk) * gap;
    st->da = tc->mr * st->rsa;
  }
}

static void place_b(struct maker *mk) {
  struct tsr_step *st = &mk->tc->step;
  int64_t size = mk->tc->size, n = st->n, k = st->k;
  switch (rng_range(&mk->rng, 0, 3)) {
    case 0:
      mk->b_kind = "packed";
      st->csb = size;
      st->rsb = mk->tc->nr * size;
      if (n > mk->tc->nr) st->db = k * st->rsb + pick_gap(mk) * size;
      return;
    case 1:
      mk->b_kind = "along n";
      st->csb = size;
      st->rsb = (n + pick_gap(mk)) * size;
      break;
    case 2:
      mk->b_kind = "along k";
      st->rsb = size;
      st->csb = (k + pick_gap(mk)) * size;
      break;
    default:
      mk->b_kind = "strided";
      st->rsb = rng_range(&mk->rng, 2, 5) * size;
      st->csb = k * st->rsb + pick_gap(mk) * size;
  }
  if (n > mk->tc->nr) st->db = mk->tc->nr * st->csb;
}

/* Offset of B's element (p, j). */
static int64_t b_offset(const struct test_case *tc, int64_t p, int64_t j) {
  int64_t columns_before = j < tc->nr ? 0 : j / tc->nr * tc->step.db;
  return columns_before + p * tc->step.rsb + j % tc->nr * tc->step.csb;
}

static void fill_b(struct maker *mk, bool hot) {
  struct test_case *tc = mk->tc;
  const struct tsr_step *st = &tc->step;
  int64_t k = st->k, n = st->n;
  image_fill(mk, &tc->b, k > 0 ? b_offset(tc, k - 1, n - 1) + tc->size : 0);
  for (int64_t j = 0; j < n; j++)
    for (int64_t p = 0; p < k; p++)
      put_element(tc->b.data + b_offset(tc, p, j), tc->type,
                  element(mk, mk->theme->b, hot, j == n - 1 || p == k - 1));
}

/* C's strides: tiles one under the other in one matrix, set apart, or each a block of its own. */
static void place_c(struct maker *mk, int64_t tiles) {
  struct tsr_step *st = &mk->tc->step;
  int64_t size = mk->tc->size, mr = mk->tc->mr;
  switch (rng_range(&mk->rng, 0, 5)) {
    case 0:
      st->csc = (mr + pick_gap(mk)) * size;
      st->dc = st->n * st->csc;
      return;
    case 1:
      st->dc = (mr + pick_gap(mk)) * size;
      st->csc = tiles * st->dc + pick_gap(mk) * size;
      return;
    default:
      st->dc = mr * size;
      st->csc = (st->m + pick_gap(mk)) * size;
  }
}

/* Marks rows x cols elements at `offset` as C's and gives them values: trouble, where they must not be read. */
static void fill_c_block(struct maker *mk, int64_t offset, int64_t rows, int64_t cols, bool hot) {
  struct test_case *tc = mk->tc;
  bool stored = tc->step.flags & TSR_STORE_SUM;
  bool no_beta = tc->step.beta == 0 && !(is_complex(tc) && tc->step.beta_im != 0);
  bool unread = stored ? !(tc->step.flags & TSR_GO_ON) : no_beta;
  bool poison = unread && rng_chance(&mk->rng, 70);
  for (int64_t j = 0; j < cols; j++)
    for (int64_t i = 0; i < rows; i++) {
      int64_t at = offset + j * tc->step.csc + i * tc->size;
      struct element e = {{mk->gap, mk->gap}};
      if (!poison) e = element(mk, mk->theme->c, hot, i == rows - 1 || j == cols - 1);
      put_element(tc->c.data + at, tc->type, e);
      tc->live.data[at / tc->size] = 1;
    }
}

static void prepare_c(struct maker *mk, int64_t bytes) {
  struct test_case *tc = mk->tc;
  image_fill(mk, &tc->c, bytes);
  image_prepare(&tc->live, (size_t)(bytes / tc->size));
  if (bytes > 0) memset(tc->live.data, 0, tc->live.bytes);
}

static void make_gemm(struct maker *mk, const struct subject *s, const struct sizes *sizes) {
  struct test_case *tc = mk->tc;
  struct tsr_step *st = &tc->step;
  int64_t tiles = sizes->tiles, hot = rng_range(&mk->rng, 0, 2);
  bool edges = mk->theme->edge != EDGE_NONE, packed;
  mk->rows = tc->op == TSR_OP_GEMM ? whole_blocks(tc, tc->mr - tc->mu + sizes->rows) : tc->mr;
  st->m = (tiles - 1) * tc->mr + mk->rows;
  st->n = tc->nr * sizes->columns;
  st->k = tc->op == TSR_OP_GEMM_AT ? steps_of_blocks(tc, sizes->k) : sizes->k;
  place_a(mk, &packed);
  place_b(mk);
  place_c(mk, tiles);
  pick_scalars(mk);
  if (rng_chance(&mk->rng, 15)) st->flags = TSR_STORE_SUM;
  bool goes_on = s->goes_on && tc->op == TSR_OP_GEMM && !is_complex(tc);
  if (goes_on && rng_chance(&mk->rng, 15)) st->flags = TSR_STORE_SUM | TSR_GO_ON;
  if (is_complex(tc) && rng_chance(&mk->rng, 40)) st->flags |= TSR_CONJ_A;
  if (is_complex(tc) && rng_chance(&mk->rng, 40)) st->flags |= TSR_CONJ_B;
  if (rng_chance(&mk->rng, 50)) st->flags |= TSR_NEAR;
  fill_a(mk, tiles, packed, edges && hot == 0);
  fill_b(mk, edges && hot == 1);
  int64_t last = (tiles - 1) * st->dc + (st->n - 1) * st->csc + mk->rows * tc->size;
  int64_t before = tiles > 1 ? (tiles - 2) * st->dc + (st->n - 1) * st->csc + tc->mr * tc->size : 0;
  prepare_c(mk, last > before ? last : before);
  for (int64_t t = 0; t < tiles; t++)
    fill_c_block(mk, t * st->dc, rows_of_tile(mk, t, tiles), st->n, edges && hot == 2);
}

/* PACK_N and PACK_T */

static int64_t pick_width(struct maker *mk, const struct subject *s) {
  int64_t most = mk->tc->nr, width;
  if (mk->tc->mr) return mk->tc->mr;
  switch (rng_range(&mk->rng, 0, 2)) {
    case 0: width = rng_range(&mk->rng, 1, 24); break;
    case 1: width = s->nwidths ? pick(mk, s->widths, s->nwidths) : 8; break;
    default: width = rng_range(&mk->rng, 1, rng_chance(&mk->rng, 20) ? most : 256); break;
  }
  return width < most ? width : most;
}

static void make_pack(struct maker *mk, const struct subject *s, const struct sizes *sizes) {
  struct test_case *tc = mk->tc;
  struct tsr_step *st = &tc->step;
  bool edges = mk->theme->edge != EDGE_NONE, along_k = tc->op == TSR_OP_PACK_T;
  int64_t size = tc->size, k = along_k ? steps_of_blocks(tc, sizes->k) : sizes->k, width = pick_width(mk, s);
  int64_t rows = sizes->rows < width ? sizes->rows : rng_range(&mk->rng, 1, width);
  int64_t m = (sizes->tiles - 1) * width + rows;
  if (k == 0) k = tc->a_block;
  st->m = m;
  st->n = width;
  st->k = k;
  int64_t inner = along_k ? k : m, outer = along_k ? m : k, *step = along_k ? &st->rsa : &st->csa;
  *step = a_bytes(tc, inner) + pick_gap(mk) * tc->a_size;
  st->dc = width * k * size + (rng_chance(&mk->rng, 30) ? pick_gap(mk) * size : 0);
  a_fill(mk, (outer - 1) * *step + a_bytes(tc, inner));
  for (int64_t o = 0; o < outer; o++)
    for (int64_t i = 0; i < inner; i++)
      put_a(mk, o * *step, i, a_element(mk, edges, o == outer - 1 || ends_row(tc, i, inner)));
  image_fill(mk, &tc->b, 0);
  prepare_c(mk, (sizes->tiles - 1) * st->dc + width * k * size);
  for (int64_t t = 0; t < sizes->tiles; t++) memset(tc->live.data + t * st->dc / size, 1, (size_t)(width * k));
  mk->a_kind = along_k ? "along k" : "along the rows";
}

/* UPDATE, UPDATE_T, SCALE and CONVERT */

static void fill_sums(struct maker *mk, bool hot) {
  struct test_case *tc = mk->tc;
  const struct tsr_step *st = &tc->step;
  a_fill(mk, (st->n - 1) * st->csa + a_bytes(tc, st->m));
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < st->m; i++)
      put_a(mk, j * st->csa, i, a_element(mk, hot, ends_row(tc, i, st->m) || j == st->n - 1));
}

static void make_update(struct maker *mk, const struct sizes *sizes) {
  struct test_case *tc = mk->tc;
  struct tsr_step *st = &tc->step;
  bool edges = mk->theme->edge != EDGE_NONE, hot_c = tc->op == TSR_OP_SCALE || rng_chance(&mk->rng, 50);
  st->m = whole_blocks(tc, sizes->tiles == 1 ? rng_range(&mk->rng, 1, 40) : rng_range(&mk->rng, 1, 300));
  st->n = rng_range(&mk->rng, 1, 40);
  int64_t along = tc->op == TSR_OP_UPDATE_T ? st->n : st->m, across = st->m + st->n - along;
  st->csc = (along + pick_gap(mk)) * tc->size;
  pick_scalars(mk);
  if (tc->op == TSR_OP_CONVERT) st->beta = 0;
  prepare_c(mk, (across - 1) * st->csc + along * tc->size);
  fill_c_block(mk, 0, along, across, edges && hot_c);
  image_fill(mk, &tc->b, 0);
  a_fill(mk, 0);
  if (tc->op == TSR_OP_SCALE) return;
  st->csa = a_bytes(tc, st->m) + pick_gap(mk) * tc->a_size;
  fill_sums(mk, edges && !hot_c);
}

static void expect(struct test_case *tc) {
  image_prepare(&tc->expected, tc->c.bytes);
  if (tc->c.bytes > 0) memcpy(tc->expected.data, tc->c.data, tc->c.bytes);
  feclearexcept(FE_ALL_EXCEPT);
  reference_step(tc->op, tc->a_type, tc->type, &tc->step, tc->mr, tc->nr, tc->a.data, tc->b.data, tc->expected.data);
  tc->flags = fetestexcept(FE_ALL_EXCEPT);
}

struct text {
  char *at;
  size_t left;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...) {
  va_list values;
  va_start(values, format);
  int n = vsnprintf(text->at, text->left, format, values);
  va_end(values);
  size_t used = n < 0 ? 0 : (size_t)n < text->left ? (size_t)n : text->left - 1;
  text->at += used;
  text->left -= used;
}

static void add_stride(struct text *text, const char *name, int64_t stride, int64_t size) {
  if (stride != UNUSED_STRIDE) add(text, " %s %lld", name, (long long)(stride / size));
}

static void describe(struct maker *mk) {
  struct test_case *tc = mk->tc;
  const struct tsr_step *st = &tc->step;
  struct text text = {tc->text, sizeof tc->text};
  add(&text, "%s, m %lld n %lld", mk->theme->name, (long long)st->m, (long long)st->n);
  if (uses_k(tc->op)) add(&text, " k %lld", (long long)st->k);
  if (mk->a_kind) add(&text, ", A %s", mk->a_kind);
  if (mk->b_kind) add(&text, ", B %s", mk->b_kind);
  add(&text, tc->a_block > 1 ? ", in elements and blocks:" : ", in elements:");
  add_stride(&text, "rsa", st->rsa, tc->a_size);
  add_stride(&text, "csa", st->csa, tc->a_size);
  add_stride(&text, "rsb", st->rsb, tc->size);
  add_stride(&text, "csb", st->csb, tc->size);
  add_stride(&text, "csc", st->csc, tc->size);
  add_stride(&text, "db", st->db, tc->size);
  add_stride(&text, "da", st->da, tc->a_size);
  add_stride(&text, "dc", st->dc, tc->size);
  bool packs = tc->op == TSR_OP_PACK_N || tc->op == TSR_OP_PACK_T;
  if (!packs) add(&text, ", alpha %g beta %g", st->alpha, st->beta);
  if (!packs && is_complex(tc)) add(&text, ", their imaginary parts %g and %g", st->alpha_im, st->beta_im);
  if (st->flags & TSR_CONJ_A) add(&text, ", conjugate A");
  if (st->flags & TSR_CONJ_B) add(&text, ", conjugate B");
  if (st->flags & TSR_STORE_SUM) add(&text, ", sums stored");
  if (st->flags & TSR_GO_ON) add(&text, ", going on from C");
  if (st->flags & TSR_NEAR) add(&text, ", near");
  if (tc->slack) add(&text, ", operands off by %zu bytes", tc->slack);
}

/* Mixes the kernel's name into the seed: a case does not depend on which other kernels are tested. */
static uint64_t seed_of(uint64_t seed, const char *symbol, int index) {
  struct rng rng = {seed};
  for (; *symbol; symbol++) rng.state = rng_next(&rng) ^ (unsigned char)*symbol;
  rng.state = rng_next(&rng) + (uint64_t)index;
  return rng_next(&rng);
}

static void take_subject(struct test_case *tc, const struct subject *s) {
  tc->kernel = s->kernel;
  tc->op = s->kernel->op;
  tc->type = s->kernel->tc;
  tc->part = part_of(tc->type);
  tc->a_type = s->kernel->ta;
  tc->size = tsr_size_of(s->kernel->tc);
  tc->a_block = block_of(s->kernel->ta);
  tc->a_size = bytes_of(s->kernel->ta, tc->a_block);
  tc->mr = scaled(s, s->kernel->mr);
  tc->mu = scaled(s, s->kernel->mu);
  tc->nr = s->kernel->nr;
  tc->step = (struct tsr_step){UNUSED_STRIDE, UNUSED_STRIDE, UNUSED_STRIDE, UNUSED_STRIDE, UNUSED_STRIDE,
                               UNUSED_STRIDE, UNUSED_STRIDE, UNUSED_STRIDE, UNUSED_STRIDE, UNUSED_STRIDE,
                               UNUSED_STRIDE, 0.0 / 0.0,     0.0 / 0.0,     0,
                               0.0 / 0.0,     0.0 / 0.0};
}

static size_t pick_slack(struct maker *mk) {
  int64_t size = mk->tc->size;
  if (rng_chance(&mk->rng, 15)) return (size_t)rng_range(&mk->rng, 1, size - 1);
  return rng_chance(&mk->rng, 50) ? 0 : (size_t)(rng_range(&mk->rng, 1, 15) * size);
}

void case_make(struct test_case *tc, const struct subject *s, uint64_t seed, int index) {
  struct maker mk = {.tc = tc, .rng = {seed_of(seed, s->kernel->symbol, index)}};
  take_subject(tc, s);
  /* The first two themes raise no flag of their own, so they show what padding lanes do: every other case. */
  mk.theme = rng_chance(&mk.rng, 50) ? &themes[rng_range(&mk.rng, 0, 1)] : &themes[rng_range(&mk.rng, 2, NTHEMES - 1)];
  mk.gap = pick_gap_bits(&mk, tc->part);
  mk.a_gap = tc->a_type == tc->type ? mk.gap : pick_gap_bits(&mk, tc->a_block > 1 ? TSR_F16 : part_of(tc->a_type));
  struct sizes sizes = pick_sizes(&mk, s, index);
  switch (tc->op) {
    case TSR_OP_GEMM:
    case TSR_OP_GEMM_AT: make_gemm(&mk, s, &sizes); break;
    case TSR_OP_PACK_N:
    case TSR_OP_PACK_T: make_pack(&mk, s, &sizes); break;
    default: make_update(&mk, &sizes); break;
  }
  tc->slack = pick_slack(&mk);
  expect(tc);
  describe(&mk);
}

void case_free(struct test_case *tc) {
  free(tc->a.data);
  free(tc->b.data);
  free(tc->c.data);
  free(tc->expected.data);
  free(tc->live.data);
}
