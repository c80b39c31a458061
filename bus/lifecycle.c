#include "bus/lifecycle.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus/boot.h"
#include "bus/bus.h"
#include "bus/control.h"
#include "bus/debug.h"
#include "bus/executable.h"
#include "bus/link.h"
#include "bus/log.h"
#include "bus/memory.h"
#include "bus/packet.h"
#include "bus/probation.h"
#include "bus/programs.h"
#include "bus/request.h"
#include "bus/shutdown.h"
#include "bus/timer.h"
#include "bus/update.h"

/* Restarts: the first at once, then after growing pauses; a component that dies again and again
 * within STEADY_US of its start is given up after FAILURES_MAX. */
#define STEADY_US        1000000u
#define FAILURES_MAX     8u
#define PAUSE_FIRST_US   20000u
#define PAUSE_LONGEST_US 1000000u

void lifecycle_describe_end(int status, char *text, size_t cap) {
  if (WIFSIGNALED(status))
    snprintf(text, cap, "was killed by signal %d (%s)", WTERMSIG(status),
             strsignal(WTERMSIG(status)));
  else
    snprintf(text, cap, "exited with status %d", WEXITSTATUS(status));
}

/* For people: in busd's log, and in um's. */
__attribute__((format(printf, 2, 3))) static void tell(const struct endpoint *e, const char *fmt,
                                                       ...) {
  char text[512];
  struct endpoint *um = bus_update_manager();
  va_list ap;
  size_t n = (size_t)snprintf(text, sizeof(text), "%s ", e->component->name);
  va_start(ap, fmt);
  vsnprintf(text + n, sizeof(text) - n, fmt, ap);
  va_end(ap);
  bus_log("%s", text);
  msg_t m = {.type = UM_LIFE, .payload = (uint32_t)strlen(text) + 1};
  m.i32[0] = e->id;
  if (um && um->live) endpoint_mail(um, &m, text, NULL, 0);
}

/* ---- whether, and when, again ---- */

static bool may_restart(const struct endpoint *e) {
  return bus.state == BUS_RUNNING && e->state != ENDPOINT_STOPPING &&
         e->state != ENDPOINT_STOPPED && e->component->restart == MANIFEST_RESTART_ALWAYS;
}

/* How often it has died within STEADY_US of its start, this time included. */
static unsigned count_failures(const struct endpoint *e) {
  return bus_now_us() - e->up_since_us < STEADY_US ? e->failures + 1 : 1;
}

static void plan_restart_after(struct endpoint *e, unsigned failures) {
  uint64_t pause = 0;
  e->failures = failures;
  if (failures > FAILURES_MAX) {
    tell(e, "has failed %u times in quick succession: it is not started again", failures);
    return;
  }
  if (failures > 1) {
    pause = (uint64_t)PAUSE_FIRST_US << (failures - 2);
    if (pause > PAUSE_LONGEST_US) pause = PAUSE_LONGEST_US;
  }
  e->restart_at_us = bus_now_us() + pause;
  timer_at(e->restart_at_us);
}

/* ---- start ---- */

/* Its peers learn of the fresh start before anything that it says. */
static void announce(struct endpoint *e, bool restarted) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    struct endpoint *peer = bus_endpoint(id);
    bool goes_on = peer->live || peer->state == ENDPOINT_RECOVERING;
    if (peer != e && endpoint_peers(e, peer) && goes_on) endpoint_tell(peer, e->id, restarted);
  }
}

/* Nothing is left of what it did, and nobody goes on with it. */
static void forget_life(struct endpoint *e, bool restart) {
  endpoint_forget(e);
  memory_forget(e);
  schedule_forget(e);
  endpoint_fail_requests(e, restart ? -SYS_ERESTARTED : -SYS_EDEADSRCDST);
}

static void set_start_deadline(struct endpoint *e, uint64_t now_us) {
  e->start_deadline_us = now_us + (uint64_t)bus.manifest->timeouts.start * 1000;
  e->start_sequence = e->sequence;
}

/* @param exe    taken over
 * @param state  its predecessor's, -1: none; the caller's */
static int start_version(struct endpoint *e, enum sys_start how, int exe, int state) {
  struct version *v = version_new(e, how, exe);
  if (!v) return -ENOMEM;
  e->live = v;
  e->state = ENDPOINT_STARTING;
  e->up_since_us = v->started_us;
  set_start_deadline(e, v->started_us);
  timer_at(e->start_deadline_us);
  log_forget_line(e);
  uint64_t cpus = manifest_component_cpus(bus.manifest, e->component, bus.cpus);
  int error = link_spawn(v, cpus, state, state >= 0 ? v : NULL);
  if (error) {
    e->live = NULL;
    e->state = ENDPOINT_DEAD;
    version_free(v);
  }
  return error;
}

/* @param why  receives the reason of a failure */
static int start_afresh(struct endpoint *e, enum sys_start how, char *why, size_t cap) {
  int exe = executable_open(e->component, why, cap);
  if (exe < 0) return exe;
  int error = endpoint_fit(e);
  if (error) {
    close(exe);
  } else {
    e->incarnation++;
    error = start_version(e, how, exe, -1);
  }
  if (error) snprintf(why, cap, "%s", strerror(-error));
  if (!error && how == SYS_START_RESTART) announce(e, true);
  return error;
}

/* The version that died left its state, and the executable that this belongs to. */
static int start_recovery(struct endpoint *e, char *why, size_t cap) {
  struct remains r = e->remains;
  e->remains = (struct remains){-1, -1};
  int error = start_version(e, SYS_START_RECOVER, r.exe, r.state);
  close(r.state);
  if (error) snprintf(why, cap, "%s", strerror(-error));
  return error;
}

/* Another try may find what this one lacked, but not at once. */
static void start_failed(struct endpoint *e, const char *why) {
  tell(e, "cannot be started: %s", why);
  e->state = ENDPOINT_DEAD;
  e->live = NULL;
  e->start_deadline_us = 0;
  forget_life(e, may_restart(e));
  announce(e, false);
  if (bus.state == BUS_BOOTING) boot_failed(e->component->name, why);
  control_settled(e, why);
  if (may_restart(e)) plan_restart_after(e, e->failures + 1);
  if (bus.state == BUS_RUNNING) boot_start_next();
}

static void start(struct endpoint *e, enum sys_start how) {
  char why[PATH_MAX + 256];
  int error = e->state == ENDPOINT_RECOVERING ? start_recovery(e, why, sizeof(why))
                                              : start_afresh(e, how, why, sizeof(why));
  if (error) start_failed(e, why);
}

void lifecycle_begin(struct endpoint *e) {
  start(e, e->incarnation ? SYS_START_RESTART : SYS_START_FRESH);
}

void lifecycle_restart(struct endpoint *e) {
  e->restart_at_us = 0;
  e->restarts++;
  start(e, SYS_START_RESTART);
}

static const char *start_name(enum sys_start s) {
  switch (s) {
  case SYS_START_FRESH:
    return "started";
  case SYS_START_RESTART:
    return "restarted";
  case SYS_START_RECOVER:
    return "recovering";
  case SYS_START_UPDATE:
    return "updated";
  }
  return "?";
}

int lifecycle_start_program(struct endpoint *e, int exe) {
  int error = start_version(e, SYS_START_FRESH, exe, -1);
  if (error) e->state = ENDPOINT_DOWN;
  return error;
}

void lifecycle_gone(struct endpoint *e) {
  forget_life(e, false);
  announce(e, false);
}

void lifecycle_spawned(struct version *v, int error) {
  struct endpoint *e = v->endpoint;
  if (e->component->program) {
    programs_spawned(v, error);
    return;
  }
  if (e->live != v) {
    update_spawned(v, error);
    return;
  }
  if (error) {
    version_free(v);
    start_failed(e, strerror(-error));
    return;
  }
  log_version(e, v, start_name(v->start));
  if (v->start == SYS_START_RESTART) tell(e, "is started again, afresh (process %d)", v->pid);
}

void lifecycle_not_recovered(const struct version *v, int error, const char *text) {
  if (!text) text = strerror(-error);
  tell(v->endpoint, "cannot be recovered: %.*s", (int)strcspn(text, "\n"), text);
}

static void recovered(struct endpoint *e) {
  e->recovered++;
  tell(e, "is started again, with its state (process %d)", e->live->pid);
  programs_look_again(e);
}

void lifecycle_ready(struct endpoint *e) {
  e->start_deadline_us = 0;
  heartbeat_start(e);
  if (e->live->start == SYS_START_RECOVER) recovered(e);
  switch (bus.state) {
  case BUS_BOOTING:
    boot_continue();
    break;
  case BUS_RUNNING:
    control_settled(e, NULL);
    boot_start_next();
    break;
  case BUS_STOPPING:
    shutdown_continue();
    break;
  }
}

/* ---- stop ---- */

/* Nobody shall go on with the state of the version that died. */
static void give_up_recovery(struct endpoint *e) {
  close(e->remains.state);
  close(e->remains.exe);
  e->remains = (struct remains){-1, -1};
  forget_life(e, false);
  announce(e, false);
}

void lifecycle_stop(struct endpoint *e) {
  e->restart_at_us = e->start_deadline_us = 0;
  if (!e->live) {
    if (e->state == ENDPOINT_RECOVERING) give_up_recovery(e);
    e->state = ENDPOINT_STOPPED;
    control_settled(e, NULL);
    return;
  }
  bus_log("%s (process %d) is stopped", e->component->name, e->live->pid);
  schedule_yield(e);
  e->state = ENDPOINT_STOPPING;
  e->stop_deadline_us = bus_now_us() + bus.manifest->timeouts.stop * 1000ull;
  timer_at(e->stop_deadline_us);
  endpoint_fail_requests(e, -SYS_EDEADSRCDST);
  announce(e, false);
  version_end(e->live);
}

/* ---- end ---- */

bool lifecycle_given_up(const struct endpoint *e) {
  return e->state == ENDPOINT_DEAD && e->failures > FAILURES_MAX;
}

/* The state was not taken over: that is no second death, and the same state is not tried again. */
static bool recovery_failed(const struct endpoint *e, const struct version *v) {
  return v->start == SYS_START_RECOVER && e->state == ENDPOINT_STARTING;
}

/* When one with a recovered state dies soon, that state is why. */
static bool has_sound_state(const struct endpoint *e, const struct version *v) {
  bool soon = v->start == SYS_START_RECOVER && bus_now_us() - v->started_us < STEADY_US;
  return v->kept >= 0 && e->state != ENDPOINT_STARTING && !soon;
}

static void keep_remains(struct endpoint *e, struct version *v) {
  e->state = ENDPOINT_RECOVERING;
  e->remains = (struct remains){v->kept, v->exe};
  v->kept = v->exe = -1;
  endpoint_interrupt(e);
}

static void live_exited(struct endpoint *e, struct version *v, int wait_status,
                        const char *never_ran) {
  char how[320];
  if (*never_ran)
    snprintf(how, sizeof(how), "cannot be started: %s", never_ran);
  else
    lifecycle_describe_end(wait_status, how, sizeof(how));
  schedule_exited(e);
  if (probation_failed(e, how)) return;
  bool stopped = e->state == ENDPOINT_STOPPING;
  bool failed = recovery_failed(e, v), sound = has_sound_state(e, v);
  unsigned failures = failed ? e->failures : count_failures(e);
  bool restart = may_restart(e) && failures <= FAILURES_MAX;
  if (e->held_since_us) request_delay(e, e->held_since_us, bus_now_us());
  e->state = stopped ? ENDPOINT_STOPPED : ENDPOINT_DEAD;
  e->live = NULL;
  if (e == programs_spawner()) programs_spawner_died();
  control_server_died(e);
  stop_forget(e);
  e->held_since_us = e->start_deadline_us = e->stop_deadline_us = 0;
  if (restart && sound)
    keep_remains(e, v);
  else
    forget_life(e, restart);
  if (e->state != ENDPOINT_RECOVERING && !stopped) announce(e, false);
  update_live_exited(e, v, wait_status);
  switch (bus.state) {
  case BUS_BOOTING:
    boot_failed(e->component->name, how);
    break;
  case BUS_RUNNING:
    tell(e, "(process %d%s) %s", v->pid, failed ? ", recovering" : "", how);
    if (may_restart(e)) plan_restart_after(e, failures);
    control_settled(e, stopped ? NULL : how);
    boot_start_next();
    break;
  case BUS_STOPPING:
    shutdown_continue();
    break;
  }
}

/* It is its spawner's to know. */
static void program_exited(struct endpoint *e, int wait_status, const char *never_ran) {
  programs_ended(e, wait_status, never_ran);
  if (bus.state == BUS_STOPPING) shutdown_continue();
}

void lifecycle_exited(struct version *v, int wait_status, const char *never_ran) {
  struct endpoint *e = v->endpoint;
  bool retired = e->live != v && e->next != v;
  packet_drain(v);
  v->state = VERSION_ENDING;
  if (e->live == v && update_is_deciding(e)) {
    v->exited = true;
    v->wait_status = wait_status;
    return;
  }
  if (!retired) log_end(e, v, wait_status);
  if (!retired && *never_ran)
    bus_log("an executable of %s cannot be run: %s", e->component->name, never_ran);
  if (e->live == v && e->component->program)
    program_exited(e, wait_status, never_ran);
  else if (e->live == v)
    live_exited(e, v, wait_status, never_ran);
  else if (e->next == v)
    update_next_exited(e, v, wait_status);
  else
    probation_old_exited(v);
  version_free(v);
}

/* A program that does its work before it first receives is not hanging as long as it asks others,
 * nor is one that is stopped. */
static void start_overdue(struct endpoint *e, uint64_t now_us) {
  if (e->sequence != e->start_sequence || stop_excuses(e)) {
    set_start_deadline(e, now_us);
    return;
  }
  e->start_deadline_us = 0;
  if (e->live) version_kill(e->live, "was not ready in time (timeouts_ms: start)");
}

static void stop_overdue(struct endpoint *e) {
  e->stop_deadline_us = 0;
  version_kill(e->live, "does not stop by itself");
}

void lifecycle_delay(struct endpoint *e, uint64_t stopped_us, uint64_t now_us) {
  uint64_t *const deadlines[] = {&e->restart_at_us, &e->start_deadline_us, &e->stop_deadline_us};
  for (unsigned i = 0; i < sizeof(deadlines) / sizeof(deadlines[0]); i++)
    *deadlines[i] = debug_later(*deadlines[i], stopped_us, now_us);
}

/* One of the three at most is set. */
static uint64_t next_deadline(const struct endpoint *e) {
  uint64_t at_us = e->restart_at_us | e->start_deadline_us | e->stop_deadline_us;
  return at_us ? at_us : UINT64_MAX;
}

uint64_t lifecycle_expire(struct endpoint *e, uint64_t now_us) {
  if (bus.state == BUS_STOPPING) e->restart_at_us = 0;
  if (next_deadline(e) <= now_us && bus_clock_stopped()) return UINT64_MAX;
  if (e->restart_at_us && e->restart_at_us <= now_us) lifecycle_restart(e);
  if (e->start_deadline_us && e->start_deadline_us <= now_us) start_overdue(e, now_us);
  if (e->stop_deadline_us && e->stop_deadline_us <= now_us) stop_overdue(e);
  return next_deadline(e);
}
