#include "libsys/socket.h"

#include <errno.h>

endpoint_t sock_server(void) {
  static endpoint_t server;
  if (server <= 0) server = sys_lookup("net");
  return server;
}

/* The bus's error, else the server's. */
static int request(msg_t *m, const void *out, size_t out_len, void *in, size_t in_cap) {
  endpoint_t net = sock_server();
  if (net < 0) return net;
  int r = sys_sendrec_bulk(net, m, out, out_len, in, in_cap);
  return r < 0 ? r : m->status;
}

int sock_socket(void) {
  msg_t m = {.type = SOCK_SOCKET};
  int r = request(&m, NULL, 0, NULL, 0);
  return r < 0 ? r : (int)IPC_REPLY(&m, sock_socket)->handle;
}

int sock_bind(int s, uint32_t address, uint16_t port) {
  msg_t m = {.type = SOCK_BIND};
  IPC(&m, sock_bind)->handle = (uint32_t)s;
  IPC(&m, sock_bind)->address = address;
  IPC(&m, sock_bind)->port = port;
  return request(&m, NULL, 0, NULL, 0);
}

int sock_listen(int s, unsigned backlog) {
  msg_t m = {.type = SOCK_LISTEN};
  IPC(&m, sock_listen)->handle = (uint32_t)s;
  IPC(&m, sock_listen)->backlog = backlog;
  return request(&m, NULL, 0, NULL, 0);
}

int sock_accept(int s, unsigned flags, struct sock_address *peer) {
  msg_t m = {.type = SOCK_ACCEPT};
  IPC(&m, sock_accept)->handle = (uint32_t)s;
  IPC(&m, sock_accept)->flags = flags;
  int r = request(&m, NULL, 0, NULL, 0);
  if (r < 0) return r;
  const struct sock_accept_reply *reply = IPC_REPLY(&m, sock_accept);
  if (peer) *peer = (struct sock_address){reply->address, reply->port};
  return (int)reply->handle;
}

int sock_connect(int s, uint32_t address, uint16_t port, unsigned flags) {
  msg_t m = {.type = SOCK_CONNECT};
  IPC(&m, sock_connect)->handle = (uint32_t)s;
  IPC(&m, sock_connect)->flags = flags;
  IPC(&m, sock_connect)->address = address;
  IPC(&m, sock_connect)->port = port;
  return request(&m, NULL, 0, NULL, 0);
}

static int send_some(int s, const char *data, size_t len, unsigned flags, uint32_t *room) {
  msg_t m = {.type = SOCK_SEND};
  IPC(&m, sock_send)->handle = (uint32_t)s;
  IPC(&m, sock_send)->flags = flags;
  int r = request(&m, data, len, NULL, 0);
  if (room) *room = r < 0 ? 0 : IPC_REPLY(&m, sock_send)->room;
  return r < 0 ? r : (int)IPC_REPLY(&m, sock_send)->taken;
}

int sock_send(int s, const void *data, size_t len, unsigned flags, uint32_t *room) {
  if (len > SYS_PAYLOAD_MAX) len = SYS_PAYLOAD_MAX;
  if (!(flags & SOCK_WAIT)) return send_some(s, data, len, flags, room);
  size_t sent = 0;
  while (sent < len) {
    int r = send_some(s, (const char *)data + sent, len - sent, flags, room);
    if (r < 0) return r;
    sent += (size_t)r;
  }
  return (int)sent;
}

int sock_recv(int s, void *buffer, size_t cap, unsigned flags) {
  if (cap > SYS_PAYLOAD_MAX) cap = SYS_PAYLOAD_MAX;
  msg_t m = {.type = SOCK_RECV};
  IPC(&m, sock_recv)->handle = (uint32_t)s;
  IPC(&m, sock_recv)->flags = flags;
  IPC(&m, sock_recv)->max = (uint32_t)cap;
  int r = request(&m, NULL, 0, buffer, cap);
  return r < 0 ? r : (int)m.payload;
}

int sock_shutdown(int s, unsigned how) {
  msg_t m = {.type = SOCK_SHUTDOWN};
  IPC(&m, sock_shutdown)->handle = (uint32_t)s;
  IPC(&m, sock_shutdown)->how = how;
  return request(&m, NULL, 0, NULL, 0);
}

int sock_close(int s) {
  msg_t m = {.type = SOCK_CLOSE};
  IPC(&m, sock_close)->handle = (uint32_t)s;
  return request(&m, NULL, 0, NULL, 0);
}

int sock_poll(struct sock_event *events, unsigned max, unsigned flags) {
  msg_t m = {.type = SOCK_POLL};
  IPC(&m, sock_poll)->max = max;
  IPC(&m, sock_poll)->flags = flags;
  int r = request(&m, NULL, 0, events, max * sizeof *events);
  return r < 0 ? r : (int)IPC_REPLY(&m, sock_poll)->count;
}

int sock_name(int s, enum sock_which which, struct sock_address *name) {
  msg_t m = {.type = SOCK_NAME};
  IPC(&m, sock_name)->handle = (uint32_t)s;
  IPC(&m, sock_name)->which = which;
  int r = request(&m, NULL, 0, NULL, 0);
  if (r < 0) return r;
  const struct sock_name_reply *reply = IPC_REPLY(&m, sock_name);
  *name = (struct sock_address){reply->address, reply->port};
  return 0;
}
