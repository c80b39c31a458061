/* Keeps a ledger without a pause and checks every answer: none may be lost, repeated or wrong, and
 * the state must be the one that the answers say. An error is a loss: then the ledger must be
 * empty, as after a restart. A waiting call is always pending. Prints a line every REPORT_US. */
#include <stdio.h>
#include <stdlib.h>

#include "libsys/sys.h"
#include "tests/components/ledger.h"

#define SUM_EVERY   16u
#define ENTRIES_MAX 512u
#define REPORT_US   20000u
#define RETRY_US    1000u

enum bit { BIT_REPORT, BIT_RETRY };

static endpoint_t ledger;
static uint64_t answers, wrong, losses;
static uint64_t count, digest = LEDGER_EMPTY; /* what the ledger must hold */
static bool lost, waiting;
static bool stale; /* what was asked last was asked of an earlier life of the ledger */

static void call(uint32_t type, uint64_t number) {
  msg_t m = {.type = type};
  if (type == LEDGER_APPEND) IPC(&m, ledger_append)->number = number;
  int error = sys_call(ledger, &m, NULL, 0, type);
  if (error) {
    sys_log("call of 0x%x: %s", type, sys_strerror(error));
    exit(EXIT_FAILURE);
  }
}

static void note_wrong(const char *what, const msg_t *m) {
  wrong++;
  sys_log("wrong: %s (status %d)", what, m->status);
}

static void note_loss(const char *how) {
  if (!lost) {
    losses++;
    sys_log("lost: %s", how);
  }
  lost = true;
  count = 0;
  digest = LEDGER_EMPTY;
}

static void go_on(void) {
  if (!waiting) call(LEDGER_WAIT, 0);
  waiting = true;
  if (count == ENTRIES_MAX)
    call(LEDGER_CLOSE, 0);
  else
    call(LEDGER_APPEND, count);
}

static bool is_loss(const msg_t *m) {
  return m->status == -SYS_ERESTARTED || m->status == -SYS_EDEADSRCDST;
}

static void appended(const msg_t *m) {
  digest = ledger_digest(digest, count++);
  if (m->status || IPC_REPLY(m, ledger_append)->count != count) note_wrong("append", m);
  if (count % SUM_EVERY)
    go_on();
  else
    call(LEDGER_SUM, 0);
}

static void summed(const msg_t *m) {
  const struct ledger_sum_reply *r = IPC_REPLY(m, ledger_sum);
  if (m->status || r->count != count || r->digest != digest) note_wrong("sum", m);
  lost = false;
  go_on();
}

static void closed(const msg_t *m) {
  if (m->status) note_wrong("close", m);
  count = 0;
  digest = LEDGER_EMPTY;
  call(LEDGER_SUM, 0);
}

static void waited(const msg_t *m) {
  waiting = false;
  if (is_loss(m)) {
    stale = !lost; /* the other call was answered, and another one was made since */
    note_loss(sys_strerror(m->status));
    return;
  }
  /* Its answer was sent before that of the append. */
  if (m->status || IPC_REPLY(m, ledger_wait)->number != count) note_wrong("wait", m);
}

static void answered(const msg_t *m) {
  answers++;
  if (m->cookie == LEDGER_WAIT) {
    waited(m);
  } else if (is_loss(m)) {
    stale = false;
    note_loss(sys_strerror(m->status));
    sys_alarm(BIT_RETRY, sys_time_us() + RETRY_US);
  } else if (stale) {
    stale = false;
    call(LEDGER_CLOSE, 0);
  } else if (m->cookie == LEDGER_APPEND) {
    appended(m);
  } else if (m->cookie == LEDGER_SUM) {
    summed(m);
  } else {
    closed(m);
  }
}

static void report(void) {
  sys_log("answers %llu wrong %llu losses %llu", (unsigned long long)answers,
          (unsigned long long)wrong, (unsigned long long)losses);
  sys_alarm(BIT_REPORT, sys_time_us() + REPORT_US);
}

/* It may have died when all that was asked of it was answered. */
static void restarted(void) {
  stale = stale || !lost;
  note_loss("it was restarted");
}

/* Whatever an earlier life of it has left in the ledger is dropped. */
static int init(const sys_init_t *info) {
  (void)info;
  ledger = sys_lookup("ledger");
  report();
  call(LEDGER_CLOSE, 0);
  return 0;
}

int main(void) {
  event_eh_t handlers = {.init = init};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    if (m.type & SYS_REPLY_FLAG) {
      answered(&m);
    } else if (m.type == SYS_RESTARTED && m.i32[0] == ledger) {
      restarted();
    } else if (m.type == SYS_NOTIFIED && m.source == SYS_KERNEL) {
      if (m.bits & (1u << BIT_REPORT)) report();
      if (m.bits & (1u << BIT_RETRY)) call(LEDGER_SUM, 0);
    }
  }
}
