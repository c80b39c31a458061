#include "bus/executable.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

/* ---- programs ---- */

/* Linux 5.6 and later. */
static int open_beneath(const char *root, const char *path) {
  struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                         .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  int directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return -errno;
  int fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));
  int error = fd < 0 ? -errno : 0;
  close(directory);
  return error == -EXDEV ? -EACCES : error ? error : fd;
}

static int check_program(int fd) {
  struct stat st;
  char magic[SELFMAG];
  if (fstat(fd, &st) < 0) return -errno;
  if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111)) return -EACCES;
  bool is_elf = pread(fd, magic, SELFMAG, 0) == SELFMAG && memcmp(magic, ELFMAG, SELFMAG) == 0;
  return is_elf ? 0 : -ENOEXEC;
}

static int open_signed_program(int fd, const char *path) {
  char full[PATH_MAX], why[PATH_MAX + 128];
  snprintf(full, sizeof(full), "%s/%s", bus.manifest->root, path);
  int copy = open_signed(fd, full);
  if (copy >= 0) return copy;
  refuse(full, copy, why, sizeof(why));
  printable_make(why);
  bus_log("%s", why);
  return -EACCES;
}

int executable_open_program(const char *file) {
  char path[PATH_MAX];
  while (*file == '/')
    file++;
  int n = snprintf(path, sizeof(path), "%s%s", strchr(file, '/') ? "" : "bin/", file);
  if (n >= (int)sizeof(path)) return -ENAMETOOLONG;
  int fd = open_beneath(bus.manifest->root, path);
  if (fd < 0) return fd;
  int error = check_program(fd);
  if (error || bus.manifest->updates.require_signature) {
    int copy = error ? error : open_signed_program(fd, path);
    close(fd);
    return copy;
  }
  return fd;
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
