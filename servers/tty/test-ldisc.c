/* The line discipline, without a bus: what is typed, what is shown, what can be read. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "bus/test-run.h"
#include "servers/tty/columns.h"
#include "servers/tty/host.h"
#include "servers/tty/ldisc.h"

static struct ldisc l;
static char shown[1 << 16];
static uint32_t nshown, column;
static int signalled;

void host_echo(const void *bytes, uint32_t n) {
  ck_assert_uint_lt(nshown + n, sizeof(shown));
  memcpy(shown + nshown, bytes, n);
  nshown += n;
}

uint32_t host_column(void) {
  return column;
}

void host_signal(int signal) {
  signalled = signal;
}

static void type(const char *text) {
  for (; *text; text++)
    ldisc_type(&l, (uint8_t)*text);
}

static void set(uint32_t flags) {
  struct tty_modes modes = l.modes;
  modes.flags = flags;
  ldisc_set(&l, &modes);
}

static void expect_shown(const char *text) {
  shown[nshown] = 0;
  ck_assert_str_eq(shown, text);
  nshown = 0;
}

static void expect_read(const char *text) {
  uint8_t bytes[LDISC_LINE_BYTES];
  uint32_t cells, n = input_look(&l.input, bytes, sizeof(bytes), &cells);
  ck_assert_uint_gt(cells, 0);
  ck_assert_uint_eq(n, strlen(text));
  ck_assert_mem_eq(bytes, text, n);
  input_drop(&l.input, cells);
}

static void expect_nothing(void) {
  ck_assert_uint_eq(l.input.used, 0);
}

static void begin(void) {
  memset(&l, 0, sizeof(l));
  ldisc_init(&l);
  nshown = column = 0;
  signalled = 0;
}

START_TEST(a_line_is_read_once_it_is_complete) {
  type("abc");
  expect_nothing();
  type("\r");
  expect_read("abc\n");
  expect_nothing();
  expect_shown("abc\n");
}
END_TEST

START_TEST(reads_end_with_lines) {
  uint8_t bytes[8];
  uint32_t cells;
  type("abc\nd\n");
  ck_assert_uint_eq(input_look(&l.input, bytes, 2, &cells), 2);
  input_drop(&l.input, cells);
  expect_read("c\n");
  expect_read("d\n");
}
END_TEST

START_TEST(erasing) {
  type("ab\x7f\x08\x7fxy\n");
  expect_read("xy\n");
  expect_shown("ab\b \b\b \bxy\n");
}
END_TEST

START_TEST(erasing_what_is_not_one_byte_and_one_column) {
  type("\xc3\xa4\x7f\xf0\x9f\x98\x80\x7f\x16\x01\x7f\n");
  expect_read("\n");
  expect_shown("\xc3\xa4\b \b\xf0\x9f\x98\x80\b \b\b \b^\b^A\b \b\b \b\n");
  column = 6;
  type("\t\x7f\n");
  expect_shown("\t\b \b\b \b\n");
}
END_TEST

START_TEST(killing_the_line) {
  type("abc\x15x\n");
  expect_read("x\n");
  expect_shown("abc\b \b\b \b\b \bx\n");
}
END_TEST

START_TEST(erasing_words) {
  type("one two  \x17");
  expect_shown("one two  \b \b\b \b\b \b\b \b\b \b");
  type("\x17\x17\x17\n");
  expect_read("\n");
  type("a/b_\xc3\xa4+ \x17\n");
  expect_read("a/\n");
}
END_TEST

START_TEST(literally) {
  type("\x16\x03\x16\r\x16\x7f\x16\x16\n");
  ck_assert_int_eq(signalled, 0);
  expect_read("\x03\r\x7f\x16\n");
  expect_shown("^\b^C^\b^M^\b^?^\b^V\n");
}
END_TEST

START_TEST(the_end) {
  type("\x04");
  expect_read("");
  type("ab\x04");
  expect_read("ab");
  type("cd\x04\x04");
  expect_read("cd");
  expect_read("");
  expect_nothing();
}
END_TEST

START_TEST(the_end_waits_for_its_read) {
  uint8_t bytes[8];
  uint32_t cells;
  set(0);
  type("ab");
  set(TTY_CANONICAL);
  type("\x04");
  ck_assert_uint_eq(input_look(&l.input, bytes, sizeof(bytes), &cells), 2);
  ck_assert_uint_eq(cells, 2);
}
END_TEST

START_TEST(signals) {
  static const struct {
    const char *key;
    int signal;
  } keys[] = {{"\x03", SIGINT}, {"\x1c", SIGQUIT}, {"\x1a", SIGTSTP}};
  for (unsigned i = 0; i < 3; i++) {
    begin();
    type("line\nhalf");
    type(keys[i].key);
    ck_assert_int_eq(signalled, keys[i].signal);
    expect_nothing();
    type("\n");
    expect_read("\n");
  }
  expect_shown("line\nhalf^Z\n");
}
END_TEST

START_TEST(no_signals_without_the_flag_or_the_character) {
  set(TTY_CANONICAL);
  type("\x03\n");
  expect_read("\x03\n");
  struct tty_modes modes = l.modes;
  modes.flags |= TTY_SIGNALS;
  memset(modes.control, 0, sizeof(modes.control));
  ldisc_set(&l, &modes);
  type("\x03\x1a\x15\x04\x16\n");
  ldisc_type(&l, 0);
  type("\n");
  expect_read("\x03\x1a\x15\x04\x16\n");
  uint8_t bytes[8];
  uint32_t cells;
  ck_assert_uint_eq(input_look(&l.input, bytes, sizeof(bytes), &cells), 2);
  ck_assert_mem_eq(bytes, "\0\n", 2);
  ck_assert_int_eq(signalled, 0);
}
END_TEST

START_TEST(raw) {
  set(0);
  type("a\r\x7f\x15\x04\x03");
  expect_read("a\r\x7f\x15\x04\x03");
  expect_shown("");
  set(TTY_ECHO | TTY_CR_TO_NL);
  type("a\r\x1b");
  expect_read("a\n\x1b");
  expect_shown("a\n^[");
}
END_TEST

START_TEST(half_a_line_can_be_read_when_lines_are_no_more) {
  type("whole\n\x04half");
  set(0);
  expect_read("whole\nhalf");
  type("x");
  set(TTY_CANONICAL);
  expect_read("x");
}
END_TEST

START_TEST(without_echo) {
  set(TTY_CANONICAL);
  type("secret\x7f\x7f\x17\x15x\n");
  expect_read("x\n");
  expect_shown("");
}
END_TEST

START_TEST(a_line_has_its_limit) {
  for (int i = 0; i < LDISC_LINE_BYTES + 10; i++)
    type("x");
  ck_assert_uint_eq(l.used, LDISC_LINE_BYTES - 1);
  ck_assert_int_eq(shown[nshown - 1], '\a');
  type("\n");
  ck_assert_uint_eq(l.input.used, LDISC_LINE_BYTES);
}
END_TEST

START_TEST(what_is_not_read_has_its_limit) {
  for (int i = 0; i < INPUT_CELLS; i++) {
    nshown = 0;
    type("0123456\n");
  }
  ck_assert_uint_eq(l.input.used, INPUT_CELLS);
  ck_assert_uint_eq(l.used, LDISC_LINE_BYTES - 1);
  type("\x04\n\x15");
  ck_assert_uint_eq(l.input.used, INPUT_CELLS);
  expect_read("0123456\n");
  type("x\n");
  for (int i = 1; i < INPUT_CELLS / 8; i++)
    expect_read("0123456\n");
  expect_read("x\n");
  set(0);
  for (int i = 0; i < INPUT_CELLS + 10; i++)
    type("y");
  ck_assert_uint_eq(l.input.used, INPUT_CELLS);
}
END_TEST

START_TEST(dropping) {
  type("line\nhalf\x16");
  ldisc_drop(&l);
  expect_nothing();
  type("\x03");
  ck_assert_int_eq(signalled, SIGINT);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("ldisc");
  TCase *tc = tcase_create("ldisc");
  tcase_add_checked_fixture(tc, begin, NULL);
  tcase_add_test(tc, a_line_is_read_once_it_is_complete);
  tcase_add_test(tc, reads_end_with_lines);
  tcase_add_test(tc, erasing);
  tcase_add_test(tc, erasing_what_is_not_one_byte_and_one_column);
  tcase_add_test(tc, killing_the_line);
  tcase_add_test(tc, erasing_words);
  tcase_add_test(tc, literally);
  tcase_add_test(tc, the_end);
  tcase_add_test(tc, the_end_waits_for_its_read);
  tcase_add_test(tc, signals);
  tcase_add_test(tc, no_signals_without_the_flag_or_the_character);
  tcase_add_test(tc, raw);
  tcase_add_test(tc, half_a_line_can_be_read_when_lines_are_no_more);
  tcase_add_test(tc, without_echo);
  tcase_add_test(tc, a_line_has_its_limit);
  tcase_add_test(tc, what_is_not_read_has_its_limit);
  tcase_add_test(tc, dropping);
  suite_add_tcase(suite, tc);
  return test_run(suite);
}
