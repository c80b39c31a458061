/* Answers on the control socket that are longer than what can be sent. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/control.h"
#include "bus/loop.h"
#include "bus/test-folder.h"
#include "bus/test-run.h"
#include "proto/control_limits.h"

enum { COMPONENTS = 60, NAME_BYTES = 4000 };

static struct manifest_component components[COMPONENTS];
static char names[COMPONENTS][NAME_BYTES + 1];
static struct manifest manifest = {
    .root = "", .path = "", .components = components, .components_count = COMPONENTS};
static int client;

static void setup(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  test_folder_make();
  for (unsigned i = 0; i < COMPONENTS; i++) {
    memset(names[i], 'a', NAME_BYTES);
    components[i] = (struct manifest_component){.name = names[i], .calls_max = 1};
  }
  ck_assert_int_eq(loop_init(), 0);
  ck_assert_int_eq(bus_init(&manifest, "test", test_folder), 0);
  ck_assert_int_eq(control_init(), 0);
  snprintf(address.sun_path, sizeof(address.sun_path), "%s/control.sock", test_folder);
  client = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
  loop_once(true);
}

static void teardown(void) {
  close(client);
  bus_deinit();
  test_folder_remove();
}

static Proteos__ControlReply *ask_status(void) {
  static uint8_t packed[CONTROL_REPLY_MAX_BYTES];
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__StatusRequest status = PROTEOS__STATUS_REQUEST__INIT;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_STATUS;
  request.status = &status;
  size_t bytes = proteos__control_request__pack(&request, packed);
  ck_assert_int_eq(send(client, packed, bytes, 0), (ssize_t)bytes);
  loop_once(true);
  ssize_t n = recv(client, packed, sizeof(packed), MSG_DONTWAIT);
  ck_assert_int_gt(n, 0);
  Proteos__ControlReply *reply = proteos__control_reply__unpack(NULL, (size_t)n, packed);
  ck_assert_ptr_nonnull(reply);
  return reply;
}

START_TEST(one_that_is_too_long_is_an_error) {
  Proteos__ControlReply *reply = ask_status();
  ck_assert(reply->last);
  ck_assert_int_eq(reply->status, -EMSGSIZE);
  ck_assert_ptr_nonnull(strstr(reply->text, "and no more than 196608 can be sent"));
  proteos__control_reply__free_unpacked(reply, NULL);
}
END_TEST

START_TEST(the_client_may_ask_again) {
  proteos__control_reply__free_unpacked(ask_status(), NULL);
  for (unsigned i = 0; i < COMPONENTS; i++)
    names[i][100] = 0;
  Proteos__ControlReply *reply = ask_status();
  ck_assert(reply->last);
  ck_assert_int_eq(reply->status, 0);
  ck_assert_uint_eq(reply->n_components, COMPONENTS);
  proteos__control_reply__free_unpacked(reply, NULL);
}
END_TEST

int main(void) {
  Suite *s = suite_create("control");
  TCase *t = tcase_create("too long");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, one_that_is_too_long_is_an_error);
  tcase_add_test(t, the_client_may_ask_again);
  suite_add_tcase(s, t);
  return test_run(s);
}
