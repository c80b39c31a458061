#include "cli/outcome.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/json.h"

enum exit_status outcome_exit_status(Proteos__Transaction__Outcome outcome) {
  switch (outcome) {
  case PROTEOS__TRANSACTION__OUTCOME__DONE:
  case PROTEOS__TRANSACTION__OUTCOME__TRIED:
    return EXIT_DONE;
  case PROTEOS__TRANSACTION__OUTCOME__ROLLED_BACK:
    return EXIT_ROLLED_BACK;
  case PROTEOS__TRANSACTION__OUTCOME__ABANDONED:
    return EXIT_ABANDONED;
  case PROTEOS__TRANSACTION__OUTCOME__TAKEN_BACK: /* after the end of prctl */
  case PROTEOS__TRANSACTION__OUTCOME__BEGUN:
  case PROTEOS__TRANSACTION__OUTCOME__REFUSED:
  case _PROTEOS__TRANSACTION__OUTCOME_IS_INT_SIZE:
    break;
  }
  return EXIT_REFUSED;
}

const char *outcome_name(const Proteos__Transaction *t) {
  switch (t->outcome) {
  case PROTEOS__TRANSACTION__OUTCOME__BEGUN:
    return "interrupted";
  case PROTEOS__TRANSACTION__OUTCOME__DONE:
    return "done";
  case PROTEOS__TRANSACTION__OUTCOME__REFUSED:
    return "refused";
  case PROTEOS__TRANSACTION__OUTCOME__ROLLED_BACK:
    return "rolled-back";
  case PROTEOS__TRANSACTION__OUTCOME__ABANDONED:
    return "abandoned";
  case PROTEOS__TRANSACTION__OUTCOME__TRIED:
    return "tried";
  case PROTEOS__TRANSACTION__OUTCOME__TAKEN_BACK:
    return "taken-back";
  case _PROTEOS__TRANSACTION__OUTCOME_IS_INT_SIZE:
    break;
  }
  return "?";
}

/* ---- times ---- */

/* When something happened, in milliseconds; "-" when it did not. */
static void print_when(uint64_t us) {
  if (us)
    printf(" %11.2f", (double)us / 1000);
  else
    printf(" %11s", "-");
}

void outcome_print_times(const Proteos__Transaction *t) {
  printf("\n%-15s %11s %11s\n", "phase", "began ms", "took ms");
  for (size_t i = 0; i < t->n_phases; i++) {
    const Proteos__TransactionPhase *p = t->phases[i];
    printf("%-15s %11.2f %11.2f\n", p->name, (double)p->began_us / 1000, (double)p->took_us / 1000);
  }
  printf("%-15s %11.2f %11.2f\n\n", "all", 0.0, (double)t->took_us / 1000);
  printf("%-15s %11s %11s %11s %11s %11s %11s\n", "component (ms)", "loaded", "planned", "prepared",
         "converging", "frozen", "transferred");
  for (size_t i = 0; i < t->n_members; i++) {
    const Proteos__UpdateTimes *u = t->members[i]->times;
    if (!u) continue;
    printf("%-15s", t->members[i]->component);
    print_when(u->loaded_us);
    print_when(u->planned_us);
    print_when(u->prepared_us);
    print_when(u->converging_us);
    print_when(u->frozen_us);
    print_when(u->transferred_us);
    putchar('\n');
  }
}

/* ---- JSON ---- */

static void print_member(const Proteos__TransactionMember *m) {
  printf("{");
  json_string("component", m->component, ", ");
  json_string("path", m->path, ", ");
  json_string("old_build_id", m->old_build_id, ", ");
  json_string("new_build_id", m->new_build_id, ", ");
  json_string("state", m->filter, ", ");
  json_string("allow", m->allow, "");
  if (m->times)
    printf(", \"loaded_us\": %" PRIu64 ", \"planned_us\": %" PRIu64 ", \"prepared_us\": %" PRIu64
           ", \"converging_us\": %" PRIu64 ", \"frozen_us\": %" PRIu64
           ", \"transferred_us\": %" PRIu64,
           m->times->loaded_us, m->times->planned_us, m->times->prepared_us,
           m->times->converging_us, m->times->frozen_us, m->times->transferred_us);
  printf("}");
}

void outcome_print_json(const Proteos__Transaction *t) {
  printf("{\"number\": %" PRIu64 ", \"started\": %" PRIu64 ", ", t->number, t->started_s);
  json_string("outcome", outcome_name(t), ", ");
  printf("\"status\": %" PRId32 ", ", t->status);
  json_string("reason", t->reason, ", ");
  printf("\"took_us\": %" PRIu64 ", \"phases\": [", t->took_us);
  for (size_t i = 0; i < t->n_phases; i++) {
    printf("%s{", i ? ", " : "");
    json_string("phase", t->phases[i]->name, ", ");
    printf("\"began_us\": %" PRIu64 ", \"took_us\": %" PRIu64 "}", t->phases[i]->began_us,
           t->phases[i]->took_us);
  }
  printf("], \"members\": [");
  for (size_t i = 0; i < t->n_members; i++) {
    printf("%s", i ? ", " : "");
    print_member(t->members[i]);
  }
  printf("]}\n");
}
