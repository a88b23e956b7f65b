/* A plan as loops, and the kernels that cover its product. The kernels are not computed from the plan: the library's
 * own loops run it, on a copy of the context whose kernels only count. */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "src/core/threads.h"
#include "src/core/topology.h"
#include "src/gemm/device_space.h"
#include "src/gemm/space.h"
#include "src/gemm/tiles.h"

void explain_say(struct explain_lines *lines, int depth, const char *format, ...) {
  va_list arguments;
  if (lines->n == (int)(sizeof lines->at / sizeof lines->at[0])) return;
  va_start(arguments, format);
  vsnprintf(lines->at[lines->n].text, EXPLAIN_LINE, format, arguments);
  va_end(arguments);
  lines->at[lines->n++].depth = depth;
}

struct explain_text explain_bytes(double bytes) {
  static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  struct explain_text t;
  int unit = 0;
  for (; bytes >= 1024 && unit < 4; unit++) bytes /= 1024;
  snprintf(t.text, sizeof t.text, bytes < 10 && unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
  return t;
}

struct explain_text explain_seconds(double seconds) {
  struct explain_text t;
  if (seconds < 1e-6) snprintf(t.text, sizeof t.text, "%.0f ns", 1e9 * seconds);
  else if (seconds < 1e-3) snprintf(t.text, sizeof t.text, "%.4g us", 1e6 * seconds);
  else if (seconds < 1) snprintf(t.text, sizeof t.text, "%.4g ms", 1e3 * seconds);
  else snprintf(t.text, sizeof t.text, "%.4g s", seconds);
  return t;
}

/* --- kernels that count ------------------------------------------------------------------------------------------- */

/* What was called: tiles by height in units and width, for rows contiguous (0) and rows along k (1). A kernel is not
 * told which one it is, but a step shows the tile. */
static struct {
  int64_t size, mu[2];
  _Atomic int64_t tiles[2][TSR_MAX_UNITS + 1][TSR_MAX_COLUMNS + 1], elements[2], calls, packed[2], updates;
} count;

static void count_tiles(int which, int64_t rows, int64_t columns, int64_t tiles, int64_t elements) {
  int64_t units = rows / count.mu[which];
  if (units <= TSR_MAX_UNITS && columns <= TSR_MAX_COLUMNS) count.tiles[which][units][columns] += tiles;
  count.elements[which] += elements;
  count.calls++;
}

/* Tiles one under the other have the distance of their Cs; a row of tiles has that of their Bs. */
static void count_gemm(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c) {
  int64_t mu = count.mu[0], rows = step->dc ? step->dc / count.size : tsr_ceil_div(step->m, mu) * mu;
  int64_t columns = step->dc ? step->n : step->db / step->csb;
  (void)a, (void)b, (void)c;
  count_tiles(0, rows, columns, tsr_ceil_div(step->m, rows) * (step->n / columns), step->m * step->n);
}

static void count_gemm_at(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c) {
  int64_t rows = step->dc / count.size;
  (void)a, (void)b, (void)c;
  count_tiles(1, rows, step->n, step->m / rows, step->m * step->n);
}

static void count_pack_n(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)a, (void)b, (void)c;
  count.packed[0] += step->m * step->k * count.size;
}

static void count_pack_t(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)a, (void)b, (void)c;
  count.packed[1] += step->m * step->k * count.size;
}

static void count_update(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)a, (void)b, (void)c;
  count.updates += step->m * step->n * count.size;
}

static void replace(const struct tsr_kernel **slot, const struct tsr_kernel *by) {
  if (*slot) *slot = by;
}

/* Kernels of the same tiles that only count. */
static void counting_kernels(const struct tsr_kernels *from, int64_t size, struct tsr_kernels *to) {
  static const struct tsr_kernel gemm = {.run = count_gemm}, gemm_at = {.run = count_gemm_at},
                                 pack_n = {.run = count_pack_n}, pack_t = {.run = count_pack_t},
                                 update = {.run = count_update};
  *to = *from;
  for (int u = 0; u <= TSR_MAX_UNITS; u++)
    for (int w = 0; w <= TSR_MAX_COLUMNS; w++) {
      replace(&to->gemm.tile[u][w], &gemm);
      replace(&to->gemm_at.tile[u][w], &gemm_at);
    }
  for (int w = 0; w <= TSR_MAX_WIDTH; w++) {
    replace(&to->pack_n[w], &pack_n);
    replace(&to->pack_t[w], &pack_t);
  }
  replace(&to->update, &update);
  replace(&to->update_t, &update);
  replace(&to->scale, &update);
  memset(&count, 0, sizeof count);
  count.size = size;
  count.mu[0] = from->gemm.mu;
  count.mu[1] = from->gemm_at.mu;
}

/* --- what they counted -------------------------------------------------------------------------------------------- */

/* "m: 4096 = 85 x 48 + 1 x 16": how many tiles of each height (or width) follow one another along one side of C. Each
 * height's tiles cover so many columns that every line of them fills `whole`; unless they do, nothing is said: tiles of
 * different heights may be of different widths. */
static void tell_side(struct explain *e, const char *name, int64_t length, int64_t whole, bool rows) {
  char text[EXPLAIN_LINE / 2] = "";
  size_t used = 0;
  for (int x = rows ? TSR_MAX_UNITS : TSR_MAX_COLUMNS; x > 0; x--) {
    int64_t covered = 0;
    for (int y = rows ? TSR_MAX_COLUMNS : TSR_MAX_UNITS; y > 0; y--)
      covered += rows ? count.tiles[0][x][y] * y : count.tiles[0][y][x] * y * count.mu[0];
    if (covered == 0) continue;
    if (covered % whole != 0 || used > sizeof text - 40) return;
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%lld x %lld", used ? " + " : "",
                             (long long)(covered / whole), (long long)(rows ? x * count.mu[0] : x));
  }
  if (used) explain_say(&e->kernels, 0, "%s: %lld = %s", name, (long long)length, text);
}

/* Elements of C, with those of rows beyond the edge that tiles compute alike. */
static int64_t covered_by_tiles(void) {
  int64_t covered = 0;
  for (int which = 0; which < 2; which++)
    for (int u = 0; u <= TSR_MAX_UNITS; u++)
      for (int w = 0; w <= TSR_MAX_COLUMNS; w++) covered += count.tiles[which][u][w] * u * w * count.mu[which];
  return covered;
}

/* In one of `blocks` blocks of k that were counted: all are covered alike. */
static void tell_kernels(struct explain *e, const struct tsr_kernels *kernels, int64_t blocks) {
  const struct tsr_tiles *lists[] = {&kernels->gemm, &kernels->gemm_at};
  int64_t covered = covered_by_tiles();
  for (int which = 0; which < 2; which++)
    for (int u = TSR_MAX_UNITS; u > 0; u--)
      for (int w = TSR_MAX_COLUMNS; w > 0; w--) {
        int64_t tiles = count.tiles[which][u][w] / blocks;
        if (tiles)
          explain_say(&e->kernels, 0, "%s: %lld tile%s, %.1f %%", lists[which]->tile[u][w]->symbol, (long long)tiles,
                      tiles > 1 ? "s" : "",
                      100.0 * (double)(blocks * tiles * u * w * count.mu[which]) / (double)covered);
      }
  if (covered > 0)
    explain_say(&e->kernels, 0,
                "%.1f %% of their rows are rows of C, the rest lies beyond its edge; "
                "%lld call%s of kernels a block of k",
                100.0 * (double)(count.elements[0] + count.elements[1]) / (double)covered,
                (long long)(count.calls / blocks), count.calls == blocks ? "" : "s");
}

/* Tiles that nobody wants to wait for. */
#define MOST_TILES 100000000

/* Whether the plan can be walked; a long k may be cut, since all its blocks are covered alike. */
static bool is_walkable(const struct explain *e, const struct tsr_gemm_way *plan, struct tsr_gemm_problem *p) {
  const struct tsr_tiles *tiles = &e->context->kernels[p->type].gemm;
  double rows = plan->units * tiles->mu, tiles_of_c = ((double)p->m / rows + 1) * ((double)p->n / plan->columns + 1);
  struct tsr_gemm_problem one = *p;
  one.k = tsr_min(p->k, plan->kb);
  bool cut = tsr_gemm_is_near(p, tsr_size_of(p->type)) == tsr_gemm_is_near(&one, tsr_size_of(p->type));
  if (cut && plan->path != TSR_GEMM_K_SPLIT) *p = one;
  return tiles_of_c * (double)tsr_ceil_div(p->k, plan->kb) <= MOST_TILES;
}

static void count_kernels(struct explain *e, const struct tsr_gemm_way *plan) {
  struct tsr_kernels kernels[TSR_TYPES];
  struct tsr_gemm_problem p = e->p;
  tsr_context context = *e->context;
  if (!is_walkable(e, plan, &p)) {
    explain_say(&e->kernels, 0, "too many tiles to list");
    return;
  }
  counting_kernels(&e->context->kernels[p.type], tsr_size_of(p.type), &kernels[p.type]);
  context.kernels = kernels;
  p.alpha = 1;
  tsr_gemm_compute_as(&context, &p, plan);
  bool across = plan->path == TSR_GEMM_ACROSS;
  int64_t blocks = tsr_ceil_div(p.k, plan->kb), rows = across ? p.n : p.m, columns = across ? p.m : p.n;
  if (count.elements[1] == 0) {
    tell_side(e, across ? "n" : "m", rows, columns * blocks, true);
    tell_side(e, across ? "m" : "n", columns, covered_by_tiles() / columns, false);
  }
  tell_kernels(e, &e->context->kernels[p.type], blocks);
}

bool explain_small(struct explain *e) {
  struct tsr_kernels kernels;
  counting_kernels(&e->context->kernels[e->p.type], tsr_size_of(e->p.type), &kernels);
  if (!tsr_gemm_small(&kernels, &e->p)) return false;
  tell_kernels(e, &e->context->kernels[e->p.type], 1);
  return true;
}

/* --- loops of a CPU ----------------------------------------------------------------------------------------------- */

/* "288 KiB, 28 % of L2": bytes that are meant to stay in a level. */
static struct fill {
  char text[64];
} fill_of(double bytes, int level) {
  const struct tsr_topology *machine = tsr_topology_get();
  struct fill f;
  if (level >= machine->nlevels) level = machine->nlevels - 1;
  double percent = 100 * bytes / (double)machine->level[level].bytes;
  if (percent < 1) snprintf(f.text, sizeof f.text, "%s, under 1 %% of L%d", explain_bytes(bytes).text, level + 1);
  else snprintf(f.text, sizeof f.text, "%s, %.0f %% of L%d", explain_bytes(bytes).text, percent, level + 1);
  return f;
}

struct drawing {
  struct explain *e;
  const struct tsr_gemm_way *plan;
  const struct tsr_gemm_problem *p;
  double size, depth; /* bytes of an element; k of a block */
  int64_t tile_rows;
};

static const char *plural(int64_t n) { return n == 1 ? "" : "s"; }

/* Kernels that copy an operand whose lines lie along k, or whose rows (columns) are contiguous. */
static const char *packer(const struct drawing *d, int64_t width, bool along_k) {
  const struct tsr_kernels *kernels = &d->e->context->kernels[d->p->type];
  const struct tsr_kernel *const *list = along_k ? kernels->pack_t : kernels->pack_n;
  const struct tsr_kernel *kernel = width <= TSR_MAX_WIDTH && list[width] ? list[width] : list[0];
  return kernel ? kernel->symbol : "";
}

static void draw_packed(struct drawing *d) {
  const struct tsr_gemm_way *plan = d->plan;
  const struct tsr_gemm_problem *p = d->p;
  struct explain_lines *to = &d->e->loops;
  int64_t in_group = tsr_ceil_div(plan->threads, plan->groups), blocks = tsr_ceil_div(p->m, plan->mc);
  int64_t columns = tsr_min(plan->nc, tsr_ceil_div(p->n, plan->groups)), rows = tsr_min(plan->mc, p->m);
  double b = (double)columns * d->depth * d->size, a = (double)rows * d->depth * d->size;
  int at = 0;
  explain_say(to, at++, "%d thread%s in %d group%s side by side in n", plan->threads, plural(plan->threads),
              plan->groups, plural(plan->groups));
  if (plan->pack_b) {
    explain_say(to, at++, "for each %lld of n (nc)", (long long)columns);
    explain_say(to, at++, "for each %lld of k (the contract's block)", (long long)d->depth);
    explain_say(to, at, "pack B into panels of %d columns: %s%s; %s", plan->columns, fill_of(b, 3).text,
                in_group > 1 ? ", twice" : "", packer(d, plan->columns, (double)p->rsb == d->size));
    if (in_group > 1) explain_say(to, at, "barrier of %lld threads", (long long)in_group);
    explain_say(to, at++, "for each %lld of m (mc; %lld block%s, claimed one by one)", (long long)rows,
                (long long)blocks, plural(blocks));
  } else {
    explain_say(to, at++, "for each %lld of m (mc; %lld block%s, claimed one by one)", (long long)rows,
                (long long)blocks, plural(blocks));
    explain_say(to, at++, "for each %lld of k (the contract's block)", (long long)d->depth);
  }
  if (plan->pack_a)
    explain_say(to, at, "pack A into panels of %lld rows: %s; %s", (long long)d->tile_rows, fill_of(a, 1).text,
                packer(d, d->tile_rows, (double)p->rsa != d->size));
  explain_say(to, at++, "for each %d of n: %s of B %s", plan->columns, plan->pack_b ? "a panel" : "columns",
              fill_of(plan->columns * d->depth * d->size, 0).text);
  explain_say(to, at, "for each %lld of m: a tile %lld x %d, its A %s%s", (long long)d->tile_rows,
              (long long)d->tile_rows, plan->columns,
              explain_bytes((double)d->tile_rows * d->depth * d->size).text, plan->pack_a ? "" : ", in place");
}

/* Operands as they lie. `m` and `n` are names and lengths of the sides that rows and columns of tiles run along. */
struct sides {
  const char *m, *n;
  int64_t rows, columns;
};

static void draw_in_place(struct drawing *d, const struct sides *s, bool a_along_k) {
  const struct tsr_gemm_way *plan = d->plan;
  struct explain_lines *to = &d->e->loops;
  int widest = d->e->context->kernels[d->p->type].gemm.max_columns[plan->units];
  int64_t mc = tsr_min(plan->mc, s->rows), nc = tsr_min(plan->nc, s->columns);
  int64_t pieces = tsr_ceil_div(s->rows, mc) * tsr_ceil_div(s->columns, nc);
  double row = d->depth * d->size;
  int at = 0;
  explain_say(to, at++, "%d thread%s, %lld piece%s to claim: %lld of %s (mc) by %lld of %s (nc)", plan->threads,
              plural(plan->threads), (long long)pieces, plural(pieces), (long long)mc, s->m, (long long)nc, s->n);
  explain_say(to, at++, "for each %lld of k (the contract's block)", (long long)d->depth);
  if (a_along_k) {
    explain_say(to, at, "for each tile of rows: lines along k are transposed in registers each time they are read");
  } else if (plan->order == TSR_GEMM_ROWS) {
    explain_say(to, at++, "for each %lld of %s: %s stay while the columns pass", (long long)d->tile_rows, s->m,
                fill_of((double)d->tile_rows * row, d->tile_rows * row > 48 << 10 ? 1 : 0).text);
    explain_say(to, at, "for each %d of %s: a tile, operands in place", widest, s->n);
  } else {
    explain_say(to, at++, "for each %d of %s: %s stay while the rows pass", widest, s->n,
                fill_of(widest * row, 0).text);
    explain_say(to, at, "for each %lld of %s: a tile, operands in place", (long long)d->tile_rows, s->m);
  }
}

static void draw_across(struct drawing *d) {
  struct sides turned = {"n", "m", d->p->n, d->p->m};
  draw_in_place(d, &turned, (double)d->p->csb != d->size && d->p->n > 1);
  double sums = (double)(tsr_min(d->plan->mc, d->p->n) * tsr_min(d->plan->nc, d->p->m)) * d->size;
  explain_say(&d->e->loops, 2, "sums of a piece, %s, are turned over into C: %s", fill_of(sums, 1).text,
              d->e->context->kernels[d->p->type].update_t->symbol);
}

static void draw_k_split(struct drawing *d) {
  struct explain_lines *to = &d->e->loops;
  int64_t blocks = tsr_ceil_div(d->p->k, d->plan->kb);
  double sums = (double)(d->p->m * d->p->n) * d->size;
  explain_say(to, 0, "%d threads claim %lld blocks of %lld of k, all of m and n each", d->plan->threads,
              (long long)blocks, (long long)d->depth);
  explain_say(to, 1, "tiles %lld x %d, operands in place; sums of a block: %s", (long long)d->tile_rows,
              d->plan->columns, fill_of(sums, 1).text);
  explain_say(to, 0, "one thread adds the blocks' sums, %s, to C in order of k: %s",
              fill_of(sums * (double)blocks, 2).text, d->e->context->kernels[d->p->type].update->symbol);
}

void explain_loops(struct explain *e) {
  struct tsr_gemm_way plan;
  int threads = (int)e->shape.at[TSR_SHAPE_THREADS];
  tsr_gemm_plan_of(e->context, &e->p, threads, &e->plan.values, &plan);
  struct drawing d = {e, &plan, &e->p, (double)tsr_size_of(e->p.type), (double)tsr_min(e->p.k, plan.kb),
                      (int64_t)plan.units * e->context->kernels[e->p.type].gemm.mu};
  struct sides sides = {"m", "n", e->p.m, e->p.n};
  switch (plan.path) {
    case TSR_GEMM_PACKED: draw_packed(&d); break;
    case TSR_GEMM_ACROSS: draw_across(&d); break;
    case TSR_GEMM_K_SPLIT: draw_k_split(&d); break;
    case TSR_GEMM_SMALL:
    case TSR_GEMM_DIRECT: draw_in_place(&d, &sides, (double)e->p.rsa != d.size && e->p.m > 1); break;
  }
  count_kernels(e, &plan);
}

/* --- loops of a device -------------------------------------------------------------------------------------------- */

void explain_loops_of_device(struct explain *e) {
  const struct tsr_device *device = e->context->device;
  const int64_t *s = e->shape.at, *v = e->plan.values.at;
  tsr_type type = (tsr_type)s[TSR_DEVICE_TYPE], sums = type == TSR_S8 ? TSR_S32 : TSR_F32;
  int64_t size = tsr_size_of(type), down = v[TSR_DEVICE_DOWN], across = device->cores / down;
  int64_t mc = v[TSR_DEVICE_MC], nc = v[TSR_DEVICE_NC], kc = v[TSR_DEVICE_KC], slots = v[TSR_DEVICE_SLOTS];
  int64_t kept = v[TSR_DEVICE_PANELS] - slots, kb = tsr_min(tsr_gemm_kb(type), s[TSR_DEVICE_K]);
  int64_t waves_m = tsr_ceil_div(s[TSR_DEVICE_M], down * mc), waves_n = tsr_ceil_div(s[TSR_DEVICE_N], across * nc);
  int64_t a = tsr_device_panel_bytes(device, mc, kc, size), b = tsr_device_panel_bytes(device, nc, kc, size);
  double held = (double)((slots + kept) * a + slots * b), core = (double)device->panels.bytes;
  struct explain_lines *to = &e->loops;
  explain_say(to, 0, "%lld wave%s (%lld down, %lld across) of %lld x %lld cores, a block of C each",
              (long long)(waves_m * waves_n), plural(waves_m * waves_n), (long long)waves_m, (long long)waves_n,
              (long long)down, (long long)across);
  explain_say(to, 1, "a core's block: %lld of m (mc) x %lld of n (nc); its sums %s, %.0f %% of the core's",
              (long long)mc, (long long)nc, explain_bytes((double)(mc * nc * 4)).text,
              100.0 * (double)(mc * nc * 4) / (double)device->sums.bytes);
  explain_say(to, 2, "for each %lld of k (the contract's block)", (long long)kb);
  explain_say(to, 3, "for each %lld of k (kc): copy panels of A, %s, and B, %s; multiply", (long long)kc,
              explain_bytes((double)a).text, explain_bytes((double)b).text);
  explain_say(to, 1,
              "panels in a core: %lld slots of A and of B by turns, %lld of A kept for the next columns: %s, %.0f %%",
              (long long)slots, (long long)kept, explain_bytes(held).text, 100 * held / core);
  const struct tsr_kernel *gemm = tsr_device_kernel(device->chip, TSR_OP_GEMM, type, type, sums);
  if (gemm) explain_say(&e->kernels, 0, "%s", gemm->symbol);
  if (s[TSR_DEVICE_SUMS] == 2 || s[TSR_DEVICE_K] > kb) explain_say(to, 3, "after the block: UPDATE adds its sums to C");
}
