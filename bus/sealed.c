#include "bus/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef MFD_EXEC /* since Linux 6.3; before, every memfd was executable */
#define MFD_EXEC 0x10u
#endif

#define SEALS           (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define NAME_MAX_LENGTH 249u /* memfd_create(2) */

static int create(const char *name) {
  size_t length = strlen(name);
  if (length > NAME_MAX_LENGTH) name += length - NAME_MAX_LENGTH;
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = memfd_create(name, flags | MFD_EXEC);
  if (fd < 0 && errno == EINVAL) fd = memfd_create(name, flags);
  return fd < 0 ? -errno : fd;
}

static int write_all(int fd, const uint8_t *bytes, size_t n) {
  while (n) {
    ssize_t written = write(fd, bytes, n);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? -errno : -EIO;
    bytes += written;
    n -= (size_t)written;
  }
  return 0;
}

static int copy(int from, int to) {
  uint8_t buffer[16384];
  off_t at = 0;
  for (;;) {
    ssize_t n = pread(from, buffer, sizeof(buffer), at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? -errno : 0;
    at += n;
    if (at > (off_t)SEALED_MAX_BYTES) return -EFBIG;
    int error = write_all(to, buffer, (size_t)n);
    if (error) return error;
  }
}

int sealed_copy(int fd, const char *name) {
  int to = create(name);
  if (to < 0) return to;
  int error = copy(fd, to);
  if (!error && fcntl(to, F_ADD_SEALS, SEALS) < 0) error = -errno;
  if (!error) return to;
  close(to);
  return error;
}

bool sealed_is(int fd) {
  int seals = fcntl(fd, F_GET_SEALS);
  return seals >= 0 && (seals & SEALS) == SEALS;
}

bool sealed_same(int a, int b) {
  struct stat sa, sb;
  return sealed_is(a) && fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
         sa.st_ino == sb.st_ino;
}
