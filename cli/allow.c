#include "cli/allow.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/messages.h"

enum { NESTING_MAX = 32 };

struct compiler {
  const char *text, *at;
  const Proteos__ControlReply *components;
  struct bus_step *steps;
  size_t count;
  unsigned depth;
  char *error;
  size_t error_cap;
  bool failed;
};

static void fail(struct compiler *c, const char *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct compiler *c, const char *at, const char *fmt, ...) {
  if (c->failed) return;
  c->failed = true;
  int n = snprintf(c->error, c->error_cap, "column %zu: ", (size_t)(at - c->text) + 1);
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(c->error + n, c->error_cap - (size_t)n, fmt, ap);
  va_end(ap);
}

static void emit(struct compiler *c, enum bus_step_op op, uint32_t value) {
  if (c->count == BUS_STEPS_MAX)
    fail(c, c->at, "the expression is too long");
  else
    c->steps[c->count++] = (struct bus_step){op, value};
}

/* ---- words ---- */

static void skip_space(struct compiler *c) {
  while (isspace((unsigned char)*c->at))
    c->at++;
}

static bool take(struct compiler *c, const char *operator) {
  skip_space(c);
  size_t n = strlen(operator);
  if (strncmp(c->at, operator, n) != 0) return false;
  c->at += n;
  return true;
}

/* Names of components may have - and . in them. */
static size_t word_length(const char *at) {
  size_t n = 0;
  while (isalnum((unsigned char)at[n]) || (at[n] && strchr("_.-", at[n])))
    n++;
  return n;
}

static void number(struct compiler *c, const char *word) {
  char *end;
  errno = 0;
  unsigned long long value = strtoull(word, &end, 0);
  if (*end || errno || value > UINT32_MAX)
    fail(c, c->at, "'%s' is no number of 32 bits", word);
  else
    emit(c, BUS_STEP_NUMBER, (uint32_t)value);
}

static bool component(struct compiler *c, const char *word) {
  for (size_t i = 0; i < c->components->n_components; i++) {
    const Proteos__ComponentStatus *s = c->components->components[i];
    if (strcmp(s->name, word) != 0) continue;
    emit(c, BUS_STEP_NUMBER, s->endpoint);
    return true;
  }
  return false;
}

static void name(struct compiler *c, const char *word) {
  uint32_t type;
  if (strcmp(word, "m.type") == 0)
    emit(c, BUS_STEP_TYPE, 0);
  else if (strcmp(word, "m.source") == 0)
    emit(c, BUS_STEP_SOURCE, 0);
  else if (strcmp(word, "m.payload") == 0)
    emit(c, BUS_STEP_PAYLOAD, 0);
  else if (strcmp(word, "bus") == 0)
    emit(c, BUS_STEP_NUMBER, SYS_KERNEL);
  else if (strncmp(word, "m.", 2) == 0)
    fail(c, c->at, "a message has m.type, m.source and m.payload, but no '%s'", word);
  else if (message_type(word, &type))
    emit(c, BUS_STEP_NUMBER, type);
  else if (!component(c, word))
    fail(c, c->at, "there is neither a message nor a component '%s'", word);
}

/* ---- grammar: or, and, comparison, not ---- */

static void any(struct compiler *c);

static void primary(struct compiler *c) {
  char word[64];
  skip_space(c);
  size_t n = word_length(c->at);
  if (n >= sizeof(word)) {
    fail(c, c->at, "a word is too long");
    return;
  }
  if (n) {
    memcpy(word, c->at, n);
    word[n] = 0;
    if (isdigit((unsigned char)*word))
      number(c, word);
    else
      name(c, word);
    c->at += n;
  } else if (take(c, "(")) {
    any(c);
    if (!take(c, ")")) fail(c, c->at, "')' is missing");
  } else {
    fail(c, c->at, *c->at ? "'%.1s' is not understood" : "the expression ends too early%s", c->at);
  }
}

static void unary(struct compiler *c) {
  skip_space(c);
  if (c->failed) return;
  if (++c->depth > NESTING_MAX) {
    fail(c, c->at, "the expression is nested too deeply");
  } else if (c->at[0] == '!' && c->at[1] != '=') {
    c->at++;
    unary(c);
    emit(c, BUS_STEP_NOT, 0);
  } else {
    primary(c);
  }
  c->depth--;
}

static const struct comparison {
  const char *operator; /* longer ones first */
  enum bus_step_op op;
  bool negated;
} comparisons[] = {
    {"==", BUS_STEP_EQUAL, false}, {"!=", BUS_STEP_EQUAL, true}, {"<=", BUS_STEP_LESS_EQUAL, false},
    {">=", BUS_STEP_LESS, true},   {"<", BUS_STEP_LESS, false},  {">", BUS_STEP_LESS_EQUAL, true},
};

static void comparison(struct compiler *c) {
  unary(c);
  for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++) {
    if (!take(c, comparisons[i].operator)) continue;
    unary(c);
    emit(c, comparisons[i].op, 0);
    if (comparisons[i].negated) emit(c, BUS_STEP_NOT, 0);
    return;
  }
}

static void all(struct compiler *c) {
  comparison(c);
  while (!c->failed && take(c, "&&")) {
    comparison(c);
    emit(c, BUS_STEP_AND, 0);
  }
}

static void any(struct compiler *c) {
  all(c);
  while (!c->failed && take(c, "||")) {
    all(c);
    emit(c, BUS_STEP_OR, 0);
  }
}

size_t allow_compile(const char *text, const Proteos__ControlReply *components,
                     struct bus_step steps[BUS_STEPS_MAX], char *error, size_t error_cap) {
  struct compiler c = {.text = text,
                       .at = text,
                       .components = components,
                       .steps = steps,
                       .error = error,
                       .error_cap = error_cap};
  any(&c);
  skip_space(&c);
  if (*c.at) fail(&c, c.at, "'%s' is not understood", c.at);
  return c.failed ? 0 : c.count;
}
