/* What a run tells: a trace for trace viewers, a summary as text and as a page. All is derived from the machine's
 * statistics and events alone. The writers give 0, or -1 when the file could not be written. */
#ifndef ACCEL_REPORT_H
#define ACCEL_REPORT_H

#include <locale.h>
#include <stdint.h>
#include <stdio.h>

#include "kernels/accel_sim/sim/isa.h"
#include "kernels/accel_sim/sim/machine.h"
#include "kernels/accel_sim/sim/params.h"

/* Chrome's trace format, for chrome://tracing and Perfetto: cores are processes, pipes are threads, instructions and
 * the stalls of pipes are slices, in microseconds. */
int accel_trace_write(FILE *file, const struct accel_params *params, const struct accel_event *events, int64_t count);

struct accel_report {
  const char *title;
  const struct accel_params *params;
  const struct accel_stats *stats;
  int cores; /* that could have worked: peaks are theirs; 0: all of the chip */
};

enum accel_limit { ACCEL_BY_CUBE, ACCEL_BY_HBM, ACCEL_BY_L2, ACCEL_LIMITS };
extern const char *const accel_limit_names[ACCEL_LIMITS];

enum { ACCEL_SHARES = 1 + ACCEL_STALLS, ACCEL_ENERGIES = ACCEL_BUFFERS + 4 };
extern const char *const accel_share_names[ACCEL_SHARES];    /* "busy", then the stalls */
extern const char *const accel_energy_names[ACCEL_ENERGIES]; /* of stats.energy_pj */

/* A memory's roof: bytes a second, this run's operations a byte, and the operations a byte that reach the peak. */
struct accel_roof {
  double rate, intensity, ridge;
};

struct accel_summary {
  int cores;
  double seconds;
  double ops, tops, peak_tops;       /* an operation is a multiply or an add; peak: for the run's mix of types */
  double of_peak;                    /* 0 .. 1 */
  double limit[ACCEL_LIMITS];        /* the time each alone would take, as a part of the run's */
  enum accel_limit bound;            /* the largest of them */
  struct accel_roof hbm, l2;
  int busiest;                       /* pipe */
  int tenths[ACCEL_PIPES][ACCEL_SHARES]; /* tenths of a percent; 1000 for each pipe that has any */
  double unaccounted;                /* of a pipe's time, what busy and stalls leave out or count twice; the worst */
  double energy_pj;
  int energy_tenths[ACCEL_ENERGIES];
};
void accel_summarise(const struct accel_report *report, struct accel_summary *summary);

int accel_report_text(FILE *file, const struct accel_report *report);

/* Only time, peak and roofline. */
int accel_report_roofline(FILE *file, const struct accel_report *report);

/* One page that needs nothing else. */
int accel_report_html(FILE *file, const struct accel_report *report);

/* Shares of the sum in tenths of a percent, by largest remainder: they add up to 1000 unless all are 0. What is
 * negative or no number counts as 0. */
void accel_tenths(const double *values, int n, int *tenths);

/* Length of the UTF-8 character at `text`, 0 if it is none. */
int accel_utf8(const char *text);

/* A point in numbers whatever the caller's locale: between the two, printf and strtod are C's. */
struct accel_locale {
  locale_t c, before;
};
struct accel_locale accel_locale_begin(void);
void accel_locale_end(struct accel_locale locale);

#endif
