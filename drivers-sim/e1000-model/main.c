/* The e1000-model component: the device on the bus.
 *
 * Arguments: NIC [MAC]. The regions NIC.bar, NIC.rings and NIC.frames are its register space and
 * DMA windows; the inherited descriptor NIC is its wire. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "drivers-sim/hw_model.h"
#include "host.h"
#include "libsys/sys.h"

enum bit { BIT_WIRE = 0, BIT_TIMER = 1 };

SYS_NEEDS(region, "${1:-nic0}.bar");
SYS_NEEDS(region, "${1:-nic0}.rings");
SYS_NEEDS(region, "${1:-nic0}.frames");

static char nic[32] = "nic0";
static uint8_t mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
static struct device device;
static unsigned watched_events; /* of the wire */
static bool wire_is_open;

void host_interrupt(void) {
  hw_model_interrupt();
}

void host_timer(uint64_t at_us) {
  sys_alarm(BIT_TIMER, at_us);
}

uint64_t host_now_us(void) {
  return sys_time_us();
}

void host_complain(const char *what) {
  sys_log("the driver of %s is wrong: %s", nic, what);
}

/* Watches for what the device can use now; that is the back-pressure on the wire. */
static void watch_wire(void) {
  if (!wire_is_open) return;
  if (device.wire.closed) {
    sys_log("the wire of %s has no peer any more", nic);
    sys_close(device.wire.fd);
    wire_is_open = false;
    return;
  }
  unsigned events = (device_wants_read(&device) ? SYS_WATCH_READ : 0) |
                    (device_wants_write(&device) ? SYS_WATCH_WRITE : 0);
  if (events == watched_events) return;
  watched_events = events;
  sys_watch(device.wire.fd, events, BIT_WIRE);
}

static void plug_wire(void) {
  int fd = sys_inherited(nic);
  int r = fd < 0 ? fd : wire_open(&device.wire, fd);
  wire_is_open = r == 0;
  device.wire.closed = !wire_is_open;
  if (r < 0) sys_log("%s has no wire: %s", nic, strerror(-r));
}

static int init(const sys_init_t *info) {
  (void)info;
  struct dma_window windows[DMA_WINDOWS] = {{0}};
  uint32_t bar_bytes;
  uint32_t *bar = hw_model_region(nic, "bar", E1000_BAR_BYTES, &bar_bytes);
  windows[DMA_RINGS].base = hw_model_region(nic, "rings", 4096, &windows[DMA_RINGS].bytes);
  windows[DMA_FRAMES].base = hw_model_region(nic, "frames", 4096, &windows[DMA_FRAMES].bytes);
  if (!bar || !windows[DMA_RINGS].base || !windows[DMA_FRAMES].base) return -ENOENT;
  plug_wire();
  device_init(&device, bar, windows, mac);
  watch_wire();
  return 0;
}

/* What happened while the versions changed places is looked at once more. */
static void committed(const sys_init_t *info) {
  (void)info;
  device_look(&device);
  device_timer(&device);
  device_wire_readable(&device);
  watch_wire();
}

uint32_t model_read(uint32_t reg) {
  return device_read(&device, reg);
}

void model_write(uint32_t reg, uint32_t value) {
  device_write(&device, reg, value);
}

void model_doorbell(void) {
  device_look(&device);
}

static void rang(uint64_t bits) {
  if (bits & 1u << BIT_WIRE) {
    if (device.wire.blocked) device_wire_writable(&device);
    device_wire_readable(&device);
  }
  if (bits & 1u << BIT_TIMER) device_timer(&device);
}

static int parse_arguments(int argc, char **argv) {
  unsigned b[6];
  if (argc > 1) snprintf(nic, sizeof(nic), "%s", argv[1]);
  if (argc < 3) return 0;
  if (sscanf(argv[2], "%2x:%2x:%2x:%2x:%2x:%2x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
    return -EINVAL;
  for (int i = 0; i < 6; i++)
    mac[i] = b[i];
  return 0;
}

int main(int argc, char **argv) {
  if (parse_arguments(argc, argv) < 0) {
    fprintf(stderr, "e1000-model: %s is not a MAC address\n", argv[2]);
    return 2;
  }
  event_eh_t handlers = {.init = init, .committed = committed};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    if (m.type == SYS_NOTIFIED && m.source == SYS_KERNEL)
      rang(m.bits);
    else
      hw_model_serve(&m);
    watch_wire();
  }
}
