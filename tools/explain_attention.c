/* tessera explain attention: the way of a call as loops, the kernels it takes, and what the machine allows. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attention.h"
#include "explain.h"
#include "src/attention/space.h"
#include "src/core/topology.h"

void explain_take_attention(struct explain *e) {
  tsr_attention_desc d;
  tsr_attention_desc_of(&e->shape, &d);
  d.plan = e->plan_words;
  tsr_attention_normalise(&d, NULL, NULL, NULL, NULL, NULL, &e->attention);
}

static struct tsr_attention_way way_of(const struct explain *e) {
  struct tsr_attention_way way;
  tsr_attention_way_of(e->context, &e->attention, (int)e->shape.at[TSR_ATTENTION_THREADS], &e->plan.values, &way);
  return way;
}

/* --- loops --------------------------------------------------------------------------------------------------------- */

static const char *plural(int64_t n) { return n == 1 ? "" : "s"; }

static const char *share_of(double bytes, int level, char *text, size_t size) {
  const struct tsr_topology *machine = tsr_topology_get();
  if (level >= machine->nlevels) level = machine->nlevels - 1;
  snprintf(text, size, "%s, %.0f %% of L%d", explain_bytes(bytes).text,
           100 * bytes / (double)machine->level[level].bytes, level + 1);
  return text;
}

static void draw_queries(struct explain *e, const struct tsr_attention_way *way, int at) {
  const tsr_attention_desc *d = &e->attention.d;
  struct explain_lines *to = &e->loops;
  char text[64];
  int64_t heads = d->d_qk + d->d_v;
  bool floats = d->type_k == TSR_F32;
  explain_say(to, at++, "for each %d keys, from the first: K and V, %s%s", TSR_CHUNK,
              share_of(TSR_CHUNK * (double)heads * 4, 1, text, sizeof text),
              floats ? ", as they lie" : ", converted to f32 when the first tile wants them");
  explain_say(to, at++, "for each %lld rows (width), lanes over queries; chunks that none of them sees are skipped",
              (long long)way->width);
  explain_say(to, at, "S = K Q': %d x %lld scores, %s; softmax in place; O = V' P; merge into the rows' O", TSR_CHUNK,
              (long long)way->width, share_of(TSR_CHUNK * (double)way->width * 4, 0, text, sizeof text));
}

static void draw_keys(struct explain *e, const struct tsr_attention_way *way, int at) {
  const tsr_attention_desc *d = &e->attention.d;
  struct explain_lines *to = &e->loops;
  explain_say(to, at++, "for each %d keys%s", TSR_CHUNK,
              way->split ? ", claimed by threads one by one and merged in their order" : ", from the first");
  explain_say(to, at, "for each %d keys: S = Q K' with lanes over keys, %s", TSR_KV_PANEL,
              d->layout_k == TSR_KV_PANELS ? "in panels as they lie" : "transposed on their way");
  explain_say(to, at, "softmax of %lld row%s in place; O = P V with lanes over the %lld elements of values; merge",
              (long long)way->rows, plural(way->rows), (long long)d->d_v);
}

static void name_kernel(struct explain *e, const char *what, const struct tsr_kernel *kernel) {
  if (kernel) explain_say(&e->kernels, 0, "%s: %s", what, kernel->symbol);
}

/* The tile that most of a product takes. */
static const struct tsr_kernel *main_tile(const struct tsr_tiles *tiles, int64_t rows, int64_t columns) {
  int64_t left = tsr_ceil_div(rows, tiles->mu);
  int units = (int)tsr_min(left, tiles->units);
  for (int u = (int)tsr_min(left, TSR_MAX_UNITS); u > units; u--)
    if (tiles->max_columns[u] >= columns) units = u;
  while (units > 1 && !tiles->max_columns[units]) units--;
  int columns_of = units == tiles->units ? tiles->columns : tiles->max_columns[units];
  return tiles->tile[units][tsr_min(columns, columns_of)];
}

static void name_kernels(struct explain *e, const struct tsr_attention_way *way) {
  const tsr_attention_desc *d = &e->attention.d;
  const struct tsr_kernels *of_k = &e->context->kernels[d->type_k], *f32 = &e->context->kernels[TSR_F32];
  bool keys = way->lanes == TSR_LANES_KEYS;
  int64_t rows = tsr_min(way->rows, d->len_q * e->attention.group);
  const struct tsr_tiles *tiles_k = keys && d->layout_k == TSR_KV_PANELS && of_k->gemm.mu ? &of_k->gemm : &f32->gemm;
  const struct tsr_tiles *tiles_v = keys && of_k->gemm.mu ? &of_k->gemm : &f32->gemm;
  name_kernel(e, "Q K'", keys ? main_tile(tiles_k, TSR_KV_PANEL, rows) : main_tile(&f32->gemm, way->width, TSR_CHUNK));
  name_kernel(e, "P V", keys ? main_tile(tiles_v, d->d_v, rows) : main_tile(&f32->gemm, way->width, d->d_v));
  name_kernel(e, "softmax", keys ? f32->softmax_t : f32->softmax);
  name_kernel(e, "merging", keys ? f32->update : f32->merge);
  if (d->type_k != TSR_F32)
    name_kernel(e, "conversion, where kernels do not convert by themselves", of_k->convert[TSR_F32]);
}

void explain_loops_of_attention(struct explain *e) {
  const tsr_attention_desc *d = &e->attention.d;
  struct tsr_attention_way way = way_of(e);
  int64_t items = tsr_attention_items(&e->attention, &way), rows = d->len_q * e->attention.group;
  struct explain_lines *to = &e->loops;
  explain_say(to, 0, "%d thread%s, %lld item%s%s: a sequence, a head of keys, %lld of the %lld rows that share it",
              way.threads, plural(way.threads), (long long)items, plural(items),
              way.split ? ", shared" : " to claim", (long long)tsr_min(way.rows, rows), (long long)rows);
  explain_say(to, 1, "rows are queries times the %lld head%s of a group; scratch of a thread: %s",
              (long long)e->attention.group, plural(e->attention.group),
              explain_bytes((double)tsr_attention_worker_bytes(&e->attention, &way)).text);
  if (way.lanes == TSR_LANES_QUERIES) draw_queries(e, &way, 1);
  else draw_keys(e, &way, 1);
  name_kernels(e, &way);
}

/* --- limits -------------------------------------------------------------------------------------------------------- */

/* All operations at the speed of FMA, and keys and values once from the innermost level that holds them. */
void explain_limits_of_attention(struct explain *e) {
  const struct tsr_costs *costs = tsr_table_costs(tsr_table_of(e->context, e->op));
  const struct tsr_topology *machine = tsr_topology_get();
  int threads = (int)e->shape.at[TSR_ATTENTION_THREADS], level = 0, last = machine->nlevels - 1;
  e->flops = attention_flops(&e->shape);
  e->bytes = attention_bytes(&e->shape);
  explain_add_limit(e, e->flops * costs->flop_f32 / threads, "FMA, %d thread%s", threads, threads > 1 ? "s" : "");
  while (level <= last && e->bytes > (double)machine->level[level].bytes * (level < last ? threads : 1)) level++;
  if (level > last)
    explain_add_limit(e, e->bytes * fmax(costs->read_memory / threads, costs->share_memory), "reading from memory");
  else if (level > 0)
    explain_add_limit(e, e->bytes * (level == 1 && last > 1 ? costs->read_l2 : costs->read_l3) / threads,
                      "reading from L%d", level + 1);
  double times = e->plan.predicted / e->limits[e->bound].seconds;
  if (times < 1)
    snprintf(e->verdict, sizeof e->verdict, "the plan should reach the limit, which is %s", e->limits[e->bound].what);
  else
    snprintf(e->verdict, sizeof e->verdict, "the limit is %s; the plan should take %.2f times as long%s",
             e->limits[e->bound].what, times,
             e->bound == 0 ? ": softmax, conversion and edges of tiles are not among the operations" : "");
}
