#include "libst/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libst/st.h"

/* libst's own descriptors start here, if the limit allows; programs rarely get so far. */
enum { OWN_FIRST = 512, NUMBERS_MAX = 65536, POLL_MAX = 1024 };

static uint64_t excluded[NUMBERS_MAX / 64];
static int limit;    /* of the numbers of descriptors */
static int scan_end; /* all numbers are below it, or near those that are */
static int placeholder = -1;

void st_exclude_fd(int fd) {
  if (fd >= 0 && fd < NUMBERS_MAX) excluded[fd / 64] |= 1ull << fd % 64;
}

static void include_fd(int fd) {
  if (fd >= 0 && fd < NUMBERS_MAX) excluded[fd / 64] &= ~(1ull << fd % 64);
}

static bool is_excluded(int fd) {
  return fd < NUMBERS_MAX && (excluded[fd / 64] >> fd % 64 & 1);
}

int descriptor_hide(int fd) {
  int high = fcntl(fd, F_DUPFD_CLOEXEC, OWN_FIRST);
  if (high >= 0)
    close(fd);
  else
    high = fd;
  st_exclude_fd(high);
  return high;
}

void descriptor_close(int fd) {
  if (fd < 0) return;
  include_fd(fd);
  close(fd);
}

int descriptors_init(void) {
  if (placeholder >= 0) return 0;
  struct rlimit open_files;
  if (getrlimit(RLIMIT_NOFILE, &open_files) < 0) return -errno;
  limit = open_files.rlim_cur < NUMBERS_MAX ? (int)open_files.rlim_cur : NUMBERS_MAX;
  /* Reads and writes on it fail with EBADF, like those on a closed one. */
  int nothing = open("/proc", O_PATH | O_CLOEXEC);
  if (nothing < 0) return -errno;
  placeholder = descriptor_hide(nothing);
  return 0;
}

static int add(struct descriptor **list, int count, int fd) {
  if (fd < 3 || is_excluded(fd)) return count;
  int flags = fcntl(fd, F_GETFD);
  if (flags < 0) return count;
  if (count % 32 == 0) {
    struct descriptor *grown = realloc(*list, (size_t)(count + 32) * sizeof(*grown));
    if (!grown) return -ENOMEM;
    *list = grown;
  }
  (*list)[count] = (struct descriptor){fd, (flags & FD_CLOEXEC) != 0};
  return count + 1;
}

/* Which of the numbers from `first` on are open: poll() tells for many at once, in a tenth of the
 * time that it takes to read the process's own folder in /proc. */
static int list_some(struct descriptor **list, int count, int first) {
  static struct pollfd asked[POLL_MAX];
  int some = limit - first < POLL_MAX ? limit - first : POLL_MAX;
  for (int i = 0; i < some; i++)
    asked[i] = (struct pollfd){.fd = first + i};
  if (poll(asked, (nfds_t)some, 0) < 0) return -errno;
  for (int i = 0; count >= 0 && i < some; i++)
    if (!(asked[i].revents & POLLNVAL)) count = add(list, count, first + i);
  return count;
}

static int list_to(struct descriptor **list, int end) {
  int count = 0;
  *list = NULL;
  /* Numbers are given from the lowest on, so they end where a whole chunk has none. */
  for (int first = 0, before = -1; first < limit && (first < end || count > before);
       first += POLL_MAX) {
    before = count;
    count = list_some(list, count, first);
    if (count < 0) {
      free(*list);
      *list = NULL;
      return count;
    }
  }
  return count;
}

int descriptors_prepare(void) {
  struct descriptor *list;
  int count = list_to(&list, limit);
  if (count < 0) return count;
  scan_end = count > 0 ? list[count - 1].number + 1 : 0;
  free(list);
  return 0;
}

int descriptors_list(struct descriptor **list) {
  return list_to(list, scan_end);
}

int descriptor_reserve(int number) {
  if (is_excluded(number)) return -EBUSY;
  return dup3(placeholder, number, O_CLOEXEC) < 0 ? -errno : 0;
}

int descriptor_restore(int received, const struct descriptor *d) {
  int err = 0;
  if (received == d->number) {
    /* The placeholder was closed meanwhile. */
    if (fcntl(received, F_SETFD, d->close_on_exec ? FD_CLOEXEC : 0) < 0) err = -errno;
    return err;
  }
  if (dup3(received, d->number, d->close_on_exec ? O_CLOEXEC : 0) < 0) err = -errno;
  close(received);
  return err;
}
