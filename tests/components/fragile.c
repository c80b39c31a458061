#include "tests/components/fragile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/sys.h"
#include "tests/components/peer.h"

struct note {
  struct note *next;
#ifdef FRAGILE_NEW
  uint64_t doubled;
#endif
  uint64_t amount;
};

#ifdef FRAGILE_NEW
enum { VERSION = 2 };
#else
enum { VERSION = 1 };
#endif

static uint64_t total;
static struct note *notes, **notes_end = &notes;
static struct note *wild;
static uint32_t recoveries, alarms, lost;
static uint64_t held;
static enum resistance resist;
static int break_later;
static volatile uint64_t *shared;

/* What is written before it is in memory by then, and what comes after it is not. */
static void crash(void) {
  volatile int *volatile nowhere = NULL;
  __asm__ volatile("" ::: "memory");
  *nowhere = 1;
  __asm__ volatile("" ::: "memory");
}

static void add(uint64_t amount) {
  struct note *n = calloc(1, sizeof(*n));
  n->amount = amount;
  *notes_end = n;
  notes_end = &n->next;
  total += amount;
}

static void check(msg_t *answer) {
  struct fragile_check_reply *r = IPC_REPLY(answer, fragile_check);
  r->total = 0;
  for (const struct note *n = notes; n; n = n->next) {
    r->total += n->amount;
    r->notes++;
  }
  if (r->total != total) answer->status = -EBADMSG;
  r->recoveries = recoveries;
  r->alarms = alarms;
  r->lost = lost;
  r->version = VERSION;
  r->shared = shared ? (uint32_t)shared[0] : 0;
}

static void free_many(void) {
  static struct note *some[200];
  for (unsigned i = 0; i < 200; i++)
    some[i] = calloc(1, sizeof(**some));
  for (unsigned i = 0; i < 200; i++) {
    free(some[i]);
    some[i] = NULL;
  }
}

static int call_peer(void) {
  msg_t m = {.type = PEER_HOLD};
  return sys_call(sys_lookup("peer"), &m, NULL, 0, 7);
}

static void break_down(enum way_to_break how) {
  switch (how) {
  case BREAK_HANG:
    for (volatile int forever = 1; forever;)
      ;
    break;
  case BREAK_POINTER:
    wild = (struct note *)0x123456789000;
    break;
  case BREAK_HEAP:
    memset((void *)((uintptr_t)notes & -4096ul), 0xff, 64);
    break;
  case BREAK_FREE:
    free_many();
    break;
  case BREAK_CALL:
    call_peer();
    break;
  case BREAK_LATER:
    break_later = 1;
    sys_alarm(1, sys_time_us() + 1000);
    return;
  case BREAK_CRASH:
    break;
  }
  crash();
}

static void notified(uint64_t bits) {
  if (bits & 1) alarms++;
  if (bits & 2 && break_later) {
    break_later = 0;
    crash();
  }
  if (bits & 2) alarms++;
}

static void process_msg(msg_t *m) {
  msg_t answer = {.type = m->type};
  if (shared) shared[0]++;
  switch (m->type) {
  case SYS_NOTIFIED:
    if (m->source == SYS_KERNEL) notified(m->bits);
    return;
  case PEER_HOLD | SYS_REPLY_FLAG:
    if (m->status == -SYS_ERESTARTED) lost++;
    return;
  case FRAGILE_ADD:
    add(IPC(m, fragile_add)->amount);
    check(&answer);
    break;
  case FRAGILE_CHECK:
    check(&answer);
    break;
  case FRAGILE_BREAK:
    add(1);
    break_down((enum way_to_break)IPC(m, fragile_break)->how);
    break;
  case FRAGILE_HOLD:
    held = m->token;
    return;
  case FRAGILE_LET_GO: {
    msg_t late = {.type = FRAGILE_HOLD};
    answer.status = sys_reply(held, &late);
    break;
  }
  case FRAGILE_CALL:
    answer.status = call_peer();
    break;
  case FRAGILE_ALARM:
    answer.status = sys_alarm(0, sys_time_us() + IPC(m, fragile_alarm)->ms * 1000);
    break;
  case FRAGILE_SHARE:
    shared = sys_region("shared", NULL);
    answer.status = shared ? 0 : -errno;
    break;
  case FRAGILE_RESIST:
    resist = (enum resistance)IPC(m, fragile_resist)->how;
    break;
  default:
    if (!msg_is_request(m)) return;
    answer.status = -ENOSYS;
    break;
  }
  sys_reply(m->token, &answer);
}

static int recover(const sys_init_t *info) {
  recoveries++;
  sys_log("recovered, incarnation %u", info->incarnation);
  switch (resist) {
  case RESIST_NOT:
    break;
  case RESIST_REFUSE:
    return -5;
  case RESIST_CRASH:
    crash();
    break;
  case RESIST_HANG:
    for (volatile int forever = 1; forever;)
      ;
  }
  return 0;
}

static int init(const sys_init_t *info) {
  sys_log("start %d", (int)info->start);
  return 0;
}

int main(void) {
  event_eh_t handlers = {.init = init, .recover = recover};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    process_msg(&m);
  }
}
