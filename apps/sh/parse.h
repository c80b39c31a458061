/* The shell's commands as a tree, by recursive descent over the grammar of POSIX (2.10). Knows
 * nothing of the system. */
#ifndef SH_PARSE_H
#define SH_PARSE_H

#include <stdbool.h>
#include <stddef.h>

struct word {
  char *text; /* as written, with quotes */
  struct word *next;
};

enum redirection_kind {
  REDIRECT_READ,      /* < */
  REDIRECT_WRITE,     /* > */
  REDIRECT_APPEND,    /* >> */
  REDIRECT_DUPLICATE, /* <& and >& */
  REDIRECT_HERE,      /* << and <<- */
};

struct redirection {
  enum redirection_kind kind;
  int fd;
  char *word;   /* HERE: the document */
  bool literal; /* HERE: nothing in it is expanded */
  struct redirection *next;
};

enum node_kind {
  NODE_COMMAND,    /* assignments, words */
  NODE_PIPELINE,   /* parts: at least two commands */
  NODE_NOT,        /* ! first */
  NODE_AND,        /* first && second */
  NODE_OR,         /* first || second */
  NODE_LIST,       /* parts, one after the other */
  NODE_BACKGROUND, /* first & */
  NODE_IF,         /* if first then second else third */
  NODE_WHILE,      /* while first do second */
  NODE_UNTIL,
  NODE_FOR,    /* for variable in words do first */
  NODE_CASE,   /* case words in parts */
  NODE_CHOICE, /* of a case: words, which are patterns, and first, NULL if there is nothing to do */
  NODE_GROUP,  /* { first } */
  NODE_SUBSHELL, /* ( first ) */
  NODE_FUNCTION, /* variable() first */
};

struct node {
  enum node_kind kind;
  struct node *first, *second, *third;
  struct node *parts, *next;
  struct word *assignments, *words; /* assignments: NAME=TEXT */
  char *variable;
  bool all_arguments; /* `for` without `in` */
  struct redirection *redirections;
  char *source; /* its text, for people */
  char *script; /* the same with its here-documents, for a shell */
};

enum parse_result { PARSE_DONE, PARSE_EMPTY, PARSE_UNFINISHED, PARSE_WRONG };

struct parse {
  enum parse_result result;
  struct node *node; /* PARSE_DONE */
  size_t next;       /* offset of what follows */
  char message[160]; /* PARSE_WRONG: what is wrong */
  struct allocation *allocations;
};

/** Parses one complete command line, which may go over several lines, at the start of `text`.
 * PARSE_UNFINISHED: more lines are needed. The tree lives until parse_free(). */
void parse_line(const char *text, struct parse *result);
void parse_free(struct parse *result);

/** Looks for the end of what stands in $( ).
 * @param at   behind the parenthesis
 * @param end  receives the offset behind the closing one; 0: more lines are needed
 * @return false when that is no right text */
bool parse_substitution(const char *text, size_t at, size_t *end);

/** @return the length of the name at the start of `text`; 0 when there is none */
size_t name_length(const char *text);

#endif
