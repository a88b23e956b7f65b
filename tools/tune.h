/* tessera tune: what its files share. */
#ifndef TESSERA_TUNE_COMMAND_H
#define TESSERA_TUNE_COMMAND_H

#include "shapes.h"
#include "src/tune/choose.h"
#include "src/tune/session.h"

/* Whose plans an exhaustive run compares with the best of all. */
enum contestant {
  BY_RULE,   /* the rule of thumb */
  BY_FIRST,  /* the model alone, weighing as many plans as the first call of a shape has time for */
  BY_MODEL,  /* the same with all plans weighed, for a shape that comes again */
  BY_TAUGHT, /* corrected by what was measured for the other shapes of the run */
  BY_CHOICE, /* what a call takes before tuning */
  BY_TUNING,
  CONTESTANTS
};
extern const char *const contestant_names[];

/* What came of one shape. */
struct tuned {
  struct tsr_values shape;
  double weight, flops, need;  /* need: seconds that tuning may take */
  char why_not[TSR_WHY_TEXT]; /* why it was not tuned; "" if it was */
  enum tsr_source source;     /* of the plan that calls took */
  struct tsr_session session;
  /* exhaustive only */
  struct tsr_session all;     /* its plans in ascending order of time */
  struct tsr_values plan_of[CONTESTANTS];
  double seconds_of[CONTESTANTS], best; /* measured in turns */
  double guided, random; /* on a device: best of a search that measured `few` plans, and of as many at random */
  int few;
};

struct tune {
  tsr_context *context;
  const struct tsr_operator *op;
  struct shapes shapes;
  double budget; /* seconds; 0: no limit */
  int measurements;
  bool dry_run, exhaustive, unwritable;
  const char *json, *html;
  struct tuned *done; /* one for each shape */
  int n;
};

/* Set by the first SIGINT or SIGTERM; the second one ends the program. */
void tune_catch_signals(void);
int tune_interrupted(void); /* which signal, or 0 */
double tune_now(void); /* monotonic seconds */

/* Tunes all shapes and stores each at once; false when there is no memory. */
bool tune_run(struct tune *tune);

/* After the sessions of an exhaustive run: chooses by what the other shapes taught, and measures the contestants. */
void tune_compare(struct tune *tune);
void tune_search_few(struct tune *tune, struct tuned *one); /* on a device */

/* One line that stands while a shape is measured, on a terminal; elsewhere nothing. */
struct tune_progress {
  const struct tune *tune;
  const struct tuned *now;
  int index;
  double start, shown;
  const char *doing;
};
void tune_progress_show(struct tune_progress *progress, int runs, double best);
void tune_progress_clear(void);
/* Elsewhere than on a terminal: one line after a shape. */
void tune_progress_done(const struct tune_progress *progress);

void tune_print_table(const struct tune *tune);
void tune_print_comparison(const struct tune *tune);
/* How much faster the winner is than the default: 1 when it is the default. */
double tune_gain(const struct tuned *one);

/* False after a message. */
bool tune_write_reports(const struct tune *tune);

/* Runs a program with the library preloaded and adds the shapes it called: gives its exit status, -1 after a message */
int tune_watch(struct shapes *shapes, char **argv);

int tune_calibrate(tsr_context *context, bool dry_run);

#endif
