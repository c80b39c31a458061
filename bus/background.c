#include "bus/background.h"

#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Longer than the default, which is all that counts for those that wake up; those that are waiting
 * already are made to wait until its end. */
#define LONG_SLICE_NS 10000000

/* struct sched_attr of linux/sched/types.h, which cannot be included beside sched.h. */
struct attributes {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime_ns, deadline_ns, period_ns; /* runtime_ns: the slice; 0: the kernel's default */
};

void background_set(pid_t pid, bool background) {
  struct attributes a = {.size = sizeof(a)};
  /* Those of other policies have no slices. */
  if (syscall(SYS_sched_getattr, pid, &a, sizeof(a), 0) < 0 || a.policy != SCHED_OTHER) return;
  a.runtime_ns = background ? LONG_SLICE_NS : 0;
  syscall(SYS_sched_setattr, pid, &a, 0);
}
