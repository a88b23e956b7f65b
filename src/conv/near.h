/* Convolution with few filters: lanes run over outputs that are neighbours, and a weight is what is broadcast. Operands
 * of CONV change roles: A is a band of x, [input line][channel][pixel], turned so that neighbours are contiguous; B are
 * the weights, [filter][tap], and columns are the filters of a group. With fewer filters than rows of a kernel, columns
 * are neighbouring rows of outputs of one filter instead, which see an input row through different rows of the kernel;
 * then rows are products (near_stream.c).
 *
 * An output plane is cut into regions. Where no tap along a row falls into the padding, lanes run along rows. In
 * columns near the padding they run down the columns, where no tap along the column falls into the padding. What is
 * left, the corners, is computed one output at a time, in all lanes alike. All sums go through the stage,
 * [filter][row][pixel]. */
#ifndef TSR_CONV_NEAR_H
#define TSR_CONV_NEAR_H

#include "src/conv/conv.h"

/* Whether lanes can run over neighbours; whether the rule of thumb has them do so; completing a way that does: its
 * columns are a group's filters, and so are `panels`, or rows, and `panels` is 1. */
bool tsr_conv_near_serves(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p);
bool tsr_conv_near_pays(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p);
void tsr_conv_near_complete(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p,
                            struct tsr_conv_way *way);

/* Rows of outputs in the stage when columns are rows, of which at most half are computed at a time. */
#define TSR_NEAR_PLACES 16
static inline bool tsr_near_streams(const struct tsr_conv_way *way) { return way->columns > way->panels; }

#define TSR_NEAR_REGIONS 7

/* Outputs of a plane that are computed alike; a piece of work is a part of one. */
struct tsr_near_region {
  int along, across;    /* dimension along which lanes run; that in which lines of them lie side by side */
  bool single;          /* one output of a line at a time; its taps along the line may be padding */
  int64_t first, count; /* outputs along */
  int64_t line, lines;
};

struct tsr_near_piece {
  const struct tsr_conv_job *job;
  struct tsr_near_region at;
  int64_t image, group, depth;
  int64_t channel, part, input, slice; /* of the band, bytes: to the next channel; to the next of the parts into which a
                                        * stride cuts an input line; to the next input line, and depth */
  int64_t capacity;                    /* the band's input lines of a depth */
};

/* Outputs of dimension i all of whose taps there are inside. */
struct tsr_conv_span tsr_near_inner(const struct tsr_conv_problem *p, int i);

/* Regions of a plane; a region is cut into so many pieces along its lines, and across. */
int tsr_near_regions(const struct tsr_conv_job *job, struct tsr_near_region *regions);
void tsr_near_pieces(const struct tsr_conv_job *job, const struct tsr_near_region *region, int64_t *along,
                     int64_t *across);

/* Fills in what the band looks like for the piece's outputs. */
void tsr_near_lay_out(struct tsr_near_piece *piece);

/* The band's memory, and which input lines it holds. */
struct tsr_near_band {
  char *memory;
  int64_t origin, end; /* the first line, and behind the last */
};
int64_t tsr_near_band_bytes(const struct tsr_near_piece *piece);

/* Sees to it that the band holds input lines least .. most; of those before it holds as many as there is room for. */
void tsr_near_load(const struct tsr_near_piece *piece, struct tsr_near_band *band, int64_t least, int64_t most);

/* Lists of taps, one for each block; kept while lines of outputs see the same. */
struct tsr_near_lists {
  struct tsr_conv_list *blocks;
  struct tsr_taps *taps;
  int64_t made_for[2]; /* first and end of the input lines they see */
};
int64_t tsr_near_lists_bytes(const struct tsr_conv_job *job);
void tsr_near_lists_init(const struct tsr_conv_job *job, struct tsr_near_lists *lists, char *memory);

/* Lists the taps of a line of outputs: A counts from the input line of the first one, padding or not. */
void tsr_near_list(const struct tsr_near_piece *piece, struct tsr_near_lists *lists, int64_t line);

/* Bytes from an input line in the band to what tap number `tap` along it reads for the first output. */
int64_t tsr_near_place(const struct tsr_near_piece *piece, int64_t tap);

/* All lines of a piece along rows, where columns are rows. `stage` has room for two times TSR_NEAR_PLACES lines of each
 * filter, `pitch` bytes apart. */
void tsr_near_stream(const struct tsr_near_piece *piece, struct tsr_near_band *band, tsr_mem stage, int64_t pitch,
                     tsr_mem turned);

/* From the stage to y: outputs of a line, `count` from number `first` of the piece on, whose sums lie at `sums`; of
 * `filters` filters of the group from number `filter` on, `pitch` bytes apart. `turned` is scratch for as many. */
void tsr_near_finish(const struct tsr_near_piece *piece, int64_t filter, int64_t filters, int64_t line, int64_t first,
                     int64_t count, tsr_mem sums, int64_t pitch, tsr_mem turned);

/* Tiles of one height that lie one behind the other along a line: `lane` is the first output's number in the piece,
 * `slot` its place in the stage. The last tile moves back over outputs that are computed already, so that all lanes
 * are outputs; it has places of its own. */
struct tsr_near_tiles {
  int units;
  int64_t number, lane, slot;
};
#define TSR_NEAR_TILES 8
int tsr_near_cut(const struct tsr_tiles *tiles, int units, int columns, int64_t count, struct tsr_near_tiles *cut);

/* The same for tiles whose last vector may be cut short: nothing overlaps. */
int tsr_near_cut_exactly(const struct tsr_tiles *tiles, int units, int64_t count, struct tsr_near_tiles *cut);

/* Memory of a run, and running it. */
size_t tsr_near_workspace_bytes(const struct tsr_conv_job *job);
void tsr_near_run(const tsr_context *context, const struct tsr_conv_job *job, void *workspace);

#endif
