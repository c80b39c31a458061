/* The bytes of a pipe. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bus/test-run.h"
#include "servers/pipe/ring.h"

static struct ring r;
static uint8_t bytes[PIPE_BYTES], copy[PIPE_BYTES];
static uint8_t next_in, next_out;

static void begin(void) {
  memset(&r, 0, sizeof(r));
  next_in = next_out = 0;
}

static void put(uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    bytes[i] = next_in++;
  ring_put(&r, bytes, n);
}

static void take(uint32_t n) {
  const uint8_t *got = ring_look(&r, n, copy);
  uint32_t right = 0;
  while (right < n && got[right] == next_out)
    right++, next_out++;
  ck_assert_uint_eq(right, n);
  ring_drop(&r, n);
}

START_TEST(order_is_kept) {
  srand(1);
  for (unsigned i = 0; i < 20000; i++) {
    uint32_t in = (uint32_t)rand() % 3000, out = (uint32_t)rand() % 3000;
    if (in <= ring_room(&r)) put(in);
    if (out <= r.used) take(out);
    ck_assert_uint_eq(r.used + ring_room(&r), PIPE_BYTES);
  }
  take(r.used);
}
END_TEST

START_TEST(all_of_it) {
  put(100);
  take(99); /* not at the beginning */
  put(PIPE_BYTES - 1);
  ck_assert_uint_eq(ring_room(&r), 0);
  put(0);
  take(PIPE_BYTES);
  ck_assert_uint_eq(r.used, 0);
}
END_TEST

START_TEST(an_empty_one_is_in_one_piece) {
  put(PIPE_BYTES - 10);
  take(PIPE_BYTES - 10);
  put(PIPE_BYTES);
  ck_assert_ptr_eq(ring_look(&r, PIPE_BYTES, copy), r.bytes);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("ring");
  TCase *tc = tcase_create("ring");
  tcase_add_checked_fixture(tc, begin, NULL);
  tcase_add_test(tc, order_is_kept);
  tcase_add_test(tc, all_of_it);
  tcase_add_test(tc, an_empty_one_is_in_one_piece);
  suite_add_tcase(suite, tc);
  return test_run(suite);
}
