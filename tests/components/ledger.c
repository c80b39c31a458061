/* The ledger. LEDGER_NEW: its new version, with entries that are larger. */
#include "tests/components/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libsys/sys.h"

#ifdef LEDGER_NEW
struct entry {
  uint64_t spare[8]; /* new */
  uint64_t number;
  struct entry *next;
};
#else
struct entry {
  struct entry *next;
  uint64_t number;
};
#endif

static struct entry *entries, **end = &entries;
static uint64_t count;
static uint64_t waiter; /* token of LEDGER_WAIT; 0: nobody waits */
static int file = -1;

static int append(uint64_t number) {
  if (number != count) return -EINVAL;
  struct entry *e = calloc(1, sizeof(*e));
  if (!e) return -ENOMEM;
  e->number = number;
  if (pwrite(file, &number, sizeof(number), (off_t)(count * sizeof(number))) != sizeof(number)) {
    free(e);
    return -EIO;
  }
  *end = e;
  end = &e->next;
  count++;
  return 0;
}

static void answer_waiter(uint64_t number) {
  msg_t answer = {.type = LEDGER_WAIT};
  if (!waiter) return;
  IPC_REPLY(&answer, ledger_wait)->number = number;
  sys_reply(waiter, &answer); /* it may have died */
  waiter = 0;
}

static int sum(struct ledger_sum_reply *r) {
  r->digest = LEDGER_EMPTY;
  r->count = count;
  uint64_t at = 0;
  for (const struct entry *e = entries; e; e = e->next, at++) {
    uint64_t written = ~0ull;
    if (pread(file, &written, sizeof(written), (off_t)(at * sizeof(written))) < 0) return -errno;
    if (written != e->number) return -EBADMSG;
    r->digest = ledger_digest(r->digest, e->number);
  }
  return at == count ? 0 : -EBADMSG;
}

static int drop_all(void) {
  while (entries) {
    struct entry *e = entries;
    entries = e->next;
    free(e);
  }
  end = &entries;
  count = 0;
  return ftruncate(file, 0) < 0 ? -errno : 0;
}

static void process_msg(const msg_t *m) {
  msg_t answer = {.type = m->type};
  if (!msg_is_request(m)) return;
  switch (m->type) {
  case LEDGER_APPEND:
    answer.status = append(IPC(m, ledger_append)->number);
    IPC_REPLY(&answer, ledger_append)->count = count;
    if (!answer.status) answer_waiter(IPC(m, ledger_append)->number);
    break;
  case LEDGER_SUM:
    answer.status = sum(IPC_REPLY(&answer, ledger_sum));
    break;
  case LEDGER_WAIT:
    waiter = m->token;
    return;
  case LEDGER_CLOSE:
    answer.status = drop_all();
    break;
  default:
    answer.status = -ENOSYS;
    break;
  }
  sys_reply(m->token, &answer);
}

static int init(const sys_init_t *info) {
  (void)info;
  file = memfd_create("ledger", 0);
  return file < 0 ? -errno : 0;
}

int main(void) {
  event_eh_t handlers = {.init = init};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    process_msg(&m);
  }
}
