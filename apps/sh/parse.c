#include "apps/sh/parse.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sh/here.h"
#include "apps/sh/lex.h"

enum {
  DEPTH_MAX = 100,      /* of commands in commands */
  SUBSTITUTIONS_MAX = 8 /* in one another that are parsed: wrong ones are looked at twice each */
};

struct allocation {
  struct allocation *next;
  max_align_t data[];
};

/* A here-document, whose text begins with the next line. */
struct here {
  struct redirection *redirection;
  struct here_form form;
  size_t at;       /* of its operator */
  size_t from, to; /* where it lies, with the line that ends it; 0: not reached yet */
  struct here *next;
};

/* A node's text, which is complete when all here-documents are known. */
struct source {
  struct node *node;
  size_t from, to;
  struct source *next;
};

struct parser {
  struct lexer lexer;
  struct parse *result;
  size_t end; /* of the token before */
  unsigned depth;
  bool failed; /* wrong or unfinished */
  struct here *heres, **heres_end;
  struct source *sources;
};

static struct node *parse_list(struct parser *p, bool lines);
static struct node *parse_command(struct parser *p);

static void *allocate(struct parser *p, size_t bytes) {
  struct allocation *a = calloc(1, sizeof *a + bytes);
  if (!a) abort();
  a->next = p->result->allocations;
  p->result->allocations = a;
  return a->data;
}

static char *copy(struct parser *p, size_t from, size_t to) {
  char *text = allocate(p, to - from + 1);
  memcpy(text, p->lexer.text + from, to - from);
  return text;
}

static struct node *new_node(struct parser *p, enum node_kind kind) {
  struct node *n = allocate(p, sizeof *n);
  n->kind = kind;
  return n;
}

static enum token token(const struct parser *p) {
  return p->failed ? TOKEN_END : p->lexer.token;
}

static void unfinished(struct parser *p) {
  p->failed = true;
  p->result->result = PARSE_UNFINISHED;
}

static void take_here(struct parser *p, struct here *h) {
  size_t line, from = p->lexer.at, to = here_end(p->lexer.text, from, &h->form, &line);
  if (!to) {
    unfinished(p);
    return;
  }
  h->redirection->word = copy(p, from, line);
  if (h->form.strip) here_strip(h->redirection->word);
  h->from = from;
  h->to = p->lexer.at = p->lexer.to = to;
}

/* At the end of a line, and of the text. */
static void take_heres(struct parser *p) {
  for (struct here *h = p->heres; h && !p->failed; h = h->next) {
    if (h->to) continue;
    if (p->lexer.token == TOKEN_NEWLINE)
      take_here(p, h);
    else
      unfinished(p);
  }
}

static void next(struct parser *p) {
  if (p->failed) return;
  p->end = p->lexer.to;
  lex_next(&p->lexer);
  if (p->lexer.token == TOKEN_NEWLINE || p->lexer.token == TOKEN_END) take_heres(p);
}

static void wrong(struct parser *p, const char *message, const char *detail, int length) {
  if (p->failed) return;
  p->failed = true;
  p->result->result = PARSE_WRONG;
  snprintf(p->result->message, sizeof p->result->message, "%s%s%.*s%s", message,
           length ? " \"" : "", length, detail, length ? "\"" : "");
}

/* What stands here can't go on so; at the end of the text more of it might. */
static void unexpected(struct parser *p) {
  if (p->failed) return;
  const struct lexer *l = &p->lexer;
  if (l->token == TOKEN_END || l->token == TOKEN_UNFINISHED) {
    unfinished(p);
  } else if (l->token == TOKEN_NEWLINE) {
    wrong(p, "unexpected end of line", "", 0);
  } else {
    int n = (int)(l->to - l->from);
    wrong(p, "unexpected", l->text + l->from, n > 60 ? 60 : n);
  }
}

static bool is_word(const struct parser *p, const char *word) {
  const struct lexer *l = &p->lexer;
  return token(p) == TOKEN_WORD && l->to - l->from == strlen(word) &&
         memcmp(l->text + l->from, word, l->to - l->from) == 0;
}

static bool take_reserved(struct parser *p, const char *word) {
  if (!is_word(p, word)) return false;
  next(p);
  return true;
}

static void expect_reserved(struct parser *p, const char *word) {
  if (!take_reserved(p, word)) unexpected(p);
}

static bool ends_list(const struct parser *p) {
  static const char *const words[] = {"then", "else", "elif", "fi", "do", "done", "esac", "}"};
  for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
    if (is_word(p, words[i])) return true;
  return token(p) == TOKEN_CLOSE || token(p) == TOKEN_DOUBLE || token(p) == TOKEN_END;
}

static void skip_newlines(struct parser *p) {
  while (token(p) == TOKEN_NEWLINE)
    next(p);
}

size_t name_length(const char *text) {
  size_t n = 0;
  if (!isalpha((unsigned char)*text) && *text != '_') return 0;
  while (isalnum((unsigned char)text[n]) || text[n] == '_')
    n++;
  return n;
}

static struct word *add_word(struct parser *p, struct word **end) {
  struct word *w = allocate(p, sizeof *w);
  w->text = copy(p, p->lexer.from, p->lexer.to);
  *end = w;
  next(p);
  return w;
}

/* ---- texts of nodes ---- */

static void set_source(struct parser *p, struct node *n, size_t from) {
  if (p->failed) return;
  struct source *s = allocate(p, sizeof *s);
  *s = (struct source){n, from, p->end, p->sources};
  p->sources = s;
  n->source = n->script = copy(p, from, p->end);
}

/* Its here-documents that lie behind it. */
static bool is_missing(const struct source *s, const struct here *h) {
  return h->at >= s->from && h->at < s->to && h->from >= s->to;
}

static void complete(struct parser *p, struct source *s) {
  size_t bytes = strlen(s->node->source) + 2;
  for (const struct here *h = p->heres; h; h = h->next)
    if (is_missing(s, h)) bytes += h->to - h->from;
  char *script = allocate(p, bytes), *end = stpcpy(stpcpy(script, s->node->source), "\n");
  for (const struct here *h = p->heres; h; h = h->next)
    if (is_missing(s, h)) end = mempcpy(end, p->lexer.text + h->from, h->to - h->from);
  s->node->script = script;
}

static void complete_sources(struct parser *p) {
  if (p->failed || !p->heres) return;
  for (struct source *s = p->sources; s; s = s->next)
    complete(p, s);
}

/* ---- redirections ---- */

static bool is_here(enum token t) {
  return t == TOKEN_HERE || t == TOKEN_HERE_STRIP;
}

static bool is_redirection(const struct parser *p) {
  enum token t = token(p);
  return t == TOKEN_NUMBER || t == TOKEN_LESS || t == TOKEN_GREATER || t == TOKEN_APPEND ||
         t == TOKEN_LESS_AND || t == TOKEN_GREATER_AND || is_here(t);
}

static void expect_here(struct parser *p, struct redirection *r, enum token operator, size_t at) {
  struct here *h = allocate(p, sizeof *h);
  char *delimiter = r->word;
  r->literal = here_unquote(delimiter);
  r->word = ""; /* until it is reached */
  *h = (struct here){
      .redirection = r, .form = {delimiter, operator== TOKEN_HERE_STRIP, r->literal}, .at = at};
  *p->heres_end = h;
  p->heres_end = &h->next;
}

static struct redirection **take_redirection(struct parser *p, struct redirection **end) {
  static const enum redirection_kind kinds[] = {[TOKEN_LESS] = REDIRECT_READ,
                                                [TOKEN_GREATER] = REDIRECT_WRITE,
                                                [TOKEN_APPEND] = REDIRECT_APPEND,
                                                [TOKEN_LESS_AND] = REDIRECT_DUPLICATE,
                                                [TOKEN_GREATER_AND] = REDIRECT_DUPLICATE,
                                                [TOKEN_HERE] = REDIRECT_HERE,
                                                [TOKEN_HERE_STRIP] = REDIRECT_HERE};
  struct redirection *r = allocate(p, sizeof *r);
  r->fd = -1;
  if (token(p) == TOKEN_NUMBER) {
    r->fd = atoi(p->lexer.text + p->lexer.from);
    next(p);
  }
  if (!is_redirection(p) || token(p) == TOKEN_NUMBER) {
    unexpected(p);
    return end;
  }
  enum token t = token(p);
  size_t at = p->lexer.from;
  bool reads = t == TOKEN_LESS || t == TOKEN_LESS_AND || is_here(t);
  r->kind = kinds[t];
  if (r->fd < 0) r->fd = reads ? 0 : 1;
  next(p);
  if (token(p) != TOKEN_WORD) {
    unexpected(p);
    return end;
  }
  r->word = copy(p, p->lexer.from, p->lexer.to);
  if (is_here(t)) expect_here(p, r, t, at);
  next(p);
  *end = r;
  return &r->next;
}

static bool is_assignment(const struct parser *p) {
  const struct lexer *l = &p->lexer;
  size_t n = name_length(l->text + l->from);
  return n && l->text[l->from + n] == '=' && l->from + n < l->to;
}

/* ---- commands ---- */

/* name(), with `n` the name so far. */
static struct node *parse_function(struct parser *p, struct node *n) {
  const char *name = n->words->text;
  bool alone = !n->words->next && !n->assignments && !n->redirections;
  if (!alone) unexpected(p);
  next(p);
  if (token(p) != TOKEN_CLOSE) unexpected(p);
  if (name_length(name) != strlen(name)) wrong(p, "no name for a function:", name, 60);
  next(p);
  skip_newlines(p);
  n->kind = NODE_FUNCTION;
  n->variable = n->words->text;
  n->first = parse_command(p);
  if (n->first->kind == NODE_COMMAND || n->first->kind == NODE_FUNCTION)
    wrong(p, "a function needs { } or another compound command", "", 0);
  return n;
}

static struct node *parse_simple(struct parser *p) {
  struct node *n = new_node(p, NODE_COMMAND);
  struct word **words = &n->words, **assignments = &n->assignments;
  struct redirection **redirections = &n->redirections;
  while (!p->failed) {
    if (is_redirection(p))
      redirections = take_redirection(p, redirections);
    else if (token(p) != TOKEN_WORD)
      break;
    else if (!n->words && is_assignment(p))
      assignments = &add_word(p, assignments)->next;
    else
      words = &add_word(p, words)->next;
  }
  if (!n->words && !n->assignments && !n->redirections) unexpected(p);
  return token(p) == TOKEN_OPEN && n->words ? parse_function(p, n) : n;
}

static struct node *parse_if(struct parser *p) {
  struct node *n = new_node(p, NODE_IF);
  n->first = parse_list(p, true);
  expect_reserved(p, "then");
  n->second = parse_list(p, true);
  if (take_reserved(p, "elif")) {
    n->third = parse_if(p); /* takes `fi` */
    return n;
  }
  if (take_reserved(p, "else")) n->third = parse_list(p, true);
  expect_reserved(p, "fi");
  return n;
}

static struct node *parse_body(struct parser *p) {
  expect_reserved(p, "do");
  struct node *body = parse_list(p, true);
  expect_reserved(p, "done");
  return body;
}

static struct node *parse_loop(struct parser *p, enum node_kind kind) {
  struct node *n = new_node(p, kind);
  n->first = parse_list(p, true);
  n->second = parse_body(p);
  return n;
}

static struct node *parse_for(struct parser *p) {
  struct node *n = new_node(p, NODE_FOR);
  const struct lexer *l = &p->lexer;
  if (token(p) != TOKEN_WORD || name_length(l->text + l->from) != l->to - l->from) {
    unexpected(p);
    return n;
  }
  n->variable = copy(p, l->from, l->to);
  next(p);
  skip_newlines(p);
  n->all_arguments = !take_reserved(p, "in");
  struct word **end = &n->words;
  while (!n->all_arguments && token(p) == TOKEN_WORD)
    end = &add_word(p, end)->next;
  if (token(p) == TOKEN_SEMICOLON) next(p);
  skip_newlines(p);
  n->first = parse_body(p);
  return n;
}

/* One of a case's choices, up to its ;; or the end of all. */
static struct node *parse_choice(struct parser *p) {
  struct node *n = new_node(p, NODE_CHOICE);
  struct word **end = &n->words;
  if (token(p) == TOKEN_OPEN) next(p);
  do {
    if (n->words) next(p);
    if (token(p) == TOKEN_WORD)
      end = &add_word(p, end)->next;
    else
      unexpected(p);
  } while (token(p) == TOKEN_PIPE);
  if (token(p) != TOKEN_CLOSE) unexpected(p);
  next(p);
  skip_newlines(p);
  if (token(p) != TOKEN_DOUBLE && !is_word(p, "esac")) n->first = parse_list(p, true);
  return n;
}

static struct node *parse_case(struct parser *p) {
  struct node *n = new_node(p, NODE_CASE), **end = &n->parts;
  struct word *subject = NULL;
  if (token(p) == TOKEN_WORD)
    n->words = add_word(p, &subject);
  else
    unexpected(p);
  skip_newlines(p);
  expect_reserved(p, "in");
  skip_newlines(p);
  while (!p->failed && !is_word(p, "esac")) {
    *end = parse_choice(p);
    end = &(*end)->next;
    if (token(p) != TOKEN_DOUBLE) break;
    next(p);
    skip_newlines(p);
  }
  expect_reserved(p, "esac");
  return n;
}

static struct node *parse_enclosed(struct parser *p, enum node_kind kind) {
  struct node *n = new_node(p, kind);
  next(p);
  n->first = parse_list(p, true);
  if (kind == NODE_GROUP)
    expect_reserved(p, "}");
  else if (token(p) == TOKEN_CLOSE)
    next(p);
  else
    unexpected(p);
  return n;
}

static struct node *parse_compound(struct parser *p) {
  if (token(p) == TOKEN_OPEN) return parse_enclosed(p, NODE_SUBSHELL);
  if (is_word(p, "{")) return parse_enclosed(p, NODE_GROUP);
  if (take_reserved(p, "if")) return parse_if(p);
  if (take_reserved(p, "while")) return parse_loop(p, NODE_WHILE);
  if (take_reserved(p, "until")) return parse_loop(p, NODE_UNTIL);
  if (take_reserved(p, "for")) return parse_for(p);
  if (take_reserved(p, "case")) return parse_case(p);
  if (ends_list(p)) unexpected(p);
  return NULL;
}

static struct node *parse_command(struct parser *p) {
  size_t from = p->lexer.from;
  if (++p->depth > DEPTH_MAX) wrong(p, "too many commands in commands", "", 0);
  struct node *n = parse_compound(p);
  if (n) {
    struct redirection **end = &n->redirections;
    while (is_redirection(p))
      end = take_redirection(p, end);
  } else {
    n = parse_simple(p);
  }
  p->depth--;
  set_source(p, n, from);
  return n;
}

static struct node *parse_pipeline(struct parser *p) {
  size_t from = p->lexer.from;
  bool inverted = take_reserved(p, "!");
  struct node *n = parse_command(p);
  if (token(p) == TOKEN_PIPE) {
    struct node *pipeline = new_node(p, NODE_PIPELINE), **end = &n->next;
    pipeline->parts = n;
    while (token(p) == TOKEN_PIPE) {
      next(p);
      skip_newlines(p);
      *end = parse_command(p);
      end = &(*end)->next;
    }
    n = pipeline;
  }
  if (inverted) {
    struct node *not = new_node(p, NODE_NOT);
    not ->first = n;
    n = not ;
  }
  set_source(p, n, from);
  return n;
}

static struct node *parse_and_or(struct parser *p) {
  size_t from = p->lexer.from;
  struct node *n = parse_pipeline(p);
  while (token(p) == TOKEN_AND || token(p) == TOKEN_OR) {
    struct node *both = new_node(p, token(p) == TOKEN_AND ? NODE_AND : NODE_OR);
    next(p);
    skip_newlines(p);
    both->first = n;
    both->second = parse_pipeline(p);
    set_source(p, both, from);
    n = both;
  }
  return n;
}

/* `lines`: as part of a compound command, over line ends; otherwise to the end of the line. */
static struct node *parse_list(struct parser *p, bool lines) {
  struct node *list = new_node(p, NODE_LIST), **end = &list->parts;
  size_t from = p->lexer.from;
  if (lines) skip_newlines(p);
  do {
    struct node *n = parse_and_or(p);
    if (token(p) == TOKEN_AMPERSAND) {
      struct node *background = new_node(p, NODE_BACKGROUND);
      background->first = n;
      background->source = n->source;
      n = background;
    }
    *end = n;
    end = &n->next;
    if (token(p) != TOKEN_AMPERSAND && token(p) != TOKEN_SEMICOLON &&
        !(lines && token(p) == TOKEN_NEWLINE))
      break;
    if (token(p) != TOKEN_NEWLINE) next(p);
    if (lines) skip_newlines(p);
  } while (!p->failed && !ends_list(p) && token(p) != TOKEN_NEWLINE);
  set_source(p, list, from);
  return list;
}

static void begin(struct parser *p, const char *text, size_t at, struct parse *result) {
  *result = (struct parse){.result = PARSE_EMPTY};
  *p = (struct parser){.lexer = {.text = text, .at = at}, .result = result};
  p->heres_end = &p->heres;
  lex_next(&p->lexer);
}

void parse_line(const char *text, struct parse *result) {
  struct parser p;
  begin(&p, text, 0, result);
  skip_newlines(&p);
  if (token(&p) != TOKEN_END) {
    result->result = PARSE_DONE;
    result->node = parse_list(&p, false);
    if (token(&p) == TOKEN_UNFINISHED || (token(&p) != TOKEN_NEWLINE && token(&p) != TOKEN_END))
      unexpected(&p);
    complete_sources(&p);
  }
  result->next = p.lexer.at;
}

bool parse_substitution(const char *text, size_t at, size_t *end) {
  static unsigned nesting;
  struct parse result;
  struct parser p;
  if (nesting == SUBSTITUTIONS_MAX) return false;
  nesting++;
  begin(&p, text, at, &result);
  skip_newlines(&p);
  if (token(&p) != TOKEN_CLOSE) parse_list(&p, true);
  if (token(&p) != TOKEN_CLOSE) unexpected(&p);
  nesting--;
  *end = p.failed ? 0 : p.lexer.to;
  parse_free(&result);
  return result.result != PARSE_WRONG;
}

void parse_free(struct parse *result) {
  while (result->allocations) {
    struct allocation *a = result->allocations;
    result->allocations = a->next;
    free(a);
  }
}
