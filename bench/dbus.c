/* A method call through a private dbus-daemon, for comparison: libdbus client and service, pinned
 * to the daemon's CPU, 40 bytes of arguments each way as in a component's message.
 *
 *   dbus CPU ROUNDS CALLS ADDRESS   prints the mean of each round, in nanoseconds, a line each */
#include <dbus/dbus.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pin.h"

#define SERVICE    "org.proteos.Bench"
#define OBJECT     "/bench"
#define BODY_BYTES 40

static DBusConnection *connect_to(const char *address) {
  DBusError e = DBUS_ERROR_INIT;
  DBusConnection *c = dbus_connection_open_private(address, &e);
  if (!c) errx(1, "%s", e.message);
  if (!dbus_bus_register(c, &e)) errx(1, "%s", e.message);
  return c;
}

static void append_body(DBusMessage *m, const uint8_t *body) {
  if (!dbus_message_append_args(m, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &body, BODY_BYTES,
                                DBUS_TYPE_INVALID))
    errx(1, "out of memory");
}

static const uint8_t *read_body(DBusMessage *m) {
  const uint8_t *body;
  int n;
  DBusError e = DBUS_ERROR_INIT;
  if (!dbus_message_get_args(m, &e, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &body, &n, DBUS_TYPE_INVALID))
    errx(1, "%s", e.message);
  if (n != BODY_BYTES) errx(1, "wrong body");
  return body;
}

static DBusHandlerResult answer(DBusConnection *c, DBusMessage *m, void *unused) {
  (void)unused;
  if (!dbus_message_is_method_call(m, SERVICE, "Echo")) return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
  DBusMessage *r = dbus_message_new_method_return(m);
  append_body(r, read_body(m));
  dbus_connection_send(c, r, NULL);
  dbus_message_unref(r);
  return DBUS_HANDLER_RESULT_HANDLED;
}

static void serve(const char *address, int ready_fd) {
  DBusError e = DBUS_ERROR_INIT;
  DBusConnection *c = connect_to(address);
  dbus_connection_set_exit_on_disconnect(c, TRUE);
  if (!dbus_connection_add_filter(c, answer, NULL, NULL)) errx(1, "out of memory");
  if (dbus_bus_request_name(c, SERVICE, 0, &e) < 0) errx(1, "%s", e.message);
  if (write(ready_fd, "r", 1) != 1) err(1, "write");
  while (dbus_connection_read_write_dispatch(c, -1)) {
  }
}

static void call(DBusConnection *c, unsigned calls) {
  uint8_t body[BODY_BYTES] = {0};
  for (unsigned i = 0; i < calls; i++) {
    memcpy(body, &i, sizeof(i));
    DBusMessage *m = dbus_message_new_method_call(SERVICE, OBJECT, SERVICE, "Echo");
    append_body(m, body);
    DBusError e = DBUS_ERROR_INIT;
    DBusMessage *r = dbus_connection_send_with_reply_and_block(c, m, 5000, &e);
    if (!r) errx(1, "%s", e.message);
    if (memcmp(read_body(r), &i, sizeof(i)) != 0) errx(1, "wrong answer");
    dbus_message_unref(r);
    dbus_message_unref(m);
  }
}

static pid_t start_service(const char *address) {
  int ready[2];
  char byte;
  if (pipe(ready) < 0) err(1, "pipe");
  pid_t pid = fork();
  if (pid < 0) err(1, "fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ready[0]);
    serve(address, ready[1]);
    _exit(0);
  }
  close(ready[1]);
  if (read(ready[0], &byte, 1) != 1) errx(1, "the service did not start");
  close(ready[0]);
  return pid;
}

int main(int argc, char **argv) {
  if (argc != 5) errx(2, "usage: dbus CPU ROUNDS CALLS ADDRESS");
  unsigned rounds = (unsigned)atoi(argv[2]), calls = (unsigned)atoi(argv[3]);
  pin_to_cpu(argv[1]);
  pid_t service = start_service(argv[4]);
  DBusConnection *c = connect_to(argv[4]);
  call(c, calls / 10 + 1); /* warm up */
  for (unsigned r = 0; r < rounds; r++) {
    uint64_t t = now_ns();
    call(c, calls);
    printf("%.1f\n", (double)(now_ns() - t) / calls);
  }
  dbus_connection_close(c);
  dbus_connection_unref(c);
  kill(service, SIGKILL);
  waitpid(service, NULL, 0);
  return 0;
}
