/* Covering a matrix with tiles: what the paths of GEMM share. */
#ifndef TSR_GEMM_TILES_H
#define TSR_GEMM_TILES_H

#include "src/gemm/gemm.h"

#define TSR_GEMM_MOST_GROUPS 64

/* One problem with what its loops need at hand. */
struct tsr_gemm_job {
  const struct tsr_gemm_problem *problem;
  const struct tsr_gemm_way *plan;
  const struct tsr_kernels *kernels;
  int64_t size;
};

/* A piece of work: one corner and the extent, in elements of C. */
struct tsr_gemm_piece {
  int64_t i, rows, j, cols;
};

/* Piece number `index` of the grid of plan->mc x plan->nc pieces, and how many there are. */
int64_t tsr_gemm_pieces(const struct tsr_gemm_job *job);
struct tsr_gemm_piece tsr_gemm_piece_of(const struct tsr_gemm_job *job, int64_t index);

/* A step for the block of k that begins at p0: depth, alpha, beta (the caller's in the first block only). */
void tsr_gemm_set_block(const struct tsr_gemm_job *job, struct tsr_step *step, int64_t p0);

/* The height in units of tiles for an A along k and so many columns: the one the chip prefers where A streams from
 * memory, the highest where it is near and independent chains of fma count. */
int tsr_gemm_at_units(const struct tsr_tiles *at, int64_t cols, bool near);

/* One column of tiles: `rows` rows, step->n columns, step->k deep. A lies in the matrix at `a`, or in the panels that
 * tsr_gemm_pack_a wrote if `panels`. */
void tsr_gemm_column_of_tiles(const struct tsr_gemm_job *job, struct tsr_step *step, int64_t rows, bool panels,
                              tsr_mem a, tsr_mem b, tsr_mem c);

/* The block `piece` of C and the k steps from p0: A in panels at `a` if the plan packs A, else in the matrix from
 * there; B in the panels at `b`, or in its matrix if that is 0. Tile columns outside, so that one of B stays in L1. */
void tsr_gemm_multiply(const struct tsr_gemm_job *job, const struct tsr_gemm_piece *piece, int64_t p0, int64_t k,
                       tsr_mem a, tsr_mem b);

/* Units of the next tile, of `left`: whole preferred tiles; then what is left in one tile, or in two that share it
 * evenly where it is little more than a tile or no tile has that height. Only tiles of `width` columns count. */
int tsr_next_units(const struct tsr_tiles *tiles, int units, int64_t left, int width);

/* The width of tiles of so many units: the chip's own for the tile it prefers, else the widest. */
int tsr_tile_columns(const struct tsr_tiles *tiles, int units);

/* Which loop goes outside over `cols` columns of operands in place, `depth` bytes of k deep: rows, if a tile of A stays
 * near while the columns pass by. */
enum tsr_gemm_order tsr_gemm_order(const struct tsr_tiles *tiles, int units, int64_t cols, int64_t depth);

/* Rows x columns of a block with A and B as they lie in memory: step says how deep, with which strides and scalars. */
void tsr_gemm_in_place(const struct tsr_gemm_job *job, struct tsr_step *step, int64_t rows, int64_t cols, tsr_mem a,
                       tsr_mem b, tsr_mem c);

/* The same for rows that one tile of `units` covers. Inline: a small product is this and little else. */
static inline void tsr_gemm_row_of_tiles(const struct tsr_tiles *tiles, int units, struct tsr_step *step, int64_t rows,
                                         int64_t cols, tsr_mem a, tsr_mem b, tsr_mem c) {
  int most = tiles->max_columns[units];
  step->m = rows;
  for (int64_t j = 0; j < cols; j += step->n) {
    int width = tsr_next_columns(cols - j, most, most);
    step->n = width;
    step->db = width * step->csb;
    while (tsr_next_columns(cols - j - step->n, most, most) == width) step->n += width;
    tiles->tile[units][width]->run(step, a, b + (tsr_mem)(j * step->csb), c + (tsr_mem)(j * step->csc));
  }
}

/* Few rows of C that are contiguous against many columns: lanes over the columns fill better. */
bool tsr_gemm_is_across(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *problem);

/* Whether a problem is so small that its operands may be taken to lie in the innermost caches; of a skinny one, which
 * is little more than A, a part may lie beyond. */
static inline bool tsr_gemm_is_near(const struct tsr_gemm_problem *p, int64_t size) {
  return p->m * p->k + p->k * p->n + p->m * p->n <= (p->n <= 8 ? 1280 << 10 : 896 << 10) / size;
}

/* Copies rows of an operand x k into panels of `width` rows: k lies `cs` bytes apart, rows `rs`. */
void tsr_gemm_pack(const struct tsr_kernels *kernels, int64_t size, int64_t rows, int64_t width, int64_t k,
                   tsr_mem from, int64_t rs, int64_t cs, tsr_mem to);

/* Copies rows i .. i + rows of A and its steps p0 .. p0 + k into panels; or, of `cols` columns of B from j on, number j0
 * up to j1. */
void tsr_gemm_pack_a(const struct tsr_gemm_job *job, int64_t i, int64_t rows, int64_t p0, int64_t k, tsr_mem to);
void tsr_gemm_pack_b(const struct tsr_gemm_job *job, int64_t j, int64_t cols, int64_t j0, int64_t j1, int64_t p0,
                     int64_t k, tsr_mem to);

/* Computes a problem of a few tiles and one block of k at once; false, with nothing done, for any other. */
bool tsr_gemm_small(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *problem);

/* The paths, on a team or (NULL) the calling thread alone. They return TSR_OUT_OF_MEMORY, with C untouched and the
 * team given back, when scratch memory cannot be had; the direct path needs none. */
struct tsr_team;
void tsr_gemm_direct(const struct tsr_gemm_job *job, struct tsr_team *team);
tsr_status tsr_gemm_across(const struct tsr_gemm_job *job, struct tsr_team *team);
tsr_status tsr_gemm_k_split(const struct tsr_gemm_job *job, struct tsr_team *team);
tsr_status tsr_gemm_packed(const struct tsr_gemm_job *job, struct tsr_team *team);

#endif
