/* A bus in one process: the driver, the real device model and a server that the test plays, each of
 * which runs only when it has been told to. */
#ifndef PROTEOS_E1000_TEST_BUS_H
#define PROTEOS_E1000_TEST_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "../../e1000-model/device.h"
#include "libsys/if/nic.h"
#include "libsys/msg.h"

enum { MODEL = 1, DRIVER = 2, SERVER = 3 };

struct bus {
  struct device device;
  uint32_t *bar;
  char *rings, *frames;
  int peer;              /* the wire's other end */
  bool doorbell;         /* the model has been told */
  uint64_t driver_bits;  /* from the model */
  uint64_t queue_bits;   /* to the driver, from the server */
  uint64_t server_bits;  /* to the server, not yet seen */
  bool device_dead;      /* calls to it fail */
  unsigned device_calls; /* register accesses that were messages */
  uint64_t now_us, timer_us;
  msg_t reply; /* the driver's last */
};

extern struct bus bus;

void bus_setup(void);
void bus_teardown(void);
/** A request of the server's; the reply is in bus.reply. @return its status */
int32_t bus_request(msg_t m);
/** Replaces the device by a new one, as after a crash, with the same wire. */
void bus_restart_device(void);

/** Lets the model / the driver run if there is something for it. @return whether there was */
bool bus_run_model(void);
bool bus_run_driver(void);
/** Both, until neither has anything to do. */
void bus_settle(void);
/** What the server has been told since it last asked. */
uint64_t bus_take_server_bits(void);

#endif
