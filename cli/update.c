#include "cli/update.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/signature.h"
#include "cli/allow.h"
#include "cli/control.h"
#include "cli/outcome.h"
#include "cli/plan.h"
#include "cli/update_options.h"
#include "cli/versions.h"

#define EXIT_USAGE 2
/* um says that it has understood a request before it does anything. */
#define UM_PATIENCE_MS 20000
/* As many members as there can be components. */
#define MEMBERS_MAX CONTROL_FILES_MAX

/* A request in the making. All its text is borrowed. */
struct request {
  Proteos__UpdateRequest update;
  Proteos__UpdateMember members[MEMBERS_MAX], *list[MEMBERS_MAX];
  char *paths[MEMBERS_MAX]; /* of --all; owned */
  uint8_t signatures[MEMBERS_MAX][SIGNATURE_BYTES + 1];
  Proteos__UpdateOptions options;
  Proteos__Interface allow;
  struct bus_step steps[BUS_STEPS_MAX];
  int files[MEMBERS_MAX];
  unsigned nfiles;
};

static int usage(const char *command) {
  static const char whole[] = "       [-timeout [PHASE=]MS]... [-maxtime MS] [-probation MS]\n"
                              "       [--dry-run] [-v | --json]";
  bool member = strcmp(command, "update") == 0 || strcmp(command, "mupdate") == 0;
  fprintf(stderr, "usage: prctl %s%s%s\n", command,
          member ? " COMPONENT FILE|self [-state EXPRESSION] [-allow EXPRESSION]\n"
                   "       [-check EXPRESSION]... [-validate] [-relocate] [-strict]\n"
                 : " ",
          strcmp(command, "mupdate-cancel") ? whole + (member ? 0 : 7) : "");
  if (strcmp(command, "update") == 0)
    fprintf(stderr, "       prctl update --all FOLDER|self [the same options]\n");
  return EXIT_USAGE;
}

/* Asks the instance for its root and its components.
 * @return owned by the caller; NULL, after a message, when it does not say */
static Proteos__ControlReply *ask_status(int control) {
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__StatusRequest status = PROTEOS__STATUS_REQUEST__INIT;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_STATUS;
  request.status = &status;
  Proteos__ControlReply *reply =
      control_send(control, &request, -1) ? NULL : control_receive(control);
  if (reply && reply->instance) return reply;
  control_refused(reply);
  return NULL;
}

/* ---- making a request ---- */

static void refused(const char *component, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void refused(const char *component, const char *fmt, ...) {
  va_list ap;
  printf("UM: Live update of %.64s refused: ", component);
  va_start(ap, fmt);
  vprintf(fmt, ap);
  va_end(ap);
  printf(".\n");
}

/* Adds a member. @return false, after a message, when its file is not there */
static bool add_member(struct request *r, const char *root, const char *component,
                       const char *file) {
  size_t i = r->update.n_members;
  Proteos__UpdateMember *m = &r->members[i];
  proteos__update_member__init(m);
  m->component = (char *)(uintptr_t)component;
  m->path = (char *)(uintptr_t)file;
  m->options = &r->options;
  m->self = strcmp(file, "self") == 0;
  if (!m->self) {
    char path[PATH_MAX];
    int fd = version_open(root, file, path);
    if (fd < 0) {
      refused(component, "%s: %s (looked below %s and on the host)", file,
              fd == -EISDIR ? "it is no regular file" : strerror(-fd), root);
      return false;
    }
    r->files[r->nfiles++] = fd;
    m->signature.data = r->signatures[i]; /* um says whether there must be one */
    signature_read(path, m->signature.data, &m->signature.len);
  }
  r->list[i] = m;
  r->update.n_members++;
  return true;
}

static bool set_allow(struct request *r, const struct update_options *o,
                      const Proteos__ControlReply *status) {
  char error[256];
  if (!*o->allow) return true;
  size_t n = allow_compile(o->allow, status, r->steps, error, sizeof(error));
  if (!n) {
    refused(o->component, "interface filter '%s': %s", o->allow, error);
    return false;
  }
  r->allow.text = (char *)(uintptr_t)o->allow;
  r->allow.steps.data = (uint8_t *)r->steps;
  r->allow.steps.len = n * sizeof(r->steps[0]);
  r->members[0].allow = &r->allow;
  return true;
}

static bool add_one(struct request *r, const struct update_options *o,
                    const Proteos__ControlReply *status) {
  if (!add_member(r, status->instance->root, o->component, o->file)) return false;
  r->members[0].filter = (char *)(uintptr_t)o->filter;
  return set_allow(r, o, status);
}

/* Every component and the bus, to the file of its name in the folder. */
static bool add_all(struct request *r, const struct update_options *o,
                    const Proteos__ControlReply *status) {
  bool itself = strcmp(o->all, "self") == 0;
  for (size_t i = 0; i <= status->n_components && i < MEMBERS_MAX; i++) {
    const char *name = i < status->n_components ? status->components[i]->name : "busd";
    if (asprintf(&r->paths[i], "%s%s%s", o->all, itself ? "" : "/", itself ? "" : name) < 0)
      return false;
    if (!add_member(r, status->instance->root, name, r->paths[i])) return false;
  }
  return true;
}

static void request_init(struct request *r, Proteos__UpdateRequest__Action action,
                         const struct update_options *o) {
  memset(r, 0, sizeof(*r));
  proteos__update_request__init(&r->update);
  proteos__update_options__init(&r->options);
  proteos__interface__init(&r->allow);
  r->update.action = action;
  r->update.members = r->list;
  r->update.load_timeout_ms = o->load_ms;
  r->update.converge_timeout_ms = o->converge_ms;
  r->update.transfer_timeout_ms = o->transfer_ms;
  r->update.maxtime_ms = o->max_ms;
  r->update.dry_run = o->dry_run;
  r->update.probation_ms = o->probation_ms;
  r->options.checks = (char **)(uintptr_t)o->checks;
  r->options.n_checks = o->check_count;
  r->options.validate = o->validate;
  r->options.relocate = o->relocate;
  r->options.strict = o->strict;
}

static void request_free(struct request *r) {
  for (unsigned i = 0; i < r->nfiles; i++)
    close(r->files[i]);
  for (unsigned i = 0; i < MEMBERS_MAX; i++)
    free(r->paths[i]);
}

/* ---- sending it ---- */

static int finish(const Proteos__ControlReply *last, const struct update_options *o,
                  bool explained) {
  const Proteos__Transaction *t = last->transaction;
  if (!t) {
    if (last->status && !explained) fprintf(stderr, "prctl: %s\n", strerror(-last->status));
    if (last->status == -EPIPE) return EXIT_ROLLED_BACK; /* by busd, as um has died */
    return last->status ? EXIT_REFUSED : EXIT_DONE;
  }
  switch (o->output) {
  case OUTPUT_LINES:
    break;
  case OUTPUT_TIMES:
    outcome_print_times(t);
    break;
  case OUTPUT_JSON:
    outcome_print_json(t);
    break;
  }
  return (int)outcome_exit_status(t);
}

/* Prints what um says, until it has done. @return prctl's exit status */
static int follow(int control, const struct update_options *o) {
  bool explained = false;
  if (!control_wait(control, UM_PATIENCE_MS)) {
    fprintf(stderr, "prctl: the update manager does not answer, and will not do this any more; see "
                    "prctl log um\n");
    return EXIT_REFUSED;
  }
  for (;;) {
    Proteos__ControlReply *reply = control_receive(control);
    if (!reply) return control_lost();
    if (*reply->text && o->output != OUTPUT_JSON) {
      puts(reply->text);
      fflush(stdout);
      explained = true;
    }
    bool last = reply->last;
    int status = last ? finish(reply, o, explained) : 0;
    proteos__control_reply__free_unpacked(reply, NULL);
    if (last) return status;
  }
}

static int send_request(int control, const struct request *r, const struct update_options *o) {
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_UPDATE;
  request.update = (Proteos__UpdateRequest *)(uintptr_t)&r->update;
  int error = control_send_files(control, &request, r->files, r->nfiles);
  if (error == -EMSGSIZE) {
    refused(o->component ? o->component : "all", "the request is longer than %u bytes",
            CONTROL_PACKET_MAX_BYTES);
    return EXIT_REFUSED;
  }
  return error ? control_lost() : follow(control, o);
}

/* ---- a dry run ---- */

static const char *running_path(const Proteos__ControlReply *status, const char *component) {
  if (strcmp(component, "busd") == 0) return status->instance->busd_path;
  for (size_t i = 0; i < status->n_components; i++)
    if (strcmp(status->components[i]->name, component) == 0) return status->components[i]->path;
  return "";
}

static void print_plans(const struct request *r, const Proteos__ControlReply *status) {
  unsigned next = 0;
  for (size_t i = 0; i < r->update.n_members; i++) {
    const Proteos__UpdateMember *m = &r->members[i];
    plan_print(m->component, running_path(status, m->component), m->self ? -1 : r->files[next++]);
  }
}

/* @param members  whether the command line names any */
static int run(int control, Proteos__UpdateRequest__Action action, const struct update_options *o,
               bool members) {
  static struct request r;
  Proteos__ControlReply *status = NULL; /* members borrow its text */
  int code = EXIT_REFUSED;
  request_init(&r, action, o);
  if (members && !(status = ask_status(control))) return EXIT_REFUSED;
  if (!members || (o->all ? add_all(&r, o, status) : add_one(&r, o, status)))
    code = send_request(control, &r, o);
  if (status && o->dry_run && o->output != OUTPUT_JSON && code != EXIT_REFUSED)
    print_plans(&r, status);
  request_free(&r);
  if (status) proteos__control_reply__free_unpacked(status, NULL);
  return code;
}

static const struct action {
  const char *command;
  Proteos__UpdateRequest__Action action;
  bool members;
} actions[] = {
    {"update", PROTEOS__UPDATE_REQUEST__ACTION__NOW, true},
    {"mupdate", PROTEOS__UPDATE_REQUEST__ACTION__ADD, true},
    {"mupdate-start", PROTEOS__UPDATE_REQUEST__ACTION__START, false},
    {"mupdate-cancel", PROTEOS__UPDATE_REQUEST__ACTION__CANCEL, false},
};

static bool fits(const struct action *a, const struct update_options *o) {
  bool one = o->component && o->file && !o->all;
  bool all = !o->component && o->all && a->action == PROTEOS__UPDATE_REQUEST__ACTION__NOW;
  return a->members ? one || all : !o->component && !o->all;
}

int update_command(int control, int argc, char **argv) {
  struct update_options o;
  for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
    const struct action *a = &actions[i];
    if (strcmp(a->command, argv[0]) != 0) continue;
    if (!update_options_parse(argc, argv, &o)) return EXIT_USAGE;
    if (!fits(a, &o)) return usage(argv[0]);
    return run(control, a->action, &o, a->members);
  }
  return EXIT_USAGE;
}
