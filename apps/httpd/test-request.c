/* The request parser against well-formed, odd and hostile heads. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/httpd/request.h"

static struct request r;

/* A copy of exact size, so that a sanitizer or valgrind sees a read past its end. */
static int parse_n(const char *text, size_t length) {
  char *copy = malloc(length ? length : 1);
  memcpy(copy, text, length);
  int n = request_parse(copy, length, &r);
  free(copy);
  return n;
}

static int parse(const char *text) {
  return parse_n(text, strlen(text));
}

START_TEST(simple_get) {
  const char *text = "GET /bytes/12?x=1 HTTP/1.1\r\nHost: a\r\n\r\n";
  ck_assert_int_eq(parse(text), strlen(text));
  ck_assert_int_eq(r.method, REQUEST_GET);
  ck_assert_str_eq(r.path, "/bytes/12");
  ck_assert(r.keep_alive);
  ck_assert_uint_eq(r.body_bytes, 0);
}
END_TEST

START_TEST(every_prefix_needs_more) {
  const char *text = "\r\nHEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
  size_t head = strlen(text) - 5;
  for (size_t n = 0; n < head; n++)
    ck_assert_int_eq(parse_n(text, n), 0);
  for (size_t n = head; n <= head + 5; n++)
    ck_assert_int_eq(parse_n(text, n), head);
  ck_assert_int_eq(r.method, REQUEST_HEAD);
  ck_assert_uint_eq(r.body_bytes, 5);
}
END_TEST

START_TEST(pipelined_heads_are_taken_one_by_one) {
  const char *one = "GET /a HTTP/1.1\nHost: a\n\n";
  char two[128];
  snprintf(two, sizeof two, "%s%s", one, "GET /b HTTP/1.1\nHost: a\n\n");
  int n = parse(two);
  ck_assert_int_eq(n, strlen(one));
  ck_assert_int_gt(parse(two + n), 0);
  ck_assert_str_eq(r.path, "/b");
}
END_TEST

START_TEST(keep_alive_rules) {
  ck_assert_int_gt(parse("GET / HTTP/1.0\r\n\r\n"), 0);
  ck_assert(!r.keep_alive);
  ck_assert_int_gt(parse("GET / HTTP/1.0\r\nConnection: foo, Keep-Alive\r\n\r\n"), 0);
  ck_assert(r.keep_alive);
  ck_assert_int_gt(parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: CLOSE\r\n\r\n"), 0);
  ck_assert(!r.keep_alive);
}
END_TEST

START_TEST(absolute_target) {
  ck_assert_int_gt(parse("GET http://a:80/x/y HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
  ck_assert_str_eq(r.path, "/x/y");
  ck_assert_int_gt(parse("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
  ck_assert_str_eq(r.path, "/");
}
END_TEST

static const struct {
  const char *text;
  int status;
} refused[] = {
    {"GET / HTTP/1.1\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", -400},
    {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", -400},
    {"GET /\r\n\r\n", -400},
    {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", -400},
    {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", -400},
    {"GET x HTTP/1.1\r\nHost: a\r\n\r\n", -400},
    {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", -400},
    {"GET / http/1.1\r\nHost: a\r\n\r\n", -400},
    {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", -505},
    {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", -501},
    {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", -400},
};

START_TEST(refused_heads) {
  ck_assert_msg(parse(refused[_i].text) == refused[_i].status, "%s", refused[_i].text);
}
END_TEST

START_TEST(nul_in_a_head_is_refused) {
  const char text[] = "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n";
  ck_assert_int_eq(parse_n(text, sizeof text - 1), -400);
}
END_TEST

START_TEST(limits) {
  static char big[REQUEST_HEAD_MAX_BYTES + 1];
  memset(big, 'a', sizeof big);
  ck_assert_int_eq(parse_n(big, REQUEST_LINE_MAX_BYTES), 0);
  ck_assert_int_eq(parse_n(big, REQUEST_LINE_MAX_BYTES + 1), -414);
  int n = snprintf(big, sizeof big, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
  big[n] = 'a';
  ck_assert_int_eq(parse_n(big, REQUEST_HEAD_MAX_BYTES - 1), 0);
  ck_assert_int_eq(parse_n(big, REQUEST_HEAD_MAX_BYTES), -431);
  memset(big, '\n', sizeof big);
  ck_assert_int_eq(parse_n(big, REQUEST_HEAD_MAX_BYTES), -431);
}
END_TEST

START_TEST(long_paths_are_cut) {
  char text[2048];
  int n = snprintf(text, sizeof text, "GET /%01500d HTTP/1.1\r\nHost: a\r\n\r\n", 7);
  ck_assert_int_eq(parse(text), n);
  ck_assert_uint_eq(strlen(r.path), REQUEST_PATH_MAX_BYTES - 1);
  ck_assert(r.cut);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("request");
  TCase *tc = tcase_create("request");
  tcase_add_test(tc, simple_get);
  tcase_add_test(tc, every_prefix_needs_more);
  tcase_add_test(tc, pipelined_heads_are_taken_one_by_one);
  tcase_add_test(tc, keep_alive_rules);
  tcase_add_test(tc, absolute_target);
  tcase_add_loop_test(tc, refused_heads, 0, sizeof refused / sizeof *refused);
  tcase_add_test(tc, nul_in_a_head_is_refused);
  tcase_add_test(tc, limits);
  tcase_add_test(tc, long_paths_are_cut);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
