/* A live lwIP stack, raw API: a listening socket, a timer, and a client that is played by hand. */
#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/ip4.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/sys.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>
#include <stdlib.h>
#include <string.h>

#include "tests/updates/pair.h"

struct server {
  int accepted;
  int bytes;
};

struct netif nif;
static struct server *server;
static struct tcp_pcb *listener;
static int ticks;
static u16_t client_port = 5000;
static u8_t sent[256]; /* the last IP packet that the stack sent */
static int sent_bytes;

static err_t accepted(void *arg, struct tcp_pcb *pcb, err_t err);

static err_t received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err) {
  struct server *s = arg;
  (void)err;
  if (!p) return ERR_OK;
  s->bytes += p->tot_len;
  tcp_recved(pcb, p->tot_len);
  pbuf_free(p);
  return ERR_OK;
}

static err_t output(struct netif *n, struct pbuf *p, const ip4_addr_t *to) {
  (void)n;
  (void)to;
  sent_bytes = pbuf_copy_partial(p, sent, sizeof(sent), 0);
  return ERR_OK;
}

static err_t nif_init(struct netif *n) {
  n->output = output;
  n->mtu = 1500;
  n->name[0] = 't';
  n->name[1] = 't';
  return ERR_OK;
}

static void tick(void *arg) {
  int *count = arg;
  ++*count;
  sys_timeout(1, tick, count);
}

static inline void build_state(void) {
  ip4_addr_t address, mask, gateway;
  lwip_init();
  IP4_ADDR(&address, 10, 0, 0, 1);
  IP4_ADDR(&mask, 255, 255, 255, 0);
  IP4_ADDR(&gateway, 10, 0, 0, 254);
  netif_add(&nif, &address, &mask, &gateway, NULL, nif_init, ip4_input);
  netif_set_default(&nif);
  netif_set_up(&nif);
  netif_set_link_up(&nif);
  server = calloc(1, sizeof(*server));
  struct tcp_pcb *pcb = tcp_new();
  CHECK(pcb && tcp_bind(pcb, IP_ADDR_ANY, 80) == ERR_OK);
  listener = tcp_listen(pcb);
  CHECK(listener != NULL);
  tcp_arg(listener, server);
  tcp_accept(listener, accepted);
  sys_timeout(1, tick, &ticks);
}

static u32_t sum(const u8_t *p, int bytes, u32_t s) {
  for (int i = 0; i < bytes; i += 2)
    s += (u32_t)(p[i] << 8 | (i + 1 < bytes ? p[i + 1] : 0));
  return s;
}

static u16_t fold(u32_t s) {
  while (s >> 16)
    s = (s & 0xffff) + (s >> 16);
  return (u16_t)~s;
}

static void put32(u8_t *p, u32_t v) {
  p[0] = (u8_t)(v >> 24), p[1] = (u8_t)(v >> 16), p[2] = (u8_t)(v >> 8), p[3] = (u8_t)v;
}

static u32_t get32(const u8_t *p) {
  return (u32_t)p[0] << 24 | (u32_t)p[1] << 16 | (u32_t)p[2] << 8 | p[3];
}

/* Hands the stack a TCP segment from 10.0.0.2. */
static void segment(u8_t flags, u32_t seq, u32_t ack, const char *data) {
  int length = (int)strlen(data), total = 40 + length;
  u8_t b[128] = {0x45, 0, 0, (u8_t)total, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1};
  u16_t c = fold(sum(b, 20, 0));
  b[10] = (u8_t)(c >> 8), b[11] = (u8_t)c;
  b[20] = (u8_t)(client_port >> 8), b[21] = (u8_t)client_port;
  b[23] = 80;
  put32(b + 24, seq);
  put32(b + 28, ack);
  b[32] = 0x50, b[33] = flags, b[34] = 0x10;
  memcpy(b + 40, data, (size_t)length);
  c = fold(sum(b + 20, 20 + length, sum(b + 12, 8, 6 + 20 + (u32_t)length)));
  b[36] = (u8_t)(c >> 8), b[37] = (u8_t)c;
  struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)total, PBUF_RAM);
  CHECK(p && pbuf_take(p, b, (u16_t)total) == ERR_OK);
  sent_bytes = 0;
  CHECK(nif.input(p, &nif) == ERR_OK);
}

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

static u32_t mine, theirs; /* of the connection that stays open over updates */

static void check_state(void) {
  CHECK(netif_list == &nif && netif_default == &nif && nif.output == output);
  int before = server->accepted, bytes = server->bytes, ticks_before = ticks;
  if (mine) {
    segment(ACK, mine, theirs, "hello again");
    CHECK(server->bytes == bytes + 11);
    segment(RST | ACK, mine + 11, theirs, "");
  }
  bytes = server->bytes;
  client_port++;
  segment(SYN, 1000, 0, "");
  CHECK(sent_bytes >= 40 && sent[33] == (SYN | ACK));
  theirs = get32(sent + 24) + 1;
  mine = 1001;
  segment(ACK, mine, theirs, "");
  CHECK(server->accepted == before + 1);
  segment(ACK, mine, theirs, "hello");
  CHECK(server->bytes == bytes + 5);
  mine += 5;
  u32_t until = sys_now() + 5;
  while (ticks < ticks_before + 2 && sys_now() < until + 1000)
    sys_check_timeouts();
  CHECK(ticks >= ticks_before + 2);
}
