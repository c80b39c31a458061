/* um, the update manager: decides about updates, as a state machine over events.
 *
 * Arguments: load=MS converge=MS transfer=MS, the time-outs of the phases, and maxtime=MS, that of
 * the whole; 0: none. key=HEXADECIMAL, by which executables must be signed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "libsys/kern.h"
#include "libsys/sys.h"
#include "updmgr/journal.h"
#include "updmgr/record.h"
#include "updmgr/request.h"
#include "updmgr/signed.h"
#include "updmgr/transaction.h"

#define FDS_MAX 64 /* as many as there can be components */

SYS_NEEDS(kernel, "update");

static struct limits limits = {.load_ms = 5000, .converge_ms = 3000, .transfer_ms = 2000};

/* @return whether it is known */
static bool read_limit(const char *arg) {
  unsigned ms;
  if (sscanf(arg, "load=%u", &ms) == 1 && ms)
    limits.load_ms = ms;
  else if (sscanf(arg, "converge=%u", &ms) == 1 && ms)
    limits.converge_ms = ms;
  else if (sscanf(arg, "transfer=%u", &ms) == 1 && ms)
    limits.transfer_ms = ms;
  else if (sscanf(arg, "maxtime=%u", &ms) == 1)
    limits.max_ms = ms;
  else if (!signed_argument(arg)) {
    sys_log("unknown argument '%s'; known: load=MS converge=MS transfer=MS maxtime=MS "
            "key=HEXADECIMAL",
            arg);
    return false;
  }
  return true;
}

/* Arguments as main() got them, name included; now that it runs, a wrong one only changes nothing.
 */
static void read_limits(const char *arguments, size_t bytes) {
  for (const char *end = arguments + bytes, *arg = arguments; arg < end; arg += strlen(arg) + 1)
    if (arg != arguments) read_limit(arg);
}

static const char *text_of(const msg_t *m) {
  static char text[SYS_PAYLOAD_MAX + 1];
  size_t n = m->payload < SYS_PAYLOAD_MAX ? m->payload : SYS_PAYLOAD_MAX;
  memcpy(text, sys_payload(), n);
  text[n] = 0;
  return text;
}

static void control(const msg_t *m) {
  int fds[FDS_MAX];
  unsigned n = kern_take_fds(fds, FDS_MAX);
  request_handle(m->u64[0], sys_payload(), m->payload, fds, n, &limits);
}

static void process_msg(const msg_t *m) {
  if (m->source != SYS_KERNEL) return;
  switch (m->type) {
  case UM_REPORT:
    transaction_reported(m->i32[0], m->i32[3], (enum update_phase)m->u32[1], m->i32[2], text_of(m));
    break;
  case UM_EXITED:
    transaction_exited(m->i32[0], m->u32[1] == 1, m->i32[2], m->i32[3]);
    break;
  case UM_COMMITTED:
    transaction_committed(m->u64[0], m->i32[2]);
    break;
  case UM_CONTROL:
    control(m);
    break;
  case UM_TIMEOUTS:
    read_limits(sys_payload(), m->payload);
    break;
  case UM_CONTROL_CLOSED:
    transaction_client_gone(m->u64[0]);
    break;
  case UM_PROBATION:
    record_probation(m->u64[0], m->u32[2], m->i32[3]);
    break;
  case UM_LIFE:
    sys_log("%s", text_of(m));
    break;
  case SYS_NOTIFIED:
    if (m->bits & (1ull << TRANSACTION_ALARM)) transaction_time_out();
    if (m->bits & (1ull << TRANSACTION_LOOK)) transaction_look();
    if (m->bits & (1ull << TRANSACTION_MAXTIME)) transaction_maxtime();
    break;
  }
}

/* um may replace any component: nobody of the same user shall read or trace it. */
static int hide(const sys_init_t *info) {
  (void)info;
  return prctl(PR_SET_DUMPABLE, 0) ? -errno : 0;
}

static int init(const sys_init_t *info) {
  journal_open();
  return hide(info);
}

int main(int argc, char **argv) {
  event_eh_t handlers = {.init = init, .live_update = hide};
  sys_startup(&handlers);
  for (int i = 1; i < argc; i++)
    if (!read_limit(argv[i])) return EXIT_FAILURE;
  while (1) {
    msg_t m;
    sys_receive(&m);
    process_msg(&m);
  }
}
