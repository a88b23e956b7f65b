/* Copies of pixels for the gradient of weights: which pixels of the wide side a block reads, and both sides' ways from
 * any layout and type to panels [pixel][lane] and lines [lane][pixel]. */
#include <string.h>

#include "src/conv/backward.h"

/* --- boxes ------------------------------------------------------------------------------------------------------- */

/* The wide side's pixels of dimension i that dense pixels from .. to - 1 read by the taps. */
static void reach(const struct tsr_dw *w, const struct tsr_dw_taps *taps, int i, struct tsr_dw_box *box) {
  const struct tsr_conv_dim *dim = &w->dim[i];
  int64_t first = taps->first[i], last = first + taps->count[i] - 1, step = first == last ? dim->stride : 1;
  if (taps->any) {
    int64_t span = (box->to[i] - 1 - box->from[i]) * dim->stride + (last - first) * dim->dilation;
    box->least[i] = 0;
    box->step[i] = step;
    box->count[i] = tsr_min(span / step + 1, tsr_ceil_div(dim->in, step));
    return;
  }
  int64_t least = box->from[i] * dim->stride - dim->pad + first * dim->dilation;
  int64_t most = tsr_min(dim->in - 1, (box->to[i] - 1) * dim->stride - dim->pad + last * dim->dilation);
  if (least < 0) least += tsr_ceil_div(-least, step) * step;
  box->least[i] = least;
  box->step[i] = step;
  box->count[i] = most < least ? 0 : (most - least) / step + 1;
}

/* All of the image: pixels are counted as they lie in the tensor. */
static void set_image(const struct tsr_dw *w, struct tsr_dw_box *box) {
  box->at = box->image;
  for (int i = 0; i < 3; i++) {
    box->least[i] = 0;
    box->step[i] = 1;
    box->count[i] = w->dim[i].in;
    box->at *= w->dim[i].in;
  }
  box->phases = 1;
  box->width = box->count[2];
}

static void add_box(const struct tsr_dw *w, const struct tsr_dw_taps *taps, struct tsr_dw_box *box, int64_t *pixels) {
  const struct tsr_conv_dim *dim = w->dim;
  int64_t rows = dim[1].out, cols = dim[2].out, row0 = box->begin / cols, row1 = (box->end - 1) / cols;
  if (w->wide_stays) {
    set_image(w, box);
    return;
  }
  box->from[0] = row0 / rows;
  box->to[0] = row1 / rows + 1;
  box->from[1] = box->to[0] > box->from[0] + 1 ? 0 : row0 % rows;
  box->to[1] = box->to[0] > box->from[0] + 1 ? rows : row1 % rows + 1;
  box->from[2] = row1 > row0 ? 0 : box->begin % cols;
  box->to[2] = row1 > row0 ? cols : (box->end - 1) % cols + 1;
  for (int i = 0; i < 3; i++) reach(w, taps, i, box);
  box->phases = w->lanes == TSR_DW_DENSE ? dim[2].stride / box->step[2] : 1;
  box->width = tsr_round_up(box->count[2], box->phases);
  box->at = *pixels;
  *pixels += box->count[0] * box->count[1] * box->width;
}

/* Where a part of an image that begins at pixel `at` ends: wide rows and large planes are taken one by one, since the
 * box around two that are only begun would be as large as both. */
static int64_t part_end(const struct tsr_dw *w, int64_t at, int64_t end) {
  if (w->wide_stays) return end;
  int64_t row = w->dim[2].out, plane = row * w->dim[1].out;
  if (2 * row > w->kb) return tsr_min(end, (at / row + 1) * row);
  if (2 * plane > w->kb) return tsr_min(end, (at / plane + 1) * plane);
  return end;
}

int64_t tsr_dw_boxes(const struct tsr_dw *w, const struct tsr_dw_taps *taps, int64_t block, struct tsr_dw_box *boxes,
                     int64_t *pixels) {
  int64_t first = block * w->kb, end = tsr_min(w->numbers, first + w->kb), image = w->numbers / w->batch, n = 0;
  *pixels = 0;
  for (int64_t number = first; number < end; n++) {
    int64_t at = number % image, to = part_end(w, at, tsr_min(image, at + end - number));
    struct tsr_dw_box box = {.image = number / image, .number = number - first, .begin = at, .end = to};
    add_box(w, taps, &box, pixels);
    if (boxes) boxes[n] = box;
    number += to - at;
  }
  return n;
}

/* --- copies ------------------------------------------------------------------------------------------------------ */

/* Lines of elements `line` apart become neighbours: m lines, n elements each `next` bytes apart. */
static void turn(const struct tsr_dw_load *l, tsr_mem from, int64_t m, int64_t line, int64_t n, char *to,
                 int64_t next) {
  struct tsr_step step = {.m = m, .n = n, .rsa = line, .csc = next};
  l->table[l->side->t.type].turn[l->type]->run(&step, from, 0, (tsr_mem)to);
}

/* m neighbours stay such, n of them. */
static void convert(const struct tsr_dw_load *l, tsr_mem from, int64_t m, int64_t n, int64_t from_next, char *to,
                    int64_t next) {
  const struct tsr_kernel *kernel = l->table[l->side->t.type].convert[l->type];
  struct tsr_step step = {.m = m, .n = n, .csa = from_next, .csc = next, .alpha = 1};
  if (kernel) {
    kernel->run(&step, from, 0, (tsr_mem)to);
    return;
  }
  for (int64_t i = 0; i < n; i++)
    memcpy(to + i * next, (const void *)(from + (tsr_mem)(i * from_next)), (size_t)(m * tsr_size_of(l->type)));
}

/* From lane to lane of a side. */
static int64_t lane_bytes(const struct tsr_dw_load *l) {
  return l->parts > 0 ? l->side->channels * l->side->t.channel : l->side->t.channel;
}

/* The corner of an image's pixels in the first lane. */
static tsr_mem corner(const struct tsr_dw_load *l, int64_t image) {
  const struct tsr_conv_tensor *t = &l->side->t;
  int64_t lane = l->parts > 0 ? 0 : l->group * l->side->channels * t->channel;
  return t->at + (tsr_mem)(image * t->image + lane + l->first * lane_bytes(l));
}

/* A run of pixels, `apart` bytes from one to the next, of lanes [lane, lane + m) as [pixel][part][lane]. */
static void load_run(const struct tsr_dw_load *l, tsr_mem from, int64_t m, int64_t pixels, int64_t apart, char *to) {
  int64_t size = tsr_size_of(l->type), tensor = tsr_size_of(l->side->t.type), row = l->mr * size;
  int64_t parts = tsr_max(1, l->parts), lane = lane_bytes(l), pixel = parts * row;
  if (lane == tensor) {
    convert(l, from, m, pixels, apart, to, pixel);
  } else if (l->side->last) {
    for (int64_t i = 0; i < pixels; i++) turn(l, from + (tsr_mem)(i * apart), m, lane, parts, to + i * pixel, row);
  } else {
    for (int64_t c = 0; c < parts; c++) {
      tsr_mem part = from + (tsr_mem)(c * l->side->t.channel);
      if (apart == tensor) turn(l, part, m, lane, pixels, to + c * row, pixel);
      for (int64_t i = 0; apart != tensor && i < pixels; i++)
        turn(l, part + (tsr_mem)(i * apart), m, lane, 1, to + i * pixel + c * row, row);
    }
  }
}

/* Lanes beyond the last repeat it, so that they raise no flag of their own. */
static void repeat_last(const struct tsr_dw_load *l, int64_t m, int64_t pixels, char *to) {
  int64_t size = tsr_size_of(l->type), rows = pixels * tsr_max(1, l->parts);
  for (int64_t r = 0; m < l->mr && r < rows; r++) {
    char *row = to + r * l->mr * size;
    for (int64_t i = m; i < l->mr; i++) memcpy(row + i * size, row + (m - 1) * size, (size_t)size);
  }
}

static void load_box(const struct tsr_dw_load *l, const struct tsr_dw_box *box, tsr_mem from, int64_t m, char *to) {
  const struct tsr_dw_side *side = l->side;
  int64_t pixel = tsr_max(1, l->parts) * l->mr * tsr_size_of(l->type), apart = box->step[2] * side->t.dim[2];
  bool whole = box->step[1] == 1 && box->step[2] == 1 && box->count[2] == side->size[2];
  if (box->count[2] == 0) return;
  for (int64_t d = 0; d < box->count[0]; d++)
    for (int64_t h = 0, rows; h < box->count[1]; h += rows) {
      int64_t at = (box->least[0] + d * box->step[0]) * side->t.dim[0] +
                   (box->least[1] + h * box->step[1]) * side->t.dim[1] + box->least[2] * side->t.dim[2];
      rows = whole ? box->count[1] : 1;
      load_run(l, from + (tsr_mem)at, m, rows * box->count[2], apart,
               to + (d * box->count[1] + h) * box->width * pixel);
    }
}

void tsr_dw_load_boxes(const struct tsr_dw_load *l, const struct tsr_dw_box *boxes, int64_t n, bool fill, char *to,
                       int64_t next) {
  int64_t pixel = tsr_max(1, l->parts) * l->mr * tsr_size_of(l->type);
  for (int64_t i = 0; i < l->count; i += l->mr, to += next)
    for (int64_t b = 0; b < n; b++) {
      int64_t m = tsr_min(l->mr, l->count - i), pixels = boxes[b].count[0] * boxes[b].count[1] * boxes[b].width;
      load_box(l, &boxes[b], corner(l, boxes[b].image) + (tsr_mem)(i * lane_bytes(l)), m, to + boxes[b].at * pixel);
      if (fill) repeat_last(l, m, pixels, to + boxes[b].at * pixel);
    }
}

/* Dense pixels from number `number` on that lie in one image, up to `end`; the pixel's place in its image. */
static int64_t within_image(const struct tsr_dw_side *side, int64_t number, int64_t end, int64_t *image, int64_t *at) {
  int64_t pixels = side->size[0] * side->size[1] * side->size[2];
  *image = number / pixels;
  *at = number % pixels;
  return tsr_min(pixels - *at, end - number);
}

void tsr_dw_load_dense(const struct tsr_dw_load *l, int64_t begin, int64_t pixels, char *to, int64_t next) {
  int64_t pixel = tsr_max(1, l->parts) * l->mr * tsr_size_of(l->type), image, at;
  for (int64_t i = 0; i < l->count; i += l->mr, to += next) {
    int64_t m = tsr_min(l->mr, l->count - i);
    for (int64_t p = begin, run; p < begin + pixels; p += run) {
      run = within_image(l->side, p, begin + pixels, &image, &at);
      tsr_mem from = corner(l, image) + (tsr_mem)(i * lane_bytes(l) + at * l->side->t.dim[2]);
      load_run(l, from, m, run, l->side->t.dim[2], to + (p - begin) * pixel);
    }
    repeat_last(l, m, pixels, to);
  }
}

/* A run of pixels as lines. */
static void line_run(const struct tsr_dw_load *l, tsr_mem from, int64_t pixels, int64_t apart, char *to, int64_t line) {
  int64_t tensor = tsr_size_of(l->side->t.type), lane = lane_bytes(l);
  if (apart == tensor)
    convert(l, from, pixels, l->count, lane, to, line);
  else if (lane == tensor)
    turn(l, from, pixels, apart, l->count, to, line);
  else
    for (int64_t i = 0; i < l->count; i++) turn(l, from + (tsr_mem)(i * lane), pixels, apart, 1, to + i * line, line);
}

static void line_box(const struct tsr_dw_load *l, const struct tsr_dw_box *box, char *to, int64_t line) {
  const struct tsr_conv_tensor *t = &l->side->t;
  int64_t size = tsr_size_of(l->type), apart = box->step[2] * t->dim[2], part = box->width / box->phases;
  for (int64_t d = 0; d < box->count[0]; d++)
    for (int64_t h = 0; h < box->count[1]; h++)
      for (int64_t f = 0; f < box->phases && f < box->count[2]; f++) {
        tsr_mem row = corner(l, box->image) + (tsr_mem)((box->least[0] + d * box->step[0]) * t->dim[0] +
                      (box->least[1] + h * box->step[1]) * t->dim[1] + box->least[2] * t->dim[2] + f * apart);
        int64_t at = box->at + (d * box->count[1] + h) * box->width + f * part;
        line_run(l, row, (box->count[2] - f - 1) / box->phases + 1, apart * box->phases, to + at * size, line);
      }
}

void tsr_dw_line_boxes(const struct tsr_dw_load *l, const struct tsr_dw_box *boxes, int64_t n, char *to, int64_t line) {
  for (int64_t b = 0; b < n; b++) line_box(l, &boxes[b], to, line);
}

void tsr_dw_line_dense(const struct tsr_dw_load *l, int64_t begin, int64_t pixels, char *to, int64_t line) {
  int64_t size = tsr_size_of(l->type), image, at;
  for (int64_t p = begin, run; p < begin + pixels; p += run) {
    run = within_image(l->side, p, begin + pixels, &image, &at);
    line_run(l, corner(l, image) + (tsr_mem)(at * l->side->t.dim[2]), run, l->side->t.dim[2], to + (p - begin) * size,
             line);
  }
}
