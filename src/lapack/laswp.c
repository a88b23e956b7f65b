/* Exchanges of rows. */
#include <string.h>

#include "src/core/threads.h"
#include "src/lapack/lapack.h"

enum {
  PAIRS = 1024,     /* exchanges written down at a time */
  FETCH_AHEAD = 64, /* exchanges in the time that memory takes to answer */
  ENOUGH = 1 << 14, /* exchanges that pay for a thread */
};

struct pair {
  int64_t i, with;
};

struct exchange {
  const struct tsr_lapack *call;
  int64_t columns;
  struct tsr_matrix a;
  const struct pair *pair;
  int64_t pairs;
  int threads;
};

/* Elements as integers: an exchange changes no bit, not even of a NaN that signals. */
typedef uint32_t element_4 __attribute__((may_alias));
typedef uint64_t element_8 __attribute__((may_alias, aligned(4)));
typedef struct __attribute__((may_alias, aligned(8))) {
  uint64_t half[2];
} element_16;

/* Two columns at a time. Rows that are exchanged with lie anywhere: those of columns to come are fetched ahead. */
#define EXCHANGE_ONE(type, column, p)                                                      \
  do {                                                                                     \
    type kept = (column)[pair[p].i];                                                       \
    (column)[pair[p].i] = (column)[pair[p].with];                                          \
    (column)[pair[p].with] = kept;                                                         \
  } while (0)
#define EXCHANGE(type)                                                                     \
  int64_t ahead = 2 * tsr_ceil_div(FETCH_AHEAD, 2 * pairs), j = 0;                         \
  for (; j + 2 <= columns; j += 2) {                                                       \
    type *column = (type *)a.at + j * a.ld, *next = column + a.ld;                         \
    const type *later = j + ahead + 2 <= columns ? column + ahead * a.ld : column;         \
    for (int64_t p = 0; p < pairs; p++) {                                                  \
      __builtin_prefetch(&later[pair[p].with], 1);                                         \
      __builtin_prefetch(&later[a.ld + pair[p].with], 1);                                  \
      __builtin_prefetch(&later[pair[p].i], 1);                                            \
      __builtin_prefetch(&later[a.ld + pair[p].i], 1);                                     \
      EXCHANGE_ONE(type, column, p);                                                       \
      EXCHANGE_ONE(type, next, p);                                                         \
    }                                                                                      \
  }                                                                                        \
  for (; j < columns; j++) {                                                               \
    type *column = (type *)a.at + j * a.ld;                                                \
    for (int64_t p = 0; p < pairs; p++) EXCHANGE_ONE(type, column, p);                     \
  }
static void exchange_4(int64_t columns, struct tsr_matrix a, const struct pair *pair, int64_t pairs) {
  EXCHANGE(element_4)
}
static void exchange_8(int64_t columns, struct tsr_matrix a, const struct pair *pair, int64_t pairs) {
  EXCHANGE(element_8)
}
static void exchange_16(int64_t columns, struct tsr_matrix a, const struct pair *pair, int64_t pairs) {
  EXCHANGE(element_16)
}

static void exchange(const struct exchange *x, int64_t first, int64_t columns) {
  int64_t size = tsr_size_of(x->call->type);
  struct tsr_matrix a = {x->a.at + (tsr_mem)(first * x->a.ld * size), x->a.ld};
  if (size == 4)
    exchange_4(columns, a, x->pair, x->pairs);
  else if (size == 8)
    exchange_8(columns, a, x->pair, x->pairs);
  else
    exchange_16(columns, a, x->pair, x->pairs);
}

static void body(void *arg, int index) {
  const struct exchange *x = arg;
  int64_t first = x->columns * index / x->threads, end = x->columns * (index + 1) / x->threads;
  exchange(x, first, end - first);
}

static void exchange_all(struct exchange *x) {
  int64_t most = x->columns * x->pairs / ENOUGH;
  struct tsr_team team;
  x->threads = 1;
  if (most > 1 && (x->threads = (int)tsr_min(most, tsr_threads_available(x->call->context))) > 1) {
    tsr_team_reserve(x->call->context, x->threads, &team);
    x->threads = team.n;
    tsr_team_run(&team, body, x);
  } else {
    exchange(x, 0, x->columns);
  }
}

void tsr_laswp(const struct tsr_lapack *call, int64_t columns, struct tsr_matrix a, int64_t first, int64_t last,
               struct tsr_pivots pivots, int64_t increment) {
  struct pair pair[PAIRS];
  struct exchange x = {call, columns, a, pair, 0, 1};
  int64_t step = increment > 0 ? increment : -increment, rows = last - first + 1;
  if (increment == 0 || columns <= 0) return;
  for (int64_t done = 0; done < rows; done++) {
    int64_t i = increment > 0 ? done : rows - 1 - done;
    int64_t with = tsr_pivot(pivots, first - 1 + i * step) - 1;
    if (with != first - 1 + i) pair[x.pairs++] = (struct pair){first - 1 + i, with};
    if (x.pairs == PAIRS) exchange_all(&x), x.pairs = 0;
  }
  if (x.pairs > 0) exchange_all(&x);
}
