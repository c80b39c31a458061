#include "updmgr/transaction.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "libst/fault.h"
#include "libsys/kern.h"
#include "libsys/sys.h"
#include "proto/printable.h"
#include "updmgr/deadlock.h"
#include "updmgr/record.h"

/* How often a member that converges is looked at. */
#define LOOK_US 50000u

static struct transaction tx;

static const char *phase_text(enum phase phase) {
  switch (phase) {
  case PHASE_IDLE:
    return "before the update";
  case PHASE_LOADING:
    return "while loading";
  case PHASE_CONVERGING:
    return "while converging";
  case PHASE_TRANSFERRING:
  case PHASE_COMMITTING:
    return "during state transfer";
  case PHASES:
    break;
  }
  return "?";
}

static uint64_t elapsed_us(void) {
  return sys_time_us() - tx.started_us;
}

static uint32_t phase_limit_ms(enum phase phase) {
  switch (phase) {
  case PHASE_IDLE:
    return 0;
  case PHASE_LOADING:
    return tx.options.limits.load_ms;
  case PHASE_CONVERGING:
    return tx.options.limits.converge_ms;
  case PHASE_TRANSFERRING:
    return tx.options.limits.transfer_ms;
  case PHASE_COMMITTING:
  case PHASES:
    break;
  }
  return 0;
}

static uint64_t after_ms(uint32_t ms) {
  return ms ? sys_time_us() + ms * 1000ull : 0;
}

static void change_phase(enum phase phase) {
  uint64_t now = elapsed_us();
  tx.times[tx.phase].took_us = now - tx.times[tx.phase].began_us;
  tx.phase = phase;
  tx.times[phase].began_us = now;
}

static void enter(enum phase phase) {
  change_phase(phase);
  tx.deadline_us = after_ms(phase_limit_ms(phase));
  sys_alarm(TRANSACTION_ALARM, tx.deadline_us);
  /* Not between the last freezing and the commit, when every call of the bus is waited for. */
  if (phase != PHASE_TRANSFERRING)
    sys_alarm(TRANSACTION_LOOK, phase == PHASE_CONVERGING ? sys_time_us() + LOOK_US : 0);
}

static struct member *member_at(endpoint_t ep) {
  struct member *m;
  TAILQ_FOREACH (m, &tx.members, link)
    if (m->endpoint == ep) return m;
  return NULL;
}

static bool several(void) {
  struct member *first = TAILQ_FIRST(&tx.members);
  return first && TAILQ_NEXT(first, link);
}

static void finish(enum outcome outcome, int status, const char *reason) {
  st_pass("um.finish");
  enter(PHASE_IDLE);
  sys_alarm(TRANSACTION_MAXTIME, 0);
  record_end(&tx, outcome, status, reason);
  member_list_free(&tx.members);
  tx.client = 0;
}

/* Before the commit point everything can be undone: kill all new versions, thaw all old ones. */
static void undo(void) {
  struct member *m;
  st_pass("um.undo");
  TAILQ_FOREACH (m, &tx.members, link) {
    if (!m->new_pid) continue;
    int error = kern_abort(m->endpoint);
    if (error) sys_log("abort of %s: %s", m->name, sys_strerror(error));
  }
}

/* Why the transaction fails; status 0: it does not. */
static struct {
  int status;
  enum outcome outcome;
  const char *meaning; /* of that for the components, a sentence */
  char reason[18432];
} failure;

static void give_up(void) {
  undo();
  client_say(tx.client, "Live update failed: %s. %s", failure.reason, failure.meaning);
  finish(failure.outcome, failure.status, failure.reason);
}

/* Once the commit is ordered only the bus can say that it fails; it will, with this reason. */
static void fail_for(enum outcome outcome, int status, const char *meaning, const char *fmt,
                     va_list ap) {
  if (!failure.status) {
    failure.status = status;
    failure.outcome = outcome;
    failure.meaning = meaning;
    vsnprintf(failure.reason, sizeof(failure.reason), fmt, ap);
    printable_make(failure.reason); /* it may quote a version's report */
  }
  if (tx.phase != PHASE_COMMITTING) give_up();
}

static void fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fail(int status, const char *fmt, ...) {
  const char *meaning;
  if (tx.phase == PHASE_LOADING)
    meaning = several() ? "The old versions go on." : "The old version goes on.";
  else
    meaning = several() ? "Rolled back to the old versions." : "Rolled back to the old version.";
  va_list ap;
  va_start(ap, fmt);
  fail_for(OUTCOME_ROLLED_BACK, status, meaning, fmt, ap);
  va_end(ap);
}

/* There is no old version to go back to. */
static void abandon(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void abandon(int status, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  fail_for(OUTCOME_ABANDONED, status,
           several()
               ? "The update is abandoned; the other components go on with their old versions."
               : "The update is abandoned.",
           fmt, ap);
  va_end(ap);
}

static unsigned count_lines(const char *text) {
  unsigned n = 0;
  for (; *text; text++)
    n += *text == '\n' || !text[1];
  return n;
}

/* The first line that refuses: notes may come before it. */
static const char *first_violation(const char *text) {
  static const char mark[] = "violation: ";
  if (strncmp(text, mark, sizeof(mark) - 1) == 0) return text;
  const char *later = strstr(text, "\nviolation: ");
  return later ? later + 1 : text;
}

/* State checking may have many reasons; the client gets the first, the log all. */
static void refuse(const struct member *m, int status, const char *text) {
  if (!*text) {
    fail(status, "%s's new version gave up %s (%s)", m->name, phase_text(tx.phase),
         sys_strerror(status));
    return;
  }
  const char *first = first_violation(text);
  size_t n = strcspn(first, "\n");
  while (n && first[n - 1] == '.')
    n--;
  unsigned more = count_lines(text) - 1;
  char rest[64] = "";
  if (more) {
    client_say(0, "Reasons of %s:\n%s", m->name, text);
    snprintf(rest, sizeof(rest), " (and %u more: prctl log um)", more);
  }
  fail(status, "%s: %.*s%s", m->name, (int)n, first, rest);
}

static void commit(void) {
  endpoint_t endpoints[MEMBER_EDGES_MAX];
  unsigned n = 0;
  struct member *m;
  TAILQ_FOREACH (m, &tx.members, link)
    endpoints[n++] = m->endpoint;
  const struct kern_commit_limits limits = {tx.options.limits.converge_ms,
                                            tx.options.limits.transfer_ms, tx.options.probation_ms};
  int error = st_fault("um.commit", ECANCELED);
  if (!error) error = kern_commit(tx.id, endpoints, n, &limits);
  if (error) {
    fail(error, "the commit was refused (%s)", sys_strerror(error));
    return;
  }
  enter(PHASE_COMMITTING);
}

/* It converges by the order to commit, when all others have transferred. */
static bool freezes_last(const struct member *m) {
  return m->endpoint == sys_self() || m->endpoint == SYS_KERNEL;
}

static bool has_reached(const struct member *m, enum update_phase phase) {
  bool later = freezes_last(m) && (phase == UPDATE_FROZEN || phase == UPDATE_TRANSFERRED);
  return later || member_reached(m, phase);
}

static bool all_reached(enum update_phase phase) {
  struct member *m;
  TAILQ_FOREACH (m, &tx.members, link)
    if (!has_reached(m, phase)) return false;
  return true;
}

/* Lets the first member that is not frozen converge, if the one before it is. */
static void converge_next(void) {
  struct member *m;
  TAILQ_FOREACH (m, &tx.members, link) {
    if (has_reached(m, UPDATE_FROZEN)) continue;
    if (m->converging) return;
    m->converging = true;
    m->handled = UINT64_MAX;
    m->times.converging = elapsed_us();
    int error = st_fault("um.converge", ENOMEM);
    if (!error) error = kern_converge(m->endpoint, m->steps, m->steps_bytes);
    /* Without a new version: of its end we shall hear, and it is the reason. */
    if (error && error != -ECHILD)
      fail(error, "%s cannot converge (%s)", m->name, sys_strerror(error));
    return;
  }
}

/* A dry run has come as far as it goes. */
static void end_trial(void) {
  undo();
  client_say(tx.client, "Nothing was changed: this was a dry run.");
  finish(OUTCOME_TRIED, 0, "");
}

/* Goes on as far as what was reported allows. */
static void advance(void) {
  switch (tx.phase) {
  case PHASE_IDLE:
    break;
  case PHASE_LOADING:
    if (!all_reached(UPDATE_PLANNED) || !all_reached(UPDATE_PREPARED)) break;
    if (tx.options.dry_run) {
      end_trial();
      break;
    }
    client_say(tx.client, "Applying changes...");
    enter(PHASE_CONVERGING);
    advance();
    break;
  case PHASE_CONVERGING:
    if (!all_reached(UPDATE_FROZEN)) {
      converge_next();
      break;
    }
    if (all_reached(UPDATE_TRANSFERRED)) {
      change_phase(PHASE_TRANSFERRING); /* over already: it needs no alarms */
      commit();
      break;
    }
    st_pass("um.transfer");
    enter(PHASE_TRANSFERRING);
    break;
  case PHASE_TRANSFERRING:
    if (all_reached(UPDATE_TRANSFERRED)) commit();
    break;
  case PHASE_COMMITTING:
  case PHASES:
    break;
  }
}

static void say_requested(void) {
  static char names[MEMBER_EDGES_MAX * (BUS_NAME_MAX + 2)];
  size_t used = 0;
  struct member *m;
  names[0] = 0;
  TAILQ_FOREACH (m, &tx.members, link)
    used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "", m->name);
  client_say(tx.client, "Live update requested for %s%s.", names,
             tx.options.dry_run ? ", as a dry run" : "");
}

static void load(struct member *m) {
  client_say(tx.client, "Loading %s into memory...", m->path);
  struct kern_load how = {.exe_fd = m->exe_fd,
                          .filter = m->filter,
                          .signature = m->signature,
                          .signature_bytes = m->signature_bytes,
                          .options = m->options,
                          .options_bytes = m->options_bytes};
  int pid = st_fault("um.load", ENOMEM);
  if (!pid) pid = kern_load(m->endpoint, tx.id, &how);
  if (pid < 0) {
    fail(pid, "%s: %s could not be started (%s)", m->name, m->path, sys_strerror(pid));
    return;
  }
  m->new_pid = pid;
  m->times.loaded = elapsed_us();
}

static void keep_longer(uint32_t *ms, uint32_t other) {
  if (other > *ms) *ms = other;
}

/* The members share each phase. One of which nothing was said must get what the manifest gives. */
static void set_limits(const struct limits *said, const struct limits *defaults) {
  struct limits l = {0};
  struct member *m;
  TAILQ_FOREACH (m, &tx.members, link) {
    const struct limits *own = &m->limits;
    keep_longer(&l.load_ms, own->load_ms ? own->load_ms : defaults->load_ms);
    keep_longer(&l.converge_ms, own->converge_ms ? own->converge_ms : defaults->converge_ms);
    keep_longer(&l.transfer_ms, own->transfer_ms ? own->transfer_ms : defaults->transfer_ms);
  }
  if (said->load_ms) l.load_ms = said->load_ms;
  if (said->converge_ms) l.converge_ms = said->converge_ms;
  if (said->transfer_ms) l.transfer_ms = said->transfer_ms;
  l.max_ms = said->max_ms ? said->max_ms : defaults->max_ms;
  tx.options.limits = l;
}

void transaction_begin(client_t client, struct member_list *members,
                       const struct transaction_options *options, const struct limits *defaults) {
  /* The clock, so that a restarted um does not repeat an id that the loader knows. */
  uint64_t now = sys_time_us();
  tx.id = now > tx.id ? now : tx.id + 1;
  tx.client = client;
  tx.options = *options;
  tx.started_us = now;
  memset(tx.times, 0, sizeof(tx.times));
  failure.status = 0;
  TAILQ_INIT(&tx.members);
  TAILQ_CONCAT(&tx.members, members, link);
  set_limits(&options->limits, defaults);
  record_begin(&tx);
  sys_alarm(TRANSACTION_MAXTIME, after_ms(tx.options.limits.max_ms));
  say_requested();
  enter(PHASE_LOADING);
  struct member *m;
  TAILQ_FOREACH (m, &tx.members, link) {
    load(m);
    if (tx.phase == PHASE_IDLE) return; /* it failed, and the members are gone */
  }
  member_list_order(&tx.members);
}

bool transaction_running(void) {
  return tx.phase != PHASE_IDLE;
}

/* What an earlier, abandoned transaction's versions had still to say may arrive in this one. */
static bool is_current(const struct member *m, int pid, enum update_phase phase) {
  switch (phase) {
  case UPDATE_PLANNED:
  case UPDATE_TRANSFERRED:
    return pid == m->new_pid;
  case UPDATE_PREPARED:
    return pid != m->new_pid;
  case UPDATE_FROZEN:
    return pid != m->new_pid && (m->converging || freezes_last(m));
  }
  return false;
}

static uint64_t *time_of(struct member *m, enum update_phase phase) {
  switch (phase) {
  case UPDATE_PLANNED:
    return &m->times.planned;
  case UPDATE_PREPARED:
    return &m->times.prepared;
  case UPDATE_FROZEN:
    return &m->times.frozen;
  case UPDATE_TRANSFERRED:
    break;
  }
  return &m->times.transferred;
}

static void note_time(struct member *m, enum update_phase phase) {
  *time_of(m, phase) = elapsed_us();
  /* The new version's news overtook the old one's. */
  if (phase == UPDATE_FROZEN && m->times.transferred) m->times.frozen = m->times.transferred;
}

/* @param size  what the old version says of its state */
static void say_size(const struct member *m, const char *size) {
  client_say(tx.client, "%s: the old version has %s.", m->name, size);
}

/* The state channel has broken because the other version has ended: of that we shall hear, and it
 * is the reason. */
static bool lost_the_other(int status) {
  return status == -EPIPE;
}

void transaction_reported(endpoint_t ep, int pid, enum update_phase phase, int status,
                          const char *text) {
  struct member *m = transaction_running() ? member_at(ep) : NULL;
  if (!m || !is_current(m, pid, phase)) return;
  if (lost_the_other(status)) {
    m->orphaned |= pid == m->new_pid;
    return;
  }
  if (status < 0) {
    refuse(m, status, text);
    return;
  }
  m->reported |= 1u << phase;
  note_time(m, phase);
  if (phase == UPDATE_PREPARED && tx.options.dry_run) say_size(m, text);
  advance();
}

static const char *how_it_ended(int wait_status) {
  static char text[64];
  if (WIFSIGNALED(wait_status)) return WTERMSIG(wait_status) == SIGKILL ? "was killed" : "crashed";
  snprintf(text, sizeof(text), "exited with status %d", WEXITSTATUS(wait_status));
  return text;
}

/* Until its state arrives, a new version only waits: once its member converges, whatever it does by
 * itself happens during state transfer, though its death may be heard of before the freezing. */
static enum phase phase_of_new(const struct member *m, int wait_status) {
  bool killed = WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL;
  return tx.phase == PHASE_CONVERGING && m->converging && !killed ? PHASE_TRANSFERRING : tx.phase;
}

/* Not the end of an earlier transaction's new version, nor one that the old version's has caused.
 */
static bool is_news(const struct member *m, bool is_new, int pid) {
  return !is_new || (pid == m->new_pid && !m->orphaned);
}

void transaction_exited(endpoint_t ep, bool is_new, int pid, int wait_status) {
  struct member *m = transaction_running() ? member_at(ep) : NULL;
  if (!m || !is_news(m, is_new, pid)) return;
  char signal[32] = "";
  if (WIFSIGNALED(wait_status))
    snprintf(signal, sizeof(signal), " (signal %d)", WTERMSIG(wait_status));
  if (is_new)
    fail(-ECHILD, "%s's new version %s %s%s", m->name, how_it_ended(wait_status),
         phase_text(phase_of_new(m, wait_status)), signal);
  else
    abandon(-ECHILD, "the running version of %s %s %s%s", m->name, how_it_ended(wait_status),
            phase_text(tx.phase), signal);
}

void transaction_client_gone(client_t client) {
  if (!transaction_running() || client != tx.client) return;
  tx.client = 0;
  fail(-ECONNABORTED, "the client that requested it was lost %s", phase_text(tx.phase));
}

/* The first member that keeps the others waiting. */
static struct member *laggard(void) {
  struct member *m;
  TAILQ_FOREACH (m, &tx.members, link) {
    bool waits = tx.phase == PHASE_LOADING
                     ? !member_reached(m, UPDATE_PLANNED) || !member_reached(m, UPDATE_PREPARED)
                 : tx.phase == PHASE_CONVERGING ? !has_reached(m, UPDATE_FROZEN)
                                                : !has_reached(m, UPDATE_TRANSFERRED);
    if (waits) return m;
  }
  return NULL;
}

/* "net did not reach state quiescence ('n == 0')": the filter says more than its absence. */
static void not_quiescent(struct member *m, int status, const char *how) {
  bool filtered = *m->filter;
  fail(status, "%s did not reach state quiescence%s%s%s %s", m->name, filtered ? " ('" : "",
       m->filter, filtered ? "')" : "", how);
}

void transaction_look(void) {
  struct member *m = tx.phase == PHASE_CONVERGING ? laggard() : NULL;
  static char why[1024], how[1056];
  if (!m) return;
  sys_alarm(TRANSACTION_LOOK, sys_time_us() + LOOK_US);
  if (!deadlock_look(m, why, sizeof(why))) return;
  snprintf(how, sizeof(how), "and never can: %s", why);
  not_quiescent(m, -EDEADLK, how);
}

static void quiescence_timed_out(struct member *m, uint32_t ms) {
  static char why[1024], how[1120];
  deadlock_look(m, why, sizeof(why));
  snprintf(how, sizeof(how), "within %u ms%s%s%s", ms, *why ? " (" : "", why, *why ? ")" : "");
  not_quiescent(m, -ETIMEDOUT, how);
}

/* @param m  the member that keeps the others waiting, in `phase` */
static void fail_late(struct member *m, enum phase phase) {
  uint32_t ms = phase_limit_ms(phase);
  if (phase == PHASE_CONVERGING)
    quiescence_timed_out(m, ms);
  else if (phase == PHASE_LOADING &&
           !member_reached(m, UPDATE_PREPARED)) /* the new one waits for it */
    fail(-ETIMEDOUT, "the running version of %s did not answer within %u ms %s", m->name, ms,
         phase_text(phase));
  else
    fail(-ETIMEDOUT, "%s's new version did not answer within %u ms %s", m->name, ms,
         phase_text(phase));
}

/* The alarm of a phase that has ended just in time may still be heard of. */
static bool is_late(void) {
  return tx.deadline_us && sys_time_us() >= tx.deadline_us;
}

void transaction_time_out(void) {
  struct member *m = transaction_running() && is_late() ? laggard() : NULL;
  if (m) fail_late(m, tx.phase);
}

void transaction_maxtime(void) {
  uint32_t ms = tx.options.limits.max_ms;
  /* It may be the alarm of an update that has ended; and the bus may decide already. */
  bool counts =
      transaction_running() && tx.phase != PHASE_COMMITTING && ms && elapsed_us() >= ms * 1000ull;
  struct member *m = counts ? laggard() : NULL;
  if (!m) return;
  fail(-ETIMEDOUT, "the update did not come to its commit within %u ms (-maxtime); %s was %s", ms,
       m->name, tx.phase == PHASE_CONVERGING ? "converging" : "not ready");
}

/* Of those that converge by the order to commit, the one that has failed to: um is before busd. */
static struct member *last_laggard(void) {
  struct member *m, *late = NULL;
  TAILQ_FOREACH (m, &tx.members, link)
    if (!member_reached(m, UPDATE_TRANSFERRED) && (!late || m->endpoint == sys_self())) late = m;
  return late;
}

static void say_probation(void) {
  client_say(tx.client, "On probation for %u ms: if %s fails, %s.", tx.options.probation_ms,
             several() ? "one of the new versions" : "the new version",
             several() ? "all old ones take over" : "the old one takes over");
}

void transaction_committed(uint64_t id, int status) {
  if (tx.phase != PHASE_COMMITTING || id != tx.id) return;
  if (!status) {
    st_pass("um.committed");
    client_say(tx.client, "Cleaning up old version...");
    client_say(tx.client, "Live update done.");
    if (tx.options.probation_ms) say_probation();
    finish(OUTCOME_DONE, 0, "");
    return;
  }
  struct member *late = status == -ETIMEDOUT ? last_laggard() : NULL;
  /* What has failed since it was ordered is the reason, and fail() keeps the first one. */
  if (late)
    fail_late(late, member_reached(late, UPDATE_FROZEN) ? PHASE_TRANSFERRING : PHASE_CONVERGING);
  else
    fail(status, "the commit was refused (%s)", sys_strerror(status));
  give_up();
}
