#include "updmgr/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "journal.pb-c.h"
#include "libst/fault.h"
#include "libsys/sys.h"
#include "proto/printable.h"
#include "updmgr/journal.h"

/* A member's part, in memory of its own. */
struct part {
  Proteos__TransactionMember member;
  Proteos__UpdateTimes times;
};

struct record {
  Proteos__Transaction transaction;
  Proteos__TransactionPhase phases[PHASES], *phase_list[PHASES];
  struct part *parts;
  Proteos__TransactionMember **member_list;
};

/* What came from a client may be any bytes. @return owned by the caller; "" without memory */
static char *printable(const char *text) {
  char *copy = strdup(text);
  if (copy) printable_make(copy);
  return copy ? copy : strdup("");
}

static void fill_part(struct part *p, const struct member *m) {
  proteos__transaction_member__init(&p->member);
  proteos__update_times__init(&p->times);
  p->member.component = (char *)(uintptr_t)m->name;
  p->member.path = printable(m->path);
  p->member.old_build_id = (char *)(uintptr_t)m->old_build_id;
  p->member.new_build_id = (char *)(uintptr_t)m->new_build_id;
  p->member.filter = printable(m->filter);
  p->member.allow = printable(m->allow);
  p->member.times = &p->times;
  p->times.loaded_us = m->times.loaded;
  p->times.planned_us = m->times.planned;
  p->times.prepared_us = m->times.prepared;
  p->times.converging_us = m->times.converging;
  p->times.frozen_us = m->times.frozen;
  p->times.transferred_us = m->times.transferred;
}

static void fill_members(struct record *r, const struct member_list *members) {
  const struct member *m;
  size_t n = 0;
  TAILQ_FOREACH (m, members, link)
    n++;
  r->parts = calloc(n + 1, sizeof(*r->parts));
  r->member_list = calloc(n + 1, sizeof(*r->member_list));
  if (!r->parts || !r->member_list) return; /* then the record is without them */
  TAILQ_FOREACH (m, members, link) {
    size_t i = r->transaction.n_members++;
    fill_part(&r->parts[i], m);
    r->member_list[i] = &r->parts[i].member;
  }
  r->transaction.members = r->member_list;
}

static void fill_phases(struct record *r, const struct transaction *t) {
  static char *const names[PHASES] = {[PHASE_LOADING] = "load",
                                      [PHASE_CONVERGING] = "converge",
                                      [PHASE_TRANSFERRING] = "transfer",
                                      [PHASE_COMMITTING] = "commit"};
  for (enum phase p = PHASE_LOADING; p < PHASES; p++) {
    if (!t->times[p].began_us && !t->times[p].took_us) continue;
    size_t i = r->transaction.n_phases++;
    proteos__transaction_phase__init(&r->phases[i]);
    r->phases[i].name = names[p];
    r->phases[i].began_us = t->times[p].began_us;
    r->phases[i].took_us = t->times[p].took_us;
    r->phase_list[i] = &r->phases[i];
  }
  r->transaction.phases = r->phase_list;
}

static void fill(struct record *r, const struct transaction *t, const struct member_list *members,
                 enum outcome outcome) {
  proteos__transaction__init(&r->transaction);
  r->transaction.number = t->number;
  r->transaction.id = t->id;
  r->transaction.started_s = t->started_s;
  r->transaction.outcome = (Proteos__Transaction__Outcome)outcome;
  fill_members(r, members);
  fill_phases(r, t);
}

static void drop(struct record *r) {
  for (size_t i = 0; i < r->transaction.n_members; i++) {
    free(r->parts[i].member.path);
    free(r->parts[i].member.filter);
    free(r->parts[i].member.allow);
  }
  free(r->parts);
  free(r->member_list);
}

static void begin(struct transaction *t) {
  t->number = journal_next();
  t->started_s = (uint64_t)time(NULL);
}

void record_begin(struct transaction *t) {
  struct record r = {0};
  begin(t);
  fill(&r, t, &t->members, OUTCOME_BEGUN);
  journal_append(&r.transaction);
  drop(&r);
}

static void end(const struct transaction *t, const struct member_list *members,
                enum outcome outcome, int status, const char *reason) {
  struct record r = {0};
  fill(&r, t, members, outcome);
  r.transaction.status = status;
  r.transaction.reason = (char *)(uintptr_t)reason;
  r.transaction.took_us = t->started_us ? sys_time_us() - t->started_us : 0;
  journal_append(&r.transaction);
  client_end(t->client, status, &r.transaction);
  drop(&r);
}

void record_end(const struct transaction *t, enum outcome outcome, int status, const char *reason) {
  end(t, &t->members, outcome, status, reason);
}

void record_refused(client_t client, const struct member_list *members, int status,
                    const char *reason) {
  struct transaction t = {.client = client};
  begin(&t);
  char *text = printable(reason); /* it may quote the client */
  end(&t, members, OUTCOME_REFUSED, status, text ? text : "");
  free(text);
}

/* ---- probation ---- */

static void write_taken_back(uint64_t id, const char *reason) {
  Proteos__Transaction *t = journal_find(id);
  if (!t) return; /* there is no journal, and the log has it */
  char *former = t->reason;
  t->outcome = PROTEOS__TRANSACTION__OUTCOME__TAKEN_BACK;
  t->reason = (char *)(uintptr_t)reason;
  t->status = -ECHILD;
  journal_append(t);
  t->reason = former;
  proteos__transaction__free_unpacked(t, NULL);
}

void record_probation(uint64_t id, bool passed, endpoint_t who) {
  char reason[160], name[BUS_NAME_MAX];
  st_pass("um.probation");
  if (passed) {
    client_say(0, "The probation is over: the new versions stay.");
    return;
  }
  member_name(who, name);
  snprintf(reason, sizeof(reason), "%s died on probation: the old versions have taken over", name);
  client_say(0, "%s.", reason);
  write_taken_back(id, reason);
}
