#include "src/tune/database.h"

#ifdef TSR_HAVE_SQLITE

#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/core/env.h"
#include "src/tune/sqlite.h"

/* In the file's header, where any tool sees whose it is ("Tssr"), and which tables it has. */
enum { APPLICATION = 0x54737372, SCHEMA = 1 };
enum { READ_WAIT_MS = 20, WRITE_WAIT_MS = 10000 };
enum { PATH_TEXT = 4096, PAGE = 4096 };

static const struct {
  const char *name, *sql;
} tables[] = {
    {"costs", "CREATE TABLE costs(machine TEXT NOT NULL, costs TEXT NOT NULL, measured_at INTEGER NOT NULL, "
              "PRIMARY KEY(machine)) WITHOUT ROWID"},
    {"rows", "CREATE TABLE rows(machine TEXT NOT NULL, operator TEXT NOT NULL, shape TEXT NOT NULL, kernels TEXT NOT "
             "NULL, plan TEXT NOT NULL, default_plan TEXT NOT NULL, median REAL NOT NULL, spread REAL NOT NULL, "
             "predicted REAL NOT NULL, by_default REAL NOT NULL, measurements INTEGER NOT NULL, measured_at INTEGER "
             "NOT NULL, PRIMARY KEY(machine, operator, shape)) WITHOUT ROWID"},
    {"samples", "CREATE TABLE samples(machine TEXT NOT NULL, operator TEXT NOT NULL, shape TEXT NOT NULL, kernels TEXT "
                "NOT NULL, plan TEXT NOT NULL, median REAL NOT NULL, predicted REAL NOT NULL, "
                "PRIMARY KEY(machine, operator, shape, kernels, plan)) WITHOUT ROWID"},
};
enum { TABLES = sizeof tables / sizeof tables[0] };

/* One at a time in a process: closing a file drops all locks that the process has on it, which is POSIX's rule. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

struct session {
  const struct tsr_sqlite *s;
  const char *path;
  sqlite3 *db;
  int budget;   /* of steps, by the 100000 */
  bool broken;  /* found by a check */
  dev_t dev;    /* which file it was when it was looked at */
  ino_t ino;
  bool salvage; /* a damaged file was moved aside, and rows may still be had from it */
  fenv_t fenv;
};

/* A lock with an end, as the owner may have been lost in a fork. */
static tsr_status enter(struct session *session, const char *path, int wait_ms) {
  *session = (struct session){.s = tsr_sqlite_get(), .path = path};
  if (!session->s)
    return tsr_fail(TSR_UNSUPPORTED, "the tuning database needs SQLite, and libsqlite3.so.0 could not be loaded");
  struct timespec end;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_nsec += 1000000L * (wait_ms % 1000);
  end.tv_sec += wait_ms / 1000 + end.tv_nsec / 1000000000L;
  end.tv_nsec %= 1000000000L;
  if (pthread_mutex_timedlock(&mutex, &end) != 0)
    return tsr_fail(TSR_IO_ERROR, "%s is in use by another thread", path);
  feholdexcept(&session->fenv);
  return TSR_OK;
}

static void leave(struct session *session) {
  fesetenv(&session->fenv);
  pthread_mutex_unlock(&mutex);
}

/* What the file is, told by its first 100 bytes before SQLite touches it. */
enum kind { MISSING, NEW, OURS, SHORT, CUT_OFF, NO_DATABASE, REFUSED };

static uint32_t big_endian(const uint8_t *b) {
  return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static enum kind refuse(const char *path, const char *why) {
  tsr_fail(TSR_IO_ERROR, "%s cannot be the tuning database: %s", path, why);
  return REFUSED;
}

static bool has_journal(const char *path) {
  char journal[PATH_TEXT + 16];
  struct stat s;
  snprintf(journal, sizeof journal, "%s-journal", path);
  return stat(journal, &s) == 0 && s.st_size > 0;
}

static enum kind kind_of_header(const char *path, const uint8_t *header, ssize_t bytes, int64_t size) {
  char why[160];
  if (bytes == 0) return NEW;
  /* Whoever wrote the first page was cut off, and the journal has the old one. */
  if (bytes < 100 || memcmp(header, "SQLite format 3", 16) != 0) return has_journal(path) ? CUT_OFF : NO_DATABASE;
  if (big_endian(header + 68) != APPLICATION) return refuse(path, "it belongs to another application");
  uint32_t schema = big_endian(header + 60);
  /* SQLite fills up half a page with zeros, and says nothing. */
  if (schema == SCHEMA) return size % PAGE != 0 && !has_journal(path) ? SHORT : OURS;
  snprintf(why, sizeof why, "its schema has version %u, this Tessera has version %d; set TESSERA_DB to another path, "
           "or remove it", (unsigned)schema, SCHEMA);
  return refuse(path, why);
}

static enum kind kind_of(struct session *session) {
  const char *path = session->path;
  uint8_t header[100];
  struct stat s = {0};
  if (strlen(path) >= PATH_TEXT) return refuse("this path", "it is too long");
  int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a FIFO would wait for a writer */
  if (file < 0) return errno == ENOENT || errno == ENOTDIR ? MISSING : refuse(path, strerror(errno));
  bool regular = fstat(file, &s) == 0 && S_ISREG(s.st_mode);
  session->dev = s.st_dev;
  session->ino = s.st_ino;
  ssize_t bytes = regular ? pread(file, header, sizeof header, 0) : 0;
  close(file);
  if (!regular) return refuse(path, "it is not a regular file");
  if (bytes < 0) return refuse(path, "it cannot be read");
  return kind_of_header(path, header, bytes, s.st_size);
}

static tsr_status fail_sqlite(struct session *session) {
  int error = session->broken ? SQLITE_CORRUPT : session->db ? session->s->error(session->db) : SQLITE_NOMEM;
  switch (error & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return tsr_fail(TSR_IO_ERROR, "%s is locked by another process: tuning goes without it", session->path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return tsr_fail(TSR_IO_ERROR, "%s is damaged: the next `tessera tune` moves it aside and begins a new one",
                      session->path);
    case SQLITE_FULL: return tsr_fail(TSR_IO_ERROR, "%s cannot be written: the disk is full", session->path);
    case SQLITE_CANTOPEN:
      return tsr_fail(TSR_IO_ERROR, "%s cannot be opened or made: its folder must exist and be writable",
                      session->path);
    case SQLITE_READONLY: return tsr_fail(TSR_IO_ERROR, "%s is read-only", session->path);
    case SQLITE_NOMEM: return tsr_fail(TSR_OUT_OF_MEMORY, "%s: there is no memory for SQLite", session->path);
    default:
      return tsr_fail(TSR_IO_ERROR, "%s: SQLite says \"%s\" (%d)", session->path, session->s->errmsg(session->db),
                      error);
  }
}

static bool damaged(const struct session *session) {
  if (session->broken) return true;
  int error = session->db ? session->s->error(session->db) & 0xff : SQLITE_OK;
  return error == SQLITE_CORRUPT || error == SQLITE_NOTADB;
}

static int spend(void *arg) {
  struct session *session = arg;
  return --session->budget < 0;
}

static bool exec(struct session *session, const char *sql) {
  return session->s->exec(session->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* A file may be anybody's doing: texts are bounded, and so is the work that its contents can cause. */
static bool open_any(struct session *session, int flags, int wait_ms, int budget) {
  const struct tsr_sqlite *s = session->s;
  char path[PATH_TEXT + 32]; /* "file:" and ":memory:" would be more than names to SQLite */
  snprintf(path, sizeof path, "%s%s", session->path[0] == '/' ? "" : "./", session->path);
  if (s->open(path, &session->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL) != SQLITE_OK)
    return false;
  session->budget = budget;
  s->busy_timeout(session->db, wait_ms);
  s->progress(session->db, 100000, budget ? spend : NULL, session);
  s->limit(session->db, SQLITE_LIMIT_LENGTH, 1 << 20);
  return exec(session, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY");
}

static bool open_database(struct session *session, int flags, int wait_ms, int budget) {
  if (!open_any(session, flags, wait_ms, budget)) return false;
#ifdef SQLITE_DBCONFIG_DEFENSIVE
  session->s->config(session->db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
#endif
  return exec(session, "PRAGMA page_size=4096; PRAGMA mmap_size=0; PRAGMA synchronous=FULL");
}

static void close_database(struct session *session) {
  if (session->db) session->s->close(session->db);
  session->db = NULL;
}

/* Exactly our tables: a view, a trigger or another table could make reading or writing mean anything. */
enum schema { SCHEMA_FAILED, SCHEMA_NONE, SCHEMA_OURS, SCHEMA_OTHER };

static enum schema schema_of(struct session *session) {
  const struct tsr_sqlite *s = session->s;
  sqlite3_stmt *statement;
  int known = 0, objects = 0, step;
  if (s->prepare(session->db, "SELECT sql FROM sqlite_master LIMIT 100", -1, &statement, NULL) != SQLITE_OK)
    return SCHEMA_FAILED;
  for (; (step = s->step(statement)) == SQLITE_ROW; objects++) {
    const char *sql = (const char *)s->column_text(statement, 0);
    for (int i = 0; i < TABLES; i++) known += sql && strcmp(sql, tables[i].sql) == 0;
  }
  s->finalize(statement);
  if (step != SQLITE_DONE) return SCHEMA_FAILED;
  if (objects == 0) return SCHEMA_NONE;
  return known == TABLES && objects == TABLES ? SCHEMA_OURS : SCHEMA_OTHER;
}

static tsr_status fail_schema(const struct session *session) {
  return tsr_fail(TSR_IO_ERROR, "%s: its tables are not those that Tessera makes; remove it, or set TESSERA_DB to "
                                "another path", session->path);
}

/* Reading. */

struct reader {
  struct session *session;
  const struct tsr_visitor *visitor;
  void *arg;
};

__attribute__((format(printf, 2, 3))) static void tell_bad(const struct reader *r, const char *format, ...) {
  char sentence[512];
  va_list args;
  if (!r->visitor->bad) return;
  va_start(args, format);
  vsnprintf(sentence, sizeof sentence, format, args);
  va_end(args);
  r->visitor->bad(r->arg, sentence);
}

/* NULL, which no row may hold, for what is not a text or goes on after a 0. */
static const char *text_at(const struct tsr_sqlite *s, sqlite3_stmt *row, int column) {
  if (s->column_type(row, column) != SQLITE_TEXT) return NULL;
  const char *text = (const char *)s->column_text(row, column);
  return text && strlen(text) == (size_t)s->column_bytes(row, column) ? text : NULL;
}

/* 0 or -1, which no row may hold, for what is not a number. */
static double time_at(const struct tsr_sqlite *s, sqlite3_stmt *row, int column) {
  int type = s->column_type(row, column);
  return type == SQLITE_FLOAT || type == SQLITE_INTEGER ? s->column_double(row, column) : -1;
}

static int64_t count_at(const struct tsr_sqlite *s, sqlite3_stmt *row, int column) {
  return s->column_type(row, column) == SQLITE_INTEGER ? s->column_int64(row, column) : -1;
}

static void visit_row(const struct reader *r, sqlite3_stmt *at) {
  const struct tsr_sqlite *s = r->session->s;
  char why[TSR_WHY_TEXT];
  struct tsr_row row = {
      .machine = text_at(s, at, 0), .operator_name = text_at(s, at, 1), .shape = text_at(s, at, 2),
      .kernels = text_at(s, at, 3), .plan = text_at(s, at, 4), .default_plan = text_at(s, at, 5),
      .median = time_at(s, at, 6), .spread = time_at(s, at, 7), .predicted = time_at(s, at, 8),
      .by_default = time_at(s, at, 9), .measurements = count_at(s, at, 10), .when = count_at(s, at, 11)};
  if (tsr_row_valid(&row, why)) r->visitor->row(r->arg, &row);
  else tell_bad(r, "%.40s row of shape \"%.100s\": %s", row.operator_name ? row.operator_name : "a",
                row.shape ? row.shape : "", why);
}

static void visit_sample(const struct reader *r, sqlite3_stmt *at) {
  const struct tsr_sqlite *s = r->session->s;
  char why[TSR_WHY_TEXT];
  struct tsr_sample sample = {
      .machine = text_at(s, at, 0), .operator_name = text_at(s, at, 1), .shape = text_at(s, at, 2),
      .kernels = text_at(s, at, 3), .plan = text_at(s, at, 4), .median = time_at(s, at, 5),
      .predicted = time_at(s, at, 6)};
  if (tsr_sample_valid(&sample, why)) r->visitor->sample(r->arg, &sample);
  else tell_bad(r, "%.40s sample of shape \"%.100s\": %s", sample.operator_name ? sample.operator_name : "a",
                sample.shape ? sample.shape : "", why);
}

static bool costs_valid(const char *machine, const char *costs, int64_t when) {
  if (!machine || !*machine || strlen(machine) >= TSR_KEY_TEXT || !costs || !*costs || when < 0) return false;
  return strlen(costs) < TSR_COSTS_TEXT;
}

static void visit_costs(const struct reader *r, sqlite3_stmt *at) {
  const struct tsr_sqlite *s = r->session->s;
  const char *machine = text_at(s, at, 0), *costs = text_at(s, at, 1);
  if (costs_valid(machine, costs, count_at(s, at, 2))) r->visitor->costs(r->arg, machine, costs, count_at(s, at, 2));
  else tell_bad(r, "costs of machine \"%.100s\": the text is empty or too long, or the time negative",
                machine ? machine : "");
}

static const struct view {
  const char *table, *columns, *order, *backwards;
  int most;
  void (*visit)(const struct reader *, sqlite3_stmt *);
} view_of_costs = {"costs", "machine, costs, measured_at", "machine", "machine DESC", TSR_MOST_ROWS, visit_costs},
  view_of_rows = {"rows",
                  "machine, operator, shape, kernels, plan, default_plan, median, spread, predicted, by_default, "
                  "measurements, measured_at",
                  "machine, operator, shape", "machine DESC, operator DESC, shape DESC", TSR_MOST_ROWS, visit_row},
  view_of_samples = {"samples", "machine, operator, shape, kernels, plan, median, predicted",
                     "machine, operator, shape, kernels, plan",
                     "machine DESC, operator DESC, shape DESC, kernels DESC, plan DESC", TSR_MOST_SAMPLES,
                     visit_sample};

/* One table, whole or for one machine, in the order of its key. */
static bool visit_table(const struct reader *r, const struct view *view, const char *machine, bool backwards) {
  const struct tsr_sqlite *s = r->session->s;
  sqlite3_stmt *statement;
  char sql[512];
  int step;
  snprintf(sql, sizeof sql, "SELECT %s FROM %s%s ORDER BY %s", view->columns, view->table,
           machine ? " WHERE machine=?" : "", backwards ? view->backwards : view->order);
  if (s->prepare(r->session->db, sql, -1, &statement, NULL) != SQLITE_OK) return false;
  if (machine) s->bind_text(statement, 1, machine, -1, SQLITE_STATIC);
  for (int n = 0; (step = s->step(statement)) == SQLITE_ROW; n++) {
    if (n == view->most) {
      tell_bad(r, "there are more than %d %s: the rest is left out", view->most, view->table);
      step = SQLITE_DONE;
      break;
    }
    view->visit(r, statement);
  }
  s->finalize(statement);
  return step == SQLITE_DONE;
}

static bool visit_tables(const struct reader *r, const char *machine) {
  const struct tsr_visitor *v = r->visitor;
  return (!v->costs || visit_table(r, &view_of_costs, machine, false)) &&
         (!v->row || visit_table(r, &view_of_rows, machine, false)) &&
         (!v->sample || visit_table(r, &view_of_samples, machine, false));
}

/* Findings of the check are told and make the session `broken`. */
static bool check_integrity(const struct reader *r, const char *pragma) {
  const struct tsr_sqlite *s = r->session->s;
  sqlite3_stmt *statement;
  int step;
  if (s->prepare(r->session->db, pragma, -1, &statement, NULL) != SQLITE_OK) return false;
  while ((step = s->step(statement)) == SQLITE_ROW) {
    const char *finding = text_at(s, statement, 0);
    if (finding && strcmp(finding, "ok") == 0) continue;
    r->session->broken = true;
    tell_bad(r, "the file is damaged: %s", finding ? finding : "");
  }
  s->finalize(statement);
  return step == SQLITE_DONE;
}

static tsr_status read_open(const struct reader *r, const char *machine, bool check) {
  struct session *session = r->session;
  /* Writable, if it can be, so that SQLite can take back a write that was cut off. */
  if (!open_database(session, SQLITE_OPEN_READWRITE, READ_WAIT_MS, check ? 0 : 2000) || !exec(session, "BEGIN"))
    return fail_sqlite(session);
  switch (schema_of(session)) {
    case SCHEMA_FAILED: return fail_sqlite(session);
    case SCHEMA_NONE: return TSR_OK;
    case SCHEMA_OTHER: return fail_schema(session);
    case SCHEMA_OURS: break;
  }
  if ((check && !check_integrity(r, "PRAGMA integrity_check(20)")) || !visit_tables(r, machine))
    return fail_sqlite(session);
  return TSR_OK;
}

static tsr_status read_known(const struct reader *r, const char *machine, bool check) {
  switch (kind_of(r->session)) {
    case MISSING:
    case NEW: return TSR_OK;
    case REFUSED: return TSR_IO_ERROR;
    case SHORT:
      r->session->broken = true;
      return fail_sqlite(r->session);
    case NO_DATABASE: return tsr_fail(TSR_IO_ERROR, "%s is damaged, or no database at all", r->session->path);
    case CUT_OFF:
    case OURS: break;
  }
  tsr_status status = read_open(r, machine, check);
  close_database(r->session);
  return status;
}

static tsr_status read_database(const char *path, const char *machine, const struct tsr_visitor *visitor, void *arg,
                                bool check) {
  struct session session;
  struct stat file;
  if (stat(path, &file) != 0 && errno == ENOENT) return TSR_OK; /* SQLite need not be loaded for that */
  tsr_status status = enter(&session, path, READ_WAIT_MS);
  if (status != TSR_OK) return status;
  status = read_known(&(struct reader){&session, visitor, arg}, machine, check);
  leave(&session);
  return status;
}

tsr_status tsr_database_read(const char *path, const char *machine, const struct tsr_visitor *visitor, void *arg) {
  return read_database(path, machine, visitor, arg, false);
}

tsr_status tsr_database_check(const char *path, const struct tsr_visitor *visitor, void *arg) {
  return read_database(path, NULL, visitor, arg, true);
}

/* Writing. */

static bool make_folder_of(const char *path) {
  char folder[PATH_TEXT];
  snprintf(folder, sizeof folder, "%s", path);
  for (char *slash = folder; (slash = strchr(slash + 1, '/'));) {
    *slash = 0;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST && access(folder, F_OK) != 0) {
      tsr_fail(TSR_IO_ERROR, "the tuning database's folder %s cannot be made: %s", folder, strerror(errno));
      return false;
    }
    *slash = '/';
  }
  return true;
}

/* Values of one INSERT, bound in the order of its question marks. */
struct binder {
  const struct tsr_sqlite *s;
  sqlite3_stmt *statement;
  int at;
};

static void bind_text(struct binder *b, const char *text) {
  b->s->bind_text(b->statement, ++b->at, text, -1, SQLITE_STATIC);
}
static void bind_double(struct binder *b, double value) { b->s->bind_double(b->statement, ++b->at, value); }
static void bind_integer(struct binder *b, int64_t value) { b->s->bind_int64(b->statement, ++b->at, value); }

static bool prepare(struct session *session, struct binder *b, const char *sql) {
  *b = (struct binder){.s = session->s};
  return session->s->prepare(session->db, sql, -1, &b->statement, NULL) == SQLITE_OK;
}

static bool run(struct binder *b) {
  bool done = b->s->step(b->statement) == SQLITE_DONE;
  b->s->reset(b->statement);
  b->at = 0;
  return done;
}

/* Rows measured at a time that is still to come count as the oldest. */
static int64_t age_key(int64_t when) { return when > (int64_t)time(NULL) + 3600 ? 0 : when; }

static bool write_rows(struct session *session, const struct tsr_batch *batch) {
  struct binder insert, delete;
  if (!prepare(session, &delete, "DELETE FROM rows WHERE machine=? AND operator=? AND shape=? AND (measured_at<? OR "
                                 "measured_at>?)")) return false;
  bool good = prepare(session, &insert, batch->merge
                                            ? "INSERT OR IGNORE INTO rows VALUES(?,?,?,?,?,?,?,?,?,?,?,?)"
                                            : "INSERT OR REPLACE INTO rows VALUES(?,?,?,?,?,?,?,?,?,?,?,?)");
  for (int64_t i = 0; good && i < batch->nrows; i++) {
    const struct tsr_row *row = &batch->rows[i];
    if (!tsr_row_valid(row, NULL)) continue;
    if (batch->merge) {
      bind_text(&delete, row->machine), bind_text(&delete, row->operator_name), bind_text(&delete, row->shape);
      bind_integer(&delete, age_key(row->when)), bind_integer(&delete, (int64_t)time(NULL) + 3600);
      good = run(&delete);
    }
    bind_text(&insert, row->machine), bind_text(&insert, row->operator_name), bind_text(&insert, row->shape);
    bind_text(&insert, row->kernels), bind_text(&insert, row->plan), bind_text(&insert, row->default_plan);
    bind_double(&insert, row->median), bind_double(&insert, row->spread), bind_double(&insert, row->predicted);
    bind_double(&insert, row->by_default), bind_integer(&insert, row->measurements), bind_integer(&insert, row->when);
    good = good && run(&insert);
  }
  session->s->finalize(delete.statement);
  session->s->finalize(insert.statement);
  return good;
}

static bool write_samples(struct session *session, const struct tsr_batch *batch) {
  struct binder insert, delete;
  if (!prepare(session, &delete, "DELETE FROM samples WHERE machine=? AND operator=? AND shape=? AND kernels<>?"))
    return false;
  bool good = prepare(session, &insert, "INSERT OR REPLACE INTO samples VALUES(?,?,?,?,?,?,?)");
  for (int64_t i = 0; good && i < batch->nsamples; i++) {
    const struct tsr_sample *sample = &batch->samples[i];
    if (!tsr_sample_valid(sample, NULL)) continue;
    for (struct binder *b = &delete; b; b = b == &delete ? &insert : NULL) {
      bind_text(b, sample->machine), bind_text(b, sample->operator_name), bind_text(b, sample->shape);
      bind_text(b, sample->kernels);
    }
    bind_text(&insert, sample->plan);
    bind_double(&insert, sample->median), bind_double(&insert, sample->predicted);
    good = run(&delete) && run(&insert);
  }
  session->s->finalize(delete.statement);
  session->s->finalize(insert.statement);
  return good;
}

static bool write_costs(struct session *session, const struct tsr_batch *batch) {
  struct binder insert;
  if (!batch->costs || !costs_valid(batch->costs_machine, batch->costs, batch->costs_when)) return true;
  if (!prepare(session, &insert, "INSERT OR REPLACE INTO costs VALUES(?,?,?)")) return false;
  bind_text(&insert, batch->costs_machine), bind_text(&insert, batch->costs), bind_integer(&insert, batch->costs_when);
  bool good = run(&insert);
  session->s->finalize(insert.statement);
  return good;
}

static bool create_tables(struct session *session) {
  char marks[96];
  for (int i = 0; i < TABLES; i++)
    if (!exec(session, tables[i].sql)) return false;
  snprintf(marks, sizeof marks, "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION, SCHEMA);
  return exec(session, marks);
}

static void save_row(void *arg, const struct tsr_row *row) {
  write_rows(arg, &(struct tsr_batch){.rows = row, .nrows = 1});
}
static void save_sample(void *arg, const struct tsr_sample *sample) {
  write_samples(arg, &(struct tsr_batch){.samples = sample, .nsamples = 1});
}
static void save_costs(void *arg, const char *machine, const char *text, int64_t when) {
  write_costs(arg, &(struct tsr_batch){.costs_machine = machine, .costs = text, .costs_when = when});
}

/* Copies what a damaged file still tells, from both ends of each table to the first bad page. A writable schema lets
 * SQLite open a file that is shorter than it should be. */
static void salvage(struct session *to) {
  static const struct tsr_visitor saving = {save_row, save_sample, save_costs, NULL};
  static const struct view *const views[] = {&view_of_costs, &view_of_rows, &view_of_samples};
  char broken[PATH_TEXT + 16];
  struct session from = {.s = to->s, .path = broken};
  struct stat s;
  snprintf(broken, sizeof broken, "%s.broken", to->path);
  /* The zeros that SQLite fills half a page up with are numbers too. */
  if (stat(broken, &s) != 0 || truncate(broken, s.st_size / PAGE * PAGE) != 0) return;
  if (open_any(&from, SQLITE_OPEN_READWRITE, READ_WAIT_MS, 2000) && exec(&from, "PRAGMA writable_schema=ON") &&
      schema_of(&from) == SCHEMA_OURS)
    for (int i = 0; i < 2 * TABLES; i++)
      visit_table(&(struct reader){&from, &saving, to}, views[i / 2], NULL, i % 2 != 0);
  close_database(&from);
}

/* A change to the database: `change` runs inside the transaction. */
struct change {
  bool (*change)(struct session *session, void *arg);
  void *arg;
  bool create; /* the file, if there is none */
};

static tsr_status transact(struct session *session, const struct change *change) {
  /* Looked at again inside: somebody else may have made the file in the meantime. */
  if (!open_database(session, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, WRITE_WAIT_MS, 0) ||
      !exec(session, "BEGIN IMMEDIATE"))
    return fail_sqlite(session);
  switch (schema_of(session)) {
    case SCHEMA_FAILED: return fail_sqlite(session);
    case SCHEMA_OTHER: return fail_schema(session);
    case SCHEMA_NONE:
      if (!create_tables(session)) return fail_sqlite(session);
      break;
    case SCHEMA_OURS:
      /* Some milliseconds, so that damage is found while most rows can still be read. */
      if (!check_integrity(&(struct reader){session, &(struct tsr_visitor){0}, NULL}, "PRAGMA quick_check(1)") ||
          session->broken)
        return fail_sqlite(session);
  }
  if (session->salvage) salvage(session);
  if (!change->change(session, change->arg) || !exec(session, "COMMIT")) return fail_sqlite(session);
  return TSR_OK;
}

/* Journal first: one that stayed would be played back into the new database. */
static bool rename_both(const char *path) {
  char from[PATH_TEXT + 32], to[PATH_TEXT + 32];
  snprintf(from, sizeof from, "%s-journal", path);
  snprintf(to, sizeof to, "%s.broken-journal", path);
  unlink(to);
  if (rename(from, to) != 0 && errno != ENOENT) return false;
  snprintf(to, sizeof to, "%s.broken", path);
  return rename(path, to) == 0;
}

static bool is_file(const struct session *session, const struct stat *s) {
  return s->st_dev == session->dev && s->st_ino == session->ino;
}

/* Moves a damaged file aside, unless another process has just done so: a lock on the file itself, and a look whether
 * it is, and still is, the one that was found damaged. */
static bool move_aside(struct session *session) {
  const char *path = session->path;
  struct stat locked, there;
  int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return errno == ENOENT;
  bool good = false;
  for (int i = 0; i < 200 && !(good = flock(file, LOCK_EX | LOCK_NB) == 0) && errno == EWOULDBLOCK; i++) usleep(10000);
  good = good && fstat(file, &locked) == 0;
  if (good && is_file(session, &locked) && stat(path, &there) == 0 && is_file(session, &there)) {
    good = rename_both(path);
    session->salvage = good;
    if (good) tsr_warn("the tuning database %s was damaged: it is now %s.broken, and what could be read of it is in a "
                       "new one", path, path);
  }
  if (!good) tsr_fail(TSR_IO_ERROR, "%s is damaged and cannot be moved aside: %s", path, strerror(errno));
  close(file);
  return good;
}

static bool has_our_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return strcmp(slash ? slash + 1 : path, "tune.db") == 0;
}

static tsr_status change_once(struct session *session, const struct change *change, bool *again) {
  const char *path = session->path;
  enum kind kind = kind_of(session);
  *again = session->broken = false;
  switch (kind) {
    case REFUSED: return TSR_IO_ERROR;
    case MISSING:
      if (!change->create && !session->salvage) return TSR_OK;
      if (!make_folder_of(path)) return TSR_IO_ERROR;
      break;
    case NO_DATABASE:
      if (!has_our_name(path))
        return tsr_fail(TSR_IO_ERROR, "%s is not a database, and left as it is: remove it, or set TESSERA_DB to "
                                      "another path", path);
      *again = move_aside(session);
      return TSR_IO_ERROR;
    case SHORT: *again = move_aside(session); return TSR_IO_ERROR;
    case NEW:
    case CUT_OFF:
    case OURS: break;
  }
  tsr_status status = transact(session, change);
  bool broken = status != TSR_OK && damaged(session);
  close_database(session);
  if (broken && (kind != CUT_OFF || has_our_name(path))) *again = move_aside(session);
  return status;
}

/* A file size limit would end the process by a signal; it shall be an error like a full disk. */
static bool block_size_signal(sigset_t *set) {
  sigset_t old;
  sigemptyset(set);
  sigaddset(set, SIGXFSZ);
  pthread_sigmask(SIG_BLOCK, set, &old);
  return !sigismember(&old, SIGXFSZ);
}

static void unblock_size_signal(const sigset_t *set) {
  while (sigtimedwait(set, NULL, &(struct timespec){0}) == SIGXFSZ) continue;
  pthread_sigmask(SIG_UNBLOCK, set, NULL);
}

static tsr_status change_database(const char *path, const struct change *change) {
  struct session session;
  tsr_status status = enter(&session, path, WRITE_WAIT_MS);
  if (status != TSR_OK) return status;
  sigset_t set;
  bool blocked = block_size_signal(&set), again = true;
  for (int attempt = 0; again && attempt < 3; attempt++) status = change_once(&session, change, &again);
  if (blocked) unblock_size_signal(&set);
  leave(&session);
  return status;
}

static bool write_batch(struct session *session, void *arg) {
  const struct tsr_batch *batch = arg;
  return write_rows(session, batch) && write_samples(session, batch) && write_costs(session, batch);
}

static int64_t count_invalid(const struct tsr_batch *batch) {
  int64_t n = batch->costs && !costs_valid(batch->costs_machine, batch->costs, batch->costs_when);
  for (int64_t i = 0; i < batch->nrows; i++) n += !tsr_row_valid(&batch->rows[i], NULL);
  for (int64_t i = 0; i < batch->nsamples; i++) n += !tsr_sample_valid(&batch->samples[i], NULL);
  return n;
}

tsr_status tsr_database_write(const char *path, const struct tsr_batch *batch, int64_t *skipped) {
  int64_t invalid = count_invalid(batch);
  struct tsr_batch copy = *batch;
  if (skipped) *skipped = invalid;
  if (batch->nrows + batch->nsamples + (batch->costs != NULL) == invalid) return TSR_OK;
  return change_database(path, &(struct change){write_batch, &copy, true});
}

struct drop {
  const char *operator_name, *machine, *shape;
  int64_t *dropped;
};

static bool drop(struct session *session, void *arg) {
  static const char *const sql[] = {
#define CHOSEN " WHERE (?1 IS NULL OR operator=?1) AND (?2 IS NULL OR machine=?2) AND (?3 IS NULL OR shape=?3)"
      "DELETE FROM samples" CHOSEN, "DELETE FROM rows" CHOSEN};
  const struct drop *d = arg;
  struct binder b;
  for (int i = 0; i < 2; i++) {
    if (!prepare(session, &b, sql[i])) return false;
    bind_text(&b, d->operator_name), bind_text(&b, d->machine), bind_text(&b, d->shape);
    bool good = run(&b);
    *d->dropped = session->s->changes(session->db);
    session->s->finalize(b.statement);
    if (!good) return false;
  }
  return d->operator_name || d->machine || d->shape || exec(session, "DELETE FROM costs");
}

tsr_status tsr_database_drop(const char *path, const char *operator_name, const char *machine, const char *shape,
                             int64_t *dropped) {
  *dropped = 0;
  return change_database(path, &(struct change){drop, &(struct drop){operator_name, machine, shape, dropped}, false});
}

#else

static tsr_status without_sqlite(void) {
  return tsr_fail(TSR_UNSUPPORTED, "this build has no tuning database: it was made without SQLite's headers");
}

tsr_status tsr_database_read(const char *path, const char *machine, const struct tsr_visitor *visitor, void *arg) {
  (void)path, (void)machine, (void)visitor, (void)arg;
  return without_sqlite();
}

tsr_status tsr_database_write(const char *path, const struct tsr_batch *batch, int64_t *skipped) {
  (void)path, (void)batch, (void)skipped;
  return without_sqlite();
}

tsr_status tsr_database_drop(const char *path, const char *operator_name, const char *machine, const char *shape,
                             int64_t *dropped) {
  (void)path, (void)operator_name, (void)machine, (void)shape;
  *dropped = 0;
  return without_sqlite();
}

tsr_status tsr_database_check(const char *path, const struct tsr_visitor *visitor, void *arg) {
  (void)path, (void)visitor, (void)arg;
  return without_sqlite();
}

#endif
