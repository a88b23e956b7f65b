/* Gradients of a convolution inside the library. That with regard to x is a convolution again. That with regard to the
 * weights is a product whose k are pixels: a plain convolution multiplies each pixel of dy, taken in order, by one of x
 * for each tap. Of a transposed one x is taken in order and dy by taps. So there is a dense side, whose pixels are
 * counted, and a wide side, of which a tap reads pixel o * stride - pad + tap * dilation. */
#ifndef TSR_CONV_BACKWARD_H
#define TSR_CONV_BACKWARD_H

#include "src/conv/conv.h"

/* One side. */
struct tsr_dw_side {
  struct tsr_conv_tensor t;
  int64_t channels; /* of a group */
  int64_t size[3];
  bool last;        /* channels lie last */
};

/* Along what the lanes of a vector run. */
enum tsr_dw_lanes {
  TSR_DW_WIDE = 1, /* channels of the wide side, those of the dense one are columns */
  TSR_DW_DENSE,    /* the other way round, where the wide side has few */
  TSR_DW_GROUPS,   /* groups; taps of a kernel's row are columns */
};

/* dw[dense channel of all groups][tap][wide channel of a group], or with the taps last. */
struct tsr_dw {
  const tsr_conv_desc *d;
  const struct tsr_kernels *table; /* by type */
  tsr_type type;                   /* what is computed in */
  int64_t size, kb;
  int64_t batch, groups, numbers;  /* numbers: pixels of the dense side, of all images */
  int64_t taps;                    /* of the kernel */
  struct tsr_conv_dim dim[3];      /* in: the wide side, out: the dense side */
  struct tsr_dw_side wide, dense;
  tsr_mem dw;
  bool last;                       /* wide channels lie last in dw, or there is only one tap */

  /* How. An item is some panels of lanes, some columns and some taps, of one group. */
  enum tsr_dw_lanes lanes;
  const struct tsr_tiles *tiles;
  int units, columns;
  int64_t all_lanes, all_columns;  /* columns: of GROUPS one */
  int64_t panels;                  /* of all lanes, mr lanes each */
  int64_t mr;
  int64_t item_panels, item_columns;
  int level;                       /* taps of an item: 0 all, 1 of one depth, 2 of one row, 3 one */
  int64_t pixels, boxes;           /* of the wide side's band, at most */
  bool staged;                     /* sums are kept aside until they are complete */
  bool wide_stays, dense_stays;    /* panels of a side are read where they are */
};

/* Taps [first, first + count) along each dimension; `any`: wherever they begin, for what is needed at most. */
struct tsr_dw_taps {
  int64_t first[3], count[3];
  bool any;
};

/* A box of the wide side's pixels that some pixels of the dense side read: every `step`th from `least`. In a band a row
 * lies as `phases` parts, such whose pixels are a stride apart side by side. Where the wide side stays it is the
 * image. */
struct tsr_dw_box {
  int64_t image;
  int64_t number;           /* of its first dense pixel, within the block */
  int64_t from[3], to[3];   /* dense pixels: depths, rows and columns (all rows but the first and last are whole) */
  int64_t begin, end;       /* the same, counted within the image */
  int64_t least[3], step[3], count[3];
  int64_t phases, width;    /* of a row in the band */
  int64_t at;               /* its first pixel in the band */
};

/* Fills boxes (NULL: they are only counted) for block number `block` and gives how many there are; *pixels becomes how
 * many pixels they have together. */
int64_t tsr_dw_boxes(const struct tsr_dw *w, const struct tsr_dw_taps *taps, int64_t block, struct tsr_dw_box *boxes,
                     int64_t *pixels);

/* Where the wide side's pixel (depth, row, column) lies in the band; columns beyond the box are counted on. */
static inline int64_t tsr_dw_pixel(const struct tsr_dw_box *box, int64_t depth, int64_t row, int64_t column) {
  int64_t line = (depth - box->least[0]) / box->step[0] * box->count[1] + (row - box->least[1]) / box->step[1];
  int64_t at = column - box->least[2];
  if (box->step[2] > 1) at /= box->step[2]; /* one tap only: columns are all a multiple of it apart */
  if (box->phases > 1) at = at % box->phases * (box->width / box->phases) + at / box->phases;
  return box->at + line * box->width + at;
}

/* Copies lanes [first, first + count) of a side: element (pixel, part, lane) goes to `to` in panels of mr lanes,
 * `next` bytes apart, each [pixel][part][lane]; lanes beyond the last repeat it if `fill`. A lane is a channel of group
 * `group`, or (parts > 0) a group, of which the channels are the parts. Boxes of the wide side, or dense pixels
 * [begin, begin + pixels). */
struct tsr_dw_load {
  const struct tsr_kernels *table;
  tsr_type type; /* that they become */
  int64_t mr;
  const struct tsr_dw_side *side;
  int64_t group, parts, first, count;
};
void tsr_dw_load_boxes(const struct tsr_dw_load *load, const struct tsr_dw_box *boxes, int64_t n, bool fill, char *to,
                       int64_t next);
void tsr_dw_load_dense(const struct tsr_dw_load *load, int64_t begin, int64_t pixels, char *to, int64_t next);

/* The same as lines: element (lane, pixel) goes to `to` + lane * line bytes + pixel elements. No parts. */
void tsr_dw_line_boxes(const struct tsr_dw_load *load, const struct tsr_dw_box *boxes, int64_t n, char *to,
                       int64_t line);
void tsr_dw_line_dense(const struct tsr_dw_load *load, int64_t begin, int64_t pixels, char *to, int64_t line);

/* Decides how, for up to so many threads, of which *threads are wanted. */
void tsr_dw_plan(const tsr_context *context, struct tsr_dw *w, int most_threads, int *threads);
int64_t tsr_dw_items(const struct tsr_dw *w);

/* How many boxes of taps there are at w's level, and number `index` of them: taps that follow one another. */
int64_t tsr_dw_boxes_of_taps(const struct tsr_dw *w);
struct tsr_dw_taps tsr_dw_taps_of(const struct tsr_dw *w, int64_t index);
static inline int64_t tsr_dw_count(const struct tsr_dw_taps *taps) {
  return taps->count[0] * taps->count[1] * taps->count[2];
}

/* Memory of a worker, and one item's gradient. */
size_t tsr_dw_worker_bytes(const struct tsr_dw *w);
void tsr_dw_item(const struct tsr_dw *w, int64_t item, char *memory);

/* Lanes are covered by tiles of `units`, then by such as fit, of at least so many columns. Gives the next tile's units,
 * of `left` lanes, and how many lanes it and those like it cover. */
static inline int tsr_dw_next_units(const struct tsr_tiles *tiles, int units, int columns, int64_t left,
                                    int64_t *lanes) {
  int64_t whole = left / (units * tiles->mu) * units * tiles->mu;
  int u = (int)tsr_min(units, tsr_ceil_div(left, tiles->mu));
  while (u > 1 && tiles->max_columns[u] < columns) u--;
  *lanes = whole > 0 ? whole : tsr_min(left, (int64_t)u * tiles->mu);
  return u;
}

/* Sums of dy, of panel number `panel` of filters: for each block of kb pixels s = +0, s = s + dy in order; y = y + s */
struct tsr_dbias {
  const struct tsr_kernels *table;
  tsr_type type;
  int64_t size, kb, batch, numbers, filters;
  struct tsr_dw_side side; /* dy, as of one group */
  int units;
  int64_t mr, panels;
  tsr_mem dbias;
};
void tsr_dbias_plan(struct tsr_dbias *b, int threads);
size_t tsr_dbias_worker_bytes(const struct tsr_dbias *b);
void tsr_dbias_panel(const struct tsr_dbias *b, int64_t panel, char *memory);

#endif
