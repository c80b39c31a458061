/* Arithmetic of $((...)): C's operators, by precedence climbing. */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sh/expand.h"
#include "apps/sh/parse.h"

struct scan {
  const char *at;
  unsigned depth;
  bool wrong;
};

enum { DEPTH_MAX = 100 };

static const struct {
  const char *text;
  int level; /* of precedence; higher binds more */
} operators[] = {
    {"||", 1}, {"&&", 2}, {"==", 6}, {"!=", 6}, {"<=", 7}, {">=", 7},
    {"<<", 8}, {">>", 8}, {"|", 3},  {"^", 4},  {"&", 5},  {"<", 7},
    {">", 7},  {"+", 9},  {"-", 9},  {"*", 10}, {"/", 10}, {"%", 10},
};
enum { OPERATORS = sizeof operators / sizeof *operators };

static long long climb(struct scan *s, int level);

static void skip(struct scan *s) {
  while (isspace((unsigned char)*s->at))
    s->at++;
}

static long long variable(struct scan *s) {
  char name[256];
  size_t n = name_length(s->at);
  if (n >= sizeof name) {
    s->wrong = true;
    return 0;
  }
  memcpy(name, s->at, n);
  name[n] = 0;
  s->at += n;
  const char *value = shell_value(name);
  if (!value || !*value) return 0;
  char *end;
  long long number = strtoll(value, &end, 0);
  if (*end) s->wrong = true;
  return number;
}

static long long primary(struct scan *s) {
  skip(s);
  char c = *s->at;
  if (++s->depth > DEPTH_MAX) s->wrong = true;
  long long value = 0;
  if (s->wrong) return 0;
  if (c == '(') {
    s->at++;
    value = climb(s, 1);
    skip(s);
    if (*s->at++ != ')') s->wrong = true;
    if (s->wrong) s->at = "";
  } else if (c == '-' || c == '+' || c == '!' || c == '~') {
    s->at++;
    value = primary(s);
    unsigned long long u = (unsigned long long)value;
    value = c == '-' ? (long long)(0 - u) : c == '!' ? !value : c == '~' ? ~value : value;
  } else if (isdigit((unsigned char)c)) {
    char *end;
    value = strtoll(s->at, &end, 0);
    s->at = end;
  } else if (name_length(s->at)) {
    value = variable(s);
  } else {
    s->wrong = true;
  }
  s->depth--;
  return value;
}

/* Overflow wraps, as in the processor. */
static long long apply(struct scan *s, const char *operator, long long a, long long b) {
  unsigned long long x = (unsigned long long)a, y = (unsigned long long)b;
  switch (operator[0]) {
  case '+':
    return (long long)(x + y);
  case '-':
    return (long long)(x - y);
  case '*':
    return (long long)(x * y);
  case '/':
  case '%':
    if (b == 0 || (a == LLONG_MIN && b == -1)) {
      s->wrong = true;
      return 0;
    }
    return operator[0] == '/' ? a / b : a % b;
  case '|':
    return operator[1] ? a || b : a | b;
  case '&':
    return operator[1] ? a && b : a & b;
  case '^':
    return a ^ b;
  case '=':
    return a == b;
  case '!':
    return a != b;
  case '<':
    return operator[1] == '<' ? (long long)(x << (y & 63)) : operator[1] ? a <= b : a<b;
  default:
    return operator[1] == '>' ? a >> (y & 63) : operator[1] ? a >= b : a> b;
  }
}

static int find_operator(struct scan *s) {
  skip(s);
  for (int i = 0; i < OPERATORS; i++)
    if (strncmp(s->at, operators[i].text, strlen(operators[i].text)) == 0) return i;
  return -1;
}

static long long climb(struct scan *s, int level) {
  long long left = primary(s);
  int i;
  while (!s->wrong && (i = find_operator(s)) >= 0 && operators[i].level >= level) {
    s->at += strlen(operators[i].text);
    long long right = climb(s, operators[i].level + 1);
    if (!s->wrong) left = apply(s, operators[i].text, left, right);
  }
  return left;
}

bool arithmetic(const char *text, long long *value) {
  struct scan s = {.at = text};
  skip(&s);
  *value = *s.at ? climb(&s, 1) : 0;
  skip(&s);
  return !s.wrong && !*s.at;
}
