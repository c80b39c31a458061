/* Programs: their places, and what others learn of them. The test is the spawner, its programs, a
 * server of theirs, and the loader. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/fdpass.h"
#include "bus/lifecycle.h"
#include "bus/link.h"
#include "bus/loader_proto.h"
#include "bus/loop.h"
#include "bus/packet.h"
#include "bus/programs.h"
#include "bus/tables.h"
#include "bus/test-bus.h"
#include "bus/test-folder.h"
#include "bus/test-run.h"

enum { SHELF = 1, SPAWNER = 2, FIRST = 3, SECOND = 4 };

static struct manifest_call calls[] = {{"shelf", 0}, {"spawner", 0}};
static struct manifest_component components[] = {
    {.name = "shelf", .calls_max = 2},
    {.name = "spawner", .calls_max = 2, .kernel = MANIFEST_KERNEL_PROCESSES},
    {.name = "program-1", .calls = calls, .calls_count = 2, .calls_max = 2, .program = true},
    {.name = "program-2", .calls = calls, .calls_count = 2, .calls_max = 2, .program = true},
};
static struct manifest manifest = {.components = components,
                                   .components_count = 4,
                                   .programs = {.by = "spawner", .at_most = 2},
                                   .timeouts = {.start = 60000}};
static int loader;  /* its end of the channel */
static int channel; /* of the program that it was asked for last */

static struct {
  struct loader_msg m;
  char strings[LOADER_STRINGS_MAX];
} request;

static void setup(void) {
  char command[256];
  int pair[2];
  test_folder_make();
  snprintf(command, sizeof(command), "mkdir -p %s/bin %s/log && cp /bin/true %s/bin/tool",
           test_folder, test_folder, test_folder);
  ck_assert_int_eq(system(command), 0);
  manifest.root = (char *)(uintptr_t)test_folder;
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
  loader = pair[1];
  ck_assert_int_eq(dup2(pair[0], LOADER_CHANNEL_FD), LOADER_CHANNEL_FD);
  close(pair[0]);
  ck_assert_int_eq(loop_init(), 0);
  ck_assert_int_eq(bus_init(&manifest, "test", test_folder), 0);
  bus.state = BUS_RUNNING;
  ck_assert_int_eq(link_init(), 0);
  for (endpoint_t id = SHELF; id <= SPAWNER; id++) {
    struct endpoint *e = bus_endpoint(id);
    e->live = serve(id);
    e->state = ENDPOINT_RUNNING;
    e->incarnation = 1;
    ck_assert_int_eq(loop_add(e->live->channel, LOOP_READ, false, packet_ready, e->live), 0);
  }
}

static void teardown(void) {
  bus_deinit();
  test_folder_remove();
}

/* ---- the loader ---- */

/* @return whether busd has asked for something, now in `request` */
static bool asked(void) {
  int fds[LOADER_FDS_MAX + 2];
  unsigned nfds = LOADER_FDS_MAX + 2;
  ssize_t n = fdpass_receive(loader, &request, sizeof(request), fds, &nfds);
  if (n <= 0) return false;
  if (request.m.type == LOADER_SPAWN) channel = dup(fds[2]);
  fdpass_close(fds, nfds);
  return true;
}

static void expect_kill(int signal) {
  ck_assert_msg(asked(), "the loader was asked for nothing");
  ck_assert_uint_eq(request.m.type, LOADER_KILL);
  ck_assert_int_eq(request.m.kill.signal, signal);
}

static void loader_says(const struct loader_msg *m, const char *text) {
  struct iovec iov[] = {{(void *)(uintptr_t)m, sizeof(*m)},
                        {(void *)(uintptr_t)text, strlen(text) + 1}};
  struct msghdr msg = {.msg_iov = iov, .msg_iovlen = *text ? 2 : 1};
  ck_assert_int_gt(sendmsg(loader, &msg, 0), 0);
  loop_once(false);
}

static void forked(int error) {
  struct loader_msg m = {.type = LOADER_SPAWNED, .id = request.m.id};
  m.spawned.pid = error ? 0 : 4711;
  m.spawned.error = error;
  loader_says(&m, "");
}

static void ended(uint32_t id, int wait_status, const char *never_ran) {
  struct loader_msg m = {.type = LOADER_EXITED, .id = id, .exited = {4711, wait_status, 250}};
  loader_says(&m, never_ran);
}

/* ---- the spawner ---- */

static void kernel(endpoint_t by, uint32_t type, endpoint_t place, uint32_t incarnation,
                   int32_t value) {
  struct bus_op op = {.code = BUS_OP_SENDREC, .dst = SYS_KERNEL, .m = {.type = type}};
  op.m.i32[0] = place;
  op.m.u32[1] = incarnation;
  op.m.i32[2] = value;
  send_ops(by, &op, 1, NULL);
}

static void expect_status(int status) {
  ck_assert_msg(got(SPAWNER), "the spawner got nothing");
  ck_assert_uint_eq(in.d.kind, BUS_DELIVER_ANSWER);
  ck_assert_int_eq(in.d.m.status, status);
}

static void spawn(const char *strings, uint32_t bytes, int status) {
  struct bus_op op = {
      .code = BUS_OP_SENDREC, .dst = SYS_KERNEL, .payload = bytes, .m = {.type = KERN_SPAWN}};
  send_ops(SPAWNER, &op, 1, strings);
  expect_status(status);
}

static const char tool[] = "tool\0one\0two";

/* Until the loader has the request. */
static void begin(endpoint_t place, uint32_t incarnation) {
  spawn(tool, sizeof(tool), 0);
  ck_assert_int_eq(in.d.m.i32[0], place);
  ck_assert_uint_eq(in.d.m.u32[1], incarnation);
  kernel(SPAWNER, KERN_START, place, incarnation, 0);
  ck_assert(!got(SPAWNER));
  ck_assert(asked());
  ck_assert_uint_eq(request.m.type, LOADER_SPAWN);
}

/* @return the loader's id of its process */
static uint32_t start(endpoint_t place, uint32_t incarnation) {
  begin(place, incarnation);
  uint32_t id = request.m.id;
  forked(0);
  expect_status(0);
  ck_assert_int_eq(in.d.m.i32[0], 4711);
  return id;
}

/* The program is up, and this test its process. */
static void come_up(endpoint_t place) {
  component_end[place] = channel;
  send_ops(place,
           &(struct bus_op){.code = BUS_OP_SENDREC, .dst = SYS_KERNEL, .m = {.type = KERN_READY}},
           1, NULL);
  expect_answer(place, 0);
}

static void expect_exited(endpoint_t who, endpoint_t peer) {
  receive(who);
  expect_message(who, SYS_KERNEL, SYS_EXITED);
  ck_assert_int_eq(in.d.m.i32[0], peer);
}

static void check_tables(void) {
  char why[256];
  ck_assert_msg(tables_check(why, sizeof(why)) == 0, "%s", why);
}

/* ---- tests ---- */

START_TEST(arguments_reach_the_loader) {
  begin(FIRST, 1);
  ck_assert_uint_eq(request.m.spawn.nargs, 2);
  ck_assert_str_eq(request.strings, "one");
  ck_assert_str_eq(request.strings + 4, "two");
  check_tables();
}
END_TEST

START_TEST(a_life) {
  uint32_t id = start(FIRST, 1);
  check_tables();
  come_up(FIRST);
  ck_assert_int_eq(bus_endpoint(FIRST)->state, ENDPOINT_RUNNING);
  ended(id, 7 << 8, "");
  ck_assert_int_eq(bus_endpoint(FIRST)->state, ENDPOINT_DEAD);
  check_tables();
  expect_exited(SHELF, FIRST);
  expect_exited(SPAWNER, FIRST);
  receive(SPAWNER);
  expect_message(SPAWNER, SYS_KERNEL, PROGRAM_ENDED);
  ck_assert_int_eq(in.d.m.i32[0], FIRST);
  ck_assert_uint_eq(in.d.m.u32[1], 1);
  ck_assert_int_eq(in.d.m.i32[2], 7 << 8);
  ck_assert_uint_eq(in.d.m.u64[2], 250);
  ck_assert_uint_eq(in.d.m.payload, 0);
  start(SECOND, 1);
  spawn(tool, sizeof(tool), -EAGAIN);
  kernel(SPAWNER, KERN_REAP, FIRST, 1, 0);
  expect_status(0);
  start(FIRST, 2);
  check_tables();
}
END_TEST

START_TEST(what_does_not_run_is_told) {
  uint32_t id = start(FIRST, 1);
  ended(id, 127 << 8, "exec: bad");
  expect_exited(SPAWNER, FIRST);
  receive(SPAWNER);
  expect_message(SPAWNER, SYS_KERNEL, PROGRAM_ENDED);
  ck_assert_uint_eq(in.d.m.payload, strlen("exec: bad"));
  ck_assert_mem_eq(in.payload, "exec: bad", in.d.m.payload);
}
END_TEST

START_TEST(no_process_can_be_made) {
  begin(FIRST, 1);
  forked(-EAGAIN);
  expect_status(-EAGAIN);
  check_tables();
  expect_exited(SHELF, FIRST); /* who may have something for it */
  start(FIRST, 2);
}
END_TEST

/* However late the server listens. */
START_TEST(the_end_of_one_comes_before_the_next) {
  uint32_t id = start(FIRST, 1);
  come_up(FIRST);
  sendrec(FIRST, SHELF, 1);
  ended(id, 0, "");
  kernel(SPAWNER, KERN_REAP, FIRST, 1, 0);
  expect_status(0);
  start(FIRST, 2);
  come_up(FIRST);
  notify(FIRST, SHELF, 4);
  sendrec(FIRST, SHELF, 2);
  expect_exited(SHELF, FIRST);
  receive(SHELF);
  expect_message(SHELF, FIRST, SYS_NOTIFIED);
  receive(SHELF);
  expect_message(SHELF, FIRST, ASK);
  ck_assert_uint_eq(in.d.m.u32[0], 2);
}
END_TEST

START_TEST(a_token_of_one_is_not_the_next_ones) {
  uint32_t id = start(FIRST, 1);
  come_up(FIRST);
  receive(SHELF);
  sendrec(FIRST, SHELF, 1);
  expect_message(SHELF, FIRST, ASK);
  uint64_t token = in.d.m.token;
  ended(id, 0, "");
  kernel(SPAWNER, KERN_REAP, FIRST, 1, 0);
  expect_status(0);
  start(FIRST, 2);
  come_up(FIRST);
  bus_endpoint(FIRST)->sequence = 0;
  sendrec(FIRST, SHELF, 2);
  reply(SHELF, token, 0, BUS_ACK);
  expect_answer(SHELF, -ESTALE);
}
END_TEST

START_TEST(it_stands_still_for_any_reason) {
  start(FIRST, 1);
  kernel(SPAWNER, KERN_SIGNAL, FIRST, 1, SIGSTOP);
  expect_status(0);
  expect_kill(SIGSTOP);
  stop_set(bus_endpoint(FIRST), STOP_PREEMPTED, true);
  ck_assert(!asked());
  kernel(SPAWNER, KERN_SIGNAL, FIRST, 1, SIGCONT);
  expect_status(0);
  ck_assert(!asked());
  ck_assert(bus_endpoint(FIRST)->stop.reasons);
  stop_set(bus_endpoint(FIRST), STOP_PREEMPTED, false);
  expect_kill(SIGCONT);
  ck_assert(!bus_endpoint(FIRST)->stop.reasons);
  kernel(SPAWNER, KERN_SIGNAL, FIRST, 1, SIGCONT);
  expect_status(0);
  ck_assert(!asked());
}
END_TEST

START_TEST(the_operator_lets_go_on_what_the_operator_stopped) {
  start(FIRST, 1);
  stop_order(bus_endpoint(FIRST), true);
  expect_kill(SIGSTOP);
  kernel(SPAWNER, KERN_SIGNAL, FIRST, 1, SIGSTOP);
  expect_status(0);
  kernel(SPAWNER, KERN_SIGNAL, FIRST, 1, SIGCONT);
  expect_status(0);
  ck_assert(!asked());
  kernel(SPAWNER, KERN_SIGNAL, FIRST, 1, SIGSTOP);
  expect_status(0);
  stop_order(bus_endpoint(FIRST), false);
  ck_assert(!asked()); /* the spawner's stop holds */
  kernel(SPAWNER, KERN_SIGNAL, FIRST, 1, SIGCONT);
  expect_status(0);
  expect_kill(SIGCONT);
  stop_order(bus_endpoint(FIRST), false); /* somebody outside may have stopped it */
  expect_kill(SIGCONT);
}
END_TEST

/* It is not late as long as it may not run. */
START_TEST(a_stopped_one_is_given_time_to_start) {
  start(FIRST, 1);
  struct endpoint *e = bus_endpoint(FIRST);
  kernel(SPAWNER, KERN_SIGNAL, FIRST, 1, SIGSTOP);
  expect_status(0);
  expect_kill(SIGSTOP);
  uint64_t late = e->start_deadline_us + 1;
  ck_assert_uint_gt(lifecycle_expire(e, late), late);
  ck_assert(!asked());
  stop_set(e, STOP_SIGNALLED, false);
  expect_kill(SIGCONT);
  lifecycle_expire(e, e->start_deadline_us + 1);
  expect_kill(SIGKILL);
}
END_TEST

/* What the former spawner waited for is not the next one's answer. */
START_TEST(the_spawner_dies_while_it_waits) {
  begin(FIRST, 1);
  struct endpoint *spawner = bus_endpoint(SPAWNER);
  struct version *v = spawner->live;
  v->state = VERSION_ENDING;
  lifecycle_exited(v, 9, "");
  spawner->live = serve(SPAWNER);
  spawner->state = ENDPOINT_RUNNING;
  spawner->live->state = VERSION_IN_KERNEL;
  forked(0);
  ck_assert(!got(SPAWNER));
  spawner->live->state = VERSION_BUSY;
  kernel(SPAWNER, KERN_PLACES, 0, 0, 0);
  expect_status(0);
  const struct kern_place *p = (const struct kern_place *)(const void *)in.payload;
  ck_assert_uint_eq(in.d.m.payload, sizeof(*p));
  ck_assert_int_eq(p->endpoint, FIRST);
  ck_assert_uint_eq(p->state, KERN_PLACE_STARTED);
  ck_assert_int_eq(p->pid, 4711);
}
END_TEST

static const struct kern_place *first_place(void) {
  kernel(SPAWNER, KERN_PLACES, 0, 0, 0);
  expect_status(0);
  return (const struct kern_place *)(const void *)in.payload;
}

/* The program asks `server`, which answers with a status. */
static void ask_and_answer(endpoint_t server, int status) {
  receive(server);
  sendrec(FIRST, server, 1);
  expect_message(server, FIRST, ASK);
  struct bus_op op = {.code = BUS_OP_REPLY, .arg = in.d.m.token, .m = {.status = status}};
  send_ops(server, &op, 1, NULL);
  ck_assert(got(FIRST));
}

/* So a spawner that was taken back finds out which programs have begun. */
START_TEST(whom_the_spawner_has_answered_is_known) {
  uint32_t id = start(FIRST, 1);
  come_up(FIRST);
  ask_and_answer(SHELF, 0);
  ck_assert_uint_eq(first_place()->answered, 0);
  ask_and_answer(SPAWNER, -EINVAL);
  ck_assert_uint_eq(first_place()->answered, 0);
  ask_and_answer(SPAWNER, 0);
  ck_assert_uint_eq(first_place()->answered, 1);
  ended(id, 0, "");
  ck_assert_uint_eq(first_place()->answered, 1);
  expect_exited(SPAWNER, FIRST);
  receive(SPAWNER);
  expect_message(SPAWNER, SYS_KERNEL, PROGRAM_ENDED);
  ck_assert_uint_eq(in.d.m.u32[3], 1);
  kernel(SPAWNER, KERN_REAP, FIRST, 1, 0);
  expect_status(0);
  start(FIRST, 2);
  ck_assert_uint_eq(first_place()->answered, 0);
}
END_TEST

static void forget_place(void) {
  bus_endpoint(FIRST)->live = NULL;
  bus_endpoint(FIRST)->state = ENDPOINT_DOWN;
}

static void make_it_no_place(void) {
  components[FIRST - 1].program = false;
}

START_TEST(contradictions) {
  static const struct {
    void (*break_table)(void);
    const char *says;
  } breaks[] = {{forget_place, "has a program in one table only"},
                {make_it_no_place, "is no place for programs"}};
  char why[256];
  start(FIRST, 1);
  check_tables();
  breaks[_i].break_table();
  ck_assert_int_lt(tables_check(why, sizeof(why)), 0);
  ck_assert_msg(strstr(why, breaks[_i].says), "'%s' does not say '%s'", why, breaks[_i].says);
}
END_TEST

/* Nothing else may have its number, of the test library above all. */
static void reserve_channel(void) {
  int fd = open("/dev/null", O_RDONLY);
  if (fd == LOADER_CHANNEL_FD) return;
  dup2(fd, LOADER_CHANNEL_FD);
  close(fd);
}

int main(void) {
  reserve_channel();
  Suite *s = suite_create("programs");
  TCase *t = tcase_create("programs");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, arguments_reach_the_loader);
  tcase_add_test(t, a_life);
  tcase_add_test(t, what_does_not_run_is_told);
  tcase_add_test(t, no_process_can_be_made);
  tcase_add_test(t, the_end_of_one_comes_before_the_next);
  tcase_add_test(t, a_token_of_one_is_not_the_next_ones);
  tcase_add_test(t, it_stands_still_for_any_reason);
  tcase_add_test(t, the_operator_lets_go_on_what_the_operator_stopped);
  tcase_add_test(t, a_stopped_one_is_given_time_to_start);
  tcase_add_test(t, the_spawner_dies_while_it_waits);
  tcase_add_test(t, whom_the_spawner_has_answered_is_known);
  tcase_add_loop_test(t, contradictions, 0, 2);
  suite_add_tcase(s, t);
  return test_run(s);
}
