/* The cost model of attention on a CPU: two products, softmax and merging for each tile and chunk, and the bytes that
 * keys and values take on their way. It speaks the same coefficients as GEMM's model (src/tune/costs.h); what only attention
 * does is counted in operations of its kernels. */
#include "src/attention/space.h"
#include "src/core/topology.h"
#include "src/tune/costs.h"

/* Operations' worth of time: softmax of one score, merging one element of a sum, converting one element of 16 bits or of
 * a block. Fitted where costs.def was. */
#define SOFTMAX_OPERATIONS 44
#define MERGE_OPERATIONS 14
#define CONVERT_OPERATIONS 9
#define DECODE_OPERATIONS 14
/* Of an element of keys that lanes over keys take from rows: transposing it. Lanes over queries convert what is not f32
 * at much the same cost. */
#define TRANSPOSE_OPERATIONS 40
#define TRANSPOSE_HALF_OPERATIONS 14

struct model {
  const struct tsr_kernels *f32;
  const struct tsr_costs *costs;
  const struct tsr_attention_problem *p;
  const struct tsr_attention_way *way;
  double rows;          /* queries times heads of a group */
  double size_k, size_v; /* bytes of an element, on average */
  double home;          /* bytes of keys and values of the whole call */
  double cache[3];  /* bytes of the levels */
};

static double least(double a, double b) { return a < b ? a : b; }
static double most(double a, double b) { return a > b ? a : b; }

static double reading(const struct model *md, double bytes) {
  return tsr_costs_reading(md->costs, md->cache, md->way->threads, bytes);
}

/* Seconds to cover m x n with tiles, k deep. */
static double product(const struct model *md, double m, double n, double k) {
  const struct tsr_tiles *tiles = &md->f32->gemm;
  const struct tsr_costs *c = md->costs;
  double unit = 2 * tiles->mu * c->flop_f32, seconds = 0;
  double vector = tiles->mu * 4.0 / (double)md->f32->chip->vector_bytes();
  double wide = n / (double)tsr_ceil_div((int64_t)n, tiles->columns);
  for (int64_t left = tsr_ceil_div((int64_t)m, tiles->mu), u; left > 0; left -= u) {
    u = tsr_min(left, tiles->units);
    double columns = wide;
    if (n <= 4 && n <= tiles->max_columns[tsr_min(left, TSR_MAX_UNITS)]) u = tsr_min(left, TSR_MAX_UNITS), columns = n;
    double step = most(most((double)u * columns * unit, ((double)u * vector + columns) * c->load), c->chain);
    seconds += n / columns * (k * step + c->tile);
  }
  return seconds;
}

/* Keys that the rows of a block of `block` rows see, of all blocks on average, by their last query. */
static double keys_seen(const struct model *md, double block) {
  const tsr_attention_desc *d = &md->p->d;
  double kv = (double)d->len_kv, q = (double)d->len_q;
  if (d->causal == TSR_NOT_CAUSAL) return kv;
  double shift = d->causal == TSR_CAUSAL_BOTTOM_RIGHT ? kv - q : 0, last = q + shift, mean;
  double first = least(q, block / (double)md->p->group) + shift;
  if (first >= kv) return kv;
  if (last <= 0) return 0;
  mean = first >= 0 ? (first + last) / 2 : last * last / 2 / (last - first);
  if (last > kv) mean -= (last - kv) * (last - kv) / 2 / (last - first);
  return least(kv, most(1, mean));
}

/* Seconds to bring `keys` keys and values to the kernels, on top of what reads them while it computes. */
static double loading(const struct model *md, double keys) {
  const tsr_attention_desc *d = &md->p->d;
  double flop = md->costs->flop_f32, elements = 0, seconds;
  bool over_keys = md->way->lanes == TSR_LANES_KEYS;
  bool halves = d->type_k == TSR_F16 || d->type_k == TSR_BF16, blocks = d->type_k != TSR_F32 && !halves;
  if (over_keys && d->layout_k == TSR_KV_ROWS) elements += (double)d->d_qk;
  seconds = keys * elements * (d->type_k == TSR_F32 ? TRANSPOSE_OPERATIONS : TRANSPOSE_HALF_OPERATIONS) * flop;
  if (!over_keys && halves) seconds += keys * (double)(d->d_qk + d->d_v) * CONVERT_OPERATIONS * flop;
  if (blocks) seconds += keys * (double)(d->d_qk + d->d_v) * DECODE_OPERATIONS * flop;
  return seconds;
}

static double together(const struct model *md, double computes, double reads) {
  return most(computes, reads) + md->costs->overlap * least(computes, reads);
}

/* Seconds of an item of R rows with lanes over queries: its tiles take each chunk of keys and values in turn. */
static double item_over_queries(const struct model *md, double R) {
  const tsr_attention_desc *d = &md->p->d;
  double width = (double)md->way->width, tiles = (double)tsr_ceil_div((int64_t)R, md->way->width), each = R / tiles;
  double keys = keys_seen(md, R), n = least(keys, TSR_CHUNK), d_qk = (double)d->d_qk, d_v = (double)d->d_v;
  double chunks = keys_seen(md, each) / n, flop = md->costs->flop_f32;
  double computes = product(md, each, n, d_qk) + product(md, each, d_v, n) +
                    (double)tsr_round_up((int64_t)each, 16) * (n * SOFTMAX_OPERATIONS + d_v * MERGE_OPERATIONS) * flop +
                    3 * md->costs->step;
  double chunk = n * (d_qk + d_v) * 4, item = R * (d_qk + d_v) * 4, scores = n * width * 4;
  double reads = (chunk + item / tiles) * reading(md, chunk + item + scores);
  reads += 2 * scores * reading(md, scores + chunk / 4);
  double first = keys * (d_qk * md->size_k + d_v * md->size_v) * reading(md, md->home);
  return tiles * chunks * together(md, computes, reads) + together(md, loading(md, keys), first);
}

/* The same with lanes over keys: all rows at once. */
static double item_over_keys(const struct model *md, double R) {
  const tsr_attention_desc *d = &md->p->d;
  double keys = keys_seen(md, R), n = least(keys, TSR_CHUNK), d_qk = (double)d->d_qk, d_v = (double)d->d_v;
  double panels = most(1, n / TSR_KV_PANEL), flop = md->costs->flop_f32;
  double computes = panels * product(md, least(n, TSR_KV_PANEL), R, d_qk) + product(md, d_v, R, n) +
                    R * (n * SOFTMAX_OPERATIONS + d_v * MERGE_OPERATIONS) * flop + (panels + 2 + R) * md->costs->step +
                    loading(md, n);
  double reads = n * (d_qk * md->size_k + d_v * md->size_v) * reading(md, md->home);
  double item = R * (2 * d_v + d_qk + TSR_CHUNK) * 4;
  reads += (panels * R * d_qk + R * (2 * d_v + TSR_CHUNK)) * 4 * reading(md, item);
  return keys / n * together(md, computes, reads);
}

static double item_seconds(const struct model *md, double R) {
  const tsr_attention_desc *d = &md->p->d;
  double ends = R * (double)(d->d_qk + d->d_v) * CONVERT_OPERATIONS * md->costs->flop_f32 + 4 * md->costs->step;
  return ends + (md->way->lanes == TSR_LANES_KEYS ? item_over_keys(md, R) : item_over_queries(md, R));
}

/* Chunks of items are claimed one by one; their states are put away and merged one item at a time. */
static double shared(const struct model *md, double items, double one, double R) {
  double chunks = most(1, (double)md->p->d.len_kv / TSR_CHUNK), state = R * (double)(md->p->d.d_v + 2) * 4;
  double putting = state * 4 * md->costs->read_l3 + 2 * md->costs->step + R * md->costs->step;
  double unit = one / chunks + putting, units = items * chunks;
  double rounds = (double)tsr_ceil_div((int64_t)(units + 0.5), md->way->threads);
  double merging = R * (md->costs->step + (double)md->p->d.d_v * MERGE_OPERATIONS * md->costs->flop_f32);
  return most(rounds * unit, chunks * merging);
}

/* Whole items are claimed, those that take longest first. */
static double claimed(const struct model *md, double items, double one) {
  int threads = md->way->threads;
  if (md->p->d.causal == TSR_NOT_CAUSAL) return (double)tsr_ceil_div((int64_t)items, threads) * one;
  double idle = items < 2 * threads ? 0.5 : 0.25;
  return items <= 1 ? one : items * one / (double)tsr_min(threads, (int64_t)items) + (threads > 1) * idle * one;
}

static double element_bytes(tsr_type type) { return (double)tsr_bytes_of(type, 32) / 32; }

double tsr_attention_predict(const tsr_context *context, const struct tsr_costs *costs,
                             const struct tsr_attention_problem *p, const struct tsr_attention_way *way) {
  const struct tsr_topology *machine = tsr_topology_get();
  struct model md = {.f32 = &context->kernels[TSR_F32], .costs = costs, .p = p, .way = way};
  struct tsr_attention_work work;
  tsr_attention_work_of(p, &work);
  md.rows = (double)p->d.len_q * (double)p->group;
  md.size_k = element_bytes(p->d.type_k);
  md.size_v = element_bytes(p->d.type_v);
  md.home = work.kv_bytes;
  md.cache[0] = (double)machine->level[0].bytes;
  md.cache[1] = (double)machine->level[machine->nlevels > 1].bytes;
  md.cache[2] = (double)machine->level[machine->nlevels - 1].bytes * costs->last_level;
  double pieces = (double)tsr_ceil_div(p->d.len_q * p->group, way->rows), R = md.rows / pieces;
  double items = (double)p->d.batch * (double)p->d.heads_kv * pieces, one = item_seconds(&md, R);
  double seconds = way->split ? shared(&md, items, one, R) : claimed(&md, items, one);
  return seconds + (way->threads > 1 ? costs->start + costs->barrier : 0);
}

void tsr_attention_work_of(const struct tsr_attention_problem *p, struct tsr_attention_work *work) {
  const tsr_attention_desc *d = &p->d;
  double q = (double)d->len_q, kv = (double)d->len_kv, heads = (double)d->batch * (double)d->heads_q, pairs = q * kv;
  double shift = d->causal == TSR_CAUSAL_BOTTOM_RIGHT ? kv - q : 0;
  if (d->causal != TSR_NOT_CAUSAL) {
    double first = most(0, -shift), last = least(q, most(first, kv - shift)); /* queries that see some keys, not all */
    pairs = (last - first) * (2 * shift + first + last + 1) / 2 + (q - last) * kv;
  }
  work->flops = 2 * heads * pairs * (double)(d->d_qk + d->d_v);
  work->kv_bytes = (double)d->batch * (double)d->heads_kv * kv *
                   ((double)d->d_qk * element_bytes(d->type_k) + (double)d->d_v * element_bytes(d->type_v));
  work->bytes = work->kv_bytes + heads * q * ((double)d->d_qk * element_bytes(d->type_q) +
                                              (double)d->d_v * element_bytes(d->type_out));
}
