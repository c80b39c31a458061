/* Processes: starting, waiting, groups. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libos/ask.h"
#include "libos/cwd.h"
#include "libos/descriptor.h"
#include "libos/os.h"
#include "libos/start.h"
#include "libsys/if/proc.h"
#include "libsys/sys.h"

struct packet {
  char *data;
  size_t used;
  bool full;
};

static void add(struct packet *p, const void *data, size_t bytes) {
  if (SYS_PAYLOAD_MAX - p->used < bytes) {
    p->full = true;
    return;
  }
  memcpy(p->data + p->used, data, bytes);
  p->used += bytes;
}

static uint32_t add_strings(struct packet *p, char *const *strings, const char *leave_out) {
  uint32_t count = 0;
  size_t n = leave_out ? strlen(leave_out) : 0;
  for (; *strings; strings++) {
    if (n && strncmp(*strings, leave_out, n) == 0 && (*strings)[n] == '=') continue;
    add(p, *strings, strlen(*strings) + 1);
    count++;
  }
  return count;
}

/* @return false with errno set; `null` gets those that no server knows of, as bits */
static bool add_descriptors(struct packet *p, const struct os_spawn *how, uint32_t *count,
                            uint64_t *null) {
  static const struct os_spawn_fd usual[] = {{0, 0}, {1, 1}, {2, 2}};
  const struct os_spawn_fd *fds = how->fds ? how->fds : usual;
  unsigned nfds = how->fds ? how->nfds : 3;
  for (unsigned i = 0; i < nfds; i++) {
    struct descriptor *d = descriptor_get(fds[i].here);
    if (!d && !how->fds) continue;
    if (!d) return false;
    if (fds[i].there < 0 || fds[i].there >= (int)OS_FDS_MAX) {
      errno = EBADF;
      return false;
    }
    if (d->kind == DESCRIPTOR_NULL) {
      *null |= 1ull << fds[i].there;
      continue;
    }
    struct proc_fd fd = {(uint32_t)fds[i].there, d->server, d->handle, d->flags};
    add(p, &fd, sizeof fd);
    ++*count;
  }
  return true;
}

static bool spawn_packet(struct packet *p, const struct os_spawn *how) {
  struct proc_spawn head = {.group = how->group,
                            .cwd = cwd_handle(),
                            .user = PROC_SAME_USER,
                            .gid = PROC_SAME_USER,
                            .foreground = how->foreground};
  uint64_t null = 0;
  p->used = sizeof head;
  if (!add_descriptors(p, how, &head.nfds, &null)) return false;
  add(p, how->program, strlen(how->program) + 1);
  head.nargs = add_strings(p, how->args, NULL);
  head.nenv = add_strings(p, how->env ? how->env : environ, VARIABLE_NULL);
  if (null) {
    char text[40];
    int n = snprintf(text, sizeof text, VARIABLE_NULL "=%llx", (unsigned long long)null);
    add(p, text, (size_t)n + 1);
    head.nenv++;
  }
  memcpy(p->data, &head, sizeof head);
  if (p->full) errno = E2BIG;
  return !p->full;
}

pid_t os_spawn(const struct os_spawn *how) {
  struct packet p = {.data = malloc(SYS_PAYLOAD_MAX)};
  if (!p.data) return fail(-ENOMEM);
  msg_t m = {.type = PROC_SPAWN};
  int r = -1;
  fflush(stdout); /* in the order in which we and the child print */
  if (spawn_packet(&p, how)) r = ask_bulk(server_endpoint(SERVER_PM), &m, p.data, p.used, NULL, 0);
  if (r < 0 && errno == EBADF && cwd_was_lost() && spawn_packet(&p, how)) {
    m = (msg_t){.type = PROC_SPAWN};
    r = ask_bulk(server_endpoint(SERVER_PM), &m, p.data, p.used, NULL, 0);
  }
  int error = errno;
  free(p.data);
  errno = error;
  return r < 0 ? -1 : IPC_REPLY(&m, proc_spawn_program)->pid;
}

pid_t os_waitpid(pid_t pid, int *status, int options) {
  if (options & ~(WNOHANG | WUNTRACED | WCONTINUED)) return fail(-EINVAL);
  msg_t m = {.type = PROC_WAIT};
  IPC(&m, proc_wait)->pid = pid;
  IPC(&m, proc_wait)->flags = (options & WNOHANG ? PROC_NO_HANG : 0u) |
                              (options & WUNTRACED ? PROC_STOPPED : 0u) |
                              (options & WCONTINUED ? PROC_CONTINUED : 0u);
  if (ask(server_endpoint(SERVER_PM), &m) < 0) return -1;
  if (status) *status = (int)IPC_REPLY(&m, proc_wait)->status;
  return IPC_REPLY(&m, proc_wait)->pid;
}

int os_kill(pid_t pid, int signal) {
  msg_t m = {.type = PROC_KILL};
  IPC(&m, proc_kill)->pid = pid;
  IPC(&m, proc_kill)->signal = signal;
  return ask(server_endpoint(SERVER_PM), &m);
}

pid_t os_getpid(void) {
  return self.pid;
}

static int get(struct proc_get_reply *reply) {
  msg_t m = {.type = PROC_GET};
  IPC(&m, proc_get)->pid = self.pid;
  if (ask(server_endpoint(SERVER_PM), &m) < 0) return -1;
  *reply = *IPC_REPLY(&m, proc_get);
  return 0;
}

pid_t os_getppid(void) {
  struct proc_get_reply now;
  return get(&now) < 0 ? self.parent : now.parent;
}

pid_t os_getpgrp(void) {
  struct proc_get_reply now;
  return get(&now) < 0 ? -1 : now.group;
}

uid_t os_getuid(void) {
  return self.user;
}

gid_t os_getgid(void) {
  return self.gid;
}

int os_setpgid(pid_t pid, pid_t group) {
  msg_t m = {.type = PROC_SET_GROUP};
  IPC(&m, proc_set_group)->pid = pid;
  IPC(&m, proc_set_group)->group = group;
  return ask(server_endpoint(SERVER_PM), &m);
}

int os_processes(pid_t after, struct proc_info *list, unsigned max) {
  if (max > SYS_PAYLOAD_MAX / sizeof *list) max = SYS_PAYLOAD_MAX / sizeof *list;
  msg_t m = {.type = PROC_LIST};
  IPC(&m, proc_list)->after = after;
  if (ask_bulk(server_endpoint(SERVER_PM), &m, NULL, 0, list, max * sizeof *list) < 0) return -1;
  size_t bytes = m.payload < max * sizeof *list ? m.payload : max * sizeof *list;
  return (int)(bytes / sizeof *list);
}

int os_limit(int which, uint64_t value) {
  msg_t m = {.type = PROC_SET_LIMIT};
  IPC(&m, proc_set_limit)->which = (uint32_t)which;
  IPC(&m, proc_set_limit)->value = value;
  return ask(server_endpoint(SERVER_PM), &m);
}
