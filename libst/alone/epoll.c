/* An epoll descriptor hears of a signal's descriptor through the process that added it: signalfd(2)
 * reads the signals of whoever calls it, but its wait queue is that process's. In a new version
 * each is therefore taken out and added again. To look for them takes time with many descriptors,
 * hence only programs that make any pay for it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libst/alone/alone.h"

enum { SIGNAL_SET_BYTES = 8 }; /* of the kernel */

/* In the place of libc's. */
__attribute__((visibility("default"))) int signalfd(int fd, const sigset_t *mask, int flags) {
  alone.makes_signalfds = true;
  return (int)syscall(SYS_signalfd4, fd, mask, SIGNAL_SET_BYTES, flags);
}

static bool is_kind(int fd, const char *kind) {
  char path[64], link[64];
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  ssize_t length = readlink(path, link, sizeof(link) - 1);
  if (length < 0) return false;
  link[length] = 0;
  return strcmp(link, kind) == 0;
}

/* fdinfo: "tfd:        6 events:       19 data:                6  pos:0 ino:..."; numbers but the
 * first in hexadecimal. */
static void renew(int epoll) {
  char path[64], line[256];
  snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
  FILE *f = fopen(path, "re");
  while (f && fgets(line, sizeof(line), f)) {
    struct epoll_event event;
    unsigned events;
    unsigned long data;
    int fd;
    if (sscanf(line, "tfd: %d events: %x data: %lx", &fd, &events, &data) != 3) continue;
    if (!is_kind(fd, "anon_inode:[signalfd]")) continue;
    event.events = events;
    event.data.u64 = data;
    if (epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL) < 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
      fprintf(stderr, "libst: epoll descriptor %d no longer watches signals through %d: %s\n",
              epoll, fd, strerror(errno));
  }
  if (f) fclose(f);
}

void epoll_renew(void) {
  if (!alone.makes_signalfds) return;
  DIR *fds = opendir("/proc/self/fd");
  for (struct dirent *e; fds && (e = readdir(fds));) {
    int fd = atoi(e->d_name);
    if (fd > 2 && is_kind(fd, "anon_inode:[eventpoll]")) renew(fd);
  }
  if (fds) closedir(fds);
}
