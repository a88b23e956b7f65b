#include "kernels/accel_sim/sim/report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

const char *const accel_limit_names[ACCEL_LIMITS] = {"cube", "HBM", "L2"};
const char *const accel_share_names[ACCEL_SHARES] = {"busy", "empty", "flag", "barrier", "queue", "token", "idle"};
const char *const accel_energy_names[ACCEL_ENERGIES] = {"HBM", "L1", "L0A", "L0B", "L0C", "UB", "L2", "cube", "vector",
                                                        "scalar"};

static double positive(double x) { return isfinite(x) && x > 0 ? x : 0; }
static double ratio(double a, double b) { return b > 0 ? a / b : 0; }

/* In tenths of a percent. */
static double share(double value, double sum) { return 1000 * (positive(value) / sum); }

void accel_tenths(const double *values, int n, int *tenths) {
  double sum = 0;
  int left = 1000;
  for (int i = 0; i < n; i++) sum += positive(values[i]);
  for (int i = 0; i < n; i++) {
    tenths[i] = sum > 0 ? (int)share(values[i], sum) : 0;
    left -= tenths[i];
  }
  for (; sum > 0 && left > 0; left--) {
    int most = 0;
    for (int i = 1; i < n; i++)
      if (share(values[i], sum) - tenths[i] > share(values[most], sum) - tenths[most]) most = i;
    tenths[most]++;
  }
}

/* Multiply-adds a cycle of one core; types as in stats.macs. */
static double mac_rate(const struct accel_params *params, int type) {
  static const int bytes[4] = {2, 2, 4, 1};
  if (params->systolic) return (double)params->systolic_rows * params->systolic_columns;
  return 16 * 16 * (32 / bytes[type]) / (type == 2 ? (double)params->mad_f32_factor : 1);
}

static void pipe_shares(const struct accel_stats *stats, struct accel_summary *s) {
  double whole = stats->cycles * s->cores;
  for (int pipe = 0; pipe < ACCEL_PIPES; pipe++) {
    double parts[ACCEL_SHARES] = {stats->busy[pipe]}, sum = stats->busy[pipe];
    for (int i = 0; i < ACCEL_STALLS; i++) sum += parts[1 + i] = stats->stall[pipe][i];
    accel_tenths(parts, ACCEL_SHARES, s->tenths[pipe]);
    for (int i = 0; i < ACCEL_SHARES; i++)
      if (parts[i] < 0) s->unaccounted = fmax(s->unaccounted, ratio(-parts[i], whole));
    if (sum > 0) s->unaccounted = fmax(s->unaccounted, fabs(1 - ratio(sum, whole)));
    if (stats->busy[pipe] > stats->busy[s->busiest]) s->busiest = pipe;
  }
}

static struct accel_roof roof(const struct accel_summary *s, double rate, uint64_t bytes) {
  return (struct accel_roof){rate, ratio(s->ops, (double)bytes), ratio(s->peak_tops * 1e12, rate)};
}

/* The time that L2 needs for what passed it, both ways at once if it can. */
static double l2_seconds(const struct accel_report *report) {
  const struct accel_params *p = report->params;
  double all = (double)report->stats->l2_bytes, written = (double)report->stats->l2_written, hertz = p->ghz * 1e9;
  if (p->l2_write_rate <= 0) return all / (p->l2_rate * hertz);
  return fmax((all - written) / p->l2_rate, written / p->l2_write_rate) / hertz;
}

void accel_summarise(const struct accel_report *report, struct accel_summary *s) {
  const struct accel_params *params = report->params;
  const struct accel_stats *stats = report->stats;
  double hertz = params->ghz * 1e9, macs = 0, cube = 0;
  memset(s, 0, sizeof *s);
  s->cores = report->cores > 0 ? report->cores : params->cores;
  s->seconds = stats->cycles / hertz;
  for (int type = 0; type < 4; type++) {
    macs += (double)stats->macs[type];
    cube += (double)stats->macs[type] / mac_rate(params, type);
  }
  s->ops = 2 * macs;
  s->tops = ratio(s->ops, s->seconds) / 1e12;
  s->peak_tops = 2 * (macs > 0 ? macs / cube : mac_rate(params, 0)) * s->cores * hertz / 1e12;
  s->of_peak = ratio(s->tops, s->peak_tops);
  s->hbm = roof(s, params->hbm_rate, stats->hbm_bytes);
  s->l2 = roof(s, params->l2_rate * hertz, stats->l2_bytes);
  s->limit[ACCEL_BY_CUBE] = s->of_peak;
  s->limit[ACCEL_BY_HBM] = ratio(ratio((double)stats->hbm_bytes, s->hbm.rate), s->seconds);
  s->limit[ACCEL_BY_L2] = ratio(l2_seconds(report), s->seconds);
  for (int i = 1; i < ACCEL_LIMITS; i++)
    if (s->limit[i] > s->limit[s->bound]) s->bound = i;
  pipe_shares(stats, s);
  for (int i = 0; i < ACCEL_ENERGIES; i++) s->energy_pj += positive(stats->energy_pj[i]);
  accel_tenths(stats->energy_pj, ACCEL_ENERGIES, s->energy_tenths);
}

static void print_head(FILE *file, const struct accel_report *report, const struct accel_summary *s) {
  const struct accel_params *params = report->params;
  fprintf(file, "%s\n", report->title);
  fprintf(file, "chip       %s (%s), %d of %d cores, %.4g GHz\n", params->name, params->description, s->cores,
          params->cores, params->ghz);
  fprintf(file, "time       %.0f cycles, %.6g us in the kernels; a launch from the cold would add %.4g us\n",
          report->stats->cycles, s->seconds * 1e6, params->launch_seconds * 1e6);
}

static void print_roof(FILE *file, const char *name, const struct accel_roof *roof, double used) {
  fprintf(file, "           %-4s %7.4g TB/s, %5.1f %% of its time used", name, roof->rate / 1e12, 100 * used);
  if (roof->intensity > 0)
    fprintf(file, "; %.4g operations a byte, the peak needs %.4g: %s\n", roof->intensity, roof->ridge,
            roof->intensity < roof->ridge ? "under the slope" : "under the peak");
  else fprintf(file, "\n");
}

static void print_roofline(FILE *file, const struct accel_report *report, const struct accel_summary *s) {
  static const char *const types[4] = {"f16", "bf16", "f32", "s8"};
  fprintf(file, "cube       %.4g of %.4g TFLOP/s, %.1f %%", s->tops, s->peak_tops, 100 * s->of_peak);
  for (int type = 0; type < 4; type++)
    if (report->stats->macs[type])
      fprintf(file, "; %" PRIu64 " multiply-adds in %s", report->stats->macs[type], types[type]);
  fprintf(file, "\n");
  print_roof(file, "HBM", &s->hbm, s->limit[ACCEL_BY_HBM]);
  print_roof(file, "L2", &s->l2, s->limit[ACCEL_BY_L2]);
  fprintf(file, "bound by   %s, %.1f %% of the run; the busiest pipe is %s, %.1f %% of the run\n",
          accel_limit_names[s->bound], 100 * s->limit[s->bound], accel_pipe_names[s->busiest],
          s->tenths[s->busiest][0] / 10.0);
}

static void print_pipes(FILE *file, const struct accel_report *report, const struct accel_summary *s) {
  const struct accel_stats *stats = report->stats;
  fprintf(file, "\npipe   %% of the run, all cores\n     ");
  for (int i = 0; i < ACCEL_SHARES; i++) fprintf(file, " %8s", accel_share_names[i]);
  fprintf(file, "\n");
  for (int pipe = 0; pipe < ACCEL_PIPES; pipe++) {
    fprintf(file, "%-5s", accel_pipe_names[pipe]);
    for (int i = 0; i < ACCEL_SHARES; i++) fprintf(file, " %8.1f", s->tenths[pipe][i] / 10.0);
    fprintf(file, "\n");
  }
  double memory = stats->busy[ACCEL_MTE2] + stats->busy[ACCEL_MTE3] + stats->busy[ACCEL_FIX];
  fprintf(file, "%.1f %% of the busy time of mte2, mte3 and fix is waiting for memory that all cores share\n",
          100 * ratio(fmax(stats->contended, 0), memory));
  if (s->unaccounted > 0.001)
    fprintf(file, "warning: busy and stalls differ from cycles x cores by up to %.1f %%\n", 100 * s->unaccounted);
}

static void print_bytes(FILE *file, const struct accel_report *report, const struct accel_summary *s) {
  const struct accel_stats *stats = report->stats;
  double core_cycles = stats->cycles * s->cores;
  fprintf(file, "\nlevel             read          written  B/cycle a core  bank conflicts\n");
  for (int b = 0; b < ACCEL_BUFFERS; b++) {
    double bytes = (double)stats->bytes_read[b] + (double)stats->bytes_written[b];
    fprintf(file, "%-5s %16" PRIu64 " %16" PRIu64 " %15.2f %15" PRIu64 "\n", accel_buffer_names[b],
            stats->bytes_read[b], stats->bytes_written[b], ratio(bytes, core_cycles), stats->bank_conflicts[b]);
  }
  fprintf(file, "%-5s %33" PRIu64 " %15.2f\n", "L2", stats->l2_bytes, ratio((double)stats->l2_bytes, core_cycles));
  fprintf(file, "%-5s %33" PRIu64 " %15.2f\n", "HBM", stats->hbm_bytes, ratio((double)stats->hbm_bytes, core_cycles));
}

static void print_energy(FILE *file, const struct accel_report *report, const struct accel_summary *s) {
  fprintf(file, "\nenergy     %.4g mJ, %.4g W on average", s->energy_pj / 1e9, ratio(s->energy_pj / 1e12, s->seconds));
  if (s->ops > 0) fprintf(file, ", %.3g pJ a multiply-add", 2 * s->energy_pj / s->ops);
  fprintf(file, "\n");
  for (int i = 0; i < ACCEL_ENERGIES; i++)
    fprintf(file, "%-7s %6.1f %% %16.6g pJ\n", accel_energy_names[i], s->energy_tenths[i] / 10.0,
            report->stats->energy_pj[i]);
}

static void print_instructions(FILE *file, const struct accel_stats *stats) {
  fprintf(file, "\ninstructions\n");
  for (int op = 0; op < ACCEL_OPCODES; op++)
    if (stats->instructions[op])
      fprintf(file, "%-16s %12" PRIu64 "\n", accel_ops[op].mnemonic, stats->instructions[op]);
  if (stats->vector_elements) fprintf(file, "%" PRIu64 " elements in the vector unit\n", stats->vector_elements);
}

static int written(FILE *file) { return fflush(file) != 0 || ferror(file) ? -1 : 0; }

int accel_report_text(FILE *file, const struct accel_report *report) {
  struct accel_locale locale = accel_locale_begin();
  struct accel_summary s;
  accel_summarise(report, &s);
  print_head(file, report, &s);
  print_roofline(file, report, &s);
  print_pipes(file, report, &s);
  print_bytes(file, report, &s);
  print_energy(file, report, &s);
  print_instructions(file, report->stats);
  accel_locale_end(locale);
  return written(file);
}

int accel_report_roofline(FILE *file, const struct accel_report *report) {
  struct accel_locale locale = accel_locale_begin();
  struct accel_summary s;
  accel_summarise(report, &s);
  print_head(file, report, &s);
  print_roofline(file, report, &s);
  accel_locale_end(locale);
  return written(file);
}
