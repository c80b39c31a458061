#include "updmgr/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.pb-c.h"
#include "libsys/kern.h"
#include "proto/printable.h"

#define LINE_MAX_BYTES 20480

static void send_reply(client_t client, const Proteos__ControlReply *reply) {
  static uint8_t packed[LINE_MAX_BYTES + 64];
  if (!client || proteos__control_reply__get_packed_size(reply) > sizeof(packed)) return;
  size_t n = proteos__control_reply__pack(reply, packed);
  /* A client that is gone is reported by UM_CONTROL_CLOSED; there is nobody to tell here. */
  kern_control_send(client, packed, n, reply->last);
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
  send_reply(client, &reply);
}

void client_end(client_t client, int status) {
  Proteos__ControlReply reply = PROTEOS__CONTROL_REPLY__INIT;
  reply.last = 1;
  reply.status = status;
  send_reply(client, &reply);
}
