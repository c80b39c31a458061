#include "tests/updates/pair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "libst/arena.h"
#include "libst/st.h"
#include "tests/updates/command.h"

void pair_check(int holds, const char *what, const char *file, int line) {
  if (holds) return;
  fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
  exit(1);
}

static int receive_command(char *command) {
  char space[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
  struct iovec iov = {command, 1};
  struct msghdr msg = {
      .msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)};
  if (recvmsg(0, &msg, MSG_CMSG_CLOEXEC) != 1) exit(0);
  struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
  int fd = -1;
  if (c) memcpy(&fd, CMSG_DATA(c), sizeof(fd));
  return fd;
}

/* What is this process's own: files that are mapped count for whoever runs at the same time. */
static long resident_kb(void) {
  char line[128];
  long kb = 0, part;
  FILE *f = fopen("/proc/self/smaps_rollup", "r");
  while (f && fgets(line, sizeof(line), f))
    if (sscanf(line, "Anonymous: %ld", &part) == 1 || sscanf(line, "Pss_Shmem: %ld", &part) == 1)
      kb += part;
  if (f) fclose(f);
  return kb;
}

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int commit(void) {
  int err = st_commit();
  while (!err) {
    err = st_writeback_slice(50);
    if (err <= 0) return err;
    err = 0;
  }
  return err;
}

/* A runtime keeps its descriptors above those of the program. */
static int hide(int fd) {
  if (fd < 0) return fd;
  int high = fcntl(fd, F_DUPFD_CLOEXEC, 600);
  if (high < 0) return fd;
  close(fd);
  st_exclude_fd(high);
  return high;
}

/* Options of the update that this version is started for: --validate, --relocate, --strict, and
 * whatever else is a check. */
static struct st_options options;

static void take_options(int argc, char **argv) {
  static char *checks[64];
  options.checks = checks;
  for (int i = 0; i < argc; i++)
    if (strcmp(argv[i], "--validate") == 0)
      options.validate = true;
    else if (strcmp(argv[i], "--relocate") == 0)
      options.relocate = true;
    else if (strcmp(argv[i], "--strict") == 0)
      options.strict = true;
    else
      checks[options.check_count++] = argv[i];
}

static void obey(enum command command, int fd, const struct pair *pair, struct reply *r) {
  static int old_exe = -1;
  switch (command) {
  case COMMAND_BUILD:
    pair->build();
    return;
  case COMMAND_PREPARE:
    r->err = st_export_prepare(fd);
    return;
  case COMMAND_EXPORT:
    r->err = st_export();
    return;
  case COMMAND_CANCEL:
    st_export_cancel();
    return;
  case COMMAND_PLAN:
    old_exe = hide(fd);
    r->err = st_plan(old_exe, &options, &r->report);
    return;
  case COMMAND_IMPORT:
    r->err = st_import(fd, &r->report);
    if (!r->err && pair->imported) pair->imported();
    if (!r->err) r->err = st_check(&r->report);
    return;
  case COMMAND_COMMIT:
    r->err = commit();
    return;
  case COMMAND_VERIFY:
    if (pair->verify) pair->verify();
    return;
  }
  r->err = -EINVAL;
}

int pair_main(int argc, char **argv, const struct pair *pair) {
  bool update = argc > 1 && strcmp(argv[1], "update") == 0;
  if (update) take_options(argc - 2, argv + 2);
  int exe = hide(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  int err = st_init(exe, update);
  if (err) {
    fprintf(stderr, "st_init: %s\n", strerror(-err));
    return 1;
  }
  for (;;) {
    static struct reply r;
    char command;
    memset(&r, 0, sizeof(r));
    int fd = receive_command(&command);
    r.from_ns = now_ns();
    obey(command, fd, pair, &r);
    r.to_ns = now_ns();
    r.resident_kb = resident_kb();
    r.heap_top = command == COMMAND_VERIFY ? ((struct arena *)ARENA_BASE)->top : 0;
    if (send(0, &r, sizeof(r), MSG_NOSIGNAL) < 0) return 1;
  }
}
