/* Editing of lines, with a small terminal and a file system of a few names. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sh/complete.h"
#include "apps/sh/edit.h"
#include "apps/sh/expand.h"
#include "apps/sh/history.h"
#include "bus/test-run.h"
#include "servers/tty/columns.h"

#define PROMPT "$ "
#define UP     "\x1b[A"
#define DOWN   "\x1b[B"
#define RIGHT  "\x1b[C"
#define LEFT   "\x1b[D"

enum { COLUMNS = 20, ROWS = 64, ROOM = COLUMNS - 2 };

/* ---- what the shell provides ---- */

void shell_list(const char *directory, void (*found)(const char *name, void *arg), void *arg) {
  static const char *const here[] = {".",       "..",      "dir",   "beta", "alpine",
                                     "alpha.c", ".hidden", "b & c", "über", "übel",
                                     "bad\x1b", "bad\xFF", NULL};
  static const char *const dir[] = {".", "..", "one", "only", NULL};
  const char *const *names = !*directory ? here : strcmp(directory, "dir/") == 0 ? dir : &here[11];
  for (; *names; names++)
    found(*names, arg);
}

void shell_commands(void (*found)(const char *name, void *arg), void *arg) {
  static const char *const names[] = {"export", "echo", "ls", "echo", "exit"};
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
    found(names[i], arg);
}

bool shell_is_directory(const char *path) {
  return strcmp(path, "dir") == 0;
}

bool shell_exists(const char *path) {
  (void)path;
  return false;
}

/* ---- a terminal ---- */

static struct {
  char cells[ROWS][COLUMNS][16]; /* UTF-8; empty: the second half of the one before */
  unsigned row, column, bells;
} screen;

static void clear(unsigned row, unsigned from) {
  for (; from < COLUMNS; from++)
    strcpy(screen.cells[row][from], " ");
}

static void clear_below(unsigned from) {
  for (; from < ROWS; from++)
    clear(from, 0);
}

static void feed(void) {
  screen.column = 0;
  if (screen.row + 1 < ROWS) {
    screen.row++;
    return;
  }
  memmove(screen.cells[0], screen.cells[1], sizeof screen.cells - sizeof screen.cells[0]);
  clear(ROWS - 1, 0);
}

static void control(unsigned number, char letter) {
  switch (letter) {
  case 'C':
    ck_assert_uint_ge(number, 1);
    screen.column += number;
    ck_assert_uint_lt(screen.column, COLUMNS);
    break;
  case 'D':
    ck_assert_uint_ge(number, 1);
    ck_assert_uint_le(number, screen.column);
    screen.column -= number;
    break;
  case 'H':
    screen.row = screen.column = 0;
    break;
  case 'K':
    clear(screen.row, screen.column);
    break;
  case 'J':
    if (number == 0) clear(screen.row, screen.column);
    clear_below(number == 2 ? 0 : screen.row + 1);
    break;
  default:
    ck_abort_msg("ESC [ %u %c", number, letter);
  }
}

static void print(const char *character, size_t bytes) {
  unsigned wide = columns_after(0, (const uint8_t *)character, (uint32_t)bytes);
  char(*row)[16] = screen.cells[screen.row];
  if (!wide) {
    ck_assert_uint_gt(screen.column, 0);
    unsigned on = screen.column - 1;
    while (on && !*row[on])
      on--;
    strncat(row[on], character, bytes);
    return;
  }
  ck_assert_uint_le(screen.column + wide, COLUMNS);
  memset(row[screen.column], 0, wide * sizeof *row);
  memcpy(row[screen.column], character, bytes);
  screen.column += wide;
}

static void show(struct edit *e) {
  const char *at = e->output.data, *end = at + e->output.used;
  while (at < end) {
    unsigned number = 0;
    if (*at == '\x1b') {
      ck_assert_int_eq(at[1], '[');
      for (at += 2; *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (unsigned)(*at - '0');
      control(number, *at++);
    } else if (*at == '\n') {
      feed();
      at++;
    } else if (*at == '\r') {
      screen.column = 0;
      at++;
    } else if (*at == '\a') {
      screen.bells++;
      at++;
    } else {
      size_t n = 1;
      while (columns_continues((uint8_t)at[n]))
        n++;
      print(at, n);
      at += n;
    }
  }
  e->output.used = 0;
}

/* Cuts off blanks. */
static char *without_end(char *text) {
  for (size_t n = strlen(text); n && text[n - 1] == ' ';)
    text[--n] = 0;
  return text;
}

/* Without the blanks at its end. Valid until the next call. */
static const char *row(unsigned number) {
  static char text[COLUMNS * 16 + 1];
  *text = 0;
  for (unsigned i = 0; i < COLUMNS; i++)
    strcat(text, screen.cells[number][i]);
  return without_end(text);
}

/* ---- somebody types ---- */

static struct edit edit;

static void begin_at(const char *prompt) {
  memset(&screen, 0, sizeof screen);
  clear_below(0);
  edit_begin(&edit, prompt, COLUMNS);
  show(&edit);
}

static void begin(void) {
  begin_at(PROMPT);
}

static enum edit_state type(const char *bytes) {
  enum edit_state state = EDIT_GOES_ON;
  for (; *bytes && state == EDIT_GOES_ON; bytes++)
    state = edit_type(&edit, (uint8_t)*bytes);
  ck_assert_int_eq(*bytes, 0);
  show(&edit);
  return state;
}

/* A line of its own. */
static void enter(const char *line) {
  begin();
  type(line);
  ck_assert_int_eq(type("\r"), EDIT_DONE);
  edit_end(&edit);
}

static const struct {
  const char *typed, *line;
  size_t cursor;
} lines[] = {
    {"", "", 0},
    {"echo", "echo", 4},
    {"ab" LEFT "x", "axb", 2},
    {"ab\x1bOD\x1bODx", "xab", 1},
    {"ab" LEFT RIGHT "x", "abx", 3},
    {"ab\x02\x02\x06x", "axb", 2},
    {"ab" RIGHT "x", "abx", 3},
    {"ab" LEFT LEFT LEFT "x", "xab", 1},
    {"ab\x01x\x05y", "xaby", 4},
    {"ab\x1b[Hx\x1b[Fy", "xaby", 4},
    {"ab\x1bOHx\x1bOFy", "xaby", 4},
    {"ab\x1b[1~x\x1b[4~y", "xaby", 4},
    {"ab\x1b[7~x\x1b[8~y", "xaby", 4},
    {"abc\x7f\x08", "a", 1},
    {"\x7f"
     "a",
     "a", 1},
    {"abc\x01\x1b[3~", "bc", 0},
    {"abc\x01\x04", "bc", 0},
    {"abc\x1b[3~", "abc", 3},
    {"one two" LEFT LEFT "\x15", "wo", 0},
    {"one two" LEFT LEFT "\x0b", "one t", 5},
    {"one  two  \x17", "one  ", 5},
    {"one  two  \x17\x17\x17", "", 0},
    {"one two" LEFT "\x17", "one o", 4},
    /* characters of several bytes, and of two columns and none */
    {"aä€😀b" LEFT LEFT "\x7f", "aä😀b", 3},
    {"日本" LEFT "x", "日x本", 4},
    {"日本\x01\x1b[3~", "本", 0},
    {"e\xCC\x81x" LEFT LEFT "y", "ye\xCC\x81x", 1},
    {"e\xCC\x81x" LEFT "\x7f", "x", 0},
    {"ae\xCC\x81" LEFT "\x1b[3~", "a", 1},
    {"\xCC\x81"
     "a",
     "a", 1},
    {"a b \xCC\x81\x17", "a ", 2},
    /* what means nothing is not there at all */
    {"a\x1b[5~\x1b[1;5C\x1b[?25h\x1b[200 pb", "ab", 2},
    {"a\x1b[[Ab\x1bOPc\x1bxd\x1b[Ze", "abcde", 5},
    {"a\x1b\x1b[Db", "ba", 1},
    {"a\x1b[1\x01"
     "b",
     "ba", 1},
    {"a\x00\x07\x12\x16\x1a"
     "b",
     "a", 1},
    {"a\x07\x12\x16\x1a\x1f"
     "b",
     "ab", 2},
    {"a\xFF\xC3"
     "b\x80\xC0\xAF\xED\xA0\x80\xC2\x85"
     "c",
     "abc", 3},
};

START_TEST(a_line_is_edited) {
  begin();
  ck_assert_int_eq(type(lines[_i].typed), EDIT_GOES_ON);
  ck_assert_str_eq(edit.line.data, lines[_i].line);
  ck_assert_uint_eq(edit.cursor, lines[_i].cursor);
  char expected[64];
  snprintf(expected, sizeof expected, PROMPT "%s", lines[_i].line);
  ck_assert_str_eq(row(0), without_end(expected));
  ck_assert_uint_eq(screen.column,
                    2 + columns_after(0, (const uint8_t *)edit.line.data, (uint32_t)edit.cursor));
  edit_end(&edit);
}
END_TEST

START_TEST(a_line_ends) {
  begin();
  ck_assert_int_eq(type("ls" LEFT "\r"), EDIT_DONE);
  ck_assert_str_eq(edit.line.data, "ls");
  ck_assert_uint_eq(screen.row, 1);
  edit_end(&edit);

  begin();
  ck_assert_int_eq(type("dropped\x01\x03"), EDIT_DROPPED);
  ck_assert_str_eq(row(0), "$ dropped^C");
  edit_end(&edit);

  begin();
  ck_assert_int_eq(type("a\x7f\x04"), EDIT_ENDED);
  edit_end(&edit);
}
END_TEST

/* What is added at the end is all that is sent, as a terminal's echo would be. */
START_TEST(typing_is_an_echo) {
  begin();
  for (const char *at = "echo $X"; *at; at++) {
    edit_type(&edit, (uint8_t)*at);
    ck_assert_uint_eq(edit.output.used, 1);
    ck_assert_int_eq(edit.output.data[0], *at);
    show(&edit);
  }
  edit_end(&edit);
}
END_TEST

START_TEST(a_long_line_is_scrolled) {
  begin();
  type("0123456789abcdefg");
  ck_assert_str_eq(row(0), "$ 0123456789abcdefg");
  type("h");
  ck_assert_str_eq(row(0), "$ 9abcdefgh");
  type("ij\x01");
  ck_assert_str_eq(row(0), "$ 0123456789abcdefg");
  ck_assert_uint_eq(screen.column, 2);
  type("\x05");
  ck_assert_str_eq(row(0), "$ bcdefghij");
  for (unsigned i = 0; i < 9; i++)
    type(LEFT);
  ck_assert_str_eq(row(0), "$ 23456789abcdefghi");
  type("\x17");
  ck_assert_str_eq(edit.line.data, "bcdefghij");
  ck_assert_str_eq(row(0), "$ bcdefghij");
  edit_end(&edit);
}
END_TEST

START_TEST(a_line_has_a_limit) {
  begin();
  for (unsigned i = 0; i < EDIT_BYTES_MAX + 3; i++)
    type("x");
  ck_assert_uint_eq(edit.line.used, EDIT_BYTES_MAX);
  ck_assert_uint_eq(screen.bells, 3);
  edit_end(&edit);
}
END_TEST

static const struct {
  const char *prompt, *last_row;
} prompts[] = {
    {"", "x"},
    {"/ $ ", "/ $ x"},
    {"\x1b[0Kab> ", "ab> x"},
    {"two\nrows> ", "rows> x"},
    {"日本> ", "日本> x"},
    {"a prompt of 16  ", "x"},
    {"a prompt of all 20: ", "x"},
};

START_TEST(prompts_have_any_width) {
  if (strlen(prompts[_i].prompt) == COLUMNS) {
    /* The terminal here does not know of a cursor behind the last column. */
    edit_begin(&edit, prompts[_i].prompt, COLUMNS);
    ck_assert_uint_eq(edit.room, COLUMNS);
  } else {
    begin_at(prompts[_i].prompt);
    type("y\x01x\x1b[3~");
    ck_assert_str_eq(row(screen.row), prompts[_i].last_row);
  }
  edit_end(&edit);
}
END_TEST

START_TEST(the_screen_is_cleared) {
  begin();
  feed();
  edit_show_again(&edit, COLUMNS);
  type("abc" LEFT "\x0c");
  ck_assert_uint_eq(screen.row, 0);
  ck_assert_uint_eq(screen.column, 4);
  ck_assert_str_eq(row(0), "$ abc");
  ck_assert_str_eq(row(1), "");
  edit_end(&edit);
}
END_TEST

START_TEST(the_window_changes) {
  begin();
  type("0123456789abcdef" LEFT);
  edit_show_again(&edit, 12);
  show(&edit);
  ck_assert_str_eq(row(0), "$ abcdef");
  ck_assert_uint_eq(screen.column, 7);
  edit_end(&edit);
}
END_TEST

START_TEST(lines_come_back) {
  enter("one");
  enter("  ");
  enter("");
  enter("two");
  enter("two");
  begin();
  type("dra" UP);
  ck_assert_str_eq(row(0), "$ two");
  type("\x10");
  ck_assert_str_eq(row(0), "$ one");
  type(UP);
  ck_assert_uint_eq(screen.bells, 1);
  type("s");
  ck_assert_str_eq(edit.line.data, "ones");
  type(DOWN);
  ck_assert_str_eq(row(0), "$ two");
  type("\x0e"
       "ft");
  ck_assert_str_eq(row(0), "$ draft");
  type(DOWN);
  ck_assert_uint_eq(screen.bells, 2);
  edit_end(&edit);
}
END_TEST

START_TEST(the_history_is_bounded) {
  char line[16];
  for (unsigned i = 0; i < HISTORY_MAX + 3; i++) {
    snprintf(line, sizeof line, "%u", i);
    history_add(line);
  }
  ck_assert_str_eq(history_get(HISTORY_MAX), "3");
  ck_assert_ptr_null(history_get(HISTORY_MAX + 1));
  ck_assert_ptr_null(history_get(0));
}
END_TEST

static const struct {
  const char *typed, *line;
} completed[] = {
    {"l\t", "ls "},
    {"ec\t", "echo "},
    {"ex\t", "ex"},
    {"ls b\t", "ls b"},
    {"ls be\t", "ls beta "},
    {"ls al\t", "ls alp"},
    {"ls alph\t"
     "x",
     "ls alpha.c x"},
    {"ls be x\x01\x06\x06\x06\x06\x06\t", "ls beta  x"},
    {"ls d\t", "ls dir/"},
    {"ls d\to\t\t", "ls dir/on"},
    {"ls dir/onl\t", "ls dir/only "},
    {"dir/onl\t", "dir/only "},
    {"ls .\t", "ls .hidden "},
    {"ls b\\ \t", "ls b\\ \\&\\ c "},
    {"cat <be\t", "cat <beta "},
    {"x | l\t", "x | ls "},
    {"x;l\t", "x;ls "},
    {"(l\t", "(ls "},
    {"if l\t", "if ls "},
    {"echo if l\t", "echo if l"},
    {"ls \xC3\xBC\t", "ls \xC3\xBC"
                      "be"},
    {"ls bad\t", "ls bad"},
    {"ls 'be\t", "ls 'be"},
    {"ls \"be\"\t", "ls \"be\""},
    {"ls $be\t", "ls $be"},
    {"ls zzz\t", "ls zzz"},
    {"ls none/\t", "ls none/"},
};

START_TEST(words_are_completed) {
  begin();
  type(completed[_i].typed);
  ck_assert_str_eq(edit.line.data, completed[_i].line);
  edit_end(&edit);
}
END_TEST

START_TEST(choices_are_shown_at_the_second_tab) {
  begin();
  type("ls \t");
  ck_assert_uint_eq(screen.bells, 1);
  ck_assert_uint_eq(screen.row, 0);
  type("\t");
  ck_assert_str_eq(row(0), "$ ls");
  ck_assert_str_eq(row(1), "alpha.c  alpine");
  ck_assert_str_eq(row(2), "b & c    beta");
  ck_assert_str_eq(row(3), "dir      übel");
  ck_assert_str_eq(row(4), "über");
  ck_assert_str_eq(row(5), "$ ls");
  ck_assert_uint_eq(screen.column, 5);
  type("b\t");
  ck_assert_uint_eq(screen.row, 5);
  edit_end(&edit);
}
END_TEST

/* Any keys: the text is UTF-8 and the cursor between its characters, and the screen shows them. */
START_TEST(random_keys_are_survived) {
  static const char *const keys[] = {
      "a",     "b ",   "ä", "日",   "😀",       "\xCC\x81", "\xC3", "long word", LEFT,
      LEFT,    LEFT,   "x", "y",    RIGHT,     "\x1b[3~",  "\x7f", "\x01",      "\x05",
      "\x17",  "\x0b", UP,  DOWN,   "z",       "ls ",      "\t",   "\x15",      "\x1b",
      "\x1b[", "\x0c", "1", "\xFF", "fill up", "日本"};
  uint64_t state = 1;
  begin();
  for (unsigned i = 0; i < 30000; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    type(keys[(state >> 33) % (sizeof keys / sizeof *keys)]);
    if (i % 50 == 0) {
      type("\r");
      edit_end(&edit);
      edit_begin(&edit, PROMPT, COLUMNS);
      show(&edit);
    }
    const char *line = edit.line.data;
    ck_assert(keys_can_type(line, edit.line.used) && keys_can_type(line, edit.cursor));
    ck_assert(keys_can_type(line, edit.first));
    const uint8_t *shown = (const uint8_t *)line + edit.first;
    uint32_t from_first = (uint32_t)(edit.cursor - edit.first),
             n = (uint32_t)(edit.line.used - edit.first);
    ck_assert_uint_eq(screen.column, 2 + columns_after(0, shown, from_first));
    while (columns_after(0, shown, n) >= ROOM)
      do
        n--;
      while (columns_continues(shown[n]));
    char expected[256];
    snprintf(expected, sizeof expected, PROMPT "%.*s", (int)n, (const char *)shown);
    ck_assert_str_eq(row(screen.row), without_end(expected));
  }
  edit_end(&edit);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("edit");
  TCase *tc = tcase_create("edit");
  tcase_add_test(tc, lines_come_back); /* with nothing before them */
  tcase_add_loop_test(tc, a_line_is_edited, 0, sizeof lines / sizeof *lines);
  tcase_add_test(tc, a_line_ends);
  tcase_add_test(tc, typing_is_an_echo);
  tcase_add_test(tc, a_long_line_is_scrolled);
  tcase_add_test(tc, a_line_has_a_limit);
  tcase_add_loop_test(tc, prompts_have_any_width, 0, sizeof prompts / sizeof *prompts);
  tcase_add_test(tc, the_screen_is_cleared);
  tcase_add_test(tc, the_window_changes);
  tcase_add_test(tc, the_history_is_bounded);
  tcase_add_loop_test(tc, words_are_completed, 0, sizeof completed / sizeof *completed);
  tcase_add_test(tc, choices_are_shown_at_the_second_tab);
  tcase_add_test(tc, random_keys_are_survived);
  suite_add_tcase(suite, tc);
  return test_run(suite);
}
