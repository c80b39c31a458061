/* Component: measures the round trip of sys_sendrec() to component `echo`.
 *
 * Logs "round NANOSECONDS" a round, the mean over its calls, then "done".
 *   bench-caller ROUNDS CALLS */
#include <stdlib.h>
#include <time.h>

#include "libsys/sys.h"

#define ECHO_REQUEST 0xa00

static uint64_t now_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int call(endpoint_t echo, unsigned calls) {
  for (unsigned i = 0; i < calls; i++) {
    msg_t m = {.type = ECHO_REQUEST};
    m.u32[0] = i;
    int r = sys_sendrec(echo, &m);
    if (r == 0 && (m.status != 0 || m.u32[0] != i)) r = -1;
    if (r < 0) {
      sys_log("call %u failed: %d", i, r);
      return r;
    }
  }
  return 0;
}

static void measure(unsigned rounds, unsigned calls) {
  endpoint_t echo = sys_lookup("echo");
  if (call(echo, calls / 10 + 1) < 0) return; /* warm up */
  for (unsigned r = 0; r < rounds; r++) {
    uint64_t t = now_ns();
    if (call(echo, calls) < 0) return;
    sys_log("round %.1f", (double)(now_ns() - t) / calls);
  }
  sys_log("done");
}

int main(int argc, char **argv) {
  event_eh_t handlers = {0};
  sys_startup(&handlers);
  if (argc == 3) measure((unsigned)atoi(argv[1]), (unsigned)atoi(argv[2]));
  while (1) {
    msg_t m;
    sys_receive(&m);
  }
}
