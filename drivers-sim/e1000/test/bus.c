#include "bus.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../e1000-model/host.h"
#include "drivers-sim/82540em.h"
#include "drivers-sim/test-component.h"
#include "libsys/if/device.h"
#include "libsys/sys.h"

struct bus bus;

static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
/* The device's surroundings. */
void host_interrupt(void) {
  bus.driver_bits |= DEVICE_IRQ;
}

void host_timer(uint64_t at_us) {
  bus.timer_us = at_us;
}

uint64_t host_now_us(void) {
  return bus.now_us;
}

void host_complain(const char *what) {
  ck_abort_msg("the device complains: %s", what);
}

/* libsys, for the driver. */
int sys_sendrec(endpoint_t dst, msg_t *m) {
  ck_assert_int_eq(dst, MODEL);
  if (bus.device_dead) return -SYS_EDEADSRCDST;
  bus.device_calls++;
  msg_t reply = {.type = m->type | SYS_REPLY_FLAG};
  if (m->type == DEVICE_READ)
    IPC_REPLY(&reply, device_read)->value = device_read(&bus.device, IPC(m, device_read)->reg);
  else
    device_write(&bus.device, IPC(m, device_write)->reg, IPC(m, device_write)->value);
  *m = reply;
  return 0;
}

int sys_notify(endpoint_t dst, uint64_t bits) {
  if (dst == MODEL)
    bus.doorbell = true;
  else if (dst == SERVER)
    bus.server_bits |= bits;
  else
    ck_abort_msg("a notification of %d", dst);
  return 0;
}

int sys_reply(uint64_t token, const msg_t *m) {
  (void)token;
  bus.reply = *m;
  return 0;
}

endpoint_t sys_lookup(const char *name) {
  return strcmp(name, "e1000-model") == 0 ? MODEL : -ENOENT;
}

void *sys_region(const char *name, size_t *bytes) {
  *bytes = 65536;
  if (strcmp(name, "nic0.rings") == 0) return bus.rings;
  *bytes = NIC_FRAMES_BYTES;
  if (strcmp(name, "nic0.frames") == 0) return bus.frames;
  *bytes = E1000_BAR_BYTES;
  if (strcmp(name, "nic0.bar") == 0) return bus.bar;
  errno = ENOENT;
  return NULL;
}

void sys_log(const char *fmt, ...) {
  (void)fmt;
}

uint64_t sys_time_us(void) {
  return bus.now_us;
}

static void power_on(int fd) {
  struct dma_window windows[DMA_WINDOWS] = {
      [DMA_RINGS] = {bus.rings, 65536}, [DMA_FRAMES] = {bus.frames, NIC_FRAMES_BYTES}};
  memset(&bus.device, 0, sizeof(bus.device));
  ck_assert_int_eq(wire_open(&bus.device.wire, fd), 0);
  device_init(&bus.device, bus.bar, windows, mac);
}

void bus_setup(void) {
  int fds[2];
  memset(&bus, 0, sizeof(bus));
  bus.now_us = 1000;
  bus.bar = calloc(1, E1000_BAR_BYTES);
  bus.rings = aligned_alloc(4096, 65536);
  bus.frames = aligned_alloc(4096, NIC_FRAMES_BYTES);
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  bus.peer = fds[1];
  power_on(fds[0]);
}

void bus_teardown(void) {
  close(bus.device.wire.fd);
  if (bus.peer >= 0) close(bus.peer);
  free(bus.bar);
  free(bus.rings);
  free(bus.frames);
}

void bus_restart_device(void) {
  power_on(bus.device.wire.fd);
  bus.driver_bits = 0;
  bus.device_dead = bus.doorbell = false;
}

int32_t bus_request(msg_t m) {
  m.source = SERVER;
  component_receive(m);
  ck_assert_uint_eq(bus.reply.type, m.type | SYS_REPLY_FLAG);
  return bus.reply.status;
}

bool bus_run_model(void) {
  struct device *d = &bus.device;
  bool ran = bus.doorbell;
  bus.doorbell = false;
  if (ran) device_look(d);
  if (bus.timer_us) {
    bus.now_us = bus.now_us < bus.timer_us ? bus.timer_us : bus.now_us;
    bus.timer_us = 0;
    device_timer(d);
    ran = true;
  }
  struct pollfd p = {.fd = d->wire.fd,
                     .events = (device_wants_read(d) ? POLLIN : 0) |
                               (device_wants_write(d) ? POLLOUT : 0)};
  if (d->wire.closed || !p.events || poll(&p, 1, 0) <= 0) return ran;
  if (p.revents & POLLOUT) device_wire_writable(d);
  if (p.revents & ~POLLOUT) device_wire_readable(d);
  return true;
}

bool bus_run_driver(void) {
  msg_t m = {.type = SYS_NOTIFIED};
  if (bus.driver_bits) {
    m.source = MODEL;
    m.bits = bus.driver_bits;
    bus.driver_bits = 0;
  } else if (bus.queue_bits) {
    m.source = SERVER;
    m.bits = bus.queue_bits;
    bus.queue_bits = 0;
  } else {
    return false;
  }
  component_receive(m);
  return true;
}

void bus_settle(void) {
  for (int i = 0; i < 10000; i++)
    if (!bus_run_model() && !bus_run_driver()) return;
  ck_abort_msg("driver and device never rest");
}

uint64_t bus_take_server_bits(void) {
  uint64_t bits = bus.server_bits;
  bus.server_bits = 0;
  return bits;
}
