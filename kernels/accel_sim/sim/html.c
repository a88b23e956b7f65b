/* The page of a run: the summary's numbers as tables, and plots drawn as SVG within the page. */
#include <inttypes.h>
#include <math.h>

#include "kernels/accel_sim/sim/report.h"

static const char style[] =
    "<style>\n"
    ":root { color-scheme: light dark; --ground: #fcfcfb; --ink: #1c1c1a; --faint: #6b6a66; --line: #dddcd7;\n"
    "  --c0: #2a78d6; --c1: #c3c2b7; --c2: #eda100; --c3: #eb6834; --c4: #4a3aa7; --c5: #1baf7a; --c6: #ebeae5; }\n"
    "@media (prefers-color-scheme: dark) { :root { --ground: #1a1a19; --ink: #f2f1ec; --faint: #a3a29b;\n"
    "  --line: #3a3a37; --c0: #3987e5; --c1: #6b6a66; --c2: #c98500; --c3: #d95926; --c4: #9085e9; --c5: #199e70;\n"
    "  --c6: #30302d; } }\n"
    "body { background: var(--ground); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; max-width: 60em;\n"
    "  margin: 2em auto; padding: 0 1em; }\n"
    "h1 { font-size: 1.4em; overflow-wrap: anywhere; } h2 { font-size: 1.1em; margin-top: 2em; }\n"
    "table { border-collapse: collapse; font-variant-numeric: tabular-nums; }\n"
    "th, td { padding: .15em .7em; text-align: right; border-bottom: 1px solid var(--line); }\n"
    "th:first-child, td:first-child { text-align: left; }\n"
    ".wide { overflow-x: auto; } .note { color: var(--faint); }\n"
    ".key { display: inline-block; margin-right: 1em; }\n"
    ".key i { display: inline-block; width: .8em; height: .8em; margin-right: .35em; }\n"
    "svg { width: 100%; max-width: 720px; height: auto; display: block; }\n"
    "svg text { fill: var(--ink); font-size: 13px; } svg .faint { fill: var(--faint); font-size: 12px; }\n"
    ".grid { stroke: var(--line); } .point { stroke: var(--ground); stroke-width: 2; }\n"
    "</style>\n";

static void write_text(FILE *file, const char *text) {
  for (int n; *text; text += n ? n : 1) {
    n = accel_utf8(text);
    unsigned char c = (unsigned char)*text;
    if (!n || c < ' ' || c == 127) fputs("&#xfffd;", file);
    else if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'') fprintf(file, "&#%d;", c);
    else fwrite(text, 1, n, file);
  }
}

static double ratio(double a, double b) { return b > 0 ? a / b : 0; }

static void write_head(FILE *file, const struct accel_report *report, const struct accel_summary *s) {
  const struct accel_params *params = report->params;
  fprintf(file, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
  write_text(file, report->title);
  fprintf(file, "</title>\n%s</head>\n<body>\n<h1>", style);
  write_text(file, report->title);
  fprintf(file, "</h1>\n<p>");
  write_text(file, params->name);
  fprintf(file, " (");
  write_text(file, params->description);
  fprintf(file, "), %d of %d cores, %.4g GHz.<br>\n", s->cores, params->cores, params->ghz);
  fprintf(file, "%.0f cycles, %.6g &micro;s in the kernels; a launch from the cold would add %.4g &micro;s.<br>\n",
          report->stats->cycles, s->seconds * 1e6, params->launch_seconds * 1e6);
  fprintf(file, "<strong>%.4g of %.4g TFLOP/s, %.1f %%</strong>; bound by %s; the busiest pipe is %s, %.1f %%.</p>\n",
          s->tops, s->peak_tops, 100 * s->of_peak, accel_limit_names[s->bound], accel_pipe_names[s->busiest],
          s->tenths[s->busiest][0] / 10.0);
  if (s->unaccounted > 0.001)
    fprintf(file, "<p>Warning: busy and stalls differ from cycles &times; cores by up to %.1f %%.</p>\n",
            100 * s->unaccounted);
}

static void write_pipe_bar(FILE *file, const struct accel_summary *s, int pipe) {
  int y = 4 + 26 * pipe, done = 0;
  fprintf(file, "<text x=\"0\" y=\"%d\">%s</text>\n", y + 15, accel_pipe_names[pipe]);
  for (int i = 0; i < ACCEL_SHARES; i++) {
    int tenths = s->tenths[pipe][i];
    if (tenths)
      fprintf(file, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"20\" style=\"fill: var(--c%d)\">"
                    "<title>%s: %s %.1f %%</title></rect>\n", 50 + done * 0.6, y, tenths * 0.6, i,
              accel_pipe_names[pipe], accel_share_names[i], tenths / 10.0);
    done += tenths;
  }
  fprintf(file, "<text x=\"656\" y=\"%d\">%.1f %%</text>\n", y + 15, s->tenths[pipe][0] / 10.0);
}

static void write_pipes(FILE *file, const struct accel_report *report, const struct accel_summary *s) {
  const struct accel_stats *stats = report->stats;
  fprintf(file, "<h2>Pipes: busy, and why not</h2>\n<p>");
  for (int i = 0; i < ACCEL_SHARES; i++)
    fprintf(file, "<span class=\"key\"><i style=\"background: var(--c%d)\"></i>%s</span>\n", i, accel_share_names[i]);
  fprintf(file, "</p>\n<svg viewBox=\"0 0 720 %d\" role=\"img\" aria-label=\"busy and stalled shares of each pipe\">\n",
          8 + 26 * ACCEL_PIPES);
  for (int pipe = 0; pipe < ACCEL_PIPES; pipe++) write_pipe_bar(file, s, pipe);
  fprintf(file, "</svg>\n<div class=\"wide\"><table>\n<tr><th>%% of the run</th>");
  for (int i = 0; i < ACCEL_SHARES; i++) fprintf(file, "<th>%s</th>", accel_share_names[i]);
  fprintf(file, "</tr>\n");
  for (int pipe = 0; pipe < ACCEL_PIPES; pipe++) {
    fprintf(file, "<tr><td>%s</td>", accel_pipe_names[pipe]);
    for (int i = 0; i < ACCEL_SHARES; i++) fprintf(file, "<td>%.1f</td>", s->tenths[pipe][i] / 10.0);
    fprintf(file, "</tr>\n");
  }
  double memory = stats->busy[ACCEL_MTE2] + stats->busy[ACCEL_MTE3] + stats->busy[ACCEL_FIX];
  fprintf(file, "</table></div>\n<p class=\"note\">%.1f %% of the busy time of mte2, mte3 and fix is waiting "
                "for memory that all cores share.</p>\n", 100 * ratio(fmax(stats->contended, 0), memory));
}

static void write_bytes_row(FILE *file, const char *name, uint64_t bytes, double core_cycles) {
  fprintf(file, "<tr><td>%s</td><td colspan=\"2\">%" PRIu64 "</td><td>%.2f</td><td></td></tr>\n", name, bytes,
          ratio((double)bytes, core_cycles));
}

static void write_bytes(FILE *file, const struct accel_report *report, const struct accel_summary *s) {
  const struct accel_stats *stats = report->stats;
  double core_cycles = stats->cycles * s->cores;
  fprintf(file, "<h2>Bytes of each level</h2>\n<div class=\"wide\"><table>\n<tr><th>level</th><th>read</th>"
                "<th>written</th><th>B/cycle a core</th><th>bank conflicts</th></tr>\n");
  for (int b = 0; b < ACCEL_BUFFERS; b++)
    fprintf(file, "<tr><td>%s</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%.2f</td><td>%" PRIu64 "</td></tr>\n",
            accel_buffer_names[b], stats->bytes_read[b], stats->bytes_written[b],
            ratio((double)stats->bytes_read[b] + (double)stats->bytes_written[b], core_cycles),
            stats->bank_conflicts[b]);
  write_bytes_row(file, "L2", stats->l2_bytes, core_cycles);
  write_bytes_row(file, "HBM", stats->hbm_bytes, core_cycles);
  fprintf(file, "</table></div>\n");
}

static void write_energy(FILE *file, const struct accel_summary *s) {
  fprintf(file, "<h2>Energy</h2>\n<p>%.4g mJ, %.4g W on average", s->energy_pj / 1e9,
          ratio(s->energy_pj / 1e12, s->seconds));
  if (s->ops > 0) fprintf(file, ", %.3g pJ a multiply-add", 2 * s->energy_pj / s->ops);
  fprintf(file, ".</p>\n<svg viewBox=\"0 0 720 %d\" role=\"img\" aria-label=\"energy by level and unit\">\n",
          8 + 24 * ACCEL_ENERGIES);
  int most = 1;
  for (int i = 0; i < ACCEL_ENERGIES; i++) most = s->energy_tenths[i] > most ? s->energy_tenths[i] : most;
  for (int i = 0; i < ACCEL_ENERGIES; i++) {
    double width = 540.0 * s->energy_tenths[i] / most;
    fprintf(file, "<text x=\"0\" y=\"%d\">%s</text><rect x=\"60\" y=\"%d\" width=\"%.1f\" height=\"18\" "
                  "style=\"fill: var(--c0)\"></rect><text x=\"%.1f\" y=\"%d\">%.1f %%</text>\n", 18 + 24 * i,
            accel_energy_names[i], 4 + 24 * i, width, 66 + width, 18 + 24 * i, s->energy_tenths[i] / 10.0);
  }
  fprintf(file, "</svg>\n");
}

/* The roofline's plot: decades of operations a byte across, of TFLOP/s up. */
struct axes {
  int x0, x1, y0, y1;
};
enum { LEFT = 60, RIGHT = 670, TOP = 15, BOTTOM = 320 };

static double x_of(const struct axes *a, double intensity) {
  return LEFT + (RIGHT - LEFT) * (log10(intensity) - a->x0) / (a->x1 - a->x0);
}

static double y_of(const struct axes *a, double tops) {
  return BOTTOM - (BOTTOM - TOP) * (log10(tops) - a->y0) / (a->y1 - a->y0);
}

/* Both roofs' ridges, the points and two decades under the peak are in view. */
static struct axes find_axes(const struct accel_summary *s) {
  double low = fmin(s->hbm.ridge, s->l2.ridge), high = fmax(s->hbm.ridge, s->l2.ridge);
  const double points[2] = {s->hbm.intensity, s->l2.intensity};
  for (int i = 0; i < 2; i++)
    if (points[i] > 0) low = fmin(low, points[i]), high = fmax(high, points[i]);
  double bottom = s->tops > 0 ? fmin(s->tops, s->peak_tops / 100) : s->peak_tops / 100;
  return (struct axes){(int)floor(log10(low) - 0.3), (int)ceil(log10(high) + 0.3), (int)floor(log10(bottom)),
                       (int)ceil(log10(s->peak_tops) + 0.1)};
}

static void write_grid(FILE *file, const struct axes *a) {
  for (int i = a->x0; i <= a->x1; i++) {
    double x = x_of(a, pow(10, i));
    fprintf(file, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>", x, x, TOP, BOTTOM);
    fprintf(file, "<text class=\"faint\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n", x, BOTTOM + 17,
            pow(10, i));
  }
  for (int i = a->y0; i <= a->y1; i++) {
    double y = y_of(a, pow(10, i));
    fprintf(file, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT, RIGHT, y, y);
    fprintf(file, "<text class=\"faint\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", LEFT - 6, y + 4,
            pow(10, i));
  }
  fprintf(file, "<text class=\"faint\" x=\"%d\" y=\"%d\" text-anchor=\"end\">operations a byte</text>"
                "<text class=\"faint\" x=\"%d\" y=\"%d\">TFLOP/s</text>\n", RIGHT, BOTTOM + 34, LEFT + 6, TOP + 10);
}

static void write_roof(FILE *file, const struct axes *a, const struct accel_summary *s, const struct accel_roof *roof,
                       const char *name, int colour) {
  double start = fmax(pow(10, a->x0), pow(10, a->y0) * 1e12 / roof->rate);
  double x = x_of(a, start), y = y_of(a, start * roof->rate / 1e12);
  double peak = y_of(a, s->peak_tops);
  fprintf(file, "<polyline fill=\"none\" stroke-width=\"2\" style=\"stroke: var(--c%d)\" ", colour);
  fprintf(file, "points=\"%.1f,%.1f %.1f,%.1f %d,%.1f\"/>\n", x, y, x_of(a, roof->ridge), peak, RIGHT, peak);
  if (roof->intensity > 0 && s->tops > 0)
    fprintf(file, "<circle class=\"point\" style=\"fill: var(--c%d)\" cx=\"%.1f\" cy=\"%.1f\" r=\"6\">"
                  "<title>%s: %.4g operations a byte, %.4g TFLOP/s</title></circle>\n", colour,
            x_of(a, roof->intensity), y_of(a, s->tops), name, roof->intensity, s->tops);
}

static void write_roof_row(FILE *file, const char *name, const struct accel_roof *roof, double used) {
  fprintf(file, "<tr><td>%s</td><td>%.4g</td><td>%.1f</td>", name, roof->rate / 1e12, 100 * used);
  if (roof->intensity > 0) fprintf(file, "<td>%.4g</td>", roof->intensity);
  else fprintf(file, "<td>none moved</td>");
  fprintf(file, "<td>%.4g</td></tr>\n", roof->ridge);
}

static void write_roofline(FILE *file, const struct accel_summary *s) {
  struct axes a = find_axes(s);
  fprintf(file, "<h2>Roofline</h2>\n<p><span class=\"key\"><i style=\"background: var(--c0)\"></i>HBM</span>"
                "<span class=\"key\"><i style=\"background: var(--c3)\"></i>L2</span> "
                "lines: what the chip could; points: this run</p>\n"
                "<svg viewBox=\"0 0 720 360\" role=\"img\" aria-label=\"roofline\">\n");
  write_grid(file, &a);
  write_roof(file, &a, s, &s->l2, "L2", 3);
  write_roof(file, &a, s, &s->hbm, "HBM", 0);
  fprintf(file, "</svg>\n<div class=\"wide\"><table>\n<tr><th>memory</th><th>TB/s</th><th>%% of its time used</th>"
                "<th>operations a byte</th><th>the peak needs</th></tr>\n");
  write_roof_row(file, "HBM", &s->hbm, s->limit[ACCEL_BY_HBM]);
  write_roof_row(file, "L2", &s->l2, s->limit[ACCEL_BY_L2]);
  fprintf(file, "</table></div>\n");
}

int accel_report_html(FILE *file, const struct accel_report *report) {
  struct accel_locale locale = accel_locale_begin();
  struct accel_summary s;
  accel_summarise(report, &s);
  write_head(file, report, &s);
  write_pipes(file, report, &s);
  write_roofline(file, &s);
  write_bytes(file, report, &s);
  write_energy(file, &s);
  fprintf(file, "</body>\n</html>\n");
  accel_locale_end(locale);
  return fflush(file) != 0 || ferror(file) ? -1 : 0;
}
