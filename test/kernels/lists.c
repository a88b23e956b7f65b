#include "test/kernels/lists.h"

#include <string.h>

#include "src/core/core.h"
#include "test/kernels/values.h"

static const char *wrong_tile(const struct tsr_kernel *k) {
  if (k->mu == 0 || k->mr == 0 || k->mr % k->mu != 0) return "its tile is not whole units of rows";
  if (k->mr / k->mu > TSR_MAX_UNITS) return "its tile has more than TSR_MAX_UNITS units";
  if (k->nr == 0 || k->nr > TSR_MAX_COLUMNS) return "its tile does not have 1 to TSR_MAX_COLUMNS columns";
  return NULL;
}

static bool is_half(unsigned type) { return type == TSR_F16 || type == TSR_BF16; }

/* Whether A's elements are taken as they are, whatever their type. */
static bool takes_a(const struct tsr_kernel *k) {
  return k->op == TSR_OP_CONVERT || (k->op >= TSR_OP_GEMM && k->op <= TSR_OP_PACK_T);
}

/* One type throughout, or A of 16 bits or in blocks beside f32; CONVERT goes to 16 bits too. */
static bool known_types(const struct tsr_kernel *k) {
  bool alike = k->ta == k->tc && k->tb == k->tc;
  if (alike) return part_of(k->tc) == TSR_F32 || part_of(k->tc) == TSR_F64;
  if (k->op == TSR_OP_CONVERT && k->ta == TSR_F32 && k->tb == TSR_F32 && is_half(k->tc)) return true;
  if (k->tb != TSR_F32 || k->tc != TSR_F32) return false;
  if (block_of(k->ta) > 1) return k->op != TSR_OP_PACK_N && takes_a(k);
  return is_half(k->ta) && takes_a(k);
}

const char *list_wrong_line(const struct tsr_kernel *k, int64_t lanes) {
  if (k->op < TSR_OP_GEMM || k->op >= TSR_OP_COUNT) return "its operator is unknown";
  if (!known_types(k)) return "its three types are none that these tests know";
  if (!k->run) return "it has no code";
  if (k->op == TSR_OP_GEMM || k->op == TSR_OP_GEMM_AT) return wrong_tile(k);
  if (k->op != TSR_OP_PACK_N && k->op != TSR_OP_PACK_T) return NULL;
  if (k->mr * (k->per_vector ? lanes : 1) > TSR_MAX_WIDTH) return "its panel is wider than TSR_MAX_WIDTH";
  return k->nr == 0 ? "it does not say how wide a panel can be" : NULL;
}

/* The last word of a symbol is the instruction set; for one that not every machine of a chip has, the chip's list has
 * another kernel further down. */
static bool same_set(const struct tsr_kernel *x, const struct tsr_kernel *y) {
  const char *of_x = strrchr(x->symbol, '_'), *of_y = strrchr(y->symbol, '_');
  return !of_x || !of_y || strcmp(of_x, of_y) == 0;
}

/* One packing kernel may serve two types whose elements have the same bytes. */
static bool shared(const struct tsr_kernel *x, const struct tsr_kernel *y) {
  bool packs = x->op == y->op && (x->op == TSR_OP_PACK_N || x->op == TSR_OP_PACK_T);
  return packs && x->run == y->run && x->tc != y->tc && bytes_of(x->tc, 1) == bytes_of(y->tc, 1);
}

static bool clash(const struct tsr_kernel *x, const struct tsr_kernel *y, bool same_chip) {
  bool same_tile = x->mr == y->mr && x->nr == y->nr && x->per_vector == y->per_vector;
  bool same_job = x->op == y->op && x->ta == y->ta && x->tb == y->tb && x->tc == y->tc && same_tile &&
                  same_set(x, y);
  return (strcmp(x->symbol, y->symbol) == 0 && !shared(x, y)) || (same_chip && same_job);
}

int list_count_clashes(const struct tsr_chip *const *chips, int n, FILE *to) {
  int found = 0;
  for (int c = 0; c < n; c++)
    for (int i = 0; i < chips[c]->nkernels; i++)
      for (int d = 0; d <= c; d++)
        for (int j = 0; j < (d == c ? i : chips[d]->nkernels); j++) {
          const struct tsr_kernel *x = &chips[c]->kernel[i], *y = &chips[d]->kernel[j];
          if (!clash(x, y, c == d)) continue;
          found++;
          if (to)
            fprintf(to, "FAIL kernels.def: %s of %s and %s of %s are listed for the same job\n", x->symbol,
                    chips[c]->name, y->symbol, chips[d]->name);
        }
  return found;
}
