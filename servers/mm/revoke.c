#include "revoke.h"

#include <errno.h>

#include "kernel.h"
#include "libsys/sys.h"

static void set_alarm(void) {
  uint64_t first = 0;
  const struct grant *g;
  for (const struct area *a = areas; a < areas + AREAS_MAX; a++)
    LIST_FOREACH (g, &a->grants, link)
      if (g->deadline_us && (!first || g->deadline_us < first)) first = g->deadline_us;
  sys_alarm(REVOKE_ALARM_BIT, first);
}

static void answer_revoke(uint64_t token, uint32_t ended) {
  msg_t reply = {.type = MEM_REVOKE | SYS_REPLY_FLAG};
  IPC_REPLY(&reply, mem_revoke)->ended = ended;
  if (token) sys_reply(token, &reply);
}

static void end_area(struct area *a) {
  msg_t reply = {.type = MEM_DESTROY | SYS_REPLY_FLAG};
  uint64_t token = a->token;
  IPC_REPLY(&reply, mem_destroy)->ended = a->ended;
  area_free(a);
  if (token) sys_reply(token, &reply);
}

/* The grant is gone. @return whether its area went with it */
static bool end_grant(struct area *a, struct grant *g) {
  uint64_t token = g->token;
  bool ended = g->ended;
  grant_close(a, g);
  grant_free(g);
  a->ended += ended;
  answer_revoke(token, ended);
  if (a->state != AREA_ENDING || !LIST_EMPTY(&a->grants)) return false;
  end_area(a);
  return true;
}

static bool start(struct area *a, struct grant *g, uint32_t patience_ms) {
  if (g->state == GRANT_GIVEN) return end_grant(a, g);
  if (g->state == GRANT_MAPPED) {
    g->state = GRANT_REVOKING;
    g->patience_ms = patience_ms;
    g->deadline_us = sys_time_us() + patience_ms * 1000ull;
  }
  sys_notify(g->holder, MEM_REVOKED);
  return false;
}

void revoke_grant(struct area *a, struct grant *g, uint32_t patience_ms, uint64_t token) {
  g->token = token;
  start(a, g, patience_ms);
  set_alarm();
}

void revoke_area(struct area *a, uint32_t patience_ms, uint64_t token) {
  struct grant *g, *next;
  a->state = AREA_ENDING;
  a->token = token;
  a->ended = 0;
  if (LIST_EMPTY(&a->grants)) end_area(a);
  for (g = LIST_FIRST(&a->grants); g; g = next) {
    next = LIST_NEXT(g, link);
    if (start(a, g, patience_ms)) break;
  }
  set_alarm();
}

void revoke_released(struct area *a, struct grant *g) {
  if (g->state == GRANT_REVOKING) {
    end_grant(a, g);
    set_alarm();
  } else {
    grant_close(a, g);
  }
}

static void drop_held(struct area *a, endpoint_t holder) {
  struct grant *g, *next;
  for (g = LIST_FIRST(&a->grants); g; g = next) {
    next = LIST_NEXT(g, link);
    if (g->holder == holder && end_grant(a, g)) return;
  }
}

void revoke_exited(endpoint_t who, uint32_t patience_ms) {
  for (struct area *a = areas; a < areas + AREAS_MAX; a++) {
    if (a->state == AREA_FREE) continue;
    bool owned = a->owner == who;
    if (owned) a->owner = a->token = 0;
    drop_held(a, who);
    if (owned && a->state == AREA_LIVE) revoke_area(a, patience_ms, 0);
  }
  set_alarm();
}

/* Who is held can do nothing, and gets its time again; so does one that is recovered after its end,
 * with its mappings. */
static void overdue(struct grant *g, uint64_t now_us) {
  int error = kernel_end(g->holder, g->incarnation);
  g->deadline_us = error == -ESRCH ? 0 : now_us + g->patience_ms * 1000ull;
  g->ended |= !error;
  if (!error) sys_log("%s did not give back grant %u in time", sys_name(g->holder), g->number);
}

void revoke_expire(void) {
  uint64_t now_us = sys_time_us();
  struct grant *g;
  for (struct area *a = areas; a < areas + AREAS_MAX; a++)
    LIST_FOREACH (g, &a->grants, link)
      if (g->deadline_us && g->deadline_us <= now_us) overdue(g, now_us);
  set_alarm();
}
