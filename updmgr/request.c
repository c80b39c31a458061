#include "updmgr/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.pb-c.h"

/* What `prctl mupdate` has asked for, until mupdate-start or mupdate-cancel. */
static struct member_list remembered = TAILQ_HEAD_INITIALIZER(remembered);

static void refuse(client_t client, int status, const char *name, const char *why) {
  bool ends = *why && why[strlen(why) - 1] == '?'; /* "did you mean ...?" */
  client_say(client, "Live update of %s refused: %s%s", name, why, ends ? "" : ".");
  client_end(client, status);
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

/* Makes members of the request; each takes its descriptor. @return 0 or a negative errno */
static int take_members(const Proteos__UpdateRequest *request, const int *fds, unsigned nfds,
                        struct member_list *members) {
  bool complete = nfds == request->n_members;
  for (unsigned i = 0; i < nfds; i++) {
    if (!complete) {
      close(fds[i]);
      continue;
    }
    const Proteos__UpdateMember *r = request->members[i];
    struct member *m = member_new(r->component, r->path, r->filter, fds[i]);
    if (!m || !take_options(m, r->options)) {
      member_free(m);
      complete = false;
      continue;
    }
    m->converge_ms = request->converge_timeout_ms;
    TAILQ_INSERT_TAIL(members, m, link);
  }
  return complete ? 0 : -EBADMSG;
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
      refuse(client, status, m->name, why);
      return false;
    }
  }
  return true;
}

/* Checks `members` and starts their update; they are moved or freed. */
static void start(client_t client, struct member_list *members,
                  const struct transaction_limits *limits) {
  if (TAILQ_EMPTY(members)) {
    client_say(client, "Live update refused: nothing is requested. Use prctl mupdate first.");
    client_end(client, -ENOENT);
  } else if (transaction_running()) {
    client_say(client, "Live update refused: another update is running.");
    client_end(client, -EBUSY);
  } else if (check_all(client, members)) {
    transaction_begin(client, members, limits);
  }
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
  client_end(client, 0);
}

static void cancel(client_t client) {
  int status = 0;
  if (TAILQ_EMPTY(&remembered)) {
    client_say(client, "Nothing is requested.");
    status = -ENOENT;
  }
  member_list_free(&remembered);
  client_end(client, status);
}

static void act(client_t client, const Proteos__UpdateRequest *request, struct member_list *members,
                const struct transaction_limits *limits) {
  switch (request->action) {
  case PROTEOS__UPDATE_REQUEST__ACTION__NOW:
    start(client, members, limits);
    break;
  case PROTEOS__UPDATE_REQUEST__ACTION__ADD:
    remember(client, members);
    break;
  case PROTEOS__UPDATE_REQUEST__ACTION__START:
    if (transaction_running()) {
      start(client, &remembered, limits); /* refused; what is remembered stays */
    } else {
      start(client, &remembered, limits);
      member_list_free(&remembered);
    }
    break;
  case PROTEOS__UPDATE_REQUEST__ACTION__CANCEL:
    cancel(client);
    break;
  default:
    client_say(client, "Request refused: unknown action %d.", request->action);
    client_end(client, -EINVAL);
    break;
  }
}

static void close_all(const int *fds, unsigned nfds) {
  for (unsigned i = 0; i < nfds; i++)
    close(fds[i]);
}

void request_handle(client_t client, const void *packed, size_t bytes, const int *fds,
                    unsigned nfds, const struct transaction_limits *limits) {
  Proteos__ControlRequest *request = proteos__control_request__unpack(NULL, bytes, packed);
  if (!request || request->request_case != PROTEOS__CONTROL_REQUEST__REQUEST_UPDATE) {
    close_all(fds, nfds);
    client_say(client, "Request refused: it is not an update request.");
    client_end(client, -EBADMSG);
  } else {
    struct member_list members = TAILQ_HEAD_INITIALIZER(members);
    int error = take_members(request->update, fds, nfds, &members);
    if (error) {
      client_say(client, "Request refused: %zu components but %u executables.",
                 request->update->n_members, nfds);
      client_end(client, error);
    } else {
      act(client, request->update, &members, limits);
    }
    member_list_free(&members);
  }
  if (request) proteos__control_request__free_unpacked(request, NULL);
}
