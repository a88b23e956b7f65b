/* Where tuning is kept from one process to the next: an SQLite file with three tables.
 *
 *   rows     the best plan of a shape, one for each (machine, operator, shape)
 *   samples  every plan that was measured, for the model to learn from
 *   costs    the calibration of a machine
 *
 * Nothing here decides whether a plan is legal: rows come from a file, so ask the operator's checker about each.
 *
 * Who wins. A process that has just measured a shape replaces its row, whatever the clock says, because clocks go
 * backwards; each row is replaced whole. Merging (`merge`, for import) keeps the row that was measured later; a time in
 * the future counts as the oldest.
 *
 * What is left alone. A file of another application or of another schema version is neither written to nor removed.
 * A damaged database is moved to PATH.broken by the next write, which says so in one warning and starts anew with the
 * rows that can still be read: Firefox treats its databases so, and rows can be measured again. A file that does not
 * even begin like a database is moved only if it is called tune.db, Tessera's own name for it; anything else may be a
 * user's file that TESSERA_DB names by mistake.
 *
 * Writing is one IMMEDIATE transaction under a rollback journal (a write-ahead log needs shared memory, and fails in
 * read-only folders), synchronised to the disk: killed at any moment, it leaves the old rows or the new ones.
 *
 * All functions may be called from any thread; one at a time works on a file. They leave the floating-point
 * environment and its flags as they were. A failure is a status and a sentence in tsr_last_error():
 *   TSR_UNSUPPORTED      this build has no SQLite, or libsqlite3.so.0 is not there
 *   TSR_BAD_ENVIRONMENT  the environment names no place for a database
 *   TSR_IO_ERROR         the file is locked, damaged, another's, or cannot be read or written */
#ifndef TSR_DATABASE_H
#define TSR_DATABASE_H

#include "src/tune/tune.h"

struct statfs;

/* Texts are printable ASCII without '|'. Times are in seconds, from 1e-10 to 1e6. */
struct tsr_row {
  const char *operator_name, *machine, *kernels; /* kernels: their fingerprint */
  const char *shape, *plan, *default_plan;
  double median, spread; /* of the plan; spread is (q3 - q1) / median */
  double predicted;      /* by the model, for the plan */
  double by_default;     /* median of the default plan, measured alongside */
  int64_t measurements;
  int64_t when; /* seconds since 1970 */
};

struct tsr_sample {
  const char *operator_name, *machine, *kernels, *shape, *plan;
  double median, predicted;
};

/* Whether a row or sample may be stored; if not, `why` (TSR_WHY_TEXT bytes, or NULL) names the field. */
bool tsr_row_valid(const struct tsr_row *row, char *why);
bool tsr_sample_valid(const struct tsr_sample *sample, char *why);

/* What a reader wants; NULL for what it does not want, which is then not read. Texts are valid during the call only,
 * and the functions must not call the database. */
struct tsr_visitor {
  void (*row)(void *arg, const struct tsr_row *row);
  void (*sample)(void *arg, const struct tsr_sample *sample);
  void (*costs)(void *arg, const char *machine, const char *text, int64_t when);
  void (*bad)(void *arg, const char *sentence); /* something was skipped: what, and why */
};

/* Path of the database: $TESSERA_DB, else tessera/tune.db in $XDG_CACHE_HOME, else in $HOME/.cache. Fails with
 * TSR_BAD_ENVIRONMENT where there is no home and where it is on a network file system, whose locks cannot be trusted:
 * then tuning is kept in memory only. TESSERA_DB is taken as it is. Programs with raised privileges have none. */
tsr_status tsr_database_path(char *path, size_t size);

/* statfs, for tests to replace. */
extern int (*tsr_database_statfs)(const char *path, struct statfs *result);

/* Visits what is stored for `machine`, or for all (NULL). At most TSR_MOST_ROWS and TSR_MOST_SAMPLES are taken. A
 * file that does not exist has no rows. Waits at most 20 ms for a writer; nothing is open or locked afterwards. After
 * a failure, what was visited before it is still good. Creates and changes nothing, except that it completes a write
 * that was cut off. */
#define TSR_MOST_ROWS 65536
#define TSR_MOST_SAMPLES 262144
tsr_status tsr_database_read(const char *path, const char *machine, const struct tsr_visitor *visitor, void *arg);

/* What to write, all or nothing. */
#define TSR_COSTS_TEXT 8192
struct tsr_batch {
  const struct tsr_row *rows;
  int64_t nrows;
  const struct tsr_sample *samples; /* they end the samples that other kernels left for their shapes */
  int64_t nsamples;
  const char *costs_machine, *costs; /* NULL: none; else less than TSR_COSTS_TEXT bytes */
  int64_t costs_when;
  bool merge;
};

/* Writes a batch; creates the file, and its folder with mode 0700. Waits up to 10 s for other writers. Rows, samples
 * and costs that are not valid are left out and counted in *skipped, if that is not NULL. */
tsr_status tsr_database_write(const char *path, const struct tsr_batch *batch, int64_t *skipped);

/* Removes what is stored for an operator, a machine and a shape, each of which may be NULL for any; all three NULL
 * empties the database. *dropped gets the number of rows, samples not counted. */
tsr_status tsr_database_drop(const char *path, const char *operator_name, const char *machine, const char *shape,
                             int64_t *dropped);

/* SQLite's integrity check of the file, which takes as long as it takes. Its findings go to visitor->bad; then the
 * rows are visited like in tsr_database_read. */
tsr_status tsr_database_check(const char *path, const struct tsr_visitor *visitor, void *arg);

/* A row as one line, without SQLite: this is how rows are exported, and how the library carries its own.
 *   operator | machine | kernels | shape | plan | default plan | median=1.5us spread=0.01 predicted=1.4us
 *   default=1.7us runs=12 when=1790000000
 * Times have six decimals: they are exact to 1 ps up to two hours. `line` has TSR_ROW_TEXT bytes and gets no
 * newline; false if the row is not valid. */
#define TSR_ROW_TEXT 2560
bool tsr_row_print(const struct tsr_row *row, char *line);

/* The row in a line that ends with a newline or 0. Its texts point into `store`, of TSR_ROW_TEXT bytes. If it is none,
 * `why` (TSR_WHY_TEXT bytes, or NULL) says what is wrong. */
bool tsr_row_parse(const char *line, char *store, struct tsr_row *row, char *why);

/* All rows of a text: calls visitor->row for each, visitor->bad for each line that is none, with its number. Empty
 * lines and those that begin with # are passed over. */
void tsr_rows_parse(const char *text, const struct tsr_visitor *visitor, void *arg);

#endif
