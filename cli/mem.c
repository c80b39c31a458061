/* prctl mem: memory that components share, as the memory server tells it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/json.h"

static int by_area(const void *a, const void *b) {
  const Proteos__AreaStatus *const *x = a, *const *y = b;
  return (*x)->number < (*y)->number ? -1 : 1;
}

static int by_grant(const void *a, const void *b) {
  const Proteos__GrantStatus *const *x = a, *const *y = b;
  return (*x)->number < (*y)->number ? -1 : 1;
}

/* In the order in which they were made. */
static void sort(Proteos__MemoryStatus *m) {
  if (m->n_areas) qsort(m->areas, m->n_areas, sizeof(*m->areas), by_area);
  for (size_t i = 0; i < m->n_areas; i++) {
    Proteos__AreaStatus *a = m->areas[i];
    if (a->n_grants) qsort(a->grants, a->n_grants, sizeof(*a->grants), by_grant);
  }
}

static const char *state_name(const Proteos__GrantStatus *g) {
  return g->revoking ? "revoking" : g->mapped ? "mapped" : "given";
}

/* ---- JSON ---- */

static void print_json_grant(const Proteos__GrantStatus *g, bool first) {
  printf("%s\n    {", first ? "" : ",");
  json_string("holder", g->holder_name, ", ");
  json_string("rights", g->writable ? "rw" : "r", ", ");
  json_string("state", state_name(g), ", ");
  printf("\"grant\": %u, \"endpoint\": %u, \"first\": %" PRIu64 ", \"bytes\": %" PRIu64 "}",
         g->number, g->holder, g->first, g->bytes);
}

static void print_json_area(const Proteos__AreaStatus *a, bool first) {
  printf("%s\n  {", first ? "" : ",");
  json_string("owner", a->owner_name, ", ");
  json_string("state", a->ending ? "ending" : "live", ", ");
  printf("\"area\": %u, \"endpoint\": %u, \"bytes\": %" PRIu64 ", \"segment_bytes\": %" PRIu64
         ", \"grants\": [",
         a->number, a->owner, a->bytes, a->segment_bytes);
  for (size_t i = 0; i < a->n_grants; i++)
    print_json_grant(a->grants[i], i == 0);
  printf("]}");
}

static void print_json_account(const Proteos__MemoryAccount *c, bool first) {
  printf("%s\n  {", first ? "" : ",");
  json_string("name", c->name, ", ");
  printf("\"endpoint\": %u, \"areas\": %u, \"bytes\": %" PRIu64 ", \"quota\": %" PRIu64
         ", \"grants\": %u, \"mapped\": %u}",
         c->endpoint, c->areas, c->bytes, c->quota, c->grants, c->mapped);
}

static void print_json(const Proteos__MemoryStatus *m) {
  printf("{\"areas\": [");
  for (size_t i = 0; i < m->n_areas; i++)
    print_json_area(m->areas[i], i == 0);
  printf("],\n \"components\": [");
  for (size_t i = 0; i < m->n_accounts; i++)
    print_json_account(m->accounts[i], i == 0);
  printf("]}\n");
}

/* ---- tables ---- */

/* What is left behind by one that has died has no owner. */
static const char *shown(const char *name) {
  return *name ? name : "-";
}

static void print_area(const Proteos__AreaStatus *a) {
  printf("%6u %-14s %7" PRIu64 " KB %-7s", a->number, shown(a->owner_name), a->bytes / 1024,
         a->ending ? "ending" : "live");
}

static void print_grant(const Proteos__GrantStatus *g) {
  printf("%6u %-14s %7" PRIu64 " KB %7" PRIu64 " KB %-6s %s", g->number, g->holder_name,
         g->first / 1024, g->bytes / 1024, g->writable ? "rw" : "r", state_name(g));
}

/* The area's own columns stand at its first grant only. */
static void print_lines(const Proteos__AreaStatus *a) {
  for (size_t i = 0; i == 0 || i < a->n_grants; i++) {
    if (i == 0)
      print_area(a);
    else
      printf("%40s", "");
    if (i < a->n_grants) print_grant(a->grants[i]);
    putchar('\n');
  }
}

static void print_tables(const Proteos__MemoryStatus *m) {
  printf("%6s %-14s %10s %-7s%6s %-14s %10s %10s %-6s %s\n", "AREA", "OWNER", "SIZE", "STATE",
         "GRANT", "HOLDER", "FROM", "SIZE", "RIGHTS", "STATE");
  for (size_t i = 0; i < m->n_areas; i++)
    print_lines(m->areas[i]);
  printf("\n%-14s %6s %10s %10s %7s %7s\n", "COMPONENT", "AREAS", "SIZE", "QUOTA", "GRANTS",
         "MAPPED");
  for (size_t i = 0; i < m->n_accounts; i++) {
    const Proteos__MemoryAccount *c = m->accounts[i];
    printf("%-14s %6u %7" PRIu64 " KB %7" PRIu64 " KB %7u %7u\n", shown(c->name), c->areas,
           c->bytes / 1024, c->quota / 1024, c->grants, c->mapped);
  }
}

int mem_command(const struct instance *instance, int argc, char **argv) {
  bool json = option_flag(&argc, argv, "json");
  if (argc != 1) {
    fprintf(stderr, "usage: prctl mem [--json]\n");
    return EXIT_USAGE;
  }
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__MemoryRequest memory = PROTEOS__MEMORY_REQUEST__INIT;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_MEMORY;
  request.memory = &memory;
  int control = instance_connect(instance);
  if (control < 0) return EXIT_FAILURE;
  Proteos__ControlReply *reply = control_ask(control, &request);
  close(control);
  if (!reply || !reply->memory) return control_refused(reply);
  sort(reply->memory);
  if (json)
    print_json(reply->memory);
  else
    print_tables(reply->memory);
  proteos__control_reply__free_unpacked(reply, NULL);
  return EXIT_SUCCESS;
}
