/* What can happen to the database: true rows or none, a sentence, at most one warning, no harm to others. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/tune/database_support.h"

enum { GOOD = 300, MOST_BYTES = 1 << 20 };
static uint8_t good[MOST_BYTES], bytes[MOST_BYTES], later[MOST_BYTES];
static size_t ngood;

/* A database of many pages, kept in `good`. */
static void make_good(void) {
  struct tsr_row row = row_of(0);
  for (int i = 0; i < GOOD; i += 60) assert_int_equal(write_rows_of(i, 60), TSR_OK);
  struct tsr_batch costs = {.costs_machine = row.machine, .costs = "c"};
  assert_int_equal(tsr_database_write(path, &costs, NULL), TSR_OK);
  ngood = read_bytes(path, good, sizeof good);
  assert_true(ngood > 40000 && ngood < sizeof good);
}

/* Nothing told may differ from what was stored. */
static void assert_rows_are_true(void) {
  char line[TSR_ROW_TEXT + 1];
  const char *at = seen.text;
  for (int n = 0; n < 400 && *at; n++) {
    struct tsr_row row = row_of(n);
    tsr_row_print(&row, line);
    strcat(line, "\n");
    const char *here = strstr(seen.text, line);
    if (here) memset((char *)here, '.', strlen(line) - 1);
  }
  for (at = seen.text; *at; at += strcspn(at, "\n") + 1)
    if (*at != '.') fail_msg("never written: %.*s", (int)strcspn(at, "\n"), at);
}

static int files_in_folder(void) {
  char command[512];
  snprintf(command, sizeof command, "ls -A %s | wc -l", folder);
  FILE *f = popen(command, "r");
  int n = -1;
  assert_int_equal(fscanf(f, "%d", &n), 1);
  pclose(f);
  return n;
}

/* A file that reading and writing refuse and that stays as it is, to the byte, with no others beside it. */
static void assert_left_alone(const char *because) {
  size_t n = read_bytes(path, bytes, sizeof bytes);
  int files = files_in_folder();
  int64_t dropped;
  assert_int_equal(read_all(NULL), TSR_IO_ERROR);
  assert_int_equal(seen.rows, 0);
  assert_non_null(strstr(tsr_last_error(), path));
  assert_int_equal(write_rows_of(1, 1), TSR_IO_ERROR);
  if (!strstr(tsr_last_error(), because)) fail_msg("%s", tsr_last_error());
  assert_int_equal(tsr_database_drop(path, NULL, NULL, NULL, &dropped), TSR_IO_ERROR);
  assert_int_equal(tsr_database_check(path, &see_all, &seen), TSR_IO_ERROR);
  assert_int_equal(read_bytes(path, later, sizeof later), n);
  assert_memory_equal(bytes, later, n);
  assert_int_equal(files_in_folder(), files);
}

static void other_schema(void **state) {
  (void)state;
  make_good();
  sql("PRAGMA user_version=2");
  assert_left_alone("version 2");
}

static void other_application(void **state) {
  (void)state;
  sql("PRAGMA application_id=77; CREATE TABLE rows(a); INSERT INTO rows VALUES(1)");
  assert_left_alone("another application");
  remove(path);
  sql("PRAGMA journal_mode=WAL; CREATE TABLE rows(a); INSERT INTO rows VALUES(1)");
  assert_left_alone("another application");
}

static void a_users_file(void **state) {
  (void)state;
  snprintf(path, sizeof path, "%s/thesis.txt", folder);
  write_bytes(path, "Once upon a time", 16);
  assert_left_alone("left as it is");
  memset(bytes, 'x', 5000);
  write_bytes(path, bytes, 5000);
  assert_left_alone("left as it is");
}

/* Tables that mean something else. Reading them may not take for ever either. */
static void hostile_schemas(void **state) {
  (void)state;
  static const char *const evil[] = {
      "DROP TABLE rows; CREATE VIEW rows AS WITH RECURSIVE r AS (SELECT 1 x UNION ALL SELECT x FROM r) SELECT x FROM r",
      "CREATE TRIGGER t AFTER INSERT ON rows BEGIN DELETE FROM rows; END", "CREATE TABLE more(x)",
      "ALTER TABLE rows ADD COLUMN x", "DROP TABLE samples"};
  for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++) {
    remove(path);
    make_good();
    sql(evil[i]);
    double start = seconds_now();
    assert_left_alone("tables");
    assert_true(seconds_now() - start < 5);
  }
}

static void rows_that_are_not_sane(void **state) {
  (void)state;
  static const char *const columns[] = {"median", "predicted", "by_default"};
  static const char *const values[] = {"0", "0.0", "-1.5", "9e999", "-9e999", "'text'", "x'00'", "1e-300"};
  static const char *const others[] = {
      "spread=-1", "spread='x'", "measurements=0", "measurements=1.5", "measured_at=-7", "measured_at='now'", "plan=''",
      "plan=x'41'", "plan='a'||char(0)||'b'", "plan=hex(zeroblob(400))", "kernels=''", "operator=''",
      "plan=char(7)", "plan=char(233)", "default_plan='|'"};
  char change[512];
  make_good();
  for (int c = 0; c < 3; c++)
    for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
      struct tsr_row row = row_of(10 * c + (int)v);
      snprintf(change, sizeof change, "UPDATE rows SET %s=%s WHERE shape='%s'", columns[c], values[v], row.shape);
      sql(change);
    }
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    struct tsr_row row = row_of(100 + (int)i);
    snprintf(change, sizeof change, "UPDATE rows SET %s WHERE shape='%s'", others[i], row.shape);
    sql(change);
  }
  int bad = 3 * (int)(sizeof values / sizeof values[0]) + (int)(sizeof others / sizeof others[0]);
  assert_int_equal(read_all(NULL), TSR_OK);
  assert_int_equal(seen.bad, bad);
  assert_int_equal(seen.rows, GOOD - bad);
  assert_rows_are_true();
  memset(&seen, 0, sizeof seen);
  assert_int_equal(tsr_database_check(path, &see_all, &seen), TSR_OK);
  assert_int_equal(seen.bad, bad);
}

/* A damaged file: reading fails or tells true rows; the next write succeeds, with one warning at most. */
static int kept; /* rows that a damaged file still gave */
static void use_damaged(void) {
  tsr_status status = read_all(NULL);
  child_check(status == TSR_OK || (status == TSR_IO_ERROR && strstr(tsr_last_error(), path)));
  assert_rows_are_true();
  child_check(write_rows_of(350, 1) == TSR_OK);
  child_check(read_all(NULL) == TSR_OK);
  child_check(strstr(seen.text, "m=350 ") != NULL);
  child_check(seen.bad == 0);
  assert_rows_are_true();
  memset(&seen, 0, sizeof seen);
  child_check(tsr_database_check(path, &see_all, &seen) == TSR_OK && seen.bad == 0);
}

static void assert_survives(const uint8_t *what, size_t n) {
  char broken[320];
  snprintf(broken, sizeof broken, "%s.broken", path);
  remove(broken);
  write_bytes(path, what, n);
  const struct outcome *o = in_child(use_damaged);
  if (o->status != 0) fail_msg("%zu bytes: %s", n, o->text);
  int warnings = count_of(o->text, "tessera: ");
  assert_int_equal(warnings, access(broken, F_OK) == 0);
  assert_int_equal(count_of(o->text, "\n"), warnings);
  assert_int_equal(read_all(NULL), TSR_OK);
  kept = seen.rows - 1;
}

static void truncated(void **state) {
  (void)state;
  make_good();
  assert_survives(good, 0);
  for (size_t n = 1; n < ngood; n += n < 128 ? 9 : n < 5000 ? 511 : 4099) assert_survives(good, n);
  assert_survives(good, ngood - 1);
  print_message("%d rows of %d stay without the last page\n", kept, GOOD);
  assert_true(kept > GOOD / 2 && kept < GOOD);
}

static void garbage(void **state) {
  (void)state;
  make_good();
  srand(1);
  for (int i = 0; i < 20; i++) {
    size_t n = (size_t)rand() % 20000 + 1;
    for (size_t j = 0; j < n; j++) bytes[j] = (uint8_t)rand();
    if (i % 2) memcpy(bytes, good, n < 100 ? n : 100);
    assert_survives(bytes, n);
  }
  memset(bytes, 0, 8192);
  assert_survives(bytes, 8192);
}

/* Each page overwritten in turn: it is found, and the rows before it stay. */
static void pages_lost(void **state) {
  (void)state;
  int total = 0;
  make_good();
  for (size_t page = 0; page < ngood / 4096; page++) {
    memcpy(bytes, good, ngood);
    memset(bytes + 4096 * page + (page ? 0 : 100), 0xa5, page ? 4096 : 3996);
    write_bytes(path, bytes, ngood);
    memset(&seen, 0, sizeof seen);
    tsr_status status = tsr_database_check(path, &see_all, &seen);
    assert_true(status == TSR_IO_ERROR || seen.bad > 0);
    assert_survives(bytes, ngood);
    total += kept;
  }
  print_message("%d rows of %d stay on average\n", total / (int)(ngood / 4096), GOOD);
  assert_true(total > 0);
}

/* A few bytes changed within a row may make another good row, as no checksum guards it; that costs speed at most. */
static void bytes_changed(void **state) {
  (void)state;
  make_good();
  srand(2);
  for (int i = 0; i < 300; i++) {
    memcpy(bytes, good, ngood);
    for (int j = rand() % 8; j >= 0; j--) bytes[(size_t)rand() % ngood] = (uint8_t)rand();
    write_bytes(path, bytes, ngood);
    tsr_status status = read_all(NULL); /* asserts that what it is told is valid */
    assert_true(status == TSR_OK || status == TSR_IO_ERROR);
  }
}

static void odd_files(void **state) {
  (void)state;
  char long_path[6000];
  assert_int_equal(mkdir(path, 0700), 0);
  assert_int_equal(read_all(NULL), TSR_IO_ERROR);
  assert_int_equal(write_rows_of(1, 1), TSR_IO_ERROR);
  assert_non_null(strstr(tsr_last_error(), "not a regular file"));
  rmdir(path);
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_int_equal(read_all(NULL), TSR_IO_ERROR);
  assert_int_equal(write_rows_of(1, 1), TSR_IO_ERROR);
  memset(long_path, 'x', sizeof long_path - 1);
  long_path[sizeof long_path - 1] = 0;
  assert_int_equal(tsr_database_read(long_path, NULL, &see_all, &seen), TSR_IO_ERROR);
}

/* Names that mean something to SQLite are files here. */
static void odd_names(void **state) {
  (void)state;
  assert_int_equal(chdir(folder), 0);
  const char *const names[] = {":memory:", "file:x.db?mode=memory", "file:///dev/null", "-x", "a b%20c"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    snprintf(path, sizeof path, "%s", names[i]);
    assert_int_equal(write_rows_of(1, 3), TSR_OK);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(read_all(NULL), TSR_OK);
    assert_int_equal(seen.rows, 3);
  }
  assert_int_equal(chdir("/"), 0);
}

static void no_folder(void **state) {
  (void)state;
  char found[300];
  setenv("HOME", "/dev/null/x", 1); /* binds root as well */
  assert_int_equal(tsr_database_path(found, sizeof found), TSR_OK);
  strcpy(path, found);
  assert_int_equal(read_all(NULL), TSR_OK);
  assert_int_equal(seen.rows, 0);
  assert_int_equal(write_rows_of(1, 1), TSR_IO_ERROR);
  assert_non_null(strstr(tsr_last_error(), "/dev/null/x"));
}

/* A mount of its own for a child, where that may be had. */
static bool mounted(unsigned long flags, const char *options) {
  return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
         (flags & MS_BIND ? mount(folder, folder, NULL, MS_BIND, NULL) == 0 &&
                                mount("none", folder, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0
                          : mount("tmpfs", folder, "tmpfs", 0, options) == 0);
}

static bool need_mount(bool has) {
  if (!has) fprintf(stderr, "no mount");
  return has;
}

static void use_read_only(void) {
  if (geteuid() != 0) child_check(chmod(folder, 0500) == 0 && chmod(path, 0400) == 0);
  else if (!need_mount(mounted(MS_BIND, NULL))) return;
  child_check(read_all(NULL) == TSR_OK && seen.rows == GOOD);
  child_check(write_rows_of(350, 1) == TSR_IO_ERROR && strstr(tsr_last_error(), path));
  child_check(read_all(NULL) == TSR_OK && seen.rows == GOOD);
  snprintf(path, sizeof path, "%s/new/tune.db", folder);
  child_check(read_all(NULL) == TSR_OK && seen.rows == 0);
  child_check(write_rows_of(350, 1) == TSR_IO_ERROR && strstr(tsr_last_error(), folder));
  chmod(folder, 0700);
}

static void read_only_home(void **state) {
  (void)state;
  make_good();
  const struct outcome *o = in_child(use_read_only);
  if (o->status != 0) fail_msg("%s", o->text);
  if (o->text[0]) print_message("%s\n", o->text), skip();
}

static void fill_tmpfs(void) {
  if (!need_mount(mounted(0, "size=256k"))) return;
  tsr_status status = TSR_OK;
  int rows = 0;
  while (rows < 100000 && (status = write_rows_of(rows, 60)) == TSR_OK) rows += 60;
  child_check(status == TSR_IO_ERROR && strstr(tsr_last_error(), "disk is full"));
  child_check(rows > 60 && read_all(NULL) == TSR_OK && seen.rows == rows);
  memset(&seen, 0, sizeof seen);
  child_check(tsr_database_check(path, &see_all, &seen) == TSR_OK && seen.bad == 0);
}

static void disk_full(void **state) {
  (void)state;
  const struct outcome *o = in_child(fill_tmpfs);
  if (o->status != 0) fail_msg("%s", o->text);
  if (o->text[0]) print_message("%s\n", o->text), skip();
}

/* The default action of SIGXFSZ would end the process. */
static void fill_to_limit(void) {
  tsr_status status = TSR_OK;
  int rows = 0;
  child_check(setrlimit(RLIMIT_FSIZE, &(struct rlimit){150000, 150000}) == 0);
  while (rows < 100000 && (status = write_rows_of(rows, 60)) == TSR_OK) rows += 60;
  child_check(status == TSR_IO_ERROR && strstr(tsr_last_error(), path));
  child_check(rows > 60 && read_all(NULL) == TSR_OK && seen.rows == rows);
  memset(&seen, 0, sizeof seen);
  child_check(tsr_database_check(path, &see_all, &seen) == TSR_OK && seen.bad == 0);
}

static void file_size_limit(void **state) {
  (void)state;
  const struct outcome *o = in_child(fill_to_limit);
  if (o->status != 0) fail_msg("%x %s", o->status, o->text);
}

/* Another program has the database for itself. */
static pid_t hold_lock(void) {
  int ready[2];
  char c;
  assert_int_equal(pipe(ready), 0);
  pid_t child = fork();
  if (child == 0) {
    sqlite3 *db;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* whatever becomes of the test */
    if (sqlite3_open(path, &db) || sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL)) _exit(1);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  close(ready[1]);
  assert_int_equal(read(ready[0], &c, 1), 1);
  close(ready[0]);
  return child;
}

static void locked(void **state) {
  (void)state;
  make_good();
  pid_t child = hold_lock();
  double start = seconds_now();
  assert_int_equal(read_all(NULL), TSR_IO_ERROR);
  assert_true(seconds_now() - start < 0.5); /* 20 ms are meant */
  assert_non_null(strstr(tsr_last_error(), "locked"));
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  assert_int_equal(read_all(NULL), TSR_OK);
  assert_int_equal(seen.rows, GOOD);
}

/* Writes batch after batch, and tells through the pipe which are done. */
static void write_for_ever(int done, int round) {
  for (int i = 0;; i++) {
    struct tsr_row rows[40];
    for (int j = 0; j < 40; j++) rows[j] = row_of(j), rows[j].measurements = 1 + 1000 * round + i;
    struct tsr_batch batch = {.rows = rows, .nrows = 40};
    if (tsr_database_write(path, &batch, NULL) != TSR_OK || write(done, &(int){1 + 1000 * round + i}, sizeof(int)) < 0)
      _exit(1);
  }
}

/* All rows of the last batch that was told done, or all of the next one. */
static int64_t first_batch;
static void see_batch(void *arg, const struct tsr_row *row) {
  ++*(int *)arg;
  if (first_batch < 0) first_batch = row->measurements;
  assert_int_equal(row->measurements, first_batch);
}

static void killed_while_writing(void **state) {
  (void)state;
  char journal[320];
  int cut_off = 0, last = 0;
  snprintf(journal, sizeof journal, "%s-journal", path);
  srand(3);
  for (int round = 1; round <= 100; round++) {
    int done[2], value, rows = 0;
    assert_int_equal(pipe(done), 0);
    pid_t child = fork();
    if (child == 0) write_for_ever(done[1], round);
    close(done[1]);
    usleep((useconds_t)(rand() % 12000));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (read(done[0], &value, sizeof value) == sizeof value) last = value;
    close(done[0]);
    cut_off += access(journal, F_OK) == 0;
    first_batch = -1;
    assert_int_equal(tsr_database_check(path, &(struct tsr_visitor){.row = see_batch}, &rows), TSR_OK);
    assert_int_equal(rows, last || rows ? 40 : 0);
    if (last) assert_true(first_batch >= last);
    memset(&seen, 0, sizeof seen);
    assert_int_equal(tsr_database_check(path, &see_all, &seen), TSR_OK);
    assert_int_equal(seen.bad, 0);
  }
  print_message("%d of 100 were killed with a journal open\n", cut_off);
  assert_true(cut_off > 5);
  assert_int_equal(write_rows_of(0, 40), TSR_OK);
}

static void eight_processes(void **state) {
  (void)state;
  enum { PROCESSES = 8, BATCHES = 10, EACH = 6 };
  pid_t child[PROCESSES];
  for (int p = 0; p < PROCESSES; p++)
    if ((child[p] = fork()) == 0) {
      bool wrote = true;
      for (int b = 0; b < BATCHES; b++) wrote &= write_rows_of((p * BATCHES + b) * EACH, EACH) == TSR_OK;
      if (!wrote) fprintf(stderr, "%s\n", tsr_last_error());
      _exit(!wrote);
    }
  for (int p = 0, status; p < PROCESSES; p++) {
    waitpid(child[p], &status, 0);
    assert_int_equal(status, 0);
  }
  assert_int_equal(read_all(NULL), TSR_OK);
  assert_int_equal(seen.rows, PROCESSES * BATCHES * EACH);
  assert_int_equal(seen.bad, 0);
}

/* Eight find the same damaged file at once: it is moved aside once, and nobody's rows go with it. */
static void eight_find_it_damaged(void **state) {
  (void)state;
  make_good();
  for (int round = 0; round < 30; round++) {
    pid_t child[8];
    write_bytes(path, good, round % 2 ? 8000 : 8192);
    for (int p = 0; p < 8; p++)
      if ((child[p] = fork()) == 0) {
        if (!freopen("/dev/null", "w", stderr)) _exit(1);
        _exit(write_rows_of(1000 + p, 1) != TSR_OK);
      }
    for (int p = 0, status; p < 8; p++) {
      waitpid(child[p], &status, 0);
      assert_int_equal(status, 0);
    }
    assert_int_equal(read_all(NULL), TSR_OK);
    assert_int_equal(count_of(seen.text, "m=100"), 8);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      RUN(other_schema), RUN(other_application), RUN(a_users_file), RUN(hostile_schemas), RUN(rows_that_are_not_sane),
      RUN(truncated), RUN(garbage), RUN(pages_lost), RUN(bytes_changed), RUN(odd_files), RUN(odd_names), RUN(no_folder),
      RUN(read_only_home), RUN(disk_full), RUN(file_size_limit), RUN(locked), RUN(killed_while_writing),
      RUN(eight_processes), RUN(eight_find_it_damaged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
