/* tessera-bench: Tessera beside other libraries on this machine: for GEMM BLAS, for attention PyTorch and ggml,
 * for convolution oneDNN.
 *
 * One process (worker.h) loads each library and answers requests for one sample; this one asks them in turn, round by
 * round, so that the drift of a shared machine meets all alike, and keeps the samples whose gauges say that nothing
 * else disturbed them (measure.h). What is measured and how it is printed is in sections.h. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/json.h"
#include "bench/sections.h"
#include "bench/team.h"

static const char usage[] =
    "Usage: tessera-bench [gemm|attention|conv|blas] [options]\n"
    "Measures Tessera's GEMM beside other BLAS libraries, about two and a half minutes without options; its\n"
    "attention beside PyTorch and ggml, its convolution beside oneDNN, or all routines of the\n"
    "BLAS, about ten minutes.\n"
    "\n"
    "  --threads N         measure with N threads only (default: 1, and a shorter part with 2)\n"
    "  --type f32|f64|both of GEMM: measure one type, or both in full (default: f32, and a shorter part with f64)\n"
    "  --shapes FILE       instead of the built-in lists, may be repeated. GEMM: lines `m n k N|T N|T`, row-major;\n"
    "                      attention: `batch heads_q heads_kv len_q len_kv d_qk d_v causal(0|1) kv_type [layout]`;\n"
    "                      conv: `C->K@SIZE RxS[/STRIDE] ...`, see bench/shapes/conv.txt;\n"
    "                      blas: `name types options sizes` below a section's [name], see bench/shapes/blas.txt\n"
    "  --layout nhwc|nchw|both  of convolutions (default: both)\n"
    "  --batch N           of convolutions: N images (default: 1, and a shorter part with 8)\n"
    "  --seed N            of convolutions drawn at random (default: 1)\n"
    "  --filter TEXT       only shapes whose label (as printed) contains TEXT\n"
    "  --section NAME      only one section; --list names them\n"
    "  --peer NAME=PATH    one more library to compare with (BLAS; for attention libggml-cpu.so, or the Python that\n"
    "                      has torch; for conv libdnnl.so.3, blocked layout); may be repeated\n"
    "  --no-peer           none of the known libraries (those of --peer only)\n"
    "  --venv DIR          Python environment with scipy-openblas32 and mkl; for attention with torch;\n"
    "                      for conv with onednn-cpu-gomp (default: $TESSERA_BENCH_VENV, build/venv)\n"
    "  --library PATH      the Tessera library (default: the one of this build)\n"
    "  --rounds N          exactly N rounds over all shapes\n"
    "  --time SECONDS      how long the whole run may take (GEMM: 160, 1500 with --full; others: 600, 3600)\n"
    "  --full              all shapes, types and thread counts\n"
    "  --json FILE         write all results as JSON\n"
    "  --html FILE         write a report with plots (needs Python with matplotlib)\n"
    "  --list              print the sections, libraries and shapes, measure nothing\n"
    "  --help              print this\n"
    "\n"
    "Samples count when the gauges before and after them ran near their best (FMA within 5 %) and no other program\n"
    "held their CPUs meanwhile.\n"
    "A `*` marks figures of libraries that had fewer than three such samples: the fastest were taken.\n";

enum {
  OPT_THREADS = 256, OPT_TYPE, OPT_SHAPES, OPT_FILTER, OPT_SECTION, OPT_PEER, OPT_NO_PEER, OPT_VENV, OPT_LIBRARY,
  OPT_ROUNDS, OPT_TIME, OPT_FULL, OPT_JSON, OPT_HTML, OPT_LIST, OPT_HELP,
  OPT_LAYOUT, OPT_BATCH, OPT_SEED
};

static const struct option long_options[] = {
    {"threads", required_argument, NULL, OPT_THREADS}, {"type", required_argument, NULL, OPT_TYPE},
    {"shapes", required_argument, NULL, OPT_SHAPES},   {"filter", required_argument, NULL, OPT_FILTER},
    {"section", required_argument, NULL, OPT_SECTION}, {"peer", required_argument, NULL, OPT_PEER},
    {"no-peer", no_argument, NULL, OPT_NO_PEER},       {"venv", required_argument, NULL, OPT_VENV},
    {"library", required_argument, NULL, OPT_LIBRARY}, {"rounds", required_argument, NULL, OPT_ROUNDS},
    {"time", required_argument, NULL, OPT_TIME},       {"full", no_argument, NULL, OPT_FULL},
    {"json", required_argument, NULL, OPT_JSON},       {"html", required_argument, NULL, OPT_HTML},
    {"list", no_argument, NULL, OPT_LIST},             {"help", no_argument, NULL, OPT_HELP},
    {"layout", required_argument, NULL, OPT_LAYOUT},   {"batch", required_argument, NULL, OPT_BATCH},
    {"seed", required_argument, NULL, OPT_SEED},       {NULL, 0, NULL, 0}};

/* What concerns this file only. */
struct command {
  const char *venv, *library, *json, *html, *peer[BENCH_MAX_PEERS];
  int npeers;
  bool no_peer, list;
};

static int refuse(const char *option, const char *value, const char *wanted) {
  fprintf(stderr, "tessera-bench: --%s %s: expected %s\n", option, value, wanted);
  return -1;
}

static int number(const char *option, const char *text, int most, int *value) {
  char *end;
  errno = 0;
  long n = strtol(text, &end, 10);
  if (errno || end == text || *end || n < 1 || n > most) {
    char wanted[64];
    snprintf(wanted, sizeof wanted, "a number from 1 to %d", most);
    return refuse(option, text, wanted);
  }
  *value = (int)n;
  return 0;
}

static int type_of(const char *text, struct bench_options *o) {
  o->chosen = true;
  o->type_bytes = strcmp(text, "f32") == 0 ? 4 : strcmp(text, "f64") == 0 ? 8 : 0;
  return o->type_bytes || strcmp(text, "both") == 0 ? 0 : refuse("type", text, "f32, f64 or both");
}

static int layout_of(const char *text, struct bench_options *o) {
  bool both = strcmp(text, "both") == 0;
  o->formats = 0;
  for (int i = BENCH_NHWC; i <= BENCH_NCHW; i++)
    if (both || strcmp(text, bench_formats[i]) == 0) o->formats |= 1u << i;
  return o->formats ? 0 : refuse("layout", text, "nhwc, nchw or both");
}

static int take(int option, char *value, struct bench_options *o, struct command *c) {
  int seconds, n;
  switch (option) {
    case OPT_THREADS: o->chosen = true; return number("threads", value, BENCH_MAX_THREADS, &o->threads);
    case OPT_TYPE: return type_of(value, o);
    case OPT_SHAPES:
      if (o->nshapes == BENCH_MAX_FILES) return refuse("shapes", value, "fewer files");
      o->shapes[o->nshapes++] = value;
      return 0;
    case OPT_FILTER: o->filter = value; return 0;
    case OPT_SECTION: o->section = value; return 0;
    case OPT_PEER:
      if (c->npeers == BENCH_MAX_PEERS) return refuse("peer", value, "fewer libraries");
      c->peer[c->npeers++] = value;
      return 0;
    case OPT_NO_PEER: c->no_peer = true; return 0;
    case OPT_VENV: c->venv = value; return 0;
    case OPT_LIBRARY: c->library = value; return 0;
    case OPT_ROUNDS: return number("rounds", value, 10000, &o->rounds);
    case OPT_TIME:
      if (number("time", value, 1000000, &seconds) != 0) return -1;
      o->seconds = seconds;
      return 0;
    case OPT_FULL: o->full = true; return 0;
    case OPT_JSON: c->json = value; return 0;
    case OPT_HTML: c->html = value; return 0;
    case OPT_LIST: c->list = true; return 0;
    case OPT_LAYOUT: return layout_of(value, o);
    case OPT_BATCH:
      if (number("batch", value, 1024, &n) != 0) return -1;
      o->images = n;
      return 0;
    case OPT_SEED:
      if (number("seed", value, 1000000, &n) != 0) return -1;
      o->seed = (unsigned)n;
      return 0;
    case OPT_HELP: fputs(usage, stdout); exit(0);
    default: return -1;
  }
}

static bool has_section(const struct bench_options *o, const char *name) {
  for (int i = 0; i < bench_section_count; i++)
    if (strcmp(bench_sections[i].suite, o->suite) == 0 && (!name || strcmp(bench_sections[i].name, name) == 0))
      return true;
  return false;
}

/* What follows from other options. */
static int complete(struct bench_options *o, struct command *c) {
  static const double seconds[2][2] = {{160, 1500}, {600, 3600}};
  bool gemm = strcmp(o->suite, "gemm") == 0;
  if (o->section && !has_section(o, o->section)) return refuse("section", o->section, "a name that --list prints");
  if (!c->venv) c->venv = getenv("TESSERA_BENCH_VENV");
  if (!c->venv) c->venv = "build/venv";
  if (!o->formats) layout_of("both", o);
  if (o->seconds <= 0) o->seconds = seconds[!gemm][o->full];
  /* Shapes of one's own are those of the first section; the other sections would only repeat them. Those of the BLAS
   * say of which section they are. */
  bool says = strcmp(o->suite, "blas") == 0;
  for (int i = 0; o->nshapes && !o->section && !says; i++)
    if (strcmp(bench_sections[i].suite, o->suite) == 0) o->section = bench_sections[i].name;
  return 0;
}

static int parse(int argc, char **argv, struct bench_options *o, struct command *c) {
  int option;
  while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
    if (take(option, optarg, o, c) != 0) return -1;
  o->suite = optind < argc ? argv[optind++] : "gemm";
  if (optind < argc) fprintf(stderr, "tessera-bench: unexpected argument %s\n", argv[optind]);
  else if (has_section(o, NULL)) return complete(o, c);
  else fprintf(stderr, "tessera-bench: there is no \"%s\" to measure: use gemm, attention or conv\n", o->suite);
  return -1;
}

static int plan(struct bench_run *run) {
  for (int i = 0; i < bench_section_count; i++) {
    const struct bench_section *s = &bench_sections[i];
    if (strcmp(run->options.suite, s->suite) != 0) continue;
    if (run->options.section && strcmp(run->options.section, s->name) != 0) continue;
    if (s->plan(run, s) != 0) return -1;
  }
  if (run->batches > 0) return 0;
  fprintf(stderr, "tessera-bench: no shape is left to measure: see --filter, --section, --threads and --type\n");
  return -1;
}

static int find_peers(struct bench_run *run, const struct command *c) {
  if (strcmp(run->options.suite, "attention") == 0)
    bench_peers_find_attention(&run->peers, c->library, c->venv, c->no_peer);
  else if (strcmp(run->options.suite, "conv") == 0)
    bench_peers_find_conv(&run->peers, c->library, c->venv, c->no_peer, run->options.formats);
  else
    bench_peers_find(&run->peers, c->library, c->venv, c->no_peer, run->options.full);
  for (int i = 0; i < c->npeers; i++)
    if (!bench_peers_add(&run->peers, c->peer[i])) return refuse("peer", c->peer[i], "NAME=PATH");
  bench_peers_probe(&run->peers);
  return 0;
}

static void print_machine(const struct bench_run *run) {
  char name[128];
  bench_cpu_name(name, sizeof name);
  printf("%s, %d CPUs, gauges %s\n", name, bench_cpus(), bench_gauge_isa());
  for (int i = 0; i < run->peers.count; i++) {
    const struct bench_peer *p = &run->peers.peer[i];
    printf("  %-13s %s%s%s\n", p->name, p->usable ? p->about : "not here:", p->setting ? ", helped by " : "",
           p->setting ? p->setting : "");
    if (!p->usable) printf("  %13s %s\n  %13s %s\n", "", p->about, "", p->how);
  }
  fflush(stdout);
}

/* The missing libraries have been named; without a column each the tables are narrower. */
static void drop_missing(struct bench_peers *peers) {
  int kept = 0;
  for (int i = 0; i < peers->count; i++)
    if (peers->peer[i].usable) peers->peer[kept++] = peers->peer[i];
  peers->count = kept;
}

static void list(const struct bench_run *run) {
  for (int i = 0; i < bench_section_count; i++)
    if (strcmp(bench_sections[i].suite, run->options.suite) == 0)
      printf("section %-10s %s\n", bench_sections[i].name, bench_sections[i].title);
  for (int i = 0; i < run->batches; i++) {
    printf("%s\n", run->batch[i].title);
    for (int j = 0; j < run->batch[i].count; j++) printf("  %s\n", run->batch[i].cases[j].label);
  }
}

/* How many figures rest on quiet samples, said where it is not all of them. */
static void print_quiet(const struct bench_run *run) {
  int figures = 0, marked = 0;
  for (int i = 0; i < run->batches; i++)
    for (int j = 0; j < run->batch[i].count; j++)
      for (int p = 0; p < run->peers.count; p++) {
        const struct bench_summary *s = &run->batch[i].cases[j].summary[p];
        figures += s->median > 0;
        marked += s->median > 0 && s->marked;
      }
  if (marked)
    printf("%d of %d figures (*) had fewer than three quiet samples: other programs used this machine%s.\n", marked,
           figures, marked * 4 > figures ? ", so much that ratios mean little; run it again when it is free" : "");
}

static void measure(struct bench_run *run) {
  double shares = 0, start = bench_now();
  for (int i = 0; i < run->batches; i++) shares += run->batch[i].share;
  for (int i = 0; i < run->batches; i++) {
    struct bench_batch *b = &run->batch[i];
    double left = run->options.seconds - (bench_now() - start);
    struct bench_rules rules = {left * b->share / shares, run->options.rounds, run->options.full ? 15 : 7, 4e-3};
    bench_measure(b, &run->peers, &rules);
    b->section->print(run, b);
    fflush(stdout);
    shares -= b->share; /* time that a batch did not need goes to the later ones */
  }
  printf("\nTook %.0f s.\n", bench_now() - start);
  print_quiet(run);
}

static int make_html(const struct command *c, const char *json) {
  char python[512];
  int status = -1;
  snprintf(python, sizeof python, "%s/bin/python3", c->venv);
  pid_t pid = fork();
  if (pid == 0) {
    if (access(python, X_OK) == 0) execl(python, python, BENCH_REPORT, json, c->html, (char *)NULL);
    execlp("python3", "python3", BENCH_REPORT, json, c->html, (char *)NULL);
    _exit(127);
  }
  if (pid > 0) waitpid(pid, &status, 0);
  if (status == 0) return 0;
  fprintf(stderr, "tessera-bench: no report was written to %s: it needs Python with matplotlib (--venv)\n", c->html);
  return -1;
}

static int write_results(const struct bench_run *run, const struct command *c) {
  char temporary[] = "/tmp/tessera-bench-XXXXXX";
  const char *json = c->json;
  int status = 0;
  if (!json && !c->html) return 0;
  if (!json) {
    int fd = mkstemp(temporary);
    if (fd >= 0) close(fd);
    json = temporary;
  }
  status = bench_json_write(run, json);
  if (status == 0 && c->html) status = make_html(c, json);
  if (!c->json) unlink(temporary);
  return status;
}

int main(int argc, char **argv) {
  static struct bench_run run;
  struct command command = {0};
  if (argc == 4 && strcmp(argv[1], "--worker") == 0) return bench_worker_main(atoi(argv[2]), argv[3]);
  if (parse(argc, argv, &run.options, &command) != 0) {
    fprintf(stderr, "Try tessera-bench --help.\n");
    return 2;
  }
  if (plan(&run) != 0 || find_peers(&run, &command) != 0) return 2;
  print_machine(&run);
  if (command.list) return list(&run), 0;
  if (!run.peers.peer[0].usable) {
    fprintf(stderr, "tessera-bench: %s cannot be loaded\n", run.peers.peer[0].path);
    return 1;
  }
  drop_missing(&run.peers);
  measure(&run);
  return write_results(&run, &command) == 0 ? 0 : 1;
}
