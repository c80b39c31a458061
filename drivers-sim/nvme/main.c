/* The nvme component: driver of an NVMe controller's first namespace, for one block client
 * (libsys/if/disk.h).
 *
 * Arguments: DISK [MODEL [TIMEOUT-MS [trace-registers]]]. DISK names the device's regions, MODEL
 * the component that simulates it; a command that takes longer than the time-out has the controller
 * reset. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "libsys/sys.h"

SYS_NEEDS(region, "${1:-disk0}.bar");
SYS_NEEDS(region, "${1:-disk0}.rings");
SYS_NEEDS(region, "${1:-disk0}.frames");
SYS_NEEDS(call, "${2:-nvme-model}");

enum { TIMEOUT_MS = 2000 };

struct driver driver;
static char disk[32] = "disk0";
static char model[32] = "nvme-model";
static bool trace_registers;

static int open_device(void) {
  int r = hw_open(&driver.hw, disk, model, trace_registers);
  if (r < 0) {
    sys_log("can't open device %s of component %s: %s", disk, model, strerror(-r));
    return r;
  }
  bool large_enough = driver.hw.bar_bytes >= NVME_BAR_BYTES &&
                      driver.hw.windows[DMA_RINGS].bytes >= RINGS_BYTES &&
                      driver.hw.windows[DMA_FRAMES].bytes >= DISK_PAGES_OFFSET + DISK_PAGE_BYTES;
  if (large_enough) return 0;
  sys_log("a region of device %s is too small: bar needs %u bytes, rings %u, frames %u", disk,
          NVME_BAR_BYTES, RINGS_BYTES, DISK_PAGES_OFFSET + DISK_PAGE_BYTES);
  return -ENOSPC;
}

static int init(const sys_init_t *info) {
  (void)info;
  int r = open_device();
  if (r < 0) return r;
  client_rings_init();
  r = controller_start();
  if (r < 0) sys_log("device %s does not come up: %s", disk, sys_strerror(r));
  return 0; /* it may come up later */
}

static int live_update(const sys_init_t *info) {
  (void)info;
  const struct controller *c = &driver.controller;
  bool sane = c->io.tail < QUEUE_ENTRIES && c->io.head < QUEUE_ENTRIES &&
              driver.hw.windows[DMA_RINGS].bytes >= RINGS_BYTES;
  return c->state == CONTROLLER_DOWN || sane ? 0 : -EINVAL;
}

static void turn(void) {
  command_reap();
  client_pump();
  recovery_arm();
}

/* The device went on while the versions changed places; an interrupt that it raised is still
 * announced, but the old version may have died between taking it and acting on it. */
static void committed(const sys_init_t *info) {
  (void)info;
  turn();
}

/* The device is shut down in order, which keeps what was written (7.6.2). */
static void shut_down(void) {
  if (driver.controller.state != CONTROLLER_READY) return;
  uint32_t cc = hw_read(&driver.hw, NVME_CC);
  hw_write_effect(&driver.hw, NVME_CC, cc | NVME_CC_SHN_NORMAL);
}

/* The device must not touch the pages of a client that is gone, or begins again. */
static int drop_client(void) {
  int r = driver.ncommands ? controller_start() : 0;
  command_forget_all();
  driver.client = 0;
  return r;
}

static int start(endpoint_t client, msg_t *reply) {
  int r = drop_client();
  client_rings_init();
  driver.client = client;
  if (!r && driver.controller.state != CONTROLLER_READY) r = controller_start();
  if (r) return -EIO;
  IPC_REPLY(reply, disk_start)->blocks = driver.controller.blocks;
  IPC_REPLY(reply, disk_start)->block_bytes = 1u << driver.controller.block_shift;
  IPC_REPLY(reply, disk_start)->lost = driver.controller.lost_power;
  driver.controller.lost_power = false;
  return 0;
}

static void fill_info(msg_t *reply) {
  struct disk_info_reply *i = IPC_REPLY(reply, disk_info);
  i->blocks = driver.controller.blocks;
  i->reads = driver.counters.reads;
  i->writes = driver.counters.writes;
  i->flushes = driver.counters.flushes;
  i->errors = driver.counters.errors;
  i->resets = driver.counters.resets;
  i->under_way = driver.ncommands;
}

/* It may be up again already, if it was tried before the news came. */
static void device_restarted(void) {
  if (driver.controller.state != CONTROLLER_READY || controller_is_fresh()) recovery_restart();
}

static void peer_changed(endpoint_t peer, bool restarted) {
  if (peer == driver.client)
    drop_client();
  else if (peer == driver.hw.model && restarted)
    device_restarted();
  else if (peer == driver.hw.model)
    driver.controller.state = CONTROLLER_DOWN;
}

static void process_msg(const msg_t *m) {
  msg_t reply = {.type = m->type | SYS_REPLY_FLAG};
  switch (m->type) {
  case SYS_NOTIFIED:
    if (m->source == SYS_KERNEL && m->bits & 1u << BIT_TIMEOUT) recovery_alarm();
    return;
  case SYS_EXITED:
  case SYS_RESTARTED:
    peer_changed(m->i32[0], m->type == SYS_RESTARTED);
    return;
  case DISK_START:
    reply.status = start(m->source, &reply);
    break;
  case DISK_DO:
    reply.status =
        m->source == driver.client ? client_do(IPC(m, disk_do)->record, m->token) : -EPERM;
    if (!reply.status) return; /* answered when it is done */
    break;
  case DISK_INFO:
    fill_info(&reply);
    break;
  default:
    if (m->type & SYS_REPLY_FLAG) return;
    reply.status = -ENOSYS;
    break;
  }
  sys_reply(m->token, &reply);
}

static bool parse_timeout(const char *text) {
  char *end;
  unsigned long ms = strtoul(text, &end, 10);
  driver.timeout_us = ms * 1000ull;
  return *text >= '0' && *text <= '9' && !*end && ms > 0 && ms <= UINT32_MAX;
}

static int parse_arguments(int argc, char **argv) {
  driver.timeout_us = TIMEOUT_MS * 1000ull;
  if (argc > 1) snprintf(disk, sizeof(disk), "%s", argv[1]);
  if (argc > 2) snprintf(model, sizeof(model), "%s", argv[2]);
  trace_registers = argc > 4 && strcmp(argv[4], "trace-registers") == 0;
  return argc < 4 || parse_timeout(argv[3]) ? 0 : -EINVAL;
}

int main(int argc, char **argv) {
  if (parse_arguments(argc, argv) < 0) {
    fprintf(stderr, "nvme: the time-out '%s' is no number of milliseconds\n", argv[3]);
    return 2;
  }
  event_eh_t handlers = {
      .init = init, .live_update = live_update, .committed = committed, .shutdown = shut_down};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    process_msg(&m);
    turn();
  }
}
