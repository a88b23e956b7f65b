#include "src/tune/choose.h"

#include <fenv.h>
#include <stdatomic.h>
#include <string.h>

#include "src/tune/learn.h"

/* Choices that were made, by shape. A slot is read without a lock: its version is odd while it is written, and what
 * was read counts only if the version did not change meanwhile (H. Boehm, "Can Seqlocks Get Along with Programming
 * Language Memory Models?", MSPC 2012). A shape that finds its slot taken by another takes it over. */
enum { SLOTS = 2048, WORDS = 1 + 2 * TSR_MOST_FIELDS };
static struct slot {
  _Alignas(64) _Atomic uint32_t version;
  _Atomic int calls;            /* since the shape took the slot, up to SETTLED */
  _Atomic uint64_t word[WORDS]; /* the key, the shape, the plan */
} choices[SLOTS];
static _Atomic uint64_t afresh = 1;

/* Contexts of one kind of kernels share their choices; a device has its own for as long as it is open. */
static uint64_t key_of(const struct tsr_operator *op, const tsr_context *context) {
  uint64_t kind = context->device ? (uint64_t)(uintptr_t)context->device ^ context->device->serial << 48
                                  : (uint64_t)(uintptr_t)context->kernels;
  uint64_t key = (kind * 31 + (uint64_t)(uintptr_t)op) * 0x9e3779b97f4a7c15u;
  return key ^ atomic_load_explicit(&afresh, memory_order_relaxed);
}

static struct slot *slot_of(uint64_t key, const struct tsr_operator *op, const struct tsr_values *shape) {
  return &choices[tsr_values_hash(key, shape, op->nshape) % SLOTS];
}

/* Words are read and written in order rather than between fences, which ThreadSanitizer does not understand: who reads
 * a word of a later version also sees that the version changed. */
static uint64_t get(struct slot *slot, int i) { return atomic_load_explicit(&slot->word[i], memory_order_acquire); }

static bool recall(struct slot *slot, uint64_t key, const struct tsr_operator *op, const struct tsr_values *shape,
                   struct tsr_values *plan) {
  uint32_t version = atomic_load_explicit(&slot->version, memory_order_acquire);
  if (get(slot, 0) != key || version % 2) return false;
  for (int i = 0; i < op->nshape; i++)
    if (get(slot, 1 + i) != (uint64_t)shape->at[i]) return false;
  for (int i = 0; i < op->nplan; i++) plan->at[i] = (int64_t)get(slot, 1 + TSR_MOST_FIELDS + i);
  return atomic_load_explicit(&slot->version, memory_order_relaxed) == version;
}

static void set(struct slot *slot, int i, uint64_t value) {
  atomic_store_explicit(&slot->word[i], value, memory_order_release);
}

/* If another thread writes the same slot, nothing is noted. */
static void remember(struct slot *slot, uint64_t key, const struct tsr_operator *op, const struct tsr_values *shape,
                     const struct tsr_values *plan) {
  uint32_t version = atomic_load_explicit(&slot->version, memory_order_relaxed);
  if (version % 2 || !atomic_compare_exchange_strong(&slot->version, &version, version + 1)) return;
  set(slot, 0, key);
  for (int i = 0; i < op->nshape; i++) set(slot, 1 + i, (uint64_t)shape->at[i]);
  for (int i = 0; i < op->nplan; i++) set(slot, 1 + TSR_MOST_FIELDS + i, (uint64_t)plan->at[i]);
  atomic_store_explicit(&slot->version, version + 2, memory_order_release);
}

/* A shape that comes again is worth more thought: the first call of a shape spends a fiftieth of its time on choosing,
 * the second as much as it takes itself, and one that is likely to be one of many weighs all there is. */
enum { AGAIN = 1, SETTLED = 15 };
static const double first_share = 0.02, second_share = 1;

enum { MOST_CANDIDATES = 512 };
/* What corrections must promise over the model's own choice. */
#define WORTH_LEARNING 0.9

/* How many candidates a call of so many seconds can afford to weigh. */
static int affordable(const struct tsr_operator *op, double seconds, int calls) {
  if (op->weighing == 0) return 0;
  double share = calls == 0 ? first_share : second_share, most = share * seconds / op->weighing;
  return calls == SETTLED || most > MOST_CANDIDATES ? MOST_CANDIDATES : (int)most;
}

/* The best so far by one measure. */
struct best {
  const struct tsr_values *plan; /* NULL: the rule's */
  double seconds;
};

static void take_if_less(struct best *best, const struct tsr_values *plan, double seconds) {
  if (seconds < best->seconds) *best = (struct best){plan, seconds};
}

/* The model's choice among the rule's plan and as many others as this call of the shape affords; unless, by what was
 * learned nearby, another is better by more than such corrections are wrong. */
static void weigh(const struct tsr_operator *op, const tsr_context *context, const struct tsr_costs *costs,
                  const struct tsr_learned *learned, const struct tsr_values *shape, int calls,
                  struct tsr_values *plan, struct tsr_choice *about) {
  struct tsr_values others[MOST_CANDIDATES];
  struct tsr_correction correction;
  double where[TSR_PLACE];
  op->complete(context, shape, plan);
  op->place(shape, where);
  tsr_learned_at(learned, where, &correction);
  double rule = op->predict(context, costs, shape, plan);
  struct best by_model = {NULL, rule * TSR_WORTH_WHILE}, taught;
  int most = affordable(op, rule, calls);
  int n = most > 1 ? op->candidates(context, shape, others, most) : 0;
  double seconds[MOST_CANDIDATES];
  if (n > most) n = most;
  for (int i = 0; i < n; i++) {
    seconds[i] = op->predict(context, costs, shape, &others[i]);
    take_if_less(&by_model, &others[i], seconds[i]);
  }
  if (!by_model.plan) by_model.seconds = rule;
  by_model.seconds *= tsr_correction_factor(&correction, op->class_of(by_model.plan ? by_model.plan : plan));
  taught = (struct best){by_model.plan, by_model.seconds * WORTH_LEARNING};
  for (int i = 0; learned && i < n; i++)
    take_if_less(&taught, &others[i], seconds[i] * tsr_correction_factor(&correction, op->class_of(&others[i])));
  if (taught.plan == by_model.plan) taught.seconds = by_model.seconds;
  double rule_corrected = rule * tsr_correction_factor(&correction, op->class_of(plan));
  *about = (struct tsr_choice){.source = taught.plan ? TSR_FROM_MODEL : TSR_FROM_RULE, .predicted = taught.seconds,
                               .rule_predicted = rule_corrected, .considered = 1 + n};
  if (taught.plan) *plan = *taught.plan;
}

static void choose(const struct tsr_operator *op, const tsr_context *context, const struct tsr_values *shape,
                   bool with_user, int calls, struct tsr_values *plan, struct tsr_choice *about) {
  const struct tsr_table *table = tsr_table_of(context, op);
  const struct tsr_known *known = tsr_table_find(table, shape);
  *plan = (struct tsr_values){{0}};
  if (known && (with_user || known->source != TSR_FROM_USER)) {
    *plan = known->plan;
    *about = (struct tsr_choice){.source = known->source, .predicted = known->predicted, .known = *known};
  } else {
    weigh(op, context, tsr_table_costs(table), tsr_table_learned(table), shape, calls, plan, about);
  }
  tsr_table_leave(table);
}

void tsr_choose_by_model(const struct tsr_operator *op, const tsr_context *context, const struct tsr_costs *costs,
                         const struct tsr_learned *learned, bool first_call, const struct tsr_values *shape,
                         struct tsr_values *plan) {
  struct tsr_choice about;
  *plan = (struct tsr_values){{0}};
  weigh(op, context, costs, learned, shape, first_call ? 0 : SETTLED, plan, &about);
}

static __attribute__((noinline)) void choose_and_remember(const struct tsr_operator *op, const tsr_context *context,
                                                          struct slot *slot, uint64_t key, int calls,
                                                          const struct tsr_values *shape, struct tsr_values *plan) {
  struct tsr_choice about;
  struct tsr_values whole = {{0}};
  fenv_t flags;
  memcpy(whole.at, shape->at, (size_t)op->nshape * sizeof *shape->at);
  fegetenv(&flags);
  fesetenv(FE_DFL_ENV); /* the caller may trap exceptions */
  choose(op, context, &whole, true, calls, plan, &about);
  fesetenv(&flags);
  remember(slot, key, op, &whole, plan);
  bool settled = op->weighing == 0 || about.source >= TSR_FROM_SHIPPED;
  if (calls == 0 || settled) atomic_store_explicit(&slot->calls, settled ? SETTLED : 0, memory_order_relaxed);
}

/* Counts a call of a shape that is known; true if it is to be chosen for anew. */
static inline bool comes_again(struct slot *slot, int *calls) {
  if (atomic_load_explicit(&slot->calls, memory_order_relaxed) >= SETTLED) return false;
  *calls = atomic_fetch_add_explicit(&slot->calls, 1, memory_order_relaxed) + 1;
  return *calls == AGAIN || *calls == SETTLED;
}

static void choose_and_tell(const struct tsr_operator *op, const tsr_context *context, const struct tsr_values *shape,
                            bool with_user, struct tsr_values *plan, struct tsr_choice *about) {
  fenv_t flags;
  fegetenv(&flags);
  fesetenv(FE_DFL_ENV);
  choose(op, context, shape, with_user, SETTLED, plan, about);
  fesetenv(&flags);
}

void tsr_choose_without_user(const struct tsr_operator *op, const tsr_context *context, const struct tsr_values *shape,
                             struct tsr_values *plan, struct tsr_choice *about) {
  choose_and_tell(op, context, shape, false, plan, about);
}

void tsr_choose(const struct tsr_operator *op, const tsr_context *context, const struct tsr_values *shape,
                struct tsr_values *plan, struct tsr_choice *about) {
  if (about) {
    choose_and_tell(op, context, shape, true, plan, about);
    return;
  }
  uint64_t key = key_of(op, context);
  struct slot *slot = slot_of(key, op, shape);
  int calls = 0;
  if (!recall(slot, key, op, shape, plan) || comes_again(slot, &calls))
    choose_and_remember(op, context, slot, key, calls, shape, plan);
}

void tsr_choose_afresh(void) {
  tsr_tables_renew();
  atomic_fetch_add(&afresh, 1);
}
