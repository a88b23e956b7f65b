/* What the tests of plans at run time share: shapes and legal plans drawn at random, rows in a database of the test's
 * own, and the test itself run again as a fresh process, since a process reads its environment and database once. */
#ifndef RUNTIME_SUPPORT_H
#define RUNTIME_SUPPORT_H

#include "src/gemm/device_space.h"
#include "src/gemm/space.h"
#include "src/tune/choose.h"
#include "src/tune/database.h"
#include "test/gemm/gemm_test.h"

#define GEMM (&tsr_gemm_operator)

/* A folder for one test, removed with it, and a database in it that does not exist yet; TESSERA_DB names it. */
extern char folder[256], path[300];
int make_folder(void **state);
int remove_folder(void **state);

/* The tuner's values as text, in one of a few buffers that are used by turns. */
const char *shape_text(const struct tsr_operator *op, const struct tsr_values *shape);
const char *plan_text(const struct tsr_operator *op, const struct tsr_values *plan);

/* The shape that a call of the case has. */
struct tsr_values shape_of_case(const struct gemm_case *g, int threads);

/* A random problem of at most so many multiplications: any layout and type, skinny ones and long ones too. */
void random_case(struct rng *rng, struct gemm_case *g, int64_t most_product);

/* A legal plan of the shape: a candidate with some fields replaced by random ones, as far as the checker allows. */
struct tsr_values random_plan(struct rng *rng, const tsr_context *context, const struct tsr_values *shape);

/* Writes a row for the shape to the database at `path`; machine and kernels are the context's where they are NULL. */
void put_row(const tsr_context *context, const struct tsr_operator *op, const struct tsr_values *shape,
             const struct tsr_values *plan);
void put_text(const tsr_context *context, const struct tsr_operator *op, const char *machine, const char *kernels,
              const char *shape, const char *plan, double median);

/* Runs SQL on the database behind Tessera's back. */
void sql(const char *statement);

/* Runs `PROGRAM child NAME` and waits; what it printed is in `out` and `err`. Killed after two minutes. */
struct outcome {
  int status; /* as waitpid tells it; 0 = it returned 0 */
  char out[65536], err[65536];
};
const struct outcome *run_child(const char *name);

/* Fails the test, with the child's words, unless it ended well and said no more than so many lines of warning. */
void child_is_fine(const struct outcome *outcome, int most_warnings);
int count_of(const char *text, const char *part);

/* In a child. */
#define child_check(condition) child_check_(condition, #condition, __FILE__, __LINE__)
void child_check_(bool holds, const char *condition, const char *file, int line);

/* The body of `PROGRAM child NAME`, or NULL: tests define it as their main begins. */
struct child {
  const char *name;
  void (*body)(void);
};
bool is_child(int argc, char **argv, const struct child *children, int *status);

double seconds_now(void);

#define RUN(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

#endif
