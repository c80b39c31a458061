/* Expansions, with a shell of a few variables and a file system of a few names. */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sh/expand.h"
#include "apps/sh/glob.h"
#include "apps/sh/text.h"
#include "bus/test-run.h"

static char assigned[64];
static char *arguments[] = {"one", "two words", NULL};
static char *none[] = {NULL};
static char **now = arguments;

const char *shell_value(const char *name) {
  static const char *const values[][2] = {
      {"X", "abc"}, {"TWO", " a  b "}, {"EMPTY", ""},     {"STAR", "*.c"}, {"N", "7"},
      {"?", "3"},   {"1", "one"},      {"HOME", "/root"}, {"BAD", "7x"},   {"BACK", "a\\*b"}};
  for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
    if (strcmp(values[i][0], name) == 0) return values[i][1];
  return NULL;
}

void shell_assign(const char *name, const char *value) {
  snprintf(assigned, sizeof assigned, "%s=%s", name, value);
}

char *const *shell_arguments(void) {
  return now;
}

char *shell_output(const char *command) {
  char *made = NULL;
  if (strcmp(command, "fail") == 0) return NULL;
  return asprintf(&made, "<%s> out", command) < 0 ? NULL : made;
}

void shell_list(const char *directory, void (*found)(const char *name, void *arg), void *arg) {
  static const char *const here[] = {"b.c", ".", "..", "a.c", ".hidden", "dir", "it's", NULL};
  static const char *const dir[] = {".", "..", "x.h", "y.h", NULL};
  static const char *const root[] = {".", "..", "etc", NULL};
  const char *const *names = !*directory                      ? here
                             : strcmp(directory, "dir/") == 0 ? dir
                             : strcmp(directory, "/") == 0    ? root
                                                              : &here[7];
  for (; *names; names++)
    found(*names, arg);
}

bool shell_exists(const char *path) {
  const char *slash = strchr(path, '/');
  return !slash || strncmp(path, "dir/", 4) == 0 || strcmp(path, "/etc") == 0;
}

void shell_complain(const char *format, ...) {
  (void)format;
}

static const struct {
  const char *word, *fields; /* joined by '|' */
} cases[] = {
    {"plain", "plain"},
    {"'a b'\"c d\"e", "a bc de"},
    {"\\a\\ b", "a b"},
    {"''", ""},
    {"$X", "abc"},
    {"${X}d", "abcd"},
    {"$Xd", NULL}, /* no field at all */
    {"\"$Xd\"", ""},
    {"x${EMPTY}y", "xy"},
    {"$TWO", "a|b"},
    {"x$TWO", "x|a|b"},
    {"\"$TWO\"", " a  b "},
    {"${X:-d}", "abc"},
    {"${NO:-d e}", "d|e"},
    {"\"${NO:-d e}\"", "d e"},
    {"${EMPTY:-d}", "d"},
    {"${EMPTY-d}", NULL},
    {"${X:+yes}", "yes"},
    {"${NO:+yes}", NULL},
    {"${NO:=z}", "z"},
    {"${#X}", "3"},
    {"$?", "3"},
    {"$1", "one"},
    {"$#x", "x"},
    {"$", "$"},
    {"a$", "a$"},
    {"\"$@\"", "one|two words"},
    {"x\"$@\"y", "xone|two wordsy"},
    {"$*", "one|two|words"},
    {"\"$*\"", "one two words"},
    {"$(a b)", "<a|b>|out"},
    {"\"$(a b)\"", "<a b> out"},
    {"`a \\`b\\``", "<a|`b`>|out"},
    {"$((1 + 2 * N))", "15"},
    {"$(( (1+2)*3 % 4 ))", "1"},
    {"*.c", "a.c|b.c"},
    {"$STAR", "a.c|b.c"},
    {"\"$STAR\"", "*.c"},
    {"'*'.c", "*.c"},
    {"\\*.c", "*.c"},
    {"*.none", "*.none"},
    {"[ab].c", "a.c|b.c"},
    {"[", "["},
    {".h*", ".hidden"},
    {"d*/*.h", "dir/x.h|dir/y.h"},
    {"*/x.h", "dir/x.h"},
    {"/e*", "/etc"},
    {"$BACK", "a\\*b"},
    {"it*", "it's"},
    {"~", "/root"},
    {"~/x", "/root/x"},
    {"a~", "a~"},
};

START_TEST(fields) {
  struct fields f = {0};
  struct text t = {0};
  ck_assert_msg(expand_word(cases[_i].word, &f), "%s", cases[_i].word);
  for (size_t i = 0; i < f.count; i++) {
    if (i) text_add_char(&t, '|');
    text_add_string(&t, f.list[i]);
  }
  if (cases[_i].fields)
    ck_assert_msg(f.count && strcmp(t.data, cases[_i].fields) == 0, "%s: %s", cases[_i].word,
                  t.data);
  else
    ck_assert_msg(f.count == 0, "%s: %s", cases[_i].word, t.data);
  free(t.data);
  fields_free(&f);
}
END_TEST

START_TEST(no_arguments_are_no_field) {
  struct fields f = {0};
  now = none;
  ck_assert(expand_word("\"$@\"", &f));
  ck_assert_uint_eq(f.count, 0);
  ck_assert(expand_word("\"$*\"", &f));
  ck_assert_uint_eq(f.count, 1);
  fields_free(&f);
}
END_TEST

START_TEST(default_is_assigned) {
  free(expand_single("${NO:=a b}"));
  ck_assert_str_eq(assigned, "NO=a b");
}
END_TEST

START_TEST(single_is_not_split) {
  char *text = expand_single("$TWO*.c'*'");
  ck_assert_str_eq(text, " a  b *.c*");
  free(text);
}
END_TEST

static const char *const wrong[] = {"${}",      "${X!}",    "${X:}",    "$(fail)",    "`fail`",
                                    "$((1/0))", "$((1 +))", "$((BAD))", "${NO:?why}", "$((1 2))"};

START_TEST(wrong_expansions_fail) {
  struct fields f = {0};
  ck_assert_msg(!expand_word(wrong[_i], &f), "%s", wrong[_i]);
  fields_free(&f);
}
END_TEST

static const struct {
  const char *text;
  long long value;
} sums[] = {
    {"", 0},
    {"1", 1},
    {"0x10 + 010", 24},
    {"2 - 3 - 4", -5},
    {"2+3*4", 14},
    {"-2 * -3", 6},
    {"!0 + ~0", 0},
    {"1 < 2 && 2 <= 2", 1},
    {"1 == 2 || 0", 0},
    {"7 & 3 | 8", 11},
    {"1 << 4 >> 2", 4},
    {"N * N", 49},
    {"NO + 1", 1},
    {"7 % 4 ^ 1", 2},
    {"((((1))))", 1},
    {"9223372036854775807 + 1", -9223372036854775807 - 1},
};

START_TEST(sum) {
  long long value;
  ck_assert_msg(arithmetic(sums[_i].text, &value), "%s", sums[_i].text);
  ck_assert_msg(value == sums[_i].value, "%s is not %lld", sums[_i].text, value);
}
END_TEST

static const struct {
  const char *text, *expanded;
} heres[] = {
    {"a $X \"$X\" '$X'\n", "a abc \"abc\" 'abc'\n"},          {"$TWO*\n", " a  b *\n"},
    {"\\$X \\\\ \\\" \\a \\`\n", "$X \\ \\\" \\a `\n"},       {"a\\\nb\n", "ab\n"},
    {"~ $((1 + 2)) $(x y) `z`\n", "~ 3 <x y> out <z> out\n"}, {"${NO:-d e} it's\n", "d e it's\n"},
};

START_TEST(here_documents) {
  char *made = expand_here(heres[_i].text);
  ck_assert_str_eq(made, heres[_i].expanded);
  free(made);
}
END_TEST

static const struct {
  const char *pattern, *text;
  bool matches;
} patterns[] = {
    {"a*", "abc", true},
    {"'a*'", "abc", false},
    {"'a*'", "a*", true},
    {"$STAR", "x.c", true},
    {"\"$STAR\"", "x.c", false},
    {"\"$STAR\"", "*.c", true},
    {"[a-c]?", "bz", true},
    {"[!a-c]", "b", false},
    {"*", "", true},
    {"*", ".a/b", true},
    {"\\*", "*", true},
    {"\\*", "a", false},
    {"$TWO", " a  b ", true},
    {"''", "", true},
    {"$X", "abcd", false},
};

START_TEST(patterns_of_case) {
  char *pattern = expand_pattern(patterns[_i].pattern);
  ck_assert_msg(glob_matches(pattern, patterns[_i].text) == patterns[_i].matches, "%s: %s",
                patterns[_i].pattern, patterns[_i].text);
  free(pattern);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("expand");
  TCase *tc = tcase_create("expand");
  tcase_add_loop_test(tc, fields, 0, sizeof cases / sizeof *cases);
  tcase_add_test(tc, no_arguments_are_no_field);
  tcase_add_test(tc, default_is_assigned);
  tcase_add_test(tc, single_is_not_split);
  tcase_add_loop_test(tc, wrong_expansions_fail, 0, sizeof wrong / sizeof *wrong);
  tcase_add_loop_test(tc, sum, 0, sizeof sums / sizeof *sums);
  tcase_add_loop_test(tc, here_documents, 0, sizeof heres / sizeof *heres);
  tcase_add_loop_test(tc, patterns_of_case, 0, sizeof patterns / sizeof *patterns);
  suite_add_tcase(suite, tc);
  return test_run(suite);
}
