/* prctl fault: orders faults at fault points, and shows which points were hit. */
#include "cli/fault.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "libst/fault.h"

#define DELAY_MS 100

static const char *const actions[] = {"", "crash", "kill", "stop", "hang", "error", "delay"};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static int usage(void) {
  fprintf(stderr,
          "usage: prctl fault PARTY POINT crash|kill|stop|hang|error|delay [-nth N] "
          "[-value ERRNO|MS]\n"
          "       prctl fault --list | --clear | --points [FILE...]\n"
          "PARTY is loader, busd, COMPONENT, or COMPONENT.next before its update commits\n");
  return EXIT_USAGE;
}

static int wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* @return prctl's exit status */
static int wrong(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  option_wrong(fmt, ap);
  va_end(ap);
  return usage();
}

static int parse_action(const char *text) {
  for (size_t i = 1; i < ACTIONS; i++)
    if (strcmp(text, actions[i]) == 0) return (int)i;
  return 0;
}

/* @return -1 when it is no number */
static int parse_number(const char *text) {
  char *end;
  long n = strtol(text, &end, 10);
  return *text && !*end && n >= 0 && n <= 1000000 ? (int)n : -1;
}

/* "12" or "ENOMEM". @return -1 when it is neither */
static int parse_errno(const char *text) {
  for (int e = 1; e < 200; e++)
    if (strerrorname_np(e) && strcmp(strerrorname_np(e), text) == 0) return e;
  return parse_number(text);
}

static void print_status(const Proteos__FaultStatus *s) {
  for (size_t i = 0; i < s->n_orders; i++) {
    const Proteos__FaultOrder *o = s->orders[i];
    const char *action = (size_t)o->action < ACTIONS ? actions[o->action] : "?";
    printf("ordered: %s at %s of %s, hit %u%s\n", action, o->point, o->party, o->nth,
           o->fired ? ": it has happened" : "");
  }
  printf("%-20s %-24s %8s  %s\n", "PARTY", "POINT", "HITS", "ERROR");
  for (size_t i = 0; i < s->n_hits; i++) {
    const Proteos__FaultHit *h = s->hits[i];
    printf("%-20s %-24s %8llu  %s\n", h->party, h->point, (unsigned long long)h->count,
           h->error ? strerrorname_np(h->error) : "-");
  }
}

static int send_list(int control, const Proteos__ControlRequest *request) {
  Proteos__ControlReply *reply = control_ask(control, request);
  if (!reply || !reply->faults) return control_refused(reply);
  print_status(reply->faults);
  proteos__control_reply__free_unpacked(reply, NULL);
  return EXIT_SUCCESS;
}

static bool is_party(const char *name, const Proteos__ControlReply *status) {
  static const char next[] = ".next";
  size_t n = strlen(name);
  if (strcmp(name, "loader") == 0) return true;
  if (n >= sizeof(next) && strcmp(name + n - strlen(next), next) == 0) n -= strlen(next);
  if (n == 4 && strncmp(name, "busd", n) == 0) return true;
  for (size_t i = 0; i < status->n_components; i++) {
    const char *component = status->components[i]->name;
    if (strlen(component) == n && strncmp(component, name, n) == 0) return true;
  }
  return false;
}

/* A point that no file has is noted only: the next version may have it. */
static int send_order(int control, const Proteos__ControlRequest *request) {
  const Proteos__FaultOrder *o = request->fault->order;
  Proteos__ControlReply *status = control_status(control);
  int result = EXIT_FAILURE;
  if (!status || !status->instance) return control_refused(status);
  if (!is_party(o->party, status))
    fprintf(stderr,
            "prctl: there is no '%s' here: name loader, busd, or a component of prctl status, with "
            ".next for its next version\n",
            o->party);
  else if (control_send(control, request, -1))
    result = control_lost();
  else
    result = control_follow(control);
  if (result == EXIT_SUCCESS && !fault_point_known(o->point, status))
    fprintf(stderr,
            "prctl: note: nothing that runs here has a point '%s'; prctl fault --points lists "
            "points\n",
            o->point);
  proteos__control_reply__free_unpacked(status, NULL);
  return result;
}

static int send_clear(int control, const Proteos__ControlRequest *request) {
  return control_send(control, request, -1) ? control_lost() : control_follow(control);
}

static int ask(const struct instance *instance, Proteos__FaultRequest *fault,
               int (*send)(int control, const Proteos__ControlRequest *request)) {
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_FAULT;
  request.fault = fault;
  int control = instance_connect(instance);
  if (control < 0) return EXIT_FAILURE;
  int status = send(control, &request);
  close(control);
  return status;
}

/* What -value means depends on the action. @return false after a message */
static bool set_value(Proteos__FaultOrder *o, const char *value) {
  switch (o->action) {
  case PROTEOS__FAULT_ORDER__ACTION__ERROR:
    if (value && (o->value = parse_errno(value)) < 0)
      wrong("'%s' is no errno: give its name or its number", value);
    break;
  case PROTEOS__FAULT_ORDER__ACTION__DELAY:
    o->value = value ? parse_number(value) : DELAY_MS;
    if (o->value < 0) wrong("'%s' is no number of milliseconds up to 1000000", value);
    break;
  default:
    o->value = value ? -1 : 0;
    if (value) wrong("-value is for error and delay only");
    break;
  }
  return o->value >= 0;
}

static int order(const struct instance *instance, int argc, char **argv) {
  Proteos__FaultRequest fault = PROTEOS__FAULT_REQUEST__INIT;
  Proteos__FaultOrder o = PROTEOS__FAULT_ORDER__INIT;
  const char *nth = option_value(&argc, argv, "nth"), *value = option_value(&argc, argv, "value");
  int n = nth ? parse_number(nth) : 1;
  for (int i = 1; i < argc; i++)
    if (*argv[i] == '-') return wrong("fault has no option '%s', or it lacks a value", argv[i]);
  if (argc != 4) return usage();
  o.party = argv[1];
  o.point = argv[2];
  o.action = (Proteos__FaultOrder__Action)parse_action(argv[3]);
  if (o.action == PROTEOS__FAULT_ORDER__ACTION__NONE)
    return wrong("there is no action '%s'", argv[3]);
  if (n <= 0) return wrong("'%s' is no number of a hit: the first one is 1", nth);
  if (strlen(o.point) >= ST_FAULT_NAME_MAX)
    return wrong("a point's name has at most %d characters: '%s'", (int)ST_FAULT_NAME_MAX - 1,
                 o.point);
  if (!set_value(&o, value)) return EXIT_USAGE;
  o.nth = (uint32_t)n;
  fault.command = PROTEOS__FAULT_REQUEST__COMMAND__ORDER;
  fault.order = &o;
  return ask(instance, &fault, send_order);
}

int fault_command(const struct instance *instance, int argc, char **argv) {
  Proteos__FaultRequest fault = PROTEOS__FAULT_REQUEST__INIT;
  if (option_flag(&argc, argv, "points")) return fault_points(argv + 1, argc - 1);
  bool shows = option_flag(&argc, argv, "list"), clears = option_flag(&argc, argv, "clear");
  if (!shows && !clears) return order(instance, argc, argv);
  if ((shows && clears) || argc != 1) return usage();
  fault.command =
      clears ? PROTEOS__FAULT_REQUEST__COMMAND__CLEAR : PROTEOS__FAULT_REQUEST__COMMAND__LIST;
  return ask(instance, &fault, clears ? send_clear : send_list);
}
