/* C's rules for the types of state filters. */
#include "libst/filter_typing.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "libst/meta.h"
#include "libst/type.h"

enum { MAX_NODES = 4096 };

const struct filter_type filter_int = {.class = CLASS_INTEGER, .bytes = 4};
const struct filter_type filter_real = {.class = CLASS_REAL};

node filter_fail(struct parser *p, unsigned column, const char *format, ...) {
  if (p->status) return 0;
  p->status = -EINVAL;
  int used = snprintf(p->error, p->error_cap, "column %u: ", column);
  if (used < 0 || (size_t)used >= p->error_cap) return 0;
  va_list args;
  va_start(args, format);
  vsnprintf(p->error + used, p->error_cap - used, format, args);
  va_end(args);
  return 0;
}

struct filter_node *filter_at(const struct parser *p, node n) {
  return &p->tree->nodes[n];
}

node filter_add(struct parser *p, struct filter_node content) {
  struct filter_tree *t = p->tree;
  if (p->status) return 0;
  if (t->count == MAX_NODES) return filter_fail(p, p->token.column, "the filter is too long");
  if (t->count == t->capacity) {
    size_t capacity = t->capacity ? 2 * t->capacity : 32;
    struct filter_node *nodes = realloc(t->nodes, capacity * sizeof *nodes);
    if (!nodes) {
      p->status = -ENOMEM;
      snprintf(p->error, p->error_cap, "out of memory");
      return 0;
    }
    t->nodes = nodes;
    t->capacity = capacity;
  }
  t->nodes[t->count] = content;
  return t->count++;
}

const char *filter_type_text(const struct parser *p, struct filter_type type, char out[128]) {
  char inner[112];
  switch (type.class) {
  case CLASS_INTEGER:
    snprintf(out, 128, "%s%s", type.is_unsigned ? "unsigned " : "",
             type.bytes == 8 ? "long" : "int");
    break;
  case CLASS_REAL:
    snprintf(out, 128, "double");
    break;
  case CLASS_POINTER:
    snprintf(out, 128, "%s *", type_text(p->meta, type.id, inner, sizeof inner));
    break;
  case CLASS_OBJECT:
    type_text(p->meta, type.id, out, 128);
    break;
  }
  return out;
}

/* ---- places become values ---- */

node filter_constant(struct parser *p, int64_t value, struct filter_type type) {
  return filter_add(p, (struct filter_node){.op = OP_CONSTANT, .type = type, .value = value});
}

/* Arithmetic is done in int or wider. */
struct filter_type filter_promoted(uint32_t bytes, bool is_unsigned) {
  return (struct filter_type){
      .class = CLASS_INTEGER, .bytes = bytes > 4 ? 8 : 4, .is_unsigned = is_unsigned && bytes >= 4};
}

static node load(struct parser *p, node place, struct filter_type type, uint32_t bytes,
                 bool is_unsigned) {
  struct filter_node n = {.op = OP_LOAD, .type = type, .a = place};
  n.load_bytes = bytes;
  n.load_unsigned = is_unsigned;
  n.load_real = type.class == CLASS_REAL;
  if (filter_at(p, place)->op == OP_MEMBER) n.bits = filter_at(p, place)->bits;
  if (n.bits && n.bits < 32) n.type = filter_int; /* any such value fits in int */
  return filter_add(p, n);
}

node filter_value(struct parser *p, node n, unsigned column) {
  char text[128];
  if (p->status || filter_at(p, n)->type.class != CLASS_OBJECT) return n;
  uint32_t id = type_strip(p->meta, filter_at(p, n)->type.id);
  const struct btf_type *t = type_of(p->meta, id);
  switch (btf_kind(t)) {
  case BTF_KIND_INT:
  case BTF_KIND_ENUM:
  case BTF_KIND_ENUM64: {
    bool is_unsigned = !type_is_signed(t);
    if (t->size > 8) break;
    return load(p, n, filter_promoted(t->size, is_unsigned), t->size, is_unsigned);
  }
  case BTF_KIND_FLOAT:
    return load(p, n, filter_real, t->size, false);
  case BTF_KIND_PTR:
    return load(p, n, (struct filter_type){.class = CLASS_POINTER, .id = t->type}, sizeof(void *),
                true);
  case BTF_KIND_ARRAY:
    return filter_add(
        p, (struct filter_node){.op = OP_ADDRESS,
                                .type = {.class = CLASS_POINTER, .id = btf_array(t)->type},
                                .a = n});
  default:
    break;
  }
  return filter_fail(p, column, "type error: %s is no number or pointer",
                     filter_type_text(p, filter_at(p, n)->type, text));
}

static bool is_number(const struct filter_node *n) {
  return n->type.class == CLASS_INTEGER || n->type.class == CLASS_REAL;
}

/* ---- operators on one operand ---- */

static node convert(struct parser *p, node n, struct filter_type type) {
  const struct filter_type *have = &filter_at(p, n)->type;
  if (have->class == type.class && have->bytes == type.bytes &&
      have->is_unsigned == type.is_unsigned)
    return n;
  return filter_add(p, (struct filter_node){.op = OP_CONVERT, .type = type, .a = n});
}

node filter_address(struct parser *p, node n, unsigned column) {
  if (p->status) return 0;
  const struct filter_node *place = filter_at(p, n);
  if (place->type.class != CLASS_OBJECT)
    return filter_fail(p, column, "type error: '&' needs a variable or a part of one");
  if (place->op == OP_MEMBER && place->bits)
    return filter_fail(p, column, "type error: a bit-field has no address");
  return filter_add(p, (struct filter_node){.op = OP_ADDRESS,
                                            .type = {.class = CLASS_POINTER, .id = place->type.id},
                                            .a = n});
}

node filter_unary(struct parser *p, enum filter_op op, node n, unsigned column) {
  char text[128];
  if (p->status) return 0;
  const struct filter_node *a = filter_at(p, n);
  if (!is_number(a) || (op == OP_COMPLEMENT && a->type.class != CLASS_INTEGER))
    return filter_fail(p, column, "type error: '%s' needs a number, not %s",
                       op == OP_COMPLEMENT ? "~" : "-", filter_type_text(p, a->type, text));
  return filter_add(p, (struct filter_node){.op = op, .type = a->type, .a = n});
}

node filter_target(struct parser *p, node pointer, unsigned column, const char *operator) {
  char text[128];
  if (p->status) return 0;
  struct filter_type type = filter_at(p, pointer)->type;
  if (type.class != CLASS_POINTER)
    return filter_fail(p, column, "type error: '%s' needs a pointer, not %s", operator,
                       filter_type_text(p, type, text));
  const struct btf_type *t = type_of(p->meta, type.id);
  size_t bytes = type_bytes(p->meta, type.id);
  if (bytes == 0 && !btf_is_array(t) && !btf_is_composite(t))
    return filter_fail(p, column,
                       "type error: %s cannot be followed: what it points to is not known",
                       filter_type_text(p, type, text));
  return filter_add(p, (struct filter_node){.op = OP_TARGET,
                                            .type = {.class = CLASS_OBJECT, .id = type.id},
                                            .a = pointer,
                                            .stride = bytes});
}

static node element_of_array(struct parser *p, node array, node index, unsigned column) {
  uint32_t id = type_strip(p->meta, filter_at(p, array)->type.id);
  const struct btf_array *info = btf_array(btf__type_by_id(p->meta->btf, id));
  const struct filter_node *i = filter_at(p, index);
  if (i->op == OP_CONSTANT && info->nelems && (uint64_t)i->value >= info->nelems)
    return filter_fail(p, column, "index %lld is outside of an array of %u elements",
                       (long long)i->value, info->nelems);
  return filter_add(p, (struct filter_node){.op = OP_ELEMENT,
                                            .type = {.class = CLASS_OBJECT, .id = info->type},
                                            .a = array,
                                            .b = index,
                                            .stride = type_bytes(p->meta, info->type),
                                            .count = info->nelems});
}

static node moved(struct parser *p, node pointer, node by, bool back, unsigned column) {
  char text[128];
  if (p->status) return 0;
  uint32_t id = filter_at(p, pointer)->type.id;
  size_t stride = type_bytes(p->meta, id);
  if (stride == 0)
    return filter_fail(p, column, "type error: %s cannot be moved: what it points to has no size",
                       filter_type_text(p, filter_at(p, pointer)->type, text));
  node distance = convert(p, by, filter_promoted(8, false));
  if (back)
    distance = filter_add(
        p, (struct filter_node){.op = OP_NEGATE, .type = filter_promoted(8, false), .a = distance});
  return filter_add(p, (struct filter_node){.op = OP_MOVE,
                                            .type = {.class = CLASS_POINTER, .id = id},
                                            .a = pointer,
                                            .b = distance,
                                            .stride = stride});
}

node filter_index_of(struct parser *p, node of, node index, unsigned column,
                     unsigned index_column) {
  char text[128];
  if (p->status) return 0;
  if (filter_at(p, index)->type.class != CLASS_INTEGER)
    return filter_fail(p, index_column, "type error: an index must be an integer, not %s",
                       filter_type_text(p, filter_at(p, index)->type, text));
  if (filter_at(p, of)->type.class == CLASS_OBJECT &&
      btf_is_array(type_of(p->meta, filter_at(p, of)->type.id)))
    return element_of_array(p, of, index, index_column);
  node pointer = filter_value(p, of, column);
  if (p->status) return 0;
  if (filter_at(p, pointer)->type.class != CLASS_POINTER)
    return filter_fail(p, column, "type error: %s cannot be indexed",
                       filter_type_text(p, filter_at(p, pointer)->type, text));
  return filter_target(p, moved(p, pointer, index, false, column), column, "[]");
}

/* ---- operators on two ---- */

/* The type that C computes two numbers in. */
static struct filter_type common(const struct filter_node *a, const struct filter_node *b) {
  if (a->type.class == CLASS_REAL || b->type.class == CLASS_REAL) return filter_real;
  if (a->type.bytes != b->type.bytes) return a->type.bytes > b->type.bytes ? a->type : b->type;
  return a->type.is_unsigned ? a->type : b->type;
}

static node type_error(struct parser *p, const char *spelling, node a, node b, unsigned column) {
  char left[128], right[128];
  return filter_fail(p, column, "type error: %s %s %s",
                     filter_type_text(p, filter_at(p, a)->type, left), spelling,
                     filter_type_text(p, filter_at(p, b)->type, right));
}

static bool is_pointer(const struct parser *p, node n) {
  return filter_at(p, n)->type.class == CLASS_POINTER;
}

static bool is_null(const struct parser *p, node n) {
  const struct filter_node *c = filter_at(p, n);
  return c->op == OP_CONSTANT && c->type.class == CLASS_INTEGER && c->value == 0;
}

static bool is_comparison(enum filter_op op) {
  return op == OP_LESS || op == OP_LESS_EQUAL || op == OP_EQUAL;
}

static node pointer_operation(struct parser *p, const struct binary *b, node left, node right,
                              unsigned column) {
  bool both = is_pointer(p, left) && is_pointer(p, right);
  bool null = is_null(p, left) || is_null(p, right);
  if (is_comparison(b->op) && (both || (b->op == OP_EQUAL && null)))
    return filter_add(p,
                      (struct filter_node){.op = b->op, .type = filter_int, .a = left, .b = right});
  if (b->op == OP_SUBTRACT && both) {
    size_t stride = type_bytes(p->meta, filter_at(p, left)->type.id);
    if (stride == 0 || stride != type_bytes(p->meta, filter_at(p, right)->type.id))
      return type_error(p, b->spelling, left, right, column);
    return filter_add(p, (struct filter_node){.op = OP_DISTANCE,
                                              .type = filter_promoted(8, false),
                                              .a = left,
                                              .b = right,
                                              .stride = stride});
  }
  bool left_moves = is_pointer(p, left) && filter_at(p, right)->type.class == CLASS_INTEGER;
  bool right_moves = is_pointer(p, right) && filter_at(p, left)->type.class == CLASS_INTEGER;
  if (left_moves && (b->op == OP_ADD || b->op == OP_SUBTRACT))
    return moved(p, left, right, b->op == OP_SUBTRACT, column);
  if (right_moves && b->op == OP_ADD) return moved(p, right, left, false, column);
  return type_error(p, b->spelling, left, right, column);
}

static node number_operation(struct parser *p, const struct binary *b, node left, node right,
                             unsigned column) {
  struct filter_type type = common(filter_at(p, left), filter_at(p, right));
  switch (b->op) {
  case OP_REMAINDER:
  case OP_AND_BITS:
  case OP_XOR_BITS:
  case OP_OR_BITS:
  case OP_SHIFT_LEFT:
  case OP_SHIFT_RIGHT:
    if (type.class == CLASS_REAL) return type_error(p, b->spelling, left, right, column);
    break;
  default:
    break;
  }
  bool shift = b->op == OP_SHIFT_LEFT || b->op == OP_SHIFT_RIGHT;
  if (shift)
    type = filter_at(p, left)->type;
  else
    left = convert(p, left, type), right = convert(p, right, type);
  return filter_add(
      p, (struct filter_node){
             .op = b->op, .type = is_comparison(b->op) ? filter_int : type, .a = left, .b = right});
}

node filter_binary(struct parser *p, const struct binary *b, node left, node right,
                   unsigned column) {
  if (p->status) return 0;
  if (b->op == OP_AND || b->op == OP_OR)
    return filter_add(p,
                      (struct filter_node){.op = b->op, .type = filter_int, .a = left, .b = right});
  node n = is_number(filter_at(p, left)) && is_number(filter_at(p, right))
               ? number_operation(p, b, b->swap ? right : left, b->swap ? left : right, column)
               : pointer_operation(p, b, b->swap ? right : left, b->swap ? left : right, column);
  if (b->negate) n = filter_add(p, (struct filter_node){.op = OP_NOT, .type = filter_int, .a = n});
  return n;
}

node filter_choice(struct parser *p, node condition, node yes, node no, unsigned column) {
  if (p->status) return 0;
  struct filter_type type = filter_at(p, yes)->type;
  if (is_number(filter_at(p, yes)) && is_number(filter_at(p, no))) {
    type = common(filter_at(p, yes), filter_at(p, no));
    yes = convert(p, yes, type);
    no = convert(p, no, type);
  } else if (is_pointer(p, no) && is_null(p, yes)) {
    type = filter_at(p, no)->type;
  } else if (!is_pointer(p, yes) || !(is_pointer(p, no) || is_null(p, no))) {
    return type_error(p, ":", yes, no, column);
  }
  return filter_add(
      p, (struct filter_node){.op = OP_CHOOSE, .type = type, .a = condition, .b = yes, .c = no});
}
