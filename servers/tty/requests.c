#include "servers/tty/requests.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "libsys/if/tty.h"
#include "libsys/sys.h"
#include "servers/stream/handles.h"
#include "servers/stream/waiters.h"
#include "servers/tty/getty.h"
#include "servers/tty/host.h"
#include "servers/tty/jobs.h"
#include "servers/tty/keyboard.h"
#include "servers/tty/ldisc.h"
#include "servers/tty/screen.h"

enum { CONSOLE = 1 /* the one object */ };
enum { FLAGS = TTY_CANONICAL | TTY_ECHO | TTY_SIGNALS | TTY_CR_TO_NL | TTY_NL_TO_CRNL };

static struct ldisc ldisc;
static struct waiters readers, writers;

void requests_init(void) {
  TAILQ_INIT(&readers);
  TAILQ_INIT(&writers);
  ldisc_init(&ldisc);
}

static int answer(uint64_t token, uint32_t type, int status) {
  msg_t m = {.type = type, .status = status};
  return sys_reply(token, &m);
}

static void answer_status(const msg_t *m, int status) {
  answer(m->token, m->type, status);
}

static bool translates(void) {
  return ldisc.modes.flags & TTY_NL_TO_CRNL;
}

/* ---- what is typed ---- */

void host_echo(const void *bytes, uint32_t n) {
  screen_write(bytes, n, translates());
}

uint32_t host_column(void) {
  return screen_column();
}

static void end_waits(struct waiters *list, uint32_t type, endpoint_t owner, uint32_t handle,
                      int status);

void host_signal(int signal) {
  jobs_signal(signal);
  end_waits(&readers, IO_READ, 0, 0, -EINTR);
}

void typed(uint8_t byte) {
  if (!getty_wake()) ldisc_type(&ldisc, byte);
}

void requests_begin_session(void) {
  ldisc_init(&ldisc);
}

/* ---- moving bytes ---- */

/* What was typed is gone only when somebody has got it. */
static void give_input(uint64_t token, uint32_t max) {
  uint8_t bytes[LDISC_LINE_BYTES];
  msg_t m = {.type = IO_READ};
  uint32_t cells,
      n = input_look(&ldisc.input, bytes, max < sizeof(bytes) ? max : sizeof(bytes), &cells);
  if (sys_reply_bulk(token, &m, bytes, n) == 0) input_drop(&ldisc.input, cells);
}

static bool try_write(uint64_t token, const void *data, uint32_t bytes) {
  msg_t m = {.type = IO_WRITE};
  if (bytes && !screen_has_room()) return false;
  IPC_REPLY(&m, io_write)->taken = screen_write(data, bytes, translates());
  sys_reply(token, &m);
  return true;
}

static uint32_t events_now(void) {
  return (ldisc.input.used ? IO_IN : 0) | (screen_has_room() && TAILQ_EMPTY(&writers) ? IO_OUT : 0);
}

void requests_settle(void) {
  struct waiter *w;
  screen_flush();
  while (ldisc.input.used && (w = TAILQ_FIRST(&readers))) {
    if (jobs_may_read(w->source))
      give_input(w->token, w->bytes);
    else
      answer(w->token, IO_READ, -EINTR);
    waiter_end(&readers, w);
  }
  while ((w = TAILQ_FIRST(&writers)) && try_write(w->token, w->data, w->bytes)) {
    waiter_end(&writers, w);
    screen_flush();
  }
  handle_tell(CONSOLE, events_now());
}

/* ---- handles ---- */

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

static void end_handle(endpoint_t owner, uint32_t handle, int status) {
  handle_end(owner, handle);
  end_waits(&readers, IO_READ, owner, handle, status);
  end_waits(&writers, IO_WRITE, owner, handle, status);
}

uint32_t requests_open(endpoint_t owner) {
  return handle_give(owner, CONSOLE);
}

bool requests_close(endpoint_t owner, uint32_t handle) {
  bool known = handle_of(owner, handle) != NULL;
  if (known) end_handle(owner, handle, -EBADF);
  return known;
}

void requests_drop_owner(endpoint_t owner) {
  for (uint32_t handle = 0; (handle = handle_after(owner, handle));)
    end_handle(owner, handle, 0);
}

/* ---- streams ---- */

static void wait_for(struct waiters *list, const msg_t *m, uint32_t handle, uint32_t bytes,
                     const void *data, uint32_t flags) {
  if (!(flags & IO_WAIT))
    answer_status(m, -EAGAIN);
  else if (!waiter_add(list, m, handle, bytes, data))
    answer_status(m, -ENOMEM);
}

static int check(const msg_t *m, uint32_t handle, uint64_t offset, uint32_t flags) {
  if (!handle_of(m->source, handle)) return -EBADF;
  if (flags & ~(uint32_t)IO_WAIT) return -EINVAL;
  return offset == IO_POSITION ? 0 : -ESPIPE;
}

static void do_read(const msg_t *m) {
  const struct io_read *q = IPC(m, io_read);
  int error = check(m, q->handle, q->offset, q->flags);
  if (!error && !jobs_may_read(m->source)) error = -EINTR;
  if (error || !q->max)
    answer_status(m, error);
  else if (ldisc.input.used && TAILQ_EMPTY(&readers))
    give_input(m->token, q->max);
  else
    wait_for(&readers, m, q->handle, q->max, NULL, q->flags);
}

static void do_write(const msg_t *m, const void *data) {
  const struct io_write *q = IPC(m, io_write);
  int error = check(m, q->handle, q->offset, q->flags);
  if (error)
    answer_status(m, error);
  else if (!TAILQ_EMPTY(&writers) || !try_write(m->token, data, m->payload))
    wait_for(&writers, m, q->handle, m->payload, data, q->flags);
}

static void do_duplicate(const msg_t *m) {
  msg_t reply = {.type = m->type};
  reply.status = handle_duplicate(m, &IPC_REPLY(&reply, io_duplicate)->handle);
  sys_reply(m->token, &reply);
}

static void do_watch(const msg_t *m) {
  const struct io_watch *q = IPC(m, io_watch);
  msg_t reply = {.type = m->type};
  if (q->events & ~(uint32_t)(IO_IN | IO_OUT | IO_HUP)) {
    answer_status(m, -EINVAL);
    return;
  }
  uint32_t there = events_now() & q->events;
  IPC_REPLY(&reply, io_watch)->events = there;
  handle_watch(m->source, q->handle, there ? 0 : q->events);
  sys_reply(m->token, &reply);
}

/* ---- the console ---- */

static void do_open(const msg_t *m) {
  msg_t reply = {.type = m->type};
  IPC_REPLY(&reply, tty_open)->handle = requests_open(m->source);
  if (!IPC_REPLY(&reply, tty_open)->handle) reply.status = -EMFILE;
  sys_reply(m->token, &reply);
}

static void do_get(const msg_t *m) {
  msg_t reply = {.type = m->type};
  sys_reply_bulk(m->token, &reply, &ldisc.modes, sizeof(ldisc.modes));
}

static int set_modes(const msg_t *m, const void *payload) {
  struct tty_modes modes;
  if (m->payload != sizeof(modes)) return -EINVAL;
  memcpy(&modes, payload, sizeof(modes));
  if (modes.flags & ~(uint32_t)FLAGS) return -EINVAL;
  if (IPC(m, tty_set)->drop) ldisc_drop(&ldisc);
  ldisc_set(&ldisc, &modes);
  return 0;
}

static void do_size(const msg_t *m) {
  msg_t reply = {.type = m->type};
  *IPC_REPLY(&reply, tty_size) =
      (struct tty_size_reply){.columns = screen_columns(), .rows = screen_rows()};
  sys_reply(m->token, &reply);
}

static int set_size(const msg_t *m) {
  const struct tty_set_size *q = IPC(m, tty_set_size);
  if (q->columns > UINT16_MAX || q->rows > UINT16_MAX) return -EINVAL;
  if (screen_resize(q->columns, q->rows)) jobs_signal(SIGWINCH);
  return 0;
}

static void do_get_group(const msg_t *m) {
  msg_t reply = {.type = m->type};
  IPC_REPLY(&reply, tty_get_group)->group = jobs_group();
  sys_reply(m->token, &reply);
}

static int set_group(const msg_t *m) {
  int32_t group = IPC(m, tty_set_group)->group;
  if (group < 0) return -EINVAL;
  jobs_set_group(group);
  return 0;
}

/* ---- all ---- */

/* The process manager needs no handle to set the group. */
static bool has_handle(const msg_t *m, uint32_t handle) {
  if (handle_of(m->source, handle)) return true;
  return m->type == TTY_SET_GROUP && !handle && sys_lookup("pm") == m->source;
}

/* Those of which the handle comes first. */
static void serve_handle(const msg_t *m, const void *payload) {
  if (!has_handle(m, m->u32[0])) {
    answer_status(m, -EBADF);
    return;
  }
  switch (m->type) {
  case IO_CLOSE:
    requests_close(m->source, m->u32[0]);
    answer_status(m, 0);
    break;
  case IO_WATCH:
    do_watch(m);
    break;
  case TTY_GET:
    do_get(m);
    break;
  case TTY_SET:
    answer_status(m, set_modes(m, payload));
    break;
  case TTY_SIZE:
    do_size(m);
    break;
  case TTY_SET_SIZE:
    answer_status(m, set_size(m));
    break;
  case TTY_GET_GROUP:
    do_get_group(m);
    break;
  case TTY_SET_GROUP:
    answer_status(m, set_group(m));
    break;
  }
}

void requests_serve(const msg_t *m, const void *payload) {
  switch (m->type) {
  case TTY_OPEN:
    do_open(m);
    break;
  case IO_READ:
    do_read(m);
    break;
  case IO_WRITE:
    do_write(m, payload);
    break;
  case IO_DUPLICATE:
    do_duplicate(m);
    break;
  case IO_CLOSE:
  case IO_WATCH:
  case TTY_GET:
  case TTY_SET:
  case TTY_SIZE:
  case TTY_SET_SIZE:
  case TTY_GET_GROUP:
  case TTY_SET_GROUP:
    serve_handle(m, payload);
    break;
  default:
    answer_status(m, -ENOSYS);
    break;
  }
}
