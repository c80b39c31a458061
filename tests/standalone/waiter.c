/* Waits with epoll for a signal's descriptor, a timer's, and the update's; prints a line for each
 * SIGUSR1: "VERSION SIGNALS TICKS". */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "libst/alone.h"

#ifndef VERSION
#define VERSION 1
#endif

static int epoll, signals, timer;
static long signals_seen, ticks;

static void watch(int fd) {
  struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
  if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0) abort();
}

static void init(void) {
  struct itimerspec every = {.it_value = {.tv_nsec = 20000000},
                             .it_interval = {.tv_nsec = 20000000}};
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  sigprocmask(SIG_BLOCK, &usr1, NULL);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  signals = signalfd(-1, &usr1, SFD_CLOEXEC);
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  timerfd_settime(timer, 0, &every, NULL);
  watch(signals);
  watch(timer);
  watch(st_update_fd());
  dprintf(1, "ready\n");
}

static void take(int fd) {
  struct signalfd_siginfo info;
  unsigned long count;
  if (fd == timer && read(timer, &count, sizeof(count)) > 0) ticks += (long)count;
  if (fd == signals && read(signals, &info, sizeof(info)) > 0) {
    signals_seen++;
    dprintf(1, "%d %ld %ld\n", VERSION, signals_seen, ticks);
  }
}

int main(int argc, char **argv) {
  st_startup(&argc, &argv);
  if (!st_restored()) init();
  for (;;) {
    struct epoll_event e;
    st_update_point();
    if (epoll_wait(epoll, &e, 1, -1) == 1) take(e.data.fd);
  }
}
