/* Triangles: from the BLAS's problem to strips of independent rows that a team works on. */
#include "src/level3/triangle.h"

#include <fenv.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "src/core/memory.h"
#include "src/core/threads.h"
#include "src/core/trace.h"

#define PACKED_BYTES ((int64_t)8 << 20)   /* of T at a time: what the caches of all cores have room for */
#define FEW_COLUMNS 512                   /* of T that are packed at a time even so: X is read again for each such block */
#define STRIP_BYTES ((int64_t)512 << 10)  /* of a strip of X: what a core's own cache has room for beside T */
#define KEPT_BYTES ((int64_t)256 << 10)   /* of T at a time, where X is so little that all of it stays near */
#define FEW_KEPT 64
#define BUNCH 4                           /* groups of T that are packed together */
#define CHUNK_BYTES ((int64_t)16 << 10)   /* of a chunk of one group of T: it stays in the innermost cache */
#define FAR 2048                          /* columns of X a multiple of so many bytes apart drive one another out of a cache */
#define FEW_LANES 2                       /* of X, that read T where it is */
#define FEW_LANES_FAR 8                   /* likewise of a T that no cache has room for */
#define FEW_ROWS_BYTES ((int64_t)16 << 10) /* of one of them at a time */
#define FEW_GROUPS 4                      /* of T, that are worked on at once */
#define ROOM 8192                         /* on the stack, for T and for X each */
#define ALONE ((int64_t)1 << 20)          /* multiplications that a thread is worth */

/* The whole triangle from its end on: both indices count down. */
static void reverse(struct tsr_triangle *tri) {
  tri->t += (tsr_mem)((tri->n - 1) * (tri->t_rows + tri->t_columns));
  tri->x += (tsr_mem)((tri->n - 1) * tri->x_columns);
  tri->t_rows = -tri->t_rows;
  tri->t_columns = -tri->t_columns;
  tri->x_columns = -tri->x_columns;
  tri->reversed = true;
}

static void normalise(const tsr_context *context, const struct tsr_level3 *p, bool solves, struct tsr_triangle *tri) {
  int64_t size = tsr_size_of(p->type);
  bool right = p->side == TSR_RIGHT, transposed = p->op_a != TSR_OP_N;
  bool by_columns = right == transposed; /* T(p, j) and T(p + 1, j) lie a column of A apart */
  bool upper = (p->uplo == TSR_UPLO_UPPER) == (right != transposed);
  *tri = (struct tsr_triangle){.context = context, .kernels = &context->kernels[p->type], .type = p->type, .size = size,
                               .lanes = right ? p->m : p->n, .n = right ? p->n : p->m, .solves = solves,
                               .conjugate = p->op_a == TSR_OP_C, .unit = p->unit, .t = p->a, .x = p->b,
                               .t_rows = by_columns ? p->lda * size : size, .t_columns = by_columns ? size : p->lda * size,
                               .x_lanes = right ? size : p->ldb * size, .x_columns = right ? p->ldb * size : size,
                               .alpha = {p->alpha[0], p->alpha[1]}};
  tri->tiles = solves ? &tri->kernels->solve : &tri->kernels->multiply;
  tri->nr = tri->tiles->columns;
  if (upper != solves) reverse(tri);
}

/* One call: what the threads of its team share. */
struct work {
  const struct tsr_triangle *tri;
  struct tsr_packed_triangle t;
  tsr_mem room; /* for T */
  struct tsr_barrier barrier;
  int threads;
  bool keeps;   /* a thread keeps all columns of its one strip, from the first columns of T to the last */
  int64_t tall; /* the most panels in a strip */
  int64_t strips, strip_bytes, others_bytes;
  _Atomic int64_t next_groups, next_strip;
  _Atomic int failed;
};

static int64_t positive(int64_t step) { return step < 0 ? -step : step; }

static int64_t panel_lanes(const struct tsr_triangle *tri, int units) { return (int64_t)units * tri->tiles->mu; }

/* The lowest height of panel that has so many units. */
static int height_for(const struct tsr_tiles *tiles, int64_t units) {
  int height = (int)units;
  while (!tiles->max_columns[height]) height++;
  return height;
}

/* The lanes of one thread in panels: as many high ones as there are, in strips, and one strip more of what is left: one
 * panel, or two of middle height where one would be too low to hide an addition behind others. */
struct share {
  int64_t unit, full, full_strips; /* unit: the first */
  int tail_units, tail_panels;
};

/* Where part number `index` of `parts` begins. Small calls have one: a division would be a good part of them. */
static int64_t begin_of(int64_t all, int64_t index, int64_t parts) {
  return parts == 1 ? (index ? all : 0) : all * index / parts;
}

static struct share share_of(const struct work *work, int64_t index) {
  const struct tsr_tiles *tiles = work->tri->tiles;
  int64_t all = tsr_ceil_div(work->tri->lanes, tiles->mu), unit = begin_of(all, index, work->threads);
  int64_t units = begin_of(all, index + 1, work->threads) - unit, rest = units % tiles->units;
  struct share share = {.unit = unit, .full = units / tiles->units, .tail_panels = rest > 0};
  if (rest > 0) {
    bool two = share.full > 0 && (tiles->units + rest) % 2 == 0 && tiles->max_columns[(tiles->units + rest) / 2];
    if (two) rest = (rest + tiles->units) / 2, share.full--, share.tail_panels = 2;
    share.tail_units = height_for(tiles, rest);
  }
  share.full_strips = tsr_ceil_div(share.full, work->tall);
  return share;
}

/* The most panels of a thread. */
static int64_t panels_of_share(const struct work *work) {
  const struct tsr_tiles *tiles = work->tri->tiles;
  int64_t units = tsr_ceil_div(tsr_ceil_div(work->tri->lanes, tiles->mu), work->threads);
  return tsr_ceil_div(units, tiles->units);
}

/* So many columns of T that they take `bytes` packed, at least `fewest`: whole blocks. */
static int64_t wide_for(const struct tsr_triangle *tri, int64_t bytes, int64_t fewest) {
  int64_t whole = tsr_round_up(tri->n, tri->nr), column = tsr_triangle_row_bytes(tri) / tri->nr * whole;
  int64_t wide = tsr_max(tsr_max(bytes / column, fewest) / tri->block, 1) * tri->block;
  return tsr_min(wide, tsr_round_up(whole, tri->block));
}

static void plan_blocks(struct work *work, struct tsr_triangle *tri) {
  int64_t row = tsr_triangle_row_bytes(tri), whole = tsr_round_up(tri->n, tri->nr);
  int64_t strip = panels_of_share(work) * panel_lanes(tri, tri->tiles->units) * tri->size;
  work->keeps = strip <= STRIP_BYTES / tri->n && tri->n > FEW_KEPT;
  tri->chunk = tsr_max(tsr_min(CHUNK_BYTES / row / tri->nr * tri->nr, whole), tri->nr);
  tri->block = work->keeps ? tsr_min(tri->chunk, tsr_round_up(FEW_KEPT, tri->nr)) : tri->chunk;
  tri->wide = work->keeps ? wide_for(tri, KEPT_BYTES, FEW_KEPT) : wide_for(tri, PACKED_BYTES, FEW_COLUMNS);
}

/* A strip is as many panels as stay near while a chunk and a block of them are worked on. */
static void plan_strips(struct work *work) {
  const struct tsr_triangle *tri = work->tri;
  int64_t columns = work->keeps ? tri->n : tsr_min(tri->wide, tri->n), most = panels_of_share(work);
  int64_t panel = panel_lanes(tri, tri->tiles->units) * tri->size;
  work->tall = tsr_max(STRIP_BYTES / (panel * tsr_min(columns, tri->block + tri->chunk)), 1);
  if (work->keeps) work->tall = tsr_max(most, 2);
  work->strips = work->threads * (tsr_ceil_div(most, work->tall) + 1);
  int64_t lanes = tsr_min(tsr_max(work->tall, 2), most) * panel;
  work->strip_bytes = lanes * columns;
  work->others_bytes = columns < tri->n ? lanes * tri->chunk : 0;
}

/* Panels of whole vectors along which X is contiguous are worked on where they are. */
static bool is_in_place(const struct tsr_triangle *tri, const struct tsr_panels *x) {
  return tri->x_lanes == tri->size && tri->x_columns % FAR != 0 && x->lanes == x->count * panel_lanes(tri, x->units);
}

/* The addresses of a strip whose other fields are known: in place, or with room at `at`. */
static void place_panels(const struct tsr_triangle *tri, struct tsr_panels *x, tsr_mem at) {
  int64_t panel = panel_lanes(tri, x->units) * tri->size;
  x->in_place = is_in_place(tri, x);
  if (x->in_place) {
    x->at = tri->x + (tsr_mem)(x->lane * tri->size + x->first * tri->x_columns);
    x->pitch = panel;
    x->step = tri->x_columns;
    return;
  }
  x->pitch = (x->end - x->first) * panel;
  x->at = at + (tsr_mem)(tri->reversed ? x->pitch - panel : 0);
  x->step = tri->reversed ? -panel : panel;
}

/* Strip number `index`, with room for its columns q0 .. q1 - 1 at `at`; of no panels if there is none. */
static struct tsr_panels strip_of(const struct work *work, int64_t index, tsr_mem at, int64_t q0, int64_t q1) {
  const struct tsr_triangle *tri = work->tri;
  struct share share = share_of(work, work->threads == 1 ? 0 : index % work->threads);
  struct tsr_panels x = {.first = q0, .end = q1, .units = tri->tiles->units, .at = at};
  int64_t strip = work->threads == 1 ? index : index / work->threads, panel = share.full;
  if (strip < share.full_strips) {
    panel = begin_of(share.full, strip, share.full_strips);
    x.count = (int)(begin_of(share.full, strip + 1, share.full_strips) - panel);
  } else if (strip == share.full_strips) {
    x.count = share.tail_panels;
    x.units = share.tail_units;
  }
  x.lane = share.unit * tri->tiles->mu + panel * panel_lanes(tri, tri->tiles->units);
  x.lanes = tsr_min(panel_lanes(tri, x.units) * x.count, tri->lanes - x.lane);
  place_panels(tri, &x, at);
  return x;
}

static void run_kernel(const struct tsr_triangle *tri, struct tsr_step *step, const struct tsr_panels *x, tsr_mem a,
                       tsr_mem b, tsr_mem c) {
  step->m = x->count * panel_lanes(tri, x->units);
  tri->tiles->tile[x->units][tri->nr]->run(step, a, b, c);
}

static tsr_mem packed_at(const struct tsr_triangle *tri, const struct tsr_packed_triangle *t, int64_t p, int64_t q) {
  return t->at + (tsr_mem)((q - t->first) / tri->nr * t->db + (p - t->row) * t->rsb);
}

void tsr_triangle_diagonal(const struct tsr_triangle *tri, const struct tsr_packed_triangle *t,
                           const struct tsr_panels *x, int64_t q0, int64_t q1) {
  struct tsr_step step = {.n = q1 - q0, .rsb = t->rsb, .db = t->db, .csa = x->step, .csc = x->step, .da = x->pitch,
                          .dc = x->pitch, .flags = tri->unit ? TSR_UNIT : 0};
  tsr_mem c = x->at + (tsr_mem)((q0 - x->first) * x->step);
  run_kernel(tri, &step, x, c, packed_at(tri, t, q0, q0), c);
}

void tsr_triangle_update(const struct tsr_triangle *tri, const struct tsr_packed_triangle *t, const struct tsr_panels *x,
                         int64_t q0, int64_t q1, const struct tsr_panels *others, int64_t p0, int64_t p1) {
  struct tsr_step step = {.n = q1 - q0, .k = p1 - p0, .rsb = t->rsb, .db = t->db, .csa = others->step, .csc = x->step,
                          .da = others->pitch, .dc = x->pitch, .flags = tri->solves ? TSR_MORE_K : TSR_GO_ON};
  run_kernel(tri, &step, x, others->at + (tsr_mem)((p0 - others->first) * others->step), packed_at(tri, t, p0, q0),
             x->at + (tsr_mem)((q0 - x->first) * x->step));
}

/* One strip through the columns of T that are packed. */
static void run_strip(struct work *work, int64_t index, tsr_mem room, tsr_mem more_room) {
  const struct tsr_triangle *tri = work->tri;
  int64_t q0 = work->keeps ? 0 : work->t.first, q1 = work->keeps ? tri->n : work->t.end;
  bool comes = !work->keeps || work->t.first == 0, goes = !work->keeps || work->t.end == tri->n;
  struct tsr_panels x = strip_of(work, index, room, q0, q1), others;
  if (work->others_bytes) others = strip_of(work, index, more_room, 0, tri->chunk);
  if (x.count == 0) return;
  if (comes) tsr_triangle_load(tri, &x, q0, q1);
  if (comes && tri->solves) tsr_triangle_scale(tri, &x, q0, q1);
  (tri->solves ? tsr_solve_strip : tsr_multiply_strip)(tri, &work->t, &x, &others);
  if (goes && !tri->solves) tsr_triangle_scale(tri, &x, q0, q1);
  if (goes) tsr_triangle_store(tri, &x, q0, q1);
}

static void wait_for_others(struct work *work) {
  if (work->threads > 1) tsr_barrier_wait(&work->barrier);
}

/* A thread that keeps its strips has one of full panels and one of what is left, each in a place of its own. */
static void run_kept(struct work *work, int index, tsr_mem room) {
  const struct tsr_triangle *tri = work->tri;
  struct tsr_panels x = strip_of(work, index, room, 0, tri->n);
  run_strip(work, index, room, 0);
  run_strip(work, index + work->threads, room + (tsr_mem)(x.in_place ? 0 : x.count * x.pitch), 0);
}

/* Columns of T, packed by all threads together, then strips of X. */
static void run_columns(struct work *work, int index, tsr_mem room, tsr_mem more_room) {
  const struct tsr_triangle *tri = work->tri;
  int64_t groups = tsr_ceil_div(work->t.end - work->t.first, tri->nr), bunches = tsr_ceil_div(groups, BUNCH);
  for (int64_t g; (g = atomic_fetch_add(&work->next_groups, 1)) < bunches;) {
    /* The longest first: they are the last of a triangle that is solved. */
    int64_t bunch = tri->solves ? bunches - 1 - g : g;
    tsr_triangle_pack(tri, &work->t, bunch * BUNCH, tsr_min(groups, (bunch + 1) * BUNCH));
  }
  wait_for_others(work);
  if (work->keeps)
    run_kept(work, index, room);
  else
    for (int64_t s; (s = atomic_fetch_add(&work->next_strip, 1)) < work->strips;) run_strip(work, s, room, more_room);
  wait_for_others(work);
  if (index == 0) work->next_groups = work->next_strip = 0;
}

/* The addresses of a packed triangle of so many rows. */
static void place_triangle(const struct tsr_triangle *tri, struct tsr_packed_triangle *t, int64_t rows, tsr_mem at) {
  int64_t row = tsr_triangle_row_bytes(tri);
  t->rsb = tri->reversed ? -row : row;
  t->db = rows * row;
  t->at = at + (tsr_mem)(tri->reversed ? t->db - row : 0);
}

static void place_columns(struct work *work, int64_t first) {
  const struct tsr_triangle *tri = work->tri;
  struct tsr_packed_triangle *t = &work->t;
  t->first = first;
  t->end = tsr_min(tri->n, first + tri->wide);
  t->row = tri->solves ? 0 : first;
  place_triangle(tri, t, tri->solves ? t->end : tri->n - first, work->room);
}

static void body(void *arg, int index) {
  struct work *work = arg;
  tsr_mem more_room = 0;
  if (index >= work->threads) return;
  tsr_mem room = (tsr_mem)tsr_scratch_get(TSR_SCRATCH_SUMS, (size_t)work->strip_bytes);
  if (work->others_bytes) more_room = (tsr_mem)tsr_scratch_get(TSR_SCRATCH_A, (size_t)work->others_bytes);
  if (!room || (work->others_bytes && !more_room)) atomic_store(&work->failed, 1);
  wait_for_others(work);
  if (atomic_load(&work->failed)) return;
  for (int64_t first = 0; first < work->tri->n; first += work->tri->wide) {
    if (index == 0) place_columns(work, first);
    wait_for_others(work);
    run_columns(work, index, room, more_room);
  }
}

static int64_t packed_bytes(const struct tsr_triangle *tri) {
  return tsr_round_up(tsr_min(tri->wide, tri->n), tri->nr) / tri->nr * tri->n * tsr_triangle_row_bytes(tri);
}

static int threads_for(const struct tsr_triangle *tri) {
  int64_t work;
  if (__builtin_mul_overflow(tri->n * tri->lanes, tri->n, &work)) work = INT64_MAX;
  return work <= ALONE ? 1 : (int)tsr_min(tsr_threads_available(tri->context), tsr_max(work / ALONE, 1));
}

/* False: there is no memory, and nothing has been written. */
static bool in_blocks(struct tsr_triangle *tri, int *threads) {
  struct work work = {.tri = tri, .threads = threads_for(tri)};
  struct tsr_team team;
  bool alone = work.threads == 1;
  if (!alone) {
    tsr_team_reserve(tri->context, work.threads, &team);
    work.threads = (int)tsr_min(work.threads, team.n);
  }
  *threads = work.threads;
  plan_blocks(&work, tri);
  plan_strips(&work);
  work.room = (tsr_mem)tsr_scratch_get(TSR_SCRATCH_B, (size_t)packed_bytes(tri));
  if (!work.room) work.failed = 1;
  tsr_barrier_init(&work.barrier, work.threads);
  if (alone)
    body(&work, 0);
  else
    tsr_team_run(&team, body, &work);
  return !work.failed;
}

/* A few groups of T and one or two panels of X: without a plan, a team or scratch memory. False: there are more. */
static bool at_once(const struct tsr_triangle *tri) {
  const struct tsr_tiles *tiles = tri->tiles;
  _Alignas(64) char t_room[ROOM], x_room[ROOM];
  int64_t groups = 1;
  int count = tri->lanes > panel_lanes(tri, tiles->units) ? 2 : 1;
  struct tsr_panels x = {.end = tri->n, .count = count, .lanes = tri->lanes};
  struct tsr_packed_triangle t = {.end = tri->n};
  if (tri->n > FEW_GROUPS * tri->nr || tri->lanes > 2 * panel_lanes(tri, tiles->units)) return false;
  for (x.units = 1; x.count * panel_lanes(tri, x.units) < tri->lanes || !tiles->max_columns[x.units];) x.units++;
  while (groups * tri->nr < tri->n) groups++;
  place_panels(tri, &x, (tsr_mem)x_room);
  place_triangle(tri, &t, tri->n, (tsr_mem)t_room);
  if (groups * t.db > ROOM || (!x.in_place && x.count * x.pitch > ROOM)) return false;
  tsr_triangle_pack(tri, &t, 0, groups);
  tsr_triangle_load(tri, &x, 0, tri->n);
  if (tri->solves) tsr_triangle_scale(tri, &x, 0, tri->n);
  tsr_triangle_diagonal(tri, &t, &x, 0, tri->n);
  if (!tri->solves) tsr_triangle_scale(tri, &x, 0, tri->n);
  tsr_triangle_store(tri, &x, 0, tri->n);
  return true;
}

/* What columns q0 .. q1 - 1 of X contribute to columns j0 .. j1 - 1: products of a matrix and a vector, whose sums go on
 * in the same order. */
static void contribute(const struct tsr_triangle *tri, int64_t q0, int64_t q1, int64_t j0, int64_t j1) {
  const struct tsr_kernel *gemv = tri->kernels->level2_gemv_n;
  int64_t most = FEW_ROWS_BYTES / tri->size, end;
  for (int64_t j = j0; j < j1; j = end) {
    end = tsr_min(j1, j + most);
    int64_t low = tri->reversed ? end - 1 : j;
    struct tsr_step step = {.m = end - j, .n = q1 - q0, .csa = tri->t_rows, .rsb = end - j, .csb = q1 - q0,
                            .alpha = tri->solves ? -1 : 1};
    for (int64_t i = 0; i < tri->lanes; i++) {
      _Alignas(64) char x[ROOM];
      tsr_mem line = tri->x + (tsr_mem)(i * tri->x_lanes);
      for (int64_t q = q0; q < q1; q++)
        memcpy(x + (q - q0) * tri->size, (const void *)(line + (tsr_mem)(q * tri->x_columns)), (size_t)tri->size);
      gemv->run(&step, tri->t + (tsr_mem)(q0 * tri->t_rows + low * tri->t_columns), (tsr_mem)x,
                line + (tsr_mem)(low * tri->x_columns));
    }
  }
}

static void scale(const struct tsr_triangle *tri, int64_t q0) {
  struct tsr_step step = {.m = tri->n - q0, .n = tri->lanes, .csc = tri->x_lanes, .beta = tri->alpha[0]};
  int64_t low = tri->reversed ? tri->n - 1 : q0;
  if (tri->alpha[0] != 1 && step.m > 0) tri->kernels->scale->run(&step, 0, 0, tri->x + (tsr_mem)(low * tri->x_columns));
}

/* Few lanes of real numbers, X and columns of T contiguous: only squares on the diagonal are packed, and no part of T
 * comes from memory twice. (A complex product with a vector takes its fma in another order.) False: it is another problem, and nothing has been written. */
static bool by_vectors(const struct tsr_triangle *tri) {
  int64_t block = FEW_GROUPS * tri->nr;
  bool is_real = tri->type == TSR_F32 || tri->type == TSR_F64;
  bool far = tri->n > 2 * PACKED_BYTES / tri->size / tri->n;
  if (tri->lanes > (far ? FEW_LANES_FAR : FEW_LANES) || !is_real) return false;
  if (positive(tri->t_columns) != tri->size || positive(tri->x_columns) != tri->size) return false;
  for (int64_t q = 0, end; q < tri->n; q = end) {
    struct tsr_triangle square = *tri;
    end = tsr_min(tri->n, q + block);
    square.n = end - q;
    square.t += (tsr_mem)(q * (tri->t_rows + tri->t_columns));
    square.x += (tsr_mem)(q * tri->x_columns);
    if (q > 0 || !tri->solves) square.alpha[0] = 1;
    if (!tri->solves) contribute(tri, q, end, 0, q);
    if (!at_once(&square)) return false; /* the first, if any */
    if (q == 0 && tri->solves) scale(tri, end);
    if (tri->solves) contribute(tri, q, end, end, tri->n);
  }
  if (!tri->solves) scale(tri, 0);
  return true;
}

static void zero(const struct tsr_context *context, const struct tsr_level3 *p) {
  struct tsr_step step = {.m = p->m, .n = p->n, .csc = p->ldb * tsr_size_of(p->type)};
  context->kernels[p->type].scale->run(&step, 0, 0, p->b);
}

static void trace(const struct tsr_triangle *tri, const struct tsr_level3 *p, const char *routine, int threads,
                  double seconds) {
  static const char letters[] = "NTC";
  char kernel[32];
  bool is_complex = tri->type == TSR_C32 || tri->type == TSR_C64;
  struct tsr_trace_call call = {.routine = routine, .kernel = kernel, .context = tri->context, .type = tri->type,
                                .threads = threads, .seconds = seconds,
                                .flops = (is_complex ? 4.0 : 1.0) * (double)tri->lanes * (double)tri->n * (double)tri->n};
  snprintf(kernel, sizeof kernel, "%s/%lldx%lld", tri->solves ? "solve" : "multiply",
           (long long)panel_lanes(tri, tri->tiles->units), (long long)tri->nr);
  snprintf(call.sizes, sizeof call.sizes, "%c%c%c%c %lldx%lld", p->side == TSR_LEFT ? 'L' : 'R',
           p->uplo == TSR_UPLO_UPPER ? 'U' : 'L', letters[p->op_a], p->unit ? 'U' : 'N', (long long)p->m, (long long)p->n);
  tsr_trace_print(&call);
}

tsr_status tsr_triangle_compute(const tsr_context *context, const struct tsr_level3 *p, bool solves,
                                const char *routine) {
  struct tsr_triangle tri;
  int threads = 1;
  if (p->m == 0 || p->n == 0) return TSR_OK;
  if (p->alpha[0] == 0 && p->alpha[1] == 0) {
    zero(context, p);
    return TSR_OK;
  }
  bool tracing = tsr_tracing();
  double start = tracing ? tsr_trace_now() : 0;
  normalise(context, p, solves, &tri);
  if (!at_once(&tri) && !by_vectors(&tri) && !in_blocks(&tri, &threads)) tsr_triangle_plain(&tri);
  if (tracing) {
    fenv_t flags;
    fegetenv(&flags);
    trace(&tri, p, routine, threads, tsr_trace_now() - start);
    fesetenv(&flags);
  }
  return TSR_OK;
}
