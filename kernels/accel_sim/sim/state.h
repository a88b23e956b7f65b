/* The machine from inside, as its sources share it: machine.c (the loop), issue.c and scalar.c (units), execute.c and
 * operands.c (instructions), memory.c, l2.c, stats.c, faults.c.
 *
 * All cores live on one time line. A unit (the scalar unit or a pipe) that knows when it goes on has that time in
 * core->when; INFINITY: another unit or a transfer will wake it. The machine takes the earliest unit, over and over.
 * What an instruction does to bytes is done at once when it begins; what it says to others (a flag, the end of its
 * command) when it ends. In a shuffled run all costs are 0 and any unit with a finite time may be taken. */
#ifndef ACCEL_STATE_H
#define ACCEL_STATE_H

#include <math.h>

#include "kernels/accel_sim/sim/machine.h"
#include "kernels/accel_sim/sim/race.h"

/* Memory (memory.c). */

unsigned char *accel_pages(size_t bytes); /* zeros, given by the host when touched; munmap them. NULL: none left */

struct allocation {
  uint64_t address;
  size_t bytes;
  unsigned char *host;
};

enum { FREED = 16 }; /* freed allocations that are remembered, for messages */

struct gm {
  struct allocation *list; /* by address */
  int count, capacity;
  size_t used;
  struct allocation freed[FREED];
  int nfreed;
};

const struct allocation *accel_gm_find(const struct gm *gm, uint64_t address, size_t bytes);
const struct allocation *accel_gm_freed(const struct gm *gm, uint64_t address);
void accel_gm_release(struct gm *gm);

/* L2 and HBM (l2.c). */

struct l2_block {
  uint64_t number;       /* address / L2_BLOCK */
  uint64_t valid, dirty; /* a bit a sector */
  int newer, older, next; /* next: of the same hash */
};

struct l2 {
  struct l2_block *block;
  int *bucket;
  int capacity, count, newest, oldest, unused;
  uint64_t buckets;
};

/* What a transfer of global memory costs those whom all cores share. */
struct traffic {
  uint64_t bytes, fills, writebacks;
};

bool accel_l2_create(struct l2 *l2, size_t bytes);
void accel_l2_destroy(struct l2 *l2);
void accel_l2_access(struct l2 *l2, const struct accel_range *range, bool writes, struct traffic *traffic);
void accel_l2_forget(struct l2 *l2, uint64_t address, size_t bytes);

/* A transfer on its way, as a fluid. */
struct flow {
  int core;
  enum accel_pipe pipe;
  double began, left;       /* cycles; bytes to go */
  double alone, rate;       /* bytes a cycle: if nobody else were there, and now */
  double l2, hbm;           /* bytes of each that one of its bytes costs */
  bool writes;
};

struct flows {
  struct flow *flow;
  int count;
  bool changed;      /* the rates are to be shared out anew */
  double time, next; /* `left` is of `time`; the first ends at `next` */
  double l2_rate, l2_write_rate, hbm_rate; /* l2_write_rate 0: writes share l2_rate */
};

void accel_flows_advance(struct flows *flows, double time);
void accel_flows_share(struct flows *flows);

/* Commands, units and cores. */

struct command {
  struct command *next; /* on its core */
  const struct accel_program *program;
  uint64_t token, race_token, *after;
  uint64_t args[ACCEL_ARGS];
  int core, nargs, nafter;
  int watch; /* 1 + its number, 0: nobody asked */
  bool halted, ended;
  int64_t pending; /* instructions in queues or on pipes */
};

/* An instruction in a queue, with what its operands were when it was dispatched. */
struct entry {
  const struct accel_program *program;
  struct command *command;
  int index;
  int64_t value[6]; /* flags: value[0] is the number */
  int64_t map[ACCEL_MAP]; /* load3d: what set.map said last */
  double ready;
};

/* What an instruction costs. */
struct work {
  double cycles;         /* alone; of a GM transfer: until its bytes begin to flow */
  bool flows;            /* then `bytes` at `alone` a cycle */
  double bytes, alone;
  struct traffic traffic;
  bool writes;           /* to GM */
  int64_t loaded;        /* ld.ub: the element */
  int bank[3], nbanks;   /* L1's banks from 0, UB's from MAX_BANKS */
};
enum { MAX_BANKS = 1 << 16 };

enum unit_state {
  FREE,     /* pipes: takes the next of its queue; S: takes up a command */
  WORKING,
  STARTING, /* a GM transfer before its first byte */
  FLOWING,
  HOLDING,  /* in wait_flag */
};

enum { BUSY = ACCEL_STALLS, REASONS };

struct unit {
  enum unit_state state;
  int reason;   /* what its time since `since` is counted as: BUSY or enum accel_stall */
  double since, began;
  bool waited;  /* since its last instruction, flags not counted */
  bool held;    /* the current one is a wait_flag that had to wait */
  struct entry current;
  struct entry *queue; /* params.queue; S: none */
  int head, count;
  struct work work;
  int64_t event;
};

struct flag {
  bool up;
  int line;                 /* where it was raised last */
  struct accel_site waited; /* what took it down last; no program: nothing has */
};

struct loop {
  int begin, end; /* [begin, end) runs again */
  int64_t left;
};

struct core {
  double when[ACCEL_PIPES], next; /* next: the least */
  struct unit unit[ACCEL_PIPES];
  struct flag flag[ACCEL_PIPES][ACCEL_PIPES][ACCEL_FLAGS];
  unsigned char *buffer[ACCEL_BUFFERS];
  struct command *first, *last; /* commands not ended */
  struct command *command;      /* that the scalar unit is at */
  struct command *upcoming;     /* first one not taken up */
  int64_t reg[ACCEL_REGISTERS], map[ACCEL_MAP];
  int pc, depth;
  struct loop loop[ACCEL_LOOPS];
  bool halting;
  enum accel_pipe blocked_on; /* where S waits: the full queue, the pipe that sets the flag, or the drained pipe */
  int blocked_flag;
};

struct accel_machine {
  struct accel_params params;
  struct accel_options options;
  struct core *core;
  struct gm gm;
  struct l2 l2;
  struct flows flows;
  struct accel_race *race; /* NULL: not watched */
  double now, start;       /* cycles; of this run */
  double steps;            /* of a shuffled run, and scalar instructions */
  uint64_t random;
  struct command **command; /* by token - first_token */
  uint64_t first_token;
  int ncommands, command_capacity, left;
  double *watched; /* when watched commands ended, below 0: not yet */
  int nwatched;
  struct accel_fault fault; /* of this run */
  struct accel_stats stats; /* but for time, which is in spent */
  double spent[ACCEL_PIPES][REASONS];
  struct accel_event *event;
  int64_t nevents, event_capacity;
};

/* machine.c */
static inline void accel_wake(struct core *core, enum accel_pipe pipe, double time) {
  core->when[pipe] = time;
  if (time < core->next) core->next = time;
}
static inline double accel_after(const struct accel_machine *m, double cycles) {
  return m->options.shuffle ? m->now : m->now + cycles;
}
static inline int accel_core_number(const struct accel_machine *m, const struct core *core) {
  return (int)(core - m->core);
}
void accel_end_commands(struct accel_machine *m, struct core *core);
bool accel_token_ended(const struct accel_machine *m, uint64_t token);
struct command *accel_token_command(const struct accel_machine *m, uint64_t token); /* NULL: not of this run */

/* scalar.c: what the scalar unit executes itself. False or NULL: a fault. */
static inline struct accel_site accel_scalar_site(const struct accel_machine *m, const struct core *core) {
  return (struct accel_site){core->command->program, core->pc, accel_core_number(m, core), ACCEL_S};
}
static inline int64_t accel_register(const struct core *core, const struct accel_word *word, int i) {
  return core->reg[word->r[i] % ACCEL_REGISTERS];
}
const struct accel_word *accel_fetch(struct accel_machine *m, struct core *core);
bool accel_scalar_instruction(struct accel_machine *m, struct core *core, const struct accel_word *word);

/* issue.c: the scalar unit and the pipes' queues go on at m->now. */
void accel_scalar_step(struct accel_machine *m, struct core *core);
void accel_pipe_step(struct accel_machine *m, struct core *core, enum accel_pipe pipe);

/* execute.c: checks the operands and does what the instruction does. False: a fault. */
bool accel_execute(struct accel_machine *m, struct core *core, enum accel_pipe pipe, const struct entry *entry,
                   struct work *work);

/* stats.c */
void accel_account(struct accel_machine *m, struct core *core, enum accel_pipe pipe, int reason, double time);
void accel_account_idle(struct accel_machine *m, struct core *core);
int accel_idle_reason(const struct core *core);
int64_t accel_event_begin(struct accel_machine *m, const struct accel_site *site, double start);
void accel_event_end(struct accel_machine *m, int64_t event, double end, bool stall);
void accel_count_conflicts(struct accel_machine *m, const struct core *core, enum accel_pipe pipe);

/* faults.c. All return false. index < 0: of no instruction. */
bool accel_fail(struct accel_machine *m, enum accel_fault_kind kind, const struct accel_site *site, const char *format,
                ...) __attribute__((format(printf, 4, 5)));
bool accel_fail_deadlock(struct accel_machine *m);
bool accel_fail_limit(struct accel_machine *m);
bool accel_fail_races(struct accel_machine *m);

#endif
