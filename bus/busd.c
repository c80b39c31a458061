/* busd: the microkernel of an instance. Rendezvous IPC, notifications, alarms, watches, regions,
 * the kernel's part in updates, logs, traces and the control socket.
 *
 *   busd INSTANCE MANIFEST RUNTIME-DIRECTORY    started by the loader
 *   busd INSTANCE update                        a new version, with the old one's state to come */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bus/affinity.h"
#include "bus/boot.h"
#include "bus/bus.h"
#include "bus/control.h"
#include "bus/fault.h"
#include "bus/link.h"
#include "bus/log.h"
#include "bus/loop.h"
#include "bus/region.h"
#include "bus/self.h"
#include "bus/timer.h"
#include "bus/wire.h"

static int open_logs(void) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    int error = bus_endpoint(id)->component->program ? 0 : log_open(bus_endpoint(id));
    if (error) return error;
  }
  return 0;
}

/* Busd and the loader belong to the personality: a message then never crosses CPUs. */
static int pin(void) {
  bus.cpus = affinity_get();
  uint64_t cpus = manifest_personality_cpus(bus.manifest, bus.cpus);
  int error = affinity_set(0, cpus);
  return error ? error : affinity_set(bus.loader_pid, cpus);
}

static const struct step {
  const char *name;
  int (*run)(void);
} steps[] = {
    {"the event loop", loop_start},
    {"the loader", link_init},
    {"the CPU affinity", pin},
    {"the timer", timer_init},
    {"the regions", region_init},
    {"the logs", open_logs},
    {"the control socket", control_init},
};

static bool initialise(void) {
  for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    int error = steps[i].run();
    if (!error) continue;
    boot_failed(steps[i].name, strerror(-error));
    return false;
  }
  return wire_init() == 0;
}

static bool start(const char *instance, const char *manifest, const char *runtime_dir) {
  char error[1024];
  struct manifest *loaded = manifest_load(manifest, error, sizeof(error));
  if (!loaded) {
    boot_failed(NULL, error);
    return false;
  }
  struct manifest *m = manifest_copy(loaded);
  char *name = strdup(instance), *directory = strdup(runtime_dir);
  manifest_free(loaded);
  if (!m || !name || !directory || bus_init(m, name, directory) < 0) return false;
  if (initialise()) boot_continue();
  return true;
}

/* Until it is to hand over. */
static void serve(void) {
  bool unwritten = true;
  while (!self_is_held()) {
    if (unwritten) {
      loop_once(false);
      unwritten = self_write_back();
    } else {
      loop_run();
    }
  }
}

int main(int argc, char **argv) {
  bool update = argc == 3 && strcmp(argv[2], "update") == 0;
  if (argc != 4 && !update) {
    fprintf(stderr, "busd: started by the loader only\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  self_init(update);
  fault_init(update);
  if (update) {
    self_become();
  } else {
    prctl(PR_SET_DUMPABLE, 0);
    if (!start(argv[1], argv[2], argv[3])) return EXIT_FAILURE;
  }
  /* It outlives the loader just long enough to say that it has died. */
  prctl(PR_SET_PDEATHSIG, 0);
  for (;;) {
    serve();
    self_hand_over();
  }
}
