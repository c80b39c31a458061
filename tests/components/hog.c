/* Component: computes.
 *
 *   hog             a plain program that never does anything else
 *   hog MS          at each turn of its event loop it computes for so long, in CPU time */
#include <stdlib.h>
#include <time.h>

#include "libsys/sys.h"

static volatile uint64_t loops;
static uint64_t turns;

static uint64_t used_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void compute(uint64_t ms) {
  for (uint64_t end = used_ns() + ms * 1000000u; used_ns() < end;)
    for (unsigned i = 0; i < 10000; i++)
      loops++;
}

static int init(const sys_init_t *info) {
  (void)info;
  return sys_alarm(0, 1);
}

int main(int argc, char **argv) {
  event_eh_t handlers = {.init = init};
  sys_startup(argc > 1 ? &handlers : NULL);
  if (argc < 2)
    for (;;)
      compute(1000);
  while (1) {
    msg_t m;
    sys_receive(&m);
    turns++;
    compute((uint64_t)atoi(argv[1]));
    sys_alarm(0, 1);
  }
}
