#include "servers/net/nic.h"

#include <errno.h>
#include <lwip/etharp.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <netif/ethernet.h>
#include <stdio.h>
#include <string.h>

#include "libsys/if/nic.h"
#include "libsys/sys.h"
#include "servers/net/admission.h"
#include "servers/net/stack.h"

int num_pending_writes;

static endpoint_t driver;
static struct netif netif;
static char *frames;
static struct dq_ring *tx, *tx_done, *rx, *rx_free;
static bool running;                       /* the driver has our buffers */
static bool tx_starved;                    /* a frame was refused for lack of a buffer */
static uint16_t tx_unused[NIC_TX_BUFFERS]; /* indices of buffers that nobody uses */
static unsigned tx_unused_count;

static uint32_t buffer_offset(unsigned index) {
  return NIC_BUFFERS_OFFSET + index * NIC_BUFFER_BYTES;
}

/* netif->linkoutput */
static err_t send_frame(struct netif *n, struct pbuf *p) {
  (void)n;
  if (!running) return ERR_IF;
  if (p->tot_len > NIC_BUFFER_BYTES) return ERR_BUF;
  if (!tx_unused_count) {
    tx_starved = true;
    return ERR_MEM;
  }
  uint16_t index = tx_unused[--tx_unused_count];
  uint32_t offset = buffer_offset(index);
  pbuf_copy_partial(p, frames + offset, p->tot_len, 0);
  /* There are as many slots as buffers, so there is room. */
  dq_push(tx, (struct dq_desc){.offset = offset, .length = p->tot_len, .cookie = index});
  num_pending_writes++;
  return ERR_OK;
}

static err_t setup_netif(struct netif *n) {
  n->name[0] = 'e';
  n->name[1] = 'n';
  n->output = etharp_output;
  n->linkoutput = send_frame;
  n->mtu = 1500;
  n->hwaddr_len = ETH_HWADDR_LEN;
  n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
  return ERR_OK;
}

int nic_driver(void) {
  return driver;
}

static int map_queues(const char *name) {
  char region[48];
  snprintf(region, sizeof region, "%s.frames", name);
  size_t bytes;
  frames = sys_region(region, &bytes);
  if (!frames) return -errno;
  if (bytes < NIC_FRAMES_BYTES) {
    sys_log("region %s has %zu bytes, needs %u", region, bytes, NIC_FRAMES_BYTES);
    return -EINVAL;
  }
  tx = nic_ring(frames, NIC_RING_TX);
  tx_done = nic_ring(frames, NIC_RING_TX_DONE);
  rx = nic_ring(frames, NIC_RING_RX);
  rx_free = nic_ring(frames, NIC_RING_RX_FREE);
  return 0;
}

int nic_init(const struct nic_config *config) {
  driver = sys_lookup(config->driver);
  if (driver <= 0) {
    sys_log("no edge to driver '%s' in the manifest", config->driver);
    return -ENOENT;
  }
  int r = map_queues(config->nic);
  if (r < 0) {
    sys_log("region %s.frames: %s", config->nic, strerror(-r));
    return r;
  }
  ip4_addr_t address = {config->address}, netmask = {config->netmask}, gateway = {config->gateway};
  if (!netif_add(&netif, &address, &netmask, &gateway, NULL, setup_netif, ethernet_input))
    return -EIO;
  netif_set_default(&netif);
  netif_set_up(&netif);
  return 0;
}

static void set_link(bool up) {
  if (up && !netif_is_link_up(&netif)) netif_set_link_up(&netif);
  if (!up && netif_is_link_up(&netif)) netif_set_link_down(&netif);
}

int nic_start(void) {
  running = false;
  msg_t m = {.type = NIC_START};
  int r = sys_sendrec(driver, &m);
  if (r == 0) r = m.status;
  if (r < 0) {
    sys_log("driver %s does not start: error %d", sys_name(driver), r);
    set_link(false);
    return r;
  }
  const struct nic_start_reply *reply = IPC_REPLY(&m, nic_start);
  for (unsigned i = 0; i < ETH_HWADDR_LEN; i++)
    netif.hwaddr[i] = (uint8_t)(reply->mac >> (8 * i));
  netif.mtu = (uint16_t)(reply->mtu >= 576 && reply->mtu <= 1500 ? reply->mtu : 1500);

  num_pending_writes = 0;
  tx_starved = false;
  for (unsigned i = 0; i < NIC_TX_BUFFERS; i++)
    tx_unused[i] = (uint16_t)i;
  tx_unused_count = NIC_TX_BUFFERS;
  for (unsigned i = 0; i < NIC_RX_BUFFERS; i++)
    dq_push(rx_free, (struct dq_desc){.offset = buffer_offset(NIC_TX_BUFFERS + i), .cookie = i});
  running = true;
  set_link(reply->link != 0);
  nic_flush();
  return 0;
}

void nic_lost(void) {
  running = false;
  num_pending_writes = 0;
  set_link(false);
}

void nic_check_link(void) {
  msg_t m = {.type = NIC_INFO};
  if (sys_sendrec(driver, &m) == 0 && m.status == 0) set_link(IPC_REPLY(&m, nic_info)->link != 0);
}

bool nic_take_sent(void) {
  struct dq_desc d;
  bool any = false;
  if (!running) return false;
  do {
    while (dq_pop(tx_done, &d)) {
      if (d.cookie >= NIC_TX_BUFFERS || tx_unused_count == NIC_TX_BUFFERS) continue;
      tx_unused[tx_unused_count++] = (uint16_t)d.cookie;
      num_pending_writes--;
      any = true;
    }
  } while (dq_want_items(tx_done));
  if (!any || !tx_starved) return false;
  tx_starved = false;
  return true;
}

static void receive_frame(const struct dq_desc *d) {
  if (d->length < SIZEOF_ETH_HDR || d->length > NIC_BUFFER_BYTES) return;
  const char *frame = frames + d->offset;
  if (!admission_allows(frame, d->length)) return;
  struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)d->length, PBUF_RAM);
  if (!p) return; /* like a frame lost on the wire */
  pbuf_take(p, frame, (u16_t)d->length);
  if (netif.input(p, &netif) != ERR_OK) pbuf_free(p);
}

static bool is_receive_buffer(uint32_t offset) {
  return offset >= buffer_offset(NIC_TX_BUFFERS) &&
         offset < buffer_offset(NIC_TX_BUFFERS + NIC_RX_BUFFERS) &&
         (offset - NIC_BUFFERS_OFFSET) % NIC_BUFFER_BYTES == 0;
}

bool nic_take_received(void) {
  unsigned budget = NIC_QUEUE_SLOTS;
  struct dq_desc d;
  if (!running) return false;
  do {
    for (; budget && dq_pop(rx, &d); budget--) {
      if (!is_receive_buffer(d.offset)) continue;
      receive_frame(&d);
      dq_push(rx_free, (struct dq_desc){.offset = d.offset, .cookie = d.cookie});
    }
    if (!budget) return !dq_empty(rx);
  } while (dq_want_items(rx));
  return false;
}

bool nic_is_full(void) {
  return tx_starved;
}

void nic_flush(void) {
  if (!running) return;
  bool tell = dq_must_notify_consumer(tx);
  tell |= dq_must_notify_consumer(rx_free);
  if (tell) sys_notify(driver, NIC_TO_DRIVER);
}
