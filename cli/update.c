/* prctl update, mupdate, mupdate-start, mupdate-cancel. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bus/build_id.h"
#include "bus/signature.h"
#include "cli/allow.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/outcome.h"
#include "cli/plan.h"
#include "cli/update_options.h"
#include "cli/versions.h"
#include "proto/control_limits.h"

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

/* Asks the instance for its root and its components.
 * @return owned by the caller; NULL, after a message, when it does not say */
static Proteos__ControlReply *ask_status(int control) {
  Proteos__ControlReply *reply = control_status(control);
  if (reply && reply->instance) return reply;
  control_refused(reply);
  return NULL;
}

/* ---- what is on no record ---- */

/* @param member  NULL: none in particular */
static void print_unrecorded(Proteos__Transaction__Outcome outcome, int status, const char *reason,
                             Proteos__TransactionMember *member) {
  Proteos__Transaction t = PROTEOS__TRANSACTION__INIT;
  t.started_s = (uint64_t)time(NULL);
  t.outcome = outcome;
  t.status = status;
  t.reason = (char *)(uintptr_t)reason;
  t.members = &member;
  t.n_members = member != NULL;
  outcome_print_json(&t);
}

static void refused(const struct update_options *o, const char *component, const char *file,
                    int status, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Says why um is not even asked. */
static void refused(const struct update_options *o, const char *component, const char *file,
                    int status, const char *fmt, ...) {
  char why[2 * PATH_MAX];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(why, sizeof(why), fmt, ap);
  va_end(ap);
  if (o->output == OUTPUT_JSON) {
    Proteos__TransactionMember m = PROTEOS__TRANSACTION_MEMBER__INIT;
    m.component = (char *)(uintptr_t)component;
    m.path = (char *)(uintptr_t)file;
    print_unrecorded(PROTEOS__TRANSACTION__OUTCOME__REFUSED, status, why, &m);
  } else {
    printf("UM: Live update of %.64s refused: %s.\n", component, why);
  }
}

/* ---- making a request ---- */

/* Adds a member. @return false, after a message, when its file is not there */
static bool add_member(struct request *r, const struct update_options *o, const char *root,
                       const char *component, const char *file) {
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
      refused(o, component, file, fd, "%s: %s (looked below %s and on the host)", file,
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
    refused(o, o->component, o->file, -EINVAL, "interface filter '%s': %s", o->allow, error);
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
  if (!add_member(r, o, status->instance->root, o->component, o->file)) return false;
  r->members[0].filter = (char *)(uintptr_t)o->filter;
  return set_allow(r, o, status);
}

/* Every component and the bus, to the file of its name in the folder. */
static bool add_all(struct request *r, const struct update_options *o,
                    const Proteos__ControlReply *status) {
  bool itself = strcmp(o->all, "self") == 0;
  for (size_t i = 0; i <= status->n_components && r->update.n_members < MEMBERS_MAX; i++) {
    if (i < status->n_components && status->components[i]->program) continue;
    const char *name = i < status->n_components ? status->components[i]->name : "busd";
    if (asprintf(&r->paths[i], "%s%s%s", o->all, itself ? "" : "/", itself ? "" : name) < 0)
      return false;
    if (!add_member(r, o, status->instance->root, name, r->paths[i])) return false;
  }
  return true;
}

static Proteos__UpdateRequest__Action action_of(enum update_command command) {
  switch (command) {
  case UPDATE_ONE:
  case UPDATE_ALL:
    break;
  case UPDATE_REMEMBER:
    return PROTEOS__UPDATE_REQUEST__ACTION__ADD;
  case UPDATE_START:
    return PROTEOS__UPDATE_REQUEST__ACTION__START;
  case UPDATE_CANCEL:
    return PROTEOS__UPDATE_REQUEST__ACTION__CANCEL;
  }
  return PROTEOS__UPDATE_REQUEST__ACTION__NOW;
}

static void request_init(struct request *r, const struct update_options *o) {
  memset(r, 0, sizeof(*r));
  proteos__update_request__init(&r->update);
  proteos__update_options__init(&r->options);
  proteos__interface__init(&r->allow);
  r->update.action = action_of(o->command);
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

static bool names_members(enum update_command command) {
  return command & (UPDATE_ONE | UPDATE_ALL | UPDATE_REMEMBER);
}

/* @return false, after a message, when one cannot be a member */
static bool add_members(struct request *r, const struct update_options *o,
                        const Proteos__ControlReply *status) {
  if (!names_members(o->command)) return true;
  return o->command == UPDATE_ALL ? add_all(r, o, status) : add_one(r, o, status);
}

static void request_free(struct request *r) {
  for (unsigned i = 0; i < r->nfiles; i++)
    close(r->files[i]);
  for (unsigned i = 0; i < MEMBERS_MAX; i++)
    free(r->paths[i]);
}

/* Does it change versions? Then um gives it up when prctl is gone. */
static bool starts_update(enum update_command command) {
  return command & (UPDATE_ONE | UPDATE_ALL | UPDATE_START);
}

/* ---- sending it ---- */

/* Prints what um says, until it has done; with --json it is only kept.
 * @param said  receives the last line, owned by the caller
 * @return the last reply, owned by the caller; NULL, after a message: there is none */
static Proteos__ControlReply *follow(int control, const struct update_options *o, char **said) {
  const char *silent =
      starts_update(o->command)
          ? "the update manager does not answer, and will not do this any more; see prctl log um"
          : "the update manager does not answer, and may do this later; see prctl log um";
  if (!control_wait(control, UM_PATIENCE_MS)) {
    fprintf(stderr, "prctl: %s\n", silent);
    if (o->output == OUTPUT_JSON)
      print_unrecorded(PROTEOS__TRANSACTION__OUTCOME__REFUSED, -ETIMEDOUT, silent, NULL);
    return NULL;
  }
  for (;;) {
    Proteos__ControlReply *reply = control_receive(control);
    if (!reply) {
      control_lost();
      return NULL;
    }
    if (*reply->text) {
      if (o->output != OUTPUT_JSON) puts(reply->text);
      fflush(stdout);
      free(*said);
      *said = strdup(reply->text);
    }
    if (reply->last) return reply;
    proteos__control_reply__free_unpacked(reply, NULL);
  }
}

static Proteos__ControlReply *send_request(int control, const struct request *r,
                                           const struct update_options *o, char **said) {
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_UPDATE;
  request.update = (Proteos__UpdateRequest *)(uintptr_t)&r->update;
  int error = control_send_files(control, &request, r->files, r->nfiles);
  if (!error) return follow(control, o, said);
  if (error == -EMSGSIZE)
    refused(o, o->component ? o->component : "all", o->file ? o->file : o->all, error,
            "the request is longer than %u bytes", CONTROL_REQUEST_MAX_BYTES);
  else
    control_lost();
  return NULL;
}

/* ---- its end ---- */

static void print_record(const Proteos__Transaction *t, enum update_output output) {
  switch (output) {
  case OUTPUT_LINES:
    break;
  case OUTPUT_TIMES:
    outcome_print_times(t);
    break;
  case OUTPUT_JSON:
    outcome_print_json(t);
    break;
  }
}

/* The bus answers in um's place when um dies: by then the update is committed, or undone. */
static Proteos__Transaction__Outcome outcome_without_record(int status,
                                                            enum update_command command) {
  if (!status) return PROTEOS__TRANSACTION__OUTCOME__DONE;
  return status == -EPIPE && starts_update(command) ? PROTEOS__TRANSACTION__OUTCOME__ROLLED_BACK
                                                    : PROTEOS__TRANSACTION__OUTCOME__REFUSED;
}

/* @param said  the last line, or NULL
 * @return prctl's exit status */
static int finish(const Proteos__ControlReply *last, const struct update_options *o,
                  const char *said) {
  if (last->transaction) {
    print_record(last->transaction, o->output);
    return (int)outcome_exit_status(last->transaction->outcome);
  }
  Proteos__Transaction__Outcome outcome = outcome_without_record(last->status, o->command);
  const char *why = said ? said : last->status ? strerror(-last->status) : "";
  bool json = o->output == OUTPUT_JSON;
  if (json) print_unrecorded(outcome, last->status, why, NULL);
  if (*why && (json || !said)) fprintf(stderr, "prctl: %s\n", why); /* or else it is printed */
  return (int)outcome_exit_status(outcome);
}

/* ---- a dry run ---- */

/* To the files that are open already. */
static void print_plans(const struct request *r, const Proteos__ControlReply *status) {
  unsigned next = 0;
  for (size_t i = 0; i < r->update.n_members; i++) {
    const Proteos__UpdateMember *m = &r->members[i];
    plan_print(m->component, status, m->self ? -1 : r->files[next++]);
  }
}

/* The file that was remembered. It was opened by another prctl, maybe in another folder.
 * @return a descriptor, or -1 after a message */
static int open_remembered(const char *root, const Proteos__TransactionMember *m) {
  char path[PATH_MAX], id[64] = "";
  int fd = version_open(root, m->path, path);
  if (fd >= 0) build_id_read(fd, id, sizeof(id));
  if (fd >= 0 && strcmp(id, m->new_build_id) == 0) return fd;
  fprintf(stderr, "prctl: %s is not here what it was for mupdate: the plan for %s is not shown\n",
          m->path, m->component);
  if (fd >= 0) close(fd);
  return -1;
}

static void print_remembered_plans(const Proteos__Transaction *t,
                                   const Proteos__ControlReply *status) {
  for (size_t i = 0; i < t->n_members; i++) {
    const Proteos__TransactionMember *m = t->members[i];
    bool self = strcmp(m->path, "self") == 0;
    int fd = self ? -1 : open_remembered(status->instance->root, m);
    if (self || fd >= 0) plan_print(m->component, status, fd);
    if (fd >= 0) close(fd);
  }
}

/* ---- the command ---- */

static int run(int control, const struct update_options *o) {
  static struct request r;
  Proteos__ControlReply *status = NULL /* members borrow its text */, *last = NULL;
  char *said = NULL;
  bool tries = o->dry_run && o->output != OUTPUT_JSON;
  int code = EXIT_REFUSED;
  request_init(&r, o);
  if ((names_members(o->command) || tries) && !(status = ask_status(control))) return EXIT_REFUSED;
  if (add_members(&r, o, status)) last = send_request(control, &r, o, &said);
  if (last) code = finish(last, o, said);
  if (tries && code != EXIT_REFUSED && o->command != UPDATE_START)
    print_plans(&r, status);
  else if (tries && code != EXIT_REFUSED && last->transaction)
    print_remembered_plans(last->transaction, status);
  request_free(&r);
  free(said);
  if (last) proteos__control_reply__free_unpacked(last, NULL);
  if (status) proteos__control_reply__free_unpacked(status, NULL);
  return code;
}

int update_command(const struct instance *instance, int argc, char **argv) {
  struct update_options o;
  (void)argc;
  if (!update_options_parse(argv, &o)) return EXIT_USAGE;
  int control = instance_connect(instance);
  if (control < 0) return EXIT_REFUSED;
  int status = run(control, &o);
  close(control);
  return status;
}
