#include "tests/updates/version.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHOSEN_MAX = 64 };
static char *chosen[CHOSEN_MAX];
static unsigned chosen_count;

struct reply reply;

void choose(char *option) {
  if (chosen_count == CHOSEN_MAX) exit(2);
  chosen[chosen_count++] = option;
}

__attribute__((noreturn)) void fail(const char *what) {
  fprintf(stderr, "update: %s\n%s", what, reply.report.text);
  exit(1);
}

struct version start(const char *path, bool update) {
  int pair[2];
  struct version v = {.exe = open(path, O_RDONLY | O_CLOEXEC)};
  if (v.exe < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) fail(path);
  v.pid = fork();
  if (v.pid == 0) {
    dup2(pair[1], 0);
    char *args[CHOSEN_MAX + 3] = {(char *)(uintptr_t)path, update ? "update" : "fresh"};
    memcpy(args + 2, chosen, chosen_count * sizeof(*chosen));
    execv(path, args);
    _exit(127);
  }
  close(pair[1]);
  v.control = pair[0];
  return v;
}

void stop(struct version *v) {
  kill(v->pid, SIGKILL);
  waitpid(v->pid, NULL, 0);
  close(v->control);
  close(v->exe);
}

bool told(struct version *v, enum command command, int fd) {
  char letter = (char)command;
  char space[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = {0};
  struct iovec iov = {&letter, 1};
  struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
  if (fd >= 0) {
    msg.msg_control = space;
    msg.msg_controllen = sizeof(space);
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(int));
  }
  return sendmsg(v->control, &msg, MSG_NOSIGNAL) == 1;
}

void tell(struct version *v, enum command command, int fd) {
  if (!told(v, command, fd)) fail("a version is gone");
}

int answer_of(struct version *v) {
  return recv(v->control, &reply, sizeof(reply), 0) == sizeof(reply) ? reply.err : -EPIPE;
}

int hear(struct version *v) {
  if (recv(v->control, &reply, sizeof(reply), 0) != sizeof(reply)) fail("a version ended");
  return reply.err;
}

int ask(struct version *v, enum command command, int fd) {
  tell(v, command, fd);
  return hear(v);
}

void must(struct version *v, enum command command, int fd, const char *what) {
  int err = ask(v, command, fd);
  if (!err) return;
  fprintf(stderr, "%s: %s\n", what, strerror(-err));
  fail(what);
}

void must_go_on(struct version *old) {
  must(old, COMMAND_CANCEL, -1, "cancel");
  must(old, COMMAND_VERIFY, -1, "verify after cancelling");
}
