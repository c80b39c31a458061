/* The counter, its new version, and new versions that fail in one way each.
 *
 * COUNTER_NEW: the state's structures differ (below, in one place). COUNTER_FAULT: what the live
 * update handler does wrong. */
#include "tests/components/counter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/sys.h"

enum fault {
  FAULT_NONE,
  FAULT_CRASH,
  FAULT_HANG,
  FAULT_SEND,
  FAULT_EXIT,
  FAULT_REFUSE,
  FAULT_SCRIBBLE
};
#ifndef COUNTER_FAULT
#define COUNTER_FAULT FAULT_NONE
#endif

#define WORD_BYTES 24

#ifdef COUNTER_NEW
struct note {
  uint64_t number;
  struct note *previous; /* new */
  char word[WORD_BYTES];
  uint32_t length; /* was before `word` */
  struct note *next;
};
#define VERSION 2
static uint32_t updates_seen; /* new */
#else
struct note {
  struct note *next;
  uint32_t length;
  uint64_t number;
  char word[WORD_BYTES];
};
#define VERSION 1
#endif

#ifdef COUNTER_NARROW
static uint8_t total;
#else
static uint64_t total;
#endif
static struct note *notes, **notes_end = &notes;
static uint64_t num_notes;
static uint64_t held; /* token of the request that COUNTER_LET_GO answers; 0: none */
int num_busy;
static volatile uint8_t *shared; /* the region of that name, where the manifest has one */

static int add_note(const msg_t *m) {
  if (m->payload >= WORD_BYTES) return -EMSGSIZE;
  struct note *n = calloc(1, sizeof(*n));
  if (!n) return -ENOMEM;
  n->number = IPC(m, counter_note)->number;
  n->length = m->payload;
  memcpy(n->word, sys_payload(), m->payload);
  *notes_end = n;
  notes_end = &n->next;
  num_notes++;
  return 0;
}

static uint64_t digest(void) {
  uint64_t d = 14695981039346656037ull; /* FNV-1a */
  for (const struct note *n = notes; n; n = n->next) {
    d = (d ^ n->number) * 1099511628211ull;
    for (uint32_t i = 0; i < n->length; i++)
      d = (d ^ (uint8_t)n->word[i]) * 1099511628211ull;
  }
  return d;
}

static void check(msg_t *answer) {
  struct counter_check_reply *r = IPC_REPLY(answer, counter_check);
  r->digest = digest();
  r->notes = num_notes;
  r->total = total;
  r->version = VERSION;
}

static int let_go(uint64_t amount) {
  if (!held) return -ENOENT;
  msg_t answer = {.type = COUNTER_HOLD};
  IPC_REPLY(&answer, counter_hold)->amount = amount;
  int error = sys_reply(held, &answer);
  held = 0;
  return error;
}

static void process_msg(msg_t *m) {
  msg_t answer = {.type = m->type};
  switch (m->type) {
  case COUNTER_ADD:
    total += IPC(m, counter_add)->amount;
    IPC_REPLY(&answer, counter_add)->total = total;
    break;
  case COUNTER_NOTE:
    answer.status = add_note(m);
    break;
  case COUNTER_CHECK:
    check(&answer);
    break;
  case COUNTER_HOLD:
    held = m->token;
    return;
  case COUNTER_LET_GO:
    answer.status = let_go(IPC(m, counter_let_go)->amount);
    break;
  case COUNTER_BUSY:
    num_busy = (int)IPC(m, counter_busy)->busy;
    break;
  default:
    if (!msg_is_request(m)) return;
    answer.status = -ENOSYS;
    break;
  }
  sys_reply(m->token, &answer);
}

static int live_update(const sys_init_t *info) {
  (void)info;
#ifdef COUNTER_NEW
  updates_seen++;
  struct note *previous = NULL;
  for (struct note *n = notes; n; n = n->next) {
    n->previous = previous;
    previous = n;
  }
#endif
  switch ((enum fault)COUNTER_FAULT) {
  case FAULT_NONE:
    break;
  case FAULT_CRASH: {
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
    break;
  }
  case FAULT_HANG:
    for (volatile int forever = 1; forever;)
      ;
    break;
  case FAULT_SEND: {
    endpoint_t peer = sys_lookup("asker");
    int error = sys_notify(peer, 1);
    sys_log("notify before commit: %d", error);
    return error;
  }
  case FAULT_EXIT:
    exit(7);
  case FAULT_REFUSE:
    return -1;
  case FAULT_SCRIBBLE:
    shared[0] = 1;
    break;
  }
  return 0;
}

static int init(const sys_init_t *info) {
  (void)info;
  shared = sys_region("shared", NULL);
  return 0;
}

static void committed(const sys_init_t *info) {
  if (shared) shared[0] = VERSION;
  sys_log("version %d is live (incarnation %u)", VERSION, info->incarnation);
}

int main(void) {
  event_eh_t handlers = {.init = init, .live_update = live_update, .committed = committed};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    process_msg(&m);
  }
}
