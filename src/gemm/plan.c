/* Which path, tile and block sizes a GEMM takes. */
#include "src/core/topology.h"
#include "src/gemm/gemm.h"

static int64_t round_down(int64_t x, int64_t unit) { return x < unit ? unit : x - x % unit; }

/* Packing copies every element once; below this much reuse the copy costs more than it saves. */
static bool worth_packing(const struct tsr_gemm_problem *p) {
  return (double)p->m * (double)p->n * (double)p->k > 200.0 * 200 * 200;
}

void tsr_gemm_make_plan(const tsr_context *context, const struct tsr_gemm_problem *p, int threads,
                        struct tsr_gemm_plan *plan) {
  const struct tsr_tiles *tiles = &context->kernels[p->type].gemm;
  int64_t size = tsr_size_of(p->type);
  plan->a_along_k = p->rsa != size;
  plan->units = tiles->units;
  plan->columns = tiles->columns;
  plan->kb = tsr_gemm_kb(p->type);
  plan->rows_split = 1;
  plan->columns_split = threads;
  plan->path = !plan->a_along_k && !worth_packing(p) ? TSR_GEMM_DIRECT : TSR_GEMM_PACKED;
  if (plan->path == TSR_GEMM_DIRECT) {
    plan->mc = p->m;
    plan->nc = p->n;
    return;
  }
  const struct tsr_topology *machine = tsr_topology_get();
  int64_t l2 = (int64_t)machine->level[machine->nlevels > 1].bytes, tile_rows = (int64_t)plan->units * tiles->mu;
  plan->mc = round_down(l2 / 2 / (plan->kb * size), tile_rows);
  plan->nc = round_down((3 << 20) / (plan->kb * size), plan->columns);
}
