#include "harness.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../host.h"

struct table table;
const uint8_t table_mac[6] = {0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF};

void host_interrupt(void) {
  table.interrupts++;
}

void host_timer(uint64_t at_us) {
  table.timer_us = at_us;
}

uint64_t host_now_us(void) {
  return table.now_us;
}

void host_complain(const char *what) {
  (void)what;
  table.complaints++;
}

void table_setup(void) {
  int fds[2];
  memset(&table, 0, sizeof(table));
  table.now_us = 1000000;
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  table.peer = fds[1];
  ck_assert_int_eq(wire_open(&table.device.wire, fds[0]), 0);
  struct dma_window windows[DMA_WINDOWS] = {
      [DMA_RINGS] = {table.rings, RINGS_BYTES}, [DMA_FRAMES] = {table.frames, FRAMES_BYTES}};
  device_init(&table.device, table.bar, windows, table_mac);
}

void table_teardown(void) {
  close(table.device.wire.fd);
  if (table.peer >= 0) close(table.peer);
}

uint32_t get(uint32_t reg) {
  return device_read(&table.device, reg);
}

void set(uint32_t reg, uint32_t value) {
  device_write(&table.device, reg, value);
}

void post(uint32_t reg, uint32_t value) {
  table.bar[reg / 4] = value;
}

void clock_to(uint64_t now_us) {
  table.now_us = now_us;
  if (!table.timer_us || table.timer_us > now_us) return;
  table.timer_us = 0;
  device_timer(&table.device);
}

static void form_ring(uint32_t base, uint32_t at, uint32_t n) {
  memset(table.rings + at, 0, n * 16);
  post(base, at);
  post(base + (E1000_RDBAH - E1000_RDBAL), DMA_RINGS);
  post(base + (E1000_RDLEN - E1000_RDBAL), n * 16);
  post(base + (E1000_RDH - E1000_RDBAL), 0);
  post(base + (E1000_RDT - E1000_RDBAL), 0);
}

void start(uint32_t n, uint32_t rctl, uint32_t tctl) {
  form_ring(E1000_RDBAL, RX_AT, n);
  form_ring(E1000_TDBAL, TX_AT, n);
  set(E1000_CTRL, E1000_CTRL_SLU);
  set(E1000_RCTL, E1000_RCTL_EN | rctl);
  set(E1000_TCTL, E1000_TCTL_EN | tctl);
  get(E1000_ICR);
  table.interrupts = 0;
}

struct e1000_rx_desc *rx_desc(uint32_t i) {
  return (struct e1000_rx_desc *)(table.rings + RX_AT) + i;
}

struct e1000_tx_desc *tx_desc(uint32_t i) {
  return (struct e1000_tx_desc *)(table.rings + TX_AT) + i;
}

uint8_t *rx_buffer(uint32_t i) {
  return table.frames + i * 2048;
}

void give_rx(uint32_t i) {
  *rx_desc(i) = (struct e1000_rx_desc){.address = dma_address(DMA_FRAMES, i * 2048)};
}

void put_tx(uint32_t i, uint32_t bytes, uint8_t fill, uint8_t command) {
  uint32_t at = FRAMES_BYTES / 2 + i * 2048;
  memset(table.frames + at, fill, bytes);
  *tx_desc(i) = (struct e1000_tx_desc){
      .address = dma_address(DMA_FRAMES, at), .length = bytes, .command = command};
}

void peer_send(const uint8_t *to, uint32_t bytes, uint8_t fill) {
  uint8_t data[4 + 65536];
  data[0] = bytes >> 24, data[1] = bytes >> 16, data[2] = bytes >> 8, data[3] = bytes;
  memset(data + 4, fill, bytes);
  if (bytes >= 6) memcpy(data + 4, to, 6);
  ck_assert_int_eq(write(table.peer, data, bytes + 4), bytes + 4);
}

static bool read_whole(uint8_t *to, uint32_t bytes) {
  uint32_t have = 0;
  while (have < bytes) {
    ssize_t n = recv(table.peer, to + have, bytes - have, MSG_DONTWAIT);
    if (n <= 0) {
      /* The rest of a frame may still be with the device. */
      if (have == 0 || !device_wants_write(&table.device)) break;
      device_wire_writable(&table.device);
      continue;
    }
    have += n;
  }
  ck_assert_msg(have == 0 || have == bytes, "%u of %u bytes", have, bytes);
  return have == bytes;
}

uint32_t peer_receive(uint8_t *frame, uint32_t most) {
  uint8_t prefix[4];
  if (!read_whole(prefix, 4)) return 0;
  uint32_t bytes = (uint32_t)prefix[0] << 24 | prefix[1] << 16 | prefix[2] << 8 | prefix[3];
  ck_assert_uint_le(bytes, most);
  ck_assert(read_whole(frame, bytes));
  return bytes;
}

void turn(void) {
  struct device *d = &table.device;
  for (int i = 0; i < 1000; i++) {
    struct pollfd p = {.fd = d->wire.fd,
                       .events = (device_wants_read(d) ? POLLIN : 0) |
                                 (device_wants_write(d) ? POLLOUT : 0)};
    if (!p.events || poll(&p, 1, 0) <= 0) return;
    if (p.revents & POLLOUT) device_wire_writable(d);
    if (p.revents & ~POLLOUT) device_wire_readable(d);
    if (d->wire.closed) return;
  }
  ck_abort_msg("the device never rests");
}
