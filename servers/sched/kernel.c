#include "kernel.h"

#include <errno.h>

#include "libsys/kern.h"

int kernel_tasks(struct kern_task *list, unsigned max) {
  struct kern_args args = {
      .m = {.type = KERN_TASKS}, .fd_out = -1, .in = list, .in_cap = max * sizeof(*list)};
  int error = kern_call(&args);
  if (error) return error;
  if (args.m.payload % sizeof(*list) || args.m.payload > max * sizeof(*list)) return -EPROTO;
  return (int)(args.m.payload / sizeof(*list));
}

static int call(msg_t m) {
  struct kern_args args = {.m = m, .fd_out = -1};
  return kern_call(&args);
}

int kernel_set_priority(endpoint_t e, uint32_t incarnation, uint32_t priority) {
  return call((msg_t){.type = KERN_PRIORITY, .u32 = {(uint32_t)e, incarnation, priority}});
}

int kernel_preempt(endpoint_t e, uint32_t incarnation, uint32_t ms) {
  return call((msg_t){.type = KERN_PREEMPT, .u32 = {(uint32_t)e, incarnation, ms}});
}

int kernel_place(endpoint_t e, uint32_t incarnation, uint64_t cpus) {
  msg_t m = {.type = KERN_PLACE, .u32 = {(uint32_t)e, incarnation}};
  m.u64[1] = cpus;
  return call(m);
}
