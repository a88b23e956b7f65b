/* Tuning by use, when TESSERA_TUNE=write asks for it: since every plan gives the same bits, the calls of an ordinary
 * program can each try another one, and are the measurements. What was found is written to the user's database. */
#ifndef TSR_USE_H
#define TSR_USE_H

#include "src/tune/tune.h"

struct tsr_trial {
  const struct tsr_operator *op;
  const tsr_context *context;
  struct tsr_use *use;
};

/* Whether this call of the shape is to try `plan`; then its end must be told. No, for the first calls of a shape, when
 * it was tuned before, and while another thread tries one. */
bool tsr_use_begin(const struct tsr_operator *op, const tsr_context *context, const struct tsr_values *shape,
                   struct tsr_values *plan, struct tsr_trial *trial);

/* The call took so many seconds; 0: it was not what the plan says, for instance for want of threads. */
void tsr_use_end(const struct tsr_trial *trial, double seconds);

#endif
