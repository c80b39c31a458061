#include "servers/net/admission.h"

#include <lwip/priv/tcp_priv.h>
#include <stdint.h>

#include "servers/net/table.h"

/* Offsets in an Ethernet frame with IPv4 (RFC 791) and TCP (RFC 9293). */
enum {
  ETHER_TYPE = 12,
  IP_START = 14,
  IP_FRAGMENT = 6,
  IP_PROTOCOL = 9,
  TCP_DEST = 2,
  TCP_BITS = 13
};
enum { TCP_BIT_SYN = 2, TCP_BIT_ACK = 16 };

static unsigned read16(const uint8_t *at) {
  return (unsigned)at[0] << 8 | at[1];
}

/* @return the destination port if the frame begins a TCP connection, else 0. */
static unsigned connect_port(const uint8_t *frame, size_t length) {
  if (length < IP_START + 20 || read16(frame + ETHER_TYPE) != 0x0800) return 0;
  const uint8_t *ip = frame + IP_START;
  size_t header = (ip[0] & 15u) * 4u;
  if (ip[0] >> 4 != 4 || header < 20 || ip[IP_PROTOCOL] != 6) return 0;
  if (read16(ip + IP_FRAGMENT) & 0x1fff) return 0;
  if (length < IP_START + header + 20) return 0;
  const uint8_t *tcp = ip + header;
  if ((tcp[TCP_BITS] & (TCP_BIT_SYN | TCP_BIT_ACK)) != TCP_BIT_SYN) return 0;
  return read16(tcp + TCP_DEST);
}

/* Newest first in lwIP's list; the oldest are given up. */
static void bound_time_wait(void) {
  unsigned n = 0;
  for (struct tcp_pcb *pcb = tcp_tw_pcbs, *next; pcb; pcb = next) {
    next = pcb->next;
    if (++n > ADMISSION_TIME_WAIT_MAX) tcp_abort(pcb);
  }
}

static struct socket *listener_on(unsigned port) {
  for (struct tcp_pcb_listen *l = tcp_listen_pcbs.listen_pcbs; l; l = l->next)
    if (l->local_port == port) return socket_at((uint32_t)(uintptr_t)l->callback_arg);
  return NULL;
}

bool admission_allows(const void *frame, size_t length) {
  unsigned port = connect_port(frame, length);
  if (!port) return true;
  struct socket *listener = listener_on(port);
  if (!listener) return true; /* lwIP refuses it */
  bound_time_wait();
  unsigned blocks = 0, half_open = 0, half_open_here = 0;
  for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
    blocks++;
    if (pcb->state != SYN_RCVD) continue;
    half_open++;
    half_open_here += pcb->local_port == port;
  }
  return blocks < ADMISSION_BLOCKS_MAX && half_open < ADMISSION_HALF_OPEN_MAX &&
         socket_count() + half_open < MAX_SOCKETS &&
         socket_waiting(listener) + half_open_here < listener->backlog;
}
