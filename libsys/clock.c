/* What comes from the bus besides messages: time, alarms, watches, randomness. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libsys/kern.h"
#include "libsys/runtime.h"

uint64_t sys_time_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t sys_wall_time_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void sys_random(void *buf, size_t len) {
  if (len > 256) runtime_die("sys_random: %zu bytes asked for, at most 256 allowed", len);
  struct kern_args args = {
      .m = {.type = KERN_RANDOM, .u32 = {(uint32_t)len}}, .fd_out = -1, .in = buf, .in_cap = len};
  int error = kern_call(&args);
  /* A component that goes on with predictable bytes is worse than one that stops. */
  if (error || args.m.payload < len) runtime_die("sys_random: no randomness from the bus");
}

int sys_alarm(unsigned bit, uint64_t at_us) {
  if (bit > 63) return -EINVAL;
  if (!runtime.live) return -SYS_ENOTLIVE;
  struct kern_args args = {.m = {.type = KERN_ALARM}, .fd_out = -1};
  args.m.u32[0] = bit;
  args.m.u64[1] = at_us;
  return kern_call(&args);
}

int sys_watch(int fd, unsigned events, unsigned bit) {
  if (bit > 63) return -EINVAL;
  if (!runtime.live) return -SYS_ENOTLIVE;
  struct kern_args args = {.m = {.type = KERN_WATCH}, .fd_out = events ? fd : -1};
  args.m.i32[0] = fd;
  args.m.u32[1] = events;
  args.m.u32[2] = bit;
  return kern_call(&args);
}

int sys_close(int fd) {
  if (!runtime.live) return -SYS_ENOTLIVE;
  /* busd holds a duplicate of a watched descriptor: without this the peer would not see EOF. */
  int error = sys_watch(fd, 0, 0);
  if (error && error != -ENOENT) return error;
  return close(fd) == 0 ? 0 : -errno;
}
