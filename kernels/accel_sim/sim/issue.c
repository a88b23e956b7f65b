/* The scalar unit, which takes a program's instructions in order and hands to the pipes what is theirs, and the pipes'
 * queues, which take them up. Flags are raised when set_flag ends and taken down when wait_flag begins to pass. */
#include <string.h>

#include "kernels/accel_sim/sim/state.h"

enum { QUANTUM = 256 }; /* scalar instructions between looks at the other units */

static struct accel_site pipe_site(const struct accel_machine *m, const struct core *core, enum accel_pipe pipe) {
  const struct entry *e = &core->unit[pipe].current;
  return (struct accel_site){e->program, e->index, accel_core_number(m, core), pipe};
}

/* Flags. */

static bool raise_flag(struct accel_machine *m, struct core *core, enum accel_pipe from, enum accel_pipe to, int id,
                       const struct accel_site *site) {
  struct flag *flag = &core->flag[from][to][id];
  const char *a = accel_pipe_names[from], *b = accel_pipe_names[to];
  if (flag->up)
    return accel_fail(m, ACCEL_BAD_FLAG, site, "flag %s, %s, %d is still up since the set_flag of line %d: a signal is "
                      "lost; %s must have waited for it before it is set again", a, b, id, flag->line, b);
  flag->up = true;
  flag->line = site->program->lines ? site->program->lines[site->index].line : 0;
  if (m->race) accel_race_set(m->race, accel_core_number(m, core), from, to, id);
  if (m->race && flag->waited.program) accel_race_reuse(m->race, &flag->waited, site, id);
  const struct unit *unit = &core->unit[to];
  bool waits = unit->state == HOLDING && unit->reason == ACCEL_STALL_FLAG;
  if (to == ACCEL_S ? waits && core->blocked_on == from && core->blocked_flag == id : waits)
    accel_wake(core, to, m->now);
  return true;
}

static bool take_flag(struct accel_machine *m, struct core *core, enum accel_pipe from, enum accel_pipe to, int id) {
  struct flag *flag = &core->flag[from][to][id];
  if (!flag->up) return false;
  flag->up = false;
  flag->waited = to == ACCEL_S ? accel_scalar_site(m, core) : pipe_site(m, core, to);
  if (m->race) accel_race_wait(m->race, accel_core_number(m, core), from, to, id);
  return true;
}

/* What the scalar unit does with others. Each returns false when it must stop here. */

static void set_reason(struct accel_machine *m, struct core *core, int reason) {
  int before = core->unit[ACCEL_S].reason;
  if (before == reason) return;
  accel_account(m, core, ACCEL_S, reason, m->now);
  accel_account_idle(m, core);
}

/* The instruction at pc is tried again when somebody wakes the scalar unit. */
static bool hold(struct accel_machine *m, struct core *core, enum accel_stall reason, enum accel_pipe on) {
  set_reason(m, core, (int)reason);
  core->unit[ACCEL_S].state = HOLDING;
  core->blocked_on = on;
  return false;
}

/* Goes on after `cycles`, which count as `reason`. */
static bool pay(struct accel_machine *m, struct core *core, int reason, double cycles) {
  set_reason(m, core, reason);
  core->unit[ACCEL_S].state = WORKING;
  accel_wake(core, ACCEL_S, accel_after(m, cycles));
  return false;
}

/* The scalar unit does the instruction at pc itself. */
static void record(struct accel_machine *m, const struct core *core, double start, double end, bool stall) {
  struct accel_site site = accel_scalar_site(m, core);
  m->stats.instructions[site.program->code[site.index].opcode]++;
  if (!m->options.trace) return;
  accel_event_end(m, accel_event_begin(m, &site, start), end, stall);
}

/* A wait is over. It takes a cycle at least, so that no program stands still in time. */
static bool pass(struct accel_machine *m, struct core *core, enum accel_stall reason, double cycles) {
  const struct unit *unit = &core->unit[ACCEL_S];
  cycles = fmax(cycles, 1);
  record(m, core, unit->began, accel_after(m, cycles), unit->state == HOLDING);
  core->pc++;
  return pay(m, core, (int)reason, cycles);
}

static void capture(const struct core *core, const struct accel_word *word, struct entry *e) {
  const char *operands = accel_ops[word->opcode].operands;
  for (int i = 0; i < 6 && operands[i]; i++) e->value[i] = accel_register(core, word, i);
}

/* The flag's number, or -1 with a fault. */
static int flag_number(struct accel_machine *m, struct core *core, const struct accel_word *word) {
  int from = word->pipes & 15, to = word->pipes >> 4;
  int64_t id = word->flag == ACCEL_FLAG_IN_REGISTER ? accel_register(core, word, 0) : word->flag;
  if (id >= 0 && id < ACCEL_FLAGS && from < ACCEL_PIPES && to < ACCEL_PIPES) return (int)id;
  struct accel_site site = accel_scalar_site(m, core);
  accel_fail(m, ACCEL_BAD_FLAG, &site, "flag %lld: they are 0 .. %d of each two pipes", (long long)id, ACCEL_FLAGS - 1);
  return -1;
}

static bool dispatch(struct accel_machine *m, struct core *core, const struct accel_word *word, enum accel_pipe pipe,
                     int flag) {
  struct unit *unit = &core->unit[pipe];
  if (unit->count == m->params.queue) return hold(m, core, ACCEL_STALL_QUEUE, pipe);
  set_reason(m, core, BUSY);
  struct entry *e = &unit->queue[(unit->head + unit->count++) % m->params.queue];
  *e = (struct entry){.program = core->command->program, .command = core->command, .index = core->pc,
                      .ready = accel_after(m, 1)};
  if (flag >= 0)
    e->value[0] = flag;
  else
    capture(core, word, e);
  if (word->opcode == ACCEL_LOAD3D_L0A) memcpy(e->map, core->map, sizeof e->map);
  core->command->pending++;
  if (m->race) accel_race_dispatch(m->race, accel_core_number(m, core), pipe);
  if (unit->state == FREE && unit->count == 1) accel_wake(core, pipe, e->ready);
  core->pc++;
  return true;
}

static bool scalar_set(struct accel_machine *m, struct core *core, enum accel_pipe to, int flag) {
  struct accel_site site = accel_scalar_site(m, core);
  set_reason(m, core, BUSY);
  if (!raise_flag(m, core, ACCEL_S, to, flag, &site)) return false;
  record(m, core, m->now, accel_after(m, 1), false);
  core->pc++;
  return true;
}

static bool scalar_wait(struct accel_machine *m, struct core *core, enum accel_pipe from, int flag) {
  core->blocked_flag = flag;
  if (!take_flag(m, core, from, ACCEL_S, flag)) return hold(m, core, ACCEL_STALL_FLAG, from);
  return pass(m, core, ACCEL_STALL_FLAG, m->params.flag_cycles);
}

static bool drained(const struct core *core, enum accel_pipe pipe) {
  for (enum accel_pipe p = ACCEL_M; p < ACCEL_PIPES; p++)
    if ((pipe == p || pipe == ACCEL_ALL) && (core->unit[p].state != FREE || core->unit[p].count)) return false;
  return true;
}

static bool barrier(struct accel_machine *m, struct core *core, enum accel_pipe pipe) {
  if (!drained(core, pipe)) return hold(m, core, ACCEL_STALL_BARRIER, pipe);
  if (m->race) accel_race_barrier(m->race, accel_core_number(m, core), pipe);
  return pass(m, core, ACCEL_STALL_BARRIER, m->params.barrier_cycles);
}

static bool load_ub(struct accel_machine *m, struct core *core, const struct accel_word *word) {
  const double cycles = m->params.barrier_cycles;
  struct entry e = {.program = core->command->program, .command = core->command, .index = core->pc};
  struct work work;
  capture(core, word, &e);
  if (!accel_execute(m, core, ACCEL_S, &e, &work)) return false;
  core->reg[word->r[0] % ACCEL_REGISTERS] = work.loaded;
  core->reg[0] = 0;
  record(m, core, m->now, accel_after(m, cycles), false);
  core->pc++;
  return pay(m, core, BUSY, fmax(cycles, 1));
}

static bool interact(struct accel_machine *m, struct core *core, const struct accel_word *word) {
  enum accel_pipe from = (enum accel_pipe)(word->pipes & 15), to = (enum accel_pipe)(word->pipes >> 4);
  bool set = word->opcode == ACCEL_SET_FLAG;
  int flag = -1;
  if (word->opcode == ACCEL_HALT) {
    record(m, core, m->now, accel_after(m, 1), false);
    core->halting = true;
    return pay(m, core, BUSY, 1);
  }
  if (word->opcode == ACCEL_LD_UB) return load_ub(m, core, word);
  if (word->opcode == ACCEL_PIPE_BARRIER) return barrier(m, core, (enum accel_pipe)word->pipes);
  if (!set && word->opcode != ACCEL_WAIT_FLAG) return dispatch(m, core, word, accel_ops[word->opcode].pipe, flag);
  if ((flag = flag_number(m, core, word)) < 0) return false;
  enum accel_pipe pipe = set ? from : to;
  if (pipe != ACCEL_S) return dispatch(m, core, word, pipe, flag);
  return set ? scalar_set(m, core, to, flag) : scalar_wait(m, core, from, flag);
}

/* Runs ahead of the other units as far as only the scalar unit is concerned. */
static void run(struct accel_machine *m, struct core *core) {
  const double cycle = m->options.shuffle ? 0 : 1;
  struct unit *unit = &core->unit[ACCEL_S];
  double t = m->now;
  for (int i = 0; i < QUANTUM; i++) {
    const struct accel_word *word = accel_fetch(m, core);
    if (!word) return;
    bool own = word->opcode < ACCEL_SET_FLAG && word->opcode != ACCEL_HALT;
    if (own) {
      set_reason(m, core, BUSY);
      record(m, core, t, t + cycle, false);
      if (!accel_scalar_instruction(m, core, word)) return;
    } else {
      if (t > m->now) break;
      if (unit->state != HOLDING) unit->began = m->now;
      if (!interact(m, core, word)) return;
      unit->state = WORKING;
    }
    t += cycle, m->steps++;
    if (!own && m->options.shuffle) break;
  }
  accel_wake(core, ACCEL_S, t);
}

/* Takes up the core's next command; false: there is none, or it waits for tokens. */
static bool take_command(struct accel_machine *m, struct core *core) {
  struct command *command = core->upcoming;
  struct unit *unit = &core->unit[ACCEL_S];
  unit->state = command ? HOLDING : FREE;
  if (!command) set_reason(m, core, ACCEL_STALL_IDLE);
  bool ready = command != NULL;
  for (int i = 0; ready && i < command->nafter; i++) ready = accel_token_ended(m, command->after[i]);
  if (command && !ready) set_reason(m, core, ACCEL_STALL_TOKEN);
  if (!ready) return false;
  for (int i = 0; i < command->nafter; i++) {
    const struct command *other = accel_token_command(m, command->after[i]);
    command->after[i] = other ? other->race_token : 0;
  }
  if (m->race) accel_race_start_command(m->race, accel_core_number(m, core), command->after, command->nafter);
  unit->state = WORKING;
  core->command = command, core->upcoming = command->next;
  core->pc = core->depth = 0;
  memset(core->reg, 0, sizeof core->reg);
  memset(core->map, 0, sizeof core->map);
  set_reason(m, core, BUSY);
  return true;
}

void accel_scalar_step(struct accel_machine *m, struct core *core) {
  if (core->halting) {
    core->halting = false;
    core->command->halted = true;
    core->command = NULL;
    accel_end_commands(m, core);
  }
  if (core->command || take_command(m, core)) run(m, core);
}

/* The pipes. */

static void finish(struct accel_machine *m, struct core *core, enum accel_pipe pipe) {
  struct unit *unit = &core->unit[pipe];
  const struct entry *e = &unit->current;
  const struct accel_word *word = &e->program->code[e->index];
  struct accel_site site = pipe_site(m, core, pipe);
  accel_event_end(m, unit->event, m->now, unit->held);
  if (word->opcode == ACCEL_SET_FLAG)
    raise_flag(m, core, pipe, (enum accel_pipe)(word->pipes >> 4), (int)e->value[0], &site);
  unit->state = FREE;
  e->command->pending--;
  if (e->command->halted) accel_end_commands(m, core);
}

/* The pipe's next instruction; false: none is there yet. */
static bool take_next(struct accel_machine *m, struct core *core, enum accel_pipe pipe) {
  struct unit *unit = &core->unit[pipe];
  const struct unit *scalar = &core->unit[ACCEL_S];
  bool holds = scalar->state == HOLDING;
  if (unit->count && unit->queue[unit->head].ready <= m->now) {
    unit->current = unit->queue[unit->head];
    unit->head = (unit->head + 1) % m->params.queue;
    unit->count--;
    if (holds && scalar->reason == ACCEL_STALL_QUEUE && core->blocked_on == pipe) accel_wake(core, ACCEL_S, m->now);
    unit->waited |= unit->reason != BUSY && unit->reason != ACCEL_STALL_FLAG && m->now > unit->since;
    unit->began = m->now;
    return true;
  }
  if (unit->reason != accel_idle_reason(core)) accel_account(m, core, pipe, accel_idle_reason(core), m->now);
  if (unit->count)
    accel_wake(core, pipe, unit->queue[unit->head].ready);
  else if (holds && scalar->reason == ACCEL_STALL_BARRIER)
    accel_wake(core, ACCEL_S, m->now);
  return false;
}

static void begin_wait(struct accel_machine *m, struct core *core, enum accel_pipe pipe, enum accel_pipe from) {
  struct unit *unit = &core->unit[pipe];
  if (unit->reason != ACCEL_STALL_FLAG) accel_account(m, core, pipe, ACCEL_STALL_FLAG, m->now);
  if (!take_flag(m, core, from, pipe, (int)unit->current.value[0])) {
    unit->state = HOLDING;
    return;
  }
  unit->held = m->now > unit->began;
  unit->waited |= unit->held;
  unit->state = WORKING;
  accel_wake(core, pipe, accel_after(m, m->params.flag_cycles));
}

static void begin_set(struct accel_machine *m, struct core *core, enum accel_pipe pipe) {
  struct unit *unit = &core->unit[pipe];
  if (unit->reason != ACCEL_STALL_FLAG) accel_account(m, core, pipe, ACCEL_STALL_FLAG, m->now);
  unit->state = WORKING;
  accel_wake(core, pipe, accel_after(m, m->params.flag_cycles));
}

static void begin_work(struct accel_machine *m, struct core *core, enum accel_pipe pipe) {
  struct unit *unit = &core->unit[pipe];
  if (!accel_execute(m, core, pipe, &unit->current, &unit->work)) return;
  if (!m->options.shuffle) accel_count_conflicts(m, core, pipe);
  if (unit->reason != BUSY) accel_account(m, core, pipe, BUSY, m->now);
  unit->waited = false;
  unit->state = unit->work.flows && !m->options.shuffle ? STARTING : WORKING;
  accel_wake(core, pipe, accel_after(m, unit->work.cycles));
}

static void begin(struct accel_machine *m, struct core *core, enum accel_pipe pipe) {
  struct unit *unit = &core->unit[pipe];
  const struct accel_word *word = &unit->current.program->code[unit->current.index];
  if (unit->state != HOLDING) {
    struct accel_site site = pipe_site(m, core, pipe);
    unit->event = accel_event_begin(m, &site, m->now);
    unit->held = false;
    unit->work.nbanks = 0;
    m->stats.instructions[word->opcode]++;
  }
  if (word->opcode == ACCEL_WAIT_FLAG)
    begin_wait(m, core, pipe, (enum accel_pipe)(word->pipes & 15));
  else if (word->opcode == ACCEL_SET_FLAG)
    begin_set(m, core, pipe);
  else
    begin_work(m, core, pipe);
}

static void start_flow(struct accel_machine *m, struct core *core, enum accel_pipe pipe) {
  struct unit *unit = &core->unit[pipe];
  const struct work *work = &unit->work;
  const struct traffic *traffic = &work->traffic;
  accel_flows_advance(&m->flows, m->now);
  m->flows.flow[m->flows.count++] = (struct flow){
      .core = accel_core_number(m, core), .pipe = pipe, .began = m->now, .left = work->bytes, .alone = work->alone,
      .l2 = (double)(traffic->bytes + traffic->fills) / work->bytes,
      .hbm = (double)(traffic->fills + traffic->writebacks) / work->bytes, .writes = work->writes};
  m->flows.changed = true;
  unit->state = FLOWING;
}

void accel_pipe_step(struct accel_machine *m, struct core *core, enum accel_pipe pipe) {
  struct unit *unit = &core->unit[pipe];
  if (unit->state == STARTING) {
    start_flow(m, core, pipe);
    return;
  }
  if (unit->state == WORKING || unit->state == FLOWING) finish(m, core, pipe);
  if (m->fault.kind) return;
  if (unit->state == HOLDING || take_next(m, core, pipe)) begin(m, core, pipe);
}
