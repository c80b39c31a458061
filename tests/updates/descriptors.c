/* Descriptors of all kinds, with what the kernel keeps behind them, and the standard streams. */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/updates/pair.h"

struct watch {
#if VERSION == 2
  long added;
#endif
  int epoll, event, timer;
};

static struct watch *watch;
static int file, pipes[2], stream[2], datagram[2], listener, client;
static FILE *streams[3];
static unsigned short port;

static void build_sockets(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof(at);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, stream) == 0);
  CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagram) == 0);
  CHECK(write(stream[0], "in flight", 9) == 9);
  CHECK(send(datagram[0], "one", 3, 0) == 3 && send(datagram[0], "second", 6, 0) == 6);
  listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  CHECK(bind(listener, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(listener, 5) == 0);
  CHECK(getsockname(listener, (struct sockaddr *)&at, &length) == 0);
  port = at.sin_port;
  client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(client, (struct sockaddr *)&at, sizeof(at)) == 0);
}

static void build(void) {
  char name[] = "/tmp/pair-XXXXXX";
  file = mkstemp(name);
  CHECK(file >= 0 && unlink(name) == 0 && write(file, "0123456789", 10) == 10);
  CHECK(lseek(file, 4, SEEK_SET) == 4);
  CHECK(pipe2(pipes, O_NONBLOCK) == 0 && write(pipes[1], "piped", 5) == 5);
  build_sockets();
  watch = calloc(1, sizeof(*watch));
  watch->epoll = epoll_create1(EPOLL_CLOEXEC);
  watch->event = eventfd(41, EFD_NONBLOCK);
  watch->timer = timerfd_create(CLOCK_MONOTONIC, 0);
  struct itimerspec soon = {.it_value.tv_nsec = 1, .it_interval.tv_sec = 1000};
  CHECK(timerfd_settime(watch->timer, 0, &soon, NULL) == 0);
  for (int i = 0; i < 2; i++) {
    struct epoll_event e = {.events = EPOLLIN, .data.fd = i ? watch->timer : watch->event};
    CHECK(epoll_ctl(watch->epoll, EPOLL_CTL_ADD, e.data.fd, &e) == 0);
  }
  streams[0] = stdin;
  streams[1] = stdout;
  streams[2] = stderr;
}

static void verify_sockets(void) {
  char bytes[16];
  CHECK(read(stream[1], bytes, 16) == 9 && !memcmp(bytes, "in flight", 9));
  CHECK(recv(datagram[1], bytes, 16, 0) == 3 && recv(datagram[1], bytes, 16, 0) == 6);
  int accepted = accept(listener, NULL, NULL);
  CHECK(accepted >= 0 && write(client, "hello", 5) == 5 && read(accepted, bytes, 16) == 5);
  struct sockaddr_in at;
  socklen_t length = sizeof(at);
  CHECK(getpeername(client, (struct sockaddr *)&at, &length) == 0 && at.sin_port == port);
  close(accepted);
}

static void verify(void) {
  char bytes[16];
  uint64_t count;
  struct epoll_event events[4];
  CHECK(read(file, bytes, 3) == 3 && !memcmp(bytes, "456", 3));
  CHECK(read(pipes[0], bytes, 16) == 5 && (fcntl(pipes[0], F_GETFL) & O_NONBLOCK));
  verify_sockets();
  CHECK(epoll_wait(watch->epoll, events, 4, 1000) == 2);
  CHECK(fcntl(watch->epoll, F_GETFD) == FD_CLOEXEC);
  CHECK(read(watch->event, &count, 8) == 8 && count == 41);
  CHECK(read(watch->timer, &count, 8) == 8 && count == 1);
  CHECK(epoll_ctl(watch->epoll, EPOLL_CTL_DEL, watch->event, NULL) == 0);
  CHECK(streams[0] == stdin && streams[1] == stdout && streams[2] == stderr);
  CHECK(fflush(streams[1]) == 0);
}

PAIR_MAIN(.build = build, .verify = verify)
