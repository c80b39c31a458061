#include "bus/console.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "bus/control.h"
#include "bus/fdpass.h"
#include "bus/wire.h"
#include "control.pb-c.h"
#include "libst/fault.h"
#include "libsys/if/screen.h"

enum { LOANS_MAX = 16, REPLY_BYTES = 256 };

static struct loan {
  int client; /* its connection; 0: the place is free */
  char name[MANIFEST_NAME_MAX + 1];
} loans[LOANS_MAX];

static struct loan *by_client(int client) {
  for (unsigned i = 0; i < LOANS_MAX; i++)
    if (loans[i].client == client) return &loans[i];
  return NULL;
}

static bool is_lent(const char *name) {
  for (unsigned i = 0; i < LOANS_MAX; i++)
    if (loans[i].client && strcmp(loans[i].name, name) == 0) return true;
  return false;
}

static int send_ends(int client, const struct manifest_wire *wire, const int ends[2]) {
  uint8_t packed[REPLY_BYTES];
  Proteos__ControlReply reply = PROTEOS__CONTROL_REPLY__INIT;
  Proteos__ConsoleStatus status = PROTEOS__CONSOLE_STATUS__INIT;
  status.name = wire->name;
  status.keyboard = wire->keyboard != NULL;
  reply.console = &status;
  const struct iovec iov = {packed, proteos__control_reply__pack(&reply, packed)};
  ssize_t sent = fdpass_send(client, &iov, 1, ends, wire->keyboard ? 2 : 1);
  return sent < 0 ? (int)sent : 0;
}

static int refuse(int error, char *why, size_t cap, const char *fmt, const char *name) {
  snprintf(why, cap, fmt, name);
  return error;
}

int console_lend(int client, const char *name, char *why, size_t cap) {
  int ends[2];
  const struct manifest_wire *wire = wire_console(name, ends);
  struct loan *loan = by_client(0);
  if (!wire && name) return refuse(-ENOENT, why, cap, "there is no console '%s'", name);
  if (!wire) return refuse(-ENOENT, why, cap, "this instance has no console%s", "");
  if (is_lent(wire->name))
    return refuse(-EBUSY, why, cap, "another program shows console %s", wire->name);
  if (!loan) return refuse(-EMFILE, why, cap, "too many consoles are shown%s", "");
  int error = st_fault("console.lend", ENOBUFS);
  if (!error) error = send_ends(client, wire, ends);
  if (error) return refuse(error, why, cap, "the ends of console %s cannot be sent", wire->name);
  loan->client = client;
  snprintf(loan->name, sizeof(loan->name), "%s", wire->name);
  st_pass("console.lent");
  return 0;
}

void console_return(int client) {
  struct loan *loan = by_client(client);
  int ends[2];
  if (!loan) return;
  st_pass("console.return");
  if (wire_console(loan->name, ends))
    send(ends[0], SCREEN_DETACH, strlen(SCREEN_DETACH), MSG_DONTWAIT | MSG_NOSIGNAL);
  *loan = (struct loan){0};
}

void console_restarted(const char *component) {
  Proteos__ControlReply reply = PROTEOS__CONTROL_REPLY__INIT;
  Proteos__ConsoleStatus status = PROTEOS__CONSOLE_STATUS__INIT;
  int ends[2];
  status.restarted = true;
  reply.console = &status;
  for (unsigned i = 0; i < LOANS_MAX; i++) {
    const struct manifest_wire *wire = loans[i].client ? wire_console(loans[i].name, ends) : NULL;
    if (!wire || strcmp(wire->to, component) != 0) continue;
    status.name = wire->name;
    control_reply(loans[i].client, &reply);
  }
}
