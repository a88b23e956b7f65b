/* Vector clocks. Within a core they are short: how far each of its pipes has been heard of, and which version of what
 * the core knows of other cores. Such knowledge comes only with tokens, at the start of a command, and so in versions
 * of which each holds the ones before; a full vector is kept once a version, not once a pipe or flag. */
#include "kernels/accel_sim/sim/race.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/accel_sim/sim/race_shadow.h"

enum { VERSION = ACCEL_PIPES, PARTS, TEXT = 512 };

struct clock {
  uint32_t at[PARTS]; /* one a pipe, then the version */
};

/* First in, first out; the `count` entries from `first` on, around the end. */
struct entry {
  struct clock clock;
  uint64_t command;
};
struct queue {
  struct entry *entry;
  int first, count, room;
};

struct core {
  struct clock pipe[ACCEL_PIPES];
  struct clock flag[ACCEL_PIPES][ACCEL_PIPES][ACCEL_FLAGS];
  uint32_t taken[ACCEL_PIPES][ACCEL_PIPES][ACCEL_FLAGS]; /* when, on the clock of the pipe that waited; 0: never */
  struct queue queue[ACCEL_PIPES]; /* the scalar unit's clocks, when it dispatched */
  struct queue live;               /* commands started and not ended, with what pipes that are past them knew then */
  uint64_t command[ACCEL_PIPES];   /* that the pipe is in, counted from 1 */
  uint64_t started;
  uint32_t **others; /* a version: the clocks of all cores' pipes */
  int versions, room;
};

struct token {
  int core;
  struct clock clock;
};

struct report {
  const struct accel_program *program[2];
  int index[2];
  char text[TEXT];
};

struct accel_race {
  struct accel_shadow *shadow;
  struct token *token; /* of this run; token[0] has the number first_token */
  uint64_t first_token;
  int64_t tokens, token_room;
  int cores, count;
  bool stopped; /* no memory */
  struct report report[ACCEL_RACES];
  struct core core[];
};

/* The detector cannot go on; a run that it did not watch must not pass for one without races. */
static void stop(struct accel_race *race) {
  race->stopped = true;
  if (race->count == ACCEL_RACES) return;
  struct report *report = &race->report[race->count++];
  report->program[0] = report->program[1] = NULL;
  snprintf(report->text, TEXT, "no memory to watch for races any longer: what came later was not checked");
}

static void join(struct clock *clock, const struct clock *other) {
  for (int i = 0; i < PARTS; i++)
    if (other->at[i] > clock->at[i]) clock->at[i] = other->at[i];
}

static struct entry *entry_at(const struct queue *queue, uint64_t i) {
  return &queue->entry[((uint64_t)queue->first + i) % (uint64_t)queue->room];
}

static bool grow(struct queue *queue) {
  int room = queue->room ? 2 * queue->room : 16;
  struct entry *entry = malloc((size_t)room * sizeof *entry);
  if (!entry) return false;
  for (int i = 0; i < queue->count; i++) entry[i] = *entry_at(queue, (uint64_t)i);
  free(queue->entry);
  *queue = (struct queue){entry, 0, queue->count, room};
  return true;
}

static bool push(struct queue *queue, const struct clock *clock, uint64_t command) {
  if (queue->count == queue->room && !grow(queue)) return false;
  *entry_at(queue, (uint64_t)queue->count++) = (struct entry){*clock, command};
  return true;
}

static struct entry pop(struct queue *queue) {
  struct entry entry = *entry_at(queue, 0);
  queue->first = (queue->first + 1) % queue->room;
  queue->count--;
  return entry;
}

static uint32_t *add_version(struct accel_race *race, struct core *core) {
  if (core->versions == core->room) {
    int room = core->room ? 2 * core->room : 8;
    uint32_t **others = realloc(core->others, (size_t)room * sizeof *others);
    if (!others) return NULL;
    core->others = others;
    core->room = room;
  }
  uint32_t *version = calloc((size_t)race->cores * ACCEL_PIPES, sizeof *version);
  if (version) core->others[core->versions++] = version;
  return version;
}

static void clear_core(struct core *core) {
  memset(core->pipe, 0, sizeof core->pipe);
  memset(core->flag, 0, sizeof core->flag);
  memset(core->taken, 0, sizeof core->taken);
  memset(core->command, 0, sizeof core->command);
  for (int p = 0; p < ACCEL_PIPES; p++) core->queue[p].count = 0;
  core->live.count = 0;
  core->started = 0;
  while (core->versions > 1) free(core->others[--core->versions]);
}

void accel_race_start_run(struct accel_race *race) {
  accel_shadow_destroy(race->shadow);
  race->shadow = accel_shadow_create();
  race->first_token += (uint64_t)race->tokens;
  race->tokens = 0;
  race->count = 0;
  race->stopped = false;
  for (int c = 0; c < race->cores; c++) clear_core(&race->core[c]);
  if (!race->shadow) stop(race);
}

struct accel_race *accel_race_create(int cores) {
  struct accel_race *race = calloc(1, sizeof *race + (size_t)cores * sizeof race->core[0]);
  if (!race) return NULL;
  race->cores = cores;
  race->first_token = 1;
  race->shadow = accel_shadow_create();
  bool ready = race->shadow;
  for (int c = 0; c < cores && ready; c++) ready = add_version(race, &race->core[c]);
  if (ready) return race;
  accel_race_destroy(race);
  return NULL;
}

static void destroy_core(struct core *core) {
  for (int p = 0; p < ACCEL_PIPES; p++) free(core->queue[p].entry);
  free(core->live.entry);
  while (core->versions) free(core->others[--core->versions]);
  free(core->others);
}

void accel_race_destroy(struct accel_race *race) {
  if (!race) return;
  for (int c = 0; c < race->cores; c++) destroy_core(&race->core[c]);
  accel_shadow_destroy(race->shadow);
  free(race->token);
  free(race);
}

/* The pipe goes on to a later command: the commands it leaves get what it knows, which later ones must not add to. */
static void leave_commands(struct core *core, int pipe, uint64_t command) {
  uint64_t first_live = core->started - (uint64_t)core->live.count + 1, left = core->command[pipe];
  for (uint64_t c = left > first_live ? left : first_live; c < command; c++)
    join(&entry_at(&core->live, c - first_live)->clock, &core->pipe[pipe]);
  core->command[pipe] = command;
}

/* The head of the pipe's queue begins. */
static void take_dispatched(struct core *core, int pipe) {
  if (!core->queue[pipe].count) return;
  struct entry dispatched = pop(&core->queue[pipe]);
  if (dispatched.command > core->command[pipe]) leave_commands(core, pipe, dispatched.command);
  join(&core->pipe[pipe], &dispatched.clock);
}

void accel_race_begin(struct accel_race *race, const struct accel_site *site) {
  struct core *core = &race->core[site->core];
  take_dispatched(core, (int)site->pipe);
  core->pipe[site->pipe].at[site->pipe]++;
}

void accel_race_set(struct accel_race *race, int core, enum accel_pipe from, enum accel_pipe to, int flag) {
  struct core *here = &race->core[core];
  take_dispatched(here, (int)from);
  here->flag[from][to][flag] = here->pipe[from];
}

void accel_race_wait(struct accel_race *race, int core, enum accel_pipe from, enum accel_pipe to, int flag) {
  struct core *here = &race->core[core];
  take_dispatched(here, (int)to);
  join(&here->pipe[to], &here->flag[from][to][flag]);
  here->taken[from][to][flag] = ++here->pipe[to].at[to];
}

void accel_race_dispatch(struct accel_race *race, int core, enum accel_pipe to) {
  struct core *here = &race->core[core];
  if (!race->stopped && !push(&here->queue[to], &here->pipe[ACCEL_S], here->started)) stop(race);
}

void accel_race_barrier(struct accel_race *race, int core, enum accel_pipe pipe) {
  struct core *here = &race->core[core];
  for (int p = 0; p < ACCEL_PIPES; p++)
    if (pipe == ACCEL_ALL || p == (int)pipe) {
      assert(!here->queue[p].count); /* drained, or the machine's calls do not match */
      join(&here->pipe[ACCEL_S], &here->pipe[p]);
    }
}

static struct token *add_token(struct accel_race *race) {
  if (race->tokens == race->token_room) {
    int64_t room = race->token_room ? 2 * race->token_room : 64;
    struct token *token = realloc(race->token, (size_t)room * sizeof *token);
    if (!token) return NULL;
    race->token = token;
    race->token_room = room;
  }
  return &race->token[race->tokens++];
}

/* A pipe that is past the command has left its clock of then with it. */
uint64_t accel_race_end_command(struct accel_race *race, int core) {
  struct core *here = &race->core[core];
  uint64_t ended = here->started;
  struct clock clock = {0};
  if (here->live.count) {
    ended -= (uint64_t)here->live.count - 1;
    clock = pop(&here->live).clock;
  }
  for (int p = 0; p < ACCEL_PIPES; p++)
    if (here->command[p] <= ended) join(&clock, &here->pipe[p]);
  struct token *token = race->stopped ? NULL : add_token(race);
  if (token) *token = (struct token){core, clock};
  if (!token && !race->stopped) stop(race);
  return token ? race->first_token + (uint64_t)race->tokens - 1 : 0;
}

static void join_others(struct accel_race *race, uint32_t *others, const uint32_t *more) {
  for (int i = 0; i < race->cores * ACCEL_PIPES; i++)
    if (more[i] > others[i]) others[i] = more[i];
}

static void join_token(struct accel_race *race, uint32_t *others, uint64_t number) {
  if (number < race->first_token) return; /* of an earlier run, or none */
  assert(number - race->first_token < (uint64_t)race->tokens);
  const struct token *token = &race->token[number - race->first_token];
  join_others(race, others, race->core[token->core].others[token->clock.at[VERSION]]);
  uint32_t *there = others + token->core * ACCEL_PIPES;
  for (int p = 0; p < ACCEL_PIPES; p++)
    if (token->clock.at[p] > there[p]) there[p] = token->clock.at[p];
}

/* Tokens may bring news of this core's own pipes too. */
static void hear_tokens(struct accel_race *race, int core, const uint64_t *tokens, int ntokens) {
  struct core *here = &race->core[core];
  struct clock *scalar = &here->pipe[ACCEL_S];
  uint32_t *others = add_version(race, here);
  if (!others) {
    stop(race);
    return;
  }
  join_others(race, others, here->others[scalar->at[VERSION]]);
  for (int i = 0; i < ntokens; i++) join_token(race, others, tokens[i]);
  for (int p = 0; p < ACCEL_PIPES; p++)
    if (others[core * ACCEL_PIPES + p] > scalar->at[p]) scalar->at[p] = others[core * ACCEL_PIPES + p];
  scalar->at[VERSION] = (uint32_t)here->versions - 1;
}

void accel_race_start_command(struct accel_race *race, int core, const uint64_t *tokens, int ntokens) {
  struct core *here = &race->core[core];
  const struct clock nothing = {0};
  if (race->stopped) return;
  if (!push(&here->live, &nothing, here->started + 1)) {
    stop(race);
    return;
  }
  here->started++;
  leave_commands(here, ACCEL_S, here->started);
  if (ntokens) hear_tokens(race, core, tokens, ntokens);
}

static void add(char *text, const char *format, ...) {
  size_t used = strlen(text);
  va_list args;
  va_start(args, format);
  vsnprintf(text + used, TEXT - used, format, args);
  va_end(args);
}

/* A program that was not assembled has no lines. */
static void add_place(char *text, const struct accel_program *program, int index) {
  const struct accel_line *line = program->lines ? &program->lines[index] : NULL;
  if (line) add(text, "%.120s:%d", program->files[line->file], line->line);
  else add(text, "instruction %d", index);
}

static void add_instruction(char *text, const struct accel_program *program, int index, int pipe) {
  char code[96] = "";
  accel_disassemble(program, index, code, sizeof code);
  add(text, "by ");
  add_place(text, program, index);
  add(text, " '%s' on %s", code, accel_pipe_names[pipe]);
}

static void describe(char *text, const struct accel_access *access, bool name_core) {
  add(text, access->write ? "written " : "read ");
  add_instruction(text, access->program, access->index, access->pipe);
  if (name_core) add(text, " of core %d", access->core);
}

static bool is_reported(const struct accel_race *race, const struct accel_access *a, const struct accel_access *b) {
  for (int i = 0; i < race->count; i++) {
    const struct report *r = &race->report[i];
    for (int first = 0; first < 2; first++)
      if (r->program[first] == a->program && r->index[first] == a->index && r->program[!first] == b->program &&
          r->index[!first] == b->index)
        return true;
  }
  return false;
}

static void add_report(struct accel_race *race, const struct accel_clash *clash, const struct accel_access *later,
                       enum accel_buffer buffer) {
  const struct accel_access *earlier = &clash->earlier;
  if (race->count == ACCEL_RACES || is_reported(race, earlier, later)) return;
  bool shared = buffer == ACCEL_GM;
  struct report *report = &race->report[race->count++];
  *report = (struct report){{earlier->program, later->program}, {earlier->index, later->index}, ""};
  add(report->text, "race on %s", accel_buffer_names[buffer]);
  if (!shared) add(report->text, " of core %d", later->core);
  add(report->text, ", bytes 0x%llx..0x%llx: ", (unsigned long long)clash->first, (unsigned long long)clash->last);
  describe(report->text, earlier, shared);
  add(report->text, ", ");
  describe(report->text, later, shared);
  add(report->text, "; no flag, barrier or token orders them");
}

void accel_race_reuse(struct accel_race *race, const struct accel_site *wait, const struct accel_site *set, int flag) {
  const struct core *core = &race->core[set->core];
  const uint32_t taken = core->taken[set->pipe][wait->pipe][flag];
  if (race->stopped || taken <= core->pipe[set->pipe].at[wait->pipe] || race->count == ACCEL_RACES) return;
  const struct accel_access earlier = {.program = wait->program, .index = wait->index};
  const struct accel_access later = {.program = set->program, .index = set->index};
  if (is_reported(race, &earlier, &later)) return;
  struct report *report = &race->report[race->count++];
  *report = (struct report){{wait->program, set->program}, {wait->index, set->index}, ""};
  add(report->text, "race on flag %s, %s, %d of core %d: taken down ", accel_pipe_names[set->pipe],
      accel_pipe_names[wait->pipe], flag, set->core);
  add_instruction(report->text, wait->program, wait->index, wait->pipe);
  add(report->text, ", raised again ");
  add_instruction(report->text, set->program, set->index, set->pipe);
  add(report->text, "; no flag, barrier or token orders them, and a signal may be lost");
}

static void access_range(struct accel_race *race, const struct accel_site *site, const struct accel_range *range,
                         bool write) {
  if (race->stopped || race->count == ACCEL_RACES) return;
  const struct core *core = &race->core[site->core];
  const struct clock *clock = &core->pipe[site->pipe];
  const struct accel_access access = {site->program, site->index, clock->at[site->pipe], (int16_t)site->core,
                                      (uint8_t)site->pipe, write};
  const struct accel_heard heard = {clock->at, core->others[clock->at[VERSION]]};
  struct accel_clash clashes[ACCEL_CLASHES];
  int n = accel_shadow_access(race->shadow, &access, &heard, range, clashes);
  for (int i = 0; i < n; i++) add_report(race, &clashes[i], &access, range->buffer);
  if (n < 0) stop(race);
}

void accel_race_read(struct accel_race *race, const struct accel_site *site, const struct accel_range *range) {
  access_range(race, site, range, false);
}

void accel_race_write(struct accel_race *race, const struct accel_site *site, const struct accel_range *range) {
  access_range(race, site, range, true);
}

const char *accel_race_report(const struct accel_race *race, int index) {
  return index >= 0 && index < race->count ? race->report[index].text : NULL;
}

int accel_race_count(const struct accel_race *race) { return race->count; }
