#include "bus/affinity.h"

#include <errno.h>
#include <sched.h>

uint64_t affinity_get(void) {
  cpu_set_t set;
  uint64_t cpus = 0;
  if (sched_getaffinity(0, sizeof(set), &set) < 0) return 1;
  for (int i = 0; i < 64; i++)
    if (CPU_ISSET(i, &set)) cpus |= 1ull << i;
  return cpus;
}

int affinity_set(pid_t pid, uint64_t cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int i = 0; i < 64; i++)
    if (cpus >> i & 1) CPU_SET(i, &set);
  return sched_setaffinity(pid, sizeof(set), &set) < 0 ? -errno : 0;
}
