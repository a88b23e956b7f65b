/* Lanes over neighbours: regions of a plane, and the band of x, turned so that neighbours are contiguous. */
#include <string.h>

#include "src/conv/near.h"
#include "src/core/topology.h"

struct tsr_conv_span tsr_near_inner(const struct tsr_conv_problem *p, int i) {
  const struct tsr_conv_dim *dim = &p->dim[i];
  int64_t room = dim->in - 1 + dim->pad - (dim->kernel - 1) * dim->dilation;
  int64_t first = tsr_min(dim->out, tsr_ceil_div(dim->pad, dim->stride));
  int64_t end = room < 0 ? 0 : tsr_min(dim->out, room / dim->stride + 1);
  return (struct tsr_conv_span){first, tsr_max(0, end - first)};
}

static void add_region(struct tsr_near_region *regions, int *n, struct tsr_near_region region) {
  if (region.count > 0 && region.lines > 0) regions[(*n)++] = region;
}

/* Columns first .. first + count - 1, near the padding of rows. */
static void add_columns(const struct tsr_conv_job *job, struct tsr_near_region *regions, int *n, int64_t first,
                        int64_t count) {
  int64_t rows = job->p->dim[1].out;
  struct tsr_conv_span inner = tsr_near_inner(job->p, 1);
  if (inner.count < job->tiles->mu) inner = (struct tsr_conv_span){rows, 0};
  int64_t below = inner.first + inner.count;
  add_region(regions, n, (struct tsr_near_region){1, 2, false, inner.first, inner.count, first, count});
  add_region(regions, n, (struct tsr_near_region){2, 1, true, first, count, 0, inner.first});
  add_region(regions, n, (struct tsr_near_region){2, 1, true, first, count, below, rows - below});
}

int tsr_near_regions(const struct tsr_conv_job *job, struct tsr_near_region *regions) {
  const struct tsr_conv_dim *dim = job->p->dim;
  struct tsr_conv_span inner = tsr_near_inner(job->p, 2);
  int64_t right = inner.first + inner.count;
  int n = 0;
  add_region(regions, &n, (struct tsr_near_region){2, 1, false, inner.first, inner.count, 0, dim[1].out});
  add_columns(job, regions, &n, 0, inner.first);
  add_columns(job, regions, &n, right, dim[2].out - right);
  return n;
}

void tsr_near_pieces(const struct tsr_conv_job *job, const struct tsr_near_region *region, int64_t *along,
                     int64_t *across) {
  *along = region->single ? 1 : tsr_ceil_div(region->count, job->way->cols);
  *across = region->across == 1 && !region->single ? tsr_ceil_div(region->lines, job->way->rows) : 1;
}

void tsr_near_lay_out(struct tsr_near_piece *piece) {
  const struct tsr_conv_job *job = piece->job;
  const struct tsr_conv_problem *p = job->p;
  const struct tsr_conv_dim *along = &p->dim[piece->at.along], *across = &p->dim[piece->at.across];
  int64_t reach = (along->kernel - 1) * along->dilation;
  int64_t lanes = piece->at.single ? job->tiles->mu : piece->at.count + reach / along->stride;
  int64_t least = (across->kernel - 1) * across->dilation + 1;
  const struct tsr_topology *machine = tsr_topology_get();
  int64_t room = (int64_t)machine->level[machine->nlevels > 1].bytes / 4;
  piece->channel = tsr_conv_apart(tsr_round_up(lanes * job->size, 64));
  piece->part = p->cg * piece->channel;
  piece->input = piece->part * (piece->at.single ? along->kernel : along->stride);
  piece->capacity = tsr_min(across->in, tsr_max(least, tsr_min(4 * least, room / (piece->input * p->dim[0].kernel))));
  if (tsr_near_streams(job->way) && piece->at.across == 1 && !piece->at.single) piece->capacity = 1;
  piece->slice = piece->capacity * piece->input;
}

int64_t tsr_near_band_bytes(const struct tsr_near_piece *piece) {
  return piece->job->p->dim[0].kernel * piece->slice;
}

static void turn(const struct tsr_conv_job *job, tsr_mem from, int64_t m, int64_t line, int64_t n, char *to,
                 int64_t next) {
  const struct tsr_conv_problem *p = job->p;
  struct tsr_step step = {.m = m, .n = n, .rsa = line, .csc = next};
  job->table[p->x.type].turn[p->type]->run(&step, from, 0, (tsr_mem)to);
}

/* m elements, `by` bytes apart, become neighbours: too few of a line to be worth a kernel. */
static void gather(tsr_mem from, int64_t m, int64_t by, int64_t size, char *to) {
  const char *x = (const char *)from;
  if (size == 4)
    for (int64_t i = 0; i < m; i++) memcpy(to + 4 * i, x + i * by, 4);
  else
    for (int64_t i = 0; i < m; i++) memcpy(to + 8 * i, x + i * by, 8);
}

/* m pixels of all channels, `by` bytes apart, side by side. */
static void load_pixels(const struct tsr_near_piece *piece, tsr_mem from, int64_t m, int64_t by, char *to) {
  const struct tsr_conv_job *job = piece->job;
  const struct tsr_conv_problem *p = job->p;
  int64_t size = tsr_size_of(p->x.type);
  bool same = p->x.type == p->type;
  if (by == size && !same) {
    struct tsr_step step = {.m = m, .n = p->cg, .csa = p->x.channel, .csc = piece->channel, .alpha = 1};
    job->table[p->x.type].convert[p->type]->run(&step, from, 0, (tsr_mem)to);
    return;
  }
  if (by != size && p->x.channel == size) {
    turn(job, from, m, by, p->cg, to, piece->channel);
    return;
  }
  for (int64_t c = 0; c < p->cg; c++, from += (tsr_mem)p->x.channel, to += piece->channel) {
    if (!same)
      turn(job, from, m, by, 1, to, piece->channel);
    else if (by == size)
      memcpy(to, (const char *)from, (size_t)(m * size));
    else
      gather(from, m, by, size, to);
  }
}

/* One input line, whose pixel 0 is at `from`. */
static void load_line(const struct tsr_near_piece *piece, tsr_mem from, char *to) {
  const struct tsr_conv_problem *p = piece->job->p;
  const struct tsr_conv_dim *dim = &p->dim[piece->at.along];
  int64_t pixel = p->x.dim[piece->at.along], first = piece->at.first * dim->stride - dim->pad;
  int64_t lanes = piece->at.count + (dim->kernel - 1) * dim->dilation / dim->stride;
  for (int64_t tap = 0; tap < dim->kernel; tap++) {
    int64_t by = tap * dim->dilation, i = first + by;
    if (piece->at.single) {
      if (i >= 0 && i < dim->in)
        load_pixels(piece, from + (tsr_mem)(i * pixel), piece->job->tiles->mu, 0, to + tap * piece->part);
      continue;
    }
    int64_t part = by % dim->stride;
    bool loaded = false;
    for (int64_t other = 0; other < tap; other++) loaded |= other * dim->dilation % dim->stride == part;
    if (loaded) continue;
    int64_t m = tsr_min(lanes, (dim->in - 1 - first - part) / dim->stride + 1);
    load_pixels(piece, from + (tsr_mem)((first + part) * pixel), m, dim->stride * pixel, to + part * piece->part);
  }
}

void tsr_near_load(const struct tsr_near_piece *piece, struct tsr_near_band *band, int64_t least, int64_t most) {
  const struct tsr_conv_problem *p = piece->job->p;
  const struct tsr_conv_dim *depth = &p->dim[0];
  int64_t kept = tsr_max(0, band->end - least), drop = least - band->origin;
  bool moves = band->end <= least || most - band->origin >= piece->capacity;
  if (moves) band->origin = least;
  int64_t from = tsr_max(band->end, least);
  for (int64_t t = 0; t < depth->kernel; t++) {
    int64_t d = piece->depth * depth->stride - depth->pad + t * depth->dilation;
    char *slice = band->memory + t * piece->slice;
    if (d < 0 || d >= depth->in) continue;
    if (moves && kept > 0) memmove(slice, slice + drop * piece->input, (size_t)(kept * piece->input));
    tsr_mem x = p->x.at + (tsr_mem)(piece->image * p->x.image + piece->group * p->cg * p->x.channel + d * p->x.dim[0]);
    for (int64_t i = from; i <= most; i++)
      load_line(piece, x + (tsr_mem)(i * p->x.dim[piece->at.across]), slice + (i - band->origin) * piece->input);
  }
  band->end = tsr_max(band->end, most + 1);
}
