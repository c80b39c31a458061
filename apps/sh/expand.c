#include "apps/sh/expand.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sh/glob.h"
#include "apps/sh/lex.h"
#include "apps/sh/parse.h"
#include "apps/sh/text.h"

/* A field under way is a pattern: what was quoted has a backslash before it where it would mean
 * something. */
struct expansion {
  struct text field;
  bool begun; /* there is a field, even if it is empty: "" */
  bool split; /* make several fields, and names of files */
  bool inner; /* in ${x:-...}: blanks outside of quotes split, too */
  bool here;  /* a here-document: as in double quotes, but these are characters like others */
  struct fields *fields;
};

static bool expand_text(struct expansion *x, const char *text, size_t from, size_t to, bool quoted);

static void add_field(struct fields *fields, char *text) {
  fields->list = realloc(fields->list, (fields->count + 2) * sizeof *fields->list);
  if (!fields->list) abort();
  fields->list[fields->count++] = text;
  fields->list[fields->count] = NULL;
}

void fields_free(struct fields *fields) {
  for (size_t i = 0; i < fields->count; i++)
    free(fields->list[i]);
  free(fields->list);
  *fields = (struct fields){0};
}

static void end_field(struct expansion *x) {
  if (!x->begun) return;
  x->begun = false;
  char *pattern = text_take(&x->field);
  size_t before = x->fields->count;
  if (glob_special(pattern)) glob_expand(pattern, x->fields, add_field);
  if (x->fields->count == before) {
    glob_unescape(pattern);
    add_field(x->fields, pattern);
  } else {
    free(pattern);
  }
}

static void add_char(struct expansion *x, char c, bool quoted) {
  if (quoted && strchr("*?[]\\", c)) text_add_char(&x->field, '\\');
  text_add_char(&x->field, c);
  x->begun = true;
}

/* The result of an expansion: outside of quotes it is split. */
static void add_value(struct expansion *x, const char *value, bool quoted) {
  if (quoted || !x->split) x->begun = true;
  for (; *value; value++) {
    if (x->split && !quoted && strchr(" \t\n", *value))
      end_field(x);
    else
      add_char(x, *value, quoted || *value == '\\');
  }
}

/* "$@": a field for each argument, joined to what stands around. "$*" and $@: one text. */
static void add_arguments(struct expansion *x, char which, bool quoted) {
  char *const *arguments = shell_arguments();
  bool fields = x->split && (which == '@' || !quoted);
  for (size_t i = 0; arguments[i]; i++) {
    if (i && fields)
      end_field(x);
    else if (i)
      add_char(x, ' ', quoted);
    add_value(x, arguments[i], quoted);
  }
}

static bool add_command(struct expansion *x, const char *text, size_t bytes, bool quoted) {
  char *command = strndup(text, bytes), *output = shell_output(command);
  free(command);
  if (!output) return false;
  add_value(x, output, quoted);
  free(output);
  return true;
}

/* In back quotes \$ \` and \\ stand for the second character. */
static bool add_back_quoted(struct expansion *x, const char *text, size_t bytes, bool quoted) {
  struct text command = {0};
  for (size_t i = 0; i < bytes; i++) {
    if (text[i] == '\\' && i + 1 < bytes && strchr("$`\\", text[i + 1])) i++;
    text_add_char(&command, text[i]);
  }
  char *inside = text_take(&command);
  bool right = add_command(x, inside, strlen(inside), quoted);
  free(inside);
  return right;
}

static bool expand_inner(struct expansion *x, const char *text, size_t from, size_t to,
                         bool quoted) {
  bool before = x->inner;
  x->inner = !quoted;
  bool right = expand_text(x, text, from, to, quoted);
  x->inner = before;
  return right;
}

static char *expand_part(const char *text, size_t from, size_t to) {
  char *part = strndup(text + from, to - from), *made = expand_single(part);
  free(part);
  return made;
}

static bool add_arithmetic(struct expansion *x, const char *text, size_t from, size_t to,
                           bool quoted) {
  char *expression = expand_part(text, from, to), number[32];
  long long value;
  if (!expression) return false;
  bool right = arithmetic(expression, &value);
  if (right) {
    snprintf(number, sizeof number, "%lld", value);
    add_value(x, number, quoted);
  } else {
    shell_complain("$((%s)): wrong expression", expression);
  }
  free(expression);
  return right;
}

static bool wrong_substitution(const char *text, size_t from, size_t to) {
  shell_complain("${%.*s}: wrong substitution", (int)(to - from), text + from);
  return false;
}

/* ${...}, without its braces. */
static bool add_braces(struct expansion *x, const char *text, size_t from, size_t to, bool quoted) {
  char name[256], number[24];
  bool length = text[from] == '#' && to > from + 1;
  size_t at = from + length, n = name_length(text + at);
  if (!n && isdigit((unsigned char)text[at]))
    while (at + n < to && isdigit((unsigned char)text[at + n]))
      n++;
  if (!n && at < to && strchr("?$!#@*", text[at])) n = 1;
  if (!n || at + n > to || n >= sizeof name) return wrong_substitution(text, from, to);
  memcpy(name, text + at, n);
  name[n] = 0;
  at += n;
  if (at == to && !length && (*name == '@' || *name == '*')) {
    add_arguments(x, *name, quoted);
    return true;
  }
  const char *value = shell_value(name);
  if (length) {
    if (at != to) return wrong_substitution(text, from, to);
    snprintf(number, sizeof number, "%zu", value ? strlen(value) : 0);
    value = number;
  } else if (at < to) {
    bool empty_too = text[at] == ':';
    at += empty_too;
    bool there = value && !(empty_too && !*value);
    char operator= at<to ? text[at] : 0;
    at++;
    if (!operator|| !strchr("-=+?", operator)) return wrong_substitution(text, from, to);
    if (operator== '+' ? there : !there) {
      if (operator== '-' || operator== '+') return expand_inner(x, text, at, to, quoted);
      char *word = expand_part(text, at, to);
      if (!word) return false;
      if (operator== '?') {
        shell_complain("%s: %s", name, *word ? word : "not set");
        free(word);
        return false;
      }
      shell_assign(name, word);
      add_value(x, word, quoted);
      free(word);
      return true;
    }
    if (operator== '+') value = NULL;
  }
  if (value) add_value(x, value, quoted);
  return true;
}

/* What begins with the '$' at `at` and ends before `end`, as lex_quoted() says.
 * @return where it goes on, 0 when it failed */
static size_t add_dollar(struct expansion *x, const char *text, size_t at, size_t end,
                         bool quoted) {
  char one[2] = {text[at + 1], 0}, name[256];
  if (end > at + 1 && text[at + 1] == '(') {
    bool sum = end - at >= 5 && text[at + 2] == '(' && text[end - 2] == ')';
    bool right = sum ? add_arithmetic(x, text, at + 3, end - 2, quoted)
                     : add_command(x, text + at + 2, end - at - 3, quoted);
    return right ? end : 0;
  }
  if (end > at + 1) return add_braces(x, text, at + 2, end - 1, quoted) ? end : 0;
  size_t n = name_length(text + at + 1);
  if (n >= sizeof name) return 0;
  if (*one == '@' || *one == '*') {
    add_arguments(x, *one, quoted);
    return at + 2;
  }
  if (!n && *one && (isdigit((unsigned char)*one) || strchr("?$!#", *one))) n = 1;
  if (!n) { /* a '$' that means itself */
    add_char(x, '$', quoted);
    return at + 1;
  }
  memcpy(name, text + at + 1, n);
  name[n] = 0;
  const char *value = shell_value(name);
  if (value) add_value(x, value, quoted);
  return at + 1 + n;
}

static void add_escaped(struct expansion *x, char c, bool quoted) {
  if (c == '\n') return;
  if (quoted && !strchr(x->here ? "$`\\" : "$`\"\\", c)) add_char(x, '\\', true);
  add_char(x, c, true);
}

static bool add_quoted(struct expansion *x, const char *text, size_t at, size_t end) {
  x->begun = true;
  if (text[at] == '"') {
    /* "$@" without arguments is no field at all */
    bool only = end - at == 4 && memcmp(text + at, "\"$@\"", 4) == 0 && !shell_arguments()[0];
    if (only) x->begun = x->field.used > 0;
    return expand_text(x, text, at + 1, end - 1, true);
  }
  for (size_t i = at + 1; i < end - 1; i++)
    add_char(x, text[i], true);
  return true;
}

static bool expand_text(struct expansion *x, const char *text, size_t from, size_t to,
                        bool quoted) {
  for (size_t at = from; at < to;) {
    bool special = quoted ? strchr("\\$`", text[at]) != NULL : strchr("'\"\\$`", text[at]) != NULL;
    size_t end = special ? lex_quoted(text, at) : 0;
    if (!special || !end || end > to) {
      bool splits = x->inner && x->split && !quoted && strchr(" \t\n", text[at]);
      if (splits)
        end_field(x);
      else
        add_char(x, text[at], quoted);
      at++;
      continue;
    }
    bool right = true;
    if (text[at] == '$')
      right = (end = add_dollar(x, text, at, end, quoted)) != 0;
    else if (text[at] == '\\')
      add_escaped(x, text[at + 1], quoted);
    else if (text[at] == '`')
      right = add_back_quoted(x, text + at + 1, end - at - 2, quoted);
    else
      right = add_quoted(x, text, at, end);
    if (!right) return false;
    at = end;
  }
  return true;
}

/* ~ and ~/... at the beginning. */
static size_t add_home(struct expansion *x, const char *word) {
  const char *home = shell_value("HOME");
  if (word[0] != '~' || (word[1] && word[1] != '/') || !home) return 0;
  add_value(x, home, true);
  return 1;
}

bool expand_word(const char *word, struct fields *fields) {
  struct expansion x = {.split = true, .fields = fields};
  size_t from = add_home(&x, word);
  bool right = expand_text(&x, word, from, strlen(word), false);
  if (right) end_field(&x);
  free(x.field.data);
  return right;
}

/* One field, with its backslashes; NULL when it failed. */
static char *expand_whole(struct expansion *x, const char *text, size_t from) {
  bool right = expand_text(x, text, from, strlen(text), x->here);
  char *made = text_take(&x->field);
  if (right) return made;
  free(made);
  return NULL;
}

char *expand_pattern(const char *word) {
  struct expansion x = {0};
  return expand_whole(&x, word, add_home(&x, word));
}

char *expand_single(const char *word) {
  char *text = expand_pattern(word);
  if (text) glob_unescape(text);
  return text;
}

char *expand_here(const char *text) {
  struct expansion x = {.here = true};
  char *made = expand_whole(&x, text, 0);
  if (made) glob_unescape(made);
  return made;
}
