/* busd's tables: everything that it knows, in plain structures. libevent's memory holds nothing
 * that could not be built again from here. */
#ifndef PROTEOS_BUS_H
#define PROTEOS_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/endpoint.h"
#include "bus/manifest.h"

enum bus_state {
  BUS_BOOTING, /* components are being started, callees before callers */
  BUS_RUNNING,
  BUS_STOPPING, /* components are being ended, callers before callees */
};

struct bus {
  enum bus_state state;
  const char *instance, *runtime_dir;
  struct manifest *manifest;
  struct endpoint *endpoints; /* by number; [0] is the bus itself and unused */
  unsigned nendpoints;        /* components; endpoints 1 to nendpoints */
  uint64_t started_us;        /* CLOCK_MONOTONIC at the start of the instance */
  uint64_t cpus;              /* what the instance may use, one bit a CPU */
  int32_t loader_pid;
  uint32_t updates; /* of busd itself */
  bool tracing;     /* somebody reads a trace */
  bool reloaded;    /* components may know the edges of an earlier manifest */
};

extern struct bus bus;

/** Monotonic time in microseconds, as components see it. */
uint64_t bus_now_us(void);

/** The endpoint with this number, or NULL. */
struct endpoint *bus_endpoint(endpoint_t id);
/** The first one whose manifest entry has this right under `kernel:`, or NULL. */
struct endpoint *bus_with_right(enum manifest_kernel right);
/** The one with `kernel: [update]`, or NULL. */
struct endpoint *bus_update_manager(void);

/** Writes a line to log/instance.log. */
void bus_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** Makes the endpoints of a manifest, without starting anything. Names must live as long as
 * the bus. @return 0 or a negative errno */
int bus_init(struct manifest *m, const char *instance, const char *runtime_dir);
void bus_deinit(void);

/** Goes over to another manifest, whose components have been given the numbers of this one's. The
 * caller frees the former manifest. */
void bus_adopt(struct manifest *m);

#endif
