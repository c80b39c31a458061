/* The least that a mediated round trip can cost: client, epoll relay and server, three processes on
 * one CPU joined by SOCK_SEQPACKET socketpairs, 64 bytes a message, four hops a call.
 *
 *   relay CPU ROUNDS CALLS    prints the mean round trip of each round, in nanoseconds, a line each
 *
 * The relay waits in epoll, as a broker of many clients must, and does nothing else. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pin.h"

#define MESSAGE_BYTES 64

static void serve(int fd) {
  char m[MESSAGE_BYTES];
  while (recv(fd, m, sizeof(m), 0) == MESSAGE_BYTES) {
    if (send(fd, m, sizeof(m), MSG_NOSIGNAL) < 0) break;
  }
}

static void watch(int ep, int from, int to) {
  struct epoll_event ev = {.events = EPOLLIN, .data.u64 = (uint64_t)from << 32 | (unsigned)to};
  if (epoll_ctl(ep, EPOLL_CTL_ADD, from, &ev) < 0) err(1, "epoll_ctl");
}

static void relay(int client, int server) {
  int ep = epoll_create1(0);
  if (ep < 0) err(1, "epoll_create1");
  watch(ep, client, server);
  watch(ep, server, client);
  for (;;) {
    struct epoll_event ev[2];
    int n = epoll_wait(ep, ev, 2, -1);
    if (n < 0 && errno == EINTR) continue;
    for (int i = 0; i < n; i++) {
      char m[MESSAGE_BYTES];
      int from = (int)(ev[i].data.u64 >> 32), to = (int)ev[i].data.u64;
      if (recv(from, m, sizeof(m), 0) != MESSAGE_BYTES) return;
      if (send(to, m, sizeof(m), MSG_NOSIGNAL) < 0) return;
    }
  }
}

static void call(int fd, unsigned calls) {
  char m[MESSAGE_BYTES] = {0};
  for (unsigned i = 0; i < calls; i++) {
    memcpy(m, &i, sizeof(i));
    if (send(fd, m, sizeof(m), 0) < 0) err(1, "send");
    if (recv(fd, m, sizeof(m), 0) != MESSAGE_BYTES) errx(1, "the relay is gone");
    if (memcmp(m, &i, sizeof(i)) != 0) errx(1, "wrong answer");
  }
}

static pid_t child(void) {
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid < 0) err(1, "fork");
  if (pid > 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 4) errx(2, "usage: relay CPU ROUNDS CALLS");
  unsigned rounds = (unsigned)atoi(argv[2]), calls = (unsigned)atoi(argv[3]);
  int a[2], b[2];
  pin_to_cpu(argv[1]);
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, a) < 0 ||
      socketpair(AF_UNIX, SOCK_SEQPACKET, 0, b) < 0)
    err(1, "socketpair");
  if (child() == 0) {
    close(a[0]), close(a[1]), close(b[0]);
    serve(b[1]);
    return 0;
  }
  if (child() == 0) {
    close(a[0]), close(b[1]);
    relay(a[1], b[0]);
    return 0;
  }
  close(a[1]), close(b[0]), close(b[1]);
  call(a[0], calls / 10 + 1); /* warm up */
  for (unsigned r = 0; r < rounds; r++) {
    uint64_t t = now_ns();
    call(a[0], calls);
    printf("%.1f\n", (double)(now_ns() - t) / calls);
  }
  close(a[0]); /* ends the relay, and that the server */
  while (wait(NULL) > 0) {
  }
  return 0;
}
