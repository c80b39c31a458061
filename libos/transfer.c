#include "libos/transfer.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "libos/ask.h"
#include "libos/os.h"
#include "libos/signals.h"
#include "libsys/if/io.h"
#include "libsys/if/sock.h"
#include "libsys/sys.h"

struct piece {
  char *in;
  const char *out;
  size_t bytes;
  uint64_t offset;
};

ssize_t transfer_wait(int fd, short events, ssize_t (*once)(int fd, bool wait, void *arg),
                      void *arg) {
  while (1) {
    struct descriptor *d = descriptor_get(fd);
    if (!d) return -1;
    bool nonblock = d->flags & DESCRIPTOR_NONBLOCK, file = d->kind == DESCRIPTOR_FILE;
    unsigned before = signals_handled();
    ssize_t r = once(fd, file || (!nonblock && !signals_caught()), arg);
    if (r < 0 && errno == EINTR && signals_handled() == before) {
      if (!signals_ignored(SIGTTIN)) continue; /* it was stopped, and goes on */
      errno = EIO;                             /* in the background for good */
    }
    if (r >= 0 || errno != EAGAIN || nonblock) return r;
    if (signals_handled() != before) return fail(-EINTR);
    struct pollfd p = {fd, events, 0};
    if (os_poll(&p, 1, -1) < 0) return -1;
  }
}

static ssize_t receive_once(struct descriptor *d, bool wait, struct piece *p) {
  msg_t m = {.type = SOCK_RECV};
  IPC(&m, sock_recv)->handle = d->handle;
  IPC(&m, sock_recv)->flags = wait ? SOCK_WAIT : 0;
  IPC(&m, sock_recv)->max = (uint32_t)p->bytes;
  int r = ask_bulk(d->server, &m, NULL, 0, p->in, p->bytes);
  if (r < 0 ? errno == EAGAIN : !IPC_REPLY(&m, sock_recv)->more && m.payload)
    descriptor_ready(d->server, d->handle, 0, SOCK_IN);
  return r < 0 ? -1 : (ssize_t)m.payload;
}

static ssize_t read_once(int fd, bool wait, void *arg) {
  struct piece *p = arg;
  struct descriptor *d = descriptor_get(fd);
  if (!d) return -1;
  if (d->kind == DESCRIPTOR_NULL) return 0;
  if (d->kind == DESCRIPTOR_SOCKET) return receive_once(d, wait, p);
  msg_t m = {.type = IO_READ};
  IPC(&m, io_read)->handle = d->handle;
  IPC(&m, io_read)->offset = p->offset;
  IPC(&m, io_read)->max = (uint32_t)p->bytes;
  IPC(&m, io_read)->flags = wait ? IO_WAIT : 0;
  if (ask_bulk(d->server, &m, NULL, 0, p->in, p->bytes) < 0) return -1;
  return (ssize_t)(m.payload < p->bytes ? m.payload : p->bytes);
}

static ssize_t send_once(struct descriptor *d, bool wait, struct piece *p) {
  msg_t m = {.type = SOCK_SEND};
  IPC(&m, sock_send)->handle = d->handle;
  IPC(&m, sock_send)->flags = wait ? SOCK_WAIT : 0;
  int r = ask_bulk(d->server, &m, p->out, p->bytes, NULL, 0);
  if (r < 0 ? errno == EAGAIN : !IPC_REPLY(&m, sock_send)->room)
    descriptor_ready(d->server, d->handle, 0, SOCK_OUT);
  return r < 0 ? -1 : (ssize_t)IPC_REPLY(&m, sock_send)->taken;
}

static ssize_t write_once(int fd, bool wait, void *arg) {
  struct piece *p = arg;
  struct descriptor *d = descriptor_get(fd);
  if (!d) return -1;
  if (d->kind == DESCRIPTOR_NULL) return (ssize_t)p->bytes;
  if (d->kind == DESCRIPTOR_SOCKET) return send_once(d, wait, p);
  msg_t m = {.type = IO_WRITE};
  IPC(&m, io_write)->handle = d->handle;
  IPC(&m, io_write)->offset = p->offset;
  IPC(&m, io_write)->flags = wait ? IO_WAIT : 0;
  if (ask_bulk(d->server, &m, p->out, p->bytes, NULL, 0) < 0) return -1;
  return (ssize_t)IPC_REPLY(&m, io_write)->taken;
}

static size_t at_most_payload(size_t bytes) {
  return bytes < SYS_PAYLOAD_MAX ? bytes : SYS_PAYLOAD_MAX;
}

/* Files are read on until there is enough, or the end; everything else gives what is there. */
static ssize_t read_from(int fd, char *data, size_t bytes, uint64_t offset) {
  struct descriptor *d = descriptor_get(fd);
  if (!d) return -1;
  bool on = d->kind == DESCRIPTOR_FILE;
  size_t done = 0;
  do {
    struct piece p = {.in = data + done,
                      .bytes = at_most_payload(bytes - done),
                      .offset = offset == IO_POSITION ? IO_POSITION : offset + done};
    ssize_t r = transfer_wait(fd, POLLIN, read_once, &p);
    if (r < 0) return done ? (ssize_t)done : -1;
    done += (size_t)r;
    if (r == 0 || (size_t)r < p.bytes) break;
  } while (on && done < bytes);
  return (ssize_t)done;
}

static ssize_t write_to(int fd, const char *data, size_t bytes, uint64_t offset) {
  struct descriptor *d = descriptor_get(fd);
  if (!d) return -1;
  size_t done = 0;
  while (done < bytes) {
    struct piece p = {.out = data + done,
                      .bytes = at_most_payload(bytes - done),
                      .offset = offset == IO_POSITION ? IO_POSITION : offset + done};
    ssize_t r = transfer_wait(fd, POLLOUT, write_once, &p);
    if (r < 0 && errno == EPIPE) signals_broken_pipe();
    if (r < 0) return done && errno != EPIPE ? (ssize_t)done : -1;
    done += (size_t)r;
  }
  return (ssize_t)done;
}

ssize_t os_read(int fd, void *data, size_t bytes) {
  return read_from(fd, data, bytes, IO_POSITION);
}

ssize_t os_write(int fd, const void *data, size_t bytes) {
  return write_to(fd, data, bytes, IO_POSITION);
}

static bool has_positions(int fd, off_t offset) {
  struct descriptor *d = descriptor_get(fd);
  if (!d) return false;
  if (d->kind == DESCRIPTOR_FILE && offset >= 0) return true;
  errno = offset < 0 ? EINVAL : ESPIPE;
  return false;
}

ssize_t os_pread(int fd, void *data, size_t bytes, off_t offset) {
  return has_positions(fd, offset) ? read_from(fd, data, bytes, (uint64_t)offset) : -1;
}

ssize_t os_pwrite(int fd, const void *data, size_t bytes, off_t offset) {
  return has_positions(fd, offset) ? write_to(fd, data, bytes, (uint64_t)offset) : -1;
}

int os_printf(int fd, const char *format, ...) {
  char text[4096];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (n < 0) return -1;
  size_t bytes = (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
  return (int)os_write(fd, text, bytes);
}
