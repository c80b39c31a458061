/* The update point: waits for the next message and handles what is not for the component. */
#include <stdlib.h>

#include "libsys/channel.h"
#include "libsys/crash.h"
#include "libsys/kern.h"
#include "libsys/recover.h"
#include "libsys/runtime.h"
#include "libsys/update.h"

#define MESSAGES_PER_SLICE 16u

static uint8_t inbox[SYS_PAYLOAD_MAX];
static struct channel_in last = {.buf = inbox, .cap = sizeof(inbox)};

const void *sys_payload(void) {
  return inbox;
}

unsigned kern_take_fds(int *fds, unsigned max) {
  unsigned n = 0;
  while (n < max && n < last.nfds) {
    fds[n] = last.fds[n];
    n++;
  }
  for (unsigned i = n; i < last.nfds; i++)
    last.fds[i - n] = last.fds[i];
  last.nfds -= n;
  return n;
}

static void shut_down(void) {
  if (runtime.handlers->shutdown) runtime.handlers->shutdown();
  channel_flush();
  exit(EXIT_SUCCESS);
}

static void control(void) {
  if (last.d.m.type == BUS_CTL_SHUTDOWN) shut_down();
  update_control(&last);
}

static void message(msg_t *m) {
  *m = last.d.m;
  if ((m->type & SYS_REPLY_FLAG) && runtime.calls_in_flight) runtime.calls_in_flight--;
  runtime.last_token = msg_is_request(m) ? m->token : 0;
  crash_note_message(m);
}

/* The event loop's call of sys_receive() has the shallowest frame: deeper ones, and those of
 * handlers, are nested waits, in which the stack still holds work and the component must not be
 * replaced. */
static bool is_top_level(uintptr_t frame) {
  static uintptr_t top;
  if (!runtime.started) return false;
  if (frame > top) top = frame;
  return frame == top;
}

/* Waits for the delivery, using idle time to write back imported state. Under steady load there is
 * none: then every so many messages wait for a slice. */
static void wait_for_delivery(void) {
  static unsigned since_slice;
  bool got = false;
  while (!got && update_unwritten()) {
    got = channel_get(&last, false);
    if (got && ++since_slice < MESSAGES_PER_SLICE) break;
    since_slice = 0;
    update_writeback();
  }
  if (!got) channel_get(&last, true);
}

void sys_receive(msg_t *m) {
  bool top_level = is_top_level((uintptr_t)__builtin_frame_address(0));
  const struct bus_op receive = {.code = BUS_OP_RECEIVE, .flags = top_level ? 0 : BUS_NESTED};
  do {
    channel_drop_fds(&last);
    update_point(top_level);
    if (runtime.hello.keep) recover_offer();
    channel_send(&receive, NULL, -1);
    wait_for_delivery();
    if (last.d.kind == BUS_DELIVER_CONTROL)
      control();
    else if (last.d.kind != BUS_DELIVER_MESSAGE)
      runtime_die("the bus sent a delivery of kind %u to a receiver", last.d.kind);
  } while (last.d.kind == BUS_DELIVER_CONTROL);
  message(m);
}
