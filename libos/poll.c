/* Waiting for descriptors and for time. */
#include <errno.h>

#include "libos/ask.h"
#include "libos/descriptor.h"
#include "libos/os.h"
#include "libos/signals.h"
#include "libsys/if/io.h"
#include "libsys/if/sock.h"
#include "libsys/sys.h"

enum { EVENTS_PER_POLL = 64 };

/* Events of sockets are edges, each told once: they are kept until the socket says otherwise. */
static void fetch_socket_events(void) {
  endpoint_t net = server_endpoint(SERVER_NET);
  struct sock_event events[EVENTS_PER_POLL];
  uint32_t count;
  do {
    msg_t m = {.type = SOCK_POLL};
    IPC(&m, sock_poll)->max = EVENTS_PER_POLL;
    if (ask_bulk(net, &m, NULL, 0, events, sizeof events) < 0) return;
    count = IPC_REPLY(&m, sock_poll)->count;
    for (uint32_t i = 0; i < count && i < EVENTS_PER_POLL; i++)
      descriptor_ready(net, events[i].handle, events[i].events, 0);
  } while (count == EVENTS_PER_POLL);
}

static short socket_ready(const struct descriptor *d) {
  short ready = 0;
  if (d->ready & (SOCK_IN | SOCK_HUP)) ready |= POLLIN;
  if (d->ready & SOCK_OUT) ready |= POLLOUT;
  if (d->ready & SOCK_HUP) ready |= POLLHUP;
  if (d->ready & SOCK_ERR) ready |= POLLERR;
  return ready;
}

static short stream_ready(const struct descriptor *d, short wanted) {
  msg_t m = {.type = IO_WATCH};
  IPC(&m, io_watch)->handle = d->handle;
  IPC(&m, io_watch)->events = (wanted & POLLIN ? IO_IN : 0u) | (wanted & POLLOUT ? IO_OUT : 0u);
  if (ask(d->server, &m) < 0) return errno == EBADF ? POLLNVAL : POLLERR;
  uint32_t events = IPC_REPLY(&m, io_watch)->events;
  return (short)((events & IO_IN ? POLLIN : 0) | (events & IO_OUT ? POLLOUT : 0) |
                 (events & IO_HUP ? POLLHUP : 0));
}

static short ready_of(const struct pollfd *p) {
  struct descriptor *d = descriptor_get(p->fd);
  if (!d) return errno == EIO ? POLLERR : POLLNVAL;
  short always = POLLHUP | POLLERR | POLLNVAL;
  switch (d->kind) {
  case DESCRIPTOR_SOCKET:
    return (short)(socket_ready(d) & (p->events | always));
  case DESCRIPTOR_PIPE:
  case DESCRIPTOR_CONSOLE:
    return (short)(stream_ready(d, p->events) & (p->events | always));
  default:
    return (short)(p->events & (POLLIN | POLLOUT));
  }
}

static int look(struct pollfd *fds, nfds_t count) {
  int ready = 0;
  bool fetched = false;
  for (nfds_t i = 0; i < count; i++) {
    struct descriptor *d = fds[i].fd < 0 ? NULL : descriptor_get(fds[i].fd);
    if (d && d->kind == DESCRIPTOR_SOCKET && !fetched) {
      fetch_socket_events();
      fetched = true;
    }
    fds[i].revents = fds[i].fd < 0 ? 0 : ready_of(&fds[i]);
    ready += fds[i].revents != 0;
  }
  return ready;
}

int os_poll(struct pollfd *fds, nfds_t count, int timeout_ms) {
  uint64_t end = timeout_ms < 0 ? 0 : sys_time_us() + (uint64_t)timeout_ms * 1000 + 1;
  unsigned before = signals_handled(); /* handlers run while we look, too */
  bool armed = false;
  int ready;
  while (!(ready = look(fds, count)) && signals_handled() == before &&
         (!end || sys_time_us() < end)) {
    if (end && !armed) armed = sys_alarm(ALARM_TIMEOUT, end) == 0;
    await();
  }
  if (armed) sys_alarm(ALARM_TIMEOUT, 0);
  return ready || signals_handled() == before ? ready : fail(-EINTR);
}

int os_nanosleep(const struct timespec *how_long, struct timespec *left) {
  if (how_long->tv_sec < 0 || how_long->tv_nsec < 0 || how_long->tv_nsec >= 1000000000)
    return fail(-EINVAL);
  uint64_t end = sys_time_us() + (uint64_t)how_long->tv_sec * 1000000 +
                 ((uint64_t)how_long->tv_nsec + 999) / 1000;
  bool interrupted = false;
  int error = sys_alarm(ALARM_TIMEOUT, end);
  if (error) return fail(error);
  while (!interrupted && sys_time_us() < end)
    interrupted = await();
  uint64_t now = sys_time_us();
  if (!interrupted || now >= end) return 0;
  sys_alarm(ALARM_TIMEOUT, 0);
  if (left)
    *left =
        (struct timespec){(time_t)((end - now) / 1000000), (long)((end - now) % 1000000 * 1000)};
  return fail(-EINTR);
}

int os_clock_gettime(clockid_t clock, struct timespec *now) {
  return clock_gettime(clock, now);
}

time_t os_time(void) {
  struct timespec now;
  return os_clock_gettime(CLOCK_REALTIME, &now) == 0 ? now.tv_sec : -1;
}
