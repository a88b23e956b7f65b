#include "src/tune/use.h"

#include <fenv.h>
#include <pthread.h>
#include <string.h>

#include "src/core/env.h"
#include "src/tune/session.h"

/* Shapes that are being tuned, or were. The first calls of a shape fault pages in and fill caches: they do not
 * count. */
enum { MOST_SHAPES = 512, FIRST_CALLS = 2 };

struct tsr_use {
  const struct tsr_operator *op;
  char machine[TSR_KEY_TEXT];
  struct tsr_values shape;
  int calls;
  bool busy, done; /* a call tries a plan now; nothing is left to try */
  struct tsr_steps *steps;
};

static struct tsr_use uses[MOST_SHAPES];
static int nuses;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct tsr_use *find(const struct tsr_operator *op, const tsr_context *context, const struct tsr_values *shape) {
  char machine[TSR_KEY_TEXT];
  tsr_machine_key(context, machine);
  for (int i = 0; i < nuses; i++)
    if (uses[i].op == op && memcmp(&uses[i].shape, shape, sizeof *shape) == 0 && !strcmp(uses[i].machine, machine))
      return &uses[i];
  if (nuses == MOST_SHAPES) return NULL;
  struct tsr_use *use = &uses[nuses++];
  const struct tsr_table *table = tsr_table_of(context, op);
  const struct tsr_known *known = tsr_table_find(table, shape);
  *use = (struct tsr_use){.op = op, .shape = *shape, .done = known && known->source == TSR_FROM_USER};
  tsr_table_leave(table);
  memcpy(use->machine, machine, sizeof machine);
  return use;
}

/* The verdict, and its row. */
static void finish(struct tsr_use *use, const tsr_context *context) {
  struct tsr_session session;
  static bool told;
  tsr_session_end(use->steps, &session);
  use->steps = NULL;
  use->done = true;
  if (session.default_seconds > 0 && tsr_session_store(context, use->op, &session, 1) != TSR_OK && !told) {
    told = true;
    tsr_warn("TESSERA_TUNE=write: what is measured is not kept: %s", tsr_last_error());
  }
  tsr_session_free(&session);
}

static bool next_trial(struct tsr_use *use, const tsr_context *context, struct tsr_values *plan) {
  static const struct tsr_session_options options;
  if (!use || use->done || use->busy || use->calls++ < FIRST_CALLS) return false;
  if (!use->steps && tsr_session_begin(context, use->op, &use->shape, &options, &use->steps) != TSR_OK) {
    use->done = true;
    return false;
  }
  use->busy = tsr_session_next(use->steps, plan);
  if (!use->busy) finish(use, context);
  return use->busy;
}

bool tsr_use_begin(const struct tsr_operator *op, const tsr_context *context, const struct tsr_values *shape,
                   struct tsr_values *plan, struct tsr_trial *trial) {
  fenv_t flags;
  if (pthread_mutex_trylock(&lock) != 0) return false;
  fegetenv(&flags);
  fesetenv(FE_DFL_ENV); /* the caller may trap exceptions */
  *trial = (struct tsr_trial){op, context, find(op, context, shape)};
  bool tries = next_trial(trial->use, context, plan);
  fesetenv(&flags);
  pthread_mutex_unlock(&lock);
  return tries;
}

void tsr_use_end(const struct tsr_trial *trial, double seconds) {
  fenv_t flags;
  pthread_mutex_lock(&lock);
  fegetenv(&flags);
  fesetenv(FE_DFL_ENV);
  trial->use->busy = false;
  if (seconds > 0) tsr_session_tell(trial->use->steps, seconds);
  fesetenv(&flags);
  pthread_mutex_unlock(&lock);
}
