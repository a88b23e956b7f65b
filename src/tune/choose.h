/* Which plan a call takes: its own, else the user's row for this shape, else a row shipped with the library, else what
 * the model, corrected by measured shapes nearby, predicts to be fastest. */
#ifndef TSR_CHOOSE_H
#define TSR_CHOOSE_H

#include "src/tune/table.h"

/* What share of the rule's predicted time the model's choice must stay below: predictions are a tenth off. */
#define TSR_WORTH_WHILE 0.94

/* How a plan was come by, for those who ask. */
struct tsr_choice {
  enum tsr_source source;
  double predicted;       /* by the model, for the plan; with corrections */
  double rule_predicted;  /* the same for the plan that the rule of thumb gives */
  int considered;         /* plans that the model compared */
  struct tsr_known known; /* the row, if it is one */
};

/* The plan for a shape, complete and legal. It is looked up in some tens of nanoseconds, but for the first
 * call of a shape, which spends a fiftieth of its predicted time on choosing, the second, which spends as much as it
 * takes itself, and the sixteenth, which weighs all candidates.
 * `about` may be NULL; if not, nothing is looked up from earlier calls. Raises no floating-point flags. */
void tsr_choose(const struct tsr_operator *op, const tsr_context *context, const struct tsr_values *shape,
                struct tsr_values *plan, struct tsr_choice *about);

/* The same as if the user's database had no row for the shape: what a tuned plan must beat. */
void tsr_choose_without_user(const struct tsr_operator *op, const tsr_context *context, const struct tsr_values *shape,
                             struct tsr_values *plan, struct tsr_choice *about);

/* The model's choice for a shape, by costs and lessons (NULL: none) of one's own: that of a shape's first call, or of
 * one that comes again and again. Raises floating-point flags. */
void tsr_choose_by_model(const struct tsr_operator *op, const tsr_context *context, const struct tsr_costs *costs,
                         const struct tsr_learned *learned, bool first_call, const struct tsr_values *shape,
                         struct tsr_values *plan);

/* All earlier choices are made anew. */
void tsr_choose_afresh(void);

#endif
