/* The shell's tokens (POSIX, Shell Command Language, 2.3). Words are left as they are written, with
 * their quotes; expand.h makes fields of them. */
#ifndef SH_LEX_H
#define SH_LEX_H

#include <stddef.h>

enum token {
  TOKEN_WORD,
  TOKEN_NUMBER, /* digits right before a redirection */
  TOKEN_NEWLINE,
  TOKEN_SEMICOLON,   /* ; */
  TOKEN_DOUBLE,      /* ;; */
  TOKEN_AMPERSAND,   /* & */
  TOKEN_AND,         /* && */
  TOKEN_OR,          /* || */
  TOKEN_PIPE,        /* | */
  TOKEN_OPEN,        /* ( */
  TOKEN_CLOSE,       /* ) */
  TOKEN_LESS,        /* < */
  TOKEN_GREATER,     /* > */
  TOKEN_APPEND,      /* >> */
  TOKEN_LESS_AND,    /* <& */
  TOKEN_GREATER_AND, /* >& */
  TOKEN_HERE,        /* << */
  TOKEN_HERE_STRIP,  /* <<- */
  TOKEN_END,         /* of the text */
  TOKEN_UNFINISHED,  /* the text ends inside of quotes, or after a backslash */
};

struct lexer {
  const char *text;
  size_t at;        /* where the next token is looked for */
  enum token token; /* the current one */
  size_t from, to;  /* where it lies in the text */
};

/** Takes the next token. */
void lex_next(struct lexer *lexer);
/** @return the offset behind the quoted or substituted part that begins at `at` with one of
 * ' " ` \ $, or 0 when it does not end */
size_t lex_quoted(const char *text, size_t at);

#endif
