/* prctl fault: orders faults at fault points, and shows which points were hit. */
#include "cli/fault.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"

#define DELAY_MS 100

static const char *const actions[] = {"", "crash", "kill", "stop", "hang", "error", "delay"};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static int usage(void) {
  fprintf(stderr,
          "usage: prctl fault PARTY POINT crash|kill|stop|hang|error|delay [-nth N] "
          "[-value ERRNO|MS]\n"
          "       prctl fault --list | --clear | --points [FILE...]\n"
          "PARTY is loader, busd, COMPONENT, or COMPONENT.next before its update commits\n");
  return 2;
}

static int parse_action(const char *text) {
  for (size_t i = 1; i < ACTIONS; i++)
    if (strcmp(text, actions[i]) == 0) return (int)i;
  return 0;
}

/* "12", or the name of an errno. @return -1 when it is neither */
static int parse_value(const char *text) {
  char *end;
  long n = strtol(text, &end, 10);
  if (*text && !*end) return n >= 0 && n <= 1000000 ? (int)n : -1;
  for (int e = 1; e < 200; e++)
    if (strerrorname_np(e) && strcmp(strerrorname_np(e), text) == 0) return e;
  return -1;
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

static int list(int control) {
  Proteos__ControlReply *reply = control_receive(control);
  if (!reply) return control_lost();
  int status = reply->status ? EXIT_FAILURE : EXIT_SUCCESS;
  if (reply->faults)
    print_status(reply->faults);
  else
    puts(reply->text);
  proteos__control_reply__free_unpacked(reply, NULL);
  return status;
}

static int ask(const struct instance *instance, Proteos__FaultRequest *fault) {
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_FAULT;
  request.fault = fault;
  int control = instance_connect(instance), status;
  if (control < 0) return EXIT_FAILURE;
  if (control_send(control, &request, -1))
    status = control_lost();
  else if (fault->command == PROTEOS__FAULT_REQUEST__COMMAND__LIST)
    status = list(control);
  else
    status = control_follow(control);
  close(control);
  return status;
}

static int order(const struct instance *instance, int argc, char **argv) {
  Proteos__FaultRequest fault = PROTEOS__FAULT_REQUEST__INIT;
  Proteos__FaultOrder o = PROTEOS__FAULT_ORDER__INIT;
  const char *nth = option_value(&argc, argv, "nth"), *value = option_value(&argc, argv, "value");
  int action = argc == 4 ? parse_action(argv[3]) : 0;
  if (!action) return usage();
  o.party = argv[1];
  o.point = argv[2];
  o.action = (Proteos__FaultOrder__Action)action;
  int n = nth ? parse_value(nth) : 1;
  o.value = value                                           ? parse_value(value)
            : action == PROTEOS__FAULT_ORDER__ACTION__DELAY ? DELAY_MS
                                                            : 0;
  if (n <= 0 || o.value < 0) return usage();
  o.nth = (uint32_t)n;
  fault.command = PROTEOS__FAULT_REQUEST__COMMAND__ORDER;
  fault.order = &o;
  return ask(instance, &fault);
}

int fault_command(const struct instance *instance, int argc, char **argv) {
  Proteos__FaultRequest fault = PROTEOS__FAULT_REQUEST__INIT;
  if (option_flag(&argc, argv, "points")) return fault_points(argv + 1, argc - 1);
  bool shows = option_flag(&argc, argv, "list"), clears = option_flag(&argc, argv, "clear");
  if (!shows && !clears) return order(instance, argc, argv);
  if ((shows && clears) || argc != 1) return usage();
  fault.command =
      clears ? PROTEOS__FAULT_REQUEST__COMMAND__CLEAR : PROTEOS__FAULT_REQUEST__COMMAND__LIST;
  return ask(instance, &fault);
}
