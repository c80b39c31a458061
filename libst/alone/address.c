#include "libst/alone/address.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The last number in a line of /proc/PID/status, or 0. */
static pid_t status_number(pid_t pid, const char *key) {
  char path[64], line[256];
  pid_t number = 0;
  snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
  FILE *f = fopen(path, "re");
  while (f && !number && fgets(line, sizeof(line), f)) {
    if (strncmp(line, key, strlen(key)) != 0) continue;
    const char *last = strrchr(line, '\t');
    number = last ? atoi(last + 1) : 0;
  }
  if (f) fclose(f);
  return number;
}

pid_t address_parent(pid_t pid) {
  return status_number(pid, "PPid:");
}

static int name_of(pid_t pid, pid_t inner, struct sockaddr_un *out, socklen_t *bytes) {
  char path[64];
  struct stat space;
  snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
  if (stat(path, &space) < 0) return -errno;
  *out = (struct sockaddr_un){.sun_family = AF_UNIX};
  int length = snprintf(out->sun_path + 1, sizeof(out->sun_path) - 1, "libst/%lu/%d",
                        (unsigned long)space.st_ino, (int)inner);
  *bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
  return 0;
}

static int peer(int socket, struct ucred *who) {
  socklen_t bytes = sizeof(*who);
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, who, &bytes) < 0 ? -errno : 0;
}

int address_listen(void) {
  struct sockaddr_un name;
  socklen_t bytes;
  int err = name_of(getpid(), getpid(), &name, &bytes);
  if (err) return err;
  int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (s < 0) return -errno;
  if (bind(s, (struct sockaddr *)&name, bytes) == 0 && listen(s, 4) == 0) return s;
  err = -errno;
  close(s);
  return err;
}

int address_accept(int listener) {
  struct ucred who;
  int s = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (s < 0) return -errno;
  int err = peer(s, &who);
  if (!err && who.uid != 0 && who.uid != geteuid()) err = -EPERM;
  if (!err) return s;
  close(s);
  return err;
}

int address_connect(pid_t pid, pid_t *inner) {
  struct sockaddr_un name;
  socklen_t bytes;
  struct ucred who;
  *inner = status_number(pid, "NSpid:");
  if (*inner == 0) return -ESRCH;
  int err = name_of(pid, *inner, &name, &bytes);
  if (err) return err == -EACCES ? -EPERM : err;
  int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (s < 0) return -errno;
  if (connect(s, (struct sockaddr *)&name, bytes) < 0) err = -errno;
  if (!err) err = peer(s, &who);
  /* Whoever else listens there is an impostor. */
  if (!err && (who.pid != pid || (geteuid() != 0 && who.uid != geteuid()))) err = -EPERM;
  if (!err) return s;
  close(s);
  return err;
}
