#include "servers/net/test-system.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/area.h"
#include "libsys/if/io.h"
#include "libsys/if/nic.h"
#include "libsys/if/sock.h"
#include "libsys/sys.h"
#include "servers/lent/lent.h"
#include "servers/net/connection.h"
#include "servers/net/inbox.h"
#include "servers/net/nic.h"
#include "servers/net/requests.h"
#include "servers/net/share.h"
#include "servers/net/stack.h"
#include "servers/net/turn.h"

/* ---- a libsys that records ---- */

static uint64_t now_us = 1000000, alarm_at_us, next_token;
uint64_t notified[16];
static struct {
  uint64_t token;
  msg_t m;
  char payload[SYS_PAYLOAD_MAX];
} answers[8];
static unsigned answer_count;
_Alignas(64) char frames[NIC_FRAMES_BYTES];

uint64_t sys_time_us(void) {
  return now_us;
}
void sys_random(void *buf, size_t len) {
  memset(buf, 0x5a, len);
}
int sys_alarm(unsigned bit, uint64_t at_us) {
  (void)bit;
  alarm_at_us = at_us;
  return 0;
}
int sys_notify(endpoint_t dst, uint64_t bits) {
  notified[dst] |= bits;
  return 0;
}
endpoint_t sys_lookup(const char *name) {
  (void)name;
  return DRIVER;
}
const char *sys_name(endpoint_t ep) {
  return ep == CHILD ? "program-1" : "?";
}
void *sys_region(const char *name, size_t *bytes) {
  (void)name;
  *bytes = sizeof frames;
  return frames;
}
int sys_sendrec(endpoint_t dst, msg_t *m) {
  ck_assert_int_eq(dst, DRIVER);
  ck_assert_uint_eq(m->type, NIC_START);
  for (int i = 0; i < NIC_RINGS; i++)
    dq_init(nic_ring(frames, i), NIC_QUEUE_SLOTS);
  *IPC_REPLY(m, nic_start) =
      (struct nic_start_reply){.mac = 0x563412005452, .mtu = 1500, .link = 1};
  m->status = 0;
  return 0;
}
/* Grant 1 is of CLIENT's for reading and writing, 2 for reading, 3 of SERVER's. */
uint8_t lent[4096];
uint32_t revoked;

int sys_area_map(uint32_t grant, struct sys_area *mapped) {
  if (grant < 1 || grant > 3 || grant == revoked) return -ENOENT;
  *mapped = (struct sys_area){.address = lent,
                              .bytes = sizeof lent,
                              .grant = grant,
                              .rights = grant == 2 ? MEM_READ : MEM_READ | MEM_WRITE,
                              .owner = grant == 3 ? SERVER : CLIENT};
  return 0;
}
int sys_area_unmap(struct sys_area *mapped) {
  *mapped = (struct sys_area){0};
  return 0;
}
uint32_t sys_area_next_revoked(uint32_t after) {
  return after < revoked ? revoked : 0;
}
void sys_log(const char *fmt, ...) {
  (void)fmt;
}
int sys_reply_bulk(uint64_t token, const msg_t *m, const void *out, size_t out_len) {
  ck_assert_uint_lt(answer_count, 8);
  answers[answer_count].token = token;
  answers[answer_count].m = *m;
  answers[answer_count].m.payload = (uint32_t)out_len;
  if (out_len) memcpy(answers[answer_count].payload, out, out_len);
  answer_count++;
  return 0;
}
int sys_reply(uint64_t token, const msg_t *m) {
  return sys_reply_bulk(token, m, NULL, 0);
}

/* ---- requests ---- */

msg_t reply;
char payload[SYS_PAYLOAD_MAX];

/* Takes the answer to `token` out of the records. */
bool take_answer(uint64_t token) {
  for (unsigned i = 0; i < answer_count; i++) {
    if (answers[i].token != token) continue;
    reply = answers[i].m;
    memcpy(payload, answers[i].payload, reply.payload);
    answers[i] = answers[--answer_count];
    return true;
  }
  return false;
}

/* Sends a request; the answer, if there is one at once, goes to `reply`. @return its token. */
uint64_t start(endpoint_t from, msg_t m, const void *data, uint32_t bytes) {
  m.source = from;
  m.token = ++next_token;
  m.payload = bytes;
  switch (m.type) {
  case SOCK_SOCKET:
    do_socket(&m);
    break;
  case SOCK_BIND:
    do_bind(&m);
    break;
  case SOCK_LISTEN:
    do_listen(&m);
    break;
  case SOCK_ACCEPT:
    do_accept(&m);
    break;
  case SOCK_CONNECT:
    do_connect(&m);
    break;
  case SOCK_SEND:
    do_send(&m, data);
    break;
  case SOCK_RECV:
    do_recv(&m);
    break;
  case SOCK_SHUTDOWN:
    do_shutdown(&m);
    break;
  case SOCK_CLOSE:
    do_close(&m);
    break;
  case IO_DUPLICATE:
    do_duplicate(&m);
    break;
  case SOCK_SEND_FROM:
    do_send_from(&m);
    break;
  case SOCK_RECV_INTO:
    do_recv_into(&m);
    break;
  case SOCK_POLL:
    do_poll(&m);
    break;
  default:
    do_name(&m);
    break;
  }
  turn_end();
  return m.token;
}

int ask(endpoint_t from, msg_t m, const void *data, uint32_t bytes) {
  ck_assert(take_answer(start(from, m, data, bytes)));
  return reply.status;
}

uint32_t make_socket(endpoint_t who) {
  ck_assert_int_eq(ask(who, (msg_t){.type = SOCK_SOCKET}, NULL, 0), 0);
  return IPC_REPLY(&reply, sock_socket)->handle;
}

int bind_to(endpoint_t who, uint32_t s, uint16_t port) {
  msg_t m = {.type = SOCK_BIND};
  *IPC(&m, sock_bind) = (struct sock_bind){.handle = s, .port = port};
  return ask(who, m, NULL, 0);
}

int listen_on(endpoint_t who, uint32_t s, uint32_t backlog) {
  msg_t m = {.type = SOCK_LISTEN};
  *IPC(&m, sock_listen) = (struct sock_listen){.handle = s, .backlog = backlog};
  return ask(who, m, NULL, 0);
}

msg_t on_handle(uint32_t type, uint32_t s, uint32_t second, uint32_t third) {
  return (msg_t){.type = type, .u32 = {s, second, third}};
}

msg_t to_port(uint32_t s, uint32_t flags, uint16_t port) {
  msg_t m = {.type = SOCK_CONNECT};
  *IPC(&m, sock_connect) = (struct sock_connect){
      .handle = s, .flags = flags, .address = inet_addr("10.0.2.15"), .port = port};
  return m;
}

/* Lets lwIP's timers run for a while. */
void pass(unsigned ms) {
  for (unsigned i = 0; i < ms; i += 10) {
    now_us += 10000;
    if (alarm_at_us && alarm_at_us <= now_us) {
      alarm_at_us = 0;
      stack_run_timers();
    }
    turn_end();
  }
}

uint32_t listener, server, client;

void setup(void) {
  struct nic_config config = {.nic = "nic0",
                              .driver = "e1000",
                              .address = inet_addr("10.0.2.15"),
                              .netmask = inet_addr("255.255.255.0")};
  stack_init();
  ck_assert_int_eq(nic_init(&config), 0);
  ck_assert_int_eq(nic_start(), 0);
  listener = make_socket(SERVER);
  ck_assert_int_eq(bind_to(SERVER, listener, PORT), 0);
  ck_assert_int_eq(listen_on(SERVER, listener, 4), 0);
}

void connect_both(void) {
  client = make_socket(CLIENT);
  ck_assert_int_eq(ask(CLIENT, to_port(client, 0, PORT), NULL, 0), 0);
  pass(20);
  ck_assert_int_eq(ask(SERVER, on_handle(SOCK_ACCEPT, listener, 0, 0), NULL, 0), 0);
  server = IPC_REPLY(&reply, sock_accept)->handle;
}

int receive(endpoint_t who, uint32_t s) {
  return ask(who, on_handle(SOCK_RECV, s, 0, SYS_PAYLOAD_MAX), NULL, 0);
}
