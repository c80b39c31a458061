/* prctl sched: who computes when, as the scheduler tells it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/interval.h"
#include "cli/json.h"

static const double SECONDS = 1;

/* What one used of the CPU time between two samples. */
struct row {
  const Proteos__TaskStatus *now;
  uint64_t used_us;
};

struct table {
  const Proteos__ScheduleStatus *now;
  struct row *rows;
  uint64_t used_us; /* by all */
};

static Proteos__ControlReply *take(int control) {
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__ScheduleRequest schedule = PROTEOS__SCHEDULE_REQUEST__INIT;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_SCHEDULE;
  request.schedule = &schedule;
  return control_ask(control, &request);
}

/* ---- rows ---- */

/* An update's new version is another process, whose time begins anew; so is that of another life.
 */
static uint64_t used_since(const Proteos__ScheduleStatus *last, const Proteos__TaskStatus *now) {
  for (size_t i = 0; i < last->n_tasks; i++) {
    const Proteos__TaskStatus *then = last->tasks[i];
    if (then->endpoint == now->endpoint && then->incarnation == now->incarnation &&
        then->cpu_us <= now->cpu_us)
      return now->cpu_us - then->cpu_us;
  }
  return now->cpu_us;
}

static int compare(const void *a, const void *b) {
  const struct row *x = a, *y = b;
  if (x->used_us != y->used_us) return x->used_us < y->used_us ? 1 : -1;
  return x->now->endpoint < y->now->endpoint ? -1 : 1;
}

/* @return whether there was memory for it */
static bool fill(struct table *t, const Proteos__ScheduleStatus *last) {
  size_t n = t->now->n_tasks;
  t->rows = calloc(n + 1, sizeof(*t->rows));
  for (size_t i = 0; i < n && t->rows; i++) {
    t->rows[i] = (struct row){t->now->tasks[i], used_since(last, t->now->tasks[i])};
    t->used_us += t->rows[i].used_us;
  }
  if (t->rows) qsort(t->rows, n, sizeof(*t->rows), compare);
  return t->rows != NULL;
}

static double share_percent(const struct table *t, const struct row *r) {
  return t->used_us ? 100.0 * (double)r->used_us / (double)t->used_us : 0;
}

/* ---- output ---- */

static const char *policy_name(uint32_t number) {
  static char text[32];
  switch (number) {
  case 1:
    return "feedback";
  case 2:
    return "fair share";
  }
  snprintf(text, sizeof(text), "number %u", number);
  return text;
}

static const char *state_name(const Proteos__TaskStatus *t) {
  if (t->preempted) return "preempted";
  if (!t->busy) return "waits";
  return t->takes_turns ? "its turn" : "computes";
}

/* "0,2-3" */
static const char *cpu_list(uint64_t cpus) {
  static char text[256];
  size_t n = 0;
  text[0] = 0;
  for (unsigned first = 0; first < 64 && n < sizeof(text); first++) {
    if (!(cpus >> first & 1)) continue;
    unsigned last = first;
    while (last < 63 && cpus >> (last + 1) & 1)
      last++;
    const char *comma = n ? "," : "";
    n += (size_t)(last > first ? snprintf(text + n, sizeof(text) - n, "%s%u-%u", comma, first, last)
                               : snprintf(text + n, sizeof(text) - n, "%s%u", comma, first));
    first = last;
  }
  return text;
}

static void print_json(const struct table *t) {
  printf("{");
  json_string("policy", policy_name(t->now->policy), ", ");
  printf("\"ticks\": %" PRIu64 ", \"components\": [", t->now->ticks);
  for (size_t i = 0; i < t->now->n_tasks; i++) {
    const Proteos__TaskStatus *s = t->rows[i].now;
    printf("%s\n  {", i ? "," : "");
    json_string("name", s->name, ", ");
    json_string("class", s->class_, ", ");
    json_string("state", state_name(s), ", ");
    json_string("cpus", cpu_list(s->cpus), ", ");
    printf("\"endpoint\": %u, \"nice\": %u, \"rank\": %u, \"cpu_us\": %" PRIu64
           ", \"share_percent\": %.2f, \"preempted\": %u, \"turns\": %u}",
           s->endpoint, s->nice, s->rank, s->cpu_us, share_percent(t, &t->rows[i]), s->preemptions,
           s->turns);
  }
  printf("]}\n");
}

static void print_table(const struct table *t) {
  printf("policy %s, %" PRIu64 " ticks\n", policy_name(t->now->policy), t->now->ticks);
  printf("%-14s %-6s %4s %10s %-9s %-7s %9s %7s %9s %8s\n", "COMPONENT", "CLASS", "NICE", "RANK",
         "STATE", "CPUS", "CPU", "SHARE %", "PREEMPTED", "TURNS");
  for (size_t i = 0; i < t->now->n_tasks; i++) {
    const Proteos__TaskStatus *s = t->rows[i].now;
    printf("%-14s %-6s %4u %10u %-9s %-7s %9.2f %7.1f %9u %8u\n", s->name, s->class_, s->nice,
           s->rank, state_name(s), cpu_list(s->cpus), (double)s->cpu_us / 1e6,
           share_percent(t, &t->rows[i]), s->preemptions, s->turns);
  }
}

/* ---- command ---- */

static void show(const Proteos__ScheduleStatus *last, const Proteos__ScheduleStatus *now,
                 bool json) {
  struct table t = {.now = now};
  if (!fill(&t, last)) return;
  if (json)
    print_json(&t);
  else
    print_table(&t);
  free(t.rows);
}

static int sample_twice(int control, double seconds, bool json) {
  Proteos__ControlReply *last = take(control), *now;
  if (!last || !last->schedule) return control_refused(last);
  interval_sleep_until(interval_now() + seconds);
  now = take(control);
  bool good = now && now->schedule;
  if (good) show(last->schedule, now->schedule, json);
  proteos__control_reply__free_unpacked(last, NULL);
  if (!good) return control_refused(now);
  proteos__control_reply__free_unpacked(now, NULL);
  return EXIT_SUCCESS;
}

int sched_command(const struct instance *instance, int argc, char **argv) {
  double seconds = SECONDS;
  bool json = option_flag(&argc, argv, "json");
  if (!interval_option(&argc, argv, &seconds) || argc != 1) {
    fprintf(stderr, "usage: prctl sched [-d SECONDS] [--json]\n");
    return EXIT_USAGE;
  }
  int control = instance_connect(instance);
  if (control < 0) return EXIT_FAILURE;
  int status = sample_twice(control, seconds, json);
  close(control);
  return status;
}
