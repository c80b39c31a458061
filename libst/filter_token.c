#include "libst/filter_token.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static struct token bad(struct token t, const char *problem) {
  t.kind = TOKEN_BAD;
  t.problem = problem;
  return t;
}

static bool is_name_part(char c) {
  return isalnum((unsigned char)c) || c == '_';
}

static struct token read_real(struct token t) {
  char *end;
  t.kind = TOKEN_REAL;
  t.real = strtod(t.text, &end);
  if (*end == 'f' || *end == 'F' || *end == 'l' || *end == 'L') end++;
  t.bytes = end - t.text;
  return is_name_part(*end) ? bad(t, "is not a number") : t;
}

static struct token read_number(struct token t) {
  const char *digits = t.text;
  int base = 10;
  if (digits[0] == '0' && (digits[1] | 32) == 'x')
    base = 16;
  else if (digits[0] == '0' && (digits[1] | 32) == 'b')
    base = 2, digits += 2;
  else if (digits[0] == '0')
    base = 8;
  size_t whole = strspn(t.text, "0123456789");
  if (base != 16 && base != 2 && (t.text[whole] == '.' || (t.text[whole] | 32) == 'e'))
    return read_real(t);
  char *end;
  errno = 0;
  t.kind = TOKEN_NUMBER;
  t.value = strtoull(digits, &end, base);
  bool overflow = errno == ERANGE;
  for (; *end == 'u' || *end == 'U' || *end == 'l' || *end == 'L'; end++) {
    t.is_unsigned |= (*end | 32) == 'u';
    t.is_long |= (*end | 32) == 'l';
  }
  t.bytes = end - t.text;
  if (end == digits || is_name_part(*end)) {
    while (is_name_part(t.text[t.bytes]))
      t.bytes++;
    return bad(t, "is not a number");
  }
  if (overflow) return bad(t, "does not fit in 64 bits");
  /* As in C: the first of int, unsigned (not for decimals), long, unsigned long that holds it. */
  t.is_long |= t.value > UINT_MAX || (base == 10 && !t.is_unsigned && t.value > INT_MAX);
  t.is_unsigned |= t.value > LONG_MAX || (!t.is_long && t.value > INT_MAX);
  return t;
}

/* One character of a constant; moves `at` behind it. @return -1 when it is not one. */
static int read_character(const char **at) {
  static const char names[] = "abfnrtv\\'\"?", values[] = "\a\b\f\n\r\t\v\\'\"?";
  const char *p = *at;
  if (*p == '\0') return -1;
  if (*p != '\\') {
    *at = p + 1;
    return (signed char)*p;
  }
  p++;
  const char *found = *p ? strchr(names, *p) : NULL;
  char *end;
  if (found) {
    *at = p + 1;
    return values[found - names];
  }
  if (*p == 'x' && isxdigit((unsigned char)p[1])) {
    int value = strtol(p + 1, &end, 16);
    *at = end;
    return (signed char)value;
  }
  if (*p < '0' || *p > '7') return -1;
  int value = 0;
  for (unsigned i = 0; i < 3 && *p >= '0' && *p <= '7'; i++)
    value = value * 8 + *p++ - '0';
  *at = p;
  return (signed char)value;
}

/* A character constant, or a file name before `::`. */
static struct token read_quoted(struct token t) {
  const char *at = t.text + 1;
  int value = read_character(&at);
  if (value != -1 && *at == '\'' && strncmp(at + 1, "::", 2) != 0) {
    t.kind = TOKEN_NUMBER;
    t.value = (int64_t)value;
    t.bytes = at + 1 - t.text;
    return t;
  }
  const char *end = strchr(t.text + 1, '\'');
  t.bytes = end ? (unsigned)(end + 1 - t.text) : strlen(t.text);
  if (!end) return bad(t, "has no closing quote");
  if (strncmp(end + 1, "::", 2) != 0) return bad(t, "is not a character");
  t.kind = TOKEN_FILE;
  return t;
}

static struct token read_operator(struct token t) {
  static const char *const longest_first[] = {
      "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "->", "::", "(", ")", "[", "]", ".",
      "!",  "~",  "-",  "+",  "*",  "&",  "/",  "%",  "<",  ">",  "^", "|", "?", ":"};
  t.kind = TOKEN_OPERATOR;
  for (unsigned i = 0; i < sizeof longest_first / sizeof *longest_first; i++) {
    t.bytes = strlen(longest_first[i]);
    if (strncmp(t.text, longest_first[i], t.bytes) == 0) return t;
  }
  t.bytes = 1;
  return bad(t, *t.text == '='   ? "would assign; compare with =="
                : *t.text == '"' ? "begins a string, which a filter cannot compare"
                                 : "is not part of the filter language");
}

struct token token_read(const char *text, const char *at) {
  while (isspace((unsigned char)*at))
    at++;
  struct token t = {.text = at, .column = at - text + 1};
  if (*at == '\0') return t;
  if (isdigit((unsigned char)*at)) return read_number(t);
  if (*at == '.' && isdigit((unsigned char)at[1])) return read_real(t);
  if (*at == '\'') return read_quoted(t);
  if (!is_name_part(*at)) return read_operator(t);
  t.kind = TOKEN_NAME;
  while (is_name_part(at[t.bytes]))
    t.bytes++;
  return t;
}

bool token_is(const struct token *token, const char *spelling) {
  return token->kind == TOKEN_OPERATOR && strlen(spelling) == token->bytes &&
         memcmp(token->text, spelling, token->bytes) == 0;
}
