#include "src/tune/table.h"

#include <fenv.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/env.h"
#include "src/tune/database.h"
#include "src/tune/learn.h"

const char *const tsr_source_names[] = {"the rule of thumb", "the cost model", "a row shipped with the library",
                                        "the user's database", "the call itself"};

/* Rows of the machines that were measured, as tessera db export writes them. */
static const char shipped[] =
#include "shipped_rows.inc"
    ;

#define MOST_LESSONS 4096

struct tsr_table {
  struct tsr_table *next; /* of all tables, newest first */
  int generation;         /* those of an earlier one are not taken any more, */
  int users;              /* and freed when nobody uses them */
  char machine[TSR_KEY_TEXT];
  const struct tsr_operator *op;
  struct tsr_costs costs;
  const char *costs_source;
  struct tsr_known *rows;
  int nrows, room, *slot, slots; /* slot: a hash table of row numbers + 1 */
  struct tsr_learned *learned;
};

/* What is only needed while a table is filled. */
struct filling {
  const tsr_context *context;
  struct tsr_table *table;
  char kernels[TSR_KEY_TEXT];
  enum tsr_source source;
  struct tsr_lesson *lessons;
  int nlessons;
  int64_t bad;
  char first_bad[TSR_WHY_TEXT];
};

static void note_bad(void *arg, const char *sentence) {
  struct filling *f = arg;
  if (f->bad++ == 0) snprintf(f->first_bad, sizeof f->first_bad, "%s", sentence);
}

/* Where a shape is or would be. */
static int find_slot(const struct tsr_table *t, const struct tsr_values *shape) {
  int i = (int)(tsr_values_hash(0, shape, TSR_MOST_FIELDS) & (uint64_t)(t->slots - 1));
  while (t->slot[i] && memcmp(&t->rows[t->slot[i] - 1].shape, shape, sizeof *shape) != 0) i = (i + 1) & (t->slots - 1);
  return i;
}

static bool grow(struct tsr_table *t) {
  int slots = t->slots ? 2 * t->slots : 256;
  int *slot = calloc((size_t)slots, sizeof *slot);
  struct tsr_known *rows = slot ? realloc(t->rows, (size_t)slots / 2 * sizeof *rows) : NULL;
  if (!rows) {
    free(slot);
    return false;
  }
  free(t->slot);
  t->rows = rows;
  t->room = slots / 2;
  t->slot = slot;
  t->slots = slots;
  for (int i = 0; i < t->nrows; i++) t->slot[find_slot(t, &t->rows[i].shape)] = i + 1;
  return true;
}

static void add(struct tsr_table *t, const struct tsr_known *known) {
  if (t->nrows == t->room && !grow(t)) return;
  int slot = find_slot(t, &known->shape);
  if (!t->slot[slot]) t->slot[slot] = ++t->nrows;
  t->rows[t->slot[slot] - 1] = *known;
}

/* Shape and plan of a row or sample of these kernels, both legal. */
static bool read_plan(struct filling *f, const char *shape, const char *plan, struct tsr_known *known) {
  const struct tsr_operator *op = f->table->op;
  char why[TSR_WHY_TEXT] = "";
  if (tsr_values_parse(op->shape, op->nshape, shape, &known->shape, why) &&
      tsr_values_parse(op->plan, op->nplan, plan, &known->plan, why) && tsr_shape_is_whole(op, &known->shape, why) &&
      op->check(f->context, &known->shape, &known->plan, why))
    return true;
  note_bad(f, why);
  return false;
}

static void take_row(void *arg, const struct tsr_row *row) {
  struct filling *f = arg;
  struct tsr_known known = {.source = f->source, .median = row->median, .by_default = row->by_default,
                            .predicted = row->predicted};
  if (strcmp(row->operator_name, f->table->op->name) != 0 || strcmp(row->machine, f->table->machine) != 0) return;
  if (strcmp(row->kernels, f->kernels) != 0) return; /* measured with other kernels */
  if (read_plan(f, row->shape, row->plan, &known)) add(f->table, &known);
}

static void take_sample(void *arg, const struct tsr_sample *sample) {
  struct filling *f = arg;
  struct tsr_known known;
  if (f->nlessons == MOST_LESSONS || strcmp(sample->operator_name, f->table->op->name) != 0 ||
      strcmp(sample->kernels, f->kernels) != 0)
    return;
  if (!f->lessons) f->lessons = calloc(MOST_LESSONS, sizeof *f->lessons);
  if (!f->lessons || !read_plan(f, sample->shape, sample->plan, &known)) return;
  const struct tsr_operator *op = f->table->op;
  struct tsr_lesson *lesson = &f->lessons[f->nlessons++];
  lesson->class = op->class_of(&known.plan);
  lesson->measured = sample->median;
  lesson->predicted = op->predict(f->context, &f->table->costs, &known.shape, &known.plan);
  op->place(&known.shape, lesson->where);
}

static void take_costs(void *arg, const char *machine, const char *text, int64_t when) {
  struct filling *f = arg;
  (void)machine, (void)when;
  if (tsr_costs_parse(text, &f->table->costs))
    f->table->costs_source = "calibration";
  else
    note_bad(f, "the calibration is not understood: run tessera tune --calibrate");
}

/* One warning is enough: every kind of context reads the same file, and so does each reading after a tuning. */
static void warn_once(const struct filling *f, const char *path, const char *failure) {
  static atomic_flag told = ATOMIC_FLAG_INIT;
  if (atomic_flag_test_and_set(&told)) return;
  if (failure)
    tsr_warn("the tuning database is not used: %s", failure);
  else
    tsr_warn("%lld rows of %s are not used (\"tessera db check\" lists them), the first because %s", (long long)f->bad,
             path, f->first_bad);
}

/* Costs come first, since samples are compared with the model's predictions. */
static void read_user(struct filling *f) {
  static const struct tsr_visitor costs = {.costs = take_costs};
  static const struct tsr_visitor rest = {.row = take_row, .sample = take_sample, .bad = note_bad};
  char path[4096];
  f->source = TSR_FROM_USER;
  if (tsr_database_path(path, sizeof path) != TSR_OK) return;
  if (tsr_database_read(path, f->table->machine, &costs, f) != TSR_OK ||
      tsr_database_read(path, f->table->machine, &rest, f) != TSR_OK)
    warn_once(f, path, tsr_last_error());
  else if (f->bad)
    warn_once(f, path, NULL);
}

/* Rows that this process found itself. The file may not take them, or be locked when it is read again. */
static struct kept {
  char machine[TSR_KEY_TEXT];
  const struct tsr_operator *op;
  struct tsr_known known;
} *kept;
static int nkept, room_kept;

static void take_kept(struct tsr_table *t) {
  for (int i = 0; i < nkept; i++)
    if (kept[i].op == t->op && strcmp(kept[i].machine, t->machine) == 0) add(t, &kept[i].known);
}

static struct tsr_table *make_table(const tsr_context *context, const struct tsr_operator *op, const char *machine) {
  static const struct tsr_visitor rows = {.row = take_row};
  struct tsr_table *t = calloc(1, sizeof *t);
  struct filling f = {.context = context, .table = t, .source = TSR_FROM_SHIPPED};
  if (!t) return NULL;
  snprintf(t->machine, sizeof t->machine, "%s", machine);
  t->op = op;
  t->costs_source = tsr_costs_of_family(machine, &t->costs);
  tsr_kernels_key(context, op, f.kernels);
  tsr_rows_parse(shipped, &rows, &f);
  if (tsr_tune_reads()) {
    read_user(&f);
    take_kept(t);
  }
  if (f.nlessons) t->learned = tsr_learn(f.lessons, f.nlessons);
  free(f.lessons);
  return t;
}

static struct tsr_table *tables;
static int generation;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* A fork waits until nobody reads the database: its child would wait for the reader for ever. */
static pthread_once_t forks_once = PTHREAD_ONCE_INIT;
static void before_fork(void) { pthread_mutex_lock(&lock); }
static void after_fork(void) { pthread_mutex_unlock(&lock); }
static void watch_forks(void) { pthread_atfork(before_fork, after_fork, after_fork); }

/* Without memory for one: no rows, and the costs that any machine gets. */
static const struct tsr_table *empty_table(void) {
  static struct tsr_table empty = {.costs_source = "defaults"};
  static pthread_mutex_t filling = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&filling);
  if (empty.costs.chain == 0) tsr_costs_of_family("", &empty.costs);
  pthread_mutex_unlock(&filling);
  return &empty;
}

static void free_unused(void) {
  for (struct tsr_table **at = &tables, *t; (t = *at);) {
    if (t->generation == generation || t->users > 0) {
      at = &t->next;
      continue;
    }
    *at = t->next;
    tsr_learned_free(t->learned);
    free(t->rows);
    free(t->slot);
    free(t);
  }
}

void tsr_table_leave(const struct tsr_table *table) {
  pthread_mutex_lock(&lock);
  for (struct tsr_table *t = tables; t; t = t->next) t->users -= t == table;
  pthread_mutex_unlock(&lock);
}

const struct tsr_table *tsr_table_of(const tsr_context *context, const struct tsr_operator *op) {
  char machine[TSR_KEY_TEXT];
  fenv_t flags;
  fegetenv(&flags);
  fesetenv(FE_DFL_ENV);
  tsr_machine_key(context, machine);
  pthread_once(&forks_once, watch_forks);
  pthread_mutex_lock(&lock);
  free_unused();
  struct tsr_table *t = tables;
  while (t && (t->generation != generation || t->op != op || strcmp(t->machine, machine) != 0)) t = t->next;
  if (!t && (t = make_table(context, op, machine))) {
    t->generation = generation;
    t->next = tables;
    tables = t;
  }
  if (t) t->users++;
  pthread_mutex_unlock(&lock);
  fesetenv(&flags);
  return t ? t : empty_table();
}

static bool grow_kept(void) {
  int room = 2 * room_kept + 16;
  struct kept *rows = realloc(kept, (size_t)room * sizeof *rows);
  if (!rows) return false;
  kept = rows;
  room_kept = room;
  return true;
}

void tsr_table_keep(const tsr_context *context, const struct tsr_operator *op, const struct tsr_known *known) {
  struct kept row = {.op = op, .known = *known};
  int i = 0;
  tsr_machine_key(context, row.machine);
  pthread_mutex_lock(&lock);
  while (i < nkept && (kept[i].op != op || memcmp(&kept[i].known.shape, &known->shape, sizeof known->shape) != 0 ||
                       strcmp(kept[i].machine, row.machine) != 0))
    i++;
  if (i < room_kept || grow_kept()) kept[i] = row;
  if (i == nkept && i < room_kept) nkept++;
  pthread_mutex_unlock(&lock);
}

void tsr_tables_renew(void) {
  pthread_mutex_lock(&lock);
  generation++;
  pthread_mutex_unlock(&lock);
}

const struct tsr_known *tsr_table_find(const struct tsr_table *t, const struct tsr_values *shape) {
  int slot = t->slots ? find_slot(t, shape) : 0;
  return t->slots && t->slot[slot] ? &t->rows[t->slot[slot] - 1] : NULL;
}

const struct tsr_costs *tsr_table_costs(const struct tsr_table *t) { return &t->costs; }
const char *tsr_table_costs_source(const struct tsr_table *t) { return t->costs_source; }
const struct tsr_learned *tsr_table_learned(const struct tsr_table *t) { return t->learned; }

static enum { MODE_OFF, MODE_READ, MODE_WRITE } mode = MODE_READ;
static pthread_once_t mode_once = PTHREAD_ONCE_INIT;

static void ask_mode(void) {
  const char *value = getenv("TESSERA_TUNE");
  if (!value || !*value || !strcmp(value, "read")) return;
  if (!strcmp(value, "off"))
    mode = MODE_OFF;
  else if (!strcmp(value, "write"))
    mode = MODE_WRITE;
  else
    tsr_warn("TESSERA_TUNE is \"%.64s\", which is ignored: set it to off, read or write", value);
}

bool tsr_tune_reads(void) {
  pthread_once(&mode_once, ask_mode);
  return mode != MODE_OFF;
}

bool tsr_tune_writes(void) {
  pthread_once(&mode_once, ask_mode);
  return mode == MODE_WRITE;
}
