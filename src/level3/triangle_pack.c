/* Copies: T into groups, X into panels and back. */
#include <string.h>

#include "src/level3/triangle.h"

static bool is_complex(const struct tsr_triangle *tri) { return tri->type == TSR_C32 || tri->type == TSR_C64; }

int64_t tsr_triangle_row_bytes(const struct tsr_triangle *tri) {
  return tri->nr * (is_complex(tri) ? tri->size / 2 * 3 : tri->size);
}

/* Rows p .. p + count - 1 of columns j0 .. j0 + columns - 1, which are whole groups or the last one. Kernels that copy go
 * upwards in memory, where the rows of a T that is reversed go down: it is packed so as well. */
static void pack_rows(const struct tsr_triangle *tri, const struct tsr_packed_triangle *packed, int64_t p, int64_t count,
                      int64_t j0, int64_t columns) {
  bool along_columns = tri->t_columns == tri->size, along_rows = tri->t_rows == tri->size || tri->t_rows == -tri->size;
  struct tsr_step step = {.m = columns, .n = tri->nr, .k = count, .rsa = tri->t_columns, .csa = tri->t_rows, .dc = packed->db};
  tsr_mem to = packed->at + (tsr_mem)((j0 - packed->first) / tri->nr * packed->db + (p - packed->row) * packed->rsb);
  if (count <= 0) return;
  if (is_complex(tri) || !(along_columns || along_rows)) {
    for (int64_t j = 0; j < columns; j += tri->nr, to += (tsr_mem)packed->db)
      tsr_triangle_pack_rows(tri, p, count, j0 + j, tsr_min(tri->nr, columns - j), to, packed->rsb);
    return;
  }
  if (tri->reversed) p += count - 1, to += (tsr_mem)((count - 1) * packed->rsb);
  const struct tsr_kernel *const *packs = along_columns ? tri->kernels->pack_n : tri->kernels->pack_t;
  (packs[tri->nr] ? packs[tri->nr] : packs[0])->run(&step, tri->t + (tsr_mem)(p * tri->t_rows + j0 * tri->t_columns), 0, to);
}

/* What all of the groups have in common is copied at once: whole lines of memory. */
void tsr_triangle_pack(const struct tsr_triangle *tri, const struct tsr_packed_triangle *packed, int64_t g0, int64_t g1) {
  int64_t j0 = packed->first + g0 * tri->nr, j1 = tsr_min(packed->end, packed->first + g1 * tri->nr), width;
  if (tri->solves)
    pack_rows(tri, packed, 0, j0, j0, j1 - j0);
  else
    pack_rows(tri, packed, j1, tri->n - j1, j0, j1 - j0);
  for (int64_t j = j0, g = g0; j < j1; j += width, g++) {
    width = tsr_min(tri->nr, j1 - j);
    if (tri->solves)
      pack_rows(tri, packed, j0, j - j0, j, width);
    else
      pack_rows(tri, packed, j + width, j1 - j - width, j, width);
    tsr_triangle_pack_diagonal(tri, j, width, packed->at + (tsr_mem)(g * packed->db + (j - packed->row) * packed->rsb),
                               packed->rsb);
  }
}

/* The corner of columns q0 .. q1 - 1 that lies first in memory, of X and of panels. */
static tsr_mem corner_of_x(const struct tsr_triangle *tri, int64_t lane, int64_t q0, int64_t q1) {
  return tri->x + (tsr_mem)(lane * tri->x_lanes + (tri->reversed ? q1 - 1 : q0) * tri->x_columns);
}
static tsr_mem corner_of_panel(const struct tsr_triangle *tri, const struct tsr_panels *x, int64_t q0, int64_t q1) {
  return x->at + (tsr_mem)(((tri->reversed ? q1 - 1 : q0) - x->first) * x->step);
}
static int64_t positive(int64_t step) { return step < 0 ? -step : step; }

void tsr_triangle_load(const struct tsr_triangle *tri, const struct tsr_panels *x, int64_t q0, int64_t q1) {
  struct tsr_step step = {.m = x->lanes, .n = positive(x->step) / tri->size, .k = q1 - q0, .dc = x->pitch};
  bool along_lanes = tri->x_lanes == tri->size;
  if (x->in_place) return;
  const struct tsr_kernel *const *packs = along_lanes ? tri->kernels->pack_n : tri->kernels->pack_t;
  step.rsa = tri->x_lanes;
  step.csa = along_lanes ? positive(tri->x_columns) : tri->size;
  const struct tsr_kernel *pack = step.n <= TSR_MAX_WIDTH && packs[step.n] ? packs[step.n] : packs[0];
  pack->run(&step, corner_of_x(tri, x->lane, q0, q1), 0, corner_of_panel(tri, x, q0, q1));
}

void tsr_triangle_scale(const struct tsr_triangle *tri, const struct tsr_panels *x, int64_t q0, int64_t q1) {
  struct tsr_step step = {.m = x->units * tri->tiles->mu, .n = q1 - q0, .csc = positive(x->step),
                          .beta = tri->alpha[0], .beta_im = tri->alpha[1]};
  if (tri->alpha[0] == 1 && tri->alpha[1] == 0) return;
  for (int t = 0; t < x->count; t++)
    tri->kernels->scale->run(&step, 0, 0, corner_of_panel(tri, x, q0, q1) + (tsr_mem)(t * x->pitch));
}

/* Columns of a panel to columns of X. */
static void store_along(const struct tsr_triangle *tri, int64_t lanes, int64_t columns, tsr_mem from, int64_t step,
                        tsr_mem to) {
  for (int64_t q = 0; q < columns; q++)
    memcpy((void *)(to + (tsr_mem)(q * positive(tri->x_columns))), (const void *)(from + (tsr_mem)(q * step)),
           (size_t)(lanes * tri->size));
}

#define LINE 4 /* complex f64 of a row are stored one after the other */

/* Columns of a panel to rows of X. Complex f32 turns like f64. */
static void store_across(const struct tsr_triangle *tri, int64_t lanes, int64_t columns, tsr_mem from, int64_t step,
                         tsr_mem to) {
  tsr_type type = tri->type == TSR_C32 ? TSR_F64 : tri->type;
  struct tsr_step turn = {.m = columns, .n = lanes, .rsa = step, .csc = tri->x_lanes};
  if (type != TSR_C64) {
    tri->context->kernels[type].turn[type]->run(&turn, from, 0, to);
    return;
  }
  for (int64_t q = 0, end; q < columns; q = end) {
    end = tsr_min(columns, q + LINE);
    for (int64_t i = 0; i < lanes; i++)
      for (int64_t r = q; r < end; r++)
        memcpy((void *)(to + (tsr_mem)(i * tri->x_lanes + r * 16)), (const void *)(from + (tsr_mem)(r * step + i * 16)), 16);
  }
}

void tsr_triangle_store(const struct tsr_triangle *tri, const struct tsr_panels *x, int64_t q0, int64_t q1) {
  int64_t step = positive(x->step), mr = step / tri->size;
  bool along_lanes = tri->x_lanes == tri->size;
  if (x->in_place) return;
  for (int t = 0; t < x->count; t++) {
    int64_t lanes = tsr_min(mr, x->lanes - t * mr);
    tsr_mem from = corner_of_panel(tri, x, q0, q1) + (tsr_mem)(t * x->pitch);
    tsr_mem to = corner_of_x(tri, x->lane + t * mr, q0, q1);
    (along_lanes ? store_along : store_across)(tri, lanes, q1 - q0, from, step, to);
  }
}
