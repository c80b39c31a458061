/* Asks storage what a test tells it to, over the wire "filer-NAME", NAME being its own. A plain
 * program. Each request on the wire is a struct question and its payload: a sys_sendrec(), which is
 * answered by a struct answer and the reply's payload.
 *
 * Arguments: SERVER. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libsys/sys.h"

SYS_NEEDS(call, "${1:-storage}");

struct question {
  uint32_t type, payload;
  uint8_t body[SYS_BODY_BYTES];
};

struct answer {
  int32_t error, status; /* the bus's, and the reply's */
  uint32_t payload, zero;
  uint8_t body[SYS_BODY_BYTES];
};

static int wire;
static char out[SYS_PAYLOAD_MAX + 1], in[SYS_PAYLOAD_MAX];

static void read_all(void *data, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    ssize_t n = read(wire, (char *)data + done, bytes - done);
    if (n <= 0) exit(EXIT_SUCCESS);
    done += (size_t)n;
  }
}

static void write_all(const void *data, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    ssize_t n = write(wire, (const char *)data + done, bytes - done);
    if (n <= 0) exit(EXIT_SUCCESS);
    done += (size_t)n;
  }
}

static void ask(endpoint_t server, const struct question *q) {
  msg_t m = {.type = q->type};
  memcpy(m.body, q->body, sizeof m.body);
  struct answer a = {.error = sys_sendrec_bulk(server, &m, out, q->payload, in, sizeof in)};
  if (!a.error) {
    a.status = m.status;
    a.payload = m.payload;
    memcpy(a.body, m.body, sizeof a.body);
  }
  write_all(&a, sizeof a);
  write_all(in, a.payload);
}

int main(int argc, char **argv) {
  char name[64];
  struct question q;
  sys_startup(NULL);
  snprintf(name, sizeof(name), "filer-%s", sys_name(sys_self()));
  wire = sys_inherited(name);
  endpoint_t server = sys_lookup(argc > 1 ? argv[1] : "storage");
  while (1) {
    read_all(&q, sizeof q);
    if (q.payload > sizeof out) exit(EXIT_FAILURE);
    read_all(out, q.payload);
    ask(server, &q);
  }
}
