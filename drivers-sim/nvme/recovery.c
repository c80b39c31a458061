/* When the device fails: a command that is late, a controller that does not come up. */
#include <errno.h>

#include "driver.h"
#include "libsys/sys.h"

enum { ATTEMPTS = 5, AGAIN_US = 200000 };

/* What was under way is made again: none of the operations minds. */
void recovery_restart(void) {
  struct controller *c = &driver.controller;
  int error = controller_start();
  driver.counters.resets++;
  if (c->lost_power) {
    client_lost_power();
    command_fail_flushes(); /* they can keep nothing of what was written before */
  }
  if (!error) {
    c->attempts = 0;
    command_send_all();
    return;
  }
  if (c->attempts < ATTEMPTS) c->attempts++;
  if (c->attempts == 1) sys_log("the controller does not come up: %s", sys_strerror(error));
  if (c->attempts == ATTEMPTS) command_fail_all(-EIO);
}

void recovery_arm(void) {
  if (driver.alarm_is_set) return;
  uint64_t at = driver.controller.state == CONTROLLER_READY ? command_deadline()
                : driver.client                             ? sys_time_us() + AGAIN_US
                                                            : 0;
  if (!at) return;
  driver.alarm_is_set = true;
  sys_alarm(BIT_TIMEOUT, at);
}

void recovery_alarm(void) {
  uint64_t deadline = command_deadline();
  driver.alarm_is_set = false;
  if (driver.controller.state == CONTROLLER_READY) {
    if (!deadline || deadline > sys_time_us()) return;
    sys_log("a command has taken more than %llu ms: the controller is reset",
            (unsigned long long)driver.timeout_us / 1000);
  }
  recovery_restart();
}
