/* SQLite, opened when it is first needed: libtessera neither links with it nor loads it for nothing. */
#ifndef TSR_SQLITE_H
#define TSR_SQLITE_H

#ifdef TSR_HAVE_SQLITE

#include <sqlite3.h>

struct tsr_sqlite {
  __typeof__(sqlite3_open_v2) *open;
  __typeof__(sqlite3_close) *close;
  __typeof__(sqlite3_exec) *exec;
  __typeof__(sqlite3_errmsg) *errmsg;
  __typeof__(sqlite3_extended_errcode) *error;
  __typeof__(sqlite3_busy_timeout) *busy_timeout;
  __typeof__(sqlite3_progress_handler) *progress;
  __typeof__(sqlite3_limit) *limit;
  __typeof__(sqlite3_db_config) *config;
  __typeof__(sqlite3_changes) *changes;
  __typeof__(sqlite3_prepare_v2) *prepare;
  __typeof__(sqlite3_step) *step;
  __typeof__(sqlite3_reset) *reset;
  __typeof__(sqlite3_finalize) *finalize;
  __typeof__(sqlite3_bind_text) *bind_text;
  __typeof__(sqlite3_bind_double) *bind_double;
  __typeof__(sqlite3_bind_int64) *bind_int64;
  __typeof__(sqlite3_column_type) *column_type;
  __typeof__(sqlite3_column_text) *column_text;
  __typeof__(sqlite3_column_bytes) *column_bytes;
  __typeof__(sqlite3_column_double) *column_double;
  __typeof__(sqlite3_column_int64) *column_int64;
};

/* The library's functions, or NULL where it cannot be had. It stays open: a second look must not load it again. Safe
 * from any thread. */
const struct tsr_sqlite *tsr_sqlite_get(void);

#endif
#endif
