/* The same bits from every chip: checksums of tsr_gemm's results, equal to constants that are part of this file, so
 * that machines which never meet (x86 and Arm, any vector length) are compared with one another.
 *
 *   checksums           every instruction set this machine runs, against the constants
 *   checksums --print   the table below, made anew by the loop of the contract */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/core.h"
#include "src/gemm/gemm.h"
#include "test/kernels/reference.h"
#include "test/kernels/values.h"

struct product {
  tsr_type type;
  tsr_order order;
  tsr_trans ta, tb;
  int64_t m, n, k, gap; /* gap: elements between the end of a row or column and the next */
  double alpha, beta;
  enum fill fill;
  uint64_t sum;
};

static const struct product products[] = {
#define PRODUCT(type, order, ta, tb, m, n, k, gap, alpha, beta, fill, sum) \
  {TSR_##type, TSR_##order##_MAJOR, TSR_##ta, TSR_##tb, m, n, k, gap, alpha, beta, FILL_##fill, sum},
#include "test/kernels/checksums.def"
#undef PRODUCT
};
enum { NPRODUCTS = sizeof products / sizeof products[0] };

/* A product's matrices, column-major without gaps, as the reference reads them. */
struct operands {
  unsigned char *a, *b, *c;
};

static void *allocate(int64_t bytes) {
  void *memory = malloc(bytes > 0 ? (size_t)bytes : 1);
  if (memory) return memory;
  fprintf(stderr, "no memory for %lld bytes of test matrices\n", (long long)bytes);
  exit(2);
}

static unsigned char *make_matrix(const struct product *p, int64_t elements, uint64_t seed) {
  struct rng rng = {seed};
  int64_t size = tsr_size_of(p->type);
  unsigned char *matrix = allocate(elements * size);
  for (int64_t i = 0; i < elements; i++) put_bits(matrix + i * size, p->type, make_value(&rng, p->type, p->fill));
  return matrix;
}

static struct operands make_operands(const struct product *p) {
  uint64_t seed = (uint64_t)(p->m * 1000003 + p->n * 1009 + p->k);
  return (struct operands){make_matrix(p, p->m * p->k, seed), make_matrix(p, p->k * p->n, seed + 1),
                           make_matrix(p, p->m * p->n, seed + 2)};
}

static void free_operands(struct operands *o) {
  free(o->a);
  free(o->b);
  free(o->c);
}

/* FNV-1a (Fowler, Noll, Vo) over the elements; one NaN is as good as another. */
static uint64_t checksum(const struct product *p, const unsigned char *c) {
  uint64_t sum = 0xcbf29ce484222325u;
  int64_t size = tsr_size_of(p->type);
  for (int64_t i = 0; i < p->m * p->n; i++) {
    uint64_t bits = get_bits(c + i * size, p->type);
    if (bits_are_nan(p->type, bits)) bits = bits_of_quiet_nan(p->type);
    for (int byte = 0; byte < 8; byte++) sum = (sum ^ (bits >> (8 * byte) & 0xff)) * 0x100000001b3u;
  }
  return sum;
}

static uint64_t reference_sum(const struct product *p) {
  struct operands o = make_operands(p);
  reference_gemm(p->type, p->m, p->n, p->k, tsr_gemm_kb(p->type), p->alpha, o.a, o.b, p->beta, o.c);
  uint64_t sum = checksum(p, o.c);
  free_operands(&o);
  return sum;
}

/* Whether a matrix of the call has its columns (of op(X)) contiguous. */
static bool by_columns(const struct product *p, tsr_trans trans) {
  return (p->order == TSR_COL_MAJOR) == (trans == TSR_NO_TRANS);
}

static int64_t leading(const struct product *p, tsr_trans trans, int64_t rows, int64_t cols) {
  int64_t least = by_columns(p, trans) ? rows : cols;
  return (least > 1 ? least : 1) + p->gap;
}

/* Copies between the reference's layout and the call's. */
static void lay(const struct product *p, tsr_trans trans, int64_t rows, int64_t cols, unsigned char *flat,
                unsigned char *laid, bool back) {
  size_t size = (size_t)tsr_size_of(p->type);
  int64_t ld = leading(p, trans, rows, cols);
  for (int64_t j = 0; j < cols; j++)
    for (int64_t i = 0; i < rows; i++) {
      unsigned char *x = flat + (size_t)(i + j * rows) * size;
      unsigned char *y = laid + (size_t)(by_columns(p, trans) ? i + j * ld : i * ld + j) * size;
      memcpy(back ? x : y, back ? y : x, size);
    }
}

static unsigned char *laid_out(const struct product *p, tsr_trans trans, int64_t rows, int64_t cols,
                               unsigned char *flat) {
  int64_t outer = by_columns(p, trans) ? cols : rows;
  unsigned char *laid = allocate(leading(p, trans, rows, cols) * outer * tsr_size_of(p->type));
  lay(p, trans, rows, cols, flat, laid, false);
  return laid;
}

static tsr_status library_sum(tsr_context *context, const struct product *p, uint64_t *sum) {
  struct operands o = make_operands(p);
  struct operands laid = {laid_out(p, p->ta, p->m, p->k, o.a), laid_out(p, p->tb, p->k, p->n, o.b),
                          laid_out(p, TSR_NO_TRANS, p->m, p->n, o.c)};
  tsr_gemm_desc desc = {sizeof desc, p->type, p->order, p->ta, p->tb, p->m, p->n, p->k,
                        leading(p, p->ta, p->m, p->k), leading(p, p->tb, p->k, p->n),
                        leading(p, TSR_NO_TRANS, p->m, p->n), p->alpha, p->beta, p->type, NULL, NULL, NULL,
                        0, 0};
  tsr_status status = tsr_gemm(context, &desc, laid.a, laid.b, laid.c);
  lay(p, TSR_NO_TRANS, p->m, p->n, o.c, laid.c, true);
  *sum = checksum(p, o.c);
  free_operands(&laid);
  free_operands(&o);
  return status;
}

static void describe(const struct product *p) {
  printf("%s %s-major %c%c m %lld n %lld k %lld gap %lld alpha %g beta %g", p->type == TSR_F64 ? "f64" : "f32",
         p->order == TSR_COL_MAJOR ? "column" : "row", p->ta == TSR_TRANS ? 'T' : 'N', p->tb == TSR_TRANS ? 'T' : 'N',
         (long long)p->m, (long long)p->n, (long long)p->k, (long long)p->gap, p->alpha, p->beta);
}

static int test_product(tsr_context *context, const struct product *p) {
  uint64_t sum;
  tsr_status status = library_sum(context, p, &sum);
  if (status == TSR_OK && sum == p->sum) return 0;
  printf("FAIL %s: ", tsr_context_isa(context));
  describe(p);
  if (status == TSR_OK)
    printf(": checksum %#018llx, not %#018llx\n", (unsigned long long)sum, (unsigned long long)p->sum);
  else
    printf(": %s\n", tsr_last_error());
  return 1;
}

static int test_isa(const struct tsr_chip *chip) {
  tsr_context *context;
  char why[TSR_WHY] = "";
  int failed = 0;
  if (!chip->usable(why)) {
    printf("%s: skipped: %s\n", chip->isa, why);
    return 0;
  }
  if (tsr_context_create(chip->isa, &context) != TSR_OK) {
    printf("FAIL %s: %s\n", chip->isa, tsr_last_error());
    return 1;
  }
  for (int i = 0; i < NPRODUCTS; i++) {
    tsr_set_num_threads(context, 1 + i % 2);
    failed += test_product(context, &products[i]);
  }
  tsr_context_destroy(context);
  printf("%s on %zu-byte vectors: %d products, %d failed\n", chip->isa, chip->vector_bytes(), NPRODUCTS, failed);
  return failed;
}

static int test_reference(void) {
  int failed = 0;
  for (int i = 0; i < NPRODUCTS; i++) {
    uint64_t sum = reference_sum(&products[i]);
    if (sum == products[i].sum) continue;
    printf("FAIL the loop: ");
    describe(&products[i]);
    printf(": checksum %#018llx, not %#018llx\n", (unsigned long long)sum, (unsigned long long)products[i].sum);
    failed++;
  }
  return failed;
}

static void print_table(void) {
  for (int i = 0; i < NPRODUCTS; i++) {
    describe(&products[i]);
    printf(": %#018llx\n", (unsigned long long)reference_sum(&products[i]));
  }
}

int main(int argc, char **argv) {
  int n, failed = 0;
  const struct tsr_chip *const *chips = tsr_chips(&n);
  if (argc > 1 && strcmp(argv[1], "--print") == 0) {
    print_table();
    return 0;
  }
  if (argc > 1) {
    fprintf(stderr, "Usage: checksums [--print]\n");
    return 2;
  }
  failed += test_reference();
  for (int i = 0; i < n; i++) failed += test_isa(chips[i]);
  printf("%d failed\n", failed);
  return failed != 0;
}
