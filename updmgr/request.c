#include "updmgr/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.pb-c.h"
#include "libst/fault.h"
#include "libsys/sys.h"
#include "updmgr/record.h"

/* What `prctl mupdate` has asked for, until mupdate-start or mupdate-cancel. */
static struct member_list remembered = TAILQ_HEAD_INITIALIZER(remembered);

/* @param about  a component's name, or NULL */
static void refuse(client_t client, const struct member_list *members, int status,
                   const char *about, const char *why) {
  bool ends = *why && why[strlen(why) - 1] == '?'; /* "did you mean ...?" */
  client_say(client, "Live update%s%s refused: %s%s", about ? " of " : "", about ? about : "", why,
             ends ? "" : ".");
  record_refused(client, members, status, why);
}

/* Keeps the options as they go to the new version. */
static bool take_options(struct member *m, const Proteos__UpdateOptions *options) {
  if (!options) return true;
  m->options_bytes = proteos__update_options__get_packed_size(options);
  m->options = malloc(m->options_bytes + 1);
  if (!m->options) return false;
  proteos__update_options__pack(options, m->options);
  return true;
}

static bool take_allow(struct member *m, const Proteos__Interface *allow) {
  return !allow || member_set_allow(m, allow->text, allow->steps.data, allow->steps.len);
}

static bool take_signature(struct member *m, const ProtobufCBinaryData *signature) {
  if (!signature->len) return true;
  m->signature = malloc(signature->len);
  if (!m->signature) return false;
  memcpy(m->signature, signature->data, signature->len);
  m->signature_bytes = signature->len;
  return true;
}

static struct limits limits_of(const Proteos__UpdateRequest *r) {
  return (struct limits){.load_ms = r->load_timeout_ms,
                         .converge_ms = r->converge_timeout_ms,
                         .transfer_ms = r->transfer_timeout_ms,
                         .max_ms = r->maxtime_ms};
}

/* @param exe  taken over; -1: the one that runs */
static struct member *take_member(const Proteos__UpdateMember *r, int exe) {
  struct member *m = member_new(r->component, r->self ? "self" : r->path, r->filter, exe);
  if (!m ||
      (take_options(m, r->options) && take_allow(m, r->allow) && take_signature(m, &r->signature)))
    return m;
  member_free(m);
  return NULL;
}

static unsigned count_files(const Proteos__UpdateRequest *request) {
  unsigned n = 0;
  for (size_t i = 0; i < request->n_members; i++)
    n += !request->members[i]->self;
  return n;
}

/* Makes members of the request; each takes its descriptor. @return 0 or a negative errno */
static int take_members(const Proteos__UpdateRequest *request, const int *fds, unsigned nfds,
                        struct member_list *members) {
  unsigned used = 0;
  int error = count_files(request) == nfds ? st_fault("um.request", ENOMEM) : -EBADMSG;
  for (size_t i = 0; i < request->n_members && !error; i++) {
    struct member *m =
        take_member(request->members[i], request->members[i]->self ? -1 : fds[used++]);
    if (m) {
      m->limits = limits_of(request);
      TAILQ_INSERT_TAIL(members, m, link);
    } else {
      error = -ENOMEM;
    }
  }
  while (used < nfds)
    close(fds[used++]);
  return error;
}

/* Checks all. @return true when they pass; otherwise the client has been told */
static bool check_all(client_t client, struct member_list *members) {
  static char why[4096];
  struct member *m;
  TAILQ_FOREACH (m, members, link) {
    int status = member_check(m, why, sizeof(why));
    if (!status && member_find(members, m->name) != m) {
      status = -EEXIST;
      strcpy(why, "it is named twice");
    }
    if (status) {
      refuse(client, members, status, m->name, why);
      return false;
    }
  }
  return true;
}

/* Members without which nobody could take the old versions back. */
static bool has_irreplaceable(struct member_list *members) {
  return member_find(members, "busd") || member_find(members, sys_name(sys_self()));
}

/* Checks `members` and starts their update; they are moved or freed. */
static void start(client_t client, struct member_list *members,
                  const struct transaction_options *options, const struct limits *defaults) {
  if (TAILQ_EMPTY(members))
    refuse(client, members, -ENOENT, NULL, "nothing is requested. Use prctl mupdate first");
  else if (transaction_running())
    refuse(client, members, -EBUSY, NULL, "another update is running");
  else if (options->probation_ms && has_irreplaceable(members))
    refuse(client, members, -ENOTSUP, NULL,
           "um and busd carry out probation, and cannot be on it themselves");
  else if (check_all(client, members))
    transaction_begin(client, members, options, defaults);
}

/* A later request for the same component replaces the earlier one. */
static void remember(client_t client, struct member_list *members) {
  if (!check_all(client, members)) return;
  struct member *m;
  while ((m = TAILQ_FIRST(members))) {
    TAILQ_REMOVE(members, m, link);
    struct member *earlier = member_find(&remembered, m->name);
    if (earlier) {
      TAILQ_REMOVE(&remembered, earlier, link);
      member_free(earlier);
    }
    TAILQ_INSERT_TAIL(&remembered, m, link);
  }
  client_end(client, 0, NULL);
}

static void start_remembered(client_t client, const struct transaction_options *options,
                             const struct limits *defaults) {
  start(client, &remembered, options, defaults);
  member_list_free(&remembered);
}

/* A dry run leaves what was remembered for the update itself. */
static void try_remembered(client_t client, const struct transaction_options *options,
                           const struct limits *defaults) {
  struct member_list copies = TAILQ_HEAD_INITIALIZER(copies);
  const struct member *m;
  TAILQ_FOREACH (m, &remembered, link) {
    struct member *copy = member_copy(m);
    if (copy) TAILQ_INSERT_TAIL(&copies, copy, link);
    if (copy) continue;
    refuse(client, &remembered, -ENOMEM, m->name, "there is no memory for it");
    member_list_free(&copies);
    return;
  }
  start(client, &copies, options, defaults);
  member_list_free(&copies);
}

static void cancel(client_t client) {
  int status = 0;
  if (TAILQ_EMPTY(&remembered)) {
    client_say(client, "Nothing is requested.");
    status = -ENOENT;
  }
  member_list_free(&remembered);
  client_end(client, status, NULL);
}

static void act(client_t client, const Proteos__UpdateRequest *request, struct member_list *members,
                const struct limits *defaults) {
  const struct transaction_options options = {.limits = limits_of(request),
                                              .dry_run = request->dry_run,
                                              .probation_ms = request->probation_ms};
  switch (request->action) {
  case PROTEOS__UPDATE_REQUEST__ACTION__NOW:
    start(client, members, &options, defaults);
    break;
  case PROTEOS__UPDATE_REQUEST__ACTION__ADD:
    remember(client, members);
    break;
  case PROTEOS__UPDATE_REQUEST__ACTION__START:
    if (request->dry_run)
      try_remembered(client, &options, defaults);
    else
      start_remembered(client, &options, defaults);
    break;
  case PROTEOS__UPDATE_REQUEST__ACTION__CANCEL:
    cancel(client);
    break;
  default:
    client_say(client, "Request refused: unknown action %d.", request->action);
    client_end(client, -EINVAL, NULL);
    break;
  }
}

static void close_all(const int *fds, unsigned nfds) {
  for (unsigned i = 0; i < nfds; i++)
    close(fds[i]);
}

void request_handle(client_t client, const void *packed, size_t bytes, const int *fds,
                    unsigned nfds, const struct limits *defaults) {
  Proteos__ControlRequest *request = proteos__control_request__unpack(NULL, bytes, packed);
  if (!request || request->request_case != PROTEOS__CONTROL_REQUEST__REQUEST_UPDATE) {
    close_all(fds, nfds);
    client_say(client, "Request refused: it is not an update request.");
    client_end(client, -EBADMSG, NULL);
  } else {
    struct member_list members = TAILQ_HEAD_INITIALIZER(members);
    int error = take_members(request->update, fds, nfds, &members);
    if (error) {
      if (error == -EBADMSG)
        client_say(client, "Request refused: %u executables are needed, and %u came.",
                   count_files(request->update), nfds);
      else
        client_say(client, "Request refused: %s.", sys_strerror(error));
      client_end(client, error, NULL);
    } else {
      act(client, request->update, &members, defaults);
    }
    member_list_free(&members);
  }
  if (request) proteos__control_request__free_unpacked(request, NULL);
}
