/* One instruction of a pipe: its operands are checked, its accesses noted, its bytes moved, its cost said. All operands
 * are checked before the first byte moves: a fault leaves memory as it was. */
#include <string.h>

#include "kernels/accel_sim/sim/move.h"
#include "kernels/accel_sim/sim/operation.h"

enum { SIDE = 16, ROW = 32, REPEAT = 256 };

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }


static int size_of(unsigned suffix) {
  return suffix & (ACCEL_S8 | ACCEL_B8) ? 1 : suffix & (ACCEL_F32 | ACCEL_S32 | ACCEL_B32) ? 4 : 2;
}

/* Whether bytes are to be moved. */
static bool moves(const struct operation *o) { return !o->m->fault.kind && !o->m->options.no_data; }

static bool crosses_l2(enum accel_route route) {
  return route == ACCEL_GM_L1 || route == ACCEL_GM_UB || route == ACCEL_UB_GM || route == ACCEL_L0C_GM;
}

/* What it costs to bring `bytes` along a route. */
static void use_route(struct operation *o, enum accel_route route, double bytes) {
  const struct accel_params *p = &o->m->params;
  struct work *work = o->work;
  work->cycles = p->startup[route];
  work->bytes = bytes;
  work->writes = route == ACCEL_UB_GM || route == ACCEL_L0C_GM;
  work->alone = p->rate[route];
  work->flows = bytes > 0 && crosses_l2(route);
  if (work->alone <= 0)
    accel_fail(o->m, ACCEL_UNSUPPORTED, &o->site, "chip %s has no such route", p->name);
  else if (!work->flows)
    work->cycles += bytes / work->alone;
}

/* S */

static void ld_ub(struct operation *o) {
  int size = size_of(o->word->suffix);
  uint32_t value = 0;
  const unsigned char *src = accel_access_bytes(o, 1, "src", ACCEL_UB, READ, size);
  if (moves(o)) memcpy(&value, src, (size_t)size);
  o->work->loaded = (int64_t)value;
}

/* MTE2 */

static void copy_rows(unsigned char *to, const unsigned char *from, int64_t rows, int64_t bytes, int64_t to_pitch,
                      int64_t from_pitch) {
  for (int64_t i = 0; i < rows; i++) memcpy(to + i * to_pitch, from + i * from_pitch, (size_t)bytes);
}

static void ld_gm_l1(struct operation *o) {
  int size = size_of(o->word->suffix);
  int64_t rows = accel_count(o, 2, "rows"), cols = accel_count(o, 3, "cols"), pitch = accel_pitch(o, 4, "pitch");
  int64_t blocks = accel_count(o, 5, "blocks");
  use_route(o, ACCEL_GM_L1, (double)rows * (double)cols * size);
  if (!rows || !cols) return;
  const unsigned char *src = accel_access_rows(o, 1, "src", ACCEL_GM, READ, rows, cols * size, pitch, size);
  int64_t high = ceil_div(rows, SIDE), wide = ceil_div(cols * size, ROW);
  unsigned char *dst = accel_access_fractals(o, 0, "dst", ACCEL_L1, WRITE, high, wide, blocks);
  if (moves(o)) accel_rows_to_fractals(dst, src, rows, cols, pitch, blocks, size);
}

static void ld_gm_l1_linear(struct operation *o) {
  int64_t bytes = accel_count(o, 2, "bytes");
  use_route(o, ACCEL_GM_L1, (double)bytes);
  if (!bytes) return;
  const unsigned char *src = accel_access_bytes(o, 1, "src", ACCEL_GM, READ, bytes);
  unsigned char *dst = accel_access_bytes(o, 0, "dst", ACCEL_L1, WRITE, bytes);
  if (moves(o)) memcpy(dst, src, (size_t)bytes);
}

static void ld_gm_ub(struct operation *o) {
  int64_t rows = accel_count(o, 2, "rows"), bytes = accel_count(o, 3, "row_bytes");
  int64_t from = accel_pitch(o, 4, "src_pitch"), to = accel_pitch(o, 5, "dst_pitch");
  use_route(o, ACCEL_GM_UB, (double)rows * (double)bytes);
  if (!rows || !bytes) return;
  const unsigned char *src = accel_access_rows(o, 1, "src", ACCEL_GM, READ, rows, bytes, from, 1);
  unsigned char *dst = accel_access_rows(o, 0, "dst", ACCEL_UB, WRITE, rows, bytes, to, 1);
  if (moves(o)) copy_rows(dst, src, rows, bytes, to, from);
}

/* MTE1 */

static void load2d(struct operation *o) {
  bool l0b = o->word->opcode == ACCEL_LOAD2D_L0B, transpose = o->word->suffix & ACCEL_T;
  int size = size_of(o->word->suffix);
  int64_t rows = accel_count(o, 2, "rows"), cols = accel_count(o, 3, "cols"), blocks = accel_count(o, 4, "blocks");
  use_route(o, l0b ? ACCEL_L1_L0B : ACCEL_L1_L0A, (double)rows * (double)cols * FRACTAL);
  if (!rows || !cols) return;
  /* Transposed, what has 16 rows and 32 bytes of columns a fractal comes from as many columns and rows. */
  int64_t high = transpose ? ceil_div(cols * 2, size) : rows, wide = transpose ? ceil_div(rows * size, 2) : cols;
  const unsigned char *src = accel_access_fractals(o, 1, "src", ACCEL_L1, READ, high, wide, blocks);
  int64_t bytes = accel_times(rows, cols * FRACTAL);
  unsigned char *dst = accel_access_bytes(o, 0, "dst", l0b ? ACCEL_L0B : ACCEL_L0A, WRITE, bytes);
  if (moves(o)) accel_load2d(dst, src, rows, cols, blocks, l0b, transpose, size);
}

static struct accel_map read_map(const int64_t *word) {
  const uint64_t in = (uint64_t)word[0], window = (uint64_t)word[1], out = (uint64_t)word[2], place = (uint64_t)word[3];
  struct accel_map map = {.in = {in & 0xffff, in >> 16 & 0xffff}, .columns = in >> 32 & 0xffff, .blocks = in >> 48,
                          .out = {out & 0xffff, out >> 16 & 0xffff}, .value = (uint32_t)(out >> 32),
                          .skip = (uint32_t)place, .pixels = place >> 32};
  for (int i = 0; i < 2; i++) {
    map.kernel[i] = window >> 8 * i & 0xff;
    map.stride[i] = window >> (16 + 8 * i) & 0xff;
    map.dilation[i] = window >> (32 + 8 * i) & 0xff;
    map.pad[i] = window >> (48 + 8 * i) & 0xff;
  }
  return map;
}

static bool check_map(struct operation *o, const struct accel_map *map) {
  const char *zero = !map->in[0] || !map->in[1] || !map->columns ? "size"
                     : !map->kernel[0] || !map->kernel[1]        ? "kernel"
                     : !map->stride[0] || !map->stride[1]        ? "stride"
                     : !map->dilation[0] || !map->dilation[1]    ? "dilation"
                     : !map->out[0] || !map->out[1]              ? "result"
                                                                 : NULL;
  if (zero) return accel_fail(o->m, ACCEL_BAD_OPERAND, &o->site, "set.map gave a %s of 0, or there was none", zero);
  if (map->columns > 1 && map->blocks * SIDE < map->pixels)
    return accel_fail(o->m, ACCEL_BAD_OPERAND, &o->site, "set.map: columns of %lld pixels are only %lld fractals apart",
                      (long long)map->pixels, (long long)map->blocks);
  return true;
}

/* The pixels that are read, as one range in every column of fractals, or in those of a tap if there is but one. */
static const unsigned char *map_source(struct operation *o, const struct accel_map *map, const struct accel_patch *p) {
  int64_t low, high, end = map->skip + map->pixels;
  if (!accel_load3d_pixels(map, p, &low, &high)) return NULL;
  if (low < map->skip || high >= end) {
    accel_fail(o->m, ACCEL_OUT_OF_RANGE, &o->site, "pixels %lld to %lld of the map are read, counted from its first "
               "image; set.map says that L1 holds %lld to %lld", (long long)low, (long long)high, (long long)map->skip,
               (long long)end - 1);
    return NULL;
  }
  struct operation at = *o;
  int64_t value[6];
  memcpy(value, o->value, sizeof value);
  int64_t column = p->k % map->columns, columns = p->cols, before = (low - map->skip) * ROW;
  if (column + columns > map->columns) column = 0, columns = map->columns;
  before += column * map->blocks * FRACTAL;
  value[1] = (int64_t)((uint64_t)value[1] + (uint64_t)before);
  at.value = value;
  const unsigned char *from = accel_access_rows(&at, 1, "src", ACCEL_L1, READ, columns, (high - low + 1) * ROW,
                                                map->blocks * FRACTAL, 1);
  memcpy(o->access, at.access, sizeof at.access);
  o->count = at.count;
  return from ? from - before : NULL;
}

static void load3d(struct operation *o) {
  struct accel_map map = read_map(o->map);
  struct accel_patch patch = {accel_count(o, 2, "first"), accel_count(o, 3, "rows"), accel_count(o, 4, "k"),
                              accel_count(o, 5, "cols")};
  int64_t high = ceil_div(patch.rows, SIDE), bytes = accel_times(high, patch.cols * FRACTAL);
  use_route(o, ACCEL_L1_L0A, (double)bytes);
  if (!patch.rows || !patch.cols || o->m->fault.kind || !check_map(o, &map)) return;
  int64_t all = map.kernel[0] * map.kernel[1] * map.columns;
  if (patch.k + patch.cols > all) {
    accel_fail(o->m, ACCEL_BAD_OPERAND, &o->site, "operands 5 and 6 (k, cols) are %lld and %lld: a row has %lld "
               "columns of fractals", (long long)patch.k, (long long)patch.cols, (long long)all);
    return;
  }
  int64_t images = (patch.first + patch.rows) / (map.out[0] * map.out[1]) + 1;
  if (accel_times(images, map.in[0] * map.in[1]) == INT64_MAX / 2) {
    accel_fail(o->m, ACCEL_BAD_OPERAND, &o->site, "operand 3 (first) is %lld: image %lld of the map is beyond any "
               "memory", (long long)patch.first, (long long)images - 1);
    return;
  }
  unsigned char *dst = accel_access_bytes(o, 0, "dst", ACCEL_L0A, WRITE, bytes);
  if (o->m->fault.kind) return;
  const unsigned char *src = map_source(o, &map, &patch);
  if (moves(o)) accel_load3d(dst, src, &map, &patch, size_of(o->word->suffix));
}

static void copy_linear(struct operation *o, enum accel_route route, enum accel_buffer to, enum accel_buffer from) {
  int64_t bytes = accel_count(o, 2, "bytes");
  use_route(o, route, (double)bytes);
  if (!bytes) return;
  const unsigned char *src = accel_access_bytes(o, 1, "src", from, READ, bytes);
  unsigned char *dst = accel_access_bytes(o, 0, "dst", to, WRITE, bytes);
  if (moves(o)) memcpy(dst, src, (size_t)bytes);
}

static void ld_l1_ub(struct operation *o) { copy_linear(o, ACCEL_L1_UB, ACCEL_UB, ACCEL_L1); }

/* M */

static double mad_cycles(const struct operation *o, int64_t m, int64_t k, int64_t n, int size) {
  const struct accel_params *p = &o->m->params;
  if (p->systolic) return (double)(2 * p->systolic_rows + p->systolic_columns + m - 2); /* whatever k and n */
  double cubes = (double)ceil_div(m, SIDE) * (double)ceil_div(k, ROW / size) * (double)ceil_div(n, SIDE);
  if (o->word->suffix & ACCEL_F32) cubes *= p->mad_f32_factor;
  return p->mad_overhead + (o->core->unit[ACCEL_M].waited ? p->mad_startup : 0) + cubes;
}

static void mad(struct operation *o) {
  unsigned type = o->word->suffix & ACCEL_TYPES;
  int size = size_of(type);
  bool init = o->word->suffix & ACCEL_INIT;
  int64_t m = accel_count(o, 3, "m"), k = accel_count(o, 4, "k"), n = accel_count(o, 5, "n");
  const struct accel_params *p = &o->m->params;
  if (p->systolic && (k > p->systolic_rows || n > p->systolic_columns))
    accel_fail(o->m, ACCEL_BAD_OPERAND, &o->site, "k is %lld and n %lld: the array is %d x %d", (long long)k,
               (long long)n, p->systolic_rows, p->systolic_columns);
  o->work->cycles = mad_cycles(o, m, k, n, size);
  if (!m || !k || !n) return;
  int64_t mb = ceil_div(m, SIDE), kb = ceil_div(k, ROW / size), nb = ceil_div(n, SIDE);
  const unsigned char *a = accel_access_bytes(o, 1, "l0a", ACCEL_L0A, READ, accel_times(mb, kb * FRACTAL));
  const unsigned char *b = accel_access_bytes(o, 2, "l0b", ACCEL_L0B, READ, accel_times(nb, kb * FRACTAL));
  int64_t bytes = accel_times(mb, nb * L0C_FRACTAL);
  unsigned char *c = accel_access_bytes(o, 0, "l0c", ACCEL_L0C, init ? WRITE : UPDATE, bytes);
  if (o->m->fault.kind) return;
  o->m->stats.macs[type == ACCEL_S8 ? 3 : type / 2] += (uint64_t)(m * k * n);
  if (moves(o)) accel_mad(c, a, b, m, k, n, type, init);
}

/* FIX */

static const unsigned char *l0c_source(struct operation *o, int64_t rows, int64_t cols, int64_t blocks) {
  return accel_access_fractals(o, 1, "l0c", ACCEL_L0C, READ, ceil_div(rows, SIDE), ceil_div(cols, SIDE), blocks);
}

static void fixp_rows(struct operation *o, enum accel_buffer buffer) {
  unsigned type = o->word->suffix & ACCEL_TYPES;
  int size = size_of(type);
  int64_t rows = accel_count(o, 2, "rows"), cols = accel_count(o, 3, "cols"), pitch = accel_pitch(o, 4, "pitch");
  int64_t blocks = accel_count(o, 5, "blocks");
  use_route(o, buffer == ACCEL_GM ? ACCEL_L0C_GM : ACCEL_L0C_UB, (double)rows * (double)cols * size);
  if (buffer == ACCEL_GM) o->work->alone *= size / 2.0; /* the route's rate is one of elements, as if of 2 bytes */
  if (!rows || !cols) return;
  const unsigned char *src = l0c_source(o, rows, cols, blocks);
  unsigned char *dst = accel_access_rows(o, 0, "dst", buffer, WRITE, rows, cols * size, pitch, size);
  if (moves(o)) accel_fixp(dst, src, rows, cols, pitch, blocks, o->word->suffix);
}

static void fixp_gm(struct operation *o) { fixp_rows(o, ACCEL_GM); }
static void fixp_ub(struct operation *o) { fixp_rows(o, ACCEL_UB); }

/* A fractal of L0C becomes one of 16-bit elements; what lies beyond rows and cols becomes 0. */
static void fixp_fractals(unsigned char *dst, const unsigned char *src, int64_t rows, int64_t cols, int64_t dst_blocks,
                          int64_t blocks, unsigned type) {
  for (int64_t j = 0; j * SIDE < cols; j++)
    for (int64_t i = 0; i * SIDE < rows; i++) {
      int64_t high = least(rows - i * SIDE, SIDE), wide = least(cols - j * SIDE, SIDE);
      unsigned char *to = dst + (j * dst_blocks + i) * FRACTAL;
      if (high < SIDE || wide < SIDE) memset(to, 0, FRACTAL);
      accel_fixp(to, src + (j * blocks + i) * L0C_FRACTAL, high, wide, ROW, 1, type);
    }
}

static void fixp_l1(struct operation *o) {
  int64_t rows = accel_count(o, 2, "rows"), cols = accel_count(o, 3, "cols");
  int64_t dst_blocks = accel_count(o, 4, "dst_blocks"), blocks = accel_count(o, 5, "blocks");
  use_route(o, ACCEL_L0C_L1, (double)rows * (double)cols * 2);
  if (!rows || !cols) return;
  const unsigned char *src = l0c_source(o, rows, cols, blocks);
  int64_t high = ceil_div(rows, SIDE), wide = ceil_div(cols, SIDE);
  unsigned char *dst = accel_access_fractals(o, 0, "dst", ACCEL_L1, WRITE, high, wide, dst_blocks);
  if (moves(o)) fixp_fractals(dst, src, rows, cols, dst_blocks, blocks, o->word->suffix);
}

/* V */

static enum accel_vector_op cost_of(enum accel_opcode opcode, unsigned type) {
  switch (opcode) {
    case ACCEL_V_ADD: case ACCEL_V_SUB: return ACCEL_COST_ADD;
    case ACCEL_V_MUL: case ACCEL_V_FMA: return ACCEL_COST_MUL;
    case ACCEL_V_MAX: case ACCEL_V_MIN: return ACCEL_COST_MAX;
    case ACCEL_V_SQRT: return ACCEL_COST_SQRT;
    case ACCEL_V_EXP: return type == ACCEL_F16 ? ACCEL_COST_EXP_F16 : ACCEL_COST_EXP;
    case ACCEL_V_DIV: return ACCEL_COST_DIV;
    case ACCEL_V_GMAX: case ACCEL_V_BCAST: return ACCEL_COST_GMAX;
    case ACCEL_V_GADD: return ACCEL_COST_GADD;
    case ACCEL_V_RMAX: return ACCEL_COST_RMAX;
    case ACCEL_V_RADD: return ACCEL_COST_RADD;
    default: return ACCEL_COST_SCALAR; /* adds, muls, fmas, dup and the conversions */
  }
}

/* The unit reads 256 bytes before it writes what becomes of them: it may work in place unless results are wider. */
static void check_overlap(struct operation *o, int i, const struct access *d, const struct access *source) {
  uint64_t begin = d->range.address, from = source->range.address;
  uint64_t bytes = (uint64_t)d->range.bytes, from_bytes = (uint64_t)source->range.bytes;
  if (from >= begin + bytes || begin >= from + from_bytes || (from == begin && bytes <= from_bytes)) return;
  accel_fail(o->m, ACCEL_BAD_OPERAND, &o->site, "operand %d overlaps with the result: it may begin where the result "
             "does, unless that is wider, or lie elsewhere", i + 1);
}

static bool reduces_all(enum accel_opcode op) { return op == ACCEL_V_RMAX || op == ACCEL_V_RADD; }

static int64_t results(enum accel_opcode op, int64_t n, int size) {
  if (reduces_all(op)) return 1;
  if (op == ACCEL_V_BCAST) return n * (ROW / size);
  return op == ACCEL_V_GMAX || op == ACCEL_V_GADD ? ceil_div(n * size, ROW) : n;
}

static void vector(struct operation *o) {
  enum accel_opcode op = (enum accel_opcode)o->word->opcode;
  unsigned type = o->word->suffix & ACCEL_TYPES;
  int operands = (int)strlen(accel_ops[op].operands), size = size_of(type);
  int in = op == ACCEL_V_FROM_F32 ? 4 : size, out = op == ACCEL_V_TO_F32 ? 4 : size;
  bool by_scalar = op == ACCEL_V_ADDS || op == ACCEL_V_MULS || op == ACCEL_V_FMAS;
  bool updates = op == ACCEL_V_FMA || op == ACCEL_V_FMAS;
  int64_t n = accel_count(o, operands - 1, "n");
  int64_t most = op == ACCEL_V_BCAST ? n * ROW : n * (in > out ? in : out);
  const struct accel_vector_cost *cost = &o->m->params.vector[cost_of(op, type)];
  o->work->cycles = cost->startup + cost->slope * (double)ceil_div(most, REPEAT);
  if (!n) return;
  const unsigned char *a = NULL, *b = NULL;
  unsigned char *d = accel_access_bytes(o, 0, "d", ACCEL_UB, updates ? UPDATE : WRITE, results(op, n, size) * out);
  int first = o->count;
  if (op != ACCEL_V_DUP) a = accel_access_bytes(o, 1, "a", ACCEL_UB, READ, n * in);
  if (operands == 4 && !by_scalar) b = accel_access_bytes(o, 2, "b", ACCEL_UB, READ, n * in);
  for (int i = first; i < o->count && !reduces_all(op); i++)
    check_overlap(o, i - first + 1, &o->access[0], &o->access[i]);
  o->m->stats.vector_elements += (uint64_t)n;
  uint64_t scalar = by_scalar ? (uint64_t)o->value[2] : op == ACCEL_V_DUP ? (uint64_t)o->value[1] : 0;
  if (moves(o)) accel_vector(op, type, d, a, b, scalar, n);
}

/* MTE3 */

static void st_ub_gm(struct operation *o) {
  int64_t rows = accel_count(o, 2, "rows"), bytes = accel_count(o, 3, "row_bytes");
  int64_t to = accel_pitch(o, 4, "dst_pitch"), from = accel_pitch(o, 5, "src_pitch");
  use_route(o, ACCEL_UB_GM, (double)rows * (double)bytes);
  if (!rows || !bytes) return;
  const unsigned char *src = accel_access_rows(o, 1, "src", ACCEL_UB, READ, rows, bytes, from, 1);
  unsigned char *dst = accel_access_rows(o, 0, "dst", ACCEL_GM, WRITE, rows, bytes, to, 1);
  if (moves(o)) copy_rows(dst, src, rows, bytes, to, from);
}

static void st_ub_l1(struct operation *o) { copy_linear(o, ACCEL_UB_L1, ACCEL_L1, ACCEL_UB); }

/* All. */

static void run_operation(struct operation *o) {
  switch ((enum accel_opcode)o->word->opcode) {
    case ACCEL_LD_UB: ld_ub(o); break;
    case ACCEL_LD_GM_L1: ld_gm_l1(o); break;
    case ACCEL_LD_GM_L1_LINEAR: ld_gm_l1_linear(o); break;
    case ACCEL_LD_GM_UB: ld_gm_ub(o); break;
    case ACCEL_LOAD2D_L0A: case ACCEL_LOAD2D_L0B: load2d(o); break;
    case ACCEL_LOAD3D_L0A: load3d(o); break;
    case ACCEL_LD_L1_UB: ld_l1_ub(o); break;
    case ACCEL_MAD: mad(o); break;
    case ACCEL_FIXP_GM: fixp_gm(o); break;
    case ACCEL_FIXP_L1: fixp_l1(o); break;
    case ACCEL_FIXP_UB: fixp_ub(o); break;
    case ACCEL_ST_UB_GM: st_ub_gm(o); break;
    case ACCEL_ST_UB_L1: st_ub_l1(o); break;
    default: vector(o);
  }
}

static void note_bank(struct operation *o, const struct accel_range *range) {
  const struct accel_params *p = &o->m->params;
  struct work *work = o->work;
  bool ub = range->buffer == ACCEL_UB;
  if (!ub && range->buffer != ACCEL_L1) return;
  int bank = (int)(range->address / (uint64_t)p->bank_bytes % (uint64_t)(ub ? p->ub_banks : p->l1_banks));
  bank += ub ? MAX_BANKS : 0;
  for (int i = 0; i < work->nbanks; i++)
    if (work->bank[i] == bank) return;
  work->bank[work->nbanks++] = bank;
}

/* Statistics, L2, banks and the race detector learn of the accesses, what is read first. */
static void note_accesses(struct operation *o, bool writes) {
  struct accel_machine *m = o->m;
  for (int i = 0; i < o->count; i++) {
    const struct accel_range *range = &o->access[i].range;
    if (o->access[i].writes != writes) continue;
    uint64_t bytes = (uint64_t)range->rows * (uint64_t)range->bytes;
    (writes ? m->stats.bytes_written : m->stats.bytes_read)[range->buffer] += bytes;
    if (range->buffer == ACCEL_GM) accel_l2_access(&m->l2, range, writes, &o->work->traffic);
    note_bank(o, range);
    if (m->race) (writes ? accel_race_write : accel_race_read)(m->race, &o->site, range);
  }
}

bool accel_execute(struct accel_machine *m, struct core *core, enum accel_pipe pipe, const struct entry *entry,
                   struct work *work) {
  struct operation o = {.m = m, .core = core, .site = {entry->program, entry->index, accel_core_number(m, core), pipe},
                        .word = &entry->program->code[entry->index], .value = entry->value, .map = entry->map,
                        .work = work};
  *work = (struct work){0};
  run_operation(&o);
  if (m->fault.kind) return false;
  if (m->race) accel_race_begin(m->race, &o.site);
  note_accesses(&o, false);
  note_accesses(&o, true);
  m->stats.l2_bytes += work->traffic.bytes + work->traffic.fills;
  if (work->writes) m->stats.l2_written += work->traffic.bytes;
  m->stats.hbm_bytes += work->traffic.fills + work->traffic.writebacks;
  return true;
}
