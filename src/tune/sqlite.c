#include "src/tune/sqlite.h"

#ifdef TSR_HAVE_SQLITE

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static struct tsr_sqlite sqlite;
static bool complete;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const struct {
  const char *name;
  size_t at;
} functions[] = {
    {"sqlite3_open_v2", offsetof(struct tsr_sqlite, open)},
    {"sqlite3_close", offsetof(struct tsr_sqlite, close)},
    {"sqlite3_exec", offsetof(struct tsr_sqlite, exec)},
    {"sqlite3_errmsg", offsetof(struct tsr_sqlite, errmsg)},
    {"sqlite3_extended_errcode", offsetof(struct tsr_sqlite, error)},
    {"sqlite3_busy_timeout", offsetof(struct tsr_sqlite, busy_timeout)},
    {"sqlite3_progress_handler", offsetof(struct tsr_sqlite, progress)},
    {"sqlite3_limit", offsetof(struct tsr_sqlite, limit)},
    {"sqlite3_db_config", offsetof(struct tsr_sqlite, config)},
    {"sqlite3_changes", offsetof(struct tsr_sqlite, changes)},
    {"sqlite3_prepare_v2", offsetof(struct tsr_sqlite, prepare)},
    {"sqlite3_step", offsetof(struct tsr_sqlite, step)},
    {"sqlite3_reset", offsetof(struct tsr_sqlite, reset)},
    {"sqlite3_finalize", offsetof(struct tsr_sqlite, finalize)},
    {"sqlite3_bind_text", offsetof(struct tsr_sqlite, bind_text)},
    {"sqlite3_bind_double", offsetof(struct tsr_sqlite, bind_double)},
    {"sqlite3_bind_int64", offsetof(struct tsr_sqlite, bind_int64)},
    {"sqlite3_column_type", offsetof(struct tsr_sqlite, column_type)},
    {"sqlite3_column_text", offsetof(struct tsr_sqlite, column_text)},
    {"sqlite3_column_bytes", offsetof(struct tsr_sqlite, column_bytes)},
    {"sqlite3_column_double", offsetof(struct tsr_sqlite, column_double)},
    {"sqlite3_column_int64", offsetof(struct tsr_sqlite, column_int64)},
};
enum { FUNCTIONS = sizeof functions / sizeof functions[0] };
_Static_assert(sizeof sqlite == FUNCTIONS * sizeof(void *), "every function has its line above");

static void load(void) {
  void *library = dlopen("libsqlite3.so.0", RTLD_LAZY | RTLD_LOCAL);
  if (!library) return;
  complete = true;
  for (int i = 0; i < FUNCTIONS; i++) {
    void *symbol = dlsym(library, functions[i].name);
    memcpy((char *)&sqlite + functions[i].at, &symbol, sizeof symbol);
    complete &= symbol != NULL;
  }
}

const struct tsr_sqlite *tsr_sqlite_get(void) {
  pthread_once(&once, load);
  return complete ? &sqlite : NULL;
}

#endif
