/* Provokes every error of the bus and logs "WHAT: ERROR" for each. A plain program: it blocks where
 * it likes, so it is not updatable.
 *
 * Its manifest gives it `peer` (restarted when it dies; with a deadline on the edge), `mortal` (not
 * restarted), and nothing to `stranger`. It ends its first life itself, owing nobody an answer but
 * being owed one; its second life sees that the answer to the first is stale. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/sys.h"
#include "tests/components/peer.h"

static const char *error_name(int error) {
  switch (-error) {
  case 0:
    return "OK";
  case SYS_EDEADSRCDST:
    return "EDEADSRCDST";
  case SYS_ERESTARTED:
    return "ERESTARTED";
  case SYS_ELOCKED:
    return "ELOCKED";
  case SYS_ENOTLIVE:
    return "ENOTLIVE";
  }
  const char *name = strerrorname_np(-error);
  return name ? name : "?";
}

static void show(const char *what, int error) {
  sys_log("%s: %s", what, error_name(error));
}

static int ask(endpoint_t dst, uint32_t type) {
  msg_t m = {.type = type};
  int error = sys_sendrec(dst, &m);
  return error ? error : m.status;
}

#define KEPT_MAX 64

static bool matches(const msg_t *m, uint32_t type, uint64_t cookie) {
  return m->type == type && (!(type & SYS_REPLY_FLAG) || m->cookie == cookie);
}

/* Waits for a message that `type` and `cookie` describe, whatever comes before it. */
static msg_t wait_for(uint32_t type, uint64_t cookie) {
  static msg_t kept[KEPT_MAX];
  static unsigned n;
  for (unsigned i = 0; i < n; i++) {
    if (!matches(&kept[i], type, cookie)) continue;
    msg_t found = kept[i];
    kept[i] = kept[--n];
    return found;
  }
  for (;;) {
    msg_t m;
    sys_receive(&m);
    if (matches(&m, type, cookie)) return m;
    if (n < KEPT_MAX) kept[n++] = m;
  }
}

static void permission(void) {
  endpoint_t stranger = 1; /* the first in the manifest */
  msg_t m = {.type = PEER_ECHO};
  show("stranger sendrec", sys_sendrec(stranger, &m));
  show("stranger call", sys_call(stranger, &m, NULL, 0, 0));
  show("stranger notify", sys_notify(stranger, 1));
  show("stranger lookup", sys_lookup("stranger") < 0 ? -ENOENT : 0);
}

static void bulk(endpoint_t peer) {
  static char out[SYS_PAYLOAD_MAX + 1], in[SYS_PAYLOAD_MAX];
  msg_t m = {.type = PEER_ECHO};
  memset(out, 'x', sizeof(out));
  show("oversized sendrec", sys_sendrec_bulk(peer, &m, out, sizeof(out), in, sizeof(in)));
  show("oversized call", sys_call(peer, &m, out, sizeof(out), 0));
  int error = sys_sendrec_bulk(peer, &m, out, SYS_PAYLOAD_MAX, in, sizeof(in));
  if (!error && (m.payload != SYS_PAYLOAD_MAX || memcmp(in, out, sizeof(in)) != 0))
    error = -EBADMSG;
  show("largest sendrec", error);
}

static void stale(endpoint_t peer) {
  msg_t m = {.type = PEER_HOLD};
  show("held call", sys_call(peer, &m, NULL, 0, 77));
  show("first answer", ask(peer, PEER_ANSWER_HELD));
  show("held call's answer", wait_for(PEER_HOLD | SYS_REPLY_FLAG, 77).status);
  show("second answer", ask(peer, PEER_ANSWER_HELD));
}

static void in_flight(endpoint_t peer) {
  msg_t m = {.type = PEER_HOLD};
  int n = 0, error;
  while ((error = sys_call(peer, &m, NULL, 0, 100 + (uint64_t)n)) == 0)
    n++;
  sys_log("calls in flight: %d", n);
  show("one call more", error);
}

static void death(endpoint_t peer, endpoint_t mortal) {
  show("sendrec to one that dies", ask(peer, PEER_DIE));
  show("call pending at one that died", wait_for(PEER_HOLD | SYS_REPLY_FLAG, 100).status);
  msg_t m = wait_for(SYS_RESTARTED, 0);
  show("told of the restart", m.i32[0] == peer ? 0 : -EBADMSG);
  show("sendrec after its restart", ask(peer, PEER_ECHO));
  ask(mortal, PEER_DIE);
  do
    m = wait_for(SYS_EXITED, 0);
  while (m.i32[0] == peer); /* it had exited before it was restarted */
  show("told of the death", m.i32[0] == mortal ? 0 : -EBADMSG);
  show("sendrec to the dead", ask(mortal, PEER_ECHO));
  m = (msg_t){.type = PEER_ECHO};
  show("call to the dead", sys_call(mortal, &m, NULL, 0, 200));
  show("call to the dead's answer", wait_for(PEER_ECHO | SYS_REPLY_FLAG, 200).status);
}

static int first_life(const sys_init_t *info) {
  (void)info;
  endpoint_t peer = sys_lookup("peer"), mortal = sys_lookup("mortal");
  permission();
  bulk(peer);
  stale(peer);
  in_flight(peer);
  show("deadline", ask(peer, PEER_HOLD));
  death(peer, mortal);
  msg_t m = {.type = PEER_HOLD};
  show("call before death", sys_call(peer, &m, NULL, 0, 1));
  ask(peer, PEER_ECHO); /* the batch is out */
  abort();
}

/* With the argument "hang": a peer that never comes back from a handler, until somebody kills it.
 */
static int with_a_hanging_peer(const sys_init_t *info) {
  (void)info;
  endpoint_t peer = sys_lookup("peer");
  show("sendrec to one that hangs", ask(peer, PEER_HANG));
  wait_for(SYS_RESTARTED, 0);
  show("sendrec after it was killed", ask(peer, PEER_ECHO));
  return 0;
}

/* With the argument "stopped": a peer that somebody stops, and later starts again. */
static int with_a_stopped_peer(const sys_init_t *info) {
  (void)info;
  endpoint_t mortal = sys_lookup("mortal");
  msg_t m = {.type = PEER_HOLD};
  show("call that is held", sys_call(mortal, &m, NULL, 0, 300));
  show("sendrec before the stop", ask(mortal, PEER_ECHO));
  sys_log("waits");
  show("call pending at the stopped", wait_for(PEER_HOLD | SYS_REPLY_FLAG, 300).status);
  show("told of the stop", wait_for(SYS_EXITED, 0).i32[0] == mortal ? 0 : -EBADMSG);
  show("sendrec to the stopped", ask(mortal, PEER_ECHO));
  sys_log("done");
  show("told of the start", wait_for(SYS_RESTARTED, 0).i32[0] == mortal ? 0 : -EBADMSG);
  show("sendrec to the started", ask(mortal, PEER_ECHO));
  return 0;
}

/* With the argument "deadlines": asks the peer again and again, and tells when it fails. */
static void ask_again(void) {
  int error = ask(sys_lookup("peer"), PEER_ECHO);
  if (error) show("echo", error);
  sys_alarm(0, sys_time_us() + 10000);
}

static int with_deadlines(const sys_init_t *info) {
  (void)info;
  ask_again();
  return 0;
}

/* With the argument "edges": asks for `mortal` again and again, and tells when the outcome changes.
 */
static void look_for_mortal(void) {
  static int last = 1;
  endpoint_t mortal = sys_lookup("mortal");
  int error = mortal < 0 ? mortal : ask(mortal, PEER_ECHO);
  if (mortal > 0) sys_notify(mortal, 1);
  if (error != last) show("mortal", error);
  last = error;
  sys_alarm(0, sys_time_us() + 10000);
}

static int with_edges(const sys_init_t *info) {
  (void)info;
  look_for_mortal();
  return 0;
}

/* With the argument "calls": as many as it may make. */
static int with_calls(const sys_init_t *info) {
  (void)info;
  in_flight(sys_lookup("peer"));
  return 0;
}

static int second_life(const sys_init_t *info) {
  sys_log("incarnation: %u", info->incarnation);
  show("answer to a former life", ask(sys_lookup("peer"), PEER_ANSWER_HELD));
  sys_log("done");
  return 0;
}

static const struct role {
  const char *name;
  int (*init)(const sys_init_t *);
  int (*restart)(const sys_init_t *);
  void (*again)(void);
} roles[] = {
    {"", first_life, second_life, NULL},          {"hang", with_a_hanging_peer, NULL, NULL},
    {"stopped", with_a_stopped_peer, NULL, NULL}, {"deadlines", with_deadlines, NULL, ask_again},
    {"edges", with_edges, NULL, look_for_mortal}, {"calls", with_calls, NULL, NULL},
};

int main(int argc, char **argv) {
  const struct role *role = &roles[0];
  for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
    if (argc > 1 && strcmp(argv[1], roles[i].name) == 0) role = &roles[i];
  event_eh_t handlers = {.init = role->init, .restart = role->restart};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    if (m.type == SYS_NOTIFIED && m.source == SYS_KERNEL && role->again) role->again();
  }
}
