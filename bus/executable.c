#include "bus/executable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/sealed.h"
#include "bus/self.h"
#include "bus/signature.h"
#include "proto/printable.h"

static int refuse(const char *path, int error, char *why, size_t cap) {
  switch (error) {
  case -ENOKEY:
    snprintf(why, cap, "%s is not signed (there is no %s.sig), and %s requires it", path, path,
             "updates: require-signature");
    break;
  case -EKEYREJECTED:
    snprintf(why, cap, "%s.sig is no signature of that file by the key of %s", path,
             "updates: require-signature");
    break;
  default:
    snprintf(why, cap, "%s: %s", path, strerror(-error));
    break;
  }
  return error;
}

static int check_beside(int copy, const char *path) {
  uint8_t signature[SIGNATURE_BYTES + 1];
  size_t bytes;
  int error = signature_read(path, signature, &bytes);
  if (error && error != -ENOENT) return error;
  return signature_check(copy, signature, bytes, bus.manifest->updates.key);
}

static int open_signed(int fd, const char *path) {
  int copy = sealed_copy(fd, path);
  if (copy < 0) return copy;
  int error = check_beside(copy, path);
  if (!error) return copy;
  close(copy);
  return error;
}

int executable_open(const struct manifest_component *c, char *why, size_t cap) {
  int fd = open(c->executable, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return refuse(c->executable, -errno, why, cap);
  if (!bus.manifest->updates.require_signature) return fd;
  int copy = open_signed(fd, c->executable);
  close(fd);
  return copy < 0 ? refuse(c->executable, copy, why, cap) : copy;
}

int executable_check(const struct endpoint *e, int fd, const void *signature, size_t bytes) {
  if (!bus.manifest->updates.require_signature) return 0;
  if (!sealed_is(fd)) return -EPERM;
  int running = !e ? self_exe() : e->live ? e->live->exe : -1;
  if (running >= 0 && sealed_same(fd, running)) return 0;
  return signature_check(fd, signature, bytes, bus.manifest->updates.key);
}

char *executable_path(int fd) {
  static const char memfd[] = "/memfd:", deleted[] = " (deleted)";
  char link[64], path[4096], *name = path;
  snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof(path) - 1);
  path[n > 0 ? n : 0] = 0;
  if (strncmp(path, memfd, sizeof(memfd) - 1) == 0 && n > (ssize_t)sizeof(deleted)) {
    name += sizeof(memfd) - 1;
    path[n - (ssize_t)(sizeof(deleted) - 1)] = 0;
  }
  printable_make(name);
  return strdup(name);
}
