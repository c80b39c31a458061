#include "kernel.h"

#include "libsys/kern.h"

int kernel_segment_make(uint64_t bytes, uint32_t *id) {
  struct kern_args args = {.m = {.type = KERN_SEGMENT_MAKE, .u64 = {bytes}}, .fd_out = -1};
  int error = kern_call(&args);
  *id = args.m.u32[0];
  return error;
}

int kernel_segment_share(uint32_t id, endpoint_t with, uint32_t rights, uint32_t *incarnation) {
  struct kern_args args = {.m = {.type = KERN_SEGMENT_SHARE, .u32 = {id, (uint32_t)with, rights}},
                           .fd_out = -1};
  int error = kern_call(&args);
  if (!error && incarnation) *incarnation = args.m.u32[0];
  return error;
}

void kernel_segment_drop(uint32_t id) {
  struct kern_args args = {.m = {.type = KERN_SEGMENT_DROP, .u32 = {id}}, .fd_out = -1};
  kern_call(&args);
}

int kernel_end(endpoint_t holder, uint32_t incarnation) {
  struct kern_args args = {.m = {.type = KERN_END, .u32 = {(uint32_t)holder, incarnation}},
                           .fd_out = -1};
  return kern_call(&args);
}
