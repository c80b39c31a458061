/* A server that stands alone, for tests: lines of text over a TCP port of loopback, which it
 * prints. VERSION 2 has another layout; FAULT breaks a new version. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "libst/alone.h"
#ifdef HANDLER
#include "libst/handler.h"
#endif

#ifndef VERSION
#define VERSION 1
#endif

enum fault {
  FAULT_NONE,
  FAULT_CRASH, /* before the update */
  FAULT_HANG,
  FAULT_EXIT,
  FAULT_TRANSFER_CRASH, /* in a handler, while the state is transferred */
  FAULT_TRANSFER_HANG,
  FAULT_TRANSFER_EXHAUST,
  FAULT_TRANSFER_SCRIBBLE, /* over all that it can reach of the old version */
};
#ifndef FAULT
#define FAULT FAULT_NONE
#endif

enum { CONNECTIONS = 8 };

struct entry {
#if VERSION == 2
  long weight; /* new */
#endif
  struct entry *next;
  long value;
  char text[24];
};

static struct entry *entries;
#ifdef NARROW
static signed char total;
#else
static long total;
#endif
static int listener, connections[CONNECTIONS];
static int busy; /* for state filters */
static int signals_seen;
static volatile int *nowhere;
static bool by_signal; /* wait without st_update_fd() */

static void on_signal(int number) {
  if (number == SIGUSR1) signals_seen++;
}

static void add(long value) {
  struct entry *e = calloc(1, sizeof(*e));
  e->value = value;
  snprintf(e->text, sizeof(e->text), "value %ld", value);
  e->next = entries;
  entries = e;
  total += value;
}

/* The sum of the list; -1 when an entry is damaged. */
static long sum(void) {
  long all = 0;
  for (struct entry *e = entries; e; e = e->next) {
    char text[24];
    snprintf(text, sizeof(text), "value %ld", e->value);
    if (strcmp(text, e->text) != 0) return -1;
    all += e->value;
  }
  return all;
}

#ifdef HANDLER
long by_handler;

ST_VAR_HANDLER(misbehave, by_handler, entries->next, entries->value) {
  struct st_old e = st_old_target(st_old_field(old, "entries"));
  if (FAULT == FAULT_TRANSFER_CRASH) *nowhere = 1;
  while (FAULT == FAULT_TRANSFER_HANG)
    ;
  while (FAULT == FAULT_TRANSFER_EXHAUST)
    if (!malloc(64 << 20)) return st_old_refuse("out of memory");
  for (struct entry *own = entries; own; own = own->next)
    memset(own->text, 'x', sizeof(own->text));
  memset((void *)st_old_field(e, "value").data, 'x', sizeof(long));
  *new = 1;
  return 0;
}
#endif

static void *sleeper(void *unused) {
  pause();
  return unused;
}

static void make_obstacle(const char *what) {
  pthread_t thread;
  timer_t timer;
  struct itimerval far = {.it_value = {.tv_sec = 3600}};
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (strcmp(what, "thread") == 0) pthread_create(&thread, NULL, sleeper, NULL);
  if (strcmp(what, "child") == 0 && fork() == 0) {
    pause();
    _exit(0);
  }
  if (strcmp(what, "busy-child") == 0 && fork() == 0)
    for (;;)
      st_update_point();
  if (strcmp(what, "timer") == 0)
    timer_create(CLOCK_MONOTONIC, &(struct sigevent){.sigev_notify = SIGEV_NONE}, &timer);
  if (strcmp(what, "itimer") == 0) setitimer(ITIMER_REAL, &far, NULL);
  if (strcmp(what, "lock") == 0) {
    int fd = open("locked", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    fcntl(fd, F_SETLK, &lock);
  }
  if (strcmp(what, "stdin") == 0) getchar();
  if (strcmp(what, "user") == 0 && setuid(65533) < 0) abort();
}

static void obey(int fd, char *line) {
  char text[64], directory[PATH_MAX];
  long n = 0;
  if (sscanf(line, "add %ld", &n) == 1) add(n);
  if (sscanf(line, "busy %ld", &n) == 1) busy = (int)n;
  if (sscanf(line, "make %31s", text) == 1) make_obstacle(text);
  if (sscanf(line, "exit %ld", &n) == 1) exit((int)n);
  if (strcmp(line, "umask") == 0) umask(027);
  if (strncmp(line, "cd ", 3) == 0 && chdir(line + 3) < 0) abort();
  if (strcmp(line, "usr1") == 0) signal(SIGUSR1, on_signal);
  if (strcmp(line, "say") == 0) printf("unflushed ");
  if (strcmp(line, "nested") == 0) {
    busy = 0;
    st_update_point(); /* the line's answer is still on the stack */
  }
  mode_t mask = umask(0);
  umask(mask);
  if (!getcwd(directory, sizeof(directory))) abort();
  dprintf(fd, "version=%d total=%ld sum=%ld signals=%d restored=%d umask=%o pid=%d cwd=%s\n",
          VERSION, (long)total, sum(), signals_seen, st_restored(), (unsigned)mask, (int)st_pid(),
          directory);
}

static void serve(int *connection) {
  char line[PATH_MAX];
  ssize_t got = recv(*connection, line, sizeof(line) - 1, 0);
  if (got <= 0) {
    close(*connection);
    *connection = -1;
    return;
  }
  line[got] = 0;
  line[strcspn(line, "\n")] = 0;
  obey(*connection, line);
}

static void welcome(void) {
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  for (int i = 0; fd >= 0 && i < CONNECTIONS; i++) {
    if (connections[i] >= 0) continue;
    connections[i] = fd;
    return;
  }
}

static void init(int argc, char **argv) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t bytes = sizeof(at);
  by_signal = argc > 1 && strcmp(argv[1], "by-signal") == 0;
  for (int i = 0; i < CONNECTIONS; i++)
    connections[i] = -1;
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr *)&at, bytes) < 0 || listen(listener, 8) < 0 ||
      getsockname(listener, (struct sockaddr *)&at, &bytes) < 0)
    abort();
  dprintf(1, "%d\n", ntohs(at.sin_port));
}

static void wait_for_events(struct pollfd *p) {
  p[0] = (struct pollfd){.fd = listener, .events = POLLIN};
  p[1] = (struct pollfd){.fd = by_signal ? -1 : st_update_fd(), .events = POLLIN};
  for (int i = 0; i < CONNECTIONS; i++)
    p[2 + i] = (struct pollfd){.fd = connections[i], .events = POLLIN};
  if (poll(p, 2 + CONNECTIONS, -1) < 0)
    for (int i = 0; i < 2 + CONNECTIONS; i++)
      p[i].revents = 0;
}

int main(int argc, char **argv) {
  if (FAULT == FAULT_CRASH) *nowhere = 1;
  if (FAULT == FAULT_EXIT) exit(3);
  while (FAULT == FAULT_HANG)
    pause();
  st_startup(&argc, &argv);
  if (!st_restored()) init(argc, argv);
  for (;;) {
    struct pollfd p[2 + CONNECTIONS];
    st_update_point();
    wait_for_events(p);
    if (p[0].revents) welcome();
    for (int i = 0; i < CONNECTIONS; i++)
      if (p[2 + i].revents) serve(&connections[i]);
  }
}
