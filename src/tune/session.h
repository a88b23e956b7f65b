/* Tuning one shape: candidates from the operator's space, ranked by the model, measured as the search asks. */
#ifndef TSR_SESSION_H
#define TSR_SESSION_H

#include "src/tune/search.h"
#include "src/tune/table.h"

struct tsr_session_options {
  int most_measured;   /* plans run at least once [12] */
  double most_seconds; /* of measuring [no limit] */
  bool exhaustive;     /* measure the whole space, for comparisons: minutes; only with tsr_session_run */
  bool rule_is_default;/* compare with the rule's plan instead of what a call would take today */
  /* Called after each run, if not NULL; false ends the session early. */
  bool (*progress)(void *user, int runs, double spent, double best);
  void *user;
};

/* A plan that was measured in a session. */
struct tsr_session_plan {
  struct tsr_values plan;
  double seconds, predicted, corrected; /* measured; by the model; with what was learned */
  int runs;
};

struct tsr_session {
  struct tsr_values shape, plan, default_plan; /* plan: the winner, or the default */
  double seconds, spread, default_seconds, predicted;
  bool improved;       /* the winner beats the default by more than the noise */
  double ratio, ratio_low, ratio_high;
  int candidates, measured, runs;
  double spent;
  struct tsr_session_plan *plans; /* the measured ones, in the order of their first runs */
};

/* Tunes one shape on a context. Fails with TSR_OUT_OF_MEMORY when its operands cannot be had. End with
 * tsr_session_free. Nothing is stored: see tsr_session_store. */
tsr_status tsr_session_run(tsr_context *context, const struct tsr_operator *op, const struct tsr_values *shape,
                           const struct tsr_session_options *options, struct tsr_session *session);
void tsr_session_free(struct tsr_session *session);

/* The same step by step, for who makes the runs: tsr_session_next says which plan to run once now, until it gives false;
 * each is told in seconds, 0 for a run that failed; tsr_session_end gives what was found and ends it. */
struct tsr_steps;
tsr_status tsr_session_begin(const tsr_context *context, const struct tsr_operator *op, const struct tsr_values *shape,
                             const struct tsr_session_options *options, struct tsr_steps **steps);
bool tsr_session_next(struct tsr_steps *steps, struct tsr_values *plan);
void tsr_session_tell(struct tsr_steps *steps, double seconds);
void tsr_session_end(struct tsr_steps *steps, struct tsr_session *session);

/* Writes sessions to the user's database: a row for each shape (the default's, when nothing beat it: then nobody needs
 * to try again) and the plans that were measured more than once, or exactly, as samples. Then lets this process choose afresh. */
tsr_status tsr_session_store(const tsr_context *context, const struct tsr_operator *op,
                             const struct tsr_session *sessions, int n);

#endif
