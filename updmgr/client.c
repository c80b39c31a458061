#include "updmgr/client.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.pb-c.h"
#include "libsys/kern.h"
#include "proto/printable.h"

#define LINE_MAX_BYTES 20480

/* @return false when it is too long */
static bool send_reply(client_t client, const Proteos__ControlReply *reply) {
  static uint8_t packed[SYS_PAYLOAD_MAX];
  if (proteos__control_reply__get_packed_size(reply) > sizeof(packed)) return false;
  size_t n = proteos__control_reply__pack(reply, packed);
  /* A client that is gone is reported by UM_CONTROL_CLOSED; there is nobody to tell here. */
  kern_control_send(client, packed, n, reply->last);
  return true;
}

void client_say(client_t client, const char *fmt, ...) {
  static char line[LINE_MAX_BYTES];
  va_list ap;
  va_start(ap, fmt);
  int n = snprintf(line, sizeof(line), "UM: ");
  vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
  va_end(ap);
  printable_make(line);
  dprintf(STDERR_FILENO, "%s\n", line);

  Proteos__ControlReply reply = PROTEOS__CONTROL_REPLY__INIT;
  reply.text = line;
  if (client) send_reply(client, &reply);
}

void client_end(client_t client, int status, const Proteos__Transaction *t) {
  Proteos__ControlReply reply = PROTEOS__CONTROL_REPLY__INIT;
  if (!client) return;
  reply.last = 1;
  reply.status = status;
  reply.transaction = (Proteos__Transaction *)(uintptr_t)t;
  if (send_reply(client, &reply)) return;
  /* Its members' paths and filters may be long; its outcome is not. */
  Proteos__Transaction brief = *t;
  brief.n_members = 0;
  reply.transaction = &brief;
  send_reply(client, &reply);
}
