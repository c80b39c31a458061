/* The grammar of state filters, by precedence climbing. */
#include <stdio.h>
#include <string.h>

#include "libst/filter_names.h"
#include "libst/filter_typing.h"
#include "libst/meta.h"
#include "libst/type.h"

enum { MAX_DEPTH = 64 };

static void advance(struct parser *p) {
  if (p->status) return;
  p->end = p->token.text + p->token.bytes;
  p->token = token_read(p->text, p->token.text + p->token.bytes);
  if (p->token.kind == TOKEN_BAD)
    filter_fail(p, p->token.column, "'%.*s' %s", p->token.bytes, p->token.text, p->token.problem);
}

static bool accept(struct parser *p, const char *operator) {
  if (p->status || !token_is(&p->token, operator)) return false;
  advance(p);
  return true;
}

static void expect(struct parser *p, const char *operator) {
  if (p->status || accept(p, operator)) return;
  if (p->token.kind == TOKEN_END)
    filter_fail(p, p->token.column, "'%s' is missing at the end", operator);
  else
    filter_fail(p, p->token.column, "'%s' expected before '%.*s'", operator, p->token.bytes,
                p->token.text);
}

/* ---- operands ---- */

static node parse_expression(struct parser *p, int least);

static node variable(struct parser *p, const struct st_variable *v, struct token name) {
  if (v->flags & ST_VAR_REFUSED)
    return filter_fail(p, name.column, "'%.*s' cannot be read: %s", name.bytes, name.text,
                       st_meta_string(p->meta, v->note));
  return filter_add(p, (struct filter_node){.op = OP_VARIABLE,
                                            .type = {.class = CLASS_OBJECT, .id = v->type},
                                            .address = v->address});
}

static node unknown(struct parser *p, struct token name, const char *copy) {
  const char *near = names_near_variable(p->meta, copy);
  if (*near)
    return filter_fail(p, name.column, "unknown variable '%s'; did you mean '%s'?", copy, near);
  return filter_fail(p, name.column, "unknown variable '%s'", copy);
}

/* A variable or enumerator; `scope` may be NULL. */
static node resolve(struct parser *p, struct token name, const char *scope) {
  char copy[256];
  const char *files[2];
  const struct st_variable *v;
  snprintf(copy, sizeof copy, "%.*s", name.bytes, name.text);
  switch (names_variable(p->meta, copy, scope, &v, files)) {
  case NAMES_FOUND:
    return variable(p, v, name);
  case NAMES_SEVERAL:
    return filter_fail(p, name.column, "'%s' is a variable of %s and of %s; write 'FILE'::%s", copy,
                       files[0], files[1], copy);
  case NAMES_NONE:
    break;
  }
  if (scope) return filter_fail(p, name.column, "unknown variable '%s' in '%s'", copy, scope);
  if (strcmp(copy, "NULL") == 0) return filter_constant(p, 0, filter_int);
  if (strcmp(copy, "true") == 0) return filter_constant(p, 1, filter_int);
  if (strcmp(copy, "false") == 0) return filter_constant(p, 0, filter_int);
  int64_t value;
  bool wide;
  switch (names_enumerator(p->meta, copy, &value, &wide)) {
  case NAMES_FOUND:
    return filter_constant(p, value, filter_promoted(wide ? 8 : 4, false));
  case NAMES_SEVERAL:
    return filter_fail(p, name.column, "'%s' is an enumerator with different values", copy);
  case NAMES_NONE:
    break;
  }
  return unknown(p, name, copy);
}

/* Notes where the text of an operand is, which ends with the last word. */
static void mark(struct parser *p, node n, const char *start) {
  if (p->status || p->end <= start) return;
  filter_at(p, n)->text_at = (uint16_t)(start - p->text);
  filter_at(p, n)->text_bytes = (uint16_t)(p->end - start);
}

/* Values of an enumeration compare only when both versions give its names the same values. */
static void check_old_enum(struct parser *p, node n, const struct st_meta *new, unsigned column) {
  if (p->status || filter_at(p, n)->op != OP_LOAD) return;
  const struct btf_type *t = type_of(p->meta, filter_at(p, filter_at(p, n)->a)->type.id);
  if (!btf_is_any_enum(t)) return;
  for (unsigned i = 0; i < btf_vlen(t); i++) {
    int64_t value, now;
    bool wide;
    const char *name = type_enumerator(p->meta, t, i, &value);
    if (names_enumerator(new, name, &now, &wide) == NAMES_FOUND && now == value) continue;
    filter_fail(p, column,
                "'%s' is not %lld in the new version; compare names: old(x == %s) == (x == %s)",
                name, (long long)value, name, name);
    return;
  }
}

/* old(x), after the word: x in the version that is replaced. */
static node parse_old(struct parser *p, unsigned column) {
  char text[128];
  if (!p->old) return filter_fail(p, column, "old() is for checks of an update only");
  if (p->in_old) return filter_fail(p, column, "old() cannot be within old()");
  const struct st_meta *new = p->meta;
  p->meta = p->old;
  p->in_old = true;
  unsigned inner_column = p->token.column;
  node n = filter_value(p, parse_expression(p, 0), inner_column);
  check_old_enum(p, n, new, inner_column);
  if (!p->status && filter_at(p, n)->type.class == CLASS_POINTER)
    filter_fail(p, inner_column,
                "type error: %s is an address of the old version; compare what it points to",
                filter_type_text(p, filter_at(p, n)->type, text));
  p->meta = new;
  p->in_old = false;
  expect(p, ")");
  struct filter_type type = p->status ? filter_int : filter_at(p, n)->type;
  return filter_add(p, (struct filter_node){.op = OP_OLD, .type = type, .a = n});
}

/* name, function::name or 'file'::name */
static node parse_name(struct parser *p) {
  struct token first = p->token;
  advance(p);
  if (first.bytes == 3 && memcmp(first.text, "old", 3) == 0 && accept(p, "("))
    return parse_old(p, first.column);
  bool scoped = accept(p, "::");
  if (!scoped) return resolve(p, first, NULL);
  struct token name = p->token;
  if (name.kind != TOKEN_NAME)
    return filter_fail(p, name.column, "a variable's name expected after '::'");
  advance(p);
  char scope[256];
  unsigned quote = first.kind == TOKEN_FILE;
  snprintf(scope, sizeof scope, "%.*s", first.bytes - 2 * quote, first.text + quote);
  return resolve(p, name, scope);
}

static node parse_primary(struct parser *p) {
  struct token t = p->token;
  node n;
  switch (t.kind) {
  case TOKEN_NUMBER:
    advance(p);
    return filter_constant(p, t.value,
                           (struct filter_type){.class = CLASS_INTEGER,
                                                .bytes = t.is_long ? 8 : 4,
                                                .is_unsigned = t.is_unsigned});
  case TOKEN_REAL:
    advance(p);
    return filter_add(p,
                      (struct filter_node){.op = OP_CONSTANT, .type = filter_real, .real = t.real});
  case TOKEN_NAME:
  case TOKEN_FILE:
    return parse_name(p);
  case TOKEN_END:
    return filter_fail(p, t.column, "a variable or number is missing at the end");
  case TOKEN_OPERATOR:
    if (!accept(p, "(")) break;
    n = parse_expression(p, 0);
    expect(p, ")");
    return n;
  case TOKEN_BAD:
    break;
  }
  return filter_fail(p, t.column, "a variable or number expected before '%.*s'", t.bytes, t.text);
}

static node parse_member(struct parser *p, node of) {
  struct token name = p->token;
  char text[128], copy[256];
  if (p->status) return 0;
  if (name.kind != TOKEN_NAME)
    return filter_fail(p, name.column, "a member's name expected after '.' or '->'");
  struct filter_type type = filter_at(p, of)->type;
  if (type.class != CLASS_OBJECT || !btf_is_composite(type_of(p->meta, type.id)))
    return filter_fail(p, name.column, "type error: %s has no members%s",
                       filter_type_text(p, type, text),
                       type.class == CLASS_POINTER ||
                               (type.class == CLASS_OBJECT && btf_is_ptr(type_of(p->meta, type.id)))
                           ? "; use ->"
                           : "");
  snprintf(copy, sizeof copy, "%.*s", name.bytes, name.text);
  struct filter_node n = {.op = OP_MEMBER, .type = {.class = CLASS_OBJECT}, .a = of};
  uint32_t bits;
  if (!names_member(p->meta, type.id, copy, &n.bit_offset, &n.type.id, &bits)) {
    const char *near = names_near_member(p->meta, type.id, copy);
    return filter_fail(p, name.column, "unknown member '%s' of %s%s%s%s", copy,
                       filter_type_text(p, type, text), *near ? "; did you mean '" : "", near,
                       *near ? "'?" : "");
  }
  n.bits = bits;
  advance(p);
  return filter_add(p, n);
}

static node parse_index(struct parser *p, node of, unsigned column) {
  unsigned index_column = p->token.column;
  node index = filter_value(p, parse_expression(p, 0), index_column);
  expect(p, "]");
  return filter_index_of(p, of, index, column, index_column);
}

static node parse_postfix(struct parser *p) {
  unsigned column = p->token.column;
  node n = parse_primary(p);
  while (!p->status) {
    unsigned here = p->token.column;
    if (accept(p, "["))
      n = parse_index(p, n, column);
    else if (accept(p, "."))
      n = parse_member(p, n);
    else if (accept(p, "->"))
      n = parse_member(p, filter_target(p, filter_value(p, n, column), here, "->"));
    else
      break;
  }
  return n;
}

/* ---- unary operators ---- */

static node parse_unary(struct parser *p);

static node parse_not(struct parser *p) {
  const char *start = p->token.text;
  unsigned column = p->token.column;
  node of = filter_value(p, parse_unary(p), column);
  mark(p, of, start);
  return filter_add(p, (struct filter_node){.op = OP_NOT, .type = filter_int, .a = of});
}

static node parse_unary(struct parser *p) {
  unsigned column = p->token.column;
  node n = 0;
  if (++p->depth > MAX_DEPTH)
    filter_fail(p, column, "the filter is nested too deeply");
  else if (accept(p, "!"))
    n = parse_not(p);
  else if (accept(p, "-"))
    n = filter_unary(p, OP_NEGATE, filter_value(p, parse_unary(p), column + 1), column);
  else if (accept(p, "~"))
    n = filter_unary(p, OP_COMPLEMENT, filter_value(p, parse_unary(p), column + 1), column);
  else if (accept(p, "+"))
    n = filter_value(p, parse_unary(p), column + 1);
  else if (accept(p, "*"))
    n = filter_target(p, filter_value(p, parse_unary(p), column + 1), column, "*");
  else if (accept(p, "&"))
    n = filter_address(p, parse_unary(p), column);
  else
    n = parse_postfix(p);
  p->depth--;
  return n;
}

/* ---- binary operators ---- */

static const struct binary binaries[] = {
    {"*", 10, OP_MULTIPLY, false, false},    {"/", 10, OP_DIVIDE, false, false},
    {"%", 10, OP_REMAINDER, false, false},   {"+", 9, OP_ADD, false, false},
    {"-", 9, OP_SUBTRACT, false, false},     {"<<", 8, OP_SHIFT_LEFT, false, false},
    {">>", 8, OP_SHIFT_RIGHT, false, false}, {"<", 7, OP_LESS, false, false},
    {">", 7, OP_LESS, true, false},          {"<=", 7, OP_LESS_EQUAL, false, false},
    {">=", 7, OP_LESS_EQUAL, true, false},   {"==", 6, OP_EQUAL, false, false},
    {"!=", 6, OP_EQUAL, false, true},        {"&", 5, OP_AND_BITS, false, false},
    {"^", 4, OP_XOR_BITS, false, false},     {"|", 3, OP_OR_BITS, false, false},
    {"&&", 2, OP_AND, false, false},         {"||", 1, OP_OR, false, false},
};

static const struct binary *binary_at(const struct parser *p) {
  for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++)
    if (token_is(&p->token, binaries[i].spelling)) return &binaries[i];
  return NULL;
}

/* condition ? a : b; the condition and the mark have been read. */
static node parse_choice(struct parser *p, node condition, unsigned column) {
  unsigned yes_column = p->token.column;
  node yes = filter_value(p, parse_expression(p, 0), yes_column);
  expect(p, ":");
  unsigned no_column = p->token.column;
  node no = filter_value(p, parse_expression(p, 0), no_column);
  return filter_choice(p, condition, yes, no, column);
}

/* Operators that bind at least as close as `least`; 0 is the whole expression. */
static node parse_expression(struct parser *p, int least) {
  unsigned left_column = p->token.column;
  const char *start = p->token.text;
  if (++p->depth > MAX_DEPTH) return filter_fail(p, left_column, "the filter is nested too deeply");
  node left = parse_unary(p);
  for (const struct binary *b; !p->status && (b = binary_at(p)) && b->precedence >= least;) {
    unsigned column = p->token.column;
    left = filter_value(p, left, left_column);
    mark(p, left, start);
    advance(p);
    unsigned right_column = p->token.column;
    const char *right_start = p->token.text;
    node right = parse_expression(p, b->precedence + 1);
    right = filter_value(p, right, right_column);
    mark(p, right, right_start);
    left = filter_binary(p, b, left, right, column);
  }
  unsigned column = p->token.column;
  if (least == 0 && accept(p, "?"))
    left = parse_choice(p, filter_value(p, left, left_column), column);
  p->depth--;
  return left;
}

int filter_parse(struct filter_tree *tree, const struct st_meta *meta, const struct st_meta *old,
                 const char *text, char *error, size_t error_cap) {
  struct parser p = {.meta = meta,
                     .old = old,
                     .tree = tree,
                     .text = text,
                     .token = {.text = text},
                     .error = error,
                     .error_cap = error_cap};
  filter_add(&p, (struct filter_node){.op = OP_CONSTANT, .type = filter_int}); /* node 0 */
  advance(&p);
  if (!p.status && p.token.kind == TOKEN_END) filter_fail(&p, 1, "the filter is empty");
  node n = parse_expression(&p, 0);
  if (!p.status && p.token.kind != TOKEN_END)
    filter_fail(&p, p.token.column, "'%.*s' is left over", p.token.bytes, p.token.text);
  n = filter_value(&p, n, 1);
  mark(&p, n, text);
  tree->root = n;
  return p.status;
}
