#include "bus/boot.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/lifecycle.h"
#include "bus/loader_proto.h"
#include "bus/log.h"
#include "bus/shutdown.h"
#include "bus/wire.h"

void boot_end(const char *text) {
  static bool told;
  char line[2048];
  if (told) return;
  told = true;
  int n = snprintf(line, sizeof(line), "%s\n", text);
  if (n >= (int)sizeof(line)) n = sizeof(line) - 1;
  ssize_t written = write(LOADER_BOOT_FD, line, (size_t)n);
  (void)written; /* prctl may have been interrupted; the log has it too */
  close(LOADER_BOOT_FD);
}

void boot_failed(const char *who, const char *why) {
  char text[1024], last[512] = "";
  const struct endpoint *e = who ? bus_endpoint(manifest_find(bus.manifest, who)) : NULL;
  if (bus.state != BUS_BOOTING) return;
  if (e) log_last_line(e, last, sizeof(last));
  snprintf(text, sizeof(text), "%s%s%s%s%s", who ? who : "", who ? ": " : "", why,
           last[0] ? "; its last line: " : "", last);
  shutdown_begin(text, EXIT_FAILURE);
}

static bool is_coming(const struct endpoint *e) {
  bool starts = e->state == ENDPOINT_DOWN || e->state == ENDPOINT_STARTING;
  return starts && !e->component->program;
}

static bool waits_for_callee(const struct endpoint *e) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++)
    if (e->edges[id].rights & BUS_RIGHT_SENDREC && is_coming(bus_endpoint(id))) return true;
  return false;
}

void boot_start_next(void) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    struct endpoint *e = bus_endpoint(id);
    if (bus.state == BUS_STOPPING) return;
    bool due = e->state == ENDPOINT_DOWN && !e->component->program;
    if (due && !waits_for_callee(e) && wire_all_ready(e)) lifecycle_begin(e);
  }
}

static void finish(unsigned components) {
  bus.state = BUS_RUNNING;
  bus_log("all %u components are ready", components);
  boot_end("ok");
}

void boot_continue(void) {
  unsigned ready = 0, components = 0;
  if (bus.state != BUS_BOOTING) return;
  boot_start_next();
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    const struct endpoint *e = bus_endpoint(id);
    if (e->component->program) continue;
    components++;
    ready += e->state == ENDPOINT_RUNNING;
  }
  if (ready == components && bus.state == BUS_BOOTING) finish(components);
}
