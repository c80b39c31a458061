#include <check.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/loop.h"
#include "bus/packet.h"
#include "bus/test-bus.h"

static struct manifest_call client_calls[] = {{"server", 0}};
static struct manifest_call other_calls[] = {{"server", 100}, {"client", 0}};
struct manifest_component test_components[] = {
    {.name = "server", .calls_max = 2},
    {.name = "client", .calls = client_calls, .calls_count = 1, .calls_max = 2},
    {.name = "other", .calls = other_calls, .calls_count = 2, .calls_max = 2},
    {.name = "stranger", .calls_max = 2},
};
static struct manifest manifest = {.components = test_components, .components_count = 4};
int component_end[ENDPOINTS_MAX];
struct test_delivery in;

struct version *serve(endpoint_t id) {
  int pair[2];
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
  struct version *v = version_new(bus_endpoint(id), SYS_START_FRESH, open("/dev/null", O_RDONLY));
  v->channel = pair[0];
  v->state = VERSION_BUSY;
  component_end[id] = pair[1];
  return v;
}

void test_bus_setup(void) {
  ck_assert_int_eq(loop_init(), 0);
  ck_assert_int_eq(bus_init(&manifest, "test", "/nonexistent"), 0);
  bus.state = BUS_RUNNING;
  for (endpoint_t id = 1; id <= 4; id++) {
    struct endpoint *e = bus_endpoint(id);
    e->live = serve(id);
    e->state = ENDPOINT_RUNNING;
    e->incarnation = 1;
  }
}

void test_bus_teardown(void) {
  bus_deinit();
}

void send_ops(endpoint_t id, const struct bus_op *ops, uint32_t n, const void *payload) {
  struct bus_packet head = {BUS_ABI_VERSION, n};
  size_t bytes = 0;
  for (uint32_t i = 0; i < n; i++)
    bytes += ops[i].payload;
  struct iovec iov[] = {{&head, sizeof(head)},
                        {(void *)(uintptr_t)ops, n * sizeof(*ops)},
                        {(void *)(uintptr_t)payload, bytes}};
  struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 3};
  ck_assert_int_gt(sendmsg(component_end[id], &msg, 0), 0);
  packet_read(bus_endpoint(id)->live);
}

void receive(endpoint_t id) {
  send_ops(id, &(struct bus_op){.code = BUS_OP_RECEIVE}, 1, NULL);
}

void sendrec(endpoint_t id, endpoint_t dst, uint32_t value) {
  struct bus_op op = {.code = BUS_OP_SENDREC, .dst = dst, .m = {.type = ASK, .u32 = {value}}};
  send_ops(id, &op, 1, NULL);
}

void call(endpoint_t id, endpoint_t dst, uint64_t cookie) {
  struct bus_op op = {.code = BUS_OP_CALL, .dst = dst, .arg = cookie, .m = {.type = ASK}};
  send_ops(id, &op, 1, NULL);
}

void notify(endpoint_t id, endpoint_t dst, uint64_t bits) {
  send_ops(id, &(struct bus_op){.code = BUS_OP_NOTIFY, .dst = dst, .arg = bits}, 1, NULL);
}

void reply(endpoint_t id, uint64_t token, uint32_t value, uint16_t flags) {
  struct bus_op op = {.code = BUS_OP_REPLY, .flags = flags, .arg = token, .m = {.u32 = {value}}};
  send_ops(id, &op, 1, NULL);
}

bool got(endpoint_t id) {
  return recv(component_end[id], &in, sizeof(in), MSG_DONTWAIT) > 0;
}

void expect_message(endpoint_t id, endpoint_t source, uint32_t type) {
  ck_assert_msg(got(id), "endpoint %d got nothing", id);
  ck_assert_uint_eq(in.d.kind, BUS_DELIVER_MESSAGE);
  ck_assert_int_eq(in.d.m.source, source);
  ck_assert_uint_eq(in.d.m.type, type);
}

void expect_answer(endpoint_t id, int error) {
  ck_assert_msg(got(id), "endpoint %d got nothing", id);
  ck_assert_uint_eq(in.d.kind, BUS_DELIVER_ANSWER);
  ck_assert_int_eq(in.d.error, error);
}

void expect_killed(endpoint_t id) {
  ck_assert_int_eq(bus_endpoint(id)->live->state, VERSION_ENDING);
}
