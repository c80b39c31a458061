/* What the two halves of the filter compiler share: filter_parse.c knows the grammar,
 * filter_typing.c C's rules for types. After the first failure nothing more is done; node 0 then
 * stands for any. */
#ifndef LIBST_FILTER_TYPING_H
#define LIBST_FILTER_TYPING_H

#include "libst/filter_token.h"
#include "libst/filter_tree.h"

struct st_meta;

struct parser {
  const struct st_meta *meta;
  const struct st_meta *old; /* what old(...) is about; NULL: not allowed */
  bool in_old;
  struct filter_tree *tree;
  const char *text;
  struct token token; /* the next word */
  const char *end;    /* of the word before it */
  unsigned depth;
  int status; /* the first failure */
  char *error;
  size_t error_cap;
};

typedef filter_index node;

/** A binary operator. */
struct binary {
  const char *spelling;
  int precedence; /* a higher one binds closer */
  enum filter_op op;
  bool swap, negate; /* a > b is b < a; a >= b is b <= a; a != b is !(a == b) */
};

extern const struct filter_type filter_int, filter_real;

/** Reports the first problem, at a column of the text. @return 0 */
node filter_fail(struct parser *p, unsigned column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Adds a node. @return 0 after a failure */
node filter_add(struct parser *p, struct filter_node content);
struct filter_node *filter_at(const struct parser *p, node n);
/** A type as C writes it. @return `out` */
const char *filter_type_text(const struct parser *p, struct filter_type type, char out[128]);
/** The type that an integer of some bytes is computed in. */
struct filter_type filter_promoted(uint32_t bytes, bool is_unsigned);

/** Each gives the node that an expression means, or reports why it has none. */
node filter_constant(struct parser *p, int64_t value, struct filter_type type);
/** The value of what was parsed: memory is read, an array becomes a pointer. */
node filter_value(struct parser *p, node n, unsigned column);
/** The place that a pointer leads to. */
node filter_target(struct parser *p, node pointer, unsigned column, const char *operator);
node filter_index_of(struct parser *p, node of, node index, unsigned column, unsigned index_column);
node filter_address(struct parser *p, node n, unsigned column);
node filter_unary(struct parser *p, enum filter_op op, node n, unsigned column);
node filter_binary(struct parser *p, const struct binary *b, node left, node right,
                   unsigned column);
node filter_choice(struct parser *p, node condition, node yes, node no, unsigned column);

#endif
