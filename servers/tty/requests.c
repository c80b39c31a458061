#include "servers/tty/requests.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "libsys/if/tty.h"
#include "libsys/sys.h"
#include "servers/stream/handles.h"
#include "servers/tty/console.h"
#include "servers/tty/jobs.h"
#include "servers/tty/screen.h"

enum { FLAGS = TTY_CANONICAL | TTY_ECHO | TTY_SIGNALS | TTY_CR_TO_NL | TTY_NL_TO_CRNL };

static void answer_status(const msg_t *m, int status) {
  msg_t reply = {.type = m->type, .status = status};
  sys_reply(m->token, &reply);
}

/* ---- streams ---- */

static int check(const msg_t *m, uint32_t handle, uint64_t offset, uint32_t flags) {
  if (!handle_of(m->source, handle)) return -EBADF;
  if (flags & ~(uint32_t)IO_WAIT) return -EINVAL;
  return offset == IO_POSITION ? 0 : -ESPIPE;
}

static void do_read(const msg_t *m) {
  const struct io_read *q = IPC(m, io_read);
  int error = check(m, q->handle, q->offset, q->flags);
  if (error)
    answer_status(m, error);
  else
    console_read(m, q->handle, q->max, q->flags & IO_WAIT);
}

static void do_write(const msg_t *m, const void *data) {
  const struct io_write *q = IPC(m, io_write);
  int error = check(m, q->handle, q->offset, q->flags);
  if (error || !m->payload)
    answer_status(m, error);
  else
    console_write(m, q->handle, data, q->flags & IO_WAIT);
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
  uint32_t there = console_events() & q->events;
  IPC_REPLY(&reply, io_watch)->events = there;
  handle_watch(m->source, q->handle, there ? 0 : q->events);
  sys_reply(m->token, &reply);
}

/* ---- the console ---- */

static void do_open(const msg_t *m) {
  msg_t reply = {.type = m->type};
  IPC_REPLY(&reply, tty_open)->handle = console_open(m->source);
  if (!IPC_REPLY(&reply, tty_open)->handle) reply.status = -EMFILE;
  sys_reply(m->token, &reply);
}

static void do_get(const msg_t *m) {
  msg_t reply = {.type = m->type};
  sys_reply_bulk(m->token, &reply, console_modes(), sizeof(struct tty_modes));
}

static int set_modes(const msg_t *m, const void *payload) {
  struct tty_modes modes;
  if (m->payload != sizeof(modes)) return -EINVAL;
  memcpy(&modes, payload, sizeof(modes));
  if (modes.flags & ~(uint32_t)FLAGS) return -EINVAL;
  console_set_modes(&modes, IPC(m, tty_set)->drop);
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
    console_close(m->source, m->u32[0]);
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
