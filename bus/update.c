#include "bus/update.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/control.h"
#include "bus/debug.h"
#include "bus/kern.h"
#include "bus/lifecycle.h"
#include "bus/link.h"
#include "bus/log.h"
#include "bus/probation.h"
#include "bus/self.h"
#include "bus/timer.h"
#include "libst/fault.h"

enum commit_state {
  COMMIT_NONE,
  COMMIT_UM,        /* ordered; um, the last member, converges and its new version transfers */
  COMMIT_DECIDING,  /* sent to the loader */
  COMMIT_ACTIVATED, /* rebound; kept to answer repetitions */
};

static struct {
  enum commit_state state;
  uint64_t txid;
  uint32_t nmembers;
  struct loader_member members[LOADER_MEMBERS_MAX];
  struct commit_limits limits;
  bool self;            /* busd is a member, too */
  bool orphaned;        /* DECIDING: the um that ordered it has died */
  uint64_t deadline_us; /* of COMMIT_UM */
} commit;

static struct version *um(void) {
  struct endpoint *e = bus_update_manager();
  return e ? e->live : NULL;
}

void update_tell_um(const msg_t *m, const void *payload) {
  struct endpoint *e = bus_update_manager();
  if (e && e->live) endpoint_mail(e, m, payload, NULL, 0);
}

void update_tell_time_outs(void) {
  const struct endpoint *e = bus_update_manager();
  const char *arguments = NULL;
  int bytes = e ? link_arguments(e->component, &arguments) : 0;
  const msg_t m = {.type = UM_TIMEOUTS, .payload = bytes > 0 ? (uint32_t)bytes : 0};
  if (m.payload) update_tell_um(&m, arguments);
}

/* ---- load ---- */

/* The version that um waits for in KERN_LOAD; 0: none. */
static uint32_t loading;

void update_answer_load(int error, const msg_t *m) {
  kern_answer(um(), KERN_LOAD, error, m);
}

static int can_load(const struct endpoint *e) {
  if (!e) return -ENOENT;
  if (e->component->program) return -EPERM;
  if (!e->live) return -SYS_EDEADSRCDST;
  if (bus.state != BUS_RUNNING || e->state != ENDPOINT_RUNNING || update_involves(e) ||
      debug_holds(e))
    return -EBUSY;
  return st_fault("busd.load", ENOMEM);
}

static int spawn_next(struct endpoint *e, const char *filter) {
  int pair[2], error = st_fault("busd.pair", EMFILE);
  if (error) return error;
  e->live->filter = strdup(filter);
  if (!e->live->filter) return -ENOMEM;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
  e->live->state_channel = pair[0];
  error = link_spawn(e->next, manifest_other_cpus(bus.manifest, bus.cpus), pair[1], e->live);
  close(pair[1]);
  return error;
}

/* What a transaction has left with the old version. */
static void drop_preparation(struct version *v) {
  free(v->filter);
  v->filter = NULL;
  if (v->state_channel >= 0) close(v->state_channel);
  v->state_channel = -1;
}

/* What um asks for, kept until the versions can be told. */
static int take_options(struct version *v, const void *options, uint32_t bytes) {
  v->options = malloc(bytes + 1);
  if (!v->options) return -ENOMEM;
  memcpy(v->options, options, bytes);
  v->options_bytes = bytes;
  return 0;
}

int update_load(struct endpoint *e, int exe, const char *filter, const void *options,
                uint32_t options_bytes) {
  int error = can_load(e);
  if (error) {
    close(exe);
    return error;
  }
  drop_preparation(e->live);
  schedule_yield(e);
  e->next = version_new(e, SYS_START_UPDATE, exe);
  if (!e->next) return -ENOMEM;
  error = take_options(e->next, options, options_bytes);
  if (!error) error = spawn_next(e, filter);
  if (!error) {
    loading = e->next->id;
    return -EINPROGRESS;
  }
  drop_preparation(e->live);
  version_free(e->next);
  e->next = NULL;
  return error;
}

void update_spawned(struct version *v, int error) {
  struct endpoint *e = v->endpoint;
  bool wanted = e->next == v, awaited = loading == v->id;
  int32_t pid = v->pid;
  if (error) {
    bus_log("a new version of %s cannot be started: %s", e->component->name, strerror(-error));
    if (wanted) e->next = NULL, drop_preparation(e->live);
    version_free(v);
  }
  st_pass("busd.loaded");
  if (wanted && !error) version_control(e->live, CONTROL_PREPARE);
  if (!awaited) return;
  loading = 0;
  /* It is not wanted any more when the old version has died meanwhile. */
  if (!wanted && !error) error = -SYS_EDEADSRCDST;
  update_answer_load(error, &(msg_t){.i32 = {pid}});
}

/* ---- converge ---- */

int update_converge(struct endpoint *e, const void *allow, uint32_t bytes) {
  if (!e) return -ENOENT;
  if (!e->next) return -ECHILD;
  if (e->state != ENDPOINT_RUNNING) return -EINVAL;
  if (interface_set(&e->allow, allow, bytes)) return -EINVAL;
  st_pass("busd.converge");
  link_place(e->next, schedule_cpus(e), false);
  endpoint_hold(e, ENDPOINT_CONVERGING);
  version_control(e->live, CONTROL_CONVERGE);
  return 0;
}

/* ---- commit ---- */

static struct endpoint *member(uint32_t i) {
  return bus_endpoint(commit.members[i].endpoint);
}

static bool is_member(const struct endpoint *e) {
  for (uint32_t i = 0; i < commit.nmembers; i++)
    if (commit.members[i].endpoint == e->id) return true;
  return false;
}

/* um has still to freeze, all others have. */
static bool is_ready(const struct endpoint *e) {
  if (!e->next) return false;
  if (e == bus_update_manager()) return e->state == ENDPOINT_RUNNING && e->live->prepared;
  return e->state == ENDPOINT_FROZEN && e->next->transferred;
}

/* In the record, busd's process is the last one. */
static int add_self(void) {
  int32_t pid = self_next();
  if (pid < 0 || commit.self) return -EINVAL;
  commit.self = true;
  return 0;
}

static int add_member(endpoint_t id) {
  if (id == SYS_KERNEL) return add_self();
  const struct endpoint *e = bus_endpoint(id);
  if (!e) return -ENOENT;
  if (!is_ready(e) || is_member(e)) return -EINVAL;
  if (e->next->state == VERSION_ENDING) return -SYS_EDEADSRCDST;
  commit.members[commit.nmembers++] = (struct loader_member){id, e->live->pid, e->next->pid};
  return 0;
}

static void set_deadline(uint32_t limit_ms) {
  commit.deadline_us = bus_now_us() + (uint64_t)limit_ms * 1000;
  timer_at(commit.deadline_us);
}

static struct loader_msg record(enum loader_type type) {
  struct loader_msg m = {.type = type};
  uint32_t n = commit.nmembers;
  m.commit.txid = commit.txid;
  memcpy(m.commit.members, commit.members, n * sizeof(m.commit.members[0]));
  if (commit.self) {
    m.id = self_next_id();
    m.commit.members[n++] = (struct loader_member){SYS_KERNEL, getpid(), self_next()};
  }
  m.commit.nmembers = n;
  m.commit.deadline_us = bus_now_us() + (uint64_t)commit.limits.transfer_ms * 1000;
  return m;
}

/* From here on only the loader can say whether it commits. When busd is a member the loader waits
 * until the new busd is able to go on. It has as long for it as the transfer may take. */
static void decide(void) {
  struct loader_msg m = record(commit.self ? LOADER_HOLD : LOADER_COMMIT);
  if (commit.self) link_place_id(m.id, manifest_personality_cpus(bus.manifest, bus.cpus), false);
  st_pass("busd.commit");
  commit.state = COMMIT_DECIDING;
  commit.orphaned = false;
  int error = link_commit(&m);
  if (error) update_refused(commit.txid, error);
}

int update_ask(void) {
  const struct loader_msg m = {.type = LOADER_COMMIT, .commit = {.txid = commit.txid}};
  return link_commit(&m);
}

int update_commit(uint64_t txid, const endpoint_t *members, uint32_t n,
                  const struct commit_limits *limits) {
  struct endpoint *manager = bus_update_manager();
  if (commit.state == COMMIT_UM || commit.state == COMMIT_DECIDING) return -EBUSY;
  if (n == 0 || n > LOADER_MEMBERS_MAX) return -EINVAL;
  commit.state = COMMIT_NONE;
  commit.txid = txid;
  commit.limits = *limits;
  commit.nmembers = 0;
  commit.self = false;
  for (uint32_t i = 0; i < n; i++) {
    int error = add_member(members[i]);
    if (error) return error;
  }
  if (!is_member(manager)) {
    decide();
    return 0;
  }
  commit.state = COMMIT_UM;
  set_deadline(limits->converge_ms);
  return update_converge(manager, NULL, 0);
}

static void commit_failed(int status);

/* What um has reported of itself while it is the last member of a commit. */
static void um_reported(enum update_phase phase, int status) {
  if (commit.state != COMMIT_UM) return;
  if (status)
    commit_failed(status);
  else if (phase == UPDATE_FROZEN)
    set_deadline(commit.limits.transfer_ms);
  else if (phase == UPDATE_TRANSFERRED)
    decide();
}

static void tell_committed(int status) {
  msg_t m = {.type = UM_COMMITTED, .u64 = {commit.txid}};
  m.i32[2] = status;
  update_tell_um(&m, NULL);
}

/* Before it is decided: um, if it is a member, goes on as it was, and undoes the rest. */
static void commit_failed(int status) {
  st_pass("busd.refused");
  commit.state = COMMIT_NONE;
  tell_committed(status);
  if (is_member(bus_update_manager())) update_abort(bus_update_manager());
}

void update_delay(uint64_t stopped_us, uint64_t now_us) {
  commit.deadline_us = debug_later(commit.deadline_us, stopped_us, now_us);
}

uint64_t update_expire(uint64_t now_us) {
  if (commit.state != COMMIT_UM) return UINT64_MAX;
  if (commit.deadline_us > now_us) return commit.deadline_us;
  if (bus_clock_stopped()) return UINT64_MAX;
  commit_failed(-ETIMEDOUT);
  return UINT64_MAX;
}

bool update_involves(const struct endpoint *e) {
  return e->next || e->held_since_us || probation_is_on(e);
}

bool update_is_deciding(const struct endpoint *e) {
  return commit.state == COMMIT_DECIDING && is_member(e);
}

void update_retire(struct version *old) {
  if (old->exited) {
    version_free(old);
    return;
  }
  /* Its memory is torn down away from the personality's CPU. */
  link_place(old, manifest_other_cpus(bus.manifest, bus.cpus), true);
  version_kill(old, NULL);
}

/* Whether there is a way back for all members. */
static bool has_probation(void) {
  for (uint32_t i = 0; i < commit.nmembers; i++)
    if (member(i)->live->exited) return false;
  return commit.limits.probation_ms && !commit.self;
}

/* Without memory for one it is for none. */
static bool begin_probation(struct version *const *old) {
  uint64_t until_us = bus_now_us() + commit.limits.probation_ms * 1000ull;
  for (uint32_t i = 0; i < commit.nmembers; i++)
    if (!probation_begin(member(i), old[i], commit.txid, until_us)) {
      probation_cancel(commit.txid);
      return false;
    }
  return true;
}

/* All endpoints change hands before any of them is served again. */
static void rebind(void) {
  struct version *old[LOADER_MEMBERS_MAX] = {NULL};
  uint32_t n = commit.nmembers;
  bool has_way_back = has_probation();
  for (uint32_t i = 0; i < n; i++) {
    struct endpoint *e = member(i);
    old[i] = e->live;
    stop_forget(e); /* only the old one may have been stopped */
    e->live = e->next;
    e->next = NULL;
    e->updates++;
  }
  bool probation = has_way_back && begin_probation(old);
  for (uint32_t i = 0; i < n; i++) {
    struct endpoint *e = member(i);
    version_control(e->live, CONTROL_LIVE);
    endpoint_release(e);
  }
  for (uint32_t i = 0; i < n; i++) {
    log_version(member(i), member(i)->live, "updated");
    if (!probation) update_retire(old[i]);
  }
}

void update_activate(const struct loader_msg *m) {
  if (m->commit.txid == commit.txid && commit.state == COMMIT_DECIDING) {
    commit.state = COMMIT_ACTIVATED;
    st_pass("busd.activate");
    rebind();
    if (commit.self) self_activated();
    st_pass("busd.rebound");
    control_committed();
    tell_committed(0);
    if (commit.limits.probation_ms && !probation_holds(commit.txid)) probation_none(commit.txid);
    control_tell_orphans();
  }
  link_activated(m->commit.txid);
}

static void abort_members(void) {
  for (uint32_t i = 0; i < commit.nmembers; i++)
    update_abort(member(i));
  if (commit.self) self_abort();
}

void update_refused(uint64_t txid, int status) {
  if (commit.state != COMMIT_DECIDING || txid != commit.txid) return;
  commit.state = COMMIT_NONE;
  for (uint32_t i = 0; i < commit.nmembers; i++) {
    struct version *v = member(i)->live;
    if (v && v->exited) lifecycle_exited(v, v->wait_status, "");
  }
  /* An um that was started since knows nothing of it. */
  if (um() && !commit.orphaned)
    commit_failed(status);
  else
    abort_members();
  control_tell_orphans();
}

/* ---- abort ---- */

static void thaw(struct version *v) {
  v->controls &= ~(unsigned)(CONTROL_PREPARE | CONTROL_CONVERGE);
  drop_preparation(v);
  if (v->prepared) version_control(v, CONTROL_THAW);
}

int update_abort(struct endpoint *e) {
  if (!e) return -ENOENT;
  if (update_is_deciding(e)) return -EBUSY;
  st_pass("busd.abort");
  struct version *next = e->next;
  e->next = NULL;
  if (next) version_kill(next, NULL);
  if (e->live) thaw(e->live);
  if (e->state == ENDPOINT_CONVERGING || e->state == ENDPOINT_FROZEN) endpoint_release(e);
  return 0;
}

int update_abort_self(void) {
  if (commit.state == COMMIT_DECIDING && commit.self) return -EBUSY;
  self_abort();
  return 0;
}

void update_abort_all(void) {
  if (commit.state == COMMIT_UM) commit.state = COMMIT_NONE;
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++)
    if (update_involves(bus_endpoint(id))) update_abort(bus_endpoint(id));
  update_abort_self();
}

/* ---- report ---- */

/* Of an earlier transaction: the old version has not yet heard that it is off. */
static bool is_stale(const struct version *v) {
  return version_is_live(v) && (!v->prepared || v->controls & (CONTROL_THAW | CONTROL_PREPARE));
}

int update_report(struct version *v, enum update_phase phase, int status, const char *text,
                  uint32_t bytes) {
  struct endpoint *e = v->endpoint;
  if (is_stale(v)) return 0;
  /* With an error, or without a new version, too: it waits for nothing but the end of the update.
   */
  bool freezes = phase == UPDATE_FROZEN && v == e->live && e->state == ENDPOINT_CONVERGING;
  if (freezes) endpoint_hold(e, ENDPOINT_FROZEN);
  if (!e->next) return 0;
  switch (phase) {
  case UPDATE_PLANNED:
  case UPDATE_PREPARED:
    break;
  case UPDATE_FROZEN:
    if (!freezes) return -EINVAL;
    st_pass("busd.frozen");
    break;
  case UPDATE_TRANSFERRED:
    if (v != e->next) return -EINVAL;
    st_pass("busd.transferred");
    v->transferred = status == 0;
    break;
  default:
    return -EINVAL;
  }
  msg_t m = {.type = UM_REPORT, .payload = bytes};
  m.i32[0] = e->id;
  m.u32[1] = phase;
  m.i32[2] = status;
  m.i32[3] = v->pid;
  update_tell_um(&m, text);
  if (e == bus_update_manager()) um_reported(phase, status);
  return 0;
}

/* ---- deaths ---- */

static void tell_exited(const struct endpoint *e, const struct version *v, uint32_t which,
                        int wait_status) {
  msg_t m = {.type = UM_EXITED};
  m.i32[0] = e->id;
  m.u32[1] = which;
  m.i32[2] = v->pid;
  m.i32[3] = wait_status;
  update_tell_um(&m, NULL);
}

/* There is nothing left to wait for. */
static void member_lost(const struct endpoint *e) {
  if (commit.state == COMMIT_UM && is_member(e)) commit_failed(-ECHILD);
}

void update_live_exited(struct endpoint *e, const struct version *v, int wait_status) {
  if (e == bus_update_manager()) {
    loading = 0;
    control_manager_died();
    if (commit.state == COMMIT_DECIDING) {
      commit.orphaned = true;
      return;
    }
    update_abort_all();
    control_tell_orphans();
    return;
  }
  /* Also when its new version, which has lost it, was the first to be heard of. */
  tell_exited(e, v, 0, wait_status);
  if (e->next) version_kill(e->next, NULL);
  e->next = NULL;
  member_lost(e);
}

void update_next_exited(struct endpoint *e, const struct version *v, int wait_status) {
  e->next = NULL;
  tell_exited(e, v, 1, wait_status);
  member_lost(e);
}
