/* What is counted: where each unit's time went, bytes, energy, bank conflicts, and the trace. */
#include <stdlib.h>
#include <string.h>

#include "kernels/accel_sim/sim/state.h"

/* The time since the unit's last change goes to its reason; from `time` on it is `reason`. */
void accel_account(struct accel_machine *m, struct core *core, enum accel_pipe pipe, int reason, double time) {
  struct unit *unit = &core->unit[pipe];
  m->spent[pipe][unit->reason] += time - unit->since;
  unit->since = time;
  unit->reason = reason;
}

/* Why a pipe with nothing in its queue has nothing to do. */
int accel_idle_reason(const struct core *core) {
  int reason = core->unit[ACCEL_S].reason;
  return reason == ACCEL_STALL_BARRIER || reason == ACCEL_STALL_IDLE ? reason : ACCEL_STALL_EMPTY;
}

/* The scalar unit's reason has changed, and with it that of the pipes which wait for it. */
void accel_account_idle(struct accel_machine *m, struct core *core) {
  int reason = accel_idle_reason(core);
  for (enum accel_pipe p = ACCEL_M; p < ACCEL_PIPES; p++)
    if (core->unit[p].state == FREE && core->unit[p].reason != reason) accel_account(m, core, p, reason, m->now);
}

/* An instruction has begun: what other pipes of the core use at this time, on the same bank. */
void accel_count_conflicts(struct accel_machine *m, const struct core *core, enum accel_pipe pipe) {
  const struct work *work = &core->unit[pipe].work;
  for (enum accel_pipe p = ACCEL_M; p < ACCEL_PIPES; p++) {
    const struct unit *other = &core->unit[p];
    if (p == pipe || other->state == FREE || other->state == HOLDING) continue;
    for (int i = 0; i < work->nbanks; i++)
      for (int j = 0; j < other->work.nbanks; j++)
        if (work->bank[i] == other->work.bank[j])
          m->stats.bank_conflicts[work->bank[i] < MAX_BANKS ? ACCEL_L1 : ACCEL_UB]++;
  }
}

/* The trace. It ends where host memory or EVENT_LIMIT does; -1: not kept. */

enum { EVENT_LIMIT = 1 << 25 };

int64_t accel_event_begin(struct accel_machine *m, const struct accel_site *site, double start) {
  if (!m->options.trace || m->nevents == EVENT_LIMIT) return -1;
  if (m->nevents == m->event_capacity) {
    int64_t capacity = m->event_capacity ? 2 * m->event_capacity : 1024;
    struct accel_event *event = realloc(m->event, (size_t)capacity * sizeof *event);
    if (!event) return -1;
    m->event = event, m->event_capacity = capacity;
  }
  m->event[m->nevents] = (struct accel_event){start, start, site->program, site->index, site->core, site->pipe, false};
  return m->nevents++;
}

void accel_event_end(struct accel_machine *m, int64_t event, double end, bool stall) {
  if (event < 0) return;
  m->event[event].end = end;
  m->event[event].stall = stall;
}

const struct accel_event *accel_machine_events(const struct accel_machine *m, int64_t *count) {
  *count = m->nevents;
  return m->event;
}

/* Energy: what crosses HBM is paid as GM, what L2 hands on as L2; the scalar unit pays for every instruction. */
static void energy(const struct accel_params *p, struct accel_stats *s) {
  s->energy_pj[ACCEL_GM] = (double)s->hbm_bytes * p->byte_pj[ACCEL_GM];
  for (int b = ACCEL_L1; b < ACCEL_BUFFERS; b++)
    s->energy_pj[b] = (double)(s->bytes_read[b] + s->bytes_written[b]) * p->byte_pj[b];
  s->energy_pj[ACCEL_BUFFERS] = (double)s->l2_bytes * p->l2_byte_pj;
  double cube = 0, scalar = 0;
  for (int type = 0; type < 4; type++) cube += (double)s->macs[type] * p->mac_pj[type];
  for (int op = 0; op < ACCEL_OPCODES; op++) scalar += (double)s->instructions[op];
  s->energy_pj[ACCEL_BUFFERS + 1] = cube;
  s->energy_pj[ACCEL_BUFFERS + 2] = (double)s->vector_elements * p->vector_op_pj;
  s->energy_pj[ACCEL_BUFFERS + 3] = scalar * p->scalar_op_pj;
}

void accel_machine_stats(const struct accel_machine *m, struct accel_stats *stats) {
  *stats = m->stats;
  for (int pipe = 0; pipe < ACCEL_PIPES; pipe++) {
    stats->busy[pipe] = m->spent[pipe][BUSY];
    memcpy(stats->stall[pipe], m->spent[pipe], sizeof stats->stall[pipe]);
  }
  energy(&m->params, stats);
}

void accel_machine_reset_stats(struct accel_machine *m) {
  memset(&m->stats, 0, sizeof m->stats);
  memset(m->spent, 0, sizeof m->spent);
  m->nevents = 0;
}
