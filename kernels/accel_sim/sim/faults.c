/* What went wrong, in words: where, what, and what would be right. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernels/accel_sim/sim/state.h"

static void append(struct accel_fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append_list(struct accel_fault *fault, const char *format, va_list list) {
  size_t used = strlen(fault->text);
  vsnprintf(fault->text + used, sizeof fault->text - used, format, list);
}
static void append(struct accel_fault *fault, const char *format, ...) {
  va_list list;
  va_start(list, format);
  append_list(fault, format, list);
  va_end(list);
}

/* file:line: instruction */
static void append_place(struct accel_fault *fault, const struct accel_program *program, int index) {
  if (program->lines && index >= 0 && index < program->ncode) {
    const struct accel_line *line = &program->lines[index];
    const char *file = line->file >= 0 && line->file < program->nfiles ? program->files[line->file] : "?";
    append(fault, "%s:%d", file, line->line);
  } else {
    append(fault, "%s, instruction %d", program->name ? program->name : "?", index);
  }
}

bool accel_fail(struct accel_machine *m, enum accel_fault_kind kind, const struct accel_site *site, const char *format,
                ...) {
  struct accel_fault *fault = &m->fault;
  if (fault->kind) return false; /* the first one tells */
  *fault = (struct accel_fault){.kind = kind, .core = site->core};
  append_place(fault, site->program, site->index);
  append(fault, ": core %d, %s: ", site->core, accel_pipe_names[site->pipe]);
  va_list list;
  va_start(list, format);
  append_list(fault, format, list);
  va_end(list);
  return false;
}

/* Deadlock: each unit that waits, for what, and what those it waits for are at. */

static bool same_flag(const struct entry *e, enum accel_opcode opcode, int pipes, int flag) {
  const struct accel_word *word = &e->program->code[e->index];
  return word->opcode == opcode && word->pipes == pipes && e->value[0] == flag;
}

/* What keeps `from` from setting the flag. */
static void append_setter(struct accel_machine *m, const struct core *core, enum accel_pipe from, enum accel_pipe to,
                          int flag) {
  const struct unit *unit = &core->unit[from];
  append(&m->fault, "; only %s can set it", accel_pipe_names[from]);
  if (from == ACCEL_S) return;
  for (int i = 0; i < unit->count; i++) {
    const struct entry *e = &unit->queue[(unit->head + i) % m->params.queue];
    if (!same_flag(e, ACCEL_SET_FLAG, (int)from | (int)to << 4, flag)) continue;
    append(&m->fault, ", which has that queued (");
    append_place(&m->fault, e->program, e->index);
    append(&m->fault, ") behind a wait of its own");
    return;
  }
  append(&m->fault, unit->count ? ", which has nothing queued that does" : ", whose queue is empty");
}

static void append_held_pipe(struct accel_machine *m, const struct core *core, enum accel_pipe pipe) {
  const struct entry *e = &core->unit[pipe].current;
  enum accel_pipe from = (enum accel_pipe)(e->program->code[e->index].pipes & 15);
  append(&m->fault, "; core %d: %s waits at ", accel_core_number(m, core), accel_pipe_names[pipe]);
  append_place(&m->fault, e->program, e->index);
  append(&m->fault, " for flag %s, %s, %d", accel_pipe_names[from], accel_pipe_names[pipe], (int)e->value[0]);
  append_setter(m, core, from, pipe, (int)e->value[0]);
}

/* The tokens that a command waits for and that never come. */
static void append_tokens(struct accel_machine *m, const struct command *command) {
  for (int i = 0; i < command->nafter; i++) {
    if (accel_token_ended(m, command->after[i])) continue;
    const struct command *other = accel_token_command(m, command->after[i]);
    append(&m->fault, " token %llu", (unsigned long long)command->after[i]);
    if (other)
      append(&m->fault, " (%s on core %d)", other->program->name ? other->program->name : "?", other->core);
    else
      append(&m->fault, " (no such command)");
  }
}

static void append_scalar(struct accel_machine *m, const struct core *core) {
  const char *on = accel_pipe_names[core->blocked_on];
  int reason = core->unit[ACCEL_S].reason;
  append(&m->fault, "; core %d: s waits", accel_core_number(m, core));
  if (reason == ACCEL_STALL_TOKEN) {
    append(&m->fault, " for");
    append_tokens(m, core->upcoming);
    return;
  }
  append(&m->fault, " at ");
  append_place(&m->fault, core->command->program, core->pc);
  if (reason == ACCEL_STALL_QUEUE) append(&m->fault, " for room in the queue of %s", on);
  if (reason == ACCEL_STALL_BARRIER) append(&m->fault, " for %s to drain", on);
  if (reason == ACCEL_STALL_FLAG) {
    append(&m->fault, " for flag %s, s, %d", on, core->blocked_flag);
    append_setter(m, core, core->blocked_on, ACCEL_S, core->blocked_flag);
  }
}

bool accel_fail_deadlock(struct accel_machine *m) {
  if (m->fault.kind) return false;
  m->fault = (struct accel_fault){.kind = ACCEL_DEADLOCK, .core = -1, .text = "deadlock"};
  for (int tokens = 0; tokens < 2; tokens++) /* who waits for commands is a consequence: said last */
    for (int i = 0; i < m->params.cores; i++) {
      struct core *core = &m->core[i];
      int reason = core->unit[ACCEL_S].reason;
      for (enum accel_pipe p = ACCEL_M; p < ACCEL_PIPES && !tokens; p++)
        if (core->unit[p].state == HOLDING) append_held_pipe(m, core, p);
      if (reason == ACCEL_STALL_IDLE || (reason == ACCEL_STALL_TOKEN) != tokens) continue;
      append_scalar(m, core);
      if (m->fault.core < 0) m->fault.core = i;
    }
  for (int i = 0; i < m->params.cores && m->fault.core < 0; i++)
    if (m->core[i].first) m->fault.core = i;
  return false;
}

bool accel_fail_limit(struct accel_machine *m) {
  if (m->fault.kind) return false;
  m->fault = (struct accel_fault){.kind = ACCEL_CYCLE_LIMIT, .core = -1};
  append(&m->fault, "cycle limit of %llu reached", (unsigned long long)m->options.cycle_limit);
  for (int i = 0; i < m->params.cores; i++) {
    const struct core *c = &m->core[i];
    if (!c->command) continue;
    if (m->fault.core < 0) m->fault.core = i;
    append(&m->fault, "; core %d is at ", i);
    append_place(&m->fault, c->command->program, c->pc);
  }
  return false;
}

bool accel_fail_races(struct accel_machine *m) {
  if (m->fault.kind || !m->race || accel_race_count(m->race) == 0) return false;
  m->fault = (struct accel_fault){.kind = ACCEL_RACE, .core = -1};
  const char *report;
  for (int i = 0; (report = accel_race_report(m->race, i)); i++) append(&m->fault, i ? "\n%s" : "%s", report);
  return false;
}
