/* Lanes over neighbours with fewer filters than rows of a kernel: input lines pass by, each of which is turned and then
 * multiplied, by GEMM, for all lines of outputs that see it, through different rows of the kernel. Their sums go on
 * from input line to input line in the stage. */
#include <string.h>

#include "src/conv/near.h"

/* Lines of outputs in the stage: those being computed are first .. end - 1, number `origin` is in the first place. */
struct stream {
  const struct tsr_near_piece *piece;
  struct tsr_near_band *band;
  const struct tsr_near_tiles *tile;
  int tiles;
  int64_t first, end, origin, pitch;
  int64_t block[TSR_NEAR_PLACES]; /* which of its taps a line's sums are of */
  tsr_mem y, sums, turned;        /* [filter][place][output] */
};

static tsr_mem place(const struct stream *s, tsr_mem base, int64_t filter, int64_t line) {
  return base + (tsr_mem)((filter * TSR_NEAR_PLACES + line - s->origin) * s->pitch);
}

static void start(struct stream *s, int64_t line) {
  const struct tsr_conv_job *job = s->piece->job;
  const struct tsr_conv_problem *p = job->p;
  if (line - s->origin == TSR_NEAR_PLACES) {
    for (int64_t f = 0; f < p->kg; f++)
      for (int i = 0; i < 2; i++) {
        tsr_mem base = i ? s->sums : s->y, from = place(s, base, f, s->first);
        memmove((char *)place(s, base, f, s->origin), (char *)from, (size_t)((s->end - s->first) * s->pitch));
      }
    memmove(s->block, s->block + (s->first - s->origin), sizeof *s->block * (size_t)(s->end - s->first));
    s->origin = s->first;
  }
  for (int64_t f = 0; f < p->kg; f++) {
    struct tsr_step step = {.m = s->piece->at.count, .n = 1, .csc = s->pitch};
    tsr_mem bias = job->bias + (tsr_mem)((s->piece->group * p->kg + f) * job->size), y = place(s, s->y, f, line);
    memset((char *)place(s, s->sums, f, line), 0, (size_t)s->pitch);
    if (job->bias)
      job->table[p->type].turn[p->type]->run(&step, bias, 0, y);
    else
      memset((char *)y, 0, (size_t)s->pitch);
  }
  s->block[line - s->origin] = 0;
  s->end = line + 1;
}

/* A block of a line's taps has ended. */
static void end_block(struct stream *s, int64_t line) {
  const struct tsr_conv_job *job = s->piece->job;
  struct tsr_step step = {.m = s->piece->at.count, .n = 1, .csa = s->pitch, .csc = s->pitch, .alpha = 1, .beta = 1};
  for (int64_t f = 0; f < job->p->kg; f++) {
    tsr_mem sums = place(s, s->sums, f, line);
    job->table[job->p->type].update->run(&step, sums, 0, place(s, s->y, f, line));
    memset((char *)sums, 0, (size_t)s->pitch);
  }
}

/* k channels of a tap: `number` is the first one's for the first line. */
static void multiply(const struct stream *s, tsr_mem a, int64_t number, int64_t k) {
  const struct tsr_conv_job *job = s->piece->job;
  const struct tsr_conv_problem *p = job->p;
  struct tsr_step step = {.n = s->end - s->first, .k = k, .csa = s->piece->channel, .rsb = job->size, .csc = s->pitch,
                          .flags = TSR_STORE_SUM | TSR_GO_ON | TSR_NEAR};
  step.csb = -p->dim[1].stride * p->dim[2].kernel * p->cg * job->size;
  for (int64_t f = 0; f < p->kg; f++) {
    tsr_mem w = (tsr_mem)job->packed + (tsr_mem)(((s->piece->group * p->kg + f) * p->taps + number) * job->size);
    for (const struct tsr_near_tiles *tile = s->tile; tile < s->tile + s->tiles; tile++) {
      int64_t height = (int64_t)tile->units * job->table[p->type].gemm.mu, from = tile->lane * job->size;
      step.m = tsr_min(tile->number * height, s->piece->at.count - tile->lane);
      step.da = step.dc = height * job->size;
      job->table[p->type].gemm.tile[tile->units][step.n]->run(&step, a + (tsr_mem)from, w,
                                                              place(s, s->sums, f, s->first) + (tsr_mem)from);
    }
  }
}

/* Input line i, which is in the band, for all lines of outputs that are being computed. */
static void pass(struct stream *s, int64_t i) {
  const struct tsr_conv_problem *p = s->piece->job->p;
  const struct tsr_conv_dim *down = &p->dim[1];
  for (int64_t t = 0; t < p->dim[2].kernel; t++) {
    tsr_mem a = (tsr_mem)s->band->memory + (tsr_mem)tsr_near_place(s->piece, t);
    for (int64_t c = 0, next; c < p->cg; c = next) {
      next = p->cg;
      for (int64_t line = s->first; line < s->end; line++) {
        int64_t number = ((i + down->pad - line * down->stride) * p->dim[2].kernel + t) * p->cg + c;
        int64_t *block = &s->block[line - s->origin], now = number / p->kb;
        if (now != *block) end_block(s, line);
        *block = now;
        next = tsr_min(next, c + (now + 1) * p->kb - number);
      }
      multiply(s, a + (tsr_mem)(c * s->piece->channel),
               ((i + down->pad - s->first * down->stride) * p->dim[2].kernel + t) * p->cg + c, next - c);
    }
  }
}

void tsr_near_stream(const struct tsr_near_piece *piece, struct tsr_near_band *band, tsr_mem stage, int64_t pitch,
                     tsr_mem turned) {
  const struct tsr_conv_job *job = piece->job;
  const struct tsr_conv_dim *down = &job->p->dim[1];
  const struct tsr_tiles *gemm = &job->table[job->p->type].gemm;
  struct tsr_near_tiles tile[TSR_NEAR_TILES];
  struct stream s = {.piece = piece, .band = band, .tile = tile, .pitch = pitch, .y = stage, .turned = turned};
  int64_t most, i, end = piece->at.line + piece->at.lines;
  s.sums = stage + (tsr_mem)(job->p->kg * TSR_NEAR_PLACES * pitch);
  s.first = s.end = s.origin = piece->at.line;
  s.tiles = tsr_near_cut_exactly(gemm, job->way->units * job->tiles->mu / gemm->mu, piece->at.count, tile);
  tsr_conv_inputs(job->p, 1, piece->at.line, piece->at.lines, &i, &most);
  for (; i <= most; i++) {
    while (s.end < end && s.end * down->stride - down->pad <= i) start(&s, s.end);
    if (s.first == s.end) continue;
    tsr_near_load(piece, band, i, i);
    pass(&s, i);
    while (s.first < s.end && (i == most || s.first * down->stride - down->pad + down->kernel - 1 <= i)) {
      end_block(&s, s.first);
      for (int64_t f = 0; f < job->p->kg; f++)
        tsr_near_finish(piece, f, 1, s.first, 0, piece->at.count, place(&s, s.y, f, s.first), pitch, turned);
      s.first++;
    }
  }
}
