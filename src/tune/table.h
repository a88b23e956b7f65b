/* What this process knows of one machine: rows of the user's database and rows shipped with the library, the costs
 * the model is fed with, and what measured shapes say about the model. Read once, when a plan is first asked for that
 * no rule of thumb settles; nothing of it changes afterwards, and no lock is held while it is used. */
#ifndef TSR_TABLE_H
#define TSR_TABLE_H

#include "src/tune/costs.h"
#include "src/tune/learn.h"
#include "src/tune/tune.h"

enum tsr_source { TSR_FROM_RULE, TSR_FROM_MODEL, TSR_FROM_SHIPPED, TSR_FROM_USER, TSR_FROM_CALL };
extern const char *const tsr_source_names[];

/* One plan that was measured. */
struct tsr_known {
  struct tsr_values shape, plan;
  enum tsr_source source;
  double median, by_default, predicted; /* seconds */
};

struct tsr_table;

/* The table for a context's machine and an operator, until tsr_table_leave. Never NULL: with nothing to read it is
 * empty. */
const struct tsr_table *tsr_table_of(const tsr_context *context, const struct tsr_operator *op);
void tsr_table_leave(const struct tsr_table *table);

/* The legal row of exactly this shape, or NULL. */
const struct tsr_known *tsr_table_find(const struct tsr_table *table, const struct tsr_values *shape);

const struct tsr_costs *tsr_table_costs(const struct tsr_table *table);
const char *tsr_table_costs_source(const struct tsr_table *table); /* "calibration", a CPU family, "defaults" */
const struct tsr_learned *tsr_table_learned(const struct tsr_table *table);

/* Adds a row to all tables that are made from now on, as if it were in the user's database, which may not take it, or be
 * locked when it is read again. It takes the place of an earlier one for its shape. Without memory it is forgotten. */
void tsr_table_keep(const tsr_context *context, const struct tsr_operator *op, const struct tsr_known *known);

/* Lets the tables be read anew, since the database has changed: for tuning in this process. Tables that are in use
 * stay as they are. */
void tsr_tables_renew(void);

/* Whether this process reads the user's database, and whether calls write to it: TESSERA_TUNE=off, read (the default)
 * or write. */
bool tsr_tune_reads(void);
bool tsr_tune_writes(void);

#endif
