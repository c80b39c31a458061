/* Memory segments: who may open what, and how. The server of test-bus.h makes them. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/abi.h"
#include "bus/memory.h"
#include "bus/test-bus.h"
#include "bus/test-run.h"

enum { BYTES = 8192, BOTH = BUS_SEGMENT_READ | BUS_SEGMENT_WRITE };

static struct endpoint *server, *client, *other;
static uint32_t segment, incarnation;

static void setup(void) {
  test_bus_setup();
  server = bus_endpoint(SERVER);
  client = bus_endpoint(CLIENT);
  other = bus_endpoint(OTHER);
  ck_assert_int_eq(memory_make(server, BYTES, &segment), 0);
}

static void teardown(void) {
  memory_forget(server);
  test_bus_teardown();
}

static int opened(struct endpoint *e) {
  uint64_t bytes = 0;
  int fd = memory_open(e, segment, &bytes);
  if (fd >= 0) ck_assert_uint_eq(bytes, BYTES);
  return fd;
}

static void *map(int fd, int prot) {
  return mmap(NULL, BYTES, prot, MAP_SHARED, fd, 0);
}

START_TEST(it_is_shared_with_whom_its_maker_says) {
  ck_assert_int_eq(opened(client), -ENOENT);
  ck_assert_int_eq(memory_share(server, segment, CLIENT, BOTH, &incarnation), 0);
  ck_assert_uint_eq(incarnation, 1);
  ck_assert_int_eq(memory_share(server, segment, OTHER, BUS_SEGMENT_READ, &incarnation), 0);
  int writer = opened(client), reader = opened(other);
  ck_assert_int_ge(writer, 0);
  ck_assert_int_ge(reader, 0);
  char *to = map(writer, PROT_READ | PROT_WRITE);
  const char *from = map(reader, PROT_READ);
  ck_assert_ptr_ne(to, MAP_FAILED);
  ck_assert_ptr_ne(from, MAP_FAILED);
  strcpy(to, "hello");
  ck_assert_str_eq(from, "hello");
  munmap(to, BYTES);
  munmap((void *)(uintptr_t)from, BYTES);
  close(writer);
  close(reader);
  ck_assert_int_eq(memory_share(server, segment, CLIENT, 0, &incarnation), 0);
  ck_assert_int_eq(opened(client), -ENOENT);
}
END_TEST

START_TEST(who_may_read_cannot_write) {
  char path[40];
  ck_assert_int_eq(memory_share(server, segment, CLIENT, BUS_SEGMENT_READ, &incarnation), 0);
  int fd = opened(client);
  ck_assert_ptr_eq(map(fd, PROT_READ | PROT_WRITE), MAP_FAILED);
  void *at = map(fd, PROT_READ);
  ck_assert_int_lt(mprotect(at, BYTES, PROT_READ | PROT_WRITE), 0);
  ck_assert_int_lt(ftruncate(fd, 1), 0);
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  struct stat st;
  ck_assert_int_eq(fstat(fd, &st), 0);
  ck_assert_uint_eq(st.st_mode & 0777, 0400);
  if (geteuid() != 0) ck_assert_int_lt(open(path, O_RDWR), 0); /* root may open anything */
  munmap(at, BYTES);
  close(fd);
}
END_TEST

START_TEST(nobody_else_decides) {
  ck_assert_int_eq(memory_share(client, segment, CLIENT, BOTH, &incarnation), -ENOENT);
  ck_assert_int_eq(memory_drop(client, segment), -ENOENT);
  ck_assert_int_eq(memory_share(server, segment + 1, CLIENT, BOTH, &incarnation), -ENOENT);
  ck_assert_int_eq(memory_share(server, 0, CLIENT, BOTH, &incarnation), -ENOENT);
  ck_assert_int_eq(memory_share(server, segment, STRANGER, BOTH, &incarnation), -ESRCH);
  ck_assert_int_eq(memory_share(server, segment, 99, BOTH, &incarnation), -ESRCH);
  ck_assert_int_eq(memory_share(server, segment, -1, BOTH, &incarnation), -ESRCH);
  ck_assert_int_eq(memory_share(server, segment, CLIENT, BUS_SEGMENT_WRITE, &incarnation), -EINVAL);
  ck_assert_int_eq(memory_share(server, segment, CLIENT, 8, &incarnation), -EINVAL);
}
END_TEST

START_TEST(sizes_and_numbers_are_bounded) {
  uint32_t id;
  ck_assert_int_eq(memory_make(server, 0, &id), -EINVAL);
  ck_assert_int_eq(memory_make(server, 100, &id), -EINVAL);
  ck_assert_int_eq(memory_make(server, MEMORY_SEGMENT_BYTES_MAX + 4096, &id), -EINVAL);
  for (unsigned i = 1; i < MEMORY_SEGMENTS_MAX; i++)
    ck_assert_int_eq(memory_make(server, 4096, &id), 0);
  ck_assert_int_eq(memory_make(server, 4096, &id), -ENFILE);
  ck_assert_int_eq(memory_drop(server, segment), 0);
  ck_assert_int_eq(memory_make(server, 4096, &id), 0);
  ck_assert_uint_ne(id, segment);
}
END_TEST

START_TEST(a_life_takes_what_is_its_own_along) {
  char why[100];
  ck_assert_int_eq(memory_share(server, segment, CLIENT, BOTH, &incarnation), 0);
  memory_forget(client);
  ck_assert_int_eq(opened(client), -ENOENT);
  ck_assert_int_eq(memory_share(server, segment, CLIENT, BOTH, &incarnation), 0);
  ck_assert(memory_check(why, sizeof(why)));
  memory_forget(server);
  ck_assert_int_eq(opened(client), -ENOENT);
  ck_assert_int_eq(memory_drop(server, segment), -ENOENT);
}
END_TEST

START_TEST(the_one_meant_is_ended) {
  ck_assert_int_eq(memory_end(server, CLIENT, 2), -ESRCH);
  ck_assert_int_eq(memory_end(server, STRANGER, 1), -ESRCH);
  ck_assert_int_eq(memory_end(server, SERVER, 1), -ESRCH);
  ck_assert_int_eq(memory_end(server, 99, 1), -ESRCH);
  endpoint_hold(client, ENDPOINT_CONVERGING);
  ck_assert_int_eq(memory_end(server, CLIENT, 1), -EBUSY);
  endpoint_release(client);
  stop_set(client, STOP_PREEMPTED, true);
  ck_assert_int_eq(memory_end(server, CLIENT, 1), -EBUSY);
  stop_set(client, STOP_PREEMPTED, false);
  struct version *live = client->live;
  client->state = ENDPOINT_RECOVERING;
  client->live = NULL;
  ck_assert_int_eq(memory_end(server, CLIENT, 1), -EBUSY);
  client->state = ENDPOINT_STARTING;
  client->live = live;
  ck_assert_int_eq(memory_end(server, CLIENT, 1), -EBUSY);
  client->state = ENDPOINT_RUNNING;
  ck_assert_int_eq(memory_end(server, CLIENT, 1), 0);
  expect_killed(CLIENT);
}
END_TEST

static void kernel(endpoint_t id, uint32_t type, uint32_t first) {
  struct bus_op op = {.code = BUS_OP_SENDREC, .m = {.type = type, .u32 = {first}}};
  send_ops(id, &op, 1, NULL);
  expect_answer(id, 0);
}

START_TEST(it_takes_the_right) {
  for (uint32_t type = KERN_SEGMENT_MAKE; type <= KERN_END; type++) {
    kernel(SERVER, type, 4096);
    ck_assert_int_eq(in.d.m.status, -EPERM);
  }
  test_components[SERVER - 1].kernel = MANIFEST_KERNEL_MEMORY;
  kernel(SERVER, KERN_SEGMENT_MAKE, 4096);
  ck_assert_int_eq(in.d.m.status, 0);
  ck_assert_uint_eq(in.d.m.u32[0], segment + 1);
  kernel(SERVER, KERN_SEGMENT_DROP, segment + 1);
  ck_assert_int_eq(in.d.m.status, 0);
  test_components[SERVER - 1].kernel = 0;
  ck_assert_int_eq(memory_share(server, segment, CLIENT, BOTH, &incarnation), 0);
  kernel(CLIENT, KERN_SEGMENT_OPEN, segment);
  ck_assert_int_eq(in.d.m.status, 0);
  kernel(CLIENT, KERN_SEGMENT_OPEN, segment + 1);
  ck_assert_int_eq(in.d.m.status, -ENOENT);
}
END_TEST

int main(void) {
  Suite *s = suite_create("memory");
  TCase *t = tcase_create("memory");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, it_is_shared_with_whom_its_maker_says);
  tcase_add_test(t, who_may_read_cannot_write);
  tcase_add_test(t, nobody_else_decides);
  tcase_add_test(t, sizes_and_numbers_are_bounded);
  tcase_add_test(t, a_life_takes_what_is_its_own_along);
  tcase_add_test(t, the_one_meant_is_ended);
  tcase_add_test(t, it_takes_the_right);
  suite_add_tcase(s, t);
  return test_run(s);
}
