/* Which of many candidates is fastest, from few and noisy runs. The search is pure: it asks for runs and is told their
 * seconds. It reads no clock and calls no kernel, so that a tuning program, the calls of an ordinary program and a
 * simulator drive the same one. src/tune/search.c explains the method.
 *
 *   struct tsr_search *search = tsr_search_start(&space, &options);
 *   for (int i; (i = tsr_search_next(search)) >= 0;) tsr_search_tell(search, i, seconds_of_a_run(i));
 *   tsr_search_result(search, &result);
 *   tsr_search_end(search);
 *
 * One search belongs to one thread at a time; different searches are independent. No floating-point flag is raised. */
#ifndef TSR_SEARCH_H
#define TSR_SEARCH_H

#include <stdbool.h>

struct tsr_search;

/* What is searched. The arrays are copied; `user` must outlive the search. */
struct tsr_search_space {
  int n;                   /* candidates, named 0 .. n - 1 */
  int default_index;       /* the candidate that is taken without a search, and that others must beat */
  const double *predicted; /* seconds of each; one that is no positive number ranks last */
  const int *classes;      /* candidates of a class share the model's errors; NULL: all are of one class */
  double (*distance)(const void *user, int i, int j); /* >= 0; about 1 between plans one step apart; NULL: unknown */
  const void *user;
};

/* 0 stands for what is written in brackets. */
struct tsr_search_options {
  int most_measured;   /* candidates run at least once, the default among them [12] */
  int most_runs;       /* in all [3 most_measured + 48; exact: most_measured] */
  double most_seconds; /* no run starts once so many have been told, or when it would likely exceed them [no limit] */
  bool exact;          /* two runs of a candidate take the same time: one is enough */
};

struct tsr_search_result {
  int winner;                   /* the contender if it is significantly faster than the default, else the default */
  int contender;                /* the best of the others in the final rounds; the default when there is none */
  bool significant;             /* ratio_high < 1, and the default did not fail */
  double seconds, spread;       /* the winner's median in the final rounds, and the distance of its quartiles */
  double default_seconds, default_spread; /* the default's in the same rounds */
  double ratio;                 /* the contender's time over the default's */
  double ratio_low, ratio_high; /* its confidence interval: 95 % for all finalists together; 0 and HUGE_VAL: unknown */
  int measured, runs, rounds;   /* candidates, runs, and final rounds the verdict rests on */
  double spent;                 /* seconds told */
};

/* One candidate that was run, in the order of their first runs. */
struct tsr_search_point {
  int candidate, runs;
  bool failed;
  double seconds; /* with what its rounds had in common taken out: comparable between points. 0: failed */
  double best;    /* the least seconds up to here; 0 while there are none */
};

/* NULL, with tsr_last_error set, when an argument is not acceptable or there is no memory. `options` may be NULL. */
struct tsr_search *tsr_search_start(const struct tsr_search_space *space, const struct tsr_search_options *options);

/* The candidate to run once now, the same one until it is told; -1 when the search is over. */
int tsr_search_next(struct tsr_search *search);

/* The run of the candidate that tsr_search_next gave took so many seconds; one that is no positive number says that it
 * failed, and the candidate is dropped (if it is the default, the search ends). False, and nothing is noted, if that
 * candidate was not asked for. */
bool tsr_search_tell(struct tsr_search *search, int candidate, double seconds);

/* The verdict, or what it would be if the search ended now. */
void tsr_search_result(struct tsr_search *search, struct tsr_search_result *result);

/* Point i, 0 <= i < result.measured. For plots and for learning from all that was measured. */
void tsr_search_history(struct tsr_search *search, int i, struct tsr_search_point *point);

void tsr_search_end(struct tsr_search *search); /* NULL is allowed */

#endif
