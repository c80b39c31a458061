/* Does and tells what a test says, over the wire "puppet-NAME", NAME being its own. It can be any
 * client, and any server. Lines in, bytes in hexadecimal, "-" being none:
 *
 *   call COOKIE COMPONENT TYPE BODY PAYLOAD     sys_call()
 *   answer TOKEN STATUS BODY PAYLOAD            sys_reply()
 *   notify COMPONENT BITS
 *
 * and out:
 *
 *   reply COOKIE STATUS BODY PAYLOAD
 *   request TOKEN SOURCE TYPE BODY PAYLOAD
 *   notified SOURCE BITS
 *   exited ENDPOINT, restarted ENDPOINT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsys/sys.h"

enum { BIT_WIRE, LINE_BYTES = 2 * SYS_PAYLOAD_MAX + 256 };

static int wire;
static char line[LINE_BYTES];
static uint32_t used;

/* ---- hexadecimal ---- */

static size_t to_hex(char *text, const uint8_t *bytes, size_t n) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < n; i++)
    text[2 * i] = digits[bytes[i] >> 4], text[2 * i + 1] = digits[bytes[i] & 15];
  if (!n) *text = '-';
  return n ? 2 * n : 1;
}

static uint8_t digit(char c) {
  return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static uint32_t from_hex(const char *text, uint8_t *bytes, size_t cap) {
  uint32_t n = 0;
  for (; n < cap && *text && *text != '-'; text += 2)
    bytes[n++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
  return n;
}

/* ---- out ---- */

static void write_all(const char *text, size_t n) {
  for (ssize_t done; n; text += done, n -= (size_t)done)
    if ((done = write(wire, text, n)) < 0) exit(EXIT_FAILURE);
}

/* @param head  what comes before body and payload */
static void tell(const char *head, const msg_t *m, const void *payload) {
  static char text[LINE_BYTES];
  size_t n = (size_t)snprintf(text, sizeof(text), "%s ", head);
  n += to_hex(text + n, m->body, sizeof(m->body));
  text[n++] = ' ';
  n += to_hex(text + n, payload, m->payload);
  text[n++] = '\n';
  write_all(text, n);
}

static void heard(const msg_t *m) {
  char head[128];
  if (m->type == SYS_NOTIFIED || m->type == SYS_EXITED || m->type == SYS_RESTARTED) {
    int n =
        m->type == SYS_NOTIFIED
            ? sprintf(head, "notified %s %" PRIx64 "\n", sys_name(m->source), m->bits)
            : sprintf(head, "%s %d\n", m->type == SYS_EXITED ? "exited" : "restarted", m->i32[0]);
    write_all(head, (size_t)n);
    return;
  }
  if (m->type & SYS_REPLY_FLAG)
    sprintf(head, "reply %" PRIu64 " %d", m->cookie, m->status);
  else
    sprintf(head, "request %" PRIu64 " %s %x", m->token, sys_name(m->source), m->type);
  tell(head, m, sys_payload());
}

/* ---- in ---- */

static void obey(char *order) {
  static uint8_t bytes[SYS_PAYLOAD_MAX];
  char *word[6] = {0}, head[64];
  msg_t m = {0};
  for (unsigned i = 0; i < 6; i++)
    word[i] = strtok_r(i ? NULL : order, " ", &order);
  if (strcmp(word[0], "notify") == 0) {
    sys_notify(sys_lookup(word[1]), strtoull(word[2], NULL, 16));
  } else if (strcmp(word[0], "answer") == 0) {
    m.status = atoi(word[2]);
    from_hex(word[3], m.body, sizeof(m.body));
    sys_reply_bulk(strtoull(word[1], NULL, 10), &m, bytes, from_hex(word[4], bytes, sizeof(bytes)));
  } else {
    m.type = (uint32_t)strtoul(word[3], NULL, 16);
    from_hex(word[4], m.body, sizeof(m.body));
    int error = sys_call(sys_lookup(word[2]), &m, bytes, from_hex(word[5], bytes, sizeof(bytes)),
                         strtoull(word[1], NULL, 10));
    sprintf(head, "reply %s %d", word[1], error);
    if (error) tell(head, &(msg_t){0}, NULL);
  }
}

static void read_wire(void) {
  ssize_t n = recv(wire, line + used, sizeof(line) - used, MSG_DONTWAIT);
  if (n == 0) exit(EXIT_SUCCESS);
  if (n > 0) used += (uint32_t)n;
  for (char *end; (end = memchr(line, '\n', used));) {
    *end++ = 0;
    obey(line);
    used -= (uint32_t)(end - line);
    memmove(line, end, used);
  }
}

static int init(const sys_init_t *info) {
  char name[64];
  snprintf(name, sizeof(name), "puppet-%s", info->name);
  wire = sys_inherited(name);
  return sys_watch(wire, SYS_WATCH_READ, BIT_WIRE);
}

int main(void) {
  event_eh_t handlers = {.init = init};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    if (m.type == SYS_NOTIFIED && m.source == SYS_KERNEL)
      read_wire();
    else
      heard(&m);
  }
}
