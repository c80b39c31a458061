/* The socket table and the inbox, without lwIP and without the bus. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "servers/net/inbox.h"
#include "servers/net/table.h"

/* What the table needs of libsys. */
void sys_log(const char *fmt, ...) {
  (void)fmt;
}

START_TEST(handles_are_small_and_reused) {
  struct socket *a = socket_new(5), *b = socket_new(5);
  ck_assert_uint_eq(a->handle, 1);
  ck_assert_uint_eq(b->handle, 2);
  socket_free(a);
  ck_assert_ptr_null(socket_at(1));
  ck_assert_uint_eq(socket_new(6)->handle, 1);
  ck_assert_uint_eq(socket_count(), 2);
  ck_assert_ptr_null(socket_at(0));
  ck_assert_ptr_null(socket_at(MAX_SOCKETS + 1));
  ck_assert_ptr_null(socket_at(UINT32_MAX));
}
END_TEST

START_TEST(table_is_bounded) {
  for (unsigned i = 0; i < MAX_SOCKETS; i++)
    ck_assert_ptr_nonnull(socket_new(1));
  ck_assert_ptr_null(socket_new(1));
  socket_free(socket_at(77));
  ck_assert_uint_eq(socket_new(1)->handle, 77);
}
END_TEST

START_TEST(only_the_owner_sees_a_socket) {
  struct socket *s = socket_new(3);
  ck_assert_ptr_eq(socket_of(3, s->handle), s);
  ck_assert_ptr_null(socket_of(4, s->handle));
  struct socket *l = socket_new(3);
  socket_enqueue(s, l);
  ck_assert_ptr_null(socket_of(3, s->handle)); /* not accepted yet */
}
END_TEST

START_TEST(connections_are_accepted_in_order) {
  struct socket *l = socket_new(1), *a = socket_new(1), *b = socket_new(1), *c = socket_new(1);
  socket_enqueue(b, l);
  socket_enqueue(c, l);
  socket_enqueue(a, l);
  ck_assert_uint_eq(socket_waiting(l), 3);
  ck_assert_ptr_eq(socket_oldest(l), b);
  b->listener = 0;
  ck_assert_ptr_eq(socket_oldest(l), c);
  c->listener = 0;
  ck_assert_ptr_eq(socket_oldest(l), a);
}
END_TEST

START_TEST(impossible_transition_aborts) {
  struct socket *s = socket_new(1);
  socket_become(s, SOCKET_BOUND);
  socket_become(s, SOCKET_LISTENING);
  socket_become(s, SOCKET_OPEN);
}
END_TEST

START_TEST(owners_are_bounded) {
  for (endpoint_t e = 1; e <= MAX_OWNERS; e++)
    ck_assert_ptr_nonnull(owner_get(e));
  ck_assert_ptr_null(owner_get(MAX_OWNERS + 1));
  ck_assert_ptr_eq(owner_get(2), owner_find(2));
  owner_free(owner_find(2));
  ck_assert_ptr_nonnull(owner_get(MAX_OWNERS + 1));
}
END_TEST

START_TEST(inbox_keeps_order_and_bound) {
  struct inbox *in = inbox_new();
  static uint8_t out[INBOX_MAX_BYTES];
  uint8_t next_in = 0, next_out = 0;
  for (uint32_t n = 1; n < 30000; n = n * 5 / 3 + 1) {
    for (unsigned round = 0; round < 7; round++) {
      if (!inbox_reserve(in, n)) break;
      for (uint32_t i = 0; i < n; i++)
        inbox_put(in, &(uint8_t){next_in++}, 1);
      uint32_t got = inbox_take(in, out, n - n / 3);
      for (uint32_t i = 0; i < got; i++)
        ck_assert_uint_eq(out[i], next_out++);
    }
  }
  ck_assert(inbox_reserve(in, INBOX_MAX_BYTES - inbox_used(in)));
  ck_assert(!inbox_reserve(in, INBOX_MAX_BYTES - inbox_used(in) + 1));
  uint32_t left = inbox_used(in);
  ck_assert_uint_eq(inbox_take(in, out, sizeof out), left);
  for (uint32_t i = 0; i < left; i++)
    ck_assert_uint_eq(out[i], next_out++);
  ck_assert_uint_eq(inbox_used(in), 0);
  inbox_free(in);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("table");
  TCase *tc = tcase_create("table");
  tcase_add_test(tc, handles_are_small_and_reused);
  tcase_add_test(tc, table_is_bounded);
  tcase_add_test(tc, only_the_owner_sees_a_socket);
  tcase_add_test(tc, connections_are_accepted_in_order);
  tcase_add_test_raise_signal(tc, impossible_transition_aborts, SIGABRT);
  tcase_add_test(tc, owners_are_bounded);
  tcase_add_test(tc, inbox_keeps_order_and_bound);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
