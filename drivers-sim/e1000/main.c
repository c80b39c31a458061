/* The e1000 component: driver of an Intel 82540EM, for one network server (libsys/if/nic.h).
 *
 * Arguments: NIC [MODEL [trace-registers]]. NIC names the device's regions, MODEL the component
 * that simulates it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "libsys/sys.h"

SYS_NEEDS(region, "${1:-nic0}.bar");
SYS_NEEDS(region, "${1:-nic0}.rings");
SYS_NEEDS(region, "${1:-nic0}.frames");
SYS_NEEDS(call, "${2:-e1000-model}");

static char nic[32] = "nic0";
static char model[32] = "e1000-model";
static bool trace_registers;

static uint64_t mac_value(void) {
  uint64_t value = 0;
  memcpy(&value, driver.mac, sizeof(driver.mac));
  return value;
}

static int open_device(void) {
  int r = hw_open(&driver.hw, nic, model, trace_registers);
  if (r < 0) return r;
  const struct hw *hw = &driver.hw;
  bool large_enough = hw->bar_bytes >= E1000_BAR_BYTES &&
                      hw->windows[DMA_RINGS].bytes >= 2 * RING_DESCRIPTORS * 16 &&
                      hw->windows[DMA_FRAMES].bytes >= NIC_FRAMES_BYTES;
  return large_enough ? 0 : -ENOSPC;
}

static int init(const sys_init_t *info) {
  (void)info;
  int r = open_device();
  if (r == -ENOSPC) {
    sys_log("a region of device %s is too small: bar needs %u bytes, rings %u, frames %u", nic,
            E1000_BAR_BYTES, 2u * RING_DESCRIPTORS * 16, NIC_FRAMES_BYTES);
    return r;
  }
  if (r < 0) {
    sys_log("can't open device %s of component %s: %s", nic, model, strerror(-r));
    return r;
  }
  driver.tx_slots = calloc(RING_DESCRIPTORS, sizeof(*driver.tx_slots));
  driver.rx_slots = calloc(RING_DESCRIPTORS, sizeof(*driver.rx_slots));
  if (!driver.tx_slots || !driver.rx_slots) return -ENOMEM;
  server_queues_init();
  r = card_init();
  if (r < 0) sys_log("device %s does not come up (%d)", nic, r);
  return r;
}

static int live_update(const sys_init_t *info) {
  (void)info;
  return driver_live_update();
}

/* An interrupt: the rings first, so that the server can begin; then the cause, and the rings again
 * for what was done before the cause was cleared. */
static void interrupt(void) {
  uint32_t cause;
  driver.counters.interrupts++;
  server_pump();
  if (!card_interrupt_cause(&cause)) return;
  if (cause == 0) note_spurious();
  if (cause & E1000_ICR_LSC) card_update_link();
  server_pump();
}

/* The device went on while the versions changed places; an interrupt that it raised is still
 * announced, but the old version may have died between taking it and acting on it. */
static void committed(const sys_init_t *info) {
  (void)info;
  interrupt();
}

static void shut_down(void) {
  if (driver.device_ready) card_stop();
  log_counters();
}

/* The server begins, or begins again: all buffers are its own. While the device is dead the link is
 * down, and frames move once it is back. */
static int start(endpoint_t server) {
  int r = driver.device_ready ? card_stop() : 0;
  if (r < 0) return r;
  server_queues_init();
  server_started(server);
  if (!driver.server) return -ENOMEM;
  driver.tx.next = driver.tx.clean = driver.rx.next = driver.rx.clean = 0;
  if (!driver.device_ready) return 0;
  r = card_start(false);
  if (r == 0) server_pump();
  return r;
}

static void peer_gone(endpoint_t peer) {
  if (driver.server && peer == driver.server->endpoint) {
    if (driver.device_ready) card_stop();
    server_gone();
  } else if (peer == driver.hw.model) {
    card_lost();
  }
}

/* The device starts afresh: it forgot its rings, so what it was to send is lost. */
static void device_restarted(void) {
  int r = card_init();
  if (r == 0 && driver.server) r = card_start(true);
  if (r < 0) sys_log("device %s does not come back (%d)", nic, r);
  server_look_again();
  server_pump();
}

static void fill_start_reply(msg_t *reply) {
  IPC_REPLY(reply, nic_start)->mac = mac_value();
  IPC_REPLY(reply, nic_start)->mtu = MTU;
  IPC_REPLY(reply, nic_start)->link = driver.link;
}

static void fill_info_reply(msg_t *reply) {
  IPC_REPLY(reply, nic_info)->mac = mac_value();
  IPC_REPLY(reply, nic_info)->mtu = MTU;
  IPC_REPLY(reply, nic_info)->link = driver.link;
  IPC_REPLY(reply, nic_info)->rx_frames = driver.counters.rx_frames;
  IPC_REPLY(reply, nic_info)->tx_frames = driver.counters.tx_frames;
}

static void process_notification(const msg_t *m) {
  if (hw_is_interrupt(&driver.hw, m))
    interrupt();
  else if (driver.server && m->source == driver.server->endpoint)
    server_pump();
}

static void process_msg(const msg_t *m) {
  msg_t reply = {.type = m->type | SYS_REPLY_FLAG};
  switch (m->type) {
  case SYS_NOTIFIED:
    process_notification(m);
    return;
  case SYS_EXITED:
    peer_gone(m->i32[0]);
    return;
  case SYS_RESTARTED:
    peer_gone(m->i32[0]);
    if (m->i32[0] == driver.hw.model) device_restarted();
    return;
  case NIC_START:
    reply.status = start(m->source);
    fill_start_reply(&reply);
    break;
  case NIC_INFO:
    fill_info_reply(&reply);
    break;
  case NIC_MULTICAST:
    reply.status = server_multicast(IPC(m, nic_multicast)->mac, IPC(m, nic_multicast)->join);
    break;
  default:
    if (m->type & SYS_REPLY_FLAG) return;
    reply.status = -ENOSYS;
    break;
  }
  sys_reply(m->token, &reply);
}

int main(int argc, char **argv) {
  if (argc > 1) snprintf(nic, sizeof(nic), "%s", argv[1]);
  if (argc > 2) snprintf(model, sizeof(model), "%s", argv[2]);
  trace_registers = argc > 3 && strcmp(argv[3], "trace-registers") == 0;
  event_eh_t handlers = {
      .init = init, .live_update = live_update, .committed = committed, .shutdown = shut_down};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    process_msg(&m);
  }
}
