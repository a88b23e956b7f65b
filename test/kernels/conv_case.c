#include "test/kernels/conv_case.h"

#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/core.h"
#include "test/kernels/conv_reference.h"

#define MOST_WORK 50000 /* multiplications of one case */
#define UNUSED ((int64_t)0x5a5a5a5a5a5a5a58) /* in fields that an operator does not use: any use of it faults */

/* What numbers the operands hold, and which alpha goes with them. */
struct theme {
  const char *name;
  enum fill a, x, c;
  bool any_alpha;
  bool hot; /* weights that some column skips are Inf or NaN, and so are pixels */
};

static const struct theme themes[] = {
    {"small integers", FILL_SMALL, FILL_SMALL, FILL_SMALL, false, false},
    {"positive integers", FILL_POSITIVE, FILL_POSITIVE, FILL_POSITIVE, false, false},
    {"positive integers, Inf where columns skip", FILL_POSITIVE, FILL_POSITIVE, FILL_POSITIVE, false, true},
    {"normal", FILL_NORMAL, FILL_NORMAL, FILL_NORMAL, true, false},
    {"normal, Inf where columns skip", FILL_NORMAL, FILL_NORMAL, FILL_NORMAL, false, true},
    {"special", FILL_SPECIAL, FILL_SPECIAL, FILL_SPECIAL, true, false},
    {"special, plain alpha", FILL_SPECIAL, FILL_SPECIAL, FILL_SPECIAL, false, false},
    {"any exponent", FILL_WIDE, FILL_WIDE, FILL_WIDE, true, false},
    {"huge", FILL_HUGE, FILL_NORMAL, FILL_HUGE, true, false},
    {"tiny", FILL_TINY, FILL_NORMAL, FILL_TINY, true, false},
    {"tiny times tiny", FILL_TINY, FILL_TINY, FILL_TINY, false, false},
    {"signed zeros", FILL_ZEROS, FILL_ZEROS, FILL_ZEROS, true, false},
};
enum { NTHEMES = sizeof themes / sizeof themes[0] };

/* The case under construction. */
struct maker {
  struct conv_case *cc;
  struct rng rng;
  const struct theme *theme;
  struct tsr_taps *taps;
  int64_t size, tiles, sides; /* bytes of an element; tiles one under the other, and side by side */
  bool repeat;                /* tiles one under the other are of the same rows */
  int64_t low, high;          /* bytes of the operand under construction, from the address a kernel is given */
};

static int64_t least(int64_t x, int64_t y) { return x < y ? x : y; }
static int64_t greater(int64_t x, int64_t y) { return x > y ? x : y; }

static void *grow(void *memory, size_t *capacity, size_t bytes) {
  if (bytes <= *capacity) return memory;
  *capacity = 2 * bytes;
  free(memory);
  if ((memory = malloc(*capacity))) return memory;
  fprintf(stderr, "no memory for a test operand of %zu bytes\n", bytes);
  exit(2);
}

/* Memory of an operand whose address is `origin` bytes into it. */
static struct conv_array *start(struct maker *mk, enum conv_operand which, int64_t bytes, int64_t origin) {
  struct conv_array *array = &mk->cc->array[which];
  array->before = grow(array->before, &array->capacity, (size_t)bytes + 8);
  array->bytes = bytes;
  array->origin = origin;
  return array;
}

static bool is_real(tsr_type type) {
  return type == TSR_F32 || type == TSR_F64 || type == TSR_F16 || type == TSR_BF16;
}

/* What no result may depend on. */
static void poison(struct maker *mk, struct conv_array *array, tsr_type type) {
  uint64_t bits = 0xa5;
  if (is_real(type)) {
    int kind = (int)rng_range(&mk->rng, 0, 3);
    bits = kind == 0 ? bits_of_inf(type) : bits_of_signalling_nan(type);
    if (kind == 1) bits = make_value(&mk->rng, type, FILL_HUGE);
  }
  for (int64_t at = 0; at < array->bytes; at += tsr_size_of(type))
    memcpy(array->before + at, &bits, (size_t)tsr_size_of(type));
}

static int64_t pick_gap(struct maker *mk) {
  static const int64_t gaps[] = {0, 0, 1, 3, 7, 13, 64};
  return rng_chance(&mk->rng, 70) ? gaps[rng_range(&mk->rng, 0, 6)] : rng_range(&mk->rng, 0, 40);
}

static double pick_scalar(struct maker *mk) {
  static const double plain[] = {1, 1, 1, -1, 0.5, 2, 0}, any[] = {1, 0, -1, 0.5, -0.0, INFINITY, -INFINITY, NAN};
  tsr_type type = mk->cc->tc;
  if (!mk->theme->any_alpha) return plain[rng_range(&mk->rng, 0, mk->theme->a == FILL_POSITIVE ? 2 : 6)];
  if (rng_chance(&mk->rng, 70)) return any[rng_range(&mk->rng, 0, 7)];
  return value_of_bits(type, make_value(&mk->rng, type, mk->theme->a));
}

static void put_number(struct maker *mk, unsigned char *to, tsr_type type, enum fill fill) {
  uint64_t bits = rng_next(&mk->rng);
  if (is_real(type)) bits = make_value(&mk->rng, type, fill);
  if (type == TSR_S32 && rng_chance(&mk->rng, 60)) bits = (uint64_t)rng_range(&mk->rng, -40000, 40000);
  memcpy(to, &bits, (size_t)tsr_size_of(type));
}

/* Vectors of `inner` elements that begin `ld` bytes apart. */
static void make_matrix(struct maker *mk, enum conv_operand which, tsr_type type, int64_t outer, int64_t inner,
                        int64_t ld, enum fill fill) {
  int64_t size = tsr_size_of(type);
  struct conv_array *array = start(mk, which, (outer - 1) * ld + inner * size, 0);
  poison(mk, array, type);
  for (int64_t o = 0; o < outer; o++)
    for (int64_t i = 0; i < inner; i++) put_number(mk, array->before + o * ld + i * size, type, fill);
}

/* The tile's unit and the rows of its last tile: between mr - mu + 1 and mr. */
static void pick_sizes(struct maker *mk, int index) {
  struct conv_case *cc = mk->cc;
  int64_t last = index < cc->mu ? cc->mr - index : rng_chance(&mk->rng, 30) ? cc->mr
                                                 : cc->mr - rng_range(&mk->rng, 0, cc->mu - 1);
  mk->tiles = rng_chance(&mk->rng, 55) ? 1 : rng_range(&mk->rng, 2, 3);
  mk->sides = rng_chance(&mk->rng, 55) ? 1 : rng_range(&mk->rng, 2, 3);
  mk->repeat = mk->tiles > 1 && rng_chance(&mk->rng, 30);
  if (mk->repeat) last = cc->mr;
  cc->step.m = (mk->tiles - 1) * cc->mr + last;
  cc->step.n = mk->sides * cc->nr;
}

static void pick_columns(struct maker *mk, struct tsr_taps *taps) {
  int64_t nr = mk->cc->nr, first = 0, end = nr;
  int kind = (int)rng_range(&mk->rng, 0, 9);
  if (kind >= 4 && kind <= 7 && kind != 5) first = rng_range(&mk->rng, 0, nr - 1);
  if (kind >= 5 && kind <= 7) end = rng_range(&mk->rng, first + 1, nr);
  if (kind == 8) end = rng_range(&mk->rng, 0, nr), first = rng_range(&mk->rng, end, nr);
  taps->first = (int16_t)first;
  taps->end = (int16_t)end;
}

static bool lanes(const struct maker *mk) { return mk->cc->kernel->op == TSR_OP_CONV_LANES; }
static bool counts(const struct tsr_taps *taps) { return taps->k > 0 && taps->first < taps->end; }

/* The list; `a` counts steps of the panel until its bytes are known. */
static void pick_taps(struct maker *mk) {
  struct conv_case *cc = mk->cc;
  int64_t left = MOST_WORK / (cc->step.m * cc->step.n);
  int64_t count = rng_chance(&mk->rng, 4) ? 0 : rng_range(&mk->rng, 1, rng_chance(&mk->rng, 60) ? 4 : CONV_CASE_TAPS);
  left = greater(left, 24);
  cc->conv.count = count;
  start(mk, OPERAND_TAPS, count * (int64_t)sizeof(struct tsr_taps), 0);
  mk->taps = (struct tsr_taps *)cc->array[OPERAND_TAPS].before;
  int64_t next = rng_range(&mk->rng, 0, 3), spread = rng_chance(&mk->rng, 50) ? 40 : 400;
  for (int64_t t = 0; t < count; t++) {
    struct tsr_taps *taps = &mk->taps[t];
    int64_t k = rng_chance(&mk->rng, 8) ? 0 : rng_range(&mk->rng, 1, rng_chance(&mk->rng, 70) ? 9 : 40);
    if (rng_chance(&mk->rng, 4)) k = rng_range(&mk->rng, 100, 400);
    memset(taps, 0, sizeof *taps);
    taps->k = (int32_t)least(k, left);
    left -= taps->k;
    pick_columns(mk, taps);
    if (rng_chance(&mk->rng, 20)) next = rng_range(&mk->rng, 0, 30);
    taps->a = next;
    taps->b = rng_range(&mk->rng, -spread, spread) * mk->size;
    next += taps->k;
    if (!counts(taps)) taps->b = UNUSED;
  }
}

/* Sets the bytes from low to high that include [at, at + bytes). */
static void reach(struct maker *mk, int64_t at, int64_t bytes) {
  mk->low = least(mk->low, at);
  mk->high = greater(mk->high, at + bytes);
}

static void reach_nothing(struct maker *mk) { mk->low = INT64_MAX, mk->high = INT64_MIN; }

static int64_t rows_of(const struct maker *mk, int64_t tile) {
  return tile + 1 < mk->tiles ? mk->cc->mr : mk->cc->step.m - tile * mk->cc->mr;
}

static bool skipped_somewhere(const struct maker *mk, const struct tsr_taps *taps) {
  return taps->first > 0 || taps->end < mk->cc->nr;
}

static uint64_t number(struct maker *mk, enum fill fill, bool hot) {
  tsr_type type = mk->cc->tc;
  if (hot && mk->theme->hot && rng_chance(&mk->rng, 30))
    return rng_chance(&mk->rng, 50) ? bits_of_inf(type) : bits_of_quiet_nan(type);
  return make_value(&mk->rng, type, fill);
}

/* Panels of whole tiles, one step after the other, or side by side in one that is as wide as all of them. */
static void place_panels(struct maker *mk) {
  struct conv_case *cc = mk->cc;
  int64_t wide = cc->mr * mk->size, steps = 0;
  bool beside = mk->tiles > 1 && rng_chance(&mk->rng, 15);
  for (int64_t t = 0; t < cc->conv.count; t++) steps = greater(steps, mk->taps[t].a + mk->taps[t].k);
  cc->step.csa = (beside ? mk->tiles * wide : wide) + (rng_chance(&mk->rng, 70) ? 0 : pick_gap(mk) * mk->size);
  cc->step.da = beside ? wide : steps * cc->step.csa + wide + pick_gap(mk) * mk->size;
  if (mk->repeat && rng_chance(&mk->rng, 70)) cc->step.da = 0;
  if (mk->tiles == 1) cc->step.da = UNUSED;
  for (int64_t t = 0; t < cc->conv.count; t++) mk->taps[t].a *= cc->step.csa;
}

/* A list whose columns are all skipped may pass over its weights, so they are there. */
static void make_panels(struct maker *mk) {
  struct conv_case *cc = mk->cc;
  int64_t wide = cc->mr * mk->size;
  place_panels(mk);
  reach_nothing(mk);
  for (int64_t tile = 0; tile < mk->tiles; tile++)
    for (int64_t t = 0; t < cc->conv.count; t++)
      if (mk->taps[t].k > 0)
        reach(mk, (tile ? tile * cc->step.da : 0) + mk->taps[t].a, (mk->taps[t].k - 1) * cc->step.csa + wide);
  if (mk->high < mk->low) mk->low = mk->high = 0;
  struct conv_array *array = start(mk, OPERAND_A, mk->high - mk->low, -mk->low);
  poison(mk, array, cc->tc);
  for (int64_t tile = 0; tile < mk->tiles; tile++)
    for (int64_t t = 0; t < cc->conv.count; t++)
      for (int64_t p = 0; p < mk->taps[t].k && counts(&mk->taps[t]); p++) {
        unsigned char *panel = array->before + array->origin + (tile ? tile * cc->step.da : 0);
        unsigned char *at = panel + mk->taps[t].a + p * cc->step.csa;
        uint64_t bits = 0;
        for (int64_t i = 0; i < cc->mr; i++) {
          if (i < rows_of(mk, tile)) bits = number(mk, mk->theme->a, skipped_somewhere(mk, &mk->taps[t]));
          put_bits(at + i * mk->size, cc->tc, bits);
        }
      }
}

/* Where element p of column j lies, for the first row of a tile. */
static int64_t pixel_at(const struct maker *mk, const struct tsr_taps *taps, int64_t tile, int64_t side, int64_t p,
                        int64_t j) {
  const struct tsr_step *st = &mk->cc->step;
  int64_t step = lanes(mk) ? st->rsb : mk->size, at = taps->b + p * step + j * st->csb;
  return at + (side ? side * st->db : 0) + (tile && lanes(mk) ? tile * mk->cc->conv.dx : 0);
}

typedef void visit(struct maker *mk, int64_t at, int64_t elements);

static void each_pixel(struct maker *mk, visit *visit) {
  for (int64_t t = 0; t < mk->cc->conv.count; t++)
    for (int64_t tile = 0; tile < (lanes(mk) ? mk->tiles : 1); tile++)
      for (int64_t side = 0; side < mk->sides; side++)
        for (int64_t p = 0; p < mk->taps[t].k; p++)
          for (int64_t j = mk->taps[t].first; j < mk->taps[t].end; j++)
            visit(mk, pixel_at(mk, &mk->taps[t], tile, side, p, j), lanes(mk) ? rows_of(mk, tile) : 1);
}

static void reach_pixel(struct maker *mk, int64_t at, int64_t elements) { reach(mk, at, elements * mk->size); }

static void fill_pixel(struct maker *mk, int64_t at, int64_t elements) {
  struct conv_array *array = &mk->cc->array[OPERAND_X];
  for (int64_t i = 0; i < elements; i++)
    put_bits(array->before + array->origin + at + i * mk->size, mk->cc->tc, number(mk, mk->theme->x, false));
}

static void make_pixels(struct maker *mk) {
  struct tsr_step *st = &mk->cc->step;
  st->csb = (rng_chance(&mk->rng, 30) ? rng_range(&mk->rng, 0, 4) : rng_range(&mk->rng, 1, 70)) * mk->size;
  st->db = mk->sides > 1 ? rng_range(&mk->rng, 0, 2 * mk->cc->nr) * st->csb + pick_gap(mk) * mk->size : UNUSED;
  st->rsb = UNUSED;
  mk->cc->conv.dx = UNUSED;
  if (lanes(mk)) {
    st->rsb = rng_range(&mk->rng, 0, 2 * mk->cc->mr) * mk->size;
    if (mk->tiles > 1) mk->cc->conv.dx = rng_chance(&mk->rng, 60) ? mk->cc->mr * mk->size : pick_gap(mk) * mk->size;
  }
  reach_nothing(mk);
  each_pixel(mk, reach_pixel);
  if (mk->high < mk->low) mk->low = mk->high = 0;
  poison(mk, start(mk, OPERAND_X, mk->high - mk->low, -mk->low), mk->cc->tc);
  each_pixel(mk, fill_pixel);
}

/* Where row i and column j of the result lie. */
static int64_t result_at(const struct conv_case *cc, int64_t i, int64_t j) {
  int64_t tile = cc->mr ? i / cc->mr : 0, row = cc->mr ? i % cc->mr : i;
  return (tile ? tile * cc->step.dc : 0) + row * tsr_size_of(cc->tc) + j * cc->step.csc;
}

/* An operand laid out like C. */
static struct conv_array *make_results(struct maker *mk, enum conv_operand which, bool filled) {
  struct conv_case *cc = mk->cc;
  reach_nothing(mk);
  for (int64_t i = 0; i < cc->step.m; i++) reach(mk, result_at(cc, i, 0), mk->size);
  for (int64_t i = 0; i < cc->step.m; i++) reach(mk, result_at(cc, i, cc->step.n - 1), mk->size);
  struct conv_array *array = start(mk, which, mk->high - mk->low, 0);
  poison(mk, array, cc->tc);
  for (int64_t i = 0; i < cc->step.m && filled; i++)
    for (int64_t j = 0; j < cc->step.n; j++)
      put_bits(array->before + result_at(cc, i, j), cc->tc, number(mk, mk->theme->c, false));
  return array;
}

static void mark_live(struct conv_case *cc) {
  int64_t bytes = cc->array[OPERAND_C].bytes, size = tsr_size_of(cc->tc);
  size_t capacity = cc->capacity;
  cc->expected = grow(cc->expected, &capacity, (size_t)bytes);
  cc->live = grow(cc->live, &cc->capacity, (size_t)bytes);
  memcpy(cc->expected, cc->array[OPERAND_C].before, (size_t)bytes);
  memset(cc->live, 0, (size_t)bytes);
  for (int64_t i = 0; i < cc->step.m; i++)
    for (int64_t j = 0; j < cc->step.n; j++) memset(cc->live + result_at(cc, i, j), 1, (size_t)size);
}

static void pick_limits(struct maker *mk) {
  static const double lows[] = {0, -0.0, -1, 0.5, -INFINITY, NAN, 3}, highs[] = {6, 0, -0.0, 1, INFINITY, NAN, -2};
  struct tsr_conv *cv = &mk->cc->conv;
  cv->low = rng_chance(&mk->rng, 50) ? lows[rng_range(&mk->rng, 0, 6)] : -INFINITY;
  cv->high = rng_chance(&mk->rng, 50) ? highs[rng_range(&mk->rng, 0, 6)] : INFINITY;
}

static void make_conv(struct maker *mk, int index) {
  struct conv_case *cc = mk->cc;
  struct tsr_step *st = &cc->step;
  pick_sizes(mk, index);
  pick_taps(mk);
  make_panels(mk);
  make_pixels(mk);
  st->alpha = pick_scalar(mk);
  st->flags = (uint64_t[]){0, TSR_FIRST_K, TSR_LAST_K, TSR_FIRST_K | TSR_LAST_K}[rng_range(&mk->rng, 0, 3)];
  if (rng_chance(&mk->rng, 20)) st->flags |= TSR_NEAR;
  if (rng_chance(&mk->rng, 20)) st->flags |= TSR_STREAM;
  if (mk->repeat) st->flags |= TSR_REPEAT;
  if (mk->tiles > 1 && rng_chance(&mk->rng, 50)) {
    st->csc = (cc->mr + pick_gap(mk)) * mk->size;
    st->dc = st->n * st->csc + pick_gap(mk) * mk->size;
  } else {
    st->csc = (st->m + pick_gap(mk)) * mk->size;
    st->dc = mk->tiles > 1 ? cc->mr * mk->size : UNUSED;
  }
  pick_limits(mk);
  if (st->flags & TSR_FIRST_K && rng_chance(&mk->rng, 60)) {
    int64_t rows = mk->repeat ? cc->mr : st->m;
    struct conv_array *bias = start(mk, OPERAND_BIAS, rows * mk->size, 0);
    for (int64_t i = 0; i < rows; i++) put_bits(bias->before + i * mk->size, cc->tc, number(mk, mk->theme->c, false));
  }
  if (st->flags & TSR_LAST_K && rng_chance(&mk->rng, 50)) make_results(mk, OPERAND_ADD, true);
  make_results(mk, OPERAND_C, !(st->flags & TSR_FIRST_K));
}

static void make_turn(struct maker *mk, int index) {
  struct conv_case *cc = mk->cc;
  struct tsr_step *st = &cc->step;
  int64_t from = tsr_size_of(cc->ta);
  st->m = index < 70 ? index + 1 : rng_range(&mk->rng, 1, rng_chance(&mk->rng, 50) ? 20 : 150);
  st->n = rng_range(&mk->rng, 1, rng_chance(&mk->rng, 50) ? 20 : 150);
  int fours = (int)rng_range(&mk->rng, 0, 5); /* four elements without gaps on one side */
  if (fours == 0) st->n = 4;
  if (fours == 1 && index >= 70) st->m = 4;
  st->rsa = (st->n + (fours == 0 ? 0 : pick_gap(mk))) * from;
  st->csc = (st->m + (fours == 1 ? 0 : pick_gap(mk))) * mk->size;
  st->da = st->dc = st->db = st->csa = st->csb = st->rsb = UNUSED;
  st->alpha = NAN;
  make_matrix(mk, OPERAND_A, cc->ta, st->m, st->n, st->rsa, mk->theme->a);
  make_results(mk, OPERAND_C, false);
}

/* Limits and scales of many kinds; the arrays have a number a row, or a column. */
static void make_post(struct maker *mk, int index) {
  static const double lows[] = {0, -1, 0.5, -INFINITY, 3}, highs[] = {6, 0, 1, INFINITY, -2};
  static const double slopes[] = {0.25, 0, -1, 2};
  static const enum conv_operand factors[] = {OPERAND_BIAS, OPERAND_SCALE};
  struct conv_case *cc = mk->cc;
  struct tsr_step *st = &cc->step;
  struct tsr_post *post = &cc->post;
  tsr_type factor = cc->tc == TSR_F64 ? TSR_F64 : TSR_F32;
  int64_t from = tsr_size_of(cc->ta);
  st->m = index < 70 ? index + 1 : rng_range(&mk->rng, 1, rng_chance(&mk->rng, 50) ? 20 : 150);
  st->n = rng_range(&mk->rng, 1, rng_chance(&mk->rng, 70) ? 6 : 20);
  cc->in_place = from == mk->size && rng_chance(&mk->rng, 50);
  st->csc = (st->m + pick_gap(mk)) * mk->size;
  st->csa = cc->in_place ? st->csc : (st->m + pick_gap(mk)) * from;
  st->da = st->dc = st->db = st->csb = st->rsb = UNUSED;
  st->alpha = NAN;
  post->across = rng_chance(&mk->rng, 40);
  post->activation = (tsr_activation)rng_range(&mk->rng, TSR_NO_ACTIVATION, TSR_SIGMOID);
  post->low = lows[rng_range(&mk->rng, 0, 4)];
  post->high = highs[rng_range(&mk->rng, 0, 4)];
  post->slope = slopes[rng_range(&mk->rng, 0, 3)];
  if (mk->size == 1) post->zero = (int32_t)(rng_range(&mk->rng, 0, 255) - (cc->tc == TSR_S8 ? 128 : 0));
  post->add_ld = (st->m + pick_gap(mk)) * mk->size;
  for (int f = 0; f < 2; f++)
    if (rng_chance(&mk->rng, 60))
      make_matrix(mk, factors[f], factor, 1, post->across ? st->n : st->m, 0, f ? mk->theme->x : mk->theme->c);
  if (rng_chance(&mk->rng, 50)) make_matrix(mk, OPERAND_ADD, cc->tc, st->n, st->m, post->add_ld, mk->theme->c);
  if (cc->in_place) {
    make_matrix(mk, OPERAND_C, cc->ta, st->n, st->m, st->csc, mk->theme->a);
  } else {
    make_matrix(mk, OPERAND_A, cc->ta, st->n, st->m, st->csa, mk->theme->a);
    make_results(mk, OPERAND_C, false);
  }
}

/* What a kernel is given for an operand whose first byte lies at `base`. */
static tsr_mem address(const struct conv_case *cc, enum conv_operand which, const unsigned char *base) {
  return cc->array[which].bytes ? (tsr_mem)(base + cc->array[which].origin) : 0;
}

static tsr_mem before(const struct conv_case *cc, enum conv_operand which) {
  return address(cc, which, cc->array[which].before);
}

static void expect_conv(struct conv_case *cc, tsr_mem a, tsr_mem c) {
  struct tsr_conv cv = cc->conv;
  cv.taps = (const struct tsr_taps *)cc->array[OPERAND_TAPS].before;
  cv.x = before(cc, OPERAND_X), cv.bias = before(cc, OPERAND_BIAS), cv.add = before(cc, OPERAND_ADD);
  cc->any_invalid = reference_conv(cc->kernel->op, cc->tc, cc->mr, cc->nr, &cc->step, a, &cv, c);
}

static void expect_post(struct conv_case *cc, tsr_mem a, tsr_mem c) {
  struct tsr_post post = cc->post;
  post.bias = before(cc, OPERAND_BIAS), post.scale = before(cc, OPERAND_SCALE), post.add = before(cc, OPERAND_ADD);
  reference_post(cc->ta, cc->tc, &cc->step, a, &post, c);
}

static void expect(struct conv_case *cc) {
  cc->any_invalid = false;
  mark_live(cc);
  tsr_mem a = before(cc, OPERAND_A), c = (tsr_mem)cc->expected;
  feclearexcept(FE_ALL_EXCEPT);
  if (cc->kernel->op == TSR_OP_TURN) {
    reference_turn(cc->ta, cc->tc, &cc->step, a, c);
    feclearexcept(FE_ALL_EXCEPT);
  } else if (cc->kernel->op == TSR_OP_POST) {
    expect_post(cc, cc->in_place ? c : a, c);
  } else {
    expect_conv(cc, a, c);
  }
  cc->flags = fetestexcept(FE_ALL_EXCEPT);
  feclearexcept(FE_ALL_EXCEPT);
}
static void describe(const struct maker *mk) {
  struct conv_case *cc = mk->cc;
  const struct tsr_step *st = &cc->step;
  int used = snprintf(cc->text, sizeof cc->text, "%s, m %lld n %lld csc %lld", mk->theme->name, (long long)st->m,
                      (long long)st->n, (long long)(st->csc / mk->size));
  if (cc->kernel->op == TSR_OP_TURN) return;
  if (cc->kernel->op == TSR_OP_POST) {
    snprintf(cc->text + used, sizeof cc->text - (size_t)used,
             ", activation %d, limits %g %g, slope %g, zero %d%s%s%s%s%s", cc->post.activation, cc->post.low, cc->post.high, cc->post.slope, cc->post.zero,
             cc->array[OPERAND_BIAS].bytes ? ", bias" : "", cc->array[OPERAND_SCALE].bytes ? ", scale" : "",
             cc->array[OPERAND_ADD].bytes ? ", add" : "", cc->post.across ? ", across" : "",
             cc->in_place ? ", in place" : "");
    return;
  }
  used += snprintf(cc->text + used, sizeof cc->text - (size_t)used, ", alpha %g%s%s%s%s%s%s, limits %g %g, taps",
                   st->alpha, st->flags & TSR_FIRST_K ? ", first" : "", st->flags & TSR_LAST_K ? ", last" : "",
                   st->flags & TSR_REPEAT ? ", repeat" : "", st->flags & TSR_STREAM ? ", stream" : "",
                   cc->array[OPERAND_BIAS].bytes ? ", bias" : "", cc->array[OPERAND_ADD].bytes ? ", add" : "",
                   cc->conv.low, cc->conv.high);
  for (int64_t t = 0; t < cc->conv.count && used + 24 < (int)sizeof cc->text; t++)
    used += snprintf(cc->text + used, sizeof cc->text - (size_t)used, " %d[%d,%d)", mk->taps[t].k, mk->taps[t].first,
                     mk->taps[t].end);
}

bool conv_case_knows(const struct tsr_kernel *k) {
  if (k->op == TSR_OP_CONV || k->op == TSR_OP_CONV_LANES)
    return k->ta == k->tc && k->tb == k->tc && (k->tc == TSR_F32 || k->tc == TSR_F64);
  if (k->op == TSR_OP_POST) {
    if (k->ta == TSR_S32) return k->tc == TSR_F32 || k->tc == TSR_U8 || k->tc == TSR_S8;
    return is_real(k->tc) && k->ta == (k->tc == TSR_F64 ? TSR_F64 : TSR_F32);
  }
  if (k->op != TSR_OP_TURN || !tsr_size_of(k->ta) || !tsr_size_of(k->tc)) return false;
  return k->ta == k->tc || (is_real(k->ta) && is_real(k->tc) && k->ta != TSR_F64 && k->tc != TSR_F64);
}

void conv_case_make(struct conv_case *cc, const struct tsr_kernel *kernel, int64_t vector_bytes, uint64_t seed,
                    int index) {
  struct maker mk = {.cc = cc, .size = tsr_size_of(kernel->tc)};
  int64_t unit = kernel->per_vector ? vector_bytes / mk.size : 1;
  mk.rng.state = seed + (uint64_t)kernel->op * 1000003 + (uint64_t)kernel->nr * 65537 + (uint64_t)index * 7919;
  mk.theme = &themes[rng_range(&mk.rng, 0, NTHEMES - 1)];
  cc->kernel = kernel;
  cc->ta = (tsr_type)kernel->ta;
  cc->tc = (tsr_type)kernel->tc;
  cc->mr = kernel->mr * unit;
  cc->mu = kernel->mu * unit;
  cc->nr = kernel->nr;
  cc->step = (struct tsr_step){.rsa = UNUSED, .k = UNUSED, .beta = NAN};
  cc->conv = (struct tsr_conv){.count = 0};
  cc->post = (struct tsr_post){.low = 0};
  cc->in_place = false;
  cc->slack = (size_t)rng_range(&mk.rng, 0, 63);
  for (int i = 0; i < OPERAND_COUNT; i++) cc->array[i].bytes = 0;
  if (kernel->op == TSR_OP_TURN)
    make_turn(&mk, index);
  else if (kernel->op == TSR_OP_POST)
    make_post(&mk, index);
  else
    make_conv(&mk, index);
  expect(cc);
  describe(&mk);
}

void conv_case_free(struct conv_case *cc) {
  for (int i = 0; i < OPERAND_COUNT; i++) free(cc->array[i].before);
  free(cc->expected);
  free(cc->live);
}

void conv_bench_create(struct conv_bench *bench) {
  memset(bench, 0, sizeof *bench);
  for (int i = 0; i < OPERAND_COUNT; i++) bench->arena[i] = arena_create((size_t)16 << 20);
  bench->step = arena_create(1 << 16);
  bench->b = arena_create(1 << 16);
#if defined(__x86_64__)
  bench->has_avx = __builtin_cpu_supports("avx");
#endif
}

#define SAY(...) snprintf(bench->what, sizeof bench->what, __VA_ARGS__)

static const char *const names[] = {"A", "x", "C", "bias", "add", "scale", "the list of taps"};

/* Where a case's operands lie for one call. */
struct placed {
  unsigned char *base[OPERAND_COUNT];
  struct tsr_step *step;
  unsigned char *b;                         /* the struct that B points to */
  union {
    struct tsr_conv conv;
    struct tsr_post post;
  } before;
  size_t b_bytes;
};

static void place_b(struct conv_bench *bench, const struct conv_case *cc, enum place where, const tsr_mem *at,
                    struct placed *pl) {
  memset(&pl->before, 0, sizeof pl->before);
  if (cc->kernel->op == TSR_OP_POST) {
    pl->b_bytes = sizeof pl->before.post;
    pl->before.post = cc->post;
    pl->before.post.bias = at[OPERAND_BIAS], pl->before.post.scale = at[OPERAND_SCALE];
    pl->before.post.add = at[OPERAND_ADD];
  } else {
    pl->b_bytes = sizeof pl->before.conv;
    pl->before.conv = cc->conv;
    pl->before.conv.taps = (const struct tsr_taps *)at[OPERAND_TAPS];
    pl->before.conv.x = at[OPERAND_X], pl->before.conv.bias = at[OPERAND_BIAS];
    pl->before.conv.add = at[OPERAND_ADD];
  }
  pl->b = arena_place(&bench->b, pl->b_bytes, where, 0);
  memcpy(pl->b, &pl->before, pl->b_bytes);
}

/* The pointer of an operand that is not there: 0 says so, but only a step that would use it looks. */
static tsr_mem absent(const struct conv_case *cc, int which, tsr_mem forbidden) {
  if (cc->kernel->op == TSR_OP_POST && which != OPERAND_A) return 0;
  uint64_t user = which == OPERAND_BIAS ? TSR_FIRST_K : which == OPERAND_ADD ? TSR_LAST_K : 0;
  return user && (cc->step.flags & user || cc->slack & 1) ? 0 : forbidden;
}

/* Slack keeps an operand off its page only by less than an element at the end, so that one element too many faults. */
static void place(struct conv_bench *bench, const struct conv_case *cc, enum place where, struct placed *pl) {
  tsr_mem at[OPERAND_COUNT];
  for (int i = 0; i < OPERAND_COUNT; i++) {
    const struct conv_array *array = &cc->array[i];
    int64_t size = i == OPERAND_SCALE || i == OPERAND_BIAS ? 4 : tsr_size_of(i == OPERAND_A ? cc->ta : cc->tc);
    size_t slack = i == OPERAND_TAPS ? 0 : where == PLACE_END ? cc->slack % (size_t)size : cc->slack;
    at[i] = absent(cc, i, (tsr_mem)(bench->step.base - GUARD_BYTES / 2));
    if (!array->bytes) continue;
    pl->base[i] = arena_place(&bench->arena[i], (size_t)array->bytes, where, slack);
    margins_paint(&bench->arena[i], pl->base[i], (size_t)array->bytes);
    memcpy(pl->base[i], array->before, (size_t)array->bytes);
    at[i] = (tsr_mem)(pl->base[i] + array->origin);
  }
  pl->step = (struct tsr_step *)arena_place(&bench->step, sizeof *pl->step, where, 0);
  memcpy(pl->step, &cc->step, sizeof *pl->step);
  place_b(bench, cc, where, at, pl);
}

static bool converts(const struct conv_case *cc) { return cc->kernel->op == TSR_OP_TURN && cc->ta != cc->tc; }

static bool right_element(struct conv_bench *bench, const struct conv_case *cc, const unsigned char *c, int64_t i,
                          int64_t j) {
  int64_t at = result_at(cc, i, j), size = tsr_size_of(cc->tc);
  if (memcmp(c + at, cc->expected + at, (size_t)size) == 0) return true;
  uint64_t was = 0, want = 0;
  memcpy(&was, c + at, (size_t)size);
  memcpy(&want, cc->expected + at, (size_t)size);
  bool copied = cc->kernel->op == TSR_OP_TURN && !converts(cc);
  if (!copied && is_real(cc->tc) && bits_are_nan(cc->tc, was) && bits_are_nan(cc->tc, want)) return true;
  SAY("row %lld of column %lld is %#llx (%g), the loop gives %#llx (%g)", (long long)i, (long long)j,
      (unsigned long long)was, is_real(cc->tc) ? value_of_bits(cc->tc, was) : (double)was, (unsigned long long)want,
      is_real(cc->tc) ? value_of_bits(cc->tc, want) : (double)want);
  return false;
}

static bool right_result(struct conv_bench *bench, const struct conv_case *cc, const unsigned char *c) {
  const struct conv_array *array = &cc->array[OPERAND_C];
  if (memcmp(c, cc->expected, (size_t)array->bytes) == 0) return true;
  for (int64_t at = 0; at < array->bytes; at++)
    if (!cc->live[at] && c[at] != array->before[at])
      return SAY("wrote into a gap of C, at byte %lld", (long long)at), false;
  for (int64_t j = 0; j < cc->step.n; j++)
    for (int64_t i = 0; i < cc->step.m; i++)
      if (!right_element(bench, cc, c, i, j)) return false;
  return true;
}

static bool right_operand(struct conv_bench *bench, const struct conv_case *cc, int which, const unsigned char *base) {
  const struct conv_array *array = &cc->array[which];
  if (!array->bytes) return true;
  int64_t stray = margins_check(&bench->arena[which], base, (size_t)array->bytes);
  if (stray) {
    SAY("wrote at byte %lld of %s, which has %lld", (long long)stray, names[which], (long long)array->bytes);
    return false;
  }
  if (which == OPERAND_C) return right_result(bench, cc, base);
  if (memcmp(base, array->before, (size_t)array->bytes) != 0) return SAY("changed %s", names[which]), false;
  return true;
}

static bool right_registers(struct conv_bench *bench, const struct probe *probe) {
  static const char *const registers[] = PROBE_NAMES;
  for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
    if (probe->in[i] == probe->out[i] || (bench->plain_c && strcmp(registers[i], "x18") == 0)) continue;
    SAY("did not preserve %s", registers[i]);
    return false;
  }
  return true;
}

/* What a conversion raises is the machine's affair, and what an activation raises too, unless it warns of nothing. */
static bool right_flags(struct conv_bench *bench, const struct conv_case *cc, int flags) {
  int wrong = flags ^ cc->flags;
  if (cc->kernel->op == TSR_OP_POST) wrong &= flags & (FE_INVALID | FE_DIVBYZERO);
  if (cc->any_invalid) wrong &= ~FE_INVALID;
  if (!wrong || converts(cc)) return true;
  SAY("raised floating-point exceptions other than the loop's:%s%s%s%s%s", wrong & FE_INVALID ? " invalid" : "",
      wrong & FE_DIVBYZERO ? " division by zero" : "", wrong & FE_OVERFLOW ? " overflow" : "",
      wrong & FE_UNDERFLOW ? " underflow" : "", wrong & FE_INEXACT ? " inexact" : "");
  return false;
}

static bool faulted(struct conv_bench *bench, const struct placed *pl, const struct conv_case *cc, struct fault fault) {
  if (!fault.signal) return false;
  SAY("signal %d at address %#llx", fault.signal, (unsigned long long)fault.address);
  for (int i = 0; i < OPERAND_COUNT; i++) {
    uintptr_t start = (uintptr_t)bench->arena[i].base, end = start + bench->arena[i].bytes;
    if (!cc->array[i].bytes || fault.address < start - GUARD_BYTES || fault.address >= end + GUARD_BYTES) continue;
    SAY("touched memory at byte %lld of %s, which has %lld", (long long)(fault.address - (uintptr_t)pl->base[i]),
        names[i], (long long)cc->array[i].bytes);
  }
  return true;
}

static bool check_placed(struct conv_bench *bench, const struct conv_case *cc, enum place where) {
  struct placed pl = {.step = NULL};
  struct probe probe = {.check_upper = bench->has_avx && !bench->plain_c};
  tsr_mem nowhere = (tsr_mem)(bench->step.base - GUARD_BYTES / 2);
  for (int i = 0; i < PROBE_REGISTERS; i++) probe.in[i] = UINT64_C(0xdeadbeef00000000) + (uint64_t)(i + 1) * 0x01010101;
  place(bench, cc, where, &pl);
  tsr_mem a = cc->array[OPERAND_A].bytes ? address(cc, OPERAND_A, pl.base[OPERAND_A]) : nowhere;
  if (cc->in_place) a = (tsr_mem)pl.base[OPERAND_C];
  tsr_mem b = cc->kernel->op == TSR_OP_TURN ? nowhere : (tsr_mem)pl.b;
  feclearexcept(FE_ALL_EXCEPT);
  struct fault fault = guarded_call(cc->kernel->run, pl.step, a, b, (tsr_mem)pl.base[OPERAND_C], &probe);
  int flags = fetestexcept(FE_ALL_EXCEPT);
  bool right = !faulted(bench, &pl, cc, fault) && right_registers(bench, &probe);
  if (!right) fesetenv(FE_DFL_ENV);
  for (int i = 0; i < OPERAND_COUNT && right; i++) right = right_operand(bench, cc, i, pl.base[i]);
  if (right && memcmp(pl.b, &pl.before, pl.b_bytes) != 0) SAY("changed what B points to"), right = false;
  if (right && memcmp(pl.step, &cc->step, sizeof cc->step) != 0) SAY("changed the step"), right = false;
  return right && right_flags(bench, cc, flags);
}

bool conv_check(struct conv_bench *bench, const struct conv_case *cc) {
  bench->what[0] = 0;
  for (int where = 0; where < PLACE_COUNT; where++)
    if (!check_placed(bench, cc, (enum place)where)) return false;
  return true;
}
