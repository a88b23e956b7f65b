/* Convolution inside the library: the normalised problem, the way it is computed, and the parts of the loops. */
#ifndef TSR_CONV_INTERNAL_H
#define TSR_CONV_INTERNAL_H

#include "src/core/core.h"

/* One dimension, as sizes of a descriptor. */
struct tsr_conv_dim {
  int64_t in, out, kernel, stride, dilation, pad;
};

/* A tensor of pixels by its strides in bytes. */
struct tsr_conv_tensor {
  tsr_type type;
  tsr_mem at;
  int64_t image, dim[3], channel;
};

/* Strides of w in elements: from group to group, and of a group's filters, channels and taps. */
struct tsr_conv_weights {
  int64_t group, filter, channel, kernel;
};

/* The normalised problem: three dimensions, missing ones of size 1; dimensions that do not mix pixels (1x1) are joined
 * to one long row where the layouts allow it. */
struct tsr_conv_problem {
  const tsr_conv_desc *d;
  tsr_type type; /* what is computed in: f32, f64 or, for integers, s8 */
  bool transposed;
  bool x_last, y_last; /* channels of x, filters of y lie last */
  int64_t batch, groups, cg, kg; /* channels and filters of a group */
  struct tsr_conv_dim dim[3];
  struct tsr_conv_tensor x, y;
  tsr_mem w, bias, add; /* add: laid out like y */
  struct tsr_conv_weights w_strides;
  int64_t taps, kb;     /* of one y; the contract's block */
  double alpha, beta;   /* y begins with beta * y instead of bias, and blocks count alpha times; else 1 and 0 */
};

/* Blocks of taps; one even where there are none. */
static inline int64_t tsr_conv_blocks(const struct tsr_conv_problem *p) {
  return p->taps > p->kb ? (p->taps - 1) / p->kb + 1 : 1;
}

/* Along what the lanes of a vector run. */
enum tsr_conv_lanes {
  TSR_CONV_FILTERS = 1, /* filters of a group; a pixel's channel is broadcast */
  TSR_CONV_GROUPS,      /* groups, which do not mix: depthwise and small groups */
  TSR_CONV_NEIGHBOURS,  /* outputs side by side, with few filters, see near.h; a weight is broadcast */
  TSR_CONV_PLANES,      /* pixels that do not mix, channels first, see planes.h; a weight is broadcast */
};

/* What stays near while the other passes by. */
enum tsr_conv_order {
  TSR_CONV_PIXELS = 1, /* a tile of pixels, for all panels of weights */
  TSR_CONV_PANELS,     /* a block of a panel, for all pixels of a piece */
};

/* How a problem is computed; 0 = not decided yet. `staged` follows from the problem, and so does `band` where x cannot
 * be read in place. */
struct tsr_conv_way {
  enum tsr_conv_lanes lanes;
  enum tsr_conv_order order;
  int threads;
  int units, columns;        /* the tile: rows in the chip's units, columns */
  int64_t rows, cols, panels; /* of a piece of work: output rows, output pixels of a row, panels of weights */
  bool band, in_place;       /* rows of x are copied before use; they are not, though the rule would */
  bool staged;               /* sums go through scratch to y */
};

#define TSR_CONV_TAILS 7 /* TSR_MAX_UNITS by halves at worst */

/* Filters are cut into panels: all but the last as high as the tile, the last ones by what tiles there are. */
struct tsr_conv_panel {
  int units;
  int64_t first, rows; /* of the lanes' filters (or groups) */
  int64_t at;          /* where its weights begin, in bytes from the group's */
  int height;          /* which of the job's heights it has */
};

/* What depends on problem and way alone. */
struct tsr_conv_job {
  const struct tsr_conv_problem *p;
  const struct tsr_conv_way *way;
  const struct tsr_kernels *table; /* by type */
  const struct tsr_tiles *tiles;
  int64_t size;                      /* of an element that is computed with */
  int64_t groups, inner;             /* lanes over filters: groups, 1; over groups: 1, filters of a group */
  int64_t lanes, panels;             /* rows of all panels, panels */
  int64_t whole;                     /* panels of the tile's height; behind them: */
  struct tsr_conv_panel tail[TSR_CONV_TAILS];
  int heights, height[TSR_CONV_TAILS + 1]; /* the different ones, in units */
  int64_t weights;                   /* bytes of the panels of one group, or one inner filter */
  int64_t band_pixel, stage_pixel;   /* bytes from pixel to pixel in the band, and in the stage */
  int64_t phases[3];                 /* outputs that see the same taps lie so many apart */
  const char *packed;                /* weights; then as far as they are given, in the order of the panels: */
  tsr_mem bias, scale;               /* [group or inner][lanes]; [filter] */
};

/* Checks a descriptor, and a call's pointers. */
tsr_status tsr_conv_check(const tsr_context *context, const tsr_conv_desc *d);
tsr_status tsr_conv_check_data(const tsr_conv_desc *d, const void *x, const void *w, const void *bias, const void *y);
tsr_status tsr_conv_check_overlap(const tsr_conv_desc *d, const void *x, const void *w, const void *bias,
                                  const void *add, const void *y);
tsr_status tsr_conv_check_workspace(const tsr_conv_desc *d, const void *x, const void *add, const void *y,
                                    const void *workspace, size_t bytes);

/* The type of y that a descriptor means, and whether it is one of integers. */
tsr_type tsr_conv_type_of_y(const tsr_conv_desc *d);
static inline bool tsr_conv_is_integer(const tsr_conv_desc *d) { return d->type_w == TSR_S8; }

/* Elements of x, w or y of a descriptor. */
int64_t tsr_conv_elements_of_x(const tsr_conv_desc *d);
int64_t tsr_conv_elements_of_y(const tsr_conv_desc *d);
int64_t tsr_conv_elements_of_w(const tsr_conv_desc *d);

/* Turns a valid descriptor into the normalised problem, which points to it. */
void tsr_conv_normalise(const tsr_conv_desc *d, const void *x, const void *w, const void *bias, const void *add, void *y,
                        struct tsr_conv_problem *p);

/* Completes a way by the rule of thumb, on up to so many threads. What is decided stays as it is if it can be part of a
 * way; the number of threads does in any case. */
void tsr_conv_complete(const tsr_context *context, const struct tsr_conv_problem *p, int most_threads,
                       struct tsr_conv_way *way);

/* Multiplications that count, padding included; INT64_MAX if there are more. */
int64_t tsr_conv_work(const struct tsr_conv_problem *p);

void tsr_conv_job_of(const tsr_context *context, const struct tsr_conv_problem *p, const struct tsr_conv_way *way,
                     struct tsr_conv_job *job);
struct tsr_conv_panel tsr_conv_panel_of(const struct tsr_conv_job *job, int64_t index);

/* Bytes of all packed weights, bias and scales; packing them (lines beyond the last filter repeat it); and telling a
 * job where they lie. */
int64_t tsr_conv_packed_bytes(const struct tsr_conv_job *job);
void tsr_conv_use_packed(struct tsr_conv_job *job, const char *packed);
void tsr_conv_pack(const tsr_context *context, struct tsr_conv_job *job, char *to);

/* What POST is to do to outputs from filter number `filter` of y on, whose first one lies `at` bytes into y. */
struct tsr_post tsr_conv_post_of(const struct tsr_conv_job *job, int64_t filter, int64_t at, int64_t add_ld);

/* Whether something is left for POST after the sums, their bias and limits. */
bool tsr_conv_needs_post(const struct tsr_conv_problem *p, bool staged);

/* The limits that kernels keep themselves: none (infinite) but with relu and clip, which are left to POST where it comes. */
void tsr_conv_limits(const struct tsr_conv_problem *p, bool staged, double *low, double *high);

/* Bytes from one row of a buffer to the next: whole pages apart they would compete for the same lines of the first cache. */
static inline int64_t tsr_conv_apart(int64_t bytes) { return bytes % 1024 == 0 ? bytes + 64 : bytes; }

/* Taps of one row of outputs in a piece: strips of tiles with one list for each block of taps. */
struct tsr_conv_list {
  const struct tsr_taps *taps;
  int64_t count;
};
struct tsr_conv_strip {
  int64_t x, pixel; /* bytes from the row's origin in x to the first column's; the first column's pixel in y */
  int columns, tiles;
  int64_t first, last; /* blocks that have taps, 0 and 0 if none has */
  struct tsr_conv_list *blocks; /* blocks of taps, for each height of panels: [height][block] */
};

/* Where x is read: in place or in a band. Element (d, h, w) at at + d * dim[0] + h * dim[1] + w * dim[2]. */
struct tsr_conv_view {
  tsr_mem at;
  int64_t dim[3];
  int64_t lanes; /* lanes over groups of several channels: groups side by side */
};

/* One row's strips. */
struct tsr_conv_row {
  int64_t origin; /* of the row in x, bytes from the view's */
  const struct tsr_conv_strip *strips;
  int64_t count;
};

/* A piece of work. */
struct tsr_conv_piece {
  int64_t image, group;
  int64_t depth, row, rows; /* one output depth, rows of it */
  int64_t col, cols;
  int64_t panel, panels;
};

/* A worker's memory for lists; tsr_conv_lists_bytes gives how many bytes it takes. */
struct tsr_conv_lists {
  struct tsr_conv_strip *strips;
  struct tsr_conv_list *blocks;
  struct tsr_taps *taps;
  struct tsr_conv_row *rows;
  int64_t used_strips, used_blocks, used_taps;
  const struct tsr_conv_row *last; /* the row listed last, or NULL */
  int64_t last_row;
  int64_t made_for[9]; /* what all rows of a piece were listed for */
};
size_t tsr_conv_lists_bytes(const struct tsr_conv_job *job);
void tsr_conv_lists_init(const struct tsr_conv_job *job, struct tsr_conv_lists *lists, char *memory);

/* Forgets all lists: another piece, or another view. */
void tsr_conv_lists_clear(struct tsr_conv_lists *lists);

/* Lists all rows of a piece; pieces that differ in image, group or panels alone share them. */
void tsr_conv_list_rows(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece,
                        const struct tsr_conv_view *view, struct tsr_conv_lists *lists);

/* Fills lists->rows[at] for output row `row` of a piece that reads x through `view`. Only rows of different taps take
 * memory; `only`: one row is kept at a time. */
void tsr_conv_list_row(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece,
                       const struct tsr_conv_view *view, struct tsr_conv_lists *lists, int64_t row, int64_t at,
                       bool only);

/* First and last input that outputs first .. first + count - 1 of dimension i read, by any tap; none: most < least. */
void tsr_conv_inputs(const struct tsr_conv_problem *p, int i, int64_t first, int64_t count, int64_t *least,
                     int64_t *most);

/* Lanes (filters of a group, or groups) of a piece's panels: the first and how many. */
struct tsr_conv_span {
  int64_t first, count;
};
struct tsr_conv_span tsr_conv_lanes_of(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece);

/* Bytes of a piece's band at most, and copying it; view says where it lies then. */
int64_t tsr_conv_band_bytes(const struct tsr_conv_job *job);
void tsr_conv_load_band(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece, char *band,
                        struct tsr_conv_view *view);

/* Writes filters [first, first + rows) of a group for pixels of an output row from the stage to y: the stage holds
 * [pixel][inner][lanes]. `turned` is scratch of the same size. */
void tsr_conv_finish(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece, int64_t row, int64_t first,
                     int64_t rows, tsr_mem stage, tsr_mem turned);

/* Puts beta * y where the sums of these filters and a row of pixels go: the stage, or y itself. */
void tsr_conv_start(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece, int64_t row, int64_t first,
                    int64_t rows, tsr_mem stage);

/* POST in place on the same filters of y, which was written directly. */
void tsr_conv_post_in_place(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece, int64_t row,
                            int64_t first, int64_t rows);

/* Memory of a run, and running it: problem, way, packed weights. */
size_t tsr_conv_workspace_bytes(const struct tsr_conv_job *job);
void tsr_conv_run_all(const tsr_context *context, const struct tsr_conv_job *job, void *workspace);

#endif
