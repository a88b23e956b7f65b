/* What conv.s and conv_sums.s are told: pieces of a step that fit a core's buffers, and a model of their time. */
#include "kernels/accel_sim/conv.h"

#include <string.h>

#include "src/core/core.h"

enum { FRACTAL = 512, L0C_FRACTAL = 1024, SIDE = 16, FLAGS = 8 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

/* A tile's pixels of x, whole rows, as conv_window.s counts them. */
static int64_t pixels_of(const struct tsr_conv_part *p, int64_t begin) {
  int64_t plane = p->out[0] * p->out[1], last = least(begin + p->rows, p->end) - 1;
  int64_t low = begin % plane / p->out[1] * p->stride[0] - p->pad[0];
  int64_t high = last % plane / p->out[1] * p->stride[0] - p->pad[0] + (p->kernel[0] - 1) * p->dilation[0] + 1;
  return (last / plane * p->in[0] + least(high, p->in[0]) - begin / plane * p->in[0] - most(low, 0)) * p->in[1];
}

static int64_t most_pixels(const struct tsr_conv_part *p) {
  int64_t pixels = 0;
  for (int64_t at = p->begin; at < p->end; at += p->rows) pixels = most(pixels, pixels_of(p, at));
  return pixels;
}

/* The fewest pieces of at most `limit`, all alike. */
static int64_t even(int64_t all, int64_t limit) { return ceil_div(all, ceil_div(all, limit)); }

/* A chunk ends where a chain does. */
static int64_t chunks_of(const struct accel_conv *c) {
  int64_t whole = c->k / c->chain;
  return whole * ceil_div(c->chain, c->chunk) + ceil_div(c->k - whole * c->chain, c->chunk);
}

/* Chunks and slots in `room` bytes of L1. x of a tile may only come when the room that it takes is free: what says so
 * is that the slot of its first chunk is, whose former chunk is `slots` back. */
static bool lay_out_weights(const struct tsr_conv_part *p, struct accel_conv *c, int64_t blocks, int64_t room) {
  int64_t unit = p->channels % SIDE ? c->columns : 1, chunk = round_up(c->b_k, unit);
  c->chunk = chunk;
  while (chunks_of(c) > FLAGS) c->chunk += chunk;
  c->resident = chunks_of(c) * c->chunk * blocks * FRACTAL <= room;
  if (!c->resident) c->chunk = chunk;
  c->w_slot = c->chunk * blocks * FRACTAL;
  c->chunks = chunks_of(c);
  c->slots = c->resident ? c->chunks : least(least(FLAGS, room / c->w_slot), c->tiles > 1 ? c->chunks + 1 : FLAGS);
  if (!c->x_turn && c->tiles > 1) c->slots = 1, c->resident = c->resident && c->chunks == 1;
  return c->slots > 0;
}

/* conv_sums.s has two halves of UB with a pixel of each chain and of y at least, and zeros behind them. */
static int64_t sums_pitch(const struct tsr_conv_part *p) { return round_up(p->filters * 4, 64); }
static int64_t sums_bytes(const struct tsr_conv_part *p, int64_t chains) {
  return (2 * (chains + 1) + 1) * sums_pitch(p);
}

/* With two halves, or one and two tiles by turns, or one alone. */
static bool lay_out_l0(const struct accel_params *params, const struct tsr_conv_part *p, int halves,
                       struct accel_conv *c) {
  int64_t rows = ceil_div(ceil_div(p->rows, SIDE), halves), blocks = ceil_div(p->filters, SIDE);
  int64_t sums = rows * blocks * L0C_FRACTAL;
  int64_t half_a = (int64_t)params->bytes[ACCEL_L0A] / FRACTAL / 2, l0c = (int64_t)params->bytes[ACCEL_L0C];
  int64_t half_b = ((int64_t)params->bytes[ACCEL_L0B] / FRACTAL - (p->bias ? blocks : 0)) / 2;
  if (rows > half_a || blocks > half_b || sums > l0c / halves) return false;
  c->half_l0a = half_a * FRACTAL;
  c->half_l0b = half_b * FRACTAL;
  c->rows_half = rows * SIDE;
  c->half_l0c = halves == 2 || (c->tiles * c->chains > 1 && sums <= l0c / 2) ? l0c / 2 : 0;
  c->b_k = even(c->chain, half_b / blocks);
  c->a_k = even(c->b_k, half_a / rows);
  return true;
}

#define UNSUPPORTED(condition, ...) \
  if (condition) return tsr_fail(TSR_UNSUPPORTED, __VA_ARGS__)

/* The words of set.map have so many bits. */
tsr_status accel_conv_check(const struct tsr_conv_part *p) {
  for (int i = 0; i < 2; i++) {
    const char *of = i ? "width" : "height";
    UNSUPPORTED(p->in[i] > 0xffff || p->out[i] > 0xffff, "in and out are %lld and %lld pixels in %s: on this chip at "
                "most 65535", (long long)p->in[i], (long long)p->out[i], of);
    UNSUPPORTED(p->kernel[i] > 0xff, "kernel is %lld in %s: on this chip at most 255", (long long)p->kernel[i], of);
    UNSUPPORTED(p->stride[i] > 0xff, "stride is %lld in %s: on this chip at most 255", (long long)p->stride[i], of);
    UNSUPPORTED(p->dilation[i] > 0xff, "dilation is %lld in %s: on this chip at most 255", (long long)p->dilation[i],
                of);
    UNSUPPORTED(p->pad[i] > 0xff, "pad_begin is %lld in %s: on this chip at most 255", (long long)p->pad[i], of);
  }
  UNSUPPORTED(p->batch * p->out[0] * p->out[1] > INT32_MAX, "batch is %lld: on this chip y has at most 2^31 - 1 pixels",
              (long long)p->batch);
  UNSUPPORTED(p->channels % SIDE && p->kernel[0] * p->kernel[1] * p->channels > p->kb, "channels is %lld: where kernel "
              "times channels is more than %lld, this chip takes multiples of %d", (long long)p->channels,
              (long long)p->kb, SIDE);
  return TSR_OK;
}

static bool lay_out(const struct accel_params *params, const struct tsr_conv_part *p, int halves,
                    struct accel_conv *c) {
  int64_t taps = p->kernel[0] * p->kernel[1], blocks = ceil_div(p->filters, SIDE);
  c->columns = ceil_div(p->channels, SIDE);
  c->k = taps * c->columns;
  c->chains = ceil_div(taps * p->channels, p->kb);
  c->chain = c->chains > 1 ? p->kb / SIDE : c->k;
  c->tiles = ceil_div(p->end - p->begin, p->rows);
  c->x_pixels = round_up(most_pixels(p), SIDE);
  bool several = c->chains > 1;
  if (several && (p->channels % SIDE || sums_bytes(p, c->chains) > (int64_t)params->bytes[ACCEL_UB])) return false;
  if (c->x_pixels > 0xffff * SIDE || !lay_out_l0(params, p, halves, c)) return false;
  int64_t x = c->x_pixels * c->columns * 32, bias = (blocks + ceil_div(p->rows, SIDE)) * FRACTAL;
  int64_t room = (int64_t)params->bytes[ACCEL_L1] - bias;
  for (int places = c->tiles > 1 ? 2 : 1; places > 0; places--) {
    c->x_turn = places == 2 ? x : 0;
    c->l1_bias = places * x;
    c->l1_x = 0;
    c->l1_w = places * x + bias;
    if (places * x < room && lay_out_weights(p, c, blocks, room - places * x)) return true;
  }
  return false;
}

bool accel_conv_lay_out(const struct accel_params *params, const struct tsr_conv_part *p, struct accel_conv *c) {
  struct accel_conv two;
  bool one_fits = lay_out(params, p, 1, c), two_fit = p->rows > SIDE && lay_out(params, p, 2, &two);
  if (two_fit && (!one_fits || accel_conv_cycles(params, p, &two) < accel_conv_cycles(params, p, c))) *c = two;
  return one_fits || two_fit;
}

static int code_of(tsr_type type) { return type == TSR_F16 ? 1 : type == TSR_BF16 ? 2 : 0; }

static uint64_t pair(int64_t low, int64_t high, int bits) { return (uint64_t)low | (uint64_t)high << bits; }

void accel_conv_args(const struct accel_conv *c, const struct tsr_conv_part *p, const struct tsr_kernel *kernel,
                     tsr_mem one, tsr_mem sums, int64_t next, uint64_t args[ACCEL_CONV_ARGS]) {
  bool apart = c->chains > 1;
  uint64_t flags = (kernel->ta == TSR_BF16 ? 1u : 0u) | (apart ? 0u : 2u * (unsigned)code_of(kernel->tc)) |
                   (p->relu && !apart ? 8u : 0u) | (c->resident ? 16u : 0u);
  uint64_t in = pair(p->in[0], p->in[1], 16) | pair(c->columns, c->x_pixels / SIDE, 16) << 32;
  uint64_t window = pair(p->kernel[0], p->kernel[1], 8) | pair(p->stride[0], p->stride[1], 8) << 16 |
                    pair(p->dilation[0], p->dilation[1], 8) << 32 | pair(p->pad[0], p->pad[1], 8) << 48;
  int64_t tap = p->channels * 2;
  const uint64_t words[ACCEL_CONV_ARGS] = {
      p->x, p->w, apart ? sums - (tsr_mem)(p->begin * p->filters * 4) : p->y, p->bias, in, window,
      pair(p->out[0], p->out[1], 16), (uint64_t)p->step_x, (uint64_t)p->channels, (uint64_t)p->step_w,
      (uint64_t)(apart ? p->filters * 4 : p->step_y), (uint64_t)p->begin, (uint64_t)p->end,
      pair(p->rows, c->rows_half, 32), (uint64_t)p->filters, (uint64_t)c->k, (uint64_t)c->chain, (uint64_t)c->chunk,
      (uint64_t)c->b_k, pair(c->a_k, c->half_l0b, 32), pair(c->slots, c->chunks, 32),
      p->channels % SIDE ? (uint64_t)c->columns : 0, (uint64_t)tap,
      (uint64_t)c->l1_x, (uint64_t)c->x_turn, (uint64_t)c->l1_w, (uint64_t)c->w_slot, (uint64_t)c->l1_bias, flags, one,
      (uint64_t)next, pair(c->half_l0a, c->half_l0c, 32)};
  memcpy(args, words, sizeof words);
}

void accel_conv_sums_args(const struct accel_params *params, const struct accel_conv *c, const struct tsr_conv_part *p,
                          const struct tsr_kernel *kernel, tsr_mem sums, int64_t next,
                          uint64_t args[ACCEL_CONV_SUMS_ARGS]) {
  int64_t pitch = sums_pitch(p), batch = least((int64_t)params->bytes[ACCEL_UB] / sums_bytes(p, c->chains), 64);
  const uint64_t words[ACCEL_CONV_SUMS_ARGS] = {
      sums, (uint64_t)(p->filters * 4), (uint64_t)next, (uint64_t)c->chains,
      p->y + (tsr_mem)(p->begin * p->step_y), (uint64_t)p->step_y, (uint64_t)code_of(kernel->tc),
      (uint64_t)(p->end - p->begin), (uint64_t)p->filters, (uint64_t)batch, (uint64_t)pitch, p->relu,
      (uint64_t)((c->chains + 1) * batch * pitch), (uint64_t)(batch * pitch)};
  memcpy(args, words, sizeof words);
}

/* All pipes run side by side, but for the first tile's way in and the last one's way out, and where sums of a half have
 * no second place to leave from. */
double accel_conv_cycles(const struct accel_params *params, const struct tsr_conv_part *p, const struct accel_conv *c) {
  double rows = (double)ceil_div(p->rows, SIDE), blocks = (double)ceil_div(p->filters, SIDE), k = (double)c->k;
  double halves = (double)ceil_div(p->rows, c->rows_half), chains = (double)c->chains, tiles = (double)c->tiles;
  double b_rounds = (double)(c->k / c->chain * ceil_div(c->chain, c->b_k) + ceil_div(c->k % c->chain, c->b_k));
  double a_rounds = b_rounds * halves * (double)ceil_div(c->b_k, c->a_k), flags = 2 * params->flag_cycles;
  double fill = a_rounds * (params->startup[ACCEL_L1_L0A] + flags) + k * rows * FRACTAL / params->rate[ACCEL_L1_L0A] +
                b_rounds * (params->startup[ACCEL_L1_L0B] + flags) + k * blocks * FRACTAL / params->rate[ACCEL_L1_L0B];
  double multiply = a_rounds * (params->mad_overhead + flags) + k * rows * blocks;
  double out = params->startup[ACCEL_L0C_GM] +
               2 * (double)(c->rows_half * p->filters) / params->rate[ACCEL_L0C_GM]; /* of a half */
  double share = params->l2_rate / params->cores, most_rate = params->rate[ACCEL_GM_L1];
  double rate = share < most_rate ? share : most_rate, w = k * blocks * FRACTAL;
  double x = (double)most_pixels(p) * (double)p->channels * 2;
  double load = (tiles * x + (c->resident ? w : tiles * w)) / rate;
  if (p->bias) fill += 200 * halves, multiply += halves * params->mad_overhead + 2 * rows * blocks;
  /* Two pieces of the map wait while the cube is at work: it waits itself where weights and they take longer. */
  double a_fill = (fill - b_rounds * (params->startup[ACCEL_L1_L0B] + flags) -
                   k * blocks * FRACTAL / params->rate[ACCEL_L1_L0B]) / a_rounds;
  double gap = 2 * a_fill + (fill - a_rounds * a_fill) / b_rounds - 2 * multiply / a_rounds;
  if (gap > 0) multiply += b_rounds * gap;
  double busy = tiles * (fill > multiply ? fill : multiply), meanwhile = multiply / b_rounds / 2;
  if (!c->half_l0c)
    busy += (tiles * chains - 1) * out;
  else if (halves > 1 && out > meanwhile)
    busy += (tiles * chains - 1) * (out - meanwhile);
  if (c->x_turn == 0 && tiles > 1) busy += tiles * x / rate;
  if (load > busy) busy = load;
  if (c->chains > 1)
    busy += (double)(p->end - p->begin) * (double)(p->filters * c->chains * 4) / params->rate[ACCEL_GM_UB] + 500;
  double first = c->chunk < c->columns ? (double)c->chunk / (double)c->columns : 1;
  return busy + (x * first + (double)c->w_slot) / rate + out + 150;
}
