/* The machine: its life, its commands, and the loop that takes one unit after another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/accel_sim/sim/state.h"

/* Life. */

enum { MAX_CORES = 4096, MAX_QUEUE = 1 << 16 };

/* What the machine divides by or allocates; the rest is the parameter file's affair. */
static const char *wrong(const struct accel_params *p) {
  if (p->cores < 1 || p->cores > MAX_CORES) return "cores: 1 .. 4096";
  if (p->queue < 1 || p->queue > MAX_QUEUE) return "queue: 1 .. 65536";
  if (!(p->l2_rate > 0 && p->hbm_rate > 0 && p->ghz > 0)) return "rates of memory and the clock are above 0";
  if (p->systolic && (p->systolic_rows < 1 || p->systolic_columns < 1)) return "a systolic array has rows and columns";
  if (p->bank_bytes < 1 || p->l1_banks < 1 || p->l1_banks > MAX_BANKS || p->ub_banks < 1) return "banks: 1 .. 65536";
  for (int b = 0; b < ACCEL_BUFFERS; b++)
    if (p->align[b] < 1 || p->bytes[b] < 1) return "buffers have bytes and an alignment";
  return NULL;
}

static bool create_core(struct core *core, const struct accel_machine *m) {
  for (enum accel_pipe p = ACCEL_M; p < ACCEL_PIPES; p++) {
    core->unit[p].queue = calloc((size_t)m->params.queue, sizeof *core->unit[p].queue);
    if (!core->unit[p].queue) return false;
  }
  for (int b = ACCEL_L1; b < ACCEL_BUFFERS && !m->options.no_data; b++) {
    core->buffer[b] = accel_pages(m->params.bytes[b]);
    if (!core->buffer[b]) return false;
  }
  return true;
}

static bool create_parts(struct accel_machine *m) {
  size_t cores = (size_t)m->params.cores;
  m->core = calloc(cores, sizeof *m->core);
  m->flows.flow = calloc(cores * ACCEL_PIPES, sizeof *m->flows.flow);
  if (!m->core || !m->flows.flow || !accel_l2_create(&m->l2, m->params.l2_bytes)) return false;
  for (int i = 0; i < m->params.cores; i++)
    if (!create_core(&m->core[i], m)) return false;
  return !m->options.races || (m->race = accel_race_create(m->params.cores));
}

struct accel_machine *accel_machine_create(const struct accel_params *params, const struct accel_options *options,
                                           char *error, int error_size) {
  const char *what = wrong(params);
  struct accel_machine *m = what ? NULL : calloc(1, sizeof *m);
  if (m) {
    m->params = *params;
    m->options = options ? *options : (struct accel_options){0};
    if (!m->options.cycle_limit) m->options.cycle_limit = 1000000000000;
    m->random = m->options.shuffle;
    m->first_token = 1;
    m->flows.l2_rate = params->l2_rate;
    m->flows.l2_write_rate = params->l2_write_rate;
    m->flows.hbm_rate = params->hbm_rate / (params->ghz * 1e9);
    if (create_parts(m)) return m;
    accel_machine_destroy(m);
  }
  if (error_size > 0) snprintf(error, (size_t)error_size, "chip %.31s: %s", params->name, what ? what : "no memory");
  return NULL;
}

static void destroy_core(struct core *core, const struct accel_machine *m) {
  for (enum accel_pipe p = ACCEL_M; p < ACCEL_PIPES; p++) free(core->unit[p].queue);
  for (int b = ACCEL_L1; b < ACCEL_BUFFERS; b++)
    if (core->buffer[b]) munmap(core->buffer[b], m->params.bytes[b]);
}

static void drop_commands(struct accel_machine *m) {
  for (int i = 0; i < m->ncommands; i++) free(m->command[i]);
  m->first_token += (uint64_t)m->ncommands;
  m->ncommands = m->left = 0;
}

void accel_machine_destroy(struct accel_machine *m) {
  if (!m) return;
  drop_commands(m);
  for (int i = 0; i < m->params.cores && m->core; i++) destroy_core(&m->core[i], m);
  accel_gm_release(&m->gm);
  accel_l2_destroy(&m->l2);
  if (m->race) accel_race_destroy(m->race);
  free(m->flows.flow);
  free(m->watched);
  free(m->command);
  free(m->event);
  free(m->core);
  free(m);
}

const struct accel_params *accel_machine_params(const struct accel_machine *m) { return &m->params; }

/* Commands. */

static bool add_command(struct accel_machine *m, struct command *command) {
  if (m->ncommands == m->command_capacity) {
    int capacity = m->command_capacity ? 2 * m->command_capacity : 64;
    struct command **list = realloc(m->command, (size_t)capacity * sizeof *list);
    if (!list) return false;
    m->command = list, m->command_capacity = capacity;
  }
  command->token = m->first_token + (uint64_t)m->ncommands;
  m->command[m->ncommands++] = command;
  m->left++;
  struct core *core = &m->core[command->core];
  if (core->last)
    core->last->next = command;
  else
    core->first = core->upcoming = command;
  core->last = command;
  return true;
}

uint64_t accel_machine_launch(struct accel_machine *m, int core, const struct accel_program *program,
                              const uint64_t *args, int nargs, const uint64_t *after, int nafter) {
  if (core < 0 || core >= m->params.cores || nargs < 0 || nargs > ACCEL_ARGS || nafter < 0) return 0;
  struct command *command = calloc(1, sizeof *command + (size_t)nafter * sizeof *after);
  if (!command) return 0;
  command->program = program;
  command->core = core, command->nargs = nargs, command->nafter = nafter;
  command->after = (uint64_t *)(command + 1);
  if (nargs) memcpy(command->args, args, (size_t)nargs * sizeof *args);
  if (nafter) memcpy(command->after, after, (size_t)nafter * sizeof *after);
  if (add_command(m, command)) return command->token;
  free(command);
  return 0;
}

struct command *accel_token_command(const struct accel_machine *m, uint64_t token) {
  bool here = token >= m->first_token && token - m->first_token < (uint64_t)m->ncommands;
  return here ? m->command[token - m->first_token] : NULL;
}

int accel_machine_watch(struct accel_machine *m, uint64_t token) {
  struct command *command = accel_token_command(m, token);
  double *list = command ? realloc(m->watched, (size_t)(m->nwatched + 1) * sizeof *list) : NULL;
  if (!list) return -1;
  m->watched = list;
  list[m->nwatched] = -1;
  command->watch = m->nwatched + 1;
  return m->nwatched++;
}

double accel_machine_watched(const struct accel_machine *m, int number) {
  return number >= 0 && number < m->nwatched ? m->watched[number] : -1;
}

double accel_machine_now(const struct accel_machine *m) { return m->now; }

bool accel_token_ended(const struct accel_machine *m, uint64_t token) {
  const struct command *command = accel_token_command(m, token);
  return command ? command->ended : token < m->first_token;
}

/* Those of the core's first commands that are done end, in their order; who waits for tokens looks again. */
void accel_end_commands(struct accel_machine *m, struct core *core) {
  struct command *command;
  bool any = false;
  while ((command = core->first) && command->halted && command->pending == 0) {
    command->ended = any = true;
    if (command->watch) m->watched[command->watch - 1] = m->now;
    if (m->race) command->race_token = accel_race_end_command(m->race, accel_core_number(m, core));
    core->first = command->next;
    if (!core->first) core->last = NULL;
    m->left--;
  }
  for (int i = 0; i < m->params.cores && any; i++) {
    struct core *other = &m->core[i];
    const struct unit *unit = &other->unit[ACCEL_S];
    if (unit->state == HOLDING && unit->reason == ACCEL_STALL_TOKEN) accel_wake(other, ACCEL_S, m->now);
  }
}

/* The loop. */

static void look_at_next(struct core *core) {
  double next = INFINITY;
  for (int p = 0; p < ACCEL_PIPES; p++)
    if (core->when[p] < next) next = core->when[p];
  core->next = next;
}

static void step(struct accel_machine *m, struct core *core, enum accel_pipe pipe) {
  core->when[pipe] = INFINITY;
  m->steps++;
  if (pipe == ACCEL_S)
    accel_scalar_step(m, core);
  else
    accel_pipe_step(m, core, pipe);
  look_at_next(core);
}

/* The transfers that end now let their pipes go on. */
static void end_flows(struct accel_machine *m) {
  struct flows *flows = &m->flows;
  double late = fmax(1e-6, flows->next * 1e-15); /* cycles that rounding may leave */
  m->now = flows->next;
  accel_flows_advance(flows, m->now);
  for (int i = 0; i < flows->count;) {
    struct flow *flow = &flows->flow[i];
    if (flow->left > flow->rate * late) {
      i++;
      continue;
    }
    struct core *core = &m->core[flow->core];
    m->stats.contended += m->now - flow->began - core->unit[flow->pipe].work.bytes / flow->alone;
    accel_wake(core, flow->pipe, m->now);
    *flow = flows->flow[--flows->count];
  }
  flows->changed = true;
}

/* One unit after another, the earliest first; of those at one time the lowest core's lowest pipe. */
static void step_timed(struct accel_machine *m) {
  struct core *core = &m->core[0];
  for (int i = 1; i < m->params.cores; i++)
    if (m->core[i].next < core->next) core = &m->core[i];
  if (m->flows.count && m->flows.changed && core->next > m->now) {
    accel_flows_advance(&m->flows, m->now);
    accel_flows_share(&m->flows);
  }
  if (m->flows.count && !m->flows.changed && m->flows.next < core->next) {
    end_flows(m);
    return;
  }
  if (core->next == INFINITY) {
    accel_fail_deadlock(m);
    return;
  }
  enum accel_pipe pipe = ACCEL_S;
  while (core->when[pipe] > core->next) pipe++;
  m->now = core->next;
  if (m->now - m->start > (double)m->options.cycle_limit)
    accel_fail_limit(m);
  else
    step(m, core, pipe);
}

static uint64_t draw(struct accel_machine *m) {
  m->random ^= m->random << 13;
  m->random ^= m->random >> 7;
  return m->random ^= m->random << 17;
}

/* Any unit that may go on, each as likely, and it may go on some times: so that pipes run ahead of one another. */
static void step_shuffled(struct accel_machine *m) {
  int units = m->params.cores * ACCEL_PIPES, chosen = -1, candidates = 0;
  for (int i = 0; i < units; i++)
    if (m->core[i / ACCEL_PIPES].when[i % ACCEL_PIPES] < INFINITY && draw(m) % (uint64_t)++candidates == 0) chosen = i;
  if (chosen < 0) {
    accel_fail_deadlock(m);
    return;
  }
  struct core *core = &m->core[chosen / ACCEL_PIPES];
  enum accel_pipe pipe = (enum accel_pipe)(chosen % ACCEL_PIPES);
  int turns = 1 << draw(m) % 6;
  while (turns-- > 0 && core->when[pipe] < INFINITY && !m->fault.kind) step(m, core, pipe);
  if (m->steps > (double)m->options.cycle_limit) accel_fail_limit(m);
}

static void begin_run(struct accel_machine *m) {
  m->start = m->flows.time = m->now;
  m->steps = 0;
  m->fault = (struct accel_fault){0};
  if (m->race) accel_race_start_run(m->race);
  for (int i = 0; i < m->params.cores; i++) {
    struct core *core = &m->core[i];
    for (int p = 0; p < ACCEL_PIPES; p++) {
      core->when[p] = INFINITY;
      core->unit[p].since = m->now;
      core->unit[p].reason = ACCEL_STALL_IDLE;
      core->unit[p].waited = true;
    }
    core->next = INFINITY;
    if (core->first) accel_wake(core, ACCEL_S, m->now);
  }
}

static void end_run(struct accel_machine *m) {
  for (int i = 0; i < m->params.cores; i++)
    for (enum accel_pipe p = 0; p < ACCEL_PIPES; p++) accel_account(m, &m->core[i], p, ACCEL_STALL_IDLE, m->now);
  m->stats.cycles += m->now - m->start;
}

/* After a fault nothing of the run is left but what it wrote. */
static void abandon(struct accel_machine *m) {
  m->flows.count = 0;
  for (int i = 0; i < m->params.cores; i++) {
    struct core *core = &m->core[i];
    for (int p = 0; p < ACCEL_PIPES; p++) {
      core->unit[p].state = FREE;
      core->unit[p].head = core->unit[p].count = 0;
    }
    memset(core->flag, 0, sizeof core->flag);
    core->first = core->last = core->command = core->upcoming = NULL;
    core->halting = false;
  }
}

int accel_machine_run(struct accel_machine *m, struct accel_fault *fault) {
  begin_run(m);
  while (m->left && !m->fault.kind) (m->options.shuffle ? step_shuffled : step_timed)(m);
  end_run(m);
  accel_fail_races(m);
  if (m->fault.kind) abandon(m);
  drop_commands(m);
  if (fault) *fault = m->fault;
  return m->fault.kind ? -1 : 0;
}
