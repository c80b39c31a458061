#include "cli/update.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/control.h"

enum exit_code { EXIT_REFUSED = 1, EXIT_USAGE = 2 };

enum { CHECKS_MAX = 64 };

struct options {
  const char *component, *file, *filter;
  uint32_t timeout_ms;
  const char *checks[CHECKS_MAX];
  unsigned check_count;
  bool validate, relocate, strict;
};

static int usage(const char *command) {
  bool member = strcmp(command, "update") == 0 || strcmp(command, "mupdate") == 0;
  fprintf(stderr, "usage: prctl %s%s\n", command,
          member ? " COMPONENT FILE [-state EXPRESSION] [-timeout MS] [-check EXPRESSION]...\n"
                   "       [-validate] [-relocate] [-strict]"
                 : "");
  return EXIT_USAGE;
}

/* -name or --name */
static bool is_option(const char *arg, const char *name) {
  if (*arg != '-') return false;
  arg += arg[1] == '-' ? 2 : 1;
  return strcmp(arg, name) == 0;
}

static bool parse_ms(const char *text, uint32_t *ms) {
  char *end;
  errno = 0;
  unsigned long n = strtoul(text, &end, 10);
  if (errno || *end || !n || n > UINT32_MAX || *text == '-') return false;
  *ms = (uint32_t)n;
  return true;
}

static bool parse(int argc, char **argv, struct options *o) {
  *o = (struct options){.filter = ""};
  for (int i = 1; i < argc; i++) {
    if (is_option(argv[i], "state") && i + 1 < argc)
      o->filter = argv[++i];
    else if (is_option(argv[i], "timeout") && i + 1 < argc && parse_ms(argv[i + 1], &o->timeout_ms))
      i++;
    else if (is_option(argv[i], "check") && i + 1 < argc && o->check_count < CHECKS_MAX)
      o->checks[o->check_count++] = argv[++i];
    else if (is_option(argv[i], "validate"))
      o->validate = true;
    else if (is_option(argv[i], "relocate"))
      o->relocate = true;
    else if (is_option(argv[i], "strict"))
      o->strict = true;
    else if (*argv[i] != '-' && !o->component)
      o->component = argv[i];
    else if (*argv[i] != '-' && !o->file)
      o->file = argv[i];
    else
      return false;
  }
  return true;
}

/* Asks the instance for its root folder. @return false when it is gone */
static bool ask_root(int control, char *root, size_t cap) {
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__StatusRequest status = PROTEOS__STATUS_REQUEST__INIT;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_STATUS;
  request.status = &status;
  if (control_send(control, &request, -1)) return false;
  *root = 0;
  for (bool last = false; !last;) {
    Proteos__ControlReply *reply = control_receive(control);
    if (!reply) return false;
    if (reply->instance) snprintf(root, cap, "%s", reply->instance->root);
    last = reply->last;
    proteos__control_reply__free_unpacked(reply, NULL);
  }
  return true;
}

static int open_executable(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (fd < 0) return -errno;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) return fd;
  close(fd);
  return -EISDIR;
}

/* First below the instance's root, then on the host. */
static int open_version(const char *root, const char *file) {
  char below[PATH_MAX];
  int fd = -ENOENT;
  if (*root && snprintf(below, sizeof(below), "%s/%s", root, file) < (int)sizeof(below))
    fd = open_executable(below);
  return fd == -ENOENT || fd == -ENOTDIR ? open_executable(file) : fd;
}

static int request_action(int control, Proteos__UpdateRequest__Action action) {
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__UpdateRequest update = PROTEOS__UPDATE_REQUEST__INIT;
  update.action = action;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_UPDATE;
  request.update = &update;
  return control_send(control, &request, -1) ? control_lost() : control_follow(control);
}

static int request_member(int control, Proteos__UpdateRequest__Action action,
                          const struct options *o) {
  char root[PATH_MAX];
  if (!ask_root(control, root, sizeof(root))) return control_lost();
  int fd = open_version(root, o->file);
  if (fd < 0) {
    printf("UM: Live update of %s refused: %s: %s (looked below %s and on the host).\n",
           o->component, o->file, fd == -EISDIR ? "it is no regular file" : strerror(-fd), root);
    return EXIT_REFUSED;
  }
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__UpdateRequest update = PROTEOS__UPDATE_REQUEST__INIT;
  Proteos__UpdateMember member = PROTEOS__UPDATE_MEMBER__INIT, *members[] = {&member};
  member.component = (char *)(uintptr_t)o->component;
  member.path = (char *)(uintptr_t)o->file;
  member.filter = (char *)(uintptr_t)o->filter;
  Proteos__UpdateOptions options = PROTEOS__UPDATE_OPTIONS__INIT;
  options.checks = (char **)(uintptr_t)o->checks;
  options.n_checks = o->check_count;
  options.validate = o->validate;
  options.relocate = o->relocate;
  options.strict = o->strict;
  member.options = &options;
  update.action = action;
  update.n_members = 1;
  update.members = members;
  update.converge_timeout_ms = o->timeout_ms;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_UPDATE;
  request.update = &update;
  int error = control_send(control, &request, fd);
  close(fd);
  if (error == -EMSGSIZE) {
    printf("UM: Live update of %.64s refused: the request is longer than %u bytes.\n", o->component,
           CONTROL_PACKET_MAX_BYTES);
    return EXIT_REFUSED;
  }
  return error ? control_lost() : control_follow(control);
}

int update_command(int control, int argc, char **argv) {
  const char *command = argv[0];
  struct options o;
  bool parsed = parse(argc, argv, &o);
  if (strcmp(command, "mupdate-start") == 0 && parsed && !o.component) {
    Proteos__UpdateRequest__Action start = PROTEOS__UPDATE_REQUEST__ACTION__START;
    return request_action(control, start);
  }
  if (strcmp(command, "mupdate-cancel") == 0 && parsed && !o.component)
    return request_action(control, PROTEOS__UPDATE_REQUEST__ACTION__CANCEL);
  bool now = strcmp(command, "update") == 0;
  if ((!now && strcmp(command, "mupdate") != 0) || !parsed || !o.file) return usage(command);
  return request_member(
      control, now ? PROTEOS__UPDATE_REQUEST__ACTION__NOW : PROTEOS__UPDATE_REQUEST__ACTION__ADD,
      &o);
}
