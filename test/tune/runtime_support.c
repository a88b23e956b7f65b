#include "test/tune/runtime_support.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

char folder[256], path[300];

int make_folder(void **state) {
  (void)state;
  snprintf(folder, sizeof folder, "%s/tessera-run-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
  if (!mkdtemp(folder)) return -1;
  snprintf(path, sizeof path, "%s/tune.db", folder);
  unsetenv("TESSERA_TUNE");
  return setenv("TESSERA_DB", path, 1);
}

static int remove_one(const char *name, const struct stat *s, int type, struct FTW *at) {
  (void)s, (void)type, (void)at;
  return remove(name);
}

int remove_folder(void **state) {
  (void)state;
  return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *text_of(const struct tsr_field *fields, int n, const struct tsr_values *values) {
  static char texts[4][TSR_VALUES_TEXT];
  static int turn;
  char *text = texts[turn = (turn + 1) % 4];
  tsr_values_print(fields, n, values, text);
  return text;
}

const char *shape_text(const struct tsr_operator *op, const struct tsr_values *shape) {
  return text_of(op->shape, op->nshape, shape);
}

const char *plan_text(const struct tsr_operator *op, const struct tsr_values *plan) {
  return text_of(op->plan, op->nplan, plan);
}

struct tsr_values shape_of_case(const struct gemm_case *g, int threads) {
  struct tsr_gemm_problem problem;
  struct tsr_values shape = {{0}};
  tsr_gemm_normalise(&g->d, NULL, NULL, NULL, &problem);
  tsr_gemm_shape_of(&problem, threads, &shape);
  return shape;
}

static int64_t random_size(struct rng *rng, int64_t most) {
  int64_t bound = (int64_t)2 << rng_below(rng, 14);
  return 1 + rng_below(rng, bound < most ? bound : most);
}

void random_case(struct rng *rng, struct gemm_case *g, int64_t most_product) {
  int64_t size[3], left = most_product;
  int first = (int)rng_below(rng, 3);
  for (int i = 0; i < 3; i++) {
    size[(first + i) % 3] = random_size(rng, left);
    left /= size[(first + i) % 3];
    if (left < 1) left = 1;
  }
  g->seed = rng_next(rng);
  g->fill = (enum fill)rng_below(rng, FILL_COUNT);
  g->place = (enum place)rng_below(rng, PLACE_COUNT);
  g->shift = (int)(4 * rng_below(rng, 16));
  g->d.type = rng_below(rng, 2) ? TSR_F64 : TSR_F32;
  g->d.alpha = rng_below(rng, 3) ? 1 : -0.75;
  g->d.beta = rng_below(rng, 2) ? 0 : 0.5;
  case_sizes(g, size[0], size[1], size[2]);
  case_layout(g, (int)rng_below(rng, LAYOUTS), (int)(rng_below(rng, 2) * rng_below(rng, 9)));
}

static int64_t random_field(struct rng *rng, const struct tsr_tiles *tiles, const struct tsr_values *shape,
                            const struct tsr_values *plan, int field) {
  const int64_t *at = shape->at;
  switch (field) {
    case TSR_PLAN_PATH: return 1 + rng_below(rng, 4);
    case TSR_PLAN_UNITS: {
      int64_t units = 1 + rng_below(rng, TSR_MAX_UNITS);
      while (!tiles->max_columns[units]) units--;
      return units;
    }
    case TSR_PLAN_COLUMNS: return 1 + rng_below(rng, TSR_MAX_COLUMNS);
    case TSR_PLAN_ORDER: return 1 + rng_below(rng, 2);
    case TSR_PLAN_MC: return tiles->mu * (1 + rng_below(rng, 1 + at[TSR_SHAPE_M] / tiles->mu));
    case TSR_PLAN_NC: return plan->at[TSR_PLAN_COLUMNS] * (1 + rng_below(rng, 1 + at[TSR_SHAPE_N]));
    case TSR_PLAN_PACK: return 1 + rng_below(rng, 4);
    default: return 1 + rng_below(rng, at[TSR_SHAPE_THREADS]);
  }
}

struct tsr_values random_plan(struct rng *rng, const tsr_context *context, const struct tsr_values *shape) {
  static struct tsr_values plans[4096];
  const struct tsr_tiles *tiles = &context->kernels[shape->at[TSR_SHAPE_TYPE]].gemm;
  int n = GEMM->candidates(context, shape, plans, COUNT(plans));
  assert_true(n >= 1 && n <= COUNT(plans));
  struct tsr_values plan = plans[rng_below(rng, n)];
  for (int64_t i = rng_below(rng, 40); i > 0; i--) {
    struct tsr_values other = plan;
    int fields = rng_below(rng, 4) ? 1 : 3;
    for (int j = 0; j < fields; j++) {
      int field = (int)rng_below(rng, TSR_PLAN_FIELDS);
      other.at[field] = random_field(rng, tiles, shape, &other, field);
      int widest = tiles->max_columns[other.at[TSR_PLAN_UNITS]];
      if (field == TSR_PLAN_UNITS && widest > 0) other.at[TSR_PLAN_COLUMNS] = 1 + rng_below(rng, widest);
    }
    if (GEMM->check(context, shape, &other, NULL)) plan = other;
  }
  return plan;
}

void put_text(const tsr_context *context, const struct tsr_operator *op, const char *machine, const char *kernels,
              const char *shape, const char *plan, double median) {
  char own_machine[TSR_KEY_TEXT], own_kernels[TSR_KEY_TEXT];
  tsr_machine_key(context, own_machine);
  tsr_kernels_key(context, op, own_kernels);
  struct tsr_row row = {.operator_name = op->name, .machine = machine ? machine : own_machine,
                        .kernels = kernels ? kernels : own_kernels, .shape = shape, .plan = plan, .default_plan = plan,
                        .median = median, .spread = 0.01, .predicted = median, .by_default = 2 * median,
                        .measurements = 9, .when = 1790000000};
  int64_t skipped;
  if (tsr_database_write(path, &(struct tsr_batch){.rows = &row, .nrows = 1}, &skipped) != TSR_OK || skipped)
    fail_msg("row of %s not written: %s", shape, tsr_last_error());
}

void put_row(const tsr_context *context, const struct tsr_operator *op, const struct tsr_values *shape,
             const struct tsr_values *plan) {
  put_text(context, op, NULL, NULL, shape_text(op, shape), plan_text(op, plan), 1e-4);
}

/* Opened rather than linked, so that children can see whether Tessera opens it. */
void sql(const char *statement) {
  void *library = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_LOCAL);
  assert_non_null(library);
  int (*open)(const char *, sqlite3 **) = (int (*)(const char *, sqlite3 **))dlsym(library, "sqlite3_open");
  int (*exec)(sqlite3 *, const char *, void *, void *, char **) =
      (int (*)(sqlite3 *, const char *, void *, void *, char **))dlsym(library, "sqlite3_exec");
  int (*close)(sqlite3 *) = (int (*)(sqlite3 *))dlsym(library, "sqlite3_close");
  sqlite3 *db;
  char *message = NULL;
  assert_int_equal(open(path, &db), SQLITE_OK);
  if (exec(db, statement, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s: %s", statement, message);
  close(db);
}

/* Reads both ends as they come, so that a child never waits for the one that is not read. */
static void read_both(const int *ends, struct outcome *outcome) {
  struct pollfd polled[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLIN, 0}};
  char *texts[2] = {outcome->out, outcome->err};
  size_t used[2] = {0};
  while (polled[0].fd >= 0 || polled[1].fd >= 0) {
    if (poll(polled, 2, -1) < 0) continue;
    for (int i = 0; i < 2; i++) {
      if (!polled[i].revents) continue;
      ssize_t got = read(polled[i].fd, texts[i] + used[i], sizeof outcome->out - 1 - used[i]);
      if (got > 0) used[i] += (size_t)got;
      else polled[i].fd = -1;
    }
  }
  texts[0][used[0]] = texts[1][used[1]] = 0;
}

const struct outcome *run_child(const char *name) {
  static struct outcome outcome;
  int out[2], err[2];
  assert_int_equal(pipe2(out, O_CLOEXEC), 0);
  assert_int_equal(pipe2(err, O_CLOEXEC), 0);
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    alarm(120);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    execl("/proc/self/exe", "/proc/self/exe", "child", name, (char *)NULL);
    _exit(98);
  }
  close(out[1]);
  close(err[1]);
  read_both((int[]){out[0], err[0]}, &outcome);
  close(out[0]);
  close(err[0]);
  assert_int_equal(waitpid(child, &outcome.status, 0), child);
  return &outcome;
}

int count_of(const char *text, const char *part) {
  int n = 0;
  for (const char *at = text; (at = strstr(at, part)); at += strlen(part)) n++;
  return n;
}

void child_is_fine(const struct outcome *outcome, int most_warnings) {
  if (outcome->status) fail_msg("the child ended with %x: %.300s%.600s", outcome->status, outcome->out, outcome->err);
  if (count_of(outcome->err, "\n") > most_warnings) fail_msg("the child warned too much:\n%.800s", outcome->err);
}

void child_check_(bool holds, const char *condition, const char *file, int line) {
  if (holds) return;
  fprintf(stderr, "%s:%d: not so in the child: %s (last error: %s)\n", file, line, condition, tsr_last_error());
  fflush(NULL);
  _exit(99);
}

bool is_child(int argc, char **argv, const struct child *children, int *status) {
  if (argc != 3 || strcmp(argv[1], "child") != 0) return false;
  *status = 97;
  for (; children->name; children++) {
    if (strcmp(children->name, argv[2]) != 0) continue;
    *status = 0;
    children->body();
  }
  return true;
}

double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
