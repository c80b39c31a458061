/* Component: a plain program that maps the grant whose number is its argument, as soon as it is
 * there, adds one to its first byte, and unmaps it. */
#include <errno.h>
#include <stdlib.h>

#include "libsys/area.h"
#include "libsys/sys.h"

enum { LOOK_AGAIN_US = 10000 };

int main(int argc, char **argv) {
  struct sys_area area = {0};
  msg_t m;
  int error;
  sys_startup(NULL);
  while ((error = sys_area_map(argc > 1 ? (uint32_t)atoi(argv[1]) : 0, &area)) == -ENOENT) {
    sys_alarm(0, sys_time_us() + LOOK_AGAIN_US);
    sys_receive(&m);
  }
  if (error) {
    sys_log("error %d", error);
    return 1;
  }
  uint8_t seen = area.address[0];
  area.address[area.bytes - 1] = ++area.address[0];
  size_t bytes = area.bytes;
  error = sys_area_unmap(&area);
  sys_log("saw %u, bytes %zu, unmapped %d", seen, bytes, error);
  return 0;
}
