#include "state.h"

#include <inttypes.h>

#include "libsys/sys.h"

struct driver driver;

void note_turn(unsigned sent, unsigned received) {
  driver.counters.tx_frames += sent;
  driver.counters.rx_frames += received;
}

void note_spurious(void) {
  driver.counters.spurious++;
}

void log_counters(void) {
  sys_log("%" PRIu64 " frames sent, %" PRIu64 " received, %" PRIu64 " interrupts, %u spurious",
          driver.counters.tx_frames, driver.counters.rx_frames, driver.counters.interrupts,
          driver.counters.spurious);
}
