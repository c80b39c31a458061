#include "bus/record.h"

#include "bus/child.h"

/* A process that was stopped would take its endpoint and never serve it. */
static bool all_able(const struct loader_msg *commit) {
  if (commit->commit.nmembers == 0 || commit->commit.nmembers > LOADER_MEMBERS_MAX) return false;
  for (uint32_t i = 0; i < commit->commit.nmembers; i++) {
    const struct child *c = child_by_pid(commit->commit.members[i].new_pid);
    if (!c || !child_is_able(c)) return false;
  }
  return true;
}

bool record_commit(struct record *r, const struct loader_msg *commit, uint64_t now_us) {
  switch (r->state) {
  case RECORD_COMMITTED:
    return r->activate.commit.txid == commit->commit.txid;
  case RECORD_EMPTY:
    if (now_us > commit->commit.deadline_us || !all_able(commit)) return false;
    r->activate = *commit;
    r->activate.type = LOADER_ACTIVATE;
    r->state = RECORD_COMMITTED;
    return true;
  }
  return false;
}

void record_acknowledge(struct record *r, uint64_t txid) {
  if (r->state == RECORD_COMMITTED && r->activate.commit.txid == txid) r->state = RECORD_EMPTY;
}
