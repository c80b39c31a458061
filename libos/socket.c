/* TCP sockets as descriptors. */
#include <arpa/inet.h>
#include <errno.h>

#include "libos/ask.h"
#include "libos/descriptor.h"
#include "libos/os.h"
#include "libos/signals.h"
#include "libos/transfer.h"
#include "libsys/if/sock.h"
#include "libsys/sys.h"

static struct descriptor *socket_of(int fd) {
  struct descriptor *d = descriptor_get(fd);
  if (d && d->kind == DESCRIPTOR_SOCKET) return d;
  if (d) errno = ENOTSOCK;
  return NULL;
}

int os_socket(void) {
  endpoint_t net = server_endpoint(SERVER_NET);
  msg_t m = {.type = SOCK_SOCKET};
  if (ask(net, &m) < 0) return -1;
  return handle_install(DESCRIPTOR_SOCKET, net, IPC_REPLY(&m, sock_socket)->handle, 0);
}

int os_bind(int fd, const struct sockaddr_in *address) {
  struct descriptor *d = socket_of(fd);
  if (!d) return -1;
  msg_t m = {.type = SOCK_BIND};
  IPC(&m, sock_bind)->handle = d->handle;
  IPC(&m, sock_bind)->address = address->sin_addr.s_addr;
  IPC(&m, sock_bind)->port = ntohs(address->sin_port);
  return ask(d->server, &m);
}

int os_listen(int fd, int backlog) {
  struct descriptor *d = socket_of(fd);
  if (!d) return -1;
  msg_t m = {.type = SOCK_LISTEN};
  IPC(&m, sock_listen)->handle = d->handle;
  IPC(&m, sock_listen)->backlog = backlog < 1 ? 1 : (uint32_t)backlog;
  return ask(d->server, &m);
}

static ssize_t accept_once(int fd, bool wait, void *arg) {
  struct descriptor *d = socket_of(fd);
  if (!d) return -1;
  msg_t m = {.type = SOCK_ACCEPT};
  IPC(&m, sock_accept)->handle = d->handle;
  IPC(&m, sock_accept)->flags = wait ? SOCK_WAIT : 0;
  if (ask(d->server, &m) < 0) {
    if (errno == EAGAIN) descriptor_ready(d->server, d->handle, 0, SOCK_IN);
    return -1;
  }
  struct sock_accept_reply *reply = IPC_REPLY(&m, sock_accept);
  struct sockaddr_in *peer = arg;
  if (peer)
    *peer = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(reply->port), .sin_addr.s_addr = reply->address};
  int new = handle_install(DESCRIPTOR_SOCKET, d->server, reply->handle, 0);
  if (new >= 0) descriptor_ready(d->server, reply->handle, SOCK_OUT, 0);
  return new;
}

int os_accept(int fd, struct sockaddr_in *peer) {
  return socket_of(fd) ? (int)transfer_wait(fd, POLLIN, accept_once, peer) : -1;
}

/* Waiting for the outcome of a connection that was begun. */
static int connected(int fd) {
  while (1) {
    struct pollfd p = {fd, POLLOUT, 0};
    if (os_poll(&p, 1, -1) < 0) return -1;
    if (p.revents & POLLERR) return fail(-ECONNREFUSED);
    if (p.revents & POLLOUT) return 0;
  }
}

int os_connect(int fd, const struct sockaddr_in *address) {
  struct descriptor *d = socket_of(fd);
  if (!d) return -1;
  bool nonblock = d->flags & DESCRIPTOR_NONBLOCK, later = nonblock || signals_caught();
  msg_t m = {.type = SOCK_CONNECT};
  IPC(&m, sock_connect)->handle = d->handle;
  IPC(&m, sock_connect)->flags = later ? 0 : SOCK_WAIT;
  IPC(&m, sock_connect)->address = address->sin_addr.s_addr;
  IPC(&m, sock_connect)->port = ntohs(address->sin_port);
  if (ask(d->server, &m) < 0) return -1;
  if (nonblock) return fail(-EINPROGRESS);
  if (later) return connected(fd);
  descriptor_ready(d->server, d->handle, SOCK_OUT, 0);
  return 0;
}

ssize_t os_send(int fd, const void *data, size_t bytes) {
  return socket_of(fd) ? os_write(fd, data, bytes) : -1;
}

ssize_t os_recv(int fd, void *data, size_t bytes) {
  return socket_of(fd) ? os_read(fd, data, bytes) : -1;
}

int os_shutdown(int fd, int how) {
  static const uint32_t ways[] = {[SHUT_RD] = SOCK_SHUT_READ,
                                  [SHUT_WR] = SOCK_SHUT_WRITE,
                                  [SHUT_RDWR] = SOCK_SHUT_READ | SOCK_SHUT_WRITE};
  struct descriptor *d = socket_of(fd);
  if (!d) return -1;
  if (how < SHUT_RD || how > SHUT_RDWR) return fail(-EINVAL);
  msg_t m = {.type = SOCK_SHUTDOWN};
  IPC(&m, sock_shutdown)->handle = d->handle;
  IPC(&m, sock_shutdown)->how = ways[how];
  return ask(d->server, &m);
}

static int name(int fd, enum sock_which which, struct sockaddr_in *address) {
  struct descriptor *d = socket_of(fd);
  if (!d) return -1;
  msg_t m = {.type = SOCK_NAME};
  IPC(&m, sock_name)->handle = d->handle;
  IPC(&m, sock_name)->which = which;
  if (ask(d->server, &m) < 0) return -1;
  *address = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons(IPC_REPLY(&m, sock_name)->port),
                                  .sin_addr.s_addr = IPC_REPLY(&m, sock_name)->address};
  return 0;
}

int os_getsockname(int fd, struct sockaddr_in *address) {
  return name(fd, SOCK_LOCAL, address);
}

int os_getpeername(int fd, struct sockaddr_in *address) {
  return name(fd, SOCK_PEER, address);
}

int os_resolve(const char *host, uint16_t port, struct sockaddr_in *address) {
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
  return inet_pton(AF_INET, host, &address->sin_addr) == 1 ? 0 : fail(-EINVAL);
}
