/* net: TCP sockets for applications, on lwIP and a network interface driver.
 *
 *   net NIC ADDRESS/PREFIX [GATEWAY [DRIVER]]
 *
 * NIC names the frames' region, DRIVER the driver's component (e1000 if not given). */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/if/io.h"
#include "libsys/if/nic.h"
#include "libsys/if/sock.h"
#include "libsys/sys.h"
#include "servers/lent/lent.h"
#include "servers/net/connection.h"
#include "servers/net/nic.h"
#include "servers/net/requests.h"
#include "servers/net/stack.h"
#include "servers/net/turn.h"
#include "servers/net/version.h"

SYS_NEEDS(region, "${1}.frames");
SYS_NEEDS(call, "${4:-e1000}");

static struct nic_config config;

static void process_notification(const msg_t *m) {
  if (m->source == SYS_KERNEL && (m->bits & (1u << STACK_ALARM_BIT))) stack_run_timers();
  if (m->source == nic_driver() && (m->bits & NIC_TO_SERVER_LINK)) nic_check_link();
  if (m->source != SYS_KERNEL && m->source != nic_driver() && lent_is_server(m->source))
    lent_revoked();
}

static void peer_exited(endpoint_t peer) {
  if (lent_is_server(peer)) lent_drop_all();
  if (peer == nic_driver())
    nic_lost();
  else
    requests_drop_owner(peer);
}

static void peer_restarted(endpoint_t peer) {
  if (lent_is_server(peer)) lent_drop_all();
  if (peer != nic_driver())
    requests_drop_owner(peer);
  else if (nic_start() == 0)
    connection_resend();
}

static void process_msg(const msg_t *m) {
  switch (m->type) {
  case SYS_NOTIFIED:
    process_notification(m);
    break;
  case SYS_EXITED:
    peer_exited(m->i32[0]);
    break;
  case SYS_RESTARTED:
    peer_restarted(m->i32[0]);
    break;
  case SOCK_SOCKET:
    do_socket(m);
    break;
  case SOCK_BIND:
    do_bind(m);
    break;
  case SOCK_LISTEN:
    do_listen(m);
    break;
  case SOCK_ACCEPT:
    do_accept(m);
    break;
  case SOCK_CONNECT:
    do_connect(m);
    break;
  case SOCK_SEND:
    do_send(m, sys_payload());
    break;
  case SOCK_RECV:
    do_recv(m);
    break;
  case SOCK_SEND_FROM:
    do_send_from(m);
    break;
  case SOCK_RECV_INTO:
    do_recv_into(m);
    break;
  case SOCK_SHUTDOWN:
    do_shutdown(m);
    break;
  case SOCK_CLOSE:
    do_close(m);
    break;
  case SOCK_POLL:
    do_poll(m);
    break;
  case SOCK_NAME:
    do_name(m);
    break;
  case SOCK_STATS:
    do_stats(m);
    break;
  case IO_DUPLICATE:
    do_duplicate(m);
    break;
  default:
    if (!(m->type & SYS_REPLY_FLAG)) answer_status(m, -ENOSYS);
    break;
  }
}

static int net_init(const sys_init_t *info) {
  (void)info;
  stack_init();
  int r = nic_init(&config);
  if (r < 0) return r;
  nic_start(); /* if the driver is down it will be started again when it is back */
  turn_end();
  return 0;
}

static void net_committed(const sys_init_t *info) {
  (void)info;
  turn_end();
}

/* @return whether the arguments make sense. */
static bool parse_arguments(int argc, char **argv) {
  char address[32];
  if (argc < 3 || strlen(argv[1]) >= sizeof config.nic) return false;
  strcpy(config.nic, argv[1]);
  const char *slash = strchr(argv[2], '/');
  if (!slash || slash - argv[2] >= (long)sizeof address) return false;
  snprintf(address, sizeof address, "%.*s", (int)(slash - argv[2]), argv[2]);
  int prefix = atoi(slash + 1);
  if (prefix < 1 || prefix > 32 || inet_pton(AF_INET, address, &config.address) != 1) return false;
  config.netmask = htonl(0xffffffffu << (32 - prefix));
  if (argc > 3 && inet_pton(AF_INET, argv[3], &config.gateway) != 1) return false;
  const char *driver = argc > 4 ? argv[4] : "e1000";
  if (strlen(driver) >= sizeof config.driver) return false;
  strcpy(config.driver, driver);
  return true;
}

int main(int argc, char **argv) {
  /* Before the start, so that init finds them; an update brings the old version's. */
  if (!parse_arguments(argc, argv)) {
    fprintf(stderr, "usage: net NIC ADDRESS/PREFIX [GATEWAY [DRIVER]]\n");
    return 2;
  }
  event_eh_t handlers = {
      .init = net_init, .live_update = net_live_update, .committed = net_committed};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    process_msg(&m);
    turn_end();
  }
}
