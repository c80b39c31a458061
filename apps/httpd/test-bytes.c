/* The byte generator: pieces join, and each byte depends on its offset only. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "apps/httpd/bytes.h"

#define SPAN 200000u

static uint8_t whole[SPAN];

START_TEST(every_byte_is_as_documented) {
  httpd_bytes_fill(0, whole, SPAN);
  for (uint64_t i = 0; i < SPAN; i++)
    ck_assert_uint_eq(whole[i], ((i % 65521) * 2654435761u % 4294967296u) >> 24);
}
END_TEST

START_TEST(pieces_join) {
  static uint8_t pieces[SPAN];
  httpd_bytes_fill(0, whole, SPAN);
  for (size_t at = 0, step = 1; at < SPAN; at += step, step = step * 3 % 7919) {
    size_t n = step < SPAN - at ? step : SPAN - at;
    httpd_bytes_fill(at, pieces + at, n);
  }
  ck_assert(memcmp(whole, pieces, SPAN) == 0);
}
END_TEST

START_TEST(shifted_or_changed_bytes_do_not_match) {
  httpd_bytes_fill(1u << 30, whole, SPAN);
  ck_assert(httpd_bytes_match(1u << 30, whole, SPAN));
  for (uint64_t shift = 1; shift < 5000; shift += 7)
    ck_assert(!httpd_bytes_match((1u << 30) + shift, whole, SPAN));
  whole[SPAN - 1] ^= 1;
  ck_assert(!httpd_bytes_match(1u << 30, whole, SPAN));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bytes");
  TCase *tc = tcase_create("bytes");
  tcase_add_test(tc, every_byte_is_as_documented);
  tcase_add_test(tc, pieces_join);
  tcase_add_test(tc, shifted_or_changed_bytes_do_not_match);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
