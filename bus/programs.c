#include "bus/programs.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/executable.h"
#include "bus/grants.h"
#include "bus/kern.h"
#include "bus/lifecycle.h"
#include "bus/link.h"
#include "bus/loader_proto.h"
#include "bus/log.h"
#include "bus/process_time.h"
#include "bus/stop.h"
#include "libst/fault.h"
#include "proto/printable.h"

enum place_state {
  PLACE_FREE,
  PLACE_TAKEN,    /* a program is to start there, once its spawner says so */
  PLACE_STARTING, /* asked of the loader; the spawner waits for the answer */
  PLACE_STARTED,
  PLACE_ENDED, /* the spawner has not reaped it yet */
};

static struct place {
  enum place_state state;
  int exe;         /* TAKEN */
  char *arguments; /* TAKEN: of the program, NUL-terminated, one after the other */
  unsigned narguments;
  int32_t wait_status; /* ENDED */
  bool answered;       /* the spawner has, without an error */
} places[ENDPOINTS_MAX];

static struct place *place_of(const struct endpoint *e) {
  return &places[e->id];
}

struct endpoint *programs_spawner(void) {
  const char *by = bus.manifest->programs.by;
  return by ? bus_endpoint(manifest_find(bus.manifest, by)) : NULL;
}

static bool is_free(const struct endpoint *e) {
  return e->component->program && place_of(e)->state == PLACE_FREE;
}

static void forget_arguments(struct place *p) {
  free(p->arguments);
  p->arguments = NULL;
  p->narguments = 0;
}

static void empty(struct place *p, enum place_state next) {
  if (p->state == PLACE_TAKEN) close(p->exe);
  forget_arguments(p);
  *p = (struct place){.state = next};
}

/* ---- spawn ---- */

/* @return how many strings there are, 0: the last one does not end */
static unsigned count_strings(const char *text, uint32_t bytes) {
  unsigned n = 0;
  if (bytes == 0 || text[bytes - 1] != 0) return 0;
  for (uint32_t i = 0; i < bytes; i++)
    n += text[i] == 0;
  return n;
}

static struct endpoint *find_free(void) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++)
    if (is_free(bus_endpoint(id))) return bus_endpoint(id);
  return NULL;
}

static int check_needs(const struct endpoint *e, int exe, const char *file) {
  char why[512];
  if (grants_suffice_for(bus.manifest, e->component, exe, file, why, sizeof(why))) return 0;
  printable_make(why);
  bus_log("%s", why);
  return -EPERM;
}

/* @param n  strings: the file and its arguments */
static int keep_arguments(struct place *p, const char *strings, uint32_t bytes, unsigned n) {
  size_t file_bytes = strlen(strings) + 1;
  p->arguments = malloc(bytes - file_bytes);
  if (!p->arguments) return -ENOMEM;
  memcpy(p->arguments, strings + file_bytes, bytes - file_bytes);
  p->narguments = n - 1;
  return 0;
}

static int take(struct endpoint *e, const char *strings, uint32_t bytes, unsigned n) {
  struct place *p = place_of(e);
  int error = st_fault("programs.take", EMFILE), exe = -1;
  if (!error) exe = executable_open_program(strings);
  if (!error && exe < 0) error = exe;
  if (!error) error = check_needs(e, exe, strings);
  if (!error) error = endpoint_fit(e);
  if (!error && e->log_pipe[0] < 0) error = log_open(e);
  if (!error) error = keep_arguments(p, strings, bytes, n);
  if (error) {
    if (exe >= 0) close(exe);
    return error;
  }
  p->state = PLACE_TAKEN;
  p->exe = exe;
  e->incarnation++;
  st_pass("programs.taken");
  return 0;
}

static int do_spawn(const msg_t *m, const char *payload, msg_t *reply) {
  unsigned n = count_strings(payload, m->payload);
  if (n < 2) return -EINVAL;
  if (m->payload > KERN_SPAWN_MAX || n - 1 > LOADER_ARGS_MAX) return -E2BIG;
  if (bus.state == BUS_STOPPING) return -EAGAIN;
  struct endpoint *e = find_free();
  int error = e ? take(e, payload, m->payload, n) : -EAGAIN;
  if (error) return error;
  reply->i32[0] = e->id;
  reply->u32[1] = e->incarnation;
  return 0;
}

const char *programs_arguments(const struct endpoint *e, unsigned *n) {
  const struct place *p = place_of(e);
  *n = p->narguments;
  return p->arguments;
}

/* ---- start ---- */

/* The program whose start the spawner waits for; its version's id, 0: none. */
static uint32_t starting;

static int do_start(struct endpoint *e) {
  struct place *p = place_of(e);
  if (p->state != PLACE_TAKEN) return -EBUSY;
  if (bus.state == BUS_STOPPING) return -EAGAIN;
  int error = st_fault("programs.start", EAGAIN);
  if (!error) {
    p->state = PLACE_STARTING;
    error = lifecycle_start_program(e, p->exe);
    forget_arguments(p);
  }
  if (error) {
    lifecycle_gone(e);
    empty(p, PLACE_FREE);
    return error;
  }
  starting = e->live->id;
  return -EINPROGRESS;
}

void programs_spawned(struct version *v, int error) {
  struct endpoint *e = v->endpoint, *spawner = programs_spawner();
  bool awaited = starting == v->id;
  const msg_t reply = {.i32 = {v->pid}};
  if (error) {
    version_free(v);
    e->live = NULL;
    e->state = ENDPOINT_DOWN;
    e->start_deadline_us = 0;
    lifecycle_gone(e);
    empty(place_of(e), PLACE_FREE);
  } else {
    place_of(e)->state = PLACE_STARTED;
    log_version(e, v, "started");
    st_pass("programs.started");
  }
  if (!awaited) return;
  starting = 0;
  kern_answer(spawner->live, KERN_START, error, &reply);
}

void programs_answered(const struct endpoint *by, const struct endpoint *to, int status) {
  struct place *p = place_of(to);
  if (!to->component->program || p->answered || status < 0) return;
  p->answered = by == programs_spawner();
}

void programs_look_again(struct endpoint *e) {
  const msg_t m = {.type = PROGRAM_LOOK_AGAIN};
  if (e == programs_spawner()) endpoint_mail(e, &m, NULL, NULL, 0);
}

void programs_spawner_died(void) {
  starting = 0;
}

/* ---- stop and end ---- */

static int do_signal(struct endpoint *e, int signal) {
  if (!e->live) return -ESRCH;
  switch (signal) {
  case SIGKILL:
    version_kill(e->live, NULL);
    return 0;
  case SIGSTOP:
  case SIGCONT:
    stop_set(e, STOP_SIGNALLED, signal == SIGSTOP);
    return 0;
  default:
    return -EINVAL;
  }
}

static void tell_ended(const struct endpoint *e, uint64_t cpu_us, const char *never_ran) {
  struct endpoint *spawner = programs_spawner();
  msg_t m = {.type = PROGRAM_ENDED, .payload = (uint32_t)strlen(never_ran)};
  m.i32[0] = e->id;
  m.u32[1] = e->incarnation;
  m.i32[2] = place_of(e)->wait_status;
  m.u32[3] = place_of(e)->answered;
  m.u64[2] = cpu_us;
  /* One that is started later finds the place by KERN_PLACES. */
  if (spawner->live || spawner->state == ENDPOINT_RECOVERING)
    endpoint_mail(spawner, &m, never_ran, NULL, 0);
}

void programs_ended(struct endpoint *e, int wait_status, const char *never_ran) {
  uint64_t cpu_us = e->live->cpu_us;
  st_pass("programs.end");
  bool answered = place_of(e)->answered;
  e->state = ENDPOINT_DEAD;
  e->live = NULL;
  stop_forget(e);
  e->start_deadline_us = 0;
  lifecycle_gone(e);
  empty(place_of(e), PLACE_ENDED);
  place_of(e)->wait_status = wait_status;
  place_of(e)->answered = answered;
  tell_ended(e, cpu_us, never_ran);
  st_pass("programs.ended");
}

static int do_reap(struct endpoint *e) {
  struct place *p = place_of(e);
  if (e->live) return -EBUSY;
  st_pass("programs.reap");
  /* Servers may have things for the one that never came. */
  if (p->state == PLACE_TAKEN) lifecycle_gone(e);
  e->state = ENDPOINT_DOWN;
  empty(p, PLACE_FREE);
  return 0;
}

/* ---- looking ---- */

static int do_usage(const struct endpoint *e, msg_t *reply) {
  if (!e->live) return -ESRCH;
  reply->u64[0] = process_time_us(e->live->pid);
  return 0;
}

static enum kern_place_state tell_state(enum place_state s) {
  switch (s) {
  case PLACE_FREE:
  case PLACE_TAKEN:
    break;
  case PLACE_STARTING:
  case PLACE_STARTED:
    return KERN_PLACE_STARTED;
  case PLACE_ENDED:
    return KERN_PLACE_ENDED;
  }
  return KERN_PLACE_TAKEN;
}

static int do_places(msg_t *reply, const void **reply_payload) {
  static struct kern_place list[KERN_PLACES_MAX]; /* until the answer is sent */
  unsigned n = 0;
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    const struct endpoint *e = bus_endpoint(id);
    if (!e->component->program || is_free(e)) continue;
    const struct place *p = place_of(e);
    list[n++] = (struct kern_place){.endpoint = id,
                                    .incarnation = e->incarnation,
                                    .state = tell_state(p->state),
                                    .pid = e->live ? e->live->pid : 0,
                                    .wait_status = p->wait_status,
                                    .answered = p->answered};
  }
  reply->payload = (uint32_t)(n * sizeof(list[0]));
  *reply_payload = list;
  return 0;
}

/* ---- calls ---- */

bool programs_is_call(uint32_t type) {
  return type >= KERN_SPAWN && type <= KERN_PLACES;
}

/* The place that a call is about. */
static struct endpoint *find(const msg_t *m) {
  struct endpoint *e = bus_endpoint(m->i32[0]);
  bool known = e && e->component->program && place_of(e)->state != PLACE_FREE;
  return known && e->incarnation == m->u32[1] ? e : NULL;
}

int programs_call(struct version *v, const msg_t *m, const char *payload, msg_t *reply,
                  const void **reply_payload) {
  if (v->endpoint != programs_spawner()) return -EPERM;
  enum program_call call = (enum program_call)m->type;
  if (call == KERN_SPAWN) return do_spawn(m, payload, reply);
  if (call == KERN_PLACES) return do_places(reply, reply_payload);
  struct endpoint *e = find(m);
  if (!e) return -ESRCH;
  switch (call) {
  case KERN_START:
    return do_start(e);
  case KERN_SIGNAL:
    return do_signal(e, m->i32[2]);
  case KERN_REAP:
    return do_reap(e);
  case KERN_USAGE:
    return do_usage(e, reply);
  case KERN_SPAWN:
  case KERN_PLACES:
    break;
  }
  return -ENOSYS;
}

const char *programs_check(const struct endpoint *e) {
  const struct place *p = place_of(e);
  bool runs = p->state == PLACE_STARTING || p->state == PLACE_STARTED;
  if (!e->component->program) return p->state == PLACE_FREE ? NULL : "is no place for programs";
  if (runs != (e->live != NULL)) return "has a program in one table only";
  if ((p->arguments != NULL) != (p->state == PLACE_TAKEN)) return "has arguments that it needs not";
  return NULL;
}
