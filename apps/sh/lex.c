#include "apps/sh/lex.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "apps/sh/parse.h"

/* Behind the `close` that ends what `at` is in; quoted parts on the way are skipped. */
static size_t until(const char *text, size_t at, char open, char close) {
  unsigned depth = 1;
  while (text[at]) {
    if (text[at] == close && --depth == 0) return at + 1;
    if (text[at] == open && open != close) depth++;
    if (strchr("'\"`\\$", text[at])) {
      at = lex_quoted(text, at);
      if (!at) return 0;
    } else {
      at++;
    }
  }
  return 0;
}

static size_t double_quoted(const char *text, size_t at) {
  while (text[at] && text[at] != '"') {
    if (text[at] == '\\' || text[at] == '$' || text[at] == '`') {
      at = lex_quoted(text, at);
      if (!at) return 0;
    } else {
      at++;
    }
  }
  return text[at] ? at + 1 : 0;
}

static size_t back_quoted(const char *text, size_t at) {
  while (text[at] && text[at] != '`')
    at += text[at] == '\\' && text[at + 1] ? 2 : 1;
  return text[at] ? at + 1 : 0;
}

/* Only the grammar knows which parenthesis ends a $( ): `case` has single ones, here-documents any
 * number. In arithmetic they pair; in what is wrong, too. */
static size_t substituted(const char *text, size_t at) {
  size_t end = 0;
  bool known = text[at] != '(' && parse_substitution(text, at, &end);
  return known ? end : until(text, at, '(', ')');
}

size_t lex_quoted(const char *text, size_t at) {
  const char *end;
  switch (text[at]) {
  case '\'':
    end = strchr(text + at + 1, '\'');
    return end ? (size_t)(end - text) + 1 : 0;
  case '"':
    return double_quoted(text, at + 1);
  case '`':
    return back_quoted(text, at + 1);
  case '\\':
    return text[at + 1] ? at + 2 : 0;
  default: /* $ */
    if (text[at + 1] == '(') return substituted(text, at + 2);
    if (text[at + 1] == '{') return until(text, at + 2, '{', '}');
    return at + 1;
  }
}

static void skip_blanks(struct lexer *l) {
  while (1) {
    const char *at = l->text + l->at;
    if (*at == ' ' || *at == '\t' || *at == '\r')
      l->at++;
    else if (at[0] == '\\' && at[1] == '\n')
      l->at += 2;
    else
      break;
  }
  if (l->text[l->at] == '#') l->at += strcspn(l->text + l->at, "\n");
}

static const struct {
  const char *text;
  enum token token;
} operators[] = {
    /* the longer ones first */
    {"<<-", TOKEN_HERE_STRIP}, {"&&", TOKEN_AND},      {"||", TOKEN_OR},
    {"<<", TOKEN_HERE},        {">>", TOKEN_APPEND},   {"<&", TOKEN_LESS_AND},
    {">&", TOKEN_GREATER_AND}, {";;", TOKEN_DOUBLE},   {"\n", TOKEN_NEWLINE},
    {";", TOKEN_SEMICOLON},    {"&", TOKEN_AMPERSAND}, {"|", TOKEN_PIPE},
    {"(", TOKEN_OPEN},         {")", TOKEN_CLOSE},     {"<", TOKEN_LESS},
    {">", TOKEN_GREATER},
};
enum { OPERATORS = sizeof operators / sizeof *operators };

static bool take_operator(struct lexer *l) {
  for (unsigned i = 0; i < OPERATORS; i++) {
    size_t n = strlen(operators[i].text);
    if (strncmp(l->text + l->at, operators[i].text, n) != 0) continue;
    l->token = operators[i].token;
    l->at += n;
    return true;
  }
  return false;
}

static void take_word(struct lexer *l) {
  l->token = TOKEN_WORD;
  bool digits = true;
  while (l->text[l->at] && !strchr(" \t\r\n;&|()<>", l->text[l->at])) {
    if (!isdigit((unsigned char)l->text[l->at])) digits = false;
    if (!strchr("'\"`\\$", l->text[l->at])) {
      l->at++;
      continue;
    }
    size_t end = lex_quoted(l->text, l->at);
    if (!end) {
      l->token = TOKEN_UNFINISHED;
      l->at = strlen(l->text);
      return;
    }
    l->at = end;
  }
  if (digits && (l->text[l->at] == '<' || l->text[l->at] == '>')) l->token = TOKEN_NUMBER;
}

void lex_next(struct lexer *l) {
  skip_blanks(l);
  l->from = l->at;
  if (!l->text[l->at])
    l->token = TOKEN_END;
  else if (!take_operator(l))
    take_word(l);
  l->to = l->at;
}
