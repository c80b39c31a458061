#include "cli/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool name_ok(const char *name) {
  size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
  return n > 0 && n < 32 && name[n] == 0 && *name != '.';
}

static void base_dir(char *base, size_t cap) {
  const char *own = getenv("PROTEOS_RUNTIME_DIR"), *user = getenv("XDG_RUNTIME_DIR");
  if (own && *own)
    snprintf(base, cap, "%s", own);
  else if (user && *user && access(user, W_OK) == 0)
    snprintf(base, cap, "%s/proteos", user);
  else
    snprintf(base, cap, "/tmp/proteos-%u", (unsigned)geteuid());
}

bool instance_find(struct instance *instance, const char *name) {
  char base[PATH_MAX - 128];
  if (!name_ok(name)) {
    fprintf(stderr, "prctl: \"%s\" cannot name an instance: use 1 to 31 letters, digits, - _ .\n",
            name);
    return false;
  }
  instance->name = name;
  base_dir(base, sizeof(base));
  snprintf(instance->dir, sizeof(instance->dir), "%s/%s", base, name);
  char socket_path[PATH_MAX];
  if (strlen(instance_path(instance, "control.sock", socket_path)) >=
      sizeof(((struct sockaddr_un *)0)->sun_path)) {
    fprintf(stderr,
            "prctl: %s is too long for a socket; set PROTEOS_RUNTIME_DIR to a shorter one\n",
            socket_path);
    return false;
  }
  return true;
}

/* Whoever owns a folder, or a link to it, may put something else in its place. */
static bool is_trusted(const char *path) {
  struct stat st;
  return lstat(path, &st) == 0 && (st.st_uid == geteuid() || st.st_uid == 0);
}

static bool make_dir(const char *path) {
  struct stat st;
  if (mkdir(path, 0700) < 0 && errno != EEXIST) {
    fprintf(stderr, "prctl: %s: %s\n", path, strerror(errno));
    return false;
  }
  if (!is_trusted(path)) {
    fprintf(stderr, "prctl: %s belongs to another user\n", path);
    return false;
  }
  if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
    fprintf(stderr, "prctl: %s is not a directory\n", path);
    return false;
  }
  return true;
}

bool instance_make(const struct instance *instance) {
  char path[PATH_MAX];
  struct stat st;
  snprintf(path, sizeof(path), "%s", instance->dir);
  char *slash = strrchr(path, '/');
  *slash = 0;
  if (!make_dir(path) || !make_dir(instance->dir)) return false;
  if (stat(instance->dir, &st) < 0 || st.st_uid != geteuid()) {
    fprintf(stderr, "prctl: %s belongs to another user\n", instance->dir);
    return false;
  }
  chmod(instance->dir, 0700);
  return make_dir(instance_path(instance, "log", path));
}

const char *instance_path(const struct instance *instance, const char *file, char path[PATH_MAX]) {
  snprintf(path, PATH_MAX, "%s/%s", instance->dir, file);
  return path;
}

/* Only an instance's owner and root may use it, which busd checks, too; and requests carry
 * descriptors, and their answers are believed: one's own only. */
static bool is_own(int fd) {
  struct ucred peer;
  socklen_t len = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0) return false;
  return peer.uid == geteuid() || geteuid() == 0;
}

int instance_connect(const struct instance *instance) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char path[PATH_MAX];
  snprintf(address.sun_path, sizeof(address.sun_path), "%.*s", (int)sizeof(address.sun_path) - 1,
           instance_path(instance, "control.sock", path));
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
    if (is_own(fd)) return fd;
    errno = EPERM;
  }
  if (errno == EACCES || errno == EPERM)
    fprintf(stderr,
            "prctl: instance \"%s\" belongs to another user: only its owner and root may use it\n",
            instance->name);
  else
    fprintf(stderr, "prctl: no instance \"%s\" is running; start one with: prctl boot%s%s\n",
            instance->name, strcmp(instance->name, INSTANCE_DEFAULT) ? " --instance " : "",
            strcmp(instance->name, INSTANCE_DEFAULT) ? instance->name : "");
  if (fd >= 0) close(fd);
  return -1;
}

int instance_lock(const struct instance *instance) {
  char path[PATH_MAX];
  int fd = open(instance_path(instance, "lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}
