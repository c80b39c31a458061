/* The shell's parser: what trees it makes, what it wants more of, what it refuses. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sh/parse.h"
#include "apps/sh/text.h"
#include "bus/test-run.h"

static void show(struct text *t, const struct node *n);

static void show_parts(struct text *t, const char *name, const struct node *parts) {
  text_add_string(t, name);
  for (; parts; parts = parts->next) {
    text_add_char(t, ' ');
    show(t, parts);
  }
  text_add_char(t, ')');
}

static void show_two(struct text *t, const char *name, const struct node *n) {
  text_add_string(t, name);
  show(t, n->first);
  if (n->second) {
    text_add_char(t, ' ');
    show(t, n->second);
  }
  if (n->third) {
    text_add_char(t, ' ');
    show(t, n->third);
  }
  text_add_char(t, ')');
}

static void show_words(struct text *t, const struct word *w) {
  for (; w; w = w->next) {
    if (t->used && !strchr("( [", t->data[t->used - 1])) text_add_char(t, ' ');
    text_add_string(t, w->text);
  }
}

static void show_redirections(struct text *t, const struct redirection *r) {
  static const char *const signs[] = {"<", ">", ">>", "&", "<<"};
  char text[128];
  for (; r; r = r->next) {
    bool here = r->kind == REDIRECT_HERE;
    snprintf(text, sizeof text, " %d%s%s%s%s", r->fd, signs[r->kind], here ? "{" : "", r->word,
             !here        ? ""
             : r->literal ? "}'"
                          : "}");
    text_add_string(t, text);
  }
}

static void show(struct text *t, const struct node *n) {
  switch (n->kind) {
  case NODE_COMMAND:
    text_add_char(t, '(');
    show_words(t, n->assignments);
    show_words(t, n->words);
    show_redirections(t, n->redirections);
    text_add_char(t, ')');
    return;
  case NODE_PIPELINE:
    show_parts(t, "(pipe", n->parts);
    return;
  case NODE_LIST:
    show_parts(t, "(list", n->parts);
    return;
  case NODE_NOT:
    show_two(t, "(not ", n);
    return;
  case NODE_AND:
    show_two(t, "(and ", n);
    return;
  case NODE_OR:
    show_two(t, "(or ", n);
    return;
  case NODE_BACKGROUND:
    show_two(t, "(back ", n);
    return;
  case NODE_IF:
    show_two(t, "(if ", n);
    return;
  case NODE_WHILE:
    show_two(t, "(while ", n);
    return;
  case NODE_UNTIL:
    show_two(t, "(until ", n);
    return;
  case NODE_FOR:
    text_add_string(t, "(for ");
    text_add_string(t, n->variable);
    text_add_string(t, n->all_arguments ? " @ " : " [");
    show_words(t, n->words);
    if (!n->all_arguments) text_add_string(t, "] ");
    show(t, n->first);
    text_add_char(t, ')');
    return;
  case NODE_CASE:
    text_add_string(t, "(case ");
    text_add_string(t, n->words->text);
    show_parts(t, "", n->parts);
    break;
  case NODE_CHOICE:
    text_add_char(t, '[');
    show_words(t, n->words);
    text_add_string(t, "] ");
    if (n->first) show(t, n->first);
    return;
  case NODE_FUNCTION:
    text_add_string(t, "(function ");
    text_add_string(t, n->variable);
    text_add_char(t, ' ');
    show(t, n->first);
    text_add_char(t, ')');
    return;
  case NODE_GROUP:
    show_two(t, "(group ", n);
    break;
  case NODE_SUBSHELL:
    show_two(t, "(shell ", n);
    break;
  }
  show_redirections(t, n->redirections);
}

static const struct {
  const char *text, *tree;
} trees[] = {
    {"ls", "(list (ls))"},
    {"  ls -l\t'a b'  # what", "(list (ls -l 'a b'))"},
    {"a#b", "(list (a#b))"},
    {"a | b|c", "(list (pipe (a) (b) (c)))"},
    {"a |\n\n b", "(list (pipe (a) (b)))"},
    {"a && b || c; d", "(list (or (and (a) (b)) (c)) (d))"},
    {"a & b &", "(list (back (a)) (back (b)))"},
    {"! a | b", "(list (not (pipe (a) (b))))"},
    {"X=1 Y=\"a b\" cmd Z=3", "(list (X=1 Y=\"a b\" cmd Z=3))"},
    {"X=", "(list (X=))"},
    {"a <in >out 2>&1 3>>log", "(list (a 0<in 1>out 2&1 3>>log))"},
    {">out", "(list ( 1>out))"},
    {"a 2", "(list (a 2))"},
    {"a 2 >b", "(list (a 2 1>b))"},
    {"if a; then b; elif c; then d; else e; fi",
     "(list (if (list (a)) (list (b)) (if (list (c)) (list (d)) (list (e)))))"},
    {"if a\nthen\nb\nfi >out", "(list (if (list (a)) (list (b))))"},
    {"while a; do b; c; done", "(list (while (list (a)) (list (b) (c))))"},
    {"until a\ndo b & done", "(list (until (list (a)) (list (back (b)))))"},
    {"for x in 1 \"2 3\" $y; do a; done", "(list (for x [1 \"2 3\" $y] (list (a))))"},
    {"for x; do a; done", "(list (for x @ (list (a))))"},
    {"{ a; b; } 2>x | c", "(list (pipe (group (list (a) (b))) 2>x (c)))"},
    {"(a; b) && c", "(list (and (shell (list (a) (b))) (c)))"},
    {"echo if then }", "(list (echo if then }))"},
    {"echo $(a | b; c) `d e` ${x:-a b} $((1 + 2))",
     "(list (echo $(a | b; c) `d e` ${x:-a b} $((1 + 2))))"},
    {"a \\\n b", "(list (a b))"},
    {"\n\n a", "(list (a))"},
    {"case $x in a) b;; c|'d e') f; g;; *) esac",
     "(list (case $x [a] (list (b)) [c 'd e'] (list (f) (g)) [*] ))"},
    {"case x\nin\n(esac)\n\na\n;;\n(b) c\nesac >o",
     "(list (case x [esac] (list (a)) [b] (list (c))) 1>o)"},
    {"case x in esac", "(list (case x))"},
    {"case in in in) in;; esac", "(list (case in [in] (list (in))))"},
    {"f() { a; } >o; f", "(list (function f (group (list (a))) 1>o) (f))"},
    {"f ( )\n\n(a)", "(list (function f (shell (list (a)))))"},
    {"f() if a; then b; fi", "(list (function f (if (list (a)) (list (b)))))"},
    {"a <<E\nb $c\n E\nE\nd", "(list (a 0<<{b $c\n E\n}))"},
    {"a <<'E' 3<<\\F -x; b\n1\nE\n2\nF\n", "(list (a -x 0<<{1\n}' 3<<{2\n}') (b))"},
    {"a <<-E\n\tb\n\t\tc\td\n\tE\n", "(list (a 0<<{b\nc\td\n}))"},
    {"a <<E\nb\\\nE\nE\n", "(list (a 0<<{b\\\nE\n}))"},
    {"a <<'E'\nb\\\nE\nc\n", "(list (a 0<<{b\\\n}'))"},
    {"a <<E |\nb\nE\nc", "(list (pipe (a 0<<{b\n}) (c)))"},
    {"{ a <<E; b\n1\nE\n} <<F\n2\nF\n", "(list (group (list (a 0<<{1\n}) (b))) 0<<{2\n})"},
    {"a $(case x in y) b;; esac) $(c <<E\n)'\nE\n)",
     "(list (a $(case x in y) b;; esac) $(c <<E\n)'\nE\n)))"},
    {"a $(b # it's )\n)", "(list (a $(b # it's )\n)))"},
    {"a $(fi)", "(list (a $(fi)))"},
};

START_TEST(tree) {
  struct parse p;
  struct text t = {0};
  parse_line(trees[_i].text, &p);
  ck_assert_msg(p.result == PARSE_DONE, "%s: %s", trees[_i].text, p.message);
  show(&t, p.node);
  ck_assert_str_eq(t.data, trees[_i].tree);
  free(t.data);
  parse_free(&p);
}
END_TEST

static const char *const more[] = {
    "a |",
    "a &&",
    "if a",
    "if a; then",
    "while a; do b",
    "for x in 1 2",
    "for x in 1; do",
    "'a",
    "\"a",
    "a \"$(b\"",
    "{ a;",
    "(a",
    "`a",
    "if a; then b; else",
    "${x",
    "a ||\n",
    "$((1 + ",
    "a\\",
    "case x",
    "case x in",
    "case x in a) b",
    "case x in a) b;;",
    "f()",
    "f() {",
    "a <<E",
    "a <<E\nb\n",
    "a <<E\nE x\n",
    "a <<'E F'\nE\n",
    "a $(case x in y) b",
};

START_TEST(more_lines_are_needed) {
  struct parse p;
  parse_line(more[_i], &p);
  ck_assert_msg(p.result == PARSE_UNFINISHED, "%s", more[_i]);
  parse_free(&p);
}
END_TEST

static const struct {
  const char *text, *message;
} wrongs[] = {
    {"| a", "unexpected \"|\""},
    {"a | | b", "unexpected \"|\""},
    {"a ; ; b", "unexpected \";\""},
    {"fi", "unexpected \"fi\""},
    {"if a; fi", "unexpected \"fi\""},
    {"a)", "unexpected \")\""},
    {"a >\n", "unexpected end of line"},
    {"a > | b", "unexpected \"|\""},
    {"for 1x in a; do b; done", "unexpected \"1x\""},
    {"a <<\n", "unexpected end of line"},
    {"a ;; b", "unexpected \";;\""},
    {"esac", "unexpected \"esac\""},
    {"case x; in", "unexpected \";\""},
    {"case x in a b) c;; esac", "unexpected \"b\""},
    {"case x in a) b;; c esac", "unexpected \"esac\""},
    {"case x in |a) b;; esac", "unexpected \"|\""},
    {"f() a", "a function needs { } or another compound command"},
    {"f() g() { a; }", "a function needs { } or another compound command"},
    {"f x() { a; }", "unexpected \"(\""},
    {"f(a) { a; }", "unexpected \"a\""},
    {"1f() { a; }", "no name for a function: \"1f\""},
};

START_TEST(what_is_wrong_is_said) {
  struct parse p;
  parse_line(wrongs[_i].text, &p);
  ck_assert_msg(p.result == PARSE_WRONG, "%s", wrongs[_i].text);
  ck_assert_str_eq(p.message, wrongs[_i].message);
  parse_free(&p);
}
END_TEST

START_TEST(lines_are_taken_one_by_one) {
  const char *text = "a; b\nwhile c\ndo d; done\n\n# nothing\n", *last = strchr(text, '#') - 1;
  struct parse p;
  parse_line(text, &p);
  ck_assert_int_eq(p.result, PARSE_DONE);
  ck_assert_uint_eq(p.next, 5);
  parse_free(&p);
  parse_line(text + 5, &p);
  ck_assert_int_eq(p.result, PARSE_DONE);
  ck_assert_str_eq(p.node->parts->source, "while c\ndo d; done");
  text += 5 + p.next;
  parse_free(&p);
  parse_line(text, &p);
  ck_assert_int_eq(p.result, PARSE_EMPTY);
  ck_assert_ptr_eq(text, last);
  ck_assert_uint_eq(p.next, strlen(last));
}
END_TEST

/* What is given to another shell has its here-documents, wherever they lie. */
START_TEST(scripts_are_complete) {
  struct parse p;
  parse_line("{ a <<E; b; } | (c <<F\n1\nE\n2\nF\nd) | e\n", &p);
  ck_assert_int_eq(p.result, PARSE_DONE);
  const struct node *part = p.node->parts->parts;
  ck_assert_str_eq(part->source, "{ a <<E; b; }");
  ck_assert_str_eq(part->script, "{ a <<E; b; }\n1\nE\n");
  ck_assert_str_eq(part->next->script, "(c <<F\n1\nE\n2\nF\nd)\n");
  ck_assert_str_eq(part->next->next->script, "e\n");
  parse_free(&p);
}
END_TEST

START_TEST(depth_is_limited) {
  struct parse p;
  char text[1001];
  memset(text, '(', 1000);
  text[1000] = 0;
  parse_line(text, &p);
  ck_assert_int_eq(p.result, PARSE_WRONG);
  parse_free(&p);
}
END_TEST

/* Any bytes: an answer, and nothing outside of the text is looked at (valgrind, sanitizers). */
START_TEST(random_text_is_survived) {
  static const char *const pieces[] = {
      "if ", "then ", "fi",    "while ", "do ",  "done", "(",   ")",      "{ ",   "}",
      ";",   "\n",    "&",     "&&",     "|",    "||",   "'",   "\"",     "\\",   "$",
      "$(",  "${",    "`",     "a ",     "x=1 ", "2>",   ">&1", "<",      "#",    "for ",
      "in ", "!",     "case ", ";;",     "esac", "f()",  "<<a", "<<-'a'", "\na\n"};
  uint64_t state = 1;
  for (unsigned i = 0; i < 20000; i++) {
    char text[256] = "";
    for (unsigned n = 0; n < 20; n++) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      strcat(text, pieces[(state >> 33) % (sizeof pieces / sizeof *pieces)]);
    }
    struct parse p;
    parse_line(text, &p);
    ck_assert_uint_le(p.next, strlen(text));
    parse_free(&p);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("parse");
  TCase *tc = tcase_create("parse");
  tcase_add_loop_test(tc, tree, 0, sizeof trees / sizeof *trees);
  tcase_add_loop_test(tc, more_lines_are_needed, 0, sizeof more / sizeof *more);
  tcase_add_loop_test(tc, what_is_wrong_is_said, 0, sizeof wrongs / sizeof *wrongs);
  tcase_add_test(tc, lines_are_taken_one_by_one);
  tcase_add_test(tc, scripts_are_complete);
  tcase_add_test(tc, depth_is_limited);
  tcase_add_test(tc, random_text_is_survived);
  suite_add_tcase(suite, tc);
  return test_run(suite);
}
