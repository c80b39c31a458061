/* Towards the network server: the queues of libsys/if/nic.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "libsys/sys.h"

bool buffer_is_valid(uint32_t offset, uint32_t bytes) {
  return offset >= NIC_BUFFERS_OFFSET && hw_dma(&driver.hw, dma_address(DMA_FRAMES, offset), bytes);
}

void server_queues_init(void) {
  void *frames = driver.hw.windows[DMA_FRAMES].base;
  for (int i = 0; i < NIC_RINGS; i++)
    dq_init(nic_ring(frames, i), NIC_QUEUE_SLOTS);
}

void server_started(endpoint_t endpoint) {
  void *frames = driver.hw.windows[DMA_FRAMES].base;
  struct server *s = driver.server;
  if (!s) s = calloc(1, sizeof(*s));
  if (!s) return;
  s->endpoint = endpoint;
  s->tx = nic_ring(frames, NIC_RING_TX);
  s->tx_done = nic_ring(frames, NIC_RING_TX_DONE);
  s->rx = nic_ring(frames, NIC_RING_RX);
  s->rx_free = nic_ring(frames, NIC_RING_RX_FREE);
  driver.server = s;
}

void server_gone(void) {
  free(driver.server);
  driver.server = NULL;
}

/* Each side tells the other only of what it did: telling of nothing would be answered forever. */
static void notify_server(const struct turn *t) {
  struct server *s = driver.server;
  uint64_t bits = 0;
  if (t->rx_received && dq_must_notify_consumer(s->rx)) bits |= NIC_TO_SERVER_RX;
  if (t->rx_taken && dq_must_notify_producer(s->rx_free)) bits |= NIC_TO_SERVER_RX;
  if (t->tx_returned && dq_must_notify_consumer(s->tx_done)) bits |= NIC_TO_SERVER_TX;
  if (t->tx_taken && dq_must_notify_producer(s->tx)) bits |= NIC_TO_SERVER_TX;
  if (bits) sys_notify(s->endpoint, bits);
}

/* Whether the server pushed more before it learned that we wait. A full hardware ring asks for
 * nothing: the device's interrupt then brings us back. */
static bool more_to_take(void) {
  bool more = false;
  if (!ring_full(&driver.tx)) more |= dq_want_items(driver.server->tx);
  if (!ring_full(&driver.rx)) more |= dq_want_items(driver.server->rx_free);
  return more;
}

void server_pump(void) {
  struct turn t = {0};
  if (!driver.server || !driver.device_ready) return;
  tx_reclaim(&t);
  rx_harvest(&t);
  do {
    rx_refill(&t);
    tx_submit(&t);
  } while (more_to_take() && !dq_full(driver.server->tx_done));
  notify_server(&t);
  note_turn(t.tx_sent, t.rx_received);
}

void server_link_changed(void) {
  if (driver.server) sys_notify(driver.server->endpoint, NIC_TO_SERVER_LINK);
}

void server_look_again(void) {
  if (driver.server)
    sys_notify(driver.server->endpoint, NIC_TO_SERVER_LINK | NIC_TO_SERVER_TX | NIC_TO_SERVER_RX);
}

static struct group *find_group(const uint8_t mac[6]) {
  for (uint32_t i = 0; i < driver.ngroups; i++)
    if (memcmp(driver.groups[i].mac, mac, 6) == 0) return &driver.groups[i];
  return NULL;
}

static int join(struct group *g, const uint8_t mac[6]) {
  if (!g) {
    if (driver.ngroups == MULTICAST_GROUPS) return -ENOSPC;
    g = &driver.groups[driver.ngroups++];
    memcpy(g->mac, mac, 6);
    g->joins = 0;
  }
  if (g->joins == UINT16_MAX) return -EOVERFLOW;
  g->joins++;
  return 0;
}

static int leave(struct group *g) {
  if (!g) return -ENOENT;
  if (--g->joins == 0) *g = driver.groups[--driver.ngroups];
  return 0;
}

int server_multicast(uint64_t address, bool joins) {
  uint8_t mac[6];
  memcpy(mac, &address, sizeof(mac));
  if (!(mac[0] & 1)) return -EINVAL;
  struct group *g = find_group(mac);
  int r = joins ? join(g, mac) : leave(g);
  if (r == 0 && driver.device_ready) card_write_multicast();
  return r;
}
