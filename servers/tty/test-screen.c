/* What is shown, and what whoever shows it tells, without a wire. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "bus/test-run.h"
#include "servers/tty/output.h"
#include "servers/tty/told.h"

static struct output o;

static void begin(void) {
  memset(&o, 0, sizeof(o));
}

static uint32_t write_text(const char *text) {
  return output_write(&o, text, (uint32_t)strlen(text), true);
}

/* All that is to be shown, at most `n` bytes at a time. */
static const char *show(uint32_t at_once) {
  static char text[SCREEN_KEPT_BYTES + 1];
  const uint8_t *bytes;
  uint32_t used = 0, n;
  while ((n = output_next(&o, &bytes))) {
    if (n > at_once) n = at_once;
    memcpy(text + used, bytes, n);
    used += n;
    output_shown(&o, n);
  }
  text[used] = 0;
  return text;
}

START_TEST(line_feeds_are_translated) {
  output_attach(&o);
  write_text("a\nb\r\n");
  output_write(&o, "c\n", 2, false);
  ck_assert_str_eq(show(1000), "a\r\nb\r\r\nc\n");
}
END_TEST

START_TEST(nothing_is_to_be_shown_while_nobody_looks) {
  const uint8_t *bytes;
  write_text("a");
  ck_assert_uint_eq(output_next(&o, &bytes), 0);
  output_attach(&o);
  ck_assert_str_eq(show(1000), "a");
  output_detach(&o);
  write_text("b");
  ck_assert_uint_eq(output_next(&o, &bytes), 0);
}
END_TEST

START_TEST(without_a_looker_old_lines_go) {
  char line[32], last[32] = "";
  for (int i = 0; i < 10000; i++) {
    sprintf(line, "line %d\n", i);
    ck_assert_uint_eq(write_text(line), strlen(line));
  }
  sprintf(last, "line %d\r\n", 9999);
  output_attach(&o);
  const char *text = show(777);
  ck_assert_uint_gt(strlen(text), SCREEN_KEPT_BYTES - 32);
  ck_assert_int_eq(strncmp(text, "line ", 5), 0);
  ck_assert_str_eq(text + strlen(text) - strlen(last), last);
}
END_TEST

START_TEST(one_endless_line_is_shown) {
  for (int i = 0; i < 100; i++)
    for (int j = 0; j < 1000; j++)
      write_text("x");
  output_attach(&o);
  ck_assert_uint_eq(strlen(show(1000)), SCREEN_KEPT_BYTES);
}
END_TEST

START_TEST(a_slow_looker_holds_the_writer) {
  output_attach(&o);
  uint32_t taken, all = 0;
  while ((taken = write_text("0123456789\n")))
    all += taken;
  ck_assert(!output_has_room(&o));
  ck_assert_uint_gt(all, SCREEN_KEPT_BYTES / 12 * 10);
  output_shown(&o, 2);
  ck_assert(output_has_room(&o));
}
END_TEST

START_TEST(columns) {
  static const struct {
    const char *text;
    uint32_t column;
  } texts[] = {{"abc", 3}, {"a\n", 0},  {"abc\r", 0},  {"ab\b", 1},        {"\b", 0},
               {"\t", 8},  {"a\tb", 9}, {"\a\x1b", 0}, {"\xc3\xa4\xc3", 2}};
  for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    begin();
    write_text(texts[i].text);
    ck_assert_uint_eq(o.column, texts[i].column);
  }
}
END_TEST

/* ---- what is told ---- */

static struct told take(const char *text) {
  struct told_parser p = {0};
  struct told last = {TOLD_NOTHING, 0, 0, 0};
  for (; *text; text++) {
    struct told t = told_take(&p, *text);
    if (t.kind != TOLD_NOTHING) last = t;
  }
  return last;
}

START_TEST(sequences) {
  struct told t = take("\x1b[>77p");
  ck_assert_int_eq(t.kind, TOLD_ATTACH);
  ck_assert_uint_eq(t.number, 77);
  ck_assert_uint_eq(take("\x1b[>4294967295p").number, UINT32_MAX);
  ck_assert_int_eq(take(SCREEN_DETACH).kind, TOLD_DETACH);
  t = take("\x1b[8;24;80t");
  ck_assert_int_eq(t.kind, TOLD_SIZE);
  ck_assert_uint_eq(t.rows, 24);
  ck_assert_uint_eq(t.columns, 80);
}
END_TEST

START_TEST(cut_sequences_do_not_hide_the_next) {
  ck_assert_int_eq(take("\x1b[8;2\x1b[>0p").kind, TOLD_DETACH);
  ck_assert_int_eq(take("\x1b\x1b[>0p").kind, TOLD_DETACH);
  ck_assert_int_eq(take("xyz\x1b[>0p").kind, TOLD_DETACH);
  ck_assert_int_eq(take("\x1b[88888888888888888888888888888888888888888\x1b[>0p").kind,
                   TOLD_DETACH);
}
END_TEST

START_TEST(what_is_none) {
  static const char *const wrong[] = {
      "\x1b[8;24t", "\x1b[8;24;80;1t", "\x1b[>77q",     "\x1b[77p", "\x1b[8;x;80t", "\x1b]8;24;80t",
      "[>0p",       "\x1b[8;24;80",    "\x1b[8;-1;-1t", "\x1b[>p"};
  for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
    ck_assert_msg(take(wrong[i]).kind == TOLD_NOTHING, "%s", wrong[i] + 1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("screen");
  TCase *tc = tcase_create("screen");
  tcase_add_checked_fixture(tc, begin, NULL);
  tcase_add_test(tc, line_feeds_are_translated);
  tcase_add_test(tc, nothing_is_to_be_shown_while_nobody_looks);
  tcase_add_test(tc, without_a_looker_old_lines_go);
  tcase_add_test(tc, one_endless_line_is_shown);
  tcase_add_test(tc, a_slow_looker_holds_the_writer);
  tcase_add_test(tc, columns);
  tcase_add_test(tc, sequences);
  tcase_add_test(tc, cut_sequences_do_not_hide_the_next);
  tcase_add_test(tc, what_is_none);
  suite_add_tcase(suite, tc);
  return test_run(suite);
}
