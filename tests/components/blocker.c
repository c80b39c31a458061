/* Adds to the counter without a pause, in calls that wait. A plain program, without an event loop.
 */
#include "libsys/sys.h"
#include "tests/components/counter.h"

int main(void) {
  sys_startup(NULL);
  endpoint_t counter = sys_lookup("counter");
  while (1) {
    msg_t m = {.type = COUNTER_ADD};
    IPC(&m, counter_add)->amount = 1;
    sys_sendrec(counter, &m);
  }
}
