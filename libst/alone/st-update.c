/* st-update: replaces a running program by a new version of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libst/alone/address.h"
#include "libst/alone/message.h"
#include "libst/meta.h"
#include "options.pb-c.h"

enum { REFUSED = 1, USAGE = 2, TIMEOUT_MS = 10000, CHECKS_MAX = 64, OPTIONS_BYTES = 65536 };

static const char usage[] =
    "usage: st-update [-state EXPRESSION] [-timeout MS] [-check EXPRESSION]... [-validate]\n"
    "                 [-relocate] [-strict] PID NEW-EXECUTABLE\n"
    "\n"
    "Replaces the running program PID by a new version, with its state.\n"
    "\n"
    "  -state EXPRESSION  only at a moment when this holds, over the program's variables\n"
    "  -timeout MS        for each phase of the update (default 10000)\n"
    "  -check EXPRESSION  must hold for the old and for the new state; old(x) is x before\n"
    "  -validate          transfer back, too, and compare\n"
    "  -relocate          move every block that can move\n"
    "  -strict            warnings refuse the update\n"
    "\n"
    "Exit status: 0 updated, 1 refused or failed (the old version goes on), 2 wrong usage.\n";

struct options {
  const char *filter, *path;
  unsigned timeout_ms;
  pid_t pid;
  char *checks[CHECKS_MAX];
  Proteos__UpdateOptions transfer;
};

static __attribute__((noreturn)) void bad_usage(const char *why) {
  fprintf(stderr, "st-update: %s\n%s", why, usage);
  exit(USAGE);
}

static __attribute__((noreturn)) void refuse(const char *subject, const char *why) {
  fprintf(stderr, "st-update: refused: %s: %s\n", subject, why);
  exit(REFUSED);
}

static long number(const char *text, const char *what) {
  char *end;
  long value = text ? strtol(text, &end, 10) : 0;
  if (value <= 0 || value > INT32_MAX || *end) bad_usage(what);
  return value;
}

static void help(void) {
  fputs(usage, stdout);
  exit(0);
}

/* Options with a value. */
static bool take_value(struct options *o, const char *name, char *value) {
  if (!value) return false;
  if (strcmp(name, "state") == 0)
    o->filter = value;
  else if (strcmp(name, "timeout") == 0)
    o->timeout_ms = (unsigned)number(value, "-timeout wants milliseconds");
  else if (strcmp(name, "check") == 0 && o->transfer.n_checks < CHECKS_MAX)
    o->checks[o->transfer.n_checks++] = value;
  else
    return false;
  return true;
}

static bool take_flag(struct options *o, const char *name) {
  if (strcmp(name, "help") == 0)
    help();
  else if (strcmp(name, "validate") == 0)
    o->transfer.validate = true;
  else if (strcmp(name, "relocate") == 0)
    o->transfer.relocate = true;
  else if (strcmp(name, "strict") == 0)
    o->transfer.strict = true;
  else
    return false;
  return true;
}

static void parse(struct options *o, int argc, char **argv) {
  int at = 1;
  *o = (struct options){
      .filter = "", .timeout_ms = TIMEOUT_MS, .transfer = PROTEOS__UPDATE_OPTIONS__INIT};
  o->transfer.checks = o->checks;
  for (; at < argc && argv[at][0] == '-'; at++) {
    const char *name = argv[at] + 1 + (argv[at][1] == '-');
    if (take_flag(o, name)) continue;
    if (!take_value(o, name, at + 1 < argc ? argv[at + 1] : NULL))
      bad_usage("unknown option, or one without its value");
    at++;
  }
  if (argc - at != 2) bad_usage("name a process id and an executable");
  o->pid = (pid_t)number(argv[at], "PID must be a process id");
  o->path = argv[at + 1];
}

/* Only what is instrumented is ever started: anything else would run as a second program. */
static int open_executable(const char *path, char *component, size_t cap) {
  char error[256];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) refuse(path, strerror(errno));
  if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0) refuse(path, strerror(errno));
  struct st_meta *meta = st_meta_open(fd, error, sizeof(error));
  if (!meta) refuse(path, error);
  snprintf(component, cap, "%s", st_meta_component(meta));
  st_meta_close(meta);
  return fd;
}

/* The user may have named the program's process or its supervisor. */
static int connect_to(pid_t pid, pid_t *inner) {
  char name[32];
  pid_t unused;
  snprintf(name, sizeof(name), "process %d", (int)pid);
  int s = address_connect(pid, inner);
  if (s == -ECONNREFUSED) {
    pid_t parent = address_parent(pid);
    int up = parent > 1 ? address_connect(parent, &unused) : -ECONNREFUSED;
    if (up >= 0) s = up;
  }
  if (s == -ECONNREFUSED)
    refuse(name, "it cannot be updated: it neither runs below st-run nor called st_startup()");
  if (s == -EPERM) refuse(name, "it belongs to another user");
  if (s < 0) refuse(name, strerror(-s));
  return s;
}

static void ask(int socket, const struct options *o, pid_t inner, char *component, int exe) {
  Proteos__Alone m = PROTEOS__ALONE__INIT;
  m.kind = PROTEOS__ALONE_KIND__ALONE_REQUEST;
  m.pid = (uint32_t)inner;
  m.component = component;
  m.filter = (char *)o->filter;
  m.timeout_ms = o->timeout_ms;
  uint8_t packed[OPTIONS_BYTES];
  if (proteos__update_options__get_packed_size(&o->transfer) > sizeof(packed))
    refuse("-check", "the expressions are too long");
  m.options.data = packed;
  m.options.len = proteos__update_options__pack(&o->transfer, packed);
  int err = message_send(socket, &m, &exe, 1);
  if (err == -EMSGSIZE) refuse("-state", "the expression is too long");
  /* Who is turned away reads why. */
  if (err && err != -EPIPE) refuse("the supervisor", strerror(-err));
}

/* Violations are the reason; the rest is for whoever wants to know. */
static void print(FILE *to, const char *text) {
  fputs(text, to);
  if (*text && text[strlen(text) - 1] != '\n') fputc('\n', to);
}

int main(int argc, char **argv) {
  static struct options o;
  parse(&o, argc, argv);
  char component[256];
  pid_t inner;
  int exe = open_executable(o.path, component, sizeof(component));
  int s = connect_to(o.pid, &inner);
  ask(s, &o, inner, component, exe);
  for (;;) {
    struct message in;
    int err = message_wait(s, &in);
    if (err) {
      fprintf(stderr, "st-update: failed: the program has ended\n");
      return REFUSED;
    }
    if (in.m->kind == PROTEOS__ALONE_KIND__ALONE_PROGRESS) print(stdout, in.m->text);
    if (in.m->kind == PROTEOS__ALONE_KIND__ALONE_DONE) {
      if (in.m->status == 0) {
        printf("st-update: process %d now runs %s\n", (int)o.pid, o.path);
        return 0;
      }
      fprintf(stderr, "st-update: %s: ", in.m->status == -EINVAL ? "refused" : "failed");
      print(stderr, in.m->text);
      fprintf(stderr, "st-update: the old version goes on\n");
      return REFUSED;
    }
    message_free(&in);
  }
}
