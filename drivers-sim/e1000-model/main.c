/* The e1000-model component: the device on the bus.
 *
 * Arguments: NIC [MAC]. The regions NIC.bar, NIC.rings and NIC.frames are its register space and
 * DMA windows; the inherited descriptor NIC is its wire. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "host.h"
#include "libsys/if/device.h"
#include "libsys/sys.h"

enum bit { BIT_WIRE = 0, BIT_TIMER = 1 };

SYS_NEEDS(region, "${1:-nic0}.bar");
SYS_NEEDS(region, "${1:-nic0}.rings");
SYS_NEEDS(region, "${1:-nic0}.frames");

static char nic[32] = "nic0";
static uint8_t mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
static struct device device;
static endpoint_t driver;       /* who used the device last: interrupts go there */
static unsigned watched_events; /* of the wire */
static bool wire_is_open;

void host_interrupt(void) {
  if (driver) sys_notify(driver, DEVICE_IRQ);
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

static void *map(const char *part, uint32_t least, uint32_t *bytes) {
  char name[48];
  size_t size;
  snprintf(name, sizeof(name), "%s.%s", nic, part);
  void *base = sys_region(name, &size);
  if (!base) {
    sys_log("region %s: %s", name, strerror(errno));
  } else if (size < least) {
    sys_log("region %s: %zu bytes are too few, %u are needed", name, size, least);
    base = NULL;
  }
  *bytes = size;
  return base;
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
  uint32_t *bar = map("bar", E1000_BAR_BYTES, &bar_bytes);
  windows[DMA_RINGS].base = map("rings", 4096, &windows[DMA_RINGS].bytes);
  windows[DMA_FRAMES].base = map("frames", 4096, &windows[DMA_FRAMES].bytes);
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

static void process_notification(const msg_t *m) {
  if (m->source != SYS_KERNEL) {
    driver = m->source;
    if (m->bits & DEVICE_DOORBELL) device_look(&device);
    return;
  }
  if (m->bits & 1u << BIT_WIRE) {
    if (device.wire.blocked) device_wire_writable(&device);
    device_wire_readable(&device);
  }
  if (m->bits & 1u << BIT_TIMER) device_timer(&device);
}

static void process_msg(const msg_t *m) {
  msg_t reply = {.type = m->type | SYS_REPLY_FLAG};
  switch (m->type) {
  case SYS_NOTIFIED:
    process_notification(m);
    return;
  case SYS_EXITED:
  case SYS_RESTARTED:
    return; /* a driver that comes back resets the device, as on any machine */
  case DEVICE_READ:
    driver = m->source;
    IPC_REPLY(&reply, device_read)->value = device_read(&device, IPC(m, device_read)->reg);
    break;
  case DEVICE_WRITE:
    driver = m->source;
    device_write(&device, IPC(m, device_write)->reg, IPC(m, device_write)->value);
    break;
  default:
    if (m->type & SYS_REPLY_FLAG) return;
    reply.status = -ENOSYS;
    break;
  }
  sys_reply(m->token, &reply);
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
    process_msg(&m);
    watch_wire();
  }
}
