/* prctl trace: messages as they pass, one line each, like strace. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/messages.h"

#define FILTERS_MAX 32

static const char *const kinds[] = {"sendrec", "call", "notify", "reply", "deliver", "lost"};

/* A filter is COMPONENT, COMPONENT:MESSAGE or :MESSAGE; what is left out is any. */
static bool filter_matches(const char *filter, const Proteos__TraceEvent *e, const char *name) {
  const char *colon = strchr(filter, ':');
  size_t n = colon ? (size_t)(colon - filter) : strlen(filter);
  bool component = n == 0 || (strlen(e->source) == n && strncmp(e->source, filter, n) == 0) ||
                   (strlen(e->destination) == n && strncmp(e->destination, filter, n) == 0);
  return component && (!colon || !colon[1] || message_is_called(name, colon + 1));
}

static bool wanted(char **filters, int n, const Proteos__TraceEvent *e, const char *name) {
  for (int i = 0; i < n; i++)
    if (filter_matches(filters[i], e, name)) return true;
  return n == 0;
}

static void print_status(int status) {
  if (status >= 0)
    printf(" = %d", status);
  else if (status <= -SYS_EDEADSRCDST && status >= -SYS_ENOTLIVE)
    printf(" = %s", (const char *[]){"EDEADSRCDST", "ERESTARTED", "ELOCKED",
                                     "ENOTLIVE"}[-status - SYS_EDEADSRCDST]);
  else
    printf(" = %s", strerrorname_np(-status) ? strerrorname_np(-status) : "?");
}

static void print_event(const Proteos__TraceEvent *e, char **filters, int n) {
  msg_t m = {0};
  if (e->kind == PROTEOS__TRACE_EVENT__KIND__LOST) {
    printf("... %u messages not shown: this reader was too slow\n", e->lost);
    return;
  }
  memcpy(&m, e->message.data, e->message.len < sizeof(m) ? e->message.len : sizeof(m));
  bool notify = e->kind == PROTEOS__TRACE_EVENT__KIND__NOTIFY;
  const char *name = notify ? "NOTIFIED" : message_name(m.type);
  if (!wanted(filters, n, e, name)) return;
  printf("%6" PRIu64 ".%06" PRIu64 " %s > %s %s %s", e->time_us / 1000000, e->time_us % 1000000,
         e->source, e->destination,
         (unsigned)e->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[e->kind] : "?", name);
  if (notify || m.type == SYS_NOTIFIED)
    printf("{bits=0x%" PRIx64 "}", m.bits);
  else
    message_print_fields(stdout, &m);
  if (e->payload) printf(" +%u bytes", e->payload);
  if (e->token) printf(" token=%" PRIx64, e->token);
  if (m.type & SYS_REPLY_FLAG) print_status(m.status);
  putchar('\n');
}

static int follow(int control, char **filters, int n) {
  for (;;) {
    Proteos__ControlReply *reply = control_receive(control);
    if (!reply) return EXIT_SUCCESS; /* the instance has ended, and with it the trace */
    if (reply->trace) print_event(reply->trace, filters, n);
    if (*reply->text) fprintf(stderr, "prctl: %s\n", reply->text);
    fflush(stdout);
    int status = reply->status;
    bool last = reply->last;
    proteos__control_reply__free_unpacked(reply, NULL);
    if (last) return status ? EXIT_FAILURE : EXIT_SUCCESS;
    if (ferror(stdout)) return EXIT_SUCCESS;
  }
}

int trace_command(const struct instance *instance, int argc, char **argv) {
  char *filters[FILTERS_MAX];
  int n = 0;
  const char *filter;
  while (n < FILTERS_MAX && (filter = option_value(&argc, argv, "e")))
    filters[n++] = (char *)(uintptr_t)filter;
  if (argc != 1) {
    fprintf(stderr, "usage: prctl trace [-e COMPONENT[:MESSAGE]] ...\n");
    return EXIT_USAGE;
  }
  int control = instance_connect(instance);
  if (control < 0) return EXIT_FAILURE;
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__TraceRequest trace = PROTEOS__TRACE_REQUEST__INIT;
  trace.n_filters = (size_t)n;
  trace.filters = filters;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_TRACE;
  request.trace = &trace;
  int status = control_send(control, &request, -1) ? control_lost() : follow(control, filters, n);
  close(control);
  return status;
}
