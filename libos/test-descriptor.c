/* The descriptor table. */
#include <check.h>

#include "bus/test-run.h"
#include "libos/descriptor.h"
#include "libsys/if/sock.h"

enum { STORAGE = 5, NET = 6 };

static int new_file(uint32_t handle) {
  return descriptor_new(DESCRIPTOR_FILE, STORAGE, handle, 0);
}

START_TEST(lowest_number_is_given) {
  ck_assert_int_eq(new_file(1), 0);
  ck_assert_int_eq(new_file(2), 1);
  ck_assert_int_eq(new_file(3), 2);
  ck_assert(descriptor_drop(1));
  ck_assert_int_eq(new_file(4), 1);
  ck_assert_uint_eq(descriptor_get(1)->handle, 4);
}
END_TEST

START_TEST(numbers_that_mean_nothing) {
  errno = 0;
  ck_assert(!descriptor_get(-1) && errno == EBADF);
  ck_assert(!descriptor_get(OS_FDS_MAX) && errno == EBADF);
  ck_assert(!descriptor_get(3) && errno == EBADF);
}
END_TEST

START_TEST(table_can_be_full) {
  for (unsigned i = 0; i < OS_FDS_MAX; i++)
    ck_assert_int_eq(new_file(i + 1), (int)i);
  errno = 0;
  ck_assert_int_eq(new_file(OS_FDS_MAX + 1), -1);
  ck_assert_int_eq(errno, EMFILE);
  ck_assert(descriptor_drop(7));
  ck_assert_int_eq(descriptor_free(0), 7);
  ck_assert_int_eq(descriptor_free(8), -1);
}
END_TEST

START_TEST(duplicates_share_a_handle) {
  int fd = new_file(1), other = descriptor_put(descriptor_free(0), *descriptor_get(fd));
  ck_assert(!descriptor_drop(fd));
  ck_assert(descriptor_drop(other));
}
END_TEST

START_TEST(a_handle_that_comes_again_is_another) {
  int old = new_file(1), kept = new_file(2), new = new_file(1);
  errno = 0;
  ck_assert(!descriptor_get(old) && errno == EIO);
  ck_assert(descriptor_get(kept) && descriptor_get(new));
  ck_assert(!descriptor_drop(old)); /* the new one's handle is not to be closed */
  ck_assert(descriptor_drop(new));
}
END_TEST

START_TEST(a_lost_server_loses_its_own_only) {
  int file = new_file(1), socket = descriptor_new(DESCRIPTOR_SOCKET, NET, 1, 0);
  int null = descriptor_put(descriptor_free(0), (struct descriptor){.kind = DESCRIPTOR_NULL});
  descriptor_server_lost(NET);
  ck_assert(!descriptor_get(socket) && errno == EIO);
  ck_assert(descriptor_get(file) && descriptor_get(null));
  ck_assert(!descriptor_drop(socket) && !descriptor_drop(null));
}
END_TEST

START_TEST(readiness_is_the_sockets) {
  int one = descriptor_new(DESCRIPTOR_SOCKET, NET, 1, 0);
  int same = descriptor_put(descriptor_free(0), *descriptor_get(one));
  int other = descriptor_new(DESCRIPTOR_SOCKET, NET, 2, 0);
  descriptor_ready(NET, 1, SOCK_IN | SOCK_OUT, 0);
  descriptor_ready(NET, 1, 0, SOCK_OUT);
  ck_assert_uint_eq(descriptor_get(same)->ready, SOCK_IN);
  ck_assert_uint_eq(descriptor_get(other)->ready, 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("descriptor");
  TCase *tc = tcase_create("descriptor");
  tcase_add_test(tc, lowest_number_is_given);
  tcase_add_test(tc, numbers_that_mean_nothing);
  tcase_add_test(tc, table_can_be_full);
  tcase_add_test(tc, duplicates_share_a_handle);
  tcase_add_test(tc, a_handle_that_comes_again_is_another);
  tcase_add_test(tc, a_lost_server_loses_its_own_only);
  tcase_add_test(tc, readiness_is_the_sockets);
  suite_add_tcase(suite, tc);
  return test_run(suite);
}
