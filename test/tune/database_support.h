/* What the tests of the database share. */
#ifndef DATABASE_SUPPORT_H
#define DATABASE_SUPPORT_H

#include "src/tune/database.h"
#include "test/core/support.h"

extern char folder[256];  /* a fresh one for every test */
extern char path[300];    /* of a database in it that does not exist */

int make_folder(void **state);
int remove_folder(void **state);

/* A good row; shapes differ by `number`. The texts are good until the 64th next one. */
struct tsr_row row_of(int number);

/* Writes rows first ... first + n - 1 in one batch. */
tsr_status write_rows_of(int first, int n);

/* What a read gave. `text` is all rows as lines, in the order read. */
struct seen {
  int rows, samples, costs, bad;
  char text[1 << 17];
  char sentence[512]; /* the last bad one */
  char costs_text[TSR_COSTS_TEXT];
};
extern struct seen seen;
extern const struct tsr_visitor see_all;
tsr_status read_all(const char *machine);

/* Runs SQL on the database behind Tessera's back. */
void sql(const char *statement);

void write_bytes(const char *file, const void *bytes, size_t n);
size_t read_bytes(const char *file, void *bytes, size_t most);
double seconds_now(void);

#define RUN(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

#endif
