/* tessera explain conv: the way of a call as loops, the kernels it takes, and what the machine allows. The kernels are
 * not computed from the way: the library's own loops run it, on a copy of the context whose kernels only count. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conv.h"
#include "explain.h"
#include "src/conv/int8.h"
#include "src/conv/near.h"
#include "src/conv/space.h"
#include "src/core/topology.h"

void explain_take_conv(struct explain *e) {
  tsr_conv_desc_of(&e->shape, &e->conv_desc);
  e->conv_desc.plan = e->plan_words;
  tsr_conv_normalise(&e->conv_desc, NULL, NULL, NULL, NULL, NULL, &e->conv);
}

static struct tsr_conv_way way_of(const struct explain *e) {
  struct tsr_conv_way way;
  tsr_conv_way_of(e->context, &e->conv, (int)e->shape.at[TSR_CONV_THREADS], &e->plan.values, &way);
  return way;
}

static const char *word_of_lanes(const struct tsr_conv_way *way) {
  return tsr_conv_operator.plan[TSR_CONV_LANES].words[way->lanes - 1];
}

/* --- kernels that count -------------------------------------------------------------------------------------------- */

/* What was called: tiles by height in units and width, with the multiplications they make, the taps that fall into the
 * padding left out; and kernels that copy. Steps tell their tile. */
enum { OF_CONV, OF_GEMM, LISTS };
enum { CONVERT_IN, CONVERT_OUT, TURN_IN, TURN_OUT, PACK, UPDATE, POST, COPIES };
static struct {
  int64_t size, mu[LISTS];
  bool neighbours; /* lanes are pixels side by side */
  int64_t tiles[LISTS][TSR_MAX_UNITS + 1][TSR_MAX_COLUMNS + 1], calls;
  double products[LISTS][TSR_MAX_UNITS + 1][TSR_MAX_COLUMNS + 1], rows, covered;
  int64_t copies[COPIES], elements[COPIES];
} count;

static void count_tiles(int list, int64_t m, int64_t n, int64_t rows, int64_t columns, double products) {
  int64_t tiles = tsr_ceil_div(m, rows) * (n / columns), units = rows / count.mu[list];
  count.calls++;
  if (units > TSR_MAX_UNITS || columns > TSR_MAX_COLUMNS) return;
  count.tiles[list][units][columns] += tiles;
  count.products[list][units][columns] += (double)tiles * products * (double)rows;
  count.rows += (double)m;
  count.covered += (double)(tsr_ceil_div(m, rows) * rows);
}

static void count_conv(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c) {
  const struct tsr_conv *conv = (const struct tsr_conv *)b;
  int64_t rows = (count.neighbours ? step->dc : step->csa) / count.size;
  int64_t columns = count.neighbours || !step->csb ? step->n : step->db / step->csb;
  double taps = 0;
  (void)a, (void)c;
  for (const struct tsr_taps *tap = conv->taps; tap < conv->taps + conv->count; tap++)
    taps += (double)tap->k * (tap->end - tap->first);
  count_tiles(OF_CONV, step->m, step->n, rows, columns, taps);
}

static void count_gemm(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)a, (void)b, (void)c;
  count_tiles(OF_GEMM, step->m, step->n, step->dc / count.size, step->n, (double)(step->k * step->n));
}

#define COUNT_COPIES(name, which)                                                  \
  static void name(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c) { \
    (void)a, (void)b, (void)c;                                                     \
    count.copies[which]++;                                                         \
    count.elements[which] += step->m * ((which) == PACK ? step->k : step->n);      \
  }                                                                                \
  static const struct tsr_kernel counts_##name = {.run = name};
COUNT_COPIES(convert_in, CONVERT_IN)
COUNT_COPIES(convert_out, CONVERT_OUT)
COUNT_COPIES(turn_in, TURN_IN)
COUNT_COPIES(turn_out, TURN_OUT)
COUNT_COPIES(pack, PACK)
COUNT_COPIES(update, UPDATE)
COUNT_COPIES(post, POST)

static void replace(const struct tsr_kernel **slot, const struct tsr_kernel *by) {
  if (*slot) *slot = by;
}

static void replace_tiles(struct tsr_tiles *tiles, const struct tsr_kernel *by) {
  for (int u = 0; u <= TSR_MAX_UNITS; u++)
    for (int w = 0; w <= TSR_MAX_COLUMNS; w++) replace(&tiles->tile[u][w], by);
}

/* Of all kernels that a convolution may call. Where those that read x and write y are the same, the first count. */
static void counting_kernels(const tsr_context *context, const struct tsr_conv_problem *p, struct tsr_kernels *to) {
  static const struct tsr_kernel conv = {.run = count_conv}, gemm = {.run = count_gemm};
  struct tsr_kernels *own = &to[p->type], *of_x = &to[p->x.type];
  memcpy(to, context->kernels, TSR_TYPES * sizeof *to);
  replace_tiles(&own->conv, &conv);
  replace_tiles(&own->conv_lanes, &conv);
  replace_tiles(&own->gemm, &gemm);
  for (int i = 0; i < TSR_TYPES; i++) {
    replace(&own->convert[i], &counts_convert_out);
    replace(&own->turn[i], &counts_turn_out);
    replace(&own->post[i], &counts_post);
    replace(&of_x->convert[i], &counts_convert_in);
    replace(&of_x->turn[i], &counts_turn_in);
  }
  replace(&own->pack_n[0], &counts_pack);
  replace(&own->update, &counts_update);
  memset(&count, 0, sizeof count);
  count.size = tsr_size_of(p->type);
  count.mu[OF_GEMM] = own->gemm.mu;
}

/* "plain C, slow" where a chip that is not plain C lacks a kernel. */
static const char *in_plain_c(const struct explain *e, const char *symbol) {
  static const char generic[] = "_generic";
  size_t length = strlen(symbol), end = sizeof generic - 1;
  bool plain = length > end && strcmp(symbol + length - end, generic) == 0;
  return plain && strcmp(tsr_context_isa(e->context), "generic") != 0
             ? ": no kernel of this CPU serves it, plain C, slow" : "";
}

static void name_tiles(struct explain *e, const struct tsr_tiles *conv, const char *lanes) {
  const struct tsr_tiles *lists[LISTS] = {conv, &e->context->kernels[e->conv.type].gemm};
  double all = 0;
  for (int list = 0; list < LISTS; list++)
    for (int u = 0; u <= TSR_MAX_UNITS; u++)
      for (int w = 0; w <= TSR_MAX_COLUMNS; w++) all += count.products[list][u][w];
  for (int list = 0; list < LISTS; list++)
    for (int u = TSR_MAX_UNITS; u > 0; u--)
      for (int w = TSR_MAX_COLUMNS; w > 0; w--) {
        const struct tsr_kernel *kernel = lists[list]->tile[u][w];
        int64_t tiles = count.tiles[list][u][w];
        if (kernel && tiles)
          explain_say(&e->kernels, 0, "%s: %lld tile%s, %.1f %% of the work%s", kernel->symbol, (long long)tiles,
                      tiles > 1 ? "s" : "", 100 * count.products[list][u][w] / all, in_plain_c(e, kernel->symbol));
      }
  if (count.covered > 0)
    explain_say(&e->kernels, 0, "%.1f %% of their lanes are %s, the rest is to spare; %lld call%s of kernels",
                100 * count.rows / count.covered, lanes, (long long)count.calls, count.calls > 1 ? "s" : "");
}

static void name_copies(struct explain *e) {
  const struct tsr_conv_problem *p = &e->conv;
  const struct tsr_kernels *of_x = &e->context->kernels[p->x.type], *own = &e->context->kernels[p->type];
  bool same = p->type != p->x.type && p->type != p->y.type;
  const struct {
    int which;
    const char *what;
    const struct tsr_kernel *kernel;
  } copies[] = {{CONVERT_IN, "x converted", of_x->convert[p->type]},
                {TURN_IN, p->x.type == p->y.type && p->x.type == p->type ? "channels and pixels exchanged"
                                                                         : "x: channels and pixels exchanged",
                 of_x->turn[p->type]},
                {TURN_OUT, "y: channels and pixels exchanged", own->turn[same ? p->type : p->y.type]},
                {CONVERT_OUT, "y converted", own->convert[p->y.type]},
                {PACK, "x packed", own->pack_n[0]},
                {UPDATE, "sums of blocks added up", own->update},
                {POST, "what follows the sums, and their way to y", own->post[p->y.type]}};
  for (int i = 0; i < COPIES; i++) {
    int64_t calls = count.copies[copies[i].which];
    if (calls)
      explain_say(&e->kernels, 0, "%s: %s, %lld call%s for %lld elements%s", copies[i].kernel->symbol, copies[i].what,
                  (long long)calls, calls > 1 ? "s" : "", (long long)count.elements[copies[i].which],
                  in_plain_c(e, copies[i].kernel->symbol));
  }
}

/* Bytes of x beyond which nobody wants to wait. */
#define MOST_X_BYTES 1e9

/* One thread, and one image where images follow one another. */
static void count_kernels(struct explain *e, const struct tsr_conv_way *way) {
  static struct tsr_kernels kernels[TSR_TYPES];
  struct tsr_conv_problem p = e->conv;
  struct tsr_conv_way one = *way;
  struct tsr_conv_amount amount;
  struct tsr_conv_job job;
  tsr_context context = *e->context;
  const struct tsr_kernels *own = &e->context->kernels[p.type];
  const struct tsr_tiles *tiles = way->lanes == TSR_CONV_GROUPS ? &own->conv_lanes : &own->conv;
  tsr_conv_amount_of(p.d, &amount);
  if (p.batch > 1)
    explain_say(&e->kernels, 0, "of each of the %lld images:", (long long)p.batch);
  p.batch = 1;
  counting_kernels(e->context, &p, kernels);
  count.mu[OF_CONV] = tiles->mu;
  count.neighbours = way->lanes == TSR_CONV_NEIGHBOURS;
  context.kernels = kernels;
  one.threads = 1;
  tsr_conv_job_of(&context, &p, &one, &job);
  char *x = amount.bytes_x < MOST_X_BYTES ? calloc(1, (size_t)amount.bytes_x) : NULL;
  void *workspace = NULL;
  if (x && posix_memalign(&workspace, 4096, tsr_conv_workspace_bytes(&job)) == 0) {
    p.x.at = (tsr_mem)x;
    tsr_conv_run_all(&context, &job, workspace);
    name_tiles(e, tiles, word_of_lanes(way));
    name_copies(e);
  } else {
    explain_say(&e->kernels, 0, "too large to list");
  }
  free(workspace);
  free(x);
}

/* --- loops --------------------------------------------------------------------------------------------------------- */

static const char *plural(int64_t n) { return n == 1 ? "" : "s"; }

/* "288 KiB, 28 % of L2": by the innermost level that holds it. */
static struct share {
  char text[64];
} share_of(double bytes) {
  const struct tsr_topology *machine = tsr_topology_get();
  struct share s;
  int level = 0;
  while (level < machine->nlevels - 1 && bytes > (double)machine->level[level].bytes) level++;
  double percent = 100 * bytes / (double)machine->level[level].bytes;
  if (percent > 100)
    snprintf(s.text, sizeof s.text, "%s, more than L%d holds", explain_bytes(bytes).text, level + 1);
  else
    snprintf(s.text, sizeof s.text, "%s, %.0f %% of L%d", explain_bytes(bytes).text, percent, level + 1);
  return s;
}

static void draw_band(struct explain *e, const struct tsr_conv_job *job, int at) {
  const struct tsr_conv_problem *p = &e->conv;
  const struct tsr_conv_way *way = job->way;
  if (!way->band) {
    explain_say(&e->loops, at, "x is read in place");
    return;
  }
  const char *why = p->x.type != p->type ? "its type is converted"
                    : !p->x_last         ? "its channels do not lie last"
                    : p->cg > 1 && way->lanes == TSR_CONV_GROUPS ? "groups are to lie side by side"
                                                                 : "its pixels would compete for the same lines";
  explain_say(&e->loops, at, "copy the rows of x that are read into a band, since %s: %s", why,
              share_of((double)tsr_conv_band_bytes(job)).text);
}

static void draw_neighbours(struct explain *e, const struct tsr_conv_way *way) {
  struct explain_lines *to = &e->loops;
  int rows = way->units * e->context->kernels[e->conv.type].conv.mu;
  explain_say(to, 1, "x is turned into a band, pixels of a channel side by side");
  if (tsr_near_streams(way)) {
    explain_say(to, 1, "for each row of x: its products with all rows of the kernel, for up to %d rows of y at once",
                TSR_NEAR_PLACES / 2);
    explain_say(to, 2, "tiles of up to %d pixels x rows of y", rows);
  } else {
    explain_say(to, 1, "for each row of y: tiles of %d pixels x %d filter%s of a group", rows, way->columns,
                plural(way->columns));
  }
  explain_say(to, 1, "where taps along a row fall into the padding, lanes run down the columns instead");
}

static void draw_planes(struct explain *e, const struct tsr_conv_way *way) {
  int rows = way->units * e->context->kernels[e->conv.type].conv.mu;
  explain_say(&e->loops, 1, "pixels of all channels are packed, and stay while the filters pass");
  explain_say(&e->loops, 1, "for each %d of %lld filters: tiles of %d pixels x %d filters, written where they belong",
              way->columns, (long long)e->conv.kg, rows, way->columns);
}

static void draw_order(struct explain *e, const struct tsr_conv_job *job, int at) {
  const struct tsr_conv_problem *p = &e->conv;
  const struct tsr_conv_way *way = job->way;
  struct explain_lines *to = &e->loops;
  int64_t rows = (int64_t)way->units * job->tiles->mu, blocks = tsr_conv_blocks(p);
  double taps = (double)tsr_min(p->taps, p->kb), panel = (double)rows * (double)job->size;
  double weights = (double)job->weights / (double)job->panels * (double)tsr_min(way->panels, job->panels);
  const char *each = way->lanes == TSR_CONV_GROUPS ? "groups" : "filters";
  if (way->order == TSR_CONV_PIXELS) {
    explain_say(to, at++, "for each row of y%s", job->inner > 1 ? ", for each filter of a group" : "");
    explain_say(to, at++, "for each strip of pixels that see the same taps%s",
                blocks > 1 ? ", for each block of taps (the contract's)" : "");
    explain_say(to, at, "for each %lld %s (of %lld panel%s): tiles %lld x %d; all weights %s", (long long)rows, each,
                (long long)tsr_min(way->panels, job->panels), plural(way->panels), (long long)rows, way->columns,
                share_of(weights).text);
  } else {
    explain_say(to, at++, "for each %lld %s (of %lld panel%s)%s", (long long)rows, each,
                (long long)tsr_min(way->panels, job->panels), plural(way->panels),
                job->inner > 1 ? ", for each filter of a group" : "");
    explain_say(to, at++, "%s%.0f taps: weights %s stay near", blocks > 1 ? "for each block of " : "all ", taps,
                share_of(taps * panel).text);
    explain_say(to, at, "for each row of y, for each strip of pixels that see the same taps: tiles %lld x %d",
                (long long)rows, way->columns);
  }
}

static void draw_end(struct explain *e, const struct tsr_conv_job *job, int at) {
  const struct tsr_conv_problem *p = &e->conv;
  const struct tsr_conv_way *way = job->way;
  if (!way->staged) return;
  double rows = way->order == TSR_CONV_PANELS ? (double)way->rows : 1;
  const char *why = p->y.type != p->type ? "its type is converted"
                    : !p->y_last         ? "its channels do not lie last"
                                         : "filters of a group are to lie side by side";
  explain_say(&e->loops, at, "sums wait in a stage before they go to y, since %s: %s", why,
              share_of(rows * (double)way->cols * (double)job->stage_pixel).text);
}

static void draw(struct explain *e, const struct tsr_conv_way *way) {
  const struct tsr_conv_problem *p = &e->conv;
  struct tsr_conv_job job;
  tsr_conv_job_of(e->context, p, way, &job);
  int64_t down = tsr_ceil_div(p->dim[1].out, way->rows), across = tsr_ceil_div(p->dim[2].out, way->cols);
  int64_t cuts = tsr_ceil_div(job.panels, way->panels);
  int64_t pieces = p->batch * job.groups * p->dim[0].out * down * across * cuts;
  explain_say(&e->loops, 0, "%d thread%s, %s%lld piece%s to claim; lanes over %s", way->threads, plural(way->threads),
              way->lanes > TSR_CONV_GROUPS ? "about " : "", (long long)pieces, plural(pieces), word_of_lanes(way));
  const char *joined = p->dim[1].out < p->d->out[0] && p->d->dims == 2 ? ", all rows joined," : "";
  explain_say(&e->loops, 1, "a piece: %lld of %lld row%s of y, %lld of %lld pixels of a row%s and %lld of %lld "
              "panel%s of weights", (long long)way->rows, (long long)p->dim[1].out, plural(p->dim[1].out),
              (long long)way->cols, (long long)p->dim[2].out, joined, (long long)way->panels, (long long)job.panels, plural(job.panels));
  if (way->lanes == TSR_CONV_NEIGHBOURS) {
    draw_neighbours(e, way);
  } else if (way->lanes == TSR_CONV_PLANES) {
    draw_planes(e, way);
  } else {
    draw_band(e, &job, 1);
    draw_order(e, &job, 1);
    draw_end(e, &job, 1);
  }
  explain_say(&e->loops, 0, "weights are packed into %s, by tsr_conv in each call, by a plan once; scratch of a "
              "thread: %s", explain_bytes((double)tsr_conv_packed_bytes(&job)).text,
              explain_bytes((double)tsr_conv_workspace_bytes(&job) / way->threads).text);
}

/* --- integers ------------------------------------------------------------------------------------------------------ */

static void explain_integers(struct explain *e) {
  struct tsr_conv_problem p = e->conv;
  struct tsr_conv_int8 *plan = NULL;
  char text[EXPLAIN_LINE - 40];
  void *w = calloc(1, (size_t)tsr_conv_elements_of_w(&e->conv_desc));
  p.w = (tsr_mem)w;
  int threads = (int)e->shape.at[TSR_CONV_THREADS];
  if (!w || tsr_conv_int8_create(e->context, &p, threads, false, &plan) != TSR_OK) {
    explain_say(&e->loops, 0, "there is no memory for the weights");
    free(w);
    return;
  }
  tsr_conv_int8_describe(plan, text, sizeof text);
  explain_say(&e->loops, 0, "up to %d thread%s, sums of 32 bits; scratch of all of them %s", threads, plural(threads),
              explain_bytes((double)tsr_conv_int8_workspace(plan)).text);
  char *rest = strchr(text, ','); /* behind the kernel */
  if (rest) {
    explain_say(&e->loops, 1, "%s", rest + 1 + strspn(rest + 1, " "));
    *rest = 0;
  }
  explain_say(&e->kernels, 0, "%s%s", text, in_plain_c(e, text));
  const struct tsr_kernel *post = p.y.type == TSR_S32 ? NULL : e->context->kernels[TSR_S32].post[p.y.type];
  if (post) explain_say(&e->kernels, 0, "%s: what follows the sums%s", post->symbol, in_plain_c(e, post->symbol));
  tsr_conv_int8_destroy(plan);
  free(w);
}

void explain_loops_of_conv(struct explain *e) {
  if (e->small) {
    explain_integers(e);
    return;
  }
  struct tsr_conv_way way = way_of(e);
  draw(e, &way);
  count_kernels(e, &way);
}

/* --- limits -------------------------------------------------------------------------------------------------------- */

/* Instructions for integers multiply so many times as many as an fma of f32. */
#define INTEGERS_PER_FMA 4

/* All operations at the speed of FMA, and each operand once from the innermost level that holds them all. */
void explain_limits_of_conv(struct explain *e) {
  const struct tsr_costs *costs = tsr_table_costs(tsr_table_of(e->context, e->op));
  const struct tsr_topology *machine = tsr_topology_get();
  int threads = (int)e->shape.at[TSR_CONV_THREADS], level = 0, last = machine->nlevels - 1;
  double flop = e->conv.type == TSR_F64 ? costs->flop_f64 : costs->flop_f32;
  e->flops = conv_flops(&e->shape);
  e->bytes = conv_bytes(&e->shape);
  if (e->small) flop /= INTEGERS_PER_FMA;
  explain_add_limit(e, e->flops * flop / threads, "%s, %d thread%s", e->small ? "multiplying integers" : "FMA", threads,
                    plural(threads));
  while (level <= last && e->bytes > (double)machine->level[level].bytes * (level < last ? threads : 1)) level++;
  if (level > last)
    explain_add_limit(e, e->bytes * fmax(costs->read_memory / threads, costs->share_memory), "reading from memory");
  else if (level > 0)
    explain_add_limit(e, e->bytes * (level == 1 && last > 1 ? costs->read_l2 : costs->read_l3) / threads,
                      "reading from L%d", level + 1);
  double times = e->plan.predicted / e->limits[e->bound].seconds;
  if (e->small)
    snprintf(e->verdict, sizeof e->verdict, "the limit is %s; the model says nothing of integers",
             e->limits[e->bound].what);
  else if (times < 1)
    snprintf(e->verdict, sizeof e->verdict, "the plan should reach the limit, which is %s%s", e->limits[e->bound].what,
             e->bound == 0 ? " of all taps: those in the padding are left out" : "");
  else
    snprintf(e->verdict, sizeof e->verdict, "the limit is %s; the plan should take %.2f times as long%s",
             e->limits[e->bound].what, times,
             e->bound == 0 ? ": loads, copies and edges of tiles are not among the operations" : "");
}
