/* Words of the state-filter language. */
#ifndef LIBST_FILTER_TOKEN_H
#define LIBST_FILTER_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

enum token_kind {
  TOKEN_END,
  TOKEN_NAME,
  TOKEN_NUMBER, /* integer or character constant: `value` */
  TOKEN_REAL,   /* `real` */
  TOKEN_FILE,   /* 'net.c', the scope of a name */
  TOKEN_OPERATOR,
  TOKEN_BAD, /* `problem` says why */
};

struct token {
  enum token_kind kind;
  const char *text;
  unsigned bytes;  /* of the text */
  unsigned column; /* from 1 */
  uint64_t value;
  double real;
  bool is_unsigned, is_long; /* of a number */
  const char *problem;
};

/** Reads the word at `at`, which lies in `text`. */
struct token token_read(const char *text, const char *at);
/** True for the operator of that spelling. */
bool token_is(const struct token *token, const char *spelling);

#endif
