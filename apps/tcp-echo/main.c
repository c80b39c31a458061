/* tcp-echo: sends back what it receives (RFC 862), one connection after the other.
 *
 *   tcp-echo [PORT]     7 if not given
 *
 * A plain program: it blocks wherever it has to wait, so it cannot be updated itself, but goes on
 * through every update of the servers that it waits for. */
#include <stdio.h>
#include <stdlib.h>

#include "libsys/socket.h"

SYS_NEEDS(call, "net");

static void serve(int s) {
  char data[16384];
  int n;
  while ((n = sock_recv(s, data, sizeof data, SOCK_WAIT)) > 0)
    if (sock_send(s, data, (size_t)n, SOCK_WAIT, NULL) < 0) break;
  sock_close(s);
}

/* @return a listening socket, or a negative error. */
static int listen_on(uint16_t port) {
  int s = sock_socket();
  int r = s < 0 ? s : sock_bind(s, 0, port);
  if (r == 0) r = sock_listen(s, 4);
  return r < 0 ? r : s;
}

int main(int argc, char **argv) {
  uint16_t port = argc > 1 ? (uint16_t)atoi(argv[1]) : 7;
  sys_startup(NULL);
  int listener = listen_on(port);
  while (listener > 0) {
    int s = sock_accept(listener, SOCK_WAIT, NULL);
    if (s < 0) break; /* net was restarted; so shall we be */
    serve(s);
  }
  sys_log("cannot listen on port %u any more", port);
  return EXIT_FAILURE;
}
