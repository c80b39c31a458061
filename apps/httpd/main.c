/* httpd: an HTTP/1.1 server on the sockets of net.
 *
 *   httpd [PORT] [root=DIRECTORY] [upload=DIRECTORY]
 *
 * PORT is 80 if not given; the directories are of storage (response.h). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/httpd/conns.h"
#include "apps/httpd/response.h"
#include "libsys/socket.h"

#define ALARM_TIMEOUTS  0
#define ALARM_CONTINUE  1
#define RETRY_US        500000 /* until listening is tried again */
#define EVENTS_PER_POLL 64
#define BACKLOG         64

SYS_NEEDS(call, "net");

#if HTTPD_VERSION >= 2
uint64_t sent_total_bytes;
#endif

static uint16_t port = 80;
static int listener;      /* socket, 0 = not listening */
static bool accept_later; /* connections may wait that there was no room for */
static uint64_t alarm_us; /* of ALARM_TIMEOUTS; 0 = not set */

static void set_alarm(uint64_t at_us) {
  if (!at_us || (alarm_us && alarm_us <= at_us)) return;
  alarm_us = at_us;
  sys_alarm(ALARM_TIMEOUTS, at_us);
}

static int open_listener(void) {
  int s = sock_socket();
  if (s < 0) return s;
  int r = sock_bind(s, 0, port);
  if (r == 0) r = sock_listen(s, BACKLOG);
  if (r == 0) return s;
  sock_close(s);
  return r;
}

static void start_listening(void) {
  int s = open_listener();
  if (s < 0) {
    sys_log("cannot listen on port %u (%s); trying again", port,
            -s < 2000 ? strerror(-s) : "net is down");
    set_alarm(sys_time_us() + RETRY_US);
    return;
  }
  listener = s;
}

static void accept_all(void) {
  accept_later = false;
  while (listener) {
    if (conns_full()) {
      accept_later = true; /* net's queue holds them, and then their senders */
      return;
    }
    int s = sock_accept(listener, 0, NULL);
    if (s < 0) return;
    if (!conns_add(s)) sock_close(s);
  }
}

static void poll_sockets(void) {
  struct sock_event events[EVENTS_PER_POLL];
  int n;
  do {
    n = sock_poll(events, EVENTS_PER_POLL, 0);
    for (int i = 0; i < n; i++) {
      if (events[i].handle == listener)
        accept_all();
      else
        conns_event(&events[i]);
    }
  } while (n == EVENTS_PER_POLL);
}

static void ring(uint64_t bits) {
  if (bits & (1u << ALARM_TIMEOUTS)) {
    alarm_us = 0;
    if (!listener) start_listening();
    transfers_retry(true);
    conns_transfer(NULL);
    set_alarm(conns_expire(sys_time_us()));
  }
}

/* The server's death took all sockets with it. */
static void net_lost(void) {
  conns_drop_all();
  listener = 0;
}

static bool is_storage(int32_t endpoint) {
  static endpoint_t storage;
  if (storage <= 0) storage = sys_lookup("storage");
  return endpoint == storage;
}

/* An answer of storage; it makes room for another call. */
static void answered(const msg_t *m) {
  struct transfer *t = transfer_reply(m);
  if (t) conns_transfer(t);
  transfers_retry(false);
}

static void process_msg(const msg_t *m) {
  switch (m->type) {
  case SYS_NOTIFIED:
    if (m->source == SYS_KERNEL)
      ring(m->bits);
    else
      poll_sockets();
    break;
  case SYS_EXITED:
    if (m->i32[0] == sock_server()) net_lost();
    break;
  case SYS_RESTARTED:
    if (m->i32[0] == sock_server()) {
      net_lost();
      start_listening();
    } else if (is_storage(m->i32[0])) {
      transfers_restarted();
      conns_transfer(NULL);
    }
    break;
  default:
    if (m->type & SYS_REPLY_FLAG) {
      answered(m);
    } else {
      msg_t reply = {.type = m->type, .status = -ENOSYS};
      sys_reply(m->token, &reply);
    }
    break;
  }
}

static void settle(void) {
  if (conns_continue()) sys_alarm(ALARM_CONTINUE, sys_time_us());
  if (accept_later && !conns_full()) accept_all();
  if (conns_count()) set_alarm(sys_time_us() + 1000000);
}

static int httpd_init(const sys_init_t *info) {
  (void)info;
  figures.started_us = sys_time_us();
  start_listening();
  return 0;
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (strncmp(argv[i], "root=", 5) == 0)
      snprintf(response_root, sizeof response_root, "%s", argv[i] + 5);
    else if (strncmp(argv[i], "upload=", 7) == 0)
      snprintf(response_uploads, sizeof response_uploads, "%s", argv[i] + 7);
    else
      port = (uint16_t)atoi(argv[i]);
  }
  event_eh_t handlers = {.init = httpd_init, .shutdown = transfers_shutdown};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    process_msg(&m);
    settle();
  }
}
