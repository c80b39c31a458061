#include "servers/tty/console.h"

#include <errno.h>

#include "libsys/sys.h"
#include "servers/stream/handles.h"
#include "servers/stream/waiters.h"
#include "servers/tty/getty.h"
#include "servers/tty/host.h"
#include "servers/tty/jobs.h"
#include "servers/tty/keyboard.h"
#include "servers/tty/ldisc.h"
#include "servers/tty/screen.h"

enum { CONSOLE = 1 /* the one object of its handles */ };

static struct ldisc ldisc;
static struct waiters readers, writers;

void console_init(void) {
  TAILQ_INIT(&readers);
  TAILQ_INIT(&writers);
  ldisc_init(&ldisc);
}

bool console_is_sound(void) {
  return input_is_sound(&ldisc.input) && ldisc.used < LDISC_LINE_BYTES &&
         handle_largest_object() <= CONSOLE;
}

void console_begin_session(void) {
  ldisc_init(&ldisc);
}

const struct tty_modes *console_modes(void) {
  return &ldisc.modes;
}

void console_set_modes(const struct tty_modes *modes, bool drop) {
  if (drop) ldisc_drop(&ldisc);
  ldisc_set(&ldisc, modes);
}

static void answer(uint64_t token, uint32_t type, int status) {
  msg_t m = {.type = type, .status = status};
  sys_reply(token, &m);
}

static bool translates(void) {
  return ldisc.modes.flags & TTY_NL_TO_CRNL;
}

/* ---- what is typed ---- */

/* @param owner  0: everybody's. @param status  0: those who waited are gone */
static void end_waits(struct waiters *list, uint32_t type, endpoint_t owner, uint32_t handle,
                      int status) {
  struct waiter *w, *next;
  for (w = TAILQ_FIRST(list); w; w = next) {
    next = TAILQ_NEXT(w, link);
    if (owner && (w->source != owner || w->handle != handle)) continue;
    if (status) answer(w->token, type, status);
    waiter_end(list, w);
  }
}

void host_echo(const void *bytes, uint32_t n) {
  screen_write(bytes, n, translates());
}

uint32_t host_column(void) {
  return screen_column();
}

void host_signal(int signal) {
  jobs_signal(signal);
  end_waits(&readers, IO_READ, 0, 0, -EINTR);
}

/* So many that a line that is complete with them fits, whatever else they are. */
uint32_t keys_wanted(void) {
  uint32_t room = input_room(&ldisc.input);
  return room > LDISC_LINE_BYTES ? room - LDISC_LINE_BYTES : 0;
}

void typed(uint8_t byte) {
  if (!getty_wake()) ldisc_type(&ldisc, byte);
}

/* ---- moving bytes ---- */

/* What was typed is gone only when somebody has got it. */
static void give_input(uint64_t token, uint32_t max) {
  uint8_t bytes[LDISC_LINE_BYTES];
  msg_t m = {.type = IO_READ};
  uint32_t cells, most = max < sizeof(bytes) ? max : sizeof(bytes);
  uint32_t n = input_look(&ldisc.input, bytes, most, &cells);
  if (sys_reply_bulk(token, &m, bytes, n) == 0) input_drop(&ldisc.input, cells);
}

static bool try_write(uint64_t token, const void *data, uint32_t bytes) {
  msg_t m = {.type = IO_WRITE};
  if (!screen_has_room()) return false;
  IPC_REPLY(&m, io_write)->taken = screen_write(data, bytes, translates());
  sys_reply(token, &m);
  return true;
}

static void wait_for(struct waiters *list, const msg_t *m, uint32_t handle, uint32_t bytes,
                     const void *data, bool wait) {
  if (!wait)
    answer(m->token, m->type, -EAGAIN);
  else if (!waiter_add(list, m, handle, bytes, data))
    answer(m->token, m->type, -ENOMEM);
}

void console_read(const msg_t *m, uint32_t handle, uint32_t max, bool wait) {
  if (!jobs_may_read(m->source))
    answer(m->token, m->type, -EINTR);
  else if (!max)
    answer(m->token, m->type, 0);
  else if (ldisc.input.used && TAILQ_EMPTY(&readers))
    give_input(m->token, max);
  else
    wait_for(&readers, m, handle, max, NULL, wait);
}

void console_write(const msg_t *m, uint32_t handle, const void *data, bool wait) {
  if (!TAILQ_EMPTY(&writers) || !try_write(m->token, data, m->payload))
    wait_for(&writers, m, handle, m->payload, data, wait);
}

uint32_t console_events(void) {
  bool has_room = screen_has_room() && TAILQ_EMPTY(&writers);
  return (ldisc.input.used ? IO_IN : 0) | (has_room ? IO_OUT : 0);
}

static void settle_readers(void) {
  struct waiter *w;
  while (ldisc.input.used && (w = TAILQ_FIRST(&readers))) {
    if (jobs_may_read(w->source))
      give_input(w->token, w->bytes);
    else
      answer(w->token, IO_READ, -EINTR);
    waiter_end(&readers, w);
  }
}

static void settle_writers(void) {
  struct waiter *w;
  screen_flush();
  while ((w = TAILQ_FIRST(&writers)) && try_write(w->token, w->data, w->bytes)) {
    waiter_end(&writers, w);
    screen_flush();
  }
}

void console_settle(void) {
  do
    settle_readers();
  while (keyboard_read()); /* what they have taken made room for more */
  settle_writers();
  handle_tell(CONSOLE, console_events());
}

/* ---- handles ---- */

static void end_handle(endpoint_t owner, uint32_t handle, int status) {
  handle_end(owner, handle);
  end_waits(&readers, IO_READ, owner, handle, status);
  end_waits(&writers, IO_WRITE, owner, handle, status);
}

uint32_t console_open(endpoint_t owner) {
  return handle_give(owner, CONSOLE);
}

bool console_close(endpoint_t owner, uint32_t handle) {
  bool known = handle_of(owner, handle) != NULL;
  if (known) end_handle(owner, handle, -EBADF);
  return known;
}

void console_drop_owner(endpoint_t owner) {
  for (uint32_t handle = 0; (handle = handle_after(owner, handle));)
    end_handle(owner, handle, 0);
}
